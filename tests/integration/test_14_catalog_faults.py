"""Servers of the catalog that die, freeze, lag, refuse or are replaced: who is asked, and what it costs."""

import contextlib
import socket
import subprocess
import time

import pytest

from catalogs import (  # noqa: F401
    NO_WAIT_MS, QUERY_TIMEOUT_MS, RETRY_AFTER_S, Answer, ask, connect, database, ids, insert, ring,
    started_database, started_ring)
from probe import Probe
from mariadb import PASSWORD, MariaDBServer
from nameserver import NameServer
from process import wait_until


# ---- outages ------------------------------------------------------------------------------


def test_reads_while_the_primary_is_dead(database, connect):
    probe = connect()
    name = insert(probe)
    database.wait_for_replicas()
    database.primary.kill()
    assert ask(probe, f"find {name}").tier == "replica"
    answers = [ask(probe, "find nobody") for _ in range(2)]
    assert {answer.word for answer in answers} == {"not-found"}
    writes = [ask(probe, f"purge {name}") for _ in range(2)]
    assert {answer.word for answer in writes} == {"unavailable"}
    assert all(answer.milliseconds < NO_WAIT_MS for answer in answers + writes)


def test_does_not_remember_as_missing_what_only_a_replica_lacks(database, connect, ring):
    probe = connect(ring)
    name = next(ids)
    database.primary.freeze()
    assert ask(probe, f"find {name}").word == "not-found"
    database.primary.thaw()
    time.sleep(RETRY_AFTER_S + 0.1)
    assert ask(probe, f"find {name}").tier == "primary"


def test_goes_round_a_dead_replica(database, connect):
    probe = connect()
    name = insert(probe)
    database.wait_for_replicas()
    assert ask(probe, f"find {name}").tier == "replica"
    for dead in database.replicas:
        dead.kill()
        answers = [ask(probe, f"find {name}") for _ in range(3)]
        assert all(answer.word == "found" and answer.milliseconds < NO_WAIT_MS for answer in answers)
    assert answers[-1].tier == "primary"
    database.replicas[0].start()
    time.sleep(RETRY_AFTER_S + 0.1)
    assert ask(probe, f"find {name}").tier == "replica"


def test_notices_at_once_that_a_replica_was_restarted(database, connect):
    probe = connect(replicas=database.replicas[:1])
    name = insert(probe)
    database.wait_for_replicas()
    assert ask(probe, f"find {name}").tier == "replica"
    database.replicas[0].stop()
    database.replicas[0].start()
    assert ask(probe, f"find {name}").tier == "replica"


@pytest.mark.parametrize("is_connected", [True, False])
def test_pays_for_a_frozen_replica_once(database, connect, is_connected):
    probe = connect(replicas=database.replicas[:1])
    name = insert(probe)
    database.wait_for_replicas()
    if is_connected:
        assert ask(probe, f"find {name}").tier == "replica"
    database.replicas[0].freeze()
    first, *later = [ask(probe, f"find {name}") for _ in range(4)]
    assert first.tier == "primary"
    assert QUERY_TIMEOUT_MS / 2 < first.milliseconds < QUERY_TIMEOUT_MS + NO_WAIT_MS
    assert all(answer.tier == "primary" and answer.milliseconds < NO_WAIT_MS for answer in later)
    database.replicas[0].thaw()
    time.sleep(RETRY_AFTER_S + 0.1)
    assert ask(probe, f"find {name}").tier == "replica"


def test_says_unavailable_soon_when_everything_is_frozen(database, connect):
    probe = connect()
    name = insert(probe)
    database.wait_for_replicas()
    ask(probe, f"find {name}")
    for server in database.servers:
        server.freeze()
    first, second = ask(probe, f"find {name}"), ask(probe, f"find {name}")
    assert first.word == "unavailable" and first.milliseconds < 3 * QUERY_TIMEOUT_MS + NO_WAIT_MS
    assert second.word == "unavailable" and second.milliseconds < NO_WAIT_MS


def test_keeps_the_callers_deadline(database, connect):
    probe = connect(deadline=150)
    name = insert(probe)
    for server in database.servers:
        server.freeze()
    answer = ask(probe, f"find {name}")
    assert answer.word == "unavailable" and answer.milliseconds < 150 + NO_WAIT_MS


