"""A million rows and a million files, beside a thousand of each: what is small must not grow with them.

Rows are copied in SQL; files are written by fill_store.c through lib/store, of 300 bytes, which is a block of the
disk each: 4 GB.  A thousand of the rows, spread over all of them, have a picture and a variant in the store.
"""

import concurrent.futures
import os
import shutil
import socket
import statistics
import subprocess
import time

from PIL import Image

from generators import Ask, ask_all, must_be_good, program, run_load
from measure import wait_until_idle
from process import StackError, wait_until
from row import Row

PEER = "one thousand"
HIT = Row("one million rows and files: hit latency, median", PEER, at_most=1.2)
START = Row("one million rows and files: start-up", PEER, at_most=1.2)
EVICTION = Row("one million files: a write that evicts", PEER, at_most=1.2)
ROWS = [HIT, START, EVICTION]

FEW, MANY, MANY_QUICK = 1000, 1_000_000, 100_000
HOT = 1000
FILE_BYTES = 300
WRITES = 500        # half of the few, so that all they evict was there before
SLICES = 10
FILL_TAKES_S = 400
BYTES_NEEDED, INODES_NEEDED = 8 << 30, 1_200_000
RECIPE = "w=16"


class _Site:
    """A database, a store, and Vitrine with them; `count` of everything."""

    def __init__(self, bed, name, count):
        self.bed, self.name, self.count = bed, name, count
        self.site = None

    def fill(self, template):
        """Rows, then the variants of some, then the other files."""
        self._make_database()
        step = self.count // HOT
        hot = range(step, self.count + 1, step)
        self._make_rows(template, hot)
        self.site = self.bed.site(self.name, {"catalog": {"database": self.name}})
        self.asks = [Ask(f"/a/row-{number}/{RECIPE}/x.webp") for number in hot]
        ask_all(self.site.url, self.asks, at_once=4)
        self._make_files()

    def _make_database(self):
        self.bed.database.primary.sql(f"CREATE DATABASE {self.name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin; "
                                      f"GRANT ALL ON {self.name}.* TO 'vitrine'@'127.0.0.1'")
        self.bed.migrate(self.name)

    def _make_rows(self, template, hot):
        columns = ", ".join(self.bed.columns())
        self.bed.database.primary.sql(
            f"SET sql_log_bin = 0; INSERT INTO {self.name}.asset (id, object_key, {columns}) "
            f"SELECT CONCAT('row-', seq), CONCAT('rows/', seq, '.png'), {columns} "
            f"FROM vitrine.asset, vitrine.seq_1_to_{self.count} WHERE id = '{template.id}'", seconds=FILL_TAKES_S)
        folder = self.bed.photos / "rows"
        folder.mkdir(exist_ok=True)
        for number in hot:
            if not (folder / f"{number}.png").exists():
                os.link(template.path, folder / f"{number}.png")

    def _make_files(self):
        """By as many processes as there are processors."""
        writers = os.cpu_count()
        share = -(-self.count // writers)
        running = [subprocess.Popen(self._fill_command(number * share, min(share, self.count - number * share)),
                                    stdout=subprocess.DEVNULL) for number in range(writers)]
        if any(writer.wait(FILL_TAKES_S) != 0 for writer in running):
            raise StackError("fill_store failed")

    def _fill_command(self, first, count, max_bytes=1 << 40):
        return list(map(str, (program("fill_store"), self.site.store, max_bytes, first, count, FILE_BYTES)))

    # ---- measuring -----------------------------------------------------------------------------

    def hits_ms(self, part):
        asks = self.asks[part::SLICES]
        return [answer.ms for answer in must_be_good(run_load(self.site.front.port, asks, connections=1))]

    def start_ms(self):
        """From the start of the program to its first answer.  Its renderers begin meanwhile, and are to be done
        before another program is started."""
        process = self.site.vitrine.process
        self.site.vitrine.stop()
        path = str(self.site.vitrine.socket)
        began = time.monotonic()
        process.start()
        wait_until(lambda: _accepts(path), 20, "Vitrine took connections", pause=0.001)
        ask_all(self.site.url, self.asks[:1])
        taken = time.monotonic() - began
        wait_until_idle(process)
        return taken * 1000

    def write_us(self, first):
        """Time and CPU.  With the store full, so that each write has to evict; Vitrine does not run any more.
        What goes is on the disk in both stores: a file that was never written out costs much less to
        remove, and only a thousand are so few that theirs would be such."""
        os.sync()
        command = self._fill_command(first, WRITES, max_bytes=self.count * FILE_BYTES)
        output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout
        return tuple(map(float, output.split()))

    def stop(self):
        if self.site is not None:
            self.site.stop()
            _remove(self.site.store / "variants")


def _remove(variants):
    """By rm, which is quicker than shutil, on all processors."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda folder: subprocess.run(["rm", "-rf", str(folder)], check=False, timeout=FILL_TAKES_S),
                      variants.glob("*")))


def _accepts(path):
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
            return True
        except OSError:
            return False


def _template(bed):
    """A picture that takes no time to make something of."""
    path = bed.folder / "tiny.png"
    Image.linear_gradient("L").resize((32, 32)).save(path)
    [photo] = bed.import_photos([path])
    return photo


def _check_disk(folder):
    free = shutil.disk_usage(folder).free
    inodes = os.statvfs(folder).f_favail
    if free < BYTES_NEEDED or inodes < INODES_NEEDED:
        raise StackError(f"a million files need {BYTES_NEEDED >> 30} GB and {INODES_NEEDED} inodes; there are "
                         f"{free >> 30} GB and {inodes}")


def _hits_ms(few, many):
    """Medians; in slices, so that what disturbs one disturbs the other."""
    of_few, of_many = [], []
    for part in range(SLICES):
        of_few += few.hits_ms(part)
        of_many += many.hits_ms(part)
    return statistics.median(of_few), statistics.median(of_many)


def _measure(bed, few, many):
    for _ in range(bed.rounds(5)):
        for row, (of_few, of_many) in ((HIT, _hits_ms(few, many)), (START, (few.start_ms(), many.start_ms()))):
            row.add(of_many / of_few, f"{of_many:.2f} and {of_few:.2f} ms")
    for one in (few, many):
        one.site.vitrine.stop()
        one.write_us(first=2 * MANY)
    for number in range(bed.rounds(5)):
        first = (3 + number) * MANY
        (of_few, cpu_of_few), (of_many, cpu_of_many) = few.write_us(first), many.write_us(first)
        EVICTION.add(of_many / of_few, f"{of_many:.0f} and {of_few:.0f} us; CPU {cpu_of_many:.0f} and {cpu_of_few:.0f}")


def measure(bed):
    _check_disk(bed.folder)
    template = _template(bed)
    few = _Site(bed, "few", FEW)
    many = _Site(bed, "many", MANY_QUICK if bed.is_quick else MANY)
    try:
        few.fill(template)
        many.fill(template)
        # What the kernel has yet to write would be written while one of them is measured.
        os.sync()
        _measure(bed, few, many)
    finally:
        few.stop()
        many.stop()
