"""Pictures, made by the real vitrine-renderer: sizes, colours, and bytes that mean harm."""

import io
import os
import re
import signal
import struct
import subprocess
import threading

import pytest
from PIL import Image, ImageCms

import icc
import pictures
from pictures import BLUE, GREEN, RED, YELLOW, distance, is_near
from rendering import (Failure, Renderer, assert_corners, assert_pixel, encoded, measures_memory, own_renderer,
                       renderer, shared)

FORMATS = ("jpg", "png", "webp", "avif", "gif", "jxl")
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


# ---- sizes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", FORMATS)
def test_writes_every_format(renderer, to):
    image = renderer.render(pictures.quadrants(), "w=60", to)
    assert image.size == (60, 40)
    assert_corners(image, (RED, GREEN, BLUE, YELLOW))


@pytest.mark.parametrize("form", ("JPEG", "PNG", "WEBP", "GIF", "TIFF"))
def test_reads_every_format(renderer, form):
    source = encoded(pictures.quadrants(), form)
    told = renderer.describe(source)
    assert (told["width"], told["height"], told["frames"]) == ("120", "80", "1")
    assert told["media"] == {"JPEG": "jpg"}.get(form, form.lower())
    assert_corners(renderer.render(source, "w=60"), (RED, GREEN, BLUE, YELLOW))


@pytest.mark.parametrize("to", ("avif", "jxl"))
def test_reads_what_it_alone_writes(renderer, to):
    path = renderer.render_file(pictures.quadrants(), "-", to)
    told = renderer.describe(path)
    assert (told["media"], told["width"], told["height"]) == (to, "120", "80")
    assert_corners(renderer.render(path, "w=60"), (RED, GREEN, BLUE, YELLOW))


HEIF = (("heic", "hevc"), ("avif", "av1"))


def heif(folder, image, compression, *options):
    """By libvips' own command, because PIL writes none."""
    image.save(folder / "plain.png")
    subprocess.run(["vips", "heifsave", folder / "plain.png", folder / "made.heif", "--compression", compression,
                    *options], check=True, timeout=30)
    return (folder / "made.heif").read_bytes()


@pytest.mark.parametrize("form, compression", HEIF)
def test_reads_heif_of_every_depth_and_with_transparency(renderer, tmp_path, form, compression):
    for depth in (8, 12):
        source = heif(tmp_path, pictures.quadrants(), compression, "--bitdepth", str(depth))
        told = renderer.describe(source)
        assert (told["media"], told["width"], told["height"], told["alpha"]) == (form, "120", "80", "0")
        for recipe in ("-", "w=60"):
            assert_corners(renderer.render(source, recipe), (RED, GREEN, BLUE, YELLOW))
    source = heif(tmp_path, half_transparent(), compression)
    assert renderer.describe(source)["alpha"] == "1"
    image = renderer.render(source, "w=40")
    assert_pixel(image, (8, 10), RED + (255,), 8)
    assert image.getpixel((34, 10))[3] <= 1


@pytest.mark.parametrize("form, compression", HEIF)
def test_a_heif_is_turned_by_its_box_and_not_by_its_exif(renderer, tmp_path, form, compression):
    upright = pictures.quadrants()
    plain = heif(tmp_path, upright, compression)
    # ISO/IEC 23008-12 section 6.5.10: quarters against the clock.  It takes the place of "pixi", which is longer.
    at = plain.index(b"pixi")
    for quarters, step in ((1, Image.ROTATE_90), (2, Image.ROTATE_180), (3, Image.ROTATE_270)):
        source = renderer.file(plain[:at] + b"irot" + bytes((quarters,)) + plain[at + 5:])
        wanted = upright.transpose(step)
        told = renderer.describe(source)
        assert (int(told["width"]), int(told["height"]), told["orientation"]) == (*wanted.size, "1")
        made = renderer.render(source, "crop=0:0:40:40")
        assert distance(made, wanted.crop((0, 0, 40, 40))) < 3
        assert distance(renderer.render(source), wanted) < 3
    tagged = tmp_path / f"tagged.{form}"
    tagged.write_bytes(plain)
    exiftool("-q", "-overwrite_original", "-n", "-Orientation=6", str(tagged))
    assert renderer.describe(tagged)["orientation"] == "1"
    assert distance(renderer.render(tagged), upright) < 3


@pytest.mark.parametrize("form, compression", HEIF)
def test_damage_and_size_of_a_heif_are_told(renderer, tmp_path, form, compression):
    whole = heif(tmp_path, pictures.photo(300, 200), compression)
    for part in (0.1, 0.5, 0.95):
        failure = renderer.try_render(whole[:int(part * len(whole))], "w=50")
        assert isinstance(failure, Failure) and failure.kind == "unprocessable", failure
    at = whole.index(b"ispe") + 8
    failure = renderer.try_render(whole[:at] + struct.pack(">II", 16000, 16000) + whole[at + 8:], "w=5")
    assert failure.kind == "unprocessable" and "16000 x 16000 pixels, the limit" in failure.detail


