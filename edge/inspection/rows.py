"""Rows of print: lines are read one by one, and a keyword is joined with the value to its right."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import cv2
import numpy as np

from edge.core.labels import CODES, KEYLESS, LONE_LOT, Field, Segment, segments
from edge.core.messages import Image, Point
from edge.inspection.cascade import LEGIBLE_FROM
from edge.inspection.crop import Crop
from edge.inspection.cuts import cut_out, half_turned, lengthened, quarter_turned, touches_edge, widened
from edge.inspection.detector import Corners, Finder, TextBox
from edge.inspection.recogniser import Line, LineReader

READS_MAX = 14  # lines read per direction: bounds the time on a label full of print
READS_BLIND = 8  # so many lines without one keyword: the print stands on its head, or has none
LEGIBLE_LENGTH = 5  # letters and digits: shorter lines may be legible on their head
LEGIBLE_LINES = (
    2  # so many legible ones are no accident: of upright packages all have more, of none on its head has any
)
WORTH_SHARE = 0.3  # of all that was wanted: print on its head may hold a keyword by accident, not several values
SURE = 0.9  # below this a line is looked at twice
KEYWORD_LENGTH = 10  # characters: a short line that is no value may be a misread keyword
ROW_OFFSET = 0.5  # of a line's height: further off its axis is another row
OFFSET_PER_GAP = 0.1  # a neighbour's distance may be estimated ten times worse along the row than off it
LINE_GAP = 3.0  # of a line's height: the next line of a paragraph is no farther below
FLUSH = 1.5  # of a line's height: lines of a column begin no farther apart, seen aslant
PER_DOUBT = 2.0  # of a line's height that a box seems off its row for all the detector's doubt: bits of faint print
ROW_GAP = 10.0  # of a line's height: keyword and value stand in columns, far apart


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
        """The rows of print on an item, until each wanted field is among them.

        frame: the picture that the crop was cut from; lines are cut from it anew, at its full resolution.
        """
        rows = self._read_upright(crop, frame, wanted)
        if any(row.field in wanted and row.source.cut_by_crop and not row.source.cut_by_frame for row in rows):
            rows = self._read_upright(widened(crop), frame, wanted)
        return tuple(self._looked_again(row, frame) if _doubtful(row, wanted) else row for row in rows)

    def _read_upright(self, crop: Crop, frame: Image, wanted: frozenset[Field]) -> tuple[Row, ...]:
        """Print on its head reads as nonsense with hardly a keyword: then the crop is turned around."""
        level, boxes = self._levelled(crop)
        rows = self._read_boxes(boxes, level, frame, wanted)
        if _worth(rows, wanted) >= WORTH_SHARE * len(wanted - KEYLESS) or _right_way_round(rows):
            return rows
        turned = half_turned(level)
        upside_down = self._read_boxes(self._detector.find_turned(turned.image, boxes), turned, frame, wanted)
        return max(rows, upside_down, key=lambda found: _worth(found, wanted))

    def _levelled(self, crop: Crop) -> tuple[Crop, list[TextBox]]:
        """Print that stands on end, or on its head as far as its boxes show, is turned before it is read."""
        boxes = self._detector.find(crop.image)
        turns = quarter_turns(reading_direction(boxes))
        for _ in range(turns):
            crop = quarter_turned(crop)
        if turns % 2:
            return crop, self._detector.find(crop.image)
        return crop, self._detector.find_turned(crop.image, boxes) if turns else boxes

    def _read_boxes(
        self, boxes: Sequence[TextBox], crop: Crop, frame: Image, wanted: frozenset[Field]
    ) -> tuple[Row, ...]:
        """Line by line, until all is found or nothing is to be expected."""
        along = heading(boxes)
        lines: list[ReadLine] = []
        rows: tuple[Row, ...] = ()
        pending = in_reading_order([box.towards(along) for box in boxes])[:READS_MAX]
        while pending:
            box = next((one for one in pending if not _told_unwanted(one, lines, wanted)), pending[0])
            pending.remove(box)
            lines.append(self._line(box, crop, frame))
            rows = joined(lines)
            if _found(rows, wanted) == len(wanted) or (len(lines) >= READS_BLIND and _keywords(lines) == 0):
                break
        return rows

    def _looked_again(self, row: Row, frame: Image) -> Row:
        """The row as a longer and unsmoothed picture of its line says, where that is surer of it; else both."""
        corners = lengthened(row.source.corners)
        second = self._second.read_sharp(cut_out(frame, corners, self._second.height_px))
        again = reread(row, second)
        if again is None:
            return replace(row, second_look=second.text)
        surer, other = (again, row) if again.probability >= row.probability else (row, again)
        agreed = surer.value == other.value or (surer is again and surer.probability >= SURE)
        return surer if agreed else replace(surer, second_look=other.value)

    def _read_line(self, picture: Image, corners: Corners, frame: Image) -> Line:
        """The line; where it may be a keyword that was misread, a second look that knows one is preferred."""
        line = self._reader.read(picture)
        if not _may_be_keyword(line) or line.weakest >= SURE or _has_keyword(line):
            return line
        second = self._reader.read_sharp(cut_out(frame, lengthened(corners), self._reader.height_px))
        return second if _has_keyword(second) else line

    def _line(self, box: TextBox, crop: Crop, frame: Image) -> ReadLine:
        corners = cv2.perspectiveTransform(box.corners()[None], crop.to_frame)[0].astype(np.float32)
        picture = cut_out(frame, corners, self._reader.height_px)
        line = self._read_line(picture, corners, frame)
        cut_by_crop, cut_by_frame = touches_edge(box.corners(), crop.image), touches_edge(corners, frame)
        return ReadLine(box, corners, picture, line, segments(line.text), cut_by_crop, cut_by_frame)


def _may_be_keyword(line: Line) -> bool:
    return len(line.text) <= KEYWORD_LENGTH and 2 * sum(map(str.isdigit, line.text)) <= len(line.text)


def _has_keyword(line: Line) -> bool:
    return any(segment.field is not None for segment in segments(line.text))


def reread(row: Row, line: Line) -> Row | None:
    """The same row as another look at its line says; None: that shows no such row, or several."""
    source = replace(row.source, line=line, segments=segments(line.text))
    found = [one for one in _rows(source, row.label) if one.field is row.field]
    return next((one for one in found if one.value == row.value), found[0] if len(found) == 1 else None)


def _doubtful(row: Row, wanted: frozenset[Field]) -> bool:
    return row.field in wanted - CODES and row.probability < SURE


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


def _told_unwanted(box: TextBox, lines: Iterable[ReadLine], wanted: frozenset[Field]) -> bool:
    """Whether a keyword that is not asked for stands before it."""
    labels = (line for line in lines if line.keyword_alone and line.segments[-1].field not in wanted)
    return any(_same_row(label.box, box) for label in labels)


def _distance(box: TextBox, other: TextBox) -> float:
    """In heights of a line, off the axis more than along it; infinite where the two are no row."""
    left, right = (box, other) if _gap(box, other) > _gap(other, box) else (other, box)
    return _offset(left, right) + OFFSET_PER_GAP * max(_gap(left, right), 0.0) if _same_row(left, right) else math.inf


def in_one_row(label: Row, value: Row) -> bool:
    """Tell whether the value stands to the right of the label, in line with it."""
    return _same_row(label.source.box, value.source.box)


def joined(lines: Sequence[ReadLine]) -> tuple[Row, ...]:
    """Each line's own rows; a keyword alone takes for its value the line to its right that is best in line with it."""
    taken: dict[int, str] = {}
    for label in (line for line in lines if line.keyword_alone):
        values = [line for line in lines if line.may_be_value and _same_row(label.box, line.box)]
        if values:
            taken[id(min(values, key=lambda line: _offset(label.box, line.box)))] = label.line.text
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


