"""What is on the disk for certain: a name once its folder was synced, a file's bytes once the file was (fsync(2))."""

from __future__ import annotations

import errno
import os
from itertools import takewhile
from pathlib import Path

UNABLE = frozenset({errno.EINVAL, errno.EACCES, errno.ENOTSUP})  # a file system, or a folder, that cannot be synced


def made(folder: Path) -> None:
    """Make a folder, and have it outlive a power cut, whoever made it and those above it.

    Raises:
        OSError: it cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    device = folder.stat().st_dev
    for above in takewhile(lambda one: one.stat().st_dev == device, folder.absolute().parents):
        synced(above)


def written(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Write a file in one step: a reader sees the old one or the new one, and so it is after a power cut.

    mode: who may read it, from its first byte on.

    Raises:
        OSError: it cannot be written; the old one stays.
    """
    partial = path.with_name(path.name + ".part")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    synced(path.parent)


def synced(folder: Path) -> None:
    """Have the names in a folder on the disk, where the file system can."""
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
    except OSError as error:
        if error.errno not in UNABLE:
            raise
