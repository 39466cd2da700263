"""What may lie on the disk when the power is gone, from all that was written to hardly any of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from bench.powercut.calls import Call
from bench.powercut.disk import Disk, Image, Naming, Node, content, pieces

SECTOR, PAGE = 512, 4096  # bytes
STALE = bytes(range(1, 256))  # what lay there before

Ending = Callable[[Disk, random.Random], Image]


def endings(disk: Disk, chance: random.Random) -> Iterator[tuple[str, Image]]:
    """By name; where all is certain there is but one."""
    yield KILLED, ENDINGS[KILLED](disk, chance)
    if not disk.settled:
        yield from ((name, ending(disk, chance)) for name, ending in ENDINGS.items() if name != KILLED)


def _all(_naming: Naming) -> bool:
    return True


def _none(_naming: Naming) -> bool:
    return False


def _some(chance: random.Random) -> Callable[[Naming], bool]:
    return lambda _naming: chance.random() < 0.5


def _any_names(chance: random.Random) -> Callable[[Naming], bool]:
    return chance.choice((_all, _none, _some(chance)))


def _killed(disk: Disk, _chance: random.Random) -> Image:
    return disk.image(_all, lambda node: node.late)


def _synced(disk: Disk, _chance: random.Random) -> Image:
    return disk.image(_none, lambda _node: ())


def _nameless(disk: Disk, _chance: random.Random) -> Image:
    return disk.image(_none, lambda node: node.late)


def _in_order(disk: Disk, chance: random.Random) -> Image:
    """Each file's writes up to one of them, that one torn."""
    return disk.image(_any_names(chance), lambda node: _torn(node.late, chance))


def _torn(late: list[Call], chance: random.Random) -> list[Call]:
    parts = [part for call in late for part in pieces(call, SECTOR)]
    return parts[: chance.randint(0, len(parts))]


def _scattered(size: int, disk: Disk, chance: random.Random) -> Image:
    """Any sectors, in any order."""

    def some(node: Node) -> Iterable[Call]:
        return [part for call in node.late for part in pieces(call, size) if chance.random() < 0.5]

    return disk.image(_any_names(chance), some)


def _newest(disk: Disk, chance: random.Random) -> Image:
    """The last write of each file, and none before it."""
    return disk.image(_any_names(chance), lambda node: node.late[-1:])


def _length_alone(filler: bytes, disk: Disk, chance: random.Random) -> Image:
    """Files have grown, but what lies in the new part was never written there."""

    def grown(node: Node) -> Iterable[Call]:
        begin, end = len(node.certain), len(content(node, node.late))
        return [Call("W", "", begin, data=(filler * (end - begin))[: end - begin])] if end > begin else []

    return disk.image(_any_names(chance), grown)


KILLED = "process killed"
ENDINGS: Mapping[str, Ending] = {
    KILLED: _killed,
    "only what was synced": _synced,
    "names not synced": _nameless,
    "in order, the last torn": _in_order,
    "any sectors of 512": partial(_scattered, SECTOR),
    "any sectors of 4096": partial(_scattered, PAGE),
    "the newest write alone": _newest,
    "lengths without data: zeros": partial(_length_alone, bytes(1)),
    "lengths without data: stale": partial(_length_alone, STALE),
}
