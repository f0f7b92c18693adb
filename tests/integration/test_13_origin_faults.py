"""An origin that lies, floods, stalls or is gone: what lib/origin makes of it, and how soon.

The servers here are raw sockets, so that they can send what no HTTP library would.
"""

import pytest

from origins import PATIENT, RawServer, full_backlog, origin, wait_for_hang_up

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
