"""Private memcached servers on loopback ports, in one folder.

    with Memcached(folder, count=2) as ring:
        ring.servers                    # "127.0.0.1:40001,127.0.0.1:40002"
        ring.members[0].freeze()

What they hold is gone when they end; that is what memcached is for.
"""

import json
import os
import pathlib
import shutil
import signal
import socket

from mariadb import stands_still
from process import Process, StackError, free_port, port_answers, wait_until


class MemcachedServer:
    """One memcached.  Stop, kill, freeze it and start it again on the same port."""

    def __init__(self, name, folder, port=None, megabytes=64, address="127.0.0.1", outlives_starter=False):
        self.name = name
        self.address = address
        self.port = port or free_port()
        self.megabytes = megabytes
        folder = pathlib.Path(folder).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        self.process = Process(name, [], folder, death_signal=signal.SIGKILL,
                               outlives_starter=outlives_starter)

    def start(self):
        """Starts it and waits until it accepts connections.  Returns self."""
        program = shutil.which("memcached")
        if program is None:
            raise StackError("memcached is not installed (Debian: memcached)")
        command = [program, "-l", self.address, "-p", self.port, "-U", 0, "-m", self.megabytes, "-t", 2]
        if os.geteuid() == 0:
            command += ["-u", "root"]
        self.process.command = [str(argument) for argument in command]
        self.process.start(lambda: port_answers(self.port, self.address))
        return self

    def ask(self, line):
        """Sends one line of the text protocol; returns the answer up to its last line."""
        with socket.create_connection((self.address, self.port), timeout=5) as connection:
            connection.sendall(line.encode() + b"\r\n")
            answer = b""
            while not answer.endswith((b"END\r\n", b"OK\r\n", b"STORED\r\n", b"DELETED\r\n",
                                       b"NOT_FOUND\r\n", b"ERROR\r\n", b"RESET\r\n")):
                received = connection.recv(65536)
                if not received:
                    break
                answer += received
        return answer.decode(errors="replace")

    def forget_everything(self):
        self.ask("flush_all")

    def stop(self):
        self.process.stop()

    def kill(self):
        self.process.kill()

    def freeze(self):
        """Returns when all its threads have stopped, or one might answer yet."""
        self.process.freeze()
        wait_until(lambda: stands_still(self.process), 5, f"{self.name} stood still")

    def thaw(self):
        self.process.thaw()

    def is_running(self):
        return self.process.is_running()

    def __enter__(self):
        return self if self.is_running() else self.start()

    def __exit__(self, *_):
        self.stop()


class Memcached:
    """A ring of `count` servers.  start() takes the ports of an earlier start when
    they are free: the ring's layout depends on them."""

    def __init__(self, folder, count=2, outlives_starter=False):
        self._ports_path = pathlib.Path(folder).absolute() / "ports.json"
        try:
            ports = json.loads(self._ports_path.read_text())
        except FileNotFoundError:
            ports = {}
        names = [f"memcached{number + 1}" for number in range(count)]
        self.members = [MemcachedServer(name, folder, ports.get(name), outlives_starter=outlives_starter)
                        for name in names]

    @property
    def servers(self):
        """As the setting of the same meaning wants it."""
        return ",".join(f"127.0.0.1:{member.port}" for member in self.members)

    def start(self):
        """Returns self."""
        try:
            for member in self.members:
                if member.is_running():
                    continue
                if port_answers(member.port):
                    member.port = free_port()
                member.start()
        except BaseException:
            self.stop()
            raise
        self._ports_path.write_text(json.dumps({member.name: member.port for member in self.members}))
        return self

    def forget_everything(self):
        for member in self.members:
            member.forget_everything()

    def stop(self):
        for member in self.members:
            member.stop()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
