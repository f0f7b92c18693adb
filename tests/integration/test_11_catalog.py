"""The catalog on a real primary with two replicas: what it finds, writes, remembers and migrates."""

import pathlib
import shutil
import subprocess
import time

import pytest

from catalogs import (  # noqa: F401
    SQL, Answer, ask, connect, database, hashed, ids, insert, ring, started_database, started_ring, NO_WAIT_MS)
from probe import Probe
from mariadb import PASSWORD, MariaDBServer
from process import free_port


# ---- basics -------------------------------------------------------------------------------


def test_finds_what_was_inserted_on_a_replica(database, connect):
    probe = connect()
    name = insert(probe, 123)
    database.wait_for_replicas()
    answer = ask(probe, f"find {name}")
    assert (answer.word, answer.tier, answer.width) == ("found", "replica", 123)


def test_asks_the_primary_when_there_are_no_replicas(connect):
    probe = connect(replicas=[])
    name = insert(probe)
    assert ask(probe, f"find {name}").tier == "primary"


def test_keeps_every_field_at_its_limit(database, connect, ring):
    probe = connect(ring)
    assert ask(probe, "fill full").word == "found"
    row = dict(line.split(" ", 1) for line in probe.ask("print full").split("|")[1:-2])
    version, created = row.pop("version"), row.pop("created")
    assert int(version) // 1000000 - int(created) in (0, 1)
    assert row == {
        "id": "full", "origin": "o" * 32, "key": "%C3%A9" * 512, "bytes": str(2**40),
        "etag": "%22" * 128, "media": "avif", "width": "4000000000", "height": "30000", "frames": "77",
        "orientation": "8", "has_alpha": "1", "is_progressive": "1", "visibility": "signed",
        "has_focus": "1", "focus_x": "0.25", "focus_y": "1", "watermark": "w" * 255,
        "credit": "%F0%9F%93%B7" * 63, "credit_is_imposed": "1",
        "colours": "%2C".join(f"0123a{number}" for number in range(6)), "blurhash": "b" * 28,
        "thumbhash": "%2B" * 36, "placeholder": "p" * 599, "owner": "%27" * 255,
        "updated": created, "expires": "5000000000"}
    assert database.primary.sql(
        "SELECT CHAR_LENGTH(credit), LENGTH(object_key), visibility, media_type, focus_x"
        " FROM vitrine.asset WHERE id = 'full'") == [["63", "1024", "signed", "image/avif", "0.25"]]
    assert ask(probe, "find full").tier == "peer"


def test_finds_by_origin_and_key_byte_for_byte(connect):
    probe = connect()
    name = next(ids)
    ask(probe, f"insert {name} media 7 Dir/Photo {name}.jpg")
    assert ask(probe, f"key media Dir/Photo {name}.jpg").word == "not-found"     # cut at the space
    other = next(ids)
    ask(probe, f"insert {other} media 8 Dir/{other}.jpg")
    assert ask(probe, f"key media Dir/{other}.jpg").width == 8
    assert ask(probe, f"key media dir/{other}.jpg").word == "not-found"
    assert ask(probe, f"key attic Dir/{other}.jpg").word == "not-found"


def test_tells_ids_apart_by_case(connect):
    probe = connect(replicas=[])
    ask(probe, "insert Case media 1 case-1")
    ask(probe, "insert case media 2 case-2")
    assert [ask(probe, f"find {name}").width for name in ("Case", "case")] == [1, 2]


@pytest.mark.parametrize("name", ["", "x" * 65, "no/id", "é"])
@pytest.mark.parametrize("verb", ["find", "fresh", "purge"])
def test_nobody_has_what_is_no_id(connect, verb, name):
    assert ask(connect(), f"{verb} {name}").word == "not-found"


@pytest.mark.parametrize("other", ["{0} media 1 elsewhere-{0}", "{0}-2 media 1 path/{0}.jpg"])
def test_refuses_a_second_id_and_a_second_key(connect, other):
    probe = connect()
    name = insert(probe)
    answer = ask(probe, "insert " + other.format(name))
    assert answer.word == "bad-request" and "duplicate" in answer.detail
    assert ask(probe, f"fresh {name}").word == "found"


