"""Holds what stays of days that were put away against their bridge, and the archive against both."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from hashlib import file_digest
from pathlib import Path
from typing import Any

from edge.core.chain_check import Break, Kind
from edge.core.errors import ArchiveRefused
from edge.records import segments
from edge.records.bridge import Bridge, Kept, bridge_of
from edge.records.ledger_file import PUT_AWAY
from edge.records.raw import Known, Raw

MOST = 1000  # faults that are told


class KeptProof:
    """The entries that stay below a bridge are those that it names."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge, self._kept = bridge, Kept()

    def take(self, entry: int, digest: bytes, hashed: bytes | None) -> None:
        """The next one that is there."""
        self._kept.take(entry, digest, hashed)

    def ended(self) -> Iterator[Break]:
        """What does not fit."""
        bridge = self._bridge
        if (self._kept.count, self._kept.hex()) != (bridge.kept, bridge.digest):
            told = f"{self._kept.count} entries stay, {bridge.kept} were to: they are not all what they were"
            yield Break(Kind.PUT_AWAY, 1, bridge.to, f"{told}; with --archive it is told which")


class ArchiveProof:
    """Reads the segments of a journal in their order, and holds their files against the bridges."""

    def __init__(self, folder: Path, base: sqlite3.Connection, bridge: Bridge) -> None:
        """Take the folder, the ledger (whose texts come as bytes), and the bridge that counts."""
        self._folder, self._bridge = folder, bridge
        self._ledger = _identity(base)
        self._sha256: dict[str, str] = {}  # file → of its bytes
        self._named: list[Bridge] = []
        self._breaks: list[Break] = []
        for entry, body in base.execute("SELECT entry, body FROM journal WHERE kind = ?", (PUT_AWAY,)):
            self._note(entry, bytes(body))

    def rows(self) -> Iterator[Raw]:
        """Every entry from 1 to the bridge; what is missing or damaged is told at the end."""
        after = 0
        there = self._there()
        while after < self._bridge.to:
            path = there.get(after + 1)
            if path is None:
                following = min((first for first in there if first > after), default=self._bridge.to + 1)
                self._tell(after + 1, following - 1, f"no segment in {self._folder} begins with entry {after + 1}")
                after = following - 1
                continue
            after = int(path.name.split("-")[-1].partition(".")[0])
            yield from self._segment(path)

    def beside(self, rows: Iterable[Known], stays: Iterator[Known]) -> None:
        """Hold what stays in the ledger against the archive's entries, both in order."""
        one = next(stays, None)
        for row in rows:
            while one and one[0] < row[0]:
                self._tell(one[0], one[0], "put in: the archive has no such entry")
                one = next(stays, None)
            if one and one[0] == row[0]:
                if one != row:
                    self._tell(one[0], one[0], "is another in the archive")
                one = next(stays, None)

    def ended(self) -> Iterator[Break]:
        """What does not fit."""
        yield from self._breaks
        for bridge in self._named:
            if self._sha256.get(bridge.file, bridge.sha256) != bridge.sha256:
                yield Break(Kind.PUT_AWAY, bridge.to, bridge.to, f"{bridge.file} is not the file that was written")

    def _there(self) -> dict[int, Path]:
        try:
            return segments.found(self._folder, self._ledger)
        except OSError as error:
            self._tell(1, self._bridge.to, f"{self._folder}: cannot be read ({error.strerror}): is it mounted?")
            return {}

    def _segment(self, path: Path) -> Iterator[Raw]:
        try:
            with path.open("rb") as file:
                self._sha256[path.name] = file_digest(file, "sha256").hexdigest()
            head, rows = segments.opened(path)
            for entry, wall_ns, kind, item, body, hashed in rows:
                if kind == PUT_AWAY:
                    self._note(entry, body.encode())
                told = None if item is None else bytearray(item.encode())
                yield entry, wall_ns, bytearray(kind.encode()), told, bytearray(body.encode()), hashed
        except (ArchiveRefused, OSError, UnicodeEncodeError) as error:
            self._tell(0, 0, str(error))
        else:
            if path.name != head.name:
                self._tell(head.first, head.last, f"{path.name} says that it is {head.name}")

    def _note(self, entry: int, body: bytes) -> None:
        try:
            self._named.append(bridge_of(entry, body))
        except ValueError as error:
            self._tell(entry, entry, str(error))

    def _tell(self, first: int, last: int, told: str) -> None:
        if len(self._breaks) < MOST:
            self._breaks.append(Break(Kind.PUT_AWAY, first, last, told))


def _identity(base: sqlite3.Connection) -> str:
    """Which journal this is, by its first entry; base: whose texts come as bytes."""
    asked = "SELECT entry, wall_ns, kind, item, body, hash FROM journal ORDER BY entry LIMIT 1"
    entry, wall_ns, kind, item, body, hashed = base.execute(asked).fetchone()
    told = [one if one is None else _text(one) for one in (kind, item, body)]
    try:
        return segments.identity((entry, wall_ns, told[0] or "", told[1], told[2] or "", hashed))
    except ArchiveRefused:
        return ""


def _text(value: Any) -> str:
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | bytearray) else json.dumps(value)
