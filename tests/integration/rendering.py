"""A real vitrine-renderer for the tests of pictures, and how its results are looked at.

    from rendering import Renderer, own_renderer, renderer, shared

gives a module the fixture `renderer`: the same process for all its tests, so what one leaves behind
others find; `own_renderer` is for tests that end it.
"""

import io
import os

import pytest
from PIL import Image

from pictures import is_near
from probe import Probe, build_folder

RENDERER = build_folder().absolute() / "vitrine-renderer"

# What the encoders at their default quality do to an even surface.
EVEN = 6

# Under AddressSanitizer freed memory is kept for a while, and RLIMIT_AS is not set.
measures_memory = pytest.mark.skipif(RENDERER.exists() and b"__asan_init" in RENDERER.read_bytes(),
                                     reason="memory says nothing under AddressSanitizer")


# Large enough to be kept itself.
_OTHER = Image.new("L", (1000, 1000))


class Failure:
    def __init__(self, kind, ms, detail):
        self.kind, self.ms, self.detail = kind, ms, detail

    def __repr__(self):
        return f"{self.kind} after {self.ms} ms: {self.detail}"


class Renderer:
    """One vitrine-renderer behind a probe; pictures go in and out as files.

    A source or a mark is a path, the bytes of a file, or a PIL image, which becomes a PNG.  The names of
    limits are max_pixels, max_frames, max_animation_pixels, max_output and timeout_ms.
    """

    def __init__(self, folder, options=""):
        self._folder = folder
        self._probe = Probe("probe_render", f"{RENDERER} {options}".strip())
        self._names = 0
        self._other = self.file(_OTHER)

    def _path(self, suffix):
        self._names += 1
        return self._folder / f"{self._names}.{suffix}"

    def file(self, content):
        path = self._path("in")
        if isinstance(content, Image.Image):
            content.save(path, "PNG")
        else:
            path.write_bytes(content)
        return path

    def _path_of(self, source):
        return source if isinstance(source, os.PathLike) else self.file(source)

    def _run(self, command, max_pixels=100_000_000, timeout_ms=30000, max_output=64 << 20, mark=None, **options):
        words = [command, max_pixels, timeout_ms, max_output]
        words += [f"{name.replace('_', '-')}={value}" for name, value in options.items()]
        if mark is not None:
            words.append(f"mark={self._path_of(mark)}")
        verb, *rest = self._probe.ask(" ".join(map(str, words)), seconds=60).split(" ")
        if verb == "failed":
            return Failure(rest[0], float(rest[1].split("=")[1]), " ".join(rest[2:]))
        return {name: value for name, value in (word.split("=", 1) for word in rest)}

    def try_render(self, source, recipe="-", to="png", **options):
        """{"result_width": "60", ..., "path": of the result}, or a Failure.

        Options are limits, overlays= (the text of overlays_print) and mark= (what they lay over it).
        """
        path, output = self._path_of(source), self._path(to)
        outcome = self._run(f"render {recipe} {to} {path} {output}", **options)
        if not isinstance(outcome, Failure):
            outcome["path"] = output
            assert int(outcome["bytes"]) == output.stat().st_size
        return outcome

    def render_file(self, source, recipe="-", to="png", **options):
        outcome = self.try_render(source, recipe, to, **options)
        assert not isinstance(outcome, Failure), f"{recipe} to {to}: {outcome}"
        return outcome["path"]

    def render(self, source, recipe="-", to="png", **options):
        """The result as PIL sees it; AVIF and JPEG XL, which it cannot, by way of PNG."""
        path = self.render_file(source, recipe, to, **options)
        if to in ("avif", "jxl"):
            path = self.render_file(path)
        image = Image.open(path)
        image.load()
        return image

    def forget(self):
        """What it keeps of the last picture, for a job that shall not find it."""
        self.render_file(self._other, "w=1", "png")

    def describe(self, source, **limits):
        return self._run(f"describe - - {self._path_of(source)} -", **limits)

    def status(self):
        return {name: int(value) for name, value in
                (word.split("=") for word in self._probe.ask("renderer").split(" ")[1:])}

    def close(self):
        assert self._probe.close() == 0


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    renderer = Renderer(tmp_path_factory.mktemp("pictures"))
    yield renderer
    renderer.close()


@pytest.fixture
def renderer(shared):
    yield shared
    assert shared.status()["started"] == 1, "the renderer died"


@pytest.fixture
def own_renderer(tmp_path):
    renderer = Renderer(tmp_path)
    yield renderer
    renderer.close()


# ---- looking at pictures -----------------------------------------------------------------------


def encoded(image, form, **options):
    """The bytes of a file that PIL writes."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def assert_pixel(image, at, wanted, tolerance=EVEN):
    pixel = image.getpixel(at)
    assert is_near(pixel, wanted, tolerance), f"{pixel} at {at} of {image.size}, wanted {wanted}"


def corner_pixels(image, inset=6):
    rgb = image.convert("RGB")
    right, bottom = rgb.width - 1 - inset, rgb.height - 1 - inset
    return [rgb.getpixel(at) for at in ((inset, inset), (right, inset), (inset, bottom), (right, bottom))]


def assert_corners(image, wanted, tolerance=12):
    """Top left, top right, bottom left, bottom right."""
    for pixel, colour in zip(corner_pixels(image), wanted):
        assert is_near(pixel, colour, tolerance), f"{corner_pixels(image)}, wanted {wanted}"
