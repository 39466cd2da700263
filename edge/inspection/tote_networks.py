"""Two small networks: where a tote's rim is in a frame, and what lies in a tote beside how it looks when empty."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.messages import Image
from edge.core.tote_shape import FLOOR, RIM, WALLS, Numbers, Zones
from edge.inspection.runtime import Chosen
from edge.inspection.session import Session, Tensor, newest

Cells = npt.NDArray[np.float32]

OUTLINE, ITEMS = "tote-outline", "tote-items"
STRIDE_PX = {OUTLINE: 32, ITEMS: 16}  # sides of what a network sees are multiples of it
DARK, MIDDLE = 8.0, 128.0  # of 8 bits: added to a value before its logarithm is taken; what counts as 0
LEAN_PX = 8.0  # how wide a side is seen, in half the part's size: what counts as 1
LOG = np.log((np.arange(256, dtype=np.float32) + DARK) / MIDDLE)


@dataclass(frozen=True, slots=True)
class ToteNetworks:
    """Both, verified and warm."""

    outline: Session
    items: Session

    @classmethod
    def load(cls, models: Path, chosen: Chosen = MappingProxyType({})) -> Self:
        """From the folder of all models.

        Raises:
            ModelRefused: one is missing or damaged.
        """
        return cls(*(Session.load(newest(models, name), chosen) for name in (OUTLINE, ITEMS)))

    def rim(self, half: Image) -> Cells:
        """Of a frame in half its size, BGR: how surely each pixel lies within the rim's outer and inner edge.

        2 × h × w.
        """
        (seen,) = self.outline.run(outline_batch(half))
        return _sure(seen[0, :, : half.shape[0], : half.shape[1]])

    def inside(self, part: Image, usual: Image, zone: Zones, lean_px: Numbers) -> Cells:
        """Of a part of a frame, BGR: how surely each pixel shows an item, two items' border, one that sticks out.

        3 × h × w. In half the size: usual, zone: how the empty tote looks there (BGR), and which part of it is there;
        lean_px: how wide a side as high as the tote is deep is seen there (`leaning_px`).
        """
        (seen,) = self.items.run(items_batch(part, usual, zone, lean_px))
        return _sure(seen[0, :, : part.shape[0], : part.shape[1]])


def outline_batch(half: Image) -> Tensor:
    """1 × 3 × h × w of a frame in half its size, BGR."""
    return _logs(padded(half, STRIDE_PX[OUTLINE]))[None]


def items_batch(part: Image, usual: Image, zone: Zones, lean_px: Numbers) -> Tensor:
    """1 × 11 × h × w: the frame, the frame beside the usual, floor, walls, rim, and how wide a side is seen."""
    there = _logs(padded(part, STRIDE_PX[ITEMS]))
    size = there.shape[1:]
    of_usual = _enlarged(_logs(usual), size)
    zones = np.stack((zone == FLOOR, (zone >= WALLS) & (zone < RIM), zone == RIM))
    shape = np.concatenate((zones, np.moveaxis(lean_px, -1, 0) / LEAN_PX))
    return np.concatenate((there, there - of_usual, _enlarged(shape, size)))[None].astype(np.float32, copy=False)


def padded(picture: Image, stride_px: int) -> Image:
    """Its border repeated at the right and below, until both sides are multiples of that."""
    below, right = (-side % stride_px for side in picture.shape[:2])
    return np.asarray(cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_REPLICATE), np.uint8)


def _enlarged(half: npt.NDArray[Any], size: tuple[int, ...]) -> npt.NDArray[Any]:
    """Planes twice as high and wide, their border repeated up to size."""
    twice = half.repeat(2, axis=1).repeat(2, axis=2)
    return np.pad(
        twice, ((0, 0), *((0, after - before) for before, after in zip(twice.shape[1:], size, strict=True))), "edge"
    )


def _logs(picture: Image) -> Cells:
    """3 × h × w."""
    return np.stack([cv2.LUT(np.ascontiguousarray(picture[..., channel]), LOG) for channel in range(3)])


def _sure(seen: Tensor) -> Cells:
    """Of the networks' answers, log odds."""
    return np.asarray(1 / (1 + np.exp(-np.clip(seen, -30, 30))), np.float32)
