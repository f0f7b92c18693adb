"""Watermarks and lines of text.  Places and sizes come from the model below, letters from PIL's FreeType."""

import math
from fractions import Fraction
from urllib.parse import quote

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont

import icc
import pictures
from pictures import is_near
from rendering import RENDERER, Failure, encoded, measures_memory, own_renderer, renderer, shared  # noqa: F401

RED, BLUE, SLATE, BLACK, WHITE = (250, 10, 20), (20, 30, 240), (60, 80, 100), (0, 0, 0), (255, 255, 255)
DEJAVU = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
POSITIONS = ("n", "ne", "e", "se", "s", "sw", "w", "nw", "c")


# ---- the model ---------------------------------------------------------------------------------


def half_up(value):
    return math.floor(value + Fraction(1, 2))


def part_of(fraction, side):
    return half_up(Fraction(str(fraction)) * side)


def box_of_mark(size, scale, canvas):
    """As large as fits a box of this part of the canvas, keeping its shape."""
    width, height = (max(1, part_of(scale, side)) for side in canvas)
    if width * size[1] > height * size[0]:
        return max(1, half_up(Fraction(size[0] * height, size[1]))), height
    return width, max(1, half_up(Fraction(size[1] * width, size[0])))


def place(position, margin, box, canvas):
    """Left and top of a box so far from the edges."""
    distance = part_of(margin, min(canvas))

    def start(before, after, length, room):
        at = distance if before in position else room - length - distance if after in position else \
            (room - length) // 2
        return max(0, min(at, room - length))

    return (start("w", "e", box[0], canvas[0]), start("n", "s", box[1], canvas[1])) if position != "c" else \
        ((canvas[0] - box[0]) // 2, (canvas[1] - box[1]) // 2)


def mark(position="se", margin=0, scale=0.2, opacity=1, tiled=0, min_width=0, min_height=0, imposed=0):
    return f"mark:{position}:{margin}:{scale}:{opacity}:{tiled}:{min_width}:{min_height}:{imposed}"


def caption(text, size=0.1, position="se", margin=0, colour="ffffffff", shadow="00000000", min_width=0,
            min_height=0, imposed=0, font="DejaVu Sans"):
    return f"text:{quote(text, safe='')}:{quote(font, safe='')}:{size}:{position}:{margin}:{colour}:{shadow}:" \
        f"{min_width}:{min_height}:{imposed}"


def plain(size, colour=SLATE, mode="RGB"):
    return Image.new(mode, size, colour)


def changed(result, colour=SLATE):
    """The box in which a result is not of the colour that the picture had; None: nowhere."""
    return ImageChops.difference(result.convert("RGB"), plain(result.size, colour)).getbbox()


def as_box(place, size):
    return (*place, place[0] + size[0], place[1] + size[1])


# ---- marks: where, and how large ---------------------------------------------------------------


@pytest.mark.parametrize("position", POSITIONS)
def test_a_mark_stands_at_its_place_to_the_pixel(renderer, position):
    canvas, size = (201, 121), (80, 40)
    for margin in (0, 0.03, 0.0125):
        result = renderer.render(plain(canvas), overlays=mark(position, margin), mark=plain(size, RED))
        box = box_of_mark(size, 0.2, canvas)
        where = as_box(place(position, margin, box, canvas), box)
        assert changed(result) == where, margin
        assert set(result.crop(where).getdata()) == {RED}


@pytest.mark.parametrize("canvas, size, scale", [
    ((200, 120), (80, 40), 0.2),
    ((200, 120), (80, 40), 1),
    ((200, 120), (20, 100), 0.5),	# as high as the box, not as wide
    ((200, 120), (4, 2), 0.5),		# enlarged
    ((50, 30), (100, 100), 0.01),	# half a pixel is one
    ((200, 120), (300, 1), 0.3),	# one pixel high at least
    ((333, 777), (123, 457), 0.123456),
    ((3, 200), (10, 10), 0.3),
])
def test_the_size_of_a_mark_follows_the_canvas(renderer, canvas, size, scale):
    result = renderer.render(plain(canvas), overlays=mark("nw", 0, scale), mark=plain(size, RED))
    assert changed(result) == as_box((0, 0), box_of_mark(size, scale, canvas))


def test_a_mark_as_wide_as_the_canvas_has_no_margin(renderer):
    result = renderer.render(plain((200, 200)), overlays=mark("se", 0.1, 1), mark=plain((20, 10), RED))
    assert changed(result) == (0, 80, 200, 180)


def test_the_canvas_is_that_of_the_result(renderer):
    for recipe, canvas in (("w=100", (100, 60)), ("w=100,h=100,fit=pad,bg=3c5064", (100, 100)),
                           ("w=50,h=50,fit=cover", (50, 50))):
        result = renderer.render(plain((200, 120)), recipe, overlays=mark("se", 0.05), mark=plain((80, 40), RED))
        box = box_of_mark((80, 40), 0.2, canvas)
        assert changed(result) == as_box(place("se", 0.05, box, canvas), box), recipe


def test_tiles_begin_at_the_top_left_and_are_cut_off_at_the_edges(renderer):
    canvas, size, margin = (203, 131), (30, 20), 0.05
    tile = pictures.quadrants(*size)
    result = renderer.render(plain(canvas), overlays=mark("se", margin, 0.15, 1, 1), mark=tile)
    box = box_of_mark(size, 0.15, canvas)
    assert box == size
    wanted = plain(canvas)
    gap = part_of(margin, min(canvas))
    for top in range(0, canvas[1], size[1] + gap):
        for left in range(0, canvas[0], size[0] + gap):
            wanted.paste(tile, (left, top))
    assert ImageChops.difference(result, wanted).getbbox() is None


def test_tiles_without_a_margin_leave_nothing_bare(renderer):
    result = renderer.render(plain((97, 61)), overlays=mark("c", 0, 0.1, 1, 1), mark=plain((7, 5), RED))
    assert set(result.getdata()) == {RED}


# ---- marks: when -------------------------------------------------------------------------------


@pytest.mark.parametrize("limits, is_shown", [
    ((100, 60), True), ((101, 60), False), ((100, 61), False), ((0, 60), True), ((101, 0), False)])
def test_a_mark_is_left_out_of_results_that_are_too_small(renderer, limits, is_shown):
    for overlays in (mark("c", 0, 0.5, 1, 0, *limits), caption("A", 0.5, "c", 0, "ffffffff", "00000000", *limits)):
        result = renderer.render(plain((200, 120)), "w=100", overlays=overlays,
                                 **({"mark": plain((8, 8), RED)} if overlays.startswith("mark") else {}))
        assert (changed(result) is not None) == is_shown, overlays


@pytest.mark.parametrize("recipe, imposed, is_shown", [
    ("w=50", 1, False), ("w=50", 0, False), ("crop=0:0:50:50", 1, True), ("crop=0:0:50:50", 0, False),
    ("w=50,h=50,fit=cover", 1, True), ("w=50,h=50,fit=cover", 0, False), ("crop=0:0:100:60", 0, True)])
def test_an_imposed_overlay_is_on_every_part_of_the_picture(renderer, recipe, imposed, is_shown):
    for overlays, files in ((mark("c", 0, 0.5, 1, 0, 60, 0, imposed), {"mark": plain((8, 8), RED)}),
                            (caption("A", 0.3, "c", min_width=60, imposed=imposed), {})):
        result = renderer.render(plain((200, 120)), recipe, overlays=overlays, **files)
        assert (changed(result) is not None) == is_shown, overlays


# ---- marks: colours ----------------------------------------------------------------------------


def blend(above, below, alpha):
    return tuple(a * alpha + b * (1 - alpha) for a, b in zip(above, below))


@pytest.mark.parametrize("opacity", (1, 0.75, 0.5, 0.123, 0.01))
def test_opacity_and_alpha_are_multiplied(renderer, opacity):
    for alpha in (255, 128, 1, 0):
        result = renderer.render(plain((100, 100)), overlays=mark("c", 0, 0.5, opacity),
                                 mark=plain((10, 10), (*RED, alpha), "RGBA"))
        assert is_near(result.getpixel((50, 50)), blend(RED, SLATE, alpha / 255 * opacity), 1.01), alpha
        assert result.getpixel((10, 10)) == SLATE


def test_over_what_is_transparent_colours_count_by_what_is_seen(renderer):
    """Against PIL's alpha_composite, which rounds at other places."""
    source = Image.merge("RGBA", [Image.linear_gradient("L").resize((256, 256)).rotate(turn)
                                  for turn in (0, 90, 180, 270)])
    layer = Image.merge("RGBA", [Image.linear_gradient("L").rotate(turn) for turn in (180, 0, 270, 90)])
    result = renderer.render(source, overlays=mark("nw", 0, 1), mark=layer)
    wanted = Image.alpha_composite(source, layer)
    assert result.mode == "RGBA" and result.size == wanted.size
    for got, want in zip(result.getdata(), wanted.getdata()):
        assert abs(got[3] - want[3]) <= 1
        assert want[3] < 8 or is_near(got[:3], want[:3], 2), (got, want)


def test_what_was_transparent_stays_so_beside_the_mark(renderer):
    source = plain((100, 100), (10, 20, 30, 0), "RGBA")
    result = renderer.render(source, overlays=mark("nw", 0, 0.5, 0.5), mark=plain((9, 9), RED))
    assert result.getpixel((25, 25)) == (*RED, 128)
    assert result.getpixel((75, 75))[3] == 0


def indexed(image):
    return image.convert("P", palette=Image.ADAPTIVE)


@pytest.mark.parametrize("source", (plain((100, 100)), plain((100, 100), 90, "L"), plain((100, 100), 1, "1"),
                                    plain((100, 100), (90, 255), "LA"), indexed(plain((100, 100)))),
                         ids=lambda image: image.mode)
def test_pictures_of_every_kind_take_a_coloured_mark(renderer, source):
    result = renderer.render(source, overlays=mark("nw", 0, 0.5), mark=plain((9, 9), RED))
    assert result.mode == ("RGBA" if source.mode == "LA" else "RGB")
    assert result.getpixel((25, 25))[:3] == RED
    assert result.getpixel((75, 75))[:3] == source.convert("RGB").getpixel((75, 75))


def test_marks_of_every_kind_are_taken(renderer):
    for image in (plain((16, 16), 90, "L"), plain((16, 16), (90, 128), "LA"), indexed(plain((16, 16), RED)),
                  plain((16, 16), RED), plain((16, 16), (*RED, 128), "RGBA")):
        result = renderer.render(plain((100, 100)), overlays=mark("nw", 0, 0.5), mark=image)
        *seen, alpha = image.convert("RGBA").getpixel((0, 0))
        assert is_near(result.getpixel((25, 25)), blend(seen, SLATE, alpha / 255), 1.01), image.mode
    for form in ("JPEG", "WEBP", "GIF", "TIFF"):
        result = renderer.render(plain((100, 100)), overlays=mark("nw", 0, 0.5),
                                 mark=encoded(plain((16, 16), RED), form))
        assert is_near(result.getpixel((25, 25)), RED, 6), form


def test_a_picture_with_a_profile_takes_the_colours_that_look_the_same(renderer):
    """CSS Color 4: color(srgb 1 0 0) is color(display-p3 0.9175 0.2003 0.1386)."""
    pure = (255, 0, 0)
    overlays = mark("nw", 0, 0.5, 1) + ";" + caption("\u2588", 0.3, "se", colour="ff0000ff")
    for source, recipe in ((plain((100, 100)), "icc=p3"),
                           (encoded(plain((100, 100)), "PNG", icc_profile=icc.display_p3()), "icc=keep"),
                           (plain((100, 100), (*SLATE, 255), "RGBA"), "icc=p3")):
        result = renderer.render(source, recipe, overlays=overlays, mark=plain((9, 9), pure))
        assert "icc_profile" in result.info
        for at in ((25, 25), (95, 90)):
            assert is_near(result.getpixel(at)[:3], (234, 51, 35), 2), (recipe, at, result.getpixel(at))


def test_a_profile_for_grey_ends_where_colours_begin(renderer):
    """128 of linear grey is 188 of sRGB (IEC 61966-2-1)."""
    source = encoded(plain((100, 100), 128, "L"), "PNG", icc_profile=icc.linear_grey())
    result = renderer.render(source, "icc=keep", overlays=mark("nw", 0, 0.5), mark=plain((9, 9), (100, 50, 200)))
    assert "icc_profile" not in result.info
    assert result.getpixel((25, 25)) == (100, 50, 200)
    assert is_near(result.getpixel((75, 75)), (188, 188, 188), 2)


@pytest.mark.parametrize("orientation", (1, 2, 6, 7))
def test_a_mark_is_turned_upright(renderer, orientation):
    stored = pictures.lain_down(pictures.quadrants(96, 64), orientation)
    photo = encoded(stored, "JPEG", exif=pictures.exif_orientation(orientation), quality=95)
    result = renderer.render(plain((96, 64)), overlays=mark("c", 0, 1), mark=photo)
    assert pictures.distance(result, pictures.quadrants(96, 64)) < 4


def test_an_svg_mark_is_drawn_at_the_size_it_is_needed(renderer):
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8">' \
          b'<rect width="8" height="8" fill="white"/><circle cx="4" cy="4" r="4"/></svg>'
    result = renderer.render(plain((400, 400)), overlays=mark("c", 0, 1), mark=svg)
    wanted = Image.new("RGB", (1600, 1600), WHITE)
    ImageDraw.Draw(wanted).ellipse((0, 0, 1599, 1599), fill=BLACK)
    # Enlarged from 8 x 8 it is more than 10 levels off on the average.
    assert pictures.distance(result, wanted.resize((400, 400), Image.BOX)) < 1


@pytest.mark.parametrize("to", ("jpg", "png", "webp", "avif", "gif", "jxl"))
def test_a_mark_is_in_every_format(renderer, to):
    result = renderer.render(plain((128, 128)), "-", to, overlays=mark("se", 0, 0.5), mark=plain((9, 9), RED))
    assert is_near(result.convert("RGB").getpixel((96, 96)), RED, 8)
    assert is_near(result.convert("RGB").getpixel((32, 32)), SLATE, 8)


@pytest.mark.parametrize("form, to", (("GIF", "gif"), ("GIF", "webp"), ("WEBP", "webp")))
def test_a_mark_is_on_every_frame(renderer, form, to):
    colours = [(0, 0, 0), (90, 90, 90), (200, 200, 200)]
    frames = [plain((100, 80), colour) for colour in colours]
    source = encoded(frames[0], form, save_all=True, append_images=frames[1:], duration=50, lossless=True)
    path = renderer.render_file(source, "w=50", to, overlays=mark("se", 0, 0.5) + ";" + caption("A", 0.3, "nw"),
                                mark=plain((9, 9), RED))
    with Image.open(path) as result:
        assert result.n_frames == 3 and result.size == (50, 40)
        for i, colour in enumerate(colours):
            result.seek(i)
            frame = result.convert("RGB")
            assert is_near(frame.getpixel((40, 30)), RED, 12), i
            assert is_near(frame.getpixel((10, 30)), colour, 12), i
            assert max(pixel[0] for pixel in frame.crop((0, 0, 10, 10)).getdata()) > 240, i


@pytest.mark.parametrize("content", (b"", b"no picture", encoded(pictures.photo(200, 100), "PNG")[:9000],
                                     pictures.png_header(20000, 20000)), ids=("empty", "text", "cut off", "bomb"))
def test_a_mark_that_is_no_picture_is_the_watermarks_fault(renderer, content):
    failure = renderer.try_render(plain((100, 100)), overlays=mark(), mark=content)
    assert failure.kind == "internal" and "the watermark" in failure.detail, failure
    assert renderer.render(plain((100, 100))).size == (100, 100)


def test_a_mark_that_is_left_out_is_not_looked_at(renderer):
    result = renderer.render(plain((100, 100)), overlays=mark(min_width=101), mark=b"no picture")
    assert changed(result) is None


def test_overlays_that_nobody_printed_are_refused(renderer):
    for overlays in ("mark", mark() + ":0", mark(margin=0.6), caption("A", 0.6), caption("a\nb"), caption("")):
        failure = renderer.try_render(plain((100, 100)), overlays=overlays)
        assert isinstance(failure, Failure) and "malformed overlays" in failure.detail, failure


# ---- text --------------------------------------------------------------------------------------


def ink_of(text, size):
    """Width and height of the ink, as PIL draws it."""
    page = Image.new("L", (size * (len(text) + 2), 3 * size))
    ImageDraw.Draw(page).text((size, size), text, fill=255, font=ImageFont.truetype(DEJAVU, size))
    return size_of(page.getbbox())


def drawn(renderer, text, canvas=(600, 200), recipe="-", **look):
    """White on black: the box of the ink, or None."""
    result = renderer.render(plain(canvas, BLACK), recipe, overlays=caption(text, **look))
    return changed(result, BLACK)


def size_of(box):
    return box[2] - box[0], box[3] - box[1]


def assert_ink(box, wanted):
    """Pango places each letter on a whole pixel: a third of a pixel each, on the average."""
    width, height = size_of(box)
    assert abs(width - wanted[0]) <= 2 + 0.04 * wanted[0] and abs(height - wanted[1]) <= 2, (box, wanted)


@pytest.mark.parametrize("position", POSITIONS)
def test_the_ink_of_a_line_stands_at_its_place(renderer, position):
    for text in ("Abxy", "xxx", "\u00c9g"):
        box = drawn(renderer, text, (301, 201), position=position, margin=0.04)
        assert box[:2] == place(position, 0.04, size_of(box), (301, 201)), text


@pytest.mark.parametrize("canvas, recipe, size, pixels", [
    ((600, 200), "-", 0.05, 10),
    ((600, 200), "-", 0.0525, 11),	# 10.5
    ((600, 200), "-", 0.25, 50),
    ((600, 200), "-", 0.5, 100),
    ((1000, 1000), "-", 0.3, 300),
    ((400, 1200), "w=200,h=600", 0.5, 100),
    ((1200, 400), "w=600,h=600,fit=pad,bg=000", 0.1, 60),
])
def test_letters_are_as_high_as_asked(renderer, canvas, recipe, size, pixels):
    box, wanted = drawn(renderer, "H\u00e9", canvas, recipe, size=size), ink_of("H\u00e9", pixels)
    assert_ink(box, wanted)
    assert abs(size_of(box)[1] - wanted[1]) <= 1


def test_the_font_is_the_one_asked_for(renderer):
    regular = size_of(drawn(renderer, "Weighty words", size=0.2))
    bold = size_of(drawn(renderer, "Weighty words", size=0.2, font="DejaVu Sans Bold"))
    mono = size_of(drawn(renderer, "iiiiiiiiiiii", size=0.2, font="DejaVu Sans Mono"))
    assert bold[0] > 1.08 * regular[0]
    assert mono[0] > 1.5 * ink_of("iiiiiiiiiiii", 40)[0]


@pytest.mark.parametrize("text", (
    "<b>&amp;</b>", "<span size='999999'>x</span>", "a < b && c > d", "&#65;&lt;", "</markup>", "100% %s %n",
    "\u00a9 2026 A. B\u00f6dy, \u00c5ngstr\u00f6m \u00e7\u00e0", "\u0395\u03bb\u03bb\u03b7\u03bd\u03b9\u03ba\u03ac",
    "\u0420\u0443\u0441\u0441\u043a\u0438\u0439", "a:b;c,d/e\\f'g\"h"))
def test_a_text_shows_what_it_says(renderer, text):
    assert_ink(drawn(renderer, text, size=0.15), ink_of(text, 30))


def test_a_text_is_there_and_readable(renderer):
    """Each letter against PIL's, by how much of its box is ink."""
    font = ImageFont.truetype(DEJAVU, 60)
    for letter in "AgWi&<":
        result = renderer.render(plain((120, 120), BLACK), overlays=caption(letter, 0.5, "c")).convert("L")
        box = result.getbbox()
        wanted = Image.new("L", (120, 120))
        ImageDraw.Draw(wanted).text((20, 20), letter, fill=255, font=font)
        wanted = wanted.crop(wanted.getbbox()).resize(size_of(box))
        assert pictures.distance(result.crop(box), wanted) < 25, letter


def test_a_long_text_is_made_smaller_until_it_fits(renderer):
    text = "A long line of text, which says who made this picture, and when, and where"
    box = drawn(renderer, text, margin=0.05, size=0.3)
    assert box[2] == 590 and 580 * 0.85 < box[2] - box[0] <= 580
    assert_ink(box, ink_of(text, size_that_gives(text, box[2] - box[0])))


def test_a_text_that_was_made_smaller_keeps_both_margins(renderer):
    for length in range(50, 130, 5):
        box = drawn(renderer, "n" * length, margin=0.15, size=0.3)
        assert 30 <= box[0] and box[2] == 570, length


def size_that_gives(text, width):
    return min(range(6, 60), key=lambda size: abs(ink_of(text, size)[0] - width))


@pytest.mark.parametrize("canvas", ((600, 400), (90, 60), (40, 32)))
def test_the_widest_margin_leaves_room_for_a_line(renderer, canvas):
    result = renderer.render(plain(canvas), overlays=caption("Hi", 0.2, "se", 0.25))
    left, top, right, bottom = changed(result)
    margin = part_of(0.25, min(canvas))
    assert (right, bottom) == (canvas[0] - margin, canvas[1] - margin)
    assert left >= margin and top >= margin


def test_a_high_text_is_made_smaller_until_it_fits(renderer):
    box = drawn(renderer, "e" + "\u0301" * 60, (200, 200), size=0.3, margin=0.05)
    assert 100 < box[3] - box[1] <= 180


def test_letters_that_could_not_be_read_are_left_out(renderer):
    assert drawn(renderer, "x", (120, 100), size=0.06) is not None
    assert drawn(renderer, "x", (120, 100), size=0.05) is None
    assert drawn(renderer, "wide " * 30, (120, 100), size=0.1) is None


def test_an_imposed_text_is_drawn_where_it_cannot_be_read(renderer):
    for text, size in (("x", 0.05), ("wide " * 30, 0.1)):
        look = {"size": size, "imposed": 1}
        assert drawn(renderer, text, (60, 50), **look) is None
        assert drawn(renderer, text, (600, 500), "crop=0:0:60:50", **look) is not None
    assert drawn(renderer, "wide " * 30, (600, 500), "crop=0:0:60:50", size=0.1, imposed=1)[0] <= 1


def test_a_shadow_lies_a_sixteenth_of_an_em_to_the_right_and_down(renderer):
    for size, distance in ((0.04, 1), (0.16, 2), (0.2, 3), (0.5, 6)):
        result = renderer.render(plain((200, 200), BLACK), overlays=caption(
            "Ag", size, "c", colour="ff0000ff", shadow="0000ffff"))
        red, _, blue = result.split()
        left, top, right, bottom = red.getbbox()
        # Its left and top edges are under the letters.
        assert blue.getbbox()[2:] == (right + distance, bottom + distance), size
        assert blue.getbbox()[1] <= top + distance


def test_without_a_shadow_there_is_only_the_colour(renderer):
    result = renderer.render(plain((200, 200), BLACK), overlays=caption("Ag", 0.3, "c", colour="ff0000ff"))
    assert result.split()[2].getbbox() is None and result.split()[0].getbbox() is not None


@pytest.mark.parametrize("alpha", (255, 128, 51))
def test_letters_have_their_colour_and_alpha(renderer, alpha):
    result = renderer.render(plain((200, 200)), overlays=caption("I", 0.5, "c", colour=f"fa0a14{alpha:02x}"))
    strongest = max(result.getdata(), key=lambda pixel: pixel[0] - pixel[2])
    assert is_near(strongest, blend(RED, SLATE, alpha / 255), 1.01)


def test_texts_lie_over_the_mark_and_over_each_other(renderer):
    overlays = ";".join((mark("c", 0, 1), caption("\u2588", 0.3, "c", colour="14f01eff"),
                         caption("\u2588", 0.1, "c", colour="141ef0ff")))
    result = renderer.render(plain((200, 200)), overlays=overlays, mark=plain((9, 9), RED))
    assert result.getpixel((100, 100)) == (20, 30, 240)
    assert result.getpixel((100, 80)) == (20, 240, 30)
    assert result.getpixel((20, 20)) == RED


HOSTILE = {
    "spaces": "   ", "nothing to see": "\u200b\u200b\u2060", "no-break spaces": "\u00a0" * 20,
    "right to left": "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "turned around": "\u202eabc\u202d def \u2066\u2067\u2069", "unbalanced": "\u202a" * 80,
    "cjk": "\u65e5\u672c\u8a9e\u7b80\u4f53\ud55c\uad6d", "not assigned": "\U0010ffff\U000e0001\ue000",
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467", "wide": "\ufdfd" * 85, "marks": "\u0301" * 127,
    "stacked": "\u0e01" + "\u0e33\u0e49" * 40, "letters": "W" * 255, "blocks": "\u2588" * 85,
    "markup": "<" * 255, "entities": "&amp;" * 51, "deep": "<b>" * 85, "percent": "%s%n%x" * 40,
    "indic": "\u0915\u094d" * 40, "byte order": "\ufeff\ufffe\uffff",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_any_text_is_drawn_or_left_out(renderer, name):
    for canvas in ((300, 200), (1, 1), (2000, 40)):
        for size in (0.5, 0.1):
            for imposed in (0, 1):
                result = renderer.render(plain(canvas), overlays=caption(
                    HOSTILE[name], size, "s", 0.02, shadow="000000ff", imposed=imposed))
                assert result.size == canvas


def test_the_largest_letters_take_a_bounded_time(renderer):
    for text in ("W" * 255, "\ufdfd" * 85, "\u0301" * 127):
        outcome = renderer.try_render(plain((3000, 3000)), overlays=caption(text, 0.5, shadow="000000ff"))
        assert not isinstance(outcome, Failure) and int(outcome["total_us"]) < 5_000_000


@measures_memory
def test_a_thousand_texts_leave_nothing_behind(own_renderer):
    source = own_renderer.file(plain((300, 200)))

    def many(first, count):
        for i in range(first, first + count):
            text = f"credit {i} {chr(0x4e00 + i)}"
            own_renderer.render_file(source, to="jpg", overlays=caption(text, round(0.05 + i % 300 / 1000, 3)))
        return own_renderer.status()["rss_kb"]

    warm = many(0, 300)
    assert many(300, 1000) < warm + 4000


@measures_memory
def test_nothing_is_said_about_fonts(tmp_path, capfd):
    """The renderer has no environment: no home, no language, no cache of its own."""
    from rendering import Renderer
    alone = Renderer(tmp_path)
    alone.render(plain((300, 200)), overlays=caption("\u65e5 A \u05e9", 0.2))
    alone.close()
    assert capfd.readouterr().err == ""
