"""The disk fails in every way that a disk can: no wrong byte gets out, whatever can be
answered is, and what is broken heals."""

import contextlib
import itertools
import os
import pathlib
import random
import shutil
import signal
import subprocess
import threading
import time

import pytest
from PIL import Image

from process import wait_until
from processes import FastCGI, Load, children, is_alive, responders, start_time

HIT = "/a/photo/w=300/x.webp"
SMALL = {"responders": 6, "slow_responders": 4}


# ---- disks of our own ------------------------------------------------------------------------

def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)


class Disk:
    """A file system that is mounted where the store of the next site will be."""

    def __init__(self, folder, kind, size, inodes=None):
        self.folder = folder
        folder.mkdir(parents=True)
        if kind == "ext4":
            image = folder.parent / "disk"
            with image.open("wb") as file:
                file.truncate(size)
            run("mkfs.ext4", "-q", "-F", "-m", "0", *(["-N", inodes] if inodes else []), image)
            done = run("mount", "-o", "loop,errors=remount-ro", image, folder)
        else:
            options = f"size={size}" + (f",nr_inodes={inodes}" if inodes else "")
            done = run("mount", "-t", "tmpfs", "-o", options, "none", folder)
        if done.returncode != 0:
            pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")

    def break_down(self):
        """The kernel finds an error in the file system, and allows no more writing."""
        device = pathlib.Path(run("findmnt", "-no", "SOURCE", self.folder).stdout.strip()).name
        try:
            pathlib.Path(f"/sys/fs/ext4/{device}/trigger_fs_error").write_text("an error for a test\n")
        except OSError as error:
            pytest.skip(f"no error can be made in a file system: {error}")

    @contextlib.contextmanager
    def full(self):
        """Somebody else takes every byte, also those that we give back."""
        over = threading.Event()
        filler = self.folder / "filler"

        def fill():
            with filler.open("wb", buffering=0) as file:
                while not over.is_set():
                    for size in (1 << 20, 1 << 10):     # a small ext4 has blocks of 1 KiB
                        with contextlib.suppress(OSError):
                            while file.write(bytes(size)) == size:
                                pass
                    over.wait(0.002)

        thread = threading.Thread(target=fill)
        thread.start()
        try:
            wait_until(lambda: os.statvfs(self.folder).f_bavail == 0, 10, "the disk was full")
            yield
        finally:
            over.set()
            thread.join()
            filler.unlink()

    @contextlib.contextmanager
    def nearly_full(self, left):
        disk = os.statvfs(self.folder)
        filler = self.folder / "filler"
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, disk.f_bavail * disk.f_frsize - left)
        try:
            yield
        finally:
            filler.unlink()

    @contextlib.contextmanager
    def without_inodes(self):
        folder = self.folder / "many"
        folder.mkdir()
        with contextlib.suppress(OSError):
            for number in itertools.count():
                (folder / str(number)).touch()
        try:
            yield
        finally:
            shutil.rmtree(folder)

    @contextlib.contextmanager
    def frozen(self):
        """No write ends, until it thaws."""
        done = run("fsfreeze", "-f", self.folder)
        if done.returncode != 0:
            pytest.skip(f"this file system cannot be frozen: {done.stderr.strip()}")
        try:
            yield
        finally:
            run("fsfreeze", "-u", self.folder)

    def remove(self):
        run("umount", "-l", self.folder)


@pytest.fixture
def new_disk(tmp_path, new_site):
    """new_disk("ext4", 32 << 20, server=..., send=...): the disk, and a site that has its store there."""
    disks = []

    def make(kind, size, inodes=None, **settings):
        disks.append(Disk(tmp_path / f"site{len(disks)}" / "vitrine" / "store", kind, size, inodes))
        return disks[-1], new_site(**settings)

    yield make
    for disk in disks:
        disk.remove()


@pytest.fixture(scope="module")
def large(services, assets, tmp_path_factory):
    """The bytes of an original of three megabytes."""
    folder = tmp_path_factory.mktemp("large") / "large"
    folder.mkdir()
    Image.frombytes("RGB", (1000, 1000), random.Random(1).randbytes(3000000)).save(folder / "bulky.png",
                                                                                      compress_level=0)
    services.admin.run("import", folder)
    services.database.wait_for_replicas()
    return (folder / "bulky.png").read_bytes()


