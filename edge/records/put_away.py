"""Puts away a ledger's old days: written into the archive, read back and proven, and only then taken out of the ledger.

Whatever ends a run, the next one goes on: a segment that lies in the archive is taken as it is, and an entry leaves the
ledger in the transaction that enters the bridge. The daemon may write meanwhile; it waits for that transaction alone.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge.core.chain import BEGINNING
from edge.core.errors import ArchiveRefused
from edge.disk import written
from edge.records import segments
from edge.records.bridge import Bridge, Kept, last_bridge
from edge.records.ledger_file import OF_SEALS, PUT_AWAY, Row, end, enter, opened, take_out
from edge.records.lock import held
from edge.records.outbox import LEFT
from edge.records.seals import Seal, seal_of, spelled
from edge.records.segments import Head
from edge.records.staying import Staying, request_of

SEGMENT = 20_000  # entries
RESTART = 20_000  # entries that a start of the daemon reads
CHUNK = 2_000  # entries read at a time, so that the write-ahead file can be folded in between
OWN = "put-away"  # folder in the lane's state, whose lock keeps a second one out
DONE = "put-away.done"  # file in the state: when a run last came to its end
TRIES = 5  # of a bridge, while the daemon goes on with the items that were to leave
ROW = "SELECT entry, wall_ns, kind, item, body, hash FROM journal"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What may be put away, and where to."""

    archive: Path
    lane: str  # SITE/LANE
    by: str
    before_ns: int  # wall clock: what was sealed then
    until: int | None = None  # the last entry that may go; None: any but those that a start reads
    segment: int = SEGMENT  # entries, or up to the next seal
    restart: int = RESTART  # the last entries: they stay


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
    with held(state / OWN), closing(opened(state)) as base:
        try:
            yield from _Run(base, wanted).bridges()
        except (OSError, sqlite3.Error, ValueError) as error:
            raise ArchiveRefused(
                f"{wanted.archive}: nothing was lost, but nothing more could be put away ({error}): make room, or "
                "mount it to be written; the next run goes on."
            ) from error


