"""lib/origin against a real S3, an S3 that misbehaves, and a directory.

Every fault has the kind of failure that is expected of it and a time within
which it must be noticed.
"""

import os
import socket
import subprocess
import time

import pytest

from origins import IMPATIENT, PATIENT, SLACK, full_backlog, origin
from probe import build_folder
from s3 import FaultyS3, S3, install_s3

BYTES = bytes(range(256)) * 700
FAULTY_CONTENT = b"x" * 100000


@pytest.fixture(scope="module")
def installed():
    return install_s3(build_folder() / "s3")


@pytest.fixture(scope="module")
def s3(installed, tmp_path_factory):
    with S3(tmp_path_factory.mktemp("s3"), installed) as server:
        yield server


@pytest.fixture(scope="module")
def faulty(installed, tmp_path_factory):
    with FaultyS3(tmp_path_factory.mktemp("faulty"), installed, page_size=3) as server:
        yield server


@pytest.fixture
def at(s3):
    """Options that reach the real S3."""
    return {"endpoint": s3.endpoint, "access_key_id": "S3RVER", "secret_access_key": "S3RVER", **PATIENT}


@pytest.fixture
def at_faulty(faulty):
    return {"endpoint": faulty.endpoint, "access_key_id": "S3RVER", "secret_access_key": "S3RVER", **PATIENT}


@pytest.fixture
def original(tmp_path):
    path = tmp_path / "original"
    path.write_bytes(BYTES)
    return path


@pytest.fixture
def fetched(tmp_path):
    """Where to fetch to; it already holds something longer."""
    path = tmp_path / "fetched"
    path.write_bytes(b"old" * 100000)
    return path


# ---- a real S3 ------------------------------------------------------------------------

ODD_KEYS = ["plain.jpg", "with space.jpg", "a+b&c=d?e#f.jpg", "100%.jpg", "%41.jpg", "é-ü-漢-😀.jpg",
            "tilde~quote'star*(paren)!.jpg", "deep/er/and/deeper.jpg", "semi;colon,comma:colon@at$.jpg",
            "back\\slash\"quote<less>.jpg", "line\nend\ttab.jpg"]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_stores_and_fetches_a_key(at, original, fetched, key):
    stored = origin("put", key, original, **at)
    assert stored.kind is None, stored.detail
    for verb in (["get", key, fetched], ["stat", key]):
        found = origin(*verb, **at)
        assert found.kind is None, found.detail
        assert found.values["bytes"] == str(len(BYTES))
        assert found.values["etag"] == stored.values["etag"] != ""
        assert abs(int(found.values["modified"]) - time.time()) < 60
    assert fetched.read_bytes() == BYTES


def test_puts_the_prefix_before_every_key(at, original, fetched):
    assert origin("put", "x.jpg", original, prefix="tenant/one ", **at).kind is None
    assert origin("stat", "tenant/one x.jpg", **at).kind is None
    listed = origin("list", "x", prefix="tenant/one ", **at)
    assert [line.split(" ", 3)[3] for line in listed.lines[:-1]] == ["x.jpg"]


def test_fetches_an_empty_object(at, tmp_path, fetched):
    empty = tmp_path / "empty"
    empty.touch()
    assert origin("put", "empty", empty, **at).kind is None
    assert origin("get", "empty", fetched, **at).values["bytes"] == "0"
    assert fetched.read_bytes() == b""


def test_stores_a_file_of_many_megabytes(at, tmp_path, fetched):
    large = tmp_path / "large"
    large.write_bytes(os.urandom(1 << 20) * 20)
    assert origin("put", "large", large, **at).kind is None
    assert origin("get", "large", fetched, **at).kind is None
    assert fetched.read_bytes() == large.read_bytes()


def test_lists_keys_with_a_prefix(at, tmp_path):
    small = tmp_path / "small"
    small.write_bytes(b"12345")
    keys = ["list/it's a & <b>.jpg", "list/a+b c.jpg", "list/ü.jpg"]
    for key in keys:
        assert origin("put", key, small, **at).kind is None
    listed = origin("list", "list/", **at)
    assert sorted(line.split(" ", 3)[3] for line in listed.lines[:-1]) == sorted(keys)
    assert all(line.startswith("5 ") for line in listed.lines[:-1])


def test_lists_more_than_one_page(s3, at):
    """Written into s3rver's folder: a thousand requests would take long."""
    folder = s3.folder / "buckets" / "media" / "pages"
    folder.mkdir()
    keys = [f"pages/{number:04}" for number in range(1101)]
    for key in keys:
        (folder.parent / f"{key}._S3rver_object").write_bytes(b"page")
    listed = origin("list", "pages/", **at)
    assert [line.split(" ", 3)[3] for line in listed.lines[:-1]] == keys


