"""Overkill asked for beside overkill measured, with its interval; both on a scale by powers of ten."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from calibration.overkill import Cost
from edge.core.messages import Image

SIZE_PX = (560, 420)
LEFT_PX, RIGHT_PX, TOP_PX, BOTTOM_PX = 70, 20, 30, 50
LEAST, MOST = 0.0003, 0.2  # of the scale
TICKS = (0.001, 0.01, 0.1)
INK, GRID, DOT, CHOSEN, PAPER = (60, 60, 60), (215, 215, 215), (200, 90, 0), (40, 140, 40), 255


def drawn(costs: Sequence[Cost], chosen: float) -> Image:
    """The line is what was promised: dots belong on it or below."""
    page = np.full((SIZE_PX[1], SIZE_PX[0], 3), PAPER, np.uint8)
    for tick in TICKS:
        x, y = _at(tick, tick)
        cv2.line(page, (x, TOP_PX), (x, SIZE_PX[1] - BOTTOM_PX), GRID, 1)
        cv2.line(page, (LEFT_PX, y), (SIZE_PX[0] - RIGHT_PX, y), GRID, 1)
        _write(page, f"{tick:.1%}", (x - 16, SIZE_PX[1] - BOTTOM_PX + 18))
        _write(page, f"{tick:.1%}", (16, y + 4))
    cv2.line(page, _at(LEAST, LEAST), _at(MOST, MOST), INK, 1, cv2.LINE_AA)
    for cost in costs:
        if cost.judged:
            colour = CHOSEN if cost.asked == chosen else DOT
            cv2.line(page, _at(cost.asked, cost.low), _at(cost.asked, cost.high), colour, 2)
            cv2.circle(page, _at(cost.asked, cost.measured), 5, colour, cv2.FILLED, cv2.LINE_AA)
    _write(page, "overkill asked for", (SIZE_PX[0] // 2 - 60, SIZE_PX[1] - 10))
    _write(page, "measured on normals that had no part in it, 95 % interval; green: chosen", (8, 18))
    return page


def _at(asked: float, measured: float) -> tuple[int, int]:
    across, up = (
        (np.log(min(MOST, max(LEAST, one))) - np.log(LEAST)) / (np.log(MOST) - np.log(LEAST))
        for one in (asked, measured)
    )
    width, height = SIZE_PX[0] - LEFT_PX - RIGHT_PX, SIZE_PX[1] - TOP_PX - BOTTOM_PX
    return round(LEFT_PX + across * width), round(SIZE_PX[1] - BOTTOM_PX - up * height)


def _write(page: Image, words: str, at: tuple[int, int]) -> None:
    cv2.putText(page, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, INK, 1, cv2.LINE_AA)
