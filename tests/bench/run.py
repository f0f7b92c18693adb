#!/usr/bin/python3
"""How fast Vitrine is, beside what people would use instead: `make bench`.

    run.py                      all of it: a quarter of an hour; fills in docs/benchmarks.md
    run.py --only="hit|304"     the rows whose name matches, with what is measured along with them
    run.py --quick              one round, shorter, for a first look
    run.py --json=FILE          the values for a program

Everything runs on this machine, on loopback, in $VITRINE_BUILD/bench, and is ended by its process id.
Exits with 1 when a target was missed.
"""

import argparse
import json
import os
import pathlib
import platform
import re
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "stack"), str(HERE.parent / "integration")]

import auto  # noqa: E402
import footprint  # noqa: E402
import herd  # noqa: E402
import hits  # noqa: E402
import many_files  # noqa: E402
import misses  # noqa: E402
import others  # noqa: E402
import overlap  # noqa: E402
import page_of_sizes  # noqa: E402
import zipf  # noqa: E402
from bed import Bed  # noqa: E402
from process import StackError  # noqa: E402
from row import TITLES  # noqa: E402
from vitrine import TOP, build_folder  # noqa: E402

# Short ones first.
FAMILIES = [hits, footprint, herd, auto, misses, overlap, page_of_sizes, others, zipf, many_files]
DOCUMENT = TOP / "docs" / "benchmarks.md"
BEGIN, END = "<!-- measured: make bench -->\n", "<!-- end -->"
PACKAGES = ("nginx", "libvips42", "mariadb-server-core", "memcached", "wrk", "libnginx-mod-http-image-filter",
            "iipimage-server")


def table(rows):
    cells = [TITLES, ["---"] * len(TITLES), *(row.cells() for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def machine():
    """What kind, not whose."""
    models = re.findall(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) / (1 << 20)
    is_virtual = "hypervisor" in pathlib.Path("/proc/cpuinfo").read_text()
    model = models[0] if models else platform.machine()
    return (f"{os.cpu_count()} {'virtual ' if is_virtual else ''}processors ({model}), {memory:.0f} GB, "
            f"Linux {platform.release().split('-')[0]}")


def versions():
    found = subprocess.run(["dpkg-query", "-W", "-f=${Package} ${source:Upstream-Version}\n", *PACKAGES],
                           capture_output=True, text=True).stdout.splitlines()
    ipx = json.loads((HERE / "ipx" / "package-lock.json").read_text())["packages"]
    found += [f"{name} {ipx[f'node_modules/{name}']['version']}" for name in ("ipx", "sharp")]
    node = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip().lstrip("v")
    return ", ".join([*found, f"node {node}"])


def report(rows, minutes, load_before):
    return (f"{machine()}; load average before: {load_before:.1f}; {minutes:.0f} minutes.\n{versions()}.\n\n"
            f"{table(rows)}")


def fill_in(text):
    before, rest = DOCUMENT.read_text().split(BEGIN)
    DOCUMENT.write_text(before + BEGIN + text + rest[rest.index(END):])


def end(signal_number, frame):
    sys.exit(128 + signal_number)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="regular expression, of row names")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--folder", type=pathlib.Path, default=build_folder() / "bench")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    start, load_before = time.monotonic(), os.getloadavg()[0]
    measured, failed = [], False
    with Bed(options.folder, options.quick) as bed:
        for family in FAMILIES:
            rows = [row for row in family.ROWS if re.search(options.only, row.work)]
            if not rows:
                continue
            began = time.monotonic()
            try:
                family.measure(bed)
            except (StackError, OSError, subprocess.SubprocessError) as error:
                print(f"{family.__name__}: {error}", file=sys.stderr, flush=True)
                failed = True
            done = [row for row in rows if row.values]
            measured += done
            print(f"\n{family.__name__}, {time.monotonic() - began:.0f} s, "
                  f"load average {os.getloadavg()[0]:.1f}\n{table(done)}", flush=True)
    text = report(measured, (time.monotonic() - start) / 60, load_before)
    print(f"\n{text}")
    if options.json:
        options.json.write_text(json.dumps([row.__dict__ for row in measured], indent=1))
    if not (options.only or options.quick or failed):
        fill_in(text)
    missed = [row.work for row in measured if not row.is_good]
    print(f"missed: {'; '.join(missed)}" if missed else "some rows could not be measured" if failed else
          "all targets are met")
    return 1 if missed or failed else 0


if __name__ == "__main__":
    sys.exit(main())
