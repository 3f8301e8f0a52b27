#!/usr/bin/env python3
"""Makes the tiny pictures of this folder, and expected.json with their pixels as Pillow decodes them.

usage: make.py   (Python 3.9+, Pillow)
"""
import json
import random
import struct
import zlib
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
W, H = 5, 4
random.seed(1)
expected = {}


def noise(channels, w=W, h=H):
    return bytes(random.randrange(256) for _ in range(w * h * channels))


def keep(name, image, mode=None):
    image = image.convert(mode) if mode else image
    expected[name] = {
        "shape": [image.height, image.width, len(image.getbands())], "pixels": list(image.tobytes())
    }


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(name, depth, color, lines, w=W, h=H, interlace=0, extra=b""):
    """A PNG from raw lines, for the kinds that Pillow does not write."""
    header = struct.pack(">IIBBBBB", w, h, depth, color, 0, 0, interlace)
    data = zlib.compress(b"".join(b"\0" + line for line in lines))
    (HERE / name).write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b""))


def on_white(image):
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("RGB")


def main():
    grey = Image.frombytes("L", (W, H), noise(1))
    grey.save(HERE / "grey8.png")
    keep("grey8.png", grey)
    bits = grey.convert("1", dither=Image.Dither.NONE)
    bits.save(HERE / "grey1.png")
    keep("grey1.png", bits, "L")
    rgb = Image.frombytes("RGB", (W, H), noise(3))
    rgb.save(HERE / "rgb8.png")
    keep("rgb8.png", rgb)
    palette = rgb.quantize(7)
    palette.save(HERE / "palette.png")
    keep("palette.png", palette, "RGB")

    # 16 bits: round(v * 255 / 65535).
    samples = [random.randrange(65536) for _ in range(W * H * 3)]
    lines = [struct.pack(f">{W * 3}H", *samples[y * W * 3:(y + 1) * W * 3]) for y in range(H)]
    png("rgb16.png", 16, 2, lines)
    expected["rgb16.png"] = {"shape": [H, W, 3], "pixels": [(v * 255 + 32767) // 65535 for v in samples]}

    rgba = Image.frombytes("RGBA", (W, H), noise(4))
    rgba.save(HERE / "rgba.png")
    keep("rgba.png", on_white(rgba))
    two = Image.frombytes("LA", (W, H), noise(2))
    two.save(HERE / "grey-alpha.png")
    keep("grey-alpha.png", on_white(two).convert("L"))

    # A gamma chunk changes nothing; nor does interlacing (a picture of one pixel pass per row and column group).
    line_bytes = [rgb.tobytes()[y * W * 3:(y + 1) * W * 3] for y in range(H)]
    png("gamma.png", 8, 2, line_bytes, extra=chunk(b"gAMA", struct.pack(">I", 100000)))
    keep("gamma.png", rgb)
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    interlaced = []
    for x0, y0, dx, dy in passes:
        for y in range(y0, H, dy):
            line = b"".join(bytes(rgb.getpixel((x, y))) for x in range(x0, W, dx))
            if line:
                interlaced.append(line)
    png("interlaced.png", 8, 2, interlaced, interlace=1)
    keep("interlaced.png", rgb)

    smooth = Image.linear_gradient("L").resize((16, 8))
    color = Image.merge("RGB", (smooth, smooth.rotate(180), smooth.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
    for name, image, options in [
        ("grey.jpg", smooth, {}),
        ("rgb.jpg", color, {"subsampling": 2}),
        ("progressive.jpg", color, {"progressive": True}),
    ]:
        image.save(HERE / name, quality=90, **options)
        keep(name, Image.open(HERE / name))
    color.convert("CMYK").save(HERE / "cmyk.jpg", quality=50)
    exif = Image.Exif()
    exif[0x0112] = 6
    left = Image.new("L", (16, 8), 0)
    left.paste(255, (0, 0, 8, 8))
    left.save(HERE / "rotated.jpg", quality=95, exif=exif)
    expected["rotated.jpg"] = {"shape": [16, 8, 1], "pixels": [255] * 64 + [0] * 64}

    # 30,000 x 30,000 pixels claimed by a few bytes.
    png("bomb.png", 8, 0, [b"\0" * 100], w=30000, h=30000)

    picture = Image.frombytes("RGB", (13, 9), noise(3, 13, 9))
    picture.save(HERE / "picture.png")
    for name, size in [("shrunk", (5, 4)), ("enlarged", (28, 20)), ("mixed", (6, 12))]:
        keep(name, picture.resize(size, Image.Resampling.BILINEAR))
    keep("grey", picture, "L")
    text = ",\n".join(f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in expected.items())
    (HERE / "expected.json").write_text("{\n" + text + "\n}\n")


if __name__ == "__main__":
    main()
