"""Nobody waits for AVIF: .auto answers in the next best format, and the better one is there later."""

import concurrent.futures
import re
import shutil
import time

import pytest

import apache
import web
from process import wait_until
from processes import of_program, renderers, stopped

AVIF = "image/avif,image/webp,image/*,*/*;q=0.8"
PATH = "/a/photo/w=300/x.auto"
A_MOMENT = 1.5      # in which one would have been made
GIVES_WAY_S = 2


@pytest.fixture
def site(new_site):
    return new_site(render={"renderers": "2"})


def becomes(site, path, media_type, accept=AVIF):
    answers = []

    def is_there():
        answers.append(site.get(path, accept=accept))
        return answers[-1]["Content-Type"] == media_type

    wait_until(is_there, 15, f"{path} was {media_type}")
    return answers


def frozen_renderers(site):
    return stopped(renderers(site.vitrine.process.pid))


def made(site):
    return int(site.metrics().get('vitrine_made_ahead_total{result="ok"}', 0))


def test_the_first_gets_webp_for_a_short_time_and_later_ones_avif(site):
    first = site.get(PATH, accept=AVIF)
    assert (first.status, first["Content-Type"], first["Cache-Control"]) == (200, "image/webp", "public, max-age=60")
    assert "Accept" in first["Vary"]
    assert first.body == site.get(PATH, accept="image/webp").body
    last = becomes(site, PATH, "image/avif")[-1]
    assert last["Cache-Control"] == "public, max-age=86400" and last["Vary"] == first["Vary"]
    assert last["ETag"] != first["ETag"]
    assert site.get("/a/photo/w=300/x.avif").body == last.body, "the same file"


def test_it_is_made_once_for_all_who_ask(site):
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: site.get(PATH, accept=AVIF), range(6)))
    assert {answer["Content-Type"] for answer in answers} == {"image/webp"}
    becomes(site, PATH, "image/avif")
    assert made(site) == 1
    assert site.metrics()['vitrine_renders_total{result="ok"}'] == 2, "one of each"
    assert site.log_text().count("event=made-ahead") == 1


def test_what_both_have_is_confirmed(site):
    webp = site.get(PATH, accept=AVIF)
    avif = becomes(site, PATH, "image/avif")[-1]
    for etag in (webp["ETag"], avif["ETag"]):
        answer = site.get(PATH, accept=AVIF, if_none_match=etag)
        assert answer.status == (304 if etag == avif["ETag"] else 200)
    assert site.get(PATH, accept="image/webp", if_none_match=webp["ETag"]).status == 304


def test_while_it_is_made_the_interim_one_is_confirmed_for_a_short_time(new_site):
    site = new_site(render={"renderers": "1"})
    etag = site.get(PATH, accept="image/webp")["ETag"]
    with frozen_renderers(site):
        answer = site.get(PATH, accept=AVIF, if_none_match=etag)
        assert (answer.status, answer["Cache-Control"]) == (304, "public, max-age=60")


def test_explicit_avif_and_clients_that_take_nothing_else_wait(site):
    assert site.get("/a/photo/w=301/x.avif")["Content-Type"] == "image/avif"
    answer = site.get("/a/photo/w=302/x.auto", accept="image/avif")
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("image/avif", "public, max-age=86400")
    assert made(site) == 0


def test_who_would_rather_not_wait_takes_what_there_is_first(site):
    path = "/a/photo/w=303/x.auto"
    assert site.get(path, accept="image/avif,*/*")["Content-Type"] == "image/jpeg"
    becomes(site, path, "image/avif", "image/avif,*/*")
    assert site.get(path, accept=AVIF)["Content-Type"] == "image/avif"


def test_a_head_makes_nothing_and_says_what_get_would(site):
    head = site.head(PATH, accept=AVIF)
    assert (head["Content-Type"], head["Cache-Control"]) == ("image/webp", "public, max-age=60")
    time.sleep(A_MOMENT)
    assert site.metrics()['vitrine_renders_total{result="ok"}'] == 0


def test_without_it_the_first_waits(new_site):
    site = new_site(render={"ahead": "0"})
    assert site.get(PATH, accept=AVIF)["Content-Type"] == "image/avif"


def test_the_time_of_an_interim_answer_is_a_setting(new_site):
    site = new_site(http={"interim_max_age_s": "7"})
    assert site.get(PATH, accept=AVIF)["Cache-Control"] == "public, max-age=7"


def test_nothing_is_made_ahead_while_all_renderers_have_work(new_site):
    site = new_site(render={"renderers": "1"})
    site.get(PATH, accept="image/webp")
    with concurrent.futures.ThreadPoolExecutor(1) as pool, frozen_renderers(site):
        busy = pool.submit(site.get, "/a/photo/w=444/x.jpg")
        wait_until(lambda: site.metrics()["vitrine_slow_requests"] == 1, 5, "one was at work")
        assert site.get(PATH, accept=AVIF)["Content-Type"] == "image/webp"
    assert busy.result().status == 200
    time.sleep(A_MOMENT)
    assert "event=made-ahead" not in site.log_text()
    becomes(site, PATH, "image/avif")


def test_save_data_holds_for_both(site):
    path = "/a/photo/w=320/x.auto"
    low = site.get(path, accept=AVIF, save_data="on")
    assert low["Content-Type"] == "image/webp" and low.body == site.get(path, accept="image/webp", save_data="on").body
    assert len(low.body) < len(site.get(path, accept="image/webp").body)


def test_under_mod_fcgid_it_is_made_as_well(services, assets):
    """By the process that answered, with its own renderer."""
    with web.apache_fcgid_site(services.sections) as site:
        assert site.get(PATH, accept=AVIF)["Content-Type"] == "image/webp"
        becomes(site, PATH, "image/avif")


@pytest.fixture
def site_of_one_process(services, assets, tmp_path, monkeypatch):
    """Apache with mod_fcgid and one process: what this one does, all wait for."""
    shipped = tmp_path / "apache-conf"
    shutil.copytree(apache.CONFIGURATION, shipped)
    path = shipped / "vitrine-fcgid.conf"
    changed, count = re.subn("FcgidMaxProcessesPerClass .*", "FcgidMaxProcessesPerClass 1", path.read_text())
    assert count == 1
    path.write_text(changed)
    monkeypatch.setattr(apache, "CONFIGURATION", shipped)
    with web.apache_fcgid_site(services.sections) as site:
        yield site


def test_under_mod_fcgid_it_gives_way_to_the_next_request(site_of_one_process):
    site = site_of_one_process
    site.get(PATH, accept="image/webp")
    [responder] = [pid for pid in of_program(site.store.parent / "vitrine.fcgi") if renderers(pid)]
    with stopped(renderers(responder)):
        assert site.get(PATH, accept=AVIF)["Content-Type"] == "image/webp"
        began = time.monotonic()
        assert site.get(PATH, accept="image/webp").status == 200
        waited = time.monotonic() - began
    assert waited < GIVES_WAY_S, "the frozen renderer has 15 s for its job"
    wait_until(lambda: "event=made-ahead" in site.log_text(), 5, "it was given up")
    assert 'reason="the client has gone"' in site.log_text()
    # Whoever asks too soon would again come before it.
    wait_until(lambda: site.get(PATH, accept=AVIF)["Content-Type"] == "image/avif", 15, "it was made", pause=A_MOMENT)
    assert len(of_program(site.store.parent / "vitrine.fcgi")) == 1
