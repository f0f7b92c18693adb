"""The life of the processes: start, reload, stop, crash, hang, and what a renderer has.

Where a request has to be in hand for a while, S3 is frozen meanwhile.
"""

import concurrent.futures
import contextlib
import itertools
import os
import pathlib
import pwd
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest
from PIL import Image

import apache
import web
from apache import folder_for_web_user, give_to_web_user, WEB_USER
from haproxy import HAProxy
from nginx import Nginx
from process import Process, free_port, frozen, wait_until
from processes import FastCGI, Load, children, descriptors, is_alive, of_program, renderers, responders
from vitrine import Vitrine, build_folder, copy_programs, with_settings
from web import Client, Site

HIT = "/a/photo/w=300/x.webp"
SMALL = {"responders": 4, "slow_responders": 3}
# What a program that refuses to start may take on a busy machine.
SOON_S = 5


def cold_paths():
    """Always another variant."""
    widths = itertools.count(20)
    return lambda: f"/a/photo/w={next(widths)}/x.jpg"


def everybody(site):
    return [site.vitrine.process.pid, *children(site.vitrine.process.pid)]


def is_complete(site, responder_count, renderer_count):
    pid = site.vitrine.process.pid
    return len(responders(pid)) == responder_count and len(renderers(pid)) == renderer_count


def wait_for_log(site_or_vitrine, pattern, seconds=10, count=1):
    wait_until(lambda: len(re.findall(pattern, site_or_vitrine.log_text())) >= count, seconds,
               f"the log had {pattern}")


@contextlib.contextmanager
def request_in_hand(site, services, path="/a/badge/w=100/x.png"):
    """A request that waits for S3 until the block ends; yields the future answer."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        with frozen(services.s3):
            answer = pool.submit(site.get, path)
            wait_until(lambda: any((site.store / "tmp").iterdir()), 5, "the original was being fetched")
            yield answer


# ---- what prevents a start -----------------------------------------------------------------

def run_program(vitrine, *options, environment=None, command=()):
    """vitrine.fcgi, which is expected to end at once."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("VITRINE_", "AWS_"))}
    return subprocess.run([*command, vitrine.build / "vitrine.fcgi", *options], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=SOON_S, check=False,
                          env={**clean, "HOME": "/nonexistent", **(environment or {})})


def refused(vitrine, **how):
    """Its exit code, and the one line it said."""
    vitrine.write_configuration()
    done = run_program(vitrine, f"--config={vitrine.config}", **how)
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("vitrine.fcgi: "), done.stderr
    assert done.stdout == ""
    return done.returncode, lines[0]


@pytest.fixture
def vitrine(services, tmp_path):
    """Not started."""
    return Vitrine(tmp_path / "vitrine", with_settings(services.sections, {}))


@pytest.mark.parametrize("changes, code, words", [
    ({"server": {"responders": 0}}, 78, ["responders", "1"]),
    ({"server": {"responders": "many"}}, 78, ["responders", "many"]),
    ({"http": {"send": "pigeon"}}, 78, ["send", "pigeon"]),
    ({"catalog": {"password": "file:/nonexistent/secret"}}, 78, ["/nonexistent/secret", "No such file"]),
    ({"keys": {"short": "short"}}, 78, ["short", "bytes"]),
    ({"presets": {"wrong": "w=0"}}, 78, ["wrong"]),
    ({"peers": {"servers": "nowhere,:1"}}, 71, ["nowhere", "peer"]),
    ({"server": {"listen": "unix:relative.sock"}}, 71, ["relative.sock"]),
    ({"server": {"listen": "nowhere"}}, 71, ["nowhere"]),
    ({"server": {"listen": "unix:/nonexistent/x.sock"}}, 71, ["/nonexistent/x.sock", "No such file"]),
    ({"server": {"socket_group": "nobody-has-this"}}, 71, ["nobody-has-this"]),
    ({"render": {"program": "/nonexistent/renderer"}}, 71, ["/nonexistent/renderer", "No such file"]),
    ({"render": {"program": "/etc/passwd"}}, 71, ["/etc/passwd", "Permission denied"]),
    ({"store": {"root": "/dev/null/store"}}, 71, ["/dev/null/store", "Not a directory"]),
    ({"store": {"root": "/proc"}}, 71, ["/proc"]),
    ({"origin.media": {"access_key_id": None, "secret_access_key": None}}, 71, ["credentials"]),
])
def test_says_why_it_does_not_start(vitrine, changes, code, words):
    vitrine.sections = with_settings(vitrine.sections, changes)

    got, line = refused(vitrine)

    assert got == code, line
    for word in words:
        assert word in line
    assert not vitrine.socket.exists()


