#!/usr/bin/python3
"""Makes docs/operations.png: what the operations do, asked of a running Vitrine.

    contact_sheet.py

Starts the local stack (tests/stack) in a folder of its own, imports the sample
photos, asks nginx for each picture of SHEET, and ends the stack.  Under each
picture stands its recipe.
"""

import io
import pathlib
import sys
import tempfile
import urllib.request

from PIL import Image, ImageDraw, ImageFont

DOCS = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent / "tests" / "stack"))

from process import StackError  # noqa: E402
from stack import Stack  # noqa: E402
from vitrine import KEY_ID  # noqa: E402

CELL, GAP, CAPTION, COLUMNS = 144, 10, 46, 8
PAPER, INK = (246, 246, 244), (40, 44, 50)
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
BUG, LANTERN, BADGE, STONES, ORBIT = ("nature-ladybird", "made-rotated", "made-badge", "nature-raindrops",
                                      "made-orbit")
BOX = f"w={CELL},h={CELL}"

# asset, recipe (before it: what every picture has anyway), and the format where it matters.
SHEET = [
    (LANTERN, "-"), (LANTERN, "orient=off"), (BUG, "fit=contain"), (BUG, "fit=cover"), (BUG, "fit=fill"),
    (BUG, "fit=pad,bg=dde"), (BUG, "fit=outside"), (BUG, "ar=2:1,fit=cover"),
    (BUG, "fit=cover,g=w"), (BUG, "fit=cover,g=smart"), (BUG, "fit=cover,g=entropy"), (BUG, "fit=cover,g=0.2:0.5"),
    (BUG, "fit=cover,g=w:30:0"), (BUG, "fit=cover,zoom=2"), (BUG, "crop=0.3:0.3:0.4:0.4"),
    (BADGE, "trim=10"),
    (BUG, "rot=90"), (BUG, "rot=-12,bg=fff"), (BUG, "flip=h"), (BUG, "flip=v"), (BUG, "mh=120"),
    (BUG, "border=6:b23a2e"), (BUG, "fit=cover,round=24"), (BUG, "fit=cover,round=max"),
    (STONES, "bri=30"), (STONES, "bri=-30"), (STONES, "con=40"), (STONES, "con=-40"), (STONES, "sat=80"),
    (STONES, "sat=-60"), (STONES, "hue=120"), (STONES, "gamma=1.8"),
    (STONES, "invert=1"), (STONES, "gray=1"), (STONES, "sepia=80"), (STONES, "duotone=102040:ffe0a0"),
    (STONES, "tint=c04000:40"),
    (BUG, "blur=4"), (BUG, "pixelate=12"), (BUG, "sharpen=2"), (BUG, "usm=2:2"),
    (BADGE, "bg=f4c430"), (BADGE, "bg=f4c43080"), (BUG, "watermark=badge"), (BUG, "watermark=tiles"),
    (LANTERN, "credit=1"), (BUG, "text=Bug%2C%202026,textsize=0.1"),
    (BUG, "text=\u00a9 \u00c4nne,textg=ne,textcolor=ffd700,textsize=0.12"), (ORBIT, "page=4"),
    (BUG, "q=5", "jpg"), (BUG, "q=low", "jpg"), (BUG, "q=auto", "jpg"), (BUG, "max-bytes=3000", "webp"),
    (BUG, "palette=8", "png"), (BUG, "lossless=1", "webp"), (BUG, "dpr=0.5"),
]

SETTINGS = {
    "watermark.badge": {"asset": BADGE, "position": "se", "scale": "0.3", "margin": "0.03", "opacity": "0.9"},
    "watermark.tiles": {"asset": BADGE, "tile": "yes", "scale": "0.15", "margin": "0.08", "opacity": "0.35"},
    "credit": {"size": "0.07", "min_width": "0", "min_height": "0"},
}


class Sheet(Stack):
    """A stack with watermarks."""

    def _sections(self):
        return {**super()._sections(), **SETTINGS}


def with_box(recipe):
    """Room for every picture in its cell, unless the recipe sets its own."""
    if recipe == "-":
        return BOX
    if "ar=" in recipe:
        return f"w={CELL},{recipe}"
    if "fit=outside" in recipe:
        return f"w={CELL // 2},h={CELL // 2},{recipe}"
    if "border=" in recipe:
        return f"w={CELL - 12},h={CELL - 12},{recipe}"
    return f"{BOX},{recipe}"


def fetch(sheet, asset, recipe, extension):
    quoted = urllib.request.quote(with_box(recipe), safe="=,:%@.-")
    path = f"/a/{asset}/{quoted}/{asset}.{extension}"
    if "text=" in recipe:
        path = sheet.vitrine.run("sign", f"--key={KEY_ID}", path).strip()
    with urllib.request.urlopen(sheet.url + path, timeout=30) as answer:
        return Image.open(io.BytesIO(answer.read())).convert("RGBA")


def label(draw, x, y, text, font):
    """In lines of the cell's width, as many as fit below it."""
    lines, line = [], ""
    for part in text.replace(",", ",\0").split("\0"):
        if line and draw.textlength(line + part, font=font) > CELL:
            lines.append(line)
            line = ""
        line += part
    for i, each in enumerate([*lines, line]):
        draw.text((x, y + 13 * i), each, font=font, fill=INK)


def make(sheet):
    rows = (len(SHEET) + COLUMNS - 1) // COLUMNS
    page = Image.new("RGB", (GAP + COLUMNS * (CELL + GAP), GAP + rows * (CELL + CAPTION + GAP)), PAPER)
    draw, font = ImageDraw.Draw(page), ImageFont.truetype(FONT, 11)
    for i, (asset, recipe, *extension) in enumerate(SHEET):
        x, y = GAP + i % COLUMNS * (CELL + GAP), GAP + i // COLUMNS * (CELL + CAPTION + GAP)
        picture = fetch(sheet, asset, recipe, *(extension or ["png"]))
        picture.thumbnail((CELL, CELL))
        page.paste(picture, (x + (CELL - picture.width) // 2, y + (CELL - picture.height) // 2), picture)
        draw.rectangle((x, y, x + CELL - 1, y + CELL - 1), outline=(226, 226, 222))
        if picture.width == CELL and picture.height == CELL:
            page.paste(picture, (x, y), picture)
        label(draw, x, y + CELL + 4, recipe if recipe != "-" else BOX, font)
    return page


def main():
    with tempfile.TemporaryDirectory(prefix="vitrine-sheet-") as folder:
        sheet = Sheet(folder)
        try:
            sheet.start()
            sheet.vitrine.run("set", LANTERN, "--credit=Local stack of Vitrine, CC0")
            page = make(sheet)
        finally:
            sheet.stop()
    # In all its colours: with a palette for the whole sheet gray=1 would have a tint.
    page.save(DOCS / "operations.png", optimize=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except StackError as error:
        sys.exit(f"contact_sheet.py: {error}")
