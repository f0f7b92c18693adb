"""What a renderer keeps of the last picture makes the same pictures, of the same file only, and not for long."""

import concurrent.futures
import contextlib
import fcntl
import os
import signal
import struct
import sys
import time

import pytest
from PIL import Image

import icc
import pictures
from rendering import Failure, Renderer, encoded, measures_memory, own_renderer, renderer, shared  # noqa: F401
from samples import BACKGROUNDS
from test_31_mezzanines import RECIPES, SEEN, SEEN_AVERAGED, Original, assert_alike

TWO_WINGS = BACKGROUNDS / "mate" / "nature" / "TwoWings.jpg"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("originals")


@pytest.fixture(scope="module")
def plain(folder):
    """Not progressive."""
    with Image.open(TWO_WINGS) as image:
        image.resize((1600, 1000), Image.LANCZOS).save(folder / "plain.jpg", quality=92)
    return folder / "plain.jpg"


@pytest.fixture(scope="module")
def exact(folder):
    with Image.open(TWO_WINGS) as image:
        image.resize((1280, 800), Image.LANCZOS).save(folder / "exact.png", compress_level=1)
    return folder / "exact.png"


def open_whole(path):
    image = Image.open(path)
    image.load()
    return image


def make(renderer, source, recipe, to="png", **options):
    """(whether it is of what was kept, path)"""
    outcome = renderer.try_render(source, recipe, to, **options)
    assert not isinstance(outcome, Failure), (recipe, outcome)
    return outcome["kept"] == "1", outcome["path"]


def both(renderer, source, recipe, first="w=0.9", to="png", **options):
    """Paths of the results: of the file alone, and of what another job has left of it in memory."""
    renderer.forget()
    was_kept, alone = make(renderer, source, recipe, to, **options)
    assert not was_kept
    renderer.forget()
    make(renderer, source, first)
    was_kept, again = make(renderer, source, recipe, to, **options)
    assert was_kept, recipe
    return alone, again


# ---- the same pictures ------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_variant_of_kept_pixels_looks_the_same(renderer, plain, recipe):
    assert_alike(*map(open_whole, both(renderer, plain, recipe)), recipe)


@pytest.mark.parametrize("recipe", [*RECIPES, "w=300,g=smart,h=300,fit=cover", "trim=20,w=300", "w=300,sharpen=1"])
def test_of_what_loses_nothing_it_is_the_same_file(renderer, exact, recipe):
    alone, again = both(renderer, exact, recipe)
    assert alone.read_bytes() == again.read_bytes()


@pytest.mark.parametrize("to", ["jpg", "webp", "png"])
def test_as_long_as_libjpeg_does_not_scale_it_is_the_same_file(renderer, plain, to):
    for recipe in ("w=401", "w=800", "w=1200"):
        alone, again = both(renderer, plain, recipe, to=to)
        assert alone.read_bytes() == again.read_bytes(), recipe


def test_averages_of_what_is_kept_look_the_same(renderer, plain):
    """A half, a quarter and an eighth of the sides."""
    widths = (40, 80, 160, 320)
    direct = {}
    for width in widths:
        renderer.forget()
        direct[width] = open_whole(make(renderer, plain, f"w={width}")[1])
    make(renderer, plain, "w=1600")
    for width in widths:
        was_kept, path = make(renderer, plain, f"w={width}")
        assert was_kept
        assert_alike(direct[width], open_whole(path), width)


@pytest.mark.parametrize("orientation", [3, 6, 7])
def test_what_is_kept_is_turned_as_the_original_says(renderer, folder, orientation):
    source = folder / f"turned{orientation}.jpg"
    pictures.lain_down(pictures.quadrants(1600, 2000), orientation).save(
        source, quality=95, exif=pictures.exif_orientation(orientation))
    alone, again = map(open_whole, both(renderer, source, "w=200,h=100,fit=cover,g=n"))

    assert_alike(alone, again, orientation)
    assert pictures.is_near(again.getpixel((20, 20)), pictures.RED, 6)
    assert pictures.is_near(again.getpixel((180, 20)), pictures.GREEN, 6)


