"""A tote's shape and place, and what of it each pixel looks at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.core.plane import Plane

Floats = npt.NDArray[np.float64]
Zones = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.floating[Any]]

OUTSIDE, FLOOR, WALLS, RIM = 0, 1, 2, 6
"""What a pixel looks at; WALLS + 0 … 3: the inner wall at +along, −along, +across, −across."""


@dataclass(frozen=True, slots=True)
class ToteSize:
    """Of a tote with upright walls; outside measures."""

    length_mm: float  # the longer side
    width_mm: float
    height_mm: float
    wall_mm: float
    floor_mm: float  # thickness

    @property
    def inner_mm(self) -> Floats:
        """2: half the room between the walls, along and across."""
        return np.array((self.length_mm, self.width_mm)) / 2 - self.wall_mm

    @property
    def depth_mm(self) -> float:
        """From the rim to the floor."""
        return self.height_mm - self.floor_mm


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a tote stands on the belt: its middle, and the turn of its longer side."""

    x_mm: float
    y_mm: float
    turn: float  # radians, −π/2 … π/2

    @property
    def axes(self) -> Floats:
        """2 × 2: along and across the tote, in the belt's coordinates."""
        cosine, sine = np.cos(self.turn), np.sin(self.turn)
        return np.array(((cosine, sine), (-sine, cosine)))

    def on_belt_mm(self, places_mm: Floats) -> Floats:
        """Places in the tote (N × 2 or N × 3) in the belt's coordinates."""
        flat = places_mm[:, :2] @ self.axes + (self.x_mm, self.y_mm)
        return np.column_stack((flat, places_mm[:, 2:]))


def corners_mm(length_mm: float, width_mm: float, height_mm: float) -> Floats:
    """4 × 3: of a rectangle at that height, in the tote's coordinates; sides face −across, +along, +across, −along."""
    along, across = length_mm / 2, width_mm / 2
    flat = ((-along, -across), (along, -across), (along, across), (-along, across))
    return np.column_stack((flat, np.full(4, height_mm)))


@dataclass(frozen=True, slots=True)
class Rays:
    """Where each pixel of a picture looks: x and y are the eye's plus a slope times the height above the eye."""

    eye_mm: Floats  # 3
    slopes: npt.NDArray[np.float32]  # height × width × 2

    @classmethod
    def of(cls, plane: Plane, width_px: int, height_px: int) -> Rays:
        """The rays of a whole picture."""
        down, across = np.mgrid[:height_px, :width_px]
        seen = np.column_stack((across.ravel(), down.ravel())).astype(float)
        eye = -plane.turn.T @ plane.shift_mm
        slopes = (plane.at_mm(seen) - eye[:2]) / -eye[2]
        return cls(eye, slopes.reshape(height_px, width_px, 2).astype(np.float32))

    def part(self, rows: slice, columns: slice) -> Rays:
        """Of a part of the picture."""
        return Rays(self.eye_mm, self.slopes[rows, columns])


@dataclass(frozen=True, slots=True)
class Unfolded:
    """What each pixel looks at: a tote is unfolded like a box of cardboard, walls and rim beside the floor."""

    zone: Zones  # height × width
    net_mm: npt.NDArray[np.float32]  # height × width × 2: place on the unfolded tote, the floor's middle being 0


