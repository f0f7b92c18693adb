"""What a hit costs, and what should cost less than one.

In each round every kind of request is asked in turn, beside the file that nginx serves by itself.
"""

import contextlib
import os

from bed import MATE
from generators import CONNECTIONS, Ask, must_be_good, requests_per_second, run_load
from measure import Cpu
from nginx import Nginx
from process import Process, StackError
from row import Row
from vitrine import build_folder
from web import Client

FILE = "nginx, the same bytes as a file"
HIT = Row("hit of a 20 kB variant, 16 connections", FILE, at_least=0.30)
BODY = Row("hit, sent through FastCGI (send = body)", FILE)
NOT_MODIFIED = Row("304", FILE, at_least=0.45)
HOLLOW = Row("hit, from a FastCGI program that knows the answer before it is asked", FILE)
HOLLOW_304 = Row("304, from such a program", FILE)
HIT_CPU = Row("hit: CPU of nginx and Vitrine", FILE)
HEAD = Row("HEAD", "hit", at_least=1.0)
INFO = Row("info.json", "hit", at_least=1.0)
MISSING = Row("404", "hit", at_least=1.0)
REFUSED = Row("400", "hit", at_least=1.0)
ROWS = [HIT, HOLLOW, BODY, NOT_MODIFIED, HOLLOW_304, HIT_CPU, HEAD, INFO, MISSING, REFUSED]

SIZE_MIN, SIZE_MAX = 17_000, 24_000
HOLLOW_PROCESSES = max(2, os.cpu_count())     # as many as are at Vitrine's socket
RECIPE, EXTENSION = "w=540", "jpg"


def _rate(site, path, seconds, headers=(), are_errors=False):
    """Requests a second, and CPU seconds for each."""
    cpu = Cpu(site.vitrine.process, site.front.process)
    rate = requests_per_second(site.url + path, seconds, headers, are_errors)
    return rate, cpu.seconds() / (rate * seconds)


def _head_ratio(site, path, seconds):
    """wrk waits for the body of a HEAD; both kinds are asked by our own generator."""
    count = {method: len(must_be_good(run_load(site.front.port, [Ask(path, method=method)], CONNECTIONS, rate=0,
                                               seconds=seconds))) for method in ("GET", "HEAD")}
    return count["HEAD"] / count["GET"]


@contextlib.contextmanager
def _hollow(bed, name, store, headers):
    """The URL of an nginx with nothing but a socket and these headers behind it."""
    folder = bed.folder / name
    folder.mkdir()
    socket = folder / "fastcgi.sock"
    text = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    program = Process("hollow", [build_folder() / "tests/bench/hollow", socket, str(HOLLOW_PROCESSES), text], folder)
    program.start(socket.exists)
    try:
        with Nginx(folder / "nginx", socket, store) as front:
            yield front.url
    finally:
        program.stop()


def _hollow_sites(bed, stack, site, answer, confirmation):
    """Those that answer as Vitrine did."""
    [file] = [path for path in site.store.glob("variants/*/*/*") if path.is_file() and path.read_bytes() == answer.body]
    common = {name: answer[name] for name in ("ETag", "Cache-Control", "X-Content-Type-Options", "X-Request-Id")}
    hit = {"Status": "200 OK", "Content-Type": answer["Content-Type"],
           "Content-Disposition": answer["Content-Disposition"],
           "X-Accel-Redirect": f"/vitrine-store/{file.relative_to(site.store)}", **common}
    for name, headers, want in (("hollow", hit, answer), ("hollow-304", {"Status": "304 Not Modified", **common},
                                                          confirmation)):
        url = stack.enter_context(_hollow(bed, name, site.store, headers))
        got = Client(url).get("/a/x/w=1/x.jpg")
        if (got.status, got.body, got["ETag"]) != (want.status, want.body, want["ETag"]):
            raise StackError(f"{name} does not answer as Vitrine does: {got!r}")
        yield url


def _measure(bed, site, body_site, hollow, path, etag, photo):
    seconds = 1 if bed.is_quick else 2
    for _ in range(bed.rounds(6)):
        file_rate, file_cpu = _rate(site, "/file.jpg", seconds)
        hit_rate, hit_cpu = _rate(site, path, seconds)
        figures = f"{hit_rate:.0f}/s of {file_rate:.0f}/s"
        HIT.add(hit_rate / file_rate, figures)
        HIT_CPU.add(hit_cpu / file_cpu, f"{hit_cpu * 1e6:.0f} of {file_cpu * 1e6:.0f} us a request")
        for row, url in zip((HOLLOW, HOLLOW_304), hollow):
            row.add(requests_per_second(url + path, seconds) / file_rate)
        for row, beside, (rate, _) in (
                (BODY, file_rate, _rate(body_site, path, seconds)),
                (NOT_MODIFIED, file_rate, _rate(site, path, seconds, [f"If-None-Match: {etag}"])),
                (INFO, hit_rate, _rate(site, f"/a/{photo.id}/info.json", seconds)),
                (MISSING, hit_rate, _rate(site, "/a/nobody/w=540/x.jpg", seconds, are_errors=True)),
                (REFUSED, hit_rate, _rate(site, f"/a/{photo.id}/w=none/x.jpg", seconds, are_errors=True))):
            row.add(rate / beside, f"{rate:.0f}/s of {beside:.0f}/s")
        HEAD.add(_head_ratio(site, path, seconds))


def measure(bed):
    [photo] = bed.import_photos([MATE / "nature/LadyBird.jpg"])
    path = photo.url(RECIPE, EXTENSION)
    root = bed.folder / "files"
    root.mkdir(exist_ok=True)
    with bed.site("hits", root=root) as site, bed.site("hits-body", {"http": {"send": "body"}}) as body_site:
        answer = site.get(path)
        if answer.status != 200 or not SIZE_MIN <= len(answer.body) <= SIZE_MAX:
            raise StackError(f"{path} is no picture of 20 kB: {answer!r}")
        (root / "file.jpg").write_bytes(answer.body)
        body_site.get(path)
        again = site.get(path, if_none_match=answer["ETag"])
        if again.status != 304:
            raise StackError(f"{path} is no 304: {again!r}")
        with contextlib.ExitStack() as stack:
            hollow = list(_hollow_sites(bed, stack, site, answer, again))
            _measure(bed, site, body_site, hollow, path, answer["ETag"], photo)