def test_a_wide_gamut_stays_what_it_is(renderer, folder):
    """Display P3 60 200 60 is sRGB -77 203 11 (CSS Color 4, color-conversion code), so icc=srgb clips its red."""
    source = folder / "wide.jpg"
    Image.new("RGB", (2000, 1600), (60, 200, 60)).save(source, quality=95, icc_profile=icc.display_p3())
    for recipe, wanted in (("w=200,icc=keep", (60, 200, 60)), ("w=200,icc=p3", (60, 200, 60)), ("w=200", (0, 203, 11))):
        alone, again = map(open_whole, both(renderer, source, recipe))
        assert again.info.get("icc_profile") == alone.info.get("icc_profile")
        assert pictures.is_near(again.getpixel((100, 80)), wanted, 4), (recipe, again.getpixel((100, 80)))
        assert pictures.distance(alone, again) <= 1


def test_transparent_colours_do_not_bleed(renderer, folder):
    image = Image.new("RGBA", (1600, 1000), (0, 0, 255, 255))
    for x in range(0, image.width, 2):
        image.paste((255, 0, 0, 0), (x, 0, x + 1, image.height))
    image.save(folder / "stripes.png", compress_level=1)
    alone, again = both(renderer, folder / "stripes.png", "w=100")
    assert alone.read_bytes() == again.read_bytes()


def test_frames_and_pages_are_never_made_of_the_first(renderer, folder):
    first, second = (Image.new("RGB", (300, 200), colour) for colour in (pictures.RED, pictures.GREEN))
    first.save(folder / "two.webp", save_all=True, append_images=[second], lossless=True)
    was_kept, _ = make(renderer, folder / "two.webp", "w=200", "jpg")
    was_kept, path = make(renderer, folder / "two.webp", "w=200", "webp")
    with Image.open(path) as moving:
        assert not was_kept and moving.n_frames == 2
    make(renderer, folder / "two.webp", "w=200", "jpg")
    was_kept, path = make(renderer, folder / "two.webp", "page=2,w=200", "png")
    assert not was_kept and pictures.is_near(open_whole(path).getpixel((100, 60))[:3], pictures.GREEN, 6)


# ---- what is kept -------------------------------------------------------------------------------


def test_who_asks_again_decodes_more_and_all_others_nothing(renderer, folder):
    with Image.open(TWO_WINGS) as image:
        image.resize((6400, 3200)).save(folder / "huge.jpg", quality=85)
    renderer.forget()
    # An eighth suffices for the first two, a half for the next two; 1920 needs all, which is more than is kept.
    widths = (160, 320, 640, 1280, 1920, 1000, 64)
    assert [make(renderer, folder / "huge.jpg", f"w={width}", "jpg")[0] for width in widths] == \
        [False, True, False, True, False, False, True]


def test_of_up_to_18_megapixels_all_are_kept(renderer, folder):
    with Image.open(TWO_WINGS) as image:
        image.resize((5120, 3200)).save(folder / "wide.jpg", quality=85)
    renderer.forget()
    widths = (160, 320, 640, 1280, 1920, 4000, 64)
    assert [make(renderer, folder / "wide.jpg", f"w={width}", "jpg")[0] for width in widths] == \
        [False, True, False, True, True, True, True]


def test_a_part_is_not_kept_before_somebody_asks_again(renderer, plain):
    recipe = "crop=0.0:0.0:0.2:0.2,w=100"
    renderer.forget()
    assert [make(renderer, plain, recipe)[0] for _ in "abc"] == [False, False, True]


@pytest.fixture(scope="module")
def large(shared, folder):
    """(an original that has a small mezzanine, its two mezzanines)."""
    with Image.open(TWO_WINGS) as image:
        image.resize((4000, 2500)).save(folder / "large.png", compress_level=1)
    shared.forget()
    small = Original(shared, folder, folder / "large.png")
    return folder / "large.png", small.mezzanine, Original(shared, folder, folder / "large.png", "w=1001").mezzanine


