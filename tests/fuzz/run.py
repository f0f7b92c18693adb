#!/usr/bin/python3
"""Runs the fuzzers, two at a time, and says what each has done; `make fuzz`.

    run.py FOLDER [--seconds=600] [--at-once=2] [TARGET ...]

FOLDER has the programs fuzz_*.  What they find beyond the seeds (tests/fuzz/corpus) is kept in
FOLDER/corpus, and an input that breaks a property, crashes, hangs or eats memory in FOLDER/findings:
the program is started again until its time is over, so one finding does not hide the next.
"Edges" are those of the code that is linked in and instrumented, reached by all inputs together.
Exits with 1 when anything was found.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SEEDS = Path(__file__).resolve().parent / "corpus"

# Of one input: seconds, and megabytes of the whole process.
INPUT_SECONDS, MEMORY_MB = 10, 2048
# A target that fails at once is not started for ever.
FINDINGS_MAX = 20


class Target:
    def __init__(self, program, folder, seconds):
        self.program = program
        self.name = program.name.removeprefix("fuzz_")
        self.seconds = seconds
        self.corpus = folder / "corpus" / self.name
        self.findings = folder / "findings" / self.name
        self.log = folder / "findings" / f"{self.name}.log"
        self.executions = self.edges = self.edges_of = 0

    def found(self):
        return sorted(self.findings.iterdir())

    def run(self):
        self.corpus.mkdir(parents=True, exist_ok=True)
        self.findings.mkdir(parents=True, exist_ok=True)
        for old in self.found():
            old.unlink()
        self.log.unlink(missing_ok=True)
        started = time.monotonic()
        while (left := self.seconds - (time.monotonic() - started)) >= 1 and len(self.found()) < FINDINGS_MAX:
            if not self.run_once(int(left)):
                break
        self.took = max(time.monotonic() - started, 1)
        return self

    def run_once(self, seconds):
        """False when it ended with neither a finding nor its time."""
        before = len(self.found())
        seeds = [SEEDS / self.name] if (SEEDS / self.name).is_dir() else []
        done = subprocess.run([self.program, f"-max_total_time={seconds}", f"-timeout={INPUT_SECONDS}",
                               f"-rss_limit_mb={MEMORY_MB}", "-print_final_stats=1",
                               f"-artifact_prefix={self.findings}/", self.corpus, *seeds],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", check=False)
        with self.log.open("a") as log:
            log.write(done.stdout)
        self.count(done.stdout)
        if done.returncode != 0 and len(self.found()) == before:
            (self.findings / "no-input").write_text(done.stdout)
            return False
        return True

    def count(self, output):
        for executions in re.findall(r"^stat::number_of_executed_units:\s*(\d+)", output, re.M):
            self.executions += int(executions)
        for edges_of in re.findall(r"Loaded \d+ modules\s+\((\d+) inline 8-bit counters\)", output):
            self.edges_of = int(edges_of)
        self.edges = max([self.edges, *map(int, re.findall(r" cov: (\d+) ", output))])

    def row(self):
        return (self.name, f"{self.executions:,}", f"{self.executions / self.took:,.0f}",
                f"{self.edges} of {self.edges_of}", str(len(os.listdir(self.corpus))), str(len(self.found())))


def print_table(targets):
    rows = [("target", "executions", "per second", "edges", "corpus", "findings")]
    rows += [target.row() for target in targets]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print(row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:])), sep="  ")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("targets", nargs="*", help="without fuzz_; all of them by default")
    options.add_argument("--seconds", type=int, default=600)
    options.add_argument("--at-once", type=int, default=2)
    chosen = options.parse_intermixed_args()
    folder = chosen.folder.resolve()
    programs = [folder / f"fuzz_{name}" for name in chosen.targets] or \
        [program for program in sorted(folder.glob("fuzz_*")) if not program.suffix]
    targets = [Target(program, folder, chosen.seconds) for program in programs]
    with ThreadPoolExecutor(chosen.at_once) as pool:
        for target in pool.map(Target.run, targets):
            print(f"{target.name}: {target.executions:,} executions, {len(target.found())} findings", flush=True)
    print_table(targets)
    for finding in (finding for target in targets for finding in target.found()):
        print(f"found: {finding}")
    return 1 if any(target.found() for target in targets) else 0


if __name__ == "__main__":
    sys.exit(main())
