"""Totes as they were found: the rim and the foot drawn over each frame, and what was taken for an item."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from edge.core.messages import Image
from edge.core.plane import Plane
from edge.core.tote_shape import Pose, ToteSize, corners_mm
from edge.inspection.totes import SeenTote

TILE_PX, TILES_A_ROW = (400, 225), 3
RIM, FOOT, THING, UNKNOWN = (0, 220, 0), (0, 160, 255), (40, 40, 230), (0, 0, 230)
TINT = 0.5


def drawn(frames: Sequence[Image], seen: Sequence[SeenTote], size: ToteSize, plane: Plane) -> Image:
    """A contact sheet: rim green, foot orange, things in it red; a red frame where the tote was not known."""
    tiles = [tile(frame, one, size, plane) for frame, one in zip(frames, seen, strict=True)]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % TILES_A_ROW)
    rows = [np.hstack(tiles[at : at + TILES_A_ROW]) for at in range(0, len(tiles), TILES_A_ROW)]
    return np.ascontiguousarray(np.vstack(rows))


def tile(frame: Image, seen: SeenTote, size: ToteSize, plane: Plane) -> Image:
    """One frame."""
    shown = frame.copy()
    if seen.items is not None:
        red = np.asarray(THING, float)
        shown[seen.items.mask] = (shown[seen.items.mask] * (1 - TINT) + red * TINT).astype(np.uint8)
    if seen.pose is not None:
        for height_mm, colour in ((0.0, FOOT), (size.height_mm, RIM)):
            outline = np.rint(_outline_px(seen.pose, size, height_mm, plane)).astype(np.int32)
            cv2.polylines(shown, [outline], isClosed=True, color=colour, thickness=2)
    if seen.type_name is None:
        cv2.rectangle(shown, (0, 0), (shown.shape[1] - 1, shown.shape[0] - 1), UNKNOWN, 8)
    return np.asarray(cv2.resize(shown, TILE_PX, interpolation=cv2.INTER_AREA), np.uint8)


def _outline_px(pose: Pose, size: ToteSize, height_mm: float, plane: Plane) -> np.ndarray:
    return plane.seen_px(pose.on_belt_mm(corners_mm(size.length_mm, size.width_mm, height_mm)))
