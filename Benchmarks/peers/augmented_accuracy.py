#!/usr/bin/env python3
"""resnet20 on CIFAR-10 with flip and crop, beside PyTorch with the same recipe, epoch by epoch:

    augmented_accuracy.py PROGRAM DATA [--epochs 3] [--seeds 3] [--device cpu]

DATA holds `cifar-10-batches-bin/*.bin`. Adam of 0.001 along half a cosine, batches of 128, the last tenth of
the training pictures for validation; networks, initial distributions and batch norms are the same. Both sides take turns,
seed by seed. Prints a line of JSON for each training, and the means. Needs numpy and torch.
"""

import json
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from accuracy import options, train
from datasets import cifar10

BATCH, VALIDATION, PADDING = 128, 0.1, 4


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first, self.second = convolution(inputs, outputs, 3, stride), convolution(outputs, outputs, 3, 1)
        self.norms = nn.ModuleList([nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)])
        changes = stride != 1 or inputs != outputs
        self.shortcut = nn.Sequential(
            convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs)) if changes else nn.Identity()

    def forward(self, x):
        y = self.norms[1](self.second(F.relu(self.norms[0](self.first(x)))))
        return F.relu(self.shortcut(x) + y)


def convolution(inputs, outputs, size, stride):
    layer = nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)
    # He's normal distribution, cut off at two deviations and widened again, as Keras has it.
    deviation = (2 / (inputs * size * size)) ** 0.5 / 0.87962566103423978
    nn.init.trunc_normal_(layer.weight, std=deviation, a=-2 * deviation, b=2 * deviation)
    return layer


def resnet20():
    layers = [convolution(3, 16, 3, 1), nn.BatchNorm2d(16), nn.ReLU()]
    inputs = 16
    for outputs in (16, 32, 64):
        for block in range(3):
            layers.append(Block(inputs, outputs, 2 if block == 0 and outputs > 16 else 1))
            inputs = outputs
    last = nn.Linear(64, 10)
    nn.init.xavier_uniform_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), last)


def augmented(x):
    """Each picture mirrored half of the time, and cut out of itself with 4 black pixels around, anywhere."""
    count, _, height, width = x.shape
    flips = torch.rand(count) < 0.5
    x = torch.where(flips[:, None, None, None], x.flip(3), x)
    x = F.pad(x, [PADDING] * 4)
    top, left = torch.randint(2 * PADDING + 1, (2, count))
    rows = (top[:, None] + torch.arange(height))[:, None, :, None]
    columns = (left[:, None] + torch.arange(width))[:, None, None, :]
    return x[torch.arange(count)[:, None, None, None], torch.arange(3)[None, :, None, None], rows, columns]


def pytorch(folder, epochs, seed):
    torch.manual_seed(seed)
    pictures, labels = cifar10(folder, "train")
    x = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
    y = torch.from_numpy(labels.astype(np.int64))
    cut = int(len(x) * (1 - VALIDATION))
    model = resnet20().to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), 0.001, eps=1e-7)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * -(-cut // BATCH))
    start, accuracies = time.perf_counter(), []
    for _ in range(epochs):
        model.train()
        for batch in torch.randperm(cut).split(BATCH):
            optimizer.zero_grad()
            pixels = augmented(x[batch].float() / 255).to(memory_format=torch.channels_last)
            F.cross_entropy(model(pixels), y[batch]).backward()
            optimizer.step()
            schedule.step()
        model.eval()
        with torch.no_grad():
            right = sum(
                (model(x[part].float() / 255).argmax(1) == y[part]).sum().item()
                for part in torch.arange(cut, len(x)).split(500))
        accuracies.append(right / (len(x) - cut))
    return accuracies, time.perf_counter() - start


def apus(options, seed):
    history, seconds = train(
        options, seed, "cifar10", "--data-dir", options.data / "cifar-10-batches-bin", "--model", "resnet20",
        "--batch-size", str(BATCH), "--schedule", "cosine", "--augment", f"flip,crop:{PADDING}", "--validation-split",
        str(VALIDATION))
    return [epoch["val_accuracy"] for epoch in history["epochs"]], seconds


def main():
    chosen = options(__doc__)
    found = {"apus": [], "pytorch": []}
    for seed in range(chosen.seeds):
        for side in found:
            accuracies, seconds = (
                apus(chosen, seed) if side == "apus" else pytorch(chosen.data, chosen.epochs, seed))
            found[side].append(accuracies)
            print(json.dumps({"side": side, "seed": seed, "val_accuracy": accuracies, "seconds": round(seconds, 1)}),
                  flush=True)
    for side, rows in found.items():
        print(json.dumps({"side": side, "mean": [round(float(mean), 4) for mean in np.mean(rows, axis=0)]}))


if __name__ == "__main__":
    main()
