"""The file: formats, qualities, palettes, sizes in bytes; made by the real vitrine-renderer."""

import io
import math
import random
import struct
import subprocess

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter

import icc
import pictures
from pictures import distance
from rendering import Failure, encoded, own_renderer, renderer, shared  # noqa: F401

FORMATS = ("jpg", "png", "webp", "avif", "gif", "jxl")
LOSSY = ("jpg", "webp", "avif", "jxl")
DEFAULTS = {"jpg": 80, "webp": 78, "avif": 50, "jxl": 77}


def exiftool(path, tag):
    done = subprocess.run(["exiftool", "-s3", f"-{tag}", str(path)], capture_output=True, check=True, text=True,
                          timeout=60)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def photo(shared):
    return shared.file(pictures.photo(400, 300, grain=0.1))


def greatest_difference(one, other):
    assert one.size == other.size and one.mode == other.mode
    return max(value for image in ImageChops.difference(one, other).split() for value in image.getextrema())


# ---- what each format is written as --------------------------------------------------------------


@pytest.mark.parametrize("to", FORMATS)
def test_other_programs_read_every_format(renderer, photo, to):
    path = renderer.render_file(photo, "w=120", to)
    assert exiftool(path, "MIMEType") == {"jpg": "image/jpeg"}.get(to, f"image/{to}")
    assert exiftool(path, "ImageSize") == "120x90"
    if to not in ("avif", "jxl"):
        image = Image.open(path)
        image.load()
        assert image.size == (120, 90)


def jpeg_markers(content):
    """The markers up to the first scan."""
    at, markers = 2, []
    while content[at + 1] != 0xDA:
        markers.append(content[at + 1])
        at += 2 + struct.unpack(">H", content[at + 2:at + 4])[0]
    return markers


@pytest.mark.parametrize("recipe, marker", (("-", 0xC2), ("progressive=on", 0xC2), ("progressive=off", 0xC0)))
def test_jpegs_are_progressive_unless_told(renderer, photo, recipe, marker):
    content = renderer.render_file(photo, recipe, "jpg").read_bytes()
    assert [m for m in jpeg_markers(content) if 0xC0 <= m <= 0xC3] == [marker]


def test_pngs_are_never_interlaced(renderer, photo):
    assert renderer.render_file(photo, "w=50", "png").read_bytes()[28] == 0


SUBSAMPLING = (("-", 2), ("q=89", 2), ("q=90", 1), ("subsample=420,q=95", 2), ("subsample=444", 1))


@pytest.mark.parametrize("recipe, factor", SUBSAMPLING)
def test_jpeg_keeps_colour_at_the_resolution_asked(renderer, photo, recipe, factor):
    image = Image.open(renderer.render_file(photo, recipe, "jpg"))
    assert [layer[1:3] for layer in image.layer] == [(factor, factor), (1, 1), (1, 1)]


@pytest.mark.parametrize("recipe, factor", SUBSAMPLING)
def test_avif_keeps_colour_at_the_resolution_asked(renderer, photo, recipe, factor):
    content = renderer.render_file(photo, recipe, "avif").read_bytes()
    flags = content[content.index(b"av1C") + 6]      # AV1 ISOBMFF section 2.3.3
    assert bool(flags & 0x08) == bool(flags & 0x04) == (factor == 2)


def red_on_blue():
    """Of the same brightness, so that only colour tells the stripes apart."""
    image = Image.new("RGB", (64, 64), (0, 0, 255))
    pen = ImageDraw.Draw(image)
    for x in range(0, 64, 7):
        pen.line((x, 0, x, 63), fill=(97, 0, 0))
    return image


def test_webp_does_its_best_for_colour_when_asked(renderer):
    source = red_on_blue()
    usual, better = (renderer.render(source, recipe, "webp") for recipe in ("q=90", "q=90,subsample=444"))
    assert distance(better, source) < 0.9 * distance(usual, source)


# ---- palettes --------------------------------------------------------------------------------------

