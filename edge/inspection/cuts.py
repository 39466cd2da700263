"""Pictures cut out of pictures: lines from frames, crops turned and widened."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from edge.core.messages import Image
from edge.inspection.crop import Crop
from edge.inspection.detector import Corners

EDGE_PX = 1.0  # a line that comes as near to a picture's edge may be cut
WIDEN = 0.25  # of the crop's sides, on each side, where a line was cut
MARGIN = 0.15  # of a line's height, at each end in the second look


def quarter_turned(crop: Crop) -> Crop:
    """The crop turned clockwise by 90°."""
    height_px = crop.mask.shape[0]
    back = np.array(((0.0, 1.0, 0.0), (-1.0, 0.0, height_px - 1.0), (0.0, 0.0, 1.0)))
    return replace(crop, mask=np.ascontiguousarray(np.rot90(crop.mask, -1)), to_frame=crop.to_frame @ back)


def half_turned(crop: Crop) -> Crop:
    """The crop turned by 180°."""
    return quarter_turned(quarter_turned(crop))


def widened(crop: Crop) -> Crop:
    """The crop with more of the frame around it: a dent or a shadow may have misled whoever cut it out."""
    height_px, width_px = crop.mask.shape
    across_px, down_px = round(WIDEN * width_px), round(WIDEN * height_px)
    shift = np.array(((1.0, 0.0, -across_px), (0.0, 1.0, -down_px), (0.0, 0.0, 1.0)))
    mask = cv2.copyMakeBorder(crop.mask, down_px, down_px, across_px, across_px, cv2.BORDER_CONSTANT, value=(0,))
    return replace(crop, mask=np.asarray(mask, np.uint8), to_frame=crop.to_frame @ shift)


def touches_edge(corners: Corners, picture: Image) -> bool:
    """Tell whether a line comes so near to the picture's edge that it may be cut."""
    height_px, width_px = picture.shape[:2]
    low, high = corners.min(axis=0), corners.max(axis=0)
    return bool((low <= EDGE_PX).any() or (high >= np.array((width_px, height_px)) - 1 - EDGE_PX).any())


def lengthened(corners: Corners) -> Corners:
    """The quadrilateral with a margin at both ends."""
    top_left, top_right, bottom_right, bottom_left = corners
    height_px = float(np.linalg.norm(bottom_left - top_left))
    margin = MARGIN * height_px * (top_right - top_left) / max(1.0, float(np.linalg.norm(top_right - top_left)))
    return np.array((top_left - margin, top_right + margin, bottom_right + margin, bottom_left - margin), np.float32)


def cut_out(frame: Image, corners: Corners, height_px: int) -> Image:
    """The quadrilateral (4 × 2, top left first) turned upright, `height_px` high, in one resampling."""
    top, right, bottom, left = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    width_px = max(1, round(height_px * (top + bottom) / max(1.0, right + left)))
    target = np.array(((0, 0), (width_px, 0), (width_px, height_px), (0, height_px)), np.float32)
    warp = cv2.getPerspectiveTransform(corners, target)
    size = (width_px, height_px)
    cut = cv2.warpPerspective(frame, warp, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.uint8)
