"""Hits while every renderer is busy: a trace of 2,000 assets in the sizes of the ladder, popular ones more often.

Asset number r is asked with a weight of 1 / r (Zipf), each of its widths alike.  The variants of the first 40
are made beforehand, which is half of all requests: those are the hits.  The other half is mostly
misses, many more than two renderers can make, so some are refused.  It is an open load: the time of an answer
counts from when it was due.
"""

import random

from bed import MATE
from generators import WEBP, Ask, ask_all, must_be_good, run_load
from measure import Cpu, percentile, wait_until_idle
from process import StackError
from row import Row

BUSY_MS = Row("Zipf trace, renderers saturated: p99 of hits", "", at_most=20, unit="ms")
IDLE_MS = Row("the same hits alone: p99", "", unit="ms")
ROWS = [BUSY_MS, IDLE_MS]

ASSETS, POPULAR = 2000, 40
WIDTHS = (160, 320, 480, 640, 960, 1280, 1600, 1920, 2560)
BASES = [MATE / "nature" / f"{name}.jpg" for name in (
    "Blinds", "Dune", "FreshFlower", "GreenMeadow", "RainDrops", "Storm")]
PER_SECOND = 100
SATURATED = 1.5             # processors that Vitrine must have kept busy, of two, unless others took them


def _assets(bed):
    """In the order of their popularity; neighbours are different pictures."""
    per_base = -(-ASSETS // len(BASES))
    columns = [bed.clone(photo, [f"zipf-{at}-{number}" for number in range(per_base)])
               for at, photo in enumerate(bed.import_photos(BASES))]
    return [photo for row in zip(*columns) for photo in row][:ASSETS]


def _ask(asset, width):
    return Ask(asset.url(f"w={width}", "auto"), WEBP)


def _trace(assets, seconds, seed):
    chance = random.Random(seed)
    chosen = chance.choices(assets, [1 / rank for rank in range(1, len(assets) + 1)], k=PER_SECOND * seconds)
    return [_ask(asset, chance.choice(WIDTHS)) for asset in chosen]


def _p99(answers):
    return percentile([answer.ms for answer in must_be_good(answers)], 99)


def measure(bed):
    assets, seconds = _assets(bed), 5 if bed.is_quick else 20
    warm = [_ask(asset, width) for asset in assets[:POPULAR] for width in WIDTHS]
    is_warm = set(warm)
    with bed.site("zipf") as site:
        servers = (site.vitrine.process, site.front.process)
        ask_all(site.url, warm, at_once=4)
        for number in range(bed.rounds(3)):
            trace = _trace(assets, seconds, number)
            hits = [ask for ask in trace if ask in is_warm]
            wait_until_idle(*servers)
            IDLE_MS.add(_p99(run_load(site.front.port, hits, 128, rate=len(hits) // seconds)))
            cpu = Cpu(*servers)
            answers = run_load(site.front.port, trace, 512, rate=PER_SECOND)
            busy = cpu.seconds() / seconds
            others = [answer.status for answer in answers if answer.ask not in is_warm]
            if busy < SATURATED and 503 not in others:
                raise StackError(f"the trace kept only {busy:.1f} processors busy, and refused nothing")
            BUSY_MS.add(_p99([answer for answer in answers if answer.ask in is_warm]),
                        f"{len(hits)} hits, {others.count(200)} others made, {others.count(503)} refused; "
                        f"{busy:.1f} processors busy")
            must_be_good(answers, right=(200, 503, 504))
