"""What a request for a picture does: tiers, single flight, purge, policy, log."""

import concurrent.futures
import re
import time

import pytest

import pictures
from objects import put_object
from process import wait_until


def variants_of(site):
    return [path for path in site.store.glob("variants/*/*/*") if path.is_file()]


def originals_of(site):
    return [path for path in site.store.glob("originals/*/*/*") if path.is_file()]


def import_picture(services, folder, name, image):
    folder.mkdir(exist_ok=True)
    image.save(folder / name)
    services.admin.run("import", folder)
    services.database.wait_for_replicas()


# ---- tiers ------------------------------------------------------------------------------

def test_a_picture_is_rendered_once_and_then_found(new_site, assets):
    site = new_site()
    first = site.get("/a/photo/w=400,h=300,fit=cover/anything.webp")
    second = site.get("/a/photo/h=300,fit=cover,w=400/another-name.webp")

    assert first.image().size == (400, 300) and first.image().format == "WEBP"
    assert second.body == first.body and second["ETag"] == first["ETag"]
    assert site.logged(first)["tier"] == "rendered"
    assert site.logged(second)["tier"] == "store"
    assert len(variants_of(site)) == len(originals_of(site)) == 1


def test_the_original_is_fetched_once_for_all_sizes(new_site, assets):
    site = new_site()
    for width in (100, 200, 300):
        assert site.get(f"/a/photo/w={width}/x.jpg").image().width == width
    original = site.get("/a/photo/original/photo.jpg")

    assert original.body == assets["photo"].original
    assert site.logged(original)["tier"] == "store"
    assert site.metrics()['vitrine_origin_fetches_total{result="ok"}'] == 1
    assert site.metrics()['vitrine_renders_total{result="ok"}'] == 3


def test_head_of_what_is_not_there_renders_nothing(new_site, assets):
    site = new_site()
    head = site.head("/a/photo/w=200/x.webp")

    assert head.status == 200 and head["Content-Type"] == "image/webp" and head["Content-Length"] is None
    assert site.logged(head)["tier"] == "conditional"
    assert variants_of(site) == []
    assert site.get("/a/photo/w=200/x.webp")["ETag"] == head["ETag"]


def test_a_304_needs_no_picture(new_site, assets):
    site = new_site()
    etag = site.head("/a/photo/w=200/x.webp")["ETag"]
    answer = site.get("/a/photo/w=200/x.webp", if_none_match=etag)

    assert answer.status == 304
    assert variants_of(site) == []


def test_many_clients_cause_one_fetch_and_one_render(new_site, assets):
    site = new_site(server={"responders": "32", "slow_responders": "28"})
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: site.get("/a/photo/w=777/x.webp"), range(20)))

    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    metrics = site.metrics()
    assert metrics['vitrine_origin_fetches_total{result="ok"}'] == 1
    assert metrics['vitrine_renders_total{result="ok"}'] == 1


def test_the_same_etag_on_every_server(new_site, assets):
    first, second = new_site(), new_site()
    path = "/a/photo/@card/x.png"

    assert first.get(path)["ETag"] == second.get(path)["ETag"]


def test_formats_follow_what_a_client_names(new_site, assets):
    site = new_site(http={"auto_formats": "avif webp"}, render={"ahead": "0"})
    chrome = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
    cases = [(chrome, "avif"), ("image/webp,*/*", "webp"), ("*/*", "jpeg"), ("image/*", "jpeg"),
             ("image/avif;q=0,image/webp", "webp"), ("image/webp;q=0.1,image/avif;q=0.9", "avif"),
             ("image/webp;q=0.3,image/jpeg;q=0.9", "jpeg")]
    for accept, want in cases:
        answer = site.get("/a/photo/w=64/auto", accept=accept)
        assert answer["Content-Type"] == f"image/{want}", accept
        assert answer["Vary"] == "Accept,Save-Data"
    assert site.get("/a/badge/w=64/auto", accept="*/*")["Content-Type"] == "image/png"


# ---- purge ------------------------------------------------------------------------------

def test_a_purge_makes_every_variant_new_on_every_server(new_site, services, tmp_path):
    import_picture(services, tmp_path / "pictures", "purged.png", pictures.quadrants(200, 100))
    """Within the time for which a server believes what it was told."""
    sites = [new_site(server={"row_lifetime_ms": "1000"}) for _ in range(2)]
    paths = ["/a/purged/w=50/x.png", "/a/purged/w=80/x.webp", "/a/purged/original/x.png"]
    before = [site.get(path) for site in sites for path in paths]

    import_picture(services, tmp_path / "pictures", "purged.png", pictures.quadrants(100, 200).rotate(180))
    services.admin.run("purge", "purged")
    services.settle()
    after = [site.get(path) for site in sites for path in paths]

    assert all(answer.status == 200 for answer in before + after)
    for old, new in zip(before, after):
        assert old["ETag"] != new["ETag"] and old.body != new.body
    assert after[0].image().size == (50, 100)


