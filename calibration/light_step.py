"""The step `light`: how evenly it falls, whether it flickers, and how bright it is, to be held against later."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from calibration.chart import linear
from calibration.steps import Ask, Found, Shot, Shows, Step
from edge.core.errors import CalibrationRefused
from edge.core.messages import Image

Floats = npt.NDArray[np.float64]

FRAMES = 20
GRID = (24, 16)  # places across and down at which the light is measured
BRIGHT, DARK = 250, 40  # of 255: a sheet beyond tells nothing
DEGREE = 4  # of the smooth light
UNEVEN = 0.35  # least share of the brightest place that the darkest may have
FLICKER = 0.05  # most that frames may differ, as a share
ROUGH = 0.08  # that a place may lie off the smooth light: more, and the sheet has an edge or a shadow on it


class LightStep(Step):
    """A white sheet over the whole view."""

    def __init__(self) -> None:
        self._levels: list[Floats] = []
        self._picture: Image | None = None

    def asks(self) -> Ask | None:
        """As `Step.asks`."""
        return None if self._levels else Ask(Shows.SHEET, FRAMES)

    def take(self, shots: Sequence[Shot]) -> str:
        """As `Step.take`."""
        found = [levels(shot.image) for shot in shots]
        share = _flicker(found)
        if share > FLICKER:
            raise CalibrationRefused(
                f"the light flickers by {share:.0%}: use lamps on direct current, or an exposure of whole mains periods"
            )
        smooth = _smooth(np.mean(found, axis=0))
        off = float(np.abs(np.mean(found, axis=0) / smooth - 1).max())
        if off > ROUGH:
            raise CalibrationRefused(f"a place differs by {off:.0%} from those around it: lay the sheet flat, over all")
        self._levels, self._picture = found, shots[-1].image
        return f"{len(found)} frames, flicker {share:.1%}"

    def found(self) -> Found:
        """As `Step.found`."""
        smooth = _smooth(np.mean(self._levels, axis=0))
        even = float(smooth.min() / smooth.max())
        if even < UNEVEN:
            raise CalibrationRefused(f"the darkest place gets {even:.0%} of the brightest: move or add a lamp")
        quality = {"evenness": even, "flicker": _flicker(self._levels)}
        values = {
            "level": float(smooth.mean()),
            "falls": _coefficients(smooth / smooth.max()).tolist(),  # as `_design` has its powers
        }
        says = f"the darkest place gets {even:.0%} of the brightest; frames differ by {quality['flicker']:.1%}"
        return Found(quality, values, _map(smooth), says)


def levels(image: Image) -> Floats:
    """GRID: linear light at each place."""
    grey = image if image.ndim == 2 else image[..., 1]
    small = np.asarray(cv2.resize(grey, GRID, interpolation=cv2.INTER_AREA), float)
    if small.max() >= BRIGHT:
        raise CalibrationRefused("the sheet is over-exposed: shorten the exposure, or lower the gain")
    if small.min() < DARK:
        raise CalibrationRefused("a part of the view is dark: the sheet must fill it, without a shadow")
    return linear(small / 255)


def _flicker(levels: Sequence[Floats]) -> float:
    means = np.array([one.mean() for one in levels])
    return float((means.max() - means.min()) / means.mean())


def _design() -> Floats:
    """Places × 15: x and y, −1 … 1, to powers that together are no more than DEGREE."""
    x, y = np.meshgrid(np.linspace(-1, 1, GRID[0]), np.linspace(-1, 1, GRID[1]))
    powers = [(i, j) for i in range(DEGREE + 1) for j in range(DEGREE + 1 - i)]
    return np.stack([x**i * y**j for i, j in powers], axis=-1).reshape(-1, len(powers))


def _coefficients(levels: Floats) -> Floats:
    return np.asarray(np.linalg.lstsq(_design(), levels.ravel(), rcond=None)[0])


def _smooth(levels: Floats) -> Floats:
    """What a lamp can do: a surface of that degree; one of the second leaves 15 % of a strong lamp unexplained."""
    return np.asarray((_design() @ _coefficients(levels)).reshape(levels.shape))


def _map(smooth: Floats) -> Image:
    """The light over the view, with lines of equal light every tenth."""
    share = cv2.resize(smooth / smooth.max(), (640, 427), interpolation=cv2.INTER_CUBIC)
    tinted = cv2.applyColorMap(np.asarray(np.clip(share, 0, 1) * 255, np.uint8), cv2.COLORMAP_VIRIDIS)
    for level in np.arange(0.1, 1.0, 0.1):
        outlines, _ = cv2.findContours((share > level).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(tinted, outlines, -1, (255, 255, 255), 1)
    return np.asarray(tinted, np.uint8)
