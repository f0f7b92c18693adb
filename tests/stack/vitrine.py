"""Vitrine itself: its configuration, its FastCGI program, its admin program.

    sections = stack_sections(database, ring, s3)       # {"catalog": {"primary": ...}, ...}
    with Vitrine(folder, sections) as vitrine:          # runs vitrine.fcgi --config=...
        vitrine.socket                                  # for Nginx or Apache
        vitrine.run("import", "/some/photos")           # runs vitrine --config=... import ...
        vitrine.requests()                              # the access log, as dictionaries

The programs are those in $VITRINE_BUILD, relative to the top of the repository
(default: build).  Settings come from the file only: VITRINE_* variables of the
environment are not passed on.
"""

import os
import pathlib
import shlex
import shutil
import signal
import socket
import subprocess

from process import Process, StackError, remove_socket_folder, socket_folder

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ("vitrine.fcgi", "vitrine-renderer")

# What every local configuration has; tests sign with this key.
KEY_ID = "local"
PRESETS = {
    "thumb": "w=160,h=160,fit=cover",
    "card": "w=400,h=300,fit=cover",
    "banner": "w=1280,h=400,fit=cover",
    "framed": "w=300,h=300,fit=pad,bg=2b2f36",
}


def build_folder():
    return TOP / os.environ.get("VITRINE_BUILD", "build")


def stack_sections(database=None, ring=None, s3=None, bucket="media", key="a-key-that-is-only-used-here"):
    """The settings for what the stack consists of: MariaDB, Memcached, S3 objects or None."""
    sections = {"policy": {"unsigned": "any"}, "presets": dict(PRESETS), "keys": {KEY_ID: key}}
    if database is not None:
        settings = database.primary.settings()
        sections["catalog"] = {
            "primary": f"{settings['host']}:{settings['port']}",
            "replicas": " ".join(f"{replica.settings()['host']}:{replica.port}" for replica in database.replicas),
            "database": settings["name"], "user": settings["user"], "password": settings["password"]}
    if ring is not None:
        sections["peers"] = {"servers": ring.servers, "secret": "a-secret-that-is-only-used-here"}
    if s3 is not None:
        sections["origin.media"] = {
            "kind": "s3", "endpoint": s3.endpoint, "bucket": bucket, "path_style": "yes",
            "access_key_id": "S3RVER", "secret_access_key": "S3RVER"}
    return sections


def with_settings(sections, changes):
    """A copy of sections, with {section: {name: value}} laid over it; None removes."""
    merged = {name: dict(settings) for name, settings in sections.items()}
    for name, settings in changes.items():
        merged.setdefault(name, {}).update(settings)
    return {name: {key: value for key, value in settings.items() if value is not None}
            for name, settings in merged.items()}


def write_configuration(path, sections):
    """An INI file that only we can read: it holds passwords."""
    path = pathlib.Path(path)
    text = "".join(f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items()) + "\n"
                   for name, settings in sections.items())
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    new.rename(path)


def copy_programs(folder):
    """The FastCGI program and its renderer, for a user who cannot reach the build folder.
    Returns the path of vitrine.fcgi."""
    for name in PROGRAMS:
        shutil.copy2(build_folder() / name, pathlib.Path(folder) / name)
    return pathlib.Path(folder) / PROGRAMS[0]


def _accepts(path):
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
            return True
        except OSError:
            return False


def parse_logfmt(line):
    """{"id": "...", "status": "200", ...} of one line: name=value, name="a value"."""
    try:
        return dict(word.split("=", 1) for word in shlex.split(line, posix=True) if "=" in word)
    except ValueError:
        return {}


class Vitrine:
    """One vitrine.fcgi, as a service manager would run it.

    sections   {section: {name: value}}; listen, store and renderer are added here
    store      the store's folder; folder/store when None
    build      where the programs are; the build folder when None

    Change `sections` and reload() or start() to change settings.
    """

    def __init__(self, folder, sections, name="vitrine", store=None, build=None, outlives_starter=False):
        self.folder = pathlib.Path(folder).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.build = pathlib.Path(build or build_folder())
        self.store = pathlib.Path(store or self.folder / "store").absolute()
        self.config = self.folder / f"{name}.ini"
        self.sections = sections
        # The supervisor ends its children, and they end when it is killed.
        self.process = Process(name, [], self.folder, environment=self._environment(),
                               outlives_starter=outlives_starter)

    @staticmethod
    def _environment():
        return {name: None for name in os.environ if name.startswith("VITRINE_")}

    @property
    def socket(self):
        return socket_folder(self.folder) / "fastcgi.sock"

    def write_configuration(self):
        ours = {"server": {"listen": f"unix:{self.socket}", "socket_mode": "0600"},
                "store": {"root": self.store}}
        write_configuration(self.config, with_settings(ours, self.sections))

    def start(self, seconds=20):
        """Starts it and waits until it takes connections.  Returns self."""
        program = self.build / "vitrine.fcgi"
        if not program.exists():
            raise StackError(f"{program} is not built: make")
        self.store.mkdir(parents=True, exist_ok=True)
        self.write_configuration()
        self.process.command = [str(program), f"--config={self.config}"]
        self.process.start(lambda: _accepts(self.socket), seconds)
        return self

    def reload(self):
        """As `systemctl reload`; the caller waits for what should happen."""
        self.write_configuration()
        self.process.send(signal.SIGHUP)

    def stop(self, seconds=40):
        """Drains and ends.  Longer than its request_timeout_ms, or requests are cut."""
        self.process.stop(seconds)
        remove_socket_folder(self.folder)

    def kill(self):
        self.process.kill()
        remove_socket_folder(self.folder)

    def is_running(self):
        return self.process.is_running()

    def run(self, *arguments, seconds=120, check=True):
        """The admin program with this configuration.  Returns what it printed; with
        check=False the whole subprocess.CompletedProcess."""
        if not self.config.exists():
            self.write_configuration()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("VITRINE_")}
        command = [str(self.build / "vitrine"), f"--config={self.config}", *map(str, arguments)]
        try:
            done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, errors="replace", timeout=seconds)
        except FileNotFoundError:
            raise StackError(f"{command[0]} is not built: make") from None
        except subprocess.TimeoutExpired:
            raise StackError(f"not done after {seconds} s: vitrine {shlex.join(command[2:])}") from None
        if not check:
            return done
        if done.returncode != 0:
            raise StackError(f"vitrine {shlex.join(command[2:])} failed ({done.returncode}):\n{done.stderr}")
        return done.stdout

    def log_text(self):
        return self.process.log_text()

    def requests(self):
        """One dictionary for every request in the log so far."""
        lines = (parse_logfmt(line) for line in self.log_text().splitlines() if "status=" in line)
        return [line for line in lines if "status" in line]

    def __enter__(self):
        return self if self.is_running() else self.start()

    def __exit__(self, *_):
        self.stop()
