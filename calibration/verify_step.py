"""The step `verify`: fresh frames against what was accepted; it changes nothing but that it was verified."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calibration import board, chart
from calibration.camera_step import STILL, overlaid
from calibration.steps import Ask, Found, Shot, Shows
from edge.core.errors import CalibrationRefused
from edge.core.messages import Image
from edge.core.plane import Plane

MOST_MM = 3.0  # on the length of the board's diagonal
MOST_COLOUR = 6.0  # ΔE of 1976, of the worst patch


class VerifyStep:
    """The board and the chart once more."""

    def __init__(self, plane: Plane, to_srgb: chart.Floats) -> None:
        """Take what the step `camera` found."""
        self._plane, self._to_srgb = plane, to_srgb
        self._laid: board.Seen | None = None
        self._picture: Image | None = None
        self._colours: chart.Floats | None = None

    def asks(self) -> Ask | None:
        """As `Step.asks`."""
        if self._laid is None:
            return Ask(Shows.BOARD_ON_BELT, STILL)
        return Ask(Shows.CHART, 1) if self._colours is None else None

    def take(self, shots: Sequence[Shot]) -> str:
        """As `Step.take`."""
        if self._laid is None:
            laid = [board.find(shot.image) for shot in shots]
            board.still(laid)
            self._laid, self._picture = laid[-1], shots[-1].image
            return "the board lies still"
        self._colours = chart.measure(shots[0].image)
        return "24 patches"

    def found(self) -> Found:
        """As `Step.found`."""
        if self._laid is None or self._picture is None or self._colours is None:
            raise CalibrationRefused("nothing was shown yet: begin this step anew")
        length_mm = _length_error_mm(self._plane, self._laid)
        apart = chart.differences(self._colours @ self._to_srgb.T)
        if length_mm > MOST_MM:
            raise CalibrationRefused(
                f"the board is {length_mm:.1f} mm off: the camera was moved, or its lens turned; do `camera` anew"
            )
        if apart.max() > MOST_COLOUR:
            raise CalibrationRefused(
                f"colours are off by ΔE {apart.max():.1f}: lamp, exposure or white balance changed; do `camera` anew"
            )
        quality = {"length_error_mm": length_mm, "colour_difference_most": float(apart.max())}
        says = f"the board's diagonal is right to {length_mm:.2f} mm, colours to ΔE {apart.max():.1f}"
        return Found(quality, {"passed": 1}, overlaid(self._picture, self._plane, self._laid), says)


def _length_error_mm(plane: Plane, laid: board.Seen) -> float:
    """Of the longest way between two corners that were seen."""
    here, there = plane.at_mm(laid.seen_px), laid.places_mm[:, :2]
    far = int(np.linalg.norm(there - there[0], axis=1).argmax())
    return abs(float(np.linalg.norm(here[far] - here[0])) - float(np.linalg.norm(there[far] - there[0])))
