#!/usr/bin/python3
"""The rules of docs/urls.md ("Sizes, exactly") once more, in exact fractions.

Written from the prose and not from lib/recipe/*.c, so that a mistake would have
to be made twice.  Without arguments it writes tests/unit/geometry_table.h; with
--check it fails when that file is not what it would write.
"""

import random
import sys
from fractions import Fraction
from itertools import product
from math import cos, floor, radians, sin
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).with_name("geometry_table.h")
RESULT_SIDE_MAX = 16384
SIDE_MAX = 10_000_000
MILLION = 1_000_000
HALF = Fraction(1, 2)
FITS = ("contain", "cover", "fill", "pad", "outside")
SIDES = ("n", "ne", "e", "se", "s", "sw", "w", "nw", "c")
AT = ({"nw": 0, "w": 0, "sw": 0, "ne": 1, "e": 1, "se": 1},  # across: left or right
      {"nw": 0, "n": 0, "ne": 0, "sw": 1, "s": 1, "se": 1})  # down: top or bottom


class Refused(Exception):
    """Carries the failure kind."""


class Case(NamedTuple):
    recipe: dict
    width: int  # as stored
    height: int
    orientation: int = 1
    visible: tuple = None  # what trim left of the upright original
    is_vector: bool = False


def half_up(number):
    return floor(number + HALF)


def half_away(number):
    return half_up(number) if number >= 0 else -half_up(-number)


def clip(number, low, high):
    return max(low, min(number, high))


def refuse_over(limit, *sides):
    if max(sides) > limit:
        raise Refused("FAIL_UNPROCESSABLE")


def cropped(crop, visible):
    """Rule 2: left, top, width, height of what is used of the upright original."""
    if crop is None:
        return visible
    vx, vy, vw, vh = visible
    x, y, w, h = (Fraction(number) for number in crop.split(":"))
    if "." in crop:
        x, w, y, h = x * vw, w * vw, y * vh, h * vh
    left, right = (min(half_up(edge), vw) for edge in (x, x + w))
    top, bottom = (min(half_up(edge), vh) for edge in (y, y + h))
    if right <= left or bottom <= top:
        raise Refused("FAIL_BAD_REQUEST")
    return vx + left, vy + top, right - left, bottom - top


class Turning:
    """Rule 3, about the centre of the picture."""

    def __init__(self, recipe, size):
        angle = Fraction(recipe.get("rot", 0)) % 360
        self.flip = recipe.get("flip", "")
        self.is_exact = angle % 90 == 0
        self.before = size
        if self.is_exact:
            self.cos, self.sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[int(angle / 90)]
        else:
            self.cos, self.sin = cos(radians(angle)), sin(radians(angle))
        w, h = size
        self.after = (floor(w * abs(self.cos) + h * abs(self.sin) + 0.5),
                      floor(w * abs(self.sin) + h * abs(self.cos) + 0.5))

    def flipped(self, x, y):
        return (self.after[0] - x if "h" in self.flip else x,
                self.after[1] - y if "v" in self.flip else y)

    def forth(self, x, y):
        x, y = x - Fraction(self.before[0], 2), y - Fraction(self.before[1], 2)
        x, y = x * self.cos - y * self.sin, x * self.sin + y * self.cos
        x, y = x + Fraction(self.after[0], 2), y + Fraction(self.after[1], 2)
        if not self.is_exact:
            x, y = (Fraction(half_up(number * MILLION), MILLION) for number in (x, y))
        return self.flipped(x, y)

    def back(self, x, y):
        x, y = self.flipped(x, y)
        x, y = x - Fraction(self.after[0], 2), y - Fraction(self.after[1], 2)
        x, y = x * self.cos + y * self.sin, y * self.cos - x * self.sin
        return int(x + Fraction(self.before[0], 2)), int(y + Fraction(self.before[1], 2))