def _right_way_round(rows: Sequence[Row]) -> bool:
    """Print on its head is read hesitantly; what is read so surely need not be turned for want of a keyword."""
    return sum(map(_legible, {id(row.source): row.source for row in rows}.values())) >= LEGIBLE_LINES


def _legible(line: ReadLine) -> bool:
    long = sum(map(str.isalnum, line.line.text)) >= LEGIBLE_LENGTH
    return long and sum(line.line.confidences) / len(line.line.confidences) >= LEGIBLE_FROM


def _keywords(lines: Iterable[ReadLine]) -> int:
    return sum(segment.field is not None for line in lines for segment in line.segments)


def _same_row(label: TextBox, value: TextBox) -> bool:
    """Tell whether the value stands to the right of the label, in line with it."""
    return _offset(label, value) <= ROW_OFFSET and -1.0 <= _gap(label, value) <= ROW_GAP


def _offset(label: TextBox, value: TextBox) -> float:
    """How far the two are off the axis of the longer of them, in heights of it."""
    axis = label if label.length_px > value.length_px else value
    apart = np.subtract(value.centre, label.centre)
    return abs(float(apart @ (-axis.along[1], axis.along[0]))) / axis.height_px


def _gap(label: TextBox, value: TextBox) -> float:
    """From the label's end to the value's beginning, in heights of the value."""
    apart = np.subtract(value.centre, label.centre)
    return (float(apart @ value.along) - (label.length_px + value.length_px) / 2) / value.height_px
