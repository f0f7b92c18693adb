"""The memcached ring: hits, misses, and peers that are dead, frozen or lying."""

import contextlib
import hashlib
import hmac
import signal
import socket
import subprocess
import threading
import time

import pytest

from probe import Probe, build_folder
from memcached import Memcached
from process import StackError, free_port

CONNECT_TIMEOUT_MS, TIMEOUT_MS, RETRY_AFTER_S = 100, 150, 1
# One wait on a peer and its neighbours, on a busy machine.
ONE_TIMEOUT_MS = CONNECT_TIMEOUT_MS + TIMEOUT_MS + 100
NO_WAIT_MS = 60


@pytest.fixture(scope="module")
def started_ring(tmp_path_factory):
    with Memcached(tmp_path_factory.mktemp("memcached"), count=2) as ring:
        yield ring


@pytest.fixture
def ring(started_ring):
    """Both members running and empty."""
    for member in started_ring.members:
        if member.is_running():
            member.thaw()
        else:
            member.start()
    started_ring.forget_everything()
    yield started_ring
    for member in started_ring.members:
        if member.is_running():
            member.thaw()


@pytest.fixture
def probe(ring):
    with Probe("probe_peers", ring.servers, CONNECT_TIMEOUT_MS, TIMEOUT_MS, RETRY_AFTER_S) as probe:
        yield probe


def ask(probe, line):
    """The answer's word, its milliseconds, and the value."""
    word, milliseconds, value = (probe.ask(line) + " ").split(" ", 2)
    return word, float(milliseconds), value.strip()


def word(probe, line):
    return ask(probe, line)[0]


def names_on(ring, probe, member, count=3):
    """Names whose values lie with that member: written, then looked for there."""
    found = []
    for number in range(200):
        name = f"name-{number}"
        assert word(probe, f"put {name} 60 value") == "hit"
        if "VALUE" in member.ask("get " + probe.ask(f"key {name}")):
            found.append(name)
        if len(found) == count:
            return found
    raise AssertionError("the ring gives this member nothing")


def test_returns_what_was_put(probe):
    assert word(probe, "get a") == "miss"
    assert word(probe, "put a 60 one two  three") == "hit"
    answer, _, value = ask(probe, "get a")
    assert (answer, value) == ("hit", "one two  three")


def test_keeps_an_empty_value(probe):
    assert word(probe, "put empty 60 ") == "hit"
    assert ask(probe, "get empty")[::2] == ("hit", "")


def test_replaces_and_deletes(probe):
    word(probe, "put a 60 old")
    word(probe, "put a 60 new")
    assert ask(probe, "get a")[2] == "new"
    assert word(probe, "delete a") == "hit"
    assert word(probe, "get a") == "miss"
    assert word(probe, "delete a") == "miss"


def test_lets_only_the_first_add_win(probe):
    assert word(probe, "add lease 60 mine") == "hit"
    assert word(probe, "add lease 60 theirs") == "miss"
    assert ask(probe, "get lease")[2] == "mine"


def test_forgets_after_the_lifetime(probe):
    word(probe, "put brief 1 value")
    time.sleep(2.1)
    assert word(probe, "get brief") == "miss"


def test_stores_the_largest_value_and_refuses_a_larger_one(probe):
    assert word(probe, "fill large 60 1000000") == "hit"
    assert word(probe, "get large") == "hit"
    assert word(probe, "fill larger 60 1000001") == "miss"


def test_spreads_keys_over_all_members(ring, probe):
    for member in ring.members:
        assert names_on(ring, probe, member)


def test_takes_another_keys_value_for_a_miss(ring, probe):
    word(probe, "put a 60 value-of-a")
    key_a, key_b = probe.ask("key a"), probe.ask("key b")
    for member in ring.members:
        answer = member.ask(f"get {key_a}")
        if "VALUE" in answer:
            wrapped = answer.split("\r\n", 1)[1].removesuffix("\r\nEND\r\n")
    assert wrapped.endswith("value-of-a")
    for member in ring.members:
        assert member.ask(f"set {key_a} 0 60 {len(wrapped)}\r\n{wrapped}") == "STORED\r\n"
        assert member.ask(f"set {key_b} 0 60 {len(wrapped)}\r\n{wrapped}") == "STORED\r\n"
    assert ask(probe, "get a")[::2] == ("hit", "value-of-a")
    assert word(probe, "get b") == "miss"


SECRET = "only the servers know"


@pytest.fixture
def sealed(ring):
    with Probe("probe_peers", ring.servers, CONNECT_TIMEOUT_MS, TIMEOUT_MS, RETRY_AFTER_S, "", SECRET) as sealed:
        yield sealed


