"""The gate's mechanics."""

from __future__ import annotations

import math

FULLY_OPEN = 1 - 1e-6


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