def test_update_replaces_the_object_and_nothing_else(connect):
    probe = connect()
    name = insert(probe, 100)
    before = probe.ask(f"print {name}")
    updated = ask(probe, f"update {name} 555")
    assert updated.word == "found" and updated.width == 555
    after = probe.ask(f"print {name}")
    changed = [line.split(" ")[0] for line, old in zip(after.split("|"), before.split("|")) if line != old]
    assert set(changed) - {"updated"} == {"version", "width"}
    assert ask(probe, "update nobody 1").word == "not-found"


# As in enum asset_field.
SETTABLE = {"visibility": 1, "focus": 2, "watermark": 4, "credit": 8, "credit_is_imposed": 16, "owner": 32,
            "expires": 64}


@pytest.mark.parametrize("names", [["visibility"], ["focus"], ["watermark"], ["credit"], ["credit_is_imposed"],
                                   ["owner"], ["expires"], ["focus", "credit"], list(SETTABLE)],
                         ids="+".join)
def test_set_changes_what_was_meant_and_nothing_else(connect, names):
    probe = connect()
    name = insert(probe)
    before = probe.ask(f"print {name}").split("|")
    assert ask(probe, f"set {name} {sum(SETTABLE[field] for field in names)} Ünal").word == "found"
    after = probe.ask(f"print {name}").split("|")
    changed = {line.split(" ")[0] for line, old in zip(after, before) if line != old}
    fields = {field for name in names for field in
              (("has_focus", "focus_x", "focus_y") if name == "focus" else (name,))}
    assert changed - {"updated"} == fields | {"version"}
    assert "credit %C3%9Cnal" in after or "credit" not in names


def test_set_is_seen_by_all_though_replicas_lag(database, connect, ring):
    writer, reader = connect(ring), connect(ring)
    name = insert(writer)
    old = ask(reader, f"find {name}").version
    for replica in database.replicas:
        replica.stop_replication()
    changed = ask(writer, f"set {name} {SETTABLE['credit']} Ünal")
    answer = ask(reader, f"find {name}")
    assert changed.version > old and (answer.tier, answer.version) == ("peer", changed.version)
    assert answer.detail.endswith(" Ünal")


def test_set_of_nobody_finds_nothing(connect):
    assert ask(connect(), "set nobody 1 x").word == "not-found"


def test_versions_only_rise_even_after_a_row_was_deleted(database, connect):
    probe = connect()
    name = insert(probe)
    versions = [ask(probe, f"fresh {name}").version]
    for _ in range(50):
        versions.append(ask(probe, f"purge {name}").version)
    database.primary.sql(f"DELETE FROM vitrine.asset WHERE id = '{name}'")
    versions.append(ask(probe, f"insert {name} media 1 path/{name}.jpg").version)
    assert versions == sorted(set(versions))
    database.primary.sql(f"UPDATE vitrine.asset SET version = {2**62} WHERE id = '{name}'")
    assert ask(probe, f"purge {name}").version == 2**62 + 1


def test_lists_all_in_order_over_many_pages(database, connect):
    probe = connect()
    database.primary.sql("".join(
        f"INSERT INTO vitrine.asset (id, origin, object_key, version, bytes, media_type, width, height,"
        f" created, updated) VALUES ('list-{number:03}', 'l', '{number}', 1, 1, 'image/png', 1, 1, 0, 0);"
        for number in range(300)))
    database.wait_for_replicas()
    everything = probe.ask("list -").split()
    assert everything == sorted(everything) and len(set(everything)) == len(everything)
    assert [name for name in everything if name.startswith("list-")] == \
        [f"list-{number:03}" for number in range(300)]
    assert probe.ask("list list-297").split()[:2] == ["list-298", "list-299"]


def test_names_the_column_of_a_wrong_row(database, connect):
    probe = connect(replicas=[])
    name = insert(probe)
    database.primary.sql(f"UPDATE vitrine.asset SET media_type = 'text/html' WHERE id = '{name}'")
    answer = ask(probe, f"find {name}")
    assert answer.word == "upstream" and name in answer.detail and "media_type" in answer.detail


@pytest.mark.parametrize("change", [
    "orientation = 9", "frames = 0", "focus_x = 0.5", "focus_x = 1.5, focus_y = 0.5",
    "visibility = 'secret'", "credit = REPEAT('é', 128)", "id = 'é'",
    "colours = '012345'", "colours = '012345,01234G'", "colours = '012345,012345,'", "colours = 'ABCDEF,ABCDEF'",
    "colours = REPEAT('012345,', 7)", "placeholder = REPEAT('p', 600)", "placeholder = 'é'"])
