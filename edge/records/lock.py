"""One daemon a lane: who has the state folder keeps others out, and gives it back even when it is killed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from edge.core.errors import ConfigError, LaneInUse

LOCK = "lock"  # file in the lane's state


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep a lane's state folder to oneself.

    Raises:
        LaneInUse: another process has it.
        ConfigError: it cannot be made, or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("a+")
    except OSError as error:
        raise ConfigError(f"{folder}: {error.strerror}: let this user write there, or set [lane] state.") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise LaneInUse(
                f"{folder}: in use by {file.read().strip() or 'another process'}: stop that first."
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()} since {datetime.now(UTC).isoformat(timespec='seconds')}\n")
        file.flush()
        yield
