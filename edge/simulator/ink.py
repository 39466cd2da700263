"""What a printer puts on a carton: lines of text, bar patterns, irregular blots."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.messages import Image

Colour = tuple[int, int, int]
"""Blue, green, red."""

Polygon = npt.NDArray[np.int32]

FONT = cv2.FONT_HERSHEY_SIMPLEX
BOLD = cv2.FONT_HERSHEY_DUPLEX
PAPER: Colour = (238, 242, 243)
BLACK: Colour = (42, 38, 36)
ZERO_WIDTH, ZERO_GAP, ZERO_STROKE = 0.86, 0.14, 0.16  # of the height of capitals
PROBE_PX = 200
OUTLINE_POINTS = 72
FULL_TURN = 2 * np.pi


def write(canvas: Image, text: str, left: int, base: int, height_px: int, colour: Colour, font: int = FONT) -> None:
    """Print one line; `height_px` is that of its capitals, `base` where they stand."""
    scale, stroke = _scale(font, height_px), _stroke_px(height_px)
    zero_px = round(height_px * ZERO_WIDTH)
    for index, piece in enumerate(text.split("0")):
        if index:
            _zero(canvas, left, base, height_px, colour)
            left += zero_px
        cv2.putText(canvas, piece, (left, base), font, scale, colour, stroke, cv2.LINE_AA)
        left += cv2.getTextSize(piece, font, scale, stroke)[0][0] if piece else 0


def bars(canvas: Image, digits: str, left: int, top: int, width: int, height: int) -> None:
    """A white patch with bars that depend on the digits; it looks like a bar code and is none."""
    cv2.rectangle(canvas, (left, top), (left + width, top + height), PAPER, cv2.FILLED)
    widths = [1 + int(digit) % 4 for digit in digits for _ in range(2)]
    module = (width * 0.86) / sum(widths)
    place = left + width * 0.07
    for index, modules in enumerate(widths):
        if index % 2 == 0:
            bar = (round(place), top + height // 12), (round(place + modules * module) - 1, top + height * 11 // 12)
            cv2.rectangle(canvas, *bar, BLACK, cv2.FILLED)
        place += modules * module


def blot(chance: np.random.Generator, centre: tuple[float, float], radius: float, roughness: float) -> Polygon:
    """An irregular closed outline: a circle with a few random waves on its radius (N × 2, px)."""
    turn = np.linspace(0, FULL_TURN, OUTLINE_POINTS, endpoint=False)
    waves = np.zeros_like(turn)
    for order in range(2, 8):
        waves += chance.normal(0, roughness / order) * np.cos(order * turn + chance.uniform(0, FULL_TURN))
    reach = radius * np.clip(1 + waves, 0.4, 1.8)
    return np.stack([centre[0] + reach * np.cos(turn), centre[1] + reach * np.sin(turn)], axis=1).astype(np.int32)


def _stroke_px(height_px: int) -> int:
    """The stroke of a line of text: about a ninth of its height."""
    return max(1, round(height_px / 9))


def _zero(canvas: Image, left: int, base: int, height_px: int, colour: Colour) -> None:
    """A plain nought: OpenCV 5 strikes its own through, as few packing lines do."""
    stroke = round(height_px * ZERO_STROKE)
    centre = (left + round(height_px * ZERO_WIDTH / 2), base - height_px // 2)
    axes = (round(height_px * (ZERO_WIDTH - ZERO_GAP) / 2) - stroke // 2, (height_px - stroke) // 2)
    cv2.ellipse(canvas, centre, axes, 0, 0, 360, colour, stroke, cv2.LINE_AA)


@cache
def _scale(font: int, height_px: int) -> float:
    """OpenCV's scale for capitals of this height, measured: what it calls a height differs between versions 4 and 5."""
    probe = np.zeros((PROBE_PX * 2, PROBE_PX * 2), np.uint8)
    scale = cv2.getFontScaleFromHeight(font, PROBE_PX, 1)
    cv2.putText(probe, "H", (PROBE_PX // 4, PROBE_PX * 3 // 2), font, scale, 255, 1, cv2.LINE_AA)
    inked = int((probe > 127).any(axis=1).sum())
    return scale * height_px / inked
