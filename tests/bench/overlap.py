"""What there is to gain from decoding an original while it arrives, and from fetching it in parts.

Vitrine does neither; these rows have no target, they are there to decide by.  The originals are in an S3 on
this machine, behind a relay that holds back the first byte and then lets so many bytes a second through
each connection, as S3 does.  Both are set values.  Not imitated: TLS, slow start, and a new
connection's round trips, which only parts would pay for again.

Decoding meanwhile saves at most the shorter of two times: from the first byte of the body to the last, and what a
program of ten lines needs from the file to the scaled pixels (vips_thumbnail(), not yet encoded).  Progressive
JPEGs count too: their first row needs their last byte, but most of the work is to read the scans.  The
figures say what is left without them.
"""

import asyncio
import concurrent.futures
import ctypes
import dataclasses
import hashlib
import hmac
import http.client
import os
import queue
import threading
import time
import urllib.parse

from PIL import Image

from generators import CLIENT_WAITS
from measure import median, wait_until_idle
from peers import QUALITY
from process import StackError
from row import Row
from s3 import KEY, S3, install_s3
from vitrine import build_folder, with_settings

BUCKET = "media"
PART_BYTES = 4 << 20
PIECE_BYTES = 16 << 10


@dataclasses.dataclass(frozen=True)
class Way:
    """To S3, and the rows of what was measured on it."""
    first_byte_ms: int
    megabytes_per_second: int
    saved: Row
    held: Row
    by_two: Row
    by_four: Row

    @classmethod
    def of(cls, first_byte_ms, megabytes_per_second):
        setting = f"S3 at {first_byte_ms} ms, {megabytes_per_second} MB/s"
        large = f"the largest original, {setting}"
        return cls(first_byte_ms, megabytes_per_second,
                   Row(f"cold variant, {setting}: saved by decoding meanwhile, at most", "its latency", unit="%"),
                   Row(f"cold variant, {setting}: a renderer held, if it decodes meanwhile", "now"),
                   Row(f"{large}: parts by 2 connections, time", "one GET"),
                   Row(f"{large}: parts by 4 connections, time", "one GET"))

    def rows(self):
        return [self.saved, self.held, self.by_two, self.by_four]


WAYS = [Way.of(30, 80), Way.of(30, 20), Way.of(100, 10)]
ROWS = [row for way in WAYS for row in way.rows()]


# ---- the way to S3 ---------------------------------------------------------------------------

class Relay:
    """Hands everything on, answers no sooner than `way` says.  For one request at a time on each connection."""

    def __init__(self, upstream_port):
        self.way = WAYS[0]
        self.transfer_ms = 0        # of the last answer, from its first piece to its last
        self._upstream_port = upstream_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    async def _ask(self, client, server, asked):
        while piece := await client.read(PIECE_BYTES):
            asked[:] = [time.monotonic(), 0]
            server.write(piece)
            await server.drain()

    async def _answer(self, server, client, asked):
        """What is late is caught up with, so timers that wake up late cost no throughput."""
        while piece := await server.read(PIECE_BYTES):
            asked_at, sent = asked
            first_at = asked_at + self.way.first_byte_ms / 1e3
            await asyncio.sleep(first_at + sent / (self.way.megabytes_per_second * 1e6) - time.monotonic())
            asked[1] += len(piece)
            client.write(piece)
            await client.drain()
            self.transfer_ms = (time.monotonic() - first_at) * 1e3

    async def _serve(self, reader, writer):
        from_s3, to_s3 = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        asked = [time.monotonic(), 0]
        both = [asyncio.ensure_future(self._ask(reader, to_s3, asked)),
                asyncio.ensure_future(self._answer(from_s3, writer, asked))]
        # When one side hangs up, the other is hung up on.
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)
        for end in (to_s3, writer):
            end.close()

    def __enter__(self):
        self._thread.start()
        server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop)
        self.port = server.result(CLIENT_WAITS).sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def section(self):
        return s3_section(f"http://127.0.0.1:{self.port}")


