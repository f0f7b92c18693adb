"""Adjustments against models of a few lines: colours by the W3C's formulas, blurs by their masks.

Pictures are small, synthetic, and PNG in and out, so nothing else changes them.  A step rounds once, so
every value may be off by one level (where a half is reckoned as 0.4999); through two steps by two.
"""

import itertools
import math

import pytest
from PIL import Image

import icc
import pictures
from rendering import Renderer, assert_pixel, encoded, own_renderer, renderer, shared  # noqa: F401

WIDTH, HEIGHT = 30, 20


def colour_at(x, y):
    """All of the cube of colours in a few hundred pixels, the eight corners among them."""
    if y == 0 and x < 8:
        return 255 * (x & 1), 255 * (x >> 1 & 1), 255 * (x >> 2 & 1)
    return (x * 37 + y * 11) % 256, (x * 9 + y * 53) % 256, (x * 101 + y * 29) % 256


def alpha_at(x, y):
    return 0 if (x + y) % 7 == 0 else (x * 23 + y * 67) % 256


PLACES = [(x, y) for y in range(HEIGHT) for x in range(WIDTH)]


def picture(mode):
    image = Image.new(mode, (WIDTH, HEIGHT))
    for x, y in PLACES:
        colour, alpha = colour_at(x, y), (alpha_at(x, y),)
        pixel = colour if mode.startswith("RGB") else colour[:1]
        image.putpixel((x, y), pixel + alpha if mode.endswith("A") else pixel)
    return image


def rounded(value):
    return min(255, max(0, math.floor(value + 0.5)))


# ---- colours: Filter Effects Module Level 1, sections 9.6 and 13.1 ----------------------------


def matrix(rows, offset=(0, 0, 0)):
    return lambda pixel: tuple(rounded(sum(k * c for k, c in zip(row, pixel)) + add)
                               for row, add in zip(rows, offset))


def each(function):
    return lambda pixel: tuple(rounded(function(c)) for c in pixel)


def saturate(s):
    return matrix(((0.213 + 0.787 * s, 0.715 - 0.715 * s, 0.072 - 0.072 * s),
                   (0.213 - 0.213 * s, 0.715 + 0.285 * s, 0.072 - 0.072 * s),
                   (0.213 - 0.213 * s, 0.715 - 0.715 * s, 0.072 + 0.928 * s)))


def hue_rotate(degrees):
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return matrix(((0.213 + c * 0.787 - s * 0.213, 0.715 - c * 0.715 - s * 0.715, 0.072 - c * 0.072 + s * 0.928),
                   (0.213 - c * 0.213 + s * 0.143, 0.715 + c * 0.285 + s * 0.140, 0.072 - c * 0.072 - s * 0.283),
                   (0.213 - c * 0.213 - s * 0.787, 0.715 - c * 0.715 + s * 0.715, 0.072 + c * 0.928 + s * 0.072)))


def grayscale(pixel):
    return (rounded(0.2126 * pixel[0] + 0.7152 * pixel[1] + 0.0722 * pixel[2]),) * 3


def sepia(amount):
    k = 1 - amount
    return matrix(((0.393 + 0.607 * k, 0.769 - 0.769 * k, 0.189 - 0.189 * k),
                   (0.349 - 0.349 * k, 0.686 + 0.314 * k, 0.168 - 0.168 * k),
                   (0.272 - 0.272 * k, 0.534 - 0.534 * k, 0.131 + 0.869 * k)))


def duotone(dark, light):
    def of(pixel):
        luma = (0.2126 * pixel[0] + 0.7152 * pixel[1] + 0.0722 * pixel[2]) / 255
        return tuple(rounded(low + (high - low) * luma) for low, high in zip(dark, light))
    return of


def tint(colour, amount):
    return lambda pixel: tuple(rounded(c * (1 - amount) + other * amount) for c, other in zip(pixel, colour))


