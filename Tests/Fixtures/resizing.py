"""Pictures at another size: Pillow's in float32, and PyTorch's without antialiasing. Pictures are [H, W, C] of 0...255.

    pip install torch pillow && python Tests/Fixtures/resizing.py
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from fixture_file import FixtureFile, random

FILTERS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "area": Image.BOX, "nearest": Image.NEAREST}

# Interpolation, whether antialiased, sizes [height, width] before and after, channels. Pillow's BOX weighs parts of
# pixels as whole ones: `area` has sizes that divide one another.
CASES = [
    ("bilinear", True, (9, 12), (20, 17), 3), ("bilinear", True, (31, 20), (7, 9), 1), ("bilinear", True, (8, 30), (19, 11), 3),
    ("bicubic", True, (9, 12), (20, 17), 3), ("bicubic", True, (31, 20), (7, 9), 1), ("bicubic", True, (12, 12), (5, 12), 3),
    ("area", True, (12, 20), (4, 5), 3), ("area", True, (6, 5), (12, 5), 1),
    ("nearest", True, (9, 12), (20, 17), 1), ("nearest", True, (31, 20), (7, 9), 3),
    ("bilinear", False, (31, 20), (7, 9), 3), ("nearest", False, (9, 12), (4, 7), 1),
]


def pillow(x, size, interpolation):
    planes = [Image.fromarray(plane, "F").resize(size[::-1], FILTERS[interpolation]) for plane in x.transpose(2, 0, 1)]
    return np.stack([np.asarray(plane) for plane in planes], axis=-1)


def pytorch(x, size, interpolation):
    mode = {"bilinear": "bilinear", "nearest": "nearest-exact"}[interpolation]
    planes = torch.from_numpy(x.transpose(2, 0, 1).copy())[None]
    return torch.nn.functional.interpolate(planes, size, mode=mode)[0].numpy().transpose(1, 2, 0)


def make():
    file = FixtureFile("resizing")
    for interpolation, antialias, old, new, channels in CASES:
        name = f"{interpolation}.{'smooth' if antialias else 'plain'}.{old[0]}x{old[1]}_{new[0]}x{new[1]}x{channels}"
        x = random(name).integers(0, 256, (*old, channels)).astype(np.float32)
        y = (pillow if antialias else pytorch)(x, new, interpolation)
        source = "pillow" if antialias else "pytorch"
        file.add(name, {"op": interpolation, "source": source, "antialias": antialias}, x=x, y=y)
    # Bytes, as whole sets of pictures are.
    for name, old, new, interpolation in [
        ("bytes.larger", (8, 8), (21, 16), "bicubic"), ("bytes.smaller", (32, 30), (12, 9), "bilinear"),
    ]:
        x = random(name).integers(0, 256, (*old, 3)).astype(np.uint8)
        y = np.asarray(Image.fromarray(x).resize(new[::-1], FILTERS[interpolation]))
        file.add(name, {"op": interpolation, "source": "pillow", "bytes": True}, x=x, y=y)
    return file


if __name__ == "__main__":
    make().write(Path(__file__).resolve().parent)
