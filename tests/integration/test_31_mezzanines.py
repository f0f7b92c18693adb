"""A variant that is made of a mezzanine looks like one that is made of the original."""

import random

import pytest
from PIL import Image

import icc
import pictures
from rendering import Failure, Renderer, encoded, own_renderer, renderer, shared  # noqa: F401
from samples import BACKGROUNDS

# Mean difference of all samples, 0 to 255: what is lost on the way.  WebP alone costs this photo two.
SEEN = 0.6

# The same where pixels were averaged before: by another box, and once more.
SEEN_AVERAGED = 0.9

RECIPES = ["w=160", "w=640", "w=1200", "h=311", "w=600,h=600,fit=cover", "w=500,h=800,fit=cover,g=0.9:0.1",
           "w=400,h=400,fit=pad,bg=334455", "w=300,h=500,fit=fill", "crop=0.1:0.2:0.8:0.7,w=700",
           "crop=301:203:1201:1003,w=401", "rot=90,w=400", "rot=180,flip=h,w=500", "rot=30,w=500,bg=fff",
           "flip=v,w=333", "zoom=1.2,g=se,w=640", "w=500,blur=3,gray=1", "w=500,border=9,round=40,sepia=50",
           "orient=off,w=300", "w=0.25"]


def as_stored(folder, name, **options):
    with Image.open(BACKGROUNDS / "mate" / "nature" / "TwoWings.jpg") as image:
        image.save(folder / name, **options)
    return folder / name


class Original:
    """A source and the mezzanine that its first variant left."""

    def __init__(self, renderer, folder, source, recipe="w=64"):
        self.source, self.mezzanine, self._renderer = source, folder / f"{source.name}.{recipe}.mezzanine", renderer
        self.first = renderer.try_render(source, recipe, "webp", leave=self.mezzanine)
        assert not isinstance(self.first, Failure), self.first
        self.fate = self.first["mezzanine"]

    def both(self, recipe, to="png"):
        """(directly, by way of the mezzanine), and the picture is not the same file."""
        self._renderer.forget()
        outcome = self._renderer.try_render(self.source, recipe, to, mezzanine=self.mezzanine)
        assert not isinstance(outcome, Failure), outcome
        assert (outcome["mezzanine"], outcome["kept"]) == ("used", "0"), recipe
        direct = self._renderer.render(self.source, recipe, to)
        if to == "avif":
            return direct, self._renderer.render(outcome["path"])
        through = Image.open(outcome["path"])
        through.load()
        return direct, through


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("originals")


@pytest.fixture(scope="module")
def photo(shared, folder):
    return Original(shared, folder, as_stored(folder, "photo.jpg", progressive=True, quality=97, subsampling=0))


def assert_alike(one, other, recipe, seen=SEEN):
    assert one.size == other.size and one.mode == other.mode, recipe
    assert pictures.distance(one, other) < seen, (recipe, pictures.distance(one, other))


def test_a_progressive_original_leaves_one(photo):
    assert photo.fate == "follows"
    with Image.open(photo.mezzanine) as image:
        assert (image.format, image.size) == ("JPEG", (2560, 1600))
        assert "progressive" not in image.info and "icc_profile" not in image.info and not image.getexif()


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_variant_looks_the_same(renderer, photo, recipe):
    assert_alike(*photo.both(recipe), recipe)


@pytest.mark.parametrize("to", ["jpg", "webp", "avif"])
def test_each_format_looks_the_same(renderer, photo, to):
    direct, through = photo.both("w=480", to)
    exact = renderer.render(photo.source, "w=480", "png")

    assert direct.mode == through.mode == "RGB"
    # Not further from the truth than the encoder brings it anyway, give or take a tenth.
    assert pictures.distance(through, exact) < 1.1 * pictures.distance(direct, exact) + 0.1


def test_sizes_are_exactly_the_same(renderer, folder):
    image = pictures.quadrants(2311, 1499)
    image.save(folder / "odd.png")
    odd, choose = Original(renderer, folder, folder / "odd.png"), random.Random(20)
    for _ in range(60):
        recipe = f"w={choose.randrange(1, 500)},h={choose.randrange(1, 500)}," \
                 f"fit={choose.choice(['contain', 'cover', 'fill', 'pad', 'outside'])}," \
                 f"g={choose.random():.3f}:{choose.random():.3f},rot={choose.choice([0, 90, 180, 270])}," \
                 f"flip={choose.choice(['h', 'v', 'hv'])}"
        outcomes = [renderer.try_render(odd.source, recipe, "jpg", **how)
                    for how in ({}, {"mezzanine": odd.mezzanine})]
        sizes = [(outcome["result_width"], outcome["result_height"]) for outcome in outcomes]
        assert sizes[0] == sizes[1], recipe


