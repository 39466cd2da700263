"""Holds a lane's files against each other: chain, seals, outbox and kept pictures. Reads alone, in bounded memory."""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.core.chain import content
from edge.core.chain_check import Break, Chain, Kind
from edge.core.errors import LedgerRefused
from edge.records.ledger_file import BEGUN, FILE, SCHEMA, SEALED, TRIGGERS, VERSION, read_only, reading
from edge.records.proof_outbox import OWED, OutboxProof
from edge.records.proof_pictures import PICTURES, PictureProof, removed_since
from edge.records.proof_seals import SealProof

MALFORMED = b""  # digest of what no journal holds
TOLD_EVERY = 2000  # entries
MOST_FAULTS = 20  # of SQLite's own, told

Head = tuple[int, str]
"""An entry's number and hash (hex), as they were noted elsewhere."""


@dataclass(slots=True)
class Proof:
    """What the files come to."""

    entries: int = 0
    head: str = ""  # hash of the last entry, hex
    seals: int = 0
    sealed: int = 0  # the last entry that a good seal covers
    sealed_ns: int = 0  # wall clock, when it was made
    box: str = ""
    breaks: list[Break] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # nothing wrong, but to be known


def prove(
    state: Path,
    keys: Collection[str],
    heads: Sequence[Head] = (),
    also: Sequence[str] = ("file", "pictures"),
    told: Callable[[int, int], None] = lambda _entry, _entries: None,
) -> Proof:
    """Hold everything against everything.

    keys: public keys whose seals count (hex); also: what is looked at beside the chain; told: how far it has come.

    Raises:
        LedgerRefused: there is no ledger, or none that this release knows.
    """
    seals = SealProof(state, keys)  # how long the file is before the ledger is read: it is always written first
    with closing(_opened(state)) as base, closing(OutboxProof()) as outbox, closing(PictureProof(state)) as pictures:
        proof = _Reader(base, seals, outbox, pictures, dict(heads)).read(also, told)
        return _but_removed_meanwhile(proof, state)


def _but_removed_meanwhile(proof: Proof, state: Path) -> Proof:
    """A picture that is missing may have been removed, as it should be, while the rest was looked at."""
    if any(one.kind is Kind.EVIDENCE for one in proof.breaks):
        with reading(state) as base:
            gone = {sha256[:16] for sha256 in removed_since(base, proof.entries)}
        proof.breaks = [one for one in proof.breaks if not any(name in one.told for name in gone)]
    return proof


class _Reader:
    """One pass through a journal."""

    def __init__(
        self,
        base: sqlite3.Connection,
        seals: SealProof,
        outbox: OutboxProof,
        pictures: PictureProof,
        heads: dict[int, str],
    ) -> None:
        self._base, self._seals, self._outbox, self._pictures, self._heads = base, seals, outbox, pictures, heads
        self._chain = Chain()
        self._found: list[Break] = []
        self._named = 0  # the last entry that names a seal: it is signed itself

    def read(self, also: Sequence[str], told: Callable[[int, int], None]) -> Proof:
        """Everything in one snapshot; of a damaged file as much as can be read."""
        self._base.execute("BEGIN")
        try:
            self._read_journal(told)
            self._found.extend(self._beside(also))
        except sqlite3.DatabaseError as error:
            told_of = f"{FILE} cannot be read as a whole, its journal up to entry {self._chain.entry}: {error}"
            self._found.append(Break(Kind.FILE, 0, 0, told_of))
        self._found += self._chain.ended()
        return self._proof()

    def _read_journal(self, told: Callable[[int, int], None]) -> None:
        entries = int(self._base.execute("SELECT MAX(entry) FROM journal").fetchone()[0] or 0)
        self._seals.begin()
        for row in self._base.execute(ROWS):
            self._take(*row)
            if row[0] % TOLD_EVERY == 0:
                told(row[0], entries)

    def _beside(self, also: Sequence[str]) -> Iterator[Break]:
        """What else does not fit, once the journal has been read."""
        sealing = [bytes(line) for (line,) in self._base.execute("SELECT line FROM sealing")]
        yield from self._seals.ended(self._chain.entry, sealing)
        for entry, noted in self._heads.items():
            yield Break(Kind.CUT, self._chain.entry + 1, entry, f"head {entry}:{noted[:16]}… was noted elsewhere")
        yield from self._outbox.ended(self._base)
        if "pictures" in also:
            yield from self._pictures.ended(self._base)
        yield from _of_the_file(self._base, whole="file" in also)

    def _take(self, entry: int, wall_ns: int, kind: Any, item: Any, body: Any, hashed: Any) -> None:
        """One entry; texts come as `bytearray`, so that a blob in a text's place is none."""
        name = bytes(kind) if type(kind) is bytearray else b""
        told = BODIES.get(name) and _table(body)
        stands = hashed if hashed is None or type(hashed) is bytes else b"no hash"
        begun = (told.get("from", 0), told.get("to", 0)) if told and name == BEGUN.encode() else None
        self._chain.take(entry, _digest(wall_ns, kind, item, body), stands, begun)
        self._seals.passed(entry, self._chain.hashed)
        if self._heads and (noted := self._heads.pop(entry, None)) and noted != self._chain.hashed.hex():
            self._found.append(Break(Kind.REWRITTEN, entry, entry, f"its hash was noted as {noted[:16]}…"))
        if told is not None and told:
            self._hear(entry, name.decode(), told)

    def _hear(self, entry: int, kind: str, body: Mapping[str, Any]) -> None:
        if kind == SEALED:
            self._named = entry
            self._seals.entered(entry, body)
        elif kind in OWED:
            self._outbox.entered(entry, kind, body)
        elif kind in PICTURES:
            self._pictures.entered(entry, kind, body)

    def _proof(self) -> Proof:
        chain, seals = self._chain, self._seals
        found = sorted(self._found, key=lambda one: (one.first, one.last))
        notes = [*seals.notes]
        if self._pictures.vanished:
            notes.append(
                f"{self._pictures.vanished} pictures were found missing by the daemon: EvidenceRemoved says which"
            )
        sealed = seals.sealed.entry if seals.sealed else 0
        if chain.entry > max(sealed, self._named):
            notes.append(
                f"entries {sealed + 1} to {chain.entry} are not sealed yet: cutting them off would not be found"
            )
        made = (seals.sealed.wall_ns, seals.sealed.box) if seals.sealed else (0, "")
        return Proof(chain.entry, chain.hashed.hex(), seals.count, sealed, *made, found, notes)


