"""The networks of models.py in Keras.

Padding is `same` as Keras users write it, which at stride 2 shifts a window by one pixel against the other sides
and spares TensorFlow a layer that pads; the arithmetic is as much.
"""

import os

os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3")

import keras  # noqa: E402: the environment must be set first
from keras import layers  # noqa: E402

from models import MODELS, ResNet, Tutorial


def build(name):
    match MODELS[name]:
        case Tutorial() as description:
            return tutorial(description)
        case ResNet() as description:
            return resnet(description)


def tutorial(description):
    stack = [keras.Input(description.shape)]
    for index, (kind, *size) in enumerate(description.layers):
        match kind:
            case "conv":
                stack.append(layers.Conv2D(size[0], 3, activation="relu"))
            case "pool":
                stack.append(layers.MaxPooling2D(2))
            case "flatten":
                stack.append(layers.Flatten())
            case "dense":
                last = index == len(description.layers) - 1
                stack.append(layers.Dense(size[0], activation=None if last else "relu"))
    return keras.Sequential(stack)


def convolution(x, filters, kernel, stride=1):
    """A convolution without bias, and batch normalization."""
    x = layers.Conv2D(filters, kernel, strides=stride, padding="same", use_bias=False,
                      kernel_initializer="he_normal")(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)


def basic(x, filters, stride):
    residual = layers.ReLU()(convolution(x, filters, 3, stride))
    return convolution(residual, filters, 3)


def bottleneck(x, filters, stride):
    residual = layers.ReLU()(convolution(x, filters, 1))
    residual = layers.ReLU()(convolution(residual, filters, 3, stride))
    return convolution(residual, 4 * filters, 1)


def resnet(description):
    block = {"basic": basic, "bottleneck": bottleneck}[description.block]
    images = keras.Input(description.shape)
    if description.stem == "cifar":
        x = layers.ReLU()(convolution(images, 64, 3))
    else:
        x = layers.ReLU()(convolution(images, 64, 7, 2))
        x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    for stage, blocks in enumerate(description.blocks):
        for position in range(blocks):
            stride = 2 if stage > 0 and position == 0 else 1
            residual = block(x, 64 << stage, stride)
            if residual.shape != x.shape:
                x = convolution(x, residual.shape[-1], 1, stride)
            x = layers.ReLU()(layers.add([x, residual]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(images, layers.Dense(description.classes)(x))