PALETTES = [(to, colours) for to in ("png", "gif") for colours in (2, 3, 7, 16, 100, 128, 255, 256)]


@pytest.mark.parametrize("to, asked", PALETTES)
def test_a_palette_has_as_many_colours_as_asked(renderer, photo, to, asked):
    image = Image.open(renderer.render_file(photo, f"palette={asked}", to))
    assert image.mode == "P"
    assert asked * 0.97 <= len(image.getcolors(256)) <= asked


@pytest.mark.parametrize("to", ("png", "gif"))
def test_more_colours_look_more_like_the_picture(renderer, photo, to):
    picture = Image.open(photo)
    losses = [distance(renderer.render(photo, f"palette={colours}", to).convert("RGB"), picture)
              for colours in (3, 7, 50, 200)]
    assert losses == sorted(losses, reverse=True) and losses[-1] < 6 < losses[0]
    # Not much worse than the quantiser of PIL.
    for colours, loss in zip((7, 50, 200), losses[1:]):
        reference = picture.quantize(colours, dither=Image.Dither.NONE).convert("RGB")
        assert loss < 1.2 * distance(reference, picture)


def test_a_png_of_a_photo_is_filtered(renderer, photo):
    """Without filters it would be half as large again."""
    picture = Image.open(photo).filter(ImageFilter.GaussianBlur(3))
    size = renderer.render_file(picture, "flip=v", "png").stat().st_size
    assert size < 1.1 * len(encoded(picture, "PNG"))


def test_png_has_a_palette_only_when_asked(renderer, photo):
    content = renderer.render_file(photo, "-", "png").read_bytes()
    assert content[25] == 2 and b"PLTE" not in content


def test_a_palette_looks_like_the_picture(renderer, photo):
    plain = renderer.render(photo)
    many, few = (renderer.render(photo, f"palette={colours}").convert("RGB") for colours in (256, 16))
    assert distance(many, plain) < 6 < distance(few, plain)


@pytest.mark.parametrize("colours", (15, 16))
def test_a_palette_keeps_transparency(renderer, colours):
    image = Image.new("RGBA", (64, 64), (200, 40, 30, 255))
    image.paste((200, 40, 30, 128), (32, 0, 64, 64))
    made = renderer.render(image, f"palette={colours}").convert("RGBA")
    assert made.getpixel((10, 10))[3] == 255 and abs(made.getpixel((50, 10))[3] - 128) <= 2


# ---- quality -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ("webp", "jxl", "png"))
def test_lossless_loses_nothing(renderer, photo, to):
    # JPEG XL tells its profile; to read it without converting it, icc=keep.
    made = renderer.render(renderer.render_file(photo, "lossless=1", to), "icc=keep")
    assert greatest_difference(made.convert("RGB"), Image.open(photo)) == 0
    assert renderer.render_file(photo, "-", to).stat().st_size <= \
        renderer.render_file(photo, "lossless=1", to).stat().st_size


def test_lossless_avif_is_off_by_two_levels_at_most(renderer, photo):
    """8.14.1 cannot leave out the conversion to YCbCr."""
    assert greatest_difference(renderer.render(photo, "lossless=1", "avif"), Image.open(photo)) <= 2


@pytest.mark.parametrize("to", LOSSY)
def test_quality_is_in_order(renderer, photo, to):
    sizes = [renderer.render_file(photo, recipe, to).stat().st_size
             for recipe in ("q=1", "q=20", "q=low", "-", "q=95")]
    assert sizes == sorted(sizes) and len(set(sizes)) == len(sizes)
    assert 0.5 < sizes[2] / sizes[3] < 0.85
    assert renderer.render_file(photo, f"q={DEFAULTS[to]}", to).stat().st_size == sizes[3]


@pytest.mark.parametrize("to", ("png", "gif"))
def test_quality_says_nothing_where_there_is_none(renderer, photo, to):
    plain = renderer.render_file(photo, "w=50", to).read_bytes()
    for quality in ("1", "low", "auto"):
        assert renderer.render_file(photo, f"w=50,q={quality}", to).read_bytes() == plain