def test_a_short_deadline_is_not_held_against_the_server(database, connect):
    probe = connect(replicas=database.replicas[:1], deadline=150)
    name = insert(probe)
    database.wait_for_replicas()
    database.replicas[0].freeze()
    ask(probe, f"find {name}")
    database.replicas[0].thaw()
    assert ask(probe, f"find {name}").tier == "replica"


def test_serves_from_the_ring_when_every_database_is_down(database, connect, ring):
    probe = connect(ring, soft=1)
    name = insert(probe, 42)
    for server in database.servers:
        server.kill()
    answer = ask(probe, f"find {name}")
    assert (answer.tier, answer.width) == ("peer", 42)
    time.sleep(2.3)
    answers = [ask(probe, f"find {name}") for _ in range(3)]
    assert {(answer.word, answer.tier, answer.width) for answer in answers} == {("found", "peer", 42)}
    assert all(answer.milliseconds < NO_WAIT_MS for answer in answers)
    assert ask(probe, "find nobody").word == "unavailable"


def test_closes_in_time_while_servers_are_frozen(database):
    probe = Probe("probe_catalog", f"password={PASSWORD}", f"primary=127.0.0.1:{database.primary.port}")
    assert ask(probe, "fresh nobody").word == "not-found"
    database.primary.freeze()
    started = time.monotonic()
    assert probe.close() == 0
    assert time.monotonic() - started < 0.5


def test_gives_up_a_statement_and_so_does_the_server(database, connect):
    probe = connect(replicas=[])
    name = insert(probe)
    count_given_up = "SHOW GLOBAL STATUS LIKE 'Max_statement_time_exceeded'"
    [[_, before]] = database.primary.sql(count_given_up)
    holder = subprocess.Popen(
        ["mariadb", "--no-defaults", f"--socket={database.primary.socket}"], stdin=subprocess.PIPE)
    try:
        holder.stdin.write(b"LOCK TABLES vitrine.asset WRITE; SELECT SLEEP(1.5);\n")
        holder.stdin.flush()
        wait_until(lambda: database.primary.sql(
            "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'")
            == [["1"]], 5, "the lock was held")
        answer = ask(probe, f"fresh {name}")
        assert answer.word == "timeout" and answer.milliseconds < QUERY_TIMEOUT_MS + NO_WAIT_MS
    finally:
        holder.stdin.close()
        holder.wait(10)
    assert database.primary.sql(count_given_up) == [["Max_statement_time_exceeded", str(int(before) + 1)]]


def test_goes_on_after_its_connection_was_killed(database, connect):
    probe = connect(replicas=[])
    name = insert(probe)
    [[connection]] = database.primary.sql(
        "SELECT id FROM information_schema.processlist WHERE user = 'vitrine'")
    database.primary.sql(f"KILL {connection}")
    time.sleep(0.1)
    assert ask(probe, f"purge {name}").word == "found"


def test_goes_on_after_the_table_was_altered(database, connect):
    probe = connect(replicas=[])
    name = insert(probe, 31)
    database.primary.sql("ALTER TABLE vitrine.asset ADD COLUMN note INT NULL FIRST;"
                         "ALTER TABLE vitrine.asset DROP COLUMN note")
    assert ask(probe, f"find {name}").width == 31


def test_replaces_connections_that_are_old(database, connect):
    probe = connect(replicas=[], age=1)
    name = insert(probe)
    query = "SELECT id FROM information_schema.processlist WHERE user = 'vitrine'"
    [[first]] = database.primary.sql(query)
    time.sleep(1.3)
    assert ask(probe, f"find {name}").word == "found"
    wait_until(lambda: len(database.primary.sql(query)) == 1, 2, "the old connection was gone")
    assert database.primary.sql(query) != [[first]]


def test_tells_a_demoted_primary(database, connect):
    probe = connect(replicas=[])
    name = insert(probe)
    assert probe.ask("probe -1").startswith("answers writable asked")
    database.primary.sql("SET GLOBAL read_only = 1")
    answer = ask(probe, f"purge {name}")
    assert answer.word == "unavailable" and "read-only" in answer.detail
    assert probe.ask("probe -1").startswith("answers read-only asked")
    assert ask(probe, f"find {name}").word == "found"


def test_probe_tells_who_answers_and_who_is_left_alone(database, connect):
    probe = connect()
    assert probe.ask("probe 1").startswith("answers read-only asked")
    database.replicas[1].kill()
    assert probe.ask("probe 1").startswith("silent read-only asked")
    assert probe.ask("probe 1").startswith("silent read-only alone")
    database.replicas[1].start()
    assert probe.ask("probe 1").startswith("answers read-only alone")
    assert probe.ask("probe 1").startswith("answers read-only asked")


