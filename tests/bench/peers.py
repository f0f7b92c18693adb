"""What people would use instead, each as its own documents say, serving the photos of the bed.

    with Ipx(folder, photos_root) as ipx:
        ipx.url + ipx.path(photo, width, "webp")
        ipx.servers                                     # Processes, for Cpu and Memory

ipx comes from npm with exactly the versions of ipx/package-lock.json, the others are Debian's packages.
"""

import os
import pathlib
import shutil
import signal
import socket
import subprocess

from process import Process, StackError, free_port, port_answers, remove_socket_folder, socket_folder

HERE = pathlib.Path(__file__).resolve().parent
QUALITY = 80
IIPSRV = "/usr/lib/iipimage-server/iipsrv.fcgi"
_PATH = os.environ.get("PATH", "") + ":/usr/sbin"


class _Peer:
    """servers: the Processes in the order in which they start."""

    def __init__(self, folder, root):
        self.folder = pathlib.Path(folder).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.root = pathlib.Path(root)
        self.port = free_port()
        self.servers = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self):
        for server in reversed(self.servers):
            server.stop()

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()


# ---- ipx -------------------------------------------------------------------------------------

def install_ipx(target):
    """npm's part, unless it is there.  Returns the folder."""
    target.mkdir(parents=True, exist_ok=True)
    lock = "package-lock.json"
    is_there = (target / "node_modules" / ".package-lock.json").exists() and (target / lock).exists() and \
        (target / lock).read_bytes() == (HERE / "ipx" / lock).read_bytes()
    if not is_there:
        shutil.copytree(HERE / "ipx", target, dirs_exist_ok=True)
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
                              cwd=target, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=300)
        if done.returncode != 0:
            (target / lock).unlink()        # so that the next run tries again
            raise StackError(f"cannot install ipx:\n{done.stdout}")
    return target


class Ipx(_Peer):
    """`ipx serve`, as its manual starts it: one process of node, sharp with its own threads."""

    def __init__(self, folder, root, installed):
        super().__init__(folder, root)
        program = installed / "node_modules" / "ipx" / "bin" / "ipx.mjs"
        self.servers = [Process("ipx", ["node", program, "serve", "--dir", self.root, "--host", "127.0.0.1",
                                        "--port", self.port], self.folder,
                                environment={"NODE_ENV": "production"}, death_signal=signal.SIGKILL)]

    def start(self):
        self.servers[0].start(lambda: port_answers(self.port), seconds=30)
        return self

    def path(self, photo, width, extension):
        kind = {"jpg": "jpeg"}.get(extension, extension)
        return f"/w_{width},f_{kind},q_{QUALITY}/{photo.path.relative_to(self.root)}"


# ---- behind an nginx of their own -------------------------------------------------------------------

_NGINX = """\
{modules}
{user}
daemon off;
worker_processes 2;
pid {folder}/nginx.master.pid;
error_log stderr warn;
events {{
	worker_connections 1024;
}}
http {{
	client_body_temp_path {folder}/temporary/body;
	fastcgi_temp_path {folder}/temporary/fastcgi;
	proxy_temp_path {folder}/temporary/proxy;
	uwsgi_temp_path {folder}/temporary/uwsgi;
	scgi_temp_path {folder}/temporary/scgi;
	access_log off;
	sendfile on;

	server {{
		listen 127.0.0.1:{port};
		{location}
	}}
}}
"""


class _BehindNginx(_Peer):
    modules = ""

    def _start_nginx(self, location):
        (self.folder / "temporary").mkdir(exist_ok=True)
        configuration = self.folder / "nginx.conf"
        configuration.write_text(_NGINX.format(
            modules=self.modules, user="user root root;" if os.geteuid() == 0 else "", folder=self.folder,
            port=self.port, location=location))
        program = shutil.which("nginx", path=_PATH)
        nginx = Process("nginx", [program, "-e", "stderr", "-p", self.folder, "-c", configuration], self.folder)
        self.servers.append(nginx)
        nginx.start(lambda: port_answers(self.port))
        return self


class ImageFilter(_BehindNginx):
    """nginx scales with libgd.  The format stays the original's."""

    modules = "load_module /usr/lib/nginx/modules/ngx_http_image_filter_module.so;"

    def start(self):
        return self._start_nginx(f"""location ~ ^/(?<width>[0-9]+)/(?<name>.+)$ {{
			alias {self.root}/$name;
			image_filter resize $width -;
			image_filter_jpeg_quality {QUALITY};
			image_filter_interlace on;
			image_filter_buffer 64M;
		}}""")

    def path(self, photo, width, extension):
        return f"/{width}/{photo.path.relative_to(self.root)}"


class Iipsrv(_BehindNginx):
    """iipsrv, two processes, one for each core.  It reads tiled pyramids only, which pyramid() makes."""

    def start(self):
        path = socket_folder(self.folder) / "iipsrv.sock"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen(64)
            for number in range(2):
                server = Process(f"iipsrv{number}", [IIPSRV], self.folder, environment={
                    "LOGFILE": self.folder / "iipsrv.txt", "VERBOSITY": 0, "JPEG_QUALITY": QUALITY,
                    "FILESYSTEM_PREFIX": f"{self.folder}/", "MAX_CVT": 5000})
                self.servers.append(server)
                server.start(stdin=listener)
        return self._start_nginx(f"""location /iip {{
			fastcgi_pass unix:{path};
			fastcgi_param QUERY_STRING $query_string;
			fastcgi_param REQUEST_METHOD $request_method;
		}}""")

    def stop(self):
        super().stop()
        remove_socket_folder(self.folder)

    def pyramid(self, photo):
        """As its manual makes them."""
        subprocess.run(["vips", "tiffsave", photo.path, self.folder / f"{photo.id}.tif", "--tile", "--pyramid",
                        "--compression=jpeg", "--Q=90", "--tile-width=256", "--tile-height=256"],
                       check=True, capture_output=True, timeout=120)

    def path(self, photo, width, extension):
        return f"/iip?FIF={photo.id}.tif&WID={width}&CVT=jpeg"
