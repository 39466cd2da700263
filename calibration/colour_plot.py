"""Colours before and after: the chart as it was delivered and as it was corrected, and ΔE00 patch by patch."""

from __future__ import annotations

import cv2
import numpy as np

from calibration import chart
from edge.core.messages import Image

WIDTH_PX = 640  # of each picture
BARS_PX = (720, 300)
LEFT_PX, BASE_PX, TOP_PX, SWATCH_PX = 50, 250, 30, 18
INK, GRID, BEFORE, AFTER, PAPER = (60, 60, 60), (215, 215, 215), (190, 190, 190), (60, 140, 40), 255
ASKED = 4.0  # ΔE00 that no patch is to be beyond
FACTOR = 1 / 2.4


def compared(image: Image, to_srgb: chart.Floats) -> Image:
    """As it was delivered, and as it was corrected."""
    size = (WIDTH_PX, round(image.shape[0] * WIDTH_PX / image.shape[1]))
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    linear = np.clip(chart.linear(small[..., ::-1] / 255) @ to_srgb.T, 0, 1)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** FACTOR - 0.055)
    both = np.hstack((small, np.asarray(np.rint(curved * 255)[..., ::-1], np.uint8)))
    for words, left in (("as delivered", 0), ("corrected", WIDTH_PX)):
        _write(both, words, (left + 8, 20), (255, 255, 255))
    return both


def bars(before: chart.Floats, after: chart.Floats) -> Image:
    """ΔE00 of the 24 patches, before (grey) and after (green); the line is what is asked for."""
    width, height = BARS_PX
    page = np.full((height, width, 3), PAPER, np.uint8)
    most = max(2 * ASKED, float(before.max()), float(after.max()))
    for level in (0.0, ASKED, most):
        y = _y(level, most)
        cv2.line(page, (LEFT_PX, y), (width - 10, y), INK if level == ASKED else GRID, 1)
        _write(page, f"{level:.1f}", (8, y + 4), INK)
    step = (width - LEFT_PX - 10) / len(before)
    for number, (one, other, colour) in enumerate(zip(before, after, chart.PATCHES.values(), strict=True)):
        left = round(LEFT_PX + number * step)
        middle, right = round(left + 0.4 * step), round(left + 0.8 * step)
        cv2.rectangle(page, (left, _y(one, most)), (middle, BASE_PX), BEFORE, cv2.FILLED)
        cv2.rectangle(page, (middle, _y(other, most)), (right, BASE_PX), AFTER, cv2.FILLED)
        cv2.rectangle(page, (left, BASE_PX + 6), (right, BASE_PX + 6 + SWATCH_PX), colour[::-1], cv2.FILLED)
    words = f"dE00 a patch; before: mean {before.mean():.1f}; after: mean {after.mean():.2f}, most {after.max():.2f}"
    _write(page, words, (LEFT_PX, 16), INK)
    return page


def _y(level: float, most: float) -> int:
    return round(BASE_PX - level / most * (BASE_PX - TOP_PX))


def _write(page: Image, words: str, at: tuple[int, int], colour: tuple[int, int, int]) -> None:
    cv2.putText(page, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, 1, cv2.LINE_AA)
