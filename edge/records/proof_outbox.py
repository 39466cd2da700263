"""Holds the outbox against the journal: each request stems from an entry, and stands as its last entry left it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from edge.core.chain_check import Break, Kind
from edge.core.lot_recovery import hold_of
from edge.core.messages import ReplacementRequest
from edge.core.wire import hold_fields, replacement_fields
from edge.records.ledger_file import STARTED

ANSWERED, GIVEN_UP, REVIVED, CLOSED = "RequestAnswered", "RequestGivenUp", "RequestRevived", "RequestClosed"
STATES = {ANSWERED: "answered", GIVEN_UP: "aside", REVIVED: "open", CLOSED: "closed"}
OWED = frozenset({"ReplacementRequest", "LotHold", STARTED, *STATES})
MOST = 1000  # faults that are told
SCRATCH = """
PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;
CREATE TABLE owed (request TEXT PRIMARY KEY, entry INTEGER, body TEXT);
CREATE TABLE fate (request TEXT PRIMARY KEY, entry INTEGER, state TEXT, answer TEXT);
BEGIN;
"""


class OutboxProof:
    """Notes what the journal owes, in a file of its own that vanishes with it."""

    def __init__(self) -> None:
        self._scratch = sqlite3.connect("", isolation_level=None)  # on disk where it grows
        self._scratch.executescript(SCRATCH)
        self._fates_from = 0  # an entry from which on each answer has one of its own; 0: not known
        self._started = 0  # the first start of a daemon that enters answers, where the outbox knows states

    def close(self) -> None:
        """Let the notes go."""
        self._scratch.close()

    def entered(self, entry: int, kind: str, body: Mapping[str, Any]) -> None:
        """One of the journal's entries that speak of what is owed; one that is damaged is the chain's to tell."""
        try:
            if kind == STARTED:
                self._started = self._started or entry
            elif kind in STATES:
                self._fates_from = self._fates_from or entry
                row = (body["request"], entry, STATES[kind], answer_of(kind, body))
                self._scratch.execute("INSERT OR REPLACE INTO fate VALUES (?, ?, ?, ?)", row)
            else:
                request, fields = owed_of(kind, body)
                owed = (request, entry, json.dumps(fields))
                self._scratch.execute("INSERT OR IGNORE INTO owed VALUES (?, ?, ?)", owed)
        except (KeyError, TypeError, AttributeError, ValueError, sqlite3.Error):
            return

    def ended(self, base: sqlite3.Connection) -> Iterator[Break]:
        """What does not fit; base: the ledger, whose texts come as bytes."""
        has_state = b"state" in {bytes(row[1]) for row in base.execute("PRAGMA table_info(outbox)")}
        if has_state and self._started:
            self._fates_from = min(self._started, self._fates_from or self._started)
        asked = f"SELECT request, body, answer, {'state' if has_state else 'NULL'} FROM outbox"  # noqa: S608 - ours
        rows = (tuple(None if one is None else _text(one) for one in row) for row in base.execute(asked))
        yield from islice((fault for row in rows for fault in self._faults(*row)), MOST)
        for request, entry in self._scratch.execute("SELECT request, entry FROM owed ORDER BY entry"):
            if not base.execute("SELECT 1 FROM outbox WHERE request = ?", (request,)).fetchone():
                yield Break(Kind.OUTBOX, entry, entry, f"owes {request}, which the outbox does not have")

    def _faults(self, request: str | None, body: str | None, answer: str | None, state: str | None) -> Iterator[Break]:
        owed = self._scratch.execute("SELECT entry, body FROM owed WHERE request = ?", (request,)).fetchone()
        if owed is None:
            yield Break(Kind.OUTBOX, 0, 0, f"the outbox owes {request}, which no entry does")
            return
        entry, fields = owed
        if fields != body:
            yield Break(Kind.OUTBOX, entry, entry, f"the outbox says otherwise what {request} asks for")
        fate = self._scratch.execute("SELECT entry, state, answer FROM fate WHERE request = ?", (request,)).fetchone()
        if fate is None and not 0 < self._fates_from < entry:
            return
        noted, stands, answered = fate or (entry, "open", None)
        if answered != answer or (state and stands != ("open" if state in ("next", "behind") else state)):
            told = f"{request} is {stands}, {answered or 'no answer'}, by entry {noted}; the outbox says"
            yield Break(Kind.OUTBOX, noted, noted, f"{told} {state or ''} {answer or 'no answer'}")


def answer_of(kind: str, body: Mapping[str, Any]) -> str | None:
    """What the outbox is to hold as an answer, by an entry that ends a request."""
    if kind == CLOSED:
        return f"closed by {body['by']}"
    return str(body["status"]) if kind == ANSWERED else None


def owed_of(kind: str, body: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Name and fields of the request that an entry owes."""
    if kind == "LotHold":
        return body["hold_id"], hold_fields(hold_of(body))
    names = ("request_id", "item_id", "order_line", "gtin")
    request = ReplacementRequest(reasons=tuple(body["reasons"]), **{name: body[name] for name in names})
    return request.request_id, replacement_fields(request)


def _text(value: Any) -> str:
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | bytearray) else f"{value!r}"
