"""Where a tote stands, by its outline against the belt: to a few millimetres."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.messages import Image
from edge.core.plane import Plane
from edge.core.tote_shape import Pose, ToteSize, corners_mm
from edge.inspection.belt import LONGER_PX, BeltColour, small

Floats = npt.NDArray[np.float64]
Box = npt.NDArray[np.float64]
"""5: x, y, turn, length, width."""

OUTLINE_POINTS = 160
JOIN_PX, THIN_PX = 5, 9  # on the small copy: gaps that are closed, and what is too thin for a tote
SMALLEST = 0.01  # share of the small copy that a tote takes at least
GENEROUS_MM = 11.0  # the outline against the belt lies so far outside: blur, and the small copy's own pixels
FIT_ROUNDS, DONE_MM = 12, 0.05
STEPS = np.array((1.0, 1.0, 0.005, 1.0, 1.0))  # of a box, for slopes
ROBUST_PX = 2.0  # beyond this an outline's point counts less


def outline(image: Image, belt: BeltColour) -> Floats | None:
    """N × 2 px: points on the convex outline of what is no belt; None: nothing so large."""
    mask = cv2.morphologyEx(belt.unlike(small(image)), cv2.MORPH_CLOSE, _square(JOIN_PX))
    found, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(mask, found, -1, 1, cv2.FILLED)
    found, _ = cv2.findContours(
        cv2.morphologyEx(mask, cv2.MORPH_OPEN, _square(THIN_PX)), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    if not found:
        return None
    hull = cv2.convexHull(max(found, key=cv2.contourArea)).reshape(-1, 2).astype(float)
    if cv2.contourArea(hull.astype(np.float32)) < SMALLEST * mask.size:
        return None
    return np.asarray((evenly(hull, OUTLINE_POINTS) + 0.5) * (max(image.shape) / LONGER_PX) - 0.5)


def boxed(points_px: Floats, height_mm: float, plane: Plane) -> Box:
    """The upright box of that height whose outline meets the points best, as large as the tote."""
    box = _start(points_px, height_mm, plane)
    box = _fitted(box, points_px, lambda one: _hull(one, height_mm, plane), free=5)
    return np.asarray(box - (0, 0, 0, 2 * GENEROUS_MM, 2 * GENEROUS_MM))


def placed(points_px: Floats, start: Box, size: ToteSize, plane: Plane) -> Pose:
    """Where a tote of known size stands by its outline; start: of any size."""
    generous = (size.length_mm + 2 * GENEROUS_MM, size.width_mm + 2 * GENEROUS_MM)
    box = np.array((*start[:3], *generous))
    return pose_of(_fitted(box, points_px, lambda one: _hull(one, size.height_mm, plane), free=3))


def pose_of(box: Box) -> Pose:
    """Without its size; turned by less than a quarter."""
    turn = (float(box[2]) + np.pi / 2) % np.pi - np.pi / 2
    return Pose(float(box[0]), float(box[1]), float(turn))


def _start(points_px: Floats, height_mm: float, plane: Plane) -> Box:
    """The tightest rectangle around the outline, as if it lay at half the height."""
    flat = plane.at_mm(points_px, height_mm / 2).astype(np.float32)
    (x, y), (length, width), degrees = cv2.minAreaRect(flat)
    turn = np.radians(degrees)
    if width > length:
        length, width, turn = width, length, turn + np.pi / 2
    return np.array((x, y, (turn + np.pi / 2) % np.pi - np.pi / 2, length, width))


def _fitted(box: Box, points_px: Floats, hull: Callable[[Box], Floats], free: int) -> Box:
    """Gauss and Newton: the box's first numbers changed until its outline meets the points."""
    miss = _outside_px(points_px, hull(box))
    for _ in range(FIT_ROUNDS):
        moved = [box + np.eye(5)[number] * STEPS for number in range(free)]
        slopes = np.stack([_outside_px(points_px, hull(one)) - miss for one in moved], axis=1) / STEPS[:free]
        sure = 1 / np.maximum(1, np.abs(miss) / ROBUST_PX)
        step = -np.linalg.solve((slopes.T * sure) @ slopes + 1e-6 * np.eye(free), (slopes.T * sure) @ miss)
        box = box + np.pad(step, (0, 5 - free))
        miss = _outside_px(points_px, hull(box))
        if np.abs(step[:2]).max() < DONE_MM:
            break
    return box


def _hull(box: Box, height_mm: float, plane: Plane) -> Floats:
    """The outline of a box as the camera sees it, px."""
    places = np.vstack([corners_mm(box[3], box[4], z) for z in (0.0, height_mm)])
    seen = plane.seen_px(pose_of(box).on_belt_mm(places))
    return np.asarray(cv2.convexHull(seen.astype(np.float32)).reshape(-1, 2), np.float64)


def _outside_px(points_px: Floats, hull: Floats) -> Floats:
    """How far points lie outside a convex outline; inside it is less than 0."""
    edges = np.roll(hull, -1, axis=0) - hull
    normals = np.stack((edges[:, 1], -edges[:, 0]), axis=1) / np.linalg.norm(edges, axis=1, keepdims=True)
    turned = np.sign(np.sum(hull[:, 0] * np.roll(hull[:, 1], -1) - np.roll(hull[:, 0], -1) * hull[:, 1]))
    return np.asarray(((points_px @ normals.T - (hull * normals).sum(axis=1)) * turned).max(axis=1))


def evenly(hull: Floats, number: int) -> Floats:
    """So many points along an outline, equally far from each other."""
    closed = np.vstack((hull, hull[:1]))
    way = np.concatenate(((0,), np.linalg.norm(np.diff(closed, axis=0), axis=1).cumsum()))
    at = np.linspace(0, way[-1], number, endpoint=False)
    return np.stack([np.interp(at, way, closed[:, axis]) for axis in (0, 1)], axis=1)


def box_of(pose: Pose, size: ToteSize) -> Box:
    """A pose and a size as five numbers."""
    return np.array((pose.x_mm, pose.y_mm, pose.turn, size.length_mm, size.width_mm))


def _square(side_px: int) -> Image:
    return np.ones((side_px, side_px), np.uint8)
