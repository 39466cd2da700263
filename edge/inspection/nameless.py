"""The value of a keyword that was not read.

A short keyword in small print is easily misread. Where a site gives the format of the value, a line that is such a
value and nothing else says what it is: if it is the only one on the item, if something that no one could read stands
where its keyword should be, and if it stands in one column with values whose keywords were read. A GTIN is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from edge.core.gs1 import normalised
from edge.inspection.detector import TextBox
from edge.inspection.neighbours import same_row
from edge.inspection.rows import KEYWORD_LENGTH, Row

LENGTH_MIN = 10  # of the value: a shorter format may be that of anything
COLUMN_OFFSET = 1.0  # of a line's height: the beginnings of a column's lines are no farther apart along the lines
COLUMN_GAP = 5.0  # of a line's height: nor are the lines themselves


def nameless(rows: Sequence[Row], wanted: re.Pattern[str]) -> Row | None:
    """The one row without a keyword that must be a value of this format; None: there is none, or are several."""
    values = [row for row in rows if row.field is None and _is_value(row, wanted)]
    return values[0] if len(values) == 1 and _in_place(values[0], rows) else None


def _is_value(row: Row, wanted: re.Pattern[str]) -> bool:
    """Whether the whole line is a value of the format as it was read."""
    text = "".join(row.source.line.text.split())
    return len(text) >= LENGTH_MIN and wanted.fullmatch(text) is not None and normalised(text) is None


def _in_place(value: Row, rows: Sequence[Row]) -> bool:
    """Whether a misread keyword stands before it, and others of its column have theirs."""
    labels = (row.source.box for row in rows if row.field is None and len(row.value) <= KEYWORD_LENGTH)
    named = (row.source.box for row in rows if row.field is not None and row.label)
    box = value.source.box
    return any(same_row(one, box) for one in labels) and any(_in_column(one, box) for one in named)


def _in_column(one: TextBox, other: TextBox) -> bool:
    """Whether two lines begin one below the other."""
    axis = one if one.length_px > other.length_px else other
    (left, other_left), along = (box.corners()[[0, 3]].mean(axis=0) for box in (one, other)), np.array(axis.along)
    apart = other_left - left
    across = abs(float(apart @ along))
    down = abs(float(apart @ (-along[1], along[0])))
    return across <= COLUMN_OFFSET * axis.height_px and down <= COLUMN_GAP * axis.height_px
