"""A page of sizes: 23 wallpapers, six widths of each, as JPEG and as WebP; two clients, one photo after the other.

In each round every server makes all 276 pictures, from nothing.  ipx keeps nothing in any case; Vitrine's
store is emptied first.
"""

import io
import time

from PIL import Image

from generators import Ask, ask_all
from measure import Cpu, Memory, wait_until_idle
from peers import QUALITY, Ipx, install_ipx
from process import StackError
from row import Row
from vitrine import build_folder

WIDTHS = (160, 320, 640, 960, 1280, 1920)
FORMATS = {"jpg": "JPEG", "webp": "WEBP"}
AT_ONCE = 2

# Where others use the machine too, the largest may take longer than the defaults allow; ipx has no limit.
PATIENT = {"server": {"request_timeout_ms": "30000"}, "render": {"timeout_ms": "30000"}}

PEER = "ipx, the same files"
PAGE_CPU = Row("page of sizes: CPU", PEER, at_most=0.45)
PAGE_S = Row("page of sizes: wall time", PEER, at_most=0.45)
PAGE_MEMORY = Row("page of sizes: peak memory", PEER, at_most=0.35)
ROWS = [PAGE_CPU, PAGE_S, PAGE_MEMORY]


class Cost:
    """Of asking a server for all of it."""

    def __init__(self, url, servers, asks, at_once=AT_ONCE):
        cpu, start = Cpu(*servers), time.monotonic()
        with Memory(*servers) as memory:
            self.answers = ask_all(url, asks, at_once)
            self.seconds = time.monotonic() - start
            wait_until_idle(*servers)
        self.cpu = cpu.seconds()
        self.megabytes = memory.peak_bytes / 1e6


def wishes(photos):
    return [(photo, width, extension) for photo in photos for width in WIDTHS for extension in FORMATS]


def check(photos_and_widths, answers):
    """Both give the sizes and formats that were asked."""
    for (photo, width, extension), answer in zip(photos_and_widths, answers):
        image = Image.open(io.BytesIO(answer.body))
        wide = min(width, photo.width)
        high = photo.height * wide / photo.width
        if image.format != FORMATS[extension] or image.width != wide or abs(image.height - high) > 1:
            raise StackError(f"{answer.ask.path} gave {image.format} {image.size}")


def our_path(photo, width, extension):
    return photo.url(f"w={width},q={QUALITY}", extension)


def measure(bed):
    photos = bed.wallpapers()
    all_of_it = wishes(photos)
    installed = install_ipx(build_folder() / "ipx")
    with bed.site("page", PATIENT) as site:
        servers = (site.vitrine.process, site.front.process)
        for _ in range(bed.rounds(3)):
            bed.make_cold(site)
            ours = Cost(site.url, servers, [Ask(our_path(*wish)) for wish in all_of_it])
            # A fresh one each time: memory that a process keeps is not the next round's.
            with Ipx(bed.folder / "ipx", bed.photos, installed) as ipx:
                theirs = Cost(ipx.url, ipx.servers, [Ask(ipx.path(*wish)) for wish in all_of_it])
            check(all_of_it, ours.answers)
            check(all_of_it, theirs.answers)
            PAGE_CPU.add(ours.cpu / theirs.cpu, f"{ours.cpu:.1f} of {theirs.cpu:.1f} s")
            PAGE_S.add(ours.seconds / theirs.seconds, f"{ours.seconds:.1f} of {theirs.seconds:.1f} s")
            PAGE_MEMORY.add(ours.megabytes / theirs.megabytes, f"{ours.megabytes:.0f} of {theirs.megabytes:.0f} MB")
