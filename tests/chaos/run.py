#!/usr/bin/python3
"""Three servers under load, one fault after another, a row for each.

    run.py                      all of it: a quarter of an hour; fills in docs/operations.md
    run.py --short              a few faults, shorter; for `make test`
    run.py --only="S3|disk"     those whose name matches
    run.py --json=FILE          the rows for a program

Exits with 1 when a byte was wrong, or when a fault outlived its cause by more than
5 s.  What the servers wrote is in $VITRINE_BUILD/chaos afterwards.  Takes root, and changes
nothing on this machine: network.py.
"""

import argparse
import collections
import dataclasses
import json
import pathlib
import re
import shutil
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "stack"))

import network  # noqa: E402
from cluster import Cluster  # noqa: E402
from faults import ALL, LASTS, Change  # noqa: E402
from known import Known  # noqa: E402
from load import HITS, Load, Verdict  # noqa: E402
from process import StackError  # noqa: E402
from vitrine import TOP, build_folder  # noqa: E402

OUTLIVES_MAX = 5.0
QUIET_BEFORE = 1.0
WATCHED_AT_LEAST, WATCHED_AT_MOST = 2.0, OUTLIVES_MAX + 2
DOCUMENT = TOP / "docs" / "operations.md"
BEGIN, END = "<!-- measured: make chaos -->\n", "<!-- end -->"


@dataclasses.dataclass
class Row:
    """What became of the requests of one fault, asked from a second before it until some seconds
    after its end."""
    fault: str
    requests: int
    right: int
    wrong: int
    refused: int
    failed: int
    hits: str               # right of asked
    misses: str
    gap: float              # longest time without a right answer
    recovered: float        # from the end of the cause to the last request that went wrong

    @property
    def is_good(self):
        return self.wrong == 0 and self.recovered <= OUTLIVES_MAX

    @classmethod
    def of(cls, fault, answers, ended):
        count = collections.Counter(answer.verdict for answer in answers)
        late = [answer.asked - ended for answer in answers
                if answer.asked > ended and answer.verdict != Verdict.RIGHT]
        return cls(fault.name, len(answers), count[Verdict.RIGHT], count[Verdict.WRONG], count[Verdict.REFUSED],
                   count[Verdict.FAILED], right_of(answers, True), right_of(answers, False),
                   round(longest_gap(answers), 1), round(max(late, default=0.0), 1))

    def cells(self):
        return [self.fault, *(str(number) for number in (
            self.requests, self.right, self.wrong, self.refused, self.failed)), self.hits, self.misses,
            f"{self.gap:.1f} s", f"{self.recovered:.1f} s"]


TITLES = ["fault", "requests", "right", "wrong", "refused", "failed", "hits", "misses", "gap", "recovered"]


def right_of(answers, is_hit):
    verdicts = [answer.verdict for answer in answers if (answer.wish.kind in HITS) == is_hit]
    return f"{sum(verdict == Verdict.RIGHT for verdict in verdicts)}/{len(verdicts)}"


def longest_gap(answers):
    times = sorted([min(answer.asked for answer in answers)] +
                   [answer.ended for answer in answers if answer.verdict == Verdict.RIGHT])
    return max((later - earlier for earlier, later in zip(times, times[1:])), default=float("inf"))


def is_well(answers, ended):
    """Nothing that was asked in the last two seconds went wrong."""
    since = max(ended, time.monotonic() - WATCHED_AT_LEAST)
    return all(answer.verdict == Verdict.RIGHT for answer in list(answers) if answer.asked > since)


class Chaos:
    def __init__(self, folder, faults, seed, is_short):
        self._faults = faults
        self._seed = seed
        self._is_short = is_short
        self.cluster = Cluster(folder, seed)
        self._known = None

    def start(self):
        self.cluster.start()
        self._known = Known(self.cluster, len(self._faults))
        self.cluster.start_servers()
        self._known.warm([(server.address, 80) for server in self.cluster.servers])

    def rows(self):
        """[(Row, [Answer])], as they come."""
        for number, fault in enumerate(self._faults):
            answers, ended = self._suffer(fault, number)
            yield Row.of(fault, answers, ended), answers
            self._recover(fault)

    def _watch(self, load, ended):
        """Until it is well again and stays so; the long form always looks as long."""
        time.sleep(WATCHED_AT_LEAST)
        while time.monotonic() < ended + WATCHED_AT_MOST and not (self._is_short and is_well(load.answers, ended)):
            time.sleep(0.1)

    def _suffer(self, fault, number):
        load = Load(self._balancer, self._known.begin(number), f"{self._seed} {fault.name}")
        with load:
            time.sleep(QUIET_BEFORE)
            change = threading.Thread(target=self._change, args=(fault,))
            change.start()
            fault.happens(self.cluster, self._hold)
            ended = time.monotonic()
            change.join()
            if fault.change == Change.LATE and self._has_changed:
                self._known.holds(OUTLIVES_MAX)
            self._watch(load, ended)
        return load.answers, ended

    def _hold(self, seconds=LASTS):
        time.sleep(seconds / 2 if self._is_short else seconds)

    def _change(self, fault):
        """In the middle of the fault."""
        self._hold(LASTS / 3)
        self._has_changed = self._known.change()
        if self._has_changed and fault.change == Change.HOLDS:
            self._known.holds()

    def _recover(self, fault):
        """So that the next row tells of the next fault only."""
        self.cluster.settle()
        if not self._has_changed and not self._known.change():
            raise StackError(f"after '{fault.name}' no asset can be changed")
        self._known.holds()
        self.cluster.database.wait_for_replicas()

    @property
    def _balancer(self):
        return self.cluster.balancer.address, self.cluster.balancer.port


def table(rows):
    cells = [TITLES, ["---"] * len(TITLES), *(row.cells() for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def fill_in(rows):
    text = DOCUMENT.read_text()
    before, rest = text.split(BEGIN)
    DOCUMENT.write_text(before + BEGIN + table(rows) + rest[rest.index(END):])


def write_anomalies(path, fault, answers, start):
    """What was not right, for whoever looks for the reason in the servers' logs."""
    with open(path, "a") as file:
        file.write(f"== {fault}\n")
        for answer in answers:
            if answer.verdict != Verdict.RIGHT:
                file.write(f"{answer.asked - start:.3f} {answer.ended - answer.asked:.3f} {answer.verdict.value} "
                           f"{answer.status} {answer.wish.kind} {answer.wish.path} {answer.request_id}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only", default="", help="regular expression")
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--folder", type=pathlib.Path, default=build_folder() / "chaos")
    options = parser.parse_args()
    network.enter()
    faults = [fault for fault in ALL if re.search(options.only, fault.name) and (fault.is_short or not options.short)]
    shutil.rmtree(options.folder, ignore_errors=True)
    chaos = Chaos(options.folder, faults, options.seed, options.short)
    chaos.start()
    rows, start = [], time.monotonic()
    print(" | ".join(TITLES), flush=True)
    for row, answers in chaos.rows():
        rows.append(row)
        write_anomalies(options.folder / "anomalies", row.fault, answers, min(answer.asked for answer in answers))
        print(" | ".join(row.cells()) + ("" if row.is_good else "   <-- BAD"), flush=True)
    if options.json:
        options.json.write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=1))
    if not options.short and not options.only:
        fill_in(rows)
    bad = [row.fault for row in rows if not row.is_good]
    print(f"{len(rows)} faults in {time.monotonic() - start:.0f} s; " + (f"bad: {', '.join(bad)}" if bad else "all good"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
