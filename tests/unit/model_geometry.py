#!/usr/bin/python3
"""The rules of docs/urls.md ("Sizes, exactly") once more, in exact fractions.

Written from the prose and not from lib/recipe/geometry.c, so that a mistake would
have to be made twice.  Without arguments it writes tests/unit/geometry_table.h;
with --check it fails when that file is not what it would write.
"""

import random
import sys
from fractions import Fraction
from math import floor
from pathlib import Path

TABLE = Path(__file__).with_name("geometry_table.h")
RESULT_SIDE_MAX = 16384
SCALED_SIDE_MAX = 10_000_000
HALF = Fraction(1, 2)

ACROSS = {"nw": 0, "w": 0, "sw": 0, "ne": 1, "e": 1, "se": 1}
DOWN = {"nw": 0, "n": 0, "ne": 0, "sw": 1, "s": 1, "se": 1}


class Refused(Exception):
    """Carries the failure kind."""


def half_up(number):
    return floor(number + HALF)


def cropped(crop, width, height):
    """Rule 2: left, top, width, height of what is used."""
    if crop is None:
        return 0, 0, width, height
    x, y, w, h = (Fraction(number) for number in crop.split(":"))
    if "." in crop:
        x, w, y, h = x * width, w * width, y * height, h * height
    left, right = (min(half_up(edge), width) for edge in (x, x + w))
    top, bottom = (min(half_up(edge), height) for edge in (y, y + h))
    if right <= left or bottom <= top:
        raise Refused("FAIL_BAD_REQUEST")
    return left, top, right - left, bottom - top


def sizes(recipe, sw, sh):
    """Rules 3 to 6: the scaled size and the size of the result."""
    dpr = Fraction(recipe.get("dpr", "1"))
    w = half_up(recipe["w"] * dpr) if "w" in recipe else None
    h = half_up(recipe["h"] * dpr) if "h" in recipe else None
    fit = recipe.get("fit", "contain")
    grows = recipe.get("enlarge") == 1

    def scaled(scale):
        return max(1, half_up(sw * scale)), max(1, half_up(sh * scale))

    if w is None or h is None:
        scale = Fraction(w, sw) if w else Fraction(h, sh) if h else Fraction(1)
        size = scaled(scale if grows else min(scale, 1))
        return size, size
    if fit == "fill":
        size = (w, h) if grows else (min(w, sw), min(h, sh))
        return size, size
    if fit == "cover":
        shrink = Fraction(1) if grows else min(1, Fraction(sw, w), Fraction(sh, h))
        w, h = max(1, half_up(w * shrink)), max(1, half_up(h * shrink))
        return scaled(max(Fraction(w, sw), Fraction(h, sh))), (w, h)
    choose = max if fit == "outside" else min
    scale = choose(Fraction(w, sw), Fraction(h, sh))
    size = scaled(scale if grows else min(scale, 1))
    return size, (w, h) if fit == "pad" else size


def window_start(gravity, sides, axis, image, start, length, scaled, window):
    """Rule 7, one axis: where the window begins on the scaled source.  Negative
    when the window, a canvas, is the longer one."""
    room = scaled - window
    if ":" in gravity:
        fraction = Fraction(gravity.split(":")[axis])
        point = (fraction * image - start) * Fraction(scaled, length)
        wanted = half_up(point - Fraction(window, 2))
        return max(min(wanted, max(room, 0)), min(room, 0))
    side = sides.get(gravity)
    if side is None:
        return room // 2 if room >= 0 else -(-room // 2)
    return side * room


def plan(recipe, width, height):
    x, y, sw, sh = cropped(recipe.get("crop"), width, height)
    scaled, result = sizes(recipe, sw, sh)
    if max(result) > RESULT_SIDE_MAX or max(scaled) > SCALED_SIDE_MAX:
        raise Refused("FAIL_UNPROCESSABLE")
    gravity = recipe.get("g", "c")
    left = window_start(gravity, ACROSS, 0, width, x, sw, scaled[0], result[0])
    top = window_start(gravity, DOWN, 1, height, y, sh, scaled[1], result[1])
    kept = tuple(min(s, r) for s, r in zip(scaled, result))
    cut = (max(left, 0), max(top, 0)) + kept
    return ((x, y, sw, sh), scaled, cut, result, (max(-left, 0), max(-top, 0)))


def text_of(recipe):
    return ",".join(f"{name}={value}" for name, value in recipe.items()) or "-"


