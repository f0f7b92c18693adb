"""Catalogs in processes of their own, on a real primary with two replicas: fixtures and helpers
of test_11_catalog.py and test_14_catalog_faults.py."""

import hashlib
import itertools

import pytest

from probe import TESTS, Probe
from mariadb import PASSWORD, MariaDB
from memcached import Memcached

SQL = TESTS.parent / "sql"
# As in probe_catalog.c.
CONNECT_TIMEOUT_MS = QUERY_TIMEOUT_MS = 400
RETRY_AFTER_S = 1.2     # with its jitter
NO_WAIT_MS = 150        # on a busy machine

ids = (f"asset-{number}" for number in itertools.count(1))


@pytest.fixture(scope="module")
def started_database(tmp_path_factory):
    with MariaDB(tmp_path_factory.mktemp("mariadb")) as database:
        with Probe("probe_catalog", f"password={PASSWORD}",
                   f"primary=127.0.0.1:{database.primary.port}") as probe:
            assert probe.ask(f"migrate {SQL}") == "applied 0001-asset.sql 0002-portrait.sql 0003-heartbeat.sql "
        database.wait_for_replicas()
        yield database


def heal(database):
    for server in database.servers:
        if server.is_running():
            server.thaw()
        else:
            server.start()
    database.primary.sql("SET GLOBAL read_only = 0")
    for replica in database.replicas:
        replica.start_replication()
    database.wait_for_replicas()


@pytest.fixture
def database(started_database):
    """All three run and agree, before and after."""
    yield started_database
    heal(started_database)


@pytest.fixture(scope="module")
def started_ring(tmp_path_factory):
    with Memcached(tmp_path_factory.mktemp("memcached"), count=2) as ring:
        yield ring


@pytest.fixture
def ring(started_ring):
    yield started_ring
    for member in started_ring.members:
        if not member.is_running():
            member.start()
    started_ring.forget_everything()


@pytest.fixture
def connect(database):
    """connect(option=value, ...): a process with a catalog of its own."""
    probes = []

    def open_probe(ring=None, replicas=None, **options):
        replicas = database.replicas if replicas is None else replicas
        arguments = [f"{name}={value}" for name, value in {"password": PASSWORD, **options}.items()]
        arguments += [f"replica=127.0.0.1:{replica.port}" for replica in replicas]
        arguments += [f"primary=127.0.0.1:{database.primary.port}"]
        arguments += [f"peers={ring.servers}"] if ring else []
        probes.append(Probe("probe_catalog", *arguments))
        return probes[-1]

    yield open_probe
    codes = [probe.close() for probe in probes]
    assert codes == [0] * len(codes)


class Answer:
    """"found replica 1.2 VERSION WIDTH ..." or "not-found - 0.3 DETAIL", taken apart."""

    def __init__(self, line):
        self.word, self.tier, milliseconds, rest = (line + " ").split(" ", 3)
        self.milliseconds = float(milliseconds)
        self.detail = rest.strip()
        if self.word == "found":
            self.version, self.width = (int(number) for number in rest.split(" ")[:2])


def ask(probe, line):
    return Answer(probe.ask(line))


def hashed(text):
    """As key_of() does it."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def insert(probe, width=100):
    """A new asset's id."""
    name = next(ids)
    assert ask(probe, f"insert {name} media {width} path/{name}.jpg").word == "found"
    return name