@pytest.mark.parametrize("text, words", [
    ("[server]\n\ncolour = red\n", ":3: [server] has no setting 'colour'"),
    ("[sever]\nresponders = 1\n", ":2: there is no section [sever]"),
    ("[server]\nresponders = 0\n", ":2: responders"),
    ("[server]\n[peers]\nnonsense\n", ":3: "),
])
def test_names_the_line_of_a_mistake(vitrine, text, words):
    vitrine.config.write_text(text)

    done = run_program(vitrine, f"--config={vitrine.config}")

    assert done.returncode == 78
    assert done.stderr.startswith(f"vitrine.fcgi: {vitrine.config}{words}") and done.stderr.count("\n") == 1


def test_a_misspelt_variable_is_refused(vitrine):
    code, line = refused(vitrine, environment={"VITRINE_SERVER_RESPONDER": "1"})

    assert code == 78 and "VITRINE_SERVER_RESPONDER" in line


def test_a_missing_file_is_not_the_same_as_no_file(vitrine):
    done = run_program(vitrine, "--config=/nonexistent/vitrine.ini")

    assert done.returncode == 78
    assert done.stderr == "vitrine.fcgi: cannot open /nonexistent/vitrine.ini: No such file or directory\n"


@pytest.mark.parametrize("options", [["--colour"], ["--config"], ["something"], ["--print-reference=all"]])
def test_an_unknown_option_gets_the_usage(vitrine, options):
    done = run_program(vitrine, *options)

    assert done.returncode == 64
    assert "usage: vitrine.fcgi" in done.stderr and done.stdout == ""


def test_a_port_in_use_is_left_alone(vitrine):
    with socket.create_server(("127.0.0.1", 0)) as other:
        where = f"127.0.0.1:{other.getsockname()[1]}"
        vitrine.sections = with_settings(vitrine.sections, {"server": {"listen": where}})
        code, line = refused(vitrine)

    assert code == 71 and where in line and "Address already in use" in line


def test_a_socket_in_use_is_left_to_its_instance(new_site, vitrine):
    site = new_site(server=SMALL)
    vitrine.sections = with_settings(vitrine.sections, {"server": {"listen": f"unix:{site.vitrine.socket}"}})

    code, line = refused(vitrine)

    assert code == 71 and f"{site.vitrine.socket} is in use by another instance" in line
    assert site.get(HIT).status == 200


def test_a_socket_that_nobody_serves_is_replaced(vitrine):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(vitrine.socket))

    with vitrine:
        wait_until(lambda: health_of(vitrine) == 200, 5, "a renderer had started")


def health_of(vitrine):
    with FastCGI(vitrine.socket) as peer:
        return peer.ask("/health")[0]


def test_what_is_no_socket_is_kept(vitrine):
    vitrine.socket.write_text("precious")

    code, line = refused(vitrine)

    assert code == 71 and f"{vitrine.socket} exists and is no socket" in line
    assert vitrine.socket.read_text() == "precious"


def test_a_store_that_cannot_be_written_is_refused(services):
    """For root every folder can be written, so it is tried as an ordinary user."""
    user = pwd.getpwnam(WEB_USER)
    command = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    folder = folder_for_web_user()
    try:
        store = folder / "store"
        for name in ("", "originals", "variants", "tmp"):
            (store / name).mkdir(mode=0o555)
        copy_programs(folder)
        vitrine = Vitrine(folder, services.sections, build=folder)
        vitrine.write_configuration()
        give_to_web_user(vitrine.config)
        done = run_program(vitrine, f"--config={vitrine.config}", command=command if os.geteuid() == 0 else ())
    finally:
        shutil.rmtree(folder)

    assert done.returncode == 71
    assert str(store) in done.stderr and "Permission denied" in done.stderr and done.stderr.count("\n") == 1


def test_a_good_configuration_is_checked_in_silence(vitrine):
    vitrine.write_configuration()

    done = run_program(vitrine, f"--config={vitrine.config}", "--check-config")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not vitrine.socket.exists()


def test_the_configuration_is_printed_without_secrets(vitrine):
    secrets = ["the-password", "the-secret-of-s3", "the-key-that-signs"]
    vitrine.sections = with_settings(vitrine.sections, {
        "catalog": {"password": secrets[0]}, "origin.media": {"secret_access_key": secrets[1]},
        "keys": {"local": secrets[2]}, "http": {"max_age_s": 4711}})
    vitrine.write_configuration()

    done = run_program(vitrine, f"--config={vitrine.config}", "--print-config")

    assert done.returncode == 0 and re.search(r"^max_age_s *= *4711$", done.stdout, re.M)
    for secret in secrets:
        assert secret not in done.stdout + done.stderr


# ---- connections --------------------------------------------------------------------------------

def test_a_connection_ends_with_its_answer_also_for_who_would_keep_it(new_site):
    site = new_site(send="body")
    want = site.get(HIT).body
    with FastCGI(site.vitrine.socket, keeps=True) as peer:
        assert peer.ask(HIT) == (200, want)
        assert peer.has_ended()


# ---- reload ------------------------------------------------------------------------------------

