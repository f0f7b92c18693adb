"""What clients, objects and operators get wrong: each has its own clear answer.

Never a crash, a hang, a half file in the store, or a 200 with a wrong picture.
"""

import io
import time

import pytest

import pictures
from objects import put_object
from process import wait_until
from s3 import FaultyS3, install_s3
from vitrine import build_folder


@pytest.fixture(scope="module")
def site(nginx_body):
    return nginx_body


def nothing_is_left(site):
    """Drafts are gone, at the latest when all responders have started: each tries the disk."""
    wait_until(lambda: not any((site.store / "tmp").iterdir()), 5, "all drafts were gone")
    return True


# ---- URLs -------------------------------------------------------------------------------

@pytest.mark.parametrize("recipe, part", [
    ("w=0", "w must be"), ("w=-1", "w must be"), ("w=1e9", "w must be"), ("w=99999999999999999999", "w must be"),
    ("w=4,w=5", "w is given twice"), ("wdith=4", "unknown operation 'wdith'"), ("w", "w"), ("w=", "w must be"),
    ("=4", "unknown operation"), (",", ""), ("w=4,", ""), ("fit=zoom", "fit must be"), ("dpr=0", "dpr must be"),
    ("dpr=nan", "dpr must be"), ("q=101", "q must be"), ("bg=red", "bg must be"), ("g=2:0", "g must be"),
    ("crop=1:2:3", "crop must be"), ("@none", "unknown preset"), ("original,w=4", "original"),
    ("w=4,@card", "@card"), ("w=%C3%A9", "w must be"),
])
def test_a_wrong_recipe_is_400_and_names_the_part(site, assets, recipe, part):
    answer = site.get(f"/a/photo/{recipe}/x.webp")

    assert answer.status == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Cache-Control"] == "public, max-age=60"
    line = site.logged(answer)
    assert line["failure"] == "bad-request"
    assert part in line["reason"] and part in answer.body.decode()


def test_an_over_long_url_is_400(site):
    answer = site.get("/a/photo/w=4/" + "x" * 2100 + ".webp")

    assert answer.status == 400
    assert "limit 2048" in site.logged(answer)["reason"]


@pytest.mark.parametrize("path", ["/a/photo/w=4/x.bmp", "/a/photo/w=4/x", "/a/photo/w=4/x.svg", "/a/photo/w=4/x."])
def test_a_format_that_we_cannot_write_is_400(site, path):
    assert site.get(path).status == 400


def test_what_is_larger_than_every_limit_is_422(site, assets):
    answer = site.get("/a/photo/w=8192,dpr=8,enlarge=1/x.jpg")

    assert answer.status == 422
    assert "limit 16384" in answer.body.decode()


@pytest.mark.parametrize("rest", ["w=0/x.webp", "crop=9000:0:10:10/x.webp", "w=8192,h=8192,dpr=8,fit=pad/x.webp",
                                  "w=4/x.bmp", "w=50/x.webp", "original/x.jpg", "original,w=2/x.jpg"])
def test_head_says_what_get_says(site, assets, rest):
    assert site.head(f"/a/photo/{rest}").status == site.get(f"/a/photo/{rest}").status


def test_an_error_of_auto_says_what_it_depends_on(site, assets):
    """Or a shared cache gives it to clients who would get a picture."""
    answer = site.get("/a/photo/w=8192,h=8192,dpr=4,fit=pad/x.auto", accept="image/webp")

    assert answer.status == 422 and "max-age" in answer["Cache-Control"]
    assert answer["Vary"] == "Accept,Save-Data"


def test_an_unknown_asset_is_404(site):
    answer = site.get("/a/nobody/w=4/x.webp")

    assert answer.status == 404 and answer["Cache-Control"] == "public, max-age=60"


# ---- objects ----------------------------------------------------------------------------

def encoded(image, **options):
    target = io.BytesIO()
    image.save(target, **options)
    return target.getvalue()


