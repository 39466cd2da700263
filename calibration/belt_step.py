"""The step `belt`: counts per millimetre and direction, from the board that rides past."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from calibration import board
from calibration.belt_run import BeltRun, Passed, belt_run
from calibration.steps import Ask, Found, Shot, Shows
from edge.core.errors import CalibrationRefused
from edge.core.messages import Image
from edge.core.plane import Plane

FRAMES = 8
PLOT_PX = (640, 240)
SPAN_MM = 3.0  # of the plot, either way
INK, DOT, PAPER = (60, 60, 60), (200, 90, 0), 255


class BeltStep:
    """One ride."""

    def __init__(self, plane: Plane) -> None:
        """Take where the camera looks, from its own step."""
        self._plane = plane
        self._passed: list[Passed] = []
        self._size_px = (1, 1)

    def asks(self) -> Ask | None:
        """As `Step.asks`."""
        return None if self._passed else Ask(Shows.BOARD_RIDING, FRAMES)

    def take(self, shots: Sequence[Shot]) -> str:
        """As `Step.take`; the ride is reckoned at once, so that a bad one is told while the board is at hand."""
        if any(np.isnan(shot.counts) for shot in shots):
            raise CalibrationRefused(
                "the frames have no encoder counts: take them from a recording, or wire the encoder to the camera"
            )
        passed = [Passed(shot.counts, board.find(shot.image)) for shot in shots]
        self._size_px = (shots[0].image.shape[1], shots[0].image.shape[0])
        run = belt_run(passed, self._plane, self._size_px)
        self._passed = passed
        return f"{len(passed)} frames, {run.residual_mm:.2f} mm off an even ride"

    def found(self) -> Found:
        """As `Step.found`."""
        run = belt_run(self._passed, self._plane, self._size_px)
        quality = {"residual_mm": run.residual_mm, "residual_most_mm": max(map(abs, run.residuals_mm))}
        values = {
            "counts_per_mm": run.counts_per_mm,
            "across_deg": run.across_deg,
            "middle_counts": run.middle_counts,
            "reversed": int(run.reversed),
        }
        way = ", and they fall while it runs on" if run.reversed else ""
        says = f"{run.counts_per_mm:.4f} counts a millimetre{way}; turned by {run.across_deg:+.2f}° from the board"
        return Found(quality, values, _plot(run, [one.counts for one in self._passed]), says)


def _plot(run: BeltRun, counts: Sequence[float]) -> Image:
    """How far each frame lies off an even ride, by its counts."""
    width, height = PLOT_PX
    page = np.full((height, width, 3), PAPER, np.uint8)
    for level_mm in (-2, -1, 0, 1, 2):
        y = round(height / 2 - level_mm / SPAN_MM * height / 2)
        cv2.line(page, (0, y), (width, y), INK if not level_mm else (200, 200, 200), 1)
        cv2.putText(page, f"{level_mm:+d} mm", (4, y - 3), cv2.FONT_HERSHEY_SIMPLEX, 0.4, INK, 1)
    low, high = min(counts), max(counts)
    for place, off_mm in zip(counts, run.residuals_mm, strict=True):
        x = round(60 + (width - 80) * (place - low) / max(1.0, high - low))
        cv2.circle(page, (x, round(height / 2 - off_mm / SPAN_MM * height / 2)), 5, DOT, cv2.FILLED)
    return page