@pytest.mark.parametrize("orientation", [3, 6, 7])
def test_it_is_turned_as_the_original_says(renderer, folder, orientation):
    upright = pictures.quadrants(1600, 2000)
    source = folder / f"turned{orientation}.jpg"
    pictures.lain_down(upright, orientation).save(source, progressive=True, quality=95,
                                                  exif=pictures.exif_orientation(orientation))
    direct, through = Original(renderer, folder, source).both("w=200,h=100,fit=cover,g=n")

    assert_alike(direct, through, orientation)
    assert pictures.is_near(through.getpixel((20, 20)), pictures.RED, 6)
    assert pictures.is_near(through.getpixel((180, 20)), pictures.GREEN, 6)


def test_profile_and_copyright_are_those_of_the_original(renderer, folder):
    from PIL import ImageCms

    exif = Image.Exif()
    exif[0x8298] = "Mezz Anine"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    source = as_stored(folder, "words.jpg", progressive=True, exif=exif.tobytes(), icc_profile=profile)
    kept = Original(renderer, folder, source)
    for image in kept.both("w=100,icc=keep,strip=keep", "jpg"):
        assert image.getexif()[0x8298] == "Mezz Anine"
        assert image.info["icc_profile"] == profile
    for image in kept.both("w=100", "jpg"):
        assert image.getexif()[0x8298] == "Mezz Anine"
        assert "icc_profile" not in image.info


def test_an_opaque_alpha_channel_stays(renderer, folder):
    image = pictures.quadrants(2100, 1500)
    image.putalpha(255)
    image.save(folder / "opaque.png")
    direct, through = Original(renderer, folder, folder / "opaque.png").both("w=100")

    assert direct.mode == "RGBA"
    assert_alike(direct, through, "alpha")
    assert through.getchannel("A").getextrema() == (255, 255)


def test_what_nobody_sees_through_has_one_and_the_first_variant_is_exact(renderer, folder):
    """One pixel of 252, in the middle of the quarter that the variant shows."""
    image = pictures.quadrants(3600, 1000)
    image.putalpha(255)
    image.putpixel((10, 10), (*image.getpixel((10, 10))[:3], 252))
    image.save(folder / "nearly.png", compress_level=1)
    left = folder / "nearly.mezzanine"
    first = renderer.try_render(folder / "nearly.png", "crop=0:0:20:20", "png", leave=left)

    assert first["mezzanine"] == "follows"
    with Image.open(first["path"]) as made:
        assert made.getchannel("A").getpixel((10, 10)) == 252
    nearly = Original(renderer, folder, folder / "nearly.png")
    with Image.open(nearly.mezzanine) as small:
        assert small.size == (1800, 500) and small.mode == "RGB"
    direct, through = nearly.both("w=400")
    assert through.getchannel("A").getextrema() == (255, 255)
    assert_alike(direct, through, "nearly opaque")