# In the order of the pipeline: what a URL says, and what it means.
COLOUR_STEPS = [
    ("bri=40", each(lambda c: c * 1.4)),
    ("con=-30", each(lambda c: c * 0.7 + 0.15 * 255)),
    ("sat=60", saturate(1.6)),
    ("hue=75", hue_rotate(75)),
    ("gamma=1.8", each(lambda c: 255 * (c / 255) ** (1 / 1.8))),
    ("invert=1", each(lambda c: 255 - c)),
    ("gray=1", grayscale),
    ("sepia=70", sepia(0.7)),
    ("duotone=102a60:ffe8b0", duotone((0x10, 0x2A, 0x60), (0xFF, 0xE8, 0xB0))),
    ("tint=d04020:35", tint((0xD0, 0x40, 0x20), 0.35)),
]
OTHER_VALUES = [
    ("bri=-100", each(lambda c: 0)), ("bri=-35", each(lambda c: c * 0.65)), ("bri=100", each(lambda c: c * 2)),
    ("con=-100", each(lambda c: 127.5)), ("con=100", each(lambda c: c * 2 - 127.5)),
    ("sat=-100", saturate(0)), ("sat=-45", saturate(0.55)), ("sat=100", saturate(2)),
    ("hue=1", hue_rotate(1)), ("hue=90", hue_rotate(90)), ("hue=180", hue_rotate(180)),
    ("hue=300", hue_rotate(300)), ("hue=359", hue_rotate(359)),
    ("gamma=0.1", each(lambda c: 255 * (c / 255) ** 10)), ("gamma=10", each(lambda c: 255 * (c / 255) ** 0.1)),
    ("sepia=1", sepia(0.01)), ("sepia=100", sepia(1)),
    ("duotone=ffffff:000000", duotone((255, 255, 255), (0, 0, 0))),
    ("tint=00ff40", tint((0, 255, 0x40), 0.5)), ("tint=00ff40:100", tint((0, 255, 0x40), 1)),
]
FOCUS_STEPS = ["blur=1.5", "pixelate=4", "sharpen=0.8", "usm=1.2:1:4"]


def assert_colours(image, wanted, tolerance=1):
    """wanted(x, y) is the colour without alpha."""
    result = image.convert("RGB")
    for at in PLACES:
        assert_pixel(result, at, wanted(*at), tolerance)


def source_colour(mode, x, y):
    return colour_at(x, y) if mode.startswith("RGB") else colour_at(x, y)[:1] * 3


def assert_same_alpha(image, mode):
    assert image.mode.endswith("A") == mode.endswith("A")
    for at in PLACES if mode.endswith("A") else ():
        assert image.getpixel(at)[-1] == alpha_at(*at)


@pytest.mark.parametrize("mode", ("RGB", "RGBA", "L", "LA"))
def test_colours_are_those_of_the_formulas_and_alpha_stays(renderer, mode):
    source = renderer.file(picture(mode))
    for recipe, step in COLOUR_STEPS + OTHER_VALUES:
        image = renderer.render(source, recipe)
        assert_colours(image, lambda x, y: step(source_colour(mode, x, y)))
        assert_same_alpha(image, mode)


def test_grey_pictures_get_colours_only_when_needed(renderer):
    for source_mode, alpha in (("L", ""), ("LA", "A")):
        source = renderer.file(picture(source_mode))
        for recipe in [recipe for recipe, _ in COLOUR_STEPS[:7]] + FOCUS_STEPS + ["gray=1,blur=2,bg=777"]:
            wanted = "L" if "bg" in recipe else "L" + alpha
            assert renderer.render(source, recipe).mode == wanted, recipe
        for recipe, _ in COLOUR_STEPS[7:]:
            assert renderer.render(source, recipe).mode == "RGB" + alpha, recipe
    assert renderer.render(picture("RGBA"), "gray=1").mode == "LA"
    assert renderer.render(picture("RGB"), "gray=1,sepia=40").mode == "RGB"


@pytest.mark.parametrize("mode", ("RGB", "RGBA"))
def test_pairs_of_colours_are_taken_in_the_order_of_the_pipeline(renderer, mode):
    source = renderer.file(picture(mode))
    for (first, one), (second, two) in itertools.combinations(COLOUR_STEPS, 2):
        image = renderer.render(source, f"{second},{first}").convert("RGB")
        wanted = Image.new("RGB", image.size)
        wanted.putdata([two(one(colour_at(*at))) for at in PLACES])
        assert pictures.distance(image, wanted) < 0.3, f"{first} and {second}"


def test_the_order_in_a_url_does_not_matter(renderer):
    source = renderer.file(picture("RGBA"))
    for first, second in itertools.combinations([recipe for recipe, _ in COLOUR_STEPS] + FOCUS_STEPS, 2):
        files = [renderer.render_file(source, recipe).read_bytes()
                 for recipe in (f"{first},{second}", f"{second},{first}")]
        assert files[0] == files[1], f"{first} and {second}"


def test_what_changes_nothing_changes_nothing(renderer):
    source = picture("RGBA")
    for recipe in ("bri=0", "sat=0,hue=0", "gamma=1,gray=0", "pixelate=2,dpr=0.5"):
        assert renderer.render(source, recipe).tobytes() == source.tobytes(), recipe


# ---- blur, pixelate, sharpen, usm: planes of numbers, row by row ---------------------------------


def planes_of(image):
    samples = list(image.getdata())
    samples = [pixel if isinstance(pixel, tuple) else (pixel,) for pixel in samples]
    width, height = image.size
    return [[[samples[y * width + x][band] for x in range(width)] for y in range(height)]
            for band in range(len(samples[0]))]


