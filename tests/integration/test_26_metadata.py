"""What is left of the words in a file: nothing but the credit, unless asked for.  exiftool is the judge."""

import io
import json
import subprocess

import pytest
from PIL import Image

import icc
import pictures
from rendering import encoded, own_renderer, renderer, shared  # noqa: F401

INPUTS = ("jpg", "png", "webp", "gif", "avif", "jxl", "heic", "tiff")
OUTPUTS = ("jpg", "png", "webp", "avif", "gif", "jxl")
COPYRIGHT = "(c) M\u00fcller & S\u00f6hne (all rights)"
CREATOR = "Jane Doe"

SECRETS = ["-XMP:GPSLatitude=12.5", "-XMP-photoshop:City=SECRET-1", "-XMP-xmp:Label=SECRET-2",
           "-GPSLatitude=12.5", "-GPSLatitudeRef=N", "-GPSLongitude=7", "-GPSLongitudeRef=E",
           "-SerialNumber=SECRET-3", "-UserComment=SECRET-4", "-Make=SECRET-5", "-IPTC:City=SECRET-6",
           "-Comment=SECRET-7", "-Software=SECRET-8"]
CREDIT = [f"-XMP-dc:Rights={COPYRIGHT}", f"-XMP-dc:Creator={CREATOR}"]


