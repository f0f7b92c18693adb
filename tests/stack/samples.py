"""The pictures that the demo shows: a folder with about thirty photos.

Most come from Debian's mate-backgrounds and gnome-backgrounds; a few, with what
photos of a package do not have (an orientation, transparency, frames, CMYK, odd
names), are made here.
"""

import math
import os
import pathlib
import shutil

from PIL import Image, ImageDraw, ImageFilter

BACKGROUNDS = pathlib.Path("/usr/share/backgrounds")
ORIENTATION = 0x0112
COPYRIGHT = 0x8298

# From where, and under which name.
PHOTOS = {
    **{f"mate/nature/{name}.jpg": f"nature/{name.lower()}.jpg" for name in (
        "Aqua", "Blinds", "Dune", "FreshFlower", "Garden", "GreenMeadow", "LadyBird", "RainDrops", "Storm",
        "TwoWings", "Wood", "YellowFlower")},
    "mate/abstract/Elephants_5640x3172.jpg": "elephants.jpg",
    "mate/abstract/Arc-Colors-Transparent-Wallpaper.png": "abstract/arc.png",
    "mate/desktop/GreenTraditional.jpg": "desktop/green.jpg",
    "mate/desktop/Float-into-MATE.png": "desktop/float.png",
    "mate/desktop/Stripes.png": "desktop/stripes.png",
    "mate/desktop/Ubuntu-Mate-Cold-no-logo.png": "desktop/cold.png",
    "mate/desktop/Ubuntu-Mate-Warm-no-logo.png": "desktop/warm.png",
    "gnome/pixels-l.webp": "gnome/pixels.webp",
    "gnome/adwaita-d.webp": "gnome/adwaita.webp",
    "gnome/symbolic-l.webp": "gnome/symbolic.webp",
    "gnome/truchet-d.webp": "gnome/truchet.webp",
    "gnome/wood-d.webp": "gnome/wood.webp",
}


def _lantern(width, height):
    """A night sky with a bright lantern above hills: it is plain which way is up."""
    image = Image.linear_gradient("L").resize((width, height))
    sky = Image.merge("RGB", (image.point(lambda v: 24 + v // 4), image.point(lambda v: 30 + v // 3),
                              image.point(lambda v: 70 + v // 3)))
    glow = Image.new("L", (width, height), 0)
    x, y, radius = width // 2, height // 4, width // 7
    ImageDraw.Draw(glow).ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    glow = glow.filter(ImageFilter.GaussianBlur(width // 40))
    sky.paste((255, 226, 150), mask=glow)
    draw = ImageDraw.Draw(sky)
    for layer, colour in enumerate(((38, 60, 66), (26, 44, 48), (14, 26, 30))):
        base = height * (64 + 11 * layer) // 100
        points = [(at, base - height * 5 // 100 * math.sin(at / width * (5 + 2 * layer) + 2 * layer))
                  for at in range(0, width + 20, 20)]
        draw.polygon([*points, (width, height), (0, height)], fill=colour)
    return sky


def _badge(size):
    """A round badge on nothing: half transparent at its edge and in its shadow."""
    scale = 2
    side = size * scale
    shadow = Image.new("L", (side, side), 0)
    ImageDraw.Draw(shadow).ellipse((side * 8 // 100, side * 12 // 100, side * 92 // 100, side * 96 // 100), fill=150)
    image = Image.new("RGBA", (side, side), (20, 24, 40, 0))
    image.putalpha(shadow.filter(ImageFilter.GaussianBlur(side // 40)))
    draw = ImageDraw.Draw(image)
    draw.ellipse((side * 8 // 100, side * 8 // 100, side * 92 // 100, side * 92 // 100), fill=(196, 62, 48, 255))
    points = [(side / 2 + math.sin(i * math.pi / 5) * side * (0.33 if i % 2 == 0 else 0.14),
               side / 2 - math.cos(i * math.pi / 5) * side * (0.33 if i % 2 == 0 else 0.14)) for i in range(10)]
    draw.polygon(points, fill=(255, 246, 226, 255))
    return image.resize((size, size), Image.LANCZOS)


def _orbit(size, frames):
    """Frames of a ball around a ring."""
    made = []
    for frame in range(frames):
        image = Image.new("RGB", (size, size), (244, 240, 230))
        draw = ImageDraw.Draw(image)
        draw.ellipse((size * 0.2, size * 0.2, size * 0.8, size * 0.8), outline=(90, 110, 130), width=size // 40)
        angle = 2 * math.pi * frame / frames
        x, y, r = size * (0.5 + 0.3 * math.cos(angle)), size * (0.5 + 0.3 * math.sin(angle)), size * 0.08
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(196, 62, 48))
        made.append(image)
    return made


def _make_others(folder):
    folder.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif[COPYRIGHT] = "Made by the local stack of Vitrine, CC0"
    lantern = _lantern(1200, 1600)
    # What a phone stores when it is held upright: pixels that lie on their side.
    lantern.transpose(Image.ROTATE_90).save(folder / "rotated.jpg", quality=88, exif=exif.tobytes())
    _badge(900).save(folder / "badge.png")
    frames = _orbit(360, 12)
    frames[0].save(folder / "orbit.gif", save_all=True, append_images=frames[1:], duration=80, loop=0)
    _lantern(1000, 700).convert("CMYK").save(folder / "cmyk.jpg", quality=85)
    _lantern(800, 500).convert("L").save(folder / "grey.png")
    _lantern(640, 480).save(folder / "Größe & 100% + more.jpg", quality=85)


def make_samples(folder):
    """Fills the folder, unless it is complete.  Returns whether there are photos of the packages."""
    folder = pathlib.Path(folder)
    available = {BACKGROUNDS / source: folder / name for source, name in PHOTOS.items()
                 if (BACKGROUNDS / source).exists()}
    wanted = "".join(f"{name}\n" for name in sorted(target.name for target in available.values()))
    complete = folder.with_suffix(".complete")
    if not complete.exists() or complete.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        for source, target in available.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            # The photo's own time, so that a second import sees nothing new.
            os.utime(target, (source.stat().st_atime, source.stat().st_mtime))
        _make_others(folder / "made")
        complete.write_text(wanted)
    return bool(available)
