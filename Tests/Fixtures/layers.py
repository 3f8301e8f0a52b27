"""Layers and activations: outputs and gradients for an arbitrary gradient `dy` of the output."""

import keras
import numpy as np
import tensorflow as tf
import torch

from fixture_file import FixtureFile, normal, random, to_float32_exact

KERAS = f"keras {keras.__version__} (tensorflow {tf.__version__})"
TORCH = f"torch {torch.__version__.split('+')[0]}"


def resolved_pads(size, window, strides, dilation, padding):
    """[top, bottom, left, right] of TensorFlow's rule: `same` gives the odd row or column to the end."""
    if padding == "valid":
        return [0, 0, 0, 0]
    pads = []
    for n, k, s, d in zip(size, window, strides, dilation):
        total = max(((n + s - 1) // s - 1) * s + (k - 1) * d + 1 - n, 0)
        pads += [total // 2, total - total // 2]
    return pads


def keras_gradients(layer, x, dy_generator, weights=(), compiled=False):
    """Output, an upstream gradient, and the gradients of the input and of each weight, in float64."""
    x = tf.constant(x)
    layer.build(x.shape)
    layer.set_weights(list(weights))
    dy = tf.constant(normal(dy_generator, *layer.compute_output_shape(x.shape)))

    # TensorFlow's CPU kernels lack the gradients of dilated and grouped convolutions; its compiler has them.
    @tf.function(jit_compile=compiled)
    def run():
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        variables = [v.value for v in layer.trainable_weights]
        return y, tape.gradient(y, [x] + variables, output_gradients=dy)

    y, gradients = run()
    return y.numpy(), dy.numpy(), [g.numpy() for g in gradients]


def convolutions(file):
    def conv(name, x, window, filters, strides=(1, 1), padding="valid", dilation=(1, 1), groups=1, bias=True,
             activation=None):
        case = f"conv2d.{name}"
        g = random(case)
        values = normal(g, *x)
        weights = [normal(g, *window, x[3] // groups, filters)]
        if bias:
            weights.append(normal(g, filters))
        layer = keras.layers.Conv2D(filters, window, strides=strides, padding=padding, dilation_rate=dilation,
                                    groups=groups, use_bias=bias, activation=activation)
        compiled = groups > 1 or max(dilation) > 1
        y, dy, gradients = keras_gradients(layer, values, g, weights, compiled)
        attributes = dict(op="conv2d", source=KERAS, strides=strides, padding=padding, dilation=dilation, groups=groups,
                          pads=resolved_pads(x[1:3], window, strides, dilation, padding))
        if activation:
            attributes["activation"] = activation
        tensors = dict(x=values, kernel=weights[0], y=y, dy=dy, dx=gradients[0], dkernel=gradients[1])
        if bias:
            tensors.update(bias=weights[1], dbias=gradients[2])
        file.add(case, attributes, **tensors)

    conv("valid", (2, 6, 7, 3), (3, 3), 4)
    conv("valid_relu", (2, 6, 6, 2), (3, 3), 5, activation="relu")
    conv("no_bias", (1, 5, 5, 2), (3, 3), 3, bias=False)
    conv("pointwise", (2, 4, 5, 6), (1, 1), 8)
    conv("same", (2, 5, 6, 3), (3, 3), 4, padding="same")
    conv("same_even_kernel", (1, 6, 5, 2), (4, 2), 3, padding="same")
    conv("same_stride2", (2, 7, 8, 3), (3, 3), 4, strides=(2, 2), padding="same")
    conv("valid_stride2_odd", (1, 9, 11, 3), (3, 5), 5, strides=(2, 3))
    conv("dilation2", (2, 9, 8, 3), (3, 3), 4, dilation=(2, 2))
    conv("same_dilation2", (1, 7, 7, 2), (3, 3), 3, padding="same", dilation=(2, 2))
    conv("groups2", (2, 6, 6, 4), (3, 3), 6, groups=2)
    conv("groups3_same_stride2", (1, 7, 5, 6), (3, 3), 9, strides=(2, 2), padding="same", groups=3)
    conv("wide", (1, 5, 5, 17), (3, 3), 33, padding="same")
    conv("kernel_is_input", (2, 3, 4, 2), (3, 4), 5)

    def depthwise(name, x, window, multiplier, strides=(1, 1), padding="valid", dilation=(1, 1)):
        case = f"depthwise_conv2d.{name}"
        g = random(case)
        values = normal(g, *x)
        channels = x[3] * multiplier
        weights = [normal(g, *window, x[3], multiplier), normal(g, channels)]
        layer = keras.layers.DepthwiseConv2D(window, strides=strides, padding=padding, depth_multiplier=multiplier,
                                             dilation_rate=dilation)
        y, dy, gradients = keras_gradients(layer, values, g, weights, compiled=max(dilation) > 1)
        # Output channel c * multiplier + m: the same bytes as Keras's [rows, columns, C, multiplier].
        shape = (*window, 1, channels)
        attributes = dict(op="depthwise_conv2d", source=KERAS, strides=strides, padding=padding, dilation=dilation,
                          groups=x[3], depth_multiplier=multiplier,
                          pads=resolved_pads(x[1:3], window, strides, dilation, padding))
        file.add(case, attributes, x=values, kernel=weights[0].reshape(shape), bias=weights[1], y=y, dy=dy,
                 dx=gradients[0], dkernel=gradients[1].reshape(shape), dbias=gradients[2])

    depthwise("valid", (2, 6, 5, 3), (3, 3), 1)
    depthwise("multiplier2_same", (2, 5, 6, 3), (3, 3), 2, padding="same")
    depthwise("multiplier2_same_stride2", (1, 7, 7, 4), (3, 3), 2, strides=(2, 2), padding="same")
    depthwise("same_dilation2", (1, 6, 7, 2), (3, 3), 1, padding="same", dilation=(2, 2))


def explicit_convolutions(file):
    """Asymmetric explicit padding, which Keras lacks: PyTorch's `pad` and `conv2d`."""

    def conv(name, x, window, filters, pads, strides=(1, 1), dilation=(1, 1), groups=1):
        case = f"conv2d.{name}"
        g = random(case)
        leaves = [normal(g, *x), normal(g, *window, x[3] // groups, filters), normal(g, filters)]
        nhwc, hwio, bias = (torch.tensor(v, requires_grad=True) for v in leaves)
        top, bottom, left, right = pads
        padded = torch.nn.functional.pad(nhwc.permute(0, 3, 1, 2), (left, right, top, bottom))
        y = torch.nn.functional.conv2d(padded, hwio.permute(3, 2, 0, 1), bias, strides, 0, dilation, groups)
        y = y.permute(0, 2, 3, 1)
        dy = normal(g, *y.shape)
        y.backward(torch.tensor(dy))
        attributes = dict(op="conv2d", source=TORCH, strides=strides, padding="explicit", dilation=dilation,
                          groups=groups, pads=pads)
        file.add(case, attributes, x=leaves[0], kernel=leaves[1], bias=leaves[2], y=y.detach().numpy(), dy=dy,
                 dx=nhwc.grad.numpy(), dkernel=hwio.grad.numpy(), dbias=bias.grad.numpy())

    conv("explicit_asymmetric", (2, 5, 6, 3), (3, 3), 4, (2, 0, 1, 3))
    conv("explicit_asymmetric_stride2", (1, 6, 7, 2), (3, 2), 3, (0, 1, 2, 0), strides=(2, 2))
    conv("explicit_groups_dilation", (1, 6, 6, 4), (3, 3), 4, (1, 2, 0, 3), dilation=(2, 1), groups=2)


def pooling(file):
    def pool(op, name, x, window, strides, padding):
        case = f"{op}.{name}"
        g = random(case)
        values = normal(g, *x)
        layer = (keras.layers.MaxPooling2D if op == "max_pool2d" else keras.layers.AveragePooling2D)(
            window, strides=strides, padding=padding)
        y, dy, gradients = keras_gradients(layer, values, g)
        attributes = dict(op=op, source=KERAS, window=window, strides=strides, padding=padding,
                          pads=resolved_pads(x[1:3], window, strides, (1, 1), padding))
        if op == "average_pool2d":
            attributes["count_include_pad"] = False
        file.add(case, attributes, x=values, y=y, dy=dy, dx=gradients[0])

    for op in ("max_pool2d", "average_pool2d"):
        pool(op, "valid", (2, 6, 4, 3), (2, 2), (2, 2), "valid")
        pool(op, "valid_odd", (2, 7, 5, 3), (2, 2), (2, 2), "valid")
        pool(op, "same_odd", (1, 7, 5, 3), (2, 2), (2, 2), "same")
        pool(op, "overlapping_same", (2, 6, 7, 2), (3, 3), (2, 2), "same")
        pool(op, "overlapping_valid", (2, 7, 9, 2), (3, 3), (2, 2), "valid")
        pool(op, "rectangular", (1, 6, 8, 5), (2, 3), (1, 2), "same")

    case = "average_pool2d.count_include_pad"
    g = random(case)
    values = normal(g, 2, 6, 5, 3)
    x = torch.tensor(values, requires_grad=True)
    y = torch.nn.functional.avg_pool2d(x.permute(0, 3, 1, 2), 3, 2, 1, count_include_pad=True).permute(0, 2, 3, 1)
    dy = normal(g, *y.shape)
    y.backward(torch.tensor(dy))
    file.add(case, dict(op="average_pool2d", source=TORCH, window=(3, 3), strides=(2, 2), padding="explicit",
                        pads=(1, 1, 1, 1), count_include_pad=True),
             x=values, y=y.detach().numpy(), dy=dy, dx=x.grad.numpy())

    case = "global_average_pool2d.basic"
    g = random(case)
    values = normal(g, 3, 4, 5, 6)
    y, dy, gradients = keras_gradients(keras.layers.GlobalAveragePooling2D(), values, g)
    file.add(case, dict(op="global_average_pool2d", source=KERAS), x=values, y=y, dy=dy, dx=gradients[0])


def dense(file):
    for name, activation, bias in (("basic", None, True), ("relu", "relu", True), ("no_bias", None, False)):
        case = f"dense.{name}"
        g = random(case)
        values = normal(g, 5, 7)
        weights = [normal(g, 7, 4)] + ([normal(g, 4)] if bias else [])
        layer = keras.layers.Dense(4, activation=activation, use_bias=bias)
        y, dy, gradients = keras_gradients(layer, values, g, weights)
        tensors = dict(x=values, kernel=weights[0], y=y, dy=dy, dx=gradients[0], dkernel=gradients[1])
        if bias:
            tensors.update(bias=weights[1], dbias=gradients[2])
        file.add(case, dict(op="dense", source=KERAS) | ({"activation": activation} if activation else {}), **tensors)


def normalizations(file):
    def norm(op, name, x, shape, layer, **attributes):
        """Inputs that are far from mean 0, so that the variance is a small difference."""
        case = f"{op}.{name}"
        g = random(case)
        values = to_float32_exact(3 + normal(g, *x))
        names = ["gamma"] * layer.scale + ["beta"] * layer.center
        weights = [normal(g, *shape) for _ in names]
        y, dy, gradients = keras_gradients(layer, values, g, weights)
        tensors = dict(x=values, y=y, dy=dy, dx=gradients[0])
        for parameter, value, gradient in zip(names, weights, gradients[1:]):
            tensors.update({parameter: value, "d" + parameter: gradient})
        file.add(case, dict(op=op, source=KERAS, epsilon=layer.epsilon) | attributes, **tensors)

    def layer_norm(name, x, axes=(-1,), **options):
        shape = [x[axis] for axis in axes]
        norm("layer_normalization", name, x, shape, keras.layers.LayerNormalization(axis=list(axes), **options), axes=axes)

    layer_norm("basic", (2, 3, 4, 10))
    layer_norm("rows", (5, 33))
    layer_norm("epsilon", (3, 17), epsilon=1e-5)
    layer_norm("no_gamma", (4, 8), scale=False)
    layer_norm("no_beta", (4, 8), center=False)
    layer_norm("plain", (4, 8), center=False, scale=False)
    layer_norm("two_axes", (2, 3, 4, 5), axes=(2, 3))
    layer_norm("middle_axis", (2, 6, 5), axes=(1,))

    def group_norm(name, x, groups, **options):
        norm("group_normalization", name, x, x[-1:], keras.layers.GroupNormalization(groups, **options), groups=groups)

    group_norm("basic", (2, 4, 5, 12), 3)
    group_norm("default_groups", (2, 3, 3, 64), 32)
    group_norm("one_group", (3, 2, 5, 6), 1)
    group_norm("instance", (2, 5, 4, 7), -1)
    group_norm("rows", (4, 12), 4)
    group_norm("sequence", (2, 9, 6), 2, epsilon=1e-5)
    group_norm("no_gamma", (2, 3, 4, 6), 2, scale=False)
    group_norm("no_beta", (2, 3, 4, 6), 2, center=False)
    group_norm("plain", (2, 3, 4, 6), -1, center=False, scale=False)


def softmaxes(file):
    for op, function in (("softmax", keras.activations.softmax), ("log_softmax", keras.activations.log_softmax)):
        for name, scale in (("basic", 1), ("large", 100)):
            case = f"{op}.{name}"
            g = random(case)
            values = to_float32_exact(scale * normal(g, 4, 10))
            y, dy, gradients = keras_gradients(keras.layers.Activation(function), values, g)
            file.add(case, dict(op=op, source=KERAS, axis=-1), x=values, y=y, dy=dy, dx=gradients[0])


ACTIVATIONS = {
    "relu": (keras.activations.relu, {}),
    "leaky_relu": (lambda x: keras.activations.leaky_relu(x, negative_slope=0.3), {"negative_slope": 0.3}),
    "elu": (keras.activations.elu, {"alpha": 1.0}),
    "selu": (keras.activations.selu, {}),
    "gelu": (lambda x: keras.activations.gelu(x, approximate=False), {"approximate": False}),
    "silu": (keras.activations.silu, {}),
    "sigmoid": (keras.activations.sigmoid, {}),
    "tanh": (keras.activations.tanh, {}),
    "softplus": (keras.activations.softplus, {}),
    "hard_swish": (keras.activations.hard_silu, {}),
}


def activations(file):
    """Random values and both far ends, where a naive formula overflows; never at a kink."""
    far = [-100, -50, -20, -9, -5, -3.5, -2.5, -1e-3, 1e-3, 2.5, 3.5, 5, 9, 20, 50, 100]
    for name, (function, attributes) in ACTIVATIONS.items():
        case = f"activation.{name}"
        g = random(case)
        values = np.concatenate([to_float32_exact(far), to_float32_exact(2 * normal(g, 24))])
        y, dy, gradients = keras_gradients(keras.layers.Activation(function), values, g)
        file.add(case, dict(op="activation", activation=name, source=KERAS, **attributes),
                 x=values, y=y, dy=dy, dx=gradients[0])


def make():
    file = FixtureFile("layers")
    convolutions(file)
    explicit_convolutions(file)
    pooling(file)
    dense(file)
    normalizations(file)
    softmaxes(file)
    activations(file)
    return file
