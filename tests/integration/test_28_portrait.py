"""How a picture looks in a few bytes: colours, BlurHash, ThumbHash, placeholder.

The hashes are decoded here by decoders of our own, written from the published algorithms, and compared
with the picture; bit for bit they are compared with the references in tests/unit/test_miniature.c.
"""

import base64
import io
import math
import random

import pytest
from PIL import Image, ImageFilter

import pictures
from pictures import BLUE, GREEN, RED, YELLOW, is_near
from rendering import Failure, Renderer, own_renderer, renderer, shared     # noqa: F401

PLACEHOLDER_START = "data:image/webp;base64,"
PALETTE_MAX, PLACEHOLDER_MAX, PLACEHOLDER_SIDE = 5, 599, 24

# How far the mean of a ninth of the picture may be off, in levels of 255: few waves, told in 18 or 16 steps.
SOFT = 18


# ---- the decoders -------------------------------------------------------------------------------

BASE83 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"


def linear(level):
    value = level / 255
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def level(value):
    value = min(max(value, 0), 1)
    return round(255 * (12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055))


def blurhash_components(text):
    return BASE83.index(text[0]) % 9 + 1, BASE83.index(text[0]) // 9 + 1


def decode_blurhash(text, width, height):
    """github.com/woltapp/blurhash, Algorithm.md."""
    def number(digits):
        value = 0
        for digit in digits:
            value = value * 83 + BASE83.index(digit)
        return value

    across, down = blurhash_components(text)
    assert len(text) == 4 + 2 * across * down
    largest = (number(text[1]) + 1) / 166
    mean = number(text[2:6])
    terms = [[linear(mean >> 16), linear(mean >> 8 & 255), linear(mean & 255)]]
    for i in range(1, across * down):
        value = number(text[4 + 2 * i:6 + 2 * i])
        steps = [value // 361 - 9, value // 19 % 19 - 9, value % 19 - 9]
        terms.append([math.copysign((step / 9) ** 2, step) * largest for step in steps])
    image = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            waves = [math.cos(math.pi * i * x / width) * math.cos(math.pi * j * y / height)
                     for j in range(down) for i in range(across)]
            image.putpixel((x, y), tuple(level(sum(wave * term[c] for wave, term in zip(waves, terms)))
                                         for c in range(3)))
    return image


class ThumbHash:
    """github.com/evanw/thumbhash; `saturation` is what its decoders boost colours by."""

    def __init__(self, text, saturation=1.0):
        raw = base64.b64decode(text, validate=True)
        first, second = int.from_bytes(raw[:3], "little"), int.from_bytes(raw[3:5], "little")
        self.has_alpha, self.is_landscape = bool(first >> 23), bool(second >> 15)
        longest, shortest = 5 if self.has_alpha else 7, second & 7
        self.terms_across, self.terms_down = \
            (longest, shortest) if self.is_landscape else (shortest, longest)
        nibbles = [raw[i // 2] >> 4 * (i % 2) & 15 for i in range(2 * (6 if self.has_alpha else 5), 2 * len(raw))]

        def channel(across, down, mean, scale):
            terms = {(0, 0): mean}
            for j in range(down):
                for i in range(1 if j == 0 else 0, across):
                    if i * down < across * (down - j):
                        terms[i, j] = (nibbles.pop(0) / 7.5 - 1) * scale
            return terms

        self.l = channel(max(3, self.terms_across), max(3, self.terms_down), (first & 63) / 63,
                         (first >> 18 & 31) / 31)
        self.p = channel(3, 3, (first >> 6 & 63) / 31.5 - 1, (second >> 3 & 63) / 63 * saturation)
        self.q = channel(3, 3, (first >> 12 & 63) / 31.5 - 1, (second >> 9 & 63) / 63 * saturation)
        self.a = channel(5, 5, (raw[5] & 15) / 15, (raw[5] >> 4) / 15) if self.has_alpha else {(0, 0): 1.0}

    @property
    def shape(self):
        """Width by height, roughly."""
        return self.terms_across / self.terms_down

    def decode(self, width, height):
        def value(terms, x, y):
            return sum(term * (2 if i or j else 1) * math.cos(math.pi / width * (x + 0.5) * i)
                       * math.cos(math.pi / height * (y + 0.5) * j) for (i, j), term in terms.items())

        def pixel(x, y):
            l, p, q, a = (value(terms, x, y) for terms in (self.l, self.p, self.q, self.a))
            blue = l - 2 / 3 * p
            red = (3 * l - blue + q) / 2
            return tuple(round(255 * min(max(part, 0), 1)) for part in (red, red - q, blue, a))

        image = Image.new("RGBA", (width, height))
        image.putdata([pixel(x, y) for y in range(height) for x in range(width)])
        return image


def open_placeholder(text):
    assert len(text) <= PLACEHOLDER_MAX and text.startswith(PLACEHOLDER_START)
    raw = base64.b64decode(text.removeprefix(PLACEHOLDER_START), validate=True)
    assert b"EXIF" not in raw and b"ICCP" not in raw
    image = Image.open(io.BytesIO(raw))
    assert image.format == "WEBP" and image.mode == "RGB"
    return image


# ---- looking ------------------------------------------------------------------------------------


def portray(renderer, source, **limits):
    found = renderer.describe(source, **limits)
    assert not isinstance(found, Failure), found
    colours = [tuple(bytes.fromhex(word)) for word in found["palette"].split(":")]
    assert 1 <= len(colours) <= PALETTE_MAX and found["dominant"] == found["palette"].split(":")[0]
    assert len(found["blurhash"]) <= 28 and len(found["thumbhash"]) <= 36
    return {**found, "palette": colours}


def cells(image, across, down):
    """Mean colours of across x down equal parts."""
    return list(image.resize((across, down), Image.BOX).getdata())


def worst(image, wanted, across, down):
    """The largest difference of any mean."""
    return max(abs(a - b) for pair in zip(cells(image, across, down), cells(wanted, across, down))
               for a, b in zip(*pair))


def scene(width=480, height=320):
    """Red rises to the right, green falls downwards, blue does a little of both: it is plain which way is up,
    and there are no waves across both sides at once, which both hashes keep at half their strength."""
    down = Image.linear_gradient("L").resize((width, height), Image.BICUBIC)
    across = Image.linear_gradient("L").transpose(Image.ROTATE_90).resize((width, height), Image.BICUBIC)
    return Image.merge("RGB", (across.point(lambda v: 40 + 180 * v // 255), down.point(lambda v: 210 - 150 * v // 255),
                               Image.blend(across, down, 0.5).point(lambda v: 60 + 120 * v // 255)))


def encoded(image, form, **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


# ---- hashes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(480, 320), (320, 480), (300, 300)])
def test_blurhash_decodes_to_the_picture(renderer, size):
    source = scene(*size)
    found = portray(renderer, source)
    assert blurhash_components(found["blurhash"]) == ((3, 4) if size[1] > size[0] else (4, 3))
    decoded = decode_blurhash(found["blurhash"], 30, 30)
    assert worst(decoded, source, 3, 3) <= SOFT


@pytest.mark.parametrize("size", [(480, 320), (320, 480), (300, 300), (400, 100), (90, 360)])
def test_thumbhash_decodes_to_the_picture(renderer, size):
    """The shape is told in sevenths of the longer side: less than a fifth off at these."""
    source = scene(*size)
    found = ThumbHash(portray(renderer, source)["thumbhash"])
    assert not found.has_alpha and found.is_landscape == (size[0] > size[1])
    assert abs(math.log(found.shape * size[1] / size[0])) < math.log(1.2)
    assert worst(found.decode(30, 30).convert("RGB"), source, 3, 3) <= SOFT


def test_thumbhash_knows_transparency(renderer):
    source = Image.new("RGBA", (200, 100), (40, 160, 60, 255))
    source.paste((0, 0, 0, 0), (0, 0, 100, 100))
    source.putalpha(source.getchannel("A").filter(ImageFilter.GaussianBlur(12)))
    found = ThumbHash(portray(renderer, source)["thumbhash"])
    assert found.has_alpha and found.is_landscape
    decoded = found.decode(32, 16)
    assert decoded.getpixel((3, 8))[3] < 40 and decoded.getpixel((28, 8))[3] > 215
    assert is_near(decoded.getpixel((28, 8))[:3], (40, 160, 60), 16)


def test_an_opaque_alpha_channel_is_none(renderer):
    found = portray(renderer, scene().convert("RGBA"))
    assert not ThumbHash(found["thumbhash"]).has_alpha
    assert_shows(found, scene())


# ---- colours ------------------------------------------------------------------------------------


def test_finds_the_colours_of_a_picture_by_their_area(renderer):
    image = Image.new("RGB", (1000, 600), (250, 245, 235))
    image.paste(BLUE, (0, 0, 300, 600))
    image.paste(RED, (300, 400, 650, 600))
    found = portray(renderer, image)["palette"]
    assert [min(range(len(wanted)), key=lambda i: sum(abs(a - b) for a, b in zip(colour, wanted[i])))
            for wanted in [((250, 245, 235), BLUE, RED)] for colour in found[:3]] == [0, 1, 2]
    for colour, wanted in zip(found, ((250, 245, 235), BLUE, RED)):
        assert is_near(colour, wanted, 4)


def test_four_quarters_are_four_colours(renderer):
    found = portray(renderer, pictures.quadrants(1200, 1200))["palette"]
    assert all(any(is_near(colour, wanted, 6) for colour in found) for wanted in (RED, GREEN, BLUE, YELLOW))


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (255, 0, 0), (1, 2, 3), (119, 51, 170)])
def test_a_single_colour_is_exact(renderer, colour):
    found = portray(renderer, Image.new("RGB", (333, 77), colour))
    assert found["palette"] == [colour]
    assert cells(decode_blurhash(found["blurhash"], 4, 4), 1, 1)[0] == pytest.approx(colour, abs=4)
    assert is_near(open_placeholder(found["placeholder"]).getpixel((3, 3)), colour, 6)


def squared_error(image, palette):
    """How far pixels are from the nearest colour, squared, on average."""
    return sum(min(sum((a - b) ** 2 for a, b in zip(pixel, colour)) for colour in palette)
               for pixel in image.getdata()) / (image.width * image.height)


@pytest.mark.parametrize("make", [pictures.photo, scene])
def test_five_colours_stand_for_a_photo_as_well_as_the_reference(renderer, make):
    """PIL's median cut, refined by its k-means, works in sRGB, where the error is measured: ours may be a
    fifth larger."""
    source = make()
    palette = portray(renderer, source)["palette"]
    small = source.resize((60, 40), Image.BOX)
    reference = small.quantize(5, Image.MEDIANCUT, kmeans=5).getpalette()[:15]
    wanted = [tuple(reference[i:i + 3]) for i in range(0, 15, 3)]
    assert len(palette) == 5
    assert squared_error(small, palette) <= 1.2 * squared_error(small, wanted)


def test_what_is_transparent_is_white_for_all_but_thumbhash(renderer):
    source = Image.new("RGBA", (200, 100), (200, 0, 0, 0))
    source.paste((0, 0, 0, 128), (0, 0, 60, 100))
    found = portray(renderer, source)
    assert found["palette"] == [(255, 255, 255), (127, 127, 127)]
    placeholder = open_placeholder(found["placeholder"])
    assert is_near(placeholder.getpixel((2, 6)), (127, 127, 127), 8)
    assert is_near(placeholder.getpixel((20, 6)), (255, 255, 255), 8)


# ---- the placeholder -------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(480, 320), (320, 480), (300, 300), (1000, 50), (50, 1000)])
def test_the_placeholder_is_the_picture_in_small(renderer, size):
    source = scene(*size)
    found = open_placeholder(portray(renderer, source)["placeholder"])
    assert max(found.size) == PLACEHOLDER_SIDE
    assert min(found.size) == max(1, round(PLACEHOLDER_SIDE * min(size) / max(size)))
    assert pictures.distance(found.convert("RGB"), source.resize(found.size, Image.LANCZOS)) < 12


def test_noise_makes_a_smaller_placeholder_and_not_a_longer_one(renderer):
    noise = Image.frombytes("RGB", (24, 24), random.Random(5).randbytes(24 * 24 * 3))
    image = open_placeholder(portray(renderer, noise)["placeholder"])
    assert 8 <= image.width == image.height < PLACEHOLDER_SIDE


def test_a_small_picture_is_not_enlarged(renderer):
    assert open_placeholder(portray(renderer, pictures.quadrants(10, 6))["placeholder"]).size == (10, 6)


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 3), (4000, 1), (1, 4000), (99, 100), (101, 100)])
def test_every_shape_has_a_portrait(renderer, size):
    found = portray(renderer, Image.new("RGB", size, RED))
    assert found["palette"] == [RED]
    open_placeholder(found["placeholder"])
    decode_blurhash(found["blurhash"], 2, 2)
    ThumbHash(found["thumbhash"]).decode(2, 2)


# ---- what is looked at ---------------------------------------------------------------------------


def assert_shows(found, wanted, tolerance=SOFT):
    """All but the palette is turned and coloured as `wanted`."""
    for decoded in (decode_blurhash(found["blurhash"], 24, 24), open_placeholder(found["placeholder"]),
                    ThumbHash(found["thumbhash"]).decode(24, 24).convert("RGB")):
        assert worst(decoded, wanted, 3, 3) <= tolerance


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_portrait_is_upright(renderer, orientation):
    stored = pictures.lain_down(scene(), orientation)
    source = encoded(stored, "JPEG", quality=95, exif=pictures.exif_orientation(orientation))
    assert_shows(portray(renderer, source), scene())


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "GIF"])
def test_every_format_has_a_portrait(renderer, form):
    assert_shows(portray(renderer, encoded(scene(), form)), scene(), 2 * SOFT if form == "GIF" else SOFT)


@pytest.mark.parametrize("to", ["avif", "jxl"])
def test_what_pil_does_not_write_has_a_portrait(renderer, to):
    assert_shows(portray(renderer, renderer.render_file(scene(), "q=90", to)), scene())


@pytest.mark.parametrize("form", ["GIF", "WEBP"])
def test_an_animation_is_portrayed_by_its_first_frame(renderer, form):
    frames = [Image.new("RGB", (60, 40), colour) for colour in (RED, GREEN, BLUE)]
    found = portray(renderer, encoded(frames[0], form, save_all=True, append_images=frames[1:], duration=100))
    assert found["frames"] == "3"
    assert len(found["palette"]) == 1 and is_near(found["palette"][0], RED, 6)


def test_svg_is_drawn_for_its_portrait(renderer):
    source = b'<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><rect width="10" height="10" ' \
        b'fill="#0000c8"/></svg>'
    found = portray(renderer, source)
    assert set(found["palette"][:2]) == {(0, 0, 200), (255, 255, 255)}
    assert ThumbHash(found["thumbhash"]).has_alpha
    assert open_placeholder(found["placeholder"]).size == (24, 12)      # a drawing has no pixels of its own


def test_grey_cmyk_sixteen_bits_and_palettes_have_colours(renderer):
    grey = portray(renderer, encoded(Image.new("L", (50, 50), 77), "PNG"))
    assert grey["palette"] == [(77, 77, 77)]
    grey_alpha = portray(renderer, encoded(Image.new("LA", (50, 50), (77, 255)), "PNG"))
    assert grey_alpha["palette"] == [(77, 77, 77)]
    deep = portray(renderer, pictures.png(20, 20, lambda x, y: (0x4dff, 0x0100, 0xffff), depth=16))
    assert is_near(deep["palette"][0], (77, 1, 255), 1)
    indexed = portray(renderer, encoded(Image.new("RGB", (20, 20), RED).quantize(2), "PNG"))
    assert indexed["palette"] == [RED]
    inks = portray(renderer, encoded(Image.new("CMYK", (50, 50), (0, 255, 255, 0)), "JPEG", quality=95))
    red, green, blue = inks["palette"][0]
    assert red > 150 and green < 80 and blue < 80


def test_a_profile_that_is_nonsense_does_not_prevent_a_portrait(renderer):
    for profile in (b"nonsense", b"\0" * 200, random.Random(3).randbytes(600)):
        source = encoded(scene(), "PNG", icc_profile=profile)
        assert_shows(portray(renderer, source), scene())


def test_the_same_file_has_the_same_portrait(renderer):
    one, other = (portray(renderer, pictures.photo()) for _ in range(2))
    facts = ("palette", "blurhash", "thumbhash", "placeholder")
    assert [one[fact] for fact in facts] == [other[fact] for fact in facts]


# ---- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "GIF"])
@pytest.mark.parametrize("part", [0.5, 0.9])
def test_a_file_that_is_cut_off_is_refused(renderer, form, part):
    whole = encoded(pictures.photo(600, 400), form)
    found = renderer.describe(whole[:int(len(whole) * part)])
    assert isinstance(found, Failure) and found.kind == "unprocessable", found


def test_a_jpeg_whose_decoder_makes_up_what_is_missing_is_refused(renderer):
    """libjpeg fills up with grey after a marker that ends the picture too early, and calls it a warning."""
    whole = encoded(pictures.photo(600, 400), "JPEG")
    middle = len(whole) // 2
    found = renderer.describe(whole[:middle] + b"\xff\xd9" + whole[middle + 2:])
    assert isinstance(found, Failure) and found.kind == "unprocessable", found


def test_a_picture_over_the_limit_is_refused(renderer):
    found = renderer.describe(Image.new("RGB", (1001, 1000), RED), max_pixels=1_000_000)
    assert isinstance(found, Failure) and found.kind == "unprocessable" and "1000000" in found.detail


def test_a_picture_at_the_limit_has_a_portrait(renderer):
    assert portray(renderer, Image.new("RGB", (1000, 1000), RED), max_pixels=1_000_000)["palette"] == [RED]
