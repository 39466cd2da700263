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
from edge.core.tote_shape import FLOOR, ToteSize, net_cells
from edge.inspection.tote_look import CELL_MM, NO_LIGHT, Placed, ToteLook
from edge.inspection.tote_networks import ToteNetworks
from edge.inspection.tote_rim import Rim
from edge.inspection.tote_sight import Box, Sight, box_of, pose_of, sighted
from edge.inspection.tote_type import ToteType
from edge.inspection.totes import resized, usual_size

FEWEST = 3  # frames that must agree
AGREE_MM = 3.0
WALL_OFF_MM = 6.0  # a rim found on its inner edge would be a wall less
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


def learn(frames: Sequence[Image], plane: Plane, networks: ToteNetworks, asked: Ask) -> ToteType:
    """A type of tote, from six or more frames (BGR) of it, empty, each time placed anew.

    Raises:
        PictureUnreadable: no frames, or too few agree on its size.
    """
    if not frames:
        raise PictureUnreadable("no frames to learn the tote from: place it, empty, and record six.")
    size_px = (frames[0].shape[1], frames[0].shape[0])
    usual_px = usual_size(plane, size_px)
    usual = plane.resized(size_px, usual_px)
    sights = [sighted(resized(frame, usual_px), usual, networks) for frame in frames]
    measured = [None if sight is None else _measured(sight, asked) for sight in sights]
    agreeing = agreement([None if box is None else box[3:] for box in measured])
    kept = [
        (sight, box)
        for sight, box, agrees in zip(sights, measured, agreeing, strict=True)
        if agrees and sight is not None and box is not None
    ]
    sides = np.median([box[3:] for _, box in kept], axis=0)
    size = ToteSize(float(sides[0]), float(sides[1]), asked.height_mm, asked.wall_mm, asked.floor_mm)
    return ToteType(asked.name, size, ToteLook.learn([_placed(*one, size) for one in kept], size))


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


def _measured(sight: Sight, asked: Ask) -> Box | None:
    """The rim's rectangle; None: partly out of view, or its inner edge lies not where the wall's thickness says."""
    inner = sight.inner_box(asked.height_mm)
    box = Rim(sight.lab, sight.plane, asked.height_mm, asked.wall_mm).measured(sight.box(asked.height_mm))
    if inner is None or not sight.whole:
        return None
    return box if np.abs((box[3:] - inner[3:]) / 2 - asked.wall_mm).max() <= WALL_OFF_MM else None


def _placed(sight: Sight, box: Box, size: ToteSize) -> Placed:
    rim = Rim(sight.lab, sight.plane, size.height_mm, size.wall_mm)
    return Placed(sight.lab, sight.plane, pose_of(rim.met(box_of(pose_of(box), size))))


def _agree(one: npt.NDArray[np.float64] | None, other: npt.NDArray[np.float64] | None) -> bool:
    return one is not None and other is not None and bool(np.abs(one - other).max() <= AGREE_MM)
