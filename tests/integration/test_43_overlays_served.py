"""What the server lays over pictures: which mark, whose credit, and that neither can be avoided.

How marks and letters look is the matter of test_24; here it is enough to see whether
they are there.
"""

import concurrent.futures
import random
import subprocess

import pytest
from PIL import Image

import pictures
import web
from process import wait_until
from vitrine import build_folder, with_settings, write_configuration

GROUND, LOGO, STAMP = (90, 100, 110), (220, 0, 200), (0, 200, 220)
# Of the result: logo at the south east, stamp at the north west.
MARGIN, LOGO_SCALE, STAMP_SCALE = 0.05, 0.25, 0.125


def picture(answer):
    assert answer.status == 200, answer
    return answer.image()


def logo_box(width, height):
    """Where a mark of 2:1 must lie: left, top, right, bottom."""
    margin = int(MARGIN * min(width, height) + 0.5)
    across = int(LOGO_SCALE * width + 0.5)
    return width - margin - across, height - margin - across // 2, width - margin, height - margin


def shows(image, colour, box):
    """Whether the whole box, but for one pixel at its edges, is of this colour."""
    left, top, right, bottom = box
    image = image.convert("RGB")
    return all(pictures.is_near(image.getpixel((x, y)), colour, 3)
               for x in (left + 1, (left + right) // 2, right - 2) for y in (top + 1, (top + bottom) // 2, bottom - 2))


def is_bare(image):
    low, high = zip(*image.convert("RGB").getextrema())
    return pictures.is_near(low, GROUND, 3) and pictures.is_near(high, GROUND, 3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("overlays")


@pytest.fixture(scope="module")
def imported(services, folder):
    """Assets of one colour each; `logo` and `seal` serve as marks."""
    originals = folder / "originals"
    originals.mkdir()
    for name in ("ground", "owned", "credited", "lost", "ying", "yang"):
        Image.new("RGB", (400, 300), GROUND).save(originals / f"{name}.png")
    for name in ("logo", "seal"):
        Image.new("RGB", (100, 50), LOGO).save(originals / f"{name}.png")
    services.admin.run("import", originals)
    services.admin.run("set", "credited", "--credit=Foto: Zoë, Agentur")
    services.database.wait_for_replicas()


@pytest.fixture(scope="module")
def sections(services, folder):
    Image.new("RGB", (100, 50), STAMP).save(folder / "stamp.png")
    look = {"position": "se", "margin": MARGIN, "scale": LOGO_SCALE}
    return with_settings(services.sections, {
        "watermark.logo": {"asset": "logo", **look},
        "watermark.stamp": {"file": folder / "stamp.png", **look, "position": "nw", "scale": STAMP_SCALE},
        "watermark.large-only": {"asset": "logo", **look, "min_width": "350"},
        "watermark.seal": {"asset": "seal", **look},
        "watermark.nothing": {"asset": "nobody"},
        "watermark.ying": {"asset": "ying"},
        "watermark.yang": {"asset": "yang"},
        "credit": {"min_width": "0", "min_height": "0", "size": "0.06", "shadow": "transparent"},
    })


@pytest.fixture(scope="module")
def site(imported, sections, folder):
    with web.nginx_site(folder / "site", sections) as site:
        yield site


def change(site, services, asset, *changes):
    site.vitrine.run("set", asset, *changes)
    services.database.wait_for_replicas()


# ---- asked for ---------------------------------------------------------------------------

@pytest.mark.parametrize("recipe, size", [
    ("watermark=logo", (400, 300)), ("w=200,watermark=logo", (200, 150)),
    ("w=200,h=200,fit=cover,watermark=logo", (200, 200)), ("w=200,dpr=2,watermark=logo", (400, 300))])
def test_a_url_asks_for_a_mark(site, recipe, size):
    image = picture(site.get(f"/a/ground/{recipe}/x.png"))

    assert image.size == size
    assert shows(image, LOGO, logo_box(*size))
    assert shows(image, GROUND, (0, 0, size[0] // 2, size[1]))


def test_a_mark_can_be_a_file(site):
    image = picture(site.get("/a/ground/watermark=stamp/x.png"))

    assert shows(image, STAMP, (15, 15, 65, 40))
    assert shows(image, GROUND, (80, 50, 400, 300))


def test_a_mark_that_is_too_large_for_the_result_is_left_out(site):
    assert not is_bare(picture(site.get("/a/ground/watermark=large-only/x.png")))
    assert is_bare(picture(site.get("/a/ground/w=349,watermark=large-only/x.png")))


def test_a_mark_nobody_knows_is_named(site):
    answer = site.get("/a/ground/watermark=nope/x.png")

    assert answer.status == 400
    assert b"watermark=nope" in answer.body


def test_a_mark_is_fetched_once(new_site, imported, sections):
    site = new_site(**{name: sections[name] for name in sections if name.startswith("watermark")})
    for width in (100, 150, 200):
        assert site.get(f"/a/ground/w={width},watermark=logo/x.png").status == 200

    assert site.metrics()['vitrine_origin_fetches_total{result="ok"}'] == 2


def test_head_says_what_get_will(site):
    head = site.head("/a/ground/w=111,watermark=logo/x.png")

    assert site.get("/a/ground/w=111,watermark=logo/x.png")["ETag"] == head["ETag"]
    assert site.head("/a/ground/w=111/x.png")["ETag"] != head["ETag"]


# ---- imposed ------------------------------------------------------------------------------

def test_an_assets_own_mark_cannot_be_avoided(site, services):
    bare = site.get("/a/owned/w=400/x.png")
    assert is_bare(picture(bare))
    change(site, services, "owned", "--watermark=logo")

    for recipe, size in (("w=400", (400, 300)), ("-", (400, 300)), ("watermark=stamp", (400, 300)),
                         ("crop=0:0:200:100", (200, 100)), ("w=40,h=40,fit=cover", (40, 40))):
        answer = site.get(f"/a/owned/{recipe}/x.png")
        assert answer["ETag"] != bare["ETag"]
        assert shows(picture(answer), LOGO, logo_box(*size)), recipe
    # The picture would no longer be where the mark lies.
    for recipe in ("w=100,h=100,fit=cover,round=max", "round=4000", "rot=45", "w=4000,h=4000,fit=pad",
                   "@framed,w=4000", "@framed,h=4000", "w=400,h=9,fit=fill", "ar=1:100,fit=fill", "@card,fit=fill"):
        assert site.get(f"/a/owned/{recipe}/x.png").status == 403, recipe
    for recipe in ("@framed", "@framed,dpr=2", "rot=90", "border=5"):
        assert site.get(f"/a/owned/{recipe}/x.png").status == 200, recipe
    assert site.get("/a/owned/original/x.png").status == 403
    signed = services.admin.run("sign", "/a/owned/original/x.png").strip()
    assert is_bare(picture(site.get(signed)))
    assert site.get("/a/owned/watermark=nope/x.png").status == 400


@pytest.mark.parametrize("mark, reason", [
    ("unknown", "the asset's watermark 'unknown' is not configured"), ("nothing", "watermark 'nothing': ")])
def test_a_mark_that_is_missing_means_no_picture(site, services, mark, reason):
    services.database.primary.sql(f"UPDATE vitrine.asset SET watermark = '{mark}' WHERE id = 'lost'")
    services.admin.run("purge", "lost")
    services.database.wait_for_replicas()

    for method in ("GET", "HEAD"):
        answer = site.request(method, "/a/lost/w=77/x.png")
        assert answer.status == 500 and answer["Cache-Control"] == "no-store", method
        assert reason in site.logged(answer)["reason"]
    assert mark.encode() not in site.get("/a/lost/w=77/x.png").body


def test_a_mark_whose_object_is_gone_means_no_picture(site, services):
    """That the picture itself could be made does not help, and is not what the answer is about."""
    services.database.primary.sql("UPDATE vitrine.asset SET object_key = 'no-such-key' WHERE id = 'seal'")
    services.admin.run("purge", "seal")
    services.database.wait_for_replicas()
    answer = site.get("/a/ground/w=78,watermark=seal/x.png")

    assert answer.status == 500
    assert "watermark 'seal': " in site.logged(answer)["reason"]


def test_a_mark_may_be_taken_down_but_not_left_out(site, services):
    change(site, services, "seal", "--visibility=gone")
    answer = site.get("/a/ground/w=79,watermark=seal/x.png")

    assert answer.status == 500
    assert "taken down" in site.logged(answer)["reason"]


def test_a_mark_can_be_an_asset_that_nobody_may_see(site, services):
    change(site, services, "logo", "--visibility=signed")
    try:
        assert site.get("/a/logo/w=50/x.png").status == 403
        assert shows(picture(site.get("/a/ground/w=300,watermark=logo/x.png")), LOGO, logo_box(300, 225))
    finally:
        change(site, services, "logo", "--visibility=public")


def test_two_assets_can_be_each_others_mark(new_site, services, imported, sections):
    """No request waits for a lock that waits for its own."""
    site = new_site(server={"responders": "48", "slow_responders": "40"},
                    **{name: sections[name] for name in sections if name.startswith("watermark")})
    change(site, services, "ying", "--watermark=yang")
    change(site, services, "yang", "--watermark=ying")
    paths = [f"/a/{name}/w={width}/x.png" for width in (50, 51, 52, 53, 54) for name in ("ying", "yang")] * 2
    with concurrent.futures.ThreadPoolExecutor(len(paths)) as pool:
        answers = list(pool.map(site.get, paths))

    assert {answer.status for answer in answers} == {200}
    assert site.metrics()['vitrine_origin_fetches_total{result="ok"}'] == 2


# ---- new pictures for old marks -------------------------------------------------------------

def test_a_new_picture_of_the_mark_makes_new_variants(site, services, folder):
    before = site.get("/a/ground/w=200,watermark=logo/x.png")
    plain = site.get("/a/ground/w=200/x.png")
    again = folder / "again"
    again.mkdir()
    Image.new("RGB", (100, 50), STAMP).save(again / "logo.png")
    services.admin.run("import", again)
    services.database.wait_for_replicas()
    after = site.get("/a/ground/w=200,watermark=logo/x.png")

    assert after["ETag"] != before["ETag"]
    assert shows(picture(before), LOGO, logo_box(200, 150)) and shows(picture(after), STAMP, logo_box(200, 150))
    assert site.get("/a/ground/w=200/x.png")["ETag"] == plain["ETag"]


def test_a_file_counts_from_the_next_reload_on(new_site, imported, tmp_path):
    mark = tmp_path / "mark.png"
    Image.new("RGB", (100, 50), STAMP).save(mark)
    site = new_site(**{"watermark.stamp": {"file": mark, "position": "nw", "margin": "0", "scale": "0.5"}})
    first = site.get("/a/ground/w=100,watermark=stamp/x.png")
    Image.new("RGB", (100, 50), LOGO).save(tmp_path / "new.png")
    (tmp_path / "new.png").rename(mark)

    assert site.get("/a/ground/w=100,watermark=stamp/x.png")["ETag"] == first["ETag"]
    # Not rendered yet: by processes that still have the old file.
    assert shows(picture(site.get("/a/ground/w=104,watermark=stamp/x.png")), STAMP, (0, 0, 52, 26))
    site.vitrine.reload()
    wait_until(lambda: site.get("/a/ground/w=100,watermark=stamp/x.png")["ETag"] != first["ETag"], 10,
               "the new file counted")
    assert shows(picture(site.get("/a/ground/w=100,watermark=stamp/x.png")), LOGO, (0, 0, 50, 25))


def test_a_file_serves_many_at_once(new_site, imported, tmp_path):
    """Each reads it from its beginning, whoever else is in the middle of it."""
    Image.frombytes("RGB", (700, 700), random.Random(7).randbytes(3 * 700 * 700)).save(tmp_path / "mark.png")
    site = new_site(server={"responders": "24", "slow_responders": "20"}, render={"renderers": "4"},
                    **{"watermark.noise": {"file": tmp_path / "mark.png", "scale": "1", "margin": "0"}})
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda width: site.get(f"/a/ground/w={width},watermark=noise/x.png"), range(100, 116)))

    assert [answer.status for answer in answers] == [200] * 16


@pytest.mark.parametrize("content", [None, b"no picture"])
def test_a_file_that_is_no_picture_is_found_at_start(services, tmp_path, content):
    if content is not None:
        (tmp_path / "mark.png").write_bytes(content)
    config = tmp_path / "vitrine.ini"
    write_configuration(config, with_settings(services.sections, {
        "store": {"root": tmp_path}, "watermark.stamp": {"file": tmp_path / "mark.png"}}))
    done = subprocess.run([build_folder() / "vitrine.fcgi", f"--config={config}", "--check-config"],
                          capture_output=True, text=True, timeout=10)

    assert done.returncode == 71
    assert "[watermark.stamp] file" in done.stderr


# ---- credits and texts -----------------------------------------------------------------------

def letters(image, box):
    """How many pixels in the box are not of the ground."""
    part = image.convert("RGB").crop(box)
    return sum(not pictures.is_near(pixel, GROUND, 20) for pixel in part.getdata())


def test_a_credit_is_drawn_when_it_is_asked_for(site):
    plain, credited = (site.get(f"/a/credited/{recipe}/x.png") for recipe in ("w=400", "w=400,credit=1"))

    assert is_bare(picture(plain))
    assert letters(picture(credited), (0, 270, 200, 300)) > 100
    assert letters(picture(credited), (0, 0, 400, 260)) == 0
    assert credited["ETag"] != plain["ETag"]


def test_who_has_no_credit_has_one_picture(site):
    assert site.get("/a/ground/w=160,credit=1/x.png")["ETag"] == site.get("/a/ground/w=160/x.png")["ETag"]


def test_a_credit_can_be_imposed(site, services):
    change(site, services, "credited", "--impose-credit=yes")
    try:
        for recipe in ("w=400", "w=400,credit=0", "crop=0:0:300:200"):
            assert not is_bare(picture(site.get(f"/a/credited/{recipe}/x.png"))), recipe
        assert site.get("/a/credited/original/x.png").status == 403
    finally:
        change(site, services, "credited", "--impose-credit=no")


def test_all_credits_can_be_imposed(new_site, imported):
    site = new_site(credit={"always": "yes"})

    assert not is_bare(picture(site.get("/a/credited/w=399/x.png")))
    assert is_bare(picture(site.get("/a/ground/w=399/x.png")))
    assert site.get("/a/credited/original/x.png").status == 403
    assert site.get("/a/ground/original/x.png").status == 200


def test_a_text_needs_a_signature(site, services):
    path = "/a/ground/text=50%25%20off%2C%20today,textg=n,textsize=0.1,textcolor=ff0000/x.png"
    refused = site.get(path)
    assert refused.status == 403
    image = picture(site.get(services.admin.run("sign", path).strip()))

    assert letters(image, (0, 0, 400, 60)) > 300
    assert letters(image, (0, 60, 400, 300)) == 0
    assert any(pictures.is_near(pixel, (255, 0, 0), 3) for pixel in image.convert("RGB").getdata())


def test_texts_are_not_in_the_log_line_twice(site, services):
    path = "/a/ground/w=90,text=hello/x.png"
    answer = site.get(services.admin.run("sign", path).strip())

    assert answer.status == 200
    assert site.logged(answer)["recipe"] == "w=90,g=c"


# ---- saved under a name ------------------------------------------------------------------------

@pytest.mark.parametrize("recipe, want", [
    ("w=50,dl=report", 'attachment; filename="report.png"'),
    ("w=50,dl=two%20words%2C%20one%20comma", 'attachment; filename="two words, one comma.png"'),
    ("w=50,dl=%C3%84rger%22", "attachment; filename=\"ground.png\"; filename*=UTF-8''%C3%84rger%22.png"),
    ("w=50", 'inline; filename="x.png"')])
def test_dl_names_the_file(site, recipe, want):
    answer = site.get(f"/a/ground/{recipe}/x.png")

    assert answer.status == 200
    assert answer["Content-Disposition"] == want
    assert answer["ETag"] == site.get("/a/ground/w=50/y.png")["ETag"]