@pytest.mark.parametrize("verb", ["get", "stat"])
@pytest.mark.parametrize("changed, kind, word", [
    ({}, "not-found", "no such object"),
    ({"bucket": "missing-bucket"}, "upstream", "NoSuchBucket"),
    ({"secret_access_key": "wrong"}, "upstream", "SignatureDoesNotMatch"),
    ({"access_key_id": "unknown"}, "upstream", "InvalidAccessKeyId"),
])
def test_says_why_there_is_no_object(at, fetched, verb, changed, kind, word):
    words = [verb, "missing key"] + ([fetched] if verb == "get" else [])
    outcome = origin(*words, **{**at, **changed})
    assert (outcome.kind, word in outcome.detail) == (kind, True), outcome.detail
    assert outcome.seconds < 1 + SLACK


def test_refuses_an_object_over_the_limit(at, original, fetched):
    assert origin("put", "limit", original, **at).kind is None
    assert origin("get", "limit", fetched, max_bytes=len(BYTES), **at).kind is None
    outcome = origin("get", "limit", fetched, max_bytes=len(BYTES) - 1, **at)
    assert outcome.kind == "unprocessable" and str(len(BYTES) - 1) in outcome.detail
    assert fetched.read_bytes() == b"", "noticed before the first byte"


def test_probe_tells_whether_it_lets_us_in(at):
    assert origin("probe", **at).kind is None
    assert origin("probe", **{**at, "secret_access_key": "wrong"}).kind == "upstream"
    assert origin("probe", **{**at, "bucket": "missing-bucket"}).kind == "upstream"


def test_finds_credentials_in_the_environment_and_in_the_file(s3, tmp_path):
    at_s3 = {"endpoint": s3.endpoint, **PATIENT}
    credentials = tmp_path / "credentials"
    credentials.write_text("[default]\naws_access_key_id = wrong\naws_secret_access_key = wrong\n"
                           "[ours]\naws_access_key_id = S3RVER\naws_secret_access_key = S3RVER\n")
    in_file = {"AWS_SHARED_CREDENTIALS_FILE": str(credentials)}
    in_environment = {"AWS_ACCESS_KEY_ID": "S3RVER", "AWS_SECRET_ACCESS_KEY": "S3RVER"}
    assert origin("probe", **at_s3).kind == "internal"
    assert origin("probe", environment=in_environment, **at_s3).kind is None
    assert origin("probe", environment=in_file, **at_s3).kind == "upstream"
    assert origin("probe", environment={**in_file, "AWS_PROFILE": "ours"}, **at_s3).kind is None
    assert origin("probe", environment=in_file, profile="ours", **at_s3).kind is None
    assert origin("probe", environment=in_file, profile="none", **at_s3).kind == "internal"


@pytest.mark.parametrize("changed", [
    {"endpoint": "ftp://127.0.0.1"}, {"endpoint": "http://127.0.0.1/path"}, {"endpoint": "http://"},
    {"endpoint": "http://user@host"}, {"bucket": ""}, {"bucket": "a/b"}, {"region": "eu/west"},
    {"region": ""}, {"tries": 0}, {"tls_ca": "/nonexistent.pem"}, {"root": "relative"},
    {"root": "/nonexistent"}, {"root": "/etc/passwd"},
])
def test_refuses_a_wrong_configuration(at, changed):
    assert origin("probe", **{**at, **changed}).kind == "internal"


def test_an_unwritable_file_is_our_own_failure(at, original):
    assert origin("put", "full", original, **at).kind is None
    assert origin("get", "full", "/dev/full", **at).kind == "internal"


# ---- a server that cannot be reached ------------------------------------------------------

def test_a_refused_connection_is_unavailable(at, fetched):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        outcome = origin("get", "x", fetched, **{**at, "endpoint": endpoint})
    assert outcome.kind == "unavailable" and "3 tries" in outcome.detail
    assert outcome.seconds < 1 + SLACK


def test_an_unknown_name_is_unavailable(at, fetched):
    outcome = origin("get", "x", fetched, **{**at, "endpoint": "http://s3.invalid"})
    assert outcome.kind == "unavailable"


def test_a_server_that_accepts_and_is_silent_is_given_up_after_the_stall_timeout(at, fetched):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        outcome = origin("get", "x", fetched, tries=1, **{**at, **IMPATIENT, "endpoint": endpoint})
    assert outcome.kind == "timeout" and "stalled" in outcome.detail
    assert 0.4 < outcome.seconds < 1.2 + SLACK


