"""The data dictionary of the lake, made of the tables: `python -m edge.lake.page`, for docs/lake.md."""

from __future__ import annotations

import sys

from edge.lake.columns import Column
from edge.lake.table import COMMON, Table
from edge.lake.tables import SCHEMA, TABLES

HEAD = "| column | holds | what it is |\n|---|---|---|"


def main() -> int:
    """Write the dictionary to stdout."""
    sys.stdout.write(dictionary())
    return 0


def dictionary() -> str:
    """Every table and column, as Markdown."""
    every = f"Schema {SCHEMA}. Every table begins with:\n\n{HEAD}\n" + "".join(map(_row, COMMON))
    return "\n".join((every, *map(_table, TABLES)))


def _table(table: Table) -> str:
    return f"### `{table.name}`\n\nA row is {table.row}.\n\n{HEAD}\n" + "".join(map(_row, table.columns))


def _row(column: Column) -> str:
    return f"| `{column.name}` | {column.type} | {column.meaning} |\n"


if __name__ == "__main__":
    sys.exit(main())
