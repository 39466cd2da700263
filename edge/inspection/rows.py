"""Rows of print: lines are read one by one, and a keyword is joined with the value to its right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from edge.core.labels import KEYLESS, LONE_LOT, Field, Segment, segments
from edge.core.messages import Image
from edge.inspection.cascade import LEGIBLE_FROM
from edge.inspection.crop import Crop
from edge.inspection.cuts import cut_out, half_turned, lengthened, quarter_turned, touches_edge, widened
from edge.inspection.detector import Corners, Finder, TextBox
from edge.inspection.neighbours import offset, same_row
from edge.inspection.reading_order import heading, in_reading_order, quarter_turns, reading_direction
from edge.inspection.recogniser import Line, LineReader

READS_MAX = 14  # lines read per direction: bounds the time on a label full of print
READS_BLIND = 8  # so many lines without one keyword: the print stands on its head, or has none
LEGIBLE_LENGTH = 5  # letters and digits: shorter lines may be legible on their head
LEGIBLE_LINES = 2  # so many are no accident: upright packages show three or more, on their head one at most
NAMELESS_MAX, NAMELESS_DIGITS = 2, 4  # lines with so many digits, whose keyword may have been misread
WORTH_SHARE = 0.3  # of all that was wanted: print on its head may hold a keyword by accident, not several values
SURE = 0.9  # below this a short line may be a keyword that was misread
KEYWORD_LENGTH = 10  # characters: a short line that is no value may be a misread keyword


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
        if (wanted - KEYLESS) - {row.field for row in rows}:
            rows = self._named(rows, frame)
        return rows

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


def _told_unwanted(box: TextBox, lines: Iterable[ReadLine], wanted: frozenset[Field]) -> bool:
    """Whether a keyword that is not asked for stands before it."""
    labels = (line for line in lines if line.keyword_alone and line.segments[-1].field not in wanted)
    return any(same_row(label.box, box) for label in labels)


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


def _right_way_round(rows: Sequence[Row]) -> bool:
    """Print on its head is read hesitantly; what is read so surely need not be turned for want of a keyword."""
    return sum(map(_legible, {id(row.source): row.source for row in rows}.values())) >= LEGIBLE_LINES


def _legible(line: ReadLine) -> bool:
    long = sum(map(str.isalnum, line.line.text)) >= LEGIBLE_LENGTH
    return long and sum(line.line.confidences) / len(line.line.confidences) >= LEGIBLE_FROM


def _keywords(lines: Iterable[ReadLine]) -> int:
    return sum(segment.field is not None for line in lines for segment in line.segments)
