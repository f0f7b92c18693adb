"""What is left of the words in a file: nothing but the credit, unless asked for.  exiftool is the judge."""

import json
import struct
import subprocess
import zlib

import pytest
from PIL import Image, ImageChops

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
           "-Comment=SECRET-7", "-Software=SECRET-8", "-XMP-xmpMM:HistoryAction=SECRET-9",
           "-XMP-exif:GPSLongitude=7.25", "-XMP-mwg-rs:RegionName=SECRET-10", "-OwnerName=SECRET-11"]
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


def exif_with_maker_note():
    """TIFF 6.0 section 2: a directory that leads to another, with a MakerNote of unknown kind."""
    note = b"SECRET-NOTE of the maker"
    first, second = (1, 0x8769, 4, 1, 26, 0), (1, 0x927C, 7, len(note), 44, 0)
    return b"Exif\0\0MM\0*" + struct.pack(">IHHHIIIHHHIII", 8, *first, *second) + note


@pytest.fixture(scope="module")
def originals(shared, tmp_path_factory):
    """One file of each format, as full of secrets as it can be."""
    folder = tmp_path_factory.mktemp("originals")
    picture = pictures.quadrants()
    files = {}
    for form in INPUTS:
        path = folder / f"original.{form}"
        if form in ("jpg", "png", "webp", "gif", "tiff"):
            options = {"exif": exif_with_maker_note()} if form in ("jpg", "png", "webp") else {}
            picture.save(path, {"jpg": "JPEG"}.get(form, form.upper()), **options)
        elif form == "heic":
            picture.save(folder / "plain.png")
            if subprocess.run(["vips", "heifsave", folder / "plain.png", path], capture_output=True,
                              timeout=20).returncode != 0:
                continue
        else:
            path.write_bytes(shared.render_file(picture, "-", form).read_bytes())
        thumbnail = folder / "thumbnail.jpg"
        Image.new("RGB", (32, 24), (9, 9, 9)).save(thumbnail, comment=b"SECRET-THUMB")
        files[form] = write_tags(path, *SECRETS, *CREDIT, *([f"-ThumbnailImage<={thumbnail}"] if form == "jpg" else []))
        assert "SECRET" in exiftool(path), f"{form} holds no secret"
    # The others hold what they can; this one holds all of it.
    told, content = str(tags_of(files["jpg"])), files["jpg"].read_bytes()
    assert all(f"SECRET-{number}" in told for number in range(1, 12)) and told.count("GPSLatitude") >= 2
    assert b"SECRET-NOTE" in content and b"SECRET-THUMB" in content
    return files


# Groups that tell of the file and not of the picture: its structure, and what exiftool reckons.
STRUCTURE = {"System", "File", "ExifTool", "PNG", "JFIF", "RIFF", "GIF", "PNG-pHYs", "Composite", "Meta", "Jpeg2000",
             "JXL", "QuickTime", "IFD0", "IFD1", "ExifIFD", "XMP-x", "XMP-rdf"}
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


# ---- what is hidden in places that no reader of tags looks at ----------------------------------------

SECRET = b"SECRET GPSLatitude 12.5 " * 8


def segment(marker, content):
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def chunk(name, content):
    return len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")


def riff_chunk(name, content):
    return name + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2)


def gif_blocks(content):
    return b"".join(bytes((len(content[at:at + 255]),)) + content[at:at + 255]
                    for at in range(0, len(content), 255)) + b"\0"


def small_photo():
    return pictures.photo(240, 160, grain=0.1)


def jpegs_that_hide():
    plain = encoded(small_photo(), "JPEG", quality=12, optimize=True)
    start = 2 + 2 + int.from_bytes(plain[4:6], "big")   # behind JFIF
    hidden = {
        "extended XMP": segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"A" * 32
                                + len(SECRET).to_bytes(4, "big") + bytes(4) + SECRET),
        "Photoshop": segment(0xED, b"Photoshop 3.0\x008BIM\x04\x24\0\0" + len(SECRET).to_bytes(4, "big") + SECRET),
        "EXIF": segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\0" + SECRET),
        "directory of pictures": segment(0xE2, b"MPF\0" + SECRET),
        "no profile": segment(0xE2, b"ICC_PROFILE\0\1\1" + SECRET),
        "FlashPix": segment(0xE2, b"FPXR\0" + SECRET),
        "JUMBF": segment(0xEB, b"JP\0\1" + SECRET),
        "Ducky": segment(0xEC, b"Ducky" + SECRET),
        "long Adobe": segment(0xEE, b"Adobe\0\x64\0\0\0\0\1" + SECRET),
        "second JFIF": segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\x08\x08" + SECRET),
        "comment": segment(0xFE, SECRET),
        "every other": b"".join(segment(marker, SECRET[:8]) for marker in range(0xE0, 0xF0)),
    }
    files = {name: plain[:start] + words + plain[start:] for name, words in hidden.items()}
    files["behind the end"] = plain + SECRET
    files["second picture"] = plain + encoded(small_photo(), "JPEG", quality=5, comment=SECRET)
    return files


