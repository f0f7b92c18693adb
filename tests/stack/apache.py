"""Apache in front of Vitrine, on a loopback port, in one folder; both ways.

    with Apache(folder, vitrine_socket="/tmp/x/fastcgi.sock") as apache:    # mod_proxy_fcgi
    with Apache(folder, program="/tmp/x/vitrine.fcgi", config="/tmp/x/vitrine.ini") as apache:  # mod_fcgid
        apache.url                      # "http://127.0.0.1:40004"

It loads apache-conf/vitrine-*.conf exactly as they are; the configuration around
them, written here, is what a user would write.  Nothing of the machine's own
Apache configuration is read.

Started by root, Apache serves requests as another user (WEB_USER), who must be
able to reach the socket, or the program, its configuration and its store:
folder_for_web_user() makes a place for them.
"""

import os
import pathlib
import pwd
import shutil
import tempfile

from process import Process, StackError, free_port, port_answers

CONFIGURATION = pathlib.Path(__file__).resolve().parents[2] / "apache-conf"
MODULES = pathlib.Path("/usr/lib/apache2/modules")
WEB_USER = "www-data"

_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"

_COMMON = """\
ServerRoot {folder}
ServerName vitrine.test
{user}
PidFile {folder}/apache.master.pid
DefaultRuntimeDir {folder}
Mutex sem default
ErrorLog {folder}/error.log
LogLevel warn
StartServers 1
ServerLimit 2
ThreadsPerChild 32
ThreadLimit 32
MaxRequestWorkers 64
GracefulShutdownTimeout 5
Timeout 40
Listen 127.0.0.1:{port}
{modules}
DocumentRoot {folder}/documents
"""

_PROXY = """\
<VirtualHost *:{port}>
	Define VITRINE_SOCKET {vitrine_socket}
	{store}
	Include {configuration}/vitrine-proxy-fcgi.conf
</VirtualHost>
"""

_FCGID = """\
FcgidIPCDir {folder}/fcgid
FcgidProcessTableFile {folder}/fcgid/processes
<VirtualHost *:{port}>
	Define VITRINE_PROGRAM {program}
	Define VITRINE_CONFIG {config}
	{store}
	Include {configuration}/vitrine-fcgid.conf
</VirtualHost>
"""


def folder_for_web_user():
    """A new private folder that Apache's processes can use.  The caller removes it.

    It is in /tmp because the folders above it must be open to that user, and
    because paths of sockets are short."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="vitrine-", dir="/tmp"))
    give_to_web_user(folder)
    return folder


def give_to_web_user(path):
    if os.geteuid() == 0:
        user = pwd.getpwnam(WEB_USER)
        os.chown(path, user.pw_uid, user.pw_gid)


class Apache:
    """One Apache.

    vitrine_socket    mod_proxy_fcgi: path of Vitrine's FastCGI socket
    program, config   mod_fcgid: path of vitrine.fcgi and of its configuration
    store             [store] root, with `send = sendfile`; needs mod_xsendfile
    port              on 127.0.0.1; a free one when None
    """

    def __init__(self, folder, vitrine_socket=None, program=None, config=None, store=None, port=None,
                 name="apache", outlives_starter=False):
        if (vitrine_socket is None) == (program is None):
            raise ValueError("either vitrine_socket, or program and config")
        self.folder = pathlib.Path(folder).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.vitrine_socket = vitrine_socket
        self.program = program
        self.config = config
        self.store = store
        self.process = Process(name, [], self.folder, outlives_starter=outlives_starter)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def configuration_path(self):
        return self.folder / "apache.conf"

    @staticmethod
    def has_xsendfile():
        return (MODULES / "mod_xsendfile.so").exists()

    def _write_configuration(self):
        modules = ["mpm_event", "authz_core", "authz_host", "env"]
        modules += ["proxy", "proxy_fcgi"] if self.vitrine_socket else ["fcgid"]
        modules += ["xsendfile"] if self.store else []
        for module in modules:
            if not (MODULES / f"mod_{module}.so").exists():
                raise StackError(f"Apache's mod_{module} is not installed "
                                 "(Debian: apache2-bin, libapache2-mod-fcgid, libapache2-mod-xsendfile)")
        (self.folder / "documents").mkdir(exist_ok=True)
        if self.program:
            # Its process manager runs as the other user and makes sockets there.
            (self.folder / "fcgid").mkdir(exist_ok=True)
            give_to_web_user(self.folder / "fcgid")
        self.configuration_path.write_text((_COMMON + (_PROXY if self.vitrine_socket else _FCGID)).format(
            folder=self.folder, port=self.port, configuration=CONFIGURATION,
            user=f"User {WEB_USER}\nGroup {WEB_USER}" if os.geteuid() == 0 else "",
            modules="\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in modules),
            vitrine_socket=self.vitrine_socket, program=self.program, config=self.config,
            store=f"Define VITRINE_STORE {self.store}" if self.store else ""))

    def start(self):
        """Starts it and waits until it accepts connections.  Returns self."""
        program = shutil.which("apache2", path=_PATH)
        if program is None:
            raise StackError("Apache is not installed (Debian: apache2-bin)")
        self._write_configuration()
        self.process.command = [program, "-d", str(self.folder), "-f", str(self.configuration_path),
                                "-D", "FOREGROUND"]
        self.process.start(lambda: port_answers(self.port))
        return self

    def stop(self):
        self.process.stop(seconds=15)

    def kill(self):
        self.process.kill()

    def is_running(self):
        return self.process.is_running()

    def log_text(self):
        """What Apache wrote, and with mod_fcgid also what Vitrine wrote."""
        error_log = self.folder / "error.log"
        return self.process.log_text() + (error_log.read_text(errors="replace") if error_log.exists() else "")

    def __enter__(self):
        return self if self.is_running() else self.start()

    def __exit__(self, *_):
        self.stop()
