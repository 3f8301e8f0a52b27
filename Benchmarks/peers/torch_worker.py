"""PyTorch's side of the comparison: eager mode, in both memory formats."""

import os

import torch
from torch import nn

from models import CLASSES, MODELS
from worker import serve

BATCHES = 16
FORMATS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}


def build(shape, layers):
    height, width, channels = shape
    modules = []
    for index, (kind, *size) in enumerate(layers):
        match kind:
            case "conv":
                modules += [nn.Conv2d(channels, size[0], 3), nn.ReLU()]
                height, width, channels = height - 2, width - 2, size[0]
            case "pool":
                modules.append(nn.MaxPool2d(2))
                height, width = height // 2, width // 2
            case "flatten":
                modules.append(nn.Flatten())
                features = height * width * channels
            case "dense":
                modules.append(nn.Linear(features, size[0]))
                features = size[0]
                if index < len(layers) - 1:
                    modules.append(nn.ReLU())
    return nn.Sequential(*modules)


def runner(model_name, batch_size, mode, device, memory_format):
    """A function that does n steps over batches that are already in memory, in the model's own format."""
    torch.manual_seed(1)
    shape, layers = MODELS[model_name]
    height, width, channels = shape
    model = build(shape, layers).to(device, memory_format=memory_format)
    batches = [
        (torch.rand(batch_size, channels, height, width).to(device, memory_format=memory_format),
         torch.randint(CLASSES, (batch_size,)).to(device))
        for _ in range(BATCHES)
    ]
    optimizer = torch.optim.Adam(model.parameters())
    loss_of = nn.CrossEntropyLoss()

    def wait():
        if device.startswith("cuda"):
            torch.cuda.synchronize()

    def train(steps):
        model.train()
        for step in range(steps):
            images, labels = batches[step % BATCHES]
            optimizer.zero_grad()
            loss_of(model(images), labels).backward()
            optimizer.step()
        wait()

    @torch.inference_mode()
    def infer(steps):
        model.eval()
        for step in range(steps):
            model(batches[step % BATCHES][0])
        wait()

    return train if mode == "train" else infer


def variants(model, batch_size, mode, device):
    return {name: runner(model, batch_size, mode, device, memory_format) for name, memory_format in FORMATS.items()}


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    serve({"torch": torch.__version__}, variants)
