"""An origin that lies, floods, stalls or is gone: what lib/origin makes of it, and how soon.

The servers here are raw sockets, so that they can send what no HTTP library would.
"""

import base64
import concurrent.futures
import gzip
import hashlib
import socket
import struct
import time
import zlib

import pytest

from origins import IMPATIENT, PATIENT, SLACK, RawServer, answering, full_backlog, origin, wait_for_hang_up

BYTES = bytes(range(256)) * 400
AT = {"access_key_id": "id", "secret_access_key": "secret", **PATIENT}


@pytest.fixture
def fetched(tmp_path):
    return tmp_path / "fetched"


# ---- nobody waits any longer --------------------------------------------------------

def _silence(connection, _head):
    wait_for_hang_up(connection)


def _slow_head(connection, _head):
    for byte in b"HTTP/1.1 200 OK\r\nx-slow: " + b"s" * 4000:
        connection.sendall(bytes([byte]))
        connection.settimeout(0.02)
        try:
            if connection.recv(1) == b"":
                raise ConnectionResetError
        except TimeoutError:
            pass


def _body_for_ever(connection, _head):
    connection.sendall(b"HTTP/1.1 200 OK\r\netag: \"e\"\r\ncontent-length: 50000000\r\n\r\n")
    for _ in range(2000):
        connection.sendall(b"x" * 2000)
        connection.settimeout(0.01)
        try:
            if connection.recv(1) == b"":
                raise ConnectionResetError
        except TimeoutError:
            pass


# From the moment nobody waits to the end: VIGIL_MS and a quarter; the rest is the machine's.
NOTICED_WITHIN = 0.25 + 0.35


@pytest.mark.parametrize("answer", [_silence, _slow_head, _body_for_ever])
def test_an_abandoned_transfer_ends(fetched, answer):
    with RawServer(answer) as server:
        outcome = origin("get", "x", fetched, endpoint=server.endpoint, abandon_after_ms=300, **AT)
        assert outcome.kind == "timeout" and "no time left" in outcome.detail
        assert 0.29 < outcome.seconds < 0.3 + NOTICED_WITHIN
        assert len(server.heads) == 1, "and is not tried again"


def test_an_abandoned_connection_attempt_ends(fetched):
    endpoint, sockets = full_backlog()
    outcome = origin("get", "x", fetched, endpoint=endpoint, abandon_after_ms=300, **AT)
    for used in sockets:
        used.close()
    assert outcome.kind == "timeout"
    assert 0.29 < outcome.seconds < 0.3 + NOTICED_WITHIN


# ---- the fallback --------------------------------------------------------------------

def _head_of(body, *headers, status="200 OK"):
    return [f"HTTP/1.1 {status}", [f"content-length: {len(body)}", "connection: close", *headers], body]


def _error(status, code):
    return answering(*_head_of(f"<Error><Code>{code}</Code></Error>".encode(), status=status))


def _object(body, *headers):
    etag = [] if any(header.startswith("etag:") for header in headers) else [
        f'etag: "{hashlib.md5(body).hexdigest()}"']
    return answering(*_head_of(body, *etag, *headers))


def _hang_up(_connection, _head):
    pass


UNUSABLE = {
    "slow down": _error("503 Slow Down", "SlowDown"), "error": _error("500 Internal Error", "InternalError"),
    "key": _error("403 Forbidden", "InvalidAccessKeyId"), "gone": _error("404 Not Found", "NoSuchBucket"),
    "hang up": _hang_up, "garbage": answering("SSH-2.0-OpenSSH_9.2p1", []), "silence": _silence,
    "cut": answering("HTTP/1.1 200 OK", ["content-length: 5000"], b"x" * 4999),
}