SIZES = [
    # source, recipe, result
    ((1200, 800), "-", (1200, 800)),
    ((1200, 800), "w=400", (400, 267)),
    ((1200, 800), "h=400", (600, 400)),
    ((1200, 800), "w=300,h=300", (300, 200)),
    ((800, 1200), "w=300,h=300", (200, 300)),
    ((1200, 800), "w=300,h=300,fit=cover", (300, 300)),
    ((1200, 800), "w=300,h=100,fit=cover", (300, 100)),
    ((1200, 800), "w=300,h=300,fit=fill", (300, 300)),
    ((1200, 800), "w=300,h=300,fit=pad", (300, 300)),
    ((1200, 800), "w=300,h=300,fit=outside", (450, 300)),
    ((1200, 800), "w=200,dpr=2", (400, 267)),
    ((1200, 800), "w=333,dpr=1.5", (500, 333)),
    ((1200, 800), "w=2400", (1200, 800)),
    ((1200, 800), "w=1800,enlarge=1", (1800, 1200)),
    ((1200, 800), "w=2400,h=2400,fit=cover", (800, 800)),
    ((1200, 800), "w=1300,h=900,fit=pad", (1300, 900)),
    ((1200, 800), "crop=100:100:200:300", (200, 300)),
    ((1200, 800), "crop=100:100:200:300,w=77", (77, 116)),
    ((1200, 800), "crop=0.5:0.5:0.5:0.5,h=50", (75, 50)),
    ((3, 1000), "h=100", (1, 100)),
    ((1, 1), "w=100", (1, 1)),
    ((1, 1), "w=50,h=70,fit=fill,enlarge=1", (50, 70)),
    ((1199, 797), "w=101", (101, 67)),
]


@pytest.mark.parametrize("form", ("PNG", "JPEG", "WEBP"))
def test_sizes_are_exact(renderer, form):
    for size, recipe, wanted in SIZES:
        image = renderer.render(encoded(pictures.quadrants(*size), form), recipe)
        assert image.size == wanted, f"{form} of {size} with {recipe}"


def test_every_width_is_exact_whatever_the_decoder_shrinks_by(renderer):
    source = renderer.file(encoded(pictures.quadrants(1013, 677), "JPEG"))
    for width in range(1, 1013, 7):
        outcome = renderer.try_render(source, f"w={width},h=9,fit=fill", "jpg")
        assert (outcome["result_width"], outcome["result_height"]) == (str(width), "9")
        assert Image.open(outcome["path"]).size == (width, 9)


# ---- orientation and gravity -------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(renderer, orientation):
    stored = pictures.lain_down(pictures.quadrants(960, 640), orientation)
    source = renderer.file(encoded(stored, "JPEG", exif=pictures.exif_orientation(orientation), quality=95))
    assert renderer.describe(source)["orientation"] == str(orientation)
    for recipe, size in (("-", (960, 640)), ("w=90", (90, 60)), ("w=40,h=40,fit=pad", (40, 40)),
                         ("w=60,h=60,fit=cover", (60, 60)), ("w=60,h=80,fit=fill", (60, 80))):
        image = renderer.render(source, recipe, "jpg")
        assert image.size == size
        assert image.getexif().get(0x0112, 1) == 1
        if recipe != "w=40,h=40,fit=pad":
            assert_corners(image, (RED, GREEN, BLUE, YELLOW), 16)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_crop_is_in_pixels_of_the_upright_picture(renderer, orientation):
    stored = pictures.lain_down(pictures.quadrants(960, 640), orientation)
    source = renderer.file(encoded(stored, "JPEG", exif=pictures.exif_orientation(orientation), quality=95))
    for crop, colour in (("0:0:480:320", RED), ("480:0:480:320", GREEN), ("0:320:480:320", BLUE),
                         ("480:320:480:320", YELLOW)):
        for recipe in (f"crop={crop}", f"crop={crop},w=48"):
            assert_corners(renderer.render(source, recipe), [colour] * 4, 16)


# Quadrants of 120 x 80: in a window of 40 x 80 or 120 x 20, what is left of them.
GRAVITIES = [
    ("w=40,h=80,g=w", (RED, RED, BLUE, BLUE)),
    ("w=40,h=80,g=e", (GREEN, GREEN, YELLOW, YELLOW)),
    ("w=40,h=80,g=c", (RED, GREEN, BLUE, YELLOW)),
    ("w=40,h=80", (RED, GREEN, BLUE, YELLOW)),
    ("w=120,h=20,g=n", (RED, GREEN, RED, GREEN)),
    ("w=120,h=20,g=s", (BLUE, YELLOW, BLUE, YELLOW)),
    ("w=40,h=80,g=nw", (RED, RED, BLUE, BLUE)),
    ("w=120,h=20,g=se", (BLUE, YELLOW, BLUE, YELLOW)),
    ("w=40,h=80,g=0.1:0.5", (RED, RED, BLUE, BLUE)),
    ("w=120,h=20,g=0.5:0.9", (BLUE, YELLOW, BLUE, YELLOW)),
]


