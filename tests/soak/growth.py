"""Whether anything grew: the verdict over what the census wrote.

    rows = judge(samples)       # [Row]: each server's supervisor, responders, renderers, store
    table(rows)                 # Markdown

The first quarter is not judged: caches fill, connections open, allocators find their size.  Growth is the
Theil-Sen slope (the median of the slopes between all pairs of samples) times the time judged: what single
samples say, taken in the middle of a large job, or when a killed child is missing, does not move it.
It may not be more than a tolerance

    of a role's memory      its processes on one server together
    of one process          that lived for half of the time judged or longer; and of its descriptors
    of /dev/shm             bytes and files

A store may fill up, but may not have more than its settings allow.  Renderers leave by themselves after a number of jobs, or when they hold much; so those of a server that
lets them live are what tells.
"""

import dataclasses
import statistics

from census import ROLES

WARM_UP = 1 / 4
LONG_LIVED = 1 / 2
# At the start and at the end: medians over this share of the time judged.
ENDS = 1 / 6
HOUR = 3600

# In kB: what a run without leaks stays below, also one of two minutes; docs/operations.md has the figures.
TOGETHER_KB = {"supervisor": 256, "responder": 4096, "renderer": 32768}
EACH_KB = {"supervisor": 128, "responder": 1024, "renderer": 16384}
DESCRIPTORS = 8
SHARED_KB = 64
BLOCK_KB = 4


def slope(points):
    """Theil-Sen, per unit of x; 0 when there are not two points."""
    slopes = [(y - x_y) / (x - x_x) for number, (x, y) in enumerate(points)
              for x_x, x_y in points[:number] if x != x_x]
    return statistics.median(slopes) if slopes else 0.0


@dataclasses.dataclass
class Series:
    """A quantity over the time judged."""
    points: list            # [(seconds, value)]

    def _median(self, points):
        return statistics.median(value for _, value in points) if points else 0

    @property
    def seconds(self):
        return self.points[-1][0] - self.points[0][0] if self.points else 0

    @property
    def start(self):
        return self._median([one for one in self.points if one[0] <= self.points[0][0] + ENDS * self.seconds])

    @property
    def end(self):
        return self._median([one for one in self.points if one[0] >= self.points[-1][0] - ENDS * self.seconds])

    @property
    def maximum(self):
        return max((value for _, value in self.points), default=0)

    @property
    def growth(self):
        return slope(self.points) * self.seconds

    @property
    def per_hour(self):
        return slope(self.points) * HOUR


@dataclasses.dataclass
class Row:
    name: str
    seen: int               # processes
    together: Series
    oldest: Series          # of those that lived long, the one that grew most; None without one
    descriptors: Series     # alike
    complaints: list

    def cells(self):
        def megabytes(value, form="{:.1f}"):
            return form.format(value / 1024)
        each = ("-",) * 3 if self.oldest is None else (
            f"{megabytes(self.oldest.start)} to {megabytes(self.oldest.end)}",
            f"{self.oldest.per_hour:+.0f} kB", f"{self.descriptors.start:.0f} to {self.descriptors.end:.0f}")
        return [self.name, str(self.seen), *map(megabytes, (
            self.together.start, self.together.end, self.together.maximum)),
            megabytes(self.together.per_hour, "{:+.2f}"), *each]


TITLES = ["", "processes seen", "MB at first", "at last", "most", "MB per hour", "one process, MB",
          "per hour", "its descriptors"]


def lives(samples, server, role):
    """{(pid, born): [(seconds, process)]}"""
    found = {}
    for sample in samples:
        for process in sample["processes"]:
            if process["server"] == server and process["role"] == role:
                found.setdefault((process["pid"], process["born"]), []).append((sample["at"], process))
    return found


def _series(points, name):
    return Series([(at, process[name]) for at, process in points])


def _together(samples, server, role):
    return Series([(sample["at"], sum(process["share"] for process in sample["processes"]
                                      if process["server"] == server and process["role"] == role))
                   for sample in samples])


def _judge_role(samples, judged, server, role):
    seconds = judged[-1]["at"] - judged[0]["at"]
    together = _together(judged, server, role)
    long_lived = [points for points in lives(judged, server, role).values()
                  if points[-1][0] - points[0][0] >= LONG_LIVED * seconds]
    memories = [_series(points, "own") for points in long_lived]
    descriptors = [_series(points, "descriptors") for points in long_lived]
    name, complaints = f"{server} {role}s", []
    if together.growth > max(TOGETHER_KB[role], together.start / 10):
        complaints.append(f"{name} together grew by {together.growth / 1024:.1f} MB")
    complaints += [f"a process of {name} grew by {memory.growth:.0f} kB" for memory in memories
                   if memory.growth > EACH_KB[role]]
    complaints += [f"a process of {name} has {one.growth:.0f} descriptors more" for one in descriptors
                   if one.growth > DESCRIPTORS]

    def most(series):
        return max(series, key=lambda one: one.growth, default=None)
    return Row(name, len(lives(samples, server, role)), together, most(memories), most(descriptors), complaints)


def _judge_store(name, kilobytes, files, room_kb):
    complaints = [f"{name} has {series.end:.0f} {what}" for what, series, most in (
        ("kB", kilobytes, room_kb), ("files", files, room_kb / BLOCK_KB)) if series.end > most]
    return Row(name, 0, kilobytes, None, None, complaints)


def _judge_shared(kilobytes, files):
    complaints = [f"/dev/shm: {what} grew by {series.growth:.0f}"
                  for what, series in (("kB", kilobytes), ("files", files)) if series.growth > SHARED_KB]
    return Row("/dev/shm", 0, kilobytes, None, None, complaints)


def judge(samples, room_kb):
    """At least two samples; a store has no more than that."""
    judged = [sample for sample in samples if sample["at"] >= WARM_UP * samples[-1]["at"]]
    servers = sorted(judged[0]["stores"])

    def disk(find, name, unit=1):
        return Series([(sample["at"], find(sample)[name] / unit) for sample in judged])
    rows = [_judge_role(samples, judged, server, role) for role in ROLES for server in servers]
    for server in servers:
        find = (lambda sample, server=server: sample["stores"][server])
        rows.append(_judge_store(f"{server} store", disk(find, "bytes", 1024), disk(find, "files"), room_kb))
    find = (lambda sample: sample["shared"])
    rows.append(_judge_shared(disk(find, "bytes", 1024), disk(find, "files")))
    return rows


def table(rows):
    cells = [TITLES, ["---"] * len(TITLES), *(row.cells() for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)