def box_of(recipe, source):
    """Rule 5: bw and bh, None where a side was not asked."""
    dpr = Fraction(recipe.get("dpr", 1))

    def asked(name, side):
        if name not in recipe:
            return None
        text = str(recipe[name])
        return max(1, half_up(Fraction(text) * side * dpr)) if "." in text else half_up(int(text) * dpr)

    bw, bh = asked("w", source[0]), asked("h", source[1])
    if "ar" in recipe:
        ratio = Fraction(recipe["ar"].split(":")[0]) / Fraction(recipe["ar"].split(":")[1])
        if bw is None and bh is None:
            # The largest within has the source's width when it is the wider shape; the smallest around when not.
            is_wider = ratio > Fraction(*source)
            if is_wider == (recipe.get("fit") in ("cover", "fill")):
                bw = source[0]
            else:
                bh = source[1]
        if bw is None:
            bw = max(1, half_up(bh * ratio))
        elif bh is None:
            bh = max(1, half_up(bw / ratio))
    refuse_over(SIDE_MAX, bw or 1, bh or 1)
    return bw, bh


def sizes(recipe, source, box, grows):
    """Rules 6 to 9: the scaled size, and the size that cuts it or that it lies on."""
    sw, sh = source
    bw, bh = box
    dpr = Fraction(recipe.get("dpr", 1))
    fit = recipe.get("fit", "contain") if bw and bh else "none"
    most = Fraction(10 ** 30) if grows else Fraction(1)

    def scaled(scale):
        return max(1, half_up(sw * scale)), max(1, half_up(sh * scale))

    if fit == "fill":
        size = (bw, bh) if grows else (min(bw, sw), min(bh, sh))
        return size, size
    if fit == "cover":
        shrink = Fraction(1) if grows else min(1, Fraction(sw, bw), Fraction(sh, bh))
        box = max(1, half_up(bw * shrink)), max(1, half_up(bh * shrink))
        return scaled(max(Fraction(box[0], sw), Fraction(box[1], sh))), box
    if fit == "none":
        scale = Fraction(bw, sw) if bw else Fraction(bh, sh) if bh else Fraction(1)
    else:
        scale = (max if fit == "outside" else min)(Fraction(bw, sw), Fraction(bh, sh))
    if fit in ("none", "contain"):
        scale = max(scale, Fraction(half_up(recipe.get("mw", 0) * dpr), sw),
                    Fraction(half_up(recipe.get("mh", 0) * dpr), sh))
    size = scaled(min(scale, most))
    if fit == "pad":
        return size, box
    if fit == "outside":
        return size, size
    return size, tuple(min(side, asked or side) for side, asked in zip(size, box))


def place(recipe, axis, picture, window, pixel, point):
    """Rule 10 on one axis: where the shorter one begins on the longer.  `pixel` is what a pixel of
    the result is here."""
    words = recipe.get("g", "c").split(":")
    room = abs(picture - window)
    if words[0] in SIDES:
        offset = words[1 + axis] if len(words) > 1 else "0"
        if "." in offset:
            offset = half_away(Fraction(offset) * window)
        else:
            offset = half_away(int(offset) * Fraction(recipe.get("dpr", 1)) * pixel)
        side = AT[axis].get(words[0])
        return clip(floor(room * HALF) + offset if side is None else room - offset if side else offset, 0, room)
    begin = half_up(point - Fraction(window, 2))
    return clip(begin if picture > window else -begin, 0, room)


