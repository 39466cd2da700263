"""How large a ledger is, how far back it is whole, and how fast it grows."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from edge.records.bridge import Bridge, last_bridge, noted_bridge
from edge.records.ledger_file import reading

NS_PER_DAY = 86_400_000_000_000


@dataclass(frozen=True, slots=True)
class Size:
    """A ledger as it is now."""

    entries: int
    bytes: int  # of the file
    free_bytes: int  # of them, that nothing is in
    whole_from: int  # the first entry behind what was put away
    oldest_wall_ns: int  # of that entry
    newest_wall_ns: int
    whole: int  # entries from there on
    bridge: Bridge | None

    @property
    def days(self) -> float:
        """How far back it is whole."""
        return (self.newest_wall_ns - self.oldest_wall_ns) / NS_PER_DAY

    @property
    def bytes_per_day(self) -> float:
        """By the entries that are whole; 0: there are too few to say."""
        share = self.whole / self.entries if self.entries else 0.0
        return (self.bytes - self.free_bytes) * share / self.days if self.days > 0 else 0.0


def size(state: Path) -> Size:
    """As it is now; every entry that stays of what was put away is counted.

    Raises:
        sqlite3.Error, ValueError: there is no ledger, or it cannot be read.
    """
    with reading(state) as base:
        base.execute("BEGIN")
        bridge = last_bridge(base)
        page, pages, free = (base.execute(f"PRAGMA {one}").fetchone()[0] for one in PRAGMAS)
        after = bridge.to if bridge else 0
        first, last = (_end(base, after, way) for way in ("ASC", "DESC"))
        whole = last[0] - first[0] + 1 if last[0] else 0
        entries = whole + (bridge.kept if bridge else 0)
        return Size(entries, page * pages, page * free, first[0], first[1], last[1], whole, bridge)


PRAGMAS = ("page_size", "page_count", "freelist_count")


def _end(base: sqlite3.Connection, after: int, way: str) -> tuple[int, int]:
    """Number and time of the first or last entry behind one; zeros: there is none."""
    asked = f"SELECT entry, wall_ns FROM journal WHERE entry > ? ORDER BY entry {way} LIMIT 1"  # noqa: S608 - ours
    return base.execute(asked, (after,)).fetchone() or (0, 0)


def oldest_wall_ns(state: Path) -> int:
    """Since when every entry is there, wall clock; 0: there is none.

    Raises:
        sqlite3.Error, ValueError: as `size`.
    """
    with reading(state) as base:
        bridge = noted_bridge(base)
        return _end(base, bridge.to if bridge else 0, "ASC")[1]
