"""A model with two inputs and two outputs, trained by Keras's `fit`: its history, weights and predictions."""

import keras
import numpy as np

from fixture_file import FixtureFile, normal, random, to_float32_exact
from layers import KERAS

# Of batches that differ in size Keras takes other means for the parts than for their sum.
COUNT, BATCH, EPOCHS = 12, 4, 3


def two_heads():
    layers = keras.layers
    pictures, positions = keras.Input((6, 6, 1)), keras.Input((3,))
    maps = layers.Flatten()(layers.Conv2D(4, 3, activation="relu", name="body")(pictures))
    x = layers.Dense(8, activation="relu", name="joint")(layers.Concatenate()([maps, positions]))
    return keras.Model([pictures, positions], [layers.Dense(3, name="digit")(x), layers.Dense(1, name="angle")(x)])


def make():
    file = FixtureFile("models")
    case = "model.two_heads"
    g = random(case)
    pictures, positions = g.integers(0, 256, (COUNT, 6, 6, 1)), normal(g, COUNT, 3)
    digits, angles = g.integers(0, 3, COUNT), normal(g, COUNT, 1)
    model = two_heads()
    tensors = dict(pictures=pictures, positions=positions, digits=digits, angles=angles)
    for weight in model.weights:
        weight.assign(to_float32_exact(0.3 * g.standard_normal(weight.shape)))
        tensors[f"initial_{weight.path.replace('/', '_')}"] = weight.numpy()
    model.compile(
        keras.optimizers.SGD(learning_rate=0.125, momentum=0.5),
        loss=[keras.losses.SparseCategoricalCrossentropy(from_logits=True), "mean_squared_error"],
        loss_weights=[1, 0.25], metrics=[["accuracy"], []])
    inputs, targets = [pictures / 255, positions], [digits, angles]
    history = model.fit(inputs, targets, epochs=EPOCHS, batch_size=BATCH, shuffle=False, verbose=0).history
    result = model.evaluate(inputs, targets, batch_size=BATCH, return_dict=True, verbose=0)
    predictions = model.predict(inputs, verbose=0)
    for name, values in history.items():
        tensors |= {f"epochs_{name}": np.array(values), f"evaluated_{name}": np.array(result[name])}
    for weight in model.weights:
        tensors[f"final_{weight.path.replace('/', '_')}"] = weight.numpy()
    file.add(case, dict(source=KERAS, learning_rate=0.125, momentum=0.5, weights=[1, 0.25], batch_size=BATCH),
             predicted_digit=predictions[0], predicted_angle=predictions[1], **tensors)
    return file
