"""The picture of one item, cut out of a frame, and what a check does with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edge.core.messages import Evidence, Image, Point, Sighting


@dataclass(frozen=True, slots=True)
class Crop:
    """An item upright in its own picture."""

    image: Image  # BGR, height × width × 3
    mask: Image  # uint8, height × width: 255 where the item is
    to_frame: npt.NDArray[np.float64]  # 3 × 3 homography: crop px → frame px
    polygon: tuple[Point, ...]  # the item's outline in frame px
    located: bool  # False: nothing stood out from the belt, the crop is the whole frame


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
