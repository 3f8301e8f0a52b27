"""The space of PNG: colour types, depths, transparency, interlace, filters, chunks around them, orientations."""
import struct
import zlib

import numpy
from collection import as_pillow_has_it, exif, turned, xmp

GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, data=b""):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(row, depth):
    """A row of samples as bytes."""
    if depth == 16:
        return row.astype(">u2").tobytes()
    if depth == 8:
        return row.astype(numpy.uint8).tobytes()
    bits = "".join(f"{v:0{depth}b}" for v in row.flatten())
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))


def filtered(rows, step, rng):
    """Each row behind a filter of its own (PNG, 9.2)."""
    out, above = b"", None
    for row in rows:
        above = above or bytes(len(row))
        kind = rng.randrange(5)
        line = bytearray()
        for i, value in enumerate(row):
            a = row[i - step] if i >= step else 0
            b, c = above[i], above[i - step] if i >= step else 0
            p = a + b - c
            paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            line.append((value - [0, a, b, (a + b) // 2, paeth][kind]) & 255)
        out += bytes([kind]) + bytes(line)
        above = row
    return out


def picture_data(samples, depth, is_interlaced, rng):
    step = max(1, samples.shape[2] * depth // 8)
    parts = [samples[y::dy, x::dx] for x, y, dx, dy in PASSES] if is_interlaced else [samples]
    return b"".join(filtered([packed(row, depth) for row in part], step, rng) for part in parts if part.size)


def to_8_bits(values, depth):
    return (values * 255 + (2 ** depth - 1) // 2) // (2 ** depth - 1)


def pixels_of(samples, color, depth, palette, key):
    """What is seen: 1 to 4 channels of 8 bits. `key`: the transparent colour, or the palette's alphas."""
    if color == PALETTE:
        colors = numpy.array(palette)[samples[..., 0]]
        if key is None:
            return colors
        alphas = numpy.array(list(key) + [255] * (len(palette) - len(key)))
        return numpy.concatenate([colors, alphas[samples]], axis=2)
    values = to_8_bits(samples, depth)
    if key is None:
        return values
    alpha = numpy.where((samples == numpy.array(key)).all(axis=2, keepdims=True), 0, 255)
    return numpy.concatenate([values, alpha], axis=2)


class Writer:
    def __init__(self, collection):
        self.collection = collection
        self.rng = collection.random

    def file(self, samples, color, depth, is_interlaced=False, palette=None, key=None, before=b"", between=b"",
             behind=b"", tail=b""):
        height, width = samples.shape[:2]
        data = zlib.compress(picture_data(samples, depth, is_interlaced, self.rng), self.rng.choice([0, 1, 6, 9]))
        cuts = sorted(self.rng.randrange(len(data) + 1) for _ in range(self.rng.randrange(3)))
        parts = [data[a:b] for a, b in zip([0] + cuts, cuts + [len(data)])]
        out = b"\x89PNG\r\n\x1a\n"
        out += chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(is_interlaced))) + before
        if palette is not None:
            out += chunk(b"PLTE", bytes(v for entry in palette for v in entry))
        if key is not None:
            out += chunk(b"tRNS", bytes(key) if color == PALETTE else struct.pack(f">{len(key)}H", *key))
        return out + between + b"".join(chunk(b"IDAT", part) for part in parts) + behind + chunk(b"IEND") + tail

    def kind(self, color, depth, is_interlaced, has_key, height, width):
        """One file of a kind; Pillow has to agree where it keeps all bits."""
        most, palette, key = 2 ** depth - 1, None, None
        if color == PALETTE:
            count = self.rng.randint(1, 2 ** depth)
            palette = [tuple(self.rng.randrange(256) for _ in range(3)) for _ in range(count)]
            most = count - 1
        samples = self.collection.noise(height, width, CHANNELS[color], most=most)
        if has_key:
            key = samples[0, 0].tolist()
            if color == PALETTE:
                key = [self.rng.randrange(256) for _ in range(self.rng.randint(1, len(palette)))]
        pixels = pixels_of(samples, color, depth, palette, key)
        data = self.file(samples, color, depth, is_interlaced, palette, key)
        name = f"{color}-{depth}{'-interlaced' * is_interlaced}{'-key' * has_key}-{width}x{height}.png"
        # Pillow cuts 16 bits, and compares a key of 2 or 4 bits with samples of 8.
        if depth < 16 and not (color == GREY and depth in (2, 4) and has_key):
            mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[pixels.shape[2]]
            assert (as_pillow_has_it(data, mode) == pixels).all(), name
        self.collection.add(name, data, pixels)


def kinds(writer):
    sizes = [(1, 1), (1, 9), (9, 1), (2, 5), (5, 3), (8, 8), (9, 7), (13, 33)]
    turn = 0
    for color, depths in {GREY: [1, 2, 4, 8, 16], RGB: [8, 16], PALETTE: [1, 2, 4, 8], GREY_ALPHA: [8, 16],
                          RGB_ALPHA: [8, 16]}.items():
        for depth in depths:
            for is_interlaced in (False, True):
                for has_key in (False, True) if color in (GREY, RGB, PALETTE) else (False,):
                    for _ in range(3):
                        writer.kind(color, depth, is_interlaced, has_key, *sizes[turn % len(sizes)])
                        turn += 1


def orientations(writer):
    """Each of the eight in each place where writers put it."""
    def profile(block):
        digits = block.hex()
        lines = "\n".join(digits[i:i + 72] for i in range(0, len(digits), 72))
        return f"\nexif\n{len(block):8}\n{lines}\n".encode()

    raw, packet = b"Raw profile type exif\0", b"XML:com.adobe.xmp\0"
    places = {
        "eXIf": lambda v: {"between": chunk(b"eXIf", exif(v))},
        "eXIf-first": lambda v: {"before": chunk(b"eXIf", exif(v, ">", 4, before=5))},
        "eXIf-behind": lambda v: {"behind": chunk(b"eXIf", exif(v, ">", offset=26))},
        "eXIf-named": lambda v: {"between": chunk(b"eXIf", b"Exif\0\0" + exif(v, "<", 4))},
        "eXIf-twice": lambda v: {"before": chunk(b"eXIf", exif(v % 8 + 1)), "behind": chunk(b"eXIf", exif(v))},
        "tEXt": lambda v: {"between": chunk(b"tEXt", raw + profile(b"Exif\0\0" + exif(v)))},
        "zTXt": lambda v: {"between": chunk(b"zTXt", raw + b"\0" + zlib.compress(profile(exif(v, ">"))))},
        "iTXt": lambda v: {"behind": chunk(b"iTXt", raw + b"\0\0en\0\0" + profile(exif(v)))},
        "xmp": lambda v: {"between": chunk(b"iTXt", packet + b"\0\0\0\0" + xmp(v))},
        "xmp-element": lambda v: {"behind": chunk(b"iTXt", packet + b"\0\0\0\0" + xmp(v, True))},
        "xmp-packed": lambda v: {"before": chunk(b"iTXt", packet + b"\1\0\0\0" + zlib.compress(xmp(v)))},
        "eXIf-and-xmp": lambda v: {"between": chunk(b"eXIf", exif(v)) + chunk(b"iTXt", packet + b"\0\0\0\0" + xmp(1))},
        "eXIf-and-text": lambda v: {"between": chunk(b"tEXt", raw + profile(exif(1))) + chunk(b"eXIf", exif(v))},
    }
    for place, chunks in places.items():
        for value in range(1, 9):
            samples = writer.collection.noise(5, 7, 3)
            data = writer.file(samples, RGB, 8, **chunks(value))
            pixels = turned(samples, value)
            assert (as_pillow_has_it(data) == pixels).all(), (place, value)
            writer.collection.add(f"orientation-{place}-{value}.png", data, pixels)


def surroundings(writer):
    """Chunks that change nothing, or that are damaged, and bytes behind the end."""
    rng = writer.rng
    behind_palette = [
        chunk(b"bKGD", b"\0\1\0\2\0\3"), chunk(b"pHYs", b"\0\0\1\0\0\0\1\0\1"), chunk(b"tIME", b"\7\xe8\1\1\1\1\1"),
        chunk(b"tEXt", b"Comment\0made by hand"), chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(1000))),
        chunk(b"abCd", b"unknown"), chunk(b"sPLT", b"name\0\x08" + bytes(6)),
    ]
    before_palette = [
        chunk(b"gAMA", struct.pack(">I", 100000)), chunk(b"sRGB", b"\0"), chunk(b"sBIT", b"\5\6\5"),
        chunk(b"cHRM", struct.pack(">8I", *range(10000, 90000, 10000))),
        chunk(b"iCCP", b"profile\0\0" + zlib.compress(bytes(200))),
    ]
    animation = (chunk(b"acTL", struct.pack(">II", 2, 0))
                 + chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 6, 4, 0, 0, 1, 10, 0, 0)))
    cases = {f"chunks-{i}": {"before": b"".join(rng.sample(before_palette, rng.randint(1, 5))),
                             "between": b"".join(rng.sample(behind_palette, rng.randint(1, 7)))} for i in range(8)}
    cases["behind-the-end"] = {"tail": b"\0\1\2\3" * 50}
    cases["animated"] = {"before": animation, "behind": chunk(b"fcTL", struct.pack(">IIIIIHHBB", 1, 6, 4, 0, 0, 1, 10, 0, 0))
                         + chunk(b"fdAT", struct.pack(">I", 2) + zlib.compress(bytes(4 * 19)))}
    # Pillow refuses these, though no pixel is missing.
    cases["wrong-sum"] = {"between": chunk(b"tIME", b"\7\xe8\1\1\1\1\1")[:-1] + b"?"}
    cases["short-gamma"] = {"before": chunk(b"gAMA", b"\0")}
    for name, chunks in cases.items():
        samples = writer.collection.noise(4, 6, 3)
        writer.collection.add(f"{name}.png", writer.file(samples, RGB, 8, **chunks), samples)


def draw(collection):
    writer = Writer(collection)
    kinds(writer)
    orientations(writer)
    surroundings(writer)
