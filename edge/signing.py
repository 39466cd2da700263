"""Keys that sign (Ed25519), each in a file that only its owner can read; who calls says what to do about a fault."""

from __future__ import annotations

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

SECRET_MODE, OTHERS = 0o600, 0o077


def make(path: Path) -> Ed25519PrivateKey:
    """A new key in a file, in place of what is there.

    Raises:
        OSError: it cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    disk.made(path.parent)
    disk.written(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), SECRET_MODE)
    return key


def load(path: Path) -> Ed25519PrivateKey | None:
    """The key in a file; None: it is of another kind.

    Raises:
        OSError, ValueError, TypeError: it cannot be read, or is no key that opens without a password.
    """
    key = load_pem_private_key(path.read_bytes(), None)
    return key if isinstance(key, Ed25519PrivateKey) else None


def is_exposed(path: Path) -> bool:
    """Whether others than its owner can read a file.

    Raises:
        OSError: there is none.
    """
    return bool(path.stat().st_mode & OTHERS)


def public(key: Ed25519PrivateKey) -> str:
    """What others know a key by (hex, 64 characters)."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