# ---- q=auto ------------------------------------------------------------------------------------------

TARGET = 0.97
BOUNDS = {"jpg": (50, 90), "webp": (50, 90), "avif": (32, 72), "jxl": (50, 90)}


def luma(image):
    pixels = image.convert("RGB").tobytes()
    return [[(299 * pixels[i] + 587 * pixels[i + 1] + 114 * pixels[i + 2] + 500) // 1000
             for i in range(3 * y * image.width, 3 * (y + 1) * image.width, 3)] for y in range(image.height)]


WEIGHTS = [math.exp(-(i - 5) ** 2 / (2 * 1.5 ** 2)) for i in range(11)]
WEIGHTS = [weight / sum(WEIGHTS) for weight in WEIGHTS]


def smoothed(rows):
    """The Gaussian window, where it lies within the picture."""
    across = [[sum(w * v for w, v in zip(WEIGHTS, row[x:x + 11])) for x in range(len(row) - 10)] for row in rows]
    return [[sum(w * across[y + i][x] for i, w in enumerate(WEIGHTS)) for x in range(len(across[0]))]
            for y in range(len(across) - 10)]


def product(one, other):
    return [[a * b for a, b in zip(x, y)] for x, y in zip(one, other)]


def structural_similarity(one, other):
    """Formula (13) of Wang et al. 2004."""
    a, b = luma(one), luma(other)
    planes = [smoothed(rows) for rows in (a, b, product(a, a), product(b, b), product(a, b))]
    c1, c2, total, count = (0.01 * 255) ** 2, (0.03 * 255) ** 2, 0, 0
    for rows in zip(*planes):
        for m, n, mm, nn, mn in zip(*rows):
            total += (2 * m * n + c1) * (2 * (mn - m * n) + c2) \
                / ((m * m + n * n + c1) * (mm - m * m + nn - n * n + c2))
            count += 1
    return total / count


@pytest.mark.parametrize("to", ("jpg", "webp"))
def test_auto_quality_is_the_lowest_that_is_similar_enough(renderer, to):
    picture = pictures.photo(160, 120, grain=0.05).filter(ImageFilter.GaussianBlur(1))
    source = renderer.file(picture)
    found = renderer.render_file(source, "q=auto", to).read_bytes()
    qualities = [q for q in range(BOUNDS[to][0], BOUNDS[to][1] + 1)
                 if renderer.render_file(source, f"q={q}", to).read_bytes() == found]
    assert qualities and BOUNDS[to][0] < qualities[0] < BOUNDS[to][1], "the picture must not be at a bound"
    assert structural_similarity(renderer.render(source, f"q={qualities[0]}", to), picture) >= TARGET - 0.0005
    # Halving stops within two of it, and similarity is not quite even.
    assert structural_similarity(renderer.render(source, f"q={qualities[0] - 3}", to), picture) < TARGET


@pytest.mark.parametrize("to", LOSSY)
def test_auto_quality_stays_within_its_bounds(renderer, to):
    even = Image.linear_gradient("L").resize((96, 64)).convert("RGB")
    # So faint that it is the first thing to go.
    noise = Image.frombytes("L", (96, 64), random.Random(3).randbytes(96 * 64)).point(lambda v: 120 + v % 14)
    for picture, qualities in ((even, range(BOUNDS[to][0], BOUNDS[to][0] + 3)),
                               (noise, range(BOUNDS[to][1] - 2, BOUNDS[to][1] + 1))):
        source = renderer.file(picture)
        size = renderer.render_file(source, "q=auto", to).stat().st_size
        sizes = [renderer.render_file(source, f"q={quality}", to).stat().st_size for quality in qualities]
        assert min(sizes) <= size <= max(sizes)