@pytest.mark.parametrize("recipe, wanted", GRAVITIES)
def test_gravity_chooses_what_cover_keeps(renderer, recipe, wanted):
    assert_corners(renderer.render(pictures.quadrants(), f"{recipe},fit=cover"), wanted)


def test_pad_puts_the_picture_where_gravity_says(renderer):
    image = renderer.render(pictures.quadrants(), "w=120,h=120,fit=pad,g=n,bg=0000ff").convert("RGB")
    assert_pixel(image, (2, 2), RED)
    assert_pixel(image, (2, 77), BLUE)
    assert_pixel(image, (2, 83), (0, 0, 255))
    assert_pixel(image, (60, 118), (0, 0, 255))


# ---- colours -----------------------------------------------------------------------------------


def one_colour(mode, colour, size=(64, 64)):
    return Image.new(mode, size, colour)


def test_untagged_colours_stay_as_they_are(renderer):
    for to, tolerance in (("png", 0), ("jpg", 2), ("webp", 3), ("avif", 3), ("jxl", 3), ("gif", 2)):
        image = renderer.render(one_colour("RGB", (201, 50, 41)), "w=32", to).convert("RGB")
        assert_pixel(image, (16, 16), (201, 50, 41), tolerance)


@pytest.mark.parametrize("form", ("PNG", "JPEG", "WEBP", "TIFF"))
def test_a_wide_gamut_becomes_srgb(renderer, form):
    source = encoded(one_colour("RGB", (201, 50, 41)), form, icc_profile=icc.display_p3())
    for recipe in ("-", "w=16"):
        image = renderer.render(source, recipe)
        assert_pixel(image, (8, 8), (219, 23, 27), 4)
        assert "icc_profile" not in image.info


def test_a_wide_gamut_keeps_its_transparency(renderer):
    source = encoded(one_colour("RGBA", (201, 50, 41, 100)), "PNG", icc_profile=icc.display_p3())
    assert_pixel(renderer.render(source, "w=16"), (8, 8), (219, 23, 27, 100), 3)


def by_profile(image, profile):
    """What the reference makes of it: lcms, relative colorimetric, no black point compensation."""
    return ImageCms.profileToProfile(image, ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                                     ImageCms.createProfile("sRGB"), renderingIntent=1, outputMode="RGB")


@pytest.mark.parametrize("inks", ((255, 0, 0, 0), (30, 100, 130, 0), (0, 0, 0, 0), (0, 0, 0, 255),
                                  (90, 20, 0, 60)))
def test_cmyk_follows_its_own_profile(renderer, inks):
    plain = one_colour("CMYK", inks)
    wanted = by_profile(plain, icc.odd_ink()).getpixel((0, 0))
    for form in ("JPEG", "TIFF"):
        options = {"quality": 100} if form == "JPEG" else {}
        source = encoded(plain, form, icc_profile=icc.odd_ink(), **options)
        for recipe in ("-", "w=16"):
            assert_pixel(renderer.render(source, recipe), (8, 8), wanted, 4)


def test_cmyk_without_a_profile_is_printed_with_the_usual_inks(renderer):
    for inks, (low, high) in {(0, 0, 0, 0): (WHITE, WHITE),
                              (0, 0, 0, 255): (BLACK, (60, 60, 60)),
                              (255, 0, 0, 0): ((0, 120, 180), (60, 190, 255)),
                              (0, 255, 255, 0): ((200, 0, 0), (255, 60, 70)),
                              (30, 100, 130, 0): ((200, 130, 85), (240, 170, 130))}.items():
        pixel = renderer.render(encoded(one_colour("CMYK", inks), "JPEG", quality=100)).getpixel((8, 8))
        assert all(a <= b <= c for a, b, c in zip(low, pixel, high)), f"{inks} gave {pixel}"


def test_grey_stays_grey_and_follows_its_profile(renderer):
    source = one_colour("L", 90)
    assert renderer.render(source, "w=16").mode == "L"
    assert_pixel(renderer.render(source, "w=16", "jpg").convert("RGB"), (8, 8), (90, 90, 90), 2)
    # A gamma of 1: 90 of 255 is much lighter in sRGB.
    tagged = encoded(source, "PNG", icc_profile=icc.linear_grey())
    assert_pixel(renderer.render(tagged, "w=16").convert("RGB"), (8, 8), (160, 160, 160), 2)


@pytest.mark.parametrize("profile", (icc.odd_ink(), icc.linear_grey(), b"no profile at all",
                                     icc.display_p3()[:200]), ids=("cmyk", "grey", "nonsense", "cut"))
