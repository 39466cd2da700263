"""A disk as POSIX promises it: certain is what was synced; of the rest any part may have come to it, in any order.

A file's data are certain once the file was synced, its name once its folder was. A sector is written whole or not at
all; a file that changes its folder is in the one or in the other, which is there with it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.powercut.calls import Call

NAMING = frozenset("CLMRU")


@dataclass(slots=True)
class Node:
    """A file, or a folder."""

    is_folder: bool = False
    certain: bytes = b""  # what was synced
    late: list[Call] = field(default_factory=list)  # what was done to it since


@dataclass(frozen=True, slots=True, eq=False)
class Naming:
    """A name that was given, changed or taken away."""

    call: Call
    node: Node


Names = dict[str, Node]
Image = Mapping[str, bytes | None]
"""What lies on a disk: path → a file's bytes; None: a folder."""


class Disk:
    """What is below one folder, which is certain itself."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._names: Names = {}  # as the process sees them
        self._certain: Names = {}
        self._late: list[Naming] = []

    def apply(self, call: Call) -> None:
        """The process has done this."""
        if call.what in NAMING:
            node = self._names[call.path] if call.what == "L" else Node(call.what == "M")
            self._late.append(Naming(call, node))
            _name(self._names, self._late[-1])
        elif call.what == "S":
            self._sync(call.path)
        elif written := self._names.get(call.path):  # else it is unlinked
            written.late.append(call)

    @property
    def settled(self) -> bool:
        """Whether all of it is certain."""
        return not self._late and not any(node.late for node in self._names.values())

    def whole(self) -> Image:
        """As the process sees it."""
        return self.image(lambda _: True, lambda node: node.late)

    def image(self, names: Callable[[Naming], bool], written: Callable[[Node], Iterable[Call]]) -> Image:
        """What lies there when of what is late these names have come to the disk, and these writes."""
        known = dict(self._certain)
        for naming in filter(names, self._late):
            if _above(naming) == self._root or _above(naming) in known:
                _name(known, naming)
        reached = {path: node for path, node in known.items() if self._is_reached(path, known)}
        return {path: None if node.is_folder else content(node, written(node)) for path, node in reached.items()}

    def _is_reached(self, path: str, known: Names) -> bool:
        """Whether every folder above it is there."""
        above = _parent(path)
        return above == self._root or (above in known and self._is_reached(above, known))

    def _sync(self, path: str) -> None:
        if path == self._root or ((node := self._names.get(path)) and node.is_folder):
            here = [naming for naming in self._late if _folder(naming) == path]
            into = {_above(naming) for naming in here} - {path}
            self._settle([naming for naming in self._late if naming in here or naming.call.path in into])
        elif node:
            node.certain = content(node, node.late)
            node.late.clear()

    def _settle(self, here: Collection[Naming]) -> None:
        """These are certain, and with them what became of the same names before."""
        settled: list[Naming] = []
        names: set[str] = set()
        for naming in reversed(self._late):
            if naming in here or names & _paths(naming):
                settled.append(naming)
                names |= _paths(naming)
        for naming in reversed(settled):
            _name(self._certain, naming)
        self._late = [naming for naming in self._late if naming not in settled]


def content(node: Node, late: Iterable[Call]) -> bytes:
    """A file's bytes with these calls done to what is certain."""
    calls = tuple(late)
    if not calls:
        return node.certain
    told = bytearray(node.certain)
    for call in calls:
        end = call.length if call.what == "T" else call.where
        told.extend(bytes(max(0, end - len(told))))
        if call.what == "T":
            del told[end:]
        else:
            told[end : end + len(call.data)] = call.data
    return bytes(told)


def laid(image: Image, root: str, place: Path) -> None:
    """Lay what is in an image below a folder."""
    for path in sorted(image):
        at, told = place / path.removeprefix(f"{root}/"), image[path]
        if told is None:
            at.mkdir()
        else:
            at.touch(0o600)
            at.write_bytes(told)


def pieces(call: Call, size: int) -> Iterator[Call]:
    """A call in parts that a disk takes whole: one a sector; what is no write is one part."""
    if call.what != "W":
        yield call
        return
    start, end = call.where, call.where + len(call.data)
    while start < end:
        stop = min(end, (start // size + 1) * size)
        yield Call("W", call.path, start, data=call.data[start - call.where : stop - call.where])
        start = stop


def _folder(naming: Naming) -> str:
    """The one that is to be synced: of a file that leaves it, the one in which it was."""
    return _parent(naming.call.other if naming.call.what == "L" else naming.call.path)


def _above(naming: Naming) -> str:
    """The folder in which its last name is: where that is not, no file can have come there."""
    return _parent(naming.call.other or naming.call.path)


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _paths(naming: Naming) -> set[str]:
    return {naming.call.path, naming.call.other} - {""}


def _name(names: Names, naming: Naming) -> None:
    call = naming.call
    if call.what in "CML":
        names[call.other or call.path] = naming.node
    elif call.what == "U":
        names.pop(call.path, None)
    elif call.path in names:
        names[call.other] = names.pop(call.path)
