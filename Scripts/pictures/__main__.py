"""Draws pictures over the whole space of each format that Apus reads, with the pixels that Pillow decodes.

usage: python3 Scripts/pictures FOLDER [--few]   (Pillow, numpy; pillow-heif for HEIC)

`Scripts/test-pictures` compares Apus with them. `--few` keeps those that every run of the tests reads:
Tests/ApusDataTests/Fixtures/Formats.
"""
import sys

import jpeg
import others
import png
from collection import Collection

FEW = """
3-2-key-5x2.png 4-16-interlaced-7x9.png 2-16-interlaced-key-5x2.png animated.png wrong-sum.png chunks-1.png
orientation-eXIf-named-5.png orientation-tEXt-6.png orientation-zTXt-8.png orientation-iTXt-3.png orientation-xmp-7.png
orientation-xmp-packed-2.png orientation-xmp-element-4.png orientation-eXIf-and-xmp-6.png
ycck.jpg cmyk-no-adobe.jpg 440.jpg rgb-by-identifiers.jpg wide-tables.jpg odd-fill.jpg odd-bytes-between.jpg order-3.jpg
orientation-in-two-6.jpg orientation-xmp-8.jpg orientation-xmp-element-7.jpg orientation-named-twice-5.jpg
orientation-tag-0-6.jpg orientation-signed-2.jpg
RGB-quality90-9x5.webp RGBA-losslessTrue-9x5.webp RGBA-quality90-17x33.webp animated.webp animated-corner.webp
orientation-bare-6.webp orientation-xmp-8.webp
7-1-9x4.gif key.gif grey.gif animated-key.gif screen.gif no-screen.gif no-end.gif
L-tiff_lzw-5x9.tif LA-None-5x9.tif P-packbits-5x9.tif RGBA-tiff_adobe_deflate-5x9.tif CMYK-None-5x9.tif group4.tif
jpeg-RGB.tif big-True.tif 16-bit.tif tiles-big-3.tif planes-little-3.tif white-is-zero-big-1.tif 4-bit.tif pages.tif
orientation-6.tif
1-31x9.bmp P-5x3.bmp RGB-5x3.bmp RGBA-5x3.bmp 565.bmp 555.bmp 4-bit.bmp runs-8.bmp runs-4.bmp down.bmp core.bmp
RGB-16x16.heic RGBA-47x33.heic orientation-6.heic RGB-444-95-16x16.avif RGBA-444-95-47x33.avif
""".split()


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--few"]):
        sys.exit(__doc__)
    collection = Collection(sys.argv[1], FEW if sys.argv[2:] else None)
    for module in (png, jpeg, others):
        module.draw(collection)
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(collection.counts.items()))
    print(f"{sum(collection.counts.values())} pictures in {sys.argv[1]}: {counts}")


main()
