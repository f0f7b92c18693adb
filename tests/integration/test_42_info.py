"""info.json: what the row says, the same as HEAD and the pictures say, and from the catalog alone."""

import json
import time

import pytest
from PIL import Image

import pictures
import web
from vitrine import with_settings

LADDER = "160 320 640"
MEMBERS = ["id", "version", "width", "height", "type", "bytes", "frames", "animated", "orientation", "alpha",
           "dominant", "palette", "blurhash", "thumbhash", "placeholder", "focus", "credit", "formats", "variants"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("info")


@pytest.fixture(scope="module")
def imported(services, assets, folder):
    originals = folder / "originals"
    originals.mkdir()
    Image.new("RGB", (400, 300), (90, 100, 110)).save(originals / "told.png")
    Image.new("RGB", (400, 300), (90, 100, 110)).save(originals / "secret.png")
    Image.new("RGB", (200, 100), (90, 100, 110)).save(originals / "down.png")
    Image.new("RGB", (640, 100), (90, 100, 110)).save(originals / "exact.png")
    Image.new("RGB", (320, 100), (90, 100, 110)).save(originals / "rung.png")
    (originals / "drawing.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="100" height="50">'
                                           '<rect width="100" height="50" fill="#123456"/></svg>')
    services.admin.run("import", originals)
    services.admin.run("set", "secret", "--visibility=signed")
    services.admin.run("set", "down", "--visibility=gone")
    services.database.wait_for_replicas()


def started(services, folder, name, **changes):
    changes.setdefault("policy", {})["ladder"] = LADDER
    return web.nginx_site(folder / name, with_settings(services.sections, changes))


@pytest.fixture(scope="module")
def site(services, imported, folder):
    with started(services, folder, "any") as site:
        yield site


@pytest.fixture(scope="module")
def closed(services, imported, folder):
    """Nothing without a token."""
    with started(services, folder, "closed", policy={"unsigned": "none"}) as site:
        yield site


def info_of(site, asset):
    answer = site.get(f"/a/{asset}/info.json")
    assert answer.status == 200, answer
    return json.loads(answer.body)


# ---- facts ---------------------------------------------------------------------------------

@pytest.mark.parametrize("name, want", [
    ("photo", {"width": 1200, "height": 800, "type": "image/jpeg", "frames": 1, "animated": False, "alpha": False}),
    ("rotated", {"width": 120, "height": 160, "orientation": 6, "type": "image/jpeg"}),
    ("badge", {"width": 200, "height": 200, "type": "image/png", "alpha": True, "orientation": 1}),
    ("frames", {"width": 64, "height": 48, "type": "image/gif", "frames": 3, "animated": True}),
    ("drawing", {"width": 100, "height": 50, "type": "image/svg+xml", "frames": 1})])
def test_the_row_in_json(site, name, want):
    info = info_of(site, name)

    assert list(info) == MEMBERS
    assert {member: info[member] for member in want} == want
    assert info["id"] == name and info["version"] > 0
    assert info["focus"] is None and info["credit"] is None
    assert info["formats"] == ["jpg", "png", "webp", "avif", "gif", "jxl"]


@pytest.mark.parametrize("name", ["photo", "rotated", "badge", "frames", "quadrants"])
def test_the_same_numbers_as_head_and_the_pictures_themselves(site, assets, name):
    info = info_of(site, name)
    head = site.head(f"/a/{name}/original/x")

    assert info["type"] == head["Content-Type"]
    assert info["bytes"] == int(head["Content-Length"]) == len(assets[name].original)
    assert (info["width"], info["height"]) == (assets[name].width, assets[name].height)
    for variant in info["variants"]:
        assert site.get(variant["url"]).image().size == (variant["width"], variant["height"])


def test_the_looks_are_those_of_the_row(site, services):
    row = services.database.primary.sql("SELECT colours, blurhash, thumbhash, placeholder FROM vitrine.asset "
                                        "WHERE id = 'told'")[0]
    info = info_of(site, "told")
    dominant, *palette = ("#" + colour for colour in row[0].split(","))

    assert (info["dominant"], info["palette"]) == (dominant, palette)
    assert (info["blurhash"], info["thumbhash"], info["placeholder"]) == tuple(row[1:])
    assert pictures.is_near(tuple(bytes.fromhex(info["dominant"][1:])), (90, 100, 110), 4)
    assert info["placeholder"].startswith("data:image/")


def test_what_somebody_decided_is_told(site, services):
    before = info_of(site, "told")["version"]
    services.admin.run("set", "told", "--focus=0.123456:0.1", "--credit=Foto: \"Zoë\" \\ Söhne")
    services.database.wait_for_replicas()
    info = info_of(site, "told")

    assert info["focus"] == {"x": 0.123456, "y": 0.1}
    assert info["credit"] == "Foto: \"Zoë\" \\ Söhne"
    assert info["version"] > before


def test_what_is_not_known_is_null(site, services):
    """A row that somebody else wrote, with an object nobody has looked at."""
    services.database.primary.sql(
        "INSERT INTO vitrine.asset (id, origin, object_key, version, bytes, media_type, width, height, created,"
        " updated) VALUES ('unseen', 'media', 'unseen', 1, 0, 'image/png', 0, 0, 0, 0)")
    services.database.wait_for_replicas()
    info = info_of(site, "unseen")

    for member in ("width", "height", "bytes", "dominant", "palette", "blurhash", "thumbhash", "placeholder"):
        assert info[member] is None, member
    assert [(variant["width"], variant["height"]) for variant in info["variants"]] == [(None, None)] * 3


def test_bytes_are_null_when_a_purge_has_put_them_in_doubt(new_site, services, imported):
    """As HEAD does, which has no length then."""
    services.admin.run("purge", "exact")
    services.database.wait_for_replicas()
    site = new_site()

    assert site.head("/a/exact/original/x")["Content-Length"] is None
    assert info_of(site, "exact")["bytes"] is None


# ---- variants --------------------------------------------------------------------------------

@pytest.mark.parametrize("name, want", [
    ("photo", [(160, 107), (320, 213), (640, 427)]),
    ("told", [(160, 120), (320, 240), (400, 300)]),         # one at full size
    ("rotated", [(120, 160)]),
    ("rung", [(160, 50), (320, 100)]),                      # as wide as one in the middle: no second of the same
    ("quadrants", [(160, 120), (320, 240), (640, 480)]),    # as wide as the last rung
    ("drawing", [(160, 80), (320, 160), (640, 320)])])      # a drawing has no size of its own
def test_the_ladder_as_far_as_it_goes(site, name, want):
    variants = info_of(site, name)["variants"]

    assert [(variant["width"], variant["height"]) for variant in variants] == want
    assert [variant["url"] for variant in variants] == [f"/a/{name}/w={rung}/{name}.auto"
                                                        for rung in (160, 320, 640)[:len(want)]]


def test_urls_begin_where_the_web_server_finds_them(services, imported, folder):
    with started(services, folder, "prefixed", server={"url_prefix": "/a/assets"}) as site:
        info = info_of(site, "assets/a/told")
        assert info["variants"][0]["url"] == "/a/assets/a/told/w=160/told.auto"
        assert site.get(info["variants"][0]["url"]).status == 200


def test_a_default_preset_counts(services, imported, folder):
    with started(services, folder, "preset", policy={"default_preset": "framing"},
                 presets={"framing": "border=10:000"}) as site:
        assert info_of(site, "told")["variants"][0] == {"url": "/a/told/w=160/told.auto", "width": 180, "height": 140}
        assert site.get("/a/told/w=160/told.auto").image().size == (180, 140)


def test_no_url_is_told_that_would_be_refused(services, imported, folder):
    with started(services, folder, "presets-only", policy={"unsigned": "presets"}) as site:
        assert info_of(site, "photo")["variants"] == []


# ---- who may ask ------------------------------------------------------------------------------

@pytest.mark.parametrize("path, status", [
    ("/a/secret/info.json", 403), ("/a/down/info.json", 410), ("/a/nobody/info.json", 404),
    ("/a/pho%2Fto/info.json", 400), ("/a/photo/info.json/x", 404), ("/a/photo/info.xml", 400)])
def test_others_are_refused(site, path, status):
    answer = site.get(path)

    assert answer.status == status if status != 404 else answer.status in (400, 404)
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Access-Control-Allow-Origin"] == "*"         # or scripts would not see the status


def test_unsigned_none_means_info_too(closed):
    assert closed.get("/a/photo/info.json").status == 403


def test_a_token_for_this_url_tells_facts_and_no_urls(closed, services):
    signed = services.admin.run("sign", "/a/secret/info.json").strip()
    info = json.loads(closed.get(signed).body)

    assert (info["width"], info["height"]) == (400, 300)
    assert info["variants"] == []
    assert closed.get(signed.replace("secret", "photo")).status == 403


def test_a_token_for_many_urls_is_in_those(closed, services):
    token = services.admin.run("sign", "/a/secret", "--ops=w", "--max=350", "--formats=webp+jpg").strip().split("/")[2]
    info = json.loads(closed.get(f"/s/{token}/secret/info.json").body)

    assert [variant["url"] for variant in info["variants"]] == [
        f"/s/{token}/secret/w=160/secret.auto", f"/s/{token}/secret/w=320/secret.auto"]     # 400 is over max
    assert info["formats"] == ["jpg", "webp"]
    for variant in info["variants"]:
        assert closed.get(variant["url"]).image().size == (variant["width"], variant["height"])


def test_an_expired_token_tells_nothing(closed, services):
    signed = services.admin.run("sign", "/a/photo/info.json", f"--expires={int(time.time()) + 1}").strip()
    answer = closed.get(signed)

    assert answer.status == 200 and int(answer["Cache-Control"].split("max-age=")[1]) <= 1
    time.sleep(1.1)
    assert closed.get(signed).status == 410


# ---- the answer ----------------------------------------------------------------------------------

def test_it_can_be_kept_like_a_picture(site):
    answer = site.get("/a/photo/info.json")
    head = site.head("/a/photo/info.json")

    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "public, max-age=86400"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Vary"] is None
    assert head.status == 200 and head.body == b""
    assert int(head["Content-Length"]) == int(answer["Content-Length"]) == len(answer.body)
    assert head["ETag"] == answer["ETag"]
    again = site.get("/a/photo/info.json", if_none_match=answer["ETag"])
    assert again.status == 304 and again["ETag"] == answer["ETag"]
    assert site.get("/a/photo/info.json", if_match='"other"').status == 412
    assert site.request("POST", "/a/photo/info.json", body=b"x").status == 405


def test_the_etag_follows_the_row(site, services):
    before = site.get("/a/badge/info.json")["ETag"]
    assert site.get("/a/badge/info.json")["ETag"] == before
    services.admin.run("set", "badge", "--credit=somebody")
    services.database.wait_for_replicas()
    assert site.get("/a/badge/info.json")["ETag"] != before
    services.admin.run("set", "badge", "--credit=none")
    services.database.wait_for_replicas()


def test_it_comes_from_the_catalog_alone(new_site, services, imported):
    site = new_site()
    services.s3.freeze()
    try:
        answer = site.get("/a/photo/info.json")
    finally:
        services.s3.thaw()

    assert answer.status == 200
    line = site.logged(answer)
    assert line["tier"] == "info" and line["asset"] == "photo"
    assert "origin_ms" not in line and "render_ms" not in line and "store_ms" not in line
    assert site.metrics()['vitrine_request_duration_seconds_count{tier="info"}'] == 1


def test_every_front_answers(request, services, imported):
    bodies = {request.getfixturevalue(front).get("/a/photo/info.json").body
              for front in ("nginx_accel", "nginx_body", "apache_proxy", "apache_fcgid")}

    assert len(bodies) == 1
    assert json.loads(bodies.pop())["type"] == "image/jpeg"