def test_says_so_when_the_password_is_wrong(connect):
    probe = connect(password="wrong")
    answers = [ask(probe, "find nobody") for _ in range(2)]
    assert {answer.word for answer in answers} == {"unavailable"}
    assert "Access denied" in answers[0].detail and "wrong" not in answers[0].detail


def test_all_processes_of_a_machine_pay_for_a_frozen_server_once(database, connect, tmp_path):
    """Eight of them share what they know; one in each pause tries again."""
    probes = [connect(replicas=database.replicas[:1], health=tmp_path / "health") for _ in range(8)]
    name = insert(probes[0])
    database.wait_for_replicas()
    assert {ask(probe, f"find {name}").tier for probe in probes} == {"replica"}
    database.replicas[0].freeze()
    assert ask(probes[0], f"find {name}").milliseconds > QUERY_TIMEOUT_MS / 2
    slow, end = 0, time.monotonic() + 2.5
    while time.monotonic() < end:
        for probe in probes:
            probe.send(f"find {name}")
        answers = [Answer(probe.receive()) for probe in probes]
        assert {(answer.word, answer.tier) for answer in answers} == {("found", "primary")}
        slow += sum(answer.milliseconds > QUERY_TIMEOUT_MS / 6 for answer in answers)
        time.sleep(0.01)
    # Two or three, a third of the time to connect each; on a busy machine others are slow too.
    assert 1 <= slow <= 6
    database.replicas[0].thaw()
    time.sleep(RETRY_AFTER_S + 0.1)
    # Whoever tries it now tells the others.
    assert "replica" in {ask(probe, f"find {name}").tier for probe in probes}
    assert {ask(probe, f"find {name}").tier for probe in probes} == {"replica"}


# ---- lag ----------------------------------------------------------------------------------


def beats(server):
    return int(server.sql("SELECT beaten FROM vitrine.heartbeat")[0][0])


def find_until(probe, name, is_right, seconds=5):
    """The first answer that is right, asked again and again."""
    end = time.monotonic() + seconds
    while not is_right(answer := ask(probe, f"find {name}")):
        assert time.monotonic() < end, f"{answer.word} {answer.tier} after {seconds} s"
        time.sleep(0.05)
    return answer


def test_beats_once_a_second_while_rows_are_asked_for(database, connect):
    probes = [connect() for _ in range(2)]
    name = insert(probes[0])
    seen, end = set(), time.monotonic() + 3.3
    while time.monotonic() < end:
        for probe in probes:
            ask(probe, f"find {name}")
        seen.add(beats(database.primary))
    assert 3 <= len(seen) <= 5
    rest = beats(database.primary)
    time.sleep(1.2)
    assert beats(database.primary) == rest
    assert abs(rest / 1000000 - time.time()) < 5


def test_a_lagging_replica_leaves_the_rotation_and_returns(database, connect):
    """The other one takes over; both lag: the primary does."""
    probes = [connect(max_lag=1) for _ in range(4)]     # some begin at either
    name = insert(probes[0])
    database.wait_for_replicas()
    for count, tier in ((1, "replica"), (2, "primary")):
        database.replicas[count - 1].stop_replication()
        database.primary.sql(f"UPDATE vitrine.asset SET width = {count} WHERE id = '{name}'")
        if count == 1:
            database.replicas[1].wait_for(database.primary)
        answers = [find_until(probe, name, lambda answer: answer.width == count) for probe in probes]
        assert {answer.tier for answer in answers} == {tier}
    assert [probes[0].ask(f"probe {index}").split()[3] for index in range(2)] == ["lagging", "lagging"]
    for replica in database.replicas:
        replica.start_replication()
    for probe in probes:
        find_until(probe, name, lambda answer: answer.tier == "replica")


def test_only_the_sql_thread_has_stopped(database, connect):
    """The replica receives everything and applies nothing: it looks alive."""
    probe = connect(replicas=database.replicas[:1], max_lag=1)
    name = insert(probe)
    database.wait_for_replicas()
    database.replicas[0].sql("STOP SLAVE SQL_THREAD")
    purged = ask(probe, f"purge {name}").version
    answer = find_until(probe, name, lambda answer: answer.version == purged)
    assert answer.tier == "primary"
    # No time-out is to be paid for finding out, neither at first nor again.
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        answer = ask(probe, f"find {name}")
        assert (answer.tier, answer.version) == ("primary", purged) and answer.milliseconds < NO_WAIT_MS
        time.sleep(0.02)


