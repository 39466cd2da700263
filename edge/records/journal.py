"""The append-only journal and the outbox: one SQLite file, written ahead (WAL)."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from edge.core.errors import LedgerRefused

OF_FIRE_TESTS = "kind IN ('FireShot', 'FireResult')"  # few among millions: an index holds these alone
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS journal (
    entry INTEGER PRIMARY KEY, wall_ns INTEGER NOT NULL, kind TEXT NOT NULL, item TEXT, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS journal_item ON journal (item, entry);
CREATE INDEX IF NOT EXISTS journal_fire ON journal (entry) WHERE {OF_FIRE_TESTS};
CREATE INDEX IF NOT EXISTS journal_lots ON journal (entry) WHERE kind IN ('LotHold', 'LotRelease');
CREATE TABLE IF NOT EXISTS outbox (
    request TEXT PRIMARY KEY, body TEXT NOT NULL, written_wall_ns INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, answer TEXT);
CREATE INDEX IF NOT EXISTS outbox_open ON outbox (written_wall_ns) WHERE answer IS NULL;
CREATE INDEX IF NOT EXISTS journal_calibrations ON journal (entry) WHERE kind = 'CalibrationsInForce';
CREATE INDEX IF NOT EXISTS journal_scales ON journal (entry) WHERE kind = 'ScaleLearnt';
CREATE TRIGGER IF NOT EXISTS journal_no_update BEFORE UPDATE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS journal_no_delete BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
"""
FILE = "ledger.sqlite"
LITERALLY = str.maketrans({char: f"\\{char}" for char in "\\%_"})  # in a pattern of LIKE
ACK_ENTRIES = 20_000  # after a command: its answer is among them

Entry = tuple[str, str | None, Mapping[str, Any]]
"""Kind, item and body of one journal entry."""


class Journal:
    """One thread's connection to a lane's ledger file."""

    def __init__(self, folder: Path) -> None:
        """Open it, or begin it.

        Raises:
            LedgerRefused: the folder cannot be written, or what lies there is no ledger.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(folder / FILE, timeout=10, check_same_thread=False)
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute("PRAGMA synchronous=FULL")
            self._base.executescript(SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise LedgerRefused(
                f"{folder}: cannot be written ({error}): make room, mount it to be written, or give it to this user."
            ) from error

    def close(self) -> None:
        """Give the file back."""
        self._base.close()

    def append(self, entries: Iterable[Entry], owed: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Write entries, and the requests owed with them, in one transaction: both are on disk, or neither."""
        wall_ns = time.time_ns()
        rows = [(wall_ns, kind, item, json.dumps(body)) for kind, item, body in entries]
        requests = [(request, json.dumps(body), wall_ns) for request, body in owed]
        with self._base:
            self._base.executemany("INSERT INTO journal (wall_ns, kind, item, body) VALUES (?, ?, ?, ?)", rows)
            self._base.executemany(
                "INSERT OR IGNORE INTO outbox (request, body, written_wall_ns) VALUES (?, ?, ?)", requests
            )

    def unanswered(self) -> list[tuple[str, dict[str, Any]]]:
        """Requests that the warehouse has not answered, oldest first."""
        rows = self._base.execute(
            "SELECT request, body FROM outbox WHERE answer IS NULL ORDER BY written_wall_ns, rowid"
        )
        return [(request, json.loads(body)) for request, body in rows]

    def tried(self, request: str) -> None:
        """Count one more attempt to send a request."""
        with self._base:
            self._base.execute("UPDATE outbox SET attempts = attempts + 1 WHERE request = ?", (request,))

    def answered(self, request: str, answer: str) -> bool:
        """Keep the warehouse's first answer; False when the request is unknown or was answered before."""
        with self._base:
            changed = self._base.execute(
                "UPDATE outbox SET answer = ? WHERE request = ? AND answer IS NULL", (answer, request)
            )
        return changed.rowcount == 1


def entries(folder: Path) -> Iterator[tuple[int, str, str | None, dict[str, Any]]]:
    """Every entry of a lane's journal in order: wall clock ns, kind, item, body."""
    with _reading(folder) as base:
        for wall_ns, kind, item, body in base.execute("SELECT wall_ns, kind, item, body FROM journal ORDER BY entry"):
            yield wall_ns, kind, item, json.loads(body)


def story(folder: Path, item: str) -> list[tuple[int, str, dict[str, Any]]]:
    """What a lane's journal says of one item, in order: wall clock ns, kind, body."""
    with _reading(folder) as base:
        rows = base.execute("SELECT wall_ns, kind, body FROM journal WHERE item = ? ORDER BY entry", (item,)).fetchall()
    return [(wall_ns, kind, json.loads(body)) for wall_ns, kind, body in rows]


