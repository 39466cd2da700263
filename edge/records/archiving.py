"""Writes a ledger's old days into its archive, a segment at a time, and reads back what it wrote."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.core.chain import BEGINNING
from edge.core.errors import ArchiveRefused
from edge.disk import written
from edge.records import segments
from edge.records.bridge import Bridge
from edge.records.ledger_file import OF_SEALS, Row, end
from edge.records.raw import table
from edge.records.seals import Seal, seal_of, spelled
from edge.records.segments import Head

SEGMENT = 20_000  # entries
RESTART = 20_000  # entries that a start of the daemon reads
CHUNK = 2_000  # entries read at a time, so that the write-ahead file can be folded in between
ROW = "SELECT entry, wall_ns, kind, item, body, hash FROM journal"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What may be put away, and where to."""

    archive: Path
    lane: str  # SITE/LANE
    by: str
    key: Ed25519PrivateKey  # the box's, that its seals are signed with
    before_ns: int  # wall clock: what was sealed then
    until: int | None = None  # the last entry that may go; None: any but those that a start reads
    segment: int = SEGMENT  # entries, or up to the next seal
    restart: int = RESTART  # the last entries: they stay


class Archive:
    """The archive of one ledger."""

    def __init__(self, base: sqlite3.Connection, wanted: Wanted) -> None:
        """Take the ledger."""
        self._base, self._wanted = base, wanted
        first = base.execute(f"{ROW} ORDER BY entry LIMIT 1").fetchone()
        self._ledger = segments.identity(first) if first else ""

    def demand(self, bridge: Bridge | None) -> None:
        """Refuse a folder that lacks the last segment: another one, or where the archive would be mounted.

        Raises:
            ArchiveRefused: it is such a folder, or none.
        """
        folder = self._wanted.archive
        if not folder.is_dir():
            raise ArchiveRefused(f"{folder}: is no folder: make it, or mount it.")
        if bridge and not (folder / bridge.file).is_file():
            raise ArchiveRefused(f"{folder}: {bridge.file} is not there: mount the archive, or copy it there.")

    def following(self, bridge: Bridge | None) -> Head | None:
        """The segment behind a bridge: one that lies there already, else as many entries as fit, up to a seal.

        Raises:
            ArchiveRefused: what lies there is damaged, or another ledger's.
        """
        after, before = (bridge.to, bridge.hash) if bridge else (0, BEGINNING.hex())
        if there := segments.found(self._wanted.archive, self._ledger).get(after + 1):
            head = segments.proven(there, bytes.fromhex(before))
            self._demand_ours(head, there)
            return head if head.last <= self._until() else None
        seal = self._seal(after)
        if seal is None:
            return None
        line = seal.line().decode()
        return Head(self._wanted.lane, self._ledger, after + 1, seal.entry, before, seal.hash, line)

    def kept(self, head: Head) -> Bridge:
        """Have a segment in the archive, proven as it was read back; the bridge to it, without what stays.

        Raises:
            ArchiveRefused: the ledger is not what was sealed, or the archive not what was written.
            OSError: it cannot be written.
        """
        path, before, seal = self._wanted.archive / head.name, bytes.fromhex(head.before), seal_of(head.seal.encode())
        if not path.exists():
            stretch = list(rows(self._base, head.first - 1, head.last))
            segments.demand_sealed(head, before, stretch, "the ledger")
            for left in path.parent.glob(f"{segments.prefix(head.lane, head.ledger)}*.part"):
                left.unlink()
            written(path, segments.packed(head, stretch))
            _forget(path)
            segments.proven(path, before)
        return Bridge(
            head.last, head.hash, seal.seal if seal else 0, path.name, _sha256(path), self._wanted.by, kept=0, digest=""
        )

    def _demand_ours(self, head: Head, path: Path) -> None:
        if self._hash(head.last) != head.hash or path.name != head.name:
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
            seal = seal_of(spelled(table(body)))
            if seal is None or seal.entry <= after or seal.hash != self._hash(seal.entry):
                continue
            if seal.entry > until or seal.wall_ns >= self._wanted.before_ns:
                break
            if best and seal.entry - after > self._wanted.segment:
                break
            best = seal
        return best


def rows(base: sqlite3.Connection, after: int, to: int) -> Iterator[Row]:
    """Entries as they stand; none of them changes while this process puts away."""
    while chunk := base.execute(
        f"{ROW} WHERE entry > ? AND entry <= ? ORDER BY entry LIMIT ?", (after, to, CHUNK)
    ).fetchall():
        yield from chunk
        after = chunk[-1][0]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _forget(path: Path) -> None:
    """Have the kernel forget a file's bytes, so that reading them asks the disk."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
