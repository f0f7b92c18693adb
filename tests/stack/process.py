"""One server process of the local stack, and how it is started and ended.

Every part of the stack (MariaDB, memcached, S3, nginx, ...) is a `Process`:
a command, a folder for its log and its pid file, and a question that tells
whether it is ready.  Promises:

* A server is stopped by its process id, never by name, and the id is checked
  against the process's start time, so a recycled id is never hit.
* A server ends with the program that started it, even when that program is
  killed (PR_SET_PDEATHSIG), unless `outlives_starter` is set; then the pid
  file lets another program find and stop it (`make up`, `make down`).
* Every wait has an end.  What went wrong is a `StackError` that quotes the
  end of the server's log.

Python 3.11, standard library only.
"""

import contextlib
import ctypes
import hashlib
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import time

# sockaddr_un.sun_path has 108 bytes with its NUL; some servers append ".lock" or the like.
SOCKET_PATH_MAX = 100
SOCKET_NAME_MAX = 24

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class StackError(Exception):
    """A server did not start, stop or answer as it should."""


def free_port():
    """A TCP port of 127.0.0.1 that nobody listens on.

    It is given back before the server binds it, so somebody else can be
    faster; a server that then fails to start is to be started on another."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def port_answers(port, host="127.0.0.1"):
    """Whether somebody accepts TCP connections there."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def socket_folder(folder):
    """Where to put unix sockets that belong to a server living in `folder`.

    That folder itself when socket paths in it are short enough, else a private
    one in /tmp, always the same for the same folder, to be removed with
    remove_socket_folder() when the server has ended."""
    folder = pathlib.Path(folder).absolute()
    if len(os.fsencode(folder)) + SOCKET_NAME_MAX + 1 <= SOCKET_PATH_MAX:
        return folder
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    short = pathlib.Path(f"/tmp/vitrine-{os.geteuid()}-{digest}")
    short.mkdir(mode=0o700, exist_ok=True)
    # Anybody can make a folder of that name in /tmp first.
    status = short.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise StackError(f"{short} is not a private folder of ours")
    return short


def remove_socket_folder(folder):
    """Removes what socket_folder(folder) made; leaves the server's own folder alone."""
    sockets = socket_folder(folder)
    if sockets != pathlib.Path(folder).absolute():
        shutil.rmtree(sockets, ignore_errors=True)


@contextlib.contextmanager
def frozen(*servers):
    """They keep their connections, and nobody answers."""
    for server in servers:
        server.freeze()
    try:
        yield
    finally:
        for server in servers:
            server.thaw()


def wait_until(is_true, seconds, what, pause=0.02):
    """Asks is_true() until it says so; StackError("... what ...") after `seconds`."""
    end = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > end:
            raise StackError(f"waited {seconds} s in vain until {what}")
        time.sleep(pause)


def wait_until_ready(process, is_ready, seconds=10):
    """Waits until is_ready() is true; fails at once when the process ends meanwhile."""

    def ready_or_ended():
        if is_ready():
            return True
        if not process.is_running():
            raise StackError(f"{process.name} ended while starting:\n{process.log_tail()}")
        return False

    try:
        wait_until(ready_or_ended, seconds, f"{process.name} was ready")
    except StackError as error:
        raise StackError(f"{error}\n{process.log_tail()}") from None


def _start_time(pid):
    """Clock ticks since boot at which the process started; None when there is
    none, or when it has ended and only waits for its parent to notice."""
    try:
        status = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # Field 2, the name, is in parentheses and may hold anything; see proc(5).
    fields = status[status.rindex(")") + 2:].split()
    return None if fields[0] in "ZX" else int(fields[19])


