"""Holds the kept pictures against the journal: each file that was kept and not removed is there, and is what it was."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import file_digest
from itertools import islice
from pathlib import Path
from typing import Any

from edge.core.chain_check import Break, Kind

KEPT, REMOVED = "EvidenceKept", "EvidenceRemoved"
PICTURES = frozenset({KEPT, REMOVED})
FOLDER, INCOMING = "evidence", "incoming"  # in the lane's state; and in it what is on its way to its place
SHA256 = re.compile(r"[0-9a-f]{64}")
MISSING = "missing"  # the rule by which the daemon enters as removed what somebody took away
MOST = 1000  # faults that are told
ONCE_MORE = (
    "INSERT INTO kept VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET times = times + 1"  # two cameras saw the same
)
ONCE_LESS = "UPDATE kept SET times = times - 1 WHERE sha256 = ? AND item = ?"
NO_MORE = "DELETE FROM kept WHERE sha256 = ? AND item = ? AND times < 1"
IN_INDEX = "SELECT COUNT(*) FROM evidence WHERE +sha256 = ? AND item = ? AND gone = ''"  # by item: an item has few
SCRATCH = """
PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;
CREATE TABLE kept (sha256 TEXT, item TEXT, entry INTEGER, times INTEGER, PRIMARY KEY (sha256, item)) WITHOUT ROWID;
BEGIN;
"""


class PictureProof:
    """Notes which pictures there are to be, in a file of its own that vanishes with it."""

    def __init__(self, state: Path) -> None:
        """Take the lane's state."""
        self.vanished = 0  # pictures that the daemon itself found missing
        self._folder = state / FOLDER
        self._scratch = sqlite3.connect("", isolation_level=None)
        self._scratch.executescript(SCRATCH)

    def close(self) -> None:
        """Let the notes go."""
        self._scratch.close()

    def entered(self, entry: int, kind: str, body: Mapping[str, Any]) -> None:
        """Pictures were kept, or removed; an entry that is damaged is the chain's to tell."""
        with suppress(KeyError, TypeError, AttributeError, sqlite3.Error):
            for one in body["pictures"]:
                if kind == KEPT:
                    self._scratch.execute(ONCE_MORE, (one["sha256"], body["item_id"], entry))
                else:
                    gone = (one["sha256"], one["item_id"])
                    self._scratch.execute(ONCE_LESS, gone)
                    self._scratch.execute(NO_MORE, gone)
                    self.vanished += body["rule"] == MISSING

    def ended(self, base: sqlite3.Connection) -> Iterator[Break]:
        """What does not fit; base: the ledger, whose texts come as bytes."""
        yield from islice(self._faults(), MOST)
        if {b"sha256", b"item", b"gone"} <= {bytes(row[1]) for row in base.execute("PRAGMA table_info(evidence)")}:
            yield from islice(self._strangers(base), MOST)

    def _faults(self) -> Iterator[Break]:
        asked = "SELECT sha256, item, MIN(entry) FROM kept GROUP BY sha256 ORDER BY MIN(entry)"
        for sha256, item, entry in self._scratch.execute(asked):
            if not SHA256.fullmatch(str(sha256)):
                continue
            path = self._place(sha256)
            if path is None:
                yield Break(Kind.EVIDENCE, entry, entry, f"picture {sha256[:16]}… of {item} is missing")
            elif _sha256(path) != sha256:
                yield Break(Kind.EVIDENCE, entry, entry, f"picture {path} of {item} was changed")

    def _strangers(self, base: sqlite3.Connection) -> Iterator[Break]:
        """What the index of the evidence says is there and the journal does not, or the other way."""
        for sha256, item, entry, times in self._scratch.execute("SELECT sha256, item, entry, times FROM kept"):
            (count,) = base.execute(IN_INDEX, (sha256, item)).fetchone()
            if count != times:
                what = "lacks a picture" if count < times else "names too often a picture"
                yield Break(Kind.EVIDENCE, entry, entry, f"the index {what} {sha256[:16]}… of {item}")
        for row in base.execute("SELECT item, sha256 FROM evidence WHERE gone = ''"):
            item, sha256 = (bytes(one).decode(errors="replace") for one in row)
            asked = "SELECT 1 FROM kept WHERE sha256 = ? AND item = ?"
            if not self._scratch.execute(asked, (sha256, item)).fetchone():
                yield Break(Kind.EVIDENCE, 0, 0, f"the index names a picture {sha256[:16]}… of {item}, no entry does")

    def _place(self, sha256: str) -> Path | None:
        places = (self._folder / sha256[:2] / sha256, self._folder / INCOMING / sha256)
        return next((path for path in places if path.is_file()), None)


def removed_since(base: sqlite3.Connection, entry: int) -> set[str]:
    """SHA-256 of pictures that were removed after an entry; base: the ledger as it is now."""
    asked = "SELECT body FROM journal WHERE entry > ? AND kind = ?"
    found = (json.loads(body) for (body,) in base.execute(asked, (entry, REMOVED)))
    return {one["sha256"] for body in found for one in body["pictures"]}


def _sha256(path: Path) -> str:
    """Of a file's bytes; empty: it cannot be read, or has gone."""
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
