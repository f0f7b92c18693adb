"""A bounded load whose right answers are known beforehand.

    load = Load(address, wishes, seed)      # wishes: what can be asked, and what is right
    with load: ...                          # so many requests a second, in a thread of its own
    load.answers                            # [Answer]

It is an open load: the next request does not wait for the last one.  An answer is

    right       200 with exactly the known bytes, or 304 for the known ETag
    refused     Vitrine's own 503 or 422, which say why
    failed      500, 502, 504, a 503 of nginx or HAProxy, a connection that ended too early, or
                nothing within CLIENT_WAITS seconds
    wrong       everything else: other bytes, or "no such asset" for one that is there
"""

import asyncio
import collections
import dataclasses
import enum
import random
import threading
import time

PER_SECOND = 30
CLIENT_WAITS = 10
REFUSALS = (503, 422)
FAILURES = (500, 502, 503, 504)

# How often each kind is asked, of 100.
MIX = {"hit": 45, "conditional": 10, "info": 5, "changing": 10, "variant": 20, "rare": 10}
# Answered without the slow path.
HITS = ("hit", "conditional", "info")


class Verdict(enum.Enum):
    RIGHT = "right"
    WRONG = "wrong"
    REFUSED = "refused"
    FAILED = "failed"


@dataclasses.dataclass
class Wish:
    """One thing to ask.  bodies(since, until) are those that are right for a request
    that was on its way then; etag: ask whether it is still this one."""
    kind: str
    path: str
    bodies: object
    etag: str = None


@dataclasses.dataclass
class Answer:
    wish: Wish
    asked: float
    ended: float
    verdict: Verdict
    status: object          # a number, or the error's text
    request_id: str = ""


@dataclasses.dataclass
class Response:
    status: int
    headers: dict
    body: bytes


def always(body):
    return lambda since, until: (body,)


class Changing:
    """What is right of an asset that is replaced by one of its contents, again and again:
    for a while both, the one before and the one after."""

    def __init__(self, content):
        self.content = content
        self._rights = [(0.0, frozenset([content]))]

    def begin(self, content):
        self._rights.append((time.monotonic(), frozenset([self.content, content])))
        self.content = content

    def is_over(self, from_when):
        """Only the new content is right for what is asked after that moment."""
        self._rights.append((from_when, frozenset([self.content])))

    def bodies(self, by_content):
        def rights(since, until):
            ends = [begin for begin, _ in self._rights[1:]] + [float("inf")]
            return [by_content[content] for (begin, contents), end in zip(self._rights, ends)
                    if begin <= until and end >= since for content in contents]
        return rights


async def _exchange(address, path, etag, method):
    reader, writer = await asyncio.open_connection(*address)
    try:
        condition = f"If-None-Match: {etag}\r\n" if etag else ""
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: vitrine.test\r\nConnection: close\r\n{condition}\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = int(status.split()[1])
        is_bare = status == 304 or method == "HEAD"
        body = b"" if is_bare else await reader.readexactly(int(headers["content-length"]))
        return Response(status, headers, body)
    finally:
        writer.close()


async def ask(address, path, etag=None, method="GET"):
    """A Response; OSError, asyncio.TimeoutError, EOFError or LookupError (no length) when there is none."""
    return await asyncio.wait_for(_exchange(address, path, etag, method), CLIENT_WAITS)


def ask_all(address, paths, at_once=6):
    """[Response] of a quiet server, in the order of the paths; each must be 200."""
    async def all_of_them():
        places = asyncio.Semaphore(at_once)

        async def one(path):
            async with places:
                response = await ask(address, path)
                if response.status != 200:
                    raise RuntimeError(f"{path}: {response.status} {response.body[:300]}")
                return response
        return await asyncio.gather(*map(one, paths))
    return asyncio.run(all_of_them())


def judge(wish, response, asked, ended):
    if response.status == 304 and wish.etag and response.headers.get("etag") == wish.etag:
        return Verdict.RIGHT
    if response.status == 200:
        return Verdict.RIGHT if response.body in wish.bodies(asked, ended) else Verdict.WRONG
    is_ours = response.headers.get("content-type") == "application/problem+json"
    if response.status in REFUSALS and is_ours:
        return Verdict.REFUSED
    return Verdict.FAILED if response.status in FAILURES else Verdict.WRONG


class Load:
    def __init__(self, address, wishes, seed):
        self.answers = []
        self._address = address
        self._wishes = collections.defaultdict(list)
        for wish in wishes:
            self._wishes[wish.kind].append(wish)
        self._chance = random.Random(seed)
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    async def _run(self):
        began, asked = time.monotonic(), []
        while not self._over.is_set():
            asked.append(asyncio.create_task(self._ask(self._choose())))
            await asyncio.sleep(max(0, began + len(asked) / PER_SECOND - time.monotonic()))
        await asyncio.gather(*asked)

    def _choose(self):
        [kind] = self._chance.choices(list(MIX), list(MIX.values()))
        return self._chance.choice(self._wishes[kind])

    async def _ask(self, wish):
        asked = time.monotonic()
        try:
            response = await ask(self._address, wish.path, wish.etag)
        except (OSError, asyncio.TimeoutError, EOFError, LookupError) as error:
            self.answers.append(Answer(wish, asked, time.monotonic(), Verdict.FAILED, repr(error)))
            return
        ended = time.monotonic()
        self.answers.append(Answer(wish, asked, ended, judge(wish, response, asked, ended), response.status,
                                   response.headers.get("x-request-id", "")))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join(CLIENT_WAITS + 5)
