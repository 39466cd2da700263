"""Learn a type of tote from a few frames of it, empty, under the site's own light."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.core.colour_difference import delta_e_2000
from edge.core.errors import PictureUnreadable
from edge.core.messages import Image
from edge.core.plane import Plane
from edge.core.tote_shape import FLOOR, Pose, Rays, ToteSize, net_cells, unfolded
from edge.inspection.belt import BeltColour
from edge.inspection.tote_items import standing_out
from edge.inspection.tote_labels import label_of
from edge.inspection.tote_look import CELL_MM, NO_LIGHT, ToteLook
from edge.inspection.tote_pose import Box, box_of, boxed, outline, pose_of
from edge.inspection.tote_rim import Rim
from edge.inspection.tote_type import ToteType

FEWEST = 3  # frames that must agree
AGREE_MM = 3.0
MAJORITY = 0.5  # of the frames
ALIKE = 5.0  # ΔE00 below which an item is told by its edges, not by its colour

Lab = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Ask:
    """What a technician enters of a tote: the camera cannot see it."""

    name: str
    height_mm: float
    wall_mm: float
    floor_mm: float


def learn(frames: Sequence[Image], plane: Plane, belt: BeltColour, asked: Ask) -> ToteType:
    """A type of tote, from six or more frames (BGR) of it, empty, each time placed anew.

    Raises:
        PictureUnreadable: too few frames agree on its size.
    """
    measured = [_measured(frame, plane, belt, asked.height_mm) for frame in frames]
    agreeing = agreement([box[3:] if box is not None else None for box in measured])
    sides = np.median(
        [box[3:] for box, agrees in zip(measured, agreeing, strict=True) if agrees and box is not None], axis=0
    )
    size = ToteSize(float(sides[0]), float(sides[1]), asked.height_mm, asked.wall_mm, asked.floor_mm)
    placed_at = [
        (frame, pose_of(Rim.of(frame, plane, size.height_mm).met(box_of(pose_of(box), size))))
        for frame, box, agrees in zip(frames, measured, agreeing, strict=True)
        if agrees and box is not None
    ]
    return _looked_at(placed_at, size, plane, asked.name)


def agreement(sides_mm: Sequence[npt.NDArray[np.float64] | None]) -> list[bool]:
    """Which frames measured the size that most of them did.

    Raises:
        PictureUnreadable: fewer than FEWEST, or not most of those, agree.
    """
    votes = [[_agree(one, other) for other in sides_mm] for one in sides_mm]
    best = max(votes, key=sum, default=[])
    if sum(best) < FEWEST or sum(best) <= MAJORITY * len(sides_mm):
        raise PictureUnreadable(
            f"{sum(best)} of {len(sides_mm)} frames agree on the tote's size: not sure. "
            "Place it again, where the belt is clean, and record six more frames."
        )
    return best


def ambiguities(tote: ToteType, catalogue: Mapping[str, Lab]) -> list[str]:
    """Items of nearly the tote's colour, the nearest first; catalogue: colours under the site's light, CIE Lab."""
    floor = floor_lab(tote)
    near = sorted((float(delta_e_2000(np.array(floor), np.array(lab))), sku) for sku, lab in catalogue.items())
    return [
        f"{tote.name} and {sku} differ by ΔE {far:.1f}: these items will be located by edges, not by colour"
        for far, sku in near
        if far < ALIKE
    ]


def floor_lab(tote: ToteType) -> Lab:
    """The colour of a tote's floor under the site's light."""
    _, cells = net_cells(tote.size, CELL_MM)
    lightness, a, b = np.median(tote.look.colour[cells.zone == FLOOR], axis=0)
    return float(lightness - NO_LIGHT), float(a), float(b)


def _measured(frame: Image, plane: Plane, belt: BeltColour, height_mm: float) -> Box | None:
    points = outline(frame, belt)
    if points is None:
        return None
    return Rim.of(frame, plane, height_mm).measured(boxed(points, height_mm, plane))


def _agree(one: npt.NDArray[np.float64] | None, other: npt.NDArray[np.float64] | None) -> bool:
    return one is not None and other is not None and bool(np.abs(one - other).max() <= AGREE_MM)


def _looked_at(placed_at: Sequence[tuple[Image, Pose]], size: ToteSize, plane: Plane, name: str) -> ToteType:
    """Its look; and its labels, which are what stands out on the empty tote."""
    height_px, width_px = placed_at[0][0].shape[:2]
    rays = Rays.of(plane, width_px, height_px)
    look = ToteLook.learn(placed_at, size, plane, rays)
    differences = [look.difference(frame, unfolded(rays, pose, size)) for frame, pose in placed_at]
    label = label_of([(one, standing_out(one, look, plane.mm_per_px)) for one in differences])
    return ToteType(name, size, look, label)
