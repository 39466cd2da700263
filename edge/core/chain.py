"""The journal's chain: each entry's hash covers the one before it, so that none can be changed, moved or taken away.

hash = SHA-256(hash before ‖ number ‖ SHA-256(lengths ‖ wall clock, kind, item, body)); number and lengths are 8 bytes,
big-endian. The inner digest stands for the content alone: a moved entry is known again by it.
"""

from __future__ import annotations

import struct
from hashlib import sha256

BEGINNING = bytes(32)  # the hash before the first entry
NO_ITEM = -1
LENGTHS = struct.Struct(">qqqq")
NUMBER = struct.Struct(">q")

Text = bytes | bytearray
"""UTF-8, as the ledger holds it."""


def content(wall_ns: int, kind: Text, item: Text | None, body: Text) -> bytes:
    """The digest of what an entry says."""
    lengths = LENGTHS.pack(wall_ns, len(kind), NO_ITEM if item is None else len(item), len(body))
    return sha256(b"".join((lengths, kind, item or b"", body))).digest()


def link(before: bytes, number: int, digest: bytes) -> bytes:
    """An entry's hash, from the hash before it and the digest of its content."""
    return sha256(before + NUMBER.pack(number) + digest).digest()


def kept(number: int, digest: bytes, hashed: bytes | None) -> bytes:
    """What stands for an entry that outlives those around it: number, content and hash as it stands."""
    return sha256(NUMBER.pack(number) + digest + (hashed or b"")).digest()