def test_auto_quality_of_a_large_picture_is_found_in_its_middle(renderer):
    """Noise all around: only who looks at the middle finds it easy."""
    picture = Image.frombytes("L", (1600, 1600), random.Random(4).randbytes(1600 * 1600)).convert("RGB")
    picture.paste((90, 120, 150), (250, 250, 1350, 1350))
    source = renderer.file(encoded(picture, "JPEG", quality=95))
    auto = renderer.render_file(source, "q=auto", "jpg").stat().st_size
    assert auto == renderer.render_file(source, "q=50", "jpg").stat().st_size \
        or auto == renderer.render_file(source, "q=51", "jpg").stat().st_size


def test_auto_quality_of_what_cannot_be_measured_is_the_default(renderer):
    small = renderer.file(pictures.quadrants(10, 30))
    assert renderer.render_file(small, "q=auto", "jpg").read_bytes() == \
        renderer.render_file(small, "-", "jpg").read_bytes()


def test_auto_quality_works_with_transparency(renderer):
    image = pictures.photo(96, 64).convert("RGBA")
    image.paste((0, 0, 0, 0), (40, 0, 96, 64))
    for to in ("webp", "avif", "jxl"):
        assert renderer.render(image, "q=auto", to).convert("RGBA").getpixel((90, 5))[3] == 0


# ---- max-bytes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", LOSSY)
def test_a_file_fits_into_the_bytes_allowed_and_uses_them(renderer, photo, to):
    plain = renderer.render_file(photo, "-", to).stat().st_size
    assert renderer.render_file(photo, f"max-bytes={plain}", to).stat().st_size == plain
    for part in (0.99, 0.7, 0.4):
        limit = int(plain * part)
        made = renderer.render_file(photo, f"max-bytes={limit}", to).stat().st_size
        assert limit * 0.8 < made <= limit, f"{made} of {limit}"


def test_a_quality_given_is_the_ceiling(renderer, photo):
    wanted = renderer.render_file(photo, "q=30", "jpg").stat().st_size
    assert renderer.render_file(photo, "q=30,max-bytes=1000000", "jpg").stat().st_size == wanted
    assert renderer.render_file(photo, f"q=30,max-bytes={wanted - 1}", "jpg").stat().st_size < wanted


@pytest.mark.parametrize("to", LOSSY)
def test_bytes_that_cannot_be_reached_are_told(renderer, photo, to):
    least = renderer.render_file(photo, "q=5", to).stat().st_size
    failure = renderer.try_render(photo, f"max-bytes={least - 1}", to)
    assert isinstance(failure, Failure) and failure.kind == "unprocessable"
    assert "max-bytes" in failure.detail and str(least) in failure.detail, failure
    assert renderer.render_file(photo, f"max-bytes={least + 40}", to).stat().st_size <= least + 40


