"""From bytes to upright, scaled frames: turning, trimming, finding, animations, SVG, and bombs.

The model is PIL, or a few lines of arithmetic beside each test.
"""

import io
import itertools
import math
import random
import struct
import zlib

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageSequence

import pictures
from pictures import BLUE, GREEN, RED, YELLOW, distance, is_near
from rendering import Failure, assert_corners, assert_pixel, encoded, measures_memory, renderer, shared

WHITE = (255, 255, 255)

# ---- turning by quarters -----------------------------------------------------------------------

CLOCKWISE = {0: None, 90: Image.ROTATE_270, 180: Image.ROTATE_180, 270: Image.ROTATE_90}
FLIPS = {"": (), "h": (Image.FLIP_LEFT_RIGHT,), "v": (Image.FLIP_TOP_BOTTOM,),
         "hv": (Image.FLIP_LEFT_RIGHT, Image.FLIP_TOP_BOTTOM)}


def turned(image, rotation, flip):
    steps = ((CLOCKWISE[rotation],) if rotation else ()) + FLIPS[flip]
    for step in steps:
        image = image.transpose(step)
    return image


def recipe_of(*parts):
    return ",".join(part for part in parts if part) or "-"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_rot_and_flip_is_what_pil_makes(renderer, orientation):
    upright = pictures.quadrants(96, 64)
    stored = pictures.lain_down(upright, orientation)
    source = renderer.file(encoded(stored, "JPEG", exif=pictures.exif_orientation(orientation), quality=95,
                                   subsampling=0))
    for rotation, flip, off in itertools.product(CLOCKWISE, FLIPS, (False, True)):
        recipe = recipe_of(off and "orient=off", rotation and f"rot={rotation}", flip and f"flip={flip}")
        wanted = turned(stored if off else upright, rotation, flip)
        outcome = renderer.try_render(source, recipe)
        made = Image.open(outcome["path"])
        assert made.size == wanted.size == (int(outcome["result_width"]), int(outcome["result_height"])), recipe
        # 30 and more for any other way up.
        assert distance(made, wanted) < 1.5, f"{recipe} of orientation {orientation}"


def test_the_scaled_sides_follow_the_turned_picture(renderer):
    photo = pictures.photo(600, 400)
    source = renderer.file(encoded(pictures.lain_down(photo, 6), "JPEG", exif=pictures.exif_orientation(6),
                                   quality=95, subsampling=0))
    for rotation, flip, size in ((90, "h", (60, 90)), (270, "", (61, 200)), (180, "v", (97, 33))):
        made = renderer.render(source, f"rot={rotation},w={size[0]},h={size[1]},fit=fill"
                               + (f",flip={flip}" if flip else ""))
        wanted = turned(photo, rotation, flip).resize(size, Image.LANCZOS)
        assert made.size == size and distance(made, wanted) < 3, (rotation, flip)


def test_a_jpeg_shrinks_by_what_the_turned_picture_needs(renderer):
    # As stored both sides shrink by 4 and more, but the turned picture's width not at all: its
    # columns are dark and light in turn.
    stripes = Image.new("L", (2000, 200), 60)
    for y in range(1, 200, 2):
        stripes.paste(190, (0, y, 2000, y + 1))
    made = renderer.render(encoded(stripes, "JPEG", quality=100), "rot=90,w=200,h=50,fit=fill").convert("L")
    assert made.size == (200, 50)
    assert all(abs(made.getpixel((x, 25)) - made.getpixel((x + 1, 25))) > 110 for x in range(199))


def test_a_crop_comes_before_rot(renderer):
    for rotation, flip in itertools.product(CLOCKWISE, FLIPS):
        recipe = recipe_of("crop=10:20:50:30", rotation and f"rot={rotation}", flip and f"flip={flip}")
        wanted = turned(pictures.quadrants().crop((10, 20, 60, 50)), rotation, flip)
        assert list(renderer.render(pictures.quadrants(), recipe).getdata()) == list(wanted.getdata()), recipe


# ---- turning by free angles --------------------------------------------------------------------


def box_around(width, height, degrees):
    across, down = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    return round(width * across + height * down), round(width * down + height * across)


def turned_by_pil(image, degrees, size, scale=1.0):
    """About the centre, onto a transparent canvas; PIL wants the way from the result to the source."""
    cosine, sine = math.cos(math.radians(degrees)) / scale, math.sin(math.radians(degrees)) / scale
    x, y = size[0] / 2, size[1] / 2
    matrix = (cosine, sine, image.width / 2 - cosine * x - sine * y,
              -sine, cosine, image.height / 2 + sine * x - cosine * y)
    return image.convert("RGBA").transform(size, Image.AFFINE, matrix, Image.BICUBIC)


def over(colour, image):
    canvas = Image.new("RGBA", image.size, colour + (255,))
    canvas.alpha_composite(image.convert("RGBA"))
    return canvas.convert("RGB")


@pytest.mark.parametrize("degrees", (1, 30, 45.5, 90.25, 135, 200.01, 359))
def test_a_free_angle_turns_clockwise_about_the_centre(renderer, degrees):
    photo = pictures.photo(240, 160, grain=0.1)
    outcome = renderer.try_render(photo, f"rot={degrees}")
    made = Image.open(outcome["path"])
    assert made.size == box_around(240, 160, degrees) == (int(outcome["result_width"]), int(outcome["result_height"]))
    wanted = over(WHITE, turned_by_pil(photo, degrees, made.size))
    near = distance(over(WHITE, made), wanted)
    assert near < 3
    for aside in ((0.25, 0), (-0.25, 0), (0, 0.25), (0, -0.25)):
        shifted = wanted.transform(wanted.size, Image.AFFINE, (1, 0, aside[0], 0, 1, aside[1]), Image.BICUBIC)
        assert distance(over(WHITE, made), shifted) > near + 0.5, f"it is nearer {aside} aside"