def test_schema_refuses(database, connect, change):
    name = insert(connect())
    with pytest.raises(Exception, match="ERROR"):
        database.primary.sql(f"SET sql_mode = 'STRICT_ALL_TABLES';"
                             f"UPDATE vitrine.asset SET {change} WHERE id = '{name}'")


def test_keeps_rows_from_before_there_were_portraits(database):
    """The second migration on a table with rows: what it has no values for is empty."""
    primary = database.primary
    primary.sql("CREATE DATABASE old")
    try:
        script = (SQL / "0001-asset.sql").read_text(), (SQL / "0002-portrait.sql").read_text()
        primary.sql("USE old;" + script[0] + """
            INSERT INTO asset (id, origin, object_key, version, bytes, media_type, width, height, credit,
                placeholder, created, updated) VALUES ('a', 'm', 'k', 7, 1, 'image/png', 1, 1, 'Ünal', 'Ü', 0, 0);
            """ + script[1])
        assert primary.sql("SELECT version, credit, credit_is_imposed, colours, blurhash, thumbhash, placeholder"
                           " FROM old.asset") == [["7", "Ünal", "0", "", "", "", ""]]
    finally:
        primary.sql("DROP DATABASE old")


def test_leaves_no_descriptor_to_programs_it_might_execute(connect, ring):
    probe = connect(ring)
    ask(probe, f"find {insert(probe)}")
    ask(probe, "find nobody")
    folder = pathlib.Path(f"/proc/{probe.pid}/fd")
    sockets = [link.name for link in folder.iterdir() if str(link.readlink()).startswith("socket:")]
    flags = {int(line.split()[1], 8) for name in sockets
             for line in pathlib.Path(f"/proc/{probe.pid}/fdinfo/{name}").read_text().splitlines()
             if line.startswith("flags:")}
    assert len(sockets) >= 3 and all(flag & 0o2000000 for flag in flags)


# ---- the ring -----------------------------------------------------------------------------


def test_answers_from_the_ring_what_another_server_found(database, connect, ring):
    one, other = connect(ring), connect(ring)
    name = insert(one)
    database.wait_for_replicas()
    ring.forget_everything()
    assert ask(one, f"find {name}").tier == "replica"
    assert ask(other, f"find {name}").tier == "peer"


def test_remembers_for_a_short_time_that_nobody_has_it(connect, ring):
    probe = connect(ring, negative=1)
    name = next(ids)
    answers = [ask(probe, f"find {name}") for _ in range(2)]
    assert [(answer.word, answer.tier) for answer in answers] == \
        [("not-found", "primary"), ("not-found", "peer")]
    time.sleep(2.1)
    assert ask(probe, f"find {name}").tier == "primary"


def test_an_insert_is_visible_at_once_to_who_just_missed_it(connect, ring):
    writer, reader = connect(ring), connect(ring)
    name = next(ids)
    assert ask(reader, f"find {name}").word == "not-found"
    ask(writer, f"insert {name} media 9 path/{name}.jpg")
    assert ask(reader, f"find {name}").width == 9


def test_reads_its_own_writes_while_replicas_lag(database, connect):
    """Also without the ring: what no replica has is asked of the primary."""
    for replica in database.replicas:
        replica.stop_replication()
    probe = connect()
    name = insert(probe, 77)
    answer = ask(probe, f"find {name}")
    assert (answer.word, answer.tier, answer.width) == ("found", "primary", 77)


def test_a_purge_is_seen_by_all_though_replicas_lag(database, connect, ring):
    writer, reader = connect(ring), connect(ring)
    name = insert(writer)
    old = ask(reader, f"find {name}").version
    database.wait_for_replicas()
    for replica in database.replicas:
        replica.stop_replication()
    purged = ask(writer, f"purge {name}").version
    assert purged > old
    answer = ask(reader, f"find {name}")
    assert (answer.tier, answer.version) == ("peer", purged)


