"""nginx in front of Vitrine, on a loopback port, in one folder.

    with Nginx(folder, vitrine_socket="/tmp/x/fastcgi.sock", store="/tmp/x/store") as nginx:
        nginx.url                       # "http://127.0.0.1:40003"

It loads nginx-conf/vitrine.conf exactly as it is; the configuration around it,
written here, is what a user would write.  Nothing of the machine's own nginx
configuration is read.
"""

import contextlib
import getpass
import grp
import os
import pathlib
import shutil
import signal

from process import Process, StackError, free_port, port_answers

CONFIGURATION = pathlib.Path(__file__).resolve().parents[2] / "nginx-conf"

_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"

_TEMPLATE = """\
{user}
daemon off;
worker_processes {workers};
pid {folder}/nginx.master.pid;
error_log stderr {log_level};
events {{
	worker_connections 1024;
}}
http {{
	# nginx wants these folders, and would take the machine's own.
	client_body_temp_path {folder}/temporary/body;
	fastcgi_temp_path {folder}/temporary/fastcgi;
	proxy_temp_path {folder}/temporary/proxy;
	uwsgi_temp_path {folder}/temporary/uwsgi;
	scgi_temp_path {folder}/temporary/scgi;

	access_log {access_log};
	types {{
		text/html html;
		image/svg+xml svg;
	}}
	sendfile on;
	keepalive_timeout 65s;
	server_tokens off;

	server {{
		listen {address}:{port} backlog=1024;
		server_name vitrine.test;

		set $vitrine_socket {socket};
		set $vitrine_store {store};
		include vitrine.conf;

		location / {{
			{root}
		}}
	}}
}}
"""


class Nginx:
    """One nginx.

    vitrine_socket   path of Vitrine's FastCGI socket
    store            [store] root, for X-Accel-Redirect
    root             folder that is served at /, if any
    port             a free one of 127.0.0.1 when None
    """

    def __init__(self, folder, vitrine_socket, store, root=None, port=None, name="nginx", workers=2,
                 access_log="off", log_level="warn", address="127.0.0.1",
                 outlives_starter=False):
        self.folder = pathlib.Path(folder).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.address = address
        self.port = port or free_port()
        self.vitrine_socket = vitrine_socket
        self.store = store
        self.root = root
        self.workers = workers
        self.access_log = access_log
        self.log_level = log_level
        self.process = Process(name, [], self.folder, outlives_starter=outlives_starter)

    @property
    def url(self):
        return f"http://{self.address}:{self.port}"

    def _write_configuration(self):
        for name in ("vitrine.conf", "vitrine-fastcgi.conf"):
            beside = self.folder / name
            beside.unlink(missing_ok=True)
            beside.symlink_to(CONFIGURATION / name)
        (self.folder / "temporary").mkdir(exist_ok=True)
        # Workers keep our user, so that they can read a private store; only root can choose.
        user = f"user {getpass.getuser()} {grp.getgrgid(os.getegid()).gr_name};" if os.geteuid() == 0 else ""
        socket = f"unix:{self.vitrine_socket}"
        (self.folder / "nginx.conf").write_text(_TEMPLATE.format(
            user=user, workers=self.workers, folder=self.folder, log_level=self.log_level,
            access_log=self.access_log, address=self.address, port=self.port, socket=socket,
            store=self.store, root=f"root {self.root};" if self.root else "return 404;"))

    def start(self):
        """Starts it and waits until it accepts connections.  Returns self."""
        program = shutil.which("nginx", path=_PATH)
        if program is None:
            raise StackError("nginx is not installed (Debian: nginx-light)")
        self._end_orphans()
        self._write_configuration()
        # -e: before it has read the file, it would write to /var/log.
        self.process.command = [program, "-e", "stderr", "-p", str(self.folder),
                                "-c", str(self.folder / "nginx.conf")]
        self.process.start(lambda: port_answers(self.port, self.address))
        return self

    def _end_orphans(self):
        """Workers whose master was killed live on, and keep the port.

        They are still in the session that the master led.  Its number is not given
        to another process as long as one of them is there."""
        try:
            session = int(self.process.pid_path.read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return
        if self.process.is_running():
            return
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                name, fields = path.read_text().split("(", 1)[1].rsplit(") ", 1)
                if name == "nginx" and int(fields.split()[3]) == session:
                    os.kill(int(path.parent.name), signal.SIGKILL)

    def stop(self):
        self._end_orphans()
        self.process.stop()

    def kill(self):
        self._end_orphans()
        self.process.kill()

    def is_running(self):
        return self.process.is_running()

    def log_text(self):
        return self.process.log_text()

    def __enter__(self):
        return self if self.is_running() else self.start()

    def __exit__(self, *_):
        self.stop()