def s3_section(endpoint):
    return {"kind": "s3", "endpoint": endpoint, "bucket": BUCKET, "path_style": "yes", "access_key_id": KEY,
            "secret_access_key": KEY}


# ---- decoding meanwhile ----------------------------------------------------------------------

class Decoder:
    """libvips in this process, as plain as it gets."""

    def __init__(self):
        self._known_ms = {}
        self._vips = ctypes.CDLL("libvips.so.42")
        if self._vips.vips_init(b"overlap") != 0:
            raise StackError("libvips does not start")
        self._vips.vips_concurrency_set(1)
        self._vips.vips_cache_set_max(0)

    def decode_ms(self, path, width):
        if (path, width) not in self._known_ms:
            self._known_ms[path, width] = self._measure(path, width)
        return self._known_ms[path, width]

    def _measure(self, path, width):
        """From the file to the scaled pixels; they are only added up.  In CPU time, which is what passes on a
        processor of one's own: the others here wait meanwhile."""
        size_down, no_height = ctypes.c_int(2), ctypes.c_int(10 ** 7)
        image, average, end = ctypes.c_void_p(), ctypes.c_double(), ctypes.c_void_p()
        before = time.process_time()
        if self._vips.vips_thumbnail(os.fsencode(path), ctypes.byref(image), ctypes.c_int(width), b"height", no_height,
                                     b"size", size_down, end) != 0:
            raise StackError(f"libvips cannot decode {path}")
        was_decoded = self._vips.vips_avg(image, ctypes.byref(average), end) == 0
        took_ms = (time.process_time() - before) * 1e3
        self._vips.g_object_unref(image)
        if not was_decoded:
            raise StackError(f"libvips cannot decode {path}")
        return took_ms


def comes_in_rows(path):
    """Whether the first bytes of the file are its first rows."""
    with Image.open(path) as image:
        return not image.info.get("progressive") and not image.info.get("interlace")


@dataclasses.dataclass(frozen=True)
class Cold:
    """What one photo took, in milliseconds."""
    latency: float
    origin: float
    render: float
    transfer: float
    decode: float
    comes_in_rows: bool

    @property
    def overlap(self):
        return min(self.transfer, self.decode)

    @property
    def held(self):
        """A renderer, from the first byte on."""
        return self.transfer + self.render - self.overlap


def ask_cold(site, relay, decoder, photo, width, extension):
    answer = site.get(f"/a/{photo.path.stem}/w={width},q={QUALITY}/x.{extension}")
    if answer.status != 200:
        raise StackError(f"{answer.status} for {photo.path.stem}: {answer.body[:300]!r}")
    transfer = relay.transfer_ms
    line = site.logged(answer)
    # The mezzanine that it may leave is not to slow down the next.
    wait_until_idle(site.vitrine.process, quiet_s=0.05)
    return Cold(float(line["ms"]), float(line["origin_ms"]), float(line["render_ms"]), transfer,
                decoder.decode_ms(photo.path, width), comes_in_rows(photo.path))


def show_cold(way, colds):
    shares = [100 * cold.overlap / cold.latency for cold in colds]
    without = [share if cold.comes_in_rows else 0 for share, cold in zip(shares, colds)]
    latency, origin, render = (median([getattr(cold, name) for cold in colds])
                               for name in ("latency", "origin", "render"))
    for cold, share in zip(colds, shares):
        way.saved.add(share)
        way.held.add(cold.held / cold.render)
    way.saved.figures = (f"medians: latency {latency:.0f} ms, of which origin {origin:.0f}, render {render:.0f}; "
                         f"without progressive ones {median(without):.1f} %")
    way.held.figures = f"all: {sum(cold.held for cold in colds):.0f} and {sum(cold.render for cold in colds):.0f} ms"


# ---- parts -----------------------------------------------------------------------------------

