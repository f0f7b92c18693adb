#!/usr/bin/python3
"""Makes the seeds of fuzz_image, tests/fuzz/corpus/image: one small picture of every kind of file, each
with another wish, so that together they ask for every operation in every format.

They are kept in the repository, because not every machine's vips writes every format; this is run by hand
when there are to be others.
"""

import io
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, PngImagePlugin

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))
import icc  # noqa: E402  (the tests' own)
import pictures  # noqa: E402

FOLDER = Path(__file__).resolve().parent / "corpus" / "image"
SEED_MAX = 2048
MARK = "mark:se:0.02:0.2:0.5:1:0:0:0"
CAPTION = "text:%C2%A9%20A%3AB:DejaVu%20Sans:0.2:nw:0.015625:ff8001fe:0010a000:0:0:0"
LONG_LINE = CAPTION.replace("%C2%A9%20A%3AB", "WWWWWWWWWWWW")


def picture(mode="RGB", size=(24, 16)):
    return pictures.quadrants(*size).convert(mode)


def encoded(image, form, **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def frames(form, **options):
    shifted = [picture().rotate(90 * i).resize((24, 16)) for i in range(3)]
    return encoded(shifted[0], form, save_all=True, append_images=shifted[1:], **options)


def by_vips(suffix, image=None):
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.png", Path(folder) / f"out.{suffix}"
        (image or picture()).save(source)
        subprocess.run(["vips", "copy", source, target], check=True)
        return target.read_bytes()


def see_through():
    image = picture("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def exif():
    fields = Image.Exif()
    fields[0x0112], fields[0x8298], fields[0x013B] = 6, "(c) A", "B"
    return fields.tobytes()


def sixteen_bits():
    return pictures.png(6, 4, lambda x, y: (x * 9000, y * 16000, 300), depth=16)


def with_xmp(jpeg):
    """The packet in a segment of its own, behind the start of the file (XMP specification part 3, 1.1.3)."""
    content = b"http://ns.adobe.com/xap/1.0/\0" + XMP
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content + jpeg[2:]


XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description tiff:Orientation="6" exif:PixelXDimension='24'><tiff:ImageWidth>24</tiff:ImageWidth>
<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">(c) A &amp; B</rdf:li></rdf:Alt></dc:rights>
<dc:creator><rdf:Seq><rdf:li>C</rdf:li></rdf:Seq></dc:creator></rdf:Description></rdf:RDF></x:xmpmeta>"""

SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 16" width="24" height="16"><defs>
<linearGradient id="g"><stop offset="0" stop-color="red"/><stop offset="1" stop-color="#08f"/></linearGradient></defs>
<rect width="24" height="16" fill="url(#g)"/><text x="2" y="9" font-size="6">a</text><path d="M1 1L9 9z"/></svg>"""


def seeds():
    """(name, recipe, overlays, format, file) of each."""
    jpeg = encoded(picture(), "JPEG", quality=40)
    yield "jpeg-plain", "w=12,fit=cover,g=smart", "-", "webp", jpeg
    yield "jpeg-progressive-exif", "w=80,enlarge=1,rot=90,strip=keep,q=30", CAPTION, "jpg", \
        encoded(picture(), "JPEG", quality=40, progressive=True, exif=exif())
    yield "jpeg-grey", "sepia=40,gamma=1.5,progressive=off,subsample=444", "-", "jpg", \
        encoded(picture("L"), "JPEG", quality=40)
    yield "jpeg-cmyk", "w=20,duotone=000:fff,icc=p3", "-", "png", \
        encoded(picture("CMYK", (8, 8)), "JPEG", quality=30)
    yield "jpeg-icc", "crop=0.1:0.2:0.5:0.5,trim=10,icc=p3", "-", "avif", \
        encoded(picture(), "JPEG", quality=40, icc_profile=icc.display_p3())
    yield "jpeg-icc-kept", "w=20,icc=keep", "-", "jpg", \
        encoded(picture(), "JPEG", quality=40, icc_profile=icc.linear_rgb())
    yield "jpeg-grey-icc", "w=20,border=1:f00", "-", "png", \
        encoded(picture("L"), "JPEG", quality=40, icc_profile=icc.linear_grey())
    yield "jpeg-grey-icc-kept", "w=20,border=1:f00,icc=keep", "-", "jpg", \
        encoded(picture("L"), "JPEG", quality=40, icc_profile=icc.linear_grey())
    yield "jpeg-xmp", "w=20,strip=keep", "-", "webp", with_xmp(jpeg)
    yield "jpeg-credit", "w=20,blur=9", "-", "png", with_xmp(jpeg)
    yield "jpeg-itself", "-", "-", "jpg", jpeg
    yield "jpeg-bytes", "q=auto,max-bytes=600", "-", "webp", jpeg
    yield "png-palette", "palette=7,round=max,border=2:00f", "-", "png", \
        encoded(picture().quantize(16), "PNG", transparency=3)
    yield "png-alpha-icc", "h=9,fit=pad,bg=fff8,flip=hv,pixelate=3", MARK, "webp", \
        encoded(see_through(), "PNG", icc_profile=icc.linear_rgb())
    yield "png-16", "bri=10,con=-10,sat=20,hue=90,tint=f00:30", "-", "jxl", sixteen_bits()
    yield "png-interlaced", "w=40,enlarge=1,zoom=1.5,ar=1:1", "-", "gif", \
        pictures.png(9, 7, lambda x, y: (x * 28, y * 36, 99), interlaced=True)
    yield "png-grey-1", "gray=1,blur=1.5,sharpen=1", "-", "png", encoded(picture("1"), "PNG")
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Copyright", "(c) A & B")
    notes.add_text("Author", "C", zip=True)
    yield "png-credit", "w=20,enlarge=1", "-", "jpg", encoded(picture(), "PNG", pnginfo=notes)
    yield "png-long-line", "w=96,enlarge=1", LONG_LINE, "png", encoded(picture(), "PNG")
    yield "png-blank-line", "w=96,enlarge=1", LONG_LINE.replace("WWWWWWWWWWWW", "%20"), "png", \
        encoded(picture(), "PNG")
    yield "gif-animated", "w=10,rot=30", "-", "webp", frames("GIF", duration=[50, 60, 70], loop=2)
    yield "gif-to-gif", "w=16,palette=5,usm=0.5:1:3", MARK, "gif", frames("GIF", duration=80, disposal=2)
    yield "gif-frame", "page=2,w=5.0,enlarge=1", CAPTION, "webp", frames("GIF", duration=80)
    yield "webp-animated", "anim=off,lossless=1", "-", "png", frames("WEBP", duration=40, quality=20)
    yield "webp-to-gif", "w=8,g=entropy,fit=cover,h=8", "-", "gif", frames("WEBP", duration=40, quality=20)
    yield "webp-lossless", "lossless=1,orient=off", "-", "webp", encoded(see_through(), "WEBP", lossless=True)
    yield "webp-itself", "-", "-", "webp", encoded(picture(), "WEBP", quality=30)
    yield "tiff-pages", "page=2,dpr=2,w=8", "-", "jpg", frames("TIFF", compression="tiff_lzw")
    yield "tiff-cmyk", "w=8,fit=fill,h=12", "-", "png", encoded(picture("CMYK", (8, 6)), "TIFF")
    yield "tiff-float", "w=8", "-", "png", encoded(picture("F", (8, 6)), "TIFF")
    yield "tiff-16", "mw=30,mh=30,fit=outside,w=5", "-", "avif", encoded(picture("L", (8, 6)).convert("I;16"), "TIFF")
    yield "tiff-deflate", "w=8", "-", "jpg", encoded(picture("RGBA"), "TIFF", compression="tiff_adobe_deflate")
    yield "heic", "w=12", "-", "jpg", by_vips("heic")
    yield "avif", "w=12,q=low", "-", "avif", by_vips("avif")
    yield "avif-alpha", "w=12", "-", "jxl", by_vips("avif", see_through())
    yield "jxl", "w=12", "-", "jxl", by_vips("jxl")
    yield "jxl-alpha", "g=se:0.1:0.1,w=6,h=6,fit=cover", f"{MARK};{CAPTION}", "png", by_vips("jxl", see_through())
    yield "svg", "w=48", "-", "png", SVG
    yield "svg-crop", "crop=2:2:9:9,w=60,rot=-12", "-", "webp", SVG


def main():
    FOLDER.mkdir(exist_ok=True)
    for name, recipe, overlays, form, file in seeds():
        seed = f"{recipe} {overlays} {form}\n".encode() + file
        assert len(seed) <= SEED_MAX, f"{name} has {len(seed)} bytes"
        (FOLDER / name).write_bytes(seed)


if __name__ == "__main__":
    main()
