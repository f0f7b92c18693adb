"""What a miss costs above libvips itself: each wallpaper once, its original on this disk, nothing else made of it.

The limit is in_process.c, which does the same on one thread, in one process, with the same code as a
renderer; and that is compared with what a program of fifty lines would call.
"""

import subprocess
import time

from generators import Ask, ask_all, program
from measure import Cpu, median, wait_until_idle
from peers import QUALITY
from process import StackError
from row import Row

LIMIT = "in-process libvips, the same operations"
COLD_CPU = Row("cold variant, original on disk: CPU", LIMIT, at_most=1.10)
COLD_MS = Row("cold variant, original on disk: latency, median of differences", LIMIT, at_most=5, unit="ms")
PLAIN_CPU = Row("in-process limit: CPU", "vips_thumbnail() and a saver, in process")
ROWS = [COLD_CPU, COLD_MS, PLAIN_CPU]


class InProcess:
    """One in_process, for jobs one after the other."""

    def __init__(self, kind):
        self._process = subprocess.Popen([program("in_process"), kind], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True)

    def make(self, recipe, extension, path):
        """Milliseconds that passed, and of CPU."""
        self._process.stdin.write(f"{recipe} {extension} {path}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise StackError(f"in_process cannot make {recipe} {extension} of {path}")
        wall_us, cpu_us, _ = map(int, line.split())
        return wall_us / 1000, cpu_us / 1000

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()


def _wishes(photos):
    """(photo, recipe, extension): in turn JPEG and WebP, a card and a page."""
    return [(photo, f"w={400 if number % 4 < 2 else 960},q={QUALITY}", "jpg" if number % 2 else "webp")
            for number, photo in enumerate(photos)]


def _warm(site, photo):
    """Each renderer has had a job of each format."""
    ask_all(site.url, [Ask(photo.url(f"w={width}", extension)) for width in (30, 31, 32, 33)
                       for extension in ("jpg", "webp")], at_once=4)


def _ask_cold(bed, site, photos, other):
    """(milliseconds of each, CPU seconds of all), with what goes on behind the answers."""
    bed.make_cold(site)
    ask_all(site.url, [Ask(photo.url("original", "jpg")) for photo in photos])
    _warm(site, other)
    servers = (site.vitrine.process, site.front.process)
    wait_until_idle(*servers)
    cpu = Cpu(*servers)
    answers = ask_all(site.url, [Ask(photo.url(recipe, extension)) for photo, recipe, extension in _wishes(photos)])
    wait_until_idle(*servers)
    return [answer.ms for answer in answers], cpu.seconds()


def _make_in_process(kind, photos, other):
    with InProcess(kind) as process:
        for extension in ("jpg", "webp"):
            process.make("w=30", extension, other.path)
        times = [process.make(recipe, extension, photo.path) for photo, recipe, extension in _wishes(photos)]
    return [wall for wall, _ in times], sum(cpu for _, cpu in times) / 1000


def measure(bed):
    photos = bed.wallpapers()
    [other] = bed.clone(photos[5], ["warm-up"])
    with bed.site("misses") as site:
        for _ in range(bed.rounds(3)):
            ours, ours_cpu = _ask_cold(bed, site, photos, other)
            time.sleep(0.1)
            limit, limit_cpu = _make_in_process("ours", photos, other)
            _, plain_cpu = _make_in_process("plain", photos, other)
            COLD_CPU.add(ours_cpu / limit_cpu, f"{ours_cpu:.2f} of {limit_cpu:.2f} s for {len(photos)}")
            COLD_MS.add(median([mine - its for mine, its in zip(ours, limit)]),
                        f"medians {median(ours):.1f} and {median(limit):.1f} ms")
            PLAIN_CPU.add(limit_cpu / plain_cpu, f"{limit_cpu:.2f} of {plain_cpu:.2f} s")
