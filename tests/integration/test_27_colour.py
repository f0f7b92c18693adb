"""Colours: the table of libvips' faults, and the three spaces that icc chooses between.

The reference is lcms through PIL: relative colorimetric, no black point compensation.
"""

import io
import subprocess

import pytest
from PIL import Image, ImageCms

import icc
import pictures
from pictures import distance
from rendering import assert_pixel, encoded, own_renderer, renderer, shared  # noqa: F401

RELATIVE = 1
CARRIERS = ("jpg", "png", "webp", "avif", "jxl")
# Of an even colour, at quality 100.
LEVELS = {"png": 1, "jpg": 2, "webp": 4, "avif": 3, "jxl": 2}


def one_colour(mode, colour, size=(64, 64)):
    return Image.new(mode, size, colour)


def profile_of(content):
    return ImageCms.ImageCmsProfile(io.BytesIO(content))


SRGB = ImageCms.createProfile("sRGB")


def converted(image, source, target, mode="RGB"):
    return ImageCms.profileToProfile(image, source, target, renderingIntent=RELATIVE, outputMode=mode)


def looks(path):
    """What a viewer that follows the profile in the file shows, in sRGB."""
    image = Image.open(path)
    content = image.info.get("icc_profile")
    if content is None:
        return image.convert("RGB")
    colours = image.convert("L") if image.mode in ("L", "LA") else image.convert("RGB")
    return converted(colours, profile_of(content), SRGB)


# ---- sRGB: what libvips 8.14.1 gets wrong by itself -----------------------------------------------

INKS = (30, 100, 130, 0)
TABLE = {
    "untagged": (one_colour("RGB", (201, 50, 41)), None, (201, 50, 41)),
    "p3": (one_colour("RGB", (201, 50, 41)), icc.display_p3(), (219, 23, 27)),
    "cmyk with a profile": (one_colour("CMYK", INKS), icc.odd_ink(), None),
}


@pytest.mark.parametrize("row", TABLE)
@pytest.mark.parametrize("form", ("JPEG", "TIFF", "PNG"))
def test_each_row_of_the_table_of_faults_is_right(renderer, row, form):
    image, profile, wanted = TABLE[row]
    if image.mode == "CMYK" and form == "PNG":
        pytest.skip("PNG has no inks")
    if wanted is None:
        wanted = converted(image, profile_of(profile), SRGB).getpixel((0, 0))
    options = {"quality": 100, "subsampling": 0} if form == "JPEG" else {}
    if profile is not None:
        options["icc_profile"] = profile
    source = renderer.file(encoded(image, form, **options))
    for recipe in ("-", "w=16"):
        made = renderer.render(source, recipe)
        assert_pixel(made, (8, 8), wanted, 2)
        assert "icc_profile" not in made.info


@pytest.fixture(scope="module")
def usual_inks(tmp_path_factory):
    """The profile that libvips has built in; its command line hands it out."""
    folder = tmp_path_factory.mktemp("inks")
    one_colour("RGB", (9, 9, 9)).save(folder / "rgb.png")
    try:
        subprocess.run(["vips", "icc_transform", folder / "rgb.png", folder / "inks.tiff", "cmyk"], check=True,
                       capture_output=True, timeout=20)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("no command line of libvips here")
    return profile_of(Image.open(folder / "inks.tiff").info["icc_profile"])


@pytest.mark.parametrize("form", ("JPEG", "TIFF"))
@pytest.mark.parametrize("inks", (INKS, (0, 0, 0, 255), (255, 0, 0, 0), (0, 0, 0, 0)))
def test_inks_without_a_profile_are_the_usual_ones(renderer, usual_inks, form, inks):
    image = one_colour("CMYK", inks)
    wanted = converted(image, usual_inks, SRGB).getpixel((0, 0))
    source = encoded(image, form, **({"quality": 100} if form == "JPEG" else {}))
    assert_pixel(renderer.render(source, "w=16"), (8, 8), wanted, 2)