def test_a_full_backlog_is_given_up_after_the_connect_timeout(at, fetched):
    endpoint, sockets = full_backlog()
    outcome = origin("get", "x", fetched, tries=1, **{**at, **IMPATIENT, "endpoint": endpoint})
    for used in sockets:
        used.close()
    assert outcome.kind == "unavailable", outcome.detail
    assert 0.4 < outcome.seconds < 1.2 + SLACK


def test_a_frozen_server_costs_no_more_than_the_deadline(installed, tmp_path, at, fetched, original):
    with S3(tmp_path / "frozen", installed) as server:
        options = {**at, "endpoint": server.endpoint}
        assert origin("put", "x", original, **options).kind is None
        server.freeze()
        outcome = origin("get", "x", fetched, **{**options, "deadline_ms": 700})
        assert outcome.kind == "timeout" and 0.6 < outcome.seconds < 1.1 + SLACK
        assert origin("probe", **{**options, **IMPATIENT}).kind == "timeout"
        server.thaw()
        assert origin("get", "x", fetched, **options).kind is None


def test_another_port_that_speaks_tls_or_not_is_noticed(s3, at, fetched):
    endpoint = s3.endpoint.replace("http:", "https:")
    outcome = origin("get", "x", fetched, **{**at, "endpoint": endpoint})
    assert outcome.kind == "unavailable" and outcome.seconds < 1.5 + SLACK


# ---- TLS ------------------------------------------------------------------------------------

