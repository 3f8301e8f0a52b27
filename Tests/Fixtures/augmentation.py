"""Changes of pictures: torchvision's functions with fixed parameters. Pictures are [H, W, C], of 0...1 or of bytes.

    pip install torch torchvision && python Tests/Fixtures/augmentation.py
"""

from pathlib import Path

import numpy as np
import torch
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

from fixture_file import FixtureFile, random

BILINEAR = InterpolationMode.BILINEAR
SIZE = (11, 9)
START = [[0, 0], [8, 0], [8, 10], [0, 10]]
END = [[1, 0.5], [7, 1], [8, 9], [0.5, 8]]

# Name: channels, whether bytes, the attributes, the function.
CASES = {
    "flip": (3, False, {}, F.horizontal_flip),
    "vertical_flip": (1, True, {}, F.vertical_flip),
    "rotate": (3, False, {"degrees": 17}, lambda x: F.rotate(x, 17, BILINEAR)),
    "rotate_back": (1, False, {"degrees": -140}, lambda x: F.rotate(x, -140, BILINEAR)),
    "translate": (3, True, {"x": 2, "y": -3}, lambda x: F.affine(x, 0, [2, -3], 1, [0, 0], BILINEAR)),
    "zoom": (3, False, {"factor": 1.3}, lambda x: F.affine(x, 0, [0, 0], 1.3, [0, 0], BILINEAR)),
    "zoom_out": (3, False, {"factor": 0.7}, lambda x: F.affine(x, 0, [0, 0], 0.7, [0, 0], BILINEAR)),
    "shear": (3, False, {"x": 12, "y": -7}, lambda x: F.affine(x, 0, [0, 0], 1, [12, -7], BILINEAR)),
    "perspective": (3, False, {"start": START, "end": END}, lambda x: F.perspective(x, START, END, BILINEAR)),
    "pad_reflect": (3, True, {"padding": 4, "x": 3, "y": -2},
                    lambda x: F.pad(x, [4], padding_mode="reflect")[..., 2:13, 7:16]),
    "pad_edge": (3, True, {"padding": 4, "x": 3, "y": -2},
                 lambda x: F.pad(x, [4], padding_mode="edge")[..., 2:13, 7:16]),
    "pad_symmetric": (3, True, {"padding": 4, "x": -4, "y": 4},
                      lambda x: F.pad(x, [4], padding_mode="symmetric")[..., 8:19, 0:9]),
    "brightness": (3, False, {"factor": 1.4}, lambda x: F.adjust_brightness(x, 1.4)),
    "contrast": (3, False, {"factor": 1.8}, lambda x: F.adjust_contrast(x, 1.8)),
    "contrast_grey": (1, False, {"factor": 0.3}, lambda x: F.adjust_contrast(x, 0.3)),
    "saturation": (3, False, {"factor": 2.2}, lambda x: F.adjust_saturation(x, 2.2)),
    "hue": (3, False, {"share": 0.21}, lambda x: F.adjust_hue(x, 0.21)),
    "hue_back": (3, False, {"share": -0.4}, lambda x: F.adjust_hue(x, -0.4)),
    "gamma": (3, False, {"gamma": 0.6, "gain": 0.9}, lambda x: F.adjust_gamma(x, 0.6, 0.9)),
    "grey": (3, False, {}, lambda x: F.rgb_to_grayscale(x, 3)),
    "invert": (3, True, {}, F.invert),
    "posterize": (3, True, {"bits": 3}, lambda x: F.posterize(x, 3)),
    "solarize": (3, True, {"threshold": 99.5 / 255}, lambda x: F.solarize(x, 100)),
    "autocontrast": (3, False, {}, F.autocontrast),
    "equalize": (3, True, {}, F.equalize),
    "sharpness": (3, False, {"factor": 2.5}, lambda x: F.adjust_sharpness(x, 2.5)),
    "smoothness": (1, False, {"factor": 0}, lambda x: F.adjust_sharpness(x, 0)),
    "blur": (3, False, {"size": 5, "deviation": 1.2}, lambda x: F.gaussian_blur(x, [5, 5], [1.2, 1.2])),
    "erase": (3, True, {"box": [2, 3, 4, 5]},
              lambda x: F.erase(x, 2, 3, 4, 5, torch.zeros(1, 1, 1, dtype=x.dtype))),
}


def make():
    file = FixtureFile("augmentation")
    for name, (channels, is_bytes, attributes, function) in CASES.items():
        generator = random(name)
        # Equalization asks for many pixels.
        size = (40, 36) if name == "equalize" else SIZE
        if is_bytes:
            x = generator.integers(0, 200, (*size, channels)).astype(np.uint8)
        else:
            x = (generator.random((*size, channels)) * 0.8 + 0.1).astype(np.float32).astype(np.float64)
        y = function(torch.from_numpy(x).permute(2, 0, 1)).permute(1, 2, 0).numpy()
        if is_bytes:
            x, y = x.astype(np.int32), y.astype(np.int32)
        file.add(name, dict(op=name, source="torchvision") | attributes, x=x, y=y)
    return file


if __name__ == "__main__":
    print(make().write(Path(__file__).resolve().parent))