# As many as may wait for one new picture.
CROWD = 8


def _crowd(site, path, seconds):
    """[(when it was asked, the answer)] of several clients at a time."""
    end = time.monotonic() + seconds

    def ask(_):
        answers = []
        while time.monotonic() < end:
            asked_at = time.monotonic()
            answers.append((asked_at, site.get(path)))
        return answers

    with concurrent.futures.ThreadPoolExecutor(CROWD) as pool:
        return [answer for answers in pool.map(ask, range(CROWD)) for answer in answers]


def test_a_purge_holds_in_every_responder_within_two_seconds(new_site, services, tmp_path):
    import_picture(services, tmp_path / "pictures", "crowded.png", pictures.quadrants(200, 100))
    site = new_site(server={"row_lifetime_ms": "1000"})
    old = site.get("/a/crowded/w=50/x.png")["ETag"]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        crowd = pool.submit(_crowd, site, "/a/crowded/w=50/x.png", 4.5)
        time.sleep(1)
        services.admin.run("purge", "crowded")
        purged_at = time.monotonic()
        answers = crowd.result()

    before = [answer for asked_at, answer in answers if asked_at < purged_at - 1]
    after = [answer for asked_at, answer in answers if asked_at > purged_at + 2]
    assert [(asked_at - purged_at, answer) for asked_at, answer in answers if answer.status != 200] == []
    assert before and {answer["ETag"] for answer in before} <= {old}
    assert len(after) > CROWD and old not in {answer["ETag"] for answer in after}


def test_all_responders_together_ask_for_a_row_once_in_its_lifetime(new_site, assets):
    site = new_site(server={"row_lifetime_ms": "1000"})
    site.get("/a/photo/w=100/x.jpg")
    before = site.metrics()
    answers = _crowd(site, "/a/photo/w=100/x.jpg", 3)
    after = site.metrics()

    rows = {tier: after[name] - before[name] for name in after if name.startswith("vitrine_catalog_answers_total")
            for tier in [name.split('"')[1]]}
    assert all(answer.status == 200 for _, answer in answers)
    assert rows["local"] > 50
    assert 1 <= sum(rows.values()) - rows["local"] <= 4


def _ring_asked(services):
    """How often the ring was asked for anything."""
    return sum(int(re.search(r"STAT cmd_get (\d+)", server.ask("stats"))[1]) for server in services.ring.members)


def test_all_responders_together_ask_for_a_missing_row_once_in_its_lifetime(new_site, services):
    site = new_site(server={"row_lifetime_ms": "60000"})
    before = _ring_asked(services)
    answers = _crowd(site, "/a/nobody-has-it/w=100/x.jpg", 3)
    asked = _ring_asked(services) - before

    assert {answer.status for _, answer in answers} == {404} and len(answers) > 50
    assert "no asset nobody-has-it" in site.logged(answers[-1][1])["reason"]
    assert 2 <= asked <= 9      # it is remembered for a second and no longer


def test_what_was_missing_is_there_within_a_second_of_its_upload(new_site, services, tmp_path):
    site = new_site(server={"row_lifetime_ms": "60000"})
    (tmp_path / "pictures").mkdir()
    pictures.quadrants().save(tmp_path / "pictures" / "awaited.png")
    assert site.get("/a/awaited/w=50/x.png").status == 404
    services.admin.run("import", tmp_path / "pictures")
    imported_at = time.monotonic()
    wait_until(lambda: site.get("/a/awaited/w=50/x.png").status == 200, 5, "the upload is there")
    assert time.monotonic() - imported_at < 1.5


def test_a_crowd_asks_once_for_a_row_that_nobody_knows(new_site, services, tmp_path):
    """Nor does who waits for the answer wait for longer than it takes."""
    crowd = 24
    for name in ("alone", "together"):
        import_picture(services, tmp_path / "pictures", f"{name}.png", pictures.quadrants())
    site = new_site(server={"responders": "32", "slow_responders": "28", "row_lifetime_ms": "1000"})
    site.head("/a/alone/w=50/x.png")
    for server in services.ring.members:
        server.forget_everything()
    before = site.metrics()
    with concurrent.futures.ThreadPoolExecutor(crowd) as pool:
        answers = list(pool.map(lambda _: site.head("/a/together/w=50/x.png"), range(crowd)))
    after = site.metrics()

    assert {answer.status for answer in answers} == {200}
    rows = {name: after[name] - before[name] for name in after if name.startswith("vitrine_catalog_answers_total")}
    assert sum(rows.values()) == crowd
    assert rows['vitrine_catalog_answers_total{tier="local"}'] == crowd - 1


