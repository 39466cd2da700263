"""Evidence is kept, and is not, by turns within one run of a lane: what `bench.evidence` times the loop in."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import cv2

from bench.record import NS_PER_MS
from edge.core.messages import Frame, Image, Item, Outline, Sighting
from edge.records.evidence.desk import EvidenceDesk

WITH, WITHOUT, BETWEEN = "with", "without", ""
FED = "fed"
OUTLINE = tuple((8 * one, one * one) for one in range(24))  # as many corners as one that is found has
PHASE_S, SETTLE_S = 5.0, 1.0


class Phases:
    """Evidence is kept, with crops beside the lane's own, and is not, by turns; each turn of the loop is timed."""

    def __init__(self, desk: EvidenceDesk, images: Sequence[Image], crops_per_s: float) -> None:
        """Take the desk, and what it is shown beside the lane's own, so many a second."""
        self.turns_ms: dict[str, list[float]] = {WITH: [], WITHOUT: [], BETWEEN: []}
        self._desk, self._every_s = desk, 1 / crops_per_s
        self._images = enumerate(itertools.cycle(images))
        self._phase = BETWEEN
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @contextmanager
    def running(self) -> Iterator[None]:
        """From here on."""
        self._thread.start()
        yield
        self._ended.set()
        self._thread.join()

    def timed(self, turn: Callable[[int], None], now_ns: int) -> None:
        """One turn."""
        began_ns, phase = time.monotonic_ns(), self._phase
        turn(now_ns)
        if phase == self._phase:
            self.turns_ms[phase].append((time.monotonic_ns() - began_ns) / NS_PER_MS)

    def _run(self) -> None:
        usual_ways = self._desk.show, self._desk.offer
        for phase in itertools.cycle((WITHOUT, WITH)):
            if self._ended.is_set():
                break
            self._phase = BETWEEN
            for name, way in zip(("show", "offer"), usual_ways if phase == WITH else (_dropped, _dropped), strict=True):
                setattr(self._desk, name, way)
            self._last(SETTLE_S, phase)
            self._phase = phase
            self._last(PHASE_S, phase)

    def _last(self, seconds: float, phase: str) -> None:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s and not self._ended.wait(self._every_s):
            if phase == WITH:
                number, image = next(self._images)
                sighting = Sighting(Frame(FED, f"f-{number}", 0, 0.0, image), Item(f"{FED}-{number}", 0, 0), 0)
                self._desk.show(sighting, partial(_stamped, image, number))


def _dropped(*_: object) -> None:
    """Nothing is kept."""


def _stamped(image: Image, number: int) -> tuple[Image, Outline]:
    copied = image.copy()
    cv2.putText(copied, str(number), (8, 32), cv2.FONT_HERSHEY_SIMPLEX, 1, (0, 0, 255), 2)
    return copied, OUTLINE
