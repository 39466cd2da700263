"""What is owed to the warehouse, in a lane's ledger file, until it is answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edge.records.ledger_file import opened, reading


class LedgerOutbox:
    """One thread's connection to what is owed; the journal writes into it what is new."""

    def __init__(self, folder: Path) -> None:
        """Open it, or begin it.

        Raises:
            LedgerRefused: the folder cannot be written, or what lies there is no ledger.
        """
        self._base = opened(folder)

    def close(self) -> None:
        """Give the file back."""
        self._base.close()

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


def outbox(folder: Path) -> dict[str, str | None]:
    """Each request ever owed and the warehouse's answer, if any."""
    with reading(folder) as base:
        return dict(base.execute("SELECT request, answer FROM outbox"))


def owed(folder: Path) -> tuple[int, int | None]:
    """How many requests the warehouse has not answered, and since when the oldest is (wall clock ns; None: none is).

    Raises:
        sqlite3.Error: there is no outbox, or it cannot be read.
    """
    with reading(folder) as base:
        row = base.execute("SELECT COUNT(*), MIN(written_wall_ns) FROM outbox WHERE answer IS NULL").fetchone()
    return int(row[0]), row[1]


def answers(folder: Path, item: str) -> dict[str, str]:
    """What the warehouse has answered to an item's requests, and how often they were sent."""
    with reading(folder) as base:
        rows = base.execute(
            "SELECT request, attempts, answer FROM outbox WHERE json_extract(body, '$.item') = ?", (item,)
        ).fetchall()
    return {
        request: f"sent {attempts} times, {'answered: ' + answer if answer else 'not answered yet'}"
        for request, attempts, answer in rows
    }