def test_a_replaced_object_is_not_served_under_the_old_row(new_site, services, tmp_path):
    """The catalog's etag is of another object: an error, until a purge says that it is right."""
    folder = tmp_path / "pictures"
    import_picture(services, folder, "swapped.png", pictures.quadrants(200, 100))
    put_object(services, "swapped.png", b"not what was imported")
    site = new_site()
    answer = site.get("/a/swapped/w=50/x.png")

    assert answer.status == 502
    assert answer["Cache-Control"] == "no-store"
    assert "another object" in site.logged(answer)["reason"]

    pictures.quadrants(60, 30).save(folder / "new.png")
    put_object(services, "swapped.png", (folder / "new.png").read_bytes())
    services.admin.run("purge", "swapped")
    assert site.get("/a/swapped/w=50/x.png").image().size == (50, 25)


def test_a_fresh_upload_is_there_at_once(new_site, services, tmp_path):
    """Its id was asked for before, and the replicas lag."""
    site = new_site()
    for replica in services.database.replicas:
        replica.stop_replication()
    try:
        folder = tmp_path / "pictures"
        folder.mkdir()
        pictures.quadrants().save(folder / "upload.png")
        assert site.get("/a/upload/w=50/x.png").status == 404
        services.admin.run("import", folder)
        assert site.get("/a/upload/w=50/x.png").status == 200
    finally:
        for replica in services.database.replicas:
            replica.start_replication()


# ---- who may ask ------------------------------------------------------------------------

def test_a_ladder_bounds_unsigned_urls(new_site, services, assets):
    site = new_site(policy={"unsigned": "ladder", "ladder": "100 200"})
    allowed = ["/a/photo/w=100/x.webp", "/a/photo/w=200,dpr=2/x.jpg", "/a/photo/@card/x.auto",
               "/a/photo/@card,dpr=2/x.webp"]
    refused = ["/a/photo/w=101/x.webp", "/a/photo/w=100,h=100/x.webp", "/a/photo/w=100,q=3/x.jpg",
               "/a/photo/original/x.jpg", "/a/photo/-/x.jpg", "/a/photo/@card,w=100/x.webp",
               "/a/photo/@framed,@thumb/x.webp"]
    for path in allowed:
        assert site.get(path).status == 200, path
    for path in refused:
        answer = site.get(path)
        assert answer.status == 403 and answer["Cache-Control"] == "no-store", path
        assert site.get(services.admin.run("sign", path).strip()).status == 200, path


def test_a_signature_can_cover_a_set_of_sizes(new_site, services, assets):
    site = new_site(policy={"unsigned": "none"})
    token = services.admin.run("sign", "/a/photo/w=1/x.webp", "--ops=w+h", "--max=500").strip().split("/")[2]

    assert site.get(f"/s/{token}/photo/w=300/x.webp").image().width == 300
    assert site.get(f"/s/{token}/photo/h=100/x.jpg").image().height == 100
    assert site.get(f"/s/{token}/photo/w=501/x.webp").status == 403
    assert site.get(f"/s/{token}/photo/w=300,q=1/x.webp").status == 403
    assert site.get(f"/s/{token}/badge/w=100/x.webp").status == 403
    assert site.get("/a/photo/w=300/x.webp").status == 403


def test_an_expired_token_is_gone(new_site, services, assets):
    site = new_site()
    signed = services.admin.run("sign", "/a/photo/w=99/x.webp", f"--expires={int(time.time()) + 2}").strip()
    answer = site.get(signed)

    assert answer.status == 200
    assert int(answer["Cache-Control"].split("max-age=")[1]) <= 2
    wait_until(lambda: site.get(signed).status == 410, 5, "the token expired")


@pytest.mark.parametrize("visibility, unsigned, signed", [("signed", 403, 200), ("gone", 410, 410)])
def test_the_row_says_who_may_see_it(new_site, services, tmp_path, visibility, unsigned, signed):
    name = f"only-{visibility}"
    import_picture(services, tmp_path / "pictures", f"{name}.png", pictures.quadrants())
    services.database.primary.sql(f"UPDATE vitrine.asset SET visibility = '{visibility}' WHERE id = '{name}'")
    services.admin.run("purge", name)
    services.database.wait_for_replicas()
    site = new_site()

    assert site.get(f"/a/{name}/w=50/x.png").status == unsigned
    assert site.get(services.admin.run("sign", f"/a/{name}/w=50/x.png").strip()).status == signed


