"""Background, pad, border and round corners, against models that mix and measure.

PNG in and out, or JPEG at its best.  Mixing rounds once: within one level.  The edge of a round corner is
compared with the area of each pixel that lies inside: within two levels of 255.
"""

import functools
import math

import pytest
from PIL import Image

import pictures
from pictures import is_near
from rendering import Renderer, assert_pixel, encoded, own_renderer, renderer, shared  # noqa: F401

WHITE, BLACK = (255, 255, 255), (0, 0, 0)
ORANGE = (230, 140, 20)
CLEAR = (0, 0, 0, 0)
STRIPS = 64


def plain(mode, colour, size=(40, 30)):
    return Image.new(mode, size, colour)


def at_its_best(recipe, to):
    return f"{recipe},q=100,subsample=444" if to == "jpg" else recipe


def over(top, bottom):
    """Source over: colours with alpha, of 255."""
    part, rest = top[3] / 255, bottom[3] / 255 * (1 - top[3] / 255)
    if part + rest == 0:
        return CLEAR
    return tuple(round((a * part + b * rest) / (part + rest)) for a, b in zip(top[:3], bottom[:3])) + (
        round(255 * (part + rest)),)


# ---- background and pad ------------------------------------------------------------------------


def test_a_background_is_laid_behind(renderer):
    for colour in ((200, 100, 50, 0), (200, 100, 50, 1), (200, 100, 50, 90), (200, 100, 50, 255)):
        source = renderer.file(plain("RGBA", colour))
        for text, back in (("204060", (0x20, 0x40, 0x60, 255)), ("20406080", (0x20, 0x40, 0x60, 0x80)),
                           ("fff1", (255, 255, 255, 0x11))):
            wanted = over(colour, back)
            assert_pixel(renderer.render(source, f"bg={text}").convert("RGBA"), (5, 5), wanted, 1)
            on_white = over(wanted, WHITE + (255,))
            image = renderer.render(source, at_its_best(f"bg={text}", "jpg"), "jpg")
            assert_pixel(image, (5, 5), on_white[:3], 2)


def test_margins_have_the_background(renderer):
    source = renderer.file(plain("RGB", ORANGE, (40, 20)))
    for back, to, mode, wanted in (
            ("", "png", "RGBA", CLEAR), (",bg=0080ff", "png", "RGB", (0, 0x80, 255)),
            (",bg=0080ff40", "png", "RGBA", (0, 0x80, 255, 0x40)), ("", "jpg", "RGB", WHITE),
            (",bg=ff000080", "jpg", "RGB", (255, 127, 127))):
        image = renderer.render(source, at_its_best(f"w=40,h=40,fit=pad{back}", to), to)
        assert (image.size, image.mode) == ((40, 40), mode)
        assert_pixel(image, (20, 3), wanted, 3)
        assert_pixel(image.convert("RGB"), (20, 20), ORANGE, 4)


def test_grey_pictures_stay_grey_on_grey(renderer):
    for source_mode in ("L", "LA"):
        colour = 90 if source_mode == "L" else (90, 128)
        source = renderer.file(plain(source_mode, colour))
        box = "w=60,h=60,fit=pad,enlarge=1"
        for recipe, to, mode in ((f"{box},bg=777", "png", "L"), (box, "png", "LA"), ("bg=7778", "png", source_mode),
                                 (box, "jpg", "L"), ("border=3:aaa", "jpg", "L"), ("round=max", "png", "LA"),
                                 ("round=max,bg=fff", "png", "L"), ("round=5,border=2:ccc8", "png", "LA")):
            assert renderer.render(source, recipe, to).mode == mode, f"{recipe} to {to} of {source_mode}"
        for recipe in (f"{box},bg=700", "border=3:f00", "round=5,bg=070"):
            assert renderer.render(source, recipe, "jpg").mode == "RGB", recipe
    assert renderer.render(plain("L", 90), f"{box},bg=777").getpixel((1, 1)) == 0x77
    *wanted, _, _, alpha = over((90, 90, 90, 128), (0x40, 0x40, 0x40, 0x80))
    assert_pixel(renderer.render(plain("LA", (90, 128)), "bg=40404080"), (1, 1), (*wanted, alpha), 1)


# ---- border --------------------------------------------------------------------------------------

