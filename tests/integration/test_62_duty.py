"""Who takes long hands the socket over: a hit is answered at once although as many as are there have enough to do.

The supervisor, who would notice after a moment that nobody takes a connection, is frozen meanwhile.
"""

import concurrent.futures
import contextlib
import os
import signal
import time

import pytest

from process import frozen, wait_until
from processes import FastCGI, renderers, responders, stopped

HIT = "/a/photo/w=300/x.webp"
# fcgi-app/duty.c: so many are at the socket.
ENOUGH = max(2, len(os.sched_getaffinity(0)))
AVIF = "image/avif,image/webp,*/*"
A_MOMENT = 0.3      # in which those who are held have begun


@pytest.fixture
def site(new_site):
    # A row is known for long enough that hits need nothing but memory and the store.
    new = new_site(server={"responders": 8 * ENOUGH, "slow_responders": 3 * ENOUGH, "row_lifetime_ms": 60000},
                   render={"renderers": ENOUGH + 1, "ahead": ENOUGH})
    wait_until(lambda: len(responders(new.vitrine.process.pid)) == 8 * ENOUGH, 10, "all had started")
    assert new.get(HIT).status == 200
    return new


@contextlib.contextmanager
def asked(site, paths, **headers):
    """All at the same time; whoever asks is answered or given up when the block has ended."""
    with concurrent.futures.ThreadPoolExecutor(len(paths)) as pool:
        answers = [pool.submit(site.get, path, **headers) for path in paths]
        time.sleep(A_MOMENT)
        yield answers


@contextlib.contextmanager
def on_the_slow_path(site, _):
    with stopped(renderers(site.vitrine.process.pid)):
        with asked(site, [f"/a/photo/w={width}/x.webp" for width in range(20, 20 + ENOUGH)]) as answers:
            yield
            assert not any(answer.done() for answer in answers)
            # Nobody is kept for longer than this block.
            for pid in renderers(site.vitrine.process.pid):
                os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def at_the_catalog(site, services):
    with frozen(*services.database.servers):
        with asked(site, [f"/a/nobody{number}/w=30/x.webp" for number in range(ENOUGH)]) as answers:
            yield
            assert not any(answer.done() for answer in answers)
            for server in services.database.servers:
                server.thaw()


@contextlib.contextmanager
def making_ahead(site, _):
    paths = [f"/a/photo/w={width}/x.auto" for width in range(40, 40 + ENOUGH)]
    for path in paths:
        assert site.get(path, accept="image/webp").status == 200
    with stopped(renderers(site.vitrine.process.pid)):
        with asked(site, paths, accept=AVIF) as answers:
            assert [answer.result()["Content-Type"] for answer in answers] == ["image/webp"] * ENOUGH
            yield


@contextlib.contextmanager
def hearing_half_a_word(site, _):
    with contextlib.ExitStack() as peers:
        for _ in range(ENOUGH):
            peers.enter_context(FastCGI(site.vitrine.socket)).send(b"\x01\x01\x00")
        time.sleep(A_MOMENT)
        yield


@contextlib.contextmanager
def asked_for_health(site, services):
    with frozen(*services.database.servers):
        with asked(site, ["/health?require=database"] * ENOUGH) as answers:
            yield
            assert not any(answer.done() for answer in answers)
            for server in services.database.servers:
                server.thaw()


@pytest.mark.parametrize("busy", [on_the_slow_path, at_the_catalog, making_ahead, hearing_half_a_word,
                                  asked_for_health])
def test_a_hit_waits_for_nobody(site, services, busy):
    with stopped([site.vitrine.process.pid]), busy(site, services):
        began = time.monotonic()
        assert [site.get(HIT).status for _ in range(5)] == [200] * 5
        assert time.monotonic() - began < 0.5


def test_a_hit_does_not_wait_for_those_who_take_their_time_to_read(new_site):
    site = new_site("body", server={"responders": 8 * ENOUGH, "slow_responders": 3 * ENOUGH,
                                    "row_lifetime_ms": 60000})
    wait_until(lambda: len(responders(site.vitrine.process.pid)) == 8 * ENOUGH, 10, "all had started")
    large = "/a/photo/w=1200/x.png"
    assert site.get(HIT).status == 200 and len(site.get(large).body) > 1_000_000
    with stopped([site.vitrine.process.pid]), contextlib.ExitStack() as peers:
        for _ in range(ENOUGH):
            peer = peers.enter_context(FastCGI(site.vitrine.socket))
            peer.begin(large)
        time.sleep(A_MOMENT)
        began = time.monotonic()
        assert site.get(HIT).status == 200
        assert time.monotonic() - began < 0.5
