"""Sharp steps in a picture: an item's outline is one, a shadow's or a stain's soft rim is none."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Cells = npt.NDArray[np.float32]

TURNS = 4  # directions, 45° apart
HALF_PX = 6
ALONG_PX = 2.2  # standard deviation along a step
FINE_PX, COARSE_PX = (1.0, 2.0), (4.0, 5.5)  # from, to: strips beside a step that are compared
SOFT_SHARE = 1.5 / 4.75  # of the coarse step that a straight ramp has between the fine strips too


def sharp_steps(picture: Cells) -> Cells:
    """Height × width: how high the steepest step is there, of all channels together; a ramp has none."""
    steps = [length(np.asarray(cv2.filter2D(picture, -1, one, borderType=cv2.BORDER_REPLICATE))) for one in _KERNELS]
    return np.asarray(np.maximum.reduce(steps), np.float32)


def length(vectors: Cells) -> Cells:
    """Height × width: of the vectors of a picture, height × width × 2 or 3."""
    ones = np.ones((1, vectors.shape[-1]), np.float32)
    return np.asarray(cv2.sqrt(cv2.transform(vectors * vectors, ones)), np.float32)


def _kernel(turn: float) -> Cells:
    down, across = np.mgrid[-HALF_PX : HALF_PX + 1, -HALF_PX : HALF_PX + 1].astype(float)
    off = across * np.cos(turn) + down * np.sin(turn)
    weight = np.exp(-0.5 * ((down * np.cos(turn) - across * np.sin(turn)) / ALONG_PX) ** 2)
    fine, coarse = (_strip(off, weight, *reach) - _strip(-off, weight, *reach) for reach in (FINE_PX, COARSE_PX))
    return np.asarray(fine - coarse * SOFT_SHARE, np.float32)


def _strip(off: npt.NDArray[np.float64], weight: npt.NDArray[np.float64], low: float, high: float) -> Cells:
    """The mean over a strip beside the step, its ends cut between pixels."""
    share = np.clip(off - low + 0.5, 0, 1) * np.clip(high - off + 0.5, 0, 1) * weight
    return np.asarray(share / share.sum(), np.float32)


_KERNELS = [_kernel(np.pi * number / TURNS) for number in range(TURNS)]