def test_a_png_fits_by_having_fewer_colours(renderer, photo):
    most, least = (renderer.render_file(photo, f"palette={colours}").stat().st_size for colours in (256, 2))
    assert renderer.render_file(photo, f"palette=256,max-bytes={most}").stat().st_size == most
    for limit in (int(most * 0.8), most // 2, least):
        path = renderer.render_file(photo, f"palette=256,max-bytes={limit}")
        assert 0.8 * limit <= path.stat().st_size <= limit
    assert renderer.try_render(photo, f"palette=256,max-bytes={least - 1}").kind == "unprocessable"


def test_the_limit_of_the_server_is_above_that_of_the_url(renderer, photo):
    least = renderer.render_file(photo, "q=5", "jpg").stat().st_size
    assert renderer.try_render(photo, "max-bytes=1000000", "jpg", max_output=least - 1).kind == "unprocessable"


# ---- never larger than the original --------------------------------------------------------------------


def small_originals(renderer):
    """Files that our encoders cannot make as small."""
    picture = pictures.photo(240, 160, grain=0.1)
    return {
        "jpg": encoded(picture, "JPEG", quality=12, optimize=True, comment=b"SECRET"),
        "png": encoded(picture.quantize(6), "PNG", optimize=True),
        "webp": encoded(picture, "WEBP", quality=5, method=6, exif=b"Exif\0\0SECRET"),
        "gif": encoded(picture.quantize(4), "GIF", comment=b"SECRET"),
        "avif": renderer.render_file(picture, "q=12", "avif").read_bytes(),
        "jxl": renderer.render_file(picture, "q=15", "jxl").read_bytes(),
    }


def test_a_result_is_never_larger_than_an_original_that_nothing_was_done_to(renderer):
    for to, original in small_originals(renderer).items():
        path = renderer.render_file(original, "-", to)
        assert path.stat().st_size <= len(original), to
        assert b"SECRET" not in path.read_bytes()
        if to not in ("avif", "jxl"):   # which cannot be rewrapped, and are made again at a lower quality
            source = renderer.file(original)
            made, wanted = (renderer.render(each).convert("RGB") for each in (path, source))
            assert greatest_difference(made, wanted) == 0


def squeezed(renderer):
    """Files of each format that somebody has already made as small as they get: (format, bytes, is exact)."""
    picture, drawing = pictures.photo(320, 240, grain=0.3), pictures.quadrants(320, 240)
    soft = picture.filter(ImageFilter.GaussianBlur(2))
    return [
        ("jpg", encoded(picture, "JPEG", quality=35, optimize=True, progressive=True), True),
        ("jpg", encoded(soft, "JPEG", quality=60, optimize=True, subsampling=2), True),
        ("jpg", encoded(drawing.convert("L"), "JPEG", quality=10, optimize=True), True),
        ("png", encoded(picture.quantize(256), "PNG", optimize=True), True),
        ("png", encoded(drawing.quantize(4), "PNG", optimize=True, bits=2), True),
        ("png", encoded(drawing.convert("1"), "PNG", optimize=True), True),
        ("gif", encoded(Image.new("RGB", (1, 1)), "GIF"), True),
        ("gif", encoded(picture.convert("L").quantize(16), "GIF", optimize=True), True),
        ("webp", encoded(picture, "WEBP", quality=30, method=6), True),
        ("webp", encoded(drawing, "WEBP", lossless=True, method=6), True),
        ("avif", renderer.render_file(picture, "q=30", "avif").read_bytes(), False),
        ("jxl", renderer.render_file(picture, "q=40", "jxl").read_bytes(), False),
    ]


def test_files_that_were_squeezed_before_do_not_grow(renderer):
    for number, (to, original, is_exact) in enumerate(squeezed(renderer)):
        source = renderer.file(original)
        for recipe in ("-", "strip=all", "w=8000"):
            path = renderer.render_file(source, recipe, to)
            assert path.stat().st_size <= len(original), f"{number}: {to} {recipe}"
            if is_exact:
                made, wanted = (renderer.render(each, "icc=keep") for each in (path, source))
                assert greatest_difference(made.convert("RGB"), wanted.convert("RGB")) == 0, f"{number}: {to} {recipe}"


@pytest.mark.parametrize("to", ("jpg", "png", "webp"))
def test_a_file_that_is_passed_on_keeps_the_profile_that_tells_its_colours(renderer, to):
    picture = pictures.photo(240, 160, grain=0.1)
    options = {"jpg": ("JPEG", {"quality": 12, "optimize": True}), "webp": ("WEBP", {"quality": 5, "method": 6}),
               "png": ("PNG", {"optimize": True})}
    form, how = options[to]
    original = encoded(picture.quantize(6) if to == "png" else picture, form, icc_profile=icc.display_p3(), **how)
    path = renderer.render_file(original, "-", to)
    assert path.stat().st_size <= len(original) and Image.open(path).info["icc_profile"] == icc.display_p3()
    assert "icc_profile" not in renderer.render(original, "w=60", to).info


def test_what_is_seen_to_change_is_made_anew(renderer):
    original = small_originals(renderer)["jpg"]
    assert renderer.render_file(original, "flip=h", "jpg").stat().st_size > len(original)
    assert renderer.render_file(original, "w=239", "jpg").stat().st_size > len(original)


def test_the_original_goes_out_whole_when_all_is_kept(renderer):
    original = small_originals(renderer)["jpg"]
    assert renderer.render_file(original, "strip=keep", "jpg").read_bytes() == original


def with_segment(jpeg, marker, content):
    return jpeg[:2] + bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content + jpeg[2:]


def test_jpegs_of_all_kinds_are_rewrapped(renderer):
    picture = pictures.photo(240, 160, grain=0.1)
    plain = encoded(picture, "JPEG", quality=10, optimize=True)
    progressive = encoded(picture, "JPEG", quality=10, progressive=True)
    jfxx = with_segment(plain, 0xE0, b"JFXX\0\x10" + b"SECRET" * 40)
    trailing = plain + b"SECRET" * 200
    for original in (plain, progressive, jfxx, trailing, encoded(picture.convert("L"), "JPEG", quality=5)):
        path = renderer.render_file(original, "-", "jpg")
        assert path.stat().st_size <= len(original) and b"SECRET" not in path.read_bytes()
        assert greatest_difference(renderer.render(path), renderer.render(original)) == 0


def test_a_jpeg_of_inks_is_made_anew(renderer):
    original = encoded(pictures.photo(240, 160, grain=0.1).convert("CMYK"), "JPEG", quality=5)
    image = Image.open(renderer.render_file(original, "-", "jpg"))
    assert image.mode == "RGB"


def test_an_animated_png_is_its_first_picture(renderer):
    frames = [pictures.quadrants().rotate(angle) for angle in (0, 90)]
    original = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:], optimize=True)
    assert b"acTL" in original
    content = renderer.render_file(original).read_bytes()
    assert b"acTL" not in content and b"fdAT" not in content


