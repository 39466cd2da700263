"""What evidence there is, of which items, and where it lies: read from a lane's ledger, by index."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from edge.core.errors import EvidenceGone
from edge.records.ledger_file import FILE, reading, said

EVIDENCE = "evidence"  # folder in the lane's state
CROP = "crop"  # what a picture is that shows what all checks of a frame saw
INCOMING = "incoming"  # folder in it: what is on disk, but not yet entered
SHA256 = re.compile(r"[0-9a-f]{64}")
TABLE = """
CREATE TABLE IF NOT EXISTS evidence (
    item TEXT NOT NULL, what TEXT NOT NULL, camera TEXT NOT NULL, asked TEXT NOT NULL, frame TEXT NOT NULL,
    exposed_ns INTEGER NOT NULL, kept_wall_ns INTEGER NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL,
    media_type TEXT NOT NULL, width_px INTEGER NOT NULL, height_px INTEGER NOT NULL,
    kind TEXT NOT NULL DEFAULT '', gone TEXT NOT NULL DEFAULT '', gone_wall_ns INTEGER);
CREATE INDEX IF NOT EXISTS evidence_item ON evidence (item);
CREATE INDEX IF NOT EXISTS evidence_file ON evidence (sha256);
CREATE INDEX IF NOT EXISTS evidence_kind ON evidence (kind, kept_wall_ns, bytes) WHERE gone = '';
"""
COLUMNS = "item, what, camera, asked, frame, exposed_ns, kept_wall_ns, sha256, bytes, media_type, width_px, height_px"
ENDED = f"item IN (SELECT item FROM journal WHERE kind = 'ItemEnd' AND {said('end')} = ?)"  # noqa: S608 - our own
DECIDED = f"item IN (SELECT item FROM journal WHERE kind = 'Verdict' AND {said('disposition')} = ?)"  # noqa: S608
OF_JOURNAL, OF_EVIDENCE = "journal", "evidence"  # tables
AT_ALL = "kind = 'Item'"


@dataclass(frozen=True, slots=True)
class Kept:
    """One picture that was kept of an item."""

    item_id: str
    what: str  # crop, heat_map, annotated
    camera: str
    check: str  # empty: a crop, which all checks of its frame share
    frame_id: str
    exposed_ns: int
    kept_wall_ns: int
    sha256: str  # of the file's bytes: its name
    bytes: int
    media_type: str
    width_px: int
    height_px: int
    gone: str = ""  # the rule by which it was removed; empty: it is there

    @property
    def caption(self) -> str:
        """What it is of, for a person."""
        return f"{self.what} of {f'{self.check}, ' if self.check else ''}camera {self.camera}"


def place(state: Path, sha256: str) -> Path:
    """Where a picture's file lies, once it is entered."""
    return state / EVIDENCE / sha256[:2] / sha256


def of_item(state: Path, item_id: str) -> list[Kept]:
    """Every picture that was ever kept of an item, in the order in which they were; those removed say so."""
    asked = f"SELECT {COLUMNS}, gone FROM evidence WHERE item = ? ORDER BY rowid"  # noqa: S608 - our own columns
    return [Kept(*row) for row in _rows(state, OF_EVIDENCE, asked, (item_id,))]


def newest_of_item(state: Path, item_id: str) -> list[Kept]:
    """The last picture of each check and camera, those of the crops first."""
    last = {(one.what != CROP, one.check, one.camera): one for one in of_item(state, item_id)}
    return [last[key] for key in sorted(last)]


def outlines(state: Path, item_id: str) -> dict[str, object]:
    """SHA-256 of an item's crops → the outline that the journal tells, as it stands there; those of old have none."""
    asked = "SELECT body FROM journal WHERE item = ? AND kind = 'EvidenceKept' ORDER BY entry"
    told = (json.loads(body)["pictures"] for (body,) in _rows(state, OF_JOURNAL, asked, (item_id,)))
    return {one["sha256"]: one["outline"] for pictures in told for one in pictures if "outline" in one}


def picture(state: Path, sha256: str) -> bytes:
    """A picture's file, as it was kept.

    Raises:
        EvidenceGone: it was removed, and when and by which rule; or was never kept, or was changed since.
    """
    if not SHA256.fullmatch(sha256):
        raise EvidenceGone(f"'{sha256}' names no picture: take a name from `tunnel-edge evidence show`.")
    for path in (place(state, sha256), state / EVIDENCE / INCOMING / sha256):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise EvidenceGone(f"{path}: {error.strerror}: look at the disk, and at who may read it.") from error
        if hashlib.sha256(content).hexdigest() == sha256:
            return content
        raise EvidenceGone(f"{path}: was changed since it was kept: look at the disk, and bring it back from a copy.")
    raise EvidenceGone(_why_gone(state, sha256))


def items(
    state: Path,
    *,
    order_line: str | None = None,
    gtin: str | None = None,
    lot: str | None = None,
    seller: str | None = None,
    from_ns: int | None = None,
    to_ns: int | None = None,
    end: str | None = None,
    disposition: str | None = None,
    most: int = 1000,
) -> list[str]:
    """Items to which all of this applies, the newest first.

    order_line, gtin, lot, seller: as ordered. from_ns, to_ns: the wall clock when they were on the belt. end,
    disposition: what became of them, and what the judge said.
    """
    ordered = {"order_line": order_line, "gtin": gtin, "lot": lot, "seller": seller}
    told = {f"{said(f'expected.{name}')} = ?": value for name, value in ordered.items()}
    more = {ENDED: end, DECIDED: disposition, "wall_ns >= ?": from_ns, "wall_ns < ?": to_ns}
    terms = {term: value for term, value in (*told.items(), *more.items()) if value is not None}
    newest = "entry" if any(ordered.values()) else "wall_ns"  # either is the order of the index that is used
    asked = f"SELECT item FROM journal WHERE {' AND '.join((AT_ALL, *terms))} ORDER BY {newest} DESC"  # noqa: S608
    return list(islice(_each_once(_rows(state, OF_JOURNAL, asked, tuple(terms.values()))), most))


def _why_gone(state: Path, sha256: str) -> str:
    asked = (
        "SELECT gone, datetime(gone_wall_ns / 1000000000, 'unixepoch') FROM evidence WHERE sha256 = ? ORDER BY rowid"
    )
    rows = list(_rows(state, OF_EVIDENCE, asked, (sha256,)))
    if not rows:
        return f"{sha256}: no picture of that name was ever kept, or its day was put away (`tunnel-edge ledger`)."
    gone, when = rows[-1]
    if not gone:
        return f"{sha256}: its file is not in {state / EVIDENCE}: look at the disk, and bring it back from a copy."
    return f"{sha256}: was removed on {when} UTC by the rule '{gone}': [evidence] in the settings says what is kept."


def _each_once(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    seen: set[str] = set()
    for (item,) in rows:
        if item not in seen:
            seen.add(item)
            yield item


def _rows(state: Path, table: str, asked: str, values: Sequence[object]) -> Iterator[Sequence[Any]]:
    """The rows of an answer; none where there is no ledger yet, or one of a release that had no such table."""
    if not (state / FILE).exists():
        return
    with reading(state) as base:
        if base.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
            yield from base.execute(asked, values)
