#!/usr/bin/env python3
"""Values and gradients of activations, softmaxes and losses in float64, with the error that PyTorch's float32 has:

    pip install torch && python Tests/Fixtures/precision.py

Needs PyTorch alone. README.md beside it describes the cases and their tensors.
"""

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from fixture_file import FixtureFile, random

ACTIVATIONS = {
    "relu": F.relu,
    "leakyReLU": lambda x: F.leaky_relu(x, 0.3),
    "elu": F.elu,
    "selu": F.selu,
    "gelu": F.gelu,
    "silu": F.silu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softplus": F.softplus,
    "hardSwish": F.hardswish,
    "expm1": lambda x: torch.expm1(x.clamp(max=1.5)),
    "log1p": lambda x: torch.log1p(x.abs()),
}
CLASSES = 10


def labels(rows):
    return torch.arange(rows) % CLASSES


def targets(x):
    """Probabilities that float32 holds exactly: 1/2 for the label, 1/4 for each of the next two classes."""
    rows = torch.arange(len(x))
    t = torch.zeros_like(x)
    for offset, share in enumerate([0.5, 0.25, 0.25]):
        t[rows, (rows + offset) % CLASSES] = share
    return t


ROWS = {
    "softmax": lambda x: F.softmax(x, 1),
    "logSoftmax": lambda x: F.log_softmax(x, 1),
    "crossEntropy": lambda x: F.cross_entropy(x, labels(len(x)), reduction="none"),
    "denseCrossEntropy": lambda x: F.cross_entropy(x, targets(x), reduction="none"),
    "smoothedCrossEntropy": lambda x: F.cross_entropy(x, labels(len(x)), reduction="none", label_smoothing=0.125),
    "binaryCrossEntropy": lambda x: F.binary_cross_entropy_with_logits(
        x, torch.ones_like(x).tril(), reduction="none").mean(1),
}


def run(function, x, dtype):
    x = torch.tensor(x, dtype=dtype, requires_grad=True)
    y = function(x)
    weights = (torch.arange(y.numel(), dtype=dtype) % 7 + 1).reshape(y.shape)
    (y * weights).sum().backward()
    return y.detach().double().numpy(), x.grad.double().numpy()


def add(fixture, case, function, x):
    exact, rounded = run(function, x, torch.float64), run(function, x, torch.float32)
    (y, dx), (y_error, dx_error) = exact, [np.abs(r - e) for r, e in zip(rounded, exact)]
    fixture.add(case, {"source": "pytorch"}, x=x, y=y, dx=dx, y_error=y_error, dx_error=dx_error)


def make():
    fixture = FixtureFile("precision")
    sizes = [m * 10.0**e for e in range(-8, 4) for m in (1, 2, 5)] + [3.5, 6, 8, 12, 15, 17, 30, 70, 90, 1e4]
    x = np.array([0] + sizes + [-s for s in sizes], dtype=np.float32)
    for name, function in ACTIVATIONS.items():
        add(fixture, name, function, x)
    for name, function in ROWS.items():
        for exponent in (-8, -4, -1, 0, 1, 2, 4, 6):
            x = (random(f"{name} {exponent}").standard_normal((CLASSES, CLASSES)) * 10.0**exponent).astype(np.float32)
            add(fixture, f"{name}.1e{exponent}", function, x)
    return fixture


if __name__ == "__main__":
    fixture = make()
    path = fixture.write(Path(__file__).resolve().parent)
    print(f"{path.name}: {len(fixture.metadata)} cases, {path.stat().st_size:,} bytes")
