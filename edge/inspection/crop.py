"""The picture of one item, cut out of a frame, and what a check does with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.messages import Evidence, Image, Look, Outline, Point, Sighting

Matrix = npt.NDArray[np.float64]
Size = tuple[int, int]
"""Width and height, px."""


@dataclass(frozen=True)
class Crop:
    """An item upright in its own picture, which is cut out of the frame when it is first asked for."""

    frame: Image  # BGR, height × width × 3
    mask: Image  # uint8, height × width of the item's own picture: 255 where the item is
    to_frame: Matrix  # 3 × 3, affine: px of its own picture → px of the frame
    polygon: tuple[Point, ...]  # the item's outline in frame px
    located: bool  # False: nothing stood out from the belt, the crop is the whole frame
    _stretched: dict[Size, Image] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def image(self) -> Image:
        """Its own picture: BGR, of the mask's height and width, at the frame's resolution."""
        if self.mask.shape == self.frame.shape[:2] and np.array_equal(self.to_frame, np.eye(3)):
            return self.frame
        return _cut(self.frame, self.to_frame, (self.mask.shape[1], self.mask.shape[0]))

    def stretched(self, size_px: Size) -> Image:
        """Its own picture stretched to another width and height, cut out in one resampling (BGR), and remembered.

        A frame that is much finer than that is halved first, as often as it stays at least as fine both ways.
        """
        if size_px not in self._stretched:
            self._stretched[size_px] = self._cut_to(size_px)
        return self._stretched[size_px]

    def kept(self, longest_px: int) -> tuple[Image, Outline]:
        """Its own picture in memory of its own, at most so long, and the item's outline in it."""
        image = self._copy(longest_px)
        return image, self._outline(image.shape[1] / self.mask.shape[1], image.shape[0] / self.mask.shape[0])

    def _outline(self, across: float, down: float) -> Outline:
        """In the px of a copy that is so many times as wide and high."""
        if not self.polygon:
            return ()
        to_copy = np.linalg.inv(self.to_frame @ _scaling(np.array((1 / across, 1 / down))))
        corners = to_copy[:2] @ np.column_stack((self.polygon, np.ones(len(self.polygon)))).T
        return tuple((int(x), int(y)) for x, y in np.rint(corners).T)

    def _copy(self, longest_px: int) -> Image:
        height_px, width_px = self.mask.shape
        scale = longest_px / max(width_px, height_px)
        if scale < 1:
            return self._cut_to((max(1, round(width_px * scale)), max(1, round(height_px * scale))))
        return self.image.copy() if self.image is self.frame else self.image

    def _cut_to(self, size_px: Size) -> Image:
        steps = np.array(self.mask.shape[::-1]) / size_px
        to_frame = self.to_frame @ _scaling(steps)
        halvings = max(0, int(np.log2(max(1.0, steps.min()))))
        if not halvings:
            return _cut(self.frame, to_frame, size_px)
        part, from_frame = _halved(self.frame, to_frame, size_px, halvings)
        return _cut(part, from_frame @ to_frame, size_px)


def _cut(picture: Image, to_picture: Matrix, size_px: Size) -> Image:
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(picture, to_picture[:2], size_px, flags=how, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.uint8)


def _scaling(steps: npt.NDArray[np.float64]) -> Matrix:
    """From the px of a smaller picture to those of a picture so many times as wide and high; middles stay middles."""
    across, down = steps
    return np.array(((across, 0, (across - 1) / 2), (0, down, (down - 1) / 2), (0, 0, 1)))


def _halved(frame: Image, to_frame: Matrix, size_px: Size, halvings: int) -> tuple[Image, Matrix]:
    """The part of the frame that a picture of this size shows, halved, and the way there from the frame."""
    block = 2**halvings
    width_px, height_px = size_px
    corners = to_frame[:2] @ np.array(((0, width_px, 0, width_px), (0, 0, height_px, height_px), (1, 1, 1, 1)))
    limits = np.array(frame.shape[1::-1]) // block * block
    low = np.clip(np.floor(corners.min(axis=1) / block - 1) * block, 0, limits - block).astype(int)
    high = np.clip(np.ceil(corners.max(axis=1) / block + 1) * block, low + block, limits).astype(int)
    part = frame[low[1] : high[1], low[0] : high[0]]
    for _ in range(halvings):
        part = halved(part)
    from_part = _scaling(np.array((block, block)))
    from_part[:2, 2] += low
    return part, np.asarray(np.linalg.inv(from_part), np.float64)


def seen(crop: Crop, gtin: str, side_px: int) -> Look:
    """What a network whose input is so many px wide and high saw of a product."""
    size = (side_px, side_px)
    mask = cv2.resize(crop.mask, size, interpolation=cv2.INTER_NEAREST)
    return Look(gtin, crop.stretched(size), np.asarray(mask, np.uint8))


def seen_again(image: Image) -> Crop:
    """The crop of a look that was kept (height × width × 4)."""
    return Crop(np.ascontiguousarray(image[..., :3]), np.ascontiguousarray(image[..., 3]), np.eye(3), (), located=True)


def halved(picture: Image) -> Image:
    """Half as wide and high, each pixel the mean of four; what is left over at the right and below is cut off."""
    height_px, width_px = (side // 2 for side in picture.shape[:2])
    even = picture[: 2 * height_px, : 2 * width_px]
    return np.asarray(cv2.resize(even, (width_px, height_px), interpolation=cv2.INTER_AREA), np.uint8)


class Check(Protocol):
    """One question asked of a crop, on a worker thread."""

    def inspect(self, crop: Crop, sighting: Sighting) -> Sequence[Evidence]:
        """The answer, or several; never raises for what is in the picture: such evidence stays invalid."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """A check that a camera's pictures are asked, and what its answers are worth to the recipe."""

    check: Check
    answers: tuple[str, ...]  # the rules' checks that it gives evidence of
    required: bool  # at least one of the rules is
    value: float  # of all its answers together
    after: str = ""  # an answer of another question: this one waits for it, and is dropped where that gives its own too

    def __str__(self) -> str:
        return "+".join(self.answers)


def answer(check: str, sighting: Sighting, because: str) -> Evidence:
    """An answer that vouches for nothing yet: `replace` adds what was found, and then `valid=True`."""
    frame = sighting.frame
    return Evidence(
        item_id=sighting.item.item_id,
        frame_id=frame.frame_id,
        camera=frame.camera,
        check=check,
        because=because,
        exposed_ns=frame.exposed_ns,
    )
