"""Counts that a camera latches at exposure, from the encoder that the PLC counts too: one belt, two counters."""

from __future__ import annotations

from collections import deque
from statistics import median

KEPT = 31  # frames by which the two counters are compared
STRAYS = 5  # in a row: a counter was started anew, and they are compared anew
TURN = 2**32  # a camera's counter begins again


class Latch:
    """Puts a camera's counts beside the PLC's: they lie a fixed number of counts apart."""

    def __init__(self, tolerance_counts: float) -> None:
        """Take how far a frame's latched counts may lie from where it is reckoned to have been exposed."""
        self.strays = 0  # frames whose latched counts were not believed
        self._tolerance_counts = tolerance_counts
        self._last: int | None = None  # the camera's counts, without their turns
        self._apart: deque[float] = deque(maxlen=KEPT)
        self._believed: deque[bool] = deque(maxlen=KEPT)

    def go_by(self, tolerance_counts: float) -> None:
        """Believe a frame that is so far off."""
        self._tolerance_counts = tolerance_counts

    def counts(self, latched: int, reckoned: float) -> float:
        """Where the belt was at the exposure, in the PLC's counts.

        latched: by the camera, 32 bit; reckoned: from the frame's time, for want of anything better.
        """
        self._last = unrolled(latched, self._last)
        apart = reckoned - self._last
        usual = median(self._apart) if self._apart else apart
        believed = abs(apart - usual) <= self._tolerance_counts
        self._believed.append(believed)
        if believed:
            self._apart.append(apart)
            return self._last + median(self._apart)
        self.strays += 1
        if not any(list(self._believed)[-STRAYS:]):
            self._apart.clear()
        return reckoned

    @property
    def apart(self) -> bool:
        """Whether the two do not count the same belt: every other frame is not believed."""
        return len(self._believed) == KEPT and self._believed.count(False) > KEPT // STRAYS - 1


def unrolled(latched: int, last: int | None) -> int:
    """A 32-bit counter without its turns: the nearest to its last value."""
    if last is None:
        return latched
    return last + (latched - last + TURN // 2) % TURN - TURN // 2