def plant(ring, key, value, secret):
    """As somebody would who can write to every member; lib/peers/envelope.h says how."""
    rest = f"{key.removeprefix('vitrine:')} {len(value):08}\n{value}".encode()
    seal = hmac.new(secret.encode(), rest, "sha256") if secret else hashlib.sha256(rest)
    wrapped = f"vitrine 2 {seal.hexdigest()[:32]} {rest.decode()}"
    for member in ring.members:
        assert member.ask(f"set {key} 0 60 {len(wrapped)}\r\n{wrapped}") == "STORED\r\n"


def test_believes_only_what_was_sealed_with_the_secret(ring, probe, sealed):
    key = probe.ask("key a")
    for secret, by_sealed, by_probe in [(SECRET, "hit", "miss"), ("", "miss", "hit"), (SECRET + " ", "miss", "miss")]:
        plant(ring, key, "planted", secret)
        assert (word(sealed, "get a"), word(probe, "get a")) == (by_sealed, by_probe)
    assert word(sealed, "put a 60 value") == "hit"
    assert ask(sealed, "get a")[::2] == ("hit", "value") and word(probe, "get a") == "miss"


def test_refuses_a_short_secret(ring):
    probe = build_folder() / "tests/integration/probe_peers"
    result = subprocess.run([probe, ring.servers, "50", "50", "1", "", "fifteen letters"], text=True,
                            capture_output=True, timeout=10, stdin=subprocess.DEVNULL)
    assert result.returncode == 1 and "15 bytes, at least 16" in result.stdout


def test_takes_foreign_and_cut_values_for_misses(ring, probe):
    key = probe.ask("key a")
    for foreign in ["", "x", "vitrine 2 ", "a:1:{s:1:\"a\";i:1;}" * 20]:
        for member in ring.members:
            member.ask(f"set {key} 0 60 {len(foreign)}\r\n{foreign}")
        assert word(probe, "get a") == "miss"


def test_serves_the_living_while_a_member_is_dead(ring, probe):
    dead_names = names_on(ring, probe, ring.members[0])
    living_names = names_on(ring, probe, ring.members[1])
    ring.members[0].kill()
    for _ in range(3):
        for name in dead_names:
            answer, milliseconds, _ = ask(probe, f"get {name}")
            assert answer == "down" and milliseconds < NO_WAIT_MS
        for name in living_names:
            assert ask(probe, f"get {name}")[::2] == ("hit", "value")
    assert word(probe, f"put {dead_names[0]} 60 value") == "down"
    assert word(probe, f"add {dead_names[0]} 60 value") == "down"
    assert word(probe, f"delete {dead_names[0]}") == "down"
    # The ring did not move: nothing of the dead member's went to the living one.
    assert "VALUE" not in ring.members[1].ask("get " + probe.ask(f"key {dead_names[0]}"))


def test_asks_a_dead_member_again_after_a_while(ring, probe):
    name = names_on(ring, probe, ring.members[0])[0]
    ring.members[0].kill()
    assert word(probe, f"get {name}") == "down"
    ring.members[0].start()
    assert word(probe, f"get {name}") == "down"
    time.sleep(RETRY_AFTER_S + 0.1)
    assert word(probe, f"get {name}") == "miss"
    assert word(probe, f"put {name} 60 value") == "hit"


def test_notices_at_once_that_a_member_was_restarted(ring, probe):
    name = names_on(ring, probe, ring.members[0])[0]
    ring.members[0].kill()
    ring.members[0].start()
    assert word(probe, f"get {name}") == "miss"
    ring.members[0].kill()
    ring.members[0].start()
    assert word(probe, f"put {name} 60 value") == "hit"


def test_pays_for_a_frozen_member_once(ring, probe):
    frozen = names_on(ring, probe, ring.members[0])
    living = names_on(ring, probe, ring.members[1])
    ring.members[0].freeze()
    answer, milliseconds, _ = ask(probe, f"get {frozen[0]}")
    assert answer == "down" and TIMEOUT_MS / 2 < milliseconds < ONE_TIMEOUT_MS
    for name in frozen:
        answer, milliseconds, _ = ask(probe, f"get {name}")
        assert answer == "down" and milliseconds < NO_WAIT_MS
    assert word(probe, f"get {living[0]}") == "hit"
    # It answers late, to a connection that was closed: nobody gets that answer.
    ring.members[0].thaw()
    time.sleep(RETRY_AFTER_S + 0.1)
    for name in frozen:
        assert ask(probe, f"get {name}")[::2] == ("hit", "value")


