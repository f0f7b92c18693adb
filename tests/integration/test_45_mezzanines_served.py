"""Mezzanines as a server keeps them: left once, used, healed, forgotten with the original."""

import concurrent.futures
import time

import pytest
from PIL import Image

import pictures
from process import wait_until
from samples import BACKGROUNDS

SIZES = (160, 320, 480, 640, 960, 1280)

JUST_NOW_S = 2


@pytest.fixture(scope="module")
def wings(services, assets, tmp_path_factory):
    """The path of an original that is decoded in full for every size."""
    folder = tmp_path_factory.mktemp("originals") / "pictures"
    folder.mkdir()
    with Image.open(BACKGROUNDS / "mate" / "nature" / "TwoWings.jpg") as image:
        image.save(folder / "wings.jpg", progressive=True, quality=90)
    pictures.quadrants(2400, 1300).convert("RGBA").save(folder / "opaque.png")
    clear = pictures.quadrants(2400, 1300)
    clear.putalpha(200)
    clear.save(folder / "clear.png")
    with Image.open(BACKGROUNDS / "mate" / "nature" / "TwoWings.jpg") as image:
        image.resize((3840, 2400)).save(folder / "wide.jpg", progressive=True, quality=85)
    services.admin.run("import", folder)
    services.database.wait_for_replicas()
    return folder / "wings.jpg"


def metric(site, name):
    return site.metrics()[f"vitrine_mezzanines_{name}_total"]


def wait_for_mezzanine(site):
    """It is written behind the first answer."""
    wait_until(lambda: metric(site, "left") > 0, 20, "a mezzanine")


def is_from_mezzanine(site, answer):
    return site.logged(answer).get("from") == "mezzanine"


def mezzanine_file(site, names):
    """The file among the variants that none of these answers is."""
    files = {path.name: path for path in site.store.glob("variants/*/*/*")}
    others = [path for name, path in files.items() if name not in names]
    assert len(others) == 1
    return others[0]


def empty_files(site):
    return [path for path in site.store.glob("variants/*/*/*") if path.stat().st_size == 0]


def name_of(site, answer):
    return site.logged(answer)["variant"]


def test_the_first_variant_leaves_one_for_the_others(new_site, wings):
    site = new_site()
    first = site.get("/a/wings/w=320/x.webp")
    wait_for_mezzanine(site)
    second = site.get("/a/wings/w=640/x.webp")

    assert not is_from_mezzanine(site, first) and is_from_mezzanine(site, second)
    assert second.image().size == (640, 400)
    assert (metric(site, "left"), metric(site, "used")) == (1, 1)
    assert site.logged(second)["tier"] == "rendered"
    assert first.status == second.status == 200


def test_a_large_original_has_a_small_one_and_a_large_one(new_site, wings):
    """Each left by the first result that needs it, but not in the moment after the other."""
    site = new_site()
    froms = []
    for width in (160, 960, 1280, 1920, 320):
        if width == 1280:
            time.sleep(JUST_NOW_S + 1)
        answer = site.get(f"/a/wide/w={width}/x.jpg")
        assert answer.status == 200 and answer.image().size == (width, width * 2400 // 3840)
        froms.append(is_from_mezzanine(site, answer))
        if not froms[-1]:
            wait_until(lambda: metric(site, "left") == froms.count(False), 20, "a mezzanine")
    assert froms == [False, True, False, True, True]


def test_in_the_moment_after_a_small_one_was_left_nobody_waits_for_a_large_one(new_site, wings):
    site = new_site()
    assert site.get("/a/wide/w=160/x.jpg").status == 200
    wait_for_mezzanine(site)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(site.get, ["/a/wide/w=1280/x.jpg", "/a/wide/w=1920/x.webp"]))
    assert [answer.image().size for answer in answers] == [(1280, 800), (1920, 1200)]
    assert all(float(site.logged(answer)["wait_ms"]) < 50 for answer in answers)
    assert metric(site, "left") == 1


def test_a_large_one_serves_small_results(new_site, wings):
    site = new_site()
    assert site.get("/a/wide/w=1280/x.jpg").status == 200
    wait_for_mezzanine(site)
    assert is_from_mezzanine(site, site.get("/a/wide/w=160/x.jpg"))
    assert not is_from_mezzanine(site, site.get("/a/wide/w=160/x.png"))
    assert metric(site, "left") == 1


