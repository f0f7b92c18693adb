"""A private MariaDB primary with GTID replicas, on loopback ports, in one folder.

    with MariaDB(folder) as database:               # a primary and two replicas
        database.primary.port, database.replicas[0].port
        database.replicas[1].stop_replication()
        database.wait_for_replicas()

The database `vitrine` exists and is empty: the migrations make its tables.
USER may read and write it and change its schema, and nothing else; replicas
refuse its writes (read_only).  Administration goes over the unix socket, as the
user who runs this program.

start() on a folder that was used before takes its data, and its ports when
they are free, so a demo can be stopped and continued.  A server that is killed
keeps what it committed; a power cut could lose the last second.
"""

import concurrent.futures
import getpass
import json
import os
import pathlib
import shutil
import signal
import subprocess

from process import (Process, StackError, free_port, port_answers, remove_socket_folder, socket_folder,
                     wait_until, wait_until_ready)

NAME = "vitrine"
USER = "vitrine"
PASSWORD = "vitrine-local"
REPLICATION_USER = "replication"
REPLICATION_PASSWORD = "replication-local"

# Debian keeps servers where ordinary users do not look.
_PATH = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/usr/local/sbin"


def _program(name):
    found = shutil.which(name, path=_PATH)
    if found is None:
        raise StackError(f"{name} is not installed (Debian: mariadb-server)")
    return found


def _as_root():
    """MariaDB refuses to run as root unless told so; others need nothing."""
    return ["--user=root"] if os.geteuid() == 0 else []


def stands_still(process):
    """Whether all threads of a process that was told to freeze have stopped."""
    tasks = pathlib.Path(f"/proc/{process.pid}/task").glob("*/stat")
    return all(task.read_text().rsplit(")", 1)[1].split()[0] == "T" for task in tasks)