def test_remembers_when_a_member_failed(ring, probe, tmp_path):
    """After it has answered again, and in a process that starts later; not of the other member."""
    frozen, living = (names_on(ring, probe, member, 1)[0] for member in ring.members)
    settings = [ring.servers, CONNECT_TIMEOUT_MS, TIMEOUT_MS, RETRY_AFTER_S, tmp_path / "breakers"]
    with Probe("probe_peers", *settings) as first:
        assert word(first, f"get {frozen}") == "hit" and first.ask(f"failed {frozen}") == "never"
        ring.members[0].freeze()
        assert word(first, f"get {frozen}") == "down"
        ring.members[0].thaw()
    time.sleep(RETRY_AFTER_S + 0.1)
    with Probe("probe_peers", *settings) as second:
        assert word(second, f"get {frozen}") == "hit"
        assert 1 <= int(second.ask(f"failed {frozen}")) <= 5
        assert second.ask(f"failed {living}") == "never"


def test_all_processes_of_a_machine_pay_for_a_frozen_member_once(ring, probe, tmp_path):
    """Eight of them share what they know; one in each pause tries again."""
    name = names_on(ring, probe, ring.members[0], 1)[0]
    probes = [Probe("probe_peers", ring.servers, CONNECT_TIMEOUT_MS, TIMEOUT_MS, RETRY_AFTER_S, tmp_path / "breakers")
              for _ in range(8)]
    try:
        assert {word(other, f"get {name}") for other in probes} == {"hit"}
        ring.members[0].freeze()
        assert ask(probes[0], f"get {name}")[1] > TIMEOUT_MS / 2
        slow, end = 0, time.monotonic() + 2.5 * RETRY_AFTER_S
        while time.monotonic() < end:
            for other in probes:
                other.send(f"get {name}")
            answers = [other.receive().split() for other in probes]
            assert {answer[0] for answer in answers} == {"down"}
            slow += sum(float(answer[1]) > TIMEOUT_MS / 2 for answer in answers)
            time.sleep(0.01)
        # Two or three; on a busy machine others are slow too.  Each for itself would be sixteen and more.
        assert 1 <= slow <= 6
        ring.members[0].thaw()
        time.sleep(RETRY_AFTER_S + 0.1)
        assert "hit" in {word(other, f"get {name}") for other in probes}
        assert {word(other, f"get {name}") for other in probes} == {"hit"}
    finally:
        for other in probes:
            other.close()


class Liar:
    """Speaks for memcached: reply(question) gives the bytes that it sends, or a list of
    them with pauses between; None hangs up."""

    def __init__(self, reply):
        self.reply = reply
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.servers = "127.0.0.1:%d" % self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError), connection:
            while question := connection.recv(65536):
                answer = self.reply(question)
                if answer is None:
                    return
                for part in answer if isinstance(answer, list) else [answer]:
                    connection.sendall(part)
                    if isinstance(answer, list):
                        time.sleep(0.02)

    def close(self):
        self._listener.close()


@contextlib.contextmanager
def _probe_that_may_abort(*settings):
    probe = Probe("probe_peers", *settings)
    try:
        yield probe
    finally:
        with contextlib.suppress(BrokenPipeError):
            assert probe.close() in (0, -signal.SIGABRT)


@pytest.fixture
def lied_to(tmp_path):
    """lied_to(reply): a liar, and two processes that share breakers and believe it to be memcached."""
    with contextlib.ExitStack() as stack:
        def open_all(reply):
            liar = stack.enter_context(contextlib.closing(Liar(reply)))
            settings = [liar.servers, CONNECT_TIMEOUT_MS, TIMEOUT_MS, RETRY_AFTER_S, tmp_path / "breakers"]
            return liar, *[stack.enter_context(_probe_that_may_abort(*settings)) for _ in range(2)]

        yield open_all


def key_in(question):
    return question.split()[1]


LIES = {
    "another key": lambda q: b"VALUE vitrine:other 0 5\r\nhello\r\nEND\r\n",
    "no protocol": lambda q: b"\0\xff\xfe nonsense\r\n",
    "a line without end": lambda q: b"V" * 1000000,
    "a length beyond 64 bits": lambda q: b"VALUE " + key_in(q) + b" 0 99999999999999999999\r\nabc\r\nEND\r\n",
    "100 GB": lambda q: b"VALUE " + key_in(q) + b" 0 100000000000\r\nabc\r\nEND\r\n",
    "a length below zero": lambda q: b"VALUE " + key_in(q) + b" 0 -1\r\nabc\r\nEND\r\n",
    "a length too short": lambda q: b"VALUE " + key_in(q) + b" 0 2\r\nabcdefgh\r\nEND\r\n",
    "a value cut off": lambda q: b"VALUE " + key_in(q) + b" 0 500\r\nabc",
    "no length": lambda q: b"VALUE " + key_in(q) + b"\r\n",
    "the value twice": lambda q: (b"VALUE " + key_in(q) + b" 0 3\r\nabc\r\n") * 2 + b"END\r\n",
    "the answer twice": lambda q: (b"VALUE " + key_in(q) + b" 0 3\r\nabc\r\nEND\r\n") * 2,
    "one END more": lambda q: b"END\r\nEND\r\n",
    "the answer to another question": lambda q: b"12345\r\n",
    "a client error": lambda q: b"CLIENT_ERROR bad\r\n",
    "statistics": lambda q: b"STAT a b\r\nEND\r\n",
    "the binary protocol": lambda q: b"\x81" + b"\0" * 23,
    "nothing": lambda q: b"",
    "its end": lambda q: None,
}


