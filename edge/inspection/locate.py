"""Find the item on the belt and cut it out upright."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.messages import Image, Point, Span
from edge.inspection.belt import BeltColour, small
from edge.inspection.crop import Crop

SMALLEST, LARGEST = 0.005, 0.6  # share of the frame an item may take
RECTANGULAR = 0.8  # an outline that fills its tightest rectangle like this is turned upright by it
MARGIN = 0.06  # of the crop's longer side, kept around the item
JOIN_PX = 5  # gaps up to this between parts of an item are closed: print, an edge, on the small copy
THIN_PX = 9  # what is thinner than this is a bit of belt
OPEN_PX = 5  # threads of belt that the refined outline sheds
REFINE_PX = 5  # how far the outline may move to meet an edge, on the small copy


def locate(image: Image, belt: BeltColour, shown: Span | None = None) -> Crop:
    """The item in `image` (BGR), cut out and upright; the whole frame if nothing, or nearly everything, stands out.

    shown: the part of the frame outside of which it was filled up, and holds no item.
    """
    copy = small(image)
    scale = image.shape[1] / copy.shape[1]
    outline = _outline(_solid(_only(belt.unlike(copy), shown, scale)))
    if outline is None:
        return whole(image, shown)
    return _cut(image, (_refined(copy, outline).reshape(-1, 2) + 0.5) * scale - 0.5)


def whole(image: Image, shown: Span | None = None) -> Crop:
    """The frame itself as a crop, or what was shown of it."""
    if shown:
        image = image[shown[0] : shown[1], shown[2] : shown[3]]
    height_px, width_px = image.shape[:2]
    corners = ((0.0, 0.0), (width_px - 1.0, 0.0), (width_px - 1.0, height_px - 1.0), (0.0, height_px - 1.0))
    return Crop(image, np.full((height_px, width_px), 255, np.uint8), np.eye(3), corners, located=False)


def _only(mask: Image, shown: Span | None, scale: float) -> Image:
    """The mask without what lies beyond the part that was shown."""
    if shown is None:
        return mask
    top, bottom, left, right = (round(side / scale) for side in shown)
    kept = np.zeros_like(mask)
    kept[top:bottom, left:right] = mask[top:bottom, left:right]
    return kept


def _solid(mask: Image) -> Image:
    """The mask with its gaps closed and its holes filled, then without what is thin."""
    joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _square(JOIN_PX))
    outlines, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(joined, outlines, -1, 1, cv2.FILLED)
    return _eight_bits(cv2.morphologyEx(joined, cv2.MORPH_OPEN, _square(THIN_PX)))


def _outline(mask: Image) -> npt.NDArray[np.int32] | None:
    """Convex outline of the largest thing, or None if it is too small or too large for an item."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not outlines:
        return None
    largest = cv2.convexHull(max(outlines, key=cv2.contourArea))
    return largest.astype(np.int32) if SMALLEST < cv2.contourArea(largest) / mask.size < LARGEST else None


def _refined(copy: Image, outline: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The outline moved to the strongest edges nearby (watershed between surely item and surely belt)."""
    around = _around(outline, copy)
    filled = cv2.fillPoly(np.zeros(copy.shape[:2], np.uint8), [outline], (1,))[around]
    markers = np.zeros(filled.shape, np.int32)
    markers[cv2.dilate(filled, _square(2 * REFINE_PX + 1)) == 0] = 1
    markers[cv2.erode(filled, _square(2 * REFINE_PX + 1)) == 1] = 2
    item = np.zeros(copy.shape[:2], np.uint8)
    item[around] = cv2.watershed(np.ascontiguousarray(copy[around]), markers) == 2
    refined = _outline(_eight_bits(cv2.morphologyEx(item, cv2.MORPH_OPEN, _square(OPEN_PX))))
    return outline if refined is None else refined


def _around(outline: npt.NDArray[np.int32], copy: Image) -> tuple[slice, slice]:
    """Rows and columns of the outline, and a rim of what is surely belt."""
    left, top, width_px, height_px = cv2.boundingRect(outline)
    rim_px = REFINE_PX + 2
    rows = slice(max(0, top - rim_px), min(copy.shape[0], top + height_px + rim_px))
    return rows, slice(max(0, left - rim_px), min(copy.shape[1], left + width_px + rim_px))


def _cut(image: Image, outline: npt.NDArray[np.float64]) -> Crop:
    """The item upright with a margin, and the way back to the frame."""
    (centre, (width_px, height_px), degrees) = _frame_of(outline.astype(np.float32))
    margin_px = 2 * MARGIN * max(width_px, height_px)
    size = (round(width_px + margin_px), round(height_px + margin_px))
    to_frame = _to_frame(centre, size, degrees)
    to_crop = np.linalg.inv(to_frame)
    inside = cv2.perspectiveTransform(outline[None], to_crop)[0]
    mask = cv2.fillPoly(np.zeros(size[::-1], np.uint8), [np.rint(inside).astype(np.int32)], 255)
    return Crop(image, _eight_bits(mask), to_frame, _points(outline), located=True)


def _frame_of(outline: npt.NDArray[np.float32]) -> tuple[Point, Point, float]:
    """Centre, size and turn (degrees, −45…45) of the rectangle to cut.

    Only a thing that looks like a rectangle is turned: a carton seen aslant shows three faces, and its tightest
    rectangle follows none of them.
    """
    (x, y), (width_px, height_px), degrees = cv2.minAreaRect(outline)
    if cv2.contourArea(outline) < RECTANGULAR * width_px * height_px:
        left, top, width_px, height_px = cv2.boundingRect(outline)
        return (left + width_px / 2, top + height_px / 2), (width_px, height_px), 0.0
    quarters = round(degrees / 90)  # which side OpenCV calls the width, and so the angle, differs between its versions
    size = (height_px, width_px) if quarters % 2 else (width_px, height_px)
    return (x, y), size, degrees - 90 * quarters


def _to_frame(centre: Point, size: tuple[int, int], degrees: float) -> npt.NDArray[np.float64]:
    """3 × 3: crop px → frame px, a turn about the middle."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[cosine, -sine], [sine, cosine]])
    shift = np.array(centre) - turn @ ((np.array(size) - 1) / 2)
    return np.vstack((np.column_stack((turn, shift)), (0, 0, 1)))


def _points(outline: npt.NDArray[np.float64]) -> tuple[Point, ...]:
    return tuple((float(x), float(y)) for x, y in outline)


def _eight_bits(array: npt.NDArray[Any]) -> Image:
    return np.asarray(array, np.uint8)


def _square(side_px: int) -> Image:
    return np.ones((side_px, side_px), np.uint8)