# ---- Display P3 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", CARRIERS)
def test_p3_is_converted_and_says_so(renderer, to):
    path = renderer.render_file(one_colour("RGB", (201, 50, 41)), "icc=p3,q=100" if to != "png" else "icc=p3", to)
    if to in ("avif", "jxl"):
        path = renderer.render_file(path, "icc=keep")
    image = Image.open(path)
    # sRGB 201 50 41 in Display P3: CSS Color 4 gives color(display-p3 0.7280 0.2437 0.1958).
    assert_pixel(image, (8, 8), (186, 62, 50), LEVELS[to])
    assert_pixel(looks(path), (8, 8), (201, 50, 41), LEVELS[to] + 1)


def test_p3_keeps_what_srgb_cannot_show(renderer):
    source = renderer.file(encoded(one_colour("RGB", (255, 0, 0)), "PNG", icc_profile=icc.display_p3()))
    assert_pixel(renderer.render(source, "icc=p3"), (8, 8), (255, 0, 0), 1)
    assert_pixel(renderer.render(source), (8, 8), (255, 0, 0), 1)
    green = renderer.file(encoded(one_colour("RGB", (60, 200, 60)), "PNG", icc_profile=icc.display_p3()))
    assert_pixel(renderer.render(green, "icc=p3"), (8, 8), (60, 200, 60), 1)


@pytest.mark.parametrize("mode, colour", (("L", 90), ("LA", (90, 128)), ("RGBA", (90, 90, 90, 128)), ("CMYK", INKS)))
def test_everything_becomes_p3(renderer, mode, colour):
    form, options = ("TIFF", {"icc_profile": icc.odd_ink()}) if mode == "CMYK" else ("PNG", {})
    source = renderer.file(encoded(one_colour(mode, colour), form, **options))
    path = renderer.render_file(source, "icc=p3")
    image = Image.open(path)
    assert image.mode == ("RGBA" if mode.endswith("A") else "RGB")
    assert ImageCms.getProfileDescription(profile_of(image.info["icc_profile"])).strip() == "sP3C"
    wanted = renderer.render(source).convert("RGB")
    assert_pixel(looks(path), (8, 8), wanted.getpixel((8, 8)), 2)
    if mode.endswith("A"):
        assert image.getpixel((8, 8))[3] == 128


def test_sixteen_bits_become_p3(renderer):
    source = pictures.png(40, 40, lambda x, y: (201 * 257, 50 * 257, 41 * 257, 100 * 257), depth=16,
                          colour=pictures.RGBA)
    assert_pixel(renderer.render(source, "icc=p3"), (8, 8), (186, 62, 50, 100), 1)


# ---- the original's own space ---------------------------------------------------------------------------


@pytest.mark.parametrize("to", CARRIERS)
@pytest.mark.parametrize("profile", (icc.display_p3(), icc.linear_rgb()), ids=("p3", "linear"))
def test_kept_colours_are_the_originals_numbers(renderer, to, profile):
    source = renderer.file(encoded(one_colour("RGB", (201, 50, 41)), "PNG", icc_profile=profile))
    path = renderer.render_file(source, "icc=keep,q=100" if to != "png" else "icc=keep", to)
    if to in ("avif", "jxl"):
        path = renderer.render_file(path, "icc=keep")
    image = Image.open(path)
    assert_pixel(image, (8, 8), (201, 50, 41), LEVELS[to])
    if to != "jxl":     # which describes known spaces in its own words
        assert image.info["icc_profile"] == profile
    else:
        assert "icc_profile" in image.info


def test_kept_colours_look_like_the_original(renderer):
    photo = pictures.photo(240, 160, grain=0.1)
    source = renderer.file(encoded(photo, "PNG", icc_profile=icc.linear_rgb()))
    kept, plain = (looks(renderer.render_file(source, recipe)) for recipe in ("icc=keep", "-"))
    wanted = converted(photo, profile_of(icc.linear_rgb()), SRGB)
    assert distance(kept, wanted) < 1 and distance(plain, wanted) < 1.5
    assert distance(photo, wanted) > 20


def test_kept_grey_stays_grey(renderer):
    source = renderer.file(encoded(one_colour("L", 90), "PNG", icc_profile=icc.linear_grey()))
    for to in ("png", "jpg"):
        image = Image.open(renderer.render_file(source, "icc=keep,w=32", to))
        assert image.mode == "L" and image.info["icc_profile"] == icc.linear_grey()
        assert_pixel(image.convert("RGB"), (8, 8), (90, 90, 90), 1)


