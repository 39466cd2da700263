"""What an empty tote looks like, place by place on its unfolded walls; and what of a frame differs from that."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.messages import Image
from edge.core.plane import Plane
from edge.core.tote_shape import FLOOR, OUTSIDE, Pose, Rays, ToteSize, Unfolded, Zones, net_cells, unfolded
from edge.inspection.tote_steps import length, sharp_steps

Cells = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

CELL_MM = 3.0
SPREAD_CELLS = 2.0  # a look is averaged over neighbours of the same zone
SAME_PLACE_MM = 6.0  # a cell is seen where the pixel looks at it and not at a wall before it
FEWEST_SEEN = 2  # frames; what fewer of them saw takes its neighbour's look
BLUR_PX = 0.6
NO_LIGHT = 16.0  # of lightness: (L + 16, a, b) grow together with the cube root of the light (CIE 1976)
DARKEST = 0.3  # share of the usual lightness below which a colour tells nothing
MARGIN_PX = 4
SMOOTH_PX = 7  # median: what is thinner than half of it, scratches above all, is gone
LEVEL_STEPS, LEVEL_REACH = (1.6, 1.3, 1.0, 0.8, 0.7), (14.0, 6.0, 6.0)
LEAST_NOISE = 0.4
LEAST_STEP = 0.25  # of the noise: frames without noise do not exist
SHADE_SCALE, TINT_SCALE = 2.0, 3.0  # per step of 8 bits, for the median


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a frame differs from an empty tote; all over one part of the picture."""

    rows: slice
    columns: slice
    zone: Zones
    net_mm: Cells
    known: Mask  # belongs to the tote, well inside its rim's outline
    raw: Cells  # × 3: 100 · ln of the lightness beside the usual; a and b beside what a shade leaves of the usual
    smooth: Cells  # the same, without noise and scratches
    noise: Cells  # 3: of raw
    sharp: Cells  # steps that are no soft shade's, in multiples of the noise's own
    lab: Cells  # L + 16, a, b
    steps_in_noise: Cells  # sharp, but as they are: in multiples of the picture's noise

    @property
    def strays(self) -> Cells:
        """How far its tint is from the usual, whatever the shade, in multiples of the noise."""
        return length(self.smooth[..., 1:] / self.noise[1:])


