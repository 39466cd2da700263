"""Lines of print beside and below each other: how far they are apart, and whether one goes on where the other ends."""

from __future__ import annotations

import numpy as np

from edge.inspection.detector import TextBox

ROW_OFFSET = 0.5  # of a line's height: further off its axis is another row
ROW_GAP = 10.0  # of a line's height: keyword and value stand in columns, far apart
WORD_OFFSET, WORD_GAP = 0.3, 1.0  # of the print's height: words that are farther apart are lines of their own
AS_TALL = 0.6  # words of one line differ less in height
SAME_AXIS = 0.95  # cosine
UNDER_GAP = 1.0  # of the taller line's height: what is farther below belongs to something else


def offset(left: TextBox, right: TextBox) -> float:
    """How far the two are off the axis of the longer of them, in heights of it."""
    axis = left if left.length_px > right.length_px else right
    return abs(_below_px(left, right, axis)) / axis.height_px


def gap(left: TextBox, right: TextBox) -> float:
    """From the left one's end to the right one's beginning, in heights of the right one."""
    return (_beyond_px(left, right) - (left.length_px + right.length_px) / 2) / right.height_px


def same_row(label: TextBox, value: TextBox) -> bool:
    """Tell whether the value stands to the right of the label, in line with it."""
    return offset(label, value) <= ROW_OFFSET and -1.0 <= gap(label, value) <= ROW_GAP


def follows(line: TextBox, word: TextBox) -> bool:
    """Tell whether the word goes on with the line."""
    alike = min(line.height_px, word.height_px) >= AS_TALL * max(line.height_px, word.height_px)
    level = float(np.dot(line.along, word.along)) > SAME_AXIS
    return alike and level and offset(line, word) <= WORD_OFFSET and -1.0 <= gap(line, word) <= WORD_GAP


def under(label: TextBox, value: TextBox) -> bool:
    """Tell whether the value stands right below the label, or begins there."""
    heights_px = (label.height_px + value.height_px) / 2
    room_px = heights_px + UNDER_GAP * max(label.height_px, value.height_px)
    level = float(np.dot(label.along, value.along)) > SAME_AXIS
    overlapping = abs(_beyond_px(label, value)) < (label.length_px + value.length_px) / 2
    return level and overlapping and heights_px / 2 < _below_px(label, value, label) <= room_px


def _beyond_px(left: TextBox, right: TextBox) -> float:
    """How far the right one's middle is to the right of the left one's."""
    return float(np.subtract(right.centre, left.centre) @ np.array(right.along))


def _below_px(upper: TextBox, lower: TextBox, axis: TextBox) -> float:
    """How far the lower one's middle is below the upper one's, off an axis."""
    return float(np.subtract(lower.centre, upper.centre) @ (-axis.along[1], axis.along[0]))
