"""How much a warehouse is sent: all that it takes while it answers; while it is silent, now and then one to try it.

Full jitter, as in Amazon's "Exponential Backoff And Jitter" (Brooker, 2015): many lanes must not speak at once.
"""

from __future__ import annotations

from collections.abc import Callable

FIRST_TRY_S, LONGEST_TRY_S = 1.0, 30.0  # so that what has gathered is gone within a minute of its coming back
FIRST_RETRY_S, LONGEST_RETRY_S = 2.0, 60.0  # of one request that is passed over
LEAST_ASKED_S, LONGEST_ASKED_S = 1.0, 300.0  # so much patience a warehouse may ask for

Draw = Callable[[float, float], float]
"""A number between two others, as `random.uniform`."""


class Pace:
    """Of one warehouse; every time in seconds, by the monotonic clock."""

    def __init__(self, draw: Draw, patience_s: float) -> None:
        """patience_s: without any answer for so long it is silent."""
        self._draw, self._patience_s = draw, patience_s
        self._unheard_s: float | None = None  # the first try since then
        self._tries = 0  # in vain, one after the other
        self._shut_until_s = 0.0
        self._asked_until_s = 0.0

    def room(self, now_s: float, most: int) -> int:
        """How many may be sent now."""
        if now_s < max(self._shut_until_s, self._asked_until_s):
            return 0
        return 1 if self._silent(now_s) else most

    def sent(self, now_s: float) -> None:
        """Some were."""
        if self._silent(now_s):
            self._shut(now_s)
        elif self._unheard_s is None:
            self._unheard_s = now_s

    def heard(self) -> None:
        """It answered something."""
        self._unheard_s, self._tries, self._shut_until_s = None, 0, 0.0

    def failed(self, now_s: float) -> None:
        """It could not be reached, or failed; several at once count as one."""
        if now_s >= self._shut_until_s:
            self._shut(now_s)

    def asked(self, now_s: float, for_s: float) -> None:
        """It asks to be left alone for so long."""
        self._asked_until_s = now_s + bounded(for_s)

    def retry_s(self, ignored: int) -> float:
        """How long a request waits that was passed over so often."""
        return self._draw(0, min(LONGEST_RETRY_S, FIRST_RETRY_S * 2 ** min(ignored, 16)))

    def _silent(self, now_s: float) -> bool:
        return self._tries > 0 or (self._unheard_s is not None and now_s - self._unheard_s > self._patience_s)

    def _shut(self, now_s: float) -> None:
        self._shut_until_s = now_s + self._draw(0, min(LONGEST_TRY_S, FIRST_TRY_S * 2 ** min(self._tries, 16)))
        self._tries += 1


def bounded(for_s: float) -> float:
    """What is borne of a warehouse's wish for patience."""
    return min(max(for_s, LEAST_ASKED_S), LONGEST_ASKED_S)