def plan(case):
    recipe = case.recipe
    is_on_its_side = case.orientation >= 5 and recipe.get("orient") != "off"
    upright = (case.height, case.width) if is_on_its_side else (case.width, case.height)
    visible = case.visible or (0, 0) + upright
    refuse_over(SIDE_MAX, *upright)
    x, y, w, h = cropped(recipe.get("crop"), visible)
    turning = Turning(recipe, (w, h))
    turned = turning.after
    refuse_over(SIDE_MAX, *turned)
    zoom = Fraction(recipe.get("zoom", 1))
    source = tuple(max(1, half_up(side / zoom)) for side in turned)

    box = box_of(recipe, source)
    scaled, canvas = sizes(recipe, source, box, recipe.get("enlarge") == 1 or case.is_vector)
    border = half_up(recipe.get("border", 0) * Fraction(recipe.get("dpr", 1)))
    result = tuple(side + 2 * border for side in canvas)
    refuse_over(RESULT_SIDE_MAX, *result)
    refuse_over(SIDE_MAX, *scaled)

    words = recipe.get("g", "c").split(":")
    point = (0, 0)
    if words[0] not in SIDES:
        point = turning.forth(*(Fraction(word) * side - start
                                for word, side, start in zip(words, upright, (x, y))))
    zoomed = [place(recipe, axis, turned[axis], source[axis], Fraction(source[axis], scaled[axis]), point[axis])
              for axis in (0, 1)]
    at = [place(recipe, axis, scaled[axis], canvas[axis], 1,
                (point[axis] - zoomed[axis]) * Fraction(scaled[axis], source[axis])) for axis in (0, 1)]
    kept = [min(pair) for pair in zip(scaled, canvas)]
    cut = [at[axis] if scaled[axis] > canvas[axis] else 0 for axis in (0, 1)]
    lies = [at[axis] if scaled[axis] < canvas[axis] else 0 for axis in (0, 1)]
    shows_all = (x, y, w, h) == (0, 0) + upright and source == turned and tuple(kept) == scaled

    used = (x, y, w, h)
    if turning.is_exact:
        corners = (turning.back(*zoomed), turning.back(zoomed[0] + source[0], zoomed[1] + source[1]))
        (left, right), (top, bottom) = map(sorted, zip(*corners))
        used, turned = (x + left, y + top, right - left, bottom - top), source
    else:
        ratio = [Fraction(scaled[axis], source[axis]) for axis in (0, 1)]
        cut = [cut[axis] + half_up(zoomed[axis] * ratio[axis]) for axis in (0, 1)]
        scaled = tuple(half_up(turned[axis] * ratio[axis]) for axis in (0, 1))
        refuse_over(SIDE_MAX, *scaled)
    return used, turned, scaled, (*cut, *kept), canvas, lies, border, result, shows_all


# ---- the cases ---------------------------------------------------------------------


def cases_of_fit():
    """Every fit over the shapes where rounding and limits decide."""
    shapes = [(400, 300), (1, 1), (1, 1000), (1000, 1), (333, 777)]
    boxes = [{"w": 200}, {"h": 77}, {"w": 200, "h": 200}, {"w": 333, "h": 111}, {"w": 500, "h": 350},
             {"w": 1, "h": 1}]
    for shape in shapes:
        yield Case({}, *shape)
        for box, fit, enlarge in product(boxes, FITS, (0, 1)):
            if "h" in box and "w" in box or fit == "cover":
                yield Case(box | {"fit": fit, "enlarge": enlarge}, *shape)


def cases_of_gravity():
    for g in (*SIDES, "0:0", "1:1", "0.5:0.5", "0.3:0.9"):
        yield Case({"w": 101, "h": 100, "fit": "cover", "g": g}, 640, 303)
        yield Case({"w": 100, "h": 101, "fit": "cover", "g": g}, 303, 640)
        yield Case({"w": 801, "h": 800, "fit": "pad", "g": g}, 400, 303)
        yield Case({"zoom": "3", "g": g}, 640, 303)
    offsets = ("10:20", "-10:-20", "0.1:0.25", "-0.125:-0.5", "8192:8192", "-8192:-8192", "1.0:1.0", "0:7")
    for side, offset in product(SIDES, offsets):
        yield Case({"w": 101, "h": 90, "fit": "cover", "g": f"{side}:{offset}", "dpr": "1.5"}, 640, 303)
        yield Case({"w": 801, "h": 800, "fit": "pad", "g": f"{side}:{offset}"}, 400, 303)
    for side, offset in product(("nw", "c", "se"), offsets):
        yield Case({"w": 100, "zoom": "2.5", "g": f"{side}:{offset}", "dpr": "1.5"}, 640, 303)
        yield Case({"w": 50, "h": 50, "zoom": "2", "fit": "cover", "g": f"{side}:{offset}"}, 640, 303)


