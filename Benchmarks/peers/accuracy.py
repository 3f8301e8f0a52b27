"""What the comparisons of accuracy share: their options, and a training by the program."""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path


def options(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("data", type=Path)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def train(options, seed, *arguments):
    """The history of `apus train` with these arguments, and the seconds that the program took."""
    with tempfile.TemporaryDirectory() as output:
        start = time.perf_counter()
        subprocess.run(
            [options.program, "train", *arguments, "--epochs", str(options.epochs), "--seed", str(seed), "--device",
             options.device, "--quiet", "--output", output], check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        return json.loads((Path(output) / "history.json").read_text()), seconds
