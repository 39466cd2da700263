"""A picture of what was learnt of a product's print, for the technician who is to accept it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from edge.core.labels import Field
from edge.core.messages import Image
from edge.inspection.detector import Corners
from edge.inspection.layout_lesson import Found, Shot
from edge.inspection.rows import Row

WIDTH_PX = 800  # of each photograph
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
    canvas = np.full((ROW_PX * (len(told) + 1), WIDTH_PX, 3), GROUND, np.uint8)
    for row, line in enumerate(told, 1):
        cv2.putText(canvas, _plain(line), (8, row * ROW_PX), FONT, TEXT, INK, 1, cv2.LINE_AA)
    return canvas


def _picture(number: int, shot: Shot, found: Sequence[Found]) -> Image:
    """The item upright, with a box and a word for each line; print that was no line is grey."""
    factor = WIDTH_PX / shot.crop.image.shape[1]
    canvas = np.asarray(cv2.resize(shot.crop.image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
    for line in shot.lines:
        _outline(canvas, line.box.corners() * factor, GREY, 1)
    for index, one in enumerate(found, 1):
        if number in one.rows:
            _mark(canvas, index, one, shot, one.rows[number])
    return canvas


def _mark(canvas: Image, index: int, one: Found, shot: Shot, row: Row) -> None:
    height_px, width_px = canvas.shape[:2]
    corners = (shot.place(row) * (width_px, height_px)).astype(np.float32)
    colour = COLOURS[one.field]
    _outline(canvas, corners, colour, 2)
    kind = one.field.value if one.field else "date of which kind?"
    told = f"{index} {kind}: {row.keyword} {row.value} ({row.probability:.2f})"
    left, base = int(corners[:, 0].min()), max(int(corners[:, 1].min()) - 5, 14)
    cv2.putText(canvas, _plain(told), (left, base), FONT, TEXT, GROUND, 4, cv2.LINE_AA)
    cv2.putText(canvas, _plain(told), (left, base), FONT, TEXT, colour, 1, cv2.LINE_AA)


def _outline(canvas: Image, corners: Corners, colour: tuple[int, int, int], thickness: int) -> None:
    points = np.rint(corners).astype(np.int32)
    cv2.polylines(canvas, [points], isClosed=True, color=colour, thickness=thickness, lineType=cv2.LINE_AA)


def _plain(text: str) -> str:
    """OpenCV's letters are Latin ones."""
    return text.encode("ascii", "replace").decode()