# ---- animations --------------------------------------------------------------------------------------


def animation(form, durations):
    frames = [pictures.quadrants().rotate(10 * i) for i in range(len(durations))]
    return encoded(frames[0], form, save_all=True, append_images=frames[1:], duration=list(durations), loop=3)


@pytest.mark.parametrize("form", ("GIF", "WEBP"))
@pytest.mark.parametrize("to", ("gif", "webp"))
def test_animations_keep_their_frames_times_and_loop(renderer, form, to):
    path = renderer.render_file(animation(form, (100, 200, 300, 400)), "w=60", to)
    image = Image.open(path)
    assert (image.n_frames, image.size) == (4, (60, 40))
    durations = []
    for i in range(4):
        image.seek(i)
        image.load()
        durations.append(image.info["duration"])
    assert durations == [100, 200, 300, 400]
    # WebP counts how often it is shown, GIF how often it is repeated after that.
    shown = 3 if form == "WEBP" else 4
    assert image.info["loop"] == (shown if to == "webp" else shown - 1)


def test_an_animated_webp_holds_no_made_up_exif(renderer):
    path = renderer.render_file(animation("GIF", (100, 200)), "w=60", "webp")
    assert b"EXIF" not in path.read_bytes()


def test_an_animation_has_the_default_quality(renderer):
    source = renderer.file(animation("WEBP", (100, 200)))
    assert renderer.render_file(source, "w=60,q=auto", "webp").read_bytes() == \
        renderer.render_file(source, "w=60", "webp").read_bytes()


def test_an_animation_has_as_many_colours_as_asked(renderer):
    image = Image.open(renderer.render_file(animation("WEBP", (100, 200)), "w=60,palette=7", "gif"))
    assert (image.n_frames, image.size) == (2, (60, 40))
    seen = set()
    for i in range(2):
        image.seek(i)
        seen |= {colour for _, colour in image.convert("RGB").getcolors(3000)}
    assert 4 <= len(seen) <= 7


def test_a_small_animation_is_rewrapped_with_its_times(renderer):
    frames = [pictures.quadrants().rotate(90 * i, expand=False).quantize(8) for i in range(3)]
    original = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=70, loop=0,
                       comment=b"SECRET")
    path = renderer.render_file(original, "-", "gif")
    image = Image.open(path)
    assert path.stat().st_size <= len(original) and b"SECRET" not in path.read_bytes()
    assert (image.n_frames, image.info["loop"]) == (3, 0)
    for i in range(3):
        image.seek(i)
        assert image.info["duration"] == 70
