"""WebP, GIF, TIFF, BMP, HEIC and AVIF."""
import io
import struct

import numpy
from collection import array, as_pillow_has_it, exif, turned, xmp
from PIL import Image

MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def add(collection, name, data, tolerance=0, mode=None):
    pixels = as_pillow_has_it(data)
    if mode or pixels.dtype != numpy.uint8:
        pixels = as_pillow_has_it(data, mode or "L")
    collection.add(name, data, pixels, tolerance)


def webp(collection):
    for size in [(1, 1), (5, 9), (16, 16), (33, 17)]:
        for mode in ("RGB", "RGBA"):
            for options in ({"lossless": True}, {"quality": 30}, {"quality": 90}, {"quality": 80, "exact": True}):
                name = "-".join([mode, *(f"{k}{v}" for k, v in options.items()), f"{size[1]}x{size[0]}.webp"])
                # Without colour under what cannot be seen, the decoder of a canvas and that of a file differ there.
                add(collection, name, saved(collection.image(mode, *size), "WEBP", **options), 2)
    for value in range(1, 9):
        image = collection.image("RGB", 6, 10)
        for place, options in {"exif": {"exif": b"Exif\0\0" + exif(value)}, "bare": {"exif": exif(value, ">", 4)},
                               "xmp": {"xmp": xmp(value)}}.items():
            data = saved(image, "WEBP", lossless=True, **options)
            assert (as_pillow_has_it(data) == turned(array(image), value)).all()
            add(collection, f"orientation-{place}-{value}.webp", data)
    frames = [collection.image("RGBA", 12, 14) for _ in range(3)]
    for name, options in {"animated": {"lossless": True}, "animated-lossy": {"quality": 80}}.items():
        add(collection, f"{name}.webp", saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], **options), 2)
    corner = Image.new("RGBA", (20, 16))
    corner.paste(collection.image("RGB", 6, 8), (4, 6))
    add(collection, "animated-corner.webp",
        saved(corner, "WEBP", save_all=True, append_images=[frames[1].resize((20, 16))], lossless=True))


def gif(collection):
    for size in [(1, 1), (4, 9), (8, 8), (31, 17)]:
        for colors in (2, 7, 256):
            image = collection.image("RGB", *size).quantize(colors)
            for interlace in (0, 1):
                data = saved(image, "GIF", interlace=interlace)
                add(collection, f"{colors}-{interlace}-{size[1]}x{size[0]}.gif", data, mode="RGB")
    image = collection.image("RGB", 13, 11).quantize(16)
    others = [collection.image("RGB", 13, 11).quantize(16) for _ in range(2)]
    add(collection, "grey.gif", saved(collection.image("L", 9, 9), "GIF"), mode="RGB")
    add(collection, "key.gif", saved(image, "GIF", transparency=3), mode="RGBA")
    add(collection, "animated.gif", saved(image, "GIF", save_all=True, append_images=others, duration=50), mode="RGB")
    add(collection, "animated-key.gif",
        saved(image, "GIF", save_all=True, append_images=others, transparency=0, disposal=2), mode="RGBA")
    plain = saved(image, "GIF", comment=b"made by hand")
    collection.add("no-end.gif", plain[:-1], as_pillow_has_it(plain, "RGB"))
    collection.add("behind.gif", plain + b"more", as_pillow_has_it(plain, "RGB"))
    # The screen is larger than its first picture: what is beside it is transparent.
    wide = plain[:6] + struct.pack("<HH", 15, 16) + plain[10:]
    pixels = numpy.zeros((16, 15, 4), numpy.uint8)
    pixels[:13, :11] = as_pillow_has_it(plain, "RGBA")
    collection.add("screen.gif", wide, pixels)
    collection.add("no-screen.gif", plain[:6] + bytes(4) + plain[10:], as_pillow_has_it(plain, "RGB"))


