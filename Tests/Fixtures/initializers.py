"""Glorot uniform: the fans and the limit of the uniform interval for each layer's kernel."""

import keras
import numpy as np

from fixture_file import FixtureFile
from layers import KERAS

# Layer, kernel in Keras's layout, kernel in NHWC filters [rows, columns, channels / groups, outputs].
KERNELS = {
    "dense_128x10": ("dense", (128, 10), (128, 10)),
    "conv2d_3x3x1x32": ("conv2d", (3, 3, 1, 32), (3, 3, 1, 32)),
    "conv2d_3x3x32x64": ("conv2d", (3, 3, 32, 64), (3, 3, 32, 64)),
    "conv2d_5x3x4x6": ("conv2d", (5, 3, 4, 6), (5, 3, 4, 6)),
    "conv2d_groups2_3x3x8x32": ("conv2d", (3, 3, 8, 32), (3, 3, 8, 32)),
    "depthwise_conv2d_3x3x16": ("depthwise_conv2d", (3, 3, 16, 1), (3, 3, 1, 16)),
    "depthwise_conv2d_multiplier2_3x3x16": ("depthwise_conv2d", (3, 3, 16, 2), (3, 3, 1, 32)),
}


def make():
    file = FixtureFile("initializers")
    for name, (layer, keras_shape, shape) in KERNELS.items():
        window = int(np.prod(keras_shape[:-2]))
        fan_in, fan_out = window * keras_shape[-2], window * keras_shape[-1]
        limit = (6 / (fan_in + fan_out)) ** 0.5
        sample = np.abs(np.asarray(keras.initializers.GlorotUniform(seed=1)(keras_shape)))
        if not 0.9 * limit < sample.max() <= limit:
            raise ValueError(f"{name}: Keras draws up to {sample.max()}, the formula says {limit}")
        file.add(f"glorot_uniform.{name}",
                 dict(op="glorot_uniform", source=KERAS, layer=layer, shape=shape, fan_in=fan_in, fan_out=fan_out),
                 limit=limit)
    return file
