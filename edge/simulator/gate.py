"""The gate's mechanics, and the switches at the ends of its way."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from edge.core.messages import PhotoeyeEdge
from edge.simulator.events import NOBODY, EyeEdge, GateEye
from edge.simulator.plan import Side

FULLY_OPEN, FULLY_CLOSED = 1 - 1e-6, 1e-6


class Gate:
    """A gate that needs its time from one side to the other, may be turned round on the way, and may stick."""

    def __init__(self, travel_ns: float) -> None:
        self._sound_travel_ns = self._travel_ns = travel_ns
        self._since_ns = 0
        self._openness = 0.0
        self._direction = -1

    def open(self, now_ns: int) -> None:
        """Move, or go on moving, towards open."""
        self._turn(now_ns, 1)

    def close(self, now_ns: int) -> None:
        """Move, or go on moving, towards closed."""
        self._turn(now_ns, -1)

    def openness(self, at_ns: float) -> float:
        """How far open the gate stands: 0 closed, 1 fully open; `at_ns` is not before the last order."""
        moved = (at_ns - self._since_ns) / self._travel_ns
        return min(1.0, max(0.0, self._openness + self._direction * moved))

    @property
    def arrives_ns(self) -> float:
        """When it has come to the end of its way, unless it is turned round."""
        to_go = 1.0 - self._openness if self._direction > 0 else self._openness
        return self._since_ns + to_go * self._travel_ns if to_go else self._since_ns

    def stick(self, now_ns: int) -> None:
        """Stay where it is, whatever is ordered."""
        self.drag(now_ns, math.inf)

    def drag(self, now_ns: int, factor: float) -> None:
        """Need so many times its time from now on."""
        self._openness, self._since_ns = self.openness(now_ns), now_ns
        self._travel_ns = self._sound_travel_ns * factor

    def free(self, now_ns: int) -> None:
        """Move as it should again."""
        self.drag(now_ns, 1.0)

    def _turn(self, now_ns: int, direction: int) -> None:
        if direction != self._direction:
            self._openness = self.openness(now_ns)
            self._since_ns = now_ns
            self._direction = direction


class Switches:
    """What the PLC sees of its gate in each scan: which way it is driven, and at which end of its way it was last."""

    def __init__(self) -> None:
        self._stands: dict[GateEye, bool] = {"drive": False, "gate": False}
        self._seq: Counter[GateEye] = Counter()

    def look(self, gate: Gate, side: Side, now_ns: int, counts: int) -> Iterator[EyeEdge]:
        """The edges since the last scan, with the counts of this one."""
        openness = gate.openness(now_ns)
        yield from self._turned("drive", side == "divert", counts)
        if openness > FULLY_OPEN or openness < FULLY_CLOSED:
            yield from self._turned("gate", openness > FULLY_OPEN, counts)

    def _turned(self, eye: GateEye, dark: bool, counts: int) -> Iterator[EyeEdge]:  # noqa: FBT001 - a fact, no switch
        if self._stands[eye] != dark:
            self._stands[eye] = dark
            yield EyeEdge(NOBODY, eye, PhotoeyeEdge(self._seq[eye], counts, dark))
            self._seq[eye] += 1