def test_one_look_is_enough_for_all_processes(database, connect, tmp_path):
    probes = [connect(replicas=database.replicas[:1], max_lag=1, health=tmp_path / "health") for _ in range(4)]
    name = insert(probes[0])
    database.wait_for_replicas()
    database.replicas[0].stop_replication()
    find_until(probes[0], name, lambda answer: answer.tier == "primary")
    assert {ask(probe, f"find {name}").tier for probe in probes} == {"primary"}


def test_an_old_row_is_better_than_an_error(database, connect):
    """The primary is gone, and all replicas are too far behind."""
    probe = connect(max_lag=1)
    name = insert(probe, 11)
    database.wait_for_replicas()
    for replica in database.replicas:
        replica.stop_replication()
    find_until(probe, name, lambda answer: answer.tier == "primary")
    database.primary.kill()
    answers = [ask(probe, f"find {name}") for _ in range(5)]
    assert {(answer.tier, answer.width) for answer in answers} == {("late", 11)}
    assert all(answer.milliseconds < NO_WAIT_MS for answer in answers)


def test_what_lags_is_not_remembered_in_the_ring(database, connect, ring):
    probe, other = connect(ring, max_lag=1), connect(ring, max_lag=1)
    name, another = insert(probe, 11), insert(probe, 12)
    database.wait_for_replicas()
    for replica in database.replicas:
        replica.stop_replication()
    ring.forget_everything()
    time.sleep(2.5)
    for _ in range(3):
        ask(probe, f"find {next(ids)}")    # beats
        time.sleep(1.1)
    database.primary.kill()
    assert [ask(probe, f"find {name}").tier for _ in range(2)] == ["late", "late"]
    database.primary.start()
    assert find_until(other, another, lambda answer: answer.word == "found").width == 12


def test_replicas_go_on_while_the_primary_is_down(database, connect):
    """The heartbeat stands still everywhere: nobody lags."""
    probe = connect(max_lag=1)
    name = insert(probe)
    database.wait_for_replicas()
    assert ask(probe, f"find {name}").tier == "replica"
    time.sleep(1.1)
    ask(probe, f"find {name}")
    database.wait_for_replicas()
    database.primary.kill()
    end = time.monotonic() + 4
    while time.monotonic() < end:
        answer = ask(probe, f"find {name}")
        assert answer.tier == "replica" and answer.milliseconds < NO_WAIT_MS
        time.sleep(0.02)
    assert probe.ask("probe 0").split()[3] == "current"


def test_a_quiet_night_is_no_lag(database, connect):
    probe = connect(max_lag=1)
    name = insert(probe)
    database.wait_for_replicas()
    database.primary.sql("UPDATE vitrine.heartbeat SET beaten = beaten - 3600000000")
    database.wait_for_replicas()
    morning = connect(max_lag=1)
    assert {ask(morning, f"find {name}").tier for _ in range(20)} == {"replica"}


def test_a_replica_that_lost_touch_in_a_quiet_night_is_not_believed(database, connect, tmp_path):
    """Somebody else wrote meanwhile: the first request finds out."""
    reader = connect(replicas=database.replicas[:1], max_lag=1, health=tmp_path / "health")
    name = insert(reader, 1)
    database.wait_for_replicas()
    ask(reader, f"find {name}")
    database.replicas[0].stop_replication()
    time.sleep(2.2)
    assert ask(connect(max_lag=1), f"update {name} 2").word == "found"
    answer = ask(reader, f"find {name}")
    assert (answer.tier, answer.width) == ("primary", 2)


def test_a_clock_that_was_ahead_is_no_lag(database, connect):
    """It stands still for an hour, on the primary as on the replicas."""
    probe = connect(max_lag=1)
    name = insert(probe)
    database.primary.sql("UPDATE vitrine.heartbeat SET beaten = beaten + 3600000000")
    database.wait_for_replicas()
    try:
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            assert ask(probe, f"find {name}").tier == "replica"
    finally:
        database.primary.sql("UPDATE vitrine.heartbeat SET beaten = 0")


