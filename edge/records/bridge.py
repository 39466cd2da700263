"""The bridge: the entry that stands for all entries before another, which are in the archive now.

It names the last of them and its hash, which a seal covers, the segment's file, and what of them stays in the ledger:
how many, and a digest over them; the box has signed it. The last bridge of a journal counts; each stands for everything
from entry 1 on.
"""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.core.chain import kept
from edge.records.ledger_file import PUT_AWAY
from edge.records.seals import spelled
from edge.signing import has_signed, public, signature

HASH = re.compile(r"[0-9a-f]{64}")
NUMBERS = ("to", "seal", "kept")  # fields that are numbers; the others are text


@dataclass(frozen=True, slots=True)
class Bridge:
    """What stands for the entries 1 to `to`."""

    to: int
    hash: str  # of that entry, hex
    seal: int  # that covers it, and ends with it
    file: str  # the last segment's
    sha256: str  # of that file, hex
    by: str
    kept: int  # entries that stay
    digest: str  # over them, hex
    key: str = ""  # public, hex: that of the seals
    signature: str = ""  # base64

    def body(self) -> dict[str, Any]:
        """As the journal has it."""
        return asdict(self)

    def signed(self, key: Ed25519PrivateKey) -> Bridge:
        """The same, by the box's key."""
        unsigned = replace(self, key=public(key), signature="")
        return replace(unsigned, signature=signature(key, unsigned._said()))

    def is_signed(self) -> bool:
        """Whether its key signed it; whose key that is is another question."""
        return has_signed(self.key, self.signature, self._said())

    def _said(self) -> bytes:
        return spelled(asdict(replace(self, signature="")))


@dataclass(slots=True)
class Kept:
    """A digest over entries that stay, as they are taken in order."""

    count: int = 0
    _known: Any = field(default_factory=sha256)

    def take(self, entry: int, digest: bytes, hashed: bytes | None) -> None:
        """The next one: its number, the digest of what it says, its hash as it stands."""
        self._known.update(kept(entry, digest, hashed))
        self.count += 1

    def hex(self) -> str:
        """So far."""
        return str(self._known.hexdigest())

    def copy(self) -> Kept:
        """To go on from here in two ways."""
        return Kept(self.count, self._known.copy())


def last_bridge(base: sqlite3.Connection) -> Bridge | None:
    """The one that counts; None: nothing was ever put away, or all of it was brought back.

    Raises:
        ValueError: it is none.
    """
    bridge = noted_bridge(base)
    if bridge is None:
        return None
    there = base.execute("SELECT COUNT(*) FROM journal WHERE entry BETWEEN 1 AND ?", (bridge.to,)).fetchone()[0]
    return bridge if there < bridge.to else None


def noted_bridge(base: sqlite3.Connection) -> Bridge | None:
    """The last one that was entered; None: none was.

    Raises:
        ValueError: it is none.
    """
    asked = f"SELECT entry, body FROM journal WHERE kind = '{PUT_AWAY}' ORDER BY entry DESC LIMIT 1"  # noqa: S608 - ours
    row = base.execute(asked).fetchone()
    if row is None:
        return None
    return bridge_of(int(row[0]), row[1].encode() if isinstance(row[1], str) else bytes(row[1]))


def bridge_of(entry: int, body: bytes) -> Bridge:
    """An entry's body as a bridge.

    Raises:
        ValueError: it is none.
    """
    try:
        fields = json.loads(body)
        bridge = Bridge(**fields)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"entry {entry} is no bridge: {error}") from error
    if any(type(value) is not (int if name in NUMBERS else str) for name, value in fields.items()):
        raise ValueError(f"entry {entry} is no bridge: a field of another type")
    if not 0 < bridge.to < entry or not HASH.fullmatch(bridge.hash):
        raise ValueError(f"entry {entry} is no bridge: it cannot stand for entries up to {bridge.to}")
    return bridge


def put_away_to(base: sqlite3.Connection) -> int:
    """The last entry that was put away; 0: none was. For readers that count on all entries behind it being there."""
    try:
        bridge = last_bridge(base)
    except ValueError:
        return 0
    return bridge.to if bridge else 0
