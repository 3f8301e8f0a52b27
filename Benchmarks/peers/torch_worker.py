"""PyTorch's side of the comparison: eager mode, in both memory formats."""

import os

import torch
from torch import nn

from models import MODELS
from torch_models import build
from worker import serve

BATCHES = 16
FORMATS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}


def runner(name, batch_size, mode, device, memory_format, batch_count=BATCHES):
    """A function that does n steps over batches that are already in memory, in the model's own format."""
    torch.manual_seed(1)
    height, width, channels = MODELS[name].shape
    model = build(name).to(device, memory_format=memory_format)
    batches = [
        (torch.rand(batch_size, channels, height, width).to(device, memory_format=memory_format),
         torch.randint(MODELS[name].classes, (batch_size,)).to(device))
        for _ in range(batch_count)
    ]
    optimizer = torch.optim.Adam(model.parameters())
    loss_of = nn.CrossEntropyLoss()

    def wait():
        if device.startswith("cuda"):
            torch.cuda.synchronize()

    def train(steps):
        model.train()
        for step in range(steps):
            images, labels = batches[step % batch_count]
            optimizer.zero_grad()
            loss_of(model(images), labels).backward()
            optimizer.step()
        wait()

    @torch.inference_mode()
    def infer(steps):
        model.eval()
        for step in range(steps):
            model(batches[step % batch_count][0])
        wait()

    return train if mode == "train" else infer


def variants(model, batch_size, mode, device):
    return {name: runner(model, batch_size, mode, device, memory_format) for name, memory_format in FORMATS.items()}


def use_threads():
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


if __name__ == "__main__":
    use_threads()
    serve({"torch": torch.__version__}, variants)
