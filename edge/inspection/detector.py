"""Find the lines of print in a picture: PP-OCR's detector, and what turns its map into boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.messages import Image, Point
from edge.inspection.session import Session, Tensor

AREA_PX = 320 * 320  # of the graph's input at most, but for the last stride: about 15 ms on one thread
STRIDE_PX = 32  # the graph halves its input five times
ENLARGE_MAX = 3.0  # beyond this a small picture shows nothing new
SMALLEST_PX = 3.0  # in the graph's map: thinner marks are dirt and edges
LINES_MAX = 200  # a picture with more blobs than this shows no print but texture

RIGHTWARDS: Point = (1.0, 0.0)

Corners = npt.NDArray[np.float32]
Contour = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class TextBox:
    """A line of print: a rectangle that may lie at any angle."""

    centre: Point
    along: Point  # unit vector in which the line is read; print stands upright to its left
    length_px: float
    height_px: float
    score: float  # mean probability of text within, 0 to 1
    label: str = ""  # a keyword that is not printed: what a layout says of this place

    def corners(self) -> Corners:
        """4 × 2: top left, top right, bottom right, bottom left of the print as it is read."""
        centre, along = np.array(self.centre), np.array(self.along)
        down = np.array((-along[1], along[0]))
        half_length, half_height = along * self.length_px / 2, down * self.height_px / 2
        top, bottom = centre - half_height, centre + half_height
        return np.array(
            (top - half_length, top + half_length, bottom + half_length, bottom - half_length), dtype=np.float32
        )

    def towards(self, heading: Point) -> TextBox:
        """The same line, read in whichever of its two directions is nearer to `heading`."""
        return self if self.along[0] * heading[0] + self.along[1] * heading[1] >= 0 else self.turned

    @property
    def turned(self) -> TextBox:
        """The same line, read the other way."""
        return replace(self, along=(-self.along[0], -self.along[1]))


def whole(picture: Image) -> TextBox:
    """The box of a line that fills its picture."""
    height_px, width_px = picture.shape[:2]
    return TextBox((width_px / 2, height_px / 2), RIGHTWARDS, float(width_px), float(height_px), 0.0)


class Finder(Protocol):
    """Whoever says where print is."""

    def find(self, picture: Image) -> list[TextBox]:
        """The lines in a BGR picture, in its own pixels, from top to bottom."""
        ...

    def find_turned(self, picture: Image, before: Sequence[TextBox]) -> list[TextBox]:
        """The same in a picture that has been turned by 180° since `before` was found in it."""
        ...


class TextDetector:
    """Boxes around print. One run of a bounded size per picture, however large the picture is."""

    def __init__(self, session: Session, area_px: int = AREA_PX) -> None:
        self._session = session
        self._area_px = area_px
        extra = session.manifest.extra
        self._text_threshold = float(extra["text_threshold"])
        self._box_threshold = float(extra["box_threshold"])
        self._unclip_ratio = float(extra["unclip_ratio"])

    def find(self, picture: Image) -> list[TextBox]:
        """The lines in a BGR picture, in its own pixels, from top to bottom."""
        scale = min(math.sqrt(self._area_px / (picture.shape[0] * picture.shape[1])), ENLARGE_MAX)
        canvas = _on_canvas(picture, scale)
        probabilities = self._session.run(self._session.manifest.batch(canvas))[0][0, 0]
        found = (self._box(contour, probabilities) for contour in self._blobs(probabilities))
        boxes = [_scaled(box, 1 / scale) for box in found if box is not None]
        return sorted(boxes, key=lambda box: box.centre[1])

    def find_turned(self, picture: Image, before: Sequence[TextBox]) -> list[TextBox]:
        """Print on its head is found like any other: the same lines, turned."""
        height_px, width_px = picture.shape[:2]
        middles = ((width_px - 1 - box.centre[0], height_px - 1 - box.centre[1]) for box in reversed(before))
        return [replace(box, centre=middle) for box, middle in zip(reversed(before), middles, strict=True)]

    def _blobs(self, probabilities: Tensor) -> list[Contour]:
        binary = (probabilities > self._text_threshold).astype(np.uint8)
        contours, _ = cv2.findContours(binary, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        return [np.asarray(contour, np.int32) for contour in contours[:LINES_MAX]]

    def _box(self, contour: Contour, probabilities: Tensor) -> TextBox | None:
        """The box around a blob, grown again by what the network was taught to shrink (DBNet, arXiv:1911.08947)."""
        centre, size, angle = cv2.minAreaRect(contour)
        if min(size) < SMALLEST_PX or (score := _mean_within(contour, probabilities)) < self._box_threshold:
            return None
        margin = self._unclip_ratio * size[0] * size[1] / (2 * (size[0] + size[1]))
        if size[0] < size[1]:
            size, angle = (size[1], size[0]), angle + 90
        along = (math.cos(math.radians(angle)), math.sin(math.radians(angle)))
        return TextBox((centre[0], centre[1]), along, size[0] + 2 * margin, size[1] + 2 * margin, score)


def _on_canvas(picture: Image, scale: float) -> Image:
    """The picture scaled, at the upper left of a black canvas whose sides the graph takes."""
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=method)
    height_px, width_px = (math.ceil(side / STRIDE_PX) * STRIDE_PX for side in scaled.shape[:2])
    canvas = np.zeros((height_px, width_px, 3), np.uint8)
    canvas[: scaled.shape[0], : scaled.shape[1]] = scaled
    return canvas


def _mean_within(contour: Contour, probabilities: Tensor) -> float:
    """Mean probability inside a contour, looked up in its own bounding box."""
    x, y, width, height = cv2.boundingRect(contour)
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [contour], (1,), offset=(-x, -y))
    return float(cv2.mean(probabilities[y : y + height, x : x + width], mask)[0])


def _scaled(box: TextBox, factor: float) -> TextBox:
    centre = (box.centre[0] * factor, box.centre[1] * factor)
    return replace(box, centre=centre, length_px=box.length_px * factor, height_px=box.height_px * factor)
