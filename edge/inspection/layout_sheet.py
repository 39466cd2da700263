"""A picture of what was learnt of a product's print, for the technician who is to accept it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import cv2
import numpy as np

from edge.core.labels import Field
from edge.core.messages import Image
from edge.inspection.detector import Corners
from edge.inspection.layout_lesson import Found, Shot
from edge.inspection.rows import Row

WIDTH_PX, SIDE_PX = 800, 420  # of each photograph, and of the words beside it
WRAP = 130  # letters of a line at the top
FONT, TEXT = cv2.FONT_HERSHEY_SIMPLEX, 0.5
INK, GROUND = (20, 20, 20), (245, 245, 245)
GREY = (150, 150, 150)
COLOURS = {
    Field.EXPIRY: (40, 40, 220),
    Field.PRODUCTION: (200, 120, 20),
    Field.SELL_BY: (20, 140, 220),
    Field.LOT: (60, 150, 40),
    Field.SERIAL: (170, 40, 150),
    None: (0, 180, 220),
}
ROW_PX = 20


def sheet(shots: Sequence[Shot], found: Sequence[Found], told: Sequence[str]) -> Image:
    """The photographs one below the other, each line numbered as in `found`, and what is proposed at the top."""
    pictures = [_picture(number, shot, found) for number, shot in enumerate(shots)]
    return np.vstack([_words(told), *pictures])


def _words(told: Sequence[str]) -> Image:
    lines = [part for line in told for part in textwrap.wrap(line, WRAP, subsequent_indent="    ")]
    canvas = np.full((ROW_PX * (len(lines) + 1), WIDTH_PX + SIDE_PX, 3), GROUND, np.uint8)
    for row, line in enumerate(lines, 1):
        _write(canvas, line, 8, row * ROW_PX, INK)
    return canvas


def _picture(number: int, shot: Shot, found: Sequence[Found]) -> Image:
    """The item upright, with a box for each line and a word on it beside; print that was no line is grey."""
    factor = WIDTH_PX / shot.crop.image.shape[1]
    picture = cv2.resize(shot.crop.image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    for line in shot.lines:
        _outline(picture, line.box.corners() * factor, GREY, 1)
    canvas = cv2.copyMakeBorder(picture, 0, 0, 0, SIDE_PX, cv2.BORDER_CONSTANT, value=GROUND)
    shown = [(index, one, one.rows[number]) for index, one in enumerate(found, 1) if number in one.rows]
    for row, (index, one, read) in enumerate(shown, 1):
        corners = (shot.place(read) * (picture.shape[1], picture.shape[0])).astype(np.float32)
        _outline(canvas, corners, COLOURS[one.field], 2)
        _write(canvas, str(index), int(corners[:, 0].max()) + 4, int(corners[:, 1].max()), COLOURS[one.field])
        _write(canvas, _told(index, one, read), WIDTH_PX + 10, row * ROW_PX + 10, COLOURS[one.field])
    return np.asarray(canvas, np.uint8)


def _told(index: int, one: Found, read: Row) -> str:
    kind = one.field.value if one.field else "date of which kind?"
    return f"{index} {kind}: {read.keyword} {read.value} ({read.probability:.2f})"


def _write(canvas: cv2.typing.MatLike, text: str, left: int, base: int, colour: tuple[int, int, int]) -> None:
    """OpenCV's letters are Latin ones."""
    plain = text.encode("ascii", "replace").decode()
    cv2.putText(canvas, plain, (left, base), FONT, TEXT, colour, 1, cv2.LINE_AA)


def _outline(canvas: cv2.typing.MatLike, corners: Corners, colour: tuple[int, int, int], thickness: int) -> None:
    points = np.rint(corners).astype(np.int32)
    cv2.polylines(canvas, [points], isClosed=True, color=colour, thickness=thickness, lineType=cv2.LINE_AA)
