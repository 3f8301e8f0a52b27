"""PyTorch's side of the comparison: eager mode, in both memory formats; on a CUDA device also as CUDA graphs.

With --tf32 products and convolutions may round their operands to TF32 where the device can; else all is float32.
"""

import os
import sys

import torch
from torch import nn

from models import MODELS
from torch_graph import captured
from torch_models import build
from worker import serve

BATCHES = 16
FORMATS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}
# Of all batches together: some gigabytes of pictures would only fill the device.
MOST_VALUES = 1 << 28


def runner(name, batch_size, mode, device, memory_format, batch_count=BATCHES, graph=False):
    """A function that does n steps over batches that are already in memory, in the model's own format."""
    torch.manual_seed(1)
    height, width, channels = MODELS[name].shape
    batch_count = min(batch_count, max(2, MOST_VALUES // (batch_size * height * width * channels)))
    model = build(name).to(device, memory_format=memory_format)
    batches = [
        (torch.rand(batch_size, channels, height, width, device=device).to(memory_format=memory_format),
         torch.randint(MODELS[name].classes, (batch_size,), device=device))
        for _ in range(batch_count)
    ]
    # A graph needs an optimizer whose step count lies on the device; the fused one is PyTorch's fastest.
    optimizer = torch.optim.Adam(model.parameters(), **({"capturable": True, "fused": True} if graph else {}))
    loss_of = nn.CrossEntropyLoss()

    def wait():
        if device.startswith("cuda"):
            torch.cuda.synchronize()

    def train_step(images, labels):
        optimizer.zero_grad()
        loss_of(model(images), labels).backward()
        optimizer.step()

    @torch.inference_mode()
    def infer_step(images, labels):
        model(images)

    model.train(mode == "train")
    step = train_step if mode == "train" else infer_step
    if graph:
        step = captured(step, *batches[0])

    def train(steps):
        for index in range(steps):
            step(*batches[index % batch_count])
        wait()

    def infer(steps):
        """Each result is there before the next step starts."""
        for index in range(steps):
            step(*batches[index % batch_count])
            wait()

    return train if mode == "train" else infer


def variants(model, batch_size, mode, device):
    found = {name: runner(model, batch_size, mode, device, memory_format) for name, memory_format in FORMATS.items()}
    if device.startswith("cuda"):
        for name, memory_format in FORMATS.items():
            try:
                found[f"{name}, graph"] = runner(model, batch_size, mode, device, memory_format, graph=True)
            except RuntimeError as error:
                print(f"torch_worker: {model} {mode} {batch_size}: no CUDA graph, {name}: {error}", file=sys.stderr)
    return found


def use_threads():
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


def use_precision(tf32):
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cudnn.benchmark = True  # cuDNN's own search for the fastest kernels


if __name__ == "__main__":
    use_threads()
    use_precision("--tf32" in sys.argv[1:])
    serve({"torch": torch.__version__}, variants)