def test_who_comes_meanwhile_waits_for_it(new_site, wings):
    site = new_site(server={"responders": "32", "slow_responders": "24"})
    paths = [f"/a/wings/w={width}/x.{form}" for width in SIZES for form in ("jpg", "webp")]
    with concurrent.futures.ThreadPoolExecutor(len(paths)) as pool:
        answers = list(pool.map(site.get, paths))

    assert {answer.status for answer in answers} == {200}
    assert metric(site, "left") == 1
    assert sum(not is_from_mezzanine(site, answer) for answer in answers) == 1
    assert [answer.image().width for answer in answers] == [width for width in SIZES for _ in "ab"]


@pytest.mark.parametrize("recipe", ["w=2000", "w=1281", "w=300,sharpen=1", "w=300,con=20", "w=300,q=95", "w=300,g=smart",
                                    "w=300,trim=10"])
def test_what_would_look_different_is_made_of_the_original(new_site, wings, recipe):
    site = new_site(policy={"unsigned": "any"})
    site.get("/a/wings/w=64/x.webp")
    wait_for_mezzanine(site)
    answer = site.get(f"/a/wings/{recipe}/x.webp")

    assert answer.status == 200 and not is_from_mezzanine(site, answer)
    assert not is_from_mezzanine(site, site.get("/a/wings/w=100/x.png"))


def test_a_small_or_plain_original_has_none(new_site, wings):
    site = new_site()
    for asset in ("photo", "badge"):
        assert site.get(f"/a/{asset}/w=64/x.webp").status == 200
    assert len(list(site.store.glob("variants/*/*/*"))) == 2


def test_opaque_pictures_have_one_and_transparent_ones_are_not_tried_twice(new_site, wings):
    site = new_site()
    answers = [site.get("/a/clear/w=160/x.webp")]
    wait_until(lambda: empty_files(site), 20, "a sign that there is none")
    answers.append(site.get("/a/clear/w=320/x.webp"))

    assert not any(is_from_mezzanine(site, answer) for answer in answers)
    assert answers[1].image().mode == "RGBA" and len(empty_files(site)) == 1 and metric(site, "left") == 0
    site.get("/a/opaque/w=160/x.webp")
    wait_for_mezzanine(site)
    assert is_from_mezzanine(site, site.get("/a/opaque/w=320/x.webp"))


@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_a_damaged_or_evicted_one_is_made_anew(new_site, wings, damage):
    site = new_site()
    first = site.get("/a/wings/w=160/x.webp")
    wait_for_mezzanine(site)
    path = mezzanine_file(site, [name_of(site, first)])
    whole = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(whole[:-9] if damage == "cut" else whole[:5000] + b"X" + whole[5001:])
    second = site.get("/a/wings/w=320/x.webp")

    assert second.status == 200 and not is_from_mezzanine(site, second)
    wait_until(lambda: metric(site, "left") == 2, 20, "another mezzanine")
    assert path.read_bytes() == whole
    assert is_from_mezzanine(site, site.get("/a/wings/w=480/x.webp"))


def test_a_purge_forgets_it(new_site, services, wings):
    site = new_site()
    before = site.get("/a/wings/w=160/x.webp")
    wait_for_mezzanine(site)
    with Image.open(wings) as image:
        content = Image.eval(image, lambda level: 255 - level)
    content.save(wings, progressive=True, quality=90)
    services.admin.run("import", wings.parent)
    services.admin.run("purge", "wings")
    services.database.wait_for_replicas()
    services.settle()
    after = site.get("/a/wings/w=320/x.webp")

    assert after.status == 200 and not is_from_mezzanine(site, after)
    inverted = content.resize((160, 100), Image.LANCZOS)
    assert pictures.distance(after.image().resize((160, 100)), inverted) < 6
    assert pictures.distance(before.image(), inverted) > 30
    wait_until(lambda: metric(site, "left") == 2, 20, "its own mezzanine")
    assert is_from_mezzanine(site, site.get("/a/wings/w=480/x.webp"))


def test_a_full_disk_leaves_none(new_site, wings):
    """Nor does one that takes nothing: the answer is there all the same."""
    site = new_site(store={"max_variant_bytes": "1M"})
    for width in (160, 320, 480, 640, 960, 1280):
        answer = site.get(f"/a/wings/w={width}/x.webp")
        assert answer.status == 200 and answer.image().width == width
    assert sum(path.stat().st_size for path in site.store.glob("variants/*/*/*")) <= 1_000_000


def test_behind_every_web_server(site, wings):
    """One that keeps its connections, and a renderer that a process has for itself, are among them."""
    left = metric(site, "left")
    first = site.get("/a/opaque/w=160/x.webp")
    wait_until(lambda: metric(site, "left") > left, 20, "a mezzanine")
    assert first.status == 200
    assert is_from_mezzanine(site, site.get("/a/opaque/w=320/x.webp"))
