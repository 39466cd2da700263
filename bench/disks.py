"""Disks that are slow, or full to the last byte: what a measurement puts a lane's state on."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SLOW_S = 0.3
SIZE = "size=24m"
PIECE = bytes(65_536)


@contextmanager
def usual(_: Path) -> Iterator[None]:
    """The disk as it is."""
    yield


@contextmanager
def slow(_: Path) -> Iterator[None]:
    """Every file takes SLOW_S longer to be durable; SQLite's own do not."""
    known = os.fsync

    def late(fd: int) -> None:
        time.sleep(SLOW_S)
        known(fd)

    os.fsync = late  # type: ignore[assignment]
    try:
        yield
    finally:
        os.fsync = known


@contextmanager
def small(state: Path) -> Iterator[None]:
    """A disk of its own (a tmpfs; as root)."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", SIZE, "tmpfs", state], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", state], check=True)


@contextmanager
def filled(state: Path) -> Iterator[None]:
    """Not a byte is left on it."""
    filler = state / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(PIECE)
    try:
        yield
    finally:
        filler.unlink(missing_ok=True)
