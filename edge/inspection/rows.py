"""Rows of print: lines are read one by one, and a keyword is joined with the value to its right."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from edge.core.labels import KEYLESS, LONE_LOT, Field, Segment, segments
from edge.core.messages import Image, Point
from edge.inspection.crop import Crop
from edge.inspection.cuts import cut_out, half_turned, lengthened, quarter_turned, touches_edge, widened
from edge.inspection.detector import Corners, Finder, TextBox
from edge.inspection.neighbours import gap, offset, same_row
from edge.inspection.recogniser import Line, LineReader

READS_MAX = 14  # lines read per direction: bounds the time on a label full of print
READS_BLIND = 8  # so many lines without one keyword: the print stands on its head, or has none
NAMELESS_MAX, NAMELESS_DIGITS = 2, 4  # lines with so many digits, whose keyword may have been misread
WORTH_SHARE = 0.3  # of all that was wanted: print on its head may hold a keyword by accident, not several values
CODES = frozenset({Field.LOT, Field.SERIAL})  # dates are weighed by a cascade, which knows their grammar
SURE = 0.9  # below this a line is looked at twice
KEYWORD_LENGTH = 10  # characters: a short line that is no value may be a misread keyword
OFFSET_PER_GAP = 0.1  # a neighbour's distance may be estimated ten times worse along the row than off it


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line of print as it was found, cut out and read."""

    box: TextBox  # in the crop's pixels
    corners: Corners  # in the frame's pixels, top left first
    picture: Image
    line: Line
    segments: tuple[Segment, ...]
    cut_by_crop: bool  # it touches the crop's edge, and may go on beyond it
    cut_by_frame: bool

    @property
    def keyword_alone(self) -> bool:
        """Its value is somewhere to the right."""
        last = self.segments[-1]
        return last.field is not None and not last.value

    @property
    def may_be_value(self) -> bool:
        """It says nothing of its own field, or no more than an L, which a keyword to its left would make its own."""
        first = self.segments[0]
        return first.field is None or first.keyword.lower() == LONE_LOT


@dataclass(frozen=True, slots=True)
class Row:
    """A value and the keyword that says what it is."""

    field: Field | None  # None: print without a keyword
    keyword: str
    value: str
    probability: float  # of the value's least certain character
    source: ReadLine  # the line on which the value stands
    label: str | None = None  # what stands to its left, where that holds the keyword
    second_look: str | None = None  # the same line read another way, where that gave another value

    @property
    def segment(self) -> Segment:
        """Keyword and value as the grammar of dates takes them."""
        return Segment(self.field, self.keyword, self.value)


class RowReader:
    """Reads the rows of a crop: two dozen short runs of the models at most, and as many again where a line was cut."""

    def __init__(self, detector: Finder, reader: LineReader, second: LineReader) -> None:
        """Take the models; `second` reads what `reader` is not sure of."""
        self._detector = detector
        self._reader = reader
        self._second = second

    def read(self, crop: Crop, frame: Image, wanted: frozenset[Field]) -> tuple[Row, ...]:
        """The rows of print on an item, until each wanted field is among them; codes in doubt are looked at again.

        frame: the picture that the crop was cut from; lines are cut from it anew, at its full resolution.
        """
        rows = self._read_upright(crop, frame, wanted)
        if any(row.field in wanted and row.source.cut_by_crop and not row.source.cut_by_frame for row in rows):
            rows = self._read_upright(widened(crop), frame, wanted)
        if (wanted - KEYLESS) - {row.field for row in rows}:
            rows = self._named(rows, frame)
        return tuple(self._looked_again(row, frame) if _doubtful(row, wanted & CODES) else row for row in rows)

    def _named(self, rows: Sequence[Row], frame: Image) -> tuple[Row, ...]:
        """The rows; of those with digits but without a keyword the tallest as the larger recogniser reads them."""
        nameless = [row for row in rows if row.field is None and sum(map(str.isdigit, row.value)) >= NAMELESS_DIGITS]
        again = sorted(nameless, key=lambda row: -row.source.box.height_px)[:NAMELESS_MAX]
        return tuple(
            one for row in rows for one in (self._by_second(row, frame) if any(row is one for one in again) else [row])
        )

    def _by_second(self, row: Row, frame: Image) -> list[Row]:
        """What the larger recogniser makes of the row's line, if it knows a keyword there."""
        line = self._second.read(cut_out(frame, lengthened(row.source.corners), self._second.height_px))
        found = list(_rows(replace(row.source, line=line, segments=segments(line.text)), row.label))
        return found if any(one.field for one in found) else [row]

    def _read_upright(self, crop: Crop, frame: Image, wanted: frozenset[Field]) -> tuple[Row, ...]:
        """Print on its head reads as nonsense with hardly a keyword: then the crop is turned around."""
        level, boxes = self._levelled(crop)
        rows = self._read_boxes(boxes, level, frame, wanted)
        if _worth(rows, wanted) >= WORTH_SHARE * len(wanted - KEYLESS):
            return rows
        turned = half_turned(level)
        upside_down = self._read_boxes(self._detector.find(turned.image), turned, frame, wanted)
        return max(rows, upside_down, key=lambda found: _worth(found, wanted))

    def _levelled(self, crop: Crop) -> tuple[Crop, list[TextBox]]:
        """Where most print stands on end the crop is turned first: the detector knows level print best."""
        boxes = self._detector.find(crop.image)
        if abs(heading(boxes)[0]) >= abs(heading(boxes)[1]):
            return crop, boxes
        turned = quarter_turned(crop)
        return turned, self._detector.find(turned.image)

    def _read_boxes(
        self, boxes: Sequence[TextBox], crop: Crop, frame: Image, wanted: frozenset[Field]
    ) -> tuple[Row, ...]:
        """Line by line, until all is found or nothing is to be expected."""
        along = heading(boxes)
        lines: list[ReadLine] = []
        rows: tuple[Row, ...] = ()
        for box in in_reading_order([box.towards(along) for box in boxes])[:READS_MAX]:
            lines.append(self._line(box, crop, frame))
            rows = joined(lines)
            if _found(rows, wanted) == len(wanted) or (len(lines) >= READS_BLIND and _keywords(lines) == 0):
                break
        return rows

    def _looked_again(self, row: Row, frame: Image) -> Row:
        """The row as a longer and unsmoothed picture of its line says, where that is surer of it; else both."""
        corners = lengthened(row.source.corners)
        second = self._second.read_sharp(cut_out(frame, corners, self._second.height_px))
        source = replace(row.source, line=second, segments=segments(second.text))
        found = [one for one in _rows(source, row.label) if one.field is row.field]
        again = next((one for one in found if one.value == row.value), found[0] if len(found) == 1 else None)
        if again is None:
            return replace(row, second_look=second.text)
        surer, other = (again, row) if again.probability >= row.probability else (row, again)
        agreed = surer.value == other.value or (surer is again and surer.probability >= SURE)
        return surer if agreed else replace(surer, second_look=other.value)

    def _read_line(self, picture: Image, corners: Corners, frame: Image) -> Line:
        """The line; where it may be a keyword that was misread, a second look that knows one is preferred."""
        line = self._reader.read(picture)
        if len(line.text) > KEYWORD_LENGTH or line.weakest >= SURE or _has_keyword(line):
            return line
        second = self._reader.read_sharp(cut_out(frame, lengthened(corners), self._reader.height_px))
        return second if _has_keyword(second) else line

    def _line(self, box: TextBox, crop: Crop, frame: Image) -> ReadLine:
        corners = cv2.perspectiveTransform(box.corners()[None], crop.to_frame)[0].astype(np.float32)
        picture = cut_out(frame, corners, self._reader.height_px)
        line = self._read_line(picture, corners, frame)
        cut_by_crop, cut_by_frame = touches_edge(box.corners(), crop.image), touches_edge(corners, frame)
        return ReadLine(box, corners, picture, line, segments(line.text), cut_by_crop, cut_by_frame)


