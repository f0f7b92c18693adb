#!/usr/bin/python3
"""Prints the table of docs/encoding.md: what the default quality and q=auto cost and give.

    encoding_table.py [BUILD]

Eight photos of Debian's mate-backgrounds, 800 pixels wide, made by the real renderer in the folder BUILD.  A time
is that of everything behind decoding and scaling, of three the least.
"""

import os
import pathlib
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
os.environ["VITRINE_BUILD"] = sys.argv[1] if len(sys.argv) > 1 else "build"
sys.path.insert(0, str(TOP / "tests" / "integration"))

from rendering import Renderer  # noqa: E402
from samples import BACKGROUNDS  # noqa: E402

PHOTOS = ("Aqua", "Blinds", "Dune", "FreshFlower", "Garden", "LadyBird", "RainDrops", "TwoWings")
# Where q=auto looks; lib/image/quality.c has the same.
BOUNDS = {"jpg": (50, 90), "webp": (50, 90), "avif": (32, 72)}
TRIES = 3


def made(renderer, source, recipe, to):
    """(bytes, milliseconds) of encoding."""
    outcomes = [renderer.try_render(source, recipe, to) for _ in range(TRIES)]
    spent = min(int(outcome["total_us"]) - int(outcome["decode_us"]) for outcome in outcomes)
    return int(outcomes[0]["bytes"]), spent / 1000


def quality_of(renderer, source, to, size):
    """The quality whose file has so many bytes: sizes grow with it."""
    low, high = BOUNDS[to]
    while low < high:
        middle = (low + high) // 2
        if int(renderer.try_render(source, f"w=800,q={middle}", to)["bytes"]) < size:
            low = middle + 1
        else:
            high = middle
    return low


def main():
    totals = {}
    with tempfile.TemporaryDirectory() as folder:
        renderer = Renderer(pathlib.Path(folder))
        for to in BOUNDS:
            print(f"\n| {to} | bytes | q=auto | its q | ms | q=auto |\n|---|---|---|---|---|---|")
            rows = []
            for photo in PHOTOS:
                source = BACKGROUNDS / "mate" / "nature" / f"{photo}.jpg"
                plain, plain_ms = made(renderer, source, "w=800", to)
                auto, auto_ms = made(renderer, source, "w=800,q=auto", to)
                rows.append((plain, auto, quality_of(renderer, source, to, auto), plain_ms, auto_ms))
                print(f"| {photo} | {plain} | {auto} | {rows[-1][2]} | {plain_ms:.0f} | {auto_ms:.0f} |", flush=True)
            totals[to] = [sum(column) / len(rows) for column in zip(*rows)]
        renderer.close()
    print("\n| mean | bytes | q=auto | its q | ms | q=auto |\n|---|---|---|---|---|---|")
    for to, means in totals.items():
        print(f"| {to} | {' | '.join(f'{mean:.0f}' for mean in means)} |")


if __name__ == "__main__":
    main()