@pytest.mark.parametrize("recipe, extension, lowest", [
    ("w=900", "webp", 255),
    ("w=1800", "webp", 255),
    ("w=1801", "webp", 252),            # too large for a mezzanine
    ("w=900,q=91", "webp", 252),        # would show what one has lost
    ("w=900", "png", 252),
])
def test_what_leaves_it_loses_what_those_lose_that_are_made_of_it(renderer, folder, recipe, extension, lowest):
    source = folder / "veil.png"
    if not source.exists():
        image = pictures.quadrants(3600, 1000)
        image.putalpha(255)
        image.paste((200, 30, 30, 252), (400, 400, 600, 600))
        image.save(source, compress_level=1)
    renderer.forget()
    first = renderer.try_render(source, recipe, extension, leave=folder / "veil.mezzanine")
    assert first["mezzanine"] == "follows"
    with Image.open(first["path"]) as image:
        assert image.convert("RGBA").getchannel("A").getextrema() == (lowest, 255)
        assert image.convert("RGB").getpixel((image.width // 7, image.width // 7)) == pytest.approx((200, 30, 30), abs=8)


def test_grey_stays_grey(renderer, folder):
    Image.linear_gradient("L").resize((2100, 1500)).save(folder / "grey.png")
    direct, through = Original(renderer, folder, folder / "grey.png").both("w=100")

    assert through.mode == "L"
    assert_alike(direct, through, "grey")


@pytest.fixture(scope="module", params=["png", "progressive"])
def large(request, shared, folder):
    """(an original, the folder); its small mezzanine has half of its sides."""
    source = folder / f"large.{request.param}"
    with Image.open(BACKGROUNDS / "mate" / "nature" / "TwoWings.jpg") as image:
        image = image.resize((4000, 2496), Image.BICUBIC)
    if request.param == "png":
        image.save(source, "PNG", compress_level=1)
    else:
        image.save(source, "JPEG", progressive=True, quality=95)
    return Original(shared, folder, source)


def is_divided(size, whole, by):
    return all(side in (of // by, -(-of // by)) for side, of in zip(size, whole))


def test_a_small_variant_of_a_large_original_leaves_a_small_one(large):
    with Image.open(large.mezzanine) as image:
        assert is_divided(image.size, (4000, 2496), 2)
    for recipe in ("w=160", "w=1000", "w=300,h=500,fit=cover,g=se", "crop=0.3:0.1:0.5:0.5,w=500",
                   "rot=90,w=600"):
        assert_alike(*large.both(recipe), recipe, SEEN_AVERAGED)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_pixel_of_a_small_one_is_the_mean_of_four(renderer, folder, mode):
    cell = Image.new("L", (2, 2))
    cell.putdata([0, 40, 80, 200])
    image = Image.new("L", (3400, 1000))
    for x in range(0, 40, 2):
        for y in range(0, 40, 2):
            image.paste(cell, (x, y))
    for x in range(0, image.width, 40):
        for y in range(0, image.height, 40):
            image.paste(image.crop((0, 0, 40, 40)), (x, y))
    image.convert(mode).save(folder / f"cells-{mode}.png", compress_level=1)
    cells = Original(renderer, folder, folder / f"cells-{mode}.png")
    with Image.open(cells.mezzanine) as small:
        assert small.size == (1700, 500)
        # JPEG of quality 92 gives an even surface back within a level.  At the edges there is no next cell.
        inside = small.convert("RGB").crop((8, 8, small.width - 8, small.height - 8))
        assert all(abs(level - 80) <= 1 for ends in inside.getextrema() for level in ends)


def test_the_variant_that_leaves_a_small_one_looks_the_same(renderer, folder, large):
    outcome = renderer.try_render(large.source, "w=300", "png", leave=folder / "again")
    assert outcome["mezzanine"] == "follows"
    with Image.open(outcome["path"]) as first:
        assert_alike(first, renderer.render(large.source, "w=300"), "the first", SEEN_AVERAGED)


def test_a_larger_variant_leaves_a_large_one_that_serves_all(renderer, folder, large):
    renderer.forget()
    assert renderer.try_render(large.source, "w=1001", "jpg", mezzanine=large.mezzanine)["mezzanine"] == "none"
    whole = Original(renderer, folder, large.source, "w=1001")
    with Image.open(whole.mezzanine) as image:
        assert image.size == (4000, 2496)
    for recipe in ("w=64", "w=1001"):
        assert_alike(*whole.both(recipe), recipe)


@pytest.mark.parametrize("form", ["png", "jpg"])
def test_both_are_turned_and_have_the_colours_of_the_original(renderer, folder, form):
    """Quadrants of Display P3; 60 200 60 of it is sRGB -77 203 11 (CSS Color 4, color-conversion code)."""
    upright = pictures.quadrants(2000, 3400)
    upright.paste((60, 200, 60), (0, 0, 1000, 1700))
    source = folder / f"wide.{form}"
    pictures.lain_down(upright, 6).save(source, exif=pictures.exif_orientation(6), icc_profile=icc.display_p3(),
                                        **{"png": {"compress_level": 1}, "jpg": {"progressive": True, "quality": 95}}[form])
    for first, width in (("w=64", 200), ("w=501", 600)):
        original = Original(renderer, folder, source, first)
        for colours, wanted in (("srgb", (0, 203, 11)), ("keep", (60, 200, 60)), ("p3", (60, 200, 60))):
            direct, through = original.both(f"w={width},icc={colours}")
            assert through.size == (width, round(width * 1.7))
            assert pictures.is_near(through.getpixel((width // 8, width // 8)), wanted, 4)
            assert through.info.get("icc_profile") == direct.info.get("icc_profile")
            assert_alike(direct, through, colours, SEEN_AVERAGED)


def test_of_a_huge_original_neither_has_all_pixels(renderer, folder):
    pictures.quadrants(6001, 4501).save(folder / "huge.png", compress_level=1)
    huge = Original(renderer, folder, folder / "huge.png")
    with Image.open(huge.mezzanine) as image:
        assert is_divided(image.size, (6001, 4501), 2)
    assert_alike(*huge.both("w=700"), "huge")
    renderer.forget()
    assert renderer.try_render(huge.source, "w=2000", "jpg", mezzanine=huge.mezzanine)["mezzanine"] == "none"
    outcome = renderer.try_render(huge.source, "w=3100", "jpg", leave=folder / "too-large")
    assert outcome["mezzanine"] == "none" and (folder / "too-large").stat().st_size == 0


# ---- where there is none ------------------------------------------------------------------------

def _transparent(folder):
    image = pictures.quadrants(2100, 1500)
    image.putalpha(255)
    image.putpixel((2000, 1400), (*image.getpixel((2000, 1400))[:3], 251))
    image.save(folder / "transparent.png")
    return folder / "transparent.png"


def test_a_transparent_original_leaves_nothing(renderer, folder):
    clear = Original(renderer, folder, _transparent(folder))
    assert clear.fate == "never"
    assert clear.mezzanine.stat().st_size == 0


def test_the_colours_of_transparent_pixels_do_not_bleed_into_the_first_variant(renderer, folder):
    """Every second column is an invisible red between blue."""
    image = Image.new("RGBA", (3400, 1000), (0, 0, 255, 255))
    for x in range(0, image.width, 2):
        image.paste((255, 0, 0, 0), (x, 0, x + 1, image.height))
    image.save(folder / "stripes.png", compress_level=1)
    outcome = renderer.try_render(folder / "stripes.png", "w=200", "png", leave=folder / "stripes.mezzanine")

    assert outcome["mezzanine"] == "never"
    with Image.open(outcome["path"]) as made:
        assert pictures.is_near(made.getpixel((100, 30))[:3], (0, 0, 255), 2)


@pytest.mark.parametrize("name", ["small", "baseline", "deep", "cmyk"])
def test_others_never_leave_one(renderer, folder, name):
    if name == "small":
        content = pictures.quadrants(1999, 1500)
    elif name == "baseline":
        content = encoded(pictures.quadrants(2400, 1500), "JPEG")
    elif name == "cmyk":
        content = encoded(pictures.quadrants(2400, 1500).convert("CMYK"), "TIFF")
    else:
        content = pictures.png(2000, 1501, lambda x, y: (1000,), depth=16, colour=pictures.GREY)
    outcome = renderer.try_render(content, "w=64", "webp", leave=folder / name)

    assert outcome["mezzanine"] == "never"
    assert (folder / name).stat().st_size == 0


def test_a_result_of_more_than_half_the_size_is_made_of_the_original(renderer, photo):
    for recipe, fate in (("w=1280", "used"), ("w=1281", "none"), ("crop=0:0:800:800,w=401", "none"),
                         ("crop=0:0:800:800,w=400", "used"), ("zoom=4,w=640", "none")):
        renderer.forget()
        outcome = renderer.try_render(photo.source, recipe, "jpg", mezzanine=photo.mezzanine)
        assert outcome["mezzanine"] == fate, recipe


@pytest.mark.parametrize("damage", ["empty", "cut", "nonsense", "another"])
def test_a_damaged_one_is_as_if_it_were_not_there(renderer, folder, photo, damage):
    whole = photo.mezzanine.read_bytes()
    broken = folder / f"{damage}.mezzanine"
    broken.write_bytes({"empty": b"", "cut": whole[:len(whole) // 2], "nonsense": b"nonsense" * 100,
                        "another": encoded(pictures.quadrants(2560, 1500), "JPEG")}[damage])
    renderer.forget()
    outcome = renderer.try_render(photo.source, "w=500", "png", mezzanine=broken)

    assert outcome["mezzanine"] == "none"
    with Image.open(outcome["path"]) as image:
        assert pictures.distance(image, renderer.render(photo.source, "w=500", "png")) == 0


def test_a_page_by_its_number_has_none(renderer, folder, photo):
    for how in ({"leave": folder / "page"}, {"mezzanine": photo.mezzanine}):
        outcome = renderer.try_render(photo.source, "page=1,w=64", "webp", **how)
        assert outcome["mezzanine"] == ("none" if "leave" in how else "used")
    assert (folder / "page").stat().st_size == 0


def test_a_damaged_original_leaves_nothing(renderer, folder, photo, large):
    cut = folder / "cut"
    for source in (photo.source, large.source):
        cut.write_bytes(source.read_bytes()[:100_000])
        assert_leaves_nothing(renderer, folder, cut)


def assert_leaves_nothing(renderer, folder, cut):
    outcome = renderer.try_render(cut, "w=64", "webp", leave=folder / "cut.mezzanine")

    assert isinstance(outcome, Failure) and outcome.kind == "unprocessable"
    assert (folder / "cut.mezzanine").stat().st_size == 0
