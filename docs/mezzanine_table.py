#!/usr/bin/python3
"""Prints the table of docs/mezzanines.md: what a mezzanine costs, what it saves, and what can be seen of it.

    mezzanine_table.py [BUILD]

Photos of Debian's mate-backgrounds and gnome-backgrounds in the formats that have mezzanines, made by the real renderer in
the folder BUILD.  Times are CPU milliseconds of the renderer for a whole variant, the mean of three; the kernel counts
them in steps of ten.  Distance is the mean absolute difference of all samples, 0 to 255, between the finished
pixels made directly and those made through the mezzanine.
"""

import os
import pathlib
import sys
import tempfile

from PIL import Image

TOP = pathlib.Path(__file__).resolve().parent.parent
os.environ["VITRINE_BUILD"] = sys.argv[1] if len(sys.argv) > 1 else "build"
sys.path.insert(0, str(TOP / "tests" / "integration"))

from pictures import distance  # noqa: E402
from rendering import Renderer  # noqa: E402
from samples import BACKGROUNDS  # noqa: E402

TRIES = 3
WIDTHS = (160, 640, 1280, 1920)
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def written(folder, photo, name, **options):
    path = folder / name
    with Image.open(BACKGROUNDS / photo) as image:
        image.convert("RGB").save(path, **options)
    return path


def sources(folder):
    return {
        "progressive jpg, 4 MP": written(folder, "mate/nature/TwoWings.jpg", "wings.jpg", quality=97, progressive=True),
        "progressive jpg, 18 MP": BACKGROUNDS / "mate/abstract/Elephants_5640x3172.jpg",
        "png, 4 MP": written(folder, "mate/nature/LadyBird.jpg", "bird.png"),
        "png, 17 MP": written(folder, "gnome/wood-l.webp", "wood.png", compress_level=4),
        "webp, 17 MP": BACKGROUNDS / "gnome/pixels-l.webp",
        "lossless webp, 4 MP": written(folder, "mate/nature/Garden.jpg", "garden.webp", lossless=True),
        "tiff, 5 MP": written(folder, "mate/nature/Wood.jpg", "wood.tiff"),
        "avif, 4 MP": None,
        "baseline jpg, 5 MP": BACKGROUNDS / "mate/nature/Wood.jpg",
    }


def cpu_ms(renderer):
    with open(f"/proc/{renderer.status()['pid']}/stat", encoding="ascii") as file:
        user, system = file.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) * 1000 / TICKS_A_SECOND


def spent(renderer, source, width, **options):
    """(CPU milliseconds of a variant, what became of its mezzanine)."""
    before = cpu_ms(renderer)
    for _ in range(TRIES):
        renderer.forget()
        outcome = renderer.try_render(source, f"w={width}", "jpg", timeout_ms=55000, **options)
    return (cpu_ms(renderer) - before) / TRIES, outcome["mezzanine"]


def apart(renderer, source, width, mezzanine):
    """Distance between the two, and of the direct one to its own WebP of default quality."""
    renderer.forget()
    direct = renderer.render(source, f"w={width}").convert("RGB")
    renderer.forget()
    through = renderer.render(source, f"w={width}", mezzanine=mezzanine).convert("RGB")
    renderer.forget()
    encoded = renderer.render(source, f"w={width}", "webp").convert("RGB")
    return distance(direct, through), distance(direct, encoded)


def cell(renderer, source, width, small, large):
    """Where the small one does not suffice, of the large one that this width leaves."""
    direct, _ = spent(renderer, source, width)
    mezzanine, (through, fate) = small, spent(renderer, source, width, mezzanine=small)
    if fate != "used" and small.stat().st_size > 0:
        renderer.try_render(source, f"w={width}", "jpg", timeout_ms=55000, leave=large)
        mezzanine, (through, fate) = large, spent(renderer, source, width, mezzanine=large)
    if fate != "used":
        return f"{direct:.0f} / -"
    return "{:.0f} / {:.0f}, {:.1f} ({:.1f})".format(direct, through, *apart(renderer, source, width, mezzanine))


def row(renderer, folder, title, source):
    mezzanine, large = folder / "mezzanine", folder / "large"
    large.write_bytes(b"")
    leaving, fate = spent(renderer, source, 640, leave=mezzanine)
    sizes = f"{source.stat().st_size // 1000} | {mezzanine.stat().st_size // 1000}"
    if fate != "follows":
        mezzanine = folder / "none"
        mezzanine.touch()
    return " | ".join([f"| {title} | {sizes} | {leaving:.0f}",
                       *(cell(renderer, source, width, mezzanine, large) for width in WIDTHS)]) + " |"


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        renderer = Renderer(folder)
        print("| original | its kB | mezzanine, kB | w=640 that leaves it | " +
              " | ".join(f"w={width}" for width in WIDTHS) + " |")
        print("|" + "---|" * (4 + len(WIDTHS)))
        for title, source in sources(folder).items():
            if source is None:
                source = renderer.render_file(BACKGROUNDS / "mate/nature/YellowFlower.jpg", "q=70", "avif")
            print(row(renderer, folder, title, source), flush=True)
        renderer.close()


if __name__ == "__main__":
    main()
