"""Puts away a ledger's old days: written into the archive, read back and proven, and only then taken out of the ledger.

Whatever ends a run, the next one goes on: a segment that lies in the archive is taken as it is, and an entry leaves the
ledger in the transaction that enters the bridge. The daemon may write meanwhile; it waits for that transaction alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge.core.errors import ArchiveRefused
from edge.disk import written
from edge.records import segments
from edge.records.archiving import Archive, Wanted, rows
from edge.records.bridge import Bridge, Kept, last_bridge
from edge.records.ledger_file import PUT_AWAY, end, enter, opened, take_out
from edge.records.lock import held
from edge.records.outbox import LEFT
from edge.records.staying import Staying, request_of

OWN = "put-away"  # folder in the lane's state, whose lock keeps a second one out
DONE = "put-away.done"  # file in the state: when a run last came to its end
TRIES = 5  # of a bridge, while the daemon goes on with the items that were to leave


@dataclass(slots=True)
class Stated:
    """How far it is known what stays, and the digest over it."""

    to: int = 0
    kept: Kept = field(default_factory=Kept)


@dataclass(slots=True)
class Parted:
    """A stretch of the journal as it is parted: what goes, and what that takes with it."""

    stated: Stated
    entries: list[int]  # that go
    requests: list[str]
    items: set[str]
    before: Kept  # over what was there before


def put_away(state: Path, wanted: Wanted) -> Iterator[Bridge]:
    """Put away what is old enough, a segment at a time; yields each bridge once it is on disk.

    Raises:
        LaneInUse: another one is at work.
        LedgerRefused: the ledger cannot be written.
        ArchiveRefused: the archive is not there or full, or what is to be put away is not what was sealed.
    """
    with held(state / OWN), closing(opened(state)) as base, _refusing(wanted):
        yield from _Run(base, wanted).bridges()


def is_due(state: Path, wanted: Wanted) -> bool:
    """Whether there is anything more to put away.

    Raises:
        LedgerRefused, ArchiveRefused: as `put_away`.
    """
    with closing(opened(state)) as base, _refusing(wanted):
        return Archive(base, wanted).following(last_bridge(base)) is not None


@contextmanager
def _refusing(wanted: Wanted) -> Iterator[None]:
    """What the disks or a ledger that was tampered with do, as an error that says what to do next."""
    try:
        yield
    except (OSError, sqlite3.Error, ValueError, TypeError) as error:
        raise ArchiveRefused(
            f"{wanted.archive}: nothing was lost, but nothing more could be put away ({error}): make room, or mount it "
            "to be written; the next run goes on."
        ) from error


def done(state: Path) -> None:
    """Note that all that is due was put away: its time is what is watched."""
    written(state / DONE, b"")


def done_s(state: Path) -> float:
    """When that was, seconds since 1970; 0: never."""
    path = state / DONE
    return path.stat().st_mtime if path.exists() else 0.0


class _Run:
    """One run of one process."""

    def __init__(self, base: sqlite3.Connection, wanted: Wanted) -> None:
        self._base, self._wanted = base, wanted
        self._archive, self._bridge = Archive(base, wanted), last_bridge(base)

    def bridges(self) -> Iterator[Bridge]:
        """First what had stayed and is needed no longer goes, then segment after segment."""
        self._archive.demand(self._bridge)
        stated = Stated()
        while self._bridge and stated.to < self._bridge.to:
            left, stated = self._let_go(self._bridge)
            if left:
                self._bridge = left
                yield left
        while head := self._archive.following(self._bridge):
            self._bridge, stated = self._bridged(self._archive.kept(head), stated)
            yield self._bridge

    def _let_go(self, bridge: Bridge) -> tuple[Bridge | None, Stated]:
        """Let a bounded part go of what had stayed: the bridge anew, and what is known to stay; None: all is needed."""
        for _ in range(TRIES):
            known_to = end(self._base)[0]
            parted = self._parted(Stated(), bridge.to, self._wanted.segment)
            if (parted.before.count, parted.before.hex()) != (bridge.kept, bridge.digest):
                raise ArchiveRefused(
                    f"entries up to {bridge.to} are not those that were to stay: `tunnel-edge audit … verify`."
                )
            if not parted.entries:
                break
            if left := self._committed(bridge, parted, known_to):
                full = len(parted.entries) == self._wanted.segment
                return left, Stated() if full else parted.stated
        return None, Stated(bridge.to, parted.before)

    def _bridged(self, told: Bridge, stated: Stated) -> tuple[Bridge, Stated]:
        """Enter the bridge of a segment, and take out what is in its file and not needed here."""
        for _ in range(TRIES):
            known_to = end(self._base)[0]
            parted = self._parted(stated, told.to, told.to)
            if bridge := self._committed(told, parted, known_to):
                return bridge, parted.stated
        raise ArchiveRefused("what was to be put away is being written about all the time: try again later.")

    def _parted(self, stated: Stated, to: int, most: int) -> Parted:
        """Part the entries behind what is stated: what stays, and at most so many that go."""
        stays, kept, before = Staying(self._base, stated.to, to), stated.kept.copy(), stated.kept.copy()
        going: list[int] = []
        requests: list[str] = []
        for row in rows(self._base, stated.to, to):
            told = row[0], segments.digest(row), row[5]
            before.take(*told)
            if len(going) == most or stays(row):
                kept.take(*told)
            else:
                going.append(row[0])
                requests += [request] if (request := request_of(row)) else []
        return Parted(Stated(to, kept), going, requests, stays.leaving, before)

    def _committed(self, told: Bridge, parted: Parted, known_to: int) -> Bridge | None:
        """In one transaction: the entries go, what belongs to them, and the bridge is entered; None: look again."""
        base, kept = self._base, parted.stated.kept
        with base:
            base.execute("BEGIN IMMEDIATE")
            if self._went_on(parted, known_to):
                return None
            take_out(base, parted.entries)
            self._forget_beside(parted)
            bridge = replace(told, by=self._wanted.by, kept=kept.count, digest=kept.hex()).signed(self._wanted.key)
            enter(base, [(PUT_AWAY, None, bridge.body())])
        return bridge

    def _went_on(self, parted: Parted, known_to: int) -> bool:
        """Whether something was written meanwhile about what is to go, or a request of it is owed."""
        asked = "SELECT DISTINCT item FROM journal WHERE entry > ?"
        owed = f"SELECT 1 FROM outbox WHERE request = ? AND {LEFT}"  # noqa: S608 - ours
        return any(item in parted.items for (item,) in self._base.execute(asked, (known_to,))) or any(
            self._base.execute(owed, (one,)).fetchone() for one in parted.requests
        )

    def _forget_beside(self, parted: Parted) -> None:
        """Outbox and index of pictures forget with the journal; what is still owed must never."""
        self._base.executemany(
            f"DELETE FROM outbox WHERE request = ? AND NOT {LEFT}",  # noqa: S608 - ours
            ((one,) for one in parted.requests),
        )
        if self._base.execute("SELECT 1 FROM sqlite_master WHERE name = 'evidence'").fetchone():
            items = ((one,) for one in parted.items)
            self._base.executemany("DELETE FROM evidence WHERE item = ? AND gone != ''", items)
