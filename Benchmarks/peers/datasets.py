"""MNIST and CIFAR-10 as their publishers lay them out: pictures [N, H, W, C] of bytes, and labels."""

import gzip

import numpy as np


def mnist(folder, part):
    def values(name, header):
        return np.frombuffer(gzip.decompress((folder / "mnist" / f"{part}-{name}-ubyte.gz").read_bytes())[header:],
                             np.uint8)

    return values("images-idx3", 16).reshape(-1, 28, 28, 1), values("labels-idx1", 8)


def cifar10(folder, part):
    names = ["test_batch"] if part == "t10k" else [f"data_batch_{i}" for i in range(1, 6)]
    rows = np.concatenate([np.fromfile(folder / "cifar-10-batches-bin" / f"{name}.bin", np.uint8) for name in names])
    rows = rows.reshape(-1, 1 + 3 * 32 * 32)
    return rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), rows[:, 0]
