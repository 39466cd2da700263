"""The files of the evidence, and what the ledger says of them.

A picture is written into `incoming`, made durable, entered, and then put into its place. What a crash leaves in
`incoming` is put into its place if it was entered, and else thrown away. What is removed is first entered as removed.
So nothing is ever entered that is not on disk. A file without an entry, whose removal was cut short, and an entry
whose file somebody has taken away are found by `sweep`, folder by folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.core.messages import Outline
from edge.disk import made, synced
from edge.records.evidence.index import COLUMNS, EVIDENCE, INCOMING, TABLE, place
from edge.records.ledger_file import enter, opened

KEPT, REMOVED = "EvidenceKept", "EvidenceRemoved"  # kinds of journal entries
MISSING = "missing"  # the rule by which what somebody took away is entered as removed
DISPUTED = "disputed"  # the kind of what is kept longest
FOLDERS = 256
PATIENT_MS = 60_000  # with the journal, which comes first: on a slow disk it hardly ever lets go of the ledger


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that is to be kept."""

    item_id: str
    what: str  # crop, heat_map, annotated
    camera: str
    check: str  # empty: a crop, which all checks of its frame share
    frame_id: str
    exposed_ns: int
    content: bytes  # of the file
    media_type: str
    width_px: int
    height_px: int
    outline: Outline = ()  # of the item in a crop: the journal alone has it


