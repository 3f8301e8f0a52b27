"""Losses: the mean (Keras's `sum_over_batch_size`), the unreduced values, and the gradient of the mean."""

import keras
import numpy as np
import tensorflow as tf
import torch

from fixture_file import FixtureFile, normal, random, to_float32_exact
from layers import KERAS, TORCH


def softmax(logits):
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return to_float32_exact(e / e.sum(axis=-1, keepdims=True))


def sigmoid(logits):
    return to_float32_exact(1 / (1 + np.exp(-logits)))


def keras_loss(file, case, loss_type, target, prediction, **arguments):
    prediction = tf.constant(prediction)
    with tf.GradientTape() as tape:
        tape.watch(prediction)
        loss = loss_type(**arguments)(target, prediction)
    unreduced = loss_type(reduction="none", **arguments)(target, prediction)
    attributes = dict(op=case.split(".")[0], source=KERAS, from_logits=False, label_smoothing=0.0) | arguments
    file.add(case, attributes, target=target, prediction=prediction.numpy(), loss=loss.numpy(),
             unreduced=unreduced.numpy(), dprediction=tape.gradient(loss, prediction).numpy())


def categorical(file):
    classes, batch = 10, 6
    dense, sparse = keras.losses.CategoricalCrossentropy, keras.losses.SparseCategoricalCrossentropy

    def labels(g):
        return g.integers(0, classes, batch).astype(np.int32)

    for name, scale in (("logits", 2), ("logits_large", 200)):
        case = f"sparse_categorical_crossentropy.{name}"
        g = random(case)
        keras_loss(file, case, sparse, labels(g), to_float32_exact(scale * normal(g, batch, classes)), from_logits=True)
    case = "sparse_categorical_crossentropy.probabilities"
    g = random(case)
    keras_loss(file, case, sparse, labels(g), softmax(normal(g, batch, classes)), from_logits=False)

    for name, from_logits, smoothing, one_hot in (
        ("logits", True, 0.0, True), ("logits_smoothing", True, 0.1, True), ("logits_soft_targets", True, 0.0, False),
        ("probabilities", False, 0.0, True), ("probabilities_smoothing", False, 0.1, True),
    ):
        case = f"categorical_crossentropy.{name}"
        g = random(case)
        target = np.eye(classes)[labels(g)] if one_hot else softmax(normal(g, batch, classes))
        logits = to_float32_exact(2 * normal(g, batch, classes))
        keras_loss(file, case, dense, target, logits if from_logits else softmax(logits), from_logits=from_logits,
                   label_smoothing=smoothing)

    case = "sparse_categorical_crossentropy.logits_smoothing"
    g = random(case)
    target = labels(g)
    values = to_float32_exact(2 * normal(g, batch, classes))
    prediction = torch.tensor(values, requires_grad=True)
    index = torch.tensor(target.astype(np.int64))
    loss = torch.nn.functional.cross_entropy(prediction, index, label_smoothing=0.1)
    loss.backward()
    unreduced = torch.nn.functional.cross_entropy(prediction.detach(), index, label_smoothing=0.1, reduction="none")
    file.add(case, dict(op="sparse_categorical_crossentropy", source=TORCH, from_logits=True, label_smoothing=0.1),
             target=target, prediction=values, loss=loss.item(), unreduced=unreduced.numpy(),
             dprediction=prediction.grad.numpy())


def binary(file):
    for name, from_logits, smoothing, scale in (
        ("logits", True, 0.0, 2), ("logits_large", True, 0.0, 100), ("logits_smoothing", True, 0.1, 2),
        ("probabilities", False, 0.0, 2), ("probabilities_smoothing", False, 0.1, 2),
    ):
        case = f"binary_crossentropy.{name}"
        g = random(case)
        target = g.integers(0, 2, (5, 3)).astype(np.float64)
        logits = to_float32_exact(scale * normal(g, 5, 3))
        keras_loss(file, case, keras.losses.BinaryCrossentropy, target, logits if from_logits else sigmoid(logits),
                   from_logits=from_logits, label_smoothing=smoothing)


def regression(file):
    for op, loss_type in (("mean_squared_error", keras.losses.MeanSquaredError),
                          ("mean_absolute_error", keras.losses.MeanAbsoluteError)):
        for name, shape in (("vector", (6, 4)), ("image", (2, 3, 4, 2))):
            case = f"{op}.{name}"
            g = random(case)
            target, prediction = normal(g, *shape), tf.constant(normal(g, *shape))
            with tf.GradientTape() as tape:
                tape.watch(prediction)
                loss = loss_type()(target, prediction)
            file.add(case, dict(op=op, source=KERAS), target=target, prediction=prediction.numpy(), loss=loss.numpy(),
                     unreduced=loss_type(reduction="none")(target, prediction).numpy(),
                     dprediction=tape.gradient(loss, prediction).numpy())


def make():
    file = FixtureFile("losses")
    categorical(file)
    binary(file)
    regression(file)
    return file
