"""Cuts the power after every call of what was watched, and tells what the appliance finds each time."""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from bench.powercut.calls import Call, watched
from bench.powercut.disk import Disk, Image, laid
from bench.powercut.endings import endings
from bench.powercut.opened import Final, Promises, faults, final_of
from bench.powercut.writer import STATE, TOLD
from edge.records.evidence.index import EVIDENCE

FAST = Path("/dev/shm")  # memory: thousands of disks are laid out  # noqa: S108
MARKS = f"/{TOLD}"
ASKED = b'["asked"'
SHARE, SHARES = 200, 8  # calls in a process's piece of work, at the most; pieces for each, at the least
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
    different: int = 0  # disks, or what was promised before
    disks: Counter[str] = field(default_factory=Counter)  # by ending
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)  # by ending and what was wrong

    def add(self, other: Found) -> None:
        """Take another's figures in."""
        self.points += other.points
        self.different += other.different
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
    if names := disk.whole().keys() ^ {str(path) for path in Path(root).rglob("*")}:
        raise RuntimeError(f"{sorted(names)}: there, or not, otherwise than the calls that were seen made it")
    for path, told in disk.whole().items():
        if told is not None and not path.endswith("-shm") and Path(path).read_bytes() != told:
            raise RuntimeError(f"{path} is otherwise than the calls that were seen made it")


def points(calls: Sequence[Call], most: int, seed: int) -> Collection[int]:
    """After which calls to cut: all; or so many, a quarter each of any, and of those where most is at stake."""
    changing = [number for number, call in enumerate(calls) if not call.path.endswith(MARKS)]
    if most >= len(changing):
        return changing
    chance = random.Random(seed)  # noqa: S311 - a reproducible draw
    asked = [number for number in changing if number and calls[number - 1].data.startswith(ASKED)]
    before = [number - 1 for number in changing if calls[number].what == "S" and number]
    pictures = [number for number in changing if f"/{EVIDENCE}/" in calls[number].path]
    kinds = (asked, before, pictures, changing)
    return {one for some in kinds for one in chance.sample(some, min(len(some), most // len(kinds)))}


def at_the_start(calls: Sequence[Call]) -> Collection[int]:
    """After each new name, and after the call that follows, until the first promise."""
    first = next(number for number, call in enumerate(calls) if call.path.endswith(MARKS) and call.what == "W")
    named = [number for number, call in enumerate(calls[:first]) if call.what in "CMR"]
    return {number + aside for number in named for aside in (0, 1)}


class Judged:
    """Disks as they were laid out and judged; what is the same again, byte by byte and by promise, is so again."""

    def __init__(self, seen: Watched, place: Path) -> None:
        self._seen, self._place = seen, place
        self._known: dict[Hashable, Sequence[str]] = {}

    def __len__(self) -> int:
        """How many were different."""
        return len(self._known)

    def faults(self, image: Image, promised: Promises) -> Sequence[str]:
        """What is wrong with one."""
        key = promised.heard, *((path, hash(told)) for path, told in sorted(image.items()))
        if key not in self._known:
            with tempfile.TemporaryDirectory(dir=self._place) as name:
                laid(image, self._seen.root, Path(name))
                self._known[key] = tuple(faults(Path(name) / STATE, promised, self._seen.final))
        return self._known[key]


def cut(seen: Watched, at: Collection[int], seed: int) -> Found:
    """Cut after each of these calls, in every way."""
    found, disk, promised = Found(), Disk(seen.root), Promises()
    chosen = frozenset(at)
    with _place() as name:
        judged = Judged(seen, Path(name))
        for number, call in enumerate(seen.calls):
            if call.path.endswith(MARKS):
                promised.hear(call.data, seen.final)
            else:
                disk.apply(call)
            if number in chosen:
                found.points += 1
                for ending, image in endings(disk, random.Random(f"{seed}-{number}")):  # noqa: S311
                    found.disks[ending] += 1
                    found.faults.update((ending, fault) for fault in judged.faults(image, promised))
        found.different = len(judged)
    return found


def cut_by_many(seen: Watched, at: Collection[int], seed: int, processes: int, show: Callable[[Found], None]) -> Found:
    """The same, shared out: calls that follow one another to one process, for their disks are often the same."""
    numbers, found = sorted(at), Found()
    size = max(1, min(SHARE, len(numbers) // (processes * SHARES)))
    shares = [numbers[start : start + size] for start in range(0, len(numbers), size)]
    random.Random(seed).shuffle(shares)  # noqa: S311 - so that what is left takes as long as what is done
    with ProcessPoolExecutor(processes) as pool:
        for one in pool.map(partial(_cut_share, seen, seed), shares):
            found.add(one)
            show(found)
    return found


def _cut_share(seen: Watched, seed: int, at: Collection[int]) -> Found:
    return cut(seen, at, seed)


def _place() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(dir=FAST if FAST.is_dir() else None)
