"""One daemon a lane: who has the state folder keeps others out, and gives it back even when it is killed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from edge.core.errors import LaneInUse, LedgerRefused
from edge.disk import made

LOCK = "lock"  # file in the lane's state


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep a lane's state folder to oneself.

    Raises:
        LaneInUse: another process has it.
        LedgerRefused: it cannot be made, or written to.
    """
    try:
        made(folder)
        file = (folder / LOCK).open("a+")
    except OSError as error:
        raise _refused(folder, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise LaneInUse(
                f"{folder}: in use by {file.read().strip() or 'another process'}: stop that first."
            ) from None
        _sign(folder, file)
        yield


def _sign(folder: Path, file: IO[str]) -> None:
    """Say who has it."""
    try:
        file.truncate(0)
        file.write(f"process {os.getpid()} since {datetime.now(UTC).isoformat(timespec='seconds')}\n")
        file.flush()
    except OSError as error:
        raise _refused(folder, error) from error


def _refused(folder: Path, error: OSError) -> LedgerRefused:
    return LedgerRefused(
        f"{folder}: cannot be written ({error.strerror}): make room, let this user write, or set state."
    )