BORDERS = [
    # source, recipe, format, mode of the result, colour of the border
    ("RGB", "border=5:336699", "png", "RGB", (0x33, 0x66, 0x99)),
    ("RGB", "border=5", "png", "RGB", BLACK),
    ("RGB", "border=5:33669980", "png", "RGBA", (0x33, 0x66, 0x99, 0x80)),
    ("RGB", "border=5:33669980,bg=fff", "png", "RGB", (0x99, 0xB2, 0xCC)),
    ("RGB", "border=5:33669980,bg=ffffff80", "png", "RGBA", (0x77, 0x99, 0xBB, 0xC0)),
    ("RGB", "border=5:33669980", "jpg", "RGB", (0x99, 0xB2, 0xCC)),
    ("RGB", "border=5:33669980,bg=000", "jpg", "RGB", (0x1A, 0x33, 0x4D)),
    ("RGB", "border=5:0000", "png", "RGBA", CLEAR),
    ("RGBA", "border=5:336699", "png", "RGBA", (0x33, 0x66, 0x99, 255)),
    ("RGBA", "border=5:336699", "webp", "RGBA", (0x33, 0x66, 0x99, 255)),
]


@pytest.mark.parametrize("source_mode, recipe, to, mode, colour", BORDERS)
def test_a_border_lies_outside(renderer, source_mode, recipe, to, mode, colour):
    orange = ORANGE if source_mode == "RGB" else ORANGE + (100,)
    image = renderer.render(plain(source_mode, orange), at_its_best(recipe, to), to)
    near = 1 if to == "png" else 12
    assert (image.size, image.mode) == ((50, 40), mode)
    for at in ((0, 0), (25, 2), (49, 39), (2, 20), (47, 20)) + (((4, 4), (45, 35)) if to == "png" else ()):
        assert_pixel(image, at, colour, near)
    for at in ((25, 20),) + (((5, 5), (44, 34)) if to == "png" else ()):
        assert_pixel(image, at, orange if mode == source_mode else ORANGE + (255,), near)


def test_dpr_multiplies_border_and_radius(renderer):
    source = renderer.file(pictures.quadrants(60, 40))
    for one, other in (("border=6:123456", "border=3:123456,dpr=2"), ("round=9", "round=6,dpr=1.5"),
                       ("border=4,round=12", "border=2,round=6,dpr=2")):
        assert renderer.render_file(source, one).read_bytes() == renderer.render_file(source, other).read_bytes()


# ---- round ---------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=None)
def coverage(width, height, radius):
    """The share of each pixel, 0 to 1, that lies in a rectangle with round corners: by strips of it."""
    def top_at(x):
        across = max(radius - x, x - (width - radius), 0)
        return radius - math.sqrt(max(radius * radius - across * across, 0))

    tops = [top_at((strip + 0.5) / STRIPS) for strip in range(width * STRIPS)]

    def of(x, y):
        lengths = [max(0, min(y + 1, height - top) - max(y, top)) for top in tops[x * STRIPS:(x + 1) * STRIPS]]
        return sum(lengths) / STRIPS
    return [[of(x, y) for x in range(width)] for y in range(height)]


ROUNDS = [
    # size, recipe, radius
    ((40, 30), "round=1", 1),
    ((40, 30), "round=7", 7),
    ((40, 30), "round=15", 15),
    ((40, 30), "round=16", 15),
    ((40, 30), "round=4096", 15),
    ((40, 30), "round=max", 15),
    ((41, 31), "round=max", 15.5),
    ((33, 33), "round=max", 16.5),
    ((32, 32), "round=max", 16),
    ((9, 40), "round=3", 3),
    ((3, 3), "round=max", 1.5),
    ((1, 1), "round=max", 0.5),
    ((2, 1), "round=max", 0.5),
]


@pytest.mark.parametrize("size, recipe, radius", ROUNDS)
def test_round_leaves_of_each_pixel_what_is_inside(renderer, size, recipe, radius):
    model = coverage(*size, radius)
    image = renderer.render(plain("RGB", ORANGE, size), recipe)
    assert (image.size, image.mode) == (size, "RGBA")
    for y, row in enumerate(model):
        for x, part in enumerate(row):
            *colour, alpha = image.getpixel((x, y))
            assert abs(alpha - 255 * part) <= 2, f"alpha {alpha} at {x}, {y}, wanted {255 * part}"
            assert alpha == 0 or tuple(colour) == ORANGE, f"{colour} at {x}, {y}"


