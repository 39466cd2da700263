"""What is owed to the warehouse, in a lane's ledger file, until it is answered; never more than asked for is read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from edge.core.answers import Kept, Owing, Reply
from edge.records.ledger_file import enter, opened, reading
from edge.records.outbox_table import OWED
from edge.records.raw import table

LEFT = "state NOT IN ('answered', 'closed')"  # nobody has said what is to become of it


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

    def begin(self) -> None:
        """A new life of the sender, with a clock of its own: all that waits is due."""
        with self._base:
            self._base.execute("UPDATE outbox SET due_ns = 0, sent_ns = 0 WHERE state = 'next' AND due_ns > 0")

    def due(self, now_ns: int, most: int) -> list[Owing]:
        """Requests whose turn it is, the longest due first."""
        rows = self._base.execute(
            "SELECT request, body, rowid, ignored, sent_ns FROM outbox WHERE state = 'next' AND due_ns <= ?"
            " ORDER BY due_ns, rowid LIMIT ?",
            (now_ns, most),
        )
        return [Owing(request, table(body), *known) for request, body, *known in rows]

    def sent(self, tries: Iterable[Owing], due_ns: Mapping[str, int]) -> None:
        """Count an attempt of each, in one transaction, with what is known of it now, and when it is due again."""
        rows = [(one.ignored, one.sent_ns, due_ns[one.request], one.request) for one in tries]
        with self._base:
            self._base.executemany(
                "UPDATE outbox SET attempts = attempts + 1, ignored = ?, sent_ns = ?, due_ns = ?"
                " WHERE request = ? AND state = 'next'",
                rows,
            )

    def failed(self, request: str, least_ns: int, sooner_ns: int) -> None:
        """A try came to nothing: it is due so much sooner than was thought, and no earlier than that."""
        with self._base:
            self._base.execute(
                "UPDATE outbox SET due_ns = MAX(?, due_ns - ?) WHERE request = ? AND state = 'next'",
                (least_ns, sooner_ns, request),
            )

    def pending(self, request: str, due_ns: int) -> None:
        """The warehouse has it in hand: it is not passed over, and asked after then."""
        with self._base:
            self._base.execute(
                "UPDATE outbox SET due_ns = ?, sent_ns = 0, ignored = 0 WHERE request = ? AND state = 'next'",
                (due_ns, request),
            )

    def answered(self, reply: Reply) -> Kept:
        """Keep the warehouse's first answer, with its entry in the journal; what was given up may be answered late."""
        with self._base:
            entry = {"request": reply.request, "status": reply.status, "why": reply.why, "transport": reply.transport}
            if _settle(self._base, reply.request, "answered", reply.status, reply.why, "RequestAnswered", entry):
                return Kept.FIRST
        return self._said_before(reply)

    def place(self, request: str) -> int:
        """In the order of writing; of one that is known."""
        return int(self._base.execute("SELECT rowid FROM outbox WHERE request = ?", (request,)).fetchone()[0])

    def given_up(self, request: str, because: str) -> bool:
        """Lay a request aside, on disk, with an entry in the journal; the next of its line may go. False: not owed."""
        with self._base:
            if not self._base.execute(f"SELECT 1 FROM outbox WHERE request = ? AND {OWED}", (request,)).fetchone():  # noqa: S608
                return False
            entry = {"request": request, "because": because}
            return _settle(self._base, request, "aside", None, because, "RequestGivenUp", entry)

    def revived(self, request: str, by: str) -> bool:
        """A named person has one that was given up sent again, by its old id. False: it was not given up."""
        with self._base:
            changed = self._base.execute(
                "UPDATE outbox SET state = 'behind', why = '', ignored = 0, sent_ns = 0"
                " WHERE request = ? AND state = 'aside'",
                (request,),
            )
            if not changed.rowcount:
                return False
            _advance(self._base, request)
            enter(self._base, [("RequestRevived", _item(self._base, request), {"request": request, "by": by})])
        return True

    def closed(self, request: str, by: str, why: str) -> bool:
        """A named person has seen to it otherwise. False: there was nothing left to see to."""
        with self._base:
            entry = {"request": request, "by": by, "why": why}
            return _settle(self._base, request, "closed", f"closed by {by}", why, "RequestClosed", entry)

    def _said_before(self, reply: Reply) -> Kept:
        row = self._base.execute("SELECT answer FROM outbox WHERE request = ?", (reply.request,)).fetchone()
        if row is None:
            return Kept.UNKNOWN
        return Kept.AGAIN if row[0] == reply.status else Kept.CONTRADICTS


def _settle(
    base: sqlite3.Connection, request: str, state: str, answer: str | None, why: str, kind: str, entry: dict[str, Any]
) -> bool:
    """Change its state, enter that into the journal, let the next of its line go: all in the open transaction."""
    row = base.execute(
        f"UPDATE outbox SET state = ?, answer = ?, why = ? WHERE request = ? AND {LEFT} RETURNING attempts",  # noqa: S608
        (state, answer, why, request),
    ).fetchall()
    if row:
        enter(base, [(kind, _item(base, request), {**entry, "attempts": row[0][0]})])
        _advance(base, request)
    return bool(row)


def _advance(base: sqlite3.Connection, request: str) -> None:
    """The first of a request's line that waits gets its turn, unless another has it."""
    (line,) = base.execute("SELECT line FROM outbox WHERE request = ?", (request,)).fetchone()
    base.execute(
        "UPDATE outbox SET state = 'next', due_ns = 0"
        " WHERE rowid = (SELECT MIN(rowid) FROM outbox WHERE line = ? AND state = 'behind')"
        " AND NOT EXISTS (SELECT 1 FROM outbox WHERE line = ? AND state = 'next')",
        (line, line),
    )


def _item(base: sqlite3.Connection, request: str) -> str | None:
    """The item that a request is for; None: it is for a lot."""
    row = base.execute("SELECT item FROM outbox WHERE request = ?", (request,)).fetchone()
    return row[0] if row else None


def outbox(folder: Path) -> dict[str, str | None]:
    """Each request ever owed and the warehouse's answer, if any."""
    with reading(folder) as base:
        return dict(base.execute("SELECT request, answer FROM outbox"))


def owed(folder: Path) -> tuple[int, int | None]:
    """How many requests the warehouse is still to answer, and since when the oldest is (wall clock ns; None: none is).

    Raises:
        sqlite3.Error: there is no outbox, or it cannot be read.
    """
    with reading(folder) as base:
        row = base.execute(f"SELECT COUNT(*), MIN(written_wall_ns) FROM outbox WHERE {OWED}").fetchone()  # noqa: S608
    return int(row[0]), row[1]


def aside(folder: Path) -> int:
    """How many requests were given up, and wait for a person.

    Raises:
        sqlite3.Error: as `owed`.
    """
    with reading(folder) as base:
        return int(base.execute("SELECT COUNT(*) FROM outbox WHERE state = 'aside'").fetchone()[0])


def answers(folder: Path, item: str) -> dict[str, str]:
    """What the warehouse has answered to an item's requests, and how often they were sent."""
    with reading(folder) as base:
        rows = base.execute(
            "SELECT request, attempts, state, answer, why FROM outbox WHERE item = ?", (item,)
        ).fetchall()
    return {request: f"sent {attempts} times, {_told(*rest)}" for request, attempts, *rest in rows}


def _told(state: str, answer: str | None, why: str) -> str:
    told = {"answered": f"answered: {answer}", "closed": str(answer), "aside": "given up until a person sees to it"}
    return told.get(state, "not answered yet") + (f" ({why})" if why else "")