def latest(folder: Path, count: int) -> list[tuple[str, dict[str, Any]]]:
    """Kind and body of a journal's last entries, oldest first; none where there is no journal yet."""
    if not (folder / FILE).exists():
        return []
    with _reading(folder) as base:
        rows = base.execute("SELECT kind, body FROM journal ORDER BY entry DESC LIMIT ?", (count,)).fetchall()
    return [(kind, json.loads(body)) for kind, body in reversed(rows)]


def fire_tests(folder: Path, count: int) -> list[tuple[int, str, dict[str, Any]]]:
    """Wall clock ns, kind and body of the last entries about fire tests, oldest first; none without a journal."""
    if not (folder / FILE).exists():
        return []
    asked = f"SELECT wall_ns, kind, body FROM journal WHERE {OF_FIRE_TESTS} ORDER BY entry DESC LIMIT ?"  # noqa: S608
    with _reading(folder) as base:
        rows = base.execute(asked, (count,)).fetchall()
    return [(wall_ns, kind, json.loads(body)) for wall_ns, kind, body in reversed(rows)]


def last(folder: Path, kind: type) -> dict[str, Any] | None:
    """The body of a journal's last entry of a kind that has an index of its own; None: there is none."""
    if not (folder / FILE).exists():
        return None
    asked = f"SELECT body FROM journal WHERE kind = '{kind.__name__}' ORDER BY entry DESC LIMIT 1"  # noqa: S608 - ours
    with _reading(folder) as base:
        return next((json.loads(body) for (body,) in base.execute(asked)), None)


def lot_entries(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """Kind and body of every hold of a lot and every release, oldest first; none where there is no journal yet."""
    if not (folder / FILE).exists():
        return []
    with _reading(folder) as base:
        rows = base.execute(
            "SELECT kind, body FROM journal WHERE kind IN ('LotHold', 'LotRelease') ORDER BY entry"
        ).fetchall()
    return [(kind, json.loads(body)) for kind, body in rows]


def outbox(folder: Path) -> dict[str, str | None]:
    """Each request ever owed and the warehouse's answer, if any."""
    with _reading(folder) as base:
        return dict(base.execute("SELECT request, answer FROM outbox"))


def owed(folder: Path) -> tuple[int, int | None]:
    """How many requests the warehouse has not answered, and since when the oldest is (wall clock ns; None: none is).

    Raises:
        sqlite3.Error: there is no outbox, or it cannot be read.
    """
    with _reading(folder) as base:
        row = base.execute("SELECT COUNT(*), MIN(written_wall_ns) FROM outbox WHERE answer IS NULL").fetchone()
    return int(row[0]), row[1]


def items_like(folder: Path, words: str, most: int) -> list[str]:
    """Items of this very name; else those whose name ends so, or whose order line or warehouse's name this is.

    Raises:
        sqlite3.Error: there is no journal, or it cannot be read.
    """
    ends = f"%{words.translate(LITERALLY)}"
    order = ("order_line", "wms_item")
    asked = " OR ".join(f"json_extract(body, '$.expected.{name}') = ?" for name in order)
    with _reading(folder) as base:
        if base.execute("SELECT 1 FROM journal WHERE item = ? LIMIT 1", (words,)).fetchone():
            return [words]
        rows = base.execute(
            "SELECT item FROM journal WHERE kind = 'Item' AND (item LIKE ? ESCAPE '\\' OR " + asked + ")"  # noqa: S608
            " GROUP BY item ORDER BY MAX(entry) DESC LIMIT ?",
            (ends, *(words for _ in order), most),
        )
        return [item for (item,) in rows]


def commanded(folder: Path, item: str) -> dict[str, list[tuple[int, dict[str, Any]]]]:
    """The PLC's answers to an item's commands: command id → wall clock ns and body of each."""
    found: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    with _reading(folder) as base:
        sent = base.execute(
            "SELECT entry, json_extract(body, '$.command_id') FROM journal WHERE item = ? AND kind = 'DivertCommand'",
            (item,),
        ).fetchall()
        for entry, command in sent:
            rows = base.execute(
                "SELECT wall_ns, body FROM journal WHERE entry BETWEEN ? AND ? AND kind = 'DivertAck'"
                " AND json_extract(body, '$.command_id') = ?",
                (entry, entry + ACK_ENTRIES, command),
            )
            found[command] = [(wall_ns, json.loads(body)) for wall_ns, body in rows]
    return found


def answers(folder: Path, item: str) -> dict[str, str]:
    """What the warehouse has answered to an item's requests, and how often they were sent."""
    with _reading(folder) as base:
        rows = base.execute(
            "SELECT request, attempts, answer FROM outbox WHERE json_extract(body, '$.item') = ?", (item,)
        ).fetchall()
    return {
        request: f"sent {attempts} times, {'answered: ' + answer if answer else 'not answered yet'}"
        for request, attempts, answer in rows
    }


def _reading(folder: Path) -> closing[sqlite3.Connection]:
    """A lane's ledger, to be read alone."""
    return closing(sqlite3.connect(f"file:{folder / FILE}?mode=ro", uri=True))