def cases_of_crop():
    for crop in ("0:0:1:1", "10:20:100:50", "390:290:100:100", "400:0:1:1", "0:300:1:1", "0.0:0.0:1.0:1.0",
                 "0.5:0.5:0.5:0.5", "0.001:0.001:0.001:0.001", "0.1:0.2:0.2:0.1", "1.0:0.0:0.5:0.5",
                 "0.333333:0.333333:0.333333:0.333333", "0:0:10000000:10000000"):
        yield Case({"crop": crop}, 400, 300)
        yield Case({"w": 50, "h": 50, "fit": "cover", "g": "0.9:0.1", "crop": crop}, 400, 300)
        yield Case({"w": 50, "crop": crop, "trim": 10}, 400, 300, visible=(13, 17, 301, 203))
    yield Case({"crop": "0.0:0.0:0.499999:1.0"}, 1, 1)
    yield Case({"crop": "0.0:0.0:0.5:1.0"}, 1, 1)
    for g in ("nw", "c", "0.5:0.5", "0.1:0.7"):
        yield Case({"w": 50, "h": 50, "fit": "cover", "g": g, "trim": 10}, 400, 300, visible=(13, 17, 301, 203))


def cases_of_turning():
    for rot, flip, g in product((0, 90, 180, 270, -90, "30", "45", "200.25"), (None, "h", "v", "hv"),
                                ("nw", "0.2:0.9")):
        turned = {"rot": rot, "g": g} | ({"flip": flip} if flip else {})
        yield Case(turned | {"w": 100, "h": 70, "fit": "cover"}, 401, 300)
        yield Case(turned | {"zoom": "3"}, 401, 300, 6)
        yield Case(turned | {"zoom": "1.7", "w": 91, "crop": "20:30:301:211"}, 401, 300)
    for rot in ("0.01", "89.99", "90.01", "1", "60", "120.5", "359.99", "-30"):
        for size in ((1, 1), (1, 1000), (401, 300), (6000, 4000)):
            yield Case({"rot": rot}, *size)
        yield Case({"rot": rot, "w": 300, "h": 300, "fit": "pad"}, 401, 300)
    for orientation, orient in product(range(1, 9), ("auto", "off")):
        yield Case({"w": 100, "orient": orient}, 400, 300, orientation)
        yield Case({"w": 50, "h": 50, "fit": "cover", "g": "0.9:0.2", "rot": 90, "orient": orient},
                   400, 300, orientation)


def cases_of_zoom():
    for zoom in ("1", "1.001", "1.5", "2", "3.333", "99.999", "100"):
        yield Case({"zoom": zoom}, 400, 301)
        yield Case({"zoom": zoom, "w": 200, "h": 100, "fit": "cover", "g": "0.75:0.25"}, 400, 301)
        yield Case({"zoom": zoom, "w": 200, "enlarge": 1, "rot": "10", "g": "e"}, 400, 301)
        yield Case({"zoom": zoom, "w": "0.5", "rot": 90}, 1, 1000)


