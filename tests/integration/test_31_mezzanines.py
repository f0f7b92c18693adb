"""A variant that is made of a mezzanine looks like one that is made of the original."""

import random

import pytest
from PIL import Image

import pictures
from rendering import Failure, Renderer, encoded, own_renderer, renderer, shared  # noqa: F401
from samples import BACKGROUNDS

# Mean difference of all samples, 0 to 255: what is lost on the way.  WebP alone costs this photo two.
SEEN = 0.6

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

    def __init__(self, renderer, folder, source):
        self.source, self.mezzanine, self._renderer = source, folder / f"{source.name}.mezzanine", renderer
        self.first = renderer.try_render(source, "w=64", "webp", leave=self.mezzanine)
        assert not isinstance(self.first, Failure), self.first
        self.fate = self.first["mezzanine"]

    def both(self, recipe, to="png"):
        """(directly, by way of the mezzanine), and the picture is not the same file."""
        outcome = self._renderer.try_render(self.source, recipe, to, mezzanine=self.mezzanine)
        assert not isinstance(outcome, Failure), outcome
        assert outcome["mezzanine"] == "used", recipe
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


def assert_alike(one, other, recipe):
    assert one.size == other.size and one.mode == other.mode, recipe
    assert pictures.distance(one, other) < SEEN, (recipe, pictures.distance(one, other))


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


def test_grey_stays_grey(renderer, folder):
    Image.linear_gradient("L").resize((2100, 1500)).save(folder / "grey.png")
    direct, through = Original(renderer, folder, folder / "grey.png").both("w=100")

    assert through.mode == "L"
    assert_alike(direct, through, "grey")


def test_a_huge_original_leaves_a_smaller_one(renderer, folder):
    pictures.quadrants(6001, 4501).save(folder / "huge.png", compress_level=1)
    huge = Original(renderer, folder, folder / "huge.png")
    with Image.open(huge.mezzanine) as image:
        assert image.width in (3000, 3001) and image.height in (2250, 2251)
    assert_alike(*huge.both("w=700"), "huge")
    outcome = renderer.try_render(huge.source, "w=2000", "jpg", mezzanine=huge.mezzanine)
    assert outcome["mezzanine"] == "none"


# ---- where there is none ------------------------------------------------------------------------

def _transparent(folder):
    image = pictures.quadrants(2100, 1500)
    image.putalpha(254)
    image.save(folder / "transparent.png")
    return folder / "transparent.png"


def test_a_transparent_original_leaves_nothing(renderer, folder):
    clear = Original(renderer, folder, _transparent(folder))
    assert clear.mezzanine.stat().st_size == 0


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
        outcome = renderer.try_render(photo.source, recipe, "jpg", mezzanine=photo.mezzanine)
        assert outcome["mezzanine"] == fate, recipe


@pytest.mark.parametrize("damage", ["empty", "cut", "nonsense", "another"])
def test_a_damaged_one_is_as_if_it_were_not_there(renderer, folder, photo, damage):
    whole = photo.mezzanine.read_bytes()
    broken = folder / f"{damage}.mezzanine"
    broken.write_bytes({"empty": b"", "cut": whole[:len(whole) // 2], "nonsense": b"nonsense" * 100,
                        "another": encoded(pictures.quadrants(2560, 1500), "JPEG")}[damage])
    outcome = renderer.try_render(photo.source, "w=500", "png", mezzanine=broken)

    assert outcome["mezzanine"] == "none"
    with Image.open(outcome["path"]) as image:
        assert pictures.distance(image, renderer.render(photo.source, "w=500", "png")) == 0


def test_a_page_by_its_number_has_none(renderer, folder, photo):
    for how in ({"leave": folder / "page"}, {"mezzanine": photo.mezzanine}):
        outcome = renderer.try_render(photo.source, "page=1,w=64", "webp", **how)
        assert outcome["mezzanine"] == ("none" if "leave" in how else "used")
    assert (folder / "page").stat().st_size == 0


def test_a_damaged_original_leaves_nothing(renderer, folder, photo):
    cut = folder / "cut.jpg"
    cut.write_bytes(photo.source.read_bytes()[:100_000])
    outcome = renderer.try_render(cut, "w=64", "webp", leave=folder / "cut.mezzanine")

    assert isinstance(outcome, Failure) and outcome.kind == "unprocessable"
    assert (folder / "cut.mezzanine").stat().st_size == 0
