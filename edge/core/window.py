"""How many frames may be on their way at once: so many that the link is used, so few that none grows old in it.

Additive increase, multiplicative decrease, as in TCP (Chiu and Jain 1989), but by what a frame is for: how much of the
time until it expires was over when it came.
"""

from __future__ import annotations

from collections import deque

FIRST, MOST = 2, 16  # frames
QUICK, SLOW = 0.5, 0.75  # of a frame's time: below, there may be more under way; above, there should be fewer


class Window:
    """Of one camera, towards one box."""

    def __init__(self) -> None:
        self._size = float(FIRST)
        self._halved_at = 0  # number of the newest frame when the window was last halved
        self._under_way: deque[int] = deque()

    @property
    def size(self) -> int:
        """At once."""
        return int(self._size)

    @property
    def open(self) -> bool:
        """Whether one more may go."""
        return len(self._under_way) < self.size

    def sent(self, number: int) -> None:
        """It is on its way."""
        self._under_way.append(number)

    def arrived(self, number: int, spent: float) -> None:
        """With it, or before it, all that were sent before; one delay makes several slow, and counts once.

        spent: share of its time that was over; above 1 it had expired.
        """
        newest = self._under_way[-1] if self._under_way else 0
        if not self._settle(number):
            return
        if spent < QUICK:
            self._size = min(MOST, self._size + 1 / self._size)
        elif spent > SLOW and number > self._halved_at:
            self._size, self._halved_at = max(1.0, self._size / 2), newest

    def _settle(self, number: int) -> bool:
        """Whether it was on its way; what was sent before it is not any longer."""
        there = number in self._under_way
        while there and self._under_way.popleft() != number:
            pass
        return there
