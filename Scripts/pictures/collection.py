"""Pictures and what they should be decoded to."""
import io
import random
import struct
from pathlib import Path

import numpy
from PIL import Image, ImageOps

GROUNDS = {"white": (255, 255, 255), "black": (0, 0, 0), "#3060C0": (0x30, 0x60, 0xC0)}


def grey(red, green, blue):
    return (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16


def laid(pixels, ground):
    """[H, W, 2 or 4] pixels on a ground, rounded."""
    alpha = pixels[..., -1:].astype(int)
    color = GROUNDS[ground] if pixels.shape[2] == 4 else (grey(*GROUNDS[ground]),)
    return ((pixels[..., :-1] * alpha + numpy.array(color) * (255 - alpha) + 127) // 255).astype(numpy.uint8)


def array(image):
    """Pillow's pixels, with 1 to 4 channels."""
    pixels = numpy.asarray(image)
    return pixels if pixels.ndim == 3 else pixels[..., None]


def as_pillow_has_it(data, mode=None):
    """The first picture of a file, upright; in that mode, else as it is."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    return array(image.convert(mode) if mode else image)


class Collection:
    """A folder with a file NAME for each picture and NAME.expected: height, width, channels, tolerance, ground in a line
    and the pixels behind it. Numbers are drawn from one generator, so that the pictures are always the same. Where names
    are given, only these are written."""

    def __init__(self, folder, names=None):
        self.names = names
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.random = random.Random(1)
        self.counts = {}

    def add(self, name, data, pixels, tolerance=0):
        assert not (self.folder / name).exists(), name
        ground = self.random.choice(sorted(GROUNDS))
        if pixels.shape[2] in (2, 4):
            pixels = laid(pixels, ground)
        if self.names is not None and name not in self.names:
            return
        height, width, channels = pixels.shape
        (self.folder / name).write_bytes(data)
        head = f"{height} {width} {channels} {tolerance} {ground}\n".encode()
        (self.folder / f"{name}.expected").write_bytes(head + pixels.astype(numpy.uint8).tobytes())
        kind = name.rsplit(".", 1)[1]
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def noise(self, *shape, most=255):
        return numpy.array(
            [self.random.randint(0, most) for _ in range(int(numpy.prod(shape)))], dtype=numpy.int64).reshape(shape)

    def smooth(self, height, width, channels):
        """Waves and a little noise: what lossy formats are made for."""
        y, x = numpy.mgrid[0:height, 0:width]
        layers = [127 + 90 * numpy.sin(x * a + c) * numpy.cos(y * b + c)
                  for a, b, c in [(0.21, 0.13, 0), (0.11, 0.27, 1), (0.17, 0.09, 2), (0.05, 0.31, 3)][:channels]]
        pixels = numpy.stack(layers, axis=-1) + self.noise(height, width, channels, most=20)
        return numpy.clip(pixels, 0, 255).astype(numpy.uint8)

    def image(self, mode, height, width):
        pixels = self.smooth(height, width, len(mode))
        return Image.frombytes(mode, (width, height), pixels.tobytes())


def exif(value, order="<", kind=3, before=0, offset=8):
    """A TIFF block with an orientation behind so many other tags, its directory at `offset`."""
    entries = b"".join(struct.pack(order + "HHII", 0x0F00 + i, 4, 1, 77) for i in range(before))
    field = struct.pack(order + {1: "B3x", 3: "HH", 8: "hh", 4: "I", 9: "i"}[kind], *([value, 0][:2 if kind in (3, 8) else 1]))
    entries += struct.pack(order + "HHI", 0x0112, kind, 1) + field
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HI", 42, offset)
    return head.ljust(offset, b"\0") + struct.pack(order + "H", before + 1) + entries + struct.pack(order + "I", 0)


def xmp(value, is_element=False):
    inside = f"<tiff:Orientation>{value}</tiff:Orientation>" if is_element else ""
    attribute = "" if is_element else f' tiff:Orientation="{value}"'
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/"{attribute}>{inside}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>").encode()


def turned(pixels, value):
    """Stored pixels as an orientation says that they should be seen."""
    if value >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if value in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if value in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels
