#!/usr/bin/env python3
"""MNIST as a folder of pictures of several formats and sizes, beside MNIST as a data set:

    folder_accuracy.py PROGRAM DATA [--epochs 3] [--seeds 3] [--device cpu]

DATA holds `mnist/*-ubyte.gz`. Every other picture becomes a JPEG, two in three are enlarged, and cut, empty, hidden and
foreign files lie among them. Prints a line of JSON for each training: its accuracy on the test pictures. Needs numpy and
Pillow.
"""

import json
import tempfile
from pathlib import Path

from PIL import Image

from accuracy import options, train
from datasets import mnist

SIDES = [28, 40, 56]


def make(data, folder):
    for part, name in [("train", "train"), ("t10k", "test")]:
        pictures, labels = mnist(data, part)
        for digit in range(10):
            (folder / name / str(digit)).mkdir(parents=True)
        for number, (picture, label) in enumerate(zip(pictures, labels)):
            side = SIDES[number % len(SIDES)]
            image = Image.fromarray(picture[..., 0]).resize((side, side), Image.BICUBIC)
            path = folder / name / str(label) / f"{number:05}"
            if number % 2:
                image.save(f"{path}.jpg", quality=92)
            else:
                image.save(f"{path}.png")
    spoil(folder)


def spoil(folder):
    for digit in range(10):
        place = folder / "train" / str(digit)
        whole = min(place.glob("*.png")).read_bytes()
        (place / "cut.png").write_bytes(whole[: len(whole) // 2])
        (place / "empty.jpg").write_bytes(b"")
        (place / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
        (place / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
        (place / "notes.txt").write_text("a list of what is here\n")
    (folder / "__MACOSX" / "train").mkdir(parents=True)
    (folder / "__MACOSX" / "train" / "._cut.png").write_bytes(b"\0\5\x16\7")


def accuracy(options, seed, *data):
    history, _ = train(options, seed, *data, "--model", "tutorial-mnist", "--validation-split", "0")
    return round(history["test"]["accuracy"], 4)


def main():
    chosen = options(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        make(chosen.data, Path(folder))
        for seed in range(chosen.seeds):
            print(json.dumps({
                "seed": seed, "folder": accuracy(chosen, seed, folder, "--input", "28x28x1"),
                "data set": accuracy(chosen, seed, "mnist", "--data-dir", chosen.data / "mnist")}), flush=True)


if __name__ == "__main__":
    main()
