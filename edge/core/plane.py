"""Where on the belt a camera looks: lens, place and turn, by which pixels become millimetres and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

STRAIGHTENINGS = 8  # rounds until a pixel's way through the lens is known: the lens bends by a closed form one way only


@dataclass(frozen=True, slots=True)
class Plane:
    """A camera above the belt; x runs along the belt, y across it, z up from it, mm."""

    matrix: Floats  # 3 × 3, OpenCV's camera matrix
    bent: Floats  # OpenCV's k1, k2, p1, p2, k3
    turn: Floats  # 3 × 3: from the belt's coordinates to the camera's
    shift_mm: Floats  # 3: the belt's origin in the camera's coordinates

    def seen_px(self, places_mm: Floats) -> Floats:
        """N × 2: where places (N × 3) are seen; Brown's model of a lens, as OpenCV has it."""
        inside = np.asarray(places_mm, float) @ self.turn.T + self.shift_mm
        return np.asarray(self._bent(inside[:, :2] / inside[:, 2:]) @ self.matrix[:2, :2].T + self.matrix[:2, 2])

    def at_mm(self, seen_px: Floats, height_mm: float = 0.0) -> Floats:
        """N × 2: where on the plane so high above the belt pixels (N × 2) look."""
        rays = np.column_stack((self._straight(np.asarray(seen_px, float)), np.ones(len(seen_px)))) @ self.turn
        eye = -self.turn.T @ self.shift_mm
        return np.asarray(eye[:2] + rays[:, :2] * ((height_mm - eye[2]) / rays[:, 2:]))

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Plane:
        """As the step `camera` keeps it.

        Raises:
            KeyError, ValueError: something is missing, or of another shape.
        """
        shapes = {"matrix": (3, 3), "bent": (5,), "turn": (3, 3), "shift_mm": (3,)}
        return cls(*(np.array(values[name], float).reshape(shape) for name, shape in shapes.items()))

    @property
    def mm_per_px(self) -> float:
        """On the belt, in the middle of the picture."""
        middle = self.matrix[:2, 2]
        ends = self.at_mm(np.stack((middle, middle + np.array((1.0, 0.0)))))
        return float(np.linalg.norm(ends[1] - ends[0]))

    def resized(self, before_px: tuple[int, int], after_px: tuple[int, int]) -> Plane:
        """Of the same camera's pictures made larger or smaller (width, height); a pixel's place is its middle."""
        across, down = (after / before for before, after in zip(before_px, after_px, strict=True))
        scale = np.array(((across, 0, (across - 1) / 2), (0, down, (down - 1) / 2), (0, 0, 1)))
        return Plane(scale @ self.matrix, self.bent, self.turn, self.shift_mm)

    def part(self, left_px: int, top_px: int) -> Plane:
        """Of a part of the same camera's pictures, that begins there."""
        shift = np.array(((1, 0, -left_px), (0, 1, -top_px), (0, 0, 1.0)))
        return Plane(shift @ self.matrix, self.bent, self.turn, self.shift_mm)

    def _straight(self, seen_px: Floats) -> Floats:
        """Where a lens that does not bend would see it, at distance 1."""
        aim = (seen_px - self.matrix[:2, 2]) @ np.linalg.inv(self.matrix[:2, :2]).T
        straight = aim
        for _ in range(STRAIGHTENINGS):
            straight = straight - (self._bent(straight) - aim)
        return np.asarray(straight)

    def _bent(self, straight: Floats) -> Floats:
        k1, k2, p1, p2, k3 = self.bent
        x, y = straight.T
        r2 = x * x + y * y
        radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
        across = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
        down = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
        return np.stack((across, down), axis=1)
