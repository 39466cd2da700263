"""Files of numbers that know whether they are whole and what made them: `.npz`, never pickle."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge import disk
from edge.core.errors import ReferencesRefused

NAME_DIGITS = 16  # of a file's SHA-256, in hex

Array = npt.NDArray[Any]


def write(path: Path, arrays: Mapping[str, Array], maker: str) -> None:
    """Write `arrays` in one step: a reader sees the old file or the new one, never half of one.

    maker: what the numbers mean nothing without: the SHA-256 of a model, or the name of a method.
    """
    disk.made(path.parent)
    disk.written(path, packed(arrays, maker))


def packed(arrays: Mapping[str, Array], maker: str) -> bytes:
    """The bytes of such a file."""
    file = io.BytesIO()
    np.savez(file, maker=maker, checksum=_checksum(arrays), **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def read(path: Path, maker: str) -> dict[str, Array]:
    """What `write` was given.

    Raises:
        ReferencesRefused: missing, damaged, or made by another maker.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ReferencesRefused(f"{path}: cannot be read ({error}): restore it, or make it anew.") from error
    return unpacked(content, maker, str(path))


def named(path: Path) -> str:
    """How ledger and recordings name a file of what was learnt: by the beginning of its SHA-256, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:NAME_DIGITS]


def unpacked(content: bytes, maker: str, name: str) -> dict[str, Array]:
    """What `packed` was given; name: how messages call it.

    Raises:
        ReferencesRefused: damaged, or made by another maker.
    """
    arrays = _arrays(content, name)
    made_by, checksum = (str(arrays.pop(key, "")) for key in ("maker", "checksum"))
    if checksum != _checksum(arrays):
        raise ReferencesRefused(f"{name}: the file is damaged (checksum): restore it, or make it anew.")
    if made_by != maker:
        raise ReferencesRefused(
            f"{name}: made by {made_by[:12]!r}, but {maker[:12]!r} is in use: make it anew with what is in use."
        )
    return arrays


def _arrays(content: bytes, name: str) -> dict[str, Array]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            return dict(stored)
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise ReferencesRefused(f"{name}: cannot be read ({error}): restore it, or make it anew.") from error


def _checksum(arrays: Mapping[str, Array]) -> str:
    """SHA-256 over names, types, shapes and bytes, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
