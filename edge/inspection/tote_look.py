"""What an empty tote looks like, place by place on its unfolded walls."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.messages import Image
from edge.core.plane import Plane
from edge.core.tote_shape import OUTSIDE, Pose, Rays, ToteSize, Unfolded, Zones, net_cells, unfolded

Cells = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

CELL_MM = 3.0
SPREAD_CELLS = 2.0  # a look is averaged over neighbours of the same zone
SAME_PLACE_MM = 6.0  # a cell is seen where the pixel looks at it and not at a wall before it
FEWEST_SEEN = 2  # frames; what fewer of them saw takes its neighbour's look
BLUR_PX = 0.6
NO_LIGHT = 16.0  # of lightness: (L + 16, a, b) grow together with the cube root of the light (CIE 1976)
BESIDE = 128  # BGR of what is no tote
DARKEST = 0.3  # share of the usual lightness below which a colour tells nothing


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture that shows an empty tote, and where that stands."""

    lab: Cells  # height × width × 3
    plane: Plane
    pose: Pose


@dataclass(frozen=True, slots=True)
class ToteLook:
    """Learnt from frames of the empty tote, each cell of CELL_MM."""

    colour: Cells  # × 3: L + 16, a, b

    @classmethod
    def learn(cls, frames: Sequence[Placed], size: ToteSize) -> ToteLook:
        """From empty totes of one type; labels and dirt differ from frame to frame."""
        _, cells = net_cells(size, CELL_MM)
        return cls(_filled(_median([_unfolded(one, size) for one in frames]), cells.zone))

    def usual(self, tote: Unfolded) -> Image:
        """BGR: the empty tote where pixels look; beside it grey."""
        colour = bgr_of(self.at(tote.net_mm))
        colour[tote.zone == OUTSIDE] = BESIDE
        return colour

    def at(self, net_mm: Cells) -> Cells:
        """L + 16, a, b where pixels look."""
        height, width = self.colour.shape[:2]
        column, row = net_mm[..., 0] / CELL_MM + (width - 1) / 2, net_mm[..., 1] / CELL_MM + (height - 1) / 2
        seen = cv2.remap(self.colour, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(seen, np.float32)


def _unfolded(one: Placed, size: ToteSize) -> Cells:
    """The colour of each cell; not shown: nan."""
    places, cells = net_cells(size, CELL_MM)
    seen_px = one.plane.seen_px(one.pose.on_belt_mm(places.reshape(-1, 3))).astype(np.float32)
    column, row = (seen_px[:, axis].reshape(places.shape[:2]) for axis in (0, 1))
    tote = unfolded(Rays.of(one.plane, one.lab.shape[1], one.lab.shape[0]), one.pose, size)
    there = cv2.remap(tote.net_mm, column, row, cv2.INTER_NEAREST, borderValue=(1e6, 1e6))
    shown = (np.abs(there - cells.net_mm).max(axis=-1) < SAME_PLACE_MM) & (cells.zone != OUTSIDE)
    values = cv2.remap(one.lab, column, row, cv2.INTER_LINEAR)
    values[~shown] = np.nan
    return np.asarray(values, np.float32)


def lab_of(image: Image) -> Cells:
    """L + 16, a and b (CIE 1976) of a frame, BGR."""
    soft = cv2.GaussianBlur(image, (0, 0), BLUR_PX).astype(np.float32) / 255
    return np.asarray(cv2.cvtColor(soft, cv2.COLOR_BGR2LAB) + np.array((NO_LIGHT, 0, 0)), np.float32)


def bgr_of(lab: Cells) -> Image:
    """What `lab_of` was made of."""
    back = cv2.cvtColor(np.ascontiguousarray(lab - np.array((NO_LIGHT, 0, 0), np.float32)), cv2.COLOR_LAB2BGR)
    return np.asarray(np.rint(np.clip(back, 0, 1) * 255), np.uint8)


def beside(lab: Cells, usual: Cells) -> Cells:
    """A colour beside the usual one there.

    A shade takes light of all colours alike, so L + 16, a and b shrink by one factor: what remains after that is tint.
    """
    share = np.maximum(lab[..., :1] / np.maximum(usual[..., :1], 1), DARKEST)
    tint = (lab[..., 1:] / share - usual[..., 1:]) * np.minimum(share, 1)
    return np.concatenate((100 * np.log(share), tint), axis=-1)


def _median(seen: Sequence[Cells]) -> Cells:
    """Over the frames that show a cell; nan where fewer than FEWEST_SEEN do."""
    stack = np.stack(seen)
    few = np.isfinite(stack).sum(axis=0) < FEWEST_SEEN
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of cells that no frame shows
        middle = np.nanmedian(stack, axis=0)
    middle[few] = np.nan
    return np.asarray(middle, np.float32)


def _filled(look: Cells, zone: Zones) -> Cells:
    """Averaged over neighbours within each zone; a cell that was not seen takes the zone's nearest look."""
    filled = np.zeros_like(look)
    for one in np.unique(zone[zone != OUTSIDE]):
        here = zone == one
        known = here & np.isfinite(look).all(axis=-1)
        if known.any():
            filled[here] = _spread(look, known)[here]
    return filled


def _spread(look: Cells, known: Mask) -> Cells:
    weight = cv2.GaussianBlur(known.astype(np.float32), (0, 0), SPREAD_CELLS)
    blurred = cv2.GaussianBlur(np.where(known[..., None], look, 0), (0, 0), SPREAD_CELLS)
    return nearest(np.asarray(blurred / np.maximum(weight, 1e-6)[..., None], np.float32), known)


def nearest(values: Cells, known: Mask) -> Cells:
    """Everywhere the value of the nearest place that is known; some place must be."""
    _, number = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of_number = np.zeros(int(number.max()) + 1, np.int64)
    places = np.flatnonzero(known)
    of_number[number.ravel()[places]] = places
    return np.asarray(values.reshape(-1, values.shape[-1])[of_number[number]], np.float32)