def test_a_free_angle_after_scaling_is_in_place(renderer):
    photo = pictures.photo(600, 400, grain=0.1)
    box = box_around(600, 400, 20)
    made = renderer.render(photo, "rot=20,w=300")
    size = (300, round(box[1] * 300 / box[0]))
    small = photo.resize((round(600 * 300 / box[0]), round(400 * 300 / box[0])), Image.LANCZOS)
    assert made.size == size
    assert distance(over(WHITE, made), over(WHITE, turned_by_pil(small, 20, size))) < 2.5


def test_a_free_angle_can_be_squeezed(renderer):
    made = renderer.render(pictures.quadrants(240, 160), "rot=45,w=200,h=40,fit=fill")
    wanted = turned_by_pil(pictures.quadrants(240, 160), 45, box_around(240, 160, 45)).resize((200, 40), Image.BOX)
    assert made.size == (200, 40)
    assert distance(over(WHITE, made), over(WHITE, wanted)) < 3


CORNERS = [
    # what a free angle opens
    ("png", "", (0, 0, 0, 0)),
    ("webp", "", (0, 0, 0, 0)),
    ("jpg", "", WHITE),
    ("jpg", ",bg=00ff00", (0, 255, 0)),
    ("png", ",bg=00ff00", (0, 255, 0)),
    ("png", ",bg=00ff0080", (0, 255, 0, 128)),
    ("jpg", ",bg=00ff0080", (127, 255, 127)),
]


@pytest.mark.parametrize("to, more, wanted", CORNERS)
def test_a_free_angle_opens_corners_on_the_background(renderer, to, more, wanted):
    for source in (pictures.quadrants(), pictures.quadrants().convert("L"), pictures.quadrants().convert("RGBA")):
        made = renderer.render(source, f"rot=45{more}", to)
        assert made.size == box_around(120, 80, 45)
        if wanted[3:] == (0,):
            assert made.convert("RGBA").getpixel((3, 3))[3] == 0
        elif len(wanted) == 4:
            assert_pixel(made, (3, 3), wanted, 2)
        else:
            assert_pixel(made.convert("RGB"), (3, 3), wanted, 6)


def test_edges_of_a_free_angle_have_no_seam(renderer):
    made = renderer.render(Image.new("RGB", (100, 100), RED), "rot=30").convert("RGBA")
    for x, y in itertools.product(range(made.width), range(made.height)):
        pixel = made.getpixel((x, y))
        assert pixel[3] < 8 or is_near(pixel[:3], RED, 6), f"{pixel} at {x},{y}"


# ---- enlarging ---------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", (1.1, 1.5, 2, 3))
def test_enlarging_stays_in_place(renderer, scale):
    photo = pictures.photo(300, 200, grain=0.1)
    size = (round(300 * scale), round(200 * scale))
    made = renderer.render(photo, f"w={size[0]},h={size[1]},fit=fill,enlarge=1")
    # vips_resize() is half a pixel beside: 2.3 and more.
    assert distance(made, photo.resize(size, Image.BICUBIC)) < 0.5
    assert renderer.render(photo, "w=450,h=50,fit=fill,enlarge=1").size == (450, 50)


def test_enlarging_adds_no_edge(renderer):
    for mode, colour in (("RGB", RED), ("RGBA", RED + (77,)), ("L", 90)):
        made = renderer.render(Image.new(mode, (10, 10), colour), "w=37,h=41,fit=fill,enlarge=1")
        assert made.getcolors() == [(37 * 41, colour)]


# ---- trim --------------------------------------------------------------------------------------


def framed(size, rectangle, margin=(250, 250, 250), picture=RED, mode="RGB"):
    image = Image.new(mode, size, margin)
    image.paste(picture, (rectangle[0], rectangle[1], rectangle[0] + rectangle[2], rectangle[1] + rectangle[3]))
    return image


def corner_marked(image, rectangle):
    """Its first and last pixel tell exactly what was kept."""
    x, y, width, height = rectangle
    image.putpixel((x, y), (0, 0, 1))
    image.putpixel((x + width - 1, y + height - 1), (0, 0, 2))
    return image


RECTANGLES = [(10, 20, 30, 25), (0, 0, 99, 59), (1, 1, 99, 59), (50, 30, 1, 1), (0, 59, 50, 1), (37, 1, 3, 58)]


@pytest.mark.parametrize("rectangle", RECTANGLES)
def test_trim_keeps_exactly_what_differs(renderer, rectangle):
    source = framed((100, 60), rectangle)
    for recipe in ("trim=10", "trim=10:fafafa", "trim=1:fafafa"):
        if rectangle[:2] == (0, 0) and recipe == "trim=10":
            continue    # the corner is no margin here
        assert renderer.render(source, recipe).size == rectangle[2:], recipe
    if rectangle[2:] > (1, 1) and rectangle[:2] != (0, 0):
        made = renderer.render(corner_marked(source, rectangle), "trim=10")
        wanted = source.crop((rectangle[0], rectangle[1], rectangle[0] + rectangle[2], rectangle[1] + rectangle[3]))
        assert list(made.getdata()) == list(wanted.getdata())


def test_the_threshold_of_trim_is_the_largest_difference_of_a_channel(renderer):
    for channel in range(3):
        speck = [200, 100, 50]
        speck[channel] += 11
        source = framed((40, 30), (10, 5, 7, 9), (200, 100, 50), tuple(speck))
        assert renderer.render(source, "trim=10").size == (7, 9)
        failure = renderer.try_render(source, "trim=11")
        assert failure.kind == "unprocessable" and "trim" in failure.detail, failure


