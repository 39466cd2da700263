"""Entries as a proof takes them: texts come as `bytearray`, so that a blob in a text's place is none."""

from __future__ import annotations

import json
import struct
from typing import Any

from edge.core.chain import content

MALFORMED = b""  # digest of what no journal holds
Raw = tuple[int, int, bytearray, bytearray | None, bytearray, bytes | None]
"""Number, wall clock ns, kind, item, body, hash."""
Known = tuple[int, bytes, bytes | None]
"""What stands for an entry: its number, the digest of what it says, its hash as it stands."""


def known(entry: int, wall_ns: Any, kind: Any, item: Any, body: Any, hashed: Any) -> Known:
    """What stands for an entry, whatever lies there."""
    return entry, digest(wall_ns, kind, item, body), stands(hashed)


def stands(hashed: Any) -> bytes | None:
    """A hash as it stands; what is none can follow from nothing."""
    return hashed if hashed is None or type(hashed) is bytes else b"no hash"


def digest(wall_ns: Any, kind: Any, item: Any, body: Any) -> bytes:
    """Of what an entry says; MALFORMED: no journal says that."""
    if type(kind) is not bytearray or type(body) is not bytearray or type(item) not in (bytearray, type(None)):
        return MALFORMED
    try:
        return content(wall_ns, kind, item, body)
    except struct.error:  # the time is no whole number
        return MALFORMED


def table(body: Any) -> dict[str, Any]:
    """What a body in the ledger says; nothing where that is no JSON table, or can no longer be read."""
    try:
        told = json.loads(body)
    except (ValueError, TypeError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
