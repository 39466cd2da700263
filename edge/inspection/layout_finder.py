"""Find lines of print where a layout says that they are: no network, a millisecond or two."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.messages import Image
from edge.inspection.detector import Contour, TextBox
from edge.inspection.layout import Ink, PrintedLine, centre

LINE_PX = 24  # height of a line in the picture that is searched: letters are about 14 px high
JOIN_PX = 17  # gaps up to this along a line are closed: between letters
STEEP = 0.35  # of a right angle: what lies more askew than this is no line of the print
THINNEST, THICKEST = 0.25, 1.6  # of a line's height: a blob of ink that is none of its lines
SHORTEST = 0.4  # of a line's height
NEXT = 1.5  # of a line's height: what is left between two blobs of one line, at most; columns stand farther apart
IN_LINE = 0.4  # of a line's height: blobs of one line are no farther off its axis
GROWN = 0.3  # of a blob's height, on each side: recognisers were taught on lines with a margin
ABOVE, FAINT = 1.2, 6  # ink stands out so many times as much as what is around it, and by so many grey levels
STROKE_PX = 9  # wider than any stroke of a letter
STROKES = {Ink.DARK: cv2.MORPH_BLACKHAT, Ink.LIGHT: cv2.MORPH_TOPHAT}


@dataclass(frozen=True, slots=True)
class _Window:
    """The part of a picture in which the lines may be."""

    left: int
    top: int
    right: int
    bottom: int


class LayoutFinder:
    """Takes the detector's place for one product: `find` gives the boxes around what may be its lines."""

    def __init__(self, lines: Sequence[PrintedLine]) -> None:
        self._lines = lines
        self.bare = not all(line.keyword for line in lines)  # the place of one of them alone says what it is

    def find(self, picture: Image) -> list[TextBox]:
        """The lines in an upright picture of the item (BGR), in its own pixels, those in their places first."""
        height_px, width_px = picture.shape[:2]
        window, line_px = self._window(width_px, height_px), self._line_px(width_px, height_px)
        part = picture[window.top : window.bottom, window.left : window.right]
        if min(part.shape[:2]) < 2 or line_px < 2:
            return []
        scale = LINE_PX / line_px
        blobs = list(_inked(_ink(part, scale, self._lines[0].ink)))
        boxes = [_placed(box, 1 / scale, window) for box in _whole(blobs)]
        places = [centre(line.place(width_px, height_px)) for line in self._lines]
        known = self._known(boxes, width_px, height_px)
        return sorted(known, key=lambda box: min(math.dist(box.centre, place) for place in places))

    def find_turned(self, picture: Image, before: Sequence[TextBox]) -> list[TextBox]:
        """What was found before were no lines of an upright item: they are found anew."""
        return self.find(picture)

    def _known(self, boxes: Sequence[TextBox], width_px: float, height_px: float) -> Iterator[TextBox]:
        """Those in reach of a line; the only one in reach of a line without a keyword is that line."""
        reached = {id(line): [box for box in boxes if _reaches(line, box, width_px, height_px)] for line in self._lines}
        labels = {id(reached[id(one)][0]): one.field.value for one in self._lines if _alone(one, reached[id(one)])}
        near = {id(box) for found in reached.values() for box in found}
        yield from (replace(box, label=labels.get(id(box), "")) for box in boxes if id(box) in near)

    def _window(self, width_px: int, height_px: int) -> _Window:
        """Around all lines and as far as they may be off."""
        low, high = np.array((np.inf, np.inf)), np.array((-np.inf, -np.inf))
        for line in self._lines:
            corners = line.place(width_px, height_px)
            off = np.array((line.across * width_px, line.down * height_px)) + _height_px(corners)
            low, high = np.minimum(low, corners.min(axis=0) - off), np.maximum(high, corners.max(axis=0) + off)
        left, top = np.maximum(np.floor(low), 0).astype(int).tolist()
        right, bottom = np.minimum(np.ceil(high), (width_px, height_px)).astype(int).tolist()
        return _Window(left, top, right, bottom)

    def _line_px(self, width_px: int, height_px: int) -> float:
        return float(np.median([_height_px(line.place(width_px, height_px)) for line in self._lines]))


def _alone(line: PrintedLine, reached: Sequence[TextBox]) -> bool:
    return not line.keyword and len(reached) == 1


