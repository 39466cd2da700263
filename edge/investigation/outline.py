"""Where the item is in a crop that was kept: by the outline in the journal.

Where that has none, as of an earlier release, it is found again by the rim that `locate` leaves.
"""

from __future__ import annotations

import cv2
import numpy as np

from edge.core.messages import Image, Outline
from edge.inspection.belt import LONGER_PX
from edge.inspection.crop import Crop, seen_again
from edge.inspection.locate import MARGIN

CORE = 0.2  # of the shorter side: what lies so far inside the rim is surely item
MOST_CORNERS = 256  # a convex outline on the small copy in which `locate` finds it has at most about 140
LEAST_PX = 16  # of what the rim leaves, on the small copy: of less the whole picture is taken


def by_outline(image: Image, told: object) -> Crop | None:
    """A crop (BGR) with the item told from the belt by an outline; None: it is none of this picture."""
    outline = _corners(told, image.shape[1], image.shape[0])
    if not outline:
        return None
    mask = cv2.fillPoly(np.zeros(image.shape[:2], np.uint8), [np.array(outline, np.int32)], (255,))
    return seen_again(np.dstack((image, np.asarray(mask, np.uint8))))


def _corners(told: object, width_px: int, height_px: int) -> Outline:
    """An outline as the journal tells it; empty: it is none that lies in a picture of this size."""
    corners = told if isinstance(told, list) and 3 <= len(told) <= MOST_CORNERS else []
    inside = [one for one in corners if _is_in(one, width_px, height_px)]
    return tuple((x, y) for x, y in inside) if len(inside) == len(corners) else ()


def _is_in(corner: object, width_px: int, height_px: int) -> bool:
    if not isinstance(corner, list) or len(corner) != 2:
        return False
    x, y = corner
    return type(x) is type(y) is int and 0 <= x < width_px and 0 <= y < height_px


def outlined(image: Image) -> Crop:
    """A crop (BGR) with the item in it told from the belt around: the strongest edges between rim and core (watershed).

    `locate` leaves a rim of MARGIN of the item's longer side. The anomaly scores of photographed cartons move by less
    than 0.1 of the largest normal (95 %), none way on the whole; by 0.28 where the whole crop is taken for the item.
    """
    height_px, width_px = image.shape[:2]
    scale = min(1.0, LONGER_PX / max(height_px, width_px))
    copy = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(_item(np.asarray(copy, np.uint8)), (width_px, height_px), interpolation=cv2.INTER_NEAREST)
    return seen_again(np.dstack((image, np.asarray(mask, np.uint8))))


def _item(copy: Image) -> Image:
    """Height × width: 255 inside the convex outline of the item; all of it, where there is no room for a rim."""
    height_px, width_px = copy.shape[:2]
    rim_px = max(1, round(MARGIN / (1 + 2 * MARGIN) * max(height_px, width_px)))
    core_px = rim_px + round(CORE * min(height_px, width_px))
    whole = np.full((height_px, width_px), 255, np.uint8)
    if min(height_px, width_px) - 2 * core_px < LEAST_PX:
        return whole
    markers = np.ones((height_px, width_px), np.int32)
    markers[rim_px:-rim_px, rim_px:-rim_px] = 0
    markers[core_px:-core_px, core_px:-core_px] = 2
    found = (cv2.watershed(np.ascontiguousarray(copy), markers) == 2).astype(np.uint8)
    outlines, _ = cv2.findContours(found, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    hull = cv2.convexHull(max(outlines, key=cv2.contourArea))
    return np.asarray(cv2.fillPoly(np.zeros_like(whole), [hull], 255), np.uint8)