def unfolded(rays: Rays, pose: Pose, size: ToteSize) -> Unfolded:
    """What each ray meets in an open, empty tote; what it meets beside the rim's outline is OUTSIDE."""
    top, bottom = _crossed(rays, pose, size)
    inner = np.asarray(size.inner_mm, np.float32)
    over = np.abs(top) - inner
    beside = np.maximum(over[..., 0], over[..., 1])
    inside = beside <= 0
    down = _share_until_wall(top, bottom, inner)
    share = np.where(inside, np.minimum(np.minimum(down[..., 0], down[..., 1]), 1), 0)
    place = top + share[..., None] * (bottom - top)
    across = np.where(inside, down[..., 1] < down[..., 0], over[..., 1] > over[..., 0])
    back = np.where(across, place[..., 1], place[..., 0]) < 0
    wall = np.where(share >= 1, FLOOR, WALLS + 2 * across + back)
    zone = np.where(inside, wall, np.where(beside <= size.wall_mm, RIM, OUTSIDE)).astype(np.uint8)
    beyond = ((1 - share) * size.depth_mm + np.where(inside, 0, beside)) * np.where(back, -1, 1)
    net = np.clip(place, -inner, inner)
    net[..., 0] += np.where(across, 0, beyond)
    net[..., 1] += np.where(across, beyond, 0)
    return Unfolded(zone, net.astype(np.float32))


def leaning_px(rays: Rays, size: ToteSize) -> Numbers:
    """Height × width × 2: how wide, across and down, a side as high as the tote is deep is seen; no sign.

    A lens bends it by less than that is of use for.
    """
    rows, columns = rays.slopes.shape[:2]
    by_px = np.stack(
        (
            rays.slopes[rows // 2, -1] - rays.slopes[rows // 2, 0],
            rays.slopes[-1, columns // 2] - rays.slopes[0, columns // 2],
        )
    )
    by_px /= ((columns - 1,), (rows - 1,))
    share = size.depth_mm / (rays.eye_mm[2] - size.height_mm)
    return np.asarray(np.abs(rays.slopes @ (share * np.linalg.inv(by_px)).astype(np.float32)))


def _crossed(rays: Rays, pose: Pose, size: ToteSize) -> tuple[Floats, Floats]:
    """Where each ray crosses the rim's height and the floor's, in the tote's coordinates."""
    axes = pose.axes.astype(np.float32)
    eye = (axes @ (rays.eye_mm[:2] - (pose.x_mm, pose.y_mm))).astype(np.float32)
    slopes = rays.slopes @ axes.T
    top, floor = (eye + slopes * np.float32(z - rays.eye_mm[2]) for z in (size.height_mm, size.floor_mm))
    return np.asarray(top), np.asarray(floor)


def _share_until_wall(top: Numbers, bottom: Numbers, inner: Numbers) -> Numbers:
    """Of the way from the rim's height to the floor's, until a wall is met along and across; 1 or more: none."""
    way = bottom - top
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (np.sign(way) * inner - top) / way
    return np.where(way == 0, np.inf, share)


@lru_cache(maxsize=16)
def net_cells(size: ToteSize, cell_mm: float) -> tuple[Floats, Unfolded]:
    """The unfolded tote as a grid: each cell's place in the tote (rows × columns × 3), and what it is.

    The corners of the net belong to no part of the tote: OUTSIDE.
    """
    inner = size.inner_mm
    half = np.ceil((inner + size.depth_mm + size.wall_mm) / cell_mm).astype(int)
    across, along = np.mgrid[-half[1] : half[1] + 1, -half[0] : half[0] + 1] * cell_mm
    net = np.stack((along, across), axis=-1)
    over = np.abs(net) - inner
    beyond = np.maximum(over.max(axis=-1), 0)
    axis = over.argmax(axis=-1)
    sign = np.sign(np.take_along_axis(net, axis[..., None], -1)[..., 0])
    place = np.clip(net, -inner, inner)
    for number in (0, 1):
        place[..., number] += np.where(axis == number, sign * np.maximum(beyond - size.depth_mm, 0), 0)
    wall = np.where(beyond > size.depth_mm, RIM, WALLS + 2 * axis + (sign < 0))
    zone = np.where((over > 0).all(axis=-1), OUTSIDE, np.where(beyond <= 0, FLOOR, wall)).astype(np.uint8)
    up = size.floor_mm + np.minimum(beyond, size.depth_mm)
    return np.dstack((place, up)), Unfolded(zone, net.astype(np.float32))
