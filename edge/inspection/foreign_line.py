"""Of a line that begins in letters which the recogniser lacks, the date: what it makes of the letters says nothing."""

from __future__ import annotations

import re
from dataclasses import replace

from edge.core.labels import segments
from edge.core.messages import Image
from edge.inspection.recogniser import Line, LineReader

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
    part = slice(*found.span())
    begins = tuple(one - begin for one in line.begins[part])
    confidences, steps = line.confidences[part], line.steps[begin:end]
    return replace(line, text=found.group(), confidences=confidences, begins=begins, steps=steps)


def _keyworded(line: Line) -> bool:
    return any(segment.field for segment in segments(line.text))


def _between(line: Line, index: int) -> int:
    """The step halfway between a character and the one before it."""
    if index == 0:
        return 0
    if index == len(line.begins):
        return len(line.steps)
    return (line.begins[index - 1] + line.begins[index] + 1) // 2
