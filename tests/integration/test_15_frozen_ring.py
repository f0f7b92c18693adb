"""A purge that a memcached could not be told of, because it was frozen: who notices, and what it costs."""

import contextlib
import subprocess
import time

import pytest

import pictures
from catalogs import NO_WAIT_MS, QUERY_TIMEOUT_MS, ask, connect, database, hashed, insert, ring  # noqa: F401
from process import frozen, wait_until

PAUSE_S = 1.1           # retry_after_s of the probe's peers
CLOCKS_DIFFER_S = 2     # lib/catalog/asset_ring.c


@pytest.fixture(scope="module")
def started_database(services):
    return services.database


@pytest.fixture(scope="module")
def started_ring(services):
    return services.ring


def entry_in(ring, key):
    """What lies there, without its envelope."""
    answers = [member.ask(f"get vitrine:{key}") for member in ring.members]
    return next(answer for answer in answers if "VALUE" in answer).removesuffix("\r\nEND\r\n").split("\n", 2)[2]


def plant(ring, key, value):
    """As lib/peers/envelope.h says."""
    sealed = f"{key} {len(value):08}\n{value}"
    wrapped = f"vitrine 2 {hashed(sealed)} {sealed}"
    for member in ring.members:
        assert member.ask(f"set vitrine:{key} 0 60 {len(wrapped)}\r\n{wrapped}") == "STORED\r\n"


@pytest.fixture
def purged(database, connect, ring, tmp_path):
    """(reader, id, version): purged while the ring was frozen, which is thawed now and has the old row.
    The reader has asked the ring meanwhile, of another asset on each member, and not of this one."""
    reader, writer = connect(ring, breakers=tmp_path / "reader"), connect(ring)
    name = insert(writer)
    others = [insert(writer) for _ in range(8)]
    database.wait_for_replicas()
    assert ask(reader, f"find {name}").tier == "peer"
    with frozen(*ring.members):
        version = ask(writer, f"purge {name}").version
        assert {ask(reader, f"find {other}").tier for other in others} == {"replica"}
        database.wait_for_replicas()
    time.sleep(PAUSE_S)
    return reader, name, version


def test_who_noticed_asks_the_database_and_mends_the_ring(purged, connect, ring):
    reader, name, version = purged
    answer = ask(reader, f"find {name}")
    assert (answer.tier, answer.version) == ("replica", version)
    # It is what this one would have believed for a minute.
    blind = connect(ring)
    assert (ask(blind, f"find {name}").tier, ask(blind, f"find {name}").version) == ("peer", version)


def test_who_did_not_notice_believes_the_old_row(connect, ring, purged):
    """The limit of it: nobody told this one.  If this fails, the tests beside it prove nothing."""
    _, name, version = purged
    answer = ask(connect(ring), f"find {name}")
    assert answer.tier == "peer" and answer.version < version


def test_what_another_process_of_the_machine_noticed_is_enough(purged, connect, ring, tmp_path):
    _, name, version = purged
    other = connect(ring, breakers=tmp_path / "reader")
    assert (ask(other, f"find {name}").tier, ask(other, f"find {name}").version) == ("replica", version)


def test_what_was_written_after_the_failure_is_believed_again(purged):
    reader, name, version = purged
    time.sleep(CLOCKS_DIFFER_S)
    answers = [ask(reader, f"find {name}") for _ in range(5)]
    assert [answer.tier for answer in answers] == ["replica"] + ["peer"] * 4
    assert {answer.version for answer in answers} == {version}


@pytest.mark.parametrize("ahead_s, tier", [(CLOCKS_DIFFER_S - 1, "replica"), (CLOCKS_DIFFER_S + 1, "peer")])
def test_a_server_whose_clock_is_a_little_ahead_is_doubted_too(database, connect, ring, ahead_s, tier):
    """Of two seconds one is for the rounding of this test."""
    reader, writer = connect(ring), connect(ring)
    name = insert(writer)
    database.wait_for_replicas()
    key = hashed(f"asset {name}")
    head, row = entry_in(ring, key).split("\n", 1)
    with frozen(*ring.members):
        assert ask(reader, f"find {name}").tier == "replica"
        failed_at = int(time.time())
    words = head.split(" ")
    words[3] = str(failed_at + ahead_s)
    plant(ring, key, " ".join(words) + "\n" + row)
    time.sleep(PAUSE_S)
    assert ask(reader, f"find {name}").tier == tier


def test_that_an_asset_is_missing_is_doubted_too(database, connect, ring):
    reader, writer = connect(ring), connect(ring)
    name = insert(writer)
    database.primary.sql(f"DELETE FROM vitrine.asset WHERE id = '{name}'")
    database.wait_for_replicas()
    ring.forget_everything()
    assert [ask(reader, f"find {name}").word for _ in range(2)] == ["not-found"] * 2
    with frozen(*ring.members):
        assert ask(writer, f"insert {name} media 77 again/{name}.jpg").word == "found"
        assert {ask(reader, f"find {name}{number}").word for number in range(8)} == {"not-found"}
        database.wait_for_replicas()
    time.sleep(PAUSE_S)
    assert ask(reader, f"find {name}").width == 77


@pytest.mark.parametrize("how", ["freeze", "kill"])
def test_a_doubtful_row_is_better_than_an_error(database, purged, how):
    """Whatever it takes to find out that the database does not answer either, it is no more than a second."""
    reader, name, version = purged
    for server in database.servers:
        getattr(server, how)()
    answers = [ask(reader, f"find {name}") for _ in range(3)]
    assert {(answer.word, answer.tier) for answer in answers} == {("found", "late")}
    assert all(answer.version < version for answer in answers)
    assert all(answer.milliseconds < (1000 if how == "freeze" else 0) + NO_WAIT_MS for answer in answers)


