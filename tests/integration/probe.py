"""Talks to the small probe programs (probe_*.c): one line out, one line back.

Importing this module also makes the stack's modules (tests/stack) importable.
"""

import os
import pathlib
import selectors
import subprocess
import sys
import time

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "stack"))

from process import StackError  # noqa: E402


def build_folder():
    """Where make put the programs: $VITRINE_BUILD, relative to the top, or build/."""
    return TESTS.parent / os.environ.get("VITRINE_BUILD", "build")


class Probe:
    """A running probe program.  ask() fails the test when no answer comes in time."""

    def __init__(self, name, *arguments):
        path = build_folder() / "tests" / "integration" / name
        if not path.exists():
            raise StackError(f"{path} is not built")
        self._child = subprocess.Popen([path, *map(str, arguments)], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE)
        os.set_blocking(self._child.stdout.fileno(), False)

    @property
    def pid(self):
        return self._child.pid

    def ask(self, line, seconds=15):
        """Sends one line, returns the answering one."""
        self.send(line)
        return self.receive(seconds)

    def send(self, line):
        self._last_line = line
        self._child.stdin.write(line.encode() + b"\n")
        self._child.stdin.flush()

    def receive(self, seconds=15):
        answer, end = b"", time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._child.stdout, selectors.EVENT_READ)
            while not answer.endswith(b"\n"):
                if not selector.select(max(0, end - time.monotonic())):
                    raise StackError(f"no answer to {self._last_line!r} within {seconds} s")
                received = os.read(self._child.stdout.fileno(), 65536)
                if not received:
                    raise StackError(f"the probe ended with {self._child.wait()} at {self._last_line!r}")
                answer += received
        return answer.decode().rstrip("\n")

    def close(self, seconds=15):
        """Lets it end by itself; returns its exit code."""
        self._child.stdin.close()
        try:
            return self._child.wait(seconds)
        finally:
            self._child.kill()
            self._child.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        code = self.close()
        if kind is None and code != 0:
            raise StackError(f"the probe ended with {code}")
