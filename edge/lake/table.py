"""A table of the lake, and how entries of the journal become its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from edge.lake.columns import Column, Odd, Type

Body = Mapping[str, Any]
Making = Callable[[Body], Iterable[Body]]
"""Of an entry's body the bodies of its rows."""

COMMON = (
    Column("ledger", Type.TEXT, "which journal: 8 digits of a hash of its first entry; a new disk begins another one"),
    Column("entry", Type.WHOLE, "number of the entry that made the row; with `ledger` it names the entry"),
    Column("written_at", Type.TIME, "when the entry was written; its day is the partition `date`"),
)
"""Before the columns of every table."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: what it is called, what a row is, its columns, and of which kinds of entries its rows are made."""

    name: str
    row: str
    columns: tuple[Column, ...]
    kinds: Mapping[str, Making]

    def rows(self, kind: str, body: Body) -> list[dict[str, Any]]:
        """The rows that an entry comes to.

        Raises:
            Odd: it is not as this release knows its kind.
        """
        return [self.row_of(made) for made in self.kinds[kind](body)]

    def row_of(self, body: Body) -> dict[str, Any]:
        """One row.

        Raises:
            Odd: something of another type stands where a column is to come from.
        """
        return {one.name: one.of(body) for one in self.columns}


def itself(body: Body) -> Iterable[Body]:
    """One row, as the entry has it."""
    return (body,)


def event(name: str) -> Making:
    """One row, which says what happened."""
    return lambda body: ({**body, "event": name},)


def each(key: str, **more: str) -> Making:
    """One row for each in a list of the entry; what the entry says of all of them stands in each."""
    return lambda body: _each(body, key, more)


def _each(body: Body, key: str, more: Mapping[str, str]) -> Iterable[Body]:
    listed = body.get(key)
    if listed is None:
        return ()
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise Odd(f"{key}: no list of tables: {str(listed)[:80]!a}")
    return [{**body, **more, **one} for one in listed]
