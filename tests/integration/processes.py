"""The processes of one Vitrine, as /proc shows them; clients that keep it busy; a
FastCGI client for what no web server would do.

    responders(supervisor), renderers(supervisor)       # process ids
    with Load(site, lambda client, number: "/a/...") as load: ...
    load.failed                                         # [(path, status or error)]
    with FastCGI(vitrine.socket) as peer: peer.ask("/health")
"""

import contextlib
import http.client
import os
import pathlib
import signal
import socket
import struct
import threading
import time

from process import _start_time as start_time

# ---- /proc ------------------------------------------------------------------------------


def children(parent):
    """{pid: name} of those that run."""
    found = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            name, fields = path.read_text().split("(", 1)[1].rsplit(") ", 1)
        except OSError:
            continue
        if fields.split()[1] == str(parent) and fields[0] not in "ZX":
            found[int(path.parent.name)] = name
    return found


def renderers(supervisor):
    # The kernel keeps 15 letters of a name.
    return [pid for pid, name in children(supervisor).items() if name == "vitrine-renderer"[:15]]


def responders(supervisor):
    return [pid for pid, name in children(supervisor).items() if name == "vitrine.fcgi"]


def is_alive(pid):
    return start_time(pid) is not None


def descriptors(pid):
    """{number: what it is}"""
    found = {}
    for path in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            found[int(path.name)] = os.readlink(path)
        except FileNotFoundError:
            pass
    return found


def of_program(program):
    """The processes that run this file."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/exe"):
        try:
            if os.readlink(path) == str(program):
                found.append(int(path.parent.name))
        except OSError:
            pass
    return found


@contextlib.contextmanager
def stopped(pids):
    """They do nothing, and nobody is told."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


# ---- load -------------------------------------------------------------------------------

class Load:
    """Clients that ask one request after the other, from `with` to the end of its block,
    and never longer than `seconds`.

    path(client, number)    what to ask next
    answers                 [(path, status, body)]; the status of a request that got no
                            answer is the error's text
    """

    def __init__(self, site, path, clients=16, pause=0.01, seconds=30):
        self.answers = []
        self._site = site
        self._path = path
        self._pause = pause
        self._end = time.monotonic() + seconds
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(client,), daemon=True)
                         for client in range(clients)]

    def _run(self, client):
        number = 0
        while not self._over.wait(self._pause) and time.monotonic() < self._end:
            path = self._path(client, number)
            number += 1
            try:
                answer = self._site.get(path)
                self.answers.append((path, answer.status, answer.body))
            except (OSError, http.client.HTTPException) as error:
                self.answers.append((path, repr(error), b""))

    @property
    def failed(self):
        return [(path, status) for path, status, _ in self.answers if status != 200]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join(40)


# ---- FastCGI ----------------------------------------------------------------------------

BEGIN_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6
RESPONDER = 1
KEEP_CONNECTION = 1


def _record(kind, content=b""):
    return struct.pack(">BBHHBx", 1, kind, 1, len(content), 0) + content


def _pair(name, value):
    return struct.pack(">II", len(name) | 1 << 31, len(value) | 1 << 31) + name + value


class FastCGI:
    """One connection to a responder, which is asked to keep it if keeps is true.

    ask(path)      the status and the body of a whole answer
    begin(path)    only asks; then more(count) bytes of the answer and rest()
    """

    def __init__(self, path, seconds=20, keeps=False):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(seconds)
        self.socket.connect(str(path))
        self.flags = KEEP_CONNECTION if keeps else 0

    def send(self, content):
        self.socket.sendall(content)

    def begin(self, path):
        pairs = {b"REQUEST_METHOD": b"GET", b"REQUEST_URI": path.encode(), b"SERVER_PROTOCOL": b"HTTP/1.1"}
        self.send(_record(BEGIN_REQUEST, struct.pack(">HB5x", RESPONDER, self.flags)) +
                  _record(PARAMS, b"".join(_pair(*pair) for pair in pairs.items())) +
                  _record(PARAMS) + _record(STDIN))

    def _receive(self, count):
        content = bytearray()
        while len(content) < count:
            piece = self.socket.recv(count - len(content))
            if not piece:
                raise ConnectionError("the connection ended within an answer")
            content += piece
        return bytes(content)

    def more(self):
        """What the next record brings; None after the last."""
        _, kind, _, length, padding = struct.unpack(">BBHHBx", self._receive(8))
        content = self._receive(length + padding)[:length]
        if kind == END_REQUEST:
            return None
        return content if kind == STDOUT else b""

    def rest(self):
        pieces = []
        while (piece := self.more()) is not None:
            pieces.append(piece)
        return b"".join(pieces)

    def ask(self, path):
        self.begin(path)
        head, body = self.rest().split(b"\r\n\r\n", 1)
        return int(head.split(b" ", 2)[1]), body

    def has_ended(self):
        """Whether the responder ends the connection, in the time of the socket."""
        return self.socket.recv(1) == b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
