"""Holds a lane's files against each other: chain, seals, outbox and kept pictures. Reads alone, in bounded memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.core.chain_check import Break, Chain, Kind
from edge.records.bridge import Bridge, last_bridge
from edge.records.ledger_file import BEGUN, FILE, SEALED, reading
from edge.records.proof_file import ledger, of_the_file
from edge.records.proof_outbox import OWED, OutboxProof
from edge.records.proof_pictures import PICTURES, PictureProof, removed_since
from edge.records.proof_put_away import ArchiveProof, KeptProof
from edge.records.proof_seals import SealProof
from edge.records.raw import Known, digest, known, stands, table

TOLD_EVERY = 2000  # entries

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
    put_away: int = 0  # the last entry that is in the archive
    breaks: list[Break] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # nothing wrong, but to be known


def prove(
    state: Path,
    keys: Collection[str],
    heads: Sequence[Head] = (),
    also: Sequence[str] = ("file", "pictures"),
    told: Callable[[int, int], None] = lambda _entry, _entries: None,
    archive: Path | None = None,
) -> Proof:
    """Hold everything against everything.

    keys: public keys whose seals count (hex); also: what is looked at beside the chain; told: how far it has come;
    archive: folder of what was put away; None: the bridge stands for it.

    Raises:
        LedgerRefused: there is no ledger, or none that this release knows.
    """
    seals = SealProof(state, keys)  # how long the file is before the ledger is read: it is always written first
    with closing(ledger(state)) as base, closing(OutboxProof()) as outbox, closing(PictureProof(state)) as pictures:
        proof = _Reader(base, seals, outbox, pictures, dict(heads), archive).read(also, told)
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
        archive: Path | None,
    ) -> None:
        self._archive = archive
        self._bridge: Bridge | None = None
        self._notes: list[str] = []
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
        if bridge := self._bridged():
            self._read_before(bridge)
        for row in self._base.execute(ROWS, (bridge.to if bridge else LEAST,)):
            self._hear(row[0], self._take(*row))
            if row[0] % TOLD_EVERY == 0:
                told(row[0], entries)

    def _bridged(self) -> Bridge | None:
        """The entry that stands for what was put away; None: nothing was."""
        try:
            self._bridge = last_bridge(self._base)
        except ValueError as error:
            self._found.append(Break(Kind.PUT_AWAY, 0, 0, str(error)))
        return self._bridge

    def _read_before(self, bridge: Bridge) -> None:
        """What was put away: by the archive, where it is at hand, or else by the hash that was sealed; what stays."""
        stays = KeptProof(bridge)
        for entry, wall_ns, kind, item, body, hashed in self._base.execute(KEPT_ROWS, (bridge.to,)):
            stays.take(entry, digest(wall_ns, kind, item, body), stands(hashed))
            self._hear(entry, _told(kind, body), {SEALED})
        self._found.extend(stays.ended())
        if not (self._seals.trusts(bridge.key) and bridge.is_signed()):
            told = f"nobody whose key counts has signed that entries up to {bridge.to} were put away"
            self._found.append(Break(Kind.PUT_AWAY, 1, bridge.to, told))
        if self._archive:
            self._read_archive(self._archive, bridge)
        else:
            self._chain = Chain.after(bridge.to, bytes.fromhex(bridge.hash))
            self._passed(bridge.to)
            if not self._seals.put_away(bridge.to):
                told = f"the bridge says that entries up to {bridge.to} were put away, and no good seal ends with that"
                self._found.append(Break(Kind.PUT_AWAY, 1, bridge.to, told))
            self._notes.append(f"entries 1 to {bridge.to} were put away: name their archive to have them verified too")

    def _read_archive(self, folder: Path, bridge: Bridge) -> None:
        archive = ArchiveProof(folder, self._base, bridge)
        stays = (known(*row) for row in self._base.execute(KEPT_ROWS, (bridge.to,)))
        archive.beside((self._take_archived(*row) for row in archive.rows()), stays)
        if (self._chain.entry, self._chain.hashed.hex()) != (bridge.to, bridge.hash):
            told = f"the archive does not come to what the bridge stands for: entry {bridge.to}, {bridge.hash[:16]}…"
            self._found.append(Break(Kind.PUT_AWAY, self._chain.entry, bridge.to, told))
        self._found.extend(archive.ended())

    def _take_archived(self, entry: int, wall_ns: int, kind: Any, item: Any, body: Any, hashed: Any) -> Known:
        """One entry of the archive: of what it says the seals alone are heard, for the ledger tells the rest."""
        name, told = self._take(entry, wall_ns, kind, item, body, hashed)
        if name == SEALED:
            self._hear(entry, (name, told))
        return known(entry, wall_ns, kind, item, body, hashed)

    def _beside(self, also: Sequence[str]) -> Iterator[Break]:
        """What else does not fit, once the journal has been read."""
        sealing = [bytes(line) for (line,) in self._base.execute("SELECT line FROM sealing")]
        yield from self._seals.ended(self._chain.entry, sealing)
        for entry, noted in self._heads.items():
            if self._bridge and not self._archive and entry < self._bridge.to:
                self._notes.append(f"head {entry} was put away: only its archive shows whether it was {noted[:16]}…")
                continue
            yield Break(Kind.CUT, self._chain.entry + 1, entry, f"head {entry}:{noted[:16]}… was noted elsewhere")
        yield from self._outbox.ended(self._base)
        if "pictures" in also:
            yield from self._pictures.ended(self._base)
        yield from of_the_file(self._base, whole="file" in also)

    def _take(
        self, entry: int, wall_ns: int, kind: Any, item: Any, body: Any, hashed: Any
    ) -> tuple[str, Mapping[str, Any]]:
        """One entry into the chain; its kind and what it says, where that is to be heard of.

        Texts come as `bytearray`, so that a blob in a text's place is none.
        """
        name, told = _told(kind, body)
        begun = (told.get("from", 0), told.get("to", 0)) if told and name == BEGUN else None
        self._chain.take(entry, digest(wall_ns, kind, item, body), stands(hashed), begun)
        self._passed(entry)
        return name, told

    def _passed(self, entry: int) -> None:
        """The chain goes to this entry: hold its hash against what was sealed, and noted elsewhere."""
        self._seals.passed(entry, self._chain.hashed)
        if self._heads and (noted := self._heads.pop(entry, None)) and noted != self._chain.hashed.hex():
            self._found.append(Break(Kind.REWRITTEN, entry, entry, f"its hash was noted as {noted[:16]}…"))

    def _hear(self, entry: int, said: tuple[str, Mapping[str, Any]], but: Collection[str] = ()) -> None:
        """What an entry says; but: kinds that are not heard."""
        kind, body = said
        if not body or kind in but:
            return
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
        notes = [*seals.notes, *self._notes]
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
        put_away = self._bridge.to if self._bridge else 0
        return Proof(chain.entry, chain.hashed.hex(), seals.count, sealed, *made, put_away, found, notes)


LEAST = -(2**63)  # no number is smaller
ROWS = "SELECT entry, wall_ns, kind, item, body, hash FROM journal WHERE entry > ? ORDER BY entry"
KEPT_ROWS = ROWS.replace("entry > ?", "entry <= ?")
BODIES = frozenset(map(str.encode, (SEALED, BEGUN, *OWED, *PICTURES)))  # kinds that are read, not only reckoned


def _told(kind: Any, body: Any) -> tuple[str, Mapping[str, Any]]:
    """A kind that is to be heard of, and what the entry says; else nothing."""
    name = bytes(kind) if type(kind) is bytearray else b""
    return (name.decode(), table(body)) if name in BODIES else ("", {})
