"""What integration tests share.  Everything starts when the first test asks for it.

    services        MariaDB with two replicas, two memcached, S3: for the whole run
    assets          {id: Asset}: small pictures that were imported there
    nginx_accel, nginx_body, apache_proxy, apache_fcgid
                    a web.Site each: Vitrine behind that web server, with a store of its own;
    site            the same test with each of these five
    new_site        new_site(http={"max_age_s": 5}): Vitrine behind nginx with other settings,
                    for one test

A test that stops or freezes a server brings it back before it ends.
"""

import dataclasses
import time

import pytest
from PIL import Image

import pictures
import probe  # noqa: F401  (makes tests/stack importable)
import web
from mariadb import MariaDB
from memcached import Memcached
from s3 import S3, install_s3
from vitrine import Vitrine, build_folder, stack_sections, with_settings


@dataclasses.dataclass
class Services:
    database: MariaDB
    ring: Memcached
    s3: S3
    sections: dict          # of a configuration that uses them
    admin: Vitrine          # admin.run("purge", "photo"); its vitrine.fcgi is never started

    @staticmethod
    def settle():
        """Until no server believes what it was told before: the default of row_lifetime_ms."""
        time.sleep(1.05)


@dataclasses.dataclass
class Asset:
    """id, the original's bytes, and its size when it stands upright."""
    id: str
    original: bytes
    width: int
    height: int


@pytest.fixture(scope="session")
def services(tmp_path_factory):
    folder = tmp_path_factory.mktemp("services")
    installed = install_s3(build_folder() / "s3")
    with MariaDB(folder / "mariadb") as database, Memcached(folder / "memcached") as ring, \
            S3(folder / "s3", installed) as s3:
        # Unless a test wants otherwise, a site looks at once what a row says now, and works
        # alone: the ring is the same for all.
        sections = with_settings(stack_sections(database, ring, s3),
                                 {"server": {"row_lifetime_ms": "0", "share_bytes": "0",
                                             "responders": "16", "slow_responders": "12"}})
        admin = Vitrine(folder / "admin", sections)
        admin.run("migrate")
        yield Services(database, ring, s3, sections, admin)


def _save_pictures(folder):
    """{file name: size when upright}"""
    folder.mkdir()
    upright = pictures.quadrants(120, 160)
    pictures.photo(1200, 800).save(folder / "photo.jpg", quality=90)
    pictures.lain_down(upright, 6).save(folder / "rotated.jpg", quality=95, exif=pictures.exif_orientation(6))
    badge = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    badge.paste((200, 40, 30, 255), (50, 50, 150, 150))
    badge.save(folder / "badge.png")
    frames = [Image.new("RGB", (64, 48), colour) for colour in (pictures.RED, pictures.GREEN, pictures.BLUE)]
    frames[0].save(folder / "frames.gif", save_all=True, append_images=frames[1:], duration=50, loop=0)
    pictures.quadrants(640, 480).save(folder / "quadrants.webp", lossless=True)
    return {"photo.jpg": (1200, 800), "rotated.jpg": (120, 160), "badge.png": (200, 200),
            "frames.gif": (64, 48), "quadrants.webp": (640, 480)}


@pytest.fixture(scope="session")
def assets(services, tmp_path_factory):
    folder = tmp_path_factory.mktemp("assets") / "pictures"
    sizes = _save_pictures(folder)
    services.admin.run("import", folder)
    services.database.wait_for_replicas()
    return {name.split(".")[0]: Asset(name.split(".")[0], (folder / name).read_bytes(), *size)
            for name, size in sizes.items()}


@pytest.fixture(scope="session")
def nginx_accel(services, assets, tmp_path_factory):
    with web.nginx_site(tmp_path_factory.mktemp("accel"), services.sections, "accel") as site:
        yield site


@pytest.fixture(scope="session")
def nginx_body(services, assets, tmp_path_factory):
    with web.nginx_site(tmp_path_factory.mktemp("body"), services.sections, "body") as site:
        yield site


@pytest.fixture(scope="session")
def apache_proxy(services, assets):
    with web.apache_proxy_site(services.sections) as site:
        yield site


@pytest.fixture(scope="session")
def apache_fcgid(services, assets):
    with web.apache_fcgid_site(services.sections) as site:
        yield site


@pytest.fixture(params=["nginx_accel", "nginx_body", "apache_proxy", "apache_fcgid"])
def site(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def new_site(services, assets, tmp_path):
    sites = []

    def make(send="accel", **changes):
        site = web.nginx_site(tmp_path / f"site{len(sites)}", with_settings(services.sections, changes), send)
        sites.append(site)
        return site

    yield make
    for site in reversed(sites):
        site.stop()