def gauss_row(row, sigma):
    reach = int(math.sqrt(2 * math.log(1000)) * sigma)
    weights = [math.exp(-x * x / (2 * sigma * sigma)) for x in range(-reach, reach + 1)]
    far = [row[0]] * reach + row + [row[-1]] * reach
    return [sum(map(lambda w, v: w * v, weights, far[x:x + 2 * reach + 1])) / sum(weights) for x in range(len(row))]


def transposed(plane):
    return [list(column) for column in zip(*plane)]


def gauss(plane, sigma):
    across = [gauss_row(row, sigma) for row in plane]
    return transposed([gauss_row(column, sigma) for column in transposed(across)])


def by_place(function, *planes):
    return [[function(*values) for values in zip(*rows)] for rows in zip(*planes)]


def blurred(planes, sigma):
    """Of colours, or of colours and alpha: weighted by it."""
    if len(planes) in (1, 3):
        return [gauss(plane, sigma) for plane in planes]
    *colours, alpha = planes
    weight = gauss(alpha, sigma)
    return [by_place(lambda mixed, w: mixed / w if w > 0 else 0,
                     gauss(by_place(lambda c, a: c * a, plane, alpha), sigma), weight)
            for plane in colours] + [weight]


def assert_planes(image, wanted, tolerance=1):
    """Where a pixel is fully transparent its colour does not matter."""
    result = planes_of(image)
    assert len(result) == len(wanted)
    visible = result[-1] if image.mode.endswith("A") else [[255] * image.width] * image.height
    for band, (plane, model) in enumerate(zip(result, wanted)):
        for y, rows in enumerate(zip(plane, model, visible)):
            for x, (value, number, alpha) in enumerate(zip(*rows)):
                assert alpha == 0 or abs(value - rounded(number)) <= tolerance, \
                    f"{value} in band {band} at {x}, {y}, wanted {number}"


MODES = ("RGB", "RGBA", "L", "LA")


@pytest.mark.parametrize("mode", MODES)
def test_blur_is_a_gaussian(renderer, mode):
    source = picture(mode)
    for sigma in (0.3, 0.5, 1, 2.75):
        assert_planes(renderer.render(source, f"blur={sigma}"), blurred(planes_of(source), sigma))