def chosen_cases():
    """Every fit over the shapes where rounding and limits decide."""
    shapes = [(400, 300), (300, 400), (1, 1), (1, 1000), (1000, 1), (333, 777), (6000, 4000)]
    boxes = [{"w": 200}, {"h": 77}, {"w": 200, "h": 200}, {"w": 333, "h": 111}, {"w": 500, "h": 350},
             {"w": 1, "h": 1}]
    for shape in shapes:
        yield {}, *shape
        for box in boxes:
            for fit in ("contain", "cover", "fill", "pad", "outside"):
                for enlarge in (0, 1):
                    yield box | {"fit": fit, "enlarge": enlarge}, *shape
    for gravity in ("n", "ne", "e", "se", "s", "sw", "w", "nw", "c", "0:0", "1:1", "0.5:0.5", "0.3:0.9"):
        yield {"w": 101, "h": 100, "fit": "cover", "g": gravity}, 640, 303
        yield {"w": 100, "h": 101, "fit": "cover", "g": gravity}, 303, 640
        yield {"w": 801, "h": 800, "fit": "pad", "g": gravity}, 400, 303
    for crop in ("0:0:1:1", "10:20:100:50", "390:290:100:100", "400:0:1:1", "0:300:1:1", "0.0:0.0:1.0:1.0",
                 "0.5:0.5:0.5:0.5", "0.001:0.001:0.001:0.001", "0.1:0.2:0.2:0.1", "1.0:0.0:0.5:0.5",
                 "0.333333:0.333333:0.333333:0.333333", "0:0:10000000:10000000"):
        yield {"crop": crop}, 400, 300
        yield {"w": 50, "h": 50, "fit": "cover", "g": "0.9:0.1", "crop": crop}, 400, 300
    # The limits of a result, and of what is scaled before it is cut.
    yield {"w": 8192, "dpr": "2", "enlarge": 1}, 400, 300
    yield {"w": 8192, "dpr": "2.001", "enlarge": 1}, 400, 300
    yield {"w": 8192, "dpr": "8"}, 400, 300
    yield {"w": 8192, "h": 8192, "dpr": "2", "fit": "pad"}, 400, 300
    yield {"w": 8192, "h": 8192, "dpr": "2.001", "fit": "pad"}, 400, 300
    yield {}, 16384, 16384
    yield {}, 16385, 1
    yield {"w": 100, "h": 100, "fit": "cover", "enlarge": 1}, 1, 100000
    yield {"w": 100, "h": 100, "fit": "cover", "enlarge": 1}, 1, 100001
    yield {"w": 100, "h": 100, "fit": "cover", "g": "0.999999:0.000001"}, 10000000, 100
    yield {"w": 1, "dpr": "0.5"}, 400, 300


def random_cases(count):
    dice = random.Random(2718)
    fraction = lambda: f"{dice.randrange(1000001) / 1000000:.6f}"
    for _ in range(count):
        recipe = {}
        if dice.random() < 0.9:
            recipe["w"] = dice.choice((dice.randint(1, 40), dice.randint(1, 2500)))
        if dice.random() < 0.8:
            recipe["h"] = dice.choice((dice.randint(1, 40), dice.randint(1, 2500)))
        if dice.random() < 0.4:
            recipe["dpr"] = dice.choice(("0.5", "1.5", "2", "3", "0.667", "1.333", "7.999"))
        recipe["fit"] = dice.choice(("contain", "cover", "cover", "fill", "pad", "outside"))
        recipe["g"] = dice.choice(("n", "se", "w", "c", fraction() + ":" + fraction()))
        if dice.random() < 0.3:
            recipe["crop"] = dice.choice((
                ":".join(fraction() for _ in range(4)),
                ":".join(str(dice.randint(0, 300)) for _ in range(2)) +
                ":" + ":".join(str(dice.randint(1, 900)) for _ in range(2))))
            if any(not Fraction(side) for side in recipe["crop"].split(":")[2:]):
                del recipe["crop"]
        if dice.random() < 0.4:
            recipe["enlarge"] = 1
        yield recipe, dice.randint(1, 3000), dice.randint(1, 3000)


def row(recipe, width, height):
    start = f'\t{{ "{text_of(recipe)}", {width}, {height},'
    try:
        source, scaled, cut, result, offset = plan(recipe, width, height)
    except Refused as kind:
        return f"{start} {kind}, {{ {{ 0, 0, 0, 0 }}, 0, 0, {{ 0, 0, 0, 0 }}, 0, 0, 0, 0 }} }},\n"
    words = lambda numbers: ", ".join(map(str, numbers))
    return (f"{start} FAIL_NONE,\n\t    {{ {{ {words(source)} }}, {words(scaled)}, {{ {words(cut)} }}, "
            f"{words(result + offset)} }} }},\n")


def table():
    rows = [row(*case) for case in (*chosen_cases(), *random_cases(300))]
    return ("/* Written by tests/unit/model_geometry.py: change the model, not this file. */\n"
            "static const struct geometry_case geometry_table[] = {\n" + "".join(rows) + "};\n")


def main():
    if sys.argv[1:] == ["--check"]:
        if TABLE.read_text() != table():
            sys.exit("tests/unit/geometry_table.h is not what model_geometry.py computes")
    elif sys.argv[1:]:
        sys.exit("usage: model_geometry.py [--check]")
    else:
        TABLE.write_text(table())


if __name__ == "__main__":
    main()
