"""The page of the demo: pictures, and the URLs that make them.

page.html is the frame; here its {{places}} are filled.  Everything on it is
asked of Vitrine by the browser; nothing is prepared.
"""

import html
import pathlib
import shutil

_HERE = pathlib.Path(__file__).resolve().parent

LADDER = (320, 480, 640, 960, 1280, 1920)
HERO = ("nature-ladybird", "made-rotated")
FITTED = ("nature-ladybird", "made-rotated")
FORMATS = ("nature-twowings", "made-rotated")
PRESET_OF = ("nature-yellowflower", "made-cmyk")
CHANGED = ("nature-raindrops", "made-cmyk")
INFORMED = ("nature-yellowflower", "made-cmyk")

# What imposes a watermark and a credit on its pictures, and how `vitrine set` says so.
OWNED = ("nature-dune", "made-grey")
OWN = ("--watermark=badge", "--credit=\N{COPYRIGHT SIGN} The photographer", "--impose-credit=yes")


def _first(wanted, assets):
    """The first of these that was imported."""
    return next((asset for asset in wanted if asset in assets), assets[0])


def _code(url):
    """A URL with its recipe set off."""
    if url.startswith("/a/"):
        _, _, asset, recipe, name = url.split("/")
        return (f'<code>/a/{html.escape(asset)}/<wbr><b>{html.escape(recipe).replace(",", ",<wbr>")}</b>'
                f'/<wbr>{html.escape(name)}</code>')
    return f"<code>{html.escape(url).replace('/', '/<wbr>').replace('.', '<wbr>.')}</code>"


def _figure(url, title="", style="", text=""):
    """A picture, what it is called, its URL, and a place for what arrived."""
    heading = f"<h3>{html.escape(title)}</h3>" if title else ""
    text = f"<p>{html.escape(text)}</p>" if text else ""
    return (f'<figure class="{style}"><div class="stage"><img src="{html.escape(url)}" alt="" data-measure></div>'
            f'<figcaption>{heading}{text}<a href="{html.escape(url)}">{_code(url)}</a>'
            '<span class="got">&nbsp;</span></figcaption></figure>')


def _hero(asset):
    source_set = ", ".join(f"/a/{asset}/w={width}/{asset}.auto {width}w" for width in LADDER)
    return (f'<img class="hero" srcset="{source_set}" sizes="(max-width: 1180px) 100vw, 1120px" '
            f'src="/a/{asset}/w=1280/{asset}.auto" alt="">')


def _ladder(asset):
    def row(width):
        url = f"/a/{asset}/w={width}/{asset}.auto"
        return (f'<tr data-url="{url}"><th>{width}w</th><td><a href="{url}">{_code(url)}</a></td>'
                '<td class="size"></td><td class="type"></td><td class="bar"><i></i></td></tr>')
    return "".join(row(width) for width in LADDER)


def _fits(asset):
    said = {
        "contain": "the whole picture, within the box",
        "cover": "the box filled, the rest cut off",
        "fill": "stretched to the box",
        "pad": "the whole picture on a background",
        "outside": "the whole picture, at least the box",
    }
    return "".join(_figure(f"/a/{asset}/w=200,h=200,fit={fit}{',bg=e4ddd0' if fit == 'pad' else ''}/x.webp",
                           fit, "boxed", text) for fit, text in said.items())


def _formats(asset):
    return "".join(_figure(f"/a/{asset}/w=480/{asset}.{name}", name, "filled")
                   for name in ("jpg", "png", "webp", "avif", "auto"))


def _presets(asset):
    return "".join(_figure(f"/a/{asset}/{recipe}/x.webp", title) for recipe, title in (
        ("@thumb", "@thumb"), ("@card", "@card"), ("@framed", "@framed"), ("@card,dpr=2,q=45", "@card, and more")))


def _specials(assets):
    wanted = (
        ("made-rotated", "h=360", "jpg", "upright", "stored on its side, with an EXIF orientation"),
        ("made-badge", "w=300", "webp", "transparent", "alpha stays where the format has it"),
        ("made-badge", "w=300,bg=dfe7ea", "jpg", "on a colour", "and lies on a background where it has not"),
        ("made-cmyk", "w=300,h=300,fit=cover", "jpg", "from CMYK", "converted to sRGB"),
        ("made-orbit", "w=300", "png", "from an animation", "its first frame"),
        ("elephants", "crop=0.18:0.30:0.34:0.60,w=300,h=300,fit=cover", "webp", "a part", "of 18 megapixels"),
    )
    return "".join(_figure(f"/a/{asset}/{recipe}/x.{name}", title, "", text)
                   for asset, recipe, name, title, text in wanted if asset in assets)


