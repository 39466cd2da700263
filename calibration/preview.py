"""A picture in a terminal: two pixels a character, where it has colours enough."""

from __future__ import annotations

import cv2
import numpy as np
from rich.console import Console
from rich.segment import Segment, Segments
from rich.style import Style

from edge.core.messages import Image

HALF = "▀"
WIDEST, TALLEST = 100, 60  # characters; pixels


def shown(picture: Image, console: Console) -> bool:
    """Draw it; False: this terminal cannot."""
    if not console.is_terminal or console.color_system != "truecolor":
        return False
    console.print(blocks(picture, min(WIDEST, console.width - 1)))
    return True


def blocks(picture: Image, width: int) -> Segments:
    """As half blocks: the upper pixel is the letter, the lower one what it stands on."""
    share = min(width / picture.shape[1], TALLEST / picture.shape[0])
    size = (max(1, int(picture.shape[1] * share)), max(2, int(picture.shape[0] * share) // 2 * 2))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))[..., ::-1]
    segments = []
    for upper, lower in zip(small[::2], small[1::2], strict=True):
        segments += [
            Segment(HALF, Style(color=_colour(a), bgcolor=_colour(b))) for a, b in zip(upper, lower, strict=True)
        ]
        segments.append(Segment.line())
    return Segments(segments)


def _colour(rgb: np.ndarray) -> str:
    red, green, blue = (int(one) for one in rgb)
    return f"#{red:02x}{green:02x}{blue:02x}"
