"""Drives probe_origin, and servers that are an S3 only as far as a test wants.

    outcome = origin("get", "key", path, endpoint=..., tries=1)     # one run of probe_origin
    with RawServer(answer) as server:                               # answer(connection, head)
        server.endpoint, server.heads                               # what was asked
"""

import os
import socket
import subprocess
import threading
import time

from probe import build_folder

# A busy machine must not look like a fault; where a fault is expected, it shall not last.
PATIENT = {"stall_timeout_ms": 10000, "connect_timeout_ms": 5000, "deadline_ms": 20000}
IMPATIENT = {"stall_timeout_ms": 500, "connect_timeout_ms": 500, "deadline_ms": 5000}
# What a busy machine may add to the time that a fault costs.
SLACK = 1.5


class Outcome:
    """What probe_origin said."""

    def __init__(self, done, seconds):
        self.lines = done.stdout.splitlines()
        self.seconds = seconds
        words = self.lines[-1].split(" ", 2)
        self.kind = words[1] if words[0] == "failed" else None
        self.detail = words[2] if words[0] == "failed" else None
        self.values = {} if self.kind else dict(word.split("=", 1) for word in self.lines[-1].split(" "))
        assert done.returncode == (1 if self.kind else 0), (done.returncode, done.stdout)


def origin(*words, environment=None, **options):
    """Runs probe_origin once; an option tls_ca=X becomes --tls-ca=X."""
    command = [build_folder() / "tests" / "integration" / "probe_origin"]
    command += [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    command += words
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    start = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60, check=False,
                          env={**clean, "HOME": "/nonexistent", **(environment or {})})
    return Outcome(done, time.monotonic() - start)


class RawServer:
    """Reads the head of one request on each connection, hands it to answer(connection, head), and
    hangs up.  What answer() sends after the client has gone is nobody's fault."""

    def __init__(self, answer):
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.heads = []
        self.hung_up_at = None      # when a client was seen to go before the answer was over

    def _serve(self, connection):
        head = b""
        with connection:
            try:
                while b"\r\n\r\n" not in head:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    head += piece
                self.heads.append(head.decode("latin-1"))
                self._answer(connection, self.heads[-1])
            except OSError:
                self.hung_up_at = time.monotonic()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def answering(status_line, headers, body=b""):
    """An answer() that sends exactly this, whatever it is."""
    head = "\r\n".join([status_line, *headers, "", ""]).encode("latin-1")
    return lambda connection, _: connection.sendall(head + body)


def wait_for_hang_up(connection, seconds=20):
    """Until the client goes; then raises OSError, as sending would."""
    connection.settimeout(seconds)
    if connection.recv(1) == b"":
        raise ConnectionResetError


def full_backlog():
    """A listener that accepts nobody any more: connecting to it hangs, as to a host that is off.
    Returns its endpoint, and what must be closed."""
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    waiting = [socket.socket() for _ in range(4)]
    for client in waiting:
        client.setblocking(False)
        client.connect_ex(full.getsockname())
    time.sleep(0.1)
    return f"http://127.0.0.1:{full.getsockname()[1]}", [full, *waiting]