def test_who_leaves_a_mezzanine_keeps_its_pixels(renderer, folder, large):
    source, small, _ = large
    renderer.forget()
    outcome = renderer.try_render(source, "w=200", "jpg", leave=folder / "left")
    assert (outcome["mezzanine"], outcome["kept"]) == ("follows", "0")
    outcome = renderer.try_render(source, "w=700", "png", mezzanine=small)
    assert (outcome["mezzanine"], outcome["kept"]) == ("used", "1")
    assert_alike(renderer.render(source, "w=700", "png"), open_whole(outcome["path"]), "w=700", SEEN_AVERAGED)
    assert (folder / "left").read_bytes() == small.read_bytes()


def test_who_leaves_a_small_one_has_all_pixels_for_large_results(renderer, folder, large):
    source, small, _ = large
    exact = {recipe: make_alone(renderer, source, recipe).read_bytes() for recipe in ("w=1300", "w=2001", "w=300")}
    renderer.forget()
    renderer.try_render(source, "w=200", "jpg", leave=folder / "left")
    for recipe in ("w=1300", "w=2001"):
        outcome = renderer.try_render(source, recipe, "png", mezzanine=small)
        assert (outcome["mezzanine"], outcome["kept"]) == ("used", "1")
        assert outcome["path"].read_bytes() == exact[recipe], recipe
    # What keeps each level is not made of halves.
    was_kept, path = make(renderer, source, "w=300", "png")
    assert was_kept and path.read_bytes() == exact["w=300"]


def test_who_leaves_one_of_all_pixels_is_made_of_all_of_them(renderer, folder):
    """In a format that keeps each level: the same file as without leaving one."""
    with Image.open(TWO_WINGS) as image:
        image.resize((3000, 1200)).save(folder / "wide.png", compress_level=1)
    alone = make_alone(renderer, folder / "wide.png", "w=300").read_bytes()
    renderer.forget()
    outcome = renderer.try_render(folder / "wide.png", "w=300", "png", leave=folder / "left")
    assert outcome["mezzanine"] == "follows" and outcome["path"].read_bytes() == alone


def make_alone(renderer, source, recipe):
    renderer.forget()
    was_kept, path = make(renderer, source, recipe)
    assert not was_kept
    return path


@pytest.fixture(scope="module")
def with_alpha(folder):
    """The same picture three times: opaque, nearly so in one row, transparent there."""
    with Image.open(TWO_WINGS) as image:
        image = image.resize((3600, 1000)).convert("RGBA")
    paths = {}
    for alpha in (255, 253, 80):
        image.paste((200, 30, 30, alpha), (0, 700, 3600, 701))
        paths[alpha] = folder / f"alpha{alpha}.png"
        image.save(paths[alpha], compress_level=1)
    return paths


@pytest.mark.parametrize("recipe", ["w=1800", "w=500", "w=500,h=500,fit=cover,g=s", "w=900,rot=90"])
def test_an_opaque_alpha_channel_costs_nothing_and_is_there_again(renderer, folder, with_alpha, recipe):
    with Image.open(with_alpha[255]) as image:
        image.convert("RGB").save(folder / "without.png", compress_level=1)
    without = open_whole(make_alone(renderer, folder / "without.png", recipe))
    with_it = open_whole(make_alone(renderer, with_alpha[255], recipe))
    assert with_it.mode == "RGBA" and with_it.getchannel("A").getextrema() == (255, 255)
    assert with_it.convert("RGB").tobytes() == without.convert("RGB").tobytes()


def test_what_is_transparent_anywhere_stays_so(renderer, with_alpha):
    """Above the row all is opaque, which is how it looks until the row comes."""
    for alpha in (253, 80):
        picture = open_whole(make_alone(renderer, with_alpha[alpha], "flip=h"))
        assert picture.getchannel("A").getextrema() == (alpha, 255)
        assert picture.getpixel((1800, 700)) == (200, 30, 30, alpha)
        assert picture.getpixel((1800, 699))[3] == picture.getpixel((1800, 701))[3] == 255