def test_verifies_the_certificate(tmp_path, fetched):
    """openssl s_server answers HTTP with a file listing; here only trust matters."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", key, "-out", certificate, "-days", "1", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost"], check=True, stderr=subprocess.DEVNULL)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", certificate,
                               "-key", key, "-WWW", "-quiet"], cwd=tmp_path, stdin=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        at_tls = {"access_key_id": "a", "secret_access_key": "b", "tries": 1, **PATIENT}
        named = f"https://localhost:{port}"
        trusted = origin("get", "x", fetched, endpoint=named, tls_ca=certificate, **at_tls)
        assert trusted.kind == "upstream" and "certificate" not in trusted.detail.lower()
        unknown = origin("get", "x", fetched, endpoint=named, **at_tls)
        assert unknown.kind == "upstream" and "certificate" in unknown.detail.lower()
        other_name = origin("get", "x", fetched, endpoint=f"https://127.0.0.1:{port}",
                            tls_ca=certificate, **at_tls)
        assert other_name.kind == "upstream" and "subject name" in other_name.detail.lower()
    finally:
        server.kill()
        server.wait()


# ---- an S3 that misbehaves ------------------------------------------------------------------

# First part of the key, expected kind (None: succeeds), most seconds.
FAULTS = [
    ("slowdown-1", None, 1), ("slowdown-2", None, 1), ("slowdown-3", "unavailable", 1),
    ("error-2", None, 1), ("error-3", "upstream", 1), ("unavailable", "unavailable", 1),
    ("denied", "upstream", 0.5), ("status-418", "upstream", 0.5), ("status-204", "upstream", 0.5),
    ("status-404", "upstream", 0.5), ("garbage-404", "upstream", 0.5), ("garbage-403", "upstream", 0.5),
    ("garbage-503", "unavailable", 1), ("longerror-404", "upstream", 1),
    ("silent", "timeout", 2.6), ("stall-50000", "timeout", 2.6), ("trickle-50", "timeout", 2.6),
    ("truncated-0", "upstream", 1), ("truncated-99999", "upstream", 1), ("truncatedonce-50000", None, 1),
    ("reset-50000", "upstream", 1.5), ("resetonce-50000", None, 1), ("hangup", "upstream", 1),
    ("nolength", "upstream", 1), ("chunked", None, 1), ("cutchunked", "upstream", 1),
    ("badlength", "upstream", 1), ("twolengths", "upstream", 1), ("nohttp", "upstream", 1),
    ("headers", "upstream", 1), ("hugelength", "unprocessable", 0.5), ("hugechunked", "unprocessable", 0.5),
    ("moved-eu-west-3", None, 0.5), ("movedforever", "upstream", 0.5), ("evilregion", "upstream", 0.5),
    ("misdirected-eu-west-3", None, 0.5),
    ("skewed-7200", None, 0.5), ("skewed--86400", None, 0.5), ("nodate", "upstream", 0.5),
    ("expired", "upstream", 0.5),
]


@pytest.mark.parametrize("fault, kind, seconds", FAULTS, ids=[fault for fault, *_ in FAULTS])
def test_fetching_through_a_fault(faulty, at_faulty, fetched, fault, kind, seconds):
    outcome = origin("get", f"{fault}/object", fetched, max_bytes=1000000, **{**at_faulty, **IMPATIENT})
    assert outcome.kind == kind, outcome.detail
    assert outcome.seconds < seconds + SLACK
    if kind is None:
        assert fetched.read_bytes() == FAULTY_CONTENT
    assert not [request for request in faulty.seen() if request["wrong"]]


@pytest.mark.parametrize("fault, kind", [
    ("slowdown-2", None), ("denied", "upstream"), ("status-404", "upstream"), ("garbage-403", "upstream"),
    ("silent", "timeout"), ("hangup", "upstream"), ("moved-eu-west-3", None), ("skewed-7200", None),
    ("misdirected-eu-west-3", None), ("chunked", "upstream"), ("expired", "upstream"),
])
def test_stat_through_a_fault(at_faulty, fault, kind):
    """With the GET that asks why, a HEAD learns as much as a GET."""
    outcome = origin("stat", f"{fault}/stat", **{**at_faulty, **IMPATIENT})
    assert outcome.kind == kind, outcome.detail
    assert outcome.seconds < 2.6 + SLACK
    assert kind is not None or outcome.values["bytes"] == "100000"


@pytest.mark.parametrize("fault, kind", [
    ("slowdown-2", None), ("error-2", None), ("denied", "upstream"), ("moved-eu-west-3", None),
    ("skewed-7200", None), ("silent", "timeout"), ("hangup", "upstream"), ("unavailable", "unavailable"),
])
def test_storing_through_a_fault(at_faulty, original, fetched, fault, kind):
    key = f"{fault}/put"
    assert origin("put", key, original, **{**at_faulty, **IMPATIENT}).kind == kind
    if kind is None:
        assert origin("get", key, fetched, region="eu-west-3", **at_faulty).kind is None
        assert fetched.read_bytes() == BYTES


@pytest.mark.parametrize("fault, kind", [
    ("slowdown-2", None), ("garbage-200", "upstream"), ("truncated-100", "upstream"),
    ("endless", "upstream"), ("foreign", "upstream"), ("denied", "upstream"), ("silent", "timeout"),
    ("status-200", "upstream"), ("chunked", "upstream"),
])
def test_listing_through_a_fault(at_faulty, fault, kind):
    outcome = origin("list", f"{fault}/", **{**at_faulty, **IMPATIENT})
    assert outcome.kind == kind, outcome.detail
    assert outcome.seconds < 2.6 + SLACK


def test_a_short_length_does_not_spoil_the_next_request(at_faulty, fetched):
    outcome = origin("fetch-many", "3", "shortlength/x", fetched, **at_faulty)
    assert [line.split()[0] for line in outcome.lines] == ["bytes=5"] * 3


def test_waits_no_longer_than_the_deadline(at_faulty, fetched):
    for fault in ("silent", "stall-10", "trickle-5000", "slowdown-99"):
        outcome = origin("get", f"{fault}/deadline", fetched, tries=5,
                         **{**at_faulty, "deadline_ms": 400, "stall_timeout_ms": 60000})
        # In time or while it asks once more.
        assert outcome.kind in (("unavailable", "timeout") if fault == "slowdown-99" else ("timeout",))
        assert outcome.seconds < 0.7 + SLACK, fault
    assert origin("get", "none/x", fetched, **{**at_faulty, "deadline_ms": 0}).kind == "timeout"


def test_keeps_its_connection_and_takes_another_to_try_again(faulty, at_faulty, fetched):
    before = len(faulty.seen())
    assert origin("fetch-many", "5", "none/kept", fetched, **at_faulty).kind is None
    kept = faulty.seen()[before:]
    assert len(kept) == 5 and len({request["connection"] for request in kept}) == 1
    assert origin("get", "slowdown-2/kept", fetched, **at_faulty).kind is None
    tried = faulty.seen()[before + 5:]
    assert len(tried) == 3 and len({request["connection"] for request in tried}) == 3


def test_survives_the_server_closing_kept_connections(installed, tmp_path, at_faulty, fetched):
    with FaultyS3(tmp_path / "closing", installed) as server:
        server.set_mode("hangup")
        options = {**at_faulty, "endpoint": server.endpoint}
        assert origin("get", "x", fetched, **options).kind == "upstream"
        server.set_mode("none")
        assert origin("get", "none/x", fetched, **options).kind is None


def test_remembers_region_and_clock(faulty, at_faulty, fetched):
    for fault in ("moved-ap-south-1", "skewed-90000"):
        before = len(faulty.seen())
        assert origin("fetch-many", "3", f"{fault}/remember", fetched, **at_faulty).kind is None
        assert len(faulty.seen()) - before == 4, "one more, and only once"


def test_an_outage_is_not_multiplied(faulty, at_faulty, fetched):
    """Ten tries are saved up at the start; then each request is sent once."""
    before = len(faulty.seen())
    outcome = origin("fetch-many", "20", "unavailable/outage", fetched, **at_faulty)
    assert outcome.kind == "unavailable"
    assert len(faulty.seen()) - before == 20 + 10


def test_renewed_credentials_are_read_again(faulty, installed, tmp_path, at_faulty, fetched):
    with FaultyS3(tmp_path / "token", installed, token="fresh/token+==") as server:
        options = {**at_faulty, "endpoint": server.endpoint}
        assert origin("get", "none/x", fetched, **options).kind == "upstream"
        assert origin("get", "none/x", fetched, session_token="fresh/token+==", **options).kind is None


EXACT_KEYS = ["a/../b", "../up", "a//b", "/leading", "trailing/", "./dot", "a/./b", "...", "~", "%2e%2e/x",
              "+ +", "é", "a?b=c&d#e"]


@pytest.mark.parametrize("style", [{}, {"virtual_host": 1}])
def test_sends_keys_exactly_and_lists_them(faulty, at_faulty, tmp_path, fetched, style):
    """On the misbehaving S3, which keeps keys as they are: s3rver makes paths of them,
    and expects the bucket in the signed path even when it is in the host name."""
    options = {**at_faulty, **style, "prefix": f"exact{len(style)}/"}
    if style:
        options["endpoint"] = f"http://localhost:{faulty.port}"
    for number, key in enumerate(EXACT_KEYS):
        source = tmp_path / "source"
        source.write_bytes(b"k" * (number + 1))
        assert origin("put", key, source, **options).kind is None
    for number, key in enumerate(EXACT_KEYS):
        assert origin("get", key, fetched, **options).values["bytes"] == str(number + 1)
    listed = origin("list", "", **options)
    assert [line.split(" ", 3)[3] for line in listed.lines[:-1]] == sorted(EXACT_KEYS, key=str.encode)
    assert not [request for request in faulty.seen() if request["wrong"]]


def test_stands_before_a_real_s3(s3, installed, tmp_path, at, original, fetched):
    with FaultyS3(tmp_path / "before", installed, upstream=s3.port) as before:
        options = {**at, "endpoint": before.endpoint}
        assert origin("put", "through é.jpg", original, **options).kind is None
        before.set_mode("truncated-10")
        assert origin("get", "through é.jpg", fetched, **options).kind == "upstream"
        before.set_mode("none")
        assert origin("get", "through é.jpg", fetched, **options).kind is None
        assert fetched.read_bytes() == BYTES
        assert origin("get", "missing", fetched, **options).kind == "not-found"


# ---- a directory -------------------------------------------------------------------------------

@pytest.fixture
def root(tmp_path):
    path = tmp_path / "root"
    (path / "deep").mkdir(parents=True)
    (path / "deep" / "é file.jpg").write_bytes(BYTES)
    (tmp_path / "outside").write_bytes(b"secret")
    return path


def test_directory_fetches_stores_and_lists(root, original, fetched):
    assert origin("probe", root=root).kind is None
    assert origin("get", "deep/é file.jpg", fetched, root=root).kind is None
    assert fetched.read_bytes() == BYTES
    assert origin("put", "new/er/x.jpg", original, root=root).kind is None
    assert (root / "new" / "er" / "x.jpg").read_bytes() == BYTES
    listed = origin("list", "", root=root)
    assert [line.split(" ", 3)[3] for line in listed.lines[:-1]] == ["deep/é file.jpg", "new/er/x.jpg"]


def test_directory_is_never_left(root, fetched):
    (root / "link").symlink_to("../outside")
    (root / "up").symlink_to("..")
    (root / "absolute").symlink_to(root.parent / "outside")
    for key in ("link", "up/outside", "absolute", "../outside", "deep/../../outside",
                str(root.parent / "outside"), "/etc/passwd", "deep", ".", "..", "/"):
        assert origin("get", key, fetched, root=root).kind == "not-found", key
        assert origin("stat", key, root=root).kind == "not-found", key


def test_directory_never_waits_for_a_fifo(root, fetched):
    os.mkfifo(root / "fifo")
    outcome = origin("get", "fifo", fetched, root=root)
    assert outcome.kind == "not-found" and outcome.seconds < 1 + SLACK