def test_trim_counts_transparency(renderer):
    # Hidden colours do not count, and hardly visible ones hardly.
    source = framed((60, 40), (12, 8, 20, 10), (0, 0, 0, 0), RED + (255,), "RGBA")
    source.paste((255, 255, 255, 0), (0, 30, 60, 40))
    source.paste((255, 255, 255, 9), (40, 0, 60, 40))
    assert renderer.render(source, "trim=10").size == (20, 10)
    assert renderer.render(source, "trim=8").size == (48, 40)
    assert renderer.render(source, "trim=10:ffffff00").size == (20, 10)
    assert renderer.render(source, "trim=10:ffffff").size == (60, 40)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_trim_is_of_the_upright_picture(renderer, orientation):
    upright = framed((96, 64), (16, 8, 24, 40))
    upright.paste(BLUE, (88, 56, 96, 64))   # in the far corner: white is the margin only seen from the top left
    source = encoded(pictures.lain_down(upright, orientation), "JPEG", quality=100, subsampling=0,
                     exif=pictures.exif_orientation(orientation))
    made = renderer.render(source, "trim=40")
    assert made.size == (80, 56)
    assert_pixel(made, (12, 20), RED, 8)
    assert_pixel(made, (78, 54), BLUE, 8)
    assert renderer.render(source, "trim=40:fafafa,crop=0:0:24:40,rot=90").size == (40, 24)


def test_crop_and_sizes_are_of_what_trim_leaves(renderer):
    source = framed((200, 100), (40, 20, 120, 60))
    source.paste(BLUE, (100, 20, 160, 80))
    assert renderer.render(source, "trim=10,w=60").size == (60, 30)
    assert_corners(renderer.render(source, "trim=10,crop=60:0:60:60"), [BLUE] * 4, 0)
    assert_corners(renderer.render(source, "trim=10,w=30,h=60,fit=cover,g=e"), [BLUE] * 4, 0)


def test_nothing_left_by_trim_is_told(renderer):
    for source in (Image.new("RGB", (30, 20), RED), Image.new("RGBA", (30, 20), (1, 2, 3, 0)), Image.new("L", (1, 1))):
        failure = renderer.try_render(source, "trim=1")
        assert failure.kind == "unprocessable" and "trim" in failure.detail, failure