def test_round_takes_of_the_alpha_that_is_there(renderer):
    model = coverage(40, 30, 15)
    image = renderer.render(plain("RGBA", ORANGE + (120,)), "round=max")
    for y, row in enumerate(model):
        for x, part in enumerate(row):
            assert abs(image.getpixel((x, y))[3] - 120 * part) <= 2


@pytest.mark.parametrize("back, to, colour", (
    (",bg=0040ff", "png", (0, 0x40, 255)), ("", "jpg", WHITE), (",bg=0040ff", "jpg", (0, 0x40, 255)),
    (",bg=0040ff80", "jpg", (0x7F, 0x9F, 255)), (",bg=fff", "webp", WHITE)))
def test_what_round_cuts_away_becomes_the_background(renderer, back, to, colour):
    model = coverage(40, 30, 12)
    image = renderer.render(plain("RGB", ORANGE), at_its_best(f"round=12{back}", to), to)
    assert image.mode == "RGB"
    if to == "png":
        for y, row in enumerate(model):
            for x, part in enumerate(row):
                wanted = [part * a + (1 - part) * b for a, b in zip(ORANGE, colour)]
                assert is_near(image.getpixel((x, y)), wanted, 2)
    for at in ((0, 0), (39, 0), (0, 29), (39, 29)):
        assert_pixel(image, at, colour, 25)
    assert_pixel(image, (20, 15), ORANGE, 8)


def test_a_translucent_background_shows_in_the_corners(renderer):
    image = renderer.render(plain("RGB", ORANGE), "round=12,bg=0040ff80")
    assert_pixel(image, (0, 0), (0, 0x40, 255, 0x80), 0)
    assert_pixel(image, (20, 15), ORANGE + (255,), 0)
    model = coverage(40, 30, 12)
    for x in range(12):
        part = model[1][x]
        assert abs(image.getpixel((x, 1))[3] - (255 * part + 0x80 * (1 - part))) <= 2


def test_a_border_is_as_wide_in_the_corners(renderer):
    """Its inner edge has the radius less its width, as in CSS."""
    outer, inner = coverage(50, 40, 14), coverage(40, 30, 9)
    image = renderer.render(plain("RGB", ORANGE), "border=5:204080,round=14")
    for y in range(40):
        for x in range(50):
            part = inner[y - 5][x - 5] if 5 <= x < 45 and 5 <= y < 35 else 0
            pixel = image.getpixel((x, y))
            wanted = [part * a + (1 - part) * b for a, b in zip(ORANGE, (0x20, 0x40, 0x80))]
            assert abs(pixel[3] - 255 * outer[y][x]) <= 2
            assert pixel[3] == 0 or is_near(pixel[:3], wanted, 2), f"{pixel} at {x}, {y}, wanted {wanted}"


def test_a_border_wider_than_the_radius_has_a_sharp_inner_edge(renderer):
    image = renderer.render(plain("RGB", ORANGE), "border=8:204080,round=6")
    assert image.getpixel((8, 8)) == ORANGE + (255,)
    assert image.getpixel((0, 0))[3] < 10


def test_a_gif_is_cut_at_half_a_pixel(renderer):
    """It knows only transparent and not: no pixel of the edge may be mixed with another colour."""
    model = coverage(40, 30, 15)
    image = renderer.render(plain("RGB", ORANGE), "round=max", "gif").convert("RGBA")
    for y, row in enumerate(model):
        for x, part in enumerate(row):
            pixel = image.getpixel((x, y))
            assert pixel[3] in (0, 255)
            assert abs(part - 0.5) < 0.01 or (pixel[3] == 255) == (part > 0.5)
            assert pixel[3] == 0 or is_near(pixel[:3], ORANGE, 3)


def test_every_frame_has_its_frame(renderer):
    colours = [(200, 40, 30), (30, 160, 60), (40, 60, 190)]
    frames = [plain("RGB", colour) for colour in colours]
    source = renderer.file(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=80))
    image = renderer.render(source, "border=5:ffcc00,round=max", "gif")
    assert (image.size, image.n_frames) == ((50, 40), 3)
    for i, colour in enumerate(colours):
        image.seek(i)
        frame = image.convert("RGBA")
        assert_pixel(frame, (25, 20), colour + (255,), 4)
        assert_pixel(frame, (25, 2), (255, 0xCC, 0, 255), 4)
        assert frame.getpixel((0, 0))[3] == frame.getpixel((49, 39))[3] == 0