def test_no_request_fails_while_it_is_reloaded_again_and_again(new_site):
    site = new_site(server={"responders": 6, "slow_responders": 4}, render={"renderers": 2})
    pid = site.vitrine.process.pid
    cold = cold_paths()

    def path(client, number):
        if client < 2:
            return cold()
        return "/health" if client == 2 else HIT

    assert site.get(HIT).status == 200
    wait_until(lambda: is_complete(site, 6, 2), 5, "all had started")
    before = descriptors(pid).keys()
    with Load(site, path) as load:
        for _ in range(200):
            site.vitrine.process.send(signal.SIGHUP)
            time.sleep(0.04)

    assert [one for one in load.failed if one[0] != "/health"] == []
    assert len(load.answers) > 500
    assert not any(b"draining" in body for _, _, body in load.answers)
    assert len(re.findall("event=reload ", site.log_text())) > 5
    assert site.vitrine.process.pid == pid
    wait_until(lambda: is_complete(site, 6, 2), 10, "only the last generation was left")
    wait_until(lambda: descriptors(pid).keys() == before, 5, f"it had {before} again, not {descriptors(pid)}")


def test_health_stays_good_while_it_is_reloaded(new_site):
    site = new_site(server=SMALL)
    site.get("/health")

    with Load(site, lambda client, number: "/health", clients=4) as load:
        for _ in range(3):
            site.vitrine.reload()
            time.sleep(0.5)

    assert load.answers and [body for _, status, body in load.answers if status != 200] == []


def test_a_reload_brings_new_settings(new_site):
    site = new_site(server=SMALL)
    assert "max-age=86400" in site.get(HIT)["Cache-Control"]

    site.vitrine.sections = with_settings(site.vitrine.sections, {"http": {"max_age_s": 4711}})
    site.vitrine.reload()

    wait_until(lambda: "max-age=4711" in site.get(HIT)["Cache-Control"], 5, "the new setting was there")
    assert all("max-age=4711" in site.get(HIT)["Cache-Control"] for _ in range(20))


@pytest.mark.parametrize("changes, words", [
    ({"server": {"responders": 0}}, "vitrine.ini:"),
    ({"render": {"program": "/nonexistent/renderer"}}, "cannot execute /nonexistent/renderer"),
    ({"peers": {"servers": "nowhere,:1"}}, "is no peer"),
    ({"origin.media": {"access_key_id": None, "secret_access_key": None}}, "credentials"),
])
def test_a_reload_to_what_does_not_work_is_refused(new_site, changes, words):
    site = new_site(server=SMALL)
    good = site.vitrine.sections
    before = everybody(site)

    site.vitrine.sections = with_settings(good, changes)
    site.vitrine.reload()
    wait_for_log(site, "event=reload-refused")

    assert words in site.log_text()
    assert site.get(HIT).status == 200
    assert everybody(site) == before
    site.vitrine.sections = good
    site.vitrine.reload()
    wait_for_log(site, "event=started", count=2)
    wait_until(lambda: site.get(HIT).status == 200, 5, "it served again")


def test_another_address_is_not_taken_by_a_reload(new_site):
    site = new_site(server=SMALL)
    site.vitrine.sections = with_settings(site.vitrine.sections, {"server": {"listen": f"127.0.0.1:{free_port()}"}})

    site.vitrine.reload()
    wait_for_log(site, "event=setting-ignored .*setting=server.listen")

    assert site.get(HIT).status == 200
    socket_path = site.vitrine.socket
    site.vitrine.process.send(signal.SIGTERM)
    wait_until(lambda: not site.vitrine.is_running(), 10, "it had stopped")
    assert not socket_path.exists()


def test_a_reload_takes_the_program_that_is_there_now(services, assets, tmp_path):
    programs = tmp_path / "programs"
    programs.mkdir()
    program = copy_programs(programs)
    sections = with_settings(services.sections, {"server": SMALL})
    with Vitrine(tmp_path / "vitrine", sections, build=programs) as vitrine:
        pid = vitrine.process.pid
        for path in list(programs.iterdir()):
            shutil.copy2(path, programs / "new")
            (programs / "new").rename(path)
        assert os.readlink(f"/proc/{pid}/exe").endswith("(deleted)")

        vitrine.reload()

        wait_until(lambda: of_program(program) == [pid, *responders(pid)] != [pid], 5, "all ran the new program")
        with FastCGI(vitrine.socket) as peer:
            assert peer.ask(HIT)[0] == 200


@contextlib.contextmanager
def site_of_programs(services, folder, **changes):
    """A site, and the folder of the programs that it runs."""
    programs = folder / "programs"
    programs.mkdir()
    copy_programs(programs)
    vitrine = Vitrine(folder / "vitrine", with_settings(services.sections, {"http": {"send": "accel"}, **changes}),
                      build=programs)
    with vitrine, Nginx(folder / "nginx", vitrine.socket, vitrine.store) as nginx:
        yield Site(nginx, vitrine.store, vitrine), programs


