"""The faults, in the order of the table.

    @fault("primary killed", Change.LATE)
    def primary_killed(cluster, hold):
        cluster.database.primary.kill()
        hold()                              # the fault lasts; an asset is replaced meanwhile
        cluster.database.primary.start()    # when this returns, its cause has ended

A fault takes back what it did.
"""

import contextlib
import dataclasses
import enum
import os
import random
import shutil
import signal
import socket
import time
import typing

from cluster import signal_to_group

LASTS = 5
# libfaketime: the calendar's clock only, as where somebody has set it wrong.
CLOCK_AHEAD = {"LD_PRELOAD": "/usr/$LIB/faketime/libfaketime.so.1", "FAKETIME": "+20m", "NO_FAKE_STAT": "1",
               "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}


class Change(enum.Enum):
    """What becomes of an asset that is replaced while the fault lasts."""
    HOLDS = "on every server within two seconds"
    LATE = "wherever rows cannot be asked for, when the fault is over"
    FAILS = "the change is refused"


@dataclasses.dataclass
class Fault:
    name: str
    happens: typing.Callable
    change: Change
    is_short: bool          # also in the short form

ALL = []


def fault(name, change=Change.HOLDS, is_short=False):
    def register(happens):
        ALL.append(Fault(name, happens, change, is_short))
        return happens
    return register


@fault("none")
def nothing(cluster, hold):
    hold()


# ---- processes --------------------------------------------------------------------------

@fault("random children killed, three a second", is_short=True)
def children_killed(cluster, hold):
    chance = random.Random(0)
    for _ in range(LASTS * 3):
        children = chance.choice(cluster.servers).children()
        with contextlib.suppress(ProcessLookupError):
            os.kill(chance.choice(children), signal.SIGKILL)
        hold(1 / 3)


@fault("a supervisor killed")
def supervisor_killed(cluster, hold):
    server = cluster.servers[0]
    server.vitrine.process.send(signal.SIGKILL)
    hold()
    server.vitrine.kill()
    server.vitrine.start()


@fault("a server killed")
def server_killed(cluster, hold):
    server = cluster.servers[0]
    server.nginx.kill()
    server.vitrine.kill()
    hold()
    server.start()


@fault("a server frozen")
def server_frozen(cluster, hold):
    processes = cluster.servers[1].vitrine.process, cluster.servers[1].nginx.process
    for process in processes:
        signal_to_group(process, signal.SIGSTOP)
    hold()
    for process in processes:
        signal_to_group(process, signal.SIGCONT)


@fault("Vitrine frozen behind nginx")
def vitrine_frozen(cluster, hold):
    cluster.servers[1].send_to_all(signal.SIGSTOP)
    hold()
    cluster.servers[1].send_to_all(signal.SIGCONT)


@fault("a server stopped and started, as asked")
def server_restarted(cluster, hold):
    cluster.servers[2].vitrine.stop()
    hold()
    cluster.servers[2].vitrine.start()


@fault("a server's clock 20 minutes ahead")
def clock_ahead(cluster, hold):
    """More than S3 allows a signature."""
    vitrine = cluster.servers[2].vitrine
    environment = vitrine.process.environment
    vitrine.stop()
    vitrine.process.environment = {**environment, **CLOCK_AHEAD}
    vitrine.start()
    hold()
    vitrine.stop()
    vitrine.process.environment = environment
    vitrine.start()


@fault("reloaded, all servers at once, twice")
def reloaded(cluster, hold):
    for _ in range(2):
        for server in cluster.servers:
            server.vitrine.reload()
        hold(LASTS / 2)


@fault("upgraded, all servers one after the other")
def upgraded(cluster, hold):
    for server in cluster.servers:
        server.replace_programs()
        server.vitrine.reload()
        hold(LASTS / 3)


# ---- the network ------------------------------------------------------------------------

# What becomes of a change when the link is cut, and when it is merely bad.
LINKS = {
    "a server": (("server1",), Change.HOLDS, Change.LATE),
    "the databases": (("primary", "replica1", "replica2"), Change.FAILS, Change.LATE),
    "a replica": (("replica1",), Change.HOLDS, Change.HOLDS),
    "memcached": (("memcached1", "memcached2", "memcached3"), Change.HOLDS, Change.HOLDS),
    "S3": (("s3",), Change.FAILS, Change.LATE),
}


def cut_off(hosts):
    def happens(cluster, hold):
        with cluster.network.cut(*hosts):
            hold()
    return happens


def impaired(hosts, **how):
    def happens(cluster, hold):
        with cluster.network.impaired(*hosts, **how):
            hold()
    return happens


for what, (hosts, change, _) in LINKS.items():
    fault(f"{what} cut off", change)(cut_off(hosts))
for what, (hosts, _, change) in LINKS.items():
    fault(f"300 ms delay to {what}", change)(impaired(hosts, delay_ms=300))
for what, (hosts, _, change) in LINKS.items():
    fault(f"20 % loss to {what}", change)(impaired(hosts, loss=0.2))
fault("databases, memcached and S3 cut off", Change.FAILS, is_short=True)(
    cut_off(LINKS["the databases"][0] + LINKS["memcached"][0] + LINKS["S3"][0]))


# ---- the database -----------------------------------------------------------------------

def killed(find):
    def happens(cluster, hold):
        for server in find(cluster):
            server.kill()
        hold()
        for server in find(cluster):
            server.start()
    return happens


def frozen(find):
    def happens(cluster, hold):
        for server in find(cluster):
            server.freeze()
        hold()
        for server in find(cluster):
            server.thaw()
    return happens


PARTS = {
    "the primary": (lambda cluster: [cluster.database.primary], Change.FAILS),
    "a replica": (lambda cluster: cluster.database.replicas[:1], Change.HOLDS),
    "all databases": (lambda cluster: cluster.database.servers, Change.FAILS),
    "a memcached": (lambda cluster: cluster.memcached[:1], Change.HOLDS),
    "every memcached": (lambda cluster: cluster.memcached, Change.HOLDS),
    "S3": (lambda cluster: [cluster.origin], Change.FAILS),
}
for what, (find, change) in PARTS.items():
    fault(f"{what} killed", change)(killed(find))
    fault(f"{what} frozen", change)(frozen(find))


@fault("a replica lags", Change.HOLDS)
def replica_lags(cluster, hold):
    cluster.database.replicas[0].stop_replication()
    hold()
    cluster.database.replicas[0].start_replication()


# ---- memcached --------------------------------------------------------------------------

@fault("every memcached emptied, five times a second")
def memcached_emptied(cluster, hold):
    for _ in range(LASTS * 5):
        for peer in cluster.memcached:
            peer.forget_everything()
        hold(0.2)


@fault("memcached returns garbage under our keys", is_short=True)
def memcached_lies(cluster, hold):
    """Random bytes, half a value, and what belongs to another key."""
    chance = random.Random(0)
    for _ in range(LASTS * 2):
        for peer in cluster.memcached:
            spoil_values(peer, chance)
        hold(0.5)
    for peer in cluster.memcached:
        peer.forget_everything()


def spoil_values(peer, chance):
    with socket.create_connection((peer.address, peer.port), timeout=5) as connection, connection.makefile("rwb") as talk:
        entries = []
        for key in keys_of(talk):
            talk.write(b"get %s\r\n" % key)
            talk.flush()
            head = talk.readline().split()
            if head[0] == b"VALUE":
                entries.append((key, head[2], talk.read(int(head[3]))))
                talk.readline(), talk.readline()
        values = [value for _, _, value in entries]
        for key, flags, value in entries:
            lie = chance.choice((chance.randbytes(len(value)), value[:len(value) // 2], chance.choice(values)))
            talk.write(b"set %s %s 60 %d\r\n%s\r\n" % (key, flags, len(lie), lie))
            talk.flush()
            talk.readline()


def keys_of(talk):
    """memcached's doc/protocol.txt, "LRU_Crawler"."""
    talk.write(b"lru_crawler metadump all\r\n")
    talk.flush()
    keys = []
    while (line := talk.readline()).startswith(b"key="):
        keys.append(line.split()[0].removeprefix(b"key="))
    return keys


# ---- S3 ---------------------------------------------------------------------------------

def spoiled(mode):
    def happens(cluster, hold):
        cluster.origin.spoil(mode)
        hold()
        cluster.origin.spoil("none")
    return happens


for mode, what in {"unavailable": "answers 503", "slow": "sends 5 kB/s", "truncated": "closes in the middle",
                   "reset": "resets in the middle", "flipped": "sends a wrong bit",
                   "nonsense": "does not speak HTTP"}.items():
    fault(f"S3 {what}", Change.LATE)(spoiled(mode))


# ---- the disk ---------------------------------------------------------------------------

def disk_full(find):
    def happens(cluster, hold):
        for server in find(cluster):
            server.fill_disk()
        hold()
        for server in find(cluster):
            server.free_disk()
    return happens


fault("a disk full")(disk_full(lambda cluster: cluster.servers[:1]))
fault("every disk full")(disk_full(lambda cluster: cluster.servers))


def files_of(server):
    return [path for part in ("originals", "variants", "notes") for path in (server.store / part).rglob("*")
            if path.is_file()]


@fault("a server killed, all its files damaged or cut", is_short=True)
def files_damaged(cluster, hold):
    server = cluster.servers[1]
    server.nginx.kill()
    server.vitrine.kill()
    hold(LASTS / 5)
    damage_all(server, random.Random(0))
    server.start()
    hold()


@fault("the files of all servers damaged or cut while they are read")
def files_damaged_in_use(cluster, hold):
    chance = random.Random(0)
    for _ in range(LASTS):
        for server in cluster.servers:
            damage_all(server, chance)
        hold(1)


def damage_all(server, chance):
    for path in files_of(server):
        with contextlib.suppress(OSError):
            damage(path, chance)


def damage(path, chance):
    size = path.stat().st_size
    if size == 0 or chance.random() < 0.3:
        os.truncate(path, size // 2)
    else:
        with open(path, "r+b") as file:
            file.seek(chance.randrange(size))
            file.write(chance.randbytes(1))


@fault("the stores removed, twice a second")
def stores_removed(cluster, hold):
    for _ in range(LASTS * 2):
        for server in cluster.servers:
            for part in list(server.store.iterdir()):
                shutil.rmtree(part, ignore_errors=True)
                with contextlib.suppress(OSError):
                    part.unlink()
        hold(0.5)


@fault("every file a day from the future")
def files_from_the_future(cluster, hold):
    tomorrow = time.time() + 86400
    for server in cluster.servers:
        for path in files_of(server):
            with contextlib.suppress(OSError):
                os.utime(path, (tomorrow, tomorrow))
    hold()


# ---- last: the roles stay exchanged -----------------------------------------------------

@fault("a replica promoted, the primary killed")
def replica_promoted(cluster, hold):
    cluster.promote_replica()
    hold()