class MariaDBServer:
    """One mariadbd in `folder`.  Stop, kill, freeze it and start it again: it
    keeps its port and its data.

    options   more arguments for mariadbd, such as ["--ssl-cert=..."]
    address   another one of this machine's, so that two servers can have one port
    """

    def __init__(self, name, folder, server_id=1, port=None, read_only=False, options=(), address="127.0.0.1",
                 outlives_starter=False):
        self.name = name
        self.folder = pathlib.Path(folder).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = self.folder / "data"
        self.server_id = server_id
        self.port = port or free_port()
        self.read_only = read_only
        self.address = address
        self.options = list(options)
        # It has no children, so the kernel may end it at once, even while it is frozen.
        self.process = Process(name, [], self.folder, death_signal=signal.SIGKILL,
                               outlives_starter=outlives_starter)

    @property
    def socket(self):
        """Path of the unix socket, for administration."""
        return socket_folder(self.folder) / "mariadb.sock"

    def install(self):
        """Makes the data directory unless there is one: half a second."""
        if (self.data / "mysql_upgrade_info").exists():
            return
        shutil.rmtree(self.data, ignore_errors=True)
        result = subprocess.run(
            [_program("mariadb-install-db"), "--no-defaults", *_as_root(), f"--datadir={self.data}",
             "--auth-root-authentication-method=socket",
             f"--auth-root-socket-user={getpass.getuser()}",
             "--skip-test-db", "--skip-name-resolve", "--innodb-log-file-size=16M"],
            # A starting server removes every other one's temporary tables from a shared folder.
            env={**os.environ, "TMPDIR": str(self.folder)}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        if result.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise StackError(f"mariadb-install-db failed:\n{result.stdout.decode(errors='replace')}")

    def launch(self):
        """Starts it without waiting; wait_until_ready() is next."""
        self.install()
        self.process.command = [str(argument) for argument in self._command()]
        self.process.start()

    def wait_until_ready(self, seconds=30):
        wait_until_ready(self.process, self._answers, seconds)

    def start(self, seconds=30):
        """Starts it and waits until it answers.  Returns self."""
        self.launch()
        self.wait_until_ready(seconds)
        return self

    def _command(self):
        return [
            _program("mariadbd"), "--no-defaults", *_as_root(),
            f"--datadir={self.data}", f"--tmpdir={self.folder}", f"--socket={self.socket}",
            f"--pid-file={self.folder / 'mariadbd.pid'}",
            f"--bind-address={self.address}", f"--port={self.port}", "--skip-name-resolve",
            "--character-set-server=utf8mb4", "--local-infile=0", "--max-connections=200",
            # Small and quick: tests and demos, not production.
            "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M",
            "--innodb-flush-log-at-trx-commit=2", "--sync-binlog=0", "--performance-schema=OFF",
            # GTIDs let a replica continue by itself after either side was killed.
            f"--server-id={self.server_id}", "--log-bin=binlog", "--log-slave-updates",
            "--relay-log=relay", "--relay-log-recovery=1", "--binlog-format=ROW",
            "--gtid-strict-mode=1", "--slave-net-timeout=5",
            f"--read-only={'ON' if self.read_only else 'OFF'}",
            *self.options,
        ]

    def _answers(self):
        if not port_answers(self.port, self.address):
            return False
        try:
            return self.sql("SELECT 1", seconds=2) == [["1"]]
        except StackError:
            return False

    def sql(self, statements, seconds=10):
        """Runs statements as administrator; returns the rows as lists of strings.

        Name tables in full (vitrine.asset).  Strings are as the client's batch mode
        prints them: tab, newline and backslash are escaped, SQL NULL is "NULL"."""
        command = [_program("mariadb"), "--no-defaults", f"--socket={self.socket}",
                   f"--user={getpass.getuser()}", "--batch", "--skip-column-names",
                   "--default-character-set=utf8mb4"]
        try:
            result = subprocess.run(command, input=statements, capture_output=True, text=True,
                                    timeout=seconds)
        except subprocess.TimeoutExpired:
            raise StackError(f"{self.name} did not answer within {seconds} s: {statements}") from None
        if result.returncode != 0:
            raise StackError(f"{self.name}: {result.stderr.strip()}: {statements}")
        return [line.split("\t") for line in result.stdout.splitlines()]

    def create_database(self, clients="127.0.0.1"):
        """The empty database `vitrine` and its users, who come from there; nothing when they exist."""
        account, replication = f"'{USER}'@'{clients}'", f"'{REPLICATION_USER}'@'{clients}'"
        self.sql(f"""
            CREATE DATABASE IF NOT EXISTS {NAME} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
            CREATE USER IF NOT EXISTS {account} IDENTIFIED BY '{PASSWORD}';
            GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES
                ON {NAME}.* TO {account};
            CREATE USER IF NOT EXISTS {replication} IDENTIFIED BY '{REPLICATION_PASSWORD}';
            GRANT REPLICATION SLAVE ON *.* TO {replication};""")

    def replicate_from(self, primary):
        """Follows that server from where it stands, on a fresh one from the beginning."""
        self.sql(f"""
            STOP SLAVE;
            CHANGE MASTER TO MASTER_HOST='{primary.address}', MASTER_PORT={primary.port},
                MASTER_USER='{REPLICATION_USER}', MASTER_PASSWORD='{REPLICATION_PASSWORD}',
                MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1;
            START SLAVE;""")

    def stop_replication(self):
        """From here on it answers with what it had: an infinitely slow replica."""
        self.sql("STOP SLAVE")

    def start_replication(self):
        self.sql("START SLAVE")

    def wait_for(self, primary, seconds=10):
        """Waits until it has everything that `primary` has written up to now."""
        [[position]] = primary.sql("SELECT @@global.gtid_binlog_pos")
        [[answer]] = self.sql(f"SELECT MASTER_GTID_WAIT('{position}', {seconds})", seconds + 5)
        if answer != "0":
            raise StackError(f"{self.name} did not reach {position} within {seconds} s:\n"
                             + self.process.log_tail())

    def stop(self):
        """An orderly end."""
        self.process.stop(seconds=20)
        remove_socket_folder(self.folder)

    def kill(self):
        """SIGKILL, as when the machine is lost."""
        self.process.kill()
        remove_socket_folder(self.folder)

    def freeze(self):
        """Returns when all its threads have stopped, or one might answer yet."""
        self.process.freeze()
        wait_until(lambda: stands_still(self.process), 5, f"{self.name} stood still")

    def thaw(self):
        self.process.thaw()

    def is_running(self):
        return self.process.is_running()

    def settings(self):
        """What a client needs."""
        return {"host": self.address, "port": self.port, "name": NAME, "user": USER,
                "password": PASSWORD}

    def __enter__(self):
        return self if self.is_running() else self.start()

    def __exit__(self, *_):
        self.stop()


class MariaDB:
    """A primary and its replicas, each in a folder of its own in `folder`.

    addresses   where they listen, the primary's first
    clients     where their users come from, as an account name has it
    """

    def __init__(self, folder, replicas=2, addresses=None, clients="127.0.0.1", outlives_starter=False):
        self.folder = pathlib.Path(folder).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ports_path = self.folder / "ports.json"
        names = ["primary"] + [f"replica{number + 1}" for number in range(replicas)]
        ports = self._remembered_ports()
        addresses = addresses or ["127.0.0.1"] * len(names)
        self._clients = clients
        self.servers = [
            MariaDBServer(name, self.folder / name, server_id=number + 1, port=ports.get(name),
                          read_only=number > 0, address=addresses[number], outlives_starter=outlives_starter)
            for number, name in enumerate(names)]
        self.primary, self.replicas = self.servers[0], self.servers[1:]

    def _remembered_ports(self):
        try:
            return json.loads(self._ports_path.read_text())
        except FileNotFoundError:
            return {}

    def start(self):
        """Starts all and waits until the replicas follow.  Returns self."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def _start(self):
        for server in self.servers:
            if not server.is_running() and port_answers(server.port, server.address):
                server.port = free_port()
        self._ports_path.write_text(json.dumps({server.name: server.port for server in self.servers}))
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(MariaDBServer.install, self.servers))
        # Not in the pool: a server ends with the thread that started it.
        for server in self.servers:
            if not server.is_running():
                server.launch()
        for server in self.servers:
            server.wait_until_ready()
        self.primary.create_database(self._clients)
        for replica in self.replicas:
            replica.replicate_from(self.primary)
        self.wait_for_replicas()

    def wait_for_replicas(self, seconds=10):
        """Waits until every replica has what the primary has written up to now."""
        for replica in self.replicas:
            replica.wait_for(self.primary, seconds)

    def stop(self):
        """Ends the replicas first, so that they do not complain about the primary."""
        for server in reversed(self.servers):
            server.stop()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