@pytest.mark.parametrize("mode", ("L", "LA"))
@pytest.mark.parametrize("sigma", (4, 7.3, 20, 100))
def test_a_wide_blur_is_a_gaussian_too(renderer, sigma, mode):
    """It is reckoned in a smaller picture; with hard edges, also at the sides, where they count most."""
    source = Image.new("L", (97, 53))
    source.paste(255, (30, 10, 70, 53))
    source.paste(200, (0, 0, 97, 1))
    source.paste(90, (96, 0, 97, 53))
    if mode == "LA":
        source.putalpha(source.transpose(Image.FLIP_LEFT_RIGHT).point(lambda alpha: 255 - alpha // 2))
    assert_planes(renderer.render(source, f"blur={sigma}"), blurred(planes_of(source), sigma))


def means_of_blocks(planes, side):
    """Of colours weighted by alpha, the last plane."""
    height, width = len(planes[0]), len(planes[0][0])
    result = [[[0] * width for _ in range(height)] for _ in planes]
    for top, left in itertools.product(range(0, height, side), range(0, width, side)):
        places = [(x, y) for y in range(top, min(top + side, height)) for x in range(left, min(left + side, width))]
        weight = sum(planes[-1][y][x] for x, y in places)
        means = [sum(plane[y][x] * planes[-1][y][x] for x, y in places) / weight if weight else 0
                 for plane in planes[:-1]] + [weight / len(places)]
        for x, y in places:
            for plane, mean in zip(result, means):
                plane[y][x] = mean
    return result


@pytest.mark.parametrize("mode", MODES)
def test_pixelate_gives_each_block_its_average(renderer, mode):
    source = picture(mode)
    planes = planes_of(source)
    if not mode.endswith("A"):
        planes.append([[255] * WIDTH] * HEIGHT)
    for side in (2, 7, 19, 256):
        wanted = means_of_blocks(planes, side)[:len(source.getbands())]
        assert_planes(renderer.render(source, f"pixelate={side}"), wanted)


def luma_of(planes):
    if len(planes) < 3:
        return planes[0]
    return by_place(lambda r, g, b: 0.2126 * r + 0.7152 * g + 0.0722 * b, *planes[:3])


@pytest.mark.parametrize("mode", MODES)
def test_sharpen_adds_what_a_blur_takes_from_the_lightness(renderer, mode):
    source = picture(mode)
    planes = planes_of(source)
    colours = 3 if mode.startswith("RGB") else 1
    for sigma in (0.3, 0.7, 2.4):
        more = by_place(lambda light, soft: light - soft, luma_of(planes), luma_of(blurred(planes, sigma)))
        wanted = [by_place(lambda c, d: c + d, plane, more) for plane in planes[:colours]]
        image = renderer.render(source, f"sharpen={sigma}")
        assert_planes(image, wanted + planes[colours:])
        assert_same_alpha(image, mode)


@pytest.mark.parametrize("mode", MODES)
def test_usm_adds_what_a_blur_takes_from_each_colour(renderer, mode):
    source = picture(mode)
    planes = planes_of(source)
    colours = 3 if mode.startswith("RGB") else 1
    for amount, sigma, threshold in ((0.05, 0.5, 0), (1.5, 1, 0), (5, 0.8, 0), (0.8, 2.4, 30), (2, 1, 255)):
        def sharpened(c, soft):
            return c + amount * (c - soft) if abs(c - soft) >= threshold else c

        wanted = [by_place(sharpened, plane, soft) for plane, soft in zip(planes, blurred(planes, sigma))]
        image = renderer.render(source, f"usm={amount}:{sigma}:{threshold}")
        assert_planes(image, wanted[:colours] + planes[colours:])
        assert_same_alpha(image, mode)


def test_dpr_multiplies_every_length(renderer):
    source = renderer.file(picture("RGBA"))
    for plain, doubled in (("blur=3", "blur=1.5,dpr=2"), ("pixelate=6", "pixelate=3,dpr=2"),
                           ("sharpen=1.2", "sharpen=0.6,dpr=2"), ("usm=1:2:3", "usm=1:1:3,dpr=2"),
                           ("pixelate=5", "pixelate=3,dpr=1.5"), ("blur=80,sharpen=8", "blur=10,sharpen=1,dpr=8")):
        assert renderer.render_file(source, plain).read_bytes() == \
            renderer.render_file(source, doubled).read_bytes(), doubled


def test_transparent_pixels_do_not_bleed(renderer):
    """Loud green that nobody sees, beside grey."""
    source = Image.new("RGBA", (40, 40), (0, 255, 0, 0))
    source.paste((120, 120, 120, 255), (20, 0, 40, 40))
    for recipe in ("blur=2", "blur=9", "pixelate=15", "sharpen=2", "usm=2:2:0", "w=17", "blur=0.3,sharpen=3"):
        image = renderer.render(source, recipe)
        for pixel in image.getdata():
            assert pixel[3] == 0 or all(abs(c - 120) <= 1 for c in pixel[:3]), f"{pixel} after {recipe}"


def test_the_widest_blur_of_a_large_picture_takes_no_time_for_its_width(renderer):
    source = renderer.file(encoded(pictures.photo(800, 600), "PNG"))
    narrow = int(renderer.try_render(source, "blur=2")["total_us"])
    for recipe in ("blur=100", "blur=100,dpr=8", "usm=5:20:0,dpr=8"):
        wide = int(renderer.try_render(source, recipe)["total_us"])
        assert wide < 4 * narrow + 200_000, f"{recipe} took {wide} us, blur=2 {narrow}"


# ---- with the rest of the pipeline -----------------------------------------------------------------


def test_adjustments_follow_the_resize(renderer):
    """Blocks of the result, not of the original."""
    image = renderer.render(pictures.quadrants(120, 80), "w=60,pixelate=30").convert("RGB")
    assert image.getpixel((0, 0)) == image.getpixel((29, 29)) != image.getpixel((30, 29))
    assert image.getpixel((0, 29)) != image.getpixel((0, 30)) == image.getpixel((0, 39))


def test_a_profile_that_is_kept_stays_as_it_is(renderer):
    profile = icc.display_p3()
    source = encoded(picture("RGB"), "PNG", icc_profile=profile)
    for recipe, step in COLOUR_STEPS:
        image = renderer.render(source, f"icc=keep,{recipe}")
        assert image.info["icc_profile"] == profile, recipe
        assert_colours(image, lambda x, y: step(colour_at(x, y)))
    for recipe in FOCUS_STEPS:
        assert renderer.render(source, f"icc=keep,{recipe}").info["icc_profile"] == profile, recipe


def test_every_frame_is_adjusted(renderer):
    colours = [(200, 40, 30), (30, 160, 60), (40, 60, 190)]
    frames = [Image.new("RGB", (24, 16), colour) for colour in colours]
    source = renderer.file(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=80))
    for recipe, step in COLOUR_STEPS:
        image = renderer.render(source, recipe, "gif")
        assert image.n_frames == 3
        for i, colour in enumerate(colours):
            image.seek(i)
            assert_pixel(image.convert("RGB"), (12, 8), step(colour), 4)
    for recipe in FOCUS_STEPS:
        assert renderer.render(source, recipe, "gif").n_frames == 3
