"""The networks that all sides run, named and built as in `apus summary NAME`.

Nothing here needs a framework: `torch_models.py` and `keras_models.py` build from these descriptions.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tutorial:
    """A line of layers: 3x3 valid convolutions with ReLU, 2x2 pools, dense layers with ReLU except the last."""

    shape: tuple[int, int, int]  # height, width, channels
    layers: tuple[tuple, ...]
    classes: int = 10


@dataclass(frozen=True)
class ResNet:
    """He et al., 2016: `blocks` basic blocks or bottlenecks in each of four stages of 64 to 512 filters.

    The stem is a 3x3 convolution for `cifar`, a 7x7 convolution of stride 2 and a 3x3 pool of stride 2 for `imagenet`.
    A bottleneck has its stride in the 3x3 convolution.
    """

    shape: tuple[int, int, int]
    classes: int
    stem: str
    block: str
    blocks: tuple[int, int, int, int]


SHALLOW = (("conv", 32), ("pool",), ("conv", 64), ("pool",), ("flatten",), ("dense", 128), ("dense", 10))
DEEP = (("conv", 32), ("pool",), ("conv", 64), ("pool",), ("conv", 64), ("flatten",), ("dense", 64), ("dense", 10))

MODELS = {
    "tutorial-mnist": Tutorial((28, 28, 1), SHALLOW),
    "tutorial-mnist-deep": Tutorial((28, 28, 1), DEEP),
    "tutorial-cifar": Tutorial((32, 32, 3), DEEP),
    "resnet18-cifar": ResNet((32, 32, 3), 10, "cifar", "basic", (2, 2, 2, 2)),
    "resnet18": ResNet((224, 224, 3), 1000, "imagenet", "basic", (2, 2, 2, 2)),
    "resnet50": ResNet((224, 224, 3), 1000, "imagenet", "bottleneck", (3, 4, 6, 3)),
}
