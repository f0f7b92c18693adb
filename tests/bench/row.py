"""One row of the table: what was measured, beside what, and whether that is good enough.

    HIT = Row("hit", "nginx, the file", at_least=0.30)
    HIT.add(0.35)                                       # of each round
    HIT.cells()
"""

import dataclasses
import statistics


@dataclasses.dataclass
class Row:
    """`add` takes a ratio, or a value in `unit`.  Without a target the row only tells."""
    work: str
    beside: str
    at_least: float = None
    at_most: float = None
    unit: str = ""
    figures: str = ""           # what the ratio came from, of the last round
    values: list = dataclasses.field(default_factory=list)

    def add(self, value, figures=""):
        self.values.append(value)
        self.figures = figures

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def is_good(self):
        return (self.at_least is None or self.median >= self.at_least) and \
            (self.at_most is None or self.median <= self.at_most)

    @property
    def _target(self):
        if self.at_least is not None:
            return f">= {self._print(self.at_least)}"
        return f"<= {self._print(self.at_most)}" if self.at_most is not None else ""

    @property
    def _verdict(self):
        if self.at_least is None and self.at_most is None:
            return ""
        return "ok" if self.is_good else "missed"

    def _print(self, value):
        return f"{value:.2f}" if not self.unit else f"{value:.1f} {self.unit}"

    def cells(self):
        measured = [self._print(value) for value in (min(self.values), self.median, max(self.values))]
        return [self.work, self.beside, *measured, self._target, self._verdict, self.figures]


TITLES = ["work", "limit or peer", "min", "median", "max", "target", "", "figures of the last round"]
