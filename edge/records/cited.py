"""What a lane's journal says of one item, entry by entry, so that each can be cited; read at one instant."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.records.bridge import put_away_to
from edge.records.journal import IN_FORCE
from edge.records.ledger_file import OF_ACTS, reading, said

OF_PRODUCT = f"+{said('expected.gtin')} = ?"  # without its index: a product may have millions of items
COMPLAINTS = ("Complaint", "Disputed")  # few among millions: each kind has an index of its own


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of the journal."""

    entry: int
    wall_ns: int
    kind: str
    body: dict[str, Any]


class Snapshot:
    """A journal as it stood at one instant."""

    def __init__(self, base: sqlite3.Connection) -> None:
        self._base = base

    @property
    def read_to(self) -> int:
        """The number of the last entry; 0: there is none."""
        return int(self._base.execute("SELECT IFNULL(MAX(entry), 0) FROM journal").fetchone()[0])

    @property
    def ends(self) -> list[Row]:
        """The first entry and the last, of those that are all there: what was put away begins none of them."""
        after = put_away_to(self._base)
        return [row for way in ("ASC", "DESC") for row in self._rows(f"entry > ? ORDER BY entry {way} LIMIT 1", after)]

    def of_item(self, item: str) -> list[Row]:
        """All about one item, in order."""
        return self._rows("item = ? ORDER BY entry", item)

    def in_force(self, entry: int) -> Iterator[Row]:
        """What the lane went by at an entry: the last of each kind before it."""
        for kind in IN_FORCE:
            yield from self._rows(f"kind = '{kind}' AND entry < ? ORDER BY entry DESC LIMIT 1", entry)

    def complaints(self, item: str, order_line: str | None) -> list[Row]:
        """What customers said of an item, or of its order line."""
        about = "(item = ? OR json_extract(body, '$.order_line') = ?)"
        return [
            row
            for kind in COMPLAINTS
            for row in self._rows(f"kind = '{kind}' AND +{about} ORDER BY entry", item, order_line)
        ]

    def disputed_of(self, gtin: str, most: int) -> list[Row]:
        """Complaints of items of a product, item by item, the newest first."""
        born = f"SELECT 1 FROM journal AS born WHERE born.item = journal.item AND kind = 'Item' AND {OF_PRODUCT}"  # noqa: S608
        return self._rows(f"kind = 'Disputed' AND EXISTS ({born}) ORDER BY entry DESC LIMIT ?", gtin, most)

    def acts(self, kind: str, what: str, most: int) -> list[Row]:
        """What named persons did or had done, of one kind, the newest first."""
        return self._rows(
            f"{OF_ACTS} AND kind = ? AND {said('what')} = ? ORDER BY entry DESC LIMIT ?", kind, what, most
        )

    def ran_as(self, wms_item: str, gtin: str, after: int) -> str | None:
        """The first item of a product that ran under a warehouse's name and ended after an entry; None: none did."""
        ended = (
            "SELECT 1 FROM journal AS ended WHERE ended.item = journal.item AND kind = 'ItemEnd' AND ended.entry > ?"
        )
        named = f"kind = 'Item' AND {said('expected.wms_item')} = ? AND {OF_PRODUCT}"
        rows = self._rows(f"{named} AND EXISTS ({ended}) ORDER BY entry LIMIT 1", wms_item, gtin, after)
        return rows[0].body["item_id"] if rows else None

    def order_line(self, item: str) -> str | None:
        """The one that an item was announced for; None: none."""
        asked = "SELECT json_extract(body, '$.expected.order_line') FROM journal WHERE item = ? AND kind = 'Item'"
        lines = [line for (line,) in self._base.execute(f"{asked} ORDER BY entry", (item,)) if line is not None]
        return str(lines[-1]) if lines else None

    def disputed(self, item: str) -> bool:
        """Whether a customer complained of an item, or of its order line."""
        return bool(self.complaints(item, self.order_line(item)))

    def _rows(self, which: str, *values: object) -> list[Row]:
        asked = f"SELECT entry, wall_ns, kind, body FROM journal WHERE {which}"  # noqa: S608 - ours
        rows = self._base.execute(asked, values)
        return [Row(entry, wall_ns, kind, json.loads(body)) for entry, wall_ns, kind, body in rows]


@contextmanager
def snapshot(folder: Path) -> Iterator[Snapshot]:
    """A lane's journal as it stands now; what is written meanwhile is not seen.

    Raises:
        sqlite3.Error: there is no journal, or it cannot be read.
    """
    with reading(folder) as base:
        base.execute("BEGIN")
        yield Snapshot(base)
