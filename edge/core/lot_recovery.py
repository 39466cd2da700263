"""After a restart: what the journal says is held, and what was counted of the lots that are not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date
from typing import Any

from edge.core.labels import bare_lot
from edge.core.lot_counts import Counts, Decided, Tally, is_counted
from edge.core.messages import Agreement, Compared, Disposition, End, Expected, LotGroup, LotHold
from edge.core.recovery import expected_of_entry

MOST_OPEN = 100_000

Entries = Iterable[tuple[str, Mapping[str, Any]]]
"""Kind and body of journal entries, oldest first."""


def standing(entries: Entries) -> tuple[LotHold, ...]:
    """The holds that nobody has released."""
    holds: dict[str, LotHold] = {}
    for kind, body in entries:
        if kind == "LotHold":
            holds[body["hold_id"]] = hold_of(body)
        elif kind == "LotRelease":
            holds.pop(body["hold_id"], None)
    return tuple(holds.values())


def tallied(entries: Entries) -> tuple[Tally, ...]:
    """What was counted, group by group; not by day, for the journal's bodies do not say which it was."""
    ledger = _Reckoning()
    for kind, body in entries:
        ledger.enter(kind, body)
    return ledger.counts.tallies()


def usual(entries: Entries) -> dict[str, tuple[int, int]]:
    """GTIN → items passed or rejected, and those that were rejected, of lots that were never held."""
    pieces: set[str] = set()
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    held: set[tuple[str, str]] = set()
    for kind, body in entries:
        if kind == "Item" and (order := expected_of_entry(body.get("expected"))) and not is_counted(order):
            pieces.add(body["item_id"])
        elif kind == "Verdict" and body["gtin"] and body["item_id"] not in pieces:
            counts[body["gtin"], bare_lot(body["lot"] or "")][body["disposition"]] += 1
        elif kind == "LotHold" and body["group"]["kind"] == "lot":
            held.add((body["group"]["gtin"], body["group"]["key"]))
    found: dict[str, tuple[int, int]] = {}
    for (gtin, lot), count in counts.items():
        if (gtin, lot) not in held:
            items, rejected = found.get(gtin, (0, 0))
            rejects = count[Disposition.REJECT]
            found[gtin] = items + rejects + count[Disposition.PASS], rejected + rejects
    return found


class _Reckoning:
    """Counts once more what the journal says was decided."""

    def __init__(self) -> None:
        self.counts = Counts(MOST_OPEN)
        self._orders: dict[str, Expected] = {}
        self._decided: dict[str, Decided] = {}

    def enter(self, kind: str, body: Mapping[str, Any]) -> None:
        """Take an entry."""
        if kind == "Item" and (order := expected_of_entry(body.get("expected"))) and is_counted(order):
            self._orders[body["item_id"]] = order
        elif kind == "Verdict" and body["item_id"] in self._orders:
            self._count(_decided_of(body, self._orders[body["item_id"]]))
        elif kind == "ItemEnd":
            self._end(body)
        elif kind in ("LotHold", "LotRelease"):
            self.counts.drop(group_of(body["group"]))

    def _count(self, decided: Decided) -> None:
        self._decided[decided.item_id] = decided
        for group in decided.groups(date.min):
            self.counts.tally(group).count(decided)

    def _end(self, body: Mapping[str, Any]) -> None:
        self._orders.pop(body["item_id"], None)
        decided = self._decided.pop(body["item_id"], None)
        if decided and (body["eye"] == "exit" or body["end"] == End.MISSED):
            for group in decided.groups(date.min):
                self.counts.tally(group).went_on(decided.order.order_line)


def _decided_of(body: Mapping[str, Any], order: Expected) -> Decided:
    known = {one.name for one in fields(Compared)}
    told = ({name: value for name, value in one.items() if name in known} for one in body.get("compared", ()))
    compared = tuple(Compared(**{**one, "agreement": Agreement(one["agreement"])}) for one in told)
    return Decided(body["item_id"], order, Disposition(body["disposition"]), compared, tuple(body["evidence"]))


def hold_of(body: Mapping[str, Any]) -> LotHold:
    """A hold as the journal holds it; keys of another version are left out."""
    known = {one.name for one in fields(LotHold)}
    kept: dict[str, Any] = {name: value for name, value in body.items() if name in known}
    listed = {name: tuple(body[name]) for name in ("order_lines", "evidence")}
    return LotHold(**{**kept, **listed, "group": group_of(body["group"])})


def group_of(body: Mapping[str, Any]) -> LotGroup:
    """A group as the journal holds it."""
    return LotGroup(body["kind"], body["gtin"], body["key"], body["told"])
