"""Hosts on a network of their own, which is lost with the program that made it.

    enter()                                 # once, first: this program starts anew within
    network = Network()
    network.add_host("s3", "10.231.0.41")   # a namespace with that address
    network.put(process, "s3")              # a stack.Process that will run there
    with network.cut("s3"): ...             # no link: what is sent vanishes
    with network.impaired("s3", delay_ms=300, loss=0.2): ...

enter() runs the program again in mount, network and process namespaces of its own.
When it ends, however it ends, the kernel kills everything that it has started
and takes the hosts, their links and what was mounted away with it.  Nothing here can reach
the machine's own network, and the addresses exist nowhere else.

Delay and loss are made by wire.py and not by tc-netem, which many kernels lack: so they
are the same, and of the same random numbers, everywhere.  Takes root.
"""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys

from process import Process, wait_until

OURS = "10.231.0.1"
_ENTERED = "VITRINE_CHAOS_ENTERED"


def _run(*command):
    subprocess.run([str(word) for word in command], check=True, stdin=subprocess.DEVNULL, timeout=10)


def enter():
    """Returns in the namespaces only; before, it becomes the program that makes them."""
    if os.environ.get(_ENTERED) is None:
        os.environ[_ENTERED] = "yes"
        # --kill-child: and nothing outlives a SIGKILL of what is seen from outside.
        os.execvp("unshare", ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
                              sys.executable, *sys.argv])
    _be_init()
    for folder in ("/run", "/dev/shm"):
        _run("mount", "-t", "tmpfs", "none", folder)
    pathlib.Path("/run/netns").mkdir()
    _run("ip", "link", "set", "lo", "up")
    _run("ip", "link", "add", "hub", "type", "bridge")
    _run("ip", "address", "add", f"{OURS}/24", "dev", "hub")
    _run("ip", "link", "set", "hub", "up")


def _be_init():
    """Process 1 inherits orphans and must bury them; everything else happens in a child,
    with whose end all ends."""
    child = os.fork()
    if child == 0:
        return
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: os.kill(child, number))
    while True:
        pid, status = os.wait()
        if pid == child:
            os._exit(os.waitstatus_to_exitcode(status) & 0xff)


def interfaces():
    return [name for _, name in socket.if_nameindex()]


class Network:
    def __init__(self, folder, seed=0):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.seed = seed
        self.hosts = {}

    def add_host(self, name, address):
        _run("ip", "netns", "add", name)
        _run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        _run("ip", "link", "set", name, "master", "hub", "up")
        _run("ip", "-n", name, "address", "add", f"{address}/24", "dev", "eth0")
        _run("ip", "-n", name, "link", "set", "eth0", "up")
        _run("ip", "-n", name, "link", "set", "lo", "up")
        self.hosts[name] = address

    @staticmethod
    def put(process, name):
        process.within = ["nsenter", f"--net=/run/netns/{name}"]

    @contextlib.contextmanager
    def cut(self, *names):
        for name in names:
            _run("ip", "link", "set", name, "down")
        try:
            yield
        finally:
            for name in names:
                _run("ip", "link", "set", name, "up")

    @contextlib.contextmanager
    def impaired(self, *names, delay_ms=0, loss=0.0):
        """Half of the delay in each direction, the loss in both."""
        with contextlib.ExitStack() as wires:
            for name in names:
                wires.enter_context(self._wire(name, delay_ms / 2, loss))
            yield

    @contextlib.contextmanager
    def _wire(self, name, delay_ms, loss):
        """The host's link ends in a small bridge of its own; the wire leads on to the hub."""
        near, far, bridge = f"{name}-a", f"{name}-b", f"{name}-w"
        wire = Process(f"wire-{name}", [sys.executable, pathlib.Path(__file__).with_name("wire.py"), near, far,
                                        delay_ms, loss, self.seed], self.folder, death_signal=signal.SIGKILL)
        wire.start(lambda: "ready" in wire.log_text())
        _run("ip", "link", "add", bridge, "type", "bridge")
        _run("ip", "link", "set", bridge, "up")
        _run("ip", "link", "set", near, "master", bridge, "up")
        _run("ip", "link", "set", far, "master", "hub", "up")
        _run("ip", "link", "set", name, "master", bridge)
        try:
            yield
        finally:
            _run("ip", "link", "set", name, "master", "hub")
            _run("ip", "link", "delete", bridge)
            wire.kill()
            wire.log_path.unlink()
            wait_until(lambda: far not in interfaces(), 5, "the wire was gone")
