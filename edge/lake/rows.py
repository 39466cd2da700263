"""Journal entries as rows of the lake's tables: pure but for looking up what was said of an item before its end."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from edge.lake import ended
from edge.lake.columns import NS_PER_US, Odd
from edge.lake.ended import Row
from edge.lake.item_tables import ITEMS
from edge.lake.journal import Entry, InForce, Span, read
from edge.lake.lane_tables import OTHERS
from edge.lake.table import Table
from edge.lake.tables import OF_KIND, WITH_THE_END

NS_PER_S = 1_000_000_000
IN_FORCE = {"DaemonStarted": "daemon", "CalibrationsInForce": "calibrations"}
UNFIT = (AttributeError, KeyError, TypeError, ValueError, RecursionError)  # what an entry of another shape raises


@dataclass(frozen=True, slots=True)
class Placed:
    """A row, its table, and the day on which its entry was written (UTC)."""

    table: Table
    day: str
    row: dict[str, Any]


def rows(base: sqlite3.Connection, ledger: str, span: Span, in_force: InForce) -> Iterator[Placed]:
    """Every row that a stretch of the journal comes to, the same whenever it is asked for.

    in_force: as it stood before the stretch; afterwards as it stands at its end.
    """
    for entry in read(base, span):
        day = day_of(entry.wall_ns)
        common = {"ledger": ledger, "entry": entry.number, "written_at": entry.wall_ns // NS_PER_US}
        for table, row in _of(base, entry, in_force):
            yield Placed(table, day, common | row)


def day_of(wall_ns: int) -> str:
    """The day of a moment, UTC."""
    return datetime.fromtimestamp(wall_ns // NS_PER_S, UTC).date().isoformat()


def _of(base: sqlite3.Connection, entry: Entry, in_force: InForce) -> list[Row]:
    """The rows of one entry, all of them or, where it is odd, the one that says so."""
    try:
        body = entry.body()
        if entry.kind in IN_FORCE:
            ITEMS.row_of({IN_FORCE[entry.kind]: body})  # what no item's row could tell is not gone by
            in_force.said[entry.kind] = entry.number, body
        found = [(table, row) for table in OF_KIND.get(entry.kind, ()) for row in table.rows(entry.kind, body)]
        if entry.kind == "ItemEnd":
            found += ended.rows(base, entry, in_force)
    except Odd as odd:
        return [_other(entry, str(odd))]
    except UNFIT as error:
        return [_other(entry, f"{type(error).__name__}: {error}")]
    has_a_table = entry.kind in OF_KIND or entry.kind in WITH_THE_END
    return found if has_a_table else [_other(entry, None)]


def _other(entry: Entry, odd: str | None) -> Row:
    said = {"kind": entry.kind, "item_id": entry.item, "body": entry.text, "odd": odd}
    return OTHERS, OTHERS.row_of(said)
