"""A GenICam camera's own clock beside ours: its present value is latched and read, again and again."""

from __future__ import annotations

import time
from typing import Any

from edge.core.belt import NS_PER_MS, NS_PER_S
from edge.core.clocks import Clock, Exchange

LATCHES = {"GevTimestampControlLatch": "GevTimestampValue", "TimestampLatch": "TimestampLatchValue"}
"""Command → what it latches: of GigE Vision, and of GenICam's later names."""
FREQUENCY = "GevTimestampTickFrequency"
EVERY_NS = NS_PER_S
WORST_NS = 20 * NS_PER_MS  # a clock that is known no better than this tells less than a frame's arrival


class CameraClock:
    """Says when the camera exposed, by our clock; a camera without a clock that can be read says nothing."""

    def __init__(self, device: Any) -> None:
        """Take Aravis' device."""
        self._device = device
        self._clock = Clock()
        self._due_ns = 0
        there = [pair for pair in LATCHES.items() if all(device.is_feature_available(name) for name in pair)]
        self._latch, self._value = there[0] if there else ("", "")
        has_frequency = device.is_feature_available(FREQUENCY)
        self._hz = (int(device.get_integer_feature_value(FREQUENCY)) if has_frequency else 0) or NS_PER_S

    def compare(self) -> None:
        """Have the camera latch its clock, where that is due; two registers, some hundred microseconds."""
        asked_ns = time.monotonic_ns()
        if not self._latch or asked_ns < self._due_ns:
            return
        self._device.execute_command(self._latch)
        back_ns = time.monotonic_ns()
        theirs_ns = self.of_ticks(int(self._device.get_integer_feature_value(self._value)))
        self._clock.hear(Exchange(asked_ns, theirs_ns, theirs_ns, back_ns))
        self._due_ns = back_ns + EVERY_NS

    def of_ticks(self, ticks: int) -> int:
        """The camera's time, ns."""
        return ticks * NS_PER_S // self._hz

    def ours(self, theirs_ns: int) -> int | None:
        """An instant of the camera's clock on ours; None: it is not known, or too badly."""
        known = self._clock.offset(time.monotonic_ns())
        if known is None or known[1] > WORST_NS or not theirs_ns:
            return None
        return theirs_ns - known[0]
