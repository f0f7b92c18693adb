"""Every operation alone, every pair of them, and random recipes: never a crash, never a leak, always the size
that the model of tests/unit says.

The renderer of a sanitizer build ends itself when a job left memory behind (image_check_memory), so that here
"the renderer is still the first one" also means "no leak".
"""

import itertools
import pathlib
import random
import re
import sys

import pytest
from PIL import Image, ImageDraw

import pictures
from rendering import Failure, assert_corners, encoded, renderer, shared  # noqa: F401  (fixtures)

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests" / "unit"))

import model_geometry as model  # noqa: E402

SEED = 20261121
RANDOM_RECIPES = 1000
MODELLED_RECIPES = 400

# Arguments that are all in range; the first is the one that pairs are made with.
ARGUMENTS = {
    "page": ["1"],
    "anim": ["off", "on"],
    "orient": ["off", "auto"],
    "trim": ["10", "40:ffffff"],
    "crop": ["0.1:0.2:0.7:0.6", "5:3:60:41", "0:0:9999:9999"],
    "rot": ["90", "180", "270", "-90", "33.5", "0"],
    "flip": ["h", "v", "hv"],
    "zoom": ["1.5", "1", "4"],
    "w": ["60", "1", "333", "0.5"],
    "h": ["45", "1", "201", "0.25"],
    "ar": ["16:9", "1:1", "2:3", "1.85:1"],
    "mw": ["50", "7"],
    "mh": ["50", "7"],
    "dpr": ["2", "0.5", "1.5"],
    "enlarge": ["1", "0"],
    "fit": ["cover", "contain", "fill", "pad", "outside"],
    "g": ["nw", "c", "0.3:0.8", "smart", "entropy", "se:5:-3", "n:0.0:0.1", "focus"],
    "bri": ["20", "-100"],
    "con": ["30", "-100"],
    "sat": ["-40", "100"],
    "hue": ["120", "0"],
    "gamma": ["1.8", "0.1"],
    "invert": ["1", "0"],
    "gray": ["1", "0"],
    "sepia": ["70", "100"],
    "duotone": ["102040:ffe0a0"],
    "tint": ["c04000:40", "0a0"],
    "blur": ["1.5", "9"],
    "pixelate": ["7", "2"],
    "sharpen": ["1.2"],
    "usm": ["1:1.5:3", "0.5"],
    "bg": ["dde", "20406080", "transparent"],
    "watermark": ["any"],
    "credit": ["1"],
    "text": ["Gr%C3%BC%C3%9Fe%2C%20alle"],
    "textg": ["ne", "c"],
    "textsize": ["0.1"],
    "textcolor": ["ffd700"],
    "border": ["4:b23a2e", "3:00ff0080", "1"],
    "round": ["6", "max"],
    "q": ["40", "auto", "low", "100"],
    "max-bytes": ["20000"],
    "lossless": ["1", "0"],
    "progressive": ["off"],
    "subsample": ["444", "420"],
    "palette": ["16", "2"],
    "strip": ["all", "keep"],
    "icc": ["p3", "keep"],
    "dl": ["a%20name"],
}

FORMATS = ("jpg", "png", "webp", "gif", "avif", "jxl")
# AVIF and JPEG XL take most of the time; the others show the same of everything but the encoder.
RANDOM_FORMATS = ("png", "jpg", "webp", "gif", "png", "jpg", "webp", "gif", "png", "jpg", "webp", "gif", "avif", "jxl")


def contradicts(arguments, extension):
    """What docs/urls.md says cannot be had together."""
    names = {name for name, value in arguments.items() if (name, value) != ("lossless", "0")}
    return ({"ar", "w", "h"} <= names or {"lossless", "q"} <= names or {"lossless", "max-bytes"} <= names or
            ("lossless" in names and extension in ("jpg", "gif")) or
            ("max-bytes" in names and (extension == "gif" or extension == "png" and "palette" not in names)) or
            (arguments.get("icc") in ("p3", "keep") and extension == "gif"))


def text_of(arguments):
    return ",".join(f"{name}={value}" for name, value in arguments.items()) or "-"


