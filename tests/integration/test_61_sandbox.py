"""What a renderer that was taken over can do: nothing.

`intruder` is the shipped renderer with one operation more, which makes one attempt and tells how it ended
(intruder.c).  Each attempt is first made without the sandbox, where it has to succeed: what this machine
refuses to anybody shows nothing and is skipped.
"""

import base64
import io
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from PIL import Image

import processes
from pictures import RED, is_near
from probe import Probe, build_folder
from rendering import RENDERER, Failure, Renderer, own_renderer, renderer, shared      # noqa: F401
from vitrine import Vitrine

INTRUDER = RENDERER.parent / "tests" / "integration" / "intruder"
HAS_SANITIZER = RENDERER.exists() and b"__asan_init" in RENDERER.read_bytes()

pytestmark = pytest.mark.skipif(HAS_SANITIZER, reason="AddressSanitizer needs what the sandbox forbids")


class Intruder(Renderer):
    def __init__(self, folder, sandbox):
        super().__init__(folder)
        self._probe.close()
        self._probe = Probe("probe_render", f"{INTRUDER} sandbox={sandbox}")

    def attempt(self, name, argument):
        """"allowed", "refused: REASON" or "killed"."""
        before = self.status()["started"]
        failure = self.describe(f"attempt {name} {argument}\n".encode())
        if "the renderer died" not in failure.detail:
            return failure.detail
        end = time.monotonic() + 10
        while self.status()["started"] == before and time.monotonic() < end:
            time.sleep(0.005)
        assert self.status()["signal"] == signal.SIGSYS, failure
        return "killed"


@pytest.fixture(scope="module")
def free(tmp_path_factory):
    intruder = Intruder(tmp_path_factory.mktemp("free"), "off")
    yield intruder
    intruder.close()


@pytest.fixture(scope="module")
def shut_in(tmp_path_factory):
    intruder = Intruder(tmp_path_factory.mktemp("shut"), "required")
    yield intruder
    intruder.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory, free, shut_in):
    """What there is to attack: files, sockets, a sibling, and of each intruder its parent."""
    folder = tmp_path_factory.mktemp("world")
    (folder / "secret").write_text("secret_access_key = hunter2")
    sibling = Renderer(folder, "sandbox=off")
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(folder / "socket"))
        unix.listen()
        yield {"secret": folder / "secret", "folder": folder, "port": tcp.getsockname()[1],
               "socket": folder / "socket", "sibling": sibling.status()["pid"]}
    sibling.close()


REFUSED, KILLED = "refused", "killed"

ATTEMPTS = [
    ("read", "{secret}", REFUSED),
    ("read", "/etc/passwd", REFUSED),
    ("read", "/proc/{parent}/environ", REFUSED),
    ("read", "/proc/{parent}/maps", REFUSED),
    ("read", "/proc/self/environ", REFUSED),
    ("list", "/", REFUSED),
    ("list", "/proc", REFUSED),
    ("list", "{folder}", REFUSED),
    ("open-path", "{secret}", REFUSED),
    ("write", "{secret}", REFUSED),
    ("write", "/proc/self/mem", REFUSED),
    ("write", "/proc/{parent}/mem", REFUSED),
    ("write", "/proc/sysrq-trigger", REFUSED),
    ("write", "/dev/null", REFUSED),
    ("create", "{folder}/{fresh}", REFUSED),
    ("create", "/tmp/vitrine-{fresh}", REFUSED),
    ("mkdir", "{folder}/{fresh}", REFUSED),
    ("chmod", "{secret}", REFUSED),
    ("link", "{secret}", REFUSED),
    ("rename", "{secret}", REFUSED),
    ("file-handle", "{secret}", KILLED),
    ("exec", "/nonexistent", KILLED),
    ("exec-memory", "-", REFUSED),
    ("exec-descriptor", "-", KILLED),
    ("fork", "-", REFUSED),
    ("user-namespace", "-", REFUSED),
    ("trace", "{sibling}", KILLED),
    ("trace", "{parent}", KILLED),
    ("read-memory", "{parent}", KILLED),
    ("kill", "{parent}", KILLED),
    ("kill", "{sibling}", KILLED),
    ("kill", "-1", KILLED),
    ("signal-thread", "{parent}", REFUSED),
    ("signal-thread", "{sibling}", REFUSED),
    ("signal-owner", "{parent}", REFUSED),
    ("pidfd", "{sibling}", REFUSED),
    ("limit", "{sibling}", REFUSED),
    ("limit", "0", REFUSED),
    ("tcp", "{port}", REFUSED),
    ("unix", "{socket}", REFUSED),
    *[("socket", int(family), REFUSED) for family in
      (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET, socket.AF_ALG,
       socket.AF_VSOCK)],
    ("socketpair", "-", REFUSED),
    ("code", "-", REFUSED),
    ("turn-into-code", "-", REFUSED),
    ("memfd", "-", REFUSED),
    ("io-uring", "-", KILLED),
    ("bpf", "-", KILLED),
    ("perf", "-", KILLED),
    ("userfaultfd", "-", KILLED),
    ("keys", "-", KILLED),
    ("setns", "-", KILLED),
    ("mount", "-", KILLED),
    ("chroot", "-", KILLED),
    ("setuid", "-", KILLED),
    ("dumpable", "-", REFUSED),
    ("hostname", "-", REFUSED),
    ("ioctl", "-", REFUSED),
    ("truncate", "{secret}", REFUSED),
    ("unlink", "{secret}", REFUSED),
    ("unshare", "-", KILLED),       # last: without the sandbox it leads out of the network above
]


