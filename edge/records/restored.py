"""Makes a lane's state of segments of its archive, to be looked into: journal, outbox and seals as they stood."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

from edge.core.errors import ArchiveRefused
from edge.disk import written
from edge.records import segments
from edge.records.ledger_file import FILE, SEALED, bring_back, opened, owe
from edge.records.proof_outbox import STATES, answer_of, owed_of
from edge.records.raw import table
from edge.records.seals import FILE as SEALS
from edge.records.seals import spelled

HELD = ("ReplacementRequest", "LotHold")  # kinds that owe the warehouse something
STATED = {"open": "behind"}  # states of the outbox that the journal calls otherwise


def restore(paths: Sequence[Path], state: Path) -> tuple[int, int]:
    """Bring segments back that follow one another, each held against its seal; the first and last entry.

    Raises:
        ArchiveRefused: one is damaged or missing, or there is a ledger already.
        LedgerRefused: the folder cannot be written.
    """
    if (state / FILE).exists():
        raise ArchiveRefused(f"{state}: a ledger lies there: name a new folder.")
    heads = _in_order(paths)
    seals: list[bytes] = []
    with closing(opened(state)) as base:
        for path, head in heads:
            seals += _bring_back(base, path, head)
        with base:
            base.execute("INSERT INTO sealing (line) VALUES (?)", (heads[-1][1].seal,))
    lines = [*seals, heads[-1][1].seal.encode()]
    written(state / SEALS, b"".join(one + b"\n" for one in lines))
    return heads[0][1].first, heads[-1][1].last


def _in_order(paths: Sequence[Path]) -> list[tuple[Path, segments.Head]]:
    if not paths:
        raise ArchiveRefused("there are no segments: name an archive's folder, or files of it.")
    heads = sorted(((path, segments.opened(path)[0]) for path in paths), key=lambda one: one[1].first)
    for (_, before), (path, head) in pairwise(heads):
        if (head.ledger, head.first, head.before) != (before.ledger, before.last + 1, before.hash):
            raise ArchiveRefused(
                f"{path}: does not follow entry {before.last}: name all segments between, of one lane."
            )
    return heads


def _bring_back(base: sqlite3.Connection, path: Path, head: segments.Head) -> list[bytes]:
    """One segment; the seals that it names."""
    segments.proven(path, bytes.fromhex(head.before))
    rows = list(segments.opened(path)[1])
    with base:
        base.execute("BEGIN IMMEDIATE")
        bring_back(base, rows)
        for row in rows:
            with suppress(KeyError, TypeError, ValueError):  # one that is damaged is told by the chain
                _settle(base, row[2], table(row[4]))
    return [spelled(table(row[4])) for row in rows if row[2] == SEALED]


def _settle(base: sqlite3.Connection, kind: str, body: Mapping[str, Any]) -> None:
    """The outbox as this entry left it."""
    if kind in HELD:
        owe(base, [owed_of(kind, body)])
    elif kind in STATES:
        state = STATED.get(STATES[kind], STATES[kind])
        asked = "UPDATE outbox SET state = ?, answer = ?, why = ? WHERE request = ?"
        why = body.get("why", body.get("because", ""))
        base.execute(asked, (state, answer_of(kind, body), why, body["request"]))
