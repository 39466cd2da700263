"""All tables of the lake, and which of them an entry goes to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from edge.lake import item_tables, lane_tables
from edge.lake.table import Table

SCHEMA = 1  # columns are only ever added; one that comes to mean something else gets another name
TABLES = (
    item_tables.ITEMS,
    item_tables.DEFECTS,
    item_tables.CHECKS,
    item_tables.COMPARISONS,
    item_tables.DIVERTS,
    lane_tables.REQUESTS,
    lane_tables.LOTS,
    lane_tables.PICTURES,
    lane_tables.ACTS,
    lane_tables.ALARMS,
    lane_tables.OTHERS,
)
WITH_THE_END = frozenset({"Item", "Verdict", "ItemEnd"})  # what they say of an item stands in its one row


def _by_kind(tables: Iterable[Table]) -> dict[str, list[Table]]:
    found: defaultdict[str, list[Table]] = defaultdict(list)
    for table in tables:
        for kind in table.kinds:
            found[kind].append(table)
    return dict(found)


OF_KIND = _by_kind(TABLES)
"""The tables in which an entry of a kind has rows of its own."""