@dataclass(frozen=True, slots=True)
class ToteLook:
    """Learnt from frames of the empty tote, each cell of CELL_MM."""

    colour: Cells  # × 3: L + 16, a, b
    steps: Cells  # how sharp it usually looks there: creases, mouldings
    tints: Cells  # how far its colour usually strays there, in multiples of the noise

    @classmethod
    def learn(cls, frames: Sequence[tuple[Image, Pose]], size: ToteSize, plane: Plane, rays: Rays) -> ToteLook:
        """From frames of empty totes of one type and where they stand; labels and dirt differ from frame to frame."""
        seen = [_Seen.of(frame, pose, size, plane, rays) for frame, pose in frames]
        zone = seen[0].zone
        colour = _filled(
            _median([one.unfold(lab_of(frame)) for one, (frame, _) in zip(seen, frames, strict=True)]), zone
        )
        usual = cls(colour, np.zeros(zone.shape, np.float32), np.zeros(zone.shape, np.float32))
        found = [usual.difference(frame, one.unfolded) for one, (frame, _) in zip(seen, frames, strict=True)]
        steps = [one.unfold(_whole(here.sharp, here, one)) for one, here in zip(seen, found, strict=True)]
        tints = [one.unfold(_whole(here.strays, here, one)) for one, here in zip(seen, found, strict=True)]
        return cls(colour, _widened(_median(steps)), _widened(_median(tints)))

    def difference(self, image: Image, tote: Unfolded) -> Difference:
        """Of a frame, BGR, and what each of its pixels looks at."""
        rows, columns = _around(tote.zone != OUTSIDE)
        zone, net_mm = tote.zone[rows, columns], tote.net_mm[rows, columns]
        lab = lab_of(image[rows, columns])
        raw = beside(lab, self.at(self.colour, net_mm))
        floor = zone == FLOOR
        raw -= _level(raw[floor][::3])
        known = cv2.erode((zone != OUTSIDE).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        raw[~known] = 0
        noise = _noise(raw, floor)
        smooth = _smoothed(raw)
        steps = sharp_steps(smooth / noise)
        own = max(float(np.median(steps[floor])), LEAST_STEP) * np.maximum(1, self.at(self.steps, net_mm) / 1.5)
        return Difference(rows, columns, zone, net_mm, known, raw, smooth, noise, steps / own, lab, steps)

    def at(self, cells: Cells, net_mm: Cells) -> Cells:
        """The cells' values where pixels look."""
        height, width = cells.shape[:2]
        column, row = net_mm[..., 0] / CELL_MM + (width - 1) / 2, net_mm[..., 1] / CELL_MM + (height - 1) / 2
        return np.asarray(cv2.remap(cells, column, row, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE), np.float32)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Which pixel of one frame shows each cell."""

    zone: Zones
    at_px: Cells  # rows × columns × 2
    shown: Mask
    unfolded: Unfolded

    @classmethod
    def of(cls, frame: Image, pose: Pose, size: ToteSize, plane: Plane, rays: Rays) -> _Seen:
        places, cells = net_cells(size, CELL_MM)
        at_px = plane.seen_px(pose.on_belt_mm(places.reshape(-1, 3))).astype(np.float32).reshape(*places.shape[:2], 2)
        tote = unfolded(rays, pose, size)
        there = cv2.remap(tote.net_mm, at_px[..., 0], at_px[..., 1], cv2.INTER_NEAREST, borderValue=(1e6, 1e6))
        shown = (np.abs(there - cells.net_mm).max(axis=-1) < SAME_PLACE_MM) & (cells.zone != OUTSIDE)
        return cls(cells.zone, at_px, shown, tote)

    def unfold(self, picture: Cells) -> Cells:
        """The picture's values at the cells; not shown: nan."""
        values = cv2.remap(picture, self.at_px[..., 0], self.at_px[..., 1], cv2.INTER_LINEAR)
        values[~self.shown] = np.nan
        return np.asarray(values, np.float32)


def lab_of(image: Image) -> Cells:
    """L + 16, a and b (CIE 1976) of a frame, BGR."""
    soft = cv2.GaussianBlur(image, (0, 0), BLUR_PX).astype(np.float32) / 255
    return np.asarray(cv2.cvtColor(soft, cv2.COLOR_BGR2LAB) + np.array((NO_LIGHT, 0, 0)), np.float32)


def beside(lab: Cells, usual: Cells) -> Cells:
    """A colour beside the usual one there.

    A shade takes light of all colours alike, so L + 16, a and b shrink by one factor: what remains after that is tint.
    """
    share = np.maximum(lab[..., :1] / np.maximum(usual[..., :1], 1), DARKEST)
    tint = (lab[..., 1:] / share - usual[..., 1:]) * np.minimum(share, 1)
    return np.concatenate((100 * np.log(share), tint), axis=-1)


def _level(floor: Cells) -> Cells:
    """How this tote differs from the usual one all over: the most common difference near none."""
    level = np.zeros(3, np.float32)
    for wide in LEVEL_STEPS:
        near = (np.abs(floor - level) < wide * np.array(LEVEL_REACH)).all(axis=1)
        if near.sum() < 60:
            break
        level = np.median(floor[near], axis=0)
    return level


def _noise(raw: Cells, floor: Mask) -> Cells:
    """Between neighbours, as a standard deviation."""
    beside = np.abs(raw[:, 1:] - raw[:, :-1])[floor[:, 1:]]
    return np.asarray(np.maximum(1.48 * np.median(beside, axis=0), LEAST_NOISE), np.float32)


def _smoothed(raw: Cells) -> Cells:
    scale = np.array((SHADE_SCALE, TINT_SCALE, TINT_SCALE), np.float32)
    coarse = np.clip(raw * scale + 128, 0, 255).astype(np.uint8)
    return np.asarray((cv2.medianBlur(coarse, SMOOTH_PX).astype(np.float32) - 128) / scale, np.float32)


def _around(mask: Mask) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return _stretch(rows), _stretch(columns)


def _stretch(some: npt.NDArray[np.int64]) -> slice:
    return slice(max(0, int(some[0]) - MARGIN_PX), int(some[-1]) + 1 + MARGIN_PX)


def _whole(values: Cells, here: Difference, seen: _Seen) -> Cells:
    """Values of a part of the picture, put back into it; elsewhere nan."""
    whole = np.full(seen.unfolded.zone.shape, np.nan, np.float32)
    whole[here.rows, here.columns] = np.where(here.known, values, np.nan)
    return whole


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


def _widened(cells: Cells) -> Cells:
    """As high as beside it: a tote never lies exactly where it was learnt."""
    usual = np.nan_to_num(cells, nan=5.0)
    return np.asarray(cv2.GaussianBlur(cv2.dilate(usual, np.ones((3, 3), np.uint8)), (0, 0), 1.5), np.float32)
