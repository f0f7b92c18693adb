#!/usr/bin/python3
"""The local stack: everything that Vitrine needs, started with one command.

    stack.py up       start it in the background; what runs already is left alone
    stack.py down     end it
    stack.py status   say what of it runs
    stack.py demo     start it, show a status line, end it with Ctrl-C

MariaDB with two replicas, two memcached, an S3 server, Vitrine and nginx run in
$VITRINE_BUILD/stack (build/stack) on free ports of 127.0.0.1.  Data and ports are
kept from one start to the next; removing the folder while nothing runs resets
everything.  The machine's own services are neither used nor touched.
"""

import argparse
import contextlib
import fcntl
import http.client
import json
import os
import pathlib
import secrets
import shlex
import signal
import sys
import time
import urllib.request

import page
from mariadb import MariaDB
from memcached import Memcached
from nginx import Nginx
from process import StackError, free_port, port_answers, wait_until
from s3 import KEY as S3_KEY, S3, install_s3
from samples import make_samples
from vitrine import KEY_ID, PROGRAMS, Vitrine, build_folder, stack_sections

BUCKET = "media"
# How nginx serves: with X-Accel-Redirect, as it should be done.  And what the page shows.
LOCAL = {
    "http": {"send": "accel"},
    "watermark.badge": {"asset": "made-badge", "scale": "0.22", "opacity": "0.85"},
    "credit": {"size": "0.05"},
}


