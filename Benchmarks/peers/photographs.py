#!/usr/bin/env python3
"""Training on a folder of photographs, beside PyTorch's ImageFolder and DataLoader.

    photographs.py make FOLDER [--count 5000]     draws photographs of 1 to 12 megapixels, in 4 classes
    photographs.py decode FOLDER                  pictures a second that Pillow (libjpeg-turbo) decodes on all cores
    photographs.py torch FOLDER [--epochs 1]      pictures a second of PyTorch, end to end
    photographs.py apus FOLDER PROGRAM [--epochs 1]   of `apus train`, end to end

Both train resnet18 at 224x224 in batches of 32, with the middle of each picture. Each prints a line of JSON.
Needs Pillow, numpy, torch and torchvision.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ["coast", "forest", "street", "table"]
BATCH = 32


def draw(task):
    """A photograph: soft light, edges of things, and the grain of a sensor."""
    folder, number = task
    generator = np.random.default_rng(number)
    pixels = generator.uniform(1e6, 12e6)
    ratio = generator.choice([4 / 3, 3 / 2, 16 / 9, 3 / 4, 2 / 3])
    width, height = int((pixels * ratio) ** 0.5), int((pixels / ratio) ** 0.5)
    kind = number % len(CLASSES)
    light = Image.fromarray(generator.integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize((width, height), Image.BICUBIC)
    cells = 20 * (kind + 1)
    things = Image.fromarray(generator.integers(0, 256, (cells, cells, 3), dtype=np.uint8)).resize(
        (width, height), Image.NEAREST if kind % 2 else Image.BILINEAR)
    grain = np.tile(generator.normal(0, 6, (256, 256, 1)), (height // 256 + 1, width // 256 + 1, 1))[:height, :width]
    picture = np.asarray(Image.blend(light, things, 0.4), dtype=np.float32) + grain
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(
        Path(folder) / CLASSES[kind] / f"IMG_{number:05}.jpg", quality=int(generator.integers(85, 96)))


def make(folder, count):
    for name in CLASSES:
        (Path(folder) / name).mkdir(parents=True, exist_ok=True)
    with multiprocessing.Pool() as pool:
        for _ in pool.imap_unordered(draw, ((folder, number) for number in range(count)), chunksize=4):
            pass


def decode_one(path):
    with Image.open(path) as picture:
        picture.convert("RGB").load()


def decode(folder):
    paths = sorted(Path(folder).rglob("*.jpg"))
    with multiprocessing.Pool() as pool:
        start = time.perf_counter()
        for _ in pool.imap_unordered(decode_one, paths, chunksize=4):
            pass
    return {"what": "decode", "pictures": len(paths), "per_second": len(paths) / (time.perf_counter() - start)}


def train_torch(folder, epochs):
    import torch
    import torchvision
    from torchvision import transforms

    cores = os.cpu_count()
    torch.set_num_threads(cores)
    data = torchvision.datasets.ImageFolder(
        folder, transforms.Compose([transforms.Resize(224), transforms.CenterCrop(224), transforms.ToTensor()]))
    model = torchvision.models.resnet18(num_classes=len(CLASSES)).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters())
    loss = torch.nn.CrossEntropyLoss()
    start = time.perf_counter()
    loader = torch.utils.data.DataLoader(data, BATCH, shuffle=True, num_workers=cores)
    for _ in range(epochs):
        for pictures, labels in loader:
            optimizer.zero_grad()
            loss(model(pictures.to(memory_format=torch.channels_last)), labels).backward()
            optimizer.step()
    return {"what": "torch", "pictures": len(data),
            "per_second": epochs * len(data) / (time.perf_counter() - start)}


def train_apus(folder, program, epochs):
    with tempfile.TemporaryDirectory() as output:
        start = time.perf_counter()
        subprocess.run(
            [program, "train", folder, "--model", "resnet18", "--epochs", str(epochs), "--batch-size", str(BATCH),
             "--validation-split", "0", "--quiet", "--output", output],
            check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
    count = len(list(Path(folder).rglob("*.jpg")))
    return {"what": "apus", "pictures": count, "per_second": epochs * count / seconds}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["make", "decode", "torch", "apus"])
    parser.add_argument("folder")
    parser.add_argument("program", nargs="?")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--epochs", type=int, default=1)
    options = parser.parse_args()
    if options.what == "make":
        make(options.folder, options.count)
    elif options.what == "decode":
        print(json.dumps(decode(options.folder)))
    elif options.what == "torch":
        print(json.dumps(train_torch(options.folder, options.epochs)))
    else:
        print(json.dumps(train_apus(options.folder, options.program, options.epochs)))
