"""What is made smaller, beside Pillow's Lanczos of three lobes, which knows nothing of libvips."""

import pytest
from PIL import Image, ImageChops

import pictures
from rendering import renderer, shared  # noqa: F401
from samples import BACKGROUNDS

# Mean and largest difference of samples, 0 to 255: libvips' weights for columns are whole numbers of 64.
MEAN, MOST = 0.35, 14


@pytest.fixture(scope="module")
def photo():
    with Image.open(BACKGROUNDS / "mate" / "nature" / "TwoWings.jpg") as image:
        return image.crop((700, 300, 1500, 800))


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("width, height", [(799, 499), (600, 375), (401, 251), (400, 250), (333, 208), (299, 187),
                                           (201, 126), (700, 130), (210, 499)])
def test_it_is_lanczos_of_three_lobes(renderer, photo, mode, width, height):
    image = photo.convert(mode)
    made = renderer.render(image, f"w={width},h={height},fit=fill")
    wanted = image.resize((width, height), Image.LANCZOS)

    assert made.mode == mode
    assert pictures.distance(made, wanted) < MEAN, pictures.distance(made, wanted)
    ends = ImageChops.difference(made, wanted).getextrema()
    assert max(top for _, top in (ends if mode == "RGB" else [ends])) <= MOST


@pytest.mark.parametrize("level", [0, 1, 127, 254, 255])
def test_an_even_surface_keeps_its_level(renderer, level):
    for size in ((60, 40), (79, 41), (34, 33)):
        made = renderer.render(Image.new("L", (100, 90), level), f"w={size[0]},h={size[1]},fit=fill")
        assert made.getextrema() == (level, level), size


def test_an_edge_of_the_picture_stays_there(renderer):
    """The outermost pixels are one colour, and nothing comes from beyond them."""
    image = Image.new("RGB", (300, 200), (40, 90, 200))
    for box in ((0, 0, 8, 200), (292, 0, 300, 200)):
        image.paste((250, 20, 10), box)
    made = renderer.render(image, "w=150")
    wanted = image.resize((150, 100), Image.LANCZOS)
    for x in (0, 1, 2, 3, 75, 146, 147, 148, 149):
        assert pictures.is_near(made.getpixel((x, 50)), wanted.getpixel((x, 50)), 1), x