def test_a_doubtful_row_that_is_older_than_what_was_seen_is_not_served(database, purged):
    reader, name, version = purged
    for server in database.servers:
        server.kill()
    assert ask(reader, f"find {name} {version}").word == "unavailable"


def test_a_lagging_replica_does_not_confirm_an_older_row_than_the_doubtful_one(database, connect, ring):
    reader, writer = connect(ring), connect(ring)
    name = insert(writer)
    database.wait_for_replicas()
    for replica in database.replicas:
        replica.stop_replication()
    version = ask(writer, f"purge {name}").version
    with frozen(*ring.members):
        assert ask(reader, f"find {name} {version}").tier == "primary"
    time.sleep(PAUSE_S)
    answers = [ask(reader, f"find {name}") for _ in range(2)]
    assert {answer.version for answer in answers} == {version}


# ---- the writer tells what it could not --------------------------------------------------


def tell(probe):
    left, milliseconds = probe.ask("tell").split()
    return int(left), float(milliseconds)


def test_a_writer_tells_the_ring_as_soon_as_it_answers(database, connect, ring):
    blind, writer = connect(ring), connect(ring)
    names = [insert(writer) for _ in range(8)]
    assert tell(writer) == (0, pytest.approx(0, abs=20))
    with frozen(*ring.members):
        versions = [ask(writer, f"purge {name}").version for name in names]
        writer.send("tell")
        time.sleep(0.3)
    left, milliseconds = writer.receive().split()
    assert left == "0" and float(milliseconds) < 3000
    assert [(ask(blind, f"find {name}").tier, ask(blind, f"find {name}").version) for name in names] == \
        [("peer", version) for version in versions]


def test_a_writer_gives_up_at_its_deadline_and_says_how_many(connect, ring):
    writer = connect(ring, deadline=700)
    names = [insert(writer) for _ in range(3)]
    with frozen(*ring.members):
        for name in names:
            assert ask(writer, f"purge {name}").word == "found"
        left, milliseconds = tell(writer)
    assert left == 3 and 600 < milliseconds < 700 + 2 * QUERY_TIMEOUT_MS


def test_there_is_nobody_to_tell_without_a_ring(connect):
    writer = connect()
    name = insert(writer)
    assert ask(writer, f"purge {name}").word == "found"
    assert tell(writer)[0] == 0


def test_a_newer_row_of_somebody_else_is_left_alone(database, connect, ring):
    blind, slow, quick = connect(ring), connect(ring), connect(ring)
    name = insert(slow)
    with frozen(*ring.members):
        ask(slow, f"purge {name}")
    time.sleep(PAUSE_S)
    version = ask(quick, f"update {name} 55").version
    assert tell(slow)[0] == 0
    answer = ask(blind, f"find {name}")
    assert (answer.tier, answer.version, answer.width) == ("peer", version, 55)


# ---- whole servers ------------------------------------------------------------------------


def put_picture(services, folder, name, image):
    folder.mkdir(exist_ok=True)
    image.save(folder / name)
    services.admin.run("import", folder)
    services.database.wait_for_replicas()


def test_a_server_that_noticed_shows_the_new_picture_at_once(new_site, services, assets, tmp_path):
    """Two servers with stores and memories of their own; the purge is over before the ring is back."""
    put_picture(services, tmp_path / "pictures", "thawed.png", pictures.quadrants(200, 100))
    first, second = (new_site(peers={"retry_after_s": "1"}) for _ in range(2))
    path = "/a/thawed/w=50/x.png"
    old = first.get(path)
    assert old.status == 200 and first.logged(first.get(path))["catalog"] == "peer"
    with frozen(*services.ring.members):
        done = services.admin.run("purge", "thawed", check=False)
        assert done.returncode == 0 and done.stdout.startswith("thawed\t")
        assert "1 of the rows written could not be told to a memcached that does not answer" in done.stderr
        services.database.wait_for_replicas()
        # It has never heard of the picture: all that it knows is that the ring did not answer.
        for asset in assets:
            assert second.get(f"/a/{asset}/info.json").status == 200
    wait_until(lambda: second.logged(second.get("/a/photo/info.json"))["catalog"] == "peer", 5, "the ring was asked again")
    new = second.get(path)
    assert new.status == 200 and new["ETag"] != old["ETag"]
    assert second.logged(new)["catalog"] in ("replica", "primary")
    assert first.get(path)["ETag"] == new["ETag"]


def test_a_purge_is_told_when_the_ring_answers_in_time(services, assets, tmp_path, new_site):
    put_picture(services, tmp_path / "pictures", "brief.png", pictures.quadrants(200, 100))
    site = new_site()
    path = "/a/brief/w=50/x.png"
    old = site.get(path)
    with contextlib.ExitStack() as stack:
        stack.enter_context(frozen(*services.ring.members))
        purge = stack.enter_context(subprocess.Popen(
            [services.admin.build / "vitrine", f"--config={services.admin.config}", "purge", "brief"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        time.sleep(1.5)
        for member in services.ring.members:
            member.thaw()
        output, errors = purge.communicate(timeout=10)
    assert output.startswith("brief\t") and errors == "" and purge.returncode == 0
    # It asked nothing of the ring while that was frozen.
    new = site.get(path)
    assert new["ETag"] != old["ETag"] and site.logged(new)["catalog"] == "peer"
