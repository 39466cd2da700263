"""Where a tote stands, by the edges of its rim: to a fraction of a pixel."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.plane import Plane
from edge.core.tote_shape import corners_mm
from edge.inspection.tote_sight import Box, Floats, pose_of

EDGE_POINTS = 60  # along each side of the rim
END = 0.06  # share of a side left out at each end: corners are round
STEP_PX = 0.5
WIDE_PX, NARROW_PX = 18.0, 6.0  # from where a side is believed, outward and inward
APART_PX = 1.5  # between rim and foot: less is one edge
FAINT = 2.0  # of Lab: a step so high counts half as much as the highest
REACH_PX, LEAST_REACH_PX, FINE_ROUNDS = 5.0, 2.0, 4
FULL_STEP = 40.0  # of Lab: a stronger edge counts no more
ALONG = 15  # points along the rim over which an edge is averaged
ROBUST_MM = 1.5
SIDES = ((0, 1), (1, 2), (2, 3), (3, 0))  # corners of the rim; they face −across, +along, +across, −along


@dataclass(frozen=True, slots=True)
class Rim:
    """The edges of a tote's rim in one picture, that Lab is of."""

    lab: npt.NDArray[np.float32]
    plane: Plane
    height_mm: float
    wall_mm: float

    def measured(self, box: Box) -> Box:
        """Where the rim is and how large."""
        return self._fine(self._wide(self._wide(box, WIDE_PX), NARROW_PX), free=5)

    def met(self, box: Box) -> Box:
        """The same of a tote of known size: only where it stands."""
        moved = self._wide(box, NARROW_PX)
        return self._fine(np.concatenate((moved[:3], box[3:])), free=3)

    def _wide(self, box: Box, reach_px: float) -> Box:
        """Each side moved to where its rim's outer and inner edge and its wall's foot are seen, so far apart."""
        moved = np.array([self._moved_mm(side, reach_px) for side in _sides(box, self.height_mm, self.plane)])
        along, across = (moved[1] - moved[3]) / 2, (moved[2] - moved[0]) / 2
        shift = np.array((along, across)) @ pose_of(box).axes
        return np.asarray(box + np.array((*shift, 0, moved[1] + moved[3], moved[0] + moved[2])))

    def _moved_mm(self, side: Side, reach_px: float) -> float:
        px_per_mm = float(np.median(side.px_per_mm))
        wall, foot = round(self.wall_mm * px_per_mm / STEP_PX), max(0, round(side.foot_px / STEP_PX))
        off = np.arange(-reach_px - (wall + 1) * STEP_PX, reach_px + (foot + 2) * STEP_PX, STEP_PX)
        profile = np.median(_profiles(self.lab, side, off), axis=0)  # marks do not add up, a straight edge does
        step = np.abs(profile[2:] - profile[:-2]).sum(axis=1)
        seen = step / (step + FAINT)
        near = cv2.dilate(seen[None], np.ones((1, 3)))[0]
        last = len(seen) - foot
        fit = seen[wall:last] + near[: last - wall] + (near[wall + foot :] if foot * STEP_PX > APART_PX else 0)
        return float(off[1 + wall + int(fit.argmax())] / px_per_mm)

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
    ends = rim[np.array(SIDES)]  # 4 × 2 × 3
    share = np.linspace(END, 1 - END, EDGE_POINTS)[:, None]
    places = ends[:, :1] * (1 - share) + ends[:, 1:] * share
    facing = ends.mean(axis=1) - rim.mean(axis=0)
    facing /= np.linalg.norm(facing, axis=1, keepdims=True)
    asked = np.stack((places, places + facing[:, None], places * (1, 1, 0)))
    seen, beside, foot = plane.seen_px(asked.reshape(-1, 3)).reshape(*asked.shape[:3], 2)
    scale = np.linalg.norm(beside - seen, axis=2)
    outward = (beside - seen) / scale[..., None]
    foot_px = np.median(((foot - seen) * outward).sum(axis=2), axis=1)
    return [
        Side(one, places[one], seen[one], outward[one], scale[one], facing[one, :2], float(foot_px[one]))
        for one in range(len(SIDES))
    ]


def _profiles(lab: npt.NDArray[np.float32], side: Side, off_px: Floats) -> npt.NDArray[np.float32]:
    """Points × offsets × 3: colours across a side, from inside to outside."""
    at = (side.seen_px[:, None] + side.outward[:, None] * off_px[None, :, None]).astype(np.float32)
    seen = cv2.remap(lab, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, np.float32)


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