def test_a_refresh_from_a_lagging_replica_does_not_undo_a_purge(database, connect, ring):
    probe = connect(ring, soft=1)
    name = insert(probe)
    database.wait_for_replicas()
    for replica in database.replicas:
        replica.stop_replication()
    purged = ask(probe, f"purge {name}").version
    time.sleep(2.3)
    refreshed = ask(probe, f"find {name}")
    assert (refreshed.tier, refreshed.version) == ("primary", purged)
    assert ask(probe, f"find {name}").version == purged


@pytest.mark.parametrize("has_stale_entry", [False, True])
def test_a_slow_reader_does_not_undo_a_purge(database, connect, ring, has_stale_entry):
    """It read the old row before the purge, and comes to the ring after it."""
    replica = database.replicas[0]
    writer, reader = connect(ring, soft=1), connect(ring, replicas=[replica], soft=1, query_timeout=5000)
    name = insert(writer)
    database.wait_for_replicas()
    ask(reader, f"find {insert(reader)}-connects")
    replica.stop_replication()
    if has_stale_entry:
        time.sleep(2.3)
    else:
        ring.forget_everything()
    replica.freeze()
    reader.send(f"find {name}")
    time.sleep(0.05)
    purged = ask(writer, f"purge {name}").version
    replica.thaw()
    old = Answer(reader.receive())
    # A refresh of a stale entry gives up soon; on a slow machine before the replica answers.
    assert old.tier in (("replica", "peer") if has_stale_entry else ("replica",)) and old.version < purged
    answer = ask(reader, f"find {name}")
    assert (answer.tier, answer.version) == ("peer", purged)


def test_only_one_refreshes_what_is_stale(database, connect, ring):
    probes = [connect(ring, soft=2) for _ in range(4)]
    name = insert(probes[0])
    database.wait_for_replicas()
    database.primary.sql(f"UPDATE vitrine.asset SET width = 4321, version = version + 1"
                         f" WHERE id = '{name}'")
    database.wait_for_replicas()
    assert ask(probes[0], f"find {name}").width == 100
    time.sleep(3.3)
    # The lease is somebody else's: all serve what they have.
    lease = "vitrine:" + hashed(f"asset refresh {name}")
    for member in ring.members:
        member.ask(f"set {lease} 0 60 5\r\nother")
    assert {(answer.tier, answer.width) for answer in (ask(probe, f"find {name}") for probe in probes)} == \
        {("peer", 100)}
    for member in ring.members:
        member.ask(f"delete {lease}")
    assert [ask(probe, f"find {name}").tier for probe in probes] == ["replica", "peer", "peer", "peer"]
    assert ask(probes[3], f"find {name}").width == 4321


def test_forgets_a_row_that_was_deleted(database, connect, ring):
    probe = connect(ring, soft=1)
    name = insert(probe)
    database.primary.sql(f"DELETE FROM vitrine.asset WHERE id = '{name}'")
    database.wait_for_replicas()
    time.sleep(2.3)
    assert [ask(probe, f"find {name}").word for _ in range(2)] == ["not-found", "not-found"]


def wrap(key, value):
    """As lib/peers/envelope.h says."""
    sealed = f"{key} {len(value.encode()):08}\n{value}"
    return f"vitrine 2 {hashed(sealed)} {sealed}"


def entry_in(ring, key):
    """What lies there, without its envelope."""
    for member in ring.members:
        answer = member.ask(f"get vitrine:{key}")
        if "VALUE" in answer:
            return answer.split("\r\n", 1)[1].removesuffix("\r\nEND\r\n").split("\n", 1)[1]
    raise AssertionError("nothing lies there")


FOREIGN = {
    "a newer format": lambda good: good.replace("vitrine-row 2", "vitrine-row 3"),
    "an older format": lambda good: good.replace("vitrine-row 2", "vitrine-row 1"),
    "another format of the asset": lambda good: good.replace("vitrine-asset 2", "vitrine-asset 1"),
    "another asset": lambda good: good.replace("id asset-", "id other-"),
    "that another asset is missing": lambda good: "vitrine-row 2 missing 1 9999999999 9999999999 other\n",
    "a row cut off": lambda good: good[:-20],
    "a row and more": lambda good: good + "width 5\n",
    "a field twice": lambda good: good.replace("width 100\n", "width 100\nwidth 100\n"),
    "no pixels": lambda good: good.replace("width 100\n", "width -1\n"),
    "a row whose time is over": lambda good: "vitrine-row 2 found 1 1 2\n" + good.split("\n", 1)[1],
    "nothing": lambda good: "",
    "a megabyte": lambda good: "x" * 999000,
    "noise": lambda good: "\0\1\2 \u00ff\n\n\0",
}


