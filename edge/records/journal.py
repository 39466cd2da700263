"""The append-only journal of a lane, in its ledger file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from edge.records.bridge import put_away_to
from edge.records.ledger_file import FILE, OF_FIRE_TESTS, Entry, Owed, Row, enter, opened, owe, reading, said

LITERALLY = str.maketrans({char: f"\\{char}" for char in "\\%_"})  # in a pattern of LIKE
IN_FORCE = ("DaemonStarted", "CalibrationsInForce")  # what an item was judged with, each with an index of its own
NAMED_LIKE = f"""
SELECT item, MAX(wall_ns) AS last_ns FROM (
    SELECT item, wall_ns FROM journal WHERE kind = 'Item' AND item LIKE :ends ESCAPE '\\'
    UNION ALL SELECT item, wall_ns FROM journal
        WHERE kind = 'Item' AND {said("expected.order_line")} = :words
    UNION ALL SELECT item, wall_ns FROM journal
        WHERE kind = 'Item' AND {said("expected.wms_item")} = :words)
GROUP BY item ORDER BY last_ns DESC LIMIT :most"""  # noqa: S608 - each part by an index of its own
ACK_ENTRIES = 20_000  # after a command: its answer is among them


class Journal:
    """One thread's connection to a lane's ledger file."""

    def __init__(self, folder: Path) -> None:
        """Open it, or begin it.

        Raises:
            LedgerRefused: the folder cannot be written, or what lies there is no ledger.
        """
        self._base = opened(folder)

    def close(self) -> None:
        """Give the file back."""
        self._base.close()

    def append(self, entries: Iterable[Entry], owed: Iterable[Owed]) -> None:
        """Write entries, and the requests owed with them, in one transaction: both are on disk, or neither."""
        with self._base:
            enter(self._base, entries)
            owe(self._base, owed)


def entries(folder: Path) -> Iterator[tuple[int, str, str | None, dict[str, Any]]]:
    """Every entry of a lane's journal in order: wall clock ns, kind, item, body."""
    with reading(folder) as base:
        for wall_ns, kind, item, body in base.execute("SELECT wall_ns, kind, item, body FROM journal ORDER BY entry"):
            yield wall_ns, kind, item, json.loads(body)


def counted(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Kind and body of what shares are reckoned from: of days that were put away nothing but holds.

    What stays was diverted, disputed or is owed: it would make every share look larger than it was.
    """
    with reading(folder) as base:
        asked = "SELECT kind, body FROM journal WHERE entry > ? OR kind = 'LotHold' ORDER BY entry"
        for kind, body in base.execute(asked, (put_away_to(base),)):
            yield kind, json.loads(body)


def rows(folder: Path, first: int, last: int | None) -> Iterator[Row]:
    """Entries from one to another, as they stand."""
    asked = (
        "SELECT entry, wall_ns, kind, item, body, hash FROM journal WHERE entry BETWEEN ? AND IFNULL(?, entry)"
        " ORDER BY entry"
    )
    with reading(folder) as base:
        yield from base.execute(asked, (first, last))


def story(folder: Path, item: str) -> list[tuple[int, str, dict[str, Any]]]:
    """What a lane's journal says of one item, in order: wall clock ns, kind, body."""
    with reading(folder) as base:
        rows = base.execute("SELECT wall_ns, kind, body FROM journal WHERE item = ? ORDER BY entry", (item,)).fetchall()
    return [(wall_ns, kind, json.loads(body)) for wall_ns, kind, body in rows]


def latest(folder: Path, count: int) -> list[tuple[str, dict[str, Any]]]:
    """Kind and body of a journal's last entries, oldest first; none where there is no journal yet."""
    if not (folder / FILE).exists():
        return []
    with reading(folder) as base:
        rows = base.execute("SELECT kind, body FROM journal ORDER BY entry DESC LIMIT ?", (count,)).fetchall()
    return [(kind, json.loads(body)) for kind, body in reversed(rows)]


def fire_tests(folder: Path, count: int) -> list[tuple[int, str, dict[str, Any]]]:
    """Wall clock ns, kind and body of the last entries about fire tests, oldest first; none without a journal."""
    if not (folder / FILE).exists():
        return []
    asked = f"SELECT wall_ns, kind, body FROM journal WHERE {OF_FIRE_TESTS} ORDER BY entry DESC LIMIT ?"  # noqa: S608
    with reading(folder) as base:
        rows = base.execute(asked, (count,)).fetchall()
    return [(wall_ns, kind, json.loads(body)) for wall_ns, kind, body in reversed(rows)]


def last(folder: Path, kind: str) -> dict[str, Any] | None:
    """The body of a journal's last entry of a kind that has an index of its own; None: there is none."""
    if not (folder / FILE).exists():
        return None
    asked = f"SELECT body FROM journal WHERE kind = '{kind}' ORDER BY entry DESC LIMIT 1"  # noqa: S608 - ours
    with reading(folder) as base:
        return next((json.loads(body) for (body,) in base.execute(asked)), None)


def lot_entries(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """Kind and body of every hold of a lot and every release, oldest first; none where there is no journal yet."""
    if not (folder / FILE).exists():
        return []
    with reading(folder) as base:
        rows = base.execute(
            "SELECT kind, body FROM journal WHERE kind IN ('LotHold', 'LotRelease') ORDER BY entry"
        ).fetchall()
    return [(kind, json.loads(body)) for kind, body in rows]


def items_like(folder: Path, words: str, most: int) -> list[str]:
    """Items of this very name; else those whose name ends so, or whose order line or warehouse's name this is.

    Raises:
        sqlite3.Error: there is no journal, or it cannot be read.
    """
    with reading(folder) as base:
        if base.execute("SELECT 1 FROM journal WHERE item = ? LIMIT 1", (words,)).fetchone():
            return [words]
        rows = base.execute(NAMED_LIKE, {"words": words, "ends": f"%{words.translate(LITERALLY)}", "most": most})
        return [item for item, _ in rows]


def in_force(folder: Path, item: str) -> dict[str, dict[str, Any]]:
    """What the daemon and its calibrations were when an item came: the last entries about them before it, by kind."""
    asked = (
        "SELECT body FROM journal WHERE kind = '{kind}' AND entry < (SELECT MIN(entry) FROM journal WHERE item = ?)"
        " ORDER BY entry DESC LIMIT 1"
    )
    with reading(folder) as base:
        said = {kind: base.execute(asked.format(kind=kind), (item,)).fetchone() for kind in IN_FORCE}
    return {kind: json.loads(row[0]) for kind, row in said.items() if row}


def commanded(folder: Path, item: str) -> dict[str, list[tuple[int, dict[str, Any]]]]:
    """The PLC's answers to an item's commands: command id → wall clock ns and body of each."""
    found: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    with reading(folder) as base:
        sent = base.execute(
            "SELECT entry, json_extract(body, '$.command_id') FROM journal WHERE item = ? AND kind = 'DivertCommand'",
            (item,),
        ).fetchall()
        for entry, command in sent:
            rows = base.execute(
                "SELECT wall_ns, body FROM journal WHERE entry BETWEEN ? AND ? AND kind = 'DivertAck'"
                " AND json_extract(body, '$.command_id') = ?",
                (entry, entry + ACK_ENTRIES, command),
            )
            found[command] = [(wall_ns, json.loads(body)) for wall_ns, body in rows]
    return found
