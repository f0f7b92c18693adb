"""Three servers on hosts of their own, a load balancer, and some of the faults of
tests/chaos/faults.py under load: the short form of `make chaos`."""

import json
import os
import signal
import subprocess
import sys

import pytest

from probe import TESTS
from process import wait_until

RUN = [sys.executable, str(TESTS / "chaos" / "run.py")]


def start(folder, *arguments):
    """As from a terminal: whoever is started in a shell's background would ignore SIGINT."""
    return subprocess.Popen([*RUN, "--short", f"--folder={folder}", *arguments], text=True, start_new_session=True,
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chaos")
    chaos = start(folder / "chaos", f"--json={folder / 'rows.json'}")
    said, _ = chaos.communicate(timeout=240)
    print(said)
    assert (folder / "rows.json").exists(), said
    return json.loads((folder / "rows.json").read_text())


def test_there_is_a_load(rows):
    assert len(rows) >= 4
    assert all(row["requests"] >= 100 and row["right"] >= 50 for row in rows)


def test_no_byte_is_wrong(rows):
    assert {row["fault"]: row["wrong"] for row in rows if row["wrong"]} == {}


def test_no_fault_outlives_its_cause(rows):
    assert {row["fault"]: row["recovered"] for row in rows if row["recovered"] > 5} == {}


def test_hits_are_served_through_everything(rows):
    """Every picture of these was in the store of each server; a few connections end with who is killed."""
    for row in rows:
        right, asked = map(int, row["hits"].split("/"))
        assert right >= 0.97 * asked, row


def processes_in(folder):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if os.fsencode(folder) in file.read():
                    found.append(int(pid))
        except OSError:
            pass
    return found


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_left_of_one_that_was_ended(tmp_path, number):
    chaos = start(tmp_path / "chaos")
    wait_until(lambda: len(processes_in(tmp_path / "chaos")) > 4, 20, "servers had started")
    for _ in range(2):                      # who is impatient
        if number == signal.SIGINT:
            os.killpg(chaos.pid, number)    # as a terminal does
        else:
            chaos.send_signal(number)
    chaos.communicate(timeout=20)
    wait_until(lambda: processes_in(tmp_path / "chaos") == [], 5, "all were gone")
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        assert str(tmp_path) not in mounts.read()
    assert "hub" not in os.listdir("/sys/class/net")
