"""What went off before its order was told: when a broker is back, the PLC may be heard before the warehouse."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from edge.core.belt import NS_PER_S, Geometry
from edge.core.messages import BeltReading, Expected, Item

MOST = 256
LATE_NS = 10 * NS_PER_S  # an order that comes so long after its item's end is nobody's


@dataclass(frozen=True, slots=True)
class Gone:
    """An item without an order, for which another would have been asked."""

    item: Item
    because: str
    why: tuple[str, ...]  # it was to be diverted
    at_ns: int


class Unclaimed:
    """The last of them, until somebody says what they were."""

    def __init__(self) -> None:
        self._gone: deque[Gone] = deque(maxlen=MOST)

    def note(self, gone: Gone) -> None:
        """An item has gone."""
        self._gone.append(gone)

    def claimed(self, items: Iterable[Item], reading: BeltReading, geometry: Geometry) -> Iterator[Gone]:
        """Those whose place is announced now, with the order; what an item on the belt has joined is not theirs."""
        while self._gone and reading.read_ns - self._gone[0].at_ns > LATE_NS:
            self._gone.popleft()
        joined = {item.expected for item in items} if self._gone and reading.announced else set()
        for expected in reading.announced if self._gone else ():
            found = None if expected in joined else self._at(expected, reading.boot, geometry)
            if found:
                self._gone.remove(found)
                yield replace(found, item=replace(found.item, expected=expected))

    def _at(self, expected: Expected, boot: int, geometry: Geometry) -> Gone | None:
        if expected.scan_counts is None:
            return None
        here = (one for one in self._gone if one.item.boot == boot)
        return next((one for one in here if geometry.was_scanned(one.item, expected.scan_counts)), None)
