"""Learn a product's layout of print from a handful of photographs: a proposal, which a person accepts or not.

Time does not matter here: lines are looked for at full resolution and all of them are read, each several times.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import cv2
import numpy as np

from edge.core.date_forms import Extra, Order
from edge.core.date_habits import Habit, common, habit
from edge.core.dates import Profile
from edge.core.labels import Field, Segment, segments
from edge.core.messages import Image
from edge.inspection.crop import Crop
from edge.inspection.cuts import cut_out, lengthened, quarter_turned, touches_edge
from edge.inspection.detector import Corners, Finder, TextBox
from edge.inspection.layout import Ink, PrintedLine
from edge.inspection.reading_order import heading
from edge.inspection.recogniser import Line, LineReader
from edge.inspection.rows import ReadLine, Row, joined

DATED: Final = (Field.EXPIRY, Field.PRODUCTION, Field.SELL_BY)
KINDS: Final = (*DATED, Field.LOT, Field.SERIAL)
SEEN_ON = 0.5  # of the pictures: a line that fewer of them show is no part of the product's print
SLACK = 2.0  # times the largest offset seen: the next item may lie a little farther off
LEAST_OFF = 0.5  # of a line's height
NEAR = 1.0  # of a line's height: lines without a keyword that stand as near as this on two pictures are one
LINES_MAX = 60  # read in one picture

Kinds = Mapping[int, Field]
"""Number of a line, as drawn → what it is."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One photograph, its lines read."""

    crop: Crop  # turned until most print is upright
    quarter_turns: int  # clockwise, from the crop as it was cut out
    lines: tuple[ReadLine, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """Values and the keywords that say what they are."""
        return joined(self.lines)

    def place(self, row: Row) -> Corners:
        """The corners of a row, its keyword with it, as fractions of the crop's sides."""
        height_px, width_px = self.crop.image.shape[:2]
        labels = [one.box for one in self.lines if row.label and one.keyword_alone and one.line.text == row.label]
        return np.asarray(_hull([*labels[:1], row.source.box]) / (width_px, height_px), np.float32)

    @property
    def aspect(self) -> float:
        """Width by height of the crop as it was cut out."""
        height_px, width_px = map(float, self.crop.image.shape[:2])
        return height_px / width_px if self.quarter_turns % 2 else width_px / height_px


@dataclass(frozen=True, slots=True)
class Found:
    """A line that the photographs have in common."""

    field: Field | None  # None: a date without a keyword; what it is, a person must say
    rows: Mapping[int, Row]  # number of the photograph → its row there
    shots: Sequence[Shot]

    @property
    def keyword(self) -> str:
        """As it was read most often."""
        words = [row.keyword.strip() for row in self.rows.values()]
        return max(words, key=words.count) if self.field else ""

    @property
    def segments(self) -> tuple[Segment, ...]:
        """What was read, as the grammar of dates takes it."""
        return tuple(row.segment for row in self.rows.values())


class Student:
    """Reads all print on a photograph."""

    def __init__(self, finder: Finder, tiny: LineReader, small: LineReader) -> None:
        self._finder = finder
        self._tiny = tiny
        self._small = small

    def study(self, crop: Crop, frame: Image) -> Shot:
        """The crop turned whichever way gives most keywords; on level print that is two ways."""
        level = 0 if _level(self._finder.find(crop.image)) else 1
        ways = [self._read(crop, frame, turns) for turns in (level, level + 2)]
        return max(ways, key=lambda shot: (_told(shot.rows), _certain(shot.rows)))

    def _read(self, crop: Crop, frame: Image, quarter_turns: int) -> Shot:
        for _ in range(quarter_turns):
            crop = quarter_turned(crop)
        boxes = self._finder.find(crop.image)
        along = heading(boxes)
        ranked = sorted(boxes, key=lambda box: -box.height_px)[:LINES_MAX]
        return Shot(crop, quarter_turns, tuple(self._line(box.towards(along), crop, frame) for box in ranked))

    def _line(self, box: TextBox, crop: Crop, frame: Image) -> ReadLine:
        corners = cv2.perspectiveTransform(box.corners()[None], crop.to_frame)[0].astype(np.float32)
        picture = cut_out(frame, corners, self._tiny.height_px)
        longer = cut_out(frame, lengthened(corners), self._small.height_px)
        looks = (self._tiny.read(picture), self._small.read_sharp(picture), self._small.read(longer))
        line = max(looks, key=_knowing)
        cut_by_crop, cut_by_frame = touches_edge(box.corners(), crop.image), touches_edge(corners, frame)
        return ReadLine(box, corners, picture, line, segments(line.text), cut_by_crop, cut_by_frame)


def lines_in_common(shots: Sequence[Shot], today: date, profile: Profile) -> list[Found]:
    """The lines that most photographs show: those with a keyword first, then dates without one, from top to bottom."""
    needed = SEEN_ON * len(shots)
    named = [_of_field(field, shots) for field in KINDS]
    found = [one for one in named if len(one.rows) >= needed]
    bare = [one for one in _bare_dates(shots, today, profile) if len(one.rows) >= needed]
    return found + bare


def printed_line(found: Found, form: str) -> PrintedLine:
    """Where a line stands: the middle of its places on the photographs, and how far they are off."""
    if found.field is None:
        raise ValueError("a line of no kind has no place in a layout")
    places = np.array([found.shots[number].place(row) for number, row in found.rows.items()])
    middle = np.median(places, axis=0)
    middle[[1, 2]] = _far_ends(places, middle)
    off = SLACK * np.abs(places.mean(axis=1) - middle.mean(axis=0)).max(axis=0) + LEAST_OFF * _line_height(found)
    corners = tuple((round(float(x), 4), round(float(y), 4)) for x, y in middle)
    across, down = (round(min(float(one), 1.0), 4) for one in off)
    return PrintedLine(
        field=found.field,
        keyword=found.keyword,
        form=form,
        corners=corners,
        ink=_ink(found),
        across=across,
        down=down,
    )


def _ink(found: Found) -> Ink:
    """Most of a line's picture is its ground: ink draws the mean to its side of the median."""
    pictures = [row.source.picture for row in found.rows.values()]
    apart = [float(picture.mean()) - float(np.median(picture)) for picture in pictures]
    return Ink.DARK if sum(apart) <= 0 else Ink.LIGHT


def _line_height(found: Found) -> Corners:
    """Of the line, as fractions of the crop's width and of its height."""
    sizes = [
        row.source.box.height_px / np.array(found.shots[number].crop.image.shape[1::-1])
        for number, row in found.rows.items()
    ]
    return np.asarray(np.median(sizes, axis=0), np.float32)


def _far_ends(places: Corners, middle: Corners) -> Corners:
    """The right ends of the longest print among them, from where the middle one begins."""
    lengths = np.linalg.norm(places[:, 1] - places[:, 0], axis=1)
    along = places[lengths.argmax(), 1] - places[lengths.argmax(), 0]
    return np.array((middle[0] + along, middle[3] + along))


def dates_of(found: Iterable[Found], today: date, profile: Profile) -> dict[int, Habit]:
    """Number of a line → how its dates are written, where it bears any."""
    dated = {number: one for number, one in enumerate(found, 1) if one.field in (None, *DATED)}
    habits = {number: habit(one.segments, today, profile) for number, one in dated.items()}
    return {number: one for number, one in habits.items() if one}


def settled(habits: Collection[Habit]) -> Profile:
    """The orders and extra forms that explain all dates of the product."""
    orders = common(habits) or tuple(Order)
    return Profile(frozenset(orders), extras=tuple({one.extra for one in habits if one.extra}))


def _level(boxes: Sequence[TextBox]) -> bool:
    along = heading(boxes)
    return abs(along[0]) >= abs(along[1])


def _knowing(line: Line) -> tuple[bool, float]:
    """A look that knows a keyword first, then the one whose weakest character is surest."""
    return any(one.field for one in segments(line.text)), line.weakest


def _told(rows: Collection[Row]) -> int:
    return len({row.field for row in rows if row.field in KINDS})


def _certain(rows: Collection[Row]) -> float:
    return float(np.mean([row.probability for row in rows])) if rows else 0.0


def _of_field(field: Field, shots: Sequence[Shot]) -> Found:
    """On each photograph the surest row of the field."""
    rows = {}
    for number, shot in enumerate(shots):
        of_field = [row for row in shot.rows if row.field is field]
        if of_field:
            rows[number] = max(of_field, key=lambda row: row.probability)
    return Found(field, rows, shots)


def _bare_dates(shots: Sequence[Shot], today: date, profile: Profile) -> Iterator[Found]:
    """Dates without a keyword, one line for each place in which most photographs show one."""
    allowed = replace(profile, extras=(*profile.extras, Extra.YEARLESS))
    rows = [
        (number, row)
        for number, shot in enumerate(shots)
        for row in shot.rows
        if row.field is None and habit([row.segment], today, allowed)
    ]
    while rows:
        number, first = rows[0]
        group = {one: row for one, row in reversed(rows) if _same_place(first, number, row, one, shots)}
        yield Found(None, group, shots)
        rows = [(one, row) for one, row in rows if not _same_place(first, number, row, one, shots)]


def _same_place(first: Row, number: int, other: Row, other_number: int, shots: Sequence[Shot]) -> bool:
    here, there = (shots[one].place(row)[[0, 3]].mean(axis=0) for row, one in ((first, number), (other, other_number)))
    height_px, width_px = shots[number].crop.image.shape[:2]
    apart_px = math.hypot(*((here - there) * (width_px, height_px)))
    return apart_px <= NEAR * first.source.box.height_px


def _hull(boxes: Sequence[TextBox]) -> Corners:
    """The quadrilateral along the last of the boxes that holds them all."""
    along = np.array(boxes[-1].along)
    down = np.array((-along[1], along[0]))
    points = np.concatenate([box.corners() for box in boxes])
    left, right = (points @ along).min(), (points @ along).max()
    top, bottom = (points @ down).min(), (points @ down).max()
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return np.array([x * along + y * down for x, y in corners], np.float32)