def test_works_before_the_table_is_made(database, connect):
    probe = connect(max_lag=1)
    name = insert(probe, 9)
    database.primary.sql("RENAME TABLE vitrine.heartbeat TO vitrine.elsewhere")
    database.wait_for_replicas()
    try:
        for other in (probe, connect(max_lag=1)):
            answer = ask(other, f"find {name}")
            assert (answer.tier, answer.width) == ("replica", 9)
            assert ask(other, f"find {next(ids)}").word == "not-found"
            assert other.ask("complaint") == "none"
    finally:
        database.primary.sql("RENAME TABLE vitrine.elsewhere TO vitrine.heartbeat")
    database.wait_for_replicas()


def test_says_once_that_the_account_may_not_beat(database, connect, tmp_path):
    account = "'vitrine'@'127.0.0.1'"
    database.primary.sql(f"REVOKE UPDATE ON vitrine.* FROM {account}; GRANT UPDATE ON vitrine.asset TO {account};"
                         "UPDATE vitrine.heartbeat SET beaten = 0")
    database.wait_for_replicas()
    try:
        probes = [connect(max_lag=1, health=tmp_path / "health") for _ in range(2)]
        name = insert(probes[0])
        database.wait_for_replicas()
        complaints = [probes[0].ask("complaint")]
        for _ in range(3):
            time.sleep(1.1)
            for probe in probes:
                assert ask(probe, f"find {name}").tier == "replica"
                complaints.append(probe.ask("complaint"))
        told = [complaint for complaint in complaints if complaint != "none"]
        assert len(told) == 1 and "not noticed" in told[0] and "UPDATE command denied" in told[0]
    finally:
        database.primary.sql(f"REVOKE UPDATE ON vitrine.asset FROM {account}; GRANT UPDATE ON vitrine.* TO {account}")


def test_looks_at_no_lag_when_told_so(database, connect):
    probe = connect(replicas=database.replicas[:1], max_lag=0)
    name = insert(probe)
    database.wait_for_replicas()
    database.replicas[0].stop_replication()
    before = beats(database.primary)
    for _ in range(3):
        ask(probe, f"purge {name}")
        time.sleep(1.1)
        assert ask(probe, f"find {name}").tier == "replica"
    assert beats(database.primary) == before


# ---- rows that were served already --------------------------------------------------------


def test_does_not_go_back_behind_what_was_seen(database, connect, ring):
    """Neither the ring's entry nor a replica's row is believed when it is older."""
    probe = connect(ring)
    name = insert(probe, 1)
    old = ask(probe, f"find {name}").version
    database.wait_for_replicas()
    for replica in database.replicas:
        replica.stop_replication()
    database.primary.sql(f"UPDATE vitrine.asset SET version = {old + 7}, width = 2 WHERE id = '{name}'")
    assert ask(probe, f"find {name} {old}").tier == "peer"
    answer = ask(probe, f"find {name} {old + 7}")
    assert (answer.tier, answer.width) == ("primary", 2)
    # The ring has learnt it.
    answer = ask(probe, f"find {name} {old + 7}")
    assert (answer.tier, answer.width) == ("peer", 2)


def test_believes_the_primary_even_when_it_goes_back(database, connect, ring):
    """A restored backup."""
    probe = connect(ring)
    name = insert(probe, 1)
    database.wait_for_replicas()
    version = ask(probe, f"find {name}").version
    for tier in ("primary", "primary"):
        answer = ask(probe, f"find {name} {version + 1000}")
        assert (answer.word, answer.tier, answer.version) == ("found", tier, version)
    assert ask(probe, f"find {name}").tier == "peer"


def test_does_not_believe_the_ring_that_what_was_seen_is_gone(database, connect, ring):
    probe = connect(ring)
    name = next(ids)
    assert ask(probe, f"find {name}").word == "not-found"
    database.primary.sql("INSERT INTO vitrine.asset (id, origin, object_key, version, bytes, media_type, width, height,"
                         f" created, updated) VALUES ('{name}', 'm', '{name}', 5, 1, 'image/png', 3, 1, 0, 0)")
    assert ask(probe, f"find {name}").word == "not-found"
    answer = ask(probe, f"find {name} 5")
    assert (answer.word, answer.width) == ("found", 3) and answer.tier != "peer"
    assert ask(probe, f"find {name}").tier == "peer"
    database.primary.sql(f"DELETE FROM vitrine.asset WHERE id = '{name}'")
    answer = ask(probe, f"find {name} 6")
    assert (answer.word, answer.tier) == ("not-found", "primary")
    assert [ask(probe, f"find {name}").word, ask(probe, f"find {name}").tier] == ["not-found", "peer"]


