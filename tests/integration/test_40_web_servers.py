"""The same application behind nginx and Apache: nothing a client sees may depend on which.

Each web server loads the configuration of nginx-conf/ or apache-conf/ as it is.
"""

import concurrent.futures
import os
import pathlib
import re

import pytest

import web
from apache import Apache
from process import wait_until

FRONTS = ("nginx_accel", "nginx_body", "apache_proxy", "apache_fcgid")
# Of the connection or the server, not of the picture.  Ranges are a web server's choice.
NOT_OURS = {"server", "date", "connection", "keep-alive", "x-request-id", "accept-ranges"}
PICTURE = "/a/photo/w=300,h=200,fit=cover/a%20name.webp"


def ours(answer):
    return {name.lower(): value for name, value in answer.headers.items() if name.lower() not in NOT_OURS}


@pytest.fixture(scope="module")
def fronts(request):
    return [request.getfixturevalue(name) for name in FRONTS]


# ---- the same everywhere ----------------------------------------------------------------

@pytest.mark.parametrize("path", [
    PICTURE,
    "/a/badge/w=80/x.png",
    "/a/rotated/h=50/x.jpg",
    "/a/photo/original/photo.jpg",
    "/a/photo/@card/x.auto",
    "/a/photo/w=0/x.webp",
    "/a/none/w=100/x.webp",
    "/a/photo%2Fother/w=100/x.webp",
])
def test_every_front_gives_the_same_bytes_and_headers(fronts, path):
    answers = [front.get(path, accept="image/webp,*/*") for front in fronts]

    first = answers[0]
    for front, answer in zip(FRONTS, answers):
        assert answer.status == first.status, front
        assert ours(answer) == ours(first), front
        if first.status == 200:
            assert answer.body == first.body, front