@pytest.mark.parametrize("name, argument, wanted", ATTEMPTS,
                         ids=[f"{name} {argument}" for name, argument, _ in ATTEMPTS])
def test_an_intruder_is_refused(free, shut_in, world, name, argument, wanted):
    outcomes = []
    for number, intruder in enumerate((free, shut_in)):
        world["secret"].write_text("secret_access_key = hunter2")
        parent = parent_of(intruder.status()["pid"])
        text = str(argument).format(**world, parent=parent, fresh=f"new-{name}-{number}")
        outcomes.append(intruder.attempt(name, text))
        if name == "create":
            _remove(text)
    print(f"{name} {argument}: {outcomes[0]}; in the sandbox {outcomes[1]}")
    if outcomes[0] != "allowed":
        pytest.skip(f"without the sandbox too: {outcomes[0]}")
    assert outcomes[1].split(":")[0] == wanted
    assert world["secret"].read_text() == "secret_access_key = hunter2"


def parent_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return int(file.read().rsplit(") ", 1)[1].split()[1])


def _remove(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def test_the_attempts_that_need_no_privileges_succeed_without_the_sandbox(free, world):
    for name, argument in (("read", "/etc/passwd"), ("list", "/"), ("write", world["secret"]), ("fork", "-"),
                           ("exec", "/nonexistent"), ("socketpair", "-"), ("code", "-"), ("memfd", "-")):
        assert free.attempt(name, argument) == "allowed", name


def test_fonts_can_be_read(shut_in):
    assert shut_in.attempt("list", "/usr/share/fonts") == "allowed"
    assert shut_in.attempt("read", "/etc/fonts/fonts.conf") == "allowed"


def test_the_shipped_renderer_has_no_such_operation(renderer):
    assert renderer.describe(b"attempt read /etc/passwd\n").kind == "unsupported"
    assert b"attempt " in INTRUDER.read_bytes()
    assert b"attempt " not in RENDERER.read_bytes()


# ---- seen from outside ---------------------------------------------------------------------------


def fields(path):
    with open(path, encoding="utf-8") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def held_by(pid):
    """{number: what it is}; standard error is ours."""
    return {number: name.split(":")[0] for number, name in processes.descriptors(pid).items() if number != 2}


def test_every_thread_is_held(renderer):
    renderer.render(Image.new("RGB", (900, 900)), "w=100", "avif")
    pid = renderer.status()["pid"]
    threads = os.listdir(f"/proc/{pid}/task")
    for thread in threads:
        status = fields(f"/proc/{pid}/task/{thread}/status")
        assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1"
        assert status["CapEff"] == status["CapPrm"] == "0000000000000000"
    assert len(threads) > 1, "the picture made no thread, so this shows little"


def test_a_renderer_holds_nothing_that_it_does_not_need(monkeypatch, tmp_path):
    monkeypatch.setenv("VITRINE_ORIGIN_MEDIA_SECRET_ACCESS_KEY", "hunter2")
    renderer = Renderer(tmp_path)
    renderer.render(Image.new("RGB", (90, 90)), "w=10")
    pid = renderer.status()["pid"]
    with open(f"/proc/{pid}/environ", "rb") as file:
        assert b"hunter2" not in file.read()
    wanted = {0: "/dev/null", 1: "/dev/null", 3: "socket", 4: "pipe", 5: "/memfd", 6: f"/proc/{pid}/statm",
              7: "anon_inode"}
    end = time.monotonic() + 5
    while (held := held_by(pid)) != wanted and time.monotonic() < end:     # it closes the job's own last
        time.sleep(0.01)
    assert held == wanted
    renderer.close()


def test_the_kernel_ends_a_renderer_that_does_not_end_itself(renderer):
    with open(f"/proc/{renderer.status()['pid']}/limits", encoding="utf-8") as file:
        limits = {line[:26].strip(): line[26:].split()[:2] for line in file}
    assert limits["Max cpu time"] == ["3600", "3600"]
    assert limits["Max core file size"] == ["0", "0"]
    assert limits["Max open files"] == ["64", "64"]


# ---- pictures that need what is loaded late --------------------------------------------------------


def svg(content, encoding="utf-8"):
    text = f'<?xml version="1.0" encoding="{encoding}"?><svg xmlns="http://www.w3.org/2000/svg" ' \
        f'width="40" height="20">{content}</svg>'
    return text.encode(encoding)


@pytest.mark.parametrize("encoding, letter", [
    ("iso-8859-1", "é"), ("iso-8859-15", "€"), ("windows-1251", "ы"), ("windows-1252", "€"), ("koi8-r", "ы"),
    ("shift_jis", "赤"), ("euc-jp", "赤"), ("euc-kr", "홍"), ("gbk", "红"), ("big5", "紅")])
def test_svgs_in_old_encodings_are_drawn(renderer, encoding, letter):
    content = f'<title>{letter}</title><rect width="40" height="20" fill="#c8281e"/>'
    picture = renderer.render(svg(content, encoding))
    assert is_near(picture.getpixel((20, 10)), (200, 40, 30, 255), 2)


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_pictures_inside_svgs_are_drawn(renderer, form):
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), RED).save(buffer, form)
    data = base64.b64encode(buffer.getvalue()).decode()
    picture = renderer.render(svg(f'<image width="40" height="20" href="data:image/{form.lower()};base64,{data}"/>'))
    assert is_near(picture.getpixel((20, 10)), (*RED, 255), 6)