def cases_of_lengths():
    for w, h in (("0.5", None), (None, "0.333333"), ("0.000001", None), ("1.0", "1.0"), ("0.5", "0.1"), (100, "0.5")):
        for more in ({}, {"fit": "cover"}, {"fit": "pad", "dpr": "1.5"}, {"zoom": "2", "rot": 90},
                     {"enlarge": 1, "dpr": "3"}):
            sides = {name: side for name, side in (("w", w), ("h", h)) if side}
            yield Case(sides | more, 401, 303)
    for ar, fit in product(("16:9", "1:1", "2:3", "1.85:1", "10000:1", "1:10000"), FITS):
        for sides in ({}, {"w": 333, "dpr": "1.5"}, {"h": 111}, {"w": "0.5"}):
            yield Case({"ar": ar, "fit": fit} | sides, 640, 480)
        yield Case({"ar": ar, "fit": fit, "enlarge": 1}, 333, 777)
    for least in ({"mw": 300}, {"mh": 300}, {"mw": 300, "mh": 300}, {"mw": 8192}, {"mw": 50}):
        for asked in ({}, {"w": 200}, {"h": 100}, {"w": 200, "h": 200}, {"w": 200, "ar": "3:1"}, {"ar": "1:1"}):
            yield Case(least | asked, 640, 480)
            yield Case(least | asked | {"enlarge": 1, "dpr": "1.5", "g": "se"}, 200, 150)
        for fit in FITS[1:]:
            yield Case(least | {"w": 200, "h": 100, "fit": fit}, 640, 480)
            yield Case(least | {"w": 200, "fit": fit}, 640, 480)
    for border in (1, 7, 512):
        yield Case({"border": border}, 400, 300)
        yield Case({"border": border, "w": 100, "h": 100, "fit": "pad", "g": "s:0.0:0.1", "dpr": "1.5"}, 400, 300)


def cases_of_vectors():
    box = {"w": 1000, "h": 1000}
    for recipe in ({}, {"w": 1000}, {"h": 5}, *(box | {"fit": fit} for fit in FITS), {"mw": 500}, {"dpr": "3"},
                   {"w": 200, "dpr": "3", "rot": 90}, {"ar": "1:1", "fit": "outside"}, {"zoom": "2", "w": 300}):
        yield Case(recipe, 100, 80, is_vector=True)


def cases_of_limits():
    yield Case({"w": 8192, "dpr": "2", "enlarge": 1}, 400, 300)
    yield Case({"w": 8192, "dpr": "2.001", "enlarge": 1}, 400, 300)
    yield Case({"w": 8192, "dpr": "8"}, 400, 300)
    yield Case({"w": 8192, "h": 8192, "dpr": "2", "fit": "pad"}, 400, 300)
    yield Case({"w": 8192, "h": 8192, "dpr": "2.001", "fit": "pad"}, 400, 300)
    yield Case({}, 16384, 16384)
    yield Case({}, 16385, 1)
    yield Case({"border": 1}, 16382, 10)
    yield Case({"border": 1}, 16383, 10)
    yield Case({"border": 512, "dpr": "8"}, 8192, 1)
    yield Case({"border": 512, "dpr": "8"}, 8193, 1)
    yield Case({"w": 100, "h": 100, "fit": "cover", "enlarge": 1}, 1, 100000)
    yield Case({"w": 100, "h": 100, "fit": "cover", "enlarge": 1}, 1, 100001)
    yield Case({"w": 100, "h": 100, "fit": "cover", "g": "0.999999:0.000001"}, 10000000, 100)
    yield Case({"w": 100, "h": 100, "fit": "cover", "g": "0.999999:0.000001", "rot": 270, "flip": "hv"},
               10000000, 10000000)
    yield Case({"w": 1, "dpr": "0.5"}, 400, 300)
    yield Case({"w": 1, "rot": "1"}, 10000000, 1)
    yield Case({"w": 1, "rot": "1"}, 10000000, 10000000)
    yield Case({"w": 100, "h": 100}, 10000001, 1)
    yield Case({"w": 1000, "ar": "1:10000"}, 400, 300)
    yield Case({"w": 1001, "ar": "1:10000"}, 400, 300)
    yield Case({"w": 8192, "ar": "0.001:10000", "dpr": "8"}, 400, 300)
    yield Case({"w": "1.0", "dpr": "8"}, 1250000, 10)
    yield Case({"w": "1.0", "dpr": "8"}, 10000000, 10)
    yield Case({"w": 8192, "dpr": "2", "zoom": "100", "enlarge": 1, "rot": "1"}, 100, 100)
    # The part is within the limits, but not all of the picture when it is scaled alike.
    for height in (1000, 20000, 100000):
        yield Case({"w": 8192, "h": 100, "fit": "cover", "zoom": "100", "enlarge": 1, "rot": "1"}, 1, height)


