"""In which direction boxes of print are read, in which order, and which of them stand in one row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from edge.core.messages import Point
from edge.inspection.detector import TextBox
from edge.inspection.neighbours import ROW_OFFSET, gap, offset, same_row

OFFSET_PER_GAP = 0.1  # a neighbour's distance may be estimated ten times worse along the row than off it
LINE_GAP = 3.0  # of a line's height: the next line of a paragraph is no farther below
FLUSH = 1.5  # of a line's height: lines of a column begin no farther apart, seen aslant
PER_DOUBT = 2.0  # of a line's height that a box seems off its row for all the detector's doubt: bits of faint print


def heading(boxes: Sequence[TextBox]) -> Point:
    """The direction in which most print runs, rightwards: the mean of axes, which have no sign, by doubled angles."""
    double = [(2 * math.atan2(box.along[1], box.along[0]), box.length_px) for box in boxes]
    angle = math.atan2(sum(w * math.sin(a) for a, w in double), sum(w * math.cos(a) for a, w in double)) / 2
    return math.cos(angle), math.sin(angle)


def reading_direction(boxes: Sequence[TextBox]) -> Point:
    """The heading, or its opposite where lines one above the other end in one column rather than begin in one."""
    along = heading(boxes)
    level = [box.towards(along) for box in boxes]
    flush = sum(_flush(one, other) for one, other in combinations(level, 2))
    return along if flush >= 0 else (-along[0], -along[1])


def quarter_turns(along: Point) -> int:
    """How often a picture is to be turned clockwise for print that runs like this to run rightwards."""
    return round(-math.atan2(along[1], along[0]) / (math.pi / 2)) % 4


def _flush(one: TextBox, other: TextBox) -> int:
    """1 where two lines of a paragraph begin in one column, -1 where they end in one, 0 where they tell nothing."""
    axis = one if one.length_px > other.length_px else other
    apart = np.subtract(other.centre, one.centre) / axis.height_px
    if not ROW_OFFSET < abs(float(apart @ (-axis.along[1], axis.along[0]))) < LINE_GAP:
        return 0
    across, longer = float(apart @ axis.along), (other.length_px - one.length_px) / (2 * axis.height_px)
    begins, ends = abs(across - longer), abs(across + longer)
    return 0 if min(begins, ends) > FLUSH else (begins < ends) - (ends < begins)


def in_reading_order(boxes: Sequence[TextBox]) -> list[TextBox]:
    """The boxes that are surely print and best in line with a near neighbour first, keywords before their values."""
    along = heading(boxes)
    rightwards = sorted(boxes, key=lambda box: float(np.dot(box.centre, along)))
    return sorted(rightwards, key=lambda box: _alone(box, boxes) + PER_DOUBT * (1 - box.score))


def _alone(box: TextBox, boxes: Sequence[TextBox]) -> float:
    return min((_distance(box, other) for other in boxes), default=math.inf)


def _distance(box: TextBox, other: TextBox) -> float:
    """In heights of a line, off the axis more than along it; infinite where the two are no row."""
    left, right = (box, other) if gap(box, other) > gap(other, box) else (other, box)
    return offset(left, right) + OFFSET_PER_GAP * max(gap(left, right), 0.0) if same_row(left, right) else math.inf