def test_texts_in_every_script_are_drawn(renderer):
    for text in ("Vitrine", "Витрина", "Βιτρίνα", "ויטרינה", "واجهة", "ตู้โชว์สินค้า", "陳列窓", "진열장", "शोकेस"):
        picture = renderer.render(svg(f'<text x="2" y="16" font-size="14" font-family="sans">{text}</text>'))
        assert picture.getextrema()[3][1] > 150, text


# ---- kernels that lack a part ------------------------------------------------------------------------

SECCOMP_ALLOW, SECCOMP_ENOSYS = 0x7fff0000, 0x00050000 | 38

WITHOUT = f"""
import ctypes, os, sys
library = ctypes.CDLL("libseccomp.so.2")
library.seccomp_init.restype = ctypes.c_void_p
filter = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32({SECCOMP_ALLOW})))
call = library.seccomp_syscall_resolve_name(sys.argv[1].encode())
assert library.seccomp_rule_add(filter, ctypes.c_uint32({SECCOMP_ENOSYS}), call, 0) == 0
assert library.seccomp_load(filter) == 0
os.execv(sys.argv[2], sys.argv[2:])
"""


def vitrine_without(call, folder, sandbox):
    """A Vitrine whose kernel does not know a system call; "": it knows them all."""
    programs = folder / "programs"
    programs.mkdir()
    launcher = programs / "launcher.py"
    launcher.write_text(WITHOUT)
    program = build_folder().absolute() / "vitrine.fcgi"
    command = f"{sys.executable} {launcher} {call} {program}" if call else str(program)
    (programs / "vitrine.fcgi").write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    (programs / "vitrine.fcgi").chmod(0o755)
    settings = {"program": RENDERER, "renderers": 1, "sandbox": sandbox}
    return Vitrine(folder, {"render": settings, "server": {"responders": 2, "slow_responders": 1}}, build=programs)


@pytest.mark.parametrize("call, seccomp, landlock", [("", 1, 1), ("landlock_create_ruleset", 1, 0), ("seccomp", 0, 1)])
def test_what_the_kernel_lacks_is_in_the_log_and_in_metrics(tmp_path, call, seccomp, landlock):
    with vitrine_without(call, tmp_path, "preferred") as vitrine:
        with processes.FastCGI(vitrine.socket) as peer:
            text = str(peer.ask("/metrics"))
        assert f'vitrine_sandbox{{part="seccomp"}} {seccomp}' in text
        assert f'vitrine_sandbox{{part="landlock"}} {landlock}' in text
        line = next(line for line in vitrine.log_text().splitlines() if "event=sandbox" in line)
        assert f"wanted=preferred seccomp={seccomp} landlock=" in line
        assert line.endswith("landlock=0") == (landlock == 0)


@pytest.mark.parametrize("call, reason", [("landlock_create_ruleset", "no Landlock"), ("seccomp", "no seccomp")])
def test_what_is_required_and_missing_keeps_it_from_starting(tmp_path, call, reason):
    vitrine = vitrine_without(call, tmp_path, "required")
    vitrine.store.mkdir()
    vitrine.write_configuration()
    for option in ("--check-config", "--supervise"):
        done = subprocess.run([vitrine.build / "vitrine.fcgi", f"--config={vitrine.config}", option],
                              capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 71
        assert "render.sandbox is required" in done.stderr and reason in done.stderr


def test_a_forbidden_call_is_logged_with_its_cause(tmp_path):
    with vitrine_without("", tmp_path, "required") as vitrine:
        end = time.monotonic() + 10
        pids = []
        while not pids and time.monotonic() < end:
            pids = processes.renderers(vitrine.process.pid)
        time.sleep(0.3)
        os.kill(pids[0], signal.SIGSYS)
        while "child-killed" not in vitrine.log_text() and time.monotonic() < end:
            time.sleep(0.02)
        line = next(line for line in vitrine.log_text().splitlines() if "child-killed" in line)
        assert f"role=renderer signal={int(signal.SIGSYS)}" in line and "its sandbox forbids" in line
