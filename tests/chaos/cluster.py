"""Three servers, a load balancer, and all that they depend on; each on a host of its own.

    10.231.0.10             HAProxy
    10.231.0.11 to .13      nginx and Vitrine, with the store on a small file system
    10.231.0.21 to .23      MariaDB: the primary, two replicas
    10.231.0.31 to .33      memcached
    10.231.0.41             S3, behind a proxy that can spoil it (spoiler.py)

The primary is found by its name: the name server is ours, on 10.231.0.1, and so is
this mount namespace's /etc/resolv.conf.
"""

import contextlib
import pathlib
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import network
from haproxy import HAProxy
from mariadb import MariaDB
from memcached import MemcachedServer
from nameserver import NameServer
from nginx import Nginx
from process import Process, port_answers, wait_until
from s3 import S3, install_s3
from vitrine import Vitrine, build_folder, copy_programs, stack_sections, with_settings

BUCKET = "media"
PRIMARY_NAME = "primary.db.test"
STORE_MEGABYTES = 96
DEPENDENCIES = "database,database-write,memcached,s3"

SETTINGS = {
    "server": {"responders": "24", "slow_responders": "16", "drain_s": "2"},
    "http": {"send": "accel"},
    "catalog": {"max_lag_s": "3"},
    # Alone they would fill the file system, and be evicted instead of not fitting.
    "store": {"max_original_bytes": "1G", "max_variant_bytes": "1G", "max_note_bytes": "1G"},
    "render": {"renderers": "2"},
}


class Server:
    """One of the three: Vitrine and nginx on one host.  Its programs are copies, so
    that they can be replaced."""

    def __init__(self, net, folder, name, address, sections):
        self.name = name
        self.address = address
        self.folder = pathlib.Path(folder)
        self.store = self.folder / "store"
        self.store.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={STORE_MEGABYTES}m", "none", self.store], check=True)
        programs = self.folder / "programs"
        programs.mkdir()
        copy_programs(programs)
        self.vitrine = Vitrine(self.folder / "vitrine", sections, store=self.store, build=programs)
        self.nginx = Nginx(self.folder / "nginx", self.vitrine.socket, self.store, address=address, port=80, workers=1)
        net.put(self.vitrine.process, name)
        net.put(self.nginx.process, name)

    def start(self):
        self.vitrine.start()
        self.nginx.start()

    def children(self):
        """Process ids of its responders and renderers."""
        supervisor = self.vitrine.process.pid
        found = pathlib.Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
        return [int(pid) for pid in found]

    def send_to_all(self, signal_number):
        """To the supervisor and its children, which are in its process group."""
        signal_to_group(self.vitrine.process, signal_number)

    def replace_programs(self):
        """By a rename, as a package does."""
        for path in list(self.vitrine.build.iterdir()):
            new = path.with_suffix(".new")
            shutil.copy2(path, new)
            new.rename(path)

    def fill_disk(self):
        with open(self.store / "ballast", "wb", buffering=0) as ballast:
            for size in (1 << 20, 1 << 12):
                with contextlib.suppress(OSError):
                    while ballast.write(bytes(size)):
                        pass

    def free_disk(self):
        (self.store / "ballast").unlink()

    def is_well(self, requires=DEPENDENCIES):
        try:
            with urllib.request.urlopen(f"{self.nginx.url}/health?require={requires}", timeout=3) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False


def signal_to_group(process, number):
    """The group of a stack.Process is its own."""
    subprocess.run(["kill", f"-{int(number)}", "--", f"-{process.pid}"], check=True)


class Origin:
    """S3, and what spoils it, on one host."""

    PORT = 9000

    def __init__(self, net, folder, host, installed):
        self.s3 = S3(folder, installed, (BUCKET,))
        self.address = net.hosts[host]
        self._mode = self.s3.folder / "mode"
        self.spoiler = Process("spoiler", [], self.s3.folder, death_signal=signal.SIGKILL)
        net.put(self.s3.process, host)
        net.put(self.spoiler, host)

    @property
    def endpoint(self):
        return f"http://{self.address}:{self.PORT}"

    def spoil(self, mode):
        new = self._mode.with_suffix(".new")
        new.write_text(mode)
        new.rename(self._mode)

    def start(self):
        self.spoil("none")
        self.s3.start()
        self.spoiler.command = [str(word) for word in (
            sys.executable, pathlib.Path(__file__).with_name("spoiler.py"), self.address, self.PORT, self.s3.port,
            self._mode)]
        self.spoiler.start(lambda: port_answers(self.PORT, self.address))

    def kill(self):
        self.spoiler.kill()
        self.s3.kill()

    def freeze(self):
        self.spoiler.freeze()

    def thaw(self):
        self.spoiler.thaw()


