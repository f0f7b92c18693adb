"""What a server costs: CPU seconds and memory of all its processes, and how long things took.

    cpu = Cpu(vitrine.process, nginx.process)           # Processes of tests/stack
    ...
    cpu.seconds()                                       # since then, also of children that ended

    with Memory(vitrine.process) as memory: ...
    memory.peak_bytes

A server is the session that its Process leads.  CPU time comes from the kernel's books
(/proc/PID/stat), in ticks of 10 ms, so measure seconds of it.  Memory is the sum of PSS
(smaps_rollup): what processes share counts once.  Of files in memory (memfd_create) that is what is
mapped, so what is not is added: they count as a whole.
"""

import pathlib
import re
import statistics
import threading
import time

import os

TICKS = os.sysconf("SC_CLK_TCK")
SAMPLE_S = 0.25


def processes_of(servers):
    """[(pid, CPU seconds)] of every process in the servers' sessions.  Those of children
    that ended are in their parent's."""
    sessions = {server.pid for server in servers}
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            # Behind the name: state ppid pgrp session ...; proc(5) counts from 1, with the name as 2.
            fields = path.read_text().rsplit(") ", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) in sessions:
            found.append((int(path.parent.name), sum(map(int, fields[11:15])) / TICKS))
    return found


def memory_files_of(pid):
    """{inode: bytes} of its descriptors."""
    files = {}
    for path in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        if os.readlink(path).startswith("/memfd:"):
            status = path.stat()
            files[status.st_ino] = status.st_blocks * 512
    return files


def pss_of(lines):
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def mapped_memory_files_of(pid):
    """What of its memory files is in its PSS."""
    parts = re.split(r"^[0-9a-f]+-[0-9a-f]+ ", pathlib.Path(f"/proc/{pid}/smaps").read_text(), flags=re.MULTILINE)
    return sum(pss_of(part.splitlines()) for part in parts if "/memfd:" in part.partition("\n")[0])


def pss_bytes(servers):
    total, files = 0, {}
    for pid, _ in processes_of(servers):
        try:
            total += pss_of(pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines())
            own = memory_files_of(pid)
            if any(own.values()):
                total -= mapped_memory_files_of(pid)
        except OSError:
            continue
        files.update(own)
    return total + sum(files.values())


class Cpu:
    """From when it was made.  A process that ends without being waited for takes its time with it."""

    def __init__(self, *servers):
        self._servers = servers
        self._before = self._now()

    def _now(self):
        return sum(seconds for _, seconds in processes_of(self._servers))

    def seconds(self):
        return self._now() - self._before


class Memory:
    """The peak between enter and exit, looked at four times a second."""

    def __init__(self, *servers):
        self.peak_bytes = 0
        self._servers = servers
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self):
        while not self._over.wait(SAMPLE_S):
            self.peak_bytes = max(self.peak_bytes, pss_bytes(self._servers))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


def wait_until_idle(*servers, seconds=20, quiet_s=0.3):
    """Until they use no CPU for a moment: what they do in the background is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        cpu = Cpu(*servers)
        time.sleep(quiet_s)
        if cpu.seconds() <= 1 / TICKS:
            return


def percentile(values, share):
    """The smallest value that is at least as large as that share of them."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]


median = statistics.median