PATHS = [HIT, "/a/badge/w=77/x.png", "/a/frames/w=30/x.gif", "/a/bulky/w=50/x.png", "/a/bulky/w=900/x.png",
         "/a/bulky/original/x.png", "/a/photo/w=301/x.webp"]


@pytest.fixture(scope="module")
def right(nginx_body, large):
    """{path: the bytes that a server without trouble answers}"""
    return {path: nginx_body.get(path).body for path in PATHS}


def wrong(site, right, rounds=1):
    """What is not answered as it should be."""
    return [(path, answer) for path in list(right) * rounds
            if (answer := site.get(path)).status != 200 or answer.body != right[path]]


def store_is_bad(site):
    answer = site.get("/health")
    return answer.status == 503 and b'"store":"cannot be written"' in answer.body


# ---- a disk that takes nothing ------------------------------------------------------------------

@pytest.mark.parametrize("send", ["accel", "body"])
def test_a_full_disk_costs_nobody_the_picture(new_disk, right, send):
    disk, site = new_disk("ext4", 32 << 20, send=send, server=SMALL)
    assert site.get(HIT).status == 200
    with disk.full():
        wait_until(lambda: store_is_bad(site), 5, "health was bad")
        assert wrong(site, right, rounds=2) == []
        answer = site.get("/a/bulky/w=51/x.png")
        assert site.logged(answer)["kept"] == "no" and answer.status == 200
    wait_until(lambda: site.get("/health").status == 200, 5, "health was good again")
    assert wrong(site, right) == []
    assert [site.logged(site.get(path))["tier"] for path in right] == ["store"] * len(right)


def test_what_does_not_fit_is_made_once_more_in_memory(new_disk, right):
    """The disk ends the writing in the middle of an original; what is small is kept."""
    disk, site = new_disk("ext4", 32 << 20, server=SMALL)
    assert site.get(HIT).status == 200
    with disk.nearly_full(left=2 << 20):
        assert wrong(site, right, rounds=2) == []
        unkept = site.metrics()["vitrine_unkept_total"]
        answer = site.get("/a/bulky/original/x.png")
        assert answer.status == 200 and site.logged(answer)["kept"] == "no"
        assert site.metrics()["vitrine_unkept_total"] == unkept + 1
        assert site.logged(site.get("/a/bulky/w=50/x.png"))["tier"] == "store"
    assert list((site.store / "tmp").iterdir()) == []


def test_who_starts_while_the_disk_is_full_serves_too(new_disk, right):
    disk, site = new_disk("ext4", 32 << 20, server=SMALL)
    wait_until(lambda: len(responders(site.vitrine.process.pid)) == SMALL["responders"], 5, "all had started")
    before = responders(site.vitrine.process.pid)
    with disk.full():
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(map(is_alive, before)), 15, "all were others")
        assert wrong(site, right, rounds=3) == []
    assert "responder-failed" not in site.log_text()


@pytest.mark.parametrize("kind", ["ext4", "tmpfs"])
def test_used_up_inodes_cost_nobody_the_picture(new_disk, right, kind):
    disk, site = new_disk(kind, 32 << 20, inodes=400, server=SMALL)
    assert site.get(HIT).status == 200
    with disk.without_inodes():
        assert wrong(site, right, rounds=2) == []
    assert wrong(site, right, rounds=2) == []
    wait_until(lambda: site.get("/health").status == 200, 5, "health was good again")


def test_a_read_only_disk_costs_nobody_the_picture(new_disk, right):
    """As after an error of the file system; also for responders that start later."""
    disk, site = new_disk("ext4", 32 << 20, server={**SMALL, "requests_per_responder": 5})
    stored = site.get(HIT)
    disk.break_down()
    wait_until(lambda: store_is_bad(site), 5, "health was bad")
    assert site.get(HIT).body == stored.body
    assert wrong(site, right, rounds=5) == []
    assert site.logged(site.get(HIT))["tier"] == "store"
    assert site.logged(site.get("/a/badge/w=77/x.png"))["tier"] == "rendered"