def test_an_upgrade_under_load_loses_no_request(services, assets, tmp_path):
    """Another build each time: a program does not mind bytes behind its end."""
    cold = cold_paths()
    with site_of_programs(services, tmp_path, server={"responders": 6, "slow_responders": 4},
                          render={"renderers": 2}) as (site, programs):
        assert site.get(HIT).status == 200
        with Load(site, lambda client, number: cold() if client == 0 else HIT, clients=8) as load:
            for number in range(1, 4):
                for path in [programs / "vitrine.fcgi", programs / "vitrine-renderer"]:
                    changed = path.with_suffix(".new")
                    shutil.copy2(path, changed)
                    with changed.open("ab") as file:
                        file.write(b"another build")
                    changed.rename(path)
                site.vitrine.reload()
                wait_for_log(site, "event=started", count=number + 1)
                time.sleep(0.3)
        program = str(programs / "vitrine.fcgi")
        wait_until(lambda: {os.readlink(f"/proc/{pid}/exe") for pid in
                            [site.vitrine.process.pid, *responders(site.vitrine.process.pid)]} == {program},
                   10, "all ran the last one")
    assert len(load.answers) > 50 and load.failed == []


def test_a_rolling_restart_behind_a_load_balancer_loses_no_request(new_site, tmp_path):
    settings = {"server": {"responders": 8, "slow_responders": 6, "drain_s": 3}, "render": {"renderers": 1}}
    sites = [new_site(**settings), new_site(**settings)]
    cold = cold_paths()
    assert [site.get(HIT).status for site in sites] == [200, 200]
    with HAProxy(tmp_path / "haproxy", [site.address for site in sites]) as balancer:
        client = Client(balancer.url)
        wait_until(lambda: client.get(HIT).status == 200, 5, "it passed requests on")
        with Load(client, lambda client, number: cold() if client == 0 else HIT, clients=6) as load:
            for site in sites:
                site.vitrine.stop()
                site.vitrine.start()
                wait_until(lambda: site.get("/health").status == 200, 5, "it was good again")
                time.sleep(1.5)     # until the balancer has seen that twice
    assert len(load.answers) > 100 and load.failed == []
    assert "is DOWN" in balancer.process.log_text() and "is UP" in balancer.process.log_text()


# ---- stop --------------------------------------------------------------------------------------

def test_a_stop_waits_for_the_request_in_hand(new_site, services):
    site = new_site(server=SMALL)
    with request_in_hand(site, services) as answer:
        site.vitrine.process.send(signal.SIGTERM)
        wait_until(lambda: not site.vitrine.socket.exists(), 5, "the socket was gone")
        time.sleep(0.3)
        assert site.vitrine.is_running()

    assert answer.result().status == 200 and answer.result().image().size == (100, 100)
    wait_until(lambda: not site.vitrine.is_running(), 5, "it had stopped")
    wait_for_log(site, "event=stopped")


def test_a_stop_after_a_reload_waits_for_the_generation_before(new_site, services):
    """Its request needs a renderer, too."""
    site = new_site(server=SMALL)
    with request_in_hand(site, services) as answer:
        site.vitrine.reload()
        wait_for_log(site, "event=started", count=2)
        site.vitrine.process.send(signal.SIGTERM)
        wait_until(lambda: not site.vitrine.socket.exists(), 5, "the socket was gone")
        time.sleep(0.5)
        assert site.vitrine.is_running()

    assert answer.result().status == 200 and answer.result().image().size == (100, 100)
    wait_until(lambda: not site.vitrine.is_running(), 5, "it had stopped")


def test_a_stop_replaces_renderers_as_long_as_they_are_needed(new_site, services):
    site = new_site(server=SMALL, render={"renderers": 1, "jobs_per_renderer": 1})
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        with frozen(services.s3):
            answers = [pool.submit(site.get, f"/a/badge/w={width}/x.png") for width in (90, 91, 92)]
            wait_until(lambda: site.metrics()["vitrine_slow_requests"] == 3, 5, "three requests were in hand")
            site.vitrine.process.send(signal.SIGTERM)
            wait_until(lambda: not site.vitrine.socket.exists(), 5, "the socket was gone")

    assert [answer.result().status for answer in answers] == [200, 200, 200]
    wait_until(lambda: not site.vitrine.is_running(), 5, "it had stopped")


def test_a_load_balancer_is_told_before_a_stop(new_site):
    site = new_site(server={**SMALL, "drain_s": 2})
    assert site.get(HIT).status == 200
    everyone = everybody(site)

    site.vitrine.process.send(signal.SIGTERM)
    wait_until(lambda: site.get("/health").status == 503, 1, "health was bad")
    assert b'"serving":"draining"' in site.get("/health").body
    assert site.get(HIT).status == 200 and site.get("/a/photo/w=299/x.webp").status == 200
    time.sleep(0.5)
    assert site.get(HIT).status == 200

    wait_until(lambda: not any(is_alive(pid) for pid in everyone), 10, "everybody had left")
    assert not site.vitrine.socket.exists()