def test_trim_finds_damage(renderer):
    whole = encoded(pictures.photo(300, 200), "JPEG")
    assert renderer.try_render(whole[:len(whole) // 2], "trim=10").kind == "unprocessable"


# ---- what draws the eye ------------------------------------------------------------------------


def with_patch(at, patch, size=(600, 400), background=(128, 128, 128)):
    image = Image.new("RGB", size, background)
    image.paste(patch, at)
    return image


def face(side=90):
    """Bright skin with eyes and a mouth: what attention is trained on."""
    image = Image.new("RGB", (side, side), (128, 128, 128))
    pen = ImageDraw.Draw(image)
    pen.ellipse((0, 0, side - 1, side - 1), fill=(229, 180, 150))
    for x in (0.3, 0.6):
        pen.ellipse((side * x, side * 0.3, side * (x + 0.12), side * 0.42), fill=(40, 30, 30))
    pen.ellipse((side * 0.3, side * 0.65, side * 0.7, side * 0.8), fill=(200, 40, 50))
    return image


def texture(side=120):
    return Image.frombytes("RGB", (side, side), random.Random(7).randbytes(3 * side * side))


def share_of(image, background=(128, 128, 128)):
    """How many pixels are no background."""
    red, green, blue = ImageChops.difference(image.convert("RGB"), Image.new("RGB", image.size, background)).split()
    return sum(ImageChops.lighter(ImageChops.lighter(red, green), blue).histogram()[13:])


PLACES = [(30, 40), (470, 40), (30, 270), (460, 260), (240, 150)]
FINDINGS = [("smart", face()), ("entropy", texture())]


@pytest.mark.parametrize("gravity, patch", FINDINGS, ids=("smart", "entropy"))
@pytest.mark.parametrize("at", PLACES)
def test_what_draws_the_eye_is_kept(renderer, gravity, patch, at):
    source = renderer.file(with_patch(at, patch))
    for recipe, scale in (("w=150,h=400", 1), ("w=600,h=160", 1), ("w=75,h=200", 0.5), ("w=200,h=200,zoom=2", 1),
                          ("w=400,h=160,rot=90", 1), ("w=150,h=400,flip=h", 1), ("w=150,h=400,rot=180", 1)):
        made = renderer.render(source, f"{recipe},fit=cover,g={gravity}")
        assert share_of(made) > 0.6 * share_of(patch) * scale ** 2, recipe


@pytest.mark.parametrize("gravity, patch", FINDINGS, ids=("smart", "entropy"))
def test_the_search_is_inside_crop_and_trim(renderer, gravity, patch):
    image = with_patch((30, 40), patch, (1200, 400))
    image.paste(patch, (980, 200))
    source = renderer.file(image)
    made = renderer.render(source, f"crop=600:0:600:400,w=150,h=400,fit=cover,g={gravity}")
    assert share_of(made) > 0.6 * share_of(patch)
    # The margin is of another colour than the picture, so trim leaves 600 x 400 at the right.
    image.paste((255, 255, 0), (0, 0, 600, 400))
    assert renderer.render(image, "trim=10").size == (600, 400)
    made = renderer.render(image, f"trim=10,w=150,h=400,fit=cover,g={gravity}")
    assert share_of(made) > 0.6 * share_of(patch)


def test_the_search_is_of_the_upright_picture(renderer):
    upright = with_patch((460, 260), texture())
    for orientation in range(1, 9):
        source = encoded(pictures.lain_down(upright, orientation), "JPEG", quality=95,
                         exif=pictures.exif_orientation(orientation))
        made = renderer.render(source, "w=150,h=400,fit=cover,g=entropy")
        assert share_of(made) > 0.6 * share_of(texture()), orientation


def test_all_sizes_of_one_shape_show_the_same_part(renderer):
    source = renderer.file(encoded(pictures.photo(), "JPEG", quality=95))
    for gravity in ("smart", "entropy"):
        large = renderer.render(source, f"w=400,h=800,fit=cover,g={gravity}")
        for width in (100, 200):
            small = renderer.render(source, f"w={width},h={2 * width},fit=cover,g={gravity}")
            wanted = large.resize(small.size, Image.LANCZOS)
            aside = wanted.transform(wanted.size, Image.AFFINE, (1, 0, 2, 0, 1, 0), Image.BICUBIC)
            # Both begin on a whole pixel of their own.
            assert distance(small, wanted) < 0.7 * distance(small, aside), (gravity, width)


def test_the_search_takes_every_kind_of_picture(renderer):
    for source in (Image.new("L", (1, 1)), Image.new("RGB", (1, 900)), Image.new("RGBA", (900, 1)),
                   pictures.quadrants(7, 5), pictures.quadrants(90, 60).convert("LA"), pictures.photo(20, 700)):
        for gravity, recipe in itertools.product(("smart", "entropy"), ("w=1,h=1", "w=3,h=2,rot=33", "w=40,h=3")):
            outcome = renderer.try_render(source, f"{recipe},fit=cover,g={gravity}")
            assert not isinstance(outcome, Failure), (source, recipe, outcome)


# ---- animations --------------------------------------------------------------------------------

TIMES = (50, 100, 200, 300)
COLOURS = ((250, 10, 10), (10, 250, 10), (10, 10, 250), (250, 250, 10))


def story(size=(60, 40)):
    """Four frames: each quarter of the picture is of one colour, which wanders round."""
    frames = []
    for i in range(4):
        colours = COLOURS[i:] + COLOURS[:i]
        frame = Image.new("RGB", size, colours[0])
        width, height = size[0] // 2, size[1] // 2
        frame.paste(colours[1], (width, 0, size[0], height))
        frame.paste(colours[2], (0, height, width, size[1]))
        frame.paste(colours[3], (width, height, *size))
        frames.append(frame)
    return frames


def animated(form, frames=None, **options):
    frames = frames or story()
    if form == "WEBP":
        options.setdefault("lossless", True)
    options.setdefault("duration", list(TIMES[:len(frames)]))
    return encoded(frames[0], form, save_all=True, append_images=frames[1:], **options)


def frames_of(path):
    image = Image.open(path)
    frames = []
    for frame in ImageSequence.Iterator(image):
        frame.load()
        frames.append((frame.convert("RGBA"), frame.info["duration"]))
    return frames


# PIL's "loop" is what the file says: how often a GIF is repeated, how often a WebP is played.
LOOPS = {("GIF", "gif"): 3, ("GIF", "webp"): 4, ("WEBP", "gif"): 2, ("WEBP", "webp"): 3}

STORIES = [
    ("-", (60, 40), lambda frame: frame),
    ("w=30", (30, 20), lambda frame: frame.resize((30, 20), Image.BOX)),
    ("w=120,enlarge=1", (120, 80), lambda frame: frame.resize((120, 80), Image.BICUBIC)),
    ("w=20,h=20,fit=cover,g=w", (20, 20), lambda frame: frame.resize((30, 20), Image.BOX).crop((0, 0, 20, 20))),
    ("crop=0:0:20:40", (20, 40), lambda frame: frame.crop((0, 0, 20, 40))),
    ("rot=90", (40, 60), lambda frame: frame.transpose(Image.ROTATE_270)),
    ("flip=h", (60, 40), lambda frame: frame.transpose(Image.FLIP_LEFT_RIGHT)),
    ("crop=0:0:40:40,w=20,h=10,fit=cover,g=n,rot=180", (20, 10), lambda frame: frame.crop(
        (0, 0, 40, 40)).transpose(Image.ROTATE_180).resize((20, 20), Image.BOX).crop((0, 0, 20, 10))),
]


@pytest.mark.parametrize("form, to", LOOPS)
def test_every_frame_is_made_by_itself(renderer, form, to):
    source = renderer.file(animated(form, loop=3))
    assert renderer.describe(source)["frames"] == "4"
    for recipe, size, model in STORIES:
        outcome = renderer.try_render(source, recipe, to)
        assert (outcome["result_width"], outcome["result_height"]) == tuple(map(str, size)), recipe
        assert outcome["result_frames"] == "4"
        made = frames_of(outcome["path"])
        assert [time for _, time in made] == list(TIMES), recipe
        for (frame, _), original in zip(made, story()):
            assert frame.size == size
            # Another frame's colours are 100 and more; lossy WebP smears those of so small a picture.
            assert distance(frame.convert("RGB"), model(original)) < 20, recipe
        assert Image.open(outcome["path"]).info["loop"] == LOOPS[form, to]


def test_frames_do_not_bleed_into_each_other(renderer):
    frames = [Image.new("RGB", (40, 40), colour) for colour in COLOURS]
    for recipe in ("w=7", "w=33,h=11,fit=fill", "w=70,enlarge=1"):
        made = frames_of(renderer.render_file(animated("GIF", frames), recipe, "gif"))
        for (frame, _), colour in zip(made, COLOURS):
            for pixel in frame.getdata():
                assert is_near(pixel[:3], colour, 6), (recipe, pixel, colour)


def test_a_free_angle_turns_every_frame(renderer):
    made = frames_of(renderer.render_file(animated("GIF"), "rot=45", "webp"))
    size = box_around(60, 40, 45)
    assert len(made) == 4
    for (frame, _), original in zip(made, story()):
        assert frame.size == size and frame.getpixel((2, 2))[3] == 0
        assert distance(over(WHITE, frame), over(WHITE, turned_by_pil(original, 45, size))) < 12


def test_frames_without_times_and_for_ever(renderer):
    for loop in (0, 1):
        made = Image.open(renderer.render_file(animated("WEBP", loop=loop), "w=30", "webp"))
        assert made.info["loop"] == loop


def test_trim_is_of_all_frames_together(renderer):
    frames = [framed((50, 40), (10 + 5 * i, 12, 4, 4 + i), WHITE) for i in range(3)]
    outcome = renderer.try_render(animated("GIF", frames), "trim=20", "gif")
    assert (outcome["result_width"], outcome["result_height"]) == ("14", "6")
    assert renderer.render(animated("GIF", frames), "trim=20,page=2").size == (4, 5)


@pytest.mark.parametrize("form", ("GIF", "WEBP"))
def test_one_frame_can_be_had(renderer, form):
    source = renderer.file(animated(form))
    for recipe, index in (("page=1", 0), ("page=3", 2), ("page=4", 3), ("anim=off", 0)):
        for to in ("gif", "webp", "png", "jpg"):
            outcome = renderer.try_render(source, recipe, to)
            assert outcome["result_frames"] == "1"
            made = Image.open(outcome["path"])
            assert getattr(made, "n_frames", 1) == 1
            assert distance(made.convert("RGB"), story()[index]) < 12, (recipe, to)
    assert renderer.try_render(source, "-", "png")["result_frames"] == "1"
    made = renderer.render(source, "anim=off,w=60,h=80,fit=fill,enlarge=1", "gif")
    assert made.size == (60, 80) and made.n_frames == 1


def test_a_page_that_is_not_there_is_told(renderer):
    tiff = encoded(story()[0], "TIFF", save_all=True, append_images=story()[1:3])
    avif = renderer.render_file(pictures.quadrants(), "-", "avif").read_bytes()
    for source, pages in ((avif, 1), (animated("GIF"), 4), (animated("WEBP"), 4), (tiff, 3), (pictures.quadrants(), 1),
                          (encoded(pictures.quadrants(), "JPEG"), 1)):
        assert not isinstance(renderer.try_render(source, "page=1"), Failure)
        failure = renderer.try_render(source, "page=9")
        assert failure.kind == "bad-request" and f"page=9 of an image with {pages}" == failure.detail
        assert renderer.try_render(source, f"page={pages + 1}").kind == "bad-request"


def test_pages_of_a_tiff(renderer):
    pages = [Image.new("RGB", (30 + 10 * i, 20), colour) for i, colour in enumerate(COLOURS)]
    source = renderer.file(encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert renderer.describe(source)["frames"] == "4"
    for i, colour in enumerate(COLOURS):
        made = renderer.render(source, f"page={i + 1}")
        assert made.size == (30 + 10 * i, 20) and made.getpixel((5, 5)) == colour
    # Pages are no animation.
    assert renderer.try_render(source, "-", "gif")["result_frames"] == "1"


def test_an_animation_with_transparency(renderer):
    frames = []
    for i in range(3):
        frame = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
        frame.paste(RED + (255,), (10 * i, 10, 10 * i + 10, 30))
        frames.append(frame)
    source = animated("WEBP", frames, duration=80)
    for to in ("webp", "gif"):
        made = frames_of(renderer.render_file(source, "w=20", to))
        assert len(made) == 3
        for i, (frame, _) in enumerate(made):
            assert_pixel(frame, (5 * i + 2, 10), RED + (255,), 12)
            # Lanczos rings: a hundredth of what is opaque beside it.
            assert frame.getpixel((5 * ((i + 1) % 3) + 2, 10))[3] <= 3
    made = frames_of(renderer.render_file(source, "w=20,bg=00ff00", "gif"))
    assert_pixel(made[2][0], (2, 10), (0, 255, 0, 255), 6)


def with_disposal(disposal):
    """A ball of few colours over a background, in frames that are only as large as the ball."""
    background = pictures.quadrants(48, 32)
    frames = []
    for i in range(4):
        frame = Image.new("RGBA", (48, 32), (0, 0, 0, 0)) if i > 0 and disposal != 1 else background.convert("RGBA")
        frame.paste((250, 250, 250, 255), (4 + 9 * i, 4 + 4 * i, 12 + 9 * i, 12 + 4 * i))
        frames.append(frame)
    return animated("GIF", frames, disposal=disposal, optimize=False)


@pytest.mark.parametrize("to", ("gif", "webp"))
@pytest.mark.parametrize("disposal", (0, 1, 2, 3))
def test_frames_are_composed_as_the_file_says_before_they_are_cut_and_turned(renderer, disposal, to):
    source = renderer.file(with_disposal(disposal))
    composed = [frame for frame, _ in frames_of(source)]
    assert len(composed) == 4
    for recipe, model in (("", lambda frame: frame), ("crop=8:2:30:20", lambda frame: frame.crop((8, 2, 38, 22))),
                          ("rot=90,flip=h", lambda frame: turned(frame, 90, "h")),
                          ("w=48,h=24,fit=cover,g=s", lambda frame: frame.crop((0, 8, 48, 32)))):
        made = frames_of(renderer.render_file(source, recipe_of(recipe, to == "webp" and "lossless=1"), to))
        assert [time for _, time in made] == list(TIMES), recipe
        for (frame, _), original in zip(made, composed):
            # A frame more or less is 3 and more.
            assert distance(over(BLUE, frame), over(BLUE, model(original))) < 0.1, recipe


def test_grey_and_coloured_frames_look_alike(renderer):
    frames = [Image.new("RGB", (30, 20), colour) for colour in ((90, 90, 90), RED, (200, 200, 200))]
    for recipe in ("-", "gray=1", "w=15,rot=30", "fit=pad,w=40,h=40"):
        made = frames_of(renderer.render_file(animated("WEBP", frames, duration=40), recipe, "webp"))
        assert len(made) == 3, recipe


# ---- limits of animations ----------------------------------------------------------------------


def many_frames(count, size=(50, 40)):
    images = [Image.new("P", size, i) for i in range(count)]
    return encoded(images[0], "GIF", save_all=True, append_images=images[1:], duration=50)


def test_an_animation_is_refused_above_its_budget_and_never_cut_short(renderer):
    source = renderer.file(many_frames(20))
    pixels = 50 * 40
    outcome = renderer.try_render(source, "w=10", "gif", max_animation_pixels=20 * pixels, max_frames=20)
    assert outcome["result_frames"] == outcome["frames"] == "20"
    failure = renderer.try_render(source, "w=10", "gif", max_animation_pixels=20 * pixels - 1)
    assert failure.kind == "unprocessable" and f"the limit is {20 * pixels - 1} pixels for all" in failure.detail
    failure = renderer.try_render(source, "w=10", "gif", max_frames=19)
    assert failure.kind == "unprocessable" and "frames or pages than the limit of 19" in failure.detail
    failure = renderer.try_render(source, "w=100,enlarge=1", "gif", max_animation_pixels=20 * pixels)
    assert failure.kind == "unprocessable" and "limit" in failure.detail


def test_one_frame_of_a_long_animation_counts_alone(renderer):
    source = renderer.file(many_frames(20))
    pixels = 50 * 40
    for recipe, to in (("anim=off,w=10", "gif"), ("page=7,w=10", "webp"), ("w=10", "jpg")):
        outcome = renderer.try_render(source, recipe, to, max_animation_pixels=1, max_pixels=pixels)
        assert outcome["result_frames"] == "1"
        failure = renderer.try_render(source, recipe, to, max_pixels=pixels - 1)
        assert failure.kind == "unprocessable" and f"limit is {pixels - 1} pixels" in failure.detail
    assert renderer.describe(source, max_animation_pixels=1, max_pixels=pixels)["frames"] == "20"


@measures_memory
def test_one_frame_of_a_huge_animation_needs_the_memory_of_one(renderer):
    frames = [Image.new("P", (2000, 2000), i) for i in range(30)]
    source = renderer.file(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50))
    before = renderer.status()["rss_kb"]
    assert renderer.try_render(source, "w=10", "png")["frames"] == "30"
    assert renderer.status()["rss_kb"] < before + 60_000    # all of them have 480 MB
    assert renderer.try_render(source, "w=10", "gif").kind == "unprocessable"


def test_a_gif_that_the_decoder_stops_counting_is_refused(renderer):
    head = b"GIF89a" + struct.pack("<HHBBB", 4, 4, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"," + struct.pack("<HHHHB", 0, 0, 4, 4, 0) + b"\x02\x05\x84\x8f\xa9\xcb\x05\x00"
    for to in ("gif", "png"):
        failure = renderer.try_render(head + frame * 5000 + b";", "-", to, max_frames=1_000_000)
        assert failure.kind == "unprocessable" and "limit of 4096" in failure.detail


@pytest.mark.parametrize("form", ("GIF", "WEBP"))
def test_an_animation_that_is_cut_off_is_never_shown_with_fewer_frames(renderer, form):
    frames = [pictures.photo(60, 40).rotate(i) for i in range(4)]
    whole = animated(form, frames)
    assert not isinstance(renderer.try_render(whole + b"behind the end", "w=30", "webp"), Failure)
    for length in range(len(whole) // 8, len(whole) - 2, len(whole) // 40):
        for to in ("webp", "png"):
            failure = renderer.try_render(whole[:length], "w=30", to)
            assert isinstance(failure, Failure) and failure.kind == "unprocessable", (length, failure)


# ---- SVG ---------------------------------------------------------------------------------------


def svg(content, size='width="40" height="20"', prolog=""):
    return f'{prolog}<svg xmlns="http://www.w3.org/2000/svg" {size}>{content}</svg>'.encode()


CHECKS = svg('<rect width="20" height="10" fill="#c8281e"/><rect x="20" y="10" width="20" height="10" fill="#283cbe"/>')


@pytest.mark.parametrize("recipe, size, edge", (
    ("w=400", (400, 200), 200), ("w=1003", (1003, 502), 501.5), ("crop=10:0:20:20,w=400", (400, 400), 200),
    ("w=400,h=400,fit=cover", (400, 400), 200), ("w=400,h=800,fit=fill", (400, 800), 200),
    ("rot=180,w=400", (400, 200), 200), ("rot=90,w=200", (200, 400), 100)))
def test_an_svg_is_sharp_at_every_size(renderer, recipe, size, edge):
    made = renderer.render(CHECKS, recipe).convert("RGBA")
    assert made.size == size
    alphas = [made.getpixel((x, 5))[3] for x in range(size[0])]
    soft = [x for x, alpha in enumerate(alphas) if 8 < alpha < 247]
    assert len(soft) <= 2 and all(abs(x + 0.5 - edge) <= 1.5 for x in soft), soft
    assert abs(alphas[int(edge) - 3] - alphas[int(edge) + 3]) > 247


def test_an_svg_can_be_turned_freely_and_trimmed(renderer):
    made = renderer.render(CHECKS, "rot=45,w=400").convert("RGBA")
    assert made.size == (400, 400)
    # The two squares of 10 x 20 meet in the middle: along the picture's own axis, one is left, one right.
    assert_pixel(made, (200 - 60, 200 - 110), (200, 40, 30, 255), 2)
    assert_pixel(made, (200 + 60, 200 + 110), (40, 60, 190, 255), 2)
    inner = svg('<rect x="10" y="5" width="20" height="10" fill="#c8281e"/>')
    assert renderer.render(inner, "trim=10,w=200").getextrema()[3] == (255, 255)


# ---- bombs -------------------------------------------------------------------------------------


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_with(chunks):
    return pictures.png_header(10, 10) + chunks + chunk(b"IDAT", zlib.compress(b"\0" * 310)) + chunk(b"IEND", b"")


def tiff_pages(count):
    """A TIFF of so many pages of 10 x 10, which all show the same bytes."""
    size, entries = 2 + 12 * 9 + 4, []
    for i in range(count):
        tags = ((256, 4, 10), (257, 4, 10), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8 + size * count),
                (277, 3, 1), (278, 4, 10), (279, 4, 100))
        following = 8 + size * (i + 1) if i + 1 < count else 0
        entries.append(struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", tag, kind, 1, value)
                                                               for tag, kind, value in tags)
                       + struct.pack("<I", following))
    return b"II*\0" + struct.pack("<I", 8) + b"".join(entries) + b"\0" * 100


def webp_header(width, height):
    """Lossless: 14 bits each (WebP Lossless Bitstream, section 3)."""
    stream = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + b"\0" * 64
    content = b"WEBPVP8L" + struct.pack("<I", len(stream)) + stream + b"\0" * (len(stream) % 2)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def jxl_header(width, height):
    """A bare codestream's SizeHeader (ISO/IEC 18181-1 annex D): not small, 30 bits each, no ratio."""
    bits = [(0, 1), (3, 2), (height - 1, 30), (0, 3), (3, 2), (width - 1, 30), (1, 1)]
    number, at = 0, 0
    for value, length in bits:
        number |= value << at
        at += length
    return b"\xff\x0a" + number.to_bytes((at + 7) // 8, "little") + b"\0" * 64


def webp_frames(count):
    """The same 16 x 16 frame over and over (WebP Container Specification, "Animation")."""
    picture = encoded(Image.new("RGB", (16, 16)), "WEBP", lossless=True)[12:]
    side = struct.pack("<I", 15)[:3]
    frame = b"\0" * 6 + side + side + b"\x32\0\0\0" + picture
    head = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + side + side + b"ANIM" + struct.pack("<IIH", 6, 0, 0)
    content = head + (b"ANMF" + struct.pack("<I", len(frame)) + frame) * count
    return b"RIFF" + struct.pack("<I", len(content)) + content


def jpeg_scans(more):
    """A progressive JPEG whose last scan is there so many times more."""
    whole = encoded(pictures.photo(64, 48), "JPEG", progressive=True)
    return whole[:-2] + whole[whole.rindex(b"\xff\xda"):-2] * more + whole[-2:]


def jpeg_header(width, height):
    whole = bytearray(encoded(Image.new("RGB", (16, 16)), "JPEG"))
    at = whole.index(b"\xff\xc0")
    whole[at + 5:at + 9] = struct.pack(">HH", height, width)
    return bytes(whole)


def big_profile(length):
    profile = bytearray(length)
    profile[0:4], profile[16:20], profile[36:40] = struct.pack(">I", length), b"RGB ", b"acsp"
    return bytes(profile)


ENTITIES = '<?xml version="1.0"?><!DOCTYPE svg [{}]>'
INFLATES = zlib.compress(b"a" * (17 << 20), 9)

BOMBS = {
    "gif of 65535": lambda: pictures.gif_header(65535, 65535),
    "gif that grows": lambda: b"GIF89a" + struct.pack("<HHBBB", 10, 10, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff,"
    + struct.pack("<HHHHB", 30000, 30000, 35000, 35000, 0) + b"\x02\x02\x4c\x01\x00;",
    "png": lambda: pictures.png_header(100_000, 100_000) + b"\0\0\0\x10IDAT" + b"\0" * 16,
    "jpeg": lambda: jpeg_header(65000, 65000),
    "webp": lambda: webp_header(16383, 16383),
    "jxl": lambda: jxl_header(200_000, 200_000),
    "tiff": lambda: tiff_pages(1).replace(struct.pack("<HHII", 256, 4, 1, 10), struct.pack("<HHII", 256, 4, 1, 99999))
    .replace(struct.pack("<HHII", 257, 4, 1, 10), struct.pack("<HHII", 257, 4, 1, 99999)),
    "svg": lambda: svg("", 'width="100000" height="100000"'),
    "tiff of 10000 pages": lambda: tiff_pages(10_000),
    "png of texts": lambda: png_with(b"".join(chunk(b"zTXt", b"k%d\0\0" % i + zlib.compress(b"a" * (1 << 20)))
                                              for i in range(17))),
    "png with an iTXt": lambda: png_with(chunk(b"iTXt", b"k\0\1\0en\0k\0" + INFLATES)),
    "png with a profile": lambda: png_with(chunk(b"iCCP", b"x\0\0" + INFLATES)),
    "png with exif": lambda: png_with(chunk(b"eXIf", b"MM\0*" + b"\0" * (17 << 20))),
    "png of palettes": lambda: png_with(chunk(b"sPLT", b"p\0\x08" + b"\0" * (6 * 3_000_000))),
    "jpeg of scans": lambda: jpeg_scans(95),
    "webp of frames": lambda: webp_frames(100_000),
    "webp of chunks": lambda: webp_frames(1)[:30] + b"JUNK\0\0\0\0" * 1_000_000,
    "gif of frames": lambda: pictures.gif_header(4, 4)[:-1]
    + b",\0\0\0\0\x04\0\x04\0\0\x02\x05\x84\x8f\xa9\xcb\x05\0" * 100_000 + b";",
    "png of chunks": lambda: png_with(chunk(b"teSt", b"") * 1000),
    "webp with exif": lambda: encoded(Image.new("RGB", (16, 16)), "WEBP",
                                      exif=b"Exif\0\0II*\0\x08" + b"\0" * (17 << 20)),
    "webp with a profile": lambda: encoded(Image.new("RGB", (16, 16)), "WEBP", icc_profile=big_profile(17 << 20)),
    "svg of elements": lambda: svg("<g/>" * 50_001),
    "svg of text": lambda: svg("<text>" + "x" * ((1 << 20) + 1) + "</text>"),
    "svg of text in a section": lambda: svg("<text><![CDATA[" + "x" * (1 << 20) + "<a b='x]]></text>"),
    "svg of text behind a comment": lambda: svg("<!-- <a b=' -->" + "x" * ((1 << 20) + 1)),
    "svg of text behind a type": lambda: svg("x" * ((1 << 20) + 1),
                                             prolog='<!DOCTYPE svg [ <!-- " --> <!ENTITY a "b"> ]>'),
    "svg of attributes": lambda: svg("<g " + " ".join(f"a{i}='='" for i in range(1001)) + "/>"),
    "svg of selectors": lambda: svg("<style>" + "g,h .x{}" * 5000 + "</style>" + "<g/>" * 10_000),
    "svg of bytes": lambda: svg("<desc>" + "x" * (8 << 20) + "</desc>"),
    "svg of entities": lambda: svg("&b;", prolog=ENTITIES.format('<!ENTITY a "ha"><!ENTITY b ">&a;&a;&a;">')),
    "svg of repeated text": lambda: svg("&a;", prolog=ENTITIES.format(f"<!ENTITY a '{'x' * 257}'>")),
    "svg of markup": lambda: svg("&b;", prolog=ENTITIES.format("<!ENTITY b '<g/>'>")),
}


@measures_memory
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_from_its_header(renderer, name):
    source = renderer.file(BOMBS[name]())
    renderer.render(Image.new("RGB", (4, 4)))   # so that it has started
    before = renderer.status()["rss_kb"]
    for outcome in (renderer.try_render(source, "w=5"), renderer.describe(source)):
        assert isinstance(outcome, Failure) and outcome.kind == "unprocessable", outcome
        assert "limit" in outcome.detail, outcome
        assert outcome.ms < 1500
    # What a loader maps of the file itself counts too.
    assert renderer.status()["rss_kb"] < before + 30_000 + 2 * source.stat().st_size // 1024


@pytest.mark.parametrize("name", ("png of texts", "png with an iTXt", "png with a profile"))
def test_metadata_of_a_png_is_refused_before_libpng_inflates_it(renderer, name):
    assert "inflates" in renderer.describe(BOMBS[name]()).detail    # the decoder would say another limit


def test_an_avif_over_the_limit_is_refused(renderer):
    whole = renderer.render_file(pictures.quadrants(64, 64), "-", "avif").read_bytes()
    at = whole.index(b"ispe") + 8
    giant = whole[:at] + struct.pack(">II", 16000, 16000) + whole[at + 8:]
    failure = renderer.try_render(giant, "w=5")
    assert failure.kind == "unprocessable" and "16000 x 16000" in failure.detail and failure.ms < 1000


def test_nested_elements_are_refused(renderer):
    failure = renderer.try_render(svg("<g>" * 20_000 + "</g>" * 20_000))
    assert failure.kind == "unprocessable" and failure.ms < 1000


def test_what_only_looks_like_a_bomb_is_drawn(renderer):
    names = ENTITIES.format('<!ENTITY ns_svg "http://www.w3.org/2000/svg"><!ENTITY x "&quot;">'.replace("&quot;", "q"))
    harmless = [
        svg(CHECKS[CHECKS.index(b">") + 1:CHECKS.rindex(b"<")].decode(), prolog=names),
        svg("<desc>1 &lt; 2</desc>" + '<rect width="4" height="4" fill="#c8281e"/>' * 2000),
        svg("<style>" + ".a,.b{fill:red}" * 400 + "</style><!-- " + "x" * (2 << 20) + " -->" + "<g/>" * 20_000),
        svg('<g a=">" ' + " ".join(f"a{i}='===='" for i in range(900)) + "/>" + " \n" * (1 << 20)),
        png_with(chunk(b"zTXt", b"k\0\0" + zlib.compress(b"a" * 100_000)) * 20),
        png_with(chunk(b"iTXt", b"k\0\0\0\0\0" + b"plain")),
        png_with(chunk(b"zTXt", b"no end of the keyword") + chunk(b"iTXt", b"") + chunk(b"iCCP", b"x\0\0no zlib")),
        encoded(Image.new("RGB", (16, 16)), "JPEG", icc_profile=big_profile(3 << 20)),
        # Its thumbnail is a JPEG with a scan of its own, between markers that are no segments.
        encoded(Image.new("RGB", (16, 16)), "JPEG", exif=b"Exif\0\0" + b"\xff\xda\0\4" * 1000),
        webp_frames(3), encoded(pictures.photo(64, 48), "JPEG", progressive=True),
    ]
    for i, source in enumerate(harmless):
        outcome = renderer.try_render(source, "w=5")
        assert not isinstance(outcome, Failure), (i, outcome)