class Stack:
    """Everything, in one folder.  start() repairs what is missing.

    outlives_starter   True for `up`: it runs on when this program ends
    photos             import the sample photos and make the page
    """

    def __init__(self, folder, outlives_starter=False, photos=True):
        self.folder = pathlib.Path(folder).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.photos = photos
        self._outlives = outlives_starter
        self._state_path = self.folder / "state.json"
        self.state = self._read_state()
        self.installed_s3 = build_folder() / "s3"
        self.database = MariaDB(self.folder / "mariadb", outlives_starter=outlives_starter)
        self.ring = Memcached(self.folder / "memcached", outlives_starter=outlives_starter)
        self.s3 = S3(self.folder / "s3", self.installed_s3, (BUCKET,), self.state["s3_port"],
                     outlives_starter=outlives_starter)
        self.vitrine = Vitrine(self.folder / "vitrine", self._sections(), outlives_starter=outlives_starter)
        self.nginx = Nginx(self.folder / "nginx", self.vitrine.socket, self.vitrine.store,
                           root=self.folder / "page", port=self.state["nginx_port"],
                           outlives_starter=outlives_starter)

    # ---- what it remembers -------------------------------------------------------------

    def _read_state(self):
        try:
            return json.loads(self._state_path.read_text())
        except (FileNotFoundError, ValueError):
            return {"s3_port": None, "nginx_port": None, "key": secrets.token_hex(24), "photos": None,
                    "programs": None}

    def _write_state(self):
        new = self._state_path.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(json.dumps(self.state, indent=1) + "\n")
        new.rename(self._state_path)

    def _sections(self):
        sections = stack_sections(self.database, self.ring, self.s3, BUCKET, self.state["key"])
        return {**sections, **LOCAL}

    @contextlib.contextmanager
    def locked(self):
        """One `up` or `down` at a time."""
        with open(self.folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    # ---- start and end -------------------------------------------------------------------

    @property
    def url(self):
        return self.nginx.url

    def processes(self):
        """In the order in which they are started."""
        return [*(server.process for server in self.database.servers),
                *(member.process for member in self.ring.members),
                self.s3.process, self.vitrine.process, self.nginx.process]

    def running(self):
        return [process.name for process in self.processes() if process.is_running()]

    def runs_completely(self):
        return len(self.running()) == len(self.processes()) and self.is_healthy()

    def is_healthy(self):
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                return answer.status == 200
        except (OSError, http.client.HTTPException):
            return False

    def _programs(self):
        """Changes when they are built anew."""
        return [[name, (build_folder() / name).stat().st_mtime_ns] for name in PROGRAMS]

    def start(self, say=lambda text: None):
        """Starts what does not run; imports; writes the page and the environment file."""
        for name in PROGRAMS:
            if not (build_folder() / name).exists():
                raise StackError(f"{build_folder() / name} is not built: make")
        if self.photos:
            make_samples(self.folder / "photos")
        install_s3(self.installed_s3)
        say("starting MariaDB, a primary and two replicas")
        self.database.start()
        say("starting memcached and S3")
        self.ring.start()
        self._start_s3()
        self._start_vitrine(say)
        if self.photos:
            self._import(say)
            page.write(self.folder / "page", self.vitrine)
        if not self.nginx.is_running():
            self.nginx.stop()
            self.nginx.port = self._port_again(self.nginx.port)
            self.nginx.start()
        self.state.update(s3_port=self.s3.port, nginx_port=self.nginx.port)
        self._write_state()
        self._write_environment()
        wait_until(self.is_healthy, 20, "/health said 200")

    @staticmethod
    def _port_again(port):
        return free_port() if port_answers(port) else port

    def _start_s3(self):
        if self.s3.process.is_running():
            return
        if self.s3.port is not None:
            self.s3.port = self._port_again(self.s3.port)
        self.s3.start()

    def _start_vitrine(self, say):
        before = self.vitrine.config.read_text() if self.vitrine.config.exists() else None
        self.vitrine.sections = self._sections()
        self.vitrine.write_configuration()
        is_new = before != self.vitrine.config.read_text() or self.state["programs"] != self._programs()
        if self.vitrine.is_running() and is_new:
            self.vitrine.stop()
        self.vitrine.run("migrate")
        if not self.vitrine.is_running():
            say("starting Vitrine")
            self.vitrine.start()
        self.state["programs"] = self._programs()

    def _import(self, say):
        complete = (self.folder / "photos.complete").read_text() + "\n".join(page.OWN)
        if self.state["photos"] == complete:
            return
        say("importing photos")
        self.vitrine.run("import", self.folder / "photos")
        self.vitrine.run("set", page.owned(self.vitrine), *page.OWN)
        self.database.wait_for_replicas()
        self.state["photos"] = complete

    def stop(self):
        """Ends everything, whoever started it; the ones that use others first."""
        self.nginx.stop()
        self.vitrine.stop()
        self.s3.stop()
        self.ring.stop()
        self.database.stop()
        (self.folder / "env").unlink(missing_ok=True)

    # ---- for others --------------------------------------------------------------------

    def environment(self):
        """What tests, benchmarks and people may want to know.  VITRINE_STORE_... and the
        like would be settings (settings.h), so none of these begins with a section's name."""
        primary, replicas = self.database.primary, self.database.replicas
        login = primary.settings()
        return {
            "VITRINE_URL": self.url,
            "VITRINE_CONFIG": self.vitrine.config,
            "VITRINE_STACK": self.folder,
            "VITRINE_MYSQL_PRIMARY": f"{login['host']}:{primary.port}",
            "VITRINE_MYSQL_REPLICAS": " ".join(f"{login['host']}:{replica.port}" for replica in replicas),
            "VITRINE_MYSQL_DATABASE": login["name"],
            "VITRINE_MYSQL_USER": login["user"],
            "VITRINE_MYSQL_PASSWORD": login["password"],
            "VITRINE_MYSQL_ADMIN_SOCKET": primary.socket,
            "VITRINE_MEMCACHED": self.ring.servers,
            "VITRINE_S3_ENDPOINT": self.s3.endpoint,
            "VITRINE_S3_BUCKET": BUCKET,
            "VITRINE_S3_REGION": "us-east-1",
            "VITRINE_S3_ACCESS_KEY_ID": S3_KEY,
            "VITRINE_S3_SECRET_ACCESS_KEY": S3_KEY,
            "VITRINE_SIGNING_KEY_ID": KEY_ID,
            "VITRINE_SIGNING_KEY": self.state["key"],
            "VITRINE_FASTCGI_SOCKET": self.vitrine.socket,
            **{f"VITRINE_PID_{process.name.upper()}": process.pid for process in self.processes()},
        }

    def _write_environment(self):
        lines = [f"export {name}={shlex.quote(str(value))}\n" for name, value in self.environment().items()]
        new = self.folder / "env.new"
        new.unlink(missing_ok=True)
        new.touch(mode=0o600)
        new.write_text("# Written by tests/stack/stack.py; for a shell.\n" + "".join(lines))
        new.rename(self.folder / "env")

    def metrics(self):
        """{"name{labels}": value} of /metrics."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines
                if line and not line.startswith("#")}


# ---- the status line ---------------------------------------------------------------------

def _sum(metrics, name, *labels):
    return int(sum(value for key, value in metrics.items()
                   if key.split("{")[0] == name and all(label in key for label in labels)))


def status_line(metrics, start, width):
    """How the pictures since `start` (metrics of then) were answered."""
    def since(name, *labels):
        return _sum(metrics, name, *labels) - _sum(start, name, *labels)

    count = "vitrine_request_duration_seconds_count"
    tiers = {tier: since(count, f'tier="{tier}"')
             for tier in ("store", "conditional", "joined", "fetched", "rendered")}
    pictures = sum(tiers.values())
    hits = tiers["store"] + tiers["conditional"]
    if pictures == 0:
        return "Nothing served yet: open the page."[:width - 1]
    text = (f"{pictures} pictures served, {100 * hits // pictures} % hits, "
            f"{since('vitrine_renders_total')} renders, {since('vitrine_origin_fetches_total')} fetched from S3, "
            f"{since('vitrine_failures_total')} refused or failed")
    return text[:width - 1]


class _Ended(Exception):
    """A signal asked us to end."""


def _end(signal_number, frame):
    raise _Ended


def _watch(stack, end_at=None):
    """Shows the line until a signal or a dead server ends it."""
    is_terminal = sys.stdout.isatty()
    start, shown = stack.metrics(), None
    while end_at is None or time.monotonic() < end_at:
        missing = len(stack.processes()) - len(stack.running())
        if missing:
            names = {process.name for process in stack.processes()} - set(stack.running())
            raise StackError(f"{', '.join(sorted(names))} ended; the logs are in {stack.folder}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            line = status_line(stack.metrics(), start, os.get_terminal_size().columns if is_terminal else 200)
            if is_terminal:
                print(f"\r\033[K{line}", end="", flush=True)
            elif line != shown:
                print(line, flush=True)
            shown = line
        time.sleep(1 if is_terminal else 5)


# ---- commands ----------------------------------------------------------------------------

def _say(text):
    print(f"  {text}", flush=True)


def _summary(stack):
    print(f"\n  {stack.url}/   photos in several sizes and formats, with their URLs\n"
          f"  {stack.url}/health   {stack.url}/metrics\n"
          f"  addresses and passwords: . {os.path.relpath(stack.folder / 'env')}\n")


def command_up(folder, options):
    stack = Stack(folder, outlives_starter=True)
    with stack.locked():
        is_fresh = stack.state["programs"] == stack._programs() if stack.running() else False
        if is_fresh and stack.runs_completely():
            print(f"The stack runs already: {stack.url}/")
            return 0
        try:
            stack.start(_say)
        except BaseException:
            stack.stop()
            raise
        _summary(stack)
        print("  make down ends it.")
    return 0


def command_down(folder, options):
    stack = Stack(folder, outlives_starter=True)
    with stack.locked():
        running = stack.running()
        stack.stop()
    print(f"Ended: {', '.join(running)}" if running else "Nothing was running.")
    return 0


def command_status(folder, options):
    stack = Stack(folder, outlives_starter=True)
    for process in stack.processes():
        print(f"{process.name:12} {f'process {process.pid}' if process.is_running() else 'does not run'}")
    if not stack.runs_completely():
        print("The stack does not run completely.")
        return 1
    print(f"{stack.url}/")
    return 0


def command_demo(folder, options):
    started = time.monotonic()
    stack = Stack(folder)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        with stack.locked():
            if stack.running():
                # Of an earlier `up`: these would outlive us.
                print("Ending what runs already.", flush=True)
                stack.stop()
            stack.start(_say)
        _summary(stack)
        print(f"  Ready after {time.monotonic() - started:.1f} s.  Ctrl-C ends everything.\n", flush=True)
        if not options.until_ready:
            _watch(stack)
    except _Ended:
        print("\nEnding.", flush=True)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        stack.stop()
    return 0


COMMANDS = {"up": command_up, "down": command_down, "status": command_status, "demo": command_demo}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--folder", help="where it lives; $VITRINE_BUILD/stack when not given")
    parser.add_argument("--until-ready", action="store_true", help="demo: end as soon as the page is there")
    options = parser.parse_args()
    try:
        return COMMANDS[options.command](options.folder or build_folder() / "stack", options)
    except StackError as error:
        print(f"\nstack.py: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
