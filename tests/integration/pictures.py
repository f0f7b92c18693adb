"""Makes and compares the pictures of the tests; PIL is the reference."""

import random
import struct
import zlib

from PIL import Image, ImageChops, ImageDraw, ImageStat

RED, GREEN, BLUE, YELLOW = (200, 40, 30), (30, 160, 60), (40, 60, 190), (230, 210, 40)


def quadrants(width=120, height=80):
    """Red, green / blue, yellow: shows which way is up, and what was cut off."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    image.paste(YELLOW, (width // 2, height // 2, width, height))
    return image


def lain_down(image, orientation):
    """The pixels that a camera stores so that the EXIF orientation shows `image`."""
    undo = {1: (), 2: (Image.FLIP_LEFT_RIGHT,), 3: (Image.ROTATE_180,), 4: (Image.FLIP_TOP_BOTTOM,),
            5: (Image.TRANSPOSE,), 6: (Image.ROTATE_90,), 7: (Image.TRANSVERSE,), 8: (Image.ROTATE_270,)}
    for step in undo[orientation]:
        image = image.transpose(step)
    return image


def exif_orientation(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def photo(width=1200, height=800, grain=0.4):
    """Fine detail, smooth areas and hard edges, the same on every machine."""
    half = (width // 2, height // 2)
    noise = Image.frombytes("L", half, random.Random(20).randbytes(half[0] * half[1]))
    fine = Image.effect_mandelbrot((width, height), (-2.0, -1.2, 0.8, 1.2), 120)
    smooth = Image.linear_gradient("L").resize((width, height), Image.BICUBIC)
    leaves = Image.blend(fine, noise.resize((width, height), Image.BICUBIC), grain)
    sky = ImageChops.screen(leaves, smooth.transpose(Image.FLIP_TOP_BOTTOM))
    image = Image.merge("RGB", (leaves, smooth, sky))
    pen = ImageDraw.Draw(image)
    for i in range(0, width, width // 15):
        colour = (255 * (i % 2), 30, 255 - i % 256)
        pen.line((i, 0, width - i, height), fill=colour, width=max(2, width // 150))
    return image


def distance(one, other):
    """Mean absolute difference of all samples, 0 to 255."""
    assert one.size == other.size and one.mode == other.mode
    means = ImageStat.Stat(ImageChops.difference(one, other)).mean
    return sum(means) / len(means)


def is_near(pixel, wanted, tolerance):
    return len(pixel) == len(wanted) and all(abs(a - b) <= tolerance for a, b in zip(pixel, wanted))


# ---- PNG by hand: what PIL does not write ----------------------------------------------

GREY, RGB, RGBA = 0, 2, 6
CHANNELS = {GREY: 1, RGB: 3, RGBA: 4}
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def _chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_header(width, height, depth=8, colour=RGB, interlaced=False):
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0,
                                                              int(interlaced)))


def png(width, height, pixel, depth=8, colour=RGB, interlaced=False):
    """pixel(x, y) gives the samples, each of `depth` bits (8 or 16)."""
    def row(columns, y):
        sample = ">H" if depth == 16 else ">B"
        return b"\0" + b"".join(struct.pack(sample, value) for x in columns for value in pixel(x, y))

    if interlaced:
        data = b"".join(row(range(left, width, across), y) for left, top, across, down in ADAM7
                        for y in range(top, height, down) if left < width)
    else:
        data = b"".join(row(range(width), y) for y in range(height))
    return png_header(width, height, depth, colour, interlaced) + _chunk(b"IDAT", zlib.compress(data)) \
        + _chunk(b"IEND", b"")


def gif_header(width, height):
    """A GIF that is only a promise: one frame of that size, and a few codes."""
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff" \
        + b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x4c\x01\x00;"
