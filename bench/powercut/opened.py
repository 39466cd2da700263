"""What the appliance's own code makes of a disk after the power was cut, beside what had been acknowledged before."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from bench.powercut.promised import picture_faults
from edge.core.errors import TunnelEdgeError
from edge.core.messages import ReplacementRequest
from edge.records.audit_key import own
from edge.records.journal import Journal
from edge.records.ledger_file import reading
from edge.records.outbox import LedgerOutbox
from edge.records.outbox import outbox as answers
from edge.records.proof import prove
from edge.records.sinks import JournalSink
from edge.signing import public

NAMES = {"ReplacementRequest": "request_id", "LotHold": "hold_id"}  # of what is owed, in its entry
AFTERWARDS = ReplacementRequest("after-the-cut", "after-the-cut", "o-1", None, ("the lane goes on",))

Row = tuple[int, str, str | None, str]
"""Of the journal: its number, kind, item and body."""


@dataclass(frozen=True, slots=True)
class Final:
    """What the ledger came to when nothing was cut."""

    journal: Sequence[Row]
    outbox: dict[str, str]  # request → body
    key: str  # public, of the box: that its seals are signed with


@dataclass(slots=True)
class Promises:
    """What had been acknowledged by a certain call."""

    heard: int = 0  # lines
    entries: int = 0  # of the journal, from the first on
    asked: set[str] = field(default_factory=set)
    answered: dict[str, str] = field(default_factory=dict)
    heads: list[tuple[int, str]] = field(default_factory=list)  # number and hash of entries, as seals have told them

    def hear(self, lines: bytes, final: Final) -> None:
        """Something more was promised."""
        for what, *words in map(json.loads, lines.splitlines()):
            self.heard += 1
            if what == "kept":
                for kind, item in words:
                    self._kept(kind, item, final.journal)
            elif what == "asked":
                self.asked.add(words[0])
            elif what == "sealed":
                self.heads = [(words[0], words[1])]
            else:
                self.answered.setdefault(*words)

    def _kept(self, kind: str, item: str | None, journal: Sequence[Row]) -> None:
        """Find it among the entries: others may have written between."""
        while journal[self.entries][1:3] != (kind, item):
            self.entries += 1
        self.entries += 1


def final_of(state: Path) -> Final:
    """Read it."""
    with reading(state) as base:
        rows = base.execute("SELECT entry, kind, item, body FROM journal ORDER BY entry").fetchall()
        return Final(rows, dict(base.execute("SELECT request, body FROM outbox")), public(own(state, None)))


def faults(state: Path, promised: Promises, final: Final) -> Iterator[str]:
    """What is wrong with a ledger as it was found, and as it goes on."""
    try:
        Journal(state).close()
        found = final_of(state)
        yield from _sound(state, promised, final)
        yield from _kept(found, promised, final)
        yield from _agreeing(found)
        yield from _answered(state, promised)
        yield from _goes_on(state, len(found.journal))
        yield from picture_faults(state, ((kind, told) for _, kind, _, told in found.journal))
    except (TunnelEdgeError, sqlite3.Error, OSError) as error:
        yield f"it cannot be opened, or not be written on ({type(error).__name__})"


def _sound(state: Path, promised: Promises, final: Final) -> Iterator[str]:
    """The file, the chain and its seals, as `tunnel-edge audit` looks at them."""
    for one in prove(state, [final.key], promised.heads).breaks:
        yield f"audit: {one.kind}"


def _kept(found: Final, promised: Promises, final: Final) -> Iterator[str]:
    """The journal up to some entry, and that one not before the last that was acknowledged."""
    if found.journal != final.journal[: len(found.journal)]:
        yield "entries are others than were written"
    if len(found.journal) < promised.entries:
        yield "entries that were acknowledged are missing"
    if promised.asked - found.outbox.keys():
        yield "the warehouse was asked for what is not on disk"
    if any(found.outbox[request] != final.outbox.get(request) for request in found.outbox):
        yield "requests are others than were written"


def _agreeing(found: Final) -> Iterator[str]:
    """An entry and what is owed with it: both, or neither."""
    entered = {json.loads(told)[NAMES[kind]] for _, kind, _, told in found.journal if kind in NAMES}
    if entered - found.outbox.keys():
        yield "an entry without its request"
    if found.outbox.keys() - entered:
        yield "a request without its entry"


def _answered(state: Path, promised: Promises) -> Iterator[str]:
    told = answers(state)
    if any(told.get(request) != answer for request, answer in promised.answered.items()):
        yield "an answer that was taken is missing"


def _goes_on(state: Path, entries: int) -> Iterator[str]:
    """Something is written, and read by another."""
    with closing(Journal(state)) as journal, closing(LedgerOutbox(state)):
        JournalSink(journal).write([AFTERWARDS])
    if AFTERWARDS.request_id not in answers(state):
        yield "what is owed after the cut is not there"
    with reading(state) as base:
        if base.execute("SELECT COUNT(*) FROM journal").fetchone() != (entries + 1,):
            yield "what is written after the cut is not there"