ROWS = "SELECT entry, wall_ns, kind, item, body, hash FROM journal ORDER BY entry"
BODIES = {name.encode(): True for name in (SEALED, BEGUN, *OWED, *PICTURES)}  # kinds that are read, not only reckoned


def _digest(wall_ns: Any, kind: Any, item: Any, body: Any) -> bytes:
    if type(kind) is not bytearray or type(body) is not bytearray or type(item) not in (bytearray, type(None)):
        return MALFORMED
    try:
        return content(wall_ns, kind, item, body)
    except struct.error:  # the time is no whole number
        return MALFORMED


def _table(body: Any) -> dict[str, Any]:
    try:
        told = json.loads(bytes(body))
    except (ValueError, TypeError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _of_the_file(base: sqlite3.Connection, *, whole: bool) -> Iterator[Break]:
    """What keeps the journal append-only is there, and indices are what they were, and say what the tables do."""
    triggers, indices = _made(base, "trigger"), _made(base, "index")
    for name, sql in TRIGGERS.items():
        if triggers.get(name) != sql:
            yield Break(Kind.FILE, 0, 0, f"the trigger {name}, which forbids changes, is missing or another")
    for name in triggers.keys() - TRIGGERS.keys():
        yield Break(Kind.FILE, 0, 0, f"the trigger {name} is none of the ledger's")
    with closing(sqlite3.connect(":memory:")) as new:
        new.executescript(SCHEMA)
        for name, sql in _made(new, "index").items():
            if indices.get(name, sql) != sql:
                yield Break(Kind.FILE, 0, 0, f"the index {name} is another than it was")
    for (fault,) in base.execute(f"PRAGMA integrity_check({MOST_FAULTS})") if whole else ():
        if fault != b"ok":
            yield Break(Kind.FILE, 0, 0, f"{FILE}: {bytes(fault).decode(errors='replace')}")


def _made(base: sqlite3.Connection, kind: str) -> dict[str, str]:
    """Name → how it was made, of all of a kind in the schema."""
    rows = base.execute("SELECT name, sql FROM sqlite_master WHERE type = ? AND sql IS NOT NULL", (kind,))
    return {_text(name): _text(sql) for name, sql in rows}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else bytes(value).decode(errors="replace")


def _opened(state: Path) -> sqlite3.Connection:
    """The ledger to be read alone; a copy on a medium that cannot be written too.

    Raises:
        LedgerRefused: it is missing, or none that this release knows.
    """
    if not (state / FILE).is_file():
        raise LedgerRefused(f"{state}: there is no {FILE}: name a lane's settings, or a copy of its state.")
    try:
        base = read_only(state)
        base.text_factory = bytearray
        version = base.execute("PRAGMA user_version").fetchone()[0]
        columns = [bytes(row[1]) for row in base.execute("PRAGMA table_info(journal)")]
    except sqlite3.Error as error:
        raise LedgerRefused(
            f"{state / FILE}: no ledger, or a damaged one ({error}): restore it from a copy."
        ) from error
    if version > VERSION:
        raise LedgerRefused(f"{state / FILE}: made by a newer release: verify it with that.")
    if b"hash" not in columns:
        raise LedgerRefused(f"{state / FILE}: made by a release without a chain: start the daemon of this one once.")
    return base
