"""What the lake reads of a lane's ledger: bounded stretches of the journal, in short transactions."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.core.errors import LakeRefused
from edge.lake.columns import Odd
from edge.records.ledger_file import FILE, reading

CHUNK = 2_000  # entries read at a time: between two chunks the daemon may shorten its write-ahead log
ENTRY = "SELECT entry, wall_ns, kind, item, body FROM journal"
OF_AN_ITEM = "('Item', 'Verdict', 'DivertOutcome', 'ItemEnd')"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is exported at a time: what memory has to hold."""

    entries: int = 50_000
    bytes: int = 64_000_000  # of their bodies


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the journal, both ends included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it stands in the journal."""

    number: int
    wall_ns: int
    kind: str
    item: str | None
    text: str  # its body, JSON

    def body(self) -> dict[str, Any]:
        """What it says.

        Raises:
            Odd: it is no JSON table.
        """
        try:
            said = json.loads(self.text)
        except (ValueError, RecursionError) as error:
            raise Odd(f"no JSON: {error}") from error
        if not isinstance(said, dict):
            raise Odd("no table")
        return said

    def mark(self) -> str:
        """Tells this entry from any other of its number."""
        told = json.dumps([self.number, self.wall_ns, self.kind, self.item, self.text])
        return hashlib.sha256(told.encode()).hexdigest()


@dataclass(slots=True)
class InForce:
    """What the daemon runs with, as the entries go by: kind → number of the last entry that tells, and what it says."""

    said: dict[str, tuple[int, Mapping[str, Any]]] = field(default_factory=dict)

    @classmethod
    def at(cls, base: sqlite3.Connection, numbers: Mapping[str, int]) -> InForce:
        """As it stood after an earlier stretch, by the numbers of these entries."""
        found = {kind: entry(base, number) for kind, number in numbers.items()}
        return cls({kind: (one.number, one.body()) for kind, one in found.items() if one})

    def body(self, kind: str) -> Mapping[str, Any]:
        """What the last entry of a kind says; nothing where there was none."""
        return self.said.get(kind, (0, {}))[1]

    def numbers(self) -> dict[str, int]:
        """Which entries these are."""
        return {kind: number for kind, (number, _) in sorted(self.said.items())}


@contextmanager
def of(state: Path) -> Iterator[sqlite3.Connection]:
    """A lane's journal, to be read alone.

    Raises:
        LakeRefused: there is none, or it cannot be read.
    """
    if not (state / FILE).exists():
        raise LakeRefused(f"{state}: no journal lies there: has the lane's daemon ever run, and is this its machine?")
    try:
        with reading(state) as base:
            yield base
    except sqlite3.Error as error:
        raise LakeRefused(
            f"{state / FILE}: cannot be read ({error}): may this user read and write the folder, and is the disk sound?"
        ) from error


def head(base: sqlite3.Connection) -> int:
    """The journal's last entry; 0: it is empty."""
    return int(base.execute("SELECT COALESCE(MAX(entry), 0) FROM journal").fetchone()[0])


def ledger(base: sqlite3.Connection) -> str:
    """Which journal this is: a hash of its first entry."""
    first = base.execute(f"{ENTRY} ORDER BY entry LIMIT 1").fetchone()
    return Entry(*first).mark()[:8]


def entry(base: sqlite3.Connection, number: int) -> Entry | None:
    """One entry; None: the journal does not have it."""
    found = base.execute(f"{ENTRY} WHERE entry = ?", (number,)).fetchone()
    return Entry(*found) if found else None


def following(base: sqlite3.Connection, after: int, until: int, bounds: Bounds) -> Span | None:
    """The next stretch to export, within the bounds; None: there is nothing new."""
    sizes = base.execute(
        "SELECT entry, length(body) FROM journal WHERE entry > ? AND entry <= ? ORDER BY entry LIMIT ?",
        (after, until, bounds.entries),
    ).fetchall()
    last = room = 0
    for number, size in sizes:
        room += size
        if last and room > bounds.bytes:
            break
        last = number
    return Span(after + 1, last) if sizes else None


def read(base: sqlite3.Connection, span: Span) -> Iterator[Entry]:
    """The entries of a stretch in order."""
    after = span.first - 1
    while True:
        chunk = base.execute(
            f"{ENTRY} WHERE entry > ? AND entry <= ? ORDER BY entry LIMIT ?", (after, span.last, CHUNK)
        ).fetchall()
        yield from (Entry(*one) for one in chunk)
        if len(chunk) < CHUNK:
            return
        after = chunk[-1][0]


def story(base: sqlite3.Connection, item: str, until: int) -> list[Entry]:
    """What the journal said of an item's birth, verdict, divert and end until an entry, in order."""
    asked = f"{ENTRY} WHERE item = ? AND entry <= ? AND kind IN {OF_AN_ITEM} ORDER BY entry"
    return [Entry(*one) for one in base.execute(asked, (item, until)).fetchall()]


def evidence(base: sqlite3.Connection, item: str, until: int) -> list[Entry]:
    """What was found of an item until an entry, in order."""
    asked = f"{ENTRY} WHERE item = ? AND entry <= ? AND kind = 'Evidence' ORDER BY entry"
    return [Entry(*one) for one in base.execute(asked, (item, until)).fetchall()]
