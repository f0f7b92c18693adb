#!/usr/bin/python3
"""Prints the table of WebP's efforts in docs/encoding.md: time and bytes at the same quality, and bytes for the same likeness.

    webp_effort_table.py

The photos of Debian's mate-backgrounds, 1280 pixels wide at most, by libwebp as PIL calls it (`method` is the effort).
Likeness is the mean structural similarity of brightness (Wang et al. 2004) over windows of 8 x 8 side by side.  The bytes
for the likeness of effort 4 at quality 80 lie between those of the two whole qualities beside it, in proportion.
Times are CPU milliseconds, of three the least.
"""

import io
import pathlib
import statistics
import sys
import time

from PIL import Image, ImageMath

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "integration"))

from rendering import RENDERER  # noqa: E402, F401 (makes the stack's modules importable)
from samples import BACKGROUNDS  # noqa: E402

EFFORTS = (4, 3, 2, 1)
QUALITY = 80
WIDTH = 1280
TRIES = 3
WINDOW = 8
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def photos():
    for path in sorted((BACKGROUNDS / "mate" / "nature").glob("*.jpg")):
        with Image.open(path) as image:
            image.thumbnail((WIDTH, WIDTH), Image.LANCZOS)
            yield image.convert("RGB")


def encode(image, effort, quality):
    """(bytes of the file, CPU milliseconds)"""
    buffer, start = io.BytesIO(), time.process_time()
    image.save(buffer, "WEBP", quality=quality, method=effort)
    return buffer.getvalue(), (time.process_time() - start) * 1000


def likeness(one, other):
    x, y = (image.convert("L").convert("F") for image in (one, other))

    def mean(text):
        return ImageMath.eval(text, x=x, y=y).reduce(WINDOW)

    similarity = ImageMath.eval(
        "(2 * a * b + c1) * (2 * (xy - a * b) + c2) / ((a * a + b * b + c1) * (xx - a * a + yy - b * b + c2))",
        a=x.reduce(WINDOW), b=y.reduce(WINDOW), xx=mean("x * x"), yy=mean("y * y"), xy=mean("x * y"), c1=C1, c2=C2)
    values = list(similarity.getdata())
    return sum(values) / len(values)


def at(image, effort, quality):
    """(likeness, bytes)"""
    file, _ = encode(image, effort, quality)
    return likeness(image, Image.open(io.BytesIO(file))), len(file)


def bytes_for(image, effort, wanted):
    quality = QUALITY
    below = above = at(image, effort, quality)
    while above[0] < wanted and quality < 100:
        quality, below = quality + 1, above
        above = at(image, effort, quality)
    while below[0] > wanted and quality > 0:
        quality, above = quality - 1, below
        below = at(image, effort, quality)
    if above[0] == below[0]:
        return below[1]
    return below[1] + (above[1] - below[1]) * (wanted - below[0]) / (above[0] - below[0])


def main():
    rows = {effort: [] for effort in EFFORTS}
    images = list(photos())
    for image in images:
        wanted, usual = at(image, EFFORTS[0], QUALITY)
        for effort in EFFORTS:
            ms = min(encode(image, effort, QUALITY)[1] for _ in range(TRIES))
            similarity, length = at(image, effort, QUALITY)
            more = 100 * (bytes_for(image, effort, wanted) / usual - 1)
            rows[effort].append((ms, length, similarity, more))
    print(f"| effort, q={QUALITY} | ms | bytes | similarity | bytes at the same similarity: least, median, most |\n"
          "|---|---|---|---|---|")
    for effort, values in rows.items():
        ms, length, similarity, more = zip(*values)
        print(f"| {effort} | {statistics.mean(ms):.0f} | {statistics.mean(length):.0f} | "
              f"{statistics.mean(similarity):.4f} | {min(more):+.1f} %, {statistics.median(more):+.1f} %, {max(more):+.1f} % |")


if __name__ == "__main__":
    main()
