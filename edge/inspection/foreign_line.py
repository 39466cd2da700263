"""Of a line that begins in letters which the recogniser lacks, the date: what it makes of the letters says nothing."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from edge.core.labels import segments
from edge.core.messages import Image
from edge.inspection.recogniser import BLANK, Line, LineReader

DIGITS_MIN = 5  # fewer are no date in numbers

_NUMBERS = re.compile(
    r"\d{1,2}[./-]\d{4}(?!\d)|\d{2} \d{2} \d{2,4}|\d{6,8}"
    r"|\d{1,4}\s?[./·\-年년]\s?\d{1,2}(?:\s?[./·\-月월]\s?\d{1,4})?(?!\d)"  # 24.12.2027, 2027年12月24日
)


class DatePartReader(LineReader):
    """Reads lines of a layout that names no keyword: of those without one, the numbers alone."""

    def read(self, picture: Image) -> Line:
        """As `LineReader`."""
        return date_part(super().read(picture))

    def read_sharp(self, picture: Image) -> Line:
        """As `LineReader`."""
        return date_part(super().read_sharp(picture))


def date_part(line: Line) -> Line:
    """The longest row of numbers on a line without a keyword, with its own steps; other lines as they are."""
    found = max(_NUMBERS.finditer(line.text), key=lambda one: len(one.group()), default=None)
    if found is None or sum(map(str.isdigit, found.group())) < DIGITS_MIN or _keyworded(line):
        return line
    begin, end = _between(line, found.start()), _between(line, found.end())
    confidences = line.confidences[found.start() : found.end()]
    return replace(line, text=found.group(), confidences=confidences, steps=line.steps[begin:end])


def _keyworded(line: Line) -> bool:
    return any(segment.field for segment in segments(line.text))


def _between(line: Line, index: int) -> int:
    """The step halfway between a character and the one before it."""
    classes = line.steps.argmax(axis=1)
    begins = np.flatnonzero((classes != BLANK) & (classes != np.concatenate(([BLANK], classes[:-1]))))
    places = [0, *begins.tolist(), len(line.steps)]
    return (
        0 if index == 0 else len(line.steps) if index == len(begins) else (places[index] + places[index + 1] + 1) // 2
    )
