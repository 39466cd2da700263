"""Seals of a journal: the box signs how far its chain goes, in the journal and in a file beside it, line by line.

The file has every seal before the journal has it, and the table `sealing` has had it before both: whoever cuts the
journal, the file or both to different places is found out, and a kill in between is none. Each seal holds the digest of
the line before it.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.disk import synced
from edge.records.ledger_file import OF_SEALS, SEALED, end, enter
from edge.signing import has_signed, public, signature

FILE = "seals.jsonl"
LONGEST_BYTES = 4096  # of a line
NUMBERS = ("seal", "entry", "wall_ns")  # fields that are numbers; the others are text


@dataclass(frozen=True, slots=True)
class Seal:
    """So far the chain goes, says the box."""

    seal: int  # 1, 2, …
    box: str
    entry: int  # the last that it covers
    hash: str  # of that entry, hex
    wall_ns: int
    because: str  # start, time, entries, stop
    previous: str  # SHA-256 of the line before, hex; empty: there is none
    key: str  # public, hex
    signature: str = ""  # base64

    def said(self) -> bytes:
        """What is signed: JSON with sorted keys."""
        return spelled({name: value for name, value in asdict(self).items() if name != "signature"})

    def line(self) -> bytes:
        """As it stands in the file."""
        return spelled(asdict(self))

    def is_signed(self) -> bool:
        """Whether its key signed it; whose key that is is another question."""
        return has_signed(self.key, self.signature, self.said())


def seal_of(line: bytes) -> Seal | None:
    """A line as a seal; None: it is none."""
    try:
        fields = json.loads(line)
        seal = Seal(**fields)
        whole = all(type(value) is (int if name in NUMBERS else str) for name, value in fields.items())
    except (ValueError, TypeError, RecursionError):
        return None
    return seal if whole and seal.line() == line else None


def digest(line: bytes) -> str:
    """What the next seal holds of this one."""
    return sha256(line).hexdigest()


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Each line of a file of seals, and where it ends; the last may be cut off, and then ends with no newline."""
    ends = 0
    with path.open("rb") as file:
        while line := file.readline(LONGEST_BYTES):
            ends += len(line)
            yield ends, line


def add_seal(base: sqlite3.Connection, folder: Path, box: str, key: Ed25519PrivateKey, because: str) -> Seal | None:
    """Seal what has been written since the last seal; None: nothing has.

    Raises:
        OSError, sqlite3.Error: it could not be written; nothing was lost, try again.
    """
    _settle(base, folder)
    if not is_open(base):
        return None
    entry, hashed = end(base)
    before = _last(base, folder)
    number, previous = (before.seal + 1, digest(before.line())) if before else (1, "")
    seal = Seal(number, box, entry, (hashed or b"").hex(), time.time_ns(), because, previous, public(key))
    seal = replace(seal, signature=signature(key, seal.said()))
    with base:
        base.execute("INSERT INTO sealing (line) VALUES (?)", (seal.line().decode(),))
    _append(folder / FILE, seal.line() + b"\n")
    _note(base, seal)
    return seal


def _settle(base: sqlite3.Connection, folder: Path) -> None:
    """A kill or a full disk has left a seal unfinished: where the file has it, the journal is to have it too."""
    for (begun,) in base.execute("SELECT line FROM sealing").fetchall():
        seal, ends = _last_whole(folder)
        if seal and seal.line() == begun.encode():
            _note(base, seal)
        else:
            _cut(folder / FILE, ends)
            _note(base, None)


def _cut(path: Path, ends: int) -> None:
    """Take away what a power cut has left of the seal that was begun: a newline may lie in it anywhere."""
    if path.exists() and path.stat().st_size > ends:
        with path.open("r+b", buffering=0) as file:
            file.truncate(ends)
            os.fsync(file.fileno())


def _note(base: sqlite3.Connection, seal: Seal | None) -> None:
    with base:
        enter(base, [(SEALED, None, asdict(seal))] if seal else [])
        base.execute("DELETE FROM sealing")


def is_open(base: sqlite3.Connection) -> bool:
    """Whether there is anything behind the last seal, which has a hash."""
    row = base.execute("SELECT kind, hash FROM journal ORDER BY entry DESC LIMIT 1").fetchone()
    if row and row[1] is None:  # of a release without a chain
        with base:
            enter(base, ())
        return True
    return row is not None and row[0] != SEALED


def _last(base: sqlite3.Connection, folder: Path) -> Seal | None:
    """The last seal there is; the file's goes before, for it is written first. One of them may have been cut."""
    asked = f"SELECT body FROM journal WHERE {OF_SEALS} ORDER BY entry DESC LIMIT 1"  # noqa: S608 - ours
    noted = [seal_of(spelled(json.loads(body))) for (body,) in base.execute(asked)]
    return max((one for one in (*noted, last_line(folder)) if one), key=lambda one: one.seal, default=None)


def last_line(folder: Path) -> Seal | None:
    """The last whole line of the file."""
    return _last_whole(folder)[0]


def _last_whole(folder: Path) -> tuple[Seal | None, int]:
    """The last whole line of the file, and where it ends."""
    last, ends = None, 0
    try:
        with (folder / FILE).open("rb") as file:
            at = file.seek(max(0, file.seek(0, os.SEEK_END) - 2 * LONGEST_BYTES))
            for line in file:
                at += len(line)
                if line.endswith(b"\n") and (seal := seal_of(line[:-1])):
                    last, ends = seal, at
    except FileNotFoundError:
        pass
    return last, ends


def _append(path: Path, line: bytes) -> None:
    """One line more, on disk; if it cannot be, none of it."""
    is_new = not path.exists()
    with path.open("ab", buffering=0) as file:
        size = _mend(path, file)
        try:
            file.write(line)
            os.fsync(file.fileno())
            _demand_whole(path, size + len(line))
        except OSError:
            with suppress(OSError):
                file.truncate(size)
            raise
    if is_new:
        synced(path.parent)


def _demand_whole(path: Path, size: int) -> None:
    """A disk that is nearly full takes a part of what is written, and says nothing."""
    if path.stat().st_size != size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def _mend(path: Path, file: BinaryIO) -> int:
    """Where the file ends, without what a power cut left of a line."""
    size = file.seek(0, os.SEEK_END)
    with path.open("rb") as written:
        written.seek(max(0, size - LONGEST_BYTES))
        tail = written.read()
    kept = size - len(tail) + tail.rfind(b"\n") + 1 if tail else 0
    if kept < size:
        file.truncate(kept)
    return kept


def spelled(fields: Mapping[str, Any]) -> bytes:
    """As a line of the file has it."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
