"""What a process did to its files, call by call: a library before libc writes down each one with its data."""

from __future__ import annotations

import os
import struct
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

SOURCE = Path(__file__).with_name("calls.c")
HEAD = struct.Struct("<cqq")
SIZE = struct.Struct("<I")
WAIT_S = 300.0


@dataclass(frozen=True, slots=True)
class Call:
    """One call that took effect."""

    what: str  # C created, W written, T cut to a length, S synced, R renamed, L linked, U unlinked, M a folder made
    path: str
    where: int = 0  # of a write, bytes from the beginning
    length: int = 0  # of a cut
    other: str = ""  # the new name
    data: bytes = b""


def watched(command: Sequence[str], below: Path, log: Path) -> list[Call]:
    """Run a command to its end; what it did to files below a folder.

    Raises:
        subprocess.CalledProcessError: it failed, or the library cannot be built.
    """
    library = log.with_suffix(".so")
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
    told = {"LD_PRELOAD": str(library), "CALLS_BELOW": str(below.resolve()), "CALLS_LOG": str(log)}
    subprocess.run(command, env=os.environ | told, check=True, timeout=WAIT_S)
    with log.open("rb") as file:
        return list(_read(file))


def _read(file: BinaryIO) -> Iterator[Call]:
    while head := file.read(HEAD.size):
        what, where, length = HEAD.unpack(head)
        path, other, data = (_sized(file) for _ in range(3))
        yield Call(what.decode(), os.fsdecode(path), where, length, os.fsdecode(other), data)


def _sized(file: BinaryIO) -> bytes:
    return file.read(*SIZE.unpack(file.read(SIZE.size)))
