"""The key that a box seals its journal with (Ed25519): its own, made at the first start, never handed out."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from edge import disk
from edge.core.errors import ConfigError
from edge.credentials import where

SECRET, PUBLIC = "audit.key_secret", "audit.key"  # files in the lane's state, unless the settings name another
OTHERS = 0o077


def own(state: Path, named: Path | None) -> Ed25519PrivateKey:
    """The key that the settings name, else the lane's own, which is made where there is none.

    Raises:
        ConfigError: it is missing, no such key, or others can read it.
    """
    if named is None and not (state / SECRET).exists():
        make(state / SECRET)
    return read(where(named or state / SECRET))


def make(path: Path) -> Ed25519PrivateKey:
    """A new key, in a file that only its owner can read.

    Raises:
        ConfigError: there is one already, or it cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    try:
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        disk.made(path.parent)
        disk.written(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
        disk.written(path.with_name(PUBLIC), f"{public(key)}\n".encode())
    except OSError as error:
        raise ConfigError(f"{error.filename}: {error.strerror}: make room, or name another file.") from error
    return key


def read(path: Path) -> Ed25519PrivateKey:
    """A key from its file.

    Raises:
        ConfigError: it is missing, no such key, or others can read it.
    """
    try:
        if path.stat().st_mode & OTHERS:
            raise ConfigError(f"{path}: others may read this secret key: `chmod 600 {path}`, or make a new one.")
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{path}: no key ({error}): restore it, or make one: `tunnel-edge audit … key --new`.") from (
            error
        )
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{path}: a key of another kind: make one with `tunnel-edge audit … key --new`.")
    return key


def public(key: Ed25519PrivateKey) -> str:
    """What others know it by (hex, 64 characters)."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
