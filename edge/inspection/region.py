"""Lines of print in a region that is known to hold a date: tall, about its middle, words of one row together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from edge.core.messages import Image
from edge.inspection.detector import RIGHTWARDS, TextBox
from edge.inspection.neighbours import follows

TALL_FROM = 0.5  # of a region's tallest line: what is lower is small print beside the date
CENTRE = 0.4  # of a region's sides, from its middle: what is farther off is neighbouring print
LONGER = 1.5  # of a line's height
SMOOTHING = 0.02  # of the shorter side: joins the dots of dot matrix, which are no print to the detector


def smoothed(picture: Image, share: float = SMOOTHING) -> Image:
    """The picture with its dots run together; share: sigma, of its shorter side."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), max(0.5, share * min(picture.shape[:2]))), np.uint8)


def longer(box: TextBox) -> TextBox:
    """The line with room for another character at its ends, which a coarse look may have cut off."""
    return replace(box, length_px=box.length_px + LONGER * box.height_px)


def central(boxes: Sequence[TextBox], picture: Image) -> list[TextBox]:
    """The tall print about the middle of a region, rightwards, the tallest first."""
    sides = np.array(picture.shape[1::-1])
    rows = joined([box.towards(RIGHTWARDS) for box in boxes])
    near = [box for box in rows if (abs(np.array(box.centre) / sides - 0.5) <= CENTRE).all()]
    tallest = max((box.height_px for box in near), default=0.0)
    return sorted((box for box in near if box.height_px >= TALL_FROM * tallest), key=lambda box: -box.height_px)


def joined(words: Sequence[TextBox]) -> list[TextBox]:
    """Words that follow each other in a row, as one line."""
    lines: list[TextBox] = []
    for word in sorted(words, key=lambda box: float(np.dot(box.centre, box.along))):
        before = next((line for line in lines if follows(line, word)), None)
        if before is None:
            lines.append(word)
        else:
            lines[lines.index(before)] = _both(before, word)
    return lines


def _both(line: TextBox, word: TextBox) -> TextBox:
    """The box around both, along the axis through both."""
    corners = np.concatenate((line.corners(), word.corners()))
    along = np.array(line.along) * line.length_px + np.array(word.along) * word.length_px
    along = along / np.linalg.norm(along)
    down = np.array((-along[1], along[0]))
    across, deep = corners @ along, corners @ down
    middle = along * (across.min() + across.max()) / 2 + down * (deep.min() + deep.max()) / 2
    return TextBox(
        (float(middle[0]), float(middle[1])),
        (float(along[0]), float(along[1])),
        float(np.ptp(across)),
        float(np.ptp(deep)),
        min(line.score, word.score),
    )
