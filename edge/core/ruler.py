"""Where the belt was at an exposure: encoder counts between two readings, or a little past the newest."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque

from edge.core.belt import NS_PER_S
from edge.core.messages import BeltReading

KEPT = 4096  # readings, a turn of the loop each: four seconds, longer than any frame is on its way


class Ruler:
    """Remembers the last readings."""

    def __init__(self) -> None:
        self._read_ns: deque[int] = deque(maxlen=KEPT)
        self._counts: deque[float] = deque(maxlen=KEPT)
        self._speed_counts_per_ns = 0.0

    def update(self, reading: BeltReading) -> None:
        """Remember one more; readings come in the order of time."""
        if self._read_ns and reading.read_ns > self._read_ns[-1]:
            passed_ns = reading.read_ns - self._read_ns[-1]
            self._speed_counts_per_ns = (reading.counts - self._counts[-1]) / passed_ns
        self._read_ns.append(reading.read_ns)
        self._counts.append(reading.counts)

    def counts(self, at_ns: int) -> float | None:
        """Counts at an instant; None: nothing was read yet, or it is older than all that is remembered."""
        after = bisect_left(self._read_ns, at_ns)
        if after == len(self._read_ns):
            return self._beyond(at_ns)
        if after == 0:
            return self._counts[0] if self._read_ns[0] == at_ns else None
        begun_ns, ended_ns = self._read_ns[after - 1], self._read_ns[after]
        begun, ended = self._counts[after - 1], self._counts[after]
        return begun + (ended - begun) * (at_ns - begun_ns) / (ended_ns - begun_ns)

    def _beyond(self, at_ns: int) -> float | None:
        """Reckoned on at the last speed, no further than a second."""
        if not self._read_ns or at_ns - self._read_ns[-1] > NS_PER_S:
            return None
        return self._counts[-1] + self._speed_counts_per_ns * (at_ns - self._read_ns[-1])
