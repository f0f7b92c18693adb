"""The whole application with nothing to do: 16 responders and 2 renderers."""

import time

from bed import MATE
from generators import Ask, ask_all
from measure import pss_bytes, wait_until_idle
from row import Row

IDLE = Row("the whole application idle, 16 responders and 2 renderers", "", at_most=150, unit="MB")
AFTER = Row("the same after 100 hits and 24 renders", "", unit="MB")
ROWS = [IDLE, AFTER]

SETTINGS = {"server": {"responders": "16", "slow_responders": "12"}, "render": {"renderers": "2"}}
SETTLES_S = 2


def measure(bed):
    [photo] = bed.import_photos([MATE / "nature/LadyBird.jpg"])
    with bed.site("footprint", SETTINGS) as site:
        server = site.vitrine.process
        for _ in range(bed.rounds(3)):
            bed.make_cold(site)
            time.sleep(SETTLES_S)
            IDLE.add(pss_bytes([server]) / 1e6)
            renders = [Ask(photo.url(f"w={width}", extension)) for width in range(200, 1400, 100)
                       for extension in ("jpg", "webp")]
            ask_all(site.url, renders + renders[:1] * 100, at_once=4)
            wait_until_idle(server)
            AFTER.add(pss_bytes([server]) / 1e6)
