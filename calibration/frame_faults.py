"""What may be wrong with a frame whatever it shows: over-exposed, or taken of something that moves."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from calibration.steps import Shot
from edge.core.errors import CalibrationRefused
from edge.core.messages import Image

BRIGHT, CLIPPED = 250, 0.05  # share of a frame's pixels that may be at the end of the scale
SMALL_PX = (160, 90)  # noise is gone in it, a belt that runs is not
MOVED, MOVED_SHARE = 10.0, 0.002  # of 255; share of the places that may differ so much between two frames


def demand_light(image: Image) -> None:
    """Raise where a frame is over-exposed."""
    share = float((image >= BRIGHT).mean())
    if share > CLIPPED:
        raise CalibrationRefused(f"{share:.0%} of the frame is over-exposed: shorten the exposure, or lower the gain")


def demand_still(shots: Sequence[Shot]) -> None:
    """Raise where what is seen moved between the frames; light that wavers moves nothing."""
    first = _small(shots[0].image)
    for other in shots[1:]:
        apart = _small(other.image) - first
        share = float((np.abs(apart - np.median(apart)) > MOVED).mean())
        if share > MOVED_SHARE:
            raise CalibrationRefused("the belt, or what lies on it, moved between frames: stop the belt, let it lie")


def _small(image: Image) -> npt.NDArray[np.float32]:
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.resize(grey, SMALL_PX, interpolation=cv2.INTER_AREA), np.float32)
