"""Where a tote stands: its outline against the belt, then the edges of its rim to a fraction of a pixel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.messages import Image
from edge.core.plane import Plane
from edge.core.tote_shape import Pose, ToteSize, corners_mm
from edge.inspection.belt import WIDTH_PX, BeltColour, small

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

EDGE_POINTS = 60  # along each side of the rim
END = 0.06  # share of a side left out at each end: corners are round
WIDE_IN_PX, WIDE_OUT_PX, STEP_PX = 45, 30, 0.5
REACH_PX, LEAST_REACH_PX, FINE_ROUNDS = 7.0, 2.5, 4
FULL_STEP = 60.0  # of Lab (8 bit): a stronger edge counts no more
ALONG = 15  # points along the rim over which an edge is averaged
ROBUST_MM = 1.5
SIDES = ((0, 1), (1, 2), (2, 3), (3, 0))  # corners of the rim; they face −across, +along, +across, −along


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
    return (evenly(hull, OUTLINE_POINTS) + 0.5) * (image.shape[1] / WIDTH_PX) - 0.5


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


@dataclass(frozen=True, slots=True)
class Rim:
    """The edges of a tote's rim in one picture."""

    lab: npt.NDArray[np.float32]
    plane: Plane
    height_mm: float

    @classmethod
    def of(cls, image: Image, plane: Plane, height_mm: float) -> Rim:
        """From a frame, BGR."""
        lab = cv2.cvtColor(image, cv2.COLOR_BGR2LAB).astype(np.float32)
        return cls(np.asarray(cv2.GaussianBlur(lab, (0, 0), 0.7), np.float32), plane, height_mm)

    def measured(self, box: Box) -> Box:
        """Where the rim is and how large: first a wide search, then to a fraction of a pixel."""
        return self._fine(self._wide(self._wide(box)), free=5)

    def met(self, box: Box) -> Box:
        """The same of a tote of known size: only where it stands."""
        return self._fine(box, free=3)

    def _wide(self, box: Box) -> Box:
        """Each side moved to the strongest straight edge; where the wall's foot shows, rim and foot as a pair."""
        moved = np.array([self._moved_mm(side) for side in _sides(box, self.height_mm, self.plane)])
        cosine, sine = np.cos(box[2]), np.sin(box[2])
        along, across = (moved[1] - moved[3]) / 2, (moved[2] - moved[0]) / 2
        shift = (cosine * along - sine * across, sine * along + cosine * across)
        return np.asarray(box + (*shift, 0, moved[1] + moved[3], moved[0] + moved[2]))

    def _moved_mm(self, side: Side) -> float:
        off = np.arange(-WIDE_IN_PX, WIDE_OUT_PX + 0.01, STEP_PX)
        profile = _profiles(self.lab, side, off)
        step = np.abs(np.median(profile[:, 3:] - profile[:, :-3], axis=0)).sum(axis=1)  # marks do not add up, edges do
        best = _rim_and_foot(step, round(side.foot_px / STEP_PX))
        while best > 0 and step[best - 1] > step[best]:
            best -= 1
        return float((off[1:-2][best] + STEP_PX / 2) / np.median(side.px_per_mm))

    def _fine(self, box: Box, free: int) -> Box:
        for number in range(FINE_ROUNDS):
            reach = REACH_PX if number == 0 else max(LEAST_REACH_PX, REACH_PX / (number + 0.5))
            rows = [self._offsets(side, box, reach) for side in _sides(box, self.height_mm, self.plane)]
            slopes, miss_mm, weight = (np.concatenate(part) for part in zip(*rows, strict=True))
            box = box + _robust_step(slopes, miss_mm, weight, free)
        return box

    def _offsets(self, side: Side, box: Box, reach_px: float) -> tuple[Floats, Floats, Floats]:
        """How far, mm, each point of a side lies from the edge there; its slopes by the box; its weight."""
        off = np.arange(-reach_px, reach_px + 0.01, STEP_PX)
        profile = _profiles(self.lab, side, off)
        step = np.minimum(np.abs(profile[:, 2:] - profile[:, :-2]).sum(axis=2), FULL_STEP)
        step = np.asarray(cv2.blur(step, (1, ALONG)))
        near_px = max(1.5, 0.55 * side.foot_px) if side.foot_px > 1 else reach_px
        step[:, np.abs(off[1:-1]) > near_px] = 0
        at, height = _peaks(step)
        miss_mm = (off[1] + at * STEP_PX) / side.px_per_mm
        return _slopes(side, box), miss_mm, height


