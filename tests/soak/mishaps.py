"""What goes wrong meanwhile: one thing a minute, none of it for long.

The faults are those of tests/chaos where that has them.  Of the three servers the first is left
alone: nothing ends its processes, not even their own recycling, so that they grow old.  The second
and the third live as they do in the field, and worse.
"""

import contextlib
import os
import random
import signal

from faults import ALL

_FAULTS = {fault.name: fault.happens for fault in ALL}
_FROM_CHAOS = ("a memcached killed", "a replica frozen", "S3 answers 503", "a memcached frozen",
               "S3 resets in the middle", "the databases cut off", "300 ms delay to S3", "memcached cut off",
               "S3 frozen", "every memcached emptied, five times a second")


def _children_killed(cluster, hold):
    chance = random.Random(0)
    for _ in range(5):
        children = chance.choice(cluster.servers[1:]).children()
        with contextlib.suppress(ProcessLookupError):
            os.kill(chance.choice(children), signal.SIGKILL)
        hold(1)


def _reloaded(cluster, hold):
    cluster.servers[1].vitrine.reload()
    hold()


def _restarted(cluster, hold):
    cluster.servers[2].vitrine.stop()
    cluster.servers[2].vitrine.start()
    hold()


def _killed(cluster, hold):
    cluster.servers[2].vitrine.kill()
    cluster.servers[2].vitrine.start()
    hold()


_OURS = {"children of two servers killed": _children_killed, "the second server reloaded": _reloaded,
         "the third server stopped and started": _restarted, "the third server killed": _killed}


def all_mishaps():
    """[(name, happens(cluster, hold))]: ours between those of the others."""
    others = [(name, _FAULTS[name]) for name in _FROM_CHAOS]
    ours, mixed = list(_OURS.items()), []
    for number, mishap in enumerate(others):
        mixed.append(mishap)
        if number % 2 == 1 and ours:
            mixed.append(ours.pop(0))
    return mixed + ours