class Store:
    """Keeps and removes, one at a time; the only one that writes a lane's evidence."""

    def __init__(self, state: Path) -> None:
        """Open it, or begin it; mend what a crash has left.

        Raises:
            LedgerRefused: the folder cannot be written, or what lies there is no ledger.
        """
        self._state, self._incoming = state, state / EVIDENCE / INCOMING
        self._one_at_a_time = threading.Lock()
        self._base = opened(state)
        self._base.executescript(f"BEGIN IMMEDIATE;{TABLE}COMMIT;")
        self._base.execute(f"PRAGMA busy_timeout = {PATIENT_MS}")
        self.kept = 0  # pictures, since it was opened
        self.removed: defaultdict[str, int] = defaultdict(int)  # by rule
        self.bytes = self._base.execute("SELECT IFNULL(SUM(bytes), 0) FROM evidence WHERE gone = ''").fetchone()[0]
        made(self._incoming)
        self._mend()

    def close(self) -> None:
        """Give the ledger back."""
        self._base.close()

    def keep(self, pictures: Iterable[Picture]) -> None:
        """Keep these; a file that is there already is not written again.

        Raises:
            OSError, sqlite3.Error: none of them is kept.
        """
        named = [(hashlib.sha256(one.content).hexdigest(), one) for one in pictures]
        with self._one_at_a_time:
            new = {sha256: one.content for sha256, one in named if not self._lies_there(sha256)}
            try:
                self._write(new)
                with self._base:
                    self._enter(named)
            except (OSError, sqlite3.Error):
                for sha256 in new:
                    (self._incoming / sha256).unlink(missing_ok=True)
                raise
            for sha256 in new:
                self._put(sha256)
        self.kept += len(named)
        self.bytes += sum(len(one.content) for _, one in named)

    def mark(self, kind: str, items: Iterable[str]) -> None:
        """Say what kind of item these are, by which they are kept; what is disputed stays so."""
        asked = "UPDATE evidence SET kind = ? WHERE item = ? AND kind != ?"
        with self._one_at_a_time, self._base:
            self._base.executemany(asked, [(kind, item, DISPUTED) for item in items])

    def remove(self, rule: str, rowids: Iterable[int]) -> None:
        """Take pictures away, by their places in the index; a file goes with the last of those that share it.

        Raises:
            OSError, sqlite3.Error: what is not entered as removed is still there.
        """
        with self._one_at_a_time:
            rows = [row for one in rowids for row in self._base.execute(*_present("rowid", one))]
            with self._base:
                self._strike(rule, rows)
            for _, _, sha256, _ in rows:
                self._unlink_unused(sha256)
        self.removed[rule] += len(rows)
        self.bytes -= sum(size for *_, size in rows)

    def sweep(self, number: int) -> None:
        """Mend one folder of FOLDERS: files without an entry go, entries whose file is missing say so."""
        prefix = f"{number % FOLDERS:02x}"
        with self._one_at_a_time:
            folder = place(self._state, prefix).parent
            there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
            rows = self._base.execute(
                "SELECT rowid, sha256 FROM evidence WHERE sha256 >= ? AND sha256 < ? AND gone = ''",
                (prefix, f"{prefix}g"),
            ).fetchall()
            for name in there.difference(sha256 for _, sha256 in rows):
                (folder / name).unlink(missing_ok=True)
        missing = {rowid: sha256 for rowid, sha256 in rows if sha256 not in there}
        self.remove(MISSING, [one for one, sha256 in missing.items() if not (self._incoming / sha256).exists()])

    def _mend(self) -> None:
        for path in self._incoming.iterdir():
            if self._base.execute(*_present("sha256", path.name)).fetchone():
                self._put(path.name)
            else:
                path.unlink()

    def _lies_there(self, sha256: str) -> bool:
        """In its place; or entered, but still in `incoming`, where it must not be written over."""
        path = self._incoming / sha256
        entered = path.exists() and self._base.execute(*_present("sha256", sha256)).fetchone()
        return bool(entered) or place(self._state, sha256).exists()

    def _write(self, files: Mapping[str, bytes]) -> None:
        """Into `incoming`, durably: all are written before the first is waited for."""
        for sha256, content in files.items():
            (self._incoming / sha256).write_bytes(content)
        for sha256 in files:
            _durable(self._incoming / sha256)
        if files:
            synced(self._incoming)

    def _enter(self, named: Sequence[tuple[str, Picture]]) -> None:
        """One journal entry an item, and a row of the index each."""
        by_item: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for sha256, one in named:
            by_item[one.item_id].append(_told(sha256, one))
        said = [(KEPT, item, {"item_id": item, "pictures": told}) for item, told in by_item.items()]
        enter(self._base, said)
        holes = ", ".join("?" * len(COLUMNS.split(",")))
        self._base.executemany(f"INSERT INTO evidence ({COLUMNS}) VALUES ({holes})", _rows(named))  # noqa: S608 - ours

    def _strike(self, rule: str, rows: Sequence[tuple[int, str, str, int]]) -> None:
        pictures = [{"item_id": item, "sha256": sha256} for _, item, sha256, _ in rows]
        if pictures:
            enter(self._base, [(REMOVED, None, {"rule": rule, "pictures": pictures})])
        gone = [(rule, time.time_ns(), rowid) for rowid, *_ in rows]
        self._base.executemany("UPDATE evidence SET gone = ?, gone_wall_ns = ? WHERE rowid = ?", gone)

    def _put(self, sha256: str) -> None:
        """Into its place; where that fails it stays, is read from here, and is put there at the next start."""
        path = place(self._state, sha256)
        with contextlib.suppress(OSError):
            path.parent.mkdir(exist_ok=True)
            (self._incoming / sha256).replace(path)

    def _unlink_unused(self, sha256: str) -> None:
        if not self._base.execute(*_present("sha256", sha256)).fetchone():
            for path in (place(self._state, sha256), self._incoming / sha256):
                path.unlink(missing_ok=True)


def _present(column: str, value: str | int) -> tuple[str, tuple[str | int]]:
    """Place in the index, item, name and bytes of what is there."""
    asked = f"SELECT rowid, item, sha256, bytes FROM evidence WHERE {column} = ? AND gone = ''"  # noqa: S608 - ours
    return asked, (value,)


def _told(sha256: str, one: Picture) -> dict[str, Any]:
    """A picture, as the journal has it."""
    names = ("what", "camera", "check", "frame_id", "exposed_ns", "media_type", "width_px", "height_px")
    told = {"sha256": sha256, "bytes": len(one.content), **{name: getattr(one, name) for name in names}}
    return told | ({"outline": one.outline} if one.outline else {})


def _rows(named: Iterable[tuple[str, Picture]]) -> Iterator[tuple[Any, ...]]:
    """As COLUMNS."""
    now_ns = time.time_ns()
    for sha256, one in named:
        told = (one.item_id, one.what, one.camera, one.check, one.frame_id, one.exposed_ns, now_ns)
        yield (*told, sha256, len(one.content), one.media_type, one.width_px, one.height_px)


def _durable(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
