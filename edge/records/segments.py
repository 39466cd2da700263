"""Segments of a journal in its archive: a gzip file each, a line an entry as it stood, between two hashes of the chain.

The first line says whose entries these are and what they follow from, with the seal that covers the last of them: so a
segment is held against nothing but itself and the box's key, and all of a journal's against each other.
"""

from __future__ import annotations

import gzip
import json
import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge.core.chain import BEGINNING, content, link
from edge.core.chain_check import Chain
from edge.core.errors import ArchiveRefused
from edge.records.ledger_file import BEGUN, Row
from edge.records.raw import table
from edge.records.seals import seal_of

FORMAT = "tunnel-edge ledger 1"
NAME = re.compile(r".+-([0-9a-f]{8})-(\d{12})-(\d{12})\.jsonl\.gz")
LONGEST_BYTES = 64_000_000  # of a line
HASH = re.compile(r"[0-9a-f]{64}")
NUMBERS = ("first", "last")  # fields of the first line that are numbers; the others are text
NAMED = 8  # digits of a hash that name a journal
LEVEL = 6  # of compression
FIELDS: Mapping[str, type | tuple[type, ...]] = {
    "entry": int,
    "wall_ns": int,
    "kind": str,
    "item": (str, type(None)),
    "body": str,
    "hash": (str, type(None)),
}


@dataclass(frozen=True, slots=True)
class Head:
    """What a segment says of itself."""

    lane: str  # SITE/LANE
    ledger: str  # which journal: of the hash of its first entry
    first: int  # entry
    last: int
    before: str  # hash that the first follows, hex
    hash: str  # of the last, hex
    seal: str  # that covers the last, as it stands in the file of seals
    format: str = FORMAT

    @property
    def name(self) -> str:
        """Of its file."""
        return f"{prefix(self.lane, self.ledger)}{self.first:012}-{self.last:012}.jsonl.gz"


def prefix(lane: str, ledger: str) -> str:
    """How the names of all segments of a journal begin."""
    return f"{lane.replace('/', '.')}-{ledger}-"


def identity(first: Row) -> str:
    """Which journal this is, by its first entry."""
    return link(BEGINNING, first[0], digest(first)).hex()[:NAMED]


def found(folder: Path, ledger: str) -> dict[int, Path]:
    """First entry → the segment that begins with it, of one journal.

    Raises:
        OSError: the folder cannot be read.
    """
    named = ((path, NAME.fullmatch(path.name)) for path in sorted(folder.iterdir()))
    return {int(match[2]): path for path, match in named if match and match[1] == ledger}


def line(row: Row) -> str:
    """An entry as a line."""
    entry, wall_ns, kind, item, body, hashed = row
    said = {"entry": entry, "wall_ns": wall_ns, "kind": kind, "item": item, "body": body}
    return json.dumps({**said, "hash": hashed.hex() if hashed else None}) + "\n"


def packed(head: Head, rows: Iterable[Row]) -> bytes:
    """The file: the same entries are always the same bytes."""
    lines = (json.dumps(asdict(head)) + "\n", *map(line, rows))
    return gzip.compress("".join(lines).encode(), LEVEL, mtime=0)


def opened(path: Path) -> tuple[Head, Iterator[Row]]:
    """What a segment says of itself, and its entries as they are read.

    Raises:
        ArchiveRefused: it cannot be read, or is damaged; of its entries while they are read.
    """
    lines = _lines(path)
    try:
        return _head(json.loads(next(lines))), _rows(path, lines)
    except (StopIteration, ValueError, TypeError, RecursionError) as error:
        raise _damaged(path, error) from error


def proven(path: Path, before: bytes) -> Head:
    """What a segment says of itself, once all of it was read and follows from the hash before it up to its seal.

    Raises:
        ArchiveRefused: it does not, or it cannot be read.
    """
    head, rows = opened(path)
    demand_sealed(head, before, rows, str(path))
    return head


def demand_sealed(head: Head, before: bytes, rows: Iterable[Row], where: str) -> None:
    """Refuse entries that do not follow from the one before them, or are not those that were sealed.

    Raises:
        ArchiveRefused: which, and how.
    """
    chain, seal = Chain.after(head.first - 1, before), seal_of(head.seal.encode())
    for row in rows:
        chain.take(row[0], digest(row), row[5], begun(row[2], row[4]))
    if breaks := chain.ended():
        raise ArchiveRefused(f"{where}: entry {breaks[0].first}: {breaks[0].told}: `tunnel-edge audit … verify` first.")
    ends = (chain.entry, chain.hashed.hex())
    if seal is None or not seal.is_signed() or {(seal.entry, seal.hash), (head.last, head.hash)} != {ends}:
        raise ArchiveRefused(f"{where}: entry {head.last} is not what was sealed: `tunnel-edge audit … verify` first.")


def digest(row: Row) -> bytes:
    """Of what an entry says.

    Raises:
        ArchiveRefused: no entry can say that.
    """
    _, wall_ns, kind, item, body, _ = row
    try:
        return content(wall_ns, kind.encode(), None if item is None else item.encode(), body.encode())
    except (struct.error, AttributeError, UnicodeEncodeError) as error:
        raise ArchiveRefused(f"entry {row[0]}: is none ({error}): `tunnel-edge audit … verify` first.") from error


def begun(kind: str, body: str) -> tuple[int, int] | None:
    """Which entries before it this one takes into the chain; None: it is of another kind."""
    told = table(body) if kind == BEGUN else {}
    return (told.get("from", 0), told.get("to", 0)) if told else None


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path, "rb") as file:
            while told := file.readline(LONGEST_BYTES):
                yield told
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(path, error) from error


def _rows(path: Path, lines: Iterable[bytes]) -> Iterator[Row]:
    for told in lines:
        try:
            yield _row(json.loads(told))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise _damaged(path, error) from error


def _head(said: Mapping[str, Any]) -> Head:
    head = Head(**said)
    if any(type(value) is not (int if name in NUMBERS else str) for name, value in said.items()):
        raise ValueError("its first line has a field of another type")
    if head.format != FORMAT or not HASH.fullmatch(head.before) or not NAME.fullmatch(head.name):
        raise ValueError("its first line is none of a segment")
    return head


def _row(said: Mapping[str, Any]) -> Row:
    if any(type(said[name]) is bool or not isinstance(said[name], kind) for name, kind in FIELDS.items()):
        raise ValueError(f"no entry: {said}"[:80])
    hashed = None if said["hash"] is None else bytes.fromhex(said["hash"])
    return said["entry"], said["wall_ns"], said["kind"], said["item"], said["body"], hashed


def _damaged(path: Path, error: Exception) -> ArchiveRefused:
    return ArchiveRefused(f"{path}: cannot be read, or is damaged ({error}): bring it back from a copy.")