@pytest.mark.parametrize("foreign", FOREIGN)
def test_whatever_else_lies_in_the_ring_is_a_miss(database, connect, ring, foreign):
    """In a good envelope, so that nothing but the entry itself can tell; and it is replaced."""
    probe = connect(ring)
    name = insert(probe)
    database.wait_for_replicas()
    key = hashed(f"asset {name}")
    good = entry_in(ring, key)
    planted = FOREIGN[foreign](good)
    assert planted != good
    wrapped = wrap(key, planted)
    for member in ring.members:
        assert member.ask(f"set vitrine:{key} 0 60 {len(wrapped.encode())}\r\n{wrapped}") == "STORED\r\n"
    answers = [ask(probe, f"find {name}") for _ in range(2)]
    assert [(answer.tier, answer.width) for answer in answers] == [("replica", 100), ("peer", 100)]


def test_clusters_that_share_the_ring_do_not_see_each_others_rows(connect, ring):
    one, other = connect(ring, namespace="one"), connect(ring, namespace="two")
    name = insert(one)
    assert ask(one, f"find {name}").tier == "peer"
    assert ask(other, f"find {name}").tier != "peer"


def test_works_without_the_ring_when_it_dies(database, connect, ring):
    probe = connect(ring)
    name = insert(probe)
    database.wait_for_replicas()
    for member in ring.members:
        member.kill()
    answer = ask(probe, f"find {name}")
    assert answer.tier == "replica" and answer.milliseconds < NO_WAIT_MS
    assert ask(probe, f"purge {name}").word == "found"


