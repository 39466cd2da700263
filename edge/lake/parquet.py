"""Rows of one table and day as one Parquet file, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from edge.lake.columns import Type
from edge.lake.table import COMMON, Table
from edge.lake.tables import SCHEMA

PACKED = 2_000  # rows that wait as Python's own before they are packed
TYPES: Mapping[Type, pa.DataType] = {
    Type.TEXT: pa.string(),
    Type.WHOLE: pa.int64(),
    Type.REAL: pa.float64(),
    Type.TRUTH: pa.bool_(),
    Type.TIME: pa.timestamp("us", "UTC"),
    Type.DATE: pa.date32(),
    Type.TEXTS: pa.list_(pa.string()),
    Type.PAIRS: pa.list_(pa.struct([("name", pa.string()), ("value", pa.string())])),
    Type.READINGS: pa.list_(pa.struct([("reading", pa.string()), ("probability", pa.float64())])),
}


def schema(table: Table) -> pa.Schema:
    """The columns of a table's files; every one may be empty."""
    told = {"tunnel_edge.table": table.name, "tunnel_edge.schema": str(SCHEMA)}
    return pa.schema([(one.name, TYPES[one.type]) for one in (*COMMON, *table.columns)], told)


class Rows:
    """Rows as they come; packed by column, so that a long stretch takes little memory."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.count = 0
        self._schema = schema(table)
        self._waiting: list[Mapping[str, Any]] = []
        self._packed: list[pa.RecordBatch] = []

    def add(self, row: Mapping[str, Any]) -> None:
        """One more."""
        self._waiting.append(row)
        self.count += 1
        if len(self._waiting) >= PACKED:
            self._pack()

    def file(self) -> bytes:
        """All of them as a Parquet file; the same rows make the same file."""
        self._pack()
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_batches(self._packed, self._schema), sink, compression="zstd")
        return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]

    def _pack(self) -> None:
        columns = [pa.array([row[field.name] for row in self._waiting], field.type) for field in self._schema]
        self._packed.append(pa.RecordBatch.from_arrays(columns, schema=self._schema))
        self._waiting = []


def entries_in(file: bytes) -> list[int]:
    """The number of the entry that made each row of a file."""
    table = pq.read_table(pa.BufferReader(file), columns=["entry"])
    return table.column("entry").to_pylist()  # type: ignore[no-any-return]
