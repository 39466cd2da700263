"""A lane's ledger: one SQLite file, written ahead (WAL), in which journal and outbox lie together.

The journal is a chain (`core.chain`). A release that knows nothing of it may write in between, after a rollback: such
entries lack a hash, and the next one that has one says so (`ChainBegun`).
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from edge.core.chain import BEGINNING, content, link
from edge.core.errors import LedgerRefused
from edge.disk import made
from edge.records import outbox_table

FILE = "ledger.sqlite"
OF_FIRE_TESTS = "kind IN ('FireShot', 'FireResult')"  # few among millions: an index holds these alone
ORDERED = ("order_line", "wms_item", "gtin", "lot", "seller")  # by which items are found


def said(path: str) -> str:
    """What a body says at a path, in SQL, as the indices have it; a body that is no JSON (NaN) can be entered, too."""
    return f"json_extract(CASE WHEN json_valid(body) THEN body END, '$.{path}')"


OF_ORDERS = "".join(
    f"CREATE INDEX IF NOT EXISTS journal_{name} ON journal ({said(f'expected.{name}')})"
    f" WHERE kind = 'Item' AND {said(f'expected.{name}')} IS NOT NULL;\n"
    for name in ORDERED
)
ACTS = (
    *("PersonActed", "Complaint", "Disputed", "ChallengeResult", "FireResult", "LotRelease", "ReferencesChanged"),
    *("RequestRevived", "RequestClosed", "DaemonStarted", "DaemonStopped", "SettingsRead", "CalibrationFound"),
    *("CalibrationsInForce", "ChainBegun"),
)
OF_ACTS = f"kind IN {ACTS}"
SEALED, STARTED = "Sealed", "DaemonStarted"
OF_SEALS = f"kind = '{SEALED}'"
BEGUN = "ChainBegun"  # kind of the entry that says which before it have no hash
PUT_AWAY = "LedgerPutAway"  # kind of the entry that stands for all before another that is in the archive now
VERSION = 1  # of the schema: to be raised where a release that knows the one before could no longer write
ADDED = (("journal", "hash", "BLOB"),)  # columns that a ledger of an earlier release lacks
TRIGGERS = {
    f"journal_no_{deed.lower()}": f"CREATE TRIGGER journal_no_{deed.lower()} BEFORE {deed} ON journal"
    "\n    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
    for deed in ("UPDATE", "DELETE")
}
NO_DELETE = "journal_no_delete"
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS journal (
    entry INTEGER PRIMARY KEY, wall_ns INTEGER NOT NULL, kind TEXT NOT NULL, item TEXT, body TEXT NOT NULL, hash BLOB);
CREATE INDEX IF NOT EXISTS journal_item ON journal (item, entry);
CREATE INDEX IF NOT EXISTS journal_fire ON journal (entry) WHERE {OF_FIRE_TESTS};
CREATE INDEX IF NOT EXISTS journal_lots ON journal (entry) WHERE kind IN ('LotHold', 'LotRelease');
CREATE INDEX IF NOT EXISTS journal_calibrations ON journal (entry) WHERE kind = 'CalibrationsInForce';
CREATE INDEX IF NOT EXISTS journal_seals ON journal (entry) WHERE {OF_SEALS};
CREATE INDEX IF NOT EXISTS journal_starts ON journal (entry) WHERE kind = '{STARTED}';
CREATE INDEX IF NOT EXISTS journal_acts ON journal (entry) WHERE {OF_ACTS};
CREATE INDEX IF NOT EXISTS journal_scales ON journal (entry) WHERE kind = 'ScaleLearnt';
CREATE INDEX IF NOT EXISTS journal_disputed ON journal (entry) WHERE kind = 'Disputed';
CREATE INDEX IF NOT EXISTS journal_complaints ON journal (entry) WHERE kind = 'Complaint';
CREATE INDEX IF NOT EXISTS journal_put_away ON journal (entry) WHERE kind = '{PUT_AWAY}';
CREATE INDEX IF NOT EXISTS journal_items ON journal (wall_ns, item) WHERE kind = 'Item';
CREATE INDEX IF NOT EXISTS journal_ends ON journal ({said("end")}, item) WHERE kind = 'ItemEnd';
CREATE INDEX IF NOT EXISTS journal_verdicts
    ON journal ({said("disposition")}, item) WHERE kind = 'Verdict';
{OF_ORDERS}
{";".join(TRIGGERS.values()).replace("TRIGGER", "TRIGGER IF NOT EXISTS")};
CREATE TABLE IF NOT EXISTS sealing (line TEXT NOT NULL);
"""

Entry = tuple[str, str | None, Mapping[str, Any]]
"""Kind, item and body of one journal entry."""
Row = tuple[int, int, str, str | None, str, bytes | None]
"""An entry as it stands: number, wall clock ns, kind, item, body, hash; None: of a release without a chain."""
Owed = tuple[str, Mapping[str, Any]]
"""Name and fields of one request to the warehouse."""


