"""When is a lot bad? A sequential test on each lot's share of rejects, which may be looked at after every item.

For a lot with n items decided and k of them rejected, the evidence against the product's usual share p0 is the mean of
the likelihood ratios of larger shares p1 to p0, `mean over p1 of (p1/p0)^k ((1-p1)/(1-p0))^(n-k)`. If the lot's true
share is p0 or less, this is a non-negative supermartingale that begins at 1, so it ever reaches 1/α in no more than a
share α of such lots (Ville 1939; Robbins, Siegmund 1970, power-one tests by mixtures): the site chooses α, however long
a lot runs and however often it is looked at. A bad lot is found after about `(log 1/α + log m) / KL(share, p0)` items,
m the shares tried.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from edge.core.belt import Geometry
from edge.core.lot_counts import Counts, Decided, Tally, decided_of, groups, is_counted
from edge.core.messages import (
    HELD,
    Agreement,
    Alarm,
    BeltReading,
    Compared,
    Disposition,
    End,
    Expected,
    Item,
    ItemEnd,
    LotGroup,
    LotHold,
    LotRelease,
    Verdict,
)
from edge.core.recovery import Known

TRIED = (0.02, 0.03, 0.05, 0.08, 0.12, 0.18, 0.27, 0.4, 0.6, 0.8)  # shares of a bad lot
FACTOR = 2.0  # a share that is tried is at least so many times the usual one
WHOLE_LOT = frozenset({"expiry", "lot"})  # checks whose contradiction is of the lot, not of one item
AGAINST = frozenset({Agreement.MISMATCH, Agreement.EXPIRED})
TOLD = 60  # characters of a reading in a reason


@dataclass(frozen=True, slots=True)
class LotLimits:
    """What a site bears."""

    usual_share: float  # of rejects among a good lot's items
    products: Mapping[str, float] = field(default_factory=dict)  # the same of products that differ: GTIN → share
    false_holds: float = 0.001  # share of good lots that may be held by mistake
    weak_false_holds: float = 0.0001  # of good groups that are no lots
    least_items: int = 5  # before a share is believed
    sure: float = 0.99  # probability from which on one reading that contradicts the order is enough
    groups: tuple[str, ...] = ("lot", "pallet", "tote", "seller")
    most_open: int = 100_000  # groups that are counted at a time

    def usual(self, group: LotGroup) -> float:
        """The share of rejects that is usual for its product."""
        return self.products.get(group.gtin, self.usual_share)

    def evidence(self, tally: Tally) -> float:
        """Log of the evidence against a group."""
        return log_evidence(tally.items, tally.rejected, self.usual(tally.group))

    def enough(self, group: LotGroup) -> float:
        """Log of the evidence that is enough to hold it."""
        return -math.log(self.false_holds if group.kind == "lot" else self.weak_false_holds)


OFF = LotLimits(usual_share=1.0, groups=())
"""No lots are watched."""

Told = LotHold | LotRelease | Alarm


class Lots:
    """Counts what is decided, group by group, and says when the rest of one is to stop."""

    def __init__(self, limits: LotLimits, geometry: Geometry, known: Known, id_prefix: str) -> None:
        """Begin with the holds and counts that an earlier run left; id_prefix: of the holds that begin now."""
        self._limits, self._geometry, self._id_prefix = limits, geometry, id_prefix
        self._holds = {hold.group: hold for hold in known.holds if hold.group.kind in limits.groups}
        tallies = (one for one in known.tallies if one.group.kind in limits.groups)
        self._counts = Counts(limits.most_open, tallies)
        self._today = date.min
        self._decided: dict[str, Decided] = {}  # what is on the belt and has its verdict
        self._free: set[str] = set()  # items that nothing holds, as long as no hold begins: this is asked each turn

    @property
    def open(self) -> int:
        """Groups that are counted."""
        return len(self._counts)

    @property
    def forgotten(self) -> int:
        """Groups that made room for others."""
        return self._counts.forgotten

    @property
    def holds(self) -> tuple[LotHold, ...]:
        """What is held."""
        return tuple(self._holds.values())

    def held(self, item: Item) -> str:
        """Why an item is diverted for its lot, whatever it looks like; empty: it is not."""
        if not self._holds or item.expected is None or item.item_id in self._free:
            return ""
        hold = self._hold_on(item.item_id, item.expected)
        if hold is None:
            self._free.add(item.item_id)
            return ""
        return f"{HELD}{hold.group} ({hold.hold_id})"

    def _hold_on(self, item_id: str, order: Expected) -> LotHold | None:
        known = self._decided.get(item_id)
        if not is_counted(order) or (known and known.disposition is Disposition.REJECT):
            return None  # nobody's, or it goes off for what it is
        of_item = known.groups(self._today) if known else groups(order, self._today)
        return next((self._holds[group] for group in of_item if group in self._holds), None)

    def update(self, reading: BeltReading, verdicts: Iterable[Verdict], items: Mapping[str, Item]) -> tuple[Told, ...]:
        """Take releases and verdicts; the holds that end and begin now, with an alarm for each."""
        if reading.today != self._today:
            self._today = reading.today
            self._free.clear()
        return (*self._released(reading), *self._begun(verdicts, items, reading))

    def go_by(self, geometry: Geometry) -> None:
        """From now on the lane is laid out so."""
        self._geometry = geometry

    def forget(self, ends: Iterable[ItemEnd]) -> None:
        """These have left; what went on is remembered with its group."""
        for end in ends:
            self._free.discard(end.item_id)
            decided = self._decided.pop(end.item_id, None)
            if decided and (end.eye == "exit" or end.end is End.MISSED):
                for group in self._watched(decided):
                    self._counts.tally(group).went_on(decided.order.order_line)

    def _released(self, reading: BeltReading) -> Iterator[Told]:
        for asked in reading.releases:
            hold = next((one for one in self._holds.values() if one.hold_id == asked.hold_id), None)
            if hold is None:
                yield _alarm("lot_release", f"{asked.by} would release {asked.hold_id}, which does not stand", reading)
            else:
                del self._holds[hold.group]
                yield LotRelease(hold.hold_id, hold.group, asked.by, reading.read_ns)
                yield _alarm("lot_release", f"{asked.by} released {hold.group}", reading)

    def _begun(self, verdicts: Iterable[Verdict], items: Mapping[str, Item], reading: BeltReading) -> Iterator[Told]:
        for verdict in verdicts:
            order = items[verdict.item_id].expected
            if order is not None and is_counted(order):
                decided = self._decided[verdict.item_id] = decided_of(verdict, order)
                self._free.discard(verdict.item_id)
                for group in self._watched(decided):
                    yield from self._take(group, decided, items, reading)

    def _watched(self, decided: Decided) -> tuple[LotGroup, ...]:
        """Groups of an item that are counted here, and that are not held already."""
        of_item = decided.groups(self._today)
        return tuple(one for one in of_item if one.kind in self._limits.groups and one not in self._holds)

    def _take(
        self, group: LotGroup, decided: Decided, items: Mapping[str, Item], reading: BeltReading
    ) -> Iterator[Told]:
        tally = self._counts.tally(group)
        tally.count(decided)
        because = self._contradiction(tally, decided) or self._share(tally, decided)
        if because:
            for order_line in self._passing(group, items, reading):
                tally.went_on(order_line)
            hold = self._holds[group] = self._hold(tally, because, decided.item_id, reading)
            self._counts.drop(group)
            self._free.clear()
            yield hold
            past = len(hold.order_lines) + hold.unlisted
            yield _alarm("lot_hold", f"{group} is held: {because}; {past} items are past", reading)

    def _contradiction(self, tally: Tally, decided: Decided) -> str:
        """A date or lot that surely is another than ordered is enough to look at the rest."""
        if decided.disposition is not Disposition.REJECT or tally.group.kind == "day":
            return ""
        against = (one for one in decided.compared if one.check in WHOLE_LOT and one.agreement in AGAINST)
        sure = next((one for one in against if self._is_sure(tally, one)), None)
        return _said(sure) if sure else ""

    def _is_sure(self, tally: Tally, one: Compared) -> bool:
        """By one reading that is sure, or by two items that show the same."""
        seen_before = tally.seen_before(f"{one.check} {one.printed}")
        return seen_before or (one.probability is not None and one.probability >= self._limits.sure)

    def _share(self, tally: Tally, decided: Decided) -> str:
        """Why its share of rejects is no good group's; evidence grows with a reject alone, the first time with any."""
        is_news = decided.disposition is Disposition.REJECT or tally.items == self._limits.least_items
        if not is_news or tally.items < self._limits.least_items:
            return ""
        evidence = self._limits.evidence(tally)
        if evidence < self._limits.enough(tally.group):
            return ""
        said = f"{tally.rejected} of {tally.items} items rejected, {self._limits.usual(tally.group):.2%} is usual"
        return f"{said}: no good {tally.group.kind} looks so bad in more than {math.exp(-evidence):.2g} of cases"

    def _hold(self, tally: Tally, because: str, item_id: str, reading: BeltReading) -> LotHold:
        return LotHold(
            hold_id=f"{self._id_prefix}-{item_id}-hold-{tally.group.kind}",
            group=tally.group,
            because=because,
            items=tally.items,
            rejected=tally.rejected,
            usual_share=self._limits.usual(tally.group),
            p_value=min(1.0, math.exp(-self._limits.evidence(tally))),
            order_lines=tuple(tally.past),
            unlisted=tally.unlisted,
            evidence=tuple(tally.evidence),
            raised_ns=reading.read_ns,
        )

    def _passing(self, group: LotGroup, items: Mapping[str, Item], reading: BeltReading) -> Iterator[str]:
        """Order lines of what goes on and can no longer be diverted."""
        for item_id, decided in self._decided.items():
            if decided.disposition is not Disposition.REJECT and group in decided.groups(self._today):
                item = items.get(item_id)
                if item and not item.purge and self._geometry.deadline_ns(item, reading) <= reading.read_ns:
                    yield decided.order.order_line


def _alarm(kind: str, because: str, reading: BeltReading) -> Alarm:
    return Alarm(kind, because, None, reading.read_ns)


def _said(one: Compared) -> str:
    readings = f"{(one.printed or '?')[:TOLD]} is printed, {(one.expected or '?')[:TOLD]} ordered"
    return f"{one.check} {readings} ({one.agreement.value}): the rest must be looked at"


def log_evidence(items: int, rejected: int, usual_share: float) -> float:
    """Log of the evidence against the usual share; 0: none either way."""
    tried = [share for share in TRIED if share >= FACTOR * usual_share] or [(1 + usual_share) / 2]
    terms = [
        rejected * math.log(share / usual_share) + (items - rejected) * math.log((1 - share) / (1 - usual_share))
        for share in tried
    ]
    most = max(terms)
    return most + math.log(sum(math.exp(term - most) for term in terms) / len(terms))
