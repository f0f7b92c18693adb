"""The pictures that are asked for, and their right bytes, fetched from a quiet server.

    known = Known(cluster, rounds)          # imports, asks, and leaves the database at rest
    known.begin(3)                          # [load.Wish] of the fourth round
    known.change()                          # replaces the changing asset by its other content

Hits are the same in every round.  Each round has variants that nobody has asked for
before, some of them of assets that no server knows: begin() removes these from the stores.
What is right comes from a Vitrine that works alone, with a store of its own, before the
first fault: rendering is deterministic, and if it were not, the round without a fault
would show wrong bytes.
"""

import random
import time

from PIL import Image

import load
from nginx import Nginx
from process import StackError
from vitrine import Vitrine, with_settings

FORMATS = ("jpg", "webp", "png")
HIT_WIDTHS = (80, 240)
VARIANTS_PER_ROUND = 24
RARE = 8
CHANGING_WIDTHS = (64, 96)
CONTENTS = ("a", "b")
# A purge holds within row_lifetime_ms, and the answer is on its way for a moment.
PURGE_HOLDS_AFTER = 2.0


def _picture(seed, width, height):
    """Noise on a gradient: each has other bytes, and few of them."""
    chance = random.Random(seed)
    small = Image.frombytes("RGB", (12, 8), chance.randbytes(12 * 8 * 3)).resize((width, height), Image.BICUBIC)
    return Image.blend(small, Image.linear_gradient("L").resize((width, height)).convert("RGB"), 0.3)


class Known:
    def __init__(self, cluster, rounds):
        self._cluster = cluster
        self._folder = cluster.folder / "pictures"
        self._bases = [f"base{number}" for number in range(6)]
        self._rare = [f"rare{number}" for number in range(RARE)]
        self._rounds = range(rounds)
        self._make_pictures()
        self._fetch()

    def _make_pictures(self):
        originals = self._folder / "originals"
        originals.mkdir(parents=True)
        for name in self._bases:
            suffix = FORMATS[int(name[-1]) % len(FORMATS)]
            _picture(name, 900, 600).save(originals / f"{name}.{suffix}")
        for name in self._rare:
            _picture(name, 240, 160).save(originals / f"{name}.jpg")
        for content in CONTENTS:
            (self._folder / content).mkdir()
            _picture(f"changing {content}", 300, 200).save(self._folder / content / "changing.png")
        self._import("originals")

    def _import(self, folder):
        self._cluster.import_pictures(self._folder / folder)

    # ---- what is asked ------------------------------------------------------------------

    def _hit_paths(self):
        return [f"/a/{name}/w={width}/x.{form}" for name in self._bases for width in HIT_WIDTHS for form in FORMATS]

    def _variant_paths(self, number):
        """No two rounds ask for the same: the width tells the round."""
        return [f"/a/{self._bases[i % 6]}/w={300 + number * 6 + i // 6}/x.{FORMATS[i % 3]}"
                for i in range(VARIANTS_PER_ROUND)]

    def _rare_paths(self, number):
        return [f"/a/{name}/{recipe}/x.jpg" for name in self._rare for recipe in (f"w={100 + number}", "original")]

    def _info_paths(self):
        return [f"/a/{name}/info.json" for name in self._bases]

    # ---- what is right ------------------------------------------------------------------

    def _fetch(self):
        alone = with_settings(self._cluster.sections, {"peers": {"servers": None}})
        vitrine = Vitrine(self._cluster.folder / "quiet", alone)
        with vitrine, Nginx(self._cluster.folder / "quiet", vitrine.socket, vitrine.store) as nginx:
            address = ("127.0.0.1", nginx.port)
            paths = [*self._hit_paths(), *self._info_paths()]
            for number in self._rounds:
                paths += self._variant_paths(number) + self._rare_paths(number)
            self._answers = dict(zip(paths, load.ask_all(address, paths)))
            self._changing = load.Changing(CONTENTS[0])
            self._by_content = {path: {} for path in self._changing_paths()}
            for content in reversed(CONTENTS):
                self._import(content)
                self._cluster.database.wait_for_replicas()
                time.sleep(PURGE_HOLDS_AFTER)
                for path, answer in zip(self._by_content, load.ask_all(address, list(self._by_content))):
                    self._by_content[path][content] = answer.body

    @staticmethod
    def _changing_paths():
        return [f"/a/changing/w={width}/x.png" for width in CHANGING_WIDTHS]

    def begin(self, number):
        for server in self._cluster.servers:
            self._remove_rare(server.store)
        return self._wishes(number)

    def _remove_rare(self, store):
        """Their originals, which are exactly what was imported, and what is known of them.
        Anybody may remove anything at any time."""
        rare = {(self._folder / "originals" / f"{name}.jpg").read_bytes() for name in self._rare}
        for path in (store / "originals").rglob("*"):
            if path.is_file() and path.read_bytes() in rare:
                path.unlink()
        for path in (store / "notes").rglob("*"):
            if path.is_file() and b"rare" in path.read_bytes():
                path.unlink()

    def _wishes(self, number):
        def known(kind, paths):
            return [load.Wish(kind, path, load.always(self._answers[path].body)) for path in paths]

        return [
            *known("hit", self._hit_paths()), *known("info", self._info_paths()),
            *known("variant", self._variant_paths(number)), *known("rare", self._rare_paths(number)),
            *(load.Wish("conditional", path, load.always(self._answers[path].body), self._answers[path].headers["etag"])
              for path in self._hit_paths()),
            *(load.Wish("changing", path, self._changing.bodies(bodies))
              for path, bodies in self._by_content.items())]

    def warm(self, addresses):
        """Every hit is in the store of each of these servers."""
        for address in addresses:
            load.ask_all(address, [*self._hit_paths(), *self._info_paths(), *self._by_content])

    def change(self):
        """Whether the other content has taken its place.  If not, perhaps it has:
        both are right until the next change that succeeds and holds()."""
        self._changing.begin(CONTENTS[1 - CONTENTS.index(self._changing.content)])
        try:
            self._import(self._changing.content)
            return True
        except StackError:
            return False

    def holds(self, after=PURGE_HOLDS_AFTER):
        """The last change that succeeded is all that is right, so many seconds from now."""
        self._changing.is_over(time.monotonic() + after)
