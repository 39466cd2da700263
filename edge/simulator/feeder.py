"""Lays items on a virtual lane's belt, a few ahead of the scanner, at random lengths and gaps."""

from __future__ import annotations

import random

from edge.simulator.events import Placed
from edge.simulator.plant import Plant
from edge.simulator.scenario import Fault, Items, Kind, Scenario

AHEAD = 2  # items that wait before the scanner
OVERLAP_MM = 1.0  # two without a gap: the eye sees no light between them


class Feeder:
    """Knows which items are bad, and how many are still to come."""

    def __init__(self, scenario: Scenario, plant: Plant, count: int, chance: random.Random) -> None:
        self.bad: set[int] = set()  # of those that have been laid
        self.laid = 0
        self._items: Items = scenario.items
        self._counts_per_mm = scenario.lane.counts_per_mm
        self._doubles = sum(fault.likely for fault in scenario.fault if fault.kind is Kind.DOUBLE_FEED)
        self._plant, self._count, self._chance = plant, count, chance
        self._next_counts = plant.counts + self._counts(scenario.lane.scanner_mm + scenario.items.gap_mm[1])

    @property
    def done(self) -> bool:
        """Whether all have been laid."""
        return self.laid >= self._count

    def feed(self) -> None:
        """See to it that some wait."""
        while not self.done and self._plant.waiting < AHEAD:
            self._lay()

    def _lay(self) -> None:
        length_mm = self._chance.uniform(*self._items.length_mm)
        self._plant.load([Placed(self.laid, self._next_counts, length_mm)])
        if self._chance.random() < self._items.bad_share:
            self.bad.add(self.laid)
        self.laid += 1
        glued = self._doubles and self._chance.random() < self._doubles
        gap_mm = -OVERLAP_MM if glued else self._chance.uniform(*self._items.gap_mm)
        self._next_counts += self._counts(length_mm + gap_mm)

    def _counts(self, distance_mm: float) -> int:
        return round(distance_mm * self._counts_per_mm)


def strikes_always(fault: Fault) -> bool:
    """Whether a fault is a property of the items rather than something that begins and ends."""
    return fault.kind is Kind.DOUBLE_FEED