def test_a_profile_that_does_not_fit_is_ignored(renderer, profile):
    for form in ("PNG", "JPEG"):
        source = encoded(one_colour("RGB", (201, 50, 41)), form, icc_profile=profile)
        assert_pixel(renderer.render(source, "w=16"), (8, 8), (201, 50, 41), 3)


def test_sixteen_bits_become_eight(renderer):
    def colour(x, y):
        return 0x1234, 0x8000, 0xFEDC

    for extra, mode in (((), pictures.RGB), ((0x6600,), pictures.RGBA)):
        source = pictures.png(40, 40, lambda x, y: colour(x, y) + extra, depth=16, colour=mode)
        for recipe in ("-", "w=16"):
            image = renderer.render(source, recipe)
            assert_pixel(image, (8, 8), (0x12, 0x80, 0xFE) + ((0x66,) if extra else ()), 1)
    grey = pictures.png(40, 40, lambda x, y: (0x8000,), depth=16, colour=pictures.GREY)
    assert_pixel(renderer.render(grey, "w=16").convert("RGB"), (8, 8), (128, 128, 128), 1)


def test_sixteen_bits_with_a_profile_and_transparency(renderer):
    source = pictures.png(40, 40, lambda x, y: (201 * 257, 50 * 257, 41 * 257, 100 * 257), depth=16,
                          colour=pictures.RGBA)
    tagged = io.BytesIO()
    Image.open(io.BytesIO(source)).save(tagged, "PNG", icc_profile=icc.display_p3())
    assert_pixel(renderer.render(tagged.getvalue(), "w=16"), (8, 8), (219, 23, 27, 100), 3)


def test_palettes_and_interlacing(renderer):
    palette = pictures.quadrants().quantize(16)
    assert_corners(renderer.render(palette, "w=60"), (RED, GREEN, BLUE, YELLOW))
    reference = pictures.quadrants()
    source = pictures.png(120, 80, lambda x, y: reference.getpixel((x, y)), interlaced=True)
    assert renderer.describe(source)["progressive"] == "1"
    assert_corners(renderer.render(source, "w=60"), (RED, GREEN, BLUE, YELLOW))
    progressive = encoded(reference, "JPEG", progressive=True)
    assert renderer.describe(progressive)["progressive"] == "1"
    assert renderer.describe(encoded(reference, "JPEG"))["progressive"] == "0"
    assert_corners(renderer.render(progressive, "w=60"), (RED, GREEN, BLUE, YELLOW), 14)


# ---- transparency ------------------------------------------------------------------------------


def half_transparent():
    """Left: opaque red; right: fully transparent, of a green that must never show."""
    image = Image.new("RGBA", (80, 40), RED + (255,))
    image.paste((0, 255, 0, 0), (40, 0, 80, 40))
    return image


@pytest.mark.parametrize("to", ("png", "webp", "avif", "jxl", "gif"))
def test_transparency_survives_where_it_can(renderer, to):
    image = renderer.render(half_transparent(), "w=40", to).convert("RGBA")
    assert_pixel(image, (8, 10), RED + (255,), 8)
    # AVIF loses a level of alpha at its quality.
    assert image.getpixel((34, 10))[3] <= (1 if to == "avif" else 0)
    assert renderer.describe(half_transparent())["alpha"] == "1"


def test_the_colour_of_transparent_pixels_does_not_bleed(renderer):
    image = renderer.render(half_transparent(), "w=20")
    for x in range(20):
        red, green, _, alpha = image.getpixel((x, 5))
        assert alpha == 0 or green <= RED[1] + 2, f"{image.getpixel((x, 5))} at {x}"


def every_alpha(colour, side=16):
    """Squares of one colour, 16 in a row, of alpha 0 to 255."""
    image = Image.new("RGBA", (16 * side, 16 * side))
    for alpha in range(256):
        left, top = alpha % 16 * side, alpha // 16 * side
        image.paste(colour + (alpha,), (left, top, left + side, top + side))
    return image


