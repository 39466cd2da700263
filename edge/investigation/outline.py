"""Where the item is in a crop that was kept without its outline: found again, by the rim that `locate` leaves."""

from __future__ import annotations

import cv2
import numpy as np

from edge.core.messages import Image
from edge.inspection.belt import LONGER_PX
from edge.inspection.crop import Crop, seen_again
from edge.inspection.locate import MARGIN

ROUNDS = 3  # of GrabCut (Rother, Kolmogorov, Blake 2004): more change nothing on photographs of cartons
LEAST_PX = 16  # of a picture's shorter side: smaller ones are taken whole


def outlined(image: Image) -> Crop:
    """A crop (BGR) with the item in it told from the rim: colours of the rim are belt, the rest is asked of GrabCut.

    `locate` leaves a rim of MARGIN of the longer side. The scores of what was located move by 0.02 of the largest
    normal (median, drawn and photographed cartons), by 0.28 where the whole crop is taken for the item.
    """
    height_px, width_px = image.shape[:2]
    scale = min(1.0, LONGER_PX / max(height_px, width_px))
    copy = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(_item(np.asarray(copy, np.uint8)), (width_px, height_px), interpolation=cv2.INTER_NEAREST)
    return seen_again(np.dstack((image, np.asarray(mask, np.uint8))))


def _item(copy: Image) -> Image:
    """Height × width: 255 inside the convex outline of the largest thing that is no belt; all, if there is none."""
    height_px, width_px = copy.shape[:2]
    rim_px = max(1, round(MARGIN / (1 + 2 * MARGIN) * max(height_px, width_px)))
    if min(height_px, width_px) - 2 * rim_px < LEAST_PX:
        return np.full((height_px, width_px), 255, np.uint8)
    inner = (rim_px, rim_px, width_px - 2 * rim_px, height_px - 2 * rim_px)
    found, belt, item = np.zeros((height_px, width_px), np.uint8), np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(copy, found, inner, belt, item, ROUNDS, cv2.GC_INIT_WITH_RECT)
    outlines, _ = cv2.findContours(found & 1, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)  # sure and likely item: odd
    if not outlines:
        return np.full((height_px, width_px), 255, np.uint8)
    hull = cv2.convexHull(max(outlines, key=cv2.contourArea))
    return np.asarray(cv2.fillPoly(np.zeros_like(found), [hull], 255), np.uint8)
