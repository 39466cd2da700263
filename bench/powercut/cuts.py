"""Cuts the power after every call of what was watched, and tells what the appliance finds each time."""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from bench.powercut.calls import Call, watched
from bench.powercut.disk import Disk, laid
from bench.powercut.endings import endings
from bench.powercut.opened import Final, Promises, faults, final_of
from bench.powercut.writer import STATE, TOLD

FAST = Path("/dev/shm")  # memory: thousands of disks are laid out  # noqa: S108
MARKS = f"/{TOLD}"
ASKED = b'["asked"'
FOLDERS_UNSYNCED = "no folder synced"


@dataclass(frozen=True, slots=True)
class Watched:
    """What a writer did through all its lives, and what came of it."""

    root: str
    calls: Sequence[Call]
    final: Final


@dataclass(slots=True)
class Found:
    """What came of the cuts."""

    points: int = 0
    disks: Counter[str] = field(default_factory=Counter)  # by ending
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)  # by ending and what was wrong

    def add(self, other: Found) -> None:
        """Take another's figures in."""
        self.points += other.points
        self.disks += other.disks
        self.faults += other.faults


def written(lives: int, items: int, planted: str = "") -> Watched:
    """Watch a lane write through its lives.

    Raises:
        RuntimeError: what was seen does not come to what lies on the disk: some call was not seen.
    """
    with _place() as name:
        below = Path(name) / "disk"
        below.mkdir()
        calls: list[Call] = []
        for life in range(1, lives + 1):
            words = ("--life", str(life), "--items", str(items), "--planted", planted)
            command = [sys.executable, "-m", "bench.powercut.writer", str(below), *words]
            calls += watched(command, below, Path(name) / f"log-{life}")
        root = str(below.resolve())
        _demand_all_seen(root, calls)
        return Watched(root, calls, final_of(below / STATE))


def without_folders(seen: Watched) -> Watched:
    """A planted fault: no folder was ever synced."""
    folders = {seen.root, *(call.path for call in seen.calls if call.what == "M")}
    return replace(seen, calls=[call for call in seen.calls if call.what != "S" or call.path not in folders])


def _demand_all_seen(root: str, calls: Iterable[Call]) -> None:
    disk = Disk(root)
    for call in calls:
        disk.apply(call)
    for path, told in disk.whole().items():
        if told is not None and not path.endswith("-shm") and Path(path).read_bytes() != told:
            raise RuntimeError(f"{path} is otherwise than the calls that were seen made it")


def points(calls: Sequence[Call], most: int, seed: int) -> Collection[int]:
    """After which calls to cut: all; or so many, a third after the warehouse was asked, and a third before a sync."""
    changing = [number for number, call in enumerate(calls) if not call.path.endswith(MARKS)]
    if most >= len(changing):
        return changing
    chance = random.Random(seed)  # noqa: S311 - a reproducible draw
    asked = [number for number in changing if number and calls[number - 1].data.startswith(ASKED)]
    before = [number - 1 for number in changing if calls[number].what == "S" and number]
    return {one for some in (asked, before, changing) for one in chance.sample(some, min(len(some), most // 3))}


def around_names(calls: Sequence[Call]) -> Collection[int]:
    """After each new name, and after the call that follows: where a start is cut in the middle."""
    named = [number for number, call in enumerate(calls) if call.what in "CR"]
    return {number + aside for number in named for aside in (0, 1) if number + aside < len(calls)}


def cut(seen: Watched, at: Collection[int], seed: int) -> Found:
    """Cut after each of these calls, in every way."""
    found, disk, promised = Found(), Disk(seen.root), Promises()
    chosen = frozenset(at)
    with _place() as name:
        for number, call in enumerate(seen.calls):
            if call.path.endswith(MARKS):
                promised.hear(call.data, seen.final)
            else:
                disk.apply(call)
            if number in chosen:
                _end(disk, seen, promised, random.Random(f"{seed}-{number}"), found, Path(name))  # noqa: S311
    return found


def cut_by_many(seen: Watched, at: Collection[int], seed: int, processes: int, show: Callable[[int], None]) -> Found:
    """The same, shared out."""
    numbers, found = sorted(at), Found()
    shares = [numbers[start :: processes * 8] for start in range(processes * 8)]
    with ProcessPoolExecutor(processes) as pool:
        for one in pool.map(partial(_cut_share, seen, seed), shares):
            found.add(one)
            show(found.points)
    return found


def _cut_share(seen: Watched, seed: int, at: Collection[int]) -> Found:
    return cut(seen, at, seed)


def _end(disk: Disk, seen: Watched, promised: Promises, chance: random.Random, found: Found, place: Path) -> None:
    found.points += 1
    for ending, image in endings(disk, chance):
        with tempfile.TemporaryDirectory(dir=place) as name:
            laid(image, seen.root, Path(name))
            found.disks[ending] += 1
            found.faults.update((ending, fault) for fault in faults(Path(name) / STATE, promised, seen.final))


def _place() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(dir=FAST if FAST.is_dir() else None)
