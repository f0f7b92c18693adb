"""What `make soak` makes of what it has counted: the verdict itself, on processes that are made up.

An hour of two servers' samples, once a minute, with the noise of real ones; and then something grows."""

import random
import sys

import pytest

from probe import TESTS

sys.path[1:1] = [str(TESTS / "soak")]

from growth import judge, slope  # noqa: E402
from plot import draw  # noqa: E402

MINUTES = 60
ROOM_KB = 10000
USUAL = {"supervisor": 200, "responder": 1100, "renderer": 18000}     # kB


def process(server, role, number, own, descriptors=12):
    return {"server": server, "role": role, "pid": number, "born": 1, "own": own + 300,
            "share": own, "files": 100, "descriptors": descriptors, "threads": 1}


def samples(change=lambda minute, process: None, store_kb=lambda minute: 8000):
    chance = random.Random(1)
    made = []
    for minute in range(MINUTES + 1):
        # Caches fill in the first minutes.
        warm = min(1.0, 0.5 + minute / 20)
        processes = [process(server, role, number, round(USUAL[role] * warm * chance.uniform(0.95, 1.05)))
                     for server in ("one", "two")
                     for number, role in enumerate(("supervisor", *["responder"] * 4, *["renderer"] * 2))]
        for one in processes:
            change(minute, one)
        disk = {"bytes": store_kb(minute) * 1024, "files": 400}
        made.append({"at": minute * 60.0, "processes": processes, "stores": {"one": disk, "two": disk},
                     "shared": {"bytes": 0, "files": 0}})
    return made


def complaints(*arguments, **options):
    return [complaint for row in judge(samples(*arguments, **options), ROOM_KB) for complaint in row.complaints]


def grows(role, kilobytes_an_hour, pid=None, name="own"):
    def change(minute, one):
        if one["role"] == role and pid in (None, one["pid"]) and one["server"] == "one":
            one[name] += round(kilobytes_an_hour * minute / 60)
            one["share"] += round(kilobytes_an_hour * minute / 60) if name == "own" else 0
    return change


def test_noise_and_a_warm_up_are_no_growth():
    assert complaints() == []


@pytest.mark.parametrize("role, kilobytes", [("supervisor", 400), ("responder", 1600), ("renderer", 40000)])
def test_one_process_that_grows_is_seen(role, kilobytes):
    pid = {"supervisor": 0, "responder": 2, "renderer": 6}[role]
    found = complaints(grows(role, kilobytes, pid))
    assert f"a process of one {role}s grew by" in " ".join(found) and "two" not in " ".join(found)


def test_growth_of_all_is_seen_although_no_process_lives_long():
    """Each is replaced every ten minutes, and begins with more."""
    def change(minute, one):
        grows("responder", 3000)(minute, one)
        one["pid"] += minute // 10 * 100
    [complaint] = complaints(change)
    assert complaint.startswith("one responders together grew by")


def test_processes_that_grow_and_are_replaced_are_no_growth():
    def change(minute, one):
        if one["role"] == "renderer":
            one["own"] += minute % 10 * 1000
            one["share"] += minute % 10 * 1000
            one["pid"] += minute // 10 * 100
    assert complaints(change) == []


def test_what_single_samples_say_is_no_growth():
    """In the middle of a large picture; a child that is just missing."""
    def change(minute, one):
        if minute % 9 == 8 and one["role"] == "renderer":
            one["own"] += 90000
            one["share"] += 90000
    assert complaints(change) == []


def test_descriptors_that_stay_open_are_seen():
    [complaint] = complaints(grows("responder", 20, pid=3, name="descriptors"))
    assert "descriptors more" in complaint


def test_a_store_may_fill_up_but_not_overflow():
    assert complaints(store_kb=lambda minute: 100 * minute) == []
    found = complaints(store_kb=lambda minute: 8000 + 50 * minute)
    assert [complaint.split(" has")[0] for complaint in found] == ["one store", "two store"]


def test_the_slope_is_that_of_most():
    points = [(x, 2 * x + 1) for x in range(20)]
    assert slope(points) == 2
    assert slope(points[:5] + [(5.5, 1000)] + points[5:]) == pytest.approx(2, abs=0.01)
    assert slope([(1, 5)]) == 0


def test_every_process_is_drawn():
    picture = draw(samples(), [600])
    # Each process, and each role of each server.
    assert picture.count("<polyline") == 14 + 6
    assert picture.count('class="mishap"') == 6