def _operations(photo, wide, vitrine):
    square = "w=300,h=300,fit=cover"
    text = vitrine.run("sign", f"/a/{photo}/{square},text=Today%20only,textsize=0.14,textg=c/x.webp").strip()
    wanted = (
        (wide, f"{square},g=w", "g=w", "a side stays"),
        (wide, f"{square},g=smart", "g=smart", "what draws the eye stays"),
        ("made-badge", "w=300,trim=10,bg=dfe7ea", "trim", "without its empty margin"),
        (photo, f"{square},round=max", "round", "corners, as far as a circle"),
        (photo, f"{square},border=6:fff,rot=-7", "rot, border", "any angle, in any frame"),
        (photo, f"{square},duotone=1d2b53:ffd8a8", "duotone", "between two colours"),
        (photo, f"{square},tint=b23c2e:35", "tint", "with some of a colour"),
        (photo, f"{square},blur=6", "blur", "Gaussian, by its sigma"),
        (photo, f"{square},pixelate=18", "pixelate", "squares of one colour"),
        (photo, f"{square},sat=-60,con=25", "sat, con", "and bri, hue, gamma, gray, sepia"),
        (photo, f"{square},watermark=badge", "watermark", "laid over by name"),
    )
    return "".join(_figure(f"/a/{asset}/{recipe}/x.webp", title, "", said)
                   for asset, recipe, title, said in wanted) + _figure(text, "text", "", "only in signed URLs")


def _owned(asset):
    return "".join(_figure(f"/a/{asset}/{recipe}/x.webp", title) for recipe, title in (
        ("w=480,h=300,fit=cover", "the whole"), ("crop=0.1:0.2:0.35:0.35,w=480", "a part"),
        ("w=480,h=300,fit=cover,flip=h,gray=1", "changed")))


def _animations():
    return "".join(_figure(f"/a/made-orbit/{recipe}/x.{name}", title, "", text) for recipe, name, title, text in (
        ("w=200", "gif", "GIF", "all frames, smaller"),
        ("w=200", "webp", "WebP", "the same for a part of the bytes"),
        ("w=200,h=200,round=max,hue=200", "webp", "every operation", "on every frame"),
        ("w=200,page=4", "png", "one frame", "the fourth")))


def _signed(asset, vitrine):
    exact = vitrine.run("sign", f"/a/{asset}/w=420,h=260,fit=cover/private.webp").strip()
    whole = vitrine.run("sign", f"/a/{asset}/w=333,h=206,fit=cover,q=50/private.webp",
                        "--ops=w+h+fit+q", "--max=1600").strip()
    at = exact.index("w=420")
    broken = exact[:at] + "w=421" + exact[at + 5:]
    return (_figure(exact, "good for exactly this URL") +
            _figure(whole, "good for this asset", "", "any w, h, fit and q, up to 1600 pixels") +
            _figure(broken, "one digit changed", "broken"))


def _gallery(assets):
    # Photos first, what is made here last.
    assets = sorted(assets, key=lambda asset: (not asset.startswith("nature"), asset.startswith("made"), asset))
    return "".join(f'<a href="/a/{asset}/w=1920/{asset}.auto" title="{asset}"><img loading="lazy" '
                   f'src="/a/{asset}/@card/{asset}.auto" width="400" height="300" alt="{asset}"></a>'
                   for asset in assets)


def owned(vitrine):
    """The asset that OWN is said of."""
    return _first(OWNED, vitrine.run("list").split())


def write(folder, vitrine):
    """Makes folder/index.html for what the catalog holds."""
    folder.mkdir(parents=True, exist_ok=True)
    assets = vitrine.run("list").split()
    hero = _first(HERO, assets)
    places = {
        "count": str(len(assets)),
        "hero": _hero(hero),
        "ladder": _ladder(hero),
        "fits": _fits(_first(FITTED, assets)),
        "formats": _formats(_first(FORMATS, assets)),
        "presets": _presets(_first(PRESET_OF, assets)),
        "specials": _specials(assets),
        "operations": _operations(_first(CHANGED, assets), _first(HERO, assets), vitrine),
        "owned": _owned(_first(OWNED, assets)),
        "animations": _animations(),
        "informed": _first(INFORMED, assets),
        "signed": _signed(_first(PRESET_OF, assets), vitrine),
        "gallery": _gallery(assets),
    }
    text = (_HERE / "page.html").read_text(encoding="utf-8")
    for name, filling in places.items():
        text = text.replace("{{" + name + "}}", filling)
    new = folder / "index.new"
    new.write_text(text, encoding="utf-8")
    shutil.move(new, folder / "index.html")
