"""Is the lake what the journal comes to? Reckoned anew, stretch by stretch: nothing missing, changed or twice."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edge.lake import journal
from edge.lake.export import Lane
from edge.lake.journal import InForce
from edge.lake.log import File, Log, Stretch
from edge.lake.parquet import entries_in
from edge.lake.rows import rows
from edge.lake.store import Store
from edge.lake.tables import SCHEMA, TABLES
from edge.records.bridge import put_away_to


@dataclass(frozen=True, slots=True)
class Checked:
    """A stretch, how far the journal goes, and what is wrong."""

    last: int
    head: int
    rows: int
    faults: tuple[str, ...]


def verify(lane: Lane, store: Store) -> Iterator[Checked]:
    """Hold every stretch in the lake against the journal, and then the names of all files against the log.

    Raises:
        LakeRefused: there is no journal, or the store or its log cannot be read.
    """
    with journal.of(lane.state) as base:
        if head := journal.head(base):
            log, whole_from = Log(store, lane.site, lane.name, journal.ledger(base)), put_away_to(base) + 1
            yield from _Check(base, log, head, whole_from).stretches()


@dataclass(slots=True)
class _Check:
    """One look at the lake of one journal."""

    base: sqlite3.Connection
    log: Log
    head: int
    whole_from: int  # the first entry behind those that were put away

    def stretches(self) -> Iterator[Checked]:
        """One after the other; the last answer is about all files."""
        known: set[str] = set()
        unfinished: list[Stretch] = []
        after, before = 0, dict[str, int]()
        for first in self.log.first_entries():
            stretch = self.log.stretch(first)
            faults = [] if first == after + 1 else [f"entries {after + 1} to {first - 1} are missing"]
            faults += self._faults(stretch, before)
            known |= {file.name for file in stretch.files}
            unfinished += [] if stretch.done else [stretch]
            after, before = stretch.last, dict(stretch.in_force or {})
            yield Checked(after, self.head, sum(file.rows for file in stretch.files), tuple(faults))
        yield Checked(after, self.head, 0, tuple(self._strays(known, unfinished)))

    def _faults(self, stretch: Stretch, before: Mapping[str, int]) -> Iterator[str]:
        """What is wrong with a stretch; of another schema or put away: only whether it changed."""
        found = journal.entry(self.base, stretch.last)
        if stretch.last >= self.whole_from and (found is None or found.mark() != stretch.mark):
            yield f"entry {stretch.last} is not the journal's"
        elif not stretch.done:
            yield f"entries {stretch.first} to {stretch.last} were begun and never finished: export once more"
        elif stretch.schema != SCHEMA or stretch.first < self.whole_from:
            for file in stretch.files:
                yield from self._fault(file, None)
        else:
            expected = self._reckoned(stretch, InForce.at(self.base, before))
            yield from (f"{name}: is missing" for name in expected.keys() - {file.name for file in stretch.files})
            for file in stretch.files:
                yield from self._fault(file, expected.get(file.name, []))

    def _reckoned(self, stretch: Stretch, in_force: InForce) -> dict[str, list[int]]:
        """Name of each file → the entries that its rows come from, by the journal."""
        found: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for one in rows(self.base, self.log.ledger, stretch.span, in_force):
            found[one.table.name, one.day].append(one.row["entry"])
        return {self.log.part(*place, stretch.span): numbers for place, numbers in found.items()}

    def _fault(self, file: File, expected: list[int] | None) -> Iterator[str]:
        """What is wrong with a file; None: what should stand in it is not known."""
        content = self.log.store.read(file.name)
        if content is None:
            yield f"{file.name}: is gone"
        elif hashlib.sha256(content).hexdigest() != file.sha256:
            yield f"{file.name}: was changed"
        elif expected is not None and entries_in(content) != expected:
            yield f"{file.name}: has other rows than the journal comes to"

    def _strays(self, known: set[str], unfinished: list[Stretch]) -> Iterator[str]:
        """Files of this journal that no stretch speaks of: what they hold may be there twice."""
        begun = tuple(self.log.ending(one.span) for one in unfinished)
        for table in TABLES:
            for name in self.log.store.names(self.log.place(table.name)):
                ours = name.rpartition("/")[2].startswith(self.log.ledger) and name.endswith(".parquet")
                if ours and name not in known and not name.endswith(begun):
                    yield f"{name}: no stretch speaks of it: its rows may be there twice"
