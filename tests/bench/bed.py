"""What all measurements stand on: a database, two memcached, pictures, and sites of Vitrine.

    bed = Bed(folder, is_quick=False)
    with bed:
        with bed.site("hits") as site: ...              # web.Site: nginx and Vitrine, a store of its own
        bed.wallpapers()                                # [Photo], imported
        bed.clone(photo, ["copy-1", "copy-2"])          # the same picture as other assets

The settings are the defaults, but for what a measurement changes.  Originals are in a folder of
this disk.  There is one database without replicas: nothing here is about replication.
"""

import dataclasses
import os
import pathlib
import shutil

from PIL import Image

from mariadb import MariaDB, NAME
from memcached import Memcached
from nginx import Nginx
from process import StackError
from vitrine import Vitrine, stack_sections, with_settings
from web import Site

MATE = pathlib.Path("/usr/share/backgrounds/mate")
PLASMA = pathlib.Path("/usr/share/wallpapers")

# 18 JPEG, of which Elephants, FreshFlower, GreenMeadow, Flow and Volna are progressive, and 5 PNG, of which
# IceCold, Kay and Patak have an alpha channel: one package's photos and its largest picture, and the other's
# that are 5120 x 2880.
WALLPAPERS = [
    *(MATE / "nature" / f"{name}.jpg" for name in (
        "Aqua", "Blinds", "Dune", "FreshFlower", "Garden", "GreenMeadow", "LadyBird", "RainDrops", "Storm",
        "TwoWings", "Wood", "YellowFlower")),
    MATE / "abstract" / "Elephants_5640x3172.jpg",
    *(PLASMA / name / "contents/images/5120x2880.jpg" for name in (
        "Flow", "Honeywave", "SafeLanding", "Shell", "Volna")),
    *(PLASMA / name / "contents/images/5120x2880.png" for name in ("Altai", "IceCold", "Kay", "MilkyWay", "Patak")),
]
ORIGIN = "photos"


@dataclasses.dataclass(frozen=True)
class Photo:
    id: str
    path: pathlib.Path      # in the origin's folder
    width: int
    height: int

    def url(self, recipe, extension):
        return f"/a/{self.id}/{recipe}/x.{extension}"


class Bed:
    def __init__(self, folder, is_quick):
        self.folder = pathlib.Path(folder).absolute()
        self.is_quick = is_quick
        shutil.rmtree(self.folder, ignore_errors=True)
        self.photos = self.folder / "photos"
        self.photos.mkdir(parents=True)
        self.database = MariaDB(self.folder / "mariadb", replicas=0)
        self.ring = Memcached(self.folder / "memcached")
        self._imported = {}

    def rounds(self, full):
        return 1 if self.is_quick else full

    def __enter__(self):
        try:
            self.database.start()
            self.ring.start()
            self.sections = with_settings(stack_sections(self.database, self.ring), {
                f"origin.{ORIGIN}": {"kind": "directory", "root": self.photos},
                "http": {"send": "accel"}})
            self.admin = Vitrine(self.folder / "admin", self.sections)
            self.migrate(NAME)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.ring.stop()
        self.database.stop()
        # Their data is of no use to anybody, and large.
        shutil.rmtree(self.folder, ignore_errors=True)

    def migrate(self, database):
        """Makes the tables in a database that is there."""
        Vitrine(self.folder / f"migrate-{database}", with_settings(self.sections, {
            "catalog": {"database": database}})).run("migrate")

    # ---- sites ---------------------------------------------------------------------------

    def site(self, name, changes=None, root=None):
        """nginx and Vitrine, started.  root: a folder that nginx serves at /."""
        folder = self.folder / name
        vitrine = Vitrine(folder / "vitrine", with_settings(self.sections, changes or {})).start()
        try:
            return Site(Nginx(folder / "nginx", vitrine.socket, vitrine.store, root=root).start(), vitrine.store,
                        vitrine)
        except BaseException:
            vitrine.stop()
            raise

    def make_cold(self, site):
        """As if nothing had ever been asked of it."""
        site.vitrine.stop()
        shutil.rmtree(site.store)
        for member in self.ring.members:
            member.forget_everything()
        site.vitrine.start()

    # ---- pictures --------------------------------------------------------------------------

    def import_photos(self, paths):
        """[Photo] of files, copied into the origin unless they are there."""
        new = [path for path in paths if path not in self._imported]
        folder = self.photos / f"set{len(self._imported)}"
        for path in new:
            if not path.exists():
                raise StackError(f"{path} is not there: tests/stack/install.sh run bench")
            folder.mkdir(exist_ok=True)
            target = folder / f"{_name(path)}{path.suffix}"
            shutil.copyfile(path, target)
            with Image.open(target) as image:
                self._imported[path] = Photo(f"{folder.name}-{target.stem}", target, *image.size)
        if new:
            self.admin.run("import", folder, seconds=300)
        return [self._imported[path] for path in paths]

    def wallpapers(self):
        return self.import_photos(WALLPAPERS)

    def clone(self, photo, ids):
        """[Photo]: the same picture under other ids and other keys, without looking at it again."""
        copies = []
        for new in ids:
            target = photo.path.parent / f"{new}{photo.path.suffix}"
            if not target.exists():
                os.link(photo.path, target)
            copies.append(Photo(new, target, photo.width, photo.height))
        columns = self.columns()
        same = ", ".join(columns)
        for at in range(0, len(copies), 500):
            changed = " UNION ALL ".join(
                f"SELECT '{copy.id}' AS new_id, '{copy.path.relative_to(self.photos)}' AS new_key"
                for copy in copies[at:at + 500])
            self.database.primary.sql(
                f"INSERT INTO vitrine.asset (id, object_key, {same}) "
                f"SELECT new_id, new_key, {same} FROM vitrine.asset, ({changed}) AS copies WHERE id = '{photo.id}'",
                seconds=60)
        return copies

    def columns(self):
        """Of a row, without what is its own."""
        rows = self.database.primary.sql("SELECT COLUMN_NAME FROM information_schema.COLUMNS "
                                         "WHERE TABLE_SCHEMA = 'vitrine' AND TABLE_NAME = 'asset'")
        return [name for [name] in rows if name not in ("number", "id", "object_key")]


def _name(path):
    """Of a wallpaper; Plasma's files are called after their size, so the folder is the name."""
    return (path.parents[2].name if PLASMA in path.parents else path.stem).lower()