def test_a_picture_has_all_its_headers(site):
    answer = site.get(PICTURE)

    assert answer.status == 200
    assert answer.image().size == (300, 200)
    assert answer["Content-Type"] == "image/webp"
    assert int(answer["Content-Length"]) == len(answer.body)
    assert re.fullmatch(r'W/"[0-9a-f]{32}"', answer["ETag"])
    assert "max-age=86400" in answer["Cache-Control"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Content-Disposition"].startswith("inline")
    assert answer["Last-Modified"] is None
    assert answer["Transfer-Encoding"] is None
    for name in set(answer.headers.keys()):
        assert len(answer.values(name)) == 1, name


def test_head_tells_the_length_and_sends_nothing(site):
    picture = site.get(PICTURE)
    answer = site.head(PICTURE)

    assert answer.status == 200 and answer.body == b""
    assert ours(answer) == ours(picture)


def test_auto_varies_and_nothing_else_does(site):
    assert site.get("/a/photo/w=100/x.auto", accept="image/webp")["Content-Type"] == "image/webp"
    answer = site.get("/a/photo/w=100/x.auto", accept="image/png")
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["Vary"] == "Accept,Save-Data"
    assert site.get(PICTURE)["Vary"] is None


def test_what_a_client_has_is_not_sent_again(site):
    etag = site.get(PICTURE)["ETag"]

    for value in (etag, f'"other", {etag}', etag.removeprefix("W/"), "*"):
        answer = site.get(PICTURE, if_none_match=value)
        assert answer.status == 304, value
        assert answer.body == b"" and answer["ETag"] == etag
        assert "max-age" in answer["Cache-Control"]
    assert site.get(PICTURE, if_none_match='"other"').status == 200


def test_a_date_does_not_make_a_picture_unchanged(site):
    """Files in a store are younger on one server than on another."""
    assert site.get(PICTURE, if_modified_since="Fri, 01 Jan 2100 00:00:00 GMT").status == 200


def test_a_precondition_is_judged_by_our_etag(site):
    original = "/a/photo/original/photo.jpg"
    assert site.get(original, if_match=site.get(original)["ETag"]).status == 200
    assert site.get(original, if_match='"other"').status == 412
    # The bytes of a variant may differ from server to server.
    assert site.get(PICTURE, if_match="*").status == 200
    assert site.get(PICTURE, if_match=site.get(PICTURE)["ETag"]).status == 412
    assert site.get(PICTURE, if_unmodified_since="Sun, 06 Nov 1994 08:49:37 GMT").status in (200, 412)


@pytest.mark.parametrize("path", [
    "/a/photo%2Fother/w=100/x.webp", "/a/photo/w=100%2Fx/x.webp", "/a/photo/w=100/x%5C.webp",
    "/a/photo/w=100/%ff.webp", "/a/photo/w=4,w=5/x.webp", "/a/photo/colour=red/x.webp"])
def test_vitrine_itself_refuses_what_it_does_not_like(site, path):
    answer = site.get(path)

    assert answer.status == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert site.logged(answer)["failure"] == "bad-request"


@pytest.mark.parametrize("path", ["/a/photo/w=100/x%00.webp", "/a/%00/w=100/x.webp"])
def test_a_nul_byte_never_gets_a_picture(site, path):
    assert site.get(path).status in (400, 404)


@pytest.mark.parametrize("path", ["/a/../metrics", "/a/%2e%2e/health", "/a//../../health"])
def test_dots_lead_nowhere(site, path):
    assert site.get(path).status in (400, 404)


def test_other_methods_are_refused_with_what_is_allowed(site):
    for method in ("POST", "PUT", "DELETE"):
        answer = site.request(method, PICTURE, body=b"something")
        assert answer.status == 405, method
        assert answer["Allow"] == "GET, HEAD"


def test_a_query_reaches_health(site):
    assert site.get("/health").status == 200
    answer = site.get("/health?require=database,memcached,s3")
    assert answer.status == 200
    assert b'"database"' in answer.body and b'"s3"' in answer.body


def test_metrics_can_be_read_from_here(site):
    assert site.metrics()['vitrine_responses_total{status="200"}'] > 0


def test_a_proxy_header_is_not_believed(site):
    assert site.get("/a/photo/w=301/x.webp", proxy="http://127.0.0.1:1").status == 200


def test_a_url_can_be_signed_and_not_be_changed(site, services):
    signed = services.admin.run("sign", "/a/photo/w=333/x.webp").strip()

    assert site.get(signed).image().size == (333, 222)
    assert site.get(signed.replace("w=333", "w=334")).status == 403


# ---- nginx ------------------------------------------------------------------------------

def test_nginx_sends_the_file_itself(nginx_accel):
    """What it sent counts as sent, and Vitrine took no time for it."""
    answer = nginx_accel.get(PICTURE)

    assert answer["Accept-Ranges"] == "bytes"
    part = nginx_accel.get(PICTURE, range="bytes=10-19")
    assert part.status == 206 and part.body == answer.body[10:20]
    assert part["ETag"] == answer["ETag"]


def test_a_range_of_something_older_is_not_sent(nginx_accel):
    answer = nginx_accel.get(PICTURE, range="bytes=10-19", if_range='"older"')

    assert answer.status == 200 and answer.image().size == (300, 200)


def test_nobody_can_ask_for_the_store(nginx_accel):
    nginx_accel.get(PICTURE)
    file = next(path for path in nginx_accel.store.glob("variants/*/*/*") if path.is_file())

    assert nginx_accel.get(f"/vitrine-store/{file.relative_to(nginx_accel.store)}").status in (400, 404)


def test_a_file_that_nginx_cannot_find_comes_from_vitrine(services, assets, tmp_path):
    """As when it was evicted between decision and delivery, or the path of the store is wrong."""
    with web.nginx_site(tmp_path, services.sections) as site:
        site.front.stop()
        site.front.store = tmp_path / "elsewhere"
        site.front.start()

        answer = site.get(PICTURE)

        assert answer.status == 200 and answer.image().size == (300, 200)


# ---- Apache -----------------------------------------------------------------------------

def test_mod_fcgid_starts_more_processes_when_they_are_needed(apache_fcgid):
    """Each serves one request at a time."""
    widths = range(310, 318)

    with concurrent.futures.ThreadPoolExecutor(len(widths)) as pool:
        answers = list(pool.map(lambda width: apache_fcgid.get(f"/a/photo/w={width}/x.webp"), widths))

    assert [answer.image().width for answer in answers] == list(widths)
    assert vitrine_processes(apache_fcgid) > 1


def vitrine_processes(site):
    """How many run from the folder that the site's program was copied to."""
    program = str(site.store.parent / "vitrine.fcgi")
    return sum(1 for link in pathlib.Path("/proc").glob("[0-9]*/exe") if program_of(link) == program)


def program_of(link):
    try:
        return os.readlink(link)
    except OSError:
        return None


def test_mod_fcgid_leaves_no_process_behind(services, assets):
    site = web.apache_fcgid_site(services.sections)
    with site:
        assert site.get(PICTURE).status == 200
        assert vitrine_processes(site) > 0

    wait_until(lambda: vitrine_processes(site) == 0, 10, "the processes were gone")


@pytest.mark.skipif(not Apache.has_xsendfile(), reason="libapache2-mod-xsendfile is not installed")
@pytest.mark.parametrize("make", [web.apache_proxy_site, web.apache_fcgid_site])
def test_apache_sends_the_file_itself_with_mod_xsendfile(services, assets, nginx_body, make):
    want = nginx_body.get(PICTURE)

    with make(services.sections, "sendfile") as site:
        answer = site.get(PICTURE)

        assert answer.status == 200 and answer.body == want.body
        assert answer["ETag"] == want["ETag"]
        assert site.get(PICTURE, range="bytes=10-19").body == want.body[10:20]
        assert site.get(PICTURE, if_none_match=want["ETag"]).status == 304