class Process:
    """A server: `command` run in `folder`, logging to folder/name.log.

    name               also names the log and the pid file
    command            list of arguments; the first is a program or its path
    folder             must exist
    environment        additions to ours (None as value removes a variable)
    outlives_starter   do not end it when the program that started it ends
    stop_signal        asks for an orderly end
    death_signal       sent by the kernel when the thread that called start()
                       ends.  SIGTERM lets a server with children (nginx) end
                       them; one without children can have SIGKILL, which also
                       ends it while it is frozen.  Start servers from the main thread.

    `within` stands before the command, such as ["nsenter", "--net=..."]: a program that
    becomes it.

    It leads a session of its own: Ctrl-C reaches the starter only, and when an
    orderly end fails, its children are killed with it.
    """

    def __init__(self, name, command, folder, environment=None, outlives_starter=False,
                 stop_signal=signal.SIGTERM, death_signal=signal.SIGTERM):
        self.name = name
        self.command = [str(argument) for argument in command]
        self.folder = pathlib.Path(folder).absolute()
        self.environment = environment or {}
        self.outlives_starter = outlives_starter
        self.stop_signal = stop_signal
        self.death_signal = death_signal
        self.within = []
        self.log_path = self.folder / f"{name}.log"
        self.pid_path = self.folder / f"{name}.pid"
        self._child = None

    def start(self, is_ready=None, seconds=10, stdin=subprocess.DEVNULL, pass_fds=()):
        """Starts it and waits until is_ready() is true.  Returns self.

        A server that still runs from an earlier start is an error: stop() it first."""
        if self.is_running():
            raise StackError(f"{self.name} runs already, as process {self.pid}")
        environment = {**os.environ, **self.environment}
        environment = {name: str(value) for name, value in environment.items()
                       if value is not None}
        with open(self.log_path, "ab") as log:
            self._child = subprocess.Popen(
                [*self.within, *self.command], cwd=self.folder, env=environment, stdin=stdin, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True, pass_fds=pass_fds,
                preexec_fn=None if self.outlives_starter else self._die_with(os.getpid()))
        self.pid_path.write_text(f"{self._child.pid} {_start_time(self._child.pid)}\n")
        if is_ready is not None:
            try:
                wait_until_ready(self, is_ready, seconds)
            except BaseException:
                self.kill()
                raise
        return self

    def _die_with(self, starter):
        signal_number = int(self.death_signal)

        def in_child():
            if _libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0 or os.getppid() != starter:
                os._exit(126)
        return in_child

    @property
    def pid(self):
        """Its process id while it runs, started by us or by another program; else None."""
        if self._child is not None:
            return self._child.pid if self._child.poll() is None else None
        try:
            pid, started = self.pid_path.read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid) if str(_start_time(int(pid))) == started else None

    def is_running(self):
        return self.pid is not None

    def send(self, signal_number):
        """Sends a signal to the process itself, not to its children."""
        pid = self.pid
        if pid is None:
            raise StackError(f"{self.name} does not run")
        os.kill(pid, signal_number)

    def freeze(self):
        """SIGSTOP: it keeps its connections, the kernel accepts new ones, nobody answers."""
        self.send(signal.SIGSTOP)

    def thaw(self):
        self.send(signal.SIGCONT)

    def stop(self, seconds=10):
        """An orderly end, by force after `seconds`.  Not running is fine."""
        pid = self.pid
        if pid is not None:
            os.kill(pid, self.stop_signal)
            os.kill(pid, signal.SIGCONT)
            try:
                wait_until(lambda: self.pid is None, seconds, f"{self.name} stopped")
            except StackError:
                self.kill()
        self._forget()

    def kill(self, seconds=10):
        """SIGKILL to it and its children: the power goes out.  Not running is fine."""
        pid = self.pid
        if pid is not None:
            try:
                os.killpg(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            wait_until(lambda: self.pid is None, seconds, f"{self.name} was dead")
        self._forget()

    def _forget(self):
        self._child = None
        self.pid_path.unlink(missing_ok=True)

    def log_text(self):
        """Everything it has written so far."""
        try:
            return self.log_path.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def log_tail(self, lines=25):
        return "\n".join(self.log_text().splitlines()[-lines:])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