def test_a_second_sigterm_ends_the_wait(new_site):
    site = new_site(server={**SMALL, "drain_s": 60})
    everyone = everybody(site)

    site.vitrine.process.send(signal.SIGTERM)
    wait_until(lambda: site.get("/health").status == 503, 2, "health was bad")
    site.vitrine.process.send(signal.SIGTERM)

    wait_until(lambda: not any(is_alive(pid) for pid in everyone), 5, "everybody had left")


@pytest.fixture(scope="module")
def large(services, assets, tmp_path_factory):
    """The bytes of an original of nine megabytes."""
    folder = tmp_path_factory.mktemp("large") / "large"
    folder.mkdir()
    noise = Image.frombytes("RGB", (2000, 1500), os.urandom(2000 * 1500 * 3))
    noise.save(folder / "large.png", compress_level=0)
    services.admin.run("import", folder)
    services.database.wait_for_replicas()
    return (folder / "large.png").read_bytes()


def test_signals_to_everybody_do_not_cut_an_answer(new_site, large):
    """As from Ctrl-C, or a service manager that signals the whole group."""
    site = new_site(send="body", server=SMALL)
    with FastCGI(site.vitrine.socket) as peer:
        peer.begin("/a/large/original/large.png")
        start = peer.more()
        time.sleep(0.3)     # until it waits for us to read on
        for pid in everybody(site):
            # The first has all others leave, if they are idle.
            with contextlib.suppress(ProcessLookupError):
                for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
                    os.kill(pid, number)
        time.sleep(0.5)
        head, body = (start + peer.rest()).split(b"\r\n\r\n", 1)

    assert head.startswith(b"Status: 200 ") and body == large
    wait_until(lambda: not site.vitrine.is_running(), 5, "it had stopped")


@pytest.mark.parametrize("path, status", [("/a/badge/original/badge.png", 200), ("/a/badge/w=100/x.png", 503)])
def test_the_death_of_the_supervisor_ends_the_others(new_site, services, path, status):
    """The request in hand is answered, as far as that needs no renderer; a new start
    works at once, even before that."""
    site = new_site(server=SMALL)
    idle = children(site.vitrine.process.pid)
    with request_in_hand(site, services, path) as answer:
        site.vitrine.process.send(signal.SIGKILL)
        wait_until(lambda: sum(map(is_alive, idle)) == 1, 5, "only the one that has work was left")
        site.vitrine.start(seconds=5)
        # Who connects before this waits at the old socket, for nothing.
        wait_for_log(site, "event=started", count=2)
        wait_until(lambda: site.get("/health").status == 200, 5, "the new one served")
        assert sum(map(is_alive, idle)) == 1

    assert answer.result().status == status
    wait_until(lambda: not any(map(is_alive, idle)), 5, "all of the old ones were gone")
    assert site.get(HIT).status == 200


# ---- crashes -----------------------------------------------------------------------------------

def kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def test_a_crash_costs_the_request_in_hand(new_site):
    site = new_site(server={"responders": 6, "slow_responders": 4}, render={"renderers": 2})
    supervisor = site.vitrine.process.pid
    cold = cold_paths()
    killed = 0

    assert site.get(HIT).status == 200
    wait_until(lambda: is_complete(site, 6, 2), 5, "all had started")
    with Load(site, lambda client, number: cold() if client < 2 else HIT) as load:
        for number in range(8):
            victims = (renderers if number % 4 == 3 else responders)(supervisor)
            kill(victims[number % len(victims)])
            killed += 1
            time.sleep(0.2)
        wait_until(lambda: is_complete(site, 6, 2), 2, "all were there again")

    assert len(load.failed) <= killed
    assert len(load.answers) > 200
    assert len(re.findall("event=child-killed", site.log_text())) == killed


def test_everything_is_back_soon_after_all_have_crashed(new_site):
    site = new_site(server={"responders": 16, "slow_responders": 12}, render={"renderers": 4})
    supervisor = site.vitrine.process.pid
    cold = cold_paths()

    for _ in range(2):
        wait_until(lambda: is_complete(site, 16, 4), 2, "all were there")
        for pid in children(supervisor):
            kill(pid)
        wait_until(lambda: site.get(HIT).status == 200, 2, "it served again")
        assert site.get(cold()).status == 200


def test_a_renderer_that_cannot_start_is_not_tried_without_end(new_site, tmp_path):
    """As when an upgrade has put a program in its place that does not run here."""
    program, broken = tmp_path / "vitrine-renderer", tmp_path / "broken-renderer"
    shutil.copy(build_folder() / "vitrine-renderer", program)
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    site = new_site(server={**SMALL, "request_timeout_ms": 2000},
                    render={"program": program, "renderers": 2, "timeout_ms": 1000})
    assert site.get(HIT).status == 200
    broken.rename(program)
    for pid in renderers(site.vitrine.process.pid):
        os.kill(pid, signal.SIGKILL)
    wait_for_log(site, "event=start-paused")
    began = time.monotonic()

    cold = site.get("/a/photo/w=299/x.webp")
    took = time.monotonic() - began
    assert cold.status in (503, 504) and took < 4
    assert cold["Content-Type"] == "application/problem+json"
    assert site.logged(cold)["failure"] in ("busy", "timeout", "unavailable")
    wait_until(lambda: site.get("/health").status == 503, 3, "health was bad")
    while time.monotonic() - began < 4:
        assert site.get(HIT).status == 200
        time.sleep(0.1)
    starts = len(re.findall("event=child-failed .*role=renderer code=1", site.log_text()))
    assert 3 <= starts <= 20
    assert len(re.findall("event=child-", site.log_text())) == starts + 2


