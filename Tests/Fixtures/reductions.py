"""Reductions and batch normalization: how far PyTorch's float32 is from float64, on data that are hard to sum.

There are no tensors: the test makes the same data by the formulas of `rows`, and its own truth in float64. It needs
PyTorch alone: `python Tests/Fixtures/reductions.py` makes this file without the others.
"""

from pathlib import Path

import numpy as np
import torch

from fixture_file import FixtureFile

TORCH = f"torch {torch.__version__.split('+')[0]}"

EPSILON = 1e-3


def uniform(index):
    """A number in 0..<1 for each index, which float32 holds exactly."""
    h = (index.astype(np.uint64) * 2654435761 + 12345) & 0xFFFFFFFF
    h ^= h >> 15
    h = h * 2246822519 & 0xFFFFFFFF
    h ^= h >> 13
    return (h >> 8).astype(np.float64) / 2**24


def rows(data, n, c):
    """The data `[n, c]` in float32: a pattern of the rows, and noise of variance 1 / 3 in all elements."""
    index = np.arange(n * c).reshape(n, c)
    noise = uniform(4 * index) + uniform(4 * index + 1) + uniform(4 * index + 2) + uniform(4 * index + 3) - 2
    row = np.arange(n, dtype=np.float64)[:, None]
    values = {
        "noise": noise,
        "tiny": 1e-8 * noise,
        "large": 1e4 * noise,
        "positive": uniform(index),
        "constant": 0 * noise + 0.1,
        "first": np.where(row == 0, 3000, noise),
        "middle": np.where(row == n // 2, 3000, noise),
        "last": np.where(row == n - 1, 3000, noise),
        "huge": 1e6 + noise,
        "drift": 100 * row / n + 0.01 * noise,
        "alternating": np.where(row % 2 == 0, 1e6, -1e6) + noise,
    }
    return values[data].astype(np.float32)


def batch_norm(x, weight):
    """The normalized rows and the gradient of their weighted sum."""
    x = x.clone().requires_grad_()
    y = torch.nn.functional.batch_norm(x, None, None, training=True, eps=EPSILON)
    (y * weight).sum().backward()
    return torch.stack([y.detach(), x.grad])


# What is computed, and the size of a result whose terms do not cancel: errors are relative to its norm.
OPS = {
    "sum": (lambda x, w: x.sum(0), lambda x, y: x.abs().sum(0)),
    "sum_of_rows": (lambda x, w: x.t().contiguous().sum(1), lambda x, y: x.abs().sum(0)),
    "sum_of_all": (lambda x, w: x.sum(), lambda x, y: x.abs().sum()),
    "mean": (lambda x, w: x.mean(0), lambda x, y: x.abs().mean(0)),
    "variance": (lambda x, w: x.var(0, unbiased=False), lambda x, y: y),
    "batch_norm": (lambda x, w: batch_norm(x, w)[0], lambda x, y: y),
    "batch_norm_gradient": (lambda x, w: batch_norm(x, w)[1], lambda x, y: y),
}
DATA = ["noise", "tiny", "large", "positive", "constant", "first", "middle", "last", "huge", "drift", "alternating"]


def make():
    file = FixtureFile("reductions")
    # One thread, so that sums are cut in the same way everywhere.
    torch.set_num_threads(1)
    for n, c in ((1, 5), (2, 3), (50, 20), (4096, 3), (50000, 16), (802816, 1)):
        for data in DATA:
            x = torch.from_numpy(rows(data, n, c))
            weight = torch.from_numpy(uniform(np.arange(n * c).reshape(n, c) + 77).astype(np.float32) - 0.5)
            for op, (function, scale) in OPS.items():
                # A single row has no variance, nor have equal ones.
                if (n == 1 or data == "constant") and op not in ("sum", "sum_of_rows", "sum_of_all", "mean"):
                    continue
                truth = function(x.double(), weight.double())
                error = torch.linalg.vector_norm(function(x, weight).double() - truth)
                error /= torch.linalg.vector_norm(scale(x.double(), truth))
                file.add(f"{op}.{data}_{n}x{c}",
                         dict(op=op, source=TORCH, data=data, rows=n, channels=c, error=float(f"{error:.1e}")))
    return file


if __name__ == "__main__":
    make().write(Path(__file__).resolve().parent)