def test_says_unavailable_when_nobody_has_what_was_seen(database, connect, ring):
    """The caller has it."""
    probe = connect(ring)
    name, missing = insert(probe), next(ids)
    database.wait_for_replicas()
    version = ask(probe, f"find {name}").version
    database.primary.kill()
    answers = [ask(probe, f"find {name} {version + 1}"), ask(probe, f"find {missing} 5")]
    assert {answer.word for answer in answers} == {"unavailable"}
    assert ask(probe, f"find {name} {version}").tier == "peer"


# ---- refusals -----------------------------------------------------------------------------


def test_goes_round_a_replica_that_takes_no_more_connections(database, connect):
    """Error 1040; those who hold them have not even logged in."""
    replica = database.replicas[0]
    probe, writer = connect(replicas=[replica]), connect(replicas=[])
    name = insert(writer)
    database.wait_for_replicas()
    replica.sql("SET GLOBAL max_connections = 10")
    try:
        with contextlib.ExitStack() as holders:
            for _ in range(14):
                holder = holders.enter_context(socket.create_connection(("127.0.0.1", replica.port), 5))
                greeting = holder.recv(100)
            assert b"Too many connections" in greeting
            answers = [ask(probe, f"find {name}") for _ in range(3)]
            assert {answer.tier for answer in answers} == {"primary"}
            assert all(answer.milliseconds < NO_WAIT_MS for answer in answers)
        find_until(probe, name, lambda answer: answer.tier == "replica")
    finally:
        replica.sql("SET GLOBAL max_connections = 200")


def test_goes_round_a_replica_that_knows_another_password(database, connect):
    probe, account = connect(replicas=database.replicas[:1]), "'vitrine'@'127.0.0.1'"
    name = insert(connect(replicas=[]))
    database.wait_for_replicas()
    local = "SET SESSION sql_log_bin = 0;"
    database.replicas[0].sql(local + f"ALTER USER {account} IDENTIFIED BY 'changed'")
    answers = [ask(probe, f"find {name}") for _ in range(3)]
    assert {answer.tier for answer in answers} == {"primary"}
    assert all(answer.milliseconds < NO_WAIT_MS for answer in answers)
    database.replicas[0].sql(local + f"ALTER USER {account} IDENTIFIED BY '{PASSWORD}'")
    find_until(probe, name, lambda answer: answer.tier == "replica")


@pytest.mark.parametrize("victim", ["primary", "replica"])
@pytest.mark.parametrize("fault, mend", [("kill", "start"), ("freeze", "thaw")])
def test_recovers_within_five_seconds(database, connect, victim, fault, mend):
    probe = connect(replicas=database.replicas[:1])
    name = insert(probe)
    database.wait_for_replicas()
    server = database.primary if victim == "primary" else database.replicas[0]
    getattr(server, fault)()
    end = time.monotonic() + 2
    while time.monotonic() < end:
        assert ask(probe, f"find {name}").word == "found"
        ask(probe, f"find {next(ids)}")
    getattr(server, mend)()
    find_until(probe, name, lambda answer: answer.tier == "replica")
    wait_until(lambda: ask(probe, f"purge {name}").word == "found", 5, "the primary was found again")


# ---- names and promotions -----------------------------------------------------------------


@pytest.fixture
def dns(database):
    try:
        server = NameServer("127.0.53.53", {"db.test": ["127.0.0.1"]})
    except PermissionError:
        pytest.skip("only root may bind port 53")
    with server:
        yield server


@pytest.fixture
def by_name(database, dns, tmp_path):
    """by_name(**options): a process whose primary is db.test, by our name server."""
    probes = []

    def open_probe(host="db.test", **options):
        arguments = [f"{name}={value}" for name, value in {"password": PASSWORD, **options}.items()]
        probes.append(Probe("probe_catalog", f"resolv={dns.resolv_conf(tmp_path)}", *arguments,
                            f"primary={host}:{database.primary.port}"))
        return probes[-1]

    yield open_probe
    codes = [probe.close() for probe in probes]
    if 77 in codes:
        pytest.skip("mount namespaces are not allowed here")
    assert codes == [0] * len(codes)