# libmemcached ends the process when an answer is out of step with its question.
OUT_OF_STEP = {"another key", "the value twice", "the answer twice", "one END more", "the answer to another question",
               "statistics"}
QUESTIONS = ("get a", "get b", "put c 60 value", "add d 60 value", "delete e", "get a")


@pytest.mark.parametrize("lie", sorted(LIES.keys() - OUT_OF_STEP))
def test_takes_nothing_from_a_liar(lied_to, lie):
    """Not in its answer, nor for the next question, nor longer than it may wait."""
    liar, probe, _ = lied_to(LIES[lie])
    for line in QUESTIONS:
        answer, milliseconds, value = ask(probe, line)
        assert answer in ("miss", "down") and value == "" and milliseconds < ONE_TIMEOUT_MS
    liar.reply = lambda question: b"END\r\n"
    time.sleep(RETRY_AFTER_S + 0.1)
    assert word(probe, "get a") == "miss"


@pytest.mark.parametrize("lie", sorted(OUT_OF_STEP))
def test_a_liar_that_ends_a_process_is_left_alone_by_the_others(lied_to, lie):
    """And what it said is not believed before that."""
    _, probe, other = lied_to(LIES[lie])
    with pytest.raises(StackError, match="the probe ended with -6"):
        for line in QUESTIONS:
            answer, _, value = ask(probe, line)
            assert answer in ("miss", "down") and value == ""
    answer, milliseconds, _ = ask(other, "get a")
    assert answer == "down" and milliseconds < NO_WAIT_MS


def test_takes_no_late_answer_for_that_of_the_next_question(lied_to):
    """As a frozen server gives them when it goes on."""
    liar, probe, _ = lied_to(
        lambda question: time.sleep(0.3) or b"VALUE " + key_in(question) + b" 0 3\r\nabc\r\nEND\r\n")
    assert word(probe, "get a") == "down"
    liar.reply = lambda question: b"END\r\n"
    time.sleep(RETRY_AFTER_S + 0.1)
    for _ in range(8):
        assert word(probe, "get b") == "miss"
        time.sleep(0.05)


def test_counts_who_answers(ring, probe):
    assert probe.ask("count").startswith("2/2 ")
    ring.members[1].freeze()
    count, milliseconds = probe.ask("count").split()
    assert count == "1/2" and float(milliseconds) < ONE_TIMEOUT_MS
    ring.members[1].kill()
    assert probe.ask("count").startswith("1/2 ")
    ring.members[0].kill()
    assert probe.ask("count").startswith("0/2 ")


def test_closes_in_time_while_a_member_is_frozen(ring):
    probe = Probe("probe_peers", ring.servers, CONNECT_TIMEOUT_MS, TIMEOUT_MS, RETRY_AFTER_S)
    for number in range(20):
        assert word(probe, f"put {number} 60 value") == "hit"
    ring.members[0].freeze()
    started = time.monotonic()
    assert probe.close() == 0
    assert (time.monotonic() - started) * 1000 < 2 * ONE_TIMEOUT_MS


def test_misses_everything_without_a_ring():
    with Probe("probe_peers", "", 50, 50, 1) as probe:
        assert word(probe, "put a 60 value") == "down"
        assert word(probe, "get a") == "down"
        assert probe.ask("count").startswith("0/0 ")


def test_is_down_when_nobody_listens():
    with Probe("probe_peers", f"127.0.0.1:{free_port()}", 50, 50, 1) as probe:
        assert word(probe, "get a") == "down"
        assert probe.ask("count").startswith("0/1 ")


@pytest.mark.parametrize("lifetime", [0, 30 * 24 * 3600 + 1])
def test_takes_a_lifetime_out_of_range_for_a_bug(ring, lifetime):
    probe = build_folder() / "tests/integration/probe_peers"
    result = subprocess.run([probe, ring.servers, "50", "50", "1"], input=f"put a {lifetime} value\n",
                            text=True, capture_output=True, timeout=10)
    assert result.returncode == -6 and "event=bug" in result.stderr


def test_refuses_a_malformed_list():
    probe = build_folder() / "tests/integration/probe_peers"
    result = subprocess.run([probe, "127.0.0.1:11211,nonsense", "50", "50", "1"], text=True,
                            capture_output=True, timeout=10, stdin=subprocess.DEVNULL)
    assert result.returncode == 1 and "nonsense" in result.stdout
