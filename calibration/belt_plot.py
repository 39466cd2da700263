"""How far each frame of a ride lies off an even one."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from calibration.belt_run import BeltRun
from edge.core.messages import Image

SIZE_PX = (640, 260)
LEFT_PX, RIGHT_PX, DOT_PX = 70, 20, 5
LEAST_SPAN_MM = 1.0  # of the plot, either way
INK, GRID, PAPER = (60, 60, 60), (210, 210, 210), 255
DOTS = ((200, 90, 0), (0, 110, 230))  # of the first and the second ride


def drawn(runs: Sequence[BeltRun], counts: Sequence[Sequence[float]]) -> Image:
    """Along the counts of each ride; a colour a ride."""
    width, height = SIZE_PX
    page = np.full((height, width, 3), PAPER, np.uint8)
    span_mm = max(LEAST_SPAN_MM, 1.2 * max(abs(off) for run in runs for off in run.residuals_mm))
    for share in (-1, -0.5, 0, 0.5, 1):
        y = _y(share * span_mm, span_mm)
        cv2.line(page, (LEFT_PX, y), (width - RIGHT_PX, y), GRID if share else INK, 1)
        _write(page, f"{share * span_mm:+.1f} mm", (4, y + 4), INK)
    for number, (run, along) in enumerate(zip(runs, counts, strict=True)):
        colour, low, high = DOTS[number % len(DOTS)], min(along), max(along)
        for place, off_mm in zip(along, run.residuals_mm, strict=True):
            x = round(LEFT_PX + (width - LEFT_PX - RIGHT_PX) * (place - low) / max(1.0, high - low))
            cv2.circle(page, (x, _y(off_mm, span_mm)), DOT_PX, colour, cv2.FILLED, cv2.LINE_AA)
        speed = "" if np.isnan(run.speed_mm_per_s) else f", {run.speed_mm_per_s:.0f} mm/s"
        words = f"ride {number + 1}{speed}: {run.residual_mm:.2f} mm"
        _write(page, words, (LEFT_PX + 4 + 280 * number, 14), colour)
    return page


def _y(off_mm: float, span_mm: float) -> int:
    height = SIZE_PX[1]
    return round(height / 2 + 8 - off_mm / span_mm * (height / 2 - 28))


def _write(page: Image, words: str, at: tuple[int, int], colour: tuple[int, int, int]) -> None:
    cv2.putText(page, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)