@pytest.mark.parametrize("colour", ((201, 50, 41), (255, 255, 255), (1, 2, 3), (128, 127, 254)))
def test_a_colour_stays_the_same_under_every_alpha(renderer, colour):
    source = renderer.file(every_alpha(colour))
    for recipe, side in (("w=128", 8), ("w=512,enlarge=1", 32), ("w=256,h=255,fit=fill", 16)):
        image = renderer.render(source, recipe)
        # In the middle of each square, where no neighbour mixes in; no tolerance.
        for alpha in range(1, 256):
            pixel = image.getpixel((int((alpha % 16 + 0.5) * side), int((alpha // 16 + 0.5) * image.height / 16)))
            assert pixel == colour + (alpha,), recipe
    for alpha in range(1, 256, 9):
        image = renderer.render(Image.new("RGBA", (30, 30), colour + (alpha,)), "rot=30")
        assert image.getpixel((image.width // 2, image.height // 2)) == colour + (alpha,)


BACKGROUNDS = [
    ("jpg", "w=40", WHITE),
    ("jpg", "w=40,bg=0000ff", (0, 0, 255)),
    ("png", "w=40,bg=0000ff", (0, 0, 255)),
    ("webp", "w=40,bg=0000ff", (0, 0, 255)),
    # Half a blue on white, where nothing can be transparent.
    ("jpg", "w=40,bg=0000ff80", (127, 127, 255)),
]


@pytest.mark.parametrize("to, recipe, wanted", BACKGROUNDS)
def test_background_behind_transparency(renderer, to, recipe, wanted):
    image = renderer.render(half_transparent(), recipe, to)
    assert image.mode == "RGB"
    assert_pixel(image, (34, 10), wanted, 8)
    assert_pixel(image, (8, 10), RED, 8)


def test_a_translucent_background_stays_translucent(renderer):
    image = renderer.render(half_transparent(), "w=40,bg=0000ff80")
    assert_pixel(image, (34, 10), (0, 0, 255, 128), 2)
    assert_pixel(image, (8, 10), RED + (255,), 2)


PADDINGS = [
    ("jpg", "", (255, 255, 255)),
    ("png", "", (0, 0, 0, 0)),
    ("webp", "", (0, 0, 0, 0)),
    ("png", ",bg=00ff00", (0, 255, 0)),
    ("jpg", ",bg=00ff00", (0, 255, 0)),
    ("png", ",bg=00ff0080", (0, 255, 0, 128)),
]


@pytest.mark.parametrize("to, more, wanted", PADDINGS)
def test_padding_has_the_background(renderer, to, more, wanted):
    image = renderer.render(pictures.quadrants(), f"w=80,h=80,fit=pad{more}", to)
    assert image.size == (80, 80)
    if wanted == (0, 0, 0, 0):
        assert image.getpixel((40, 3))[3] == 0
    else:
        assert_pixel(image, (40, 3), wanted, 6)
    assert_pixel(image.convert("RGB"), (5, 40 - 20), RED, 12)


def test_grey_is_padded_in_colour(renderer):
    image = renderer.render(one_colour("L", 90), "w=80,h=40,fit=pad,bg=ff0000")
    assert_pixel(image, (2, 20), (255, 0, 0), 1)
    assert_pixel(image, (40, 20), (90, 90, 90), 1)


def test_grey_with_transparency_gets_a_background(renderer):
    source = encoded(Image.new("LA", (40, 40), (90, 0)), "PNG")
    assert_pixel(renderer.render(source, "w=20,bg=ff0000"), (10, 10), (255, 0, 0), 1)
    assert_pixel(renderer.render(source, "w=20", "jpg").convert("RGB"), (10, 10), WHITE, 2)


# ---- sharpness: as good as the reference -------------------------------------------------------

# Mean absolute difference of 8-bit samples to PIL's Lanczos.  What libvips does differently (an
# average before the last factor of two) was 0.3 to 0.9; half a pixel aside is 7 and more, and taking
# the nearest pixel 4 and more.  A JPEG of quality 95 adds its own.
CLOSE, CLOSE_JPEG, WRONG = 1.2, 1.6, 4


@pytest.mark.parametrize("width", (700, 400, 200, 100, 50))
def test_downscaling_looks_like_the_reference(renderer, width):
    photo = pictures.photo()
    reference = photo.resize((width, round(width * 800 / 1200)), Image.LANCZOS)
    made = renderer.render(photo, f"w={width}")
    assert distance(made, reference) < CLOSE
    from_jpeg = renderer.render(encoded(photo, "JPEG", quality=95, subsampling=0), f"w={width}")
    assert distance(from_jpeg, reference) < CLOSE_JPEG
    shifted = reference.transform(reference.size, Image.AFFINE, (1, 0, 0.5, 0, 1, 0), Image.BICUBIC)
    assert distance(made, shifted) > WRONG
    assert distance(photo.resize(reference.size, Image.NEAREST), reference) > WRONG


def test_a_crop_of_a_shrunk_jpeg_is_where_it_should_be(renderer):
    photo = pictures.photo()
    reference = photo.crop((203, 101, 203 + 801, 101 + 601)).resize((80, 60), Image.LANCZOS)
    source = encoded(photo, "JPEG", quality=95, subsampling=0)
    made = renderer.render(source, "crop=203:101:801:601,w=80,h=60,fit=fill")
    assert distance(made, reference) < WRONG  # a quarter of a pixel aside is allowed


def test_default_qualities_are_what_they_are_called(renderer):
    photo = pictures.photo(grain=0.05)
    plain = renderer.render(photo, "w=600")

    def size_and_loss(to):
        path = renderer.render_file(photo, "w=600", to)
        return path.stat().st_size, distance(renderer.render(path), plain)

    for to, form, quality in (("jpg", "JPEG", 80), ("webp", "WEBP", 78)):
        size, loss = size_and_loss(to)
        reference = encoded(plain, form, quality=quality)
        assert abs(size / len(reference) - 1) < 0.1
        assert abs(loss / distance(Image.open(io.BytesIO(reference)).convert("RGB"), plain) - 1) < 0.1
    jpeg_size, jpeg_loss = size_and_loss("jpg")
    for to in ("avif", "jxl"):
        size, loss = size_and_loss(to)
        assert size < 0.9 * jpeg_size and loss < 1.5 * jpeg_loss
    better = renderer.render_file(photo, "w=600,q=95", "webp").stat().st_size
    assert better > 1.5 * renderer.render_file(photo, "w=600,q=40", "webp").stat().st_size


def test_jpegs_are_progressive_and_subsampled(renderer):
    image = renderer.render(pictures.photo(), "w=300", "jpg")
    assert image.info.get("progressive") == 1
    assert image.layer[0][1:3] == (2, 2)


# ---- metadata ----------------------------------------------------------------------------------


def exiftool(*arguments):
    done = subprocess.run(["exiftool", *arguments], capture_output=True, check=True, text=True, timeout=60)
    return done.stdout


COPYRIGHT = "(c) M\u00fcller & S\u00f6hne (all rights)"


@pytest.fixture(scope="module")
def signed_photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("metadata") / "signed.jpg"
    pictures.quadrants().save(path, quality=90, icc_profile=icc.display_p3())
    exiftool("-q", "-overwrite_original", f"-Copyright={COPYRIGHT}", "-Artist=Jane Doe",
             "-GPSLatitude=12.5", "-GPSLatitudeRef=N", "-GPSLongitude=7", "-GPSLongitudeRef=E",
             "-SerialNumber=SECRET-1", "-XMP:GPSLatitude=12.5", "-XMP-photoshop:City=SECRET-2",
             "-IPTC:City=SECRET-3", "-UserComment=SECRET-4", "-Comment=SECRET-5", str(path))
    return path


def metadata(path):
    """{"Rights@XMP-dc": "..."} of everything that exiftool finds."""
    found = {}
    for line in exiftool("-G1", "-s", "-a", str(path)).splitlines():
        group, name, value = re.match(r"\[(.+?)\]\s+(\S+)\s*: (.*)", line).groups()
        if group not in ("ExifTool", "System"):
            found[f"{name}@{group}"] = value
    return found


@pytest.mark.parametrize("to", FORMATS)
def test_only_the_credit_survives(renderer, signed_photo, to):
    path = renderer.render_file(signed_photo, "w=60", to)
    found = metadata(path)
    told = " ".join([*found.keys(), *found.values()])
    for secret in ("SECRET", "GPS", "Serial", "ICC", "Profile"):
        assert secret not in told.replace("ColorProfiles", ""), told
    assert b"SECRET" not in path.read_bytes()
    if to not in ("gif", "jxl"):
        assert found["Rights@XMP-dc"] == COPYRIGHT
        assert found["Creator@XMP-dc"] == "Jane Doe"
    if to in ("jpg", "webp", "avif"):
        assert found["Copyright@IFD0"] == "(c) Muller & Sohne (all rights)"
        assert found["Artist@IFD0"] == "Jane Doe"


@pytest.mark.parametrize("to", FORMATS)
def test_a_picture_without_credit_has_no_metadata(renderer, to):
    exif = Image.Exif()
    exif[0x010F] = "SECRET camera"
    path = renderer.render_file(encoded(pictures.quadrants(), "JPEG", exif=exif.tobytes()), "w=60", to)
    groups = {name.split("@")[1] for name in metadata(path)}
    assert not groups & {"IFD0", "ExifIFD", "GPS", "XMP-dc", "IPTC", "ICC-header"}


CREDITS = [
    (["-XMP-dc:Rights=from XMP <&>", "-IPTC:CopyrightNotice=from IPTC", "-Copyright=from EXIF"],
     "from XMP <&>"),
    (["-IPTC:CopyrightNotice=from IPTC <&>", "-Copyright=from EXIF"], "from IPTC <&>"),
    (["-Copyright=from EXIF, (2024, x)"], "from EXIF, (2024, x)"),
]


@pytest.mark.parametrize("tags, wanted", CREDITS)
def test_copyright_is_found_where_it_is_written(renderer, tmp_path, tags, wanted):
    path = tmp_path / "tagged.jpg"
    pictures.quadrants().save(path)
    exiftool("-q", "-overwrite_original", *tags, str(path))
    assert metadata(renderer.render_file(path, "w=60", "webp"))["Rights@XMP-dc"] == wanted


# ---- SVG ---------------------------------------------------------------------------------------


def svg(content, size='width="40" height="20"', prolog=""):
    return f'{prolog}<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ' \
        f'{size}>{content}</svg>'.encode()


RECTANGLE = '<rect width="20" height="20" fill="#c8321e"/>'


def test_svg_is_drawn_at_the_size_asked(renderer):
    source = svg(RECTANGLE)
    assert (renderer.describe(source)["width"], renderer.describe(source)["height"]) == ("40", "20")
    image = renderer.render(source, "w=400,enlarge=1")
    assert image.size == (400, 200)
    # A sharp edge: drawn large, not enlarged.
    assert_pixel(image, (198, 100), (200, 50, 30, 255), 1)
    assert image.getpixel((201, 100))[3] == 0
    assert renderer.render(source, "w=10").size == (10, 5)


def test_svg_is_drawn_no_larger_than_the_limit(renderer):
    for recipe in ("w=4000,enlarge=1", "w=2000,h=2000,fit=pad,enlarge=1"):
        failure = renderer.try_render(svg(RECTANGLE), recipe, max_pixels=1_000_000)
        assert failure.kind == "unprocessable" and "limit" in failure.detail
    failure = renderer.try_render(svg(RECTANGLE, 'width="100000" height="100000"'), "w=100")
    assert failure.kind == "unprocessable" and "limit" in failure.detail
    # What librsvg cannot count up to, libvips takes for a picture of one pixel.
    for size in ('width="1e9" height="1e9"', 'viewBox="0 0 99999999 99999999"'):
        outcome = renderer.try_render(svg(RECTANGLE, size), "w=100")
        assert isinstance(outcome, Failure) or (outcome["width"], outcome["height"]) == ("1", "1"), outcome


def test_svg_refers_to_nothing_outside(renderer, tmp_path):
    secret = tmp_path / "secret.png"
    Image.new("RGB", (40, 20), (255, 0, 0)).save(secret)
    for target in (f"file://{secret}", str(secret), "secret.png", "file:///etc/passwd", "/etc/passwd"):
        for attribute in ("href", "xlink:href"):
            source = tmp_path / "picture.svg"
            source.write_bytes(svg(f'<image {attribute}="{target}" width="40" height="20"/>'))
            image = renderer.render(source)
            assert image.getextrema()[3] == (0, 0), f"{target} was drawn"


def test_svg_entities_are_not_read_from_files_and_do_not_explode(renderer, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text('<rect width="40" height="20" fill="red"/>')
    outside = svg("&e;", prolog=f'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY e SYSTEM "file://{secret}">]>')
    made = renderer.try_render(outside)
    if not isinstance(made, Failure):
        assert Image.open(made["path"]).getextrema()[3] == (0, 0)
    laughs = "".join(f'<!ENTITY a{i} "{("&a" + str(i - 1) + ";") * 10}">' for i in range(1, 12))
    bomb = svg("<desc>&a11;</desc>",
               prolog=f'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a0 "ha">{laughs}]>')
    before = renderer.status()["rss_kb"]
    failure = renderer.try_render(bomb)
    assert failure.kind == "unprocessable" and failure.ms < 2000
    assert renderer.status()["rss_kb"] < before + 50_000


# ---- bytes that mean harm ----------------------------------------------------------------------


@pytest.mark.parametrize("content", (b"", b"x", b"<html><body>not found</body></html>", b"BM" + b"\0" * 100,
                                     b"%PDF-1.4\n", b"P6\n4 4\n255\n" + b"\0" * 48, b"#!/bin/sh\n"),
                         ids=("nothing", "letter", "html", "bmp", "pdf", "ppm", "script"))
def test_what_is_no_picture_is_unsupported(renderer, content):
    assert renderer.try_render(content).kind == "unsupported"
    assert renderer.describe(content).kind == "unsupported"


def whole_files(renderer):
    photo = pictures.photo(600, 400)
    files = {form: encoded(photo, form) for form in ("JPEG", "PNG", "WEBP", "GIF", "TIFF")}
    files["progressive"] = encoded(photo, "JPEG", progressive=True)
    files["lossless"] = encoded(photo, "WEBP", lossless=True)
    for to in ("avif", "jxl"):
        files[to] = renderer.render_file(photo, "-", to).read_bytes()
    files["svg"] = svg(RECTANGLE * 50)
    return files


def test_half_a_picture_is_an_error_and_never_a_grey_one(renderer):
    for name, content in whole_files(renderer).items():
        assert not isinstance(renderer.try_render(content, "w=50"), Failure), name
        for part in (0.02, 0.3, 0.5, 0.9, 0.99):
            for recipe in ("-", "w=50"):
                outcome = renderer.try_render(content[:int(part * len(content))], recipe)
                assert isinstance(outcome, Failure), f"{part} of {name} with {recipe} gave a picture"
                assert outcome.kind in ("unprocessable", "unsupported"), f"{name}: {outcome}"


def test_garbage_in_the_middle_never_ends_the_renderer(renderer):
    for name, content in whole_files(renderer).items():
        for at in range(16, len(content), max(1, len(content) // 12)):
            harmed = content[:at] + bytes((i * 37 + at) & 255 for i in range(24)) + content[at + 24:]
            outcome = renderer.try_render(harmed, "w=50")
            assert "died" not in repr(outcome), f"{name} at {at}: {outcome}"


BOMBS = {
    "png": pictures.png_header(100_000, 100_000) + b"\0\0\0\x10IDAT" + b"\0" * 16,
    "gif": pictures.gif_header(65535, 65535),
    "grey png": pictures.png_header(30_000, 30_000, colour=pictures.GREY) + b"\0\0\0\x10IDAT" + b"\0" * 16,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_header_over_the_limit_is_refused_before_memory_is_taken(renderer, name):
    before = renderer.status()["rss_kb"]
    for outcome in (renderer.try_render(BOMBS[name], "w=10"), renderer.describe(BOMBS[name])):
        assert outcome.kind == "unprocessable" and "limit" in outcome.detail, outcome
        assert outcome.ms < 1000
    assert renderer.status()["rss_kb"] < before + 50_000


def test_the_limit_on_the_result_is_kept(renderer):
    photo = renderer.file(encoded(pictures.photo(), "TIFF"))   # which is never passed on as it is
    for to in ("png", "jpg", "webp", "avif"):
        bytes_made = int(renderer.try_render(photo, "-", to)["bytes"])
        failure = renderer.try_render(photo, "-", to, max_output=bytes_made - 1)
        assert failure.kind == "unprocessable" and "bytes" in failure.detail, failure
        assert not isinstance(renderer.try_render(photo, "-", to, max_output=bytes_made), Failure)


def test_what_a_format_cannot_hold_is_refused(renderer):
    wide = renderer.file(one_colour("L", 0, (16384, 2)))
    assert renderer.render(wide).size == (16384, 2)
    failure = renderer.try_render(wide, "-", "webp")
    assert failure.kind == "unprocessable" and "16383" in failure.detail


def test_a_wrong_recipe_is_told(renderer):
    assert renderer.try_render(pictures.quadrants(), "crop=200:200:10:10").kind == "bad-request"
    assert renderer.try_render(pictures.quadrants(), "w=0").kind == "bad-request"


# ---- the life of a renderer --------------------------------------------------------------------


def test_a_job_that_takes_too_long_is_ended_by_its_timer(own_renderer):
    source = own_renderer.file(encoded(pictures.photo(4000, 3000), "JPEG"))
    failure = own_renderer.try_render(source, "-", "avif", timeout_ms=200)
    assert failure.kind == "timeout" and 200 <= failure.ms < 1500, failure
    assert own_renderer.render(pictures.quadrants(), "w=60").size == (60, 40)
    assert own_renderer.status()["started"] == 2


def test_a_renderer_killed_in_the_middle_costs_one_job(own_renderer):
    source = own_renderer.file(encoded(pictures.photo(4000, 3000), "JPEG"))
    killer = threading.Timer(0.4, os.kill, (own_renderer.status()["pid"], signal.SIGKILL))
    killer.start()
    failure = own_renderer.try_render(source, "-", "avif")
    killer.join()
    assert failure.kind == "crashed" and "died" in failure.detail, failure
    assert own_renderer.render(pictures.quadrants(), "w=60").size == (60, 40)


@measures_memory
def test_too_little_memory_costs_one_job(tmp_path):
    renderer = Renderer(tmp_path, "memory-mb=700")
    source = renderer.file(encoded(pictures.photo(1000, 1000).resize((9000, 9000)), "JPEG", progressive=True))
    failure = renderer.try_render(source, "-", "webp")
    assert isinstance(failure, Failure) and failure.kind in ("unprocessable", "internal"), failure
    assert renderer.render(pictures.quadrants(), "w=60").size == (60, 40)
    renderer.close()


def test_a_renderer_leaves_after_its_number_of_jobs(tmp_path):
    renderer = Renderer(tmp_path, "jobs=5")
    source = renderer.file(pictures.quadrants())
    for _ in range(12):
        renderer.render_file(source, "w=10")
    assert renderer.status()["started"] == 3
    renderer.close()


def test_a_renderer_leaves_above_its_memory_mark(tmp_path):
    renderer = Renderer(tmp_path, "recycle-mb=5")
    source = renderer.file(pictures.quadrants())
    for _ in range(3):
        renderer.render_file(source, "w=10")
    assert renderer.status()["started"] >= 3
    renderer.close()


@measures_memory
def test_memory_does_not_grow_with_the_number_of_jobs(own_renderer):
    source = own_renderer.file(encoded(pictures.photo(), "JPEG"))

    def many(count):
        for i in range(count):
            own_renderer.render_file(source, f"w={100 + i}", ("jpg", "webp", "png")[i % 3])
        return own_renderer.status()["rss_kb"]

    first = many(30)
    assert many(60) < first + 12_000
