"""From a crop to the backbone's patches: one run, used by every question about looks."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edge.inspection.crop import Crop
from edge.inspection.session import Session, Tensor

INSIDE = 0.5  # share of a patch that must show the item for the patch to count
SIDE_PX = 256  # in which it is looked at; the backbone looks at the same
COARSE_PX = 16  # side of the copy in which a sensor's noise is averaged away
STEP_PX = 4  # every so manieth row and column suffices for that
SAMPLES = 4  # of the mask along each side of a patch: enough to tell whether most of it shows the item
LEAST_CONTRAST = 12  # of 255 grey levels: a lens cap, a lamp that is off or blinds spans fewer on the coarse copy


def blank(crop: Crop) -> bool:
    """Tell whether a crop shows nothing: black, white, or any other even ground."""
    some = crop.stretched((SIDE_PX, SIDE_PX))[::STEP_PX, ::STEP_PX]
    coarse = cv2.cvtColor(cv2.resize(some, (COARSE_PX, COARSE_PX), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    return int(coarse.max()) - int(coarse.min()) < LEAST_CONTRAST


def patches(crop: Crop, session: Session) -> Tensor:
    """The crop's patches, row by row: grid² × channels (1024 × 152)."""
    rows: Tensor = session.run(_input(crop, session))[0][0]
    return rows


def inside(crop: Crop, session: Session) -> npt.NDArray[np.bool_]:
    """Which of the patches show the item: grid²."""
    grid = session.manifest.extra["grid"]
    samples = cv2.resize(crop.mask, (SAMPLES * grid, SAMPLES * grid), interpolation=cv2.INTER_NEAREST)
    share = cv2.resize(samples, (grid, grid), interpolation=cv2.INTER_AREA).ravel() / 255
    shown: npt.NDArray[np.bool_] = share >= INSIDE
    return shown if shown.any() else np.ones_like(shown)


def of_item(crop: Crop, session: Session) -> Tensor:
    """Those of the crop's patches that show the item."""
    return patches(crop, session)[inside(crop, session)]


def pooled(rows: Tensor, shown: npt.NDArray[np.bool_]) -> Tensor:
    """Mean and standard deviation of each channel over the patches that show the item: 2 × channels."""
    kept = rows[shown]
    return np.concatenate((kept.mean(axis=0), kept.std(axis=0)))


def _input(crop: Crop, session: Session) -> Tensor:
    """1 × 3 × side × side, normalised as the manifest says; the crop is stretched to the square."""
    side_px = session.manifest.extra["side_px"]
    square = crop.stretched((side_px, side_px))
    return session.manifest.batch(square[..., ::-1] if session.manifest.channels == "RGB" else square)