@dataclass(frozen=True, slots=True)
class Side:
    """Points along one side of a rim."""

    number: int
    places_mm: Floats  # N × 3
    seen_px: Floats  # N × 2
    outward: Floats  # N × 2, of length 1, in the picture
    px_per_mm: Floats  # N, outward
    facing: Floats  # 2, of length 1, on the belt
    foot_px: float  # how far outside the rim its wall's foot is seen


def _sides(box: Box, height_mm: float, plane: Plane) -> list[Side]:
    rim = pose_of(box).on_belt_mm(corners_mm(box[3], box[4], height_mm))
    middle = rim.mean(axis=0)
    share = np.linspace(END, 1 - END, EDGE_POINTS)[:, None]
    found = []
    for number, (first, last) in enumerate(SIDES):
        places = rim[first] * (1 - share) + rim[last] * share
        facing = (rim[first] + rim[last]) / 2 - middle
        facing = facing / np.linalg.norm(facing)
        seen, beside = plane.seen_px(places), plane.seen_px(places + facing)
        scale = np.linalg.norm(beside - seen, axis=1)
        outward = (beside - seen) / scale[:, None]
        foot = ((plane.seen_px(places * (1, 1, 0)) - seen) * outward).sum(axis=1)
        found.append(Side(number, places, seen, outward, scale, facing[:2], float(np.median(foot))))
    return found


def _profiles(lab: npt.NDArray[np.float32], side: Side, off_px: Floats) -> npt.NDArray[np.float32]:
    """Points × offsets × 3: colours across a side, from inside to outside."""
    at = (side.seen_px[:, None] + side.outward[:, None] * off_px[None, :, None]).astype(np.float32)
    seen = cv2.remap(lab, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, np.float32)


def _rim_and_foot(step: npt.NDArray[np.float32], gap: int) -> int:
    """Which step is the rim's outer edge: with the foot's a gap outside it, or else the outermost strong one."""
    if gap < 3:
        return int(np.flatnonzero(step >= 0.5 * step.max())[-1])
    capped = np.minimum(step, np.quantile(step, 0.97))
    foot = np.zeros_like(capped)
    foot[:-gap] = cv2.dilate(capped[None], np.ones((1, 3), np.uint8))[0][gap:]
    return int((capped * foot).argmax())


def _peaks(step: Floats) -> tuple[Floats, Floats]:
    """Of each row: where its highest step is, by a parabola, and how high."""
    row = np.arange(len(step))
    top = np.clip(step.argmax(axis=1), 1, step.shape[1] - 2)
    before, here, after = step[row, top - 1], step[row, top], step[row, top + 1]
    beside = (before - after) / (2 * (before - 2 * here + after) - 1e-6)
    return top + np.clip(beside, -1, 1), here


def _slopes(side: Side, box: Box) -> Floats:
    """N × 5: how a side's points move outward with each of the box's numbers."""
    away = side.places_mm[:, :2] - box[:2]
    east, north = side.facing
    along = side.number in (1, 3)
    ones = np.ones(len(away))
    turning = away[:, 0] * north - away[:, 1] * east
    return np.stack((east * ones, north * ones, turning, 0.5 * along * ones, 0.5 * (not along) * ones), axis=1)


def _robust_step(slopes: Floats, miss: Floats, weight: Floats, free: int) -> Floats:
    step = np.zeros(slopes.shape[1])
    some = slopes[:, :free]
    for _ in range(5):
        sure = weight / np.maximum(1, np.abs(miss - slopes @ step) / ROBUST_MM)
        step[:free] = np.linalg.solve((some.T * sure) @ some + 1e-6 * np.eye(free), (some.T * sure) @ miss)
    return step


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


def sized(size: ToteSize, box: Box) -> ToteSize:
    """The same tote with the box's length and width."""
    return replace(size, length_mm=float(box[3]), width_mm=float(box[4]))


def _square(side_px: int) -> Image:
    return np.ones((side_px, side_px), np.uint8)