def test_health_is_bad_when_no_renderer_works_also_while_misses_wait(new_site):
    """Stopped ones take jobs and never answer; what waits for them must not look like work."""
    site = new_site(server=SMALL, render={"timeout_ms": 1000})
    assert site.get("/a/photo/w=70/x.webp").status == 200
    stopped = renderers(site.vitrine.process.pid)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            miss = pool.submit(site.get, "/a/photo/w=71/x.webp")
            wait_until(lambda: site.get("/health").status == 503, 5, "health was bad")
            assert b'"renderer":"does not answer"' in site.get("/health").body
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
            assert miss.result().status in (200, 504)
    finally:
        for pid in stopped:
            if is_alive(pid):
                os.kill(pid, signal.SIGCONT)
    wait_until(lambda: site.get("/health").status == 200, 5, "health was good again")


def test_a_responder_that_hangs_leaves_the_others_at_work(new_site):
    site = new_site(server=SMALL)
    assert site.get(HIT).status == 200
    wait_until(lambda: len(responders(site.vitrine.process.pid)) == 4, 5, "all had started")
    stopped = responders(site.vitrine.process.pid)[:2]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        with Load(site, lambda client, number: HIT, clients=8) as load:
            time.sleep(1)
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)

    assert len(load.answers) > 50 and load.failed == []


def test_whoever_is_left_takes_over_when_all_others_hang(new_site):
    """Those who wait at the socket among them: no connection wakes the one that is left."""
    site = new_site(server=SMALL)
    assert site.get(HIT).status == 200
    wait_until(lambda: len(responders(site.vitrine.process.pid)) == 4, 5, "all had started")
    everybody = responders(site.vitrine.process.pid)
    for left in everybody:
        stopped = [pid for pid in everybody if pid != left]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            assert [site.get(HIT).status for _ in range(20)] == [200] * 20
            assert time.monotonic() - began < 1
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        assert site.get(HIT).status == 200


def test_a_peer_that_says_half_a_word_does_not_hold_a_responder(new_site):
    site = new_site(server={"responders": 8, "slow_responders": 4, "request_timeout_ms": 1000})
    assert site.get(HIT).status == 200
    wait_until(lambda: len(responders(site.vitrine.process.pid)) == 8, 5, "all had started")

    with contextlib.ExitStack() as peers:
        for _ in range(16):
            peers.enter_context(FastCGI(site.vitrine.socket)).send(b"\x01\x01\x00")
        began = time.monotonic()
        assert site.get(HIT).status == 200
        assert time.monotonic() - began < 4
    wait_for_log(site, "event=peer-refused .*in time, only 3 bytes of it")
    assert "child-killed" not in site.log_text()


def test_a_responder_of_which_nothing_is_wanted_lives_on(new_site):
    """The limit is for a request, not for the wait for one."""
    site = new_site(server={**SMALL, "request_timeout_ms": 100})
    wait_until(lambda: len(responders(site.vitrine.process.pid)) == 4, 5, "all had started")
    with FastCGI(site.vitrine.socket) as peer:
        assert peer.ask("/metrics")[0] == 200


def test_processes_are_replaced_in_time_and_nobody_notices(new_site):
    site = new_site(server={"responders": 6, "slow_responders": 5, "requests_per_responder": 5},
                    render={"renderers": 2, "jobs_per_renderer": 3})
    first = everybody(site)
    cold = cold_paths()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: site.get(cold() if number % 3 == 0 else HIT), range(120)))

    assert [answer for answer in answers if answer.status != 200] == []
    wait_until(lambda: sum(map(is_alive, first)) == 1, 5, "all but the supervisor were others")
    assert not re.search("event=(child-|start-paused)", site.log_text())


# ---- what a renderer has ------------------------------------------------------------------------

def read_of_process(pid, name):
    try:
        return pathlib.Path(f"/proc/{pid}/{name}").read_text()
    except PermissionError:
        pytest.skip("/proc of a process that is not dumpable can only be read by root")


@pytest.fixture(scope="module")
def one_renderer(services, assets, tmp_path_factory):
    """Of an instance with secrets in its environment; it has worked before."""
    folder = tmp_path_factory.mktemp("jail")
    sections = with_settings(services.sections, {"server": SMALL, "render": {"renderers": 1}})
    vitrine = Vitrine(folder, sections)
    vitrine.process.environment = {**vitrine.process.environment, "AWS_SECRET_ACCESS_KEY": "secret",
                                   "VITRINE_KEYS_LOCAL": "another-key-that-is-long-enough"}
    with vitrine:
        with FastCGI(vitrine.socket) as peer:
            assert peer.ask(HIT)[0] == 200
        yield renderers(vitrine.process.pid)[0]


