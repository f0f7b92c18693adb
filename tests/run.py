#!/usr/bin/python3
"""Runs everything that `make test` runs and adds it up.

    run.py BUILD [--fuzz-seconds=N] [--only=style,unit,fuzz,integration] [--pytest="-k purge"]

Prints each part's own output when it fails, one line when it passes, and last
the line "N passed, N failed".  Exits with 1 when anything failed.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
TRIED_AGAIN_MAX = 20


class Tally:
    def __init__(self):
        self.passed = 0
        self.failed = 0

    def add(self, name, passed, failed, seconds, output=""):
        self.passed += passed
        self.failed += failed
        if failed:
            print(output, flush=True)
        word = "ok" if not failed else "FAILED"
        print(f"{word:6} {name} ({passed} passed, {failed} failed, {seconds:.1f} s)", flush=True)


def run(command, environment=None, seconds=120):
    """Exit code and output; a command that hangs has failed."""
    try:
        done = subprocess.run(command, cwd=TOP, env=environment, timeout=seconds, text=True, errors="replace",
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as expired:
        output = expired.stdout or b""
        return -1, output.decode(errors="replace") + f"\nstopped after {seconds} s"


def run_style(tally, build, layers):
    for name, command in (("layers", ["tests/check/layers.sh", *layers]), ("style", ["tests/check/style.sh"]),
                          ("model of sizes", [sys.executable, "tests/unit/model_geometry.py", "--check"]),
                          ("model of signatures", [sys.executable, "tests/unit/model_sigv4.py", "--check"]),
                          ("docs", [sys.executable, "docs/generate.py", build, "--check"])):
        start = time.monotonic()
        code, output = run(command)
        tally.add(name, int(code == 0), int(code != 0), time.monotonic() - start, output)


def unit(program, build):
    start = time.monotonic()
    code, output = run([program], {**os.environ, "VITRINE_BUILD": str(build)})
    passed = sum(int(n) for n in re.findall(r"^\[  PASSED  \] (\d+) test\(s\)", output, re.M))
    failed = sum(int(n) for n in re.findall(r"^\[  FAILED  \] (\d+) test\(s\)", output, re.M))
    if code != 0 and failed == 0 or passed + failed == 0:
        failed += 1
    return f"unit {program.name}", passed, failed, time.monotonic() - start, output


def fuzz(program, build, seconds):
    seeds = TOP / "tests" / "fuzz" / "corpus" / program.name.removeprefix("fuzz_")
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as corpus:
        code, output = run([program, f"-max_total_time={seconds}", "-timeout=5", "-rss_limit_mb=1024",
                            f"-artifact_prefix={build}/fuzz/", corpus, *([seeds] if seeds.is_dir() else [])])
    return program.name, int(code == 0), int(code != 0), time.monotonic() - start, output


def run_programs(tally, pattern, run_one):
    """Those that the pattern names, one on each processor."""
    programs = [program for program in sorted(pattern.parent.glob(pattern.name)) if not program.suffix]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for result in pool.map(run_one, programs):
            tally.add(*result)


def run_unit(tally, build):
    run_programs(tally, build / "tests" / "unit" / "test_*", lambda program: unit(program, build))


def run_fuzz(tally, build, seconds):
    """The seeds, which are regression tests too, and a moment from there; what that finds is forgotten."""
    run_programs(tally, build / "fuzz" / "fuzz_*", lambda program: fuzz(program, build, seconds))


def pytest(build, report, arguments):
    """{test: whether it passed}; skipped ones are left out."""
    report.unlink(missing_ok=True)
    subprocess.run([sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider",
                    "-o", "console_output_style=classic", f"--junitxml={report}", *arguments],
                   cwd=TOP, env={**os.environ, "VITRINE_BUILD": str(build), "PYTHONDONTWRITEBYTECODE": "1"},
                   stdin=subprocess.DEVNULL, check=False)
    if not report.exists():
        return {}
    results = {}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
        bad = case.find("failure") is not None or case.find("error") is not None
        if bad or case.find("skipped") is None:
            results[name] = not bad and results.get(name, True)
    return results


def run_integration(tally, build, arguments):
    """A file of tests at a time on each processor, and one more, because they wait a lot.  They
    measure time, and each has servers of its own: what fails in that crowd is tried once more
    alone, and counts as it does then."""
    start = time.monotonic()
    results = pytest(build, build / "integration.xml",
                     ["-n", str(os.cpu_count() + 1), "--dist", "loadfile", "tests/integration", *arguments])
    failed = [name for name, passed in results.items() if not passed]
    if failed and len(failed) < TRIED_AGAIN_MAX:
        print(f"once more, alone: {' '.join(failed)}", flush=True)
        results.update({name: False for name in failed})
        results.update(pytest(build, build / "integration-again.xml", failed))
    passed = sum(results.values())
    tally.add("integration", passed, len(results) - passed if results else 1, time.monotonic() - start)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("build", type=Path)
    options.add_argument("--layers", default="", help="LAYERS of the Makefile")
    options.add_argument("--fuzz-seconds", type=int, default=1)
    options.add_argument("--only", default="style,unit,fuzz,integration")
    options.add_argument("--pytest", default="", help="more arguments for pytest")
    chosen = options.parse_args()
    build = (TOP / chosen.build).resolve()
    parts = chosen.only.split(",")
    tally = Tally()
    if "style" in parts:
        run_style(tally, build, chosen.layers.split())
    if "unit" in parts:
        run_unit(tally, build)
    if "fuzz" in parts:
        run_fuzz(tally, build, chosen.fuzz_seconds)
    if "integration" in parts:
        run_integration(tally, build, shlex.split(chosen.pytest))
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
