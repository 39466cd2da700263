"""A pinhole camera above a belt: where each pixel looks, and where a place is seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from edge.core.plane import Plane

Floats = npt.NDArray[np.float64]
Size = tuple[int, int]
"""Width and height, px."""


@dataclass(frozen=True, slots=True)
class Camera:
    """Where it stands, and how it looks; x runs along the belt, y across it, z up from it, mm."""

    place_mm: tuple[float, float, float]
    looks_at_mm: tuple[float, float, float]
    size_px: Size
    focal_px: float
    bent: float = 0.0  # first radial coefficient of the lens, OpenCV's k1

    @property
    def matrix(self) -> Floats:
        """OpenCV's camera matrix."""
        width_px, height_px = self.size_px
        return np.array(((self.focal_px, 0, (width_px - 1) / 2), (0, self.focal_px, (height_px - 1) / 2), (0, 0, 1.0)))

    @property
    def turn(self) -> Floats:
        """Rows: its right, its down and its forward in the belt's coordinates; the belt's x runs to the right."""
        forward = np.subtract(self.looks_at_mm, self.place_mm)
        forward = forward / np.linalg.norm(forward)
        across = np.cross(forward, (0.0, 1.0, 0.0))
        if np.linalg.norm(across) < 1e-6:
            across = np.array((1.0, 0.0, 0.0))
        across = across / np.linalg.norm(across)
        return np.stack((across, np.cross(forward, across), forward))

    @property
    def plane(self) -> Plane:
        """What a perfect calibration would find."""
        bent = np.array((self.bent, 0.0, 0.0, 0.0, 0.0))
        return Plane(self.matrix, bent, self.turn, -self.turn @ np.array(self.place_mm))

    @lru_cache(maxsize=4)  # noqa: B019 - a camera is a value
    def rays(self) -> Floats:
        """Height × width × 3: the direction in which each pixel looks."""
        width_px, height_px = self.size_px
        x, y = np.meshgrid(np.arange(width_px), np.arange(height_px))
        middle = self.matrix[:2, 2]
        seen = (np.stack((x, y), axis=-1) - middle) / self.focal_px
        straight = seen
        for _ in range(4):  # the lens bends; the way back has no closed form
            straight = seen / (1 + self.bent * (straight**2).sum(axis=-1, keepdims=True))
        return np.concatenate((straight, np.ones((height_px, width_px, 1))), axis=-1) @ self.turn

    def seen_px(self, places_mm: Floats) -> Floats:
        """N × 2: where places (N × 3) are seen."""
        inside = (np.asarray(places_mm, float) - np.array(self.place_mm)) @ self.turn.T
        straight = inside[:, :2] / inside[:, 2:]
        bent = straight * (1 + self.bent * (straight**2).sum(axis=1, keepdims=True))
        return np.asarray(bent * self.focal_px + self.matrix[:2, 2])