def badge():
    image = Image.new("RGBA", (90, 120), (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((10, 15, 70, 100), fill=(200, 40, 30, 200))
    return image


def ball(count=4):
    frames = []
    for i in range(count):
        frame = Image.new("RGB", (64, 48), (240, 240, 230))
        ImageDraw.Draw(frame).ellipse((8 + 10 * i, 10, 24 + 10 * i, 30), fill=(200, 40, 30))
        frames.append(frame)
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=70, loop=0)


@pytest.fixture(scope="module")
def sources(shared):
    """Small pictures of every kind: the file, and its size when it is upright."""
    photo = pictures.photo(150, 100)
    lying = encoded(pictures.lain_down(photo, 6), "JPEG", exif=pictures.exif_orientation(6))
    return {"photo": shared.file(encoded(photo, "JPEG")), "lying": shared.file(lying), "badge": shared.file(badge()),
            "grey": shared.file(photo.convert("L")), "frames": shared.file(ball())}


def check(renderer, source, arguments, extension):
    """The outcome of a recipe that is valid: a picture of the size that was told, or a refusal with a reason."""
    recipe = ",".join(f"{name}={value}" for name, value in arguments.items()) or "-"
    outcome = renderer.try_render(source, recipe, extension)
    if contradicts(arguments, extension):
        assert isinstance(outcome, Failure) and outcome.kind == "bad-request", f"{recipe} to {extension}: {outcome}"
        return None
    if isinstance(outcome, Failure):
        assert re.match(REFUSALS, outcome.detail), f"{recipe} to {extension}: {outcome}"
        return None
    size = int(outcome["result_width"]), int(outcome["result_height"])
    if extension in ("jxl", "avif"):
        return size
    with Image.open(outcome["path"]) as image:
        image.load()
        assert image.size == size, f"{recipe} to {extension}"
    outcome["path"].unlink()
    return size


# The operations that decide the size, as the model knows them.
MODELLED = ("orient", "crop", "rot", "flip", "zoom", "w", "h", "ar", "mw", "mh", "dpr", "enlarge", "fit", "g", "border")
NUMBERS = ("mw", "mh", "border", "enlarge", "rot")
SEARCHED = ("smart", "entropy", "focus")    # what the pixels or the asset decide


def model_size(arguments, width, height):
    """Of the result; None where the model refuses."""
    recipe = {name: model.Fraction(value.split(":")[0]) if name in NUMBERS else value
              for name, value in arguments.items()}
    try:
        *_, size, _ = model.plan(model.Case(recipe, width, height))
    except model.Refused:
        return None
    return size


# What a valid recipe may be refused for, of a picture that it does not suit.
REFUSALS = r"trim |crop leaves nothing|max-bytes|the result (would have|needs)"


def test_knows_every_operation_of_the_table():
    table = (TOP / "docs" / "urls.md").read_text().split("<!-- generated: operations -->")[1].split("<!-- end -->")[0]
    assert re.findall(r"^\| `([a-z-]+)` \|", table, re.M) == list(ARGUMENTS)


def test_every_operation_has_a_test_of_what_it_means():
    """The tests here make pictures of all of them but look at few: another test must ask for each."""
    here = pathlib.Path(__file__)
    others = "".join(path.read_text() for path in here.parent.glob("test_[24]?_*.py") if path != here)
    meant = others + "".join(recipe for recipe, *_ in SHAPES)
    assert [name for name in ARGUMENTS if not re.search(rf"(?<![\w-]){name}=", meant)] == []


RED, GREEN, BLUE, YELLOW = pictures.RED, pictures.GREEN, pictures.BLUE, pictures.YELLOW
WHITE = (255, 255, 255)

# Of quadrants, 120 x 80: the size by hand from docs/urls.md, rules 5 to 10, and what is in the corners.
SHAPES = [
    ("ar=6:1,fit=cover,g=s", (120, 20), (BLUE, YELLOW, BLUE, YELLOW)),
    ("w=60,ar=3:1,fit=cover,g=n", (60, 20), (RED, GREEN, RED, GREEN)),
    ("h=40,ar=1:2,fit=cover,g=e", (20, 40), (GREEN, GREEN, YELLOW, YELLOW)),
    ("h=40,ar=1:2,fit=cover,g=w", (20, 40), (RED, RED, BLUE, BLUE)),
    ("ar=1:1,fit=pad,bg=fff", (120, 120), (WHITE,) * 4),
    ("w=90,ar=3:2", (90, 60), (RED, GREEN, BLUE, YELLOW)),
    ("w=40,mh=60,g=w", (40, 60), (RED, RED, BLUE, BLUE)),
    ("w=40,mh=60,g=e", (40, 60), (GREEN, GREEN, YELLOW, YELLOW)),
    ("h=20,mw=90,g=n", (90, 20), (RED, GREEN, RED, GREEN)),
    ("h=20,mw=90,g=s", (90, 20), (BLUE, YELLOW, BLUE, YELLOW)),
    ("w=60,h=40,mw=60,mh=40", (60, 40), (RED, GREEN, BLUE, YELLOW)),
    ("w=30,h=30,mw=30,mh=30", (30, 30), (RED, GREEN, BLUE, YELLOW)),
    ("w=30,h=30,mw=30,mh=30,dpr=2", (60, 60), (RED, GREEN, BLUE, YELLOW)),
    ("w=60,mw=8192", (60, 80), (RED, GREEN, BLUE, YELLOW)),
]


@pytest.mark.parametrize("recipe, size, corners", SHAPES)
def test_ar_and_the_least_sides_keep_what_gravity_says(renderer, recipe, size, corners):
    image = renderer.render(pictures.quadrants(), recipe)
    assert image.size == size
    assert_corners(image, corners, 16)


def test_makes_every_operation_alone(renderer, sources):
    for name, values in ARGUMENTS.items():
        for value in values:
            for source, extension in (("photo", "png"), ("lying", "jpg"), ("badge", "webp"), ("frames", "gif")):
                check(renderer, sources[source], {name: value}, extension)


def test_makes_every_pair_of_operations(renderer, sources):
    kinds = itertools.cycle((("badge", "png"), ("frames", "gif"), ("lying", "jpg"), ("photo", "webp"), ("grey", "png")))
    for one, other in itertools.combinations(ARGUMENTS, 2):
        source, extension = next(kinds)
        check(renderer, sources[source], {one: ARGUMENTS[one][0], other: ARGUMENTS[other][0]}, extension)


def random_recipes(chance, count):
    for _ in range(count):
        names = chance.sample(list(ARGUMENTS), chance.choice((2, 3, 4, 6, 9)))
        yield {name: chance.choice(ARGUMENTS[name]) for name in names}


def test_makes_random_recipes(renderer, sources):
    chance = random.Random(SEED)
    made = 0
    for arguments in random_recipes(chance, RANDOM_RECIPES):
        source = chance.choice(list(sources))
        made += check(renderer, sources[source], arguments, chance.choice(RANDOM_FORMATS)) is not None
    # Most of them are pictures, or this would test refusals.
    assert made > RANDOM_RECIPES / 2


def test_gives_the_size_that_the_model_says(renderer, sources):
    chance = random.Random(SEED + 1)
    geometry = [name for name in ARGUMENTS if name in MODELLED]
    for _ in range(MODELLED_RECIPES):
        names = chance.sample(geometry, chance.choice((2, 3, 5, 7)))
        arguments = {name: chance.choice([value for value in ARGUMENTS[name] if value not in SEARCHED])
                     for name in names}
        if contradicts(arguments, "png"):
            continue
        size = check(renderer, sources["photo"], arguments, "png")
        assert size == model_size(arguments, 150, 100), arguments


def test_the_order_in_the_url_does_not_matter(renderer, sources):
    chance = random.Random(SEED + 2)
    for arguments in random_recipes(chance, 40):
        if contradicts(arguments, "png"):
            continue
        turned = dict(reversed(arguments.items()))
        one, other = (renderer.try_render(sources["photo"], text_of(each), "png") for each in (arguments, turned))
        if isinstance(one, Failure):
            assert one.detail == other.detail
        else:
            assert one["path"].read_bytes() == other["path"].read_bytes()
