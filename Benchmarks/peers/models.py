"""The networks that both sides train: input [height, width, channels] and layers, as in `apus summary NAME`."""

SHALLOW = (("conv", 32), ("pool",), ("conv", 64), ("pool",), ("flatten",), ("dense", 128), ("dense", 10))
DEEP = (("conv", 32), ("pool",), ("conv", 64), ("pool",), ("conv", 64), ("flatten",), ("dense", 64), ("dense", 10))

# Convolutions are 3x3, valid, with ReLU; pools are 2x2; dense layers have ReLU except the last.
MODELS = {
    "tutorial-mnist": ((28, 28, 1), SHALLOW),
    "tutorial-mnist-deep": ((28, 28, 1), DEEP),
    "tutorial-cifar": ((32, 32, 3), DEEP),
}
CLASSES = 10
