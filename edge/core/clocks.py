"""Another machine's monotonic clock beside ours: between what bounds its offset must lie.

A message cannot have taken less than no time, neither there nor back: each exchange bounds the offset by itself
(Cristian 1989; RFC 5905, section 8), however unlike the two ways were. Bounds of several exchanges hold together
(Marzullo 1984), once each is as much wider as the clocks may have drifted apart since.
"""

from __future__ import annotations

from dataclasses import dataclass

DRIFT_PPM = 1000  # Linux slews a clock by up to 500 ppm (MAXFREQ in timex.h), and there are two of them
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer; ns, of two clocks."""

    asked_ns: int  # ours
    heard_ns: int  # theirs
    answered_ns: int  # theirs
    back_ns: int  # ours

    @property
    def possible(self) -> bool:
        """Whether clocks that run forwards can have brought it about."""
        return 0 <= self.answered_ns - self.heard_ns <= self.back_ns - self.asked_ns + self.drift_ns

    @property
    def drift_ns(self) -> int:
        """How far the clocks may have drifted apart meanwhile."""
        return _drift_ns(self.back_ns - self.asked_ns)


class Clock:
    """Theirs, as far as known."""

    def __init__(self) -> None:
        self.restarts = 0  # times that no offset fitted all that was heard: a clock was set, or started anew
        self._at_ns = 0
        self._bounds_ns: tuple[int, int] | None = None  # of theirs less ours, at that instant of ours

    def hear(self, exchange: Exchange) -> None:
        """Take one more exchange; they come in the order of their return."""
        fresh = _bounds_ns(exchange)
        known, self._at_ns = self._widened(exchange.back_ns), exchange.back_ns
        if known is None:
            self._bounds_ns = fresh
            return
        both = max(known[0], fresh[0]), min(known[1], fresh[1])
        self.restarts += both[0] > both[1]
        self._bounds_ns = both if both[0] <= both[1] else fresh

    def forget(self) -> None:
        """It may be another clock now."""
        self._bounds_ns = None

    def offset(self, at_ns: int) -> tuple[int, int] | None:
        """Theirs less ours at an instant of ours, and by how much that may be wrong, ns; None: nothing heard yet."""
        bounds = self._widened(at_ns)
        if bounds is None:
            return None
        low_ns, high_ns = bounds
        return (low_ns + high_ns) // 2, (high_ns - low_ns + 1) // 2 + 1

    def _widened(self, at_ns: int) -> tuple[int, int] | None:
        if self._bounds_ns is None:
            return None
        drift_ns = _drift_ns(at_ns - self._at_ns)
        return self._bounds_ns[0] - drift_ns, self._bounds_ns[1] + drift_ns


def _bounds_ns(exchange: Exchange) -> tuple[int, int]:
    """Of the offset when the answer was back."""
    low_ns, high_ns = exchange.answered_ns - exchange.back_ns, exchange.heard_ns - exchange.asked_ns
    return low_ns - exchange.drift_ns, high_ns + exchange.drift_ns


def _drift_ns(span_ns: int) -> int:
    return -(-abs(span_ns) * DRIFT_PPM // MILLION)
