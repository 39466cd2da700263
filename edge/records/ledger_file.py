"""A lane's ledger: one SQLite file, written ahead (WAL), in which journal and outbox lie together."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from edge.core.errors import LedgerRefused
from edge.records import outbox_table

FILE = "ledger.sqlite"
OF_FIRE_TESTS = "kind IN ('FireShot', 'FireResult')"  # few among millions: an index holds these alone
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS journal (
    entry INTEGER PRIMARY KEY, wall_ns INTEGER NOT NULL, kind TEXT NOT NULL, item TEXT, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS journal_item ON journal (item, entry);
CREATE INDEX IF NOT EXISTS journal_fire ON journal (entry) WHERE {OF_FIRE_TESTS};
CREATE INDEX IF NOT EXISTS journal_lots ON journal (entry) WHERE kind IN ('LotHold', 'LotRelease');
CREATE INDEX IF NOT EXISTS journal_calibrations ON journal (entry) WHERE kind = 'CalibrationsInForce';
CREATE INDEX IF NOT EXISTS journal_scales ON journal (entry) WHERE kind = 'ScaleLearnt';
CREATE TRIGGER IF NOT EXISTS journal_no_update BEFORE UPDATE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS journal_no_delete BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
"""

Entry = tuple[str, str | None, Mapping[str, Any]]
"""Kind, item and body of one journal entry."""
Owed = tuple[str, Mapping[str, Any]]
"""Name and fields of one request to the warehouse."""


def opened(folder: Path) -> sqlite3.Connection:
    """A connection for one thread that writes.

    Raises:
        LedgerRefused: the folder cannot be written, or what lies there is no ledger.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        base = sqlite3.connect(folder / FILE, timeout=10, check_same_thread=False)
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("PRAGMA synchronous=FULL")
        base.executescript(SCHEMA)
        outbox_table.make(base)
    except (OSError, sqlite3.Error) as error:
        raise LedgerRefused(
            f"{folder}: cannot be written ({error}): make room, mount it to be written, or give it to this user."
        ) from error
    return base


def reading(folder: Path) -> closing[sqlite3.Connection]:
    """A lane's ledger, to be read alone."""
    return closing(sqlite3.connect(f"file:{folder / FILE}?mode=ro", uri=True))


def enter(base: sqlite3.Connection, entries: Iterable[Entry]) -> None:
    """Write entries into the journal, in the transaction that is open: the only place that does."""
    wall_ns = time.time_ns()
    rows = [(wall_ns, kind, item, json.dumps(body)) for kind, item, body in entries]
    base.executemany("INSERT INTO journal (wall_ns, kind, item, body) VALUES (?, ?, ?, ?)", rows)


def owe(base: sqlite3.Connection, requests: Iterable[Owed]) -> None:
    """Write requests into the outbox, each once, in the transaction that is open; an order line's in their order."""
    for request, body in requests:
        line = body.get("order_line") or request
        base.execute(
            "INSERT INTO outbox (request, body, written_wall_ns, item, line, state) SELECT ?, ?, ?, ?, ?,"
            " CASE WHEN EXISTS (SELECT 1 FROM outbox WHERE line = ? AND state = 'next') THEN 'behind' ELSE 'next' END"
            " WHERE true ON CONFLICT (request) DO NOTHING",
            (request, json.dumps(body), time.time_ns(), body.get("item"), line, line),
        )