def test_the_slow_path_stays_bounded_on_a_read_only_disk(new_disk, services):
    """Its places are locks, and a file that is locked has to be opened for writing."""
    disk, site = new_disk("ext4", 32 << 20, server=SMALL)
    assert site.get(HIT).status == 200
    disk.break_down()
    services.s3.freeze()
    try:
        with Load(site, lambda client, number: f"/a/badge/w={30 + client}/x.png", clients=6, seconds=0.5):
            wait_until(lambda: site.metrics()["vitrine_slow_requests"] == 4, 5, "all places were taken")
            assert site.get("/a/rotated/w=31/x.png").status == 503
            assert site.get(HIT).status == 200
            services.s3.thaw()
    finally:
        services.s3.thaw()
    assert site.get("/a/rotated/w=31/x.png").status == 200


def test_a_disk_that_stands_still_for_a_while_only_takes_time(new_disk, right):
    disk, site = new_disk("ext4", 32 << 20, server=SMALL)
    assert site.get(HIT).status == 200
    paths = itertools.cycle(right)
    with Load(site, lambda client, number: next(paths), clients=4) as load:
        for _ in range(3):
            with disk.frozen():
                time.sleep(0.4)
            time.sleep(0.2)
    assert load.answers and load.failed == []
    assert [path for path, _, body in load.answers if body != right[path]] == []
    assert "child-killed" not in site.log_text()


# ---- damaged files ------------------------------------------------------------------------------

def files_of(site, part):
    return sorted(path for path in site.store.glob(f"{part}/??/??/*") if path.is_file())


def _keeping_times(change):
    def changed(path, other):
        status = path.stat()
        change(path, other)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    return changed


def flip(path, other):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    with path.open("r+b") as file:      # the same inode, with its record
        file.write(content)


def put_directory(path, other):
    path.unlink()
    path.mkdir()
    (path / "something").write_text("of somebody else")


def put_in_place_of(action):
    def changed(path, other):
        path.unlink()
        action(path, other)
    return changed


def overwrite(path, other):
    with path.open("r+b") as file:
        file.truncate(0)
        file.write(other.read_bytes())


DAMAGES = {
    "emptied": lambda path, other: os.truncate(path, 0),
    "shorter": lambda path, other: os.truncate(path, path.stat().st_size - 1),
    "longer": lambda path, other: path.open("ab").write(b"x"),
    "one bit, times kept": _keeping_times(flip),
    "another's bytes": overwrite,
    "another file": put_in_place_of(lambda path, other: shutil.copy2(other, path)),
    "hard link": put_in_place_of(lambda path, other: os.link(other, path)),
    "symbolic link": put_in_place_of(lambda path, other: path.symlink_to(other)),
    "fifo": put_in_place_of(lambda path, other: os.mkfifo(path)),
    "directory": put_directory,
    "no record": lambda path, other: os.removexattr(path, "user.vitrine"),
    "another's record": lambda path, other: os.setxattr(path, "user.vitrine", os.getxattr(other, "user.vitrine")),
    "no rights": lambda path, other: path.chmod(0),
    "its folder": lambda path, other: shutil.rmtree(path.parent),
    "its folder a file": lambda path, other: (shutil.rmtree(path.parent), path.parent.write_text("in the way")),
}


@pytest.fixture(scope="module")
def damaged_site(services, assets, tmp_path_factory):
    import web
    with web.nginx_site(tmp_path_factory.mktemp("damage"), services.sections, "body") as site:
        yield site


@pytest.mark.parametrize("damage", DAMAGES)
def test_no_damage_reaches_a_client(damaged_site, right, damage):
    """Each file in turn gets the next one's bytes, or what else the damage is."""
    site = damaged_site
    for folder in ("originals", "variants", "notes"):
        shutil.rmtree(site.store / folder)
    assert wrong(site, right) == []
    for part in ("originals", "variants", "notes"):
        files = files_of(site, part)
        assert len(files) > 2
        for path, other in zip(files, files[1:]):
            if path.exists():
                DAMAGES[damage](path, other)
        if part != "originals":     # whose damage nobody sees before a variant is missing
            assert wrong(site, right) == []


