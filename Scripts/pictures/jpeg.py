"""The space of JPEG: colours, sampling, scans, segments in any order, what decoders warn of, orientations."""
import io
import struct

from collection import as_pillow_has_it, exif, turned, xmp
from PIL import Image

SOI, EOI = b"\xff\xd8", b"\xff\xd9"


def segment(mark, content):
    return b"\xff" + bytes([mark]) + struct.pack(">H", len(content) + 2) + content


def split(data):
    """The segments before the scans, and the scans with the end mark."""
    position, parts = 2, []
    while data[position + 1] != 0xDA:
        length = struct.unpack(">H", data[position + 2:position + 4])[0] + 2
        parts.append(data[position:position + length])
        position += length
    return parts, data[position:]


def joined(parts, scans):
    return SOI + b"".join(parts) + scans


def mark(part):
    return part[1]


def patched(data, change):
    """`change` gets each segment before the scans and returns what it becomes."""
    parts, scans = split(data)
    return joined([change(part) for part in parts], scans)


def frame_patched(change):
    """As `patched`, for the frame header's bytes: 9 before the components, 3 for each."""
    def change_part(part):
        if mark(part) not in (0xC0, 0xC1, 0xC2):
            return part
        frame = bytearray(part)
        change(frame)
        return bytes(frame)
    return lambda data: patched(data, change_part)


def without(marks):
    return lambda data: patched(data, lambda part: b"" if mark(part) in marks else part)


def with_sampling(value):
    """The first component's, which must leave as many blocks as there are."""
    def change(frame):
        frame[11] = value
    return frame_patched(change)


def with_transform(value):
    def change(part):
        return part[:15] + bytes([value]) + part[16:] if mark(part) == 0xEE else part
    return lambda data: patched(data, change)


def with_adobe(transform):
    marker = segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([transform]))
    return lambda data: SOI + marker + data[2:]


def with_wide_tables(data):
    """Tables of 16 bits, in a frame that may have them."""
    def change(part):
        if mark(part) == 0xC0:
            return b"\xff\xc1" + part[2:]
        if mark(part) != 0xDB:
            return part
        out, position = b"", 4
        while position < len(part):
            values = part[position + 1:position + 65]
            out += bytes([part[position] | 0x10]) + b"".join(struct.pack(">H", v) for v in values)
            position += 65
        return segment(0xDB, out)
    return patched(data, change)


class Writer:
    def __init__(self, collection):
        self.collection = collection
        self.rng = collection.random

    def file(self, mode="RGB", height=16, width=16, **options):
        out = io.BytesIO()
        self.collection.image(mode, height, width).save(out, "JPEG", **{"quality": 90, **options})
        return out.getvalue()

    def add(self, name, data, tolerance=2):
        image = Image.open(io.BytesIO(data))
        pixels = as_pillow_has_it(data, "RGB" if image.mode == "CMYK" else None)
        self.collection.add(name + ".jpg", data, pixels, tolerance)


def kinds(writer):
    sizes = [(1, 1), (7, 5), (8, 8), (16, 16), (17, 33), (40, 24), (3, 70)]
    turn = 0
    for mode, sampling in [("L", None), ("RGB", 0), ("RGB", 1), ("RGB", 2), ("RGB", "keep_rgb"), ("CMYK", None)]:
        for options in [{}, {"progressive": True}, {"optimize": True, "quality": 30}, {"restart_marker_blocks": 2},
                        {"restart_marker_rows": 1, "progressive": True}, {"quality": 100}, {"quality": 1}]:
            how = {"keep_rgb": True} if sampling == "keep_rgb" else {"subsampling": sampling} if sampling else {}
            height, width = sizes[turn % len(sizes)]
            turn += 1
            name = "-".join([mode, str(sampling), *(f"{k}{v}" for k, v in options.items()), f"{width}x{height}"])
            writer.add(name, writer.file(mode, height, width, **how, **options))
            turn += turn % 7 == 0


def colors_and_samplings(writer):
    """Kinds that Pillow does not write, made of what it does."""
    def identifiers(frame):
        for i, name in enumerate(b"RGB"):
            frame[10 + 3 * i] = name

    def scan_identifiers(data):
        parts, scans = split(frame_patched(identifiers)(data))
        scans = scans[:5] + b"R" + scans[6:7] + b"G" + scans[8:9] + b"B" + scans[10:]
        return joined(parts, scans)

    no_names = without({0xE0, 0xEE})
    cases = {
        "440": with_sampling(0x12)(writer.file(subsampling=1)),
        "411": with_sampling(0x41)(writer.file(height=32, width=32, subsampling=2)),
        "114": with_sampling(0x14)(writer.file(height=32, width=32, subsampling=2)),
        "grey-22": with_sampling(0x22)(writer.file("L")),
        "ycck": with_transform(2)(writer.file("CMYK", 24, 20)),
        "ycck-progressive": with_transform(2)(writer.file("CMYK", 24, 20, progressive=True)),
        "cmyk-no-adobe": no_names(writer.file("CMYK", 9, 30)),
        "rgb-adobe-0": with_adobe(0)(without({0xE0})(writer.file(subsampling=0))),
        "ycc-adobe-1": with_adobe(1)(without({0xE0})(writer.file())),
        "jfif-and-adobe-0": with_adobe(0)(writer.file(subsampling=0)),
        "jfif-and-adobe-1": with_adobe(1)(writer.file()),
        "no-names": no_names(writer.file()),
        "no-names-grey": no_names(writer.file("L")),
        "rgb-by-identifiers": scan_identifiers(no_names(writer.file(subsampling=0))),
        "wide-tables": with_wide_tables(writer.file(quality=60)),
    }
    for name, data in cases.items():
        writer.add(name, data)