def signed_path(relay, key):
    """With AWS Signature Version 4 in the query, the same for all parts (Amazon S3 API Reference,
    "Authenticating Requests: Using Query Parameters")."""
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    scope = f"{moment[:8]}/us-east-1/s3/aws4_request"
    path = f"/{BUCKET}/{urllib.parse.quote(key)}"
    query = urllib.parse.urlencode({
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{KEY}/{scope}", "X-Amz-Date": moment,
        "X-Amz-Expires": "600", "X-Amz-SignedHeaders": "host"})
    canonical = f"GET\n{path}\n{query}\nhost:127.0.0.1:{relay.port}\n\nhost\nUNSIGNED-PAYLOAD"
    to_sign = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = f"AWS4{KEY}".encode()
    for word in (*scope.split("/"), to_sign):
        signature = hmac.digest(signature, word.encode(), "sha256")
    return f"{path}?{query}&X-Amz-Signature={signature.hex()}"


def fetch_parts(port, path, parts, into):
    """Takes from the queue until it is empty, on one connection.  Without a range: the whole."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=CLIENT_WAITS)
    try:
        while True:
            try:
                first, last = parts.get_nowait()
            except queue.Empty:
                return
            is_part = last - first + 1 < len(into)
            connection.request("GET", path, headers={"Range": f"bytes={first}-{last}"} if is_part else {})
            response = connection.getresponse()
            if response.status != (206 if is_part else 200):
                raise StackError(f"{response.status} for bytes {first} to {last}: {response.read(300)!r}")
            while first <= last and (got := response.readinto(into[first:last + 1])):
                first += got
            response.read()
    finally:
        connection.close()


def fetch_ms(relay, photo, connections):
    want = photo.path.read_bytes()
    into = bytearray(len(want))
    step = PART_BYTES if connections > 1 else len(want)
    parts = queue.Queue()
    for first in range(0, len(want), step):
        parts.put((first, min(first + step, len(want)) - 1))
    path = signed_path(relay, photo.path.name)
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(connections) as pool:
        for done in [pool.submit(fetch_parts, relay.port, path, parts, memoryview(into)) for _ in range(connections)]:
            done.result()
    passed_ms = (time.monotonic() - start) * 1e3
    if into != want:
        raise StackError(f"{photo.path.name} in parts is another file")
    return passed_ms


def measure_parts(way, relay, photo):
    one, two, four = (fetch_ms(relay, photo, connections) for connections in (1, 2, 4))
    size = f"for {photo.path.stat().st_size / 1e6:.1f} MB"
    way.by_two.add(two / one, f"{two:.0f} of {one:.0f} ms {size}")
    way.by_four.add(four / one, f"{four:.0f} of {one:.0f} ms {size}")


# ---- all of it -------------------------------------------------------------------------------

def import_into(bed, s3, photos):
    """Straight, not through the relay."""
    folder = bed.folder / "overlap-photos"
    folder.mkdir()
    for photo in photos:
        os.link(photo.path, folder / photo.path.name)
    bed.admin.sections = with_settings(bed.sections, {f"origin.{BUCKET}": s3_section(s3.endpoint)})
    bed.admin.write_configuration()
    bed.admin.run("import", folder, f"--origin={BUCKET}", seconds=300)
    bed.admin.sections = bed.sections
    bed.admin.write_configuration()


def variant_for(number):
    """(width, extension): every other photo as a page and as a card."""
    return (960, "webp") if number % 2 else (400, "jpg")


def measure(bed):
    photos = bed.wallpapers()[::4 if bed.is_quick else 1]
    largest = max(bed.wallpapers(), key=lambda photo: photo.path.stat().st_size)
    decoder = Decoder()
    with S3(bed.folder / "overlap-s3", install_s3(build_folder() / "s3")) as s3, Relay(s3.port) as relay:
        import_into(bed, s3, bed.wallpapers())
        with bed.site("overlap", {f"origin.{BUCKET}": relay.section()}) as site:
            for way in WAYS:
                relay.way = way
                bed.make_cold(site)
                show_cold(way, [ask_cold(site, relay, decoder, photo, *variant_for(number))
                                for number, photo in enumerate(photos)])
                measure_parts(way, relay, largest)