def test_a_large_file_under_two_names_is_only_one_of_them(new_site, right):
    """What was verified under the one name is not believed under the other."""
    site = new_site(send="body", server={**SMALL, "responders": 1, "slow_responders": 1})
    assert wrong(site, right) == []
    paths = {path.stat().st_size: path for path in files_of(site, "variants") + files_of(site, "originals")}
    [variant, original] = [paths[len(right[path])] for path in ("/a/bulky/w=900/x.png", "/a/bulky/original/x.png")]
    variant.unlink()
    os.link(original, variant)
    time.sleep(1.1)     # files that were changed just now are not yet believed
    assert site.get("/a/bulky/original/x.png").body == right["/a/bulky/original/x.png"]
    assert wrong(site, right) == []


def test_what_grows_while_it_is_sent_is_sent_as_announced(new_site, right, large):
    site = new_site(send="body", server=SMALL)
    assert site.get("/a/bulky/original/x.png").status == 200
    with FastCGI(site.vitrine.socket) as peer:
        peer.begin("/a/bulky/original/x.png")
        start = peer.more()
        with files_of(site, "originals")[0].open("ab") as file:
            file.write(b"x" * 100000)
        body = (start + peer.rest()).split(b"\r\n\r\n", 1)[1]
    assert body == large


# ---- the store goes away ---------------------------------------------------------------------------

@pytest.mark.parametrize("what", ["its content", "the folder itself", "and another is there"])
def test_a_store_that_is_removed_is_made_again(new_site, right, what):
    site = new_site(send="body", server=SMALL)
    assert wrong(site, right) == []
    removed = site.store.with_name("removed")
    paths = itertools.cycle(right)
    with Load(site, lambda client, number: next(paths), clients=3) as load:
        for _ in range(3):
            if what == "its content":
                run("find", site.store, "-mindepth", "1", "-delete")
            else:
                site.store.rename(removed)
                if what == "and another is there":
                    site.store.mkdir()
                while removed.exists():     # they still write there
                    shutil.rmtree(removed, ignore_errors=True)
            wait_until(lambda: (site.store / "tmp").exists(), 2, "it was there again")
            time.sleep(0.1)
    assert load.answers and load.failed == []
    assert [path for path, _, body in load.answers if body != right[path]] == []
    assert wrong(site, right) == []
    wait_until(lambda: site.get("/health").status == 200, 2, "health was good")
    assert site.logged(site.get(HIT))["tier"] == "store"


# ---- killed at any moment ------------------------------------------------------------------------

PAUSED_BELOW_S = 1.1


def age_s(pid):
    """How long it has lived; 0 when it lives no more.  Its start is told in clock ticks since the machine's (proc(5))."""
    started = start_time(pid)
    if started is None:
        return 0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(started) / os.sysconf("SC_CLK_TCK")


def test_kills_at_any_moment_leave_nothing_wrong(new_site, right):
    """In the middle of commits and evictions: whoever has lived longest, so that none dies
    as soon as it was born, for which there would be a pause."""
    site = new_site(send="body", server={"responders": 64, "slow_responders": 48}, render={"renderers": 2},
                    store={"max_variant_bytes": "4M", "max_original_bytes": "4M"})
    assert site.get(HIT).status == 200
    rng = random.Random(71)
    paths = itertools.cycle([*right, *(f"/a/photo/w={width}/x.jpg" for width in range(100, 140))])
    kills = 0
    with Load(site, lambda client, number: next(paths), clients=6, pause=0) as load:
        end = time.monotonic() + 4
        while time.monotonic() < end:
            time.sleep(rng.uniform(0.001, 0.02))
            oldest = min(children(site.vitrine.process.pid), key=lambda pid: start_time(pid) or 0, default=None)
            if oldest is not None and age_s(oldest) > PAUSED_BELOW_S:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(oldest, signal.SIGKILL)
                    kills += 1
    assert kills > 3
    answered = [(path, body) for path, status, body in load.answers if status == 200]
    assert answered and [path for path, body in answered if path in right and body != right[path]] == []
    wait_until(lambda: site.get(HIT).status == 200, 10, "it served again")
    assert wrong(site, right, rounds=2) == []
    site.vitrine.stop()
    site.vitrine.start()
    assert list((site.store / "tmp").iterdir()) == []
    assert wrong(site, right) == []
