"""Where a tote is seen: cut out of a frame, with its rim's outline, and the rectangle that fits it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.messages import Image
from edge.core.plane import Plane
from edge.core.tote_shape import Pose, ToteSize
from edge.inspection.crop import halved
from edge.inspection.tote_look import Cells, lab_of
from edge.inspection.tote_networks import ToteNetworks

Floats = npt.NDArray[np.float64]
Box = npt.NDArray[np.float64]
"""5: x, y, turn, length, width."""

MARGIN_PX = 12  # beside the rim: what sticks out is seen there too
SMALLEST = 0.01  # share of the frame that a tote takes at least
SURE = 0.5
FINER = 4  # an outline is drawn on so many times the pixels that the network saw
EDGE_PX = 1.0  # an outline so near to a frame's edge goes on beyond it
POINTS, ROUNDS, ROBUST_MM = 200, 6, 2.0
STEPS = np.array((1.0, 1.0, 0.005, 1.0, 1.0))  # of a box, for slopes


@dataclass(frozen=True, slots=True)
class Sight:
    """A part of a frame that shows a tote; all in that part's own pixels."""

    rows: slice
    columns: slice
    part: Image
    lab: Cells
    plane: Plane
    outline_px: Floats  # N × 2: along the rim's outer edge
    outer: Cells  # in half the part's size: how surely within the rim's outer edge
    inner: Cells
    whole: bool  # all of it is in the frame

    def box(self, height_mm: float) -> Box:
        """The rim as a rectangle so high above the belt."""
        return rectangle(self.plane.at_mm(self.outline_px, height_mm))

    def inner_box(self, height_mm: float) -> Box | None:
        """The same of the rim's inner edge; None: it is not seen."""
        outline = _outline(self.inner)
        return None if outline is None else rectangle(self.plane.at_mm(outline, height_mm))

    @property
    def rim_lab(self) -> Floats:
        """L + 16, a, b of the rim, whatever lies inside."""
        rim = ((self.outer > SURE) & (self.inner < SURE)).astype(np.uint8)
        whole = cv2.resize(rim, self.part.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0
        return np.asarray(np.median(self.lab[whole] if whole.any() else self.lab.reshape(-1, 3), axis=0))


def sighted(image: Image, plane: Plane, networks: ToteNetworks) -> Sight | None:
    """The largest tote in a frame, BGR; None: nothing so large."""
    outer, inner = networks.rim(halved(image))
    outline = _outline(outer)
    if outline is None:
        return None
    low, high = outline.min(axis=0) - MARGIN_PX, outline.max(axis=0) + MARGIN_PX
    rows, columns = _even(low[1], high[1], image.shape[0]), _even(low[0], high[0], image.shape[1])
    corner, part = (columns.start, rows.start), image[rows, columns]
    there = halves(rows, columns)
    whole = bool(outline.min() > EDGE_PX and (outline < np.array(image.shape[1::-1]) - 1 - EDGE_PX).all())
    seen = (part, lab_of(part), plane.part(*corner), outline - corner, outer[there], inner[there])
    return Sight(rows, columns, *seen, whole)


def halves(rows: slice, columns: slice) -> tuple[slice, slice]:
    """The same part of a picture in half its size."""
    return slice(rows.start // 2, rows.stop // 2), slice(columns.start // 2, columns.stop // 2)


def rectangle(points_mm: Floats) -> Box:
    """Through points along its outline, by Gauss and Newton; the longer side first."""
    (x, y), (length, width), degrees = cv2.minAreaRect(points_mm.astype(np.float32))
    if width > length:
        length, width, degrees = width, length, degrees + 90
    box = np.array((x, y, np.radians(degrees), length, width))
    for _ in range(ROUNDS):
        miss = _outside_mm(points_mm, box)
        slopes = np.stack([_outside_mm(points_mm, box + step) - miss for step in np.diag(STEPS)], axis=1) / STEPS
        sure = 1 / np.maximum(1, np.abs(miss) / ROBUST_MM)
        box = box - np.linalg.solve((slopes.T * sure) @ slopes + 1e-6 * np.eye(5), (slopes.T * sure) @ miss)
    return box


def pose_of(box: Box) -> Pose:
    """Without its size; turned by less than a quarter."""
    turn = (float(box[2]) + np.pi / 2) % np.pi - np.pi / 2
    return Pose(float(box[0]), float(box[1]), float(turn))


def box_of(pose: Pose, size: ToteSize) -> Box:
    """A pose and a size as five numbers."""
    return np.array((pose.x_mm, pose.y_mm, pose.turn, size.length_mm, size.width_mm))


def _outside_mm(points_mm: Floats, box: Box) -> Floats:
    """How far points lie outside a rectangle; inside it is less than 0."""
    beside = np.abs((points_mm - box[:2]) @ pose_of(box).axes.T) - box[3:] / 2
    return np.asarray(beside.max(axis=1))


def _outline(sure: Cells) -> Floats | None:
    """N × 2 px of the frame: the outline of the largest thing; None: nothing is so large."""
    fine = cv2.resize(sure, None, fx=FINER, fy=FINER, interpolation=cv2.INTER_LINEAR)
    found, _ = cv2.findContours((fine > SURE).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(found, key=cv2.contourArea, default=None)
    if largest is None or cv2.contourArea(largest) < SMALLEST * fine.size:
        return None
    some = largest.reshape(-1, 2)[:: max(1, len(largest) // POINTS)]
    return np.asarray((some + 0.5) * (2 / FINER) - 0.5)


def _even(low: float, high: float, most: int) -> slice:
    first = max(0, int(low)) // 2 * 2
    return slice(first, min(most // 2, int(high) // 2 + 1) * 2)
