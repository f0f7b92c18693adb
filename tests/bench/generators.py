"""Who asks: wrk, our own load generator (load.c), and a few clients in Python.

    requests_per_second(url, seconds=3)                 # wrk, 16 connections
    run_load(port, [Ask(path)] * 200, connections=200)  # [Answer]
    ask_all(url, paths, at_once=2)                      # [Answer], with bodies
"""

import concurrent.futures
import dataclasses
import http.client
import re
import subprocess
import time
import urllib.parse

from process import StackError
from vitrine import build_folder

CONNECTIONS = 16
AVIF = "image/avif,image/webp,*/*"
WEBP = "image/webp,*/*"
CLIENT_WAITS = 60


def program(name):
    """One of the C programs beside this file."""
    path = build_folder() / "tests" / "bench" / name
    if not path.exists():
        raise StackError(f"{path} is not built: make bench")
    return path


def requests_per_second(url, seconds, headers=(), are_errors=False):
    """What wrk reaches; with are_errors every answer must be one, else none may be.
    Two threads: with one it is wrk that limits the file."""
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout=10s"]
    for header in headers:
        command += ["-H", header]
    output = subprocess.run([*command, url], check=True, capture_output=True, text=True, timeout=seconds + 30).stdout
    requests = int(re.search(r"(\d+) requests in", output)[1])
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    if "Socket errors:" in output or int(errors[1] if errors else 0) != (requests if are_errors else 0):
        raise StackError(f"wrk {url}:\n{output}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])


@dataclasses.dataclass(frozen=True)
class Ask:
    path: str
    accept: str = "*/*"
    method: str = "GET"


@dataclasses.dataclass
class Answer:
    ask: Ask
    status: int         # 0: the connection ended before
    ms: float
    bytes: int          # as Content-Length says
    body: bytes = b""


def run_load(port, asks, connections=CONNECTIONS, rate=-1, seconds=0):
    """rate > 0: an open load of so many a second; -1: as fast as the connections allow,
    once through; 0: the same, around and around for so many seconds."""
    text = "".join(f"{ask.method} {ask.path} {ask.accept}\n" for ask in asks)
    limit = (len(asks) / rate if rate > 0 else seconds) + 2 * CLIENT_WAITS
    done = subprocess.run([program("load"), str(port), str(connections), str(rate), str(seconds)], input=text,
                          check=True, capture_output=True, text=True, timeout=limit)
    answers = []
    for line in done.stdout.splitlines():
        number, status, microseconds, length = map(int, line.split())
        answers.append(Answer(asks[number], status, microseconds / 1000, length))
    return answers


def _ask(url, ask):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=CLIENT_WAITS)
    start = time.monotonic()
    try:
        connection.request(ask.method, ask.path, headers={"Accept": ask.accept})
        response = connection.getresponse()
        body = response.read()
        return Answer(ask, response.status, (time.monotonic() - start) * 1000, len(body), body)
    finally:
        connection.close()


def ask_all(url, asks, at_once=1):
    """In their order, so many at a time; each must be 200."""
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        answers = list(pool.map(lambda ask: _ask(url, ask), asks))
    must_be_good(answers)
    return answers


def must_be_good(answers, right=(200,)):
    bad = [answer for answer in answers if answer.status not in right]
    if bad:
        raise StackError(f"{len(bad)} of {len(answers)} answers are wrong, first {bad[0].status} for {bad[0].ask.path} "
                         f"{bad[0].body[:300]!r}")
    return answers
