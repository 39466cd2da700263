"""What belongs together, and what is counted of it: by lot, or by what is known where the lot is not."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from edge.core.labels import bare_lot
from edge.core.messages import PALLET, TEST_PIECE, Agreement, Compared, Disposition, Expected, LotGroup, Verdict

KINDS = ("lot", "pallet", "tote", "seller", "day")
LISTED = 64  # order lines that a hold names
PICTURED, PICTURES = 8, 4  # rejected items whose evidence a hold names, and how much of each
DOUBTED = 8  # contradictions that one item has shown and no second one yet


@dataclass(frozen=True, slots=True)
class Decided:
    """What of an item and its verdict is counted."""

    item_id: str
    order: Expected
    disposition: Disposition
    compared: tuple[Compared, ...] = ()
    evidence: tuple[str, ...] = ()  # check/camera/frame of what vouched for something

    @property
    def printed_lot(self) -> str:
        """The lot that print or code vouches for, where the order names none."""
        told = (one.printed for one in self.compared if one.check == "lot" and one.agreement is Agreement.MATCH)
        return next((lot for lot in told if lot), "")

    def groups(self, today: date) -> tuple[LotGroup, ...]:
        """What it is counted by."""
        return groups(self.order, today, self.printed_lot)


@dataclass(slots=True)
class Tally:
    """A group's items so far."""

    group: LotGroup
    items: int = 0  # passed or rejected
    rejected: int = 0
    past: list[str] = field(default_factory=list)  # order lines of the last that went on
    unlisted: int = 0  # more of them
    evidence: list[str] = field(default_factory=list)  # of the last that were rejected
    doubted: list[str] = field(default_factory=list)  # contradictions that one item has shown

    def count(self, decided: Decided) -> None:
        """An item more; what nobody could judge speaks neither way."""
        self.items += decided.disposition is not Disposition.NO_DECISION
        if decided.disposition is Disposition.REJECT:
            self.rejected += 1
            self.evidence += [f"{decided.item_id}/{one}" for one in decided.evidence[:PICTURES]]
            del self.evidence[: -PICTURED * PICTURES]

    def went_on(self, order_line: str) -> None:
        """An item of it is past the gate, on the good lane."""
        self.past.append(order_line)
        self.unlisted += max(0, len(self.past) - LISTED)
        del self.past[:-LISTED]

    def seen_before(self, contradiction: str) -> bool:
        """Whether another item has shown the very same; it is remembered."""
        if contradiction in self.doubted:
            return True
        self.doubted.append(contradiction)
        del self.doubted[:-DOUBTED]
        return False


class Counts:
    """The tallies of all open groups; the one that was not seen for longest makes room for others."""

    def __init__(self, most_open: int, tallies: Iterable[Tally] = ()) -> None:
        self.forgotten = 0
        self._most_open = most_open
        self._open: OrderedDict[LotGroup, Tally] = OrderedDict((one.group, one) for one in tallies)

    def __len__(self) -> int:
        return len(self._open)

    def tally(self, group: LotGroup) -> Tally:
        """A group's tally, begun where there is none."""
        found = self._open.get(group)
        if found is None:
            found = self._open[group] = Tally(group)
            self._make_room()
        self._open.move_to_end(group)
        return found

    def drop(self, group: LotGroup) -> None:
        """Begin anew when it comes again."""
        self._open.pop(group, None)

    def tallies(self) -> tuple[Tally, ...]:
        """All of them, the one that was seen last at the end."""
        return tuple(self._open.values())

    def _make_room(self) -> None:
        while len(self._open) > self._most_open:
            self._open.popitem(last=False)
            self.forgotten += 1


def is_counted(order: Expected) -> bool:
    """Whether an item is somebody's: a test piece is bad on purpose."""
    return TEST_PIECE not in dict(order.attributes)


def decided_of(verdict: Verdict, order: Expected) -> Decided:
    """A verdict and the order of its item."""
    evidence = dict.fromkeys(f"{one.check}/{one.camera}/{one.frame_id}" for one in verdict.evidence if one.valid)
    return Decided(verdict.item_id, order, verdict.disposition, verdict.compared, tuple(evidence)[:PICTURES])


def groups(order: Expected, today: date, printed_lot: str = "") -> tuple[LotGroup, ...]:
    """The lot as ordered; where the order names none the lot that is printed, and weaker groups with it.

    The weaker ones count every such item, not only those whose print could not be read: print that is damaged and
    an item that is go together. A product's day is for what nothing else is known of.
    """
    if order.lot:
        return (_lot(order.gtin, order.lot),)
    day = "" if today == date.min else today.isoformat()
    told = {
        "pallet": dict(order.attributes).get(PALLET),
        "tote": order.tote,
        "seller": f"{order.seller} {day}" if order.seller and day else None,
    }
    weaker = tuple(LotGroup(kind, order.gtin, key) for kind, key in told.items() if key)
    lots = (_lot(order.gtin, printed_lot),) if printed_lot else ()
    return (*lots, *(weaker or ((LotGroup("day", order.gtin, day),) if day else ())))


@lru_cache(maxsize=1024)  # asked each turn for each item while anything is held
def _lot(gtin: str, lot: str) -> LotGroup:
    return LotGroup("lot", gtin, bare_lot(lot), lot)
