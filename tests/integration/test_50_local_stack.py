"""make up, make down, make demo: what they start, repair, end and leave behind."""

import html
import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.parse

import pytest

from probe import TESTS
from process import wait_until
from web import Client

STACK = [sys.executable, str(TESTS / "stack" / "stack.py")]


def run(command, folder, seconds=90):
    done = subprocess.run([*STACK, command, f"--folder={folder}"], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=seconds)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def environment(folder):
    """What `. build/stack/env` sets."""
    words = shlex.split((folder / "env").read_text(), comments=True)
    return dict(word.split("=", 1) for word in words if word != "export")


def pids(settings):
    return {name: int(value) for name, value in settings.items() if name.startswith("VITRINE_PID_")}


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(") ", 1)[1][0] not in "ZX"
    except OSError:
        return False


def running_below(folder):
    """Processes that name the folder in their command line or work in it."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                command = file.read()
            here = os.readlink(f"/proc/{name}/cwd")
        except OSError:
            continue
        if int(name) != os.getpid() and (os.fsencode(folder) in command or here.startswith(str(folder))):
            found.append((int(name), command))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stack")
    yield folder
    run("down", folder)


@pytest.fixture
def up(folder):
    run("up", folder)
    return environment(folder)


def test_up_starts_everything_and_says_where_it_is(up, folder):
    client = Client(up["VITRINE_URL"])

    assert client.get("/health?require=database,memcached,s3,database-write").status == 200
    assert b"<title>Vitrine</title>" in client.get("/").body
    assert client.get("/a/made-badge/w=400,h=300,fit=cover/anything.webp").image().size == (400, 300)
    assert len(up["VITRINE_MYSQL_REPLICAS"].split()) == 2
    assert len(up["VITRINE_MEMCACHED"].split(",")) == 2
    assert up["VITRINE_S3_ENDPOINT"].startswith("http://127.0.0.1:") and up["VITRINE_S3_BUCKET"]
    assert os.access(up["VITRINE_CONFIG"], os.R_OK)
    assert os.stat(folder / "env").st_mode & 0o077 == 0


def test_its_variables_are_no_settings(up):
    """They are in the environment of a shell from which vitrine.fcgi is started by hand."""
    program = os.path.join(TESTS.parent, os.environ.get("VITRINE_BUILD", "build"), "vitrine.fcgi")
    done = subprocess.run([program, "--print-config"], env={**os.environ, **up}, capture_output=True, text=True,
                          timeout=20)

    assert done.returncode == 0, done.stderr


def test_a_second_up_leaves_everything_as_it_is(up, folder):
    assert "runs already" in run("up", folder)
    assert environment(folder) == up


def test_every_url_on_the_page_does_what_the_page_says(up):
    client = Client(up["VITRINE_URL"])
    page = client.get("/").body.decode()
    figures = re.findall(r'<figure class="([^"]*)">.*?<a href="([^"]*)"', page, re.S)

    assert len(figures) > 15
    for style, url in figures:
        assert client.get(html.unescape(url)).status == (403 if style == "broken" else 200), url
    assert sum(style == "broken" for style, _ in figures) == 1


def test_up_repairs_what_was_killed(up, folder):
    for name in ("NGINX", "VITRINE", "S3", "PRIMARY", "MEMCACHED1"):
        os.kill(int(up[f"VITRINE_PID_{name}"]), signal.SIGKILL)
    wait_until(lambda: not is_running(int(up["VITRINE_PID_PRIMARY"])), 10, "it was dead")

    run("up", folder)
    repaired = environment(folder)

    assert all(map(is_running, pids(repaired).values()))
    assert repaired["VITRINE_PID_REPLICA1"] == up["VITRINE_PID_REPLICA1"]
    assert urllib.parse.urlsplit(repaired["VITRINE_URL"]).port
    assert Client(repaired["VITRINE_URL"]).get("/a/made-badge/w=99/x.webp").status == 200


def test_down_ends_everything_and_keeps_the_data(up, folder):
    assert "Ended" in run("down", folder)

    wait_until(lambda: not running_below(folder), 5, "nothing ran")
    assert not (folder / "env").exists()
    assert "Nothing was running" in run("down", folder)
    run("up", folder)
    assert Client(environment(folder)["VITRINE_URL"]).get("/a/made-badge/w=98/x.webp").status == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_the_demo(folder, number):
    run("down", folder)
    log = folder / f"demo-{number}.log"
    with open(log, "w") as output:
        demo = subprocess.Popen([*STACK, "demo", f"--folder={folder}"], stdin=subprocess.DEVNULL, stdout=output,
                                stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: "Ready after" in log.read_text() or demo.poll() is not None, 60, "the demo was ready")
        assert demo.poll() is None, log.read_text()
        settings = environment(folder)
        assert Client(settings["VITRINE_URL"]).get("/a/made-badge/w=97/x.webp").status == 200
    finally:
        demo.send_signal(number)
        demo.wait(60)

    wait_until(lambda: not running_below(folder), 10, "nothing ran")
    assert not any(map(is_running, pids(settings).values()))
