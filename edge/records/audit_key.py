"""The key that a box seals its journal with (Ed25519): its own, made at the first start, never handed out."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge import disk, signing
from edge.core.errors import ConfigError
from edge.credentials import where

SECRET, PUBLIC = "audit.key_secret", "audit.key"  # files in the lane's state, unless the settings name another


def own(state: Path, named: Path | None) -> Ed25519PrivateKey:
    """The key that the settings name, else the lane's own, which is made where there is none.

    Raises:
        ConfigError: it is missing, no such key, or others can read it.
    """
    if named is None and not (state / SECRET).exists():
        make(state / SECRET)
    return known(state, named)


def known(state: Path, named: Path | None) -> Ed25519PrivateKey:
    """The same, which must be there.

    Raises:
        ConfigError: it is missing, no such key, or others can read it.
    """
    return read(where(named or state / SECRET))


def make(path: Path) -> Ed25519PrivateKey:
    """A new key, in a file that only its owner can read.

    Raises:
        ConfigError: there is one already, or it cannot be written.
    """
    try:
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        key = signing.make(path)
        disk.written(path.with_name(PUBLIC), f"{signing.public(key)}\n".encode())
    except OSError as error:
        raise ConfigError(f"{error.filename}: {error.strerror}: make room, or name another file.") from error
    return key


def read(path: Path) -> Ed25519PrivateKey:
    """A key from its file.

    Raises:
        ConfigError: it is missing, no such key, or others can read it.
    """
    try:
        if signing.is_exposed(path):
            raise ConfigError(f"{path}: others may read this secret key: `chmod 600 {path}`, or make a new one.")
        key = signing.load(path)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{path}: no key ({error}): restore it, or make one: `tunnel-edge audit … key --new`.") from (
            error
        )
    if key is None:
        raise ConfigError(f"{path}: a key of another kind: make one with `tunnel-edge audit … key --new`.")
    return key
