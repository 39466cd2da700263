"""Where a tote stands, by the edges of its rim: to a fraction of a pixel."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.messages import Image
from edge.core.plane import Plane
from edge.core.tote_shape import corners_mm
from edge.inspection.tote_pose import Box, Floats, pose_of

EDGE_POINTS = 60  # along each side of the rim
END = 0.06  # share of a side left out at each end: corners are round
WIDE_IN_PX, WIDE_OUT_PX, STEP_PX = 45, 30, 0.5
REACH_PX, LEAST_REACH_PX, FINE_ROUNDS = 7.0, 2.5, 4
FULL_STEP = 60.0  # of Lab (8 bit): a stronger edge counts no more
ALONG = 15  # points along the rim over which an edge is averaged
ROBUST_MM = 1.5
SIDES = ((0, 1), (1, 2), (2, 3), (3, 0))  # corners of the rim; they face −across, +along, +across, −along


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
        return np.asarray(box + np.array((*shift, 0, moved[1] + moved[3], moved[0] + moved[2])))

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
