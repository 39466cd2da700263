"""When only the gate's own safe side can still take what must not go on: then the box falls silent."""

from __future__ import annotations

import math
from collections.abc import Iterable

from edge.core.belt import NS_PER_MS, NS_PER_S, Geometry
from edge.core.messages import BeltReading, Item

SILENCE_MS = 1200.0  # until the PLC takes our silence for one: its second, and a heartbeat's period


class Blindness:
    """Watches what is to be diverted, and has no command that the PLC has taken."""

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        self._unknown_until_counts = -math.inf  # until then, what is at the gate is in no book

    def go_by(self, geometry: Geometry) -> None:
        """The lane is laid out anew."""
        self._geometry = geometry

    def unknown(self, reading: BeltReading) -> None:
        """What is on the belt now, from the induct eye on, is not known."""
        to_gate_mm = self._geometry.gate_mm + self._geometry.margin_mm
        self._unknown_until_counts = reading.counts + self._geometry.counts(to_gate_mm)

    def update(self, uncovered: Iterable[Item], reading: BeltReading) -> bool:
        """Whether to withhold the heartbeat; `uncovered`: to be diverted, and the PLC has taken no command for it."""
        if reading.counts < self._unknown_until_counts:
            return True
        return any(self._is_out_of_reach(item, reading) for item in uncovered)

    def _is_out_of_reach(self, item: Item, reading: BeltReading) -> bool:
        """Whether its window is open, or so near that the PLC would notice our silence too late."""
        first, last = self._geometry.window(item)
        speed_mm_per_s = max(reading.speed_mm_per_s, self._geometry.full_speed_mm_per_s)
        reach_mm = speed_mm_per_s * (self._geometry.lead_ms + SILENCE_MS) * NS_PER_MS / NS_PER_S
        return first - self._geometry.counts(reach_mm) <= reading.counts <= last