class Cluster:
    def __init__(self, folder, seed):
        self.folder = pathlib.Path(folder).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.network = net = network.Network(self.folder / "network", seed)
        for name, number in (("balancer", 10), ("server1", 11), ("server2", 12), ("server3", 13), ("primary", 21),
                             ("replica1", 22), ("replica2", 23), ("memcached1", 31), ("memcached2", 32),
                             ("memcached3", 33), ("s3", 41)):
            net.add_host(name, f"10.231.0.{number}")
        self.database = MariaDB(self.folder / "mariadb", clients="10.231.0.%",
                                addresses=[net.hosts[name] for name in ("primary", "replica1", "replica2")])
        for server in self.database.servers:
            server.port = 3306      # the same everywhere: a promoted one takes the other's name
        self.memcached = [MemcachedServer(name, self.folder / "memcached", 11211, address=net.hosts[name])
                          for name in ("memcached1", "memcached2", "memcached3")]
        for server in [*self.database.servers, *self.memcached]:
            net.put(server.process, server.name)
        self.origin = Origin(net, self.folder / "s3", "s3", install_s3(build_folder() / "s3"))
        self.names = NameServer(network.OURS, {PRIMARY_NAME: [net.hosts["primary"]]})
        self.sections = self._sections()
        self.servers = [Server(net, self.folder / name, name, net.hosts[name], self.sections)
                        for name in ("server1", "server2", "server3")]
        self.balancer = HAProxy(self.folder / "haproxy", [(server.address, 80) for server in self.servers],
                                address=net.hosts["balancer"], port=80)
        net.put(self.balancer.process, "balancer")
        self.admin = Vitrine(self.folder / "admin", self.sections)

    def _sections(self):
        sections = with_settings(stack_sections(self.database), SETTINGS)
        sections["catalog"]["primary"] = f"{PRIMARY_NAME}:{self.database.primary.port}"
        sections["peers"] = {"servers": ",".join(f"{peer.address}:{peer.port}" for peer in self.memcached)}
        sections["origin.media"] = {"kind": "s3", "endpoint": self.origin.endpoint, "bucket": BUCKET,
                                    "path_style": "yes", "access_key_id": "S3RVER", "secret_access_key": "S3RVER"}
        return sections

    def start(self):
        subprocess.run(["mount", "--bind", self.names.resolv_conf(self.folder), "/etc/resolv.conf"], check=True)
        self.names.__enter__()
        self.database.start()
        for peer in self.memcached:
            peer.start()
        self.origin.start()
        self.admin.run("migrate")

    def start_servers(self):
        for server in self.servers:
            server.start()
        self.balancer.start()
        self.settle()

    def settle(self, seconds=30):
        """Until everything is as it was before the fault, also where no request would notice."""
        def is_well():
            return all(server.is_well() for server in self.servers)
        wait_until(is_well, seconds, "all servers were well", pause=0.2)
        self.database.wait_for_replicas()

    def promote_replica(self):
        """As planned: nothing is written until it has everything.  The old primary does not return."""
        old, new, *others = self.database.servers
        old.sql("SET GLOBAL read_only = ON")
        new.wait_for(old)
        new.sql("STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only = OFF")
        for other in others:
            other.replicate_from(new)
        self.names.addresses[PRIMARY_NAME] = [new.address]
        old.kill()
        self.database.servers = [new, *others]
        self.database.primary, self.database.replicas = new, others

    def import_pictures(self, folder):
        """What it says: an import that changed something, or StackError."""
        return self.admin.run("import", folder, "--again", seconds=60)

    def stop(self):
        """Orderly, for the logs; the kernel would do."""
        for server in self.servers:
            server.nginx.stop()
            server.vitrine.stop(5)
