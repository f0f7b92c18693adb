"""A bad cable between two interfaces, which it makes: packets come late or not at all.

    wire.py NEAR FAR DELAY_MS LOSS SEED         in each direction, until it is killed

Packets keep their order.  Says "ready" when the interfaces are there.
"""

import collections
import fcntl
import os
import random
import select
import struct
import sys
import time

# linux/if_tun.h
TUNSETIFF = 0x400454ca
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
PACKET_MAX = 65536
WAITING_MAX = 1000


def tap(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return fd


def main():
    near, far, delay_ms, loss, seed = sys.argv[1:]
    ends = tap(near), tap(far)
    onward = {ends[0]: ends[1], ends[1]: ends[0]}
    delay, loss, chance = float(delay_ms) / 1000, float(loss), random.Random(int(seed))
    waiting = collections.deque()           # (when, to, packet)
    print("ready", flush=True)
    while True:
        pause = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        for end in select.select(ends, (), (), pause)[0]:
            packet = os.read(end, PACKET_MAX)
            if chance.random() >= loss and len(waiting) < WAITING_MAX:
                waiting.append((time.monotonic() + delay, onward[end], packet))
        while waiting and waiting[0][0] <= time.monotonic():
            _, end, packet = waiting.popleft()
            try:
                os.write(end, packet)
            except OSError:
                pass                        # the interface is not up yet, or full: lost


if __name__ == "__main__":
    main()
