#!/usr/bin/python3
"""Three servers under a mixed load for an hour, with something going wrong every minute: does
anything grow?

    run.py                      one hour; then fills in docs/operations.md and docs/soak.svg
    run.py --seconds=120        shorter, and only prints
    run.py --again              judges what the last run wrote, without running anything

Exits with 1 when the memory or the descriptors of a role or of a process grew (growth.py says by how much
they may), when an answer was wrong, when fewer than RIGHT_MIN were right, or when a server did not recover.
The hosts, their network and the faults are those of `make chaos`; takes root like that.  It runs
at a low priority.  What the servers wrote, the samples and the plot are in $VITRINE_BUILD/soak.
"""

import argparse
import itertools
import json
import os
import pathlib
import shutil
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[1:1] = [str(HERE.parent / name) for name in ("chaos", "stack", "integration")]

import network  # noqa: E402
from census import Census, read_samples  # noqa: E402
from cluster import Cluster  # noqa: E402
from faults import LASTS  # noqa: E402
from gallery import MIX, Gallery  # noqa: E402
from growth import HOUR, judge, table  # noqa: E402
from load import Verdict  # noqa: E402
from mishaps import all_mishaps  # noqa: E402
from plot import draw  # noqa: E402
from process import StackError  # noqa: E402
from visitors import PER_SECOND, Visitors  # noqa: E402
from vitrine import TOP, build_folder, with_settings  # noqa: E402

NICE = 10
RIGHT_MIN = 0.9
MISHAP_EVERY, MISHAPS_AT_LEAST = 60, 8
RECOVERS_WITHIN = 60
DOCUMENT, PICTURE = TOP / "docs" / "operations.md", TOP / "docs" / "soak.svg"
BEGIN, END = "<!-- measured: make soak -->\n", "<!-- end -->"

# Few responders, so that each has much to do; stores that are always full.
SETTINGS = {
    "server": {"responders": "8", "slow_responders": "5"},
    "store": {"max_original_bytes": "3M", "max_variant_bytes": "4M", "max_note_bytes": "1M"},
    "watermark.badge": {"asset": "badge", "scale": "0.2", "opacity": "0.8"},
}
# 8 MB, in blocks of the file system, and what the store keeps of itself.
STORE_ROOM_KB = 12 * 1024
NEVER_RECYCLED = {"server": {"requests_per_responder": "0"}, "render": {"jobs_per_renderer": "0"}}


class SmallCluster(Cluster):
    def _sections(self):
        return with_settings(super()._sections(), SETTINGS)


class Soak:
    def __init__(self, folder, seed):
        self.folder = folder
        self._cluster = SmallCluster(folder, seed)
        self._seed = seed
        self._mishaps = []          # [(seconds, name, what went wrong after it)]

    def run(self, seconds):
        cluster = self._cluster
        cluster.start()
        gallery = Gallery(cluster, self._seed)
        first = cluster.servers[0].vitrine
        first.sections = with_settings(first.sections, NEVER_RECYCLED)
        cluster.start_servers()
        visitors = Visitors((cluster.balancer.address, cluster.balancer.port), gallery)
        with visitors, Census(cluster.servers, self.folder / "samples") as census:
            for _ in self._mishaps_until(census.began, seconds, gallery):
                self._write(visitors)
        self._write(visitors)
        cluster.stop()

    def _mishaps_until(self, began, seconds, gallery):
        pause = min(MISHAP_EVERY, seconds / MISHAPS_AT_LEAST)
        for number, (name, happens) in enumerate(itertools.cycle(all_mishaps()), 1):
            if number * pause > seconds - pause / 2:
                break
            time.sleep(max(0, began + number * pause - time.monotonic()))
            self._let_happen(round(time.monotonic() - began), name, happens, gallery)
            yield
        time.sleep(max(0, began + seconds - time.monotonic()))

    def _let_happen(self, at, name, happens, gallery):
        outcome = ""
        try:
            happens(self._cluster, lambda seconds=LASTS: time.sleep(seconds))
            self._cluster.settle(RECOVERS_WITHIN)
            gallery.change()
        except StackError as error:
            outcome = str(error)
        self._mishaps.append((at, name, outcome))
        print(f"{at:5} s  {name}  {outcome}", flush=True)

    def _write(self, visitors):
        answers = {kind: {verdict.value: visitors.count[kind, verdict] for verdict in Verdict} for kind in MIX}
        (self.folder / "outcome").write_text(json.dumps({
            "answers": answers, "wrong": visitors.wrong, "mishaps": self._mishaps,
            "statuses": {str(status): number for status, number in visitors.statuses.items()}}, indent=1))


def complaints_about(outcome, rows):
    count = {verdict.value: sum(one[verdict.value] for one in outcome["answers"].values()) for verdict in Verdict}
    complaints = [complaint for row in rows for complaint in row.complaints]
    if count["wrong"]:
        complaints.append(f"{count['wrong']} answers were wrong, such as {outcome['wrong'][0]}")
    if count["right"] < RIGHT_MIN * sum(count.values()):
        complaints.append(f"only {count['right']} of {sum(count.values())} answers were right")
    complaints += [f"after '{name}': {what}" for _, name, what in outcome["mishaps"] if what]
    return complaints


def answers_table(outcome):
    lines = ["| | right | wrong | refused | failed |\n", "| --- | --- | --- | --- | --- |\n"]
    lines += [f"| {kind} | {' | '.join(str(number) for number in one.values())} |\n"
              for kind, one in outcome["answers"].items()]
    return "".join(lines)


def report(folder):
    """Prints what became of it, and writes it down after an hour.  The exit code."""
    samples, outcome = read_samples(folder / "samples"), json.loads((folder / "outcome").read_text())
    rows = judge(samples, STORE_ROOM_KB)
    text = table(rows) + "\n" + answers_table(outcome)
    picture = draw(samples, [at for at, _, _ in outcome["mishaps"]])
    (folder / "soak.svg").write_text(picture)
    print(f"\n{text}\nstatuses: {outcome['statuses']}")
    if samples[-1]["at"] >= 0.99 * HOUR:
        before, rest = DOCUMENT.read_text().split(BEGIN)
        DOCUMENT.write_text(before + BEGIN + text + rest[rest.index(END):])
        PICTURE.write_text(picture)
    complaints = complaints_about(outcome, rows)
    print("\n".join(complaints) if complaints else f"nothing grew in {samples[-1]['at']:.0f} s")
    return 1 if complaints else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=HOUR)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--folder", type=pathlib.Path, default=build_folder() / "soak")
    options = parser.parse_args()
    if not options.again:
        network.enter()
        os.nice(NICE)
        shutil.rmtree(options.folder, ignore_errors=True)
        print(f"{options.seconds} s, {PER_SECOND} requests a second", flush=True)
        Soak(options.folder, options.seed).run(options.seconds)
    return report(options.folder)


if __name__ == "__main__":
    sys.exit(main())
