#!/usr/bin/env python3
"""Makes the tiny pictures of this folder, and expected.json with their pixels as Pillow decodes them.

usage: make.py   (Python 3.9+, Pillow)
"""
import json
import random
import struct
import zlib
from pathlib import Path

from PIL import Image, ImageOps

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


def png(name, depth, color, lines, w=W, h=H, interlace=0, extra=b"", behind=b""):
    """A PNG from raw lines, for the kinds that Pillow does not write."""
    header = struct.pack(">IIBBBBB", w, h, depth, color, 0, 0, interlace)
    data = zlib.compress(b"".join(b"\0" + line for line in lines))
    (HERE / name).write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + behind
        + chunk(b"IEND", b""))


def on_white(image):
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("RGB")


def reduced(picture, color):
    """What comes out where a picture may have fewer pixels: means of boxes, and the decoder's own scaling."""
    keep("boxes", picture.reduce(2))
    scaled = Image.open(HERE / "rgb.jpg")
    scaled.draft("RGB", (color.width // 2, color.height // 2))
    keep("scaled", scaled)
    # Colours weigh what they are opaque: 2x2 pixels of which one is seen, and a box that is half a pixel wide.
    pixels = [(200, 100, 0, 255), (9, 9, 9, 0), (40, 40, 40, 128), (9, 9, 9, 0), (7, 7, 7, 0), (60, 60, 60, 64)]
    boxes = Image.new("RGBA", (3, 2))
    boxes.putdata(pixels)
    boxes.save(HERE / "alpha-boxes.png")
    means = []
    for box in ([pixels[i] for i in (0, 1, 3, 4)], [pixels[i] for i in (2, 5)]):
        weight = sum(p[3] for p in box)
        alpha = round(weight / len(box))
        for channel in range(3):
            value = round(sum(p[channel] * p[3] for p in box) / weight)
            means.append((value * alpha + 255 * (255 - alpha) + 127) // 255)
    expected["alpha-boxes"] = {"shape": [1, 2, 3], "pixels": means}
    # More pixels than are decoded at full size: 69 million, white in the first 1001 rows and in the last.
    w, h = 8704, 7936
    white, black = b"\xff" * (w // 8), b"\0" * (w // 8)
    png("huge.png", 1, 0, [white] * 1001 + [black] * (h - 1002) + [white], w=w, h=h)


def quarters():
    image = Image.new("L", (16, 8))
    for corner, value in [((0, 0), 250), ((8, 0), 10), ((0, 4), 130), ((8, 4), 60)]:
        image.paste(value, (*corner, corner[0] + 8, corner[1] + 4))
    return image


def oriented():
    """The orientation in each form and place: 6 is a quarter turn to the right."""
    def tiff(order, kind, value):
        mark = {"<": b"II", ">": b"MM"}[order]
        return mark + struct.pack(order + "HIHHHI", 42, 8, 1, 0x0112, kind, 1) + value + struct.pack(order + "I", 0)

    blocks = {
        "short": tiff("<", 3, b"\6\0\0\0"), "big-short": tiff(">", 3, b"\0\6\0\0"),
        "long": tiff("<", 4, b"\6\0\0\0"), "big-long": tiff(">", 4, b"\0\0\0\6"),
    }
    upright = quarters().transpose(Image.Transpose.ROTATE_270)
    jpeg = HERE / "oriented-plain.jpg"
    quarters().save(jpeg, quality=95)
    plain = jpeg.read_bytes()
    jpeg.unlink()

    def app1(content):
        return b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content

    xmp = app1(b"http://ns.adobe.com/xap/1.0/\0<x/>")
    files = {f"oriented-{name}.jpg": app1(b"Exif\0\0" + block) for name, block in blocks.items()}
    files["oriented-fill.jpg"] = b"\xff\xff" + files["oriented-short.jpg"]
    files["oriented-second.jpg"] = xmp + files["oriented-short.jpg"]
    for name, segment in files.items():
        (HERE / name).write_bytes(plain[:2] + segment + plain[2:])
        keep(name, ImageOps.exif_transpose(Image.open(HERE / name)))
    lines = [quarters().tobytes()[y * 16:(y + 1) * 16] for y in range(8)]
    for name, block in blocks.items():
        png(f"oriented-{name}.png", 8, 0, lines, 16, 8, extra=chunk(b"eXIf", block))
        keep(f"oriented-{name}.png", upright)
    png("oriented-behind.png", 8, 0, lines, 16, 8, behind=chunk(b"eXIf", blocks["short"]))
    keep("oriented-behind.png", upright)


def odd_jpegs():
    """What decoders warn of though no pixel is missing."""
    plain = (HERE / "rgb.jpg").read_bytes()
    scan = plain.index(b"\xff\xda")
    ends = scan + 2 + struct.unpack(">H", plain[scan + 2:scan + 4])[0]
    jfif = plain.index(b"JFIF\0")
    for name, data in [
        ("odd-bytes-before-end.jpg", plain[:-2] + b"\x12\x34\x56" + plain[-2:]),
        ("odd-scan-header.jpg", plain[:ends - 2] + b"\0" + plain[ends - 1:]),
        ("odd-version.jpg", plain[:jfif + 5] + b"\0\0" + plain[jfif + 7:]),
        ("odd-film-behind.jpg", plain + b"\0\0\0\x18ftypmp42" + bytes(range(200))),
        ("odd-no-end.jpg", plain[:-2]),
    ]:
        (HERE / name).write_bytes(data)
        keep(name, Image.open(HERE / "rgb.jpg"))


def transparent():
    """Ink on a transparent ground, which is laid on the ground that leaves the ink to be seen."""
    ink = Image.new("L", (6, 5), 0)
    ink.paste(255, (2, 1, 4, 4))
    lines = [ink.tobytes()[y * 6:(y + 1) * 6] for y in range(5)]
    palette = chunk(b"PLTE", b"\xff\0\0\xff\xff\xff")
    png("ink-light-grey.png", 8, 0, lines, 6, 5, extra=chunk(b"tRNS", b"\0\0"))
    png("ink-light-rgb.png", 8, 2, [bytes(v for p in line for v in (p, p, p)) for line in lines], 6, 5,
        extra=chunk(b"tRNS", b"\0\0\0\0\0\0"))
    png("ink-light-palette.png", 8, 3, [bytes(p // 255 for p in line) for line in lines], 6, 5,
        extra=palette + chunk(b"tRNS", b"\0\xff"))
    Image.merge("LA", (Image.new("L", ink.size, 230), ink)).save(HERE / "ink-light-alpha.png")
    Image.merge("LA", (Image.new("L", ink.size, 20), ink)).save(HERE / "ink-dark-alpha.png")
    dark = ImageOps.invert(ink)
    keep("ink-light-grey.png", ink)
    keep("ink-light-rgb.png", ink, "RGB")
    keep("ink-light-palette.png", ink, "RGB")
    keep("ink-light-alpha.png", ink.point(lambda v: 230 if v else 0))
    keep("ink-dark-alpha.png", dark.point(lambda v: 255 if v else 20))


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
    keep("cmyk.jpg", Image.open(HERE / "cmyk.jpg"), "RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    left = Image.new("L", (16, 8), 0)
    left.paste(255, (0, 0, 8, 8))
    left.save(HERE / "rotated.jpg", quality=95, exif=exif)
    expected["rotated.jpg"] = {"shape": [16, 8, 1], "pixels": [255] * 64 + [0] * 64}

    # Text of a few thousand bytes that unpacks to eight million.
    text = chunk(b"zTXt", b"key\0\0" + zlib.compress(bytes(7_900_000), 9))
    png("text.png", 8, 0, [grey.tobytes()[y * W:(y + 1) * W] for y in range(H)], extra=text)
    keep("text.png", grey)

    # 30,000 x 30,000 pixels claimed by a few bytes.
    png("bomb.png", 8, 0, [b"\0" * 100], w=30000, h=30000)

    picture = Image.frombytes("RGB", (13, 9), noise(3, 13, 9))
    picture.save(HERE / "picture.png")
    for name, size in [("shrunk", (5, 4)), ("enlarged", (28, 20)), ("mixed", (6, 12))]:
        keep(name, picture.resize(size, Image.Resampling.BILINEAR))
    keep("grey", picture, "L")
    reduced(picture, color)
    oriented()
    odd_jpegs()
    transparent()
    samples = [random.randrange(65536) for _ in range(W * H)]
    png("grey16.png", 16, 0, [struct.pack(f">{W}H", *samples[y * W:(y + 1) * W]) for y in range(H)])
    expected["grey16.png"] = {"shape": [H, W, 1], "pixels": [(v * 255 + 32767) // 65535 for v in samples]}
    text = ",\n".join(f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in expected.items())
    (HERE / "expected.json").write_text("{\n" + text + "\n}\n")


if __name__ == "__main__":
    main()