def test_nearly_opaque_pixels_are_kept_as_opaque_ones_for_who_takes_a_mezzanine_only(renderer, folder, with_alpha):
    source, left = with_alpha[253], folder / "left"
    exact = open_whole(make_alone(renderer, source, "w=2000"))
    renderer.forget()
    assert renderer.try_render(source, "w=200", "jpg", leave=left)["mezzanine"] == "follows"
    outcome = renderer.try_render(source, "w=2000", "png", mezzanine=left)
    assert (outcome["mezzanine"], outcome["kept"]) == ("used", "1")
    assert_alike(exact, open_whole(outcome["path"]), "nearly opaque")
    was_kept, path = make(renderer, source, "w=2000", "png")
    assert not was_kept and open_whole(path).tobytes() == exact.tobytes()
    # The same from another renderer, which has not left it.
    renderer.forget()
    outcomes = [renderer.try_render(source, "w=2000", "png", mezzanine=left) for _ in "ab"]
    assert [outcome["kept"] for outcome in outcomes] == ["0", "1"]
    assert not make(renderer, source, "w=2000", "png")[0]
    # And where the mezzanine has all pixels.
    renderer.forget()
    assert renderer.try_render(source, "w=1800", "webp", leave=left)["mezzanine"] == "follows"
    assert renderer.try_render(source, "w=1800", "jpg", mezzanine=left)["kept"] == "1"
    was_kept, path = make(renderer, source, "w=2000", "png")
    assert not was_kept and open_whole(path).tobytes() == exact.tobytes()
    # And from what was left, as a small one is.
    renderer.forget()
    outcome = renderer.try_render(source, "w=200", "png", mezzanine=left)
    assert outcome["kept"] == "0"
    assert_alike(open_whole(make_alone(renderer, source, "w=200")), open_whole(outcome["path"]), "nearly opaque")


def test_of_a_transparent_original_nothing_is_taken_for_opaque(renderer, folder, with_alpha):
    renderer.forget()
    assert renderer.try_render(with_alpha[80], "w=200", "jpg", leave=folder / "left")["mezzanine"] == "never"
    assert_alike(open_whole(make(renderer, with_alpha[80], "w=900")[1]),
                 open_whole(make_alone(renderer, with_alpha[80], "w=900")), "transparent")


@pytest.mark.parametrize("which", ["small", "large"])
def test_pixels_of_a_mezzanine_are_for_those_who_would_use_it(renderer, large, which):
    source, mezzanine = large[0], large[1 if which == "small" else 2]
    renderer.forget()
    direct = renderer.render(source, "w=300", "png")
    renderer.forget()
    for wanted in ("0", "1"):
        outcome = renderer.try_render(source, "w=1000" if wanted == "0" else "w=300", "png", mezzanine=mezzanine)
        assert (outcome["mezzanine"], outcome["kept"]) == ("used", wanted)
    assert_alike(direct, open_whole(outcome["path"]), which, SEEN_AVERAGED)
    was_kept, path = make(renderer, source, "w=300", "png")
    assert not was_kept
    assert pictures.distance(direct, open_whole(path)) == 0


def test_averages_are_not_for_what_keeps_each_level(renderer, folder, large):
    source, _, _ = large
    renderer.forget()
    exact = make(renderer, source, "w=300", "png")[1].read_bytes()
    renderer.forget()
    renderer.try_render(source, "w=200", "jpg", leave=folder / "left")
    was_kept, path = make(renderer, source, "w=300", "png")
    assert was_kept and path.read_bytes() == exact


# ---- of the same file only ------------------------------------------------------------------------


def colours(folder, name, colour):
    """A PNG of the same size in bytes, whatever its colour."""
    path = folder / name
    Image.new("RGB", (2000, 1000), colour).save(path, "BMP")
    with Image.open(path) as image:
        image.save(path, "TIFF", compression="raw")
    return path


def colour_of(renderer, source):
    was_kept, path = make(renderer, source, "w=50")
    return was_kept, open_whole(path).convert("RGB").getpixel((20, 10))


def test_the_same_file_under_another_name_is_the_same(renderer, folder):
    red = colours(folder, "red.tiff", pictures.RED)
    (folder / "link.tiff").hardlink_to(red)
    renderer.forget()
    assert [colour_of(renderer, red)[0], colour_of(renderer, folder / "link.tiff")[0]] == [False, True]


