"""An item that has left the books: its one row, and the reasons why it was rejected."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from edge.core.messages import TEST_PIECE, Disposition
from edge.lake.columns import Odd
from edge.lake.item_tables import DEFECTS, ITEMS
from edge.lake.journal import Entry, InForce, evidence, story
from edge.lake.table import Table

NS_PER_MS = 1e6
REASON = re.compile(r"([\w.-]+) \(([^)]*)\): (.*)", re.DOTALL)  # as `Rule` and `_reasons` of the judge write it
AGAINST = ("mismatch", "expired", "short_dated")
DAMAGE = "defect"

Row = tuple[Table, dict[str, Any]]


def rows(base: sqlite3.Connection, end: Entry, in_force: InForce) -> Iterator[Row]:
    """What an item's end makes known of it, by what the journal said until then and no later.

    Raises:
        Odd: an entry of it is not as its kind should be, or the item has ended before.
    """
    told = story(base, str(end.body()["item_id"]), end.number)
    if sum(one.kind == "ItemEnd" for one in told) > 1:
        raise Odd("a second end of one item")
    whole = _whole(told, in_force)
    yield ITEMS, ITEMS.row_of(whole)
    if whole["verdict"].get("disposition") == Disposition.REJECT:
        damage = _damage(base, whole["item_id"], end.number)
        for reason in whole["verdict"].get("reasons", ()):
            yield DEFECTS, DEFECTS.row_of(whole | _reason(reason, whole["verdict"], damage))


def _whole(told: list[Entry], in_force: InForce) -> dict[str, Any]:
    """All that is known of it; of each kind the last word counts."""
    last = {one.kind: one for one in told}
    said = {kind: one.body() for kind, one in last.items()}
    item, verdict = said.get("Item", {}), said.get("Verdict", {})
    return {
        "item_id": said["ItemEnd"]["item_id"],
        "item": item,
        "verdict": verdict,
        "outcome": said.get("DivertOutcome", {}),
        "end": said["ItemEnd"],
        "daemon": in_force.body("DaemonStarted"),
        "calibrations": in_force.body("CalibrationsInForce"),
        "is_test_piece": TEST_PIECE in dict((item.get("expected") or {}).get("attributes") or ()),
        "born_wall_ns": next((one.wall_ns for one in told if one.kind == "Item"), None),
        "verdict_wall_ns": last["Verdict"].wall_ns if verdict else None,
        "decided_after_ms": _between_ms(verdict, "born_ns", "decided_ns"),
        "decided_early_ms": _between_ms(verdict, "decided_ns", "deadline_ns"),
    }


def _between_ms(body: Mapping[str, Any], begin: str, end: str) -> float | None:
    return (body[end] - body[begin]) / NS_PER_MS if begin in body and end in body else None


def _reason(reason: str, verdict: Mapping[str, Any], damage: str) -> dict[str, Any]:
    """A reason of a reject, taken apart."""
    found = REASON.fullmatch(reason)
    check, cameras, because = found.groups() if found else ("", "", reason)
    compared = (one for one in verdict.get("compared", ()) if one["check"] == check and one["agreement"] in AGAINST)
    beside: Mapping[str, Any] = next(compared, {})
    kind = damage if check == DAMAGE else beside.get("agreement")
    told = {name: beside.get(name) for name in ("printed", "expected")}
    return {"check": check, "cameras": cameras, "because": because, "type": kind or check, **told}


def _damage(base: sqlite3.Connection, item: str, until: int) -> str:
    """The kind of damage that the last look believes in, where kinds are told apart."""
    looks = [one.body() for one in evidence(base, item, until)]
    kinds = [one.get("kind") for one in looks if one.get("check") == DAMAGE and one.get("valid")]
    return next((kind for kind in reversed(kinds) if kind), "")
