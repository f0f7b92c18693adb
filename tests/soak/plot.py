"""Draws what the census wrote, as an SVG: every process a line, every server a colour.

Left, the memory of each process; right, of those of a server together, each page once.  A grey line is
a mishap.
"""

import html

from census import ROLES
from growth import lives

COLOURS = ("#1b6ca8", "#c8553d", "#4f8a3c")
PANEL_WIDTH, PANEL_HEIGHT = 440, 150
LEFT, TOP, GAP_X, GAP_Y = 56, 40, 70, 52
POINTS_MAX = 160


class Panel:
    """One coordinate system: seconds across, kB up, shown in minutes and MB."""

    def __init__(self, column, row, title, seconds, top_kb):
        self.x, self.y = LEFT + column * (PANEL_WIDTH + GAP_X), TOP + row * (PANEL_HEIGHT + GAP_Y)
        self.seconds, self.top_kb = seconds, max(top_kb, 1) * 1.08
        bottom = self.y + PANEL_HEIGHT
        self.parts = [f'<text x="{self.x}" y="{self.y - 8}" class="title">{html.escape(title)}</text>',
                      f'<path d="M{self.x},{self.y}V{bottom}H{self.x + PANEL_WIDTH}" class="axis"/>']
        for share in (0, 0.5, 1):
            value = top_kb * share
            _, y = self._at(0, value)
            self.parts.append(f'<text x="{self.x - 6}" y="{y + 4:.0f}" class="end">{value / 1024:.1f}</text>')
        for share in (0, 0.25, 0.5, 0.75, 1):
            x, _ = self._at(seconds * share, 0)
            self.parts.append(f'<text x="{x:.0f}" y="{bottom + 15}" class="middle">{seconds * share / 60:.0f}</text>')

    def _at(self, seconds, value):
        return (self.x + PANEL_WIDTH * seconds / self.seconds,
                self.y + PANEL_HEIGHT * (1 - value / self.top_kb))

    def mark(self, seconds):
        x, _ = self._at(seconds, 0)
        self.parts.append(f'<path d="M{x:.0f},{self.y}v{PANEL_HEIGHT}" class="mishap"/>')

    def line(self, points, colour, width):
        points = points[::len(points) // POINTS_MAX + 1]
        path = " ".join("{:.0f},{:.1f}".format(*self._at(*point)) for point in points)
        self.parts.append(f'<polyline points="{path}" stroke="{colour}" stroke-width="{width}"/>')


def _panels(samples, row, role, servers):
    seconds = samples[-1]["at"]
    each = {server: [[(at, process["own"]) for at, process in points]
                     for points in lives(samples, server, role).values()] for server in servers}
    together = {server: [(sample["at"], sum(process["share"] for process in sample["processes"]
                                            if process["server"] == server and process["role"] == role))
                         for sample in samples] for server in servers}
    left = Panel(0, row, f"each {role}, MB", seconds,
                 max((value for lines in each.values() for line in lines for _, value in line), default=1))
    right = Panel(1, row, f"all {role}s of a server, MB", seconds,
                  max(value for line in together.values() for _, value in line))
    return left, right, each, together


def draw(samples, mishaps):
    """mishaps: [seconds].  The text of the SVG."""
    servers = sorted(samples[0]["stores"])
    width = LEFT + 2 * PANEL_WIDTH + GAP_X + 20
    height = TOP + len(ROLES) * (PANEL_HEIGHT + GAP_Y)
    parts = []
    for row, role in enumerate(ROLES):
        left, right, each, together = _panels(samples, row, role, servers)
        for panel in (left, right):
            for seconds in mishaps:
                panel.mark(seconds)
        for server, colour in zip(servers, COLOURS):
            for line in each[server]:
                left.line(line, colour, 0.7)
            right.line(together[server], colour, 1.4)
        parts += left.parts + right.parts
    for number, (server, colour) in enumerate(zip(servers, COLOURS)):
        parts.append(f'<text x="{width - 240 + number * 78}" y="14" style="fill:{colour}">{server}</text>')
    parts.append(f'<text x="{LEFT}" y="14">minutes across</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}">\n<style>text{{font:12px sans-serif;fill:#333}}.title{{font-weight:bold}}'
            ".end{text-anchor:end}.middle{text-anchor:middle}.axis{stroke:#888;fill:none}"
            ".mishap{stroke:#bbb;stroke-dasharray:1 3}polyline{fill:none}</style>\n"
            f'<rect width="{width}" height="{height}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n")