def opened(folder: Path) -> sqlite3.Connection:
    """A connection for one thread that writes.

    Raises:
        LedgerRefused: the folder cannot be written, or what lies there is no ledger, or one of a newer release.
    """
    try:
        made(folder)
        base = sqlite3.connect(folder / FILE, timeout=10, check_same_thread=False)
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("PRAGMA synchronous=FULL")
        _demand_known(base, folder)
        _migrate(base)
        begun = base.execute("SELECT 1 FROM sqlite_master WHERE name = 'journal'").fetchone()
        base.executescript(SCHEMA if begun else f"BEGIN IMMEDIATE;{SCHEMA}COMMIT;")  # a long one can be cut short
        outbox_table.make(base)
        _chain(base)
    except (OSError, sqlite3.Error) as error:
        raise LedgerRefused(
            f"{folder}: cannot be written ({error}): make room, mount it to be written, or give it to this user."
        ) from error
    return base


def reading(folder: Path) -> closing[sqlite3.Connection]:
    """A lane's ledger, to be read alone."""
    return closing(read_only(folder))


def read_only(folder: Path) -> sqlite3.Connection:
    """The same, to be closed by whoever asks; of a medium that cannot be written SQLite must be told."""
    base = sqlite3.connect(f"file:{folder / FILE}?mode=ro", uri=True)
    try:
        base.execute("SELECT 1 FROM sqlite_master LIMIT 1")
    except sqlite3.OperationalError:
        ahead = folder / f"{FILE}-wal"
        if os.access(folder, os.W_OK) or (ahead.exists() and ahead.stat().st_size):
            return base
        base.close()
        base = sqlite3.connect(f"file:{folder / FILE}?immutable=1", uri=True)
    return base


def enter(base: sqlite3.Connection, entries: Iterable[Entry]) -> None:
    """Write entries into the journal, in the transaction that is open, or in one that begins: the only place that does.

    Whoever reads the chain's end must be the only one who may add to it: the transaction is one that writes.
    """
    if not base.in_transaction:
        base.execute("BEGIN IMMEDIATE")
    number, hashed = _end(base)
    wall_ns, rows = time.time_ns(), []
    for place, (kind, item, body) in enumerate(entries, number + 1):
        told = json.dumps(body)
        of_item = None if item is None else item.encode()
        hashed = link(hashed, place, content(wall_ns, kind.encode(), of_item, told.encode()))
        rows.append((place, wall_ns, kind, item, told, hashed))
    _insert(base, rows)


def take_out(base: sqlite3.Connection, entries: Iterable[int]) -> None:
    """Delete entries, in the transaction that is open: the only place that does; without it the ledger forbids it."""
    base.execute(f"DROP TRIGGER {NO_DELETE}")
    base.executemany("DELETE FROM journal WHERE entry = ?", ((entry,) for entry in entries))
    base.execute(TRIGGERS[NO_DELETE])


def bring_back(base: sqlite3.Connection, rows: Iterable[Row]) -> None:
    """Put entries into a new ledger as they stood in another, in the transaction that is open."""
    _insert(base, rows)


def end(base: sqlite3.Connection) -> tuple[int, bytes | None]:
    """Number and hash of the last entry; None: it was written by a release that makes no chain."""
    row = base.execute("SELECT entry, hash FROM journal ORDER BY entry DESC LIMIT 1").fetchone()
    return (int(row[0]), row[1]) if row else (0, BEGINNING)


def _end(base: sqlite3.Connection) -> tuple[int, bytes]:
    """The same, after what lacks a hash was taken into the chain."""
    number, hashed = end(base)
    return (number, hashed) if hashed is not None else _adopt(base)


def _adopt(base: sqlite3.Connection) -> tuple[int, bytes]:
    """Take the last entries, which have no hash, into the chain as they are, by an entry that says so."""
    known = base.execute("SELECT entry, hash FROM journal WHERE hash IS NOT NULL ORDER BY entry DESC LIMIT 1")
    before, hashed = known.fetchone() or (0, BEGINNING)
    asked = (
        "SELECT entry, wall_ns, CAST(kind AS BLOB), CAST(item AS BLOB), CAST(body AS BLOB) FROM journal"
        " WHERE entry > ? ORDER BY entry"
    )
    number = before
    for number, *said in base.execute(asked, (before,)):
        hashed = link(hashed, number, content(*said))
    told = json.dumps({"from": before + 1, "to": number, "hash": hashed.hex(), "because": "written without a chain"})
    row = (number + 1, time.time_ns(), BEGUN, None, told)
    hashed = link(hashed, number + 1, content(row[1], BEGUN.encode(), None, told.encode()))
    _insert(base, [(*row, hashed)])
    return number + 1, hashed


def _insert(base: sqlite3.Connection, rows: Iterable[Row]) -> None:
    base.executemany("INSERT INTO journal (entry, wall_ns, kind, item, body, hash) VALUES (?, ?, ?, ?, ?, ?)", rows)


def _demand_known(base: sqlite3.Connection, folder: Path) -> None:
    version = base.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise LedgerRefused(
            f"{folder / FILE}: made by a newer release (schema {version}, this one knows {VERSION}): run that release, "
            "or name another folder as state."
        )


def _migrate(base: sqlite3.Connection) -> None:
    """Give a ledger of an earlier release the columns of this one; two may try at once."""
    if base.execute("PRAGMA user_version").fetchone()[0] == VERSION:
        return
    with base:
        base.execute("BEGIN IMMEDIATE")
        for table, column, kind in ADDED:
            there = {row[1] for row in base.execute(f"PRAGMA table_info({table})")}
            if there and column not in there:
                base.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
        base.execute(f"PRAGMA user_version={VERSION}")


def _chain(base: sqlite3.Connection) -> None:
    """Take what a release without a chain has written into it."""
    if end(base)[1] is None:
        with base:
            enter(base, ())


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