@pytest.mark.parametrize("first", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_fetches_from_the_fallback_what_the_first_cannot_give(fetched, first):
    with RawServer(first) as down, RawServer(_object(BYTES)) as backup:
        outcome = origin("get", "a/b.jpg", fetched, endpoint=down.endpoint, fallback_endpoint=backup.endpoint,
                         tries=2, **{**AT, **IMPATIENT})
        assert outcome.kind is None, outcome.detail
        assert outcome.values["fallback"] == "1"
        assert len(backup.heads) == 1 and backup.heads[0].startswith("GET /media/a/b.jpg ")
    assert fetched.read_bytes() == BYTES


def test_asks_the_first_alone_when_it_can_answer(fetched):
    with RawServer(_object(BYTES)) as first, RawServer(_object(b"other")) as backup:
        at = {"endpoint": first.endpoint, "fallback_endpoint": backup.endpoint, **AT}
        assert origin("get", "x", fetched, **at).values["fallback"] == "0"
        assert origin("get", "x", fetched, max_bytes=100, **at).kind == "unprocessable"
        assert origin("stat", "x", **at).kind is None
        assert backup.heads == []
    with RawServer(_error("404 Not Found", "NoSuchKey")) as first, RawServer(_object(b"other")) as backup:
        at = {"endpoint": first.endpoint, "fallback_endpoint": backup.endpoint, **AT}
        assert origin("get", "x", fetched, **at).kind == "not-found"
        assert backup.heads == []


def test_the_first_leaves_half_of_the_time(fetched):
    with RawServer(_silence) as first, RawServer(_object(BYTES)) as backup:
        outcome = origin("get", "x", fetched, endpoint=first.endpoint, fallback_endpoint=backup.endpoint,
                         **{**AT, "deadline_ms": 1600})
    assert outcome.kind is None and 0.75 < outcome.seconds < 1.5


@pytest.mark.parametrize("second", [_error("404 Not Found", "NoSuchKey"), _error("403 Forbidden", "AccessDenied"),
                                    _object(b"x" * 2000000)])
def test_when_both_fail_the_failure_is_that_of_the_first(fetched, second):
    """A copy that lags must not make a picture look deleted."""
    with RawServer(_error("503 Busy", "ServiceUnavailable")) as first, RawServer(second) as backup:
        outcome = origin("get", "x", fetched, endpoint=first.endpoint, fallback_endpoint=backup.endpoint,
                         max_bytes=1000000, **AT)
    assert outcome.kind == "unavailable"
    assert "origin probe answered 503" in outcome.detail and ";" in outcome.detail


def test_nobody_asks_the_fallback_for_who_has_gone(fetched):
    with RawServer(_silence) as first, RawServer(_object(BYTES)) as backup:
        outcome = origin("get", "x", fetched, endpoint=first.endpoint, fallback_endpoint=backup.endpoint,
                         abandon_after_ms=200, **AT)
        assert outcome.kind == "timeout" and backup.heads == [] and ";" not in outcome.detail


def test_a_directory_can_be_the_fallback(fetched, tmp_path):
    (tmp_path / "copy" / "a").mkdir(parents=True)
    (tmp_path / "copy" / "a" / "b.jpg").write_bytes(BYTES)
    with RawServer(_hang_up) as first:
        outcome = origin("get", "a/b.jpg", fetched, endpoint=first.endpoint, fallback_root=tmp_path / "copy", **AT)
    assert outcome.kind is None and outcome.values["fallback"] == "1"
    assert fetched.read_bytes() == BYTES


# ---- health ------------------------------------------------------------------------------

PAUSE_MS = 700


@pytest.fixture
def watched(tmp_path):
    return {**AT, **IMPATIENT, "health": tmp_path / "health", "retry_after_ms": PAUSE_MS}


def _refused():
    with RawServer(_hang_up) as gone:
        return gone.endpoint


def test_what_cannot_be_reached_is_left_alone_and_tried_again(fetched, watched):
    refused = origin("get", "x", fetched, endpoint=_refused(), **watched)
    assert refused.kind == "unavailable" and "3 tries" in refused.detail
    noticed = time.monotonic()
    with RawServer(_object(BYTES)) as server:
        at = {**watched, "endpoint": server.endpoint}
        outcome = origin("get", "x", fetched, **at)
        assert outcome.kind == "unavailable" and "a moment ago" in outcome.detail
        assert server.heads == [], "as long as the pause lasts nobody asks, at whatever address"
        time.sleep(max(0, noticed + PAUSE_MS / 1000 - time.monotonic()))
        assert [origin("get", "x", fetched, **at).kind for _ in range(3)] == [None] * 3


def test_while_the_first_is_left_alone_the_fallback_is_asked_at_once(fetched, watched):
    endpoint, sockets = full_backlog()
    with RawServer(_object(BYTES)) as backup:
        at = {**watched, "endpoint": endpoint, "fallback_endpoint": backup.endpoint, "retry_after_ms": 5000,
              "tries": 1}
        assert origin("get", "x", fetched, **at).seconds > 0.45, "a connect timeout"
        for _ in range(3):
            outcome = origin("get", "x", fetched, **at)
            assert outcome.values["fallback"] == "1" and outcome.seconds < 0.4
    for used in sockets:
        used.close()


def test_of_many_one_finds_out_whether_it_is_well_again(fetched, watched, tmp_path):
    endpoint = _refused()
    assert origin("get", "x", fetched, endpoint=endpoint, **{**watched, "retry_after_ms": 200}).kind == "unavailable"
    time.sleep(0.3)
    with RawServer(_silence) as silent, concurrent.futures.ThreadPoolExecutor(8) as pool:
        at = {**watched, "endpoint": silent.endpoint, "retry_after_ms": 5000}
        outcomes = list(pool.map(lambda n: origin("get", "x", tmp_path / f"fetched-{n}", **at), range(8)))
        assert sorted(outcome.kind for outcome in outcomes) == ["timeout"] + ["unavailable"] * 7
        assert len(silent.heads) == 1, "and not by several tries"


FAILURES = {"stall": _silence, "error": UNUSABLE["error"], "hang up": _hang_up, "cut": UNUSABLE["cut"],
            "garbage": UNUSABLE["garbage"]}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
def test_three_failures_in_a_row_are_bad_health(fetched, watched, failure):
    with RawServer(failure) as bad, RawServer(_object(BYTES)) as good:
        once = {**watched, "tries": 1, "stall_timeout_ms": 100}
        for endpoint in (bad, bad, good, bad, bad):
            outcome = origin("get", "x", fetched, endpoint=endpoint.endpoint, **once)
            assert (outcome.kind is None) == (endpoint is good), outcome.detail
        assert origin("get", "x", fetched, endpoint=good.endpoint, **once).kind is None, "two are not enough"
        for _ in range(3):
            assert "a moment ago" not in origin("get", "x", fetched, endpoint=bad.endpoint, **once).detail
        assert "a moment ago" in origin("get", "x", fetched, endpoint=good.endpoint, **once).detail


def test_one_operation_counts_once(fetched, watched):
    """However often it tries, it may be the object's own trouble."""
    with RawServer(UNUSABLE["error"]) as bad, RawServer(_object(BYTES)) as good:
        assert origin("get", "x", fetched, endpoint=bad.endpoint, tries=5, **watched).kind == "upstream"
        assert origin("get", "x", fetched, endpoint=good.endpoint, **watched).kind is None


ANSWERS = {"missing": _error("404 Not Found", "NoSuchKey"), "denied": _error("403 Forbidden", "AccessDenied"),
           "too large": _object(b"x" * 2000)}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_what_is_wrong_with_an_object_is_no_bad_health(fetched, watched, answer):
    with RawServer(answer) as server:
        for _ in range(5):
            outcome = origin("get", "x", fetched, endpoint=server.endpoint, max_bytes=1000, **watched)
            assert "a moment ago" not in outcome.detail


def test_those_who_go_are_no_bad_health(fetched, watched):
    with RawServer(_silence) as server:
        for _ in range(4):
            outcome = origin("get", "x", fetched, endpoint=server.endpoint, abandon_after_ms=50, **watched)
            assert outcome.kind == "timeout" and "a moment ago" not in outcome.detail


def test_those_who_come_too_late_are_no_bad_health(fetched, watched):
    with RawServer(_silence) as server:
        for _ in range(4):
            outcome = origin("get", "x", fetched, endpoint=server.endpoint,
                             **{**watched, "deadline_ms": 200})
            assert outcome.kind == "timeout" and "a moment ago" not in outcome.detail


# ---- bytes that are not those that were stored -------------------------------------------

def _base64(number, length):
    return base64.b64encode(number.to_bytes(length, "big")).decode()


def _crc(polynomial, bits, content):
    """By the definition, bit by bit; the polynomial's bits in reverse."""
    value = ones = (1 << bits) - 1
    for byte in content:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (polynomial if value & 1 else 0)
    return _base64(value ^ ones, bits // 8)


CHECKSUMS = {
    "crc64nvme": lambda content: _crc(0x9A6C9329AC4BC9B5, 64, content),
    "crc32c": lambda content: _crc(0x82F63B78, 32, content),
    "crc32": lambda content: _base64(zlib.crc32(content), 4),
    "sha256": lambda content: base64.b64encode(hashlib.sha256(content).digest()).decode(),
}
SMALL = bytes(range(251)) * 41
SPOILT = SMALL[:5000] + bytes([SMALL[5000] ^ 1]) + SMALL[5001:]
NO_MD5 = 'etag: "0123456789abcdef0123456789abcdef-2"'


@pytest.mark.parametrize("name", CHECKSUMS)
def test_compares_what_arrives_with_its_checksum(fetched, name):
    header = f"x-amz-checksum-{name}: {CHECKSUMS[name](SMALL)}"
    with RawServer(_object(SMALL, NO_MD5, header)) as server:
        assert origin("get", "x", fetched, endpoint=server.endpoint, **AT).kind is None
        assert "\r\nx-amz-checksum-mode: ENABLED\r\n" in server.heads[0]
    with RawServer(_object(SPOILT, NO_MD5, header)) as server:
        outcome = origin("get", "x", fetched, endpoint=server.endpoint, tries=5, **AT)
        assert outcome.kind == "upstream" and "checksum" in outcome.detail
        assert len(server.heads) == 2, "tried once more"


MD5 = hashlib.md5(SMALL).hexdigest()
KMS = "x-amz-server-side-encryption: aws:kms"
CUSTOMER = "x-amz-server-side-encryption-customer-algorithm: AES256"
AES = "x-amz-server-side-encryption: AES256"


@pytest.mark.parametrize("headers, is_compared", [
    ([f'etag: "{MD5}"'], True), ([f'etag: "{MD5.upper()}"'], True), ([f'etag: "{MD5}"', AES], True),
    ([f'etag: "{MD5}"', KMS], False), ([f'etag: "{MD5}"', KMS + ":dsse"], False), ([f'etag: "{MD5}"', CUSTOMER], False),
    ([f'etag: "{MD5}-1"'], False), ([f'etag: "{MD5[:-1]}"'], False), ([f'etag: "{MD5[:-1]}g"'], False),
    ([f"etag: {MD5}"], False), ([f'etag: "{MD5}"', "x-amz-checksum-crc32: AAAA"], True),
    ([f'etag: "{MD5}"', "x-amz-checksum-crc32: " + CHECKSUMS["crc32"](SMALL) + "-2"], True),
    ([f'etag: "{MD5}"', "x-amz-checksum-crc32: " + CHECKSUMS["crc32"](SPOILT)], False),
])
def test_an_etag_is_compared_when_it_is_an_md5(fetched, headers, is_compared):
    with RawServer(_object(SPOILT, *headers)) as server:
        outcome = origin("get", "x", fetched, endpoint=server.endpoint, **AT)
        assert (outcome.kind == "upstream") == is_compared, outcome.detail
        relaxed = origin("get", "x", fetched, endpoint=server.endpoint, etag_is_no_md5=1, **AT)
        assert relaxed.kind is None


def test_a_damaged_object_is_fetched_again_on_another_connection(fetched):
    answers = [_object(SPOILT, f'etag: "{MD5}"'), _object(SMALL)]
    with RawServer(lambda connection, head: answers.pop(0)(connection, head)) as server:
        assert origin("get", "x", fetched, endpoint=server.endpoint, **AT).kind is None
        assert len(server.heads) == 2
    assert fetched.read_bytes() == SMALL


def test_a_damaged_object_comes_from_the_fallback(fetched):
    with RawServer(_object(SPOILT, f'etag: "{MD5}"')) as first, RawServer(_object(SMALL, NO_MD5)) as backup:
        outcome = origin("get", "x", fetched, endpoint=first.endpoint, fallback_endpoint=backup.endpoint, **AT)
    assert outcome.values["fallback"] == "1" and outcome.values["md5"] == MD5
    assert fetched.read_bytes() == SMALL


# ---- what is no answer -------------------------------------------------------------------

ERROR = b"<?xml version='1.0'?><Error><Code>InternalError</Code></Error>"
GZIPPED = gzip.compress(SMALL)


def _send(*pieces, then=lambda connection: None):
    def answer(connection, _head):
        for piece in pieces:
            connection.sendall(piece)
        then(connection)
    return answer


def _send_for_ever(piece, first=b""):
    def answer(connection, _head):
        connection.sendall(first)
        while True:
            connection.sendall(piece)
    return answer


def _reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _drip(first, piece, pause=0.05):
    def answer(connection, _head):
        connection.sendall(first)
        for _ in range(400):
            connection.sendall(piece)
            time.sleep(pause)
    return answer


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"

# What is sent, the expected kind (None: it succeeds), and most seconds.
HOSTILE = {
    "an error with 200": (answering(*_head_of(ERROR)), "upstream", 1),
    "a short length": (answering("HTTP/1.1 200 OK", [f"content-length: {len(SMALL) - 1}", f'etag: "{MD5}"'], SMALL),
                       "upstream", 1),
    "a long length": (answering("HTTP/1.1 200 OK", [f"content-length: {len(SMALL) + 1}", f'etag: "{MD5}"'], SMALL),
                      "upstream", 1),
    "a negative length": (answering("HTTP/1.1 200 OK", ["content-length: -1"], SMALL), "upstream", 1),
    "a length over 64 bits": (answering("HTTP/1.1 200 OK", ["content-length: 99999999999999999999"], SMALL),
                              "upstream", 1),
    "part of it unasked": (answering(*_head_of(SMALL, "content-range: bytes 0-9/99", status="206 Partial")),
                           "upstream", 1),
    "nothing new": (answering("HTTP/1.1 304 Not Modified", []), "upstream", 1),
    "compressed on the way": (answering(*_head_of(GZIPPED, "content-encoding: gzip", f'etag: "{MD5}"')),
                              "upstream", 1),
    "a coding unasked": (_send(OK + b"transfer-encoding: gzip, chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"), "upstream", 1),
    "garbage for a chunk": (_send(CHUNKED + b"zz\r\nabc\r\n0\r\n\r\n"), "upstream", 1),
    "a chunk of 2^64": (_send(CHUNKED + b"ffffffffffffffffff\r\nabc"), "upstream", 1),
    "a chunk without its end": (_send(CHUNKED + b"3\r\nabcdefgh\r\n0\r\n\r\n"), "upstream", 1),
    "no last chunk": (_send(CHUNKED + b"3\r\nabc\r\n"), "upstream", 1),
    "trailers for ever": (_send_for_ever(b"x-t: 1\r\n" * 100, CHUNKED + b"3\r\nabc\r\n0\r\n"), "upstream", 1.5),
    "a chunk extension for ever": (_send_for_ever(b"e" * 4096, CHUNKED + b"3;"), "timeout", 1),
    "a body for ever": (_send_for_ever(b"ffff\r\n" + b"x" * 65535 + b"\r\n", CHUNKED), "unprocessable", 1),
    "an error for ever": (_send_for_ever(b"x" * 65536, b"HTTP/1.1 500 Oh\r\n\r\n"), "upstream", 1.5),
    "a header of 1 MB": (_send(OK + b"x-long: " + b"h" * (1 << 20) + b"\r\n\r\n"), "upstream", 1.5),
    "headers of 1 MB": (_send(OK + b"x-many: 1\r\n" * 95000 + b"\r\n"), "upstream", 1.5),
    "headers for ever": (_send_for_ever(b"x-many: 1\r\n" * 100, OK), "upstream", 1.5),
    "a status line for ever": (_send_for_ever(b"2" * 4096, b"HTTP/1.1 "), "upstream", 1.5),
    "continues for ever": (_send_for_ever(b"HTTP/1.1 100 Continue\r\n\r\n" * 50), "upstream", 1.5),
    "hints for ever": (_send_for_ever(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 50), "upstream", 1.5),
    "another protocol": (_send(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\nabc"), "upstream", 1.5),
    "an older protocol": (_send(b"<html>HTTP/0.9</html>"), "upstream", 1),
    "zeros": (_send(bytes(100000)), "upstream", 1),
    "a zero in a header": (_send(OK + b"content-length: 3\r\nx: a\0b\r\n\r\nabc"), "upstream", 1),
    "reset before the head": (_send(then=_reset), "upstream", 1),
    "reset in the head": (_send(OK + b"content-le", then=_reset), "upstream", 1),
    "reset after the head": (_send(OK + b"content-length: 5\r\n\r\n", then=_reset), "upstream", 1),
    "reset in the body": (_send(OK + b"content-length: 5\r\n\r\nabc", then=_reset), "upstream", 1),
    "a head that drips": (_drip(OK + b"x-slow: ", b"s"), "timeout", 1),
    "a body that drips": (_drip(OK + b"content-length: 90000\r\n\r\n", b"s"), "timeout", 1),
    "continues that drip": (_drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "timeout", 1),
    "an error that drips": (_drip(b"HTTP/1.1 503 Busy\r\ncontent-length: 50000\r\n\r\n", b"<"), "timeout", 1),
    "a continue before": (_send(b"HTTP/1.1 100 Continue\r\n\r\n" + OK + f'etag: "{MD5}"\r\ncontent-length: '.encode() +
                                str(len(SMALL)).encode() + b"\r\n\r\n" + SMALL), None, 1),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_answer_ends_soon(fetched, name):
    answer, kind, seconds = HOSTILE[name]
    with RawServer(answer) as server:
        outcome = origin("get", "x", fetched, endpoint=server.endpoint, tries=2, max_bytes=1000000,
                         **{**AT, **IMPATIENT, "stall_timeout_ms": 250})
    assert outcome.kind == kind, outcome.detail
    assert outcome.seconds < seconds + SLACK
    if kind is None:
        assert fetched.read_bytes() == SMALL


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_leads_nowhere(fetched, status):
    """Our signature and token are for one host; and the host could be one of ours."""
    with RawServer(_object(BYTES)) as elsewhere:
        location = f"location: {elsewhere.endpoint}/media/x"
        with RawServer(answering(*_head_of(b"", location, status=status))) as server:
            assert origin("get", "x", fetched, endpoint=server.endpoint, **AT).kind == "upstream"
        assert elsewhere.heads == []
