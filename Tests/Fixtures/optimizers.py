"""Optimizers: ten steps of a small vector with given gradients, and the parameters after each."""

import keras
import numpy as np
import tensorflow as tf
import torch

from fixture_file import FixtureFile, normal, random, to_float32_exact
from layers import KERAS, TORCH

STEPS, SIZE = 10, 7


def inputs(case):
    g = random(case)
    # Magnitudes over five decades, one exact zero: this is where the place of epsilon shows.
    scales = np.array([1, 1e-1, 1e-2, 1e-3, 1e-4, 10, 0])
    return normal(g, SIZE), to_float32_exact(normal(g, STEPS, SIZE) * scales)


def keras_case(file, name, optimizer_type, **arguments):
    case = f"optimizer.{name}"
    initial, gradients = inputs(case)
    optimizer = optimizer_type(**arguments)
    variable = keras.Variable(initial, dtype="float64")
    optimizer.build([variable])
    history = []
    for gradient in gradients:
        optimizer.apply_gradients([(tf.constant(gradient), variable)])
        history.append(variable.numpy().copy())
    config = optimizer.get_config()
    names = ("learning_rate", "momentum", "nesterov", "beta_1", "beta_2", "epsilon", "rho", "centered", "amsgrad",
             "weight_decay")
    attributes = {key: config[key] for key in names if config.get(key) is not None}
    file.add(case, dict(op=optimizer_type.__name__.lower(), source=KERAS, **attributes),
             initial=initial, gradients=gradients, parameters=np.stack(history))


def torch_case(file, name, op, optimizer_type, attributes, **arguments):
    case = f"optimizer.{name}"
    initial, gradients = inputs(case)
    parameter = torch.tensor(initial, requires_grad=True)
    optimizer = optimizer_type([parameter], **arguments)
    history = []
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
        history.append(parameter.detach().numpy().copy())
    file.add(case, dict(op=op, source=TORCH, **attributes), initial=initial, gradients=gradients,
             parameters=np.stack(history))


def make():
    file = FixtureFile("optimizers")
    # Keras rounds its constants to float32 even in float64; binary fractions keep the larger steps exact.
    sgd, adam = keras.optimizers.SGD, keras.optimizers.Adam
    keras_case(file, "sgd", sgd)
    keras_case(file, "sgd_momentum", sgd, learning_rate=0.0625, momentum=0.875)
    keras_case(file, "sgd_nesterov", sgd, learning_rate=0.0625, momentum=0.875, nesterov=True)
    keras_case(file, "adam", adam)
    keras_case(file, "adam_fast", adam, learning_rate=0.0625, beta_1=0.75, beta_2=0.9375)
    keras_case(file, "adamw", keras.optimizers.AdamW)
    keras_case(file, "adamw_fast", keras.optimizers.AdamW, learning_rate=0.0625, beta_1=0.75, beta_2=0.9375,
               weight_decay=0.125)
    keras_case(file, "rmsprop", keras.optimizers.RMSprop)
    keras_case(file, "rmsprop_momentum", keras.optimizers.RMSprop, learning_rate=0.01, rho=0.9, momentum=0.9)
    torch_case(file, "torch_sgd_weight_decay", "sgd", torch.optim.SGD,
               dict(learning_rate=0.05, momentum=0.9, nesterov=False, weight_decay=0.01),
               lr=0.05, momentum=0.9, weight_decay=0.01)
    torch_case(file, "torch_adam", "adam", torch.optim.Adam,
               dict(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8), lr=0.001, eps=1e-8)
    return file
