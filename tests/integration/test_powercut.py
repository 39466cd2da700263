"""The power cut at every write, a sample of it; `python -m bench.powercut` cuts at each."""

import random
from collections import Counter

import pytest

from bench.powercut.calls import Call
from bench.powercut.cuts import at_the_start, cut, points, without_folders, written
from bench.powercut.disk import Disk
from bench.powercut.endings import ENDINGS
from bench.powercut.gallery import ENTERED_FIRST, REMOVED_FIRST
from bench.powercut.writer import ASKED_FIRST, HALVED, PLANTED, UNSYNCED
from edge import disk
from edge.records.evidence.store import KEPT, REMOVED

LIVES, ITEMS, CUTS = 2, 6, 30
PORTION = 10  # cuts, before it is looked whether the fault was found
ENOUGH = 120  # cuts: one of them falls between two transactions that belong together
MISSING, ASKED, HALF = "are missing", "asked for what is not on disk", "without its request"
NOT_WHOLE = "not there whole"


@pytest.fixture(scope="module")
def seen():
    return written(LIVES, ITEMS)


def is_found(fault, watched, cuts=CUTS):
    at = sorted(points(watched.calls, cuts, seed=1))
    random.Random(1).shuffle(at)
    some = (at[start : start + PORTION] for start in range(0, len(at), PORTION))
    return any(fault in told for numbers in some for _, told in cut(watched, numbers, seed=1).faults)


def test_nothing_acknowledged_is_missing_wherever_the_power_is_cut(seen):
    found = cut(seen, {*points(seen.calls, CUTS, seed=1), *at_the_start(seen.calls)}, seed=1)
    assert found.faults == Counter()
    assert found.disks.keys() == ENDINGS.keys()
    assert len(seen.final.outbox) > 0
    assert {KEPT, REMOVED} <= {kind for _, kind, _, _ in seen.final.journal}


def test_a_folder_that_is_not_synced_is_found(seen):
    assert is_found(MISSING, without_folders(seen))


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        (UNSYNCED, MISSING),
        (ASKED_FIRST, ASKED),
        (HALVED, HALF),
        (ENTERED_FIRST, NOT_WHOLE),
        (REMOVED_FIRST, NOT_WHOLE),
    ],
)
def test_what_is_planted_is_found(planted, found):
    assert planted in PLANTED
    assert is_found(found, written(LIVES, ITEMS, planted), ENOUGH)


MADE = [Call("C", "/d/a"), Call("W", "/d/a", data=b"12"), Call("S", "/d/a")]
LINKED = Call("L", "/d/a", other="/d/b")
MOVING = [Call("R", "/d/a", other="/d/f/a"), Call("S", "/d")]
MOVED = [*MADE, Call("M", "/d/f"), *MOVING]


@pytest.mark.parametrize(
    ("calls", "certain"),
    [
        (MADE, {}),
        ([*MADE, Call("S", "/d")], {"/d/a": b"12"}),
        ([*MADE, Call("S", "/d"), Call("W", "/d/a", 1, data=b"34")], {"/d/a": b"12"}),
        ([*MADE, Call("S", "/d"), Call("W", "/d/a", 4, data=b"3"), Call("S", "/d/a")], {"/d/a": b"12\0\0003"}),
        ([*MADE, Call("S", "/d"), Call("T", "/d/a", length=1), Call("S", "/d/a")], {"/d/a": b"1"}),
        ([*MADE, Call("S", "/d"), Call("R", "/d/a", other="/d/b")], {"/d/a": b"12"}),
        ([*MADE, Call("R", "/d/a", other="/d/b"), Call("S", "/d")], {"/d/b": b"12"}),
        ([*MADE, Call("S", "/d"), Call("U", "/d/a")], {"/d/a": b"12"}),
        ([*MADE, Call("S", "/d"), Call("U", "/d/a"), Call("S", "/d")], {}),
        ([Call("M", "/d/f"), Call("C", "/d/f/a"), Call("S", "/d/f")], {}),
        ([Call("M", "/d/f"), Call("C", "/d/f/a"), Call("S", "/d/f"), Call("S", "/d")], {"/d/f": None, "/d/f/a": b""}),
        ([*MADE, Call("S", "/d"), Call("M", "/d/f"), Call("R", "/d/a", other="/d/f/a")], {"/d/a": b"12"}),
        ([*MADE, LINKED], {}),
        ([*MADE, LINKED, Call("S", "/d")], {"/d/a": b"12", "/d/b": b"12"}),
        ([*MADE, Call("S", "/d"), LINKED, Call("U", "/d/a")], {"/d/a": b"12"}),
        ([*MADE, LINKED, Call("U", "/d/a"), Call("S", "/d")], {"/d/b": b"12"}),
        (MOVED, {"/d/f": None, "/d/f/a": b"12"}),
        ([*MOVED, Call("U", "/d/f/a")], {"/d/f": None, "/d/f/a": b"12"}),
        ([*MOVED, Call("U", "/d/f/a"), *MADE, *MOVING], {"/d/f": None, "/d/f/a": b"12"}),
        ([*MOVED, Call("U", "/d/f/a"), *MADE, Call("S", "/d")], {"/d/f": None, "/d/f/a": b"12", "/d/a": b"12"}),
    ],
)
def test_only_what_was_synced_is_certain(calls, certain):
    laid = Disk("/d")
    for call in calls:
        laid.apply(call)
    assert laid.image(lambda _: False, lambda _: ()) == certain


def test_a_file_is_written_in_one_step(tmp_path):
    disk.made(tmp_path / "a" / "b")
    for content in (b"old", b"new"):
        disk.written(tmp_path / "a" / "b" / "c", content)
    assert [(path.name, path.read_bytes()) for path in (tmp_path / "a" / "b").iterdir()] == [("c", b"new")]


def test_what_cannot_be_written_leaves_the_old_file(tmp_path):
    disk.written(tmp_path / "c", b"old")
    (tmp_path / "c.part").mkdir()
    with pytest.raises(IsADirectoryError):
        disk.written(tmp_path / "c", b"new")
    assert (tmp_path / "c").read_bytes() == b"old"
