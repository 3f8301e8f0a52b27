#!/usr/bin/env python3
"""MNIST as a folder of pictures of several formats and sizes, beside MNIST as a data set:

    folder_accuracy.py PROGRAM DATA [--epochs 3] [--seeds 3] [--device cpu]

DATA holds `mnist/*-ubyte.gz`. Every other picture becomes a JPEG, two in three are enlarged, and cut, empty, hidden and
foreign files lie among them. Prints a line of JSON for each training: its accuracy on the test pictures. Needs numpy and
Pillow.
"""

import argparse
import json
import re
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

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


def accuracy(command):
    with tempfile.TemporaryDirectory() as output:
        text = subprocess.run([*command, "--output", output], check=True, capture_output=True, text=True).stdout
    return float(re.search(r"^test: .*accuracy ([0-9.]+)", text, re.MULTILINE)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("data", type=Path)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make(arguments.data, Path(folder))
        for seed in range(arguments.seeds):
            common = ["--model", "tutorial-mnist", "--epochs", str(arguments.epochs), "--seed", str(seed), "--quiet",
                      "--device", arguments.device, "--validation-split", "0"]
            train = [arguments.program, "train"]
            print(json.dumps({
                "seed": seed, "folder": accuracy([*train, folder, "--input", "28x28x1", *common]),
                "data set": accuracy([*train, "mnist", "--data-dir", str(arguments.data / "mnist"), *common])}), flush=True)


if __name__ == "__main__":
    main()