def cases_by_chance(count):
    dice = random.Random(2718)
    chance = lambda likely: dice.random() < likely
    fraction = lambda: f"{dice.randrange(1, MILLION + 1) / MILLION:.6f}"

    def side():
        if chance(0.15):
            return fraction()
        return dice.choice((dice.randint(1, 40), dice.randint(1, 2500)))

    def gravity():
        offset = dice.choice((lambda: dice.randint(-300, 300), lambda: f"{dice.uniform(-1, 1):.3f}"))
        return dice.choice((dice.choice(SIDES), f"{fraction()}:{fraction()}",
                            f"{dice.choice(SIDES)}:{offset()}:{offset()}"))

    def crop():
        if chance(0.5):
            return ":".join(fraction() for _ in range(4))
        return ":".join(str(dice.randint(*span)) for span in ((0, 300), (0, 300), (1, 900), (1, 900)))

    for _ in range(count):
        width, height, orientation = dice.randint(1, 3000), dice.randint(1, 3000), dice.randint(1, 8)
        chances = {
            "w": (0.8, side), "h": (0.7, side),
            "dpr": (0.4, lambda: dice.choice(("0.5", "1.5", "2", "3", "0.667", "1.333", "7.999"))),
            "fit": (0.8, lambda: dice.choice(FITS)),
            "g": (0.8, gravity), "crop": (0.3, crop),
            "enlarge": (0.4, lambda: 1),
            "rot": (0.5, lambda: dice.choice((90, 180, 270, f"{dice.uniform(-360, 360):.2f}"))),
            "flip": (0.3, lambda: dice.choice(("h", "v", "hv"))),
            "zoom": (0.4, lambda: dice.choice(("2", "1.25", f"{dice.uniform(1, 20):.3f}"))),
            "mw": (0.2, lambda: dice.randint(1, 2000)), "mh": (0.2, lambda: dice.randint(1, 2000)),
            "border": (0.2, lambda: dice.randint(1, 100)),
            "orient": (0.2, lambda: "off"),
        }
        recipe = {name: value() for name, (likely, value) in chances.items() if chance(likely)}
        if not ("w" in recipe and "h" in recipe) and chance(0.4):
            recipe["ar"] = dice.choice(("16:9", "1:1", f"{dice.randint(1, 99)}:{dice.randint(1, 99)}", "1.91:1"))
        visible = None
        if chance(0.2):
            is_on_its_side = orientation >= 5 and "orient" not in recipe
            w, h = (height, width) if is_on_its_side else (width, height)
            x, y = dice.randrange(w), dice.randrange(h)
            visible = x, y, dice.randint(1, w - x), dice.randint(1, h - y)
            recipe["trim"] = dice.randint(1, 254)
        yield Case(recipe, width, height, orientation, visible, chance(0.1))


def text_of(recipe):
    return ",".join(f"{name}={value}" for name, value in recipe.items()) or "-"


def words_of(*numbers):
    return ", ".join(str(number) for number in numbers)


def row(case):
    visible = words_of(*(case.visible or (0, 0, 0, 0)))
    start = (f'\t{{ "{text_of(case.recipe)}", {case.width}, {case.height}, {case.orientation}, '
             f'{{ {visible} }}, {str(case.is_vector).lower()},\n\t    ')
    try:
        used, turned, scaled, cut, canvas, lies, border, result, shows_all = plan(case)
    except Refused as kind:
        return f"{start}{kind}, {{ .width = 0 }} }},\n"
    return (f"{start}FAIL_NONE, {{ {{ {words_of(*used)} }}, {words_of(*turned, *scaled)}, {{ {words_of(*cut)} }}, "
            f"{words_of(*canvas, *lies, border, *result)}, {str(shows_all).lower()} }} }},\n")


def table():
    chosen = (cases_of_fit, cases_of_gravity, cases_of_crop, cases_of_turning, cases_of_zoom, cases_of_lengths,
              cases_of_vectors, cases_of_limits)
    rows = [row(case) for cases in chosen for case in cases()] + [row(case) for case in cases_by_chance(400)]
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
