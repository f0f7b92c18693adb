"""What must hold when many want the same, and when what Vitrine depends on is gone."""

import concurrent.futures
import contextlib
import io
import os
import signal
import socket
import time

import pytest

import pictures
from objects import put_object
from process import frozen, wait_until
from processes import renderers, responders

HIT = "/a/photo/w=300/x.webp"


def put_picture(services, folder, name, image):
    folder.mkdir(exist_ok=True)
    image.save(folder / name)
    services.admin.run("import", folder)
    services.database.wait_for_replicas()


@contextlib.contextmanager
def asking(site, paths, without=()):
    """Answers to come, each asked by a client of its own; until the block ends these
    servers are frozen."""
    with concurrent.futures.ThreadPoolExecutor(len(paths)) as pool, frozen(*without):
        yield [pool.submit(site.get, path) for path in paths]


def seconds_of(action):
    began = time.monotonic()
    result = action()
    return result, time.monotonic() - began


def median_ms(action, count=21):
    return sorted(seconds_of(action)[1] for _ in range(count))[count // 2] * 1000


# ---- lanes ------------------------------------------------------------------------------

def test_hits_are_served_while_the_slow_path_is_full(new_site, services):
    site = new_site(server={"responders": "6", "slow_responders": "4"})
    assert site.get(HIT).status == 200
    cold = [f"/a/badge/w={width}/x.png" for width in range(30, 33)] + ["/a/quadrants/w=30/x.png"]
    with asking(site, cold, without=[services.s3]) as answers:
        wait_until(lambda: site.metrics()["vitrine_slow_requests"] == 4, 5, "the slow path was full")
        assert median_ms(lambda: site.get(HIT)) < 50
        refused, seconds = seconds_of(lambda: site.get("/a/rotated/w=31/x.png"))
        assert refused.status == 503 and refused["Retry-After"] and seconds < 0.25
        assert median_ms(lambda: site.get("/a/rotated/w=31/x.png")) < 50
    assert [answer.result().status for answer in answers] == [200] * 4
    assert site.get("/a/rotated/w=31/x.png").status == 200


def test_who_waits_for_one_picture_leaves_places_for_another(new_site, services):
    site = new_site(server={"responders": "12", "slow_responders": "8"})
    with asking(site, ["/a/badge/w=40/x.png"] * 10, without=[services.s3]) as answers:
        wait_until(lambda: site.metrics()["vitrine_slow_requests_waiting"] == 6, 5, "six waited")
        wait_until(lambda: sum(answer.done() for answer in answers) == 3, 5, "the others were refused")
        assert site.metrics()["vitrine_slow_requests"] == 7
    assert sorted(answer.result().status for answer in answers) == [200] * 7 + [503] * 3


def test_work_beyond_the_backlog_is_refused_at_once(new_site, services, tmp_path):
    """Three jobs of about 0.9 s each do not fit into 2 s."""
    put_picture(services, tmp_path / "pictures", "dear.png", pictures.photo(3000, 2000))
    site = new_site(render={"renderers": "1", "backlog_ms": "2000", "heavy_ms": "100000"})
    dear = [f"/a/dear/w={width}/x.webp" for width in range(2400, 2403)]
    with asking(site, dear, without=[services.s3]) as answers:
        wait_until(lambda: any(answer.done() for answer in answers), 5, "one was refused")
        load = site.metrics()
        assert 1 <= load["vitrine_render_backlog_seconds"] <= load["vitrine_render_backlog_limit_seconds"] == 2
    assert sorted(answer.result().status for answer in answers) in ([200, 200, 503], [200, 503, 503])
    assert site.metrics()["vitrine_render_backlog_seconds"] == 0


def test_a_heavy_job_leaves_a_renderer_free(new_site, services, tmp_path):
    """All three are heavy here; the light one passes them."""
    put_picture(services, tmp_path / "pictures", "heavy.png", pictures.photo(3000, 2000))
    site = new_site(render={"renderers": "2", "heavy_ms": "300"})
    assert site.get("/a/heavy/w=20/x.jpg").status == 200
    assert site.get("/a/photo/w=20/x.jpg").status == 200
    with asking(site, [f"/a/heavy/w={width}/x.avif" for width in (1200, 1201, 1202)]) as answers:
        wait_until(lambda: site.metrics()["vitrine_slow_requests"] == 3, 5, "three were in hand")
        light, seconds = seconds_of(lambda: site.get("/a/photo/w=21/x.jpg"))
        assert light.status == 200
        assert not all(answer.done() for answer in answers) and seconds < 1
    assert [answer.result().status for answer in answers] == [200] * 3


# ---- one flight -------------------------------------------------------------------------

def test_a_failure_is_shared_by_those_who_waited(new_site, services, tmp_path):
    """The damaged picture is tried once, not once for each."""
    whole = io.BytesIO()
    pictures.photo(1200, 800).save(whole, "JPEG")
    put_picture(services, tmp_path / "pictures", "cut.jpg", pictures.photo(1200, 800))
    put_object(services, "cut.jpg", whole.getvalue()[:20000])
    services.admin.run("purge", "cut")
    services.database.wait_for_replicas()
    site = new_site()
    with asking(site, ["/a/cut/w=100/x.webp"] * 8, without=[services.s3]) as answers:
        wait_until(lambda: site.metrics()["vitrine_slow_requests_waiting"] == 7, 5, "seven waited")
    assert {answer.result().status for answer in answers} == {422}
    assert site.get("/a/cut/w=100/x.webp").status == 422
    assert site.metrics()['vitrine_renders_total{result="unprocessable"}'] == 1


def test_who_waited_goes_on_when_the_leader_is_killed(new_site, services):
    site = new_site()
    path = "/a/badge/w=61/x.png"
    with asking(site, [path] * 3, without=[services.s3]) as answers:
        wait_until(lambda: site.metrics()["vitrine_slow_requests_waiting"] == 2, 5, "two waited")
        leader = _flight_holder(site)
        os.kill(leader, signal.SIGKILL)
    assert sorted(answer.result().status for answer in answers) == [200, 200, 502]


def _flight_holder(site):
    """The responder that writes a file in tmp/."""
    for pid in responders(site.vitrine.process.pid):
        for number in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                if f"{site.store}/tmp/" in os.readlink(f"/proc/{pid}/fd/{number}"):
                    return pid
    raise AssertionError("nobody fetches")


HERD = 200
SHARING = {"server": {"share_bytes": "100K", "responders": "40", "slow_responders": "32"}}


def sum_of(sites, name):
    return sum(site.metrics().get(name, 0) for site in sites)


def test_a_herd_on_three_servers_costs_one_fetch_and_one_render(new_site, services):
    """Three quarters of slow_responders may wait."""
    sites = [new_site(server={**SHARING["server"], "responders": "104", "slow_responders": "92"}) for _ in range(3)]
    with concurrent.futures.ThreadPoolExecutor(HERD) as pool, frozen(services.s3):
        answers = [pool.submit(sites[number % 3].get, "/a/photo/w=555/x.webp") for number in range(HERD)]
        wait_until(lambda: sum_of(sites, "vitrine_slow_requests") == HERD, 10, "all had come")
    assert {answer.result().status for answer in answers} == {200}
    assert len({answer.result().body for answer in answers}) == 1
    assert sum_of(sites, 'vitrine_origin_fetches_total{result="ok"}') == 1
    assert sum_of(sites, 'vitrine_renders_total{result="ok"}') == 1


def test_another_server_takes_over_when_the_one_that_makes_it_dies(new_site, services):
    first, second = new_site(**SHARING), new_site(**SHARING)
    path = "/a/photo/w=556/x.webp"
    with asking(first, [path], without=[services.s3]) as lost:
        wait_until(lambda: any((first.store / "tmp").iterdir()), 5, "the first was fetching")
        with asking(second, [path]) as answers:
            wait_until(lambda: second.metrics()["vitrine_slow_requests"] == 1, 5, "the second waited")
            first.vitrine.process.kill()
            services.s3.thaw()
            answer, seconds = seconds_of(answers[0].result)
    assert lost[0].result().status in (502, 504)
    assert answer.status == 200 and seconds < 5
    assert second.logged(answer)["tier"] == "rendered"


def test_a_large_variant_is_made_by_each_server(new_site):
    """It is not shared, so nobody waits for it longer than it takes."""
    first, second = new_site(**SHARING), new_site(**SHARING)
    path = "/a/photo/w=1200,lossless=1/x.png"
    with asking(first, [path]) as ours, asking(second, [path]) as theirs:
        pass
    assert ours[0].result().status == theirs[0].result().status == 200
    assert len(ours[0].result().body) > 100_000
    assert sum_of([first, second], 'vitrine_renders_total{result="ok"}') == 2


# ---- clients that go --------------------------------------------------------------------

def _ask_and_leave(site, path):
    """A client that hangs up once its request is being worked on."""
    client = socket.create_connection(site.address, timeout=5)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return client


def test_nobody_works_for_a_client_that_has_gone(new_site, services):
    site = new_site()
    with frozen(services.s3):
        client = _ask_and_leave(site, "/a/badge/w=71/x.png")
        wait_until(lambda: site.metrics()["vitrine_slow_requests"] == 1, 5, "it was being fetched")
        client.close()
        wait_until(lambda: site.metrics()["vitrine_slow_requests"] == 0, 1, "its responder was free")
        wait_until(lambda: "status=499" in site.log_text(), 2, "the log said so")


def test_a_client_that_goes_does_not_take_the_others_picture(new_site, services):
    site = new_site()
    path = "/a/badge/w=72/x.png"
    with frozen(services.s3):
        client = _ask_and_leave(site, path)
        wait_until(lambda: site.metrics()["vitrine_slow_requests"] == 1, 5, "it was being fetched")
        with asking(site, [path]) as answers:
            wait_until(lambda: site.metrics()["vitrine_slow_requests_waiting"] == 1, 5, "another one waited")
            client.close()
            time.sleep(0.5)
            assert site.metrics()["vitrine_slow_requests"] == 2
            services.s3.thaw()
            assert answers[0].result().status == 200
            assert site.logged(answers[0].result())["tier"] == "joined"


# ---- outages ----------------------------------------------------------------------------

@contextlib.contextmanager
def stopped(servers):
    for server in servers:
        server.kill()
    try:
        yield
    finally:
        for server in servers:
            server.start()


def _everything(services):
    return [services.database.primary, *services.database.replicas, *services.ring.members, services.s3]


@pytest.mark.parametrize("how", [stopped, lambda servers: frozen(*servers)], ids=["killed", "frozen"])
def test_what_was_served_is_served_without_anybody(new_site, services, how):
    site = new_site()
    stored = [f"/a/{name}/w=48/x.png" for name in ("photo", "badge", "quadrants")]
    before = [site.get(path).body for path in stored]
    with how(_everything(services)):
        for _ in range(3):
            assert [site.get(path).body for path in stored] == before
            time.sleep(0.4)
        assert median_ms(lambda: site.get(stored[0])) < 50
        assert site.logged(site.get(stored[1]))["catalog"] == "stale"
        assert site.metrics()['vitrine_catalog_answers_total{tier="stale"}'] >= 3
        cold, seconds = seconds_of(lambda: site.get("/a/frames/w=30/x.png"))
        assert cold.status == 503 and cold["Retry-After"] and cold["Cache-Control"] == "no-store"
        assert seconds < 5
        # One request per pause finds out whether a server is back; the others know that it is not.
        assert median_ms(lambda: site.get("/a/frames/w=30/x.png"), 5) < 250
    wait_until(lambda: site.get("/a/frames/w=30/x.png").status == 200, 6, "it had recovered")
    wait_until(lambda: site.logged(site.get(stored[1]))["catalog"] != "stale", 6, "rows were fresh")
    services.database.wait_for_replicas()


def test_what_is_known_survives_a_restart_without_a_database(new_site, services):
    site = new_site()
    before = site.get("/a/photo/w=49/x.png").body
    with frozen(*_everything(services)):
        site.vitrine.stop()
        site.vitrine.start()
        assert site.get("/a/photo/w=49/x.png").body == before


def test_a_row_that_was_asked_for_a_moment_ago_is_believed(new_site, services):
    site = new_site(server={"row_lifetime_ms": "60000"})
    site.get(HIT)
    answer = site.get(HIT)
    assert site.logged(answer)["catalog"] == "local"
    assert site.metrics()['vitrine_catalog_answers_total{tier="local"}'] == 1


def test_a_fallback_stands_in_for_an_origin(new_site, services, assets, tmp_path):
    """A folder with the same keys; whose bytes are not those of the row is refused."""
    backup = tmp_path / "backup"
    backup.mkdir()
    (backup / "photo.jpg").write_bytes(assets["photo"].original)
    (backup / "badge.png").write_bytes(assets["badge"].original[:-1] + b"?")
    dead = {"endpoint": "http://127.0.0.1:9", "fallback": "backup"}
    site = new_site(**{"origin.media": dead, "origin.backup": {"kind": "directory", "root": backup}})
    made, seconds = seconds_of(lambda: site.get("/a/photo/w=62/x.jpg"))
    assert made.status == 200 and made.image().size[0] == 62 and seconds < 2
    assert site.get("/a/badge/w=62/x.png").status == 502
    assert site.get("/a/quadrants/w=62/x.png").status in (502, 503)
    assert site.metrics()["vitrine_origin_fallbacks_total"] == 1


# ---- quarantine -------------------------------------------------------------------------

def _kill_while_rendering(site, path):
    """The renderer that works on it dies of it, as far as anybody can see."""
    with asking(site, [path]) as answers:
        wait_until(lambda: _busy_renderer(site) or answers[0].done(), 10, "it was being rendered", pause=0.002)
        pid = _busy_renderer(site)
        if pid:
            os.kill(pid, signal.SIGKILL)
    return answers[0].result()


def _busy_renderer(site):
    for pid in renderers(site.vitrine.process.pid):
        with contextlib.suppress(OSError):
            for number in os.listdir(f"/proc/{pid}/fd"):
                if f"{site.store}/tmp/" in os.readlink(f"/proc/{pid}/fd/{number}"):
                    return pid
    return None


def test_a_renderer_that_dies_once_is_no_verdict_on_the_picture(new_site, services, tmp_path):
    """It may have been killed for want of memory."""
    put_picture(services, tmp_path / "pictures", "innocent.png", pictures.photo(3000, 2000))
    site = new_site()
    path = "/a/innocent/w=1001/x.jpg"
    answer = _kill_while_rendering(site, path)
    assert answer.status == 422 and answer["Cache-Control"] == "no-store" and answer["Retry-After"]
    wait_until(lambda: site.get(path).status == 200, 4, "it was tried again")


def test_an_asset_that_kills_renderers_is_left_alone(new_site, services, tmp_path):
    put_picture(services, tmp_path / "pictures", "poison.png", pictures.photo(3000, 2000))
    sites = [new_site(), new_site()]
    for width in range(1001, 1004):
        answer = _kill_while_rendering(sites[0], f"/a/poison/w={width}/x.avif")
        assert answer.status == 422
    for number, site in enumerate(sites):
        answer, seconds = seconds_of(lambda site=site, number=number: site.get(f"/a/poison/w={10 + number}/x.jpg"))
        assert answer.status == 422 and "ended 3 renderers" in answer.body.decode() and seconds < 0.5
    assert "quarantine" in services.admin.run("inspect", "poison")
    assert services.admin.run("release", "poison") == "poison\treleased\n"
    assert sites[0].get("/a/poison/w=12/x.jpg").status == 200


def test_a_new_version_has_a_clean_record(new_site, services, tmp_path):
    put_picture(services, tmp_path / "pictures", "cured.png", pictures.photo(3000, 2000))
    site = new_site()
    for width in range(1001, 1004):
        assert _kill_while_rendering(site, f"/a/cured/w={width}/x.avif").status == 422
    assert site.get("/a/cured/w=10/x.jpg").status == 422
    services.admin.run("purge", "cured")
    assert site.get("/a/cured/w=10/x.jpg").status == 200
