#!/usr/bin/python3
"""What a responder and a renderer hold as they grow older.

    memory.py                               21,000 requests, 3,000 of them rendered: some ten minutes
    memory.py --jobs=60 --others=300        few renders, and many requests beside each
    memory.py --tunables=glibc.malloc.arena_max=1       responders with another malloc (glibc's tunables)
    memory.py --renderer=PROGRAM            another vitrine-renderer: its malloc is arranged in renderer/limits.c
    memory.py --recycle-mb=64               the setting recycle_memory_mb; without it none is ever replaced
    memory.py --starts                      what starting them anew costs

Three responders and one renderer, so that each has much to do.  The requests are mixed: new sizes of 23
photos in all formats, hits, HEAD, info.json, 404 and 400.  Nothing here is a limit of time; it is no part
of `make bench`, and docs/operations.md says what was concluded.
"""

import argparse
import contextlib
import os
import pathlib
import random
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "stack"), str(HERE.parent / "integration")]

from PIL import Image  # noqa: E402

from bed import Bed  # noqa: E402
from generators import Ask, ask_all, must_be_good, run_load  # noqa: E402
from measure import Cpu, wait_until_idle  # noqa: E402
from processes import renderers, responders  # noqa: E402
from vitrine import build_folder  # noqa: E402

LOOKS = 6
AT_REST_S = 3       # renderer/serve.c gives back what it keeps after 2 s
STARTS = 100
FORMATS = ["jpg"] * 6 + ["webp"] * 6 + ["png", "avif"]
NEVER_REPLACED = {"server": {"responders": "3", "slow_responders": "2", "requests_per_responder": "0"},
                  "render": {"renderers": "1", "jobs_per_renderer": "0", "recycle_memory_mb": "0", "ahead": "0"}}


# ---- what is held ----------------------------------------------------------------------------

def _kilobytes(pid):
    """(PSS, what is its own and written to)"""
    found = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split(":")
        found[name] = int(value.split()[0])
    return found["Pss"], found["Private_Dirty"]


def _held(pids):
    """The largest of them, in MB."""
    return " / ".join(f"{max(kilobytes) / 1024:.1f}" for kilobytes in zip(*map(_kilobytes, pids)))


def _print_row(site, cpu, requests, jobs):
    supervisor = site.vitrine.process
    wait_until_idle(supervisor)
    at_work = _held(renderers(supervisor.pid))
    time.sleep(AT_REST_S)
    print(f"| {requests} | {jobs} | {_held(responders(supervisor.pid))} | {at_work} | "
          f"{_held(renderers(supervisor.pid))} | {cpu.seconds():.0f} s |", flush=True)


# ---- what is asked ---------------------------------------------------------------------------

def _jobs(photos, count):
    """New sizes, small ones more often than large ones, none twice."""
    dice, asks = random.Random(1), {}
    while len(asks) < count:
        width = int(64 * 2 ** dice.uniform(0, 5))
        asks[Ask(dice.choice(photos).url(f"w={width}", dice.choice(FORMATS)))] = True
    return list(asks)


def _ask_others(site, photos, made, count):
    dice = random.Random(count)
    kinds = [lambda: dice.choice(made)] * 6 + [
        lambda: Ask(dice.choice(made).path, method="HEAD"),
        lambda: Ask(f"/a/{dice.choice(photos).id}/info.json"),
        lambda: Ask(f"/a/nobody-{dice.randrange(1000)}/w=100/x.jpg"),
        lambda: Ask(f"/a/{dice.choice(photos).id}/w=0/x.jpg")]
    asks = [dice.choice(kinds)() for _ in range(count)]
    must_be_good(run_load(site.front.port, asks, connections=2), right=(200, 400, 404))


def watch(bed, jobs, others, tunables, render):
    photos = bed.wallpapers()
    asks = _jobs(photos, jobs)
    changes = {**NEVER_REPLACED, "render": {**NEVER_REPLACED["render"], **render}}
    print("| requests | renders | a responder: PSS / own, MB | a renderer after a job | at rest | CPU of all |\n"
          "|---|---|---|---|---|---|")
    with _environment(GLIBC_TUNABLES=tunables), bed.site("memory", changes) as site:
        cpu, done = Cpu(site.vitrine.process), 0
        _print_row(site, cpu, 0, 0)
        for until in [jobs * (look + 1) // LOOKS for look in range(LOOKS)]:
            ask_all(site.url, asks[done:until])
            _ask_others(site, photos, asks[:until], (until - done) * others)
            done = until
            _print_row(site, cpu, done * (1 + others), done)


@contextlib.contextmanager
def _environment(**variables):
    before = dict(os.environ)
    os.environ.update({name: value for name, value in variables.items() if value})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


# ---- what a start costs ----------------------------------------------------------------------

def _cpu_ms(bed, name, section, setting, asks):
    """Of each request, with and without a new process for it."""
    spent = []
    for value in ("1", "0"):
        changes = {**NEVER_REPLACED, section: {**NEVER_REPLACED[section], setting: value}}
        with bed.site(f"{name}-{value}", changes) as site:
            ask_all(site.url, asks[:5])
            cpu = Cpu(site.vitrine.process)
            ask_all(site.url, asks[5:])
            wait_until_idle(site.vitrine.process)
            spent.append(cpu.seconds() * 1000 / len(asks[5:]))
    return spent


def starts(bed):
    path = bed.folder / "tiny.png"
    Image.linear_gradient("L").resize((32, 32)).save(path)
    [photo] = bed.import_photos([path])
    renders = [Ask(photo.url(f"w={32 + number}", "jpg")) for number in range(STARTS)]
    infos = [Ask(f"/a/{photo.id}/info.json")] * STARTS
    for role, section, setting, asks in (("renderer", "render", "jobs_per_renderer", renders),
                                         ("responder", "server", "requests_per_responder", infos)):
        anew, kept = _cpu_ms(bed, role, section, setting, asks)
        print(f"a new {role} for each: {anew:.1f} ms of CPU, the same one {kept:.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=3000)
    parser.add_argument("--others", type=int, default=6)
    parser.add_argument("--tunables", default="")
    parser.add_argument("--renderer", default="")
    parser.add_argument("--recycle-mb", default="0")
    parser.add_argument("--starts", action="store_true", help="instead: what a start costs")
    parser.add_argument("--folder", type=pathlib.Path, default=build_folder() / "memory")
    options = parser.parse_args()
    with Bed(options.folder, is_quick=False) as bed:
        if options.starts:
            starts(bed)
        else:
            watch(bed, options.jobs, options.others, options.tunables,
                  {"program": options.renderer, "recycle_memory_mb": options.recycle_mb})


if __name__ == "__main__":
    main()