def _reaches(line: PrintedLine, box: TextBox, width_px: float, height_px: float) -> bool:
    """Tell whether the box's middle lies on the line, or as near as the line may be off."""
    corners = line.place(width_px, height_px)
    off = np.array((line.across * width_px, line.down * height_px))
    low, high = corners.min(axis=0) - off, corners.max(axis=0) + off
    return bool((low <= box.centre).all() and (box.centre <= high).all())


def _height_px(corners: npt.NDArray[np.float32]) -> float:
    """Of a line: its left and right sides, the mean."""
    return float(np.linalg.norm(corners[[3, 2]] - corners[[0, 1]], axis=1).mean())


def _ink(part: Image, scale: float, ink: Ink) -> Image:
    """255 where letters are, joined along their lines, in a copy on which lines are LINE_PX high."""
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    grey = cv2.cvtColor(cv2.resize(part, None, fx=scale, fy=scale, interpolation=method), cv2.COLOR_BGR2GRAY)
    contrast = cv2.morphologyEx(grey, STROKES[ink], np.ones((STROKE_PX, STROKE_PX), np.uint8)).astype(np.float32)
    ground = cv2.blur(contrast, (3 * LINE_PX, 3 * LINE_PX))
    inked = (contrast > ground * ABOVE + FAINT).astype(np.uint8) * 255
    return np.asarray(cv2.morphologyEx(inked, cv2.MORPH_CLOSE, np.ones((1, JOIN_PX), np.uint8)), np.uint8)


def _inked(ink: Image) -> Iterator[TextBox]:
    """A box for each blob that may be a line."""
    contours, _ = cv2.findContours(ink, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for contour in contours:
        box = _box(np.asarray(contour, np.int32))
        if box is not None:
            yield box


def _box(contour: Contour) -> TextBox | None:
    (x, y), (length, thickness), degrees = cv2.minAreaRect(contour)
    if length < thickness:
        length, thickness, degrees = thickness, length, degrees + 90
    degrees = (degrees + 90) % 180 - 90
    fits = THINNEST * LINE_PX <= thickness <= THICKEST * LINE_PX and length >= SHORTEST * LINE_PX
    if not fits or abs(degrees) > 90 * STEEP:
        return None
    along = (math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    margin = GROWN * thickness
    return TextBox((x, y), along, length + 2 * margin, thickness + 2 * margin, 1.0)


def _whole(blobs: Sequence[TextBox]) -> list[TextBox]:
    """Lines of which faint letters left pieces put together: half a date would be another date."""
    lines: list[TextBox] = []
    for blob in sorted(blobs, key=lambda box: box.centre[0]):
        before = next((line for line in lines if _goes_on(line, blob)), None)
        if before:
            lines.remove(before)
        lines.append(_joined(before, blob) if before else blob)
    return lines


def _goes_on(line: TextBox, blob: TextBox) -> bool:
    """Tell whether a blob is the line's next piece, by the axis of the longer of the two."""
    axis = line if line.length_px > blob.length_px else blob
    apart = np.subtract(blob.centre, line.centre)
    off_px = abs(float(apart @ (-axis.along[1], axis.along[0])))
    gap_px = float(apart @ axis.along) - (line.length_px + blob.length_px) / 2
    return off_px <= IN_LINE * LINE_PX and gap_px <= NEXT * LINE_PX


def _joined(line: TextBox, blob: TextBox) -> TextBox:
    """One box around both, along the longer of the two."""
    axis = line if line.length_px > blob.length_px else blob
    along = np.array(axis.along)
    down = np.array((-along[1], along[0]))
    points = np.concatenate((line.corners(), blob.corners()))
    low, high = (np.array((end(points @ along), end(points @ down))) for end in (np.min, np.max))
    middle = (low + high) / 2 @ np.array((along, down))
    length_px, height_px = (high - low).tolist()
    return TextBox((float(middle[0]), float(middle[1])), axis.along, length_px, height_px, 1.0)


def _placed(box: TextBox, factor: float, window: _Window) -> TextBox:
    """The box in the pixels of the whole picture."""
    centre = (box.centre[0] * factor + window.left, box.centre[1] * factor + window.top)
    return replace(box, centre=centre, length_px=box.length_px * factor, height_px=box.height_px * factor)