# ---- encryption ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A CA, a certificate of it for 127.0.0.1, one for elsewhere, and a stranger CA."""
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], cwd=folder, check=True, capture_output=True)

    for ca in ("ca", "stranger"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout", f"{ca}.key", "-out", f"{ca}.pem", "-subj", f"/CN=test {ca}", "-days", 2)
    for name, address in (("here", "IP:127.0.0.1"), ("elsewhere", "DNS:db.example")):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (folder / "extensions").write_text(f"subjectAltName={address}\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-out", f"{name}.pem", "-days", 2, "-extfile", "extensions")
    return folder


@pytest.fixture
def tls_server(tmp_path, certificates):
    """tls_server(certificate): one server that offers TLS with it, or does not."""
    servers = []

    def start(name=None):
        options = [] if name is None else [f"--ssl-cert={certificates / name}.pem",
                                           f"--ssl-key={certificates / name}.key"]
        server = MariaDBServer("tls", tmp_path / "tls", options=options).start()
        servers.append(server)
        server.create_database()
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.mark.parametrize("certificate, ca, works", [
    ("here", "ca", True), ("here", "stranger", False), ("elsewhere", "ca", False), (None, "ca", False),
    ("here", None, True)])
def test_verifies_the_server_when_a_ca_is_given(tls_server, certificates, certificate, ca, works):
    server = tls_server(certificate)
    arguments = [f"tls_ca={certificates / ca}.pem"] if ca else []
    with Probe("probe_catalog", *arguments, f"password={PASSWORD}",
               f"primary=127.0.0.1:{server.port}") as probe:
        assert probe.ask("probe -1").startswith("answers writable" if works else "silent")
        if works and ca:
            server.sql("ALTER USER 'vitrine'@'127.0.0.1' REQUIRE SSL")
            assert probe.ask("migrate " + str(SQL)).startswith("applied 0001")


# ---- migrations ---------------------------------------------------------------------------


@pytest.fixture
def steps(tmp_path):
    folder = tmp_path / "sql"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def empty_server(tmp_path_factory):
    with MariaDBServer("empty", tmp_path_factory.mktemp("empty")) as server:
        yield server


@pytest.fixture
def migrate(empty_server, steps):
    """migrate() runs the steps in the folder on a database that was empty first."""
    empty_server.sql("DROP DATABASE IF EXISTS vitrine")
    empty_server.create_database()
    with Probe("probe_catalog", f"password={PASSWORD}",
               f"primary=127.0.0.1:{empty_server.port}") as probe:
        yield lambda folder=steps: probe.ask(f"migrate {folder}").strip()


def test_applies_each_step_once_and_in_order(migrate, steps, empty_server):
    (steps / "README").write_text("not a step")
    (steps / "0002-second.sql").write_text("ALTER TABLE t ADD COLUMN b INT;\n-- é; still a comment\n")
    (steps / "0001-first.sql").write_text(
        "CREATE TABLE t (a VARCHAR(9)); INSERT INTO t VALUES ('x;y'); SELECT * FROM t;\n")
    assert migrate() == "applied 0001-first.sql 0002-second.sql"
    assert migrate() == "applied"
    (steps / "0003-third.sql").write_text("INSERT INTO t VALUES ('z', 3)")
    assert migrate() == "applied 0003-third.sql"
    assert empty_server.sql("SELECT a, b FROM vitrine.t") == [["x;y", "NULL"], ["z", "3"]]


def test_refuses_a_step_that_was_changed_after_it_was_applied(migrate, steps):
    (steps / "0001-first.sql").write_text("CREATE TABLE t (a INT)")
    migrate()
    (steps / "0001-first.sql").write_text("CREATE TABLE t (a BIGINT)")
    assert "0001-first.sql was changed" in migrate()


def test_refuses_a_new_step_before_an_old_one(migrate, steps):
    (steps / "0002-second.sql").write_text("CREATE TABLE t (a INT)")
    migrate()
    (steps / "0001-first.sql").write_text("CREATE TABLE u (a INT)")
    assert "0001-first.sql is new but comes before 0002-second.sql" in migrate()


@pytest.mark.parametrize("name", ["1-first.sql", "0001first.sql", "0001-First.sql", "0001-.sql", "x.sql"])
def test_refuses_a_name_out_of_order(migrate, steps, name):
    (steps / name).write_text("SELECT 1")
    assert name in migrate()


def test_refuses_two_steps_of_one_number(migrate, steps):
    (steps / "0001-a.sql").write_text("SELECT 1")
    (steps / "0001-b.sql").write_text("SELECT 1")
    assert "same number" in migrate()


def test_refuses_an_empty_and_an_absent_folder(migrate, steps):
    assert "no steps" in migrate()
    assert "cannot read the folder" in migrate(steps / "absent")


def test_stops_at_a_step_that_fails_and_goes_on_there_when_it_is_mended(migrate, steps, empty_server):
    (steps / "0001-good.sql").write_text("CREATE TABLE t (a INT)")
    (steps / "0002-bad.sql").write_text("CREATE TABLE u (a INT); CREATE TABEL v (a INT);")
    (steps / "0003-later.sql").write_text("CREATE TABLE w (a INT)")
    answer = migrate()
    assert answer.startswith("applied 0001-good.sql ") and "0002-bad.sql" in answer and "TABEL" in answer
    assert empty_server.sql("SHOW TABLES FROM vitrine LIKE 'w'") == []
    (steps / "0002-bad.sql").write_text("CREATE TABLE IF NOT EXISTS u (a INT); CREATE TABLE v (a INT)")
    assert migrate() == "applied 0002-bad.sql 0003-later.sql"


def test_two_migrations_at_once_apply_each_step_once(empty_server, migrate, steps):
    (steps / "0001-slow.sql").write_text("DO SLEEP(1); CREATE TABLE t (a INT)")
    arguments = ["probe_catalog", f"password={PASSWORD}", f"primary=127.0.0.1:{empty_server.port}"]
    with Probe(*arguments) as one, Probe(*arguments) as other:
        for probe in (one, other):
            probe.send(f"migrate {steps}")
        assert sorted(probe.receive().strip() for probe in (one, other)) == \
            ["applied", "applied 0001-slow.sql"]


def test_migrating_nowhere_says_where(steps):
    (steps / "0001-first.sql").write_text("SELECT 1")
    port = free_port()
    with Probe("probe_catalog", f"primary=127.0.0.1:{port}") as probe:
        answer = probe.ask(f"migrate {steps}")
        assert "unavailable" in answer and f"127.0.0.1:{port}" in answer


def test_schema_can_be_migrated_twice(migrate, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(SQL, copy)
    assert migrate(copy).startswith("applied 0001-asset.sql")
    assert migrate(copy) == "applied"
