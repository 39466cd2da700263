"""A journal into the lake, stretch by stretch: begun, written, done; what was killed between is written once more."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.core.errors import LakeRefused
from edge.lake import journal
from edge.lake.journal import Bounds, InForce
from edge.lake.log import File, Log, Stretch
from edge.lake.parquet import Rows
from edge.lake.rows import day_of, rows
from edge.lake.store import Store
from edge.lake.tables import TABLES
from edge.records.exported import OWN
from edge.records.lock import held

BOUNDS = Bounds()


@dataclass(frozen=True, slots=True)
class Lane:
    """Whose journal it is, and where."""

    site: str
    name: str
    state: Path


@dataclass(frozen=True, slots=True)
class Exported:
    """A stretch that is in the lake now, how far the journal went when the run began, and what it came to."""

    span: journal.Span
    head: int
    rows: Counter[str]  # by table


def export(lane: Lane, store: Store, bounds: Bounds = BOUNDS) -> Iterator[Exported]:
    """Bring the lake up to the journal's present end; yields after each stretch.

    Raises:
        LaneInUse: another exporter is at work on this box.
        LakeRefused: the store does not take it, or holds a journal that went on otherwise.
    """
    with journal.of(lane.state) as base, held(lane.state / OWN):
        head = journal.head(base)
        if head:
            yield from _Run(base, Log(store, lane.site, lane.name, journal.ledger(base)), head).stretches(bounds)


@dataclass(slots=True)
class _Run:
    """One run of one exporter."""

    base: sqlite3.Connection
    log: Log
    head: int

    def stretches(self, bounds: Bounds) -> Iterator[Exported]:
        """From the last one that is done to the journal's end; one that was begun keeps its ends."""
        done = self._last_done()
        while span := journal.following(self.base, done.last if done else 0, self.head, bounds):
            mine = Stretch(span.first, span.last, self._mark(span.last))
            begun = self.log.begin(mine)
            self._demand_same(begun)
            if not begun.done:
                files, in_force = self._write(begun, done)
                if begun is not mine:
                    self._sweep(begun, files)
                begun = self.log.finish(begun, files, in_force)
            done = begun
            yield self._told(done)

    def _last_done(self) -> Stretch | None:
        """Only the last one that was begun may not be."""
        for first in reversed(self.log.first_entries()[-2:]):
            stretch = self.log.stretch(first)
            self._demand_same(stretch)
            if stretch.done:
                return stretch
        return None

    def _demand_same(self, stretch: Stretch) -> None:
        """Refuse to go on where another history was begun."""
        if self._mark(stretch.last) != stretch.mark:
            raise LakeRefused(
                f"{self.log.store.root}: holds entries up to {stretch.last} of a journal that went on otherwise than "
                "this one: was the ledger brought back from a backup? Export to another folder."
            )

    def _mark(self, number: int) -> str:
        found = journal.entry(self.base, number)
        return found.mark() if found else ""

    def _write(self, begun: Stretch, done: Stretch | None) -> tuple[tuple[File, ...], dict[str, int]]:
        """All files of a stretch, and what is in force at its end."""
        in_force = InForce.at(self.base, (done and done.in_force) or {})
        parts = {} if done else self._empty(begun.first)
        for one in rows(self.base, self.log.ledger, begun.span, in_force):
            place = one.table.name, one.day
            part = parts[place] if place in parts else parts.setdefault(place, Rows(one.table))
            part.add(one.row)
        files = [self._kept(self.log.part(*place, begun.span), parts.pop(place)) for place in sorted(parts)]
        return tuple(files), in_force.numbers()

    def _empty(self, first: int) -> dict[tuple[str, str], Rows]:
        """A journal's first stretch has a file of every table: to readers a table without files is an error."""
        entry = journal.entry(self.base, first)
        return {(table.name, day_of(entry.wall_ns)): Rows(table) for table in TABLES} if entry else {}

    def _kept(self, name: str, part: Rows) -> File:
        content = part.file()
        self.log.store.keep(name, content)
        return File(name, part.count, len(content), hashlib.sha256(content).hexdigest())

    def _sweep(self, stretch: Stretch, files: Iterable[File]) -> None:
        """Take away what another release had written of the stretch before it was killed, and this one does not."""
        kept, ending = {file.name for file in files}, self.log.ending(stretch.span)
        for table in TABLES:
            for name in self.log.store.names(self.log.place(table.name)):
                if name.endswith(ending) and name not in kept:
                    self.log.store.take_away(name)

    def _told(self, done: Stretch) -> Exported:
        counts: Counter[str] = Counter()
        for file in done.files:
            counts[file.name.partition("/")[0]] += file.rows
        return Exported(done.span, self.head, counts)