def is_due(state: Path, wanted: Wanted) -> bool:
    """Whether there is anything more to put away.

    Raises:
        LedgerRefused, ArchiveRefused: as `put_away`.
    """
    with closing(opened(state)) as base:
        return _Run(base, wanted).next() is not None


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
        first = base.execute(f"{ROW} ORDER BY entry LIMIT 1").fetchone()
        self._ledger = segments.identity(first) if first else ""
        self._bridge = last_bridge(base)

    def bridges(self) -> Iterator[Bridge]:
        """First what had stayed and is needed no longer goes, then segment after segment."""
        self._demand_archive()
        stated = Stated()
        while self._bridge and stated.to < self._bridge.to:
            leaves, stated = self._let_go(self._bridge)
            if leaves:
                yield self._bridge
        while head := self.next():
            file = self._archived(head)
            told = Bridge(head.last, head.hash, _seal(head).seal, file.name, _sha256(file), self._wanted.by, 0, "")
            stated = self._bridged(told, stated)
            yield self._bridge or told

    def _demand_archive(self) -> None:
        """A folder that lacks the last segment is another one, or where the archive would be if it were mounted."""
        folder = self._wanted.archive
        if not folder.is_dir():
            raise ArchiveRefused(f"{folder}: is no folder: make it, or mount it.")
        if self._bridge and not (folder / self._bridge.file).is_file():
            raise ArchiveRefused(f"{folder}: {self._bridge.file} is not there: mount the archive, or copy it there.")

    def next(self) -> Head | None:
        """The next segment: one that lies there already, else as many entries as fit, up to a seal."""
        after, before = (self._bridge.to, self._bridge.hash) if self._bridge else (0, BEGINNING.hex())
        if there := segments.found(self._wanted.archive, self._ledger).get(after + 1) if self._ledger else None:
            head = segments.proven(there, bytes.fromhex(before))
            self._demand_ours(head, there)
            return head if head.last <= self._until() else None
        seal = self._seal(after)
        if seal is None:
            return None
        line = seal.line().decode()
        return Head(self._wanted.lane, self._ledger, after + 1, seal.entry, before, seal.hash, line)

    def _demand_ours(self, head: Head, path: Path) -> None:
        if self._hash(head.last) != head.hash:
            raise ArchiveRefused(
                f"{path}: holds entries that went on otherwise than this ledger's: was that brought back from a "
                "backup? Name another archive, with a copy of the last good segment in it."
            )

    def _hash(self, entry: int) -> str | None:
        found = self._base.execute("SELECT hash FROM journal WHERE entry = ?", (entry,)).fetchone()
        return found[0].hex() if found and isinstance(found[0], bytes) else None

    def _until(self) -> int:
        last = end(self._base)[0] - self._wanted.restart
        return last if self._wanted.until is None else min(last, self._wanted.until)

    def _seal(self, after: int) -> Seal | None:
        """The last seal that ends a segment of this size; of a larger one, if none does."""
        until, best = self._until(), None
        asked = f"SELECT body FROM journal WHERE {OF_SEALS} AND entry > ? ORDER BY entry"  # noqa: S608 - ours
        for (body,) in self._base.execute(asked, (after,)):
            seal = seal_of(spelled(segments.table(body)))
            if seal is None or seal.entry <= after or seal.hash != self._hash(seal.entry):
                continue
            if seal.entry > until or seal.wall_ns >= self._wanted.before_ns:
                break
            if best and seal.entry - after > self._wanted.segment:
                break
            best = seal
        return best

    def _archived(self, head: Head) -> Path:
        """Its file, as it was read back from the archive."""
        path, before = self._wanted.archive / head.name, bytes.fromhex(head.before)
        if not path.exists():
            rows = list(self._rows(head.first - 1, head.last))
            segments.demand_sealed(head, before, rows, "the ledger")
            for left in path.parent.glob(f"{segments.prefix(head.lane, head.ledger)}*.part"):
                left.unlink()
            written(path, segments.packed(head, rows))
            _forget(path)
            segments.proven(path, before)
        return path

    def _let_go(self, bridge: Bridge) -> tuple[bool, Stated]:
        """Of what had stayed, a bounded part of what is needed no longer; and what is stated then."""
        for _ in range(TRIES):
            known_to = end(self._base)[0]
            parted = self._parted(Stated(), bridge.to, self._wanted.segment)
            if (parted.before.count, parted.before.hex()) != (bridge.kept, bridge.digest):
                raise ArchiveRefused(
                    f"entries up to {bridge.to} are not those that were to stay: `tunnel-edge audit … verify`."
                )
            if not parted.entries:
                return False, parted.stated
            if self._committed(bridge, parted, known_to):
                full = len(parted.entries) == self._wanted.segment
                return True, Stated() if full else parted.stated
        return False, Stated(bridge.to, parted.before)

    def _bridged(self, told: Bridge, stated: Stated) -> Stated:
        """Enter the bridge of a segment, and take out what is in its file and not needed here."""
        for _ in range(TRIES):
            known_to = end(self._base)[0]
            parted = self._parted(stated, told.to, told.to)
            if self._committed(told, parted, known_to):
                return parted.stated
        raise ArchiveRefused("what was to be put away is being written about all the time: try again later.")

    def _parted(self, stated: Stated, to: int, most: int) -> Parted:
        """Part the entries behind what is stated: what stays, and at most so many that go."""
        stays, kept, before = Staying(self._base, stated.to, to), stated.kept.copy(), stated.kept.copy()
        going: list[int] = []
        requests: list[str] = []
        for row in self._rows(stated.to, to):
            told = row[0], segments.digest(row), row[5]
            before.take(*told)
            if len(going) == most or stays(row):
                kept.take(*told)
            else:
                going.append(row[0])
                requests += [request] if (request := request_of(row)) else []
        return Parted(Stated(to, kept), going, requests, stays.leaving, before)

    def _committed(self, told: Bridge, parted: Parted, known_to: int) -> bool:
        """In one transaction: the entries go, what belongs to them, and the bridge is entered; False: look again."""
        base, kept = self._base, parted.stated.kept
        with base:
            base.execute("BEGIN IMMEDIATE")
            if self._went_on(parted, known_to):
                return False
            take_out(base, parted.entries)
            self._forget_beside(parted)
            bridge = replace(told, by=self._wanted.by, kept=kept.count, digest=kept.hex())
            enter(base, [(PUT_AWAY, None, bridge.body())])
        self._bridge = bridge
        return True

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

    def _rows(self, after: int, to: int) -> Iterator[Row]:
        """Entries as they stand; none of them changes while this process has the lock."""
        while chunk := self._base.execute(
            f"{ROW} WHERE entry > ? AND entry <= ? ORDER BY entry LIMIT ?", (after, to, CHUNK)
        ).fetchall():
            yield from chunk
            after = chunk[-1][0]


def _seal(head: Head) -> Seal:
    seal = seal_of(head.seal.encode())
    if seal is None:
        raise ArchiveRefused(f"{head.name}: names no seal: bring it back from a copy.")
    return seal


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _forget(path: Path) -> None:
    """Have the kernel forget a file's bytes, so that reading them asks the disk."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