@pytest.mark.parametrize("how", ["replaced", "removed", "overwritten"])
def test_another_original_under_the_same_name_is_another(renderer, folder, how):
    red = colours(folder, f"{how}.tiff", pictures.RED)
    green = colours(folder, "green.tiff", pictures.GREEN)
    before = red.stat()
    assert before.st_size == green.stat().st_size
    renderer.forget()
    assert colour_of(renderer, red) == (False, pictures.RED)
    assert colour_of(renderer, red) == (True, pictures.RED)
    time.sleep(0.02)        # the clock of files ticks every 4 to 10 ms
    if how == "overwritten":
        red.write_bytes(green.read_bytes())
    elif how == "replaced":
        green.rename(red)
    else:
        red.unlink()            # and its inode may be the next file's
        red.write_bytes(green.read_bytes())
    os.utime(red, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert colour_of(renderer, red) == (False, pictures.GREEN)


# ---- in memory that renderers share ---------------------------------------------------------------


def test_what_one_renderer_has_kept_serves_another(own_renderer, exact):
    renderer = own_renderer
    first = make(renderer, exact, "w=400")[1].read_bytes()
    os.kill(renderer.status()["pid"], signal.SIGKILL)
    while renderer.status()["started"] == 1:
        time.sleep(0.01)
    was_kept, path = make(renderer, exact, "w=400")
    assert was_kept and path.read_bytes() == first


# In the index, slots.h: width, height, bands, shrink and has_lost of the first slot, and which levels it has.
ABOUT = struct.Struct("=5I")
ABOUT_AT, LEVELS_AT = 64, 84


@contextlib.contextmanager
def memory_of(renderer):
    with open(f"/proc/{renderer.status()['pid']}/fd/5", "r+b", buffering=0) as memory:
        yield memory


def levels_in(memory):
    return int.from_bytes(os.pread(memory.fileno(), 4, LEVELS_AT), sys.byteorder)


def test_who_dies_while_he_decodes_more_leaves_nothing(own_renderer, folder):
    renderer, source = own_renderer, folder / "noise.jpg"
    Image.effect_noise((4000, 4000), 60).convert("RGB").save(source, quality=90)
    make(renderer, source, "w=500")
    with memory_of(renderer) as memory, concurrent.futures.ThreadPoolExecutor() as pool:
        assert levels_in(memory) == 1
        pid = renderer.status()["pid"]
        job = pool.submit(renderer.try_render, source, "w=3000")
        while levels_in(memory) != 0 and not job.done():
            pass
        os.kill(pid, signal.SIGKILL)
        assert isinstance(job.result(), Failure)
        assert levels_in(memory) == 0
    was_kept, path = make(renderer, source, "w=3000")
    assert not was_kept and path.read_bytes() == make_alone(renderer, source, "w=3000").read_bytes()


LOCK = struct.Struct("hhqqi4x")


def lock_of(memory):
    """The kind of lock that another process has on the first slot."""
    asked = LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0)
    return LOCK.unpack(fcntl.fcntl(memory, fcntl.F_GETLK, asked))[0]


def test_others_read_as_soon_as_it_is_decoded(renderer, folder):
    """And not only when it is encoded."""
    source = folder / "decoded.jpg"
    Image.effect_noise((3000, 3000), 60).convert("RGB").save(source, quality=90)
    renderer.forget()
    seen = []
    with memory_of(renderer) as memory, concurrent.futures.ThreadPoolExecutor() as pool:
        job = pool.submit(renderer.try_render, source, "w=2900", "png")
        while not job.done():
            seen.append((lock_of(memory), levels_in(memory)))
        assert lock_of(memory) == fcntl.F_UNLCK
    assert not isinstance(job.result(), Failure)
    assert (fcntl.F_WRLCK, 0) in seen and (fcntl.F_RDLCK, 1) in seen
    assert seen.index((fcntl.F_WRLCK, 0)) < seen.index((fcntl.F_RDLCK, 1))


def test_two_seconds_later_its_memory_is_given_back(renderer, exact):
    make(renderer, exact, "w=400")
    used = time.monotonic()
    with memory_of(renderer) as memory:
        assert os.fstat(memory.fileno()).st_blocks * 512 >= 3 * 1280 * 800
        while os.fstat(memory.fileno()).st_blocks * 512 > 65536:
            assert time.monotonic() < used + 10
            time.sleep(0.05)
    assert time.monotonic() > used + 1.5
    assert not make(renderer, exact, "w=400")[0]


