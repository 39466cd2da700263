"""What people ask of the outbox: what is owed, what was given up, what became of one request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.records.ledger_file import reading
from edge.records.outbox_table import OWED
from edge.records.raw import table

ROW = "request, state, line, attempts, answer, why, written_wall_ns, body"


@dataclass(frozen=True, slots=True)
class Listed:
    """A request as it stands; `line`: its order line, or of a hold its own id."""

    request: str
    state: str
    line: str
    attempts: int
    answer: str | None
    why: str
    written_wall_ns: int
    fields: Mapping[str, Any]


def listed(folder: Path, most: int) -> list[Listed]:
    """What was given up, then what is owed, oldest first.

    Raises:
        sqlite3.Error: there is no outbox, or it cannot be read.
    """
    found: list[Listed] = []
    for which in ("state = 'aside'", OWED):
        asked = f"SELECT {ROW} FROM outbox WHERE {which} ORDER BY written_wall_ns LIMIT ?"  # noqa: S608 - ours
        with reading(folder) as base:
            found += [_row(row) for row in base.execute(asked, (most - len(found),))]
    return found


def shown(folder: Path, request: str) -> Listed | None:
    """One request; None: there is none of that name.

    Raises:
        sqlite3.Error: as `listed`.
    """
    with reading(folder) as base:
        row = base.execute(f"SELECT {ROW} FROM outbox WHERE request = ?", (request,)).fetchone()  # noqa: S608 - ours
    return _row(row) if row else None


def counted(folder: Path) -> dict[str, int]:
    """How many requests there are in each state; every one of them is looked at.

    Raises:
        sqlite3.Error: as `listed`.
    """
    with reading(folder) as base:
        return dict(base.execute("SELECT state, COUNT(*) FROM outbox GROUP BY state"))


def _row(row: tuple[Any, ...]) -> Listed:
    request, state, line, attempts, answer, why, written_wall_ns, body = row
    return Listed(request, state, line, attempts, answer, why, written_wall_ns, table(body))