@pytest.fixture
def successor(database, tmp_path):
    """A replica on the primary's port at another address, which has everything."""
    server = MariaDBServer("successor", tmp_path / "successor", server_id=9, port=database.primary.port,
                           address="127.0.0.2", read_only=True)
    with server:
        server.replicate_from(database.primary)
        server.wait_for(database.primary)
        yield server


def promote(server, instead_of, dns):
    instead_of.sql("SET GLOBAL read_only = 1")
    server.wait_for(instead_of)
    server.sql("STOP SLAVE; SET GLOBAL read_only = 0")
    dns.addresses["db.test"] = [server.address]


def test_finds_a_server_by_name(by_name):
    assert ask(by_name(), "find nobody").word == "not-found"
    answer = ask(by_name("elsewhere.test"), "find nobody")
    assert answer.word == "unavailable" and "elsewhere.test" in answer.detail


@pytest.mark.parametrize("first", ["127.0.0.9", "127.0.0.2"], ids=["refuses", "is frozen"])
def test_tries_the_next_address_of_a_name(database, dns, by_name, first, request):
    if first == "127.0.0.2":
        request.getfixturevalue("successor").freeze()
    dns.addresses["db.test"] = [first, "127.0.0.1"]
    answer = ask(by_name(), "find nobody")
    assert answer.word == "not-found" and answer.milliseconds < QUERY_TIMEOUT_MS + NO_WAIT_MS


def test_a_silent_name_server_costs_no_more_than_a_silent_server(dns, by_name):
    dns.is_silent = True
    probe = by_name()
    first, *later = [ask(probe, "find nobody") for _ in range(4)]
    assert first.word == "unavailable" and "db.test" in first.detail
    assert first.milliseconds < QUERY_TIMEOUT_MS + NO_WAIT_MS
    assert all(answer.word == "unavailable" and answer.milliseconds < NO_WAIT_MS for answer in later)
    dns.is_silent = False
    wait_until(lambda: ask(probe, "find nobody").word == "not-found", 5, "the server was found")


def test_remembers_addresses_while_the_name_server_is_silent(dns, by_name):
    probe = by_name(age=1)
    assert ask(probe, "find nobody").word == "not-found"
    dns.is_silent = True
    time.sleep(1.3)
    answer = ask(probe, "find nobody")
    assert answer.word == "not-found" and answer.milliseconds > 100
    assert dns.questions > 2


def test_the_first_write_after_a_promotion_finds_the_new_primary(database, dns, by_name, successor):
    probe = by_name()
    name = insert(probe, 5)
    promote(successor, database.primary, dns)
    answer = ask(probe, f"purge {name}")
    assert answer.word == "found" and answer.milliseconds < NO_WAIT_MS
    assert successor.sql(f"SELECT version FROM vitrine.asset WHERE id = '{name}'") == [[str(answer.version)]]


def test_a_reader_finds_the_new_primary_too(database, dns, by_name, successor):
    """The old one answers still, but takes no writes: its "nobody has it" is not believed."""
    writer, reader = by_name(), by_name()
    ask(reader, "find nobody")
    time.sleep(RETRY_AFTER_S)
    promote(successor, database.primary, dns)
    name = insert(writer, 6)
    assert ask(reader, f"find {name}").width == 6


def test_a_primary_that_takes_no_writes_for_a_while_is_read(database, connect, ring):
    """No successor: nothing lags, nothing is remembered as missing, and nobody waits."""
    probe = connect(ring, max_lag=1)
    name = insert(probe, 4)
    database.wait_for_replicas()
    database.primary.sql("SET GLOBAL read_only = 1")
    missing, end = next(ids), time.monotonic() + 2.5
    while time.monotonic() < end:
        ring.forget_everything()
        answers = [ask(probe, f"find {name}"), ask(probe, f"find {missing}"), ask(probe, f"find {missing}")]
        assert [answer.tier for answer in answers] == ["replica", "late", "late"]
        assert [answer.word for answer in answers] == ["found", "not-found", "not-found"]
        assert all(answer.milliseconds < NO_WAIT_MS for answer in answers)
        time.sleep(0.05)
    refused = ask(probe, f"purge {name}")
    assert refused.word == "unavailable" and "read-only" in refused.detail
    database.primary.sql("SET GLOBAL read_only = 0")
    assert ask(probe, f"purge {name}").word == "found"