def exiftool(*arguments):
    done = subprocess.run(["exiftool", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    return done.stdout


def write_tags(path, *tags):
    """Whatever of these the format can hold."""
    exiftool("-q", "-q", "-m", "-overwrite_original", *tags, path)
    return path


def tags_of(*paths):
    """[{"XMP-dc:Rights": ..., ...}] of each file, in the order given."""
    found = json.loads(exiftool("-j", "-G1", "-a", *paths))
    assert [each["SourceFile"] for each in found] == [str(path) for path in paths]
    return found




@pytest.fixture(scope="module")
def originals(shared, tmp_path_factory):
    """One file of each format, as full of secrets as it can be."""
    folder = tmp_path_factory.mktemp("originals")
    picture = pictures.quadrants()
    files = {}
    for form in INPUTS:
        path = folder / f"original.{form}"
        if form in ("jpg", "png", "webp", "gif", "tiff"):
            picture.save(path, {"jpg": "JPEG"}.get(form, form.upper()))
        elif form == "heic":
            picture.save(folder / "plain.png")
            if subprocess.run(["vips", "heifsave", folder / "plain.png", path], capture_output=True,
                              timeout=20).returncode != 0:
                continue
        else:
            path.write_bytes(shared.render_file(picture, "-", form).read_bytes())
        files[form] = write_tags(path, *SECRETS, *CREDIT)
        assert "SECRET" in exiftool(path), f"{form} holds no secret"
    return files


# Groups that tell of the file and not of the picture: its structure, and what exiftool reckons.
STRUCTURE = {"System", "File", "ExifTool", "PNG", "JFIF", "RIFF", "GIF", "PNG-pHYs", "Composite", "Meta", "Jpeg2000", "JXL",
             "QuickTime", "IFD0", "IFD1", "ExifIFD", "XMP-x", "XMP-rdf"}
# Of EXIF, what libvips makes up of the result itself.
MADE_UP = {"Orientation", "XResolution", "YResolution", "ResolutionUnit", "YCbCrPositioning", "ExifVersion",
           "ComponentsConfiguration", "FlashpixVersion", "ColorSpace", "ExifImageWidth", "ExifImageHeight"}
EXIF = {"IFD0", "IFD1", "ExifIFD"}


def words_beside(tags, *allowed):
    """What is said in the file that is neither structure nor allowed."""
    beside = []
    for tag, value in tags.items():
        group, _, name = tag.rpartition(":")
        if tag != "SourceFile" and tag not in allowed and (
                group not in STRUCTURE or (group in EXIF and name not in MADE_UP) or "Comment" in name):
            beside.append(f"{tag}={value}")
    return beside


# libvips 8.14.1 reads no metadata of these.
UNREAD = ("gif", "jxl")


@pytest.mark.parametrize("form", INPUTS)
def test_only_the_credit_survives(renderer, originals, form):
    if form not in originals:
        pytest.skip("no encoder for it here")
    for recipe in ("w=60", "-"):
        paths = [renderer.render_file(originals[form], recipe, to) for to in OUTPUTS]
        for to, path, tags in zip(OUTPUTS, paths, tags_of(*paths)):
            beside = words_beside(tags, "XMP-dc:Rights", "XMP-dc:Creator", "IFD0:Copyright", "IFD0:Artist")
            assert not beside, f"{form} to {to}: {beside}"
            assert b"SECRET" not in path.read_bytes()
            assert "GPS" not in str(tags)
            if form not in UNREAD:
                assert (tags.get("XMP-dc:Rights"), tags.get("XMP-dc:Creator")) == (COPYRIGHT, CREATOR), to


@pytest.mark.parametrize("form", INPUTS)
def test_nothing_survives_when_all_is_stripped(renderer, originals, form):
    if form not in originals:
        pytest.skip("no encoder for it here")
    paths = [renderer.render_file(originals[form], f"strip=all{more}", to) for to in OUTPUTS for more in ("", ",w=60")]
    for path, tags in zip(paths, tags_of(*paths)):
        assert not words_beside(tags), f"{form} to {path.suffix}: {words_beside(tags)}"
        assert not any(tag.split(":")[0] in EXIF for tag in tags), f"{form} to {path.suffix}: {tags}"
        assert b"SECRET" not in path.read_bytes() and b"Jane" not in path.read_bytes()


# ---- the credit -------------------------------------------------------------------------------------

CREDITS = [
    ("jpg", ["-XMP-dc:Rights=from XMP <&>", "-IPTC:CopyrightNotice=from IPTC", "-Copyright=from EXIF"], "from XMP <&>"),
    ("jpg", ["-IPTC:CopyrightNotice=from IPTC <&>", "-Copyright=from EXIF"], "from IPTC <&>"),
    ("jpg", ["-Copyright=from EXIF, (2024, x)"], "from EXIF, (2024, x)"),
    ("png", ["-PNG:Copyright=from a <chunk> & more"], "from a <chunk> & more"),
    ("png", ["-EXIF:Copyright=from EXIF", "-PNG:Copyright=from a chunk"], "from EXIF"),
    ("webp", ["-Copyright=from EXIF"], "from EXIF"),
    ("tiff", ["-XMP-dc:Rights=from XMP"], "from XMP"),
]


@pytest.mark.parametrize("form, tags, wanted", CREDITS)
def test_copyright_is_found_where_it_is_written(renderer, tmp_path, form, tags, wanted):
    path = tmp_path / f"tagged.{form}"
    pictures.quadrants().save(path)
    write_tags(path, "-all=", *tags)
    paths = [renderer.render_file(path, "w=60", to) for to in OUTPUTS]
    for to, found in zip(OUTPUTS, tags_of(*paths)):
        assert found.get("XMP-dc:Rights") == wanted, to


@pytest.mark.parametrize("to", ("gif", "jxl"))
def test_a_picture_with_a_credit_added_is_still_a_picture(renderer, originals, to):
    path = renderer.render_file(originals["jpg"], "w=60", to)
    told = renderer.describe(path)
    assert (told["media"], told["width"], told["height"], told["frames"]) == (to, "60", "40", "1")
    if to == "gif":
        image = Image.open(path)
        image.load()
        assert image.size == (60, 40)


def test_an_animation_keeps_its_credit(renderer, tmp_path):
    path = tmp_path / "animated.webp"
    frames = [pictures.quadrants().rotate(90 * i) for i in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
    write_tags(path, *CREDIT, f"-Copyright={COPYRIGHT}", "-UserComment=SECRET")
    for to in ("webp", "gif"):
        made = renderer.render_file(path, "w=60", to)
        assert tags_of(made)[0]["XMP-dc:Rights"] == COPYRIGHT and b"SECRET" not in made.read_bytes()
        assert Image.open(made).n_frames == 3


# ---- strip=keep ----------------------------------------------------------------------------------------

# IPTC is kept in JPEG only, EXIF not in GIF and JPEG XL.
KEPT = {"IFD0:Make": "SECRET-5", "ExifIFD:UserComment": "SECRET-4", "XMP-photoshop:City": "SECRET-1",
        "IPTC:City": "SECRET-6", "XMP-dc:Rights": COPYRIGHT}


@pytest.mark.parametrize("to", OUTPUTS)
def test_all_is_kept_that_the_format_can_hold(renderer, originals, to):
    found = tags_of(renderer.render_file(originals["jpg"], "strip=keep,w=60", to))[0]
    for tag, value in KEPT.items():
        if not (tag.startswith("IPTC") and to != "jpg") and not ("IFD" in tag and to in ("gif", "jxl")):
            assert found.get(tag) == value, f"{tag} in {to}"
    assert "GPS" in str(found)


@pytest.mark.parametrize("form", ("png", "webp", "avif", "heic", "tiff"))
def test_kept_words_come_from_every_format(renderer, originals, form):
    if form not in originals:
        pytest.skip("no encoder for it here")
    found = tags_of(renderer.render_file(originals[form], "strip=keep,w=60", "jpg"))[0]
    assert found["XMP-photoshop:City"] == "SECRET-1"
    if form == "tiff":
        assert found["IPTC:City"] == "SECRET-6"
    else:
        assert found["ExifIFD:UserComment"] == "SECRET-4"


@pytest.fixture(scope="module")
def lying_photo(tmp_path_factory):
    """Of orientation 6, with sizes and thumbnails of what is stored."""
    folder = tmp_path_factory.mktemp("lying")
    path, thumbnail = folder / "lying.jpg", folder / "thumbnail.jpg"
    pictures.lain_down(pictures.quadrants(), 6).save(path, quality=95)
    Image.new("RGB", (32, 24), (9, 9, 9)).save(thumbnail, comment=b"THUMB")
    return write_tags(path, "-Orientation#=6", "-XMP-tiff:Orientation#=6", "-XMP-tiff:ImageWidth=80",
                      "-XMP-exif:ExifImageWidth=80", "-ExifImageWidth=80", f"-ThumbnailImage<={thumbnail}",
                      f"-PhotoshopThumbnail<={thumbnail}", "-Make=kept", "-IPTC:City=kept too",
                      "-XMP-xmp:ThumbnailImage<=" + str(thumbnail), "-XMP-xmp:ThumbnailFormat=JPEG", "-XMP-xmp:Label=kept")


@pytest.mark.parametrize("to", ("jpg", "png", "webp", "avif", "jxl"))
def test_what_is_kept_is_true_of_the_result(renderer, lying_photo, to):
    path = renderer.render_file(lying_photo, "strip=keep,w=60", to)
    found = tags_of(path)[0]
    assert found["XMP-xmp:Label"] == "kept"
    for tag, value in found.items():
        if "Orientation" in tag:
            assert value in ("Horizontal (normal)", 1), f"{tag}={value}"
        if tag.split(":")[-1] in ("ExifImageWidth", "ImageWidth"):
            assert value == 60, f"{tag}={value}"
    assert b"THUMB" not in path.read_bytes() and "Thumbnail" not in str(found)
    image = renderer.render(path, "strip=all")
    assert image.size == (60, 40)


def test_the_tag_stays_with_pixels_that_were_not_turned(renderer, lying_photo):
    path = renderer.render_file(lying_photo, "strip=keep,orient=off,w=40", "jpg")
    assert tags_of(path)[0]["IFD0:Orientation"] == "Rotate 90 CW"
    assert Image.open(path).size == (40, 60)
    path = renderer.render_file(lying_photo, "orient=off,w=40", "jpg")
    assert "IFD0:Orientation" not in tags_of(path)[0]


def test_resolution_is_kept_only_with_the_rest(renderer):
    source = encoded(pictures.quadrants(), "JPEG", dpi=(300, 300), exif=pictures.exif_orientation(1))
    assert renderer.render(source, "w=60,strip=keep", "jpg").info["dpi"] == (300, 300)
    assert renderer.render(source, "w=60", "jpg").info.get("dpi", (72, 72)) != (300, 300)


# ---- words that mean harm ------------------------------------------------------------------------------


def xmp_segment(packet):
    content = b"http://ns.adobe.com/xap/1.0/\0" + packet
    return b"\xff\xe1" + (len(content) + 2).to_bytes(2, "big") + content


def iptc_segment(content):
    return b"\xff\xed" + (len(content) + 2).to_bytes(2, "big") + content


HARMFUL = [
    xmp_segment(b"<tiff:Orientation" * 500),
    xmp_segment(b' tiff:Orientation="' * 500),
    xmp_segment(b"<xmp:Thumbnails>" * 200 + b"</xmp:Thumbnails>" * 200),
    xmp_segment(b"<" * 60000),
    xmp_segment(b"tiff:Orientation"),
    xmp_segment(b"<tiff:Orientation>"),
    xmp_segment(b" tiff:ImageWidth='"),
    xmp_segment(b"<dc:rights><rdf:Alt><rdf:li xml:lang=\"x-default\">&evil;</rdf:li></rdf:Alt></dc:rights>"),
    iptc_segment(b"Photoshop 3.0\0"),
    iptc_segment(b"Photoshop 3.0\x008BIM\x04\x04\xff\xff\xff\xff\xff\xff"),
    iptc_segment(b"Photoshop 3.0\x008BIM\x04\x04\0\0\xff\xff\xff\xff" + b"x" * 20),
    iptc_segment(b"Photoshop 3.0\x008BIM\x04\x05\0\0\0\0\0\1x" * 5),
    iptc_segment(b"\x1c" * 3000),
]


@pytest.mark.parametrize("number", range(len(HARMFUL)))
def test_words_that_mean_harm_cost_nothing(renderer, number):
    plain = encoded(pictures.quadrants(), "JPEG")
    source = renderer.file(plain[:2] + HARMFUL[number] + plain[2:])
    for recipe in ("strip=keep,w=60", "w=60", "-", "strip=all"):
        for to in ("jpg", "webp", "gif"):
            made = renderer.try_render(source, recipe, to)
            assert isinstance(made, dict), made
            Image.open(made["path"]).load()


def test_more_than_a_segment_of_words_is_left_out(renderer, tmp_path):
    path = tmp_path / "wordy.png"
    pictures.quadrants().save(path)
    write_tags(path, "-XMP-dc:Description=" + "x" * 70000, "-EXIF:Make=kept")
    found = tags_of(renderer.render_file(path, "strip=keep,w=60", "jpg"))[0]
    assert found["IFD0:Make"] == "kept" and not any(tag.startswith("XMP") for tag in found)


# ---- profiles are no metadata ---------------------------------------------------------------------------


@pytest.mark.parametrize("recipe, has_profile", (("icc=keep,strip=all", True), ("icc=p3,strip=all", True),
                                                 ("strip=keep", False), ("-", False)))
def test_a_profile_is_there_when_icc_asks_for_it(renderer, recipe, has_profile):
    source = encoded(pictures.quadrants(), "JPEG", icc_profile=icc.display_p3(), exif=pictures.exif_orientation(1))
    for to in ("jpg", "png", "webp"):
        image = renderer.render(source, f"{recipe},w=60" if recipe != "-" else "w=60", to)
        assert ("icc_profile" in image.info) == has_profile
        assert "exif" not in image.info or recipe == "strip=keep"
