"""Holds the ledger's file against how this release makes it: what guards the journal, and its indices."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from edge.core.chain_check import Break, Kind
from edge.core.errors import LedgerRefused
from edge.records.ledger_file import FILE, SCHEMA, TRIGGERS, VERSION, read_only

MOST_FAULTS = 20  # of SQLite's own, told


def of_the_file(base: sqlite3.Connection, *, whole: bool) -> Iterator[Break]:
    """What keeps the journal append-only is there, and indices are what they were, and say what the tables do."""
    triggers, indices = _made(base, "trigger"), _made(base, "index")
    for name, sql in TRIGGERS.items():
        if triggers.get(name) != sql:
            yield Break(Kind.FILE, 0, 0, f"the trigger {name}, which forbids changes, is missing or another")
    for name in triggers.keys() - TRIGGERS.keys():
        yield Break(Kind.FILE, 0, 0, f"the trigger {name} is none of the ledger's")
    with closing(sqlite3.connect(":memory:")) as new:
        new.executescript(SCHEMA)
        for name, sql in _made(new, "index").items():
            if indices.get(name, sql) != sql:
                yield Break(Kind.FILE, 0, 0, f"the index {name} is another than it was")
    for (fault,) in base.execute(f"PRAGMA integrity_check({MOST_FAULTS})") if whole else ():
        if fault != b"ok":
            yield Break(Kind.FILE, 0, 0, f"{FILE}: {bytes(fault).decode(errors='replace')}")


def _made(base: sqlite3.Connection, kind: str) -> dict[str, str]:
    """Name → how it was made, of all of a kind in the schema."""
    rows = base.execute("SELECT name, sql FROM sqlite_master WHERE type = ? AND sql IS NOT NULL", (kind,))
    return {_text(name): _text(sql) for name, sql in rows}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else bytes(value).decode(errors="replace")


def ledger(state: Path) -> sqlite3.Connection:
    """The ledger to be read alone; a copy on a medium that cannot be written too.

    Raises:
        LedgerRefused: it is missing, or none that this release knows.
    """
    if not (state / FILE).is_file():
        raise LedgerRefused(f"{state}: there is no {FILE}: name a lane's settings, or a copy of its state.")
    try:
        base = read_only(state)
        base.text_factory = bytearray
        version = base.execute("PRAGMA user_version").fetchone()[0]
        columns = [bytes(row[1]) for row in base.execute("PRAGMA table_info(journal)")]
    except sqlite3.Error as error:
        raise LedgerRefused(
            f"{state / FILE}: no ledger, or a damaged one ({error}): restore it from a copy."
        ) from error
    if version > VERSION:
        raise LedgerRefused(f"{state / FILE}: made by a newer release: verify it with that.")
    if b"hash" not in columns:
        raise LedgerRefused(f"{state / FILE}: made by a release without a chain: start the daemon of this one once.")
    return base