def test_the_stored_focal_point_steers_the_cut(new_site, services, tmp_path):
    import_picture(services, tmp_path / "pictures", "focused.png", pictures.quadrants(300, 100))
    site = new_site()
    middle = site.get("/a/focused/w=40,h=100,fit=cover/x.png").image().convert("RGB")
    services.database.primary.sql(
        "UPDATE vitrine.asset SET focus_x = 0.95, focus_y = 0.5 WHERE id = 'focused'")
    services.admin.run("purge", "focused")
    services.database.wait_for_replicas()
    right = site.get("/a/focused/w=40,h=100,fit=cover/x.png").image().convert("RGB")

    assert pictures.is_near(middle.getpixel((2, 10)), pictures.RED, 12)
    assert pictures.is_near(right.getpixel((2, 10)), pictures.GREEN, 12)


# ---- what is written down ---------------------------------------------------------------

def test_one_line_tells_what_happened(new_site, assets):
    site = new_site()
    answer = site.get("/a/photo/w=210/x.webp?v=1", x_request_id="from-the-front-7")
    line = site.logged(answer)

    assert answer["X-Request-Id"] == "from-the-front-7"
    assert line["id"] == "from-the-front-7"
    assert (line["asset"], line["recipe"], line["format"], line["status"]) == ("photo", "w=210,g=c", "webp", "200")
    assert line["path"] == "/a/photo/w=210/x.webp?v=1"
    assert int(line["bytes"]) == len(answer.body)
    for step in ("catalog_ms", "origin_ms", "render_ms", "store_ms", "send_ms"):
        assert 0 <= float(line[step]) <= float(line["ms"]), step


def test_a_token_cannot_be_read_from_the_log(new_site, services, assets):
    site = new_site()
    for path in ("/a/photo/w=61/x.webp", "/a/nobody/w=62/x.webp"):
        signed = services.admin.run("sign", path).strip()
        answer = site.get(signed)
        secret = signed.split("/")[2].rsplit(".", 1)[1]
        assert site.logged(answer)["path"] == signed.replace(secret, "***")
        assert secret not in site.log_text()


def test_a_line_cannot_be_forged(new_site):
    site = new_site()
    answer = site.raw(b'GET /a/photo/w=1"%0astatus=200/x HTTP/1.1\r\nHost: x\r\n'
                      b'X-Request-Id: evil" status=999\r\nConnection: close\r\n\r\n')
    line = site.logged(answer)

    assert line["status"] == "400"
    assert "evil" not in site.log_text()


def test_metrics_are_what_prometheus_reads(new_site, assets):
    site = new_site()
    site.get("/a/photo/w=50/x.webp")
    site.get("/a/photo/w=50/x.webp")
    site.get("/a/photo/w=0/x.webp")
    answer = site.get("/metrics")
    lines = answer.body.decode().splitlines()
    metrics = site.metrics()

    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    families = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    for line in lines:
        name = line.split("{")[0].split(" ")[0]
        assert line.startswith("#") or any(name in (family, f"{family}_bucket", f"{family}_sum", f"{family}_count")
                                           for family in families), line
    assert metrics['vitrine_responses_total{status="400"}'] == 1
    assert metrics['vitrine_request_duration_seconds_count{tier="store"}'] == 1
    assert metrics['vitrine_request_duration_seconds_bucket{tier="rendered",le="+Inf"}'] == 1
    assert metrics["vitrine_peers_alive"] == 2
    assert sum(value for name, value in metrics.items() if name.startswith("vitrine_catalog_server_up")) == 3


# ---- health -----------------------------------------------------------------------------

def test_health_counts_only_this_servers_own_faults(new_site, services):
    site = new_site()
    wait_until(lambda: site.get("/health?require=database,memcached,s3,database-write").status == 200, 5,
               "a renderer had started")
    services.s3.freeze()
    try:
        assert site.get("/health").status == 200
        answer = site.get("/health?require=s3,database")
        assert answer.status == 503
        assert b'"s3":"an origin does not answer"' in answer.body and b'"database":"ok"' in answer.body
    finally:
        services.s3.thaw()
    assert site.get("/health?require=nonsense").status == 400


def test_asking_for_dependencies_again_and_again_costs_once(new_site, services):
    """One URL must not be a thousand requests to S3, nor occupy every responder."""
    site = new_site(server={"responders": "4", "slow_responders": "3"})
    assert site.get("/a/photo/w=55/x.webp").status == 200
    services.s3.freeze()
    try:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            before = time.monotonic()
            asked = [pool.submit(site.get, "/health?require=" + ",".join(["s3"] * 300)) for _ in range(8)]
            time.sleep(0.3)
            assert site.get("/a/photo/w=55/x.webp").status == 200
            assert time.monotonic() - before < 1
            assert {answer.result().status for answer in asked} == {503}
            assert time.monotonic() - before < 6
    finally:
        services.s3.thaw()