@pytest.mark.parametrize("more", ("border=4:ff0000", "bg=ff0000,w=60,h=90,fit=pad", "tint=ff0000:50"))
def test_kept_grey_that_gets_colour_becomes_srgb(renderer, more):
    """A profile for grey on three bands would be dropped by viewers, and the picture far too dark."""
    source = renderer.file(encoded(one_colour("L", 90), "PNG", icc_profile=icc.linear_grey()))
    path = renderer.render_file(source, f"icc=keep,{more}")
    image = Image.open(path)
    assert image.mode == "RGB" and "icc_profile" not in image.info
    if not more.startswith("tint"):
        middle = image.width // 2, image.height // 2
        assert_pixel(image, middle, (160, 160, 160), 2)
        assert_pixel(image, (image.width // 2, 1), (255, 0, 0), 1)


def test_kept_colours_made_grey_are_still_told(renderer):
    source = renderer.file(encoded(one_colour("RGB", (201, 50, 41)), "PNG", icc_profile=icc.display_p3()))
    image = Image.open(renderer.render_file(source, "icc=keep,gray=1"))
    assert (image.mode == "RGB") == ("icc_profile" in image.info)


def test_kept_colours_keep_their_transparency(renderer):
    source = encoded(one_colour("RGBA", (201, 50, 41, 100)), "PNG", icc_profile=icc.display_p3())
    image = renderer.render(source, "icc=keep,w=16")
    assert_pixel(image, (8, 8), (201, 50, 41, 100), 1)
    assert image.info["icc_profile"] == icc.display_p3()


def test_kept_sixteen_bits_become_eight(renderer):
    plain = pictures.png(40, 40, lambda x, y: (0x1234, 0x8000, 0xFEDC, 0x6600), depth=16, colour=pictures.RGBA)
    source = plain[:33] + icc.png_chunk(icc.display_p3()) + plain[33:]
    image = renderer.render(source, "icc=keep")
    assert_pixel(image, (8, 8), (0x12, 0x80, 0xFE, 0x66), 1)
    assert image.info["icc_profile"] == icc.display_p3()


@pytest.mark.parametrize("form, image, profile", (
    ("JPEG", one_colour("CMYK", INKS), icc.odd_ink()), ("PNG", one_colour("RGB", (201, 50, 41)), icc.odd_ink()),
    ("PNG", one_colour("RGB", (201, 50, 41)), b"no profile at all"),
    ("PNG", one_colour("RGB", (201, 50, 41)), icc.display_p3()[:200]),
    ("PNG", one_colour("RGB", (201, 50, 41)), None), ("PNG", one_colour("L", 90), None)))
def test_what_cannot_be_kept_is_srgb(renderer, form, image, profile):
    options = {"icc_profile": profile} if profile else {}
    source = renderer.file(encoded(image, form, **options, **({"quality": 100} if form == "JPEG" else {})))
    kept, plain = (renderer.render(source, recipe) for recipe in ("icc=keep", "-"))
    assert "icc_profile" not in kept.info and kept.mode == plain.mode
    assert kept.getpixel((8, 8)) == plain.getpixel((8, 8))


def test_a_profile_larger_than_a_megabyte_is_not_kept(renderer):
    large = icc.display_p3() + bytes(1 << 20)
    large = len(large).to_bytes(4, "big") + large[4:]
    source = renderer.file(encoded(one_colour("RGB", (201, 50, 41)), "PNG", icc_profile=large))
    image = renderer.render(source, "icc=keep")
    assert "icc_profile" not in image.info
    assert_pixel(image, (8, 8), (219, 23, 27), 2)


@pytest.mark.parametrize("icc_words", ("p3", "keep"))
def test_gif_holds_no_profile(renderer, icc_words):
    failure = renderer.try_render(one_colour("RGB", (201, 50, 41)), f"icc={icc_words}", "gif")
    assert failure.kind == "bad-request" and "icc" in failure.detail


def test_an_animation_keeps_its_space(renderer):
    frames = [one_colour("RGB", colour) for colour in ((201, 50, 41), (50, 201, 41))]
    source = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True,
                     icc_profile=icc.display_p3())
    image = Image.open(renderer.render_file(source, "icc=keep,lossless=1", "webp"))
    assert image.n_frames == 2 and image.info["icc_profile"] == icc.display_p3()
    assert_pixel(image.convert("RGB"), (8, 8), (201, 50, 41), 0)