def tiff(collection):
    for size in [(1, 1), (9, 5), (40, 33)]:
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK"):
            for packing in (None, "tiff_lzw", "tiff_adobe_deflate", "packbits"):
                image = collection.image("RGB", *size).convert("1" if mode == "1" else "RGB")
                if mode == "P":
                    image = image.quantize(20)
                elif mode != "1":
                    image = collection.image(mode, *size)
                data = saved(image, "TIFF", compression=packing)
                # The library multiplies colours by alpha.
                tolerance = {"CMYK": 1, "RGBA": 1, "LA": 1}.get(mode, 0)
                add(collection, f"{mode}-{packing}-{size[1]}x{size[0]}.tif", data, tolerance,
                    {"1": "L", "P": "RGB", "CMYK": "RGB"}.get(mode))
    bits = collection.image("L", 24, 30).convert("1")
    for packing in ("group3", "group4"):
        add(collection, f"{packing}.tif", saved(bits, "TIFF", compression=packing), mode="L")
    for mode, tolerance in (("L", 2), ("RGB", 2)):
        data = saved(collection.image(mode, 24, 40), "TIFF", compression="jpeg", quality=90)
        add(collection, f"jpeg-{mode}.tif", data, tolerance, mode)
    for big in (False, True):
        image = collection.image("RGB", 8, 9)
        add(collection, f"big-{big}.tif", saved(image, "TIFF", big_tiff=big))
    samples = collection.noise(7, 9, most=65535)
    data = saved(Image.frombytes("I;16", (9, 7), samples.astype("<u2").tobytes()), "TIFF")
    # The library cuts 16 bits of grey.
    collection.add("16-bit.tif", data, ((samples * 255 + 32767) // 65535)[..., None], 1)
    for value in range(1, 9):
        data = saved(collection.image("RGB", 7, 5), "TIFF", tiffinfo={274: value}, compression=[None, "tiff_lzw"][value % 2])
        add(collection, f"orientation-{value}.tif", data)
    pages = [collection.image("RGB", 6, 6) for _ in range(2)]
    add(collection, "pages.tif", saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    hand_made_tiff(collection)


def hand_made_tiff(collection):
    """Tiles, planes and orders of bytes that Pillow does not write."""
    def file(order, tags, blocks):
        """Tags with their values; the first block's offset and length, and so on, are known to tags 273 or 324."""
        place, count = (324, 325) if 322 in tags else (273, 279)
        tags = {**tags, place: [8 + sum(map(len, blocks[:i])) for i in range(len(blocks))], count: list(map(len, blocks))}
        body = b"".join(blocks)
        body += b"\0" * (len(body) % 2)
        start, extra, entries = 8 + len(body), b"", b""
        behind = start + 2 + 12 * len(tags) + 4
        for tag, values in sorted(tags.items()):
            values = values if isinstance(values, list) else [values]
            data = struct.pack(f"{order}{len(values)}I", *values)
            field = data
            if len(values) > 1:
                field = struct.pack(order + "I", behind + len(extra))
                extra += data
            entries += struct.pack(order + "HHI", tag, 4, len(values)) + field
        head = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HI", 42, start)
        return head + body + struct.pack(order + "H", len(tags)) + entries + bytes(4) + extra

    height, width = 37, 21
    for order in "<>":
        for channels in (1, 3):
            pixels = collection.noise(height, width, channels).astype(numpy.uint8)
            basic = {256: width, 257: height, 258: [8] * channels, 259: 1, 262: 2 if channels == 3 else 1, 277: channels}
            padded = numpy.zeros((48, 32, channels), numpy.uint8)
            padded[:height, :width] = pixels
            tiles = [padded[y:y + 16, x:x + 16].tobytes() for y in range(0, 48, 16) for x in range(0, 32, 16)]
            name = f"{'little' if order == '<' else 'big'}-{channels}"
            collection.add(f"tiles-{name}.tif", file(order, {**basic, 322: 16, 323: 16}, tiles), pixels)
            planes = [pixels[y:y + 10, :, c].tobytes() for c in range(channels) for y in range(0, height, 10)]
            collection.add(f"planes-{name}.tif", file(order, {**basic, 278: 10, 284: 2}, planes), pixels)
            whites = file(order, {**basic, 262: 0}, [pixels.tobytes()])
            if channels == 1:
                collection.add(f"white-is-zero-{name}.tif", whites, 255 - pixels)
            wide = collection.noise(height, width, channels, most=65535)
            data = file(order, {**basic, 258: [16] * channels, 278: 7},
                        [wide[y:y + 7].astype(order + "u2").tobytes() for y in range(0, height, 7)])
            collection.add(f"16-bit-{name}.tif", data, (wide * 255 + 32767) // 65535, 1 if channels == 1 else 0)
    for depth in (2, 4):
        values = collection.noise(9, 8, 1, most=2 ** depth - 1)
        rows = [bytes(sum(int(v) << (8 - depth * (i + 1)) for i, v in enumerate(row[k:k + 8 // depth, 0]))
                      for k in range(0, 8, 8 // depth)) for row in values]
        data = file("<", {256: 8, 257: 9, 258: depth, 259: 1, 262: 1, 277: 1, 278: 9}, [b"".join(rows)])
        collection.add(f"{depth}-bit.tif", data, values * 255 // (2 ** depth - 1))


def bmp(collection):
    for size in [(1, 1), (3, 5), (9, 31), (16, 16)]:
        for mode in ("1", "L", "P", "RGB", "RGBA"):
            image = collection.image("RGB", *size)
            image = image.quantize(9) if mode == "P" else image.convert(mode)
            if mode == "RGBA":
                image = collection.image(mode, *size)
            add(collection, f"{mode}-{size[1]}x{size[0]}.bmp", saved(image, "BMP"), 0, {"RGBA": "RGBA"}.get(mode, "RGB"))
    hand_made_bmp(collection)


def hand_made_bmp(collection):
    def file(width, height, bits, rows, compression=0, palette=b"", masks=b"", core=False):
        if core:
            header = struct.pack("<IHHHH", 12, width, height, 1, bits)
        else:
            header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(rows), 1, 1, 0, 0)
        start = 14 + len(header) + len(masks) + len(palette)
        return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + header + masks + palette + rows

    def padded(rows):
        return b"".join(row + bytes(-len(row) % 4) for row in rows)

    pixels = collection.noise(5, 7, 3).astype(numpy.uint8)
    lines = [row[:, ::-1].tobytes() for row in pixels]
    collection.add("down.bmp", file(7, -5, 24, padded(lines)), pixels)
    collection.add("core.bmp", file(7, 5, 24, padded(lines[::-1]), core=True), pixels)
    for name, sizes, compression in [("555", (5, 5, 5), 0), ("555-masks", (5, 5, 5), 3), ("565", (5, 6, 5), 3)]:
        values = numpy.stack([collection.noise(6, 9, most=2 ** s - 1) for s in sizes], axis=-1)
        words = values[..., 0] << (sizes[1] + sizes[2]) | values[..., 1] << sizes[2] | values[..., 2]
        masks = b"".join(struct.pack("<I", (2 ** s - 1) << sum(sizes[i + 1:])) for i, s in enumerate(sizes))
        data = file(9, 6, 16, padded([row.astype("<u2").tobytes() for row in words[::-1]]), compression,
                    masks=masks if compression else b"")
        most = numpy.array([2 ** s - 1 for s in sizes])
        expected = (values * 255 + most // 2) // most
        assert abs(expected - as_pillow_has_it(data, "RGB")).max() <= 1
        collection.add(f"{name}.bmp", data, expected)
    palette = [tuple(collection.random.randrange(256) for _ in range(3)) for _ in range(16)]
    table = b"".join(bytes((b, g, r, 0)) for r, g, b in palette)
    indices = collection.noise(4, 6, 1, most=15)
    colors = numpy.array(palette)[indices[..., 0]]
    halves = [bytes(int(row[i, 0]) << 4 | int(row[i + 1, 0]) for i in range(0, 6, 2)) for row in indices]
    collection.add("4-bit.bmp", file(6, 4, 4, padded(halves[::-1]), palette=table), colors)
    # Runs from the lowest row up: as they are, a run, the row's end; the last row is missing, and so of the first colour.
    runs8 = b"\0\6" + bytes(indices[3, :, 0].tolist()) + b"\0\0" + b"\6\5\0\0" + b"\0\2\2\0" + b"\4\7\0\1"
    seen = numpy.zeros((4, 6), int)
    seen[3], seen[2], seen[1, 2:] = indices[3, :, 0], 5, 7
    collection.add("runs-8.bmp", file(6, 4, 8, runs8, 1, palette=table), numpy.array(palette)[seen])
    runs4 = b"\0\6" + halves[3] + b"\0" + b"\0\0" + b"\6\x35\0\0" + b"\0\2\2\0" + b"\4\x77\0\1"
    seen[2] = [3, 5] * 3
    collection.add("runs-4.bmp", file(6, 4, 4, runs4, 2, palette=table), numpy.array(palette)[seen])


def heif(collection):
    for size in [(16, 16), (33, 47), (64, 80)]:
        for mode in ("L", "RGB", "RGBA"):
            for quality in (50, 95):
                # libheif repeats the colours of 4:2:0, libavif interpolates between them.
                for sampling, tolerance in (("4:4:4", 3), ("4:2:0", 24)):
                    avif = saved(collection.image(mode, *size), "AVIF", quality=quality, subsampling=sampling)
                    name = "-".join([mode, sampling.replace(":", ""), str(quality), f"{size[1]}x{size[0]}.avif"])
                    add(collection, name, avif, tolerance, "RGBA" if mode == "RGBA" else "RGB")
    try:
        import pillow_heif
    except ImportError:
        return
    pillow_heif.register_heif_opener()
    for size in [(16, 16), (33, 47), (64, 80)]:
        for mode in ("L", "RGB", "RGBA"):
            heic = saved(collection.image(mode, *size), "HEIF", quality=90)
            add(collection, f"{mode}-{size[1]}x{size[0]}.heic", heic, 3, "RGBA" if mode == "RGBA" else "RGB")
    for value in range(1, 9):
        data = saved(collection.image("RGB", 24, 32), "HEIF", quality=95, exif=b"Exif\0\0" + exif(value))
        add(collection, f"orientation-{value}.heic", data, 3, "RGB")


def draw(collection):
    for kind in (webp, gif, tiff, bmp, heif):
        kind(collection)