def truncated_jpeg():
    content = encoded(pictures.photo(400, 300), format="JPEG", quality=90)
    return content[:len(content) * 2 // 3]


def ended_early(**options):
    """Half a JPEG, and then its end marker: decoders fill up with grey and only warn."""
    content = encoded(pictures.photo(400, 300), format="JPEG", quality=90, **options)
    return content[:len(content) // 2] + b"\xff\xd9"


def truncated_png():
    content = encoded(pictures.photo(400, 300), format="PNG")
    return content[:len(content) // 2]


BAD_OBJECTS = {
    "empty": (b"", 415),
    "text": (b"this is no picture, whatever its name says\n" * 20, 415),
    "html": (b"<!DOCTYPE html><script>alert(1)</script>", 415),
    "cut-jpeg": (truncated_jpeg, 422),
    "early-jpeg": (ended_early, 422),
    "early-progressive": (lambda: ended_early(progressive=True), 422),
    "cut-png": (truncated_png, 422),
    "bomb": (lambda: pictures.png_header(100000, 100000), 422),
    "noise": (lambda: b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40, 422),
}


@pytest.fixture(scope="module")
def bad_assets(services, tmp_path_factory):
    """Good pictures whose objects went bad after they were imported."""
    folder = tmp_path_factory.mktemp("bad") / "pictures"
    folder.mkdir()
    for name in BAD_OBJECTS:
        pictures.quadrants().save(folder / f"{name}.png")
    services.admin.run("import", folder)
    for name, (content, _) in BAD_OBJECTS.items():
        put_object(services, f"{name}.png", content() if callable(content) else content)
    services.admin.run("purge", *BAD_OBJECTS)
    services.database.wait_for_replicas()


@pytest.mark.parametrize("name", BAD_OBJECTS)
def test_a_bad_object_is_no_picture(site, bad_assets, name):
    before = time.monotonic()
    answer = site.get(f"/a/{name}/w=50/x.webp")

    assert answer.status == BAD_OBJECTS[name][1], answer
    assert answer["Cache-Control"] == "public, max-age=60"
    assert site.logged(answer)["failure"] in ("unsupported", "unprocessable")
    assert time.monotonic() - before < 5
    assert nothing_is_left(site)


@pytest.mark.parametrize("name", ["empty", "text", "html"])
def test_not_even_as_an_original(site, bad_assets, name):
    assert site.get(f"/a/{name}/original/x.png").status == 415


def test_what_is_no_image_is_fetched_once(new_site, bad_assets):
    site = new_site()
    for path in ("w=50/x.webp", "w=51/x.webp", "original/x.png"):
        assert site.get(f"/a/text/{path}").status == 415
    assert site.metrics()['vitrine_origin_fetches_total{result="ok"}'] == 1


def test_a_row_without_its_object_is_404(site, services):
    services.database.primary.sql(
        "INSERT INTO vitrine.asset (id, origin, object_key, version, bytes, media_type, width, height, created, updated)"
        " VALUES ('objectless', 'media', 'never/was.png', 1, 10, 'image/png', 3, 3, 0, 0)")
    answer = site.get("/a/objectless/w=2/x.png")

    assert answer.status == 404
    assert site.logged(answer)["failure"] == "not-found"


def test_a_row_of_an_unknown_origin_is_500(site, services):
    services.database.primary.sql(
        "INSERT INTO vitrine.asset (id, origin, object_key, version, bytes, media_type, width, height, created, updated)"
        " VALUES ('homeless', 'elsewhere', 'x.png', 1, 10, 'image/png', 3, 3, 0, 0)")
    answer = site.get("/a/homeless/w=2/x.png")

    assert answer.status == 500 and answer["Cache-Control"] == "no-store"
    assert "elsewhere" in site.logged(answer)["reason"] and "elsewhere" not in answer.body.decode()


# ---- S3 ---------------------------------------------------------------------------------

def origin_settings(**changes):
    return {"origin.media": {"tries": "2", "connect_timeout_ms": "500", "stall_timeout_ms": "1000", **changes},
            "server": {"request_timeout_ms": "5000"}}


@pytest.mark.parametrize("changes", [
    {"secret_access_key": "wrong"},
    {"access_key_id": "NOBODY"},
    {"bucket": "no-such-bucket"},
])
def test_a_wrong_s3_configuration_is_502_and_says_why(new_site, assets, changes):
    site = new_site(**origin_settings(**changes))
    answer = site.get("/a/photo/w=50/x.webp")

    assert answer.status == 502 and answer["Cache-Control"] == "no-store"
    reason = site.logged(answer)["reason"]
    assert reason and "wrong" not in reason
    assert nothing_is_left(site)


def test_nobody_at_the_endpoint_is_503(new_site, assets):
    site = new_site(**origin_settings(endpoint="http://127.0.0.1:1"))
    answer = site.get("/a/photo/w=50/x.webp")

    assert answer.status == 503 and int(answer["Retry-After"]) > 0
    assert answer["Cache-Control"] == "no-store"


@pytest.fixture(scope="module")
def faulty(services, assets, tmp_path_factory):
    with FaultyS3(tmp_path_factory.mktemp("faulty"), install_s3(build_folder() / "s3"),
                  upstream=services.s3.port) as server:
        yield server


@pytest.mark.parametrize("mode, statuses", [
    ("unavailable", (503,)), ("truncated", (502, 503)), ("reset", (502, 503)), ("stall", (502, 503, 504)),
])
def test_a_failing_s3_leaves_no_half_file(new_site, faulty, mode, statuses):
    site = new_site(**origin_settings(endpoint=faulty.endpoint))
    faulty.set_mode(mode)
    try:
        before = time.monotonic()
        answer = site.get("/a/photo/w=50/x.webp")
        assert answer.status in statuses, answer
        assert answer["Cache-Control"] == "no-store"
        assert time.monotonic() - before < 7
        assert nothing_is_left(site)
        assert [path for path in site.store.glob("originals/*/*/*")] == []
    finally:
        faulty.set_mode("none")
    assert site.get("/a/photo/w=50/x.webp").image().width == 50


def test_an_original_over_the_limit_is_422(new_site, assets):
    site = new_site(**origin_settings(max_bytes="2K"))
    answer = site.get("/a/photo/w=50/x.webp")

    assert answer.status == 422
    assert "limit" in answer.body.decode()


# ---- everything else is gone --------------------------------------------------------------

def test_hits_survive_without_database_and_s3(services, assets, new_site):
    site = new_site(catalog={"soft_lifetime_s": "1"})
    path = "/a/photo/w=123/x.webp"
    want = site.get(path).body
    services.s3.freeze()
    for server in (services.database.primary, *services.database.replicas):
        server.freeze()
    try:
        time.sleep(1.2)
        for _ in range(3):
            answer = site.get(path)
            assert answer.status == 200 and answer.body == want
        before = time.monotonic()
        assert site.get("/a/nobody-knows/w=4/x.webp").status in (503, 504)
        assert time.monotonic() - before < 5
        assert site.get("/health").status == 200
    finally:
        services.s3.thaw()
        for server in (services.database.primary, *services.database.replicas):
            server.thaw()


def test_a_file_under_anothers_name_is_made_again(new_site, assets):
    site = new_site(send="body")
    paths = ["/a/photo/w=98/x.png", "/a/badge/w=98/x.png"]
    want = [site.get(path).body for path in paths]
    one, other = [path for path in site.store.glob("variants/*/*/*") if path.is_file()]
    one.rename(site.store / "between")
    other.rename(one)
    (site.store / "between").rename(other)

    assert [site.get(path).body for path in paths] == want


@pytest.mark.parametrize("damage", [
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(path.read_bytes()[:-1]),
    lambda path: path.write_bytes(path.read_bytes()[:-1] + b"X"),
    lambda path: (path.unlink(), path.mkdir()),
    lambda path: path.unlink(),
])
def test_a_damaged_file_is_made_again(new_site, assets, damage):
    site = new_site(send="body")
    want = site.get("/a/photo/w=99/x.png").body
    [file] = [path for path in site.store.glob("variants/*/*/*") if path.is_file()]
    damage(file)
    answer = site.get("/a/photo/w=99/x.png")

    assert answer.status == 200 and answer.body == want