def _has_keyword(line: Line) -> bool:
    return any(segment.field is not None for segment in segments(line.text))


def _doubtful(row: Row, wanted: frozenset[Field]) -> bool:
    return row.field in wanted and row.probability < SURE


def heading(boxes: Sequence[TextBox]) -> Point:
    """The direction in which most print runs, rightwards: the mean of axes, which have no sign, by doubled angles."""
    double = [(2 * math.atan2(box.along[1], box.along[0]), box.length_px) for box in boxes]
    angle = math.atan2(sum(w * math.sin(a) for a, w in double), sum(w * math.cos(a) for a, w in double)) / 2
    return math.cos(angle), math.sin(angle)


def in_reading_order(boxes: Sequence[TextBox]) -> list[TextBox]:
    """The boxes that are best in line with a near neighbour first: there stand keywords and their values."""
    return sorted(boxes, key=lambda box: min((_distance(box, other) for other in boxes), default=math.inf))


def _distance(box: TextBox, other: TextBox) -> float:
    """In heights of a line, off the axis more than along it; infinite where the two are no row."""
    left, right = (box, other) if gap(box, other) > gap(other, box) else (other, box)
    return offset(left, right) + OFFSET_PER_GAP * max(gap(left, right), 0.0) if same_row(left, right) else math.inf


def joined(lines: Sequence[ReadLine]) -> tuple[Row, ...]:
    """Each line's own rows; a keyword alone takes for its value the line to its right that is best in line with it."""
    taken: dict[int, str] = {}
    for label in (line for line in lines if line.keyword_alone):
        values = [line for line in lines if line.may_be_value and same_row(label.box, line.box)]
        if values:
            taken[id(min(values, key=lambda line: offset(label.box, line.box)))] = label.line.text
    return tuple(row for line in lines for row in _rows(line, taken.get(id(line)) or line.box.label or None))


def _rows(line: ReadLine, label: str | None) -> Iterable[Row]:
    """The segments of a line, behind its label's keyword if it has one; keywords without a value are no rows."""
    for segment in segments(f"{label} {line.line.text}") if label else line.segments:
        if segment.value:
            probability = _probability(line.line, segment.value)
            yield Row(segment.field, segment.keyword, segment.value, probability, line, label)


def _probability(line: Line, value: str) -> float:
    """Of the least certain letter or digit of the value."""
    start = max(line.text.rfind(value), 0)
    pairs = zip(line.text[start:], line.confidences[start : start + len(value)], strict=False)
    return min((confidence for character, confidence in pairs if character.isalnum()), default=0.0)


def _found(rows: Iterable[Row], wanted: frozenset[Field]) -> int:
    return len({row.field for row in rows} & wanted)


def _worth(rows: Sequence[Row], wanted: frozenset[Field]) -> float:
    """What is known of the wanted fields: the sum of their probabilities."""
    return sum(max((row.probability for row in rows if row.field is field), default=0.0) for field in wanted)


def _keywords(lines: Iterable[ReadLine]) -> int:
    return sum(segment.field is not None for line in lines for segment in line.segments)
