"""Keys that sign (Ed25519), each in a file that only its owner can read; who calls says what to do about a fault."""

from __future__ import annotations

import base64
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
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


def signature(key: Ed25519PrivateKey, said: bytes) -> str:
    """What a key signs of some bytes, base64."""
    return base64.b64encode(key.sign(said)).decode()


def has_signed(public_key: str, told: str, said: bytes) -> bool:
    """Whether it is a public key's (hex) signature (base64) of some bytes; whose key that is is another question."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(base64.b64decode(told, validate=True), said)
    except (InvalidSignature, ValueError):
        return False
    return True