def test_a_renderer_gets_nothing_of_our_environment(one_renderer):
    content = read_of_process(one_renderer, "environ")

    names = {variable.split("=")[0] for variable in content.split("\0") if variable}
    assert names - {"ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "LLVM_PROFILE_FILE"} == {"PATH", "LC_ALL"}
    assert "secret" not in read_of_process(one_renderer, "cmdline")


def test_a_renderer_has_only_the_descriptors_it_needs(one_renderer):
    try:
        descriptors(one_renderer)
    except PermissionError:
        pytest.skip("/proc of a process that is not dumpable can only be read by root")

    # Where pixels are kept, how it knows its own size, and what wakes the thread that watches its client.
    wait_until(lambda: set(descriptors(one_renderer)) <= {0, 1, 2, 3, 4, 5, 6, 7}, 5, "the last picture was let go")
    found = descriptors(one_renderer)
    assert found[0] == found[1] == "/dev/null"
    assert found[2].endswith("vitrine.log")
    assert found[3].startswith("socket:") and found[4].startswith("pipe:")
    assert found[5].startswith("/memfd:vitrine-pixels")
    assert found.get(6, "/proc/self/statm").endswith("/statm")
    assert found.get(7, "anon_inode:[eventfd]") == "anon_inode:[eventfd]"


def test_a_renderer_gains_no_privileges_and_has_limits(one_renderer):
    status = pathlib.Path(f"/proc/{one_renderer}/status").read_text()
    limits = pathlib.Path(f"/proc/{one_renderer}/limits").read_text()

    assert re.search(r"^NoNewPrivs:\s+1$", status, re.M)
    assert re.search(r"^Max core file size\s+0\s+0\s", limits, re.M)
    assert re.search(r"^Max open files\s+64\s+64\s", limits, re.M)
    assert re.search(rf"^Max file size\s+{64 << 20}\s+{64 << 20}\s", limits, re.M)
    if not re.search("libasan", libraries("vitrine-renderer")):     # which maps terabytes
        assert re.search(rf"^Max address space\s+{4096 << 20}\s+{4096 << 20}\s", limits, re.M)


def libraries(program):
    return subprocess.run(["ldd", build_folder() / program], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("program, foreign", [
    # libcurl can be there: Debian's libvips brings it, for astronomers' files.
    ("vitrine-renderer", ["libmariadb", "libmemcached", "libfcgi"]),
    ("vitrine.fcgi", ["libvips", "libglib"]),
    ("vitrine", ["libvips", "libglib", "libfcgi"]),
])
def test_no_program_links_what_is_not_its_business(program, foreign):
    linked = libraries(program)

    assert "libc.so" in linked
    assert [name for name in foreign if name in linked] == []


def test_the_renderer_itself_asks_for_no_network():
    done = subprocess.run(["objdump", "-p", build_folder() / "vitrine-renderer"], capture_output=True, text=True,
                          check=True)
    wanted = re.findall(r"NEEDED\s+(\S+)", done.stdout)

    assert "libc.so.6" in wanted
    assert [name for name in wanted if name.startswith(("libcurl", "libssl", "libcrypto"))] == []


# ---- started by others ----------------------------------------------------------------------------

# What systemd does: sd_listen_fds(3).
STARTER = """
import os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(64)
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_a_service_manager_can_hand_over_the_socket(vitrine, assets):
    """Across a reload, too; and it stays when we go."""
    given = vitrine.socket
    vitrine.sections = with_settings(vitrine.sections, {
        "server": {**SMALL, "listen": "unix:/nonexistent/not-used.sock"}})
    vitrine.write_configuration()
    process = Process("activated", [sys.executable, "-c", STARTER, given, vitrine.build / "vitrine.fcgi",
                                    f"--config={vitrine.config}"], vitrine.folder, vitrine.process.environment)
    with process:
        process.start(given.exists)
        for starts in (1, 2):
            wait_for_log(process, r"event=started .*listen=\(activated\)", count=starts)
            with FastCGI(given) as peer:
                assert peer.ask(HIT)[0] == 200
            if starts == 1:
                process.send(signal.SIGHUP)

    assert "setting-ignored" not in process.log_text()
    assert given.exists()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_the_unit_for_systemd_has_no_mistake(tmp_path):
    shipped = pathlib.Path(__file__).parents[2] / "systemd-conf" / "vitrine.service"
    text = shipped.read_text().replace("/usr/lib/vitrine/", f"{build_folder()}/")
    assert str(build_folder()) in text
    unit = tmp_path / "vitrine.service"
    unit.write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=30,
                          check=False)

    assert [line for line in done.stderr.splitlines() if "vitrine" in line] == []


def test_under_mod_fcgid_a_renderer_is_replaced(apache_fcgid):
    program = apache_fcgid.store.parent / "vitrine.fcgi"
    cold = cold_paths()
    assert apache_fcgid.get(cold()).status == 200

    old = [renderer for responder in of_program(program) for renderer in renderers(responder)]
    assert old
    for pid in old:
        kill(pid)

    assert apache_fcgid.get(cold()).status == 200
    assert not any(map(is_alive, old))


def test_under_mod_fcgid_a_responder_is_replaced(apache_fcgid):
    program = apache_fcgid.store.parent / "vitrine.fcgi"
    assert apache_fcgid.get(HIT).status == 200
    old = of_program(program)
    old += [renderer for responder in old for renderer in renderers(responder)]

    for pid in of_program(program):
        kill(pid)

    wait_until(lambda: apache_fcgid.get(HIT).status == 200, 5, "Apache had started another")
    wait_until(lambda: not any(map(is_alive, old)), 5, "the renderers of the dead had left")


def test_under_mod_fcgid_a_graceful_restart_loses_no_request(services, assets):
    with web.apache_fcgid_site(services.sections) as site:
        program = site.store.parent / "vitrine.fcgi"
        cold = cold_paths()
        assert site.get(cold()).status == 200
        first = of_program(program)
        first += [renderer for responder in first for renderer in renderers(responder)]
        with Load(site, lambda client, number: cold() if client == 0 else HIT, clients=4) as load:
            for _ in range(2):
                site.front.process.send(signal.SIGUSR1)
                time.sleep(1.5)
        assert len(load.answers) > 20 and load.failed == []
        wait_until(lambda: not any(map(is_alive, first)), 15, "the processes from before had left, with their renderers")
    wait_until(lambda: of_program(program) == [], 5, "nothing was left after the end")


def test_under_mod_fcgid_limits_of_idleness_and_age_cost_no_request(services, assets, tmp_path, monkeypatch):
    """The shipped limits are minutes and days; these are seconds."""
    shorter = tmp_path / "apache-conf"
    shutil.copytree(apache.CONFIGURATION, shorter)
    text = (shorter / "vitrine-fcgid.conf").read_text()
    text = re.sub("FcgidIdleTimeout .*", "FcgidIdleTimeout 1", text)
    text = re.sub("FcgidProcessLifeTime .*", "FcgidProcessLifeTime 2", text)
    text = re.sub("FcgidMinProcessesPerClass .*", "FcgidMinProcessesPerClass 0", text)
    text = re.sub("FcgidMaxRequestsPerProcess .*", "FcgidMaxRequestsPerProcess 20", text)
    (shorter / "vitrine-fcgid.conf").write_text(text)
    monkeypatch.setattr(apache, "CONFIGURATION", shorter)
    monkeypatch.setattr(apache, "_FCGID", "FcgidIdleScanInterval 1\nFcgidErrorScanInterval 1\n" + apache._FCGID)
    with web.apache_fcgid_site(services.sections) as site:
        program = site.store.parent / "vitrine.fcgi"
        seen = set()
        with Load(site, lambda client, number: HIT, clients=3, pause=0.05) as load:
            for _ in range(10):
                time.sleep(0.5)
                seen |= set(of_program(program))
        assert len(load.answers) > 20 and load.failed == []
        assert len(seen) > 3        # more than there are clients: they were replaced
        wait_until(lambda: of_program(program) == [], 15, "idle processes had left")


# ---- slow clients, and files that change under them -------------------------------------------

def test_clients_that_do_not_read_leave_responders_for_hits(new_site, large):
    site = new_site(send="body", server=SMALL)
    assert site.get(HIT).status == 200
    with contextlib.ExitStack() as slow:
        for _ in range(SMALL["slow_responders"]):
            peer = slow.enter_context(FastCGI(site.vitrine.socket))
            peer.begin("/a/large/original/large.png")
            assert peer.more().startswith(b"Status: 200 ")
        refused = site.get("/a/large/original/large.png")

        assert refused.status == 503 and int(refused["Retry-After"]) > 0
        assert site.get(HIT).status == 200


def test_a_client_that_takes_nothing_for_its_time_is_left_and_costs_no_process(new_site, large):
    site = new_site(send="body", server=SMALL)
    with FastCGI(site.vitrine.socket) as peer:
        peer.begin("/a/large/original/large.png")
        assert peer.more().startswith(b"Status: 200 ")
        began = time.monotonic()
        wait_for_log(site, "path=./a/large/.* client_gone=yes", seconds=50)
        assert 25 < time.monotonic() - began < 40
    assert "child-killed" not in site.log_text()


def test_a_file_that_gets_shorter_while_it_is_sent_does_not_look_whole(new_site, large):
    site = new_site(send="body", server=SMALL)
    with FastCGI(site.vitrine.socket) as peer:
        peer.begin("/a/large/original/large.png")
        peer.more()
        [file] = [path for path in site.store.glob("originals/*/*/*") if path.is_file()]
        os.truncate(file, 5_000_000)

        with pytest.raises(OSError):
            peer.rest()
    assert len(site.get("/a/large/original/large.png").body) == len(large)
