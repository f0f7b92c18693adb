"""A bounded load, and whether the answers were right.

    with Visitors(address, gallery) as visitors: ...    # PER_SECOND requests, in a thread of its own
    visitors.count, visitors.wrong

It is an open load: nobody waits for anybody.  A picture is right when it has the size that was asked
and the bytes that the same URL had at first, for all the time, from whichever server; another answer
when its status is right and it says why.  503 and 422 of Vitrine itself are refusals.
"""

import asyncio
import collections
import hashlib
import io
import random
import struct
import threading
import time

from PIL import Image

import load
from load import Verdict

PER_SECOND = 15
WRONG_KEPT = 200


def size_of(body, path):
    """(width, height), or None for what has to be believed."""
    if path.endswith(".avif"):
        at = body.index(b"ispe") + 8            # ISO/IEC 23008-12, 6.5.3
        return struct.unpack(">II", body[at:at + 8])
    if path.endswith(".jxl"):
        return None
    with Image.open(io.BytesIO(body)) as image:
        return image.size


class Visitors:
    def __init__(self, address, gallery):
        self.count = collections.Counter()      # (kind, verdict)
        self.statuses = collections.Counter()
        self.wrong = []                         # what to look for in the logs
        self._address = address
        self._gallery = gallery
        self._digests = {}
        self._chance = random.Random(0)
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    async def _run(self):
        began, sent, asked = time.monotonic(), 0, set()
        while not self._over.is_set():
            task = asyncio.create_task(self._visit(self._gallery.choose()))
            asked.add(task)
            task.add_done_callback(asked.discard)
            sent += 1
            await asyncio.sleep(max(0, began + sent / PER_SECOND - time.monotonic()))
        await asyncio.gather(*asked)

    async def _visit(self, wish):
        try:
            if wish.kind == "hang-up":
                await self._hang_up(wish)
                verdict, status = Verdict.RIGHT, "hung up"
            else:
                response = await load.ask(self._address, wish.path, wish.etag, wish.method)
                verdict, status = self._judge(wish, response), response.status
        except (OSError, asyncio.TimeoutError, EOFError, LookupError) as error:
            verdict, status = Verdict.FAILED, type(error).__name__
        self.count[wish.kind, verdict] += 1
        self.statuses[status] += 1
        if verdict == Verdict.WRONG and len(self.wrong) < WRONG_KEPT:
            self.wrong.append(f"{time.time():.3f} {wish.kind} {wish.method} {wish.path}: {status}")

    async def _hang_up(self, wish):
        _, writer = await asyncio.open_connection(*self._address)
        writer.write(f"GET {wish.path} HTTP/1.1\r\nHost: vitrine.test\r\n\r\n".encode())
        await asyncio.sleep(self._chance.random() / 20)
        writer.close()

    def _judge(self, wish, response):
        is_ours = response.headers.get("content-type") == "application/problem+json"
        if response.status == 200 and 200 in wish.statuses:
            return Verdict.RIGHT if self._is_right(wish, response) else Verdict.WRONG
        if response.status == 304 and 304 in wish.statuses:
            return Verdict.RIGHT if response.headers.get("etag") == wish.etag else Verdict.WRONG
        if response.status in wish.statuses and (is_ours or wish.method == "HEAD"):
            return Verdict.RIGHT
        if response.status in load.REFUSALS and is_ours:
            return Verdict.REFUSED
        return Verdict.FAILED if response.status in load.FAILURES else Verdict.WRONG

    def _is_right(self, wish, response):
        if wish.method == "HEAD" or len(wish.statuses) > 2:
            return True
        self._gallery.note_etag(wish, response.headers.get("etag"))
        digest = hashlib.sha256(response.body).digest()
        if wish.path not in self._digests:
            if wish.size and size_of(response.body, wish.path) not in (None, wish.size):
                return False
            self._digests[wish.path] = digest
        return self._digests[wish.path] == digest

    def total(self, verdict=None):
        return sum(number for (_, one), number in self.count.items() if verdict in (None, one))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join(load.CLIENT_WAITS + 5)
