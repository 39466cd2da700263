"""Which entries of days that are put away stay in the ledger: what persons did, what is in force, what is still open.

An item stays or goes as a whole. It stays while a request for it is open, a picture of it is kept, somebody disputes
it, or a part of it stays anyway, or lies outside what is looked at.
"""

from __future__ import annotations

import sqlite3

from edge.records.ledger_file import ACTS, Row
from edge.records.outbox import LEFT
from edge.records.proof_outbox import STATES
from edge.records.proof_pictures import REMOVED
from edge.records.raw import table

ALWAYS = frozenset({*ACTS, "LotHold", "FireShot"})
SCALE, ACK, DIVERT = "ScaleLearnt", "DivertAck", "-divert"  # kinds; how the id of an item's command ends
FIRST = 1  # the entry that says which journal this is
PICTURED = "EXISTS (SELECT 1 FROM evidence WHERE item = :item AND gone = '')"
NEEDED = f"""
SELECT IFNULL(MIN(entry) <= :after OR MAX(entry) > :to, 0) OR {{pictured}}
    OR EXISTS (SELECT 1 FROM outbox WHERE item = :item AND {LEFT})
    OR EXISTS (SELECT 1 FROM journal WHERE item = :item AND kind = 'Disputed')
FROM journal WHERE item = :item"""  # noqa: S608 - each part by an index of its own


class Staying:
    """Says of each entry of a stretch whether it stays, as things are now."""

    def __init__(self, base: sqlite3.Connection, after: int, to: int) -> None:
        """Take the ledger, and the stretch: behind one entry, up to another."""
        self.leaving: set[str] = set()  # items that go
        self._base, self._span = base, {"after": max(after, FIRST), "to": to}
        self._staying: set[str] = set()
        has_pictures = base.execute("SELECT 1 FROM sqlite_master WHERE name = 'evidence'").fetchone()
        self._asked = NEEDED.format(pictured=PICTURED if has_pictures else "0")
        asked = f"SELECT MAX(entry) FROM journal WHERE kind = '{SCALE}'"  # noqa: S608 - ours
        self._scale = base.execute(asked).fetchone()[0]

    def __call__(self, row: Row) -> bool:
        """Whether an entry stays."""
        entry, _, kind, item, body, _ = row
        if entry == FIRST or kind in ALWAYS or entry == self._scale:
            return True
        if item is not None:
            return self.has(item)
        if kind == ACK:
            return self.has(str(table(body).get("command_id", "")).removesuffix(DIVERT))
        if kind == REMOVED:
            return any(self.has(item) for item in _items(body))
        return kind in STATES  # what was answered to a lot's hold

    def has(self, item: str) -> bool:
        """Whether an item stays."""
        if item not in self._staying and item not in self.leaving:
            needed = self._base.execute(self._asked, {"item": item, **self._span}).fetchone()[0]
            (self._staying if needed else self.leaving).add(item)
        return item in self._staying


def request_of(row: Row) -> str:
    """The request that an entry owes; empty: it owes none."""
    return str(table(row[4]).get("request_id", "")) if row[2] == "ReplacementRequest" else ""


def _items(body: str) -> list[str]:
    pictures = table(body).get("pictures")
    named = pictures if isinstance(pictures, list) else []
    return [str(one.get("item_id")) for one in named if isinstance(one, dict)]