def lie(renderer, lies):
    with memory_of(renderer) as memory:
        names = ("width", "height", "bands", "shrink", "has_lost")
        honest = dict(zip(names, ABOUT.unpack(os.pread(memory.fileno(), ABOUT.size, ABOUT_AT))))
        assert honest == {"width": 1280, "height": 800, "bands": 3, "shrink": 1, "has_lost": 0}
        os.pwrite(memory.fileno(), ABOUT.pack(*(honest | lies).values()), ABOUT_AT)


@pytest.mark.parametrize("lies", [
    {"width": 0}, {"width": 2 ** 32 - 1}, {"width": 65536, "height": 65536}, {"height": 0}, {"height": 801},
    {"bands": 0}, {"bands": 1}, {"bands": 4}, {"bands": 2 ** 31}, {"shrink": 0}, {"shrink": 9}, {"shrink": 2 ** 32 - 1},
], ids=str)
def test_a_renderer_that_was_taken_over_cannot_break_others(renderer, exact, lies):
    """It may write anything where others read."""
    direct = make_alone(renderer, exact, "w=400").read_bytes()
    make(renderer, exact, "w=400")
    lie(renderer, lies)
    was_kept, path = make(renderer, exact, "w=400")
    assert not was_kept and path.read_bytes() == direct
    assert make(renderer, exact, "w=400")[0]


@pytest.mark.parametrize("lies", [{"width": 1}, {"height": 1}, {"width": 1, "height": 1}, {"shrink": 8}], ids=str)
def test_what_it_could_have_made_itself_is_believed(renderer, exact, lies):
    """Which may be a wrong picture, of the right size."""
    make_alone(renderer, exact, "w=400")
    lie(renderer, lies)
    for recipe in ("w=1280", "w=400", "w=100", "crop=1000:100:100:600", "g=smart,w=200,h=200,fit=cover"):
        outcome = renderer.try_render(exact, recipe)
        assert isinstance(outcome, Failure) or open_whole(outcome["path"]).width <= 1280


# ---- and not for ever -------------------------------------------------------------------------------


def test_a_small_picture_is_decoded_each_time(renderer, folder, plain):
    """And leaves what is kept of others."""
    with Image.open(plain) as image:
        image.resize((1000, 999)).save(folder / "small.jpg", quality=90)
    renderer.forget()
    make(renderer, plain, "w=300")
    assert [make(renderer, folder / "small.jpg", "w=300")[0] for _ in "abc"] == [False, False, False]
    assert make(renderer, plain, "w=300")[0]


def test_another_file_between_makes_it_forget(renderer, plain, exact):
    renderer.forget()
    assert [make(renderer, source, "w=300")[0] for source in (plain, plain, plain, exact, plain)] == \
        [False, True, True, False, False]


def test_a_job_that_fails_makes_it_forget(renderer, exact):
    renderer.forget()
    make(renderer, exact, "w=300")
    assert isinstance(renderer.try_render(exact, "w=300", max_output=10), Failure)
    assert [make(renderer, exact, "w=300")[0] for _ in "ab"] == [False, True]


def test_a_damaged_file_fails_each_time(renderer, folder, plain, exact):
    for source in (plain, exact):
        cut = folder / f"cut{source.suffix}"
        cut.write_bytes(source.read_bytes()[:100_000])
        for width in (160, 160, 640, 1000):
            outcome = renderer.try_render(cut, f"w={width}")
            assert isinstance(outcome, Failure) and outcome.kind == "unprocessable", outcome


# ---- and not for long --------------------------------------------------------------------------------


@measures_memory
def test_its_memory_is_given_back_after_two_seconds(tmp_path, plain):
    alone = Renderer(tmp_path)
    alone.render_file(plain, "w=1000", "jpg")
    busy_kb = alone.status()["rss_kb"]
    time.sleep(2.5)
    idle_kb = alone.status()["rss_kb"]
    # 1600 x 1000 x 3 bytes
    assert busy_kb - idle_kb > 4_500, (busy_kb, idle_kb)
    assert [make(alone, plain, "w=1000")[0] for _ in "ab"] == [False, True]
    alone.close()
