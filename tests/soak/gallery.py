"""Pictures, good and bad, and what visitors ask of them.

    gallery = Gallery(cluster, seed)        # makes, imports, and spoils some objects afterwards
    gallery.choose()                        # the next Wish, of the kinds in MIX

Sizes are drawn from more than the stores can keep, so most of what is asked was never made, or was
evicted since.  The bases have sides of 3:2, so that a width says the height without rounding.
"""

import base64
import dataclasses
import hashlib
import hmac
import io
import random
import struct
import subprocess
import types

from PIL import Image

import objects
from vitrine import KEY_ID

WIDTH, HEIGHT = 900, 600
# What PIL cannot write is written by the tools of libvips.
BASES = {"jpeg": "jpg", "png": "png", "webp": "webp", "tiff": "tif", "avif": "avif", "jxl": "jxl", "heic": "heic"}
RARE = 16
SIDES = range(48, 481)
SPOILT = 12

# How often each kind is asked, of 100; and each format of a variant.
MIX = {"hit": 28, "conditional": 8, "head": 2, "info": 5, "variant": 20, "animation": 3, "drawing": 3, "dressed": 5,
       "caption": 2, "original": 5, "rare": 5, "refused": 8, "damaged": 3, "hang-up": 3}
FORMATS = {"jpg": 6, "webp": 6, "png": 3, "gif": 1, "jxl": 1, "avif": 1}

SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="900" height="600">
<defs><linearGradient id="g"><stop stop-color="#d33"/><stop offset="1" stop-color="#33d"/></linearGradient>
<filter id="f"><feGaussianBlur stdDeviation="6"/></filter></defs>
<rect width="900" height="600" fill="url(#g)"/><circle cx="300" cy="300" r="180" filter="url(#f)" fill="#fe8"/>
<text x="80" y="420" font-family="DejaVu Sans" font-size="90">vitrine</text></svg>
"""


@dataclasses.dataclass
class Wish:
    """`statuses` are right ones; `size` that of a picture; `etag`: ask whether it is still this one."""
    kind: str
    path: str
    statuses: tuple = (200,)
    size: tuple = None
    etag: str = None
    method: str = "GET"


def _photo(seed, width, height, grain=0.0):
    """Noise on a gradient; with grain its files are large."""
    chance = random.Random(seed)
    image = Image.frombytes("RGB", (12, 8), chance.randbytes(12 * 8 * 3)).resize((width, height), Image.BICUBIC)
    return Image.blend(image, Image.frombytes("RGB", (width, height), chance.randbytes(width * height * 3)), grain)


def _frames(width, height, count):
    images = [_photo(f"frame {number}", width, height).quantize(32) for number in range(count)]
    return images[0], {"save_all": True, "append_images": images[1:], "duration": 80, "loop": 0}


def _encoded(image, form, **options):
    target = io.BytesIO()
    image.save(target, form, **options)
    return target.getvalue()


def _png_header(width, height):
    content = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(content)) + b"IHDR" + content + bytes(4)


# What is no picture, or half of one: its content, and the status it must have.
DAMAGED = {
    "empty": (b"", 415),
    "page": (b"<!DOCTYPE html><script>alert(1)</script>", 415),
    "half": (_encoded(_photo("half", 400, 300), "JPEG")[:4000] + b"\xff\xd9", 422),
    "cut": (_encoded(_photo("cut", 400, 300), "PNG")[:4000], 422),
    "bomb": (_png_header(100_000, 100_000), 422),
    "noise": (b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40, 422),
}


def _sign(rest, claims, covers, key):
    """docs/urls.md, "Signed URLs"."""
    mac = hmac.new(key.encode(), f"{KEY_ID}.{claims}/{covers}".encode(), hashlib.sha256).digest()[:16]
    return f"/s/{KEY_ID}.{claims}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}{rest}"


class Gallery:
    def __init__(self, cluster, seed):
        self._cluster = cluster
        self._folder = cluster.folder / "pictures"
        self._chance = random.Random(seed)
        self._originals = {}            # "base-png": b"..."
        self._key = cluster.sections["keys"][KEY_ID]
        self._etags = {}
        self._make()
        self._bring()

    # ---- making ---------------------------------------------------------------------------

    def _make(self):
        self._folder.mkdir(parents=True)
        for name, suffix in BASES.items():
            self._make_base(name, suffix)
        for number in range(RARE):
            self._save(f"rare{number}.jpg", _encoded(_photo(f"rare {number}", 960, 640, 0.5), "JPEG"))
        image, options = _frames(240, 160, 10)
        self._save("animation.gif", _encoded(image, "GIF", **options))
        self._save("drawing.svg", SVG.encode())
        badge = _photo("badge", 120, 80)
        badge.putalpha(Image.linear_gradient("L").resize(badge.size))
        self._save("badge.png", _encoded(badge, "PNG"))
        self._save("changing.png", _encoded(_photo("changing", WIDTH, HEIGHT), "PNG"))
        for name in ("gone", *DAMAGED, *(f"spoilt{number}" for number in range(SPOILT))):
            self._save(f"{name}.png", _encoded(_photo(name, 60, 40), "PNG"))

    def _make_base(self, name, suffix):
        image = _photo(name, WIDTH, HEIGHT, 0.1)
        file = f"base-{name}.{suffix}"
        if name in ("jpeg", "png", "webp", "tiff"):
            self._save(file, _encoded(image, name, **({"progressive": True} if name == "jpeg" else {})))
            return
        source, target = self._folder / "source.png", self._folder / file
        image.save(source)
        subprocess.run(["vips", "copy", source, target], check=True, capture_output=True)
        source.unlink()
        self._save(file, target.read_bytes())

    def _save(self, file, content):
        (self._folder / file).write_bytes(content)
        self._originals[file.rpartition(".")[0]] = content

    # ---- bringing -------------------------------------------------------------------------

    def _bring(self):
        admin = self._cluster.admin
        admin.run("import", self._folder)
        services = types.SimpleNamespace(s3=types.SimpleNamespace(
            endpoint=self._cluster.origin.endpoint, folder=self._cluster.folder))
        for name, (content, _) in DAMAGED.items():
            objects.put_object(services, f"{name}.png", content)
        for number in range(SPOILT):
            objects.put_object(services, f"spoilt{number}.png", self._spoilt())
        admin.run("purge", *DAMAGED, *(f"spoilt{number}" for number in range(SPOILT)))
        admin.run("set", "gone", "--visibility=gone")
        admin.run("set", "base-jpeg", "--credit=© Somebody, 2026")
        self._cluster.database.wait_for_replicas()

    def _spoilt(self):
        """A good one with some bytes changed: whatever a decoder makes of it."""
        name = self._chance.choice(["animation", "drawing", *(f"base-{name}" for name in BASES)])
        content = bytearray(self._originals[name])
        for _ in range(self._chance.choice((1, 5, 50))):
            content[self._chance.randrange(len(content))] = self._chance.randrange(256)
        return bytes(content)

    def change(self):
        """All that is known of one asset is told anew; its pictures stay the same."""
        self._cluster.admin.run("purge", "changing")

    # ---- wishes ---------------------------------------------------------------------------

    def choose(self):
        [kind] = self._chance.choices(list(MIX), list(MIX.values()))
        return getattr(self, "_" + kind.replace("-", "_"))()

    def note_etag(self, wish, etag):
        self._etags[wish.path] = etag

    def _picture(self, kind, asset, recipe, form, side, **options):
        return Wish(kind, f"/a/{asset}/{recipe}/x.{form}", size=(side, side * 2 // 3), **options)

    def _base(self):
        return f"base-{self._chance.choice(list(BASES))}"

    def _side(self, limit=SIDES.stop):
        """A multiple of three: the height is a whole number."""
        return self._chance.randrange(SIDES.start // 3, limit // 3) * 3

    def _format(self):
        [form] = self._chance.choices(list(FORMATS), list(FORMATS.values()))
        return form

    def _hit(self, kind="hit", **options):
        side = self._chance.choice((90, 240))
        return self._picture(kind, self._base(), f"w={side}", self._chance.choice(("jpg", "webp")), side, **options)

    def _conditional(self):
        wish = self._hit("conditional", statuses=(200, 304))
        wish.etag = self._etags.get(wish.path)
        return wish

    def _head(self):
        return self._hit("head", method="HEAD")

    def _info(self):
        return Wish("info", f"/a/{self._base()}/info.json")

    def _variant(self):
        side, asset = self._side(), self._chance.choice((self._base(), "changing"))
        recipe = f"w={side}{self._chance.choice(('', '', ',q=60', ',blur=2', ',gray=1', ',flip=h', ',sharpen=1'))}"
        return self._picture("variant", asset, recipe, self._format(), side)

    def _animation(self):
        side = self._side(240)
        return self._picture("animation", "animation", f"w={side}", self._chance.choice(("gif", "webp")), side)

    def _drawing(self):
        side = self._side()
        return self._picture("drawing", "drawing", f"w={side}", self._chance.choice(("png", "webp")), side)

    def _dressed(self):
        asset, what = self._chance.choice(((self._base(), "watermark=badge"), ("base-jpeg", "credit=1")))
        side = self._side()
        return self._picture("dressed", asset, f"w={side},{what}", "webp", side)

    def _caption(self):
        asset, side, claims = self._base(), self._side(), "ops=w+text"
        rest = f"/{asset}/w={side},text=number%20{self._chance.randrange(10)}/x.jpg"
        return Wish("caption", _sign(rest, claims, asset, self._key), size=(side, side * 2 // 3))

    def _original(self):
        return Wish("original", f"/a/{self._base()}/original/x.bin")

    def _rare(self):
        asset, side = f"rare{self._chance.randrange(RARE)}", self._side()
        return self._picture("rare", asset, f"w={side}", "jpg", side)

    def _damaged(self):
        if self._chance.random() < 0.5:
            name = self._chance.choice(list(DAMAGED))
            return Wish("damaged", f"/a/{name}/w={self._side()}/x.webp", (DAMAGED[name][1],))
        asset = f"spoilt{self._chance.randrange(SPOILT)}"
        return Wish("damaged", f"/a/{asset}/w={self._side()}/x.webp", (200, 415, 422))

    def _refused(self):
        rest = f"/{self._base()}/w={self._side()}/x.jpg"
        return self._chance.choice((
            Wish("refused", f"/a/{self._base()}/w=0/x.jpg", (400,)),
            Wish("refused", f"/a/{self._base()}/nothing=1/x.jpg", (400,)),
            Wish("refused", f"/a/{self._base()}/w=8000,dpr=3,enlarge=1/x.jpg", (422,)),
            Wish("refused", _sign(rest, "", rest, "another key"), (403,)),
            Wish("refused", _sign(rest, "exp=1", rest, self._key), (410,)),
            Wish("refused", f"/a/unknown{self._chance.randrange(10000)}/w=90/x.jpg", (404,)),
            Wish("refused", "/a/gone/w=90/x.jpg", (410,)),
            Wish("refused", f"/a{rest}", (405,), method="POST"),
        ))

    def _hang_up(self):
        """Its visitor leaves before the answer."""
        wish = self._variant()
        wish.kind = "hang-up"
        return wish