def segments(writer):
    """Any order of what stands before the scans, and what does not matter between and behind."""
    rng = writer.rng
    others = [
        segment(0xFE, b"a comment"), segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(300)), segment(0xE1, b"http://ns.adobe.com/x"),
        segment(0xED, b"Photoshop 3.0\0" + b"8BIM" + bytes(20)), segment(0xE2, b"MPF\0" + bytes(40)), segment(0xEC, b"Ducky"),
        segment(0xE1, b"Exif\0\0" + exif(1, before=3) + b"\xff\xd8\xff\xe0" + bytes(500)), segment(0xE5, b""), b"\xff" * 5,
        segment(0xE0, b"JFXX\0\x13" + bytes(9)),
    ]
    for i in range(24):
        parts, scans = split(writer.file(rng.choice(["L", "RGB"]), rng.randint(1, 40), rng.randint(1, 40)))
        jfif = [part for part in parts if mark(part) == 0xE0]
        rest = [part for part in parts if mark(part) != 0xE0] + rng.sample(others, rng.randint(0, 6))
        rng.shuffle(rest)
        # Fill bytes belong before a mark, and there is one behind them: the scans'.
        writer.add(f"order-{i}", joined(jfif + rest, scans))
    plain = writer.file(height=20, width=20)
    parts, scans = split(plain)
    cases = {
        "bytes-before-end": plain[:-2] + b"\x12\x34\x56" + EOI, "no-end": plain[:-2],
        "film-behind": plain + b"\0\0\0\x18ftypmp42" + bytes(range(200)), "second-behind": plain + plain,
        "bytes-between": joined(parts[:1] + [b"\0\0\0"] + parts[1:], scans),
        "scan-0-0-0": joined(parts, scans[:11] + b"\0\0\0" + scans[14:]),
        "version-0": plain.replace(b"JFIF\0\1\1", b"JFIF\0\0\0"), "version-9": plain.replace(b"JFIF\0\1\1", b"JFIF\0\x09\x09"),
        "fill": joined([b"\xff\xff\xff" + part for part in parts], scans),
    }
    original = as_pillow_has_it(plain)
    for name, data in cases.items():
        writer.collection.add(f"odd-{name}.jpg", data, original, 2)


def orientations(writer):
    """Each of the eight in each form and place."""
    name = b"Exif\0\0"
    packet = b"http://ns.adobe.com/xap/1.0/\0"
    places = {
        "short": lambda v: segment(0xE1, name + exif(v)),
        "big-short": lambda v: segment(0xE1, name + exif(v, ">", before=9)),
        "long": lambda v: segment(0xE1, name + exif(v, "<", 4, offset=50)),
        "big-long": lambda v: segment(0xE1, name + exif(v, ">", 4)),
        "signed": lambda v: segment(0xE1, name + exif(v, ">", 8)),
        "named-twice": lambda v: segment(0xE1, name + name + exif(v)),
        "fill": lambda v: b"\xff\xff\xff" + segment(0xE1, name + exif(v)),
        "xmp": lambda v: segment(0xE1, packet + xmp(v)),
        "xmp-element": lambda v: segment(0xE1, packet + xmp(v, True)),
        "xmp-first": lambda v: segment(0xE1, packet + xmp(1)) + segment(0xE1, name + exif(v)),
        "in-two": lambda v: segment(0xE1, name + exif(v, before=20)[:100]) + segment(0xE1, name + exif(v, before=20)[100:]),
        "tag-0": lambda v: segment(0xE1, name + exif(0)) + segment(0xE1, packet + xmp(v)),
    }
    for place, segments in places.items():
        for value in range(1, 9):
            data = writer.file("L", 8, 24)
            marked = SOI + segments(value) + data[2:]
            upright = as_pillow_has_it(marked)
            # A tag outside of 1 to 8 counts, and means upright.
            assert (upright == turned(as_pillow_has_it(data), 1 if place == "tag-0" else value)).all(), (place, value)
            writer.collection.add(f"orientation-{place}-{value}.jpg", marked, upright, 2)


def draw(collection):
    writer = Writer(collection)
    kinds(writer)
    colors_and_samplings(writer)
    segments(writer)
    orientations(writer)