def pngs_that_hide():
    plain = encoded(small_photo().quantize(6), "PNG", optimize=True)
    stored = zlib.compress(SECRET, 0)
    hidden = {
        "EXIF": chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\0" + SECRET),
        "raw profile": chunk(b"tEXt", b"Raw profile type exif\0" + SECRET),
        "compressed raw profile": chunk(b"zTXt", b"Raw profile type APP1\0\0" + stored),
        "XMP": chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta>" + SECRET + b"</x:xmpmeta>"),
        "no profile": chunk(b"iCCP", b"SECRET\0\0" + stored),
        "private chunk": chunk(b"gpSx", SECRET),
        "long intent": chunk(b"sRGB", b"\0" + SECRET),
        "long gamma": chunk(b"gAMA", (45455).to_bytes(4, "big") + SECRET),
        "palette's name": chunk(b"sPLT", SECRET + b"\0\x08"),
    }
    files = {name: plain[:33] + words + plain[33:] for name, words in hidden.items()}
    files["behind the end"] = plain + SECRET
    return files


def webps_that_hide():
    plain = encoded(small_photo(), "WEBP", quality=5, method=6)[12:]
    size = b"".join((side - 1).to_bytes(3, "little") for side in (240, 160))
    hidden = {
        "EXIF": (0x08, plain, riff_chunk(b"EXIF", b"MM\0*\0\0\0\x08\0\0" + SECRET)),
        "XMP": (0x04, plain, riff_chunk(b"XMP ", SECRET)),
        "unknown chunk": (0, plain, riff_chunk(b"GPSx", SECRET)),
        "unknown chunk before": (0, riff_chunk(b"GPSx", SECRET), plain),
        "no profile": (0x20, riff_chunk(b"ICCP", SECRET), plain),
    }
    files = {}
    for name, (flags, first, second) in hidden.items():
        content = b"WEBP" + riff_chunk(b"VP8X", bytes((flags, 0, 0, 0)) + size) + first + second
        files[name] = riff_chunk(b"RIFF", content)
    files["behind the end"] = riff_chunk(b"RIFF", b"WEBP" + plain) + SECRET
    return files


def gifs_that_hide():
    plain = encoded(small_photo().quantize(4), "GIF")
    assert plain[:6] in (b"GIF87a", b"GIF89a") and plain[10] & 0x80
    start = 13 + 3 * (2 << (plain[10] & 7))
    hidden = {
        "comment": b"!\xFE" + gif_blocks(SECRET),
        "application": b"!\xFF\x0BSECRETAPP.0" + gif_blocks(SECRET),
        "XMP": b"!\xFF\x0BXMP DataXMP" + gif_blocks(SECRET),
        "profile": b"!\xFF\x0BICCRGBG1012" + gif_blocks(SECRET),
        "long loop": b"!\xFF\x0BNETSCAPE2.0\3\1\0\0" + gif_blocks(SECRET),
        "unknown extension": b"!\xAA" + gif_blocks(SECRET),
    }
    files = {name: b"GIF89a" + plain[6:start] + words + plain[start:] for name, words in hidden.items()}
    files["behind the end"] = plain + SECRET
    return files


def jxls_that_hide(renderer):
    plain = renderer.render_file(small_photo(), "q=15", "jxl").read_bytes()
    assert plain[:2] == b"\xFF\x0A"
    boxes = b"\0\0\0\x0CJXL \r\n\x87\n\0\0\0\x14ftypjxl \0\0\0\0jxl "
    boxes += (len(plain) + 8).to_bytes(4, "big") + b"jxlc" + plain
    return {"behind the end": plain + SECRET,
            "boxes": boxes + b"".join((len(SECRET) + 8).to_bytes(4, "big") + name + SECRET
                                      for name in (b"Exif", b"xml ", b"jumb", b"GPSx"))}


# What may be hidden in them makes the file go through the encoder again, which may make it larger or coarser.
MADE_ANEW = {"long Adobe", "long intent", "long gamma", "long loop"}


@pytest.mark.parametrize("to", ("jpg", "png", "webp", "gif", "jxl"))
def test_nothing_is_smuggled_in_a_file_that_is_passed_on(renderer, to):
    files = jxls_that_hide(renderer) if to == "jxl" else \
        {"jpg": jpegs_that_hide, "png": pngs_that_hide, "webp": webps_that_hide, "gif": gifs_that_hide}[to]()
    for name, content in files.items():
        assert b"SECRET" in content
        source = renderer.file(content)
        picture = renderer.render(source).convert("RGB")
        for recipe in ("-", "strip=all", "w=60"):
            path = renderer.render_file(source, recipe, to)
            assert b"SECRET" not in path.read_bytes() and b"GPS" not in path.read_bytes(), f"{to}: {name}, {recipe}"
            if to != "jxl" and name not in MADE_ANEW and recipe != "w=60":
                assert path.stat().st_size <= len(content), f"{to}: {name}, {recipe}"
                made = renderer.render(path).convert("RGB")
                assert ImageChops.difference(made, picture).getbbox() is None, f"{to}: {name}, {recipe}"


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
    content = renderer.render_file(originals["jpg"], "strip=keep,w=60", to).read_bytes()
    assert b"SECRET-NOTE" not in content and b"SECRET-THUMB" not in content


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
                      "-XMP-xmp:ThumbnailImage<=" + str(thumbnail), "-XMP-xmp:ThumbnailFormat=JPEG",
                      "-XMP-xmp:Label=kept")


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
