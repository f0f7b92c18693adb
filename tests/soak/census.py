"""Counts every process of every server, again and again, and what lies on the disks.

    with Census(cluster.servers, path): ...     # a line of JSON each time, in a thread of its own
    read_samples(path)                          # [{"at": seconds, "processes": [...], ...}]

Of each process: server, role, pid, born (both together are never given twice), descriptors, threads, and in kB
`own`, all of its memory that is no file's, `share`, the same but what it shares with others since a fork by its
share, so that the sum over processes is what they take together, and `files`, its share of programs and libraries,
which depends on who else has mapped them.
"""

import json
import os
import pathlib
import threading
import time

INTERVAL = 15
ROLES = ("supervisor", "responder", "renderer")


def _fields(text):
    """{"Pss": 123, ...} of smaps_rollup, {"Threads": 1} of status."""
    lines = (line.split() for line in text.splitlines())
    return {line[0].rstrip(":"): int(line[1]) for line in lines if len(line) > 1 and line[1].isdigit()}


def _process(pid, server, is_supervisor):
    """None when it has ended, or is not yet the program that it will be."""
    folder = pathlib.Path(f"/proc/{pid}")
    try:
        name = (folder / "comm").read_text().strip()
        memory = _fields((folder / "smaps_rollup").read_text())
        born = int((folder / "stat").read_text().rpartition(")")[2].split()[19])    # proc(5): starttime
        threads = _fields((folder / "status").read_text())["Threads"]
        descriptors = len(os.listdir(folder / "fd"))
    except (OSError, KeyError):
        return None
    # The kernel cuts names after 15 bytes.
    role = "supervisor" if is_supervisor else "renderer" if "vitrine-renderer".startswith(name) else "responder"
    return {"server": server, "role": role, "pid": pid, "born": born, "own": memory["Anonymous"],
            "share": memory["Pss_Anon"] + memory["Pss_Shmem"], "files": memory["Pss_File"], "descriptors": descriptors, "threads": threads}


def _processes(server):
    supervisor = server.vitrine.process.pid
    if supervisor is None:
        return []
    try:
        pids = server.children()
    except OSError:
        return []
    found = [_process(supervisor, server.name, True), *(_process(pid, server.name, False) for pid in pids)]
    return [process for process in found if process is not None]


def _disk(folder):
    """Bytes as the file system counts them, and files."""
    sizes = []
    for path in pathlib.Path(folder).rglob("*"):
        try:
            if path.is_file():
                sizes.append(path.stat().st_blocks * 512)
        except OSError:
            pass
    return {"bytes": sum(sizes), "files": len(sizes)}


class Census:
    def __init__(self, servers, path):
        self._servers = servers
        self._path = path
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.began = time.monotonic()

    def _run(self):
        with open(self._path, "w") as file:
            while True:
                file.write(json.dumps(self._sample()) + "\n")
                file.flush()
                if self._over.wait(INTERVAL):
                    return

    def _sample(self):
        return {"at": round(time.monotonic() - self.began, 2),
                "processes": [process for server in self._servers for process in _processes(server)],
                "stores": {server.name: _disk(server.store) for server in self._servers},
                "shared": _disk("/dev/shm")}

    def __enter__(self):
        self.began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join(INTERVAL)


def read_samples(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]
