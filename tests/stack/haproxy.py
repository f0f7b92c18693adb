"""HAProxy in front of several web servers, as the load balancer of a cluster.

    with HAProxy(folder, [("10.0.0.11", 80), ("10.0.0.12", 80)], port=8000) as balancer:
        balancer.url

Requests go to the servers in turn; /health of each is asked twice a second, and who
fails twice is left out until it answers again.  A request whose connection is refused goes to
another server; one that was sent is never repeated, so what a server loses is seen.
"""

import os
import pathlib
import shutil

from process import Process, StackError, free_port, port_answers

_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"

_TEMPLATE = """\
global
	log stderr format raw local0 notice
	nbthread 1
defaults
	mode http
	log global
	timeout connect 1s
	timeout client 30s
	timeout server 30s
	timeout check 1s
	timeout queue 1s
	retries 2
	option redispatch 1
frontend pictures
	bind {address}:{port}
	default_backend servers
backend servers
	balance roundrobin
	option httpchk GET /health
	http-check expect status 200
	default-server check inter 500ms fastinter 250ms fall 2 rise 2
{servers}
"""


class HAProxy:
    """servers   [(address, port)] of the web servers"""

    def __init__(self, folder, servers, address="127.0.0.1", port=None):
        self.folder = pathlib.Path(folder).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.servers = servers
        self.address = address
        self.port = port or free_port()
        self.process = Process("haproxy", [], self.folder)

    @property
    def url(self):
        return f"http://{self.address}:{self.port}"

    def start(self):
        """Starts it and waits until it accepts connections.  Returns self."""
        program = shutil.which("haproxy", path=_PATH)
        if program is None:
            raise StackError("haproxy is not installed (Debian: haproxy)")
        servers = "\n".join(f"\tserver server{number + 1} {address}:{port}"
                            for number, (address, port) in enumerate(self.servers))
        configuration = self.folder / "haproxy.cfg"
        configuration.write_text(_TEMPLATE.format(address=self.address, port=self.port, servers=servers))
        self.process.command = [program, "-db", "-f", str(configuration)]
        self.process.start(lambda: port_answers(self.port, self.address))
        return self

    def stop(self):
        self.process.stop()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
