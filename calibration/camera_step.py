"""The step `camera`: lens, place above the belt, and colour."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from calibration import board, chart
from calibration.colour_plot import bars, compared
from calibration.frame_faults import demand_still
from calibration.lens import FEWEST_VIEWS, lens, plane
from calibration.steps import Ask, Found, Shot, Shows, Step
from edge.core.messages import Image
from edge.core.plane import Plane

VIEWS = FEWEST_VIEWS + 4
STILL = 2  # frames of the board on the belt: it must not move between them
GRID_MM, REACH_MM = 100.0, 300.0  # of the grid that is drawn over the belt
LINE, DOT = (0, 220, 255), (0, 255, 0)
DOWN = "the camera looks at the belt from {height:.0f} mm; {scale:.2f} mm a pixel; colours within ΔE00 {colour:.1f}"


class CameraStep(Step):
    """Board in hand, board on the belt, chart twice."""

    def __init__(self) -> None:
        self._views: list[board.Seen] = []
        self._laid: list[board.Seen] = []
        self._picture: Image | None = None
        self._edge_px = np.inf  # how sharp it is
        self._chart: Image = np.zeros((2, 2, 3), np.uint8)
        self._colours: list[chart.Floats] = []

    def asks(self) -> Ask | None:
        """As `Step.asks`."""
        if len(self._views) < VIEWS:
            return Ask(Shows.BOARD_IN_HAND, 1)
        if not self._laid:
            return Ask(Shows.BOARD_ON_BELT, STILL)
        if len(self._colours) < 2:
            return Ask(Shows.CHART_TURNED if self._colours else Shows.CHART, STILL)
        return None

    def take(self, shots: Sequence[Shot]) -> str:
        """As `Step.take`."""
        self._picture = shots[-1].image if self._picture is None or not self._laid else self._picture
        if len(self._views) < VIEWS:
            self._views.append(board.find(shots[0].image))
            return f"view {len(self._views)} of {VIEWS}: {len(self._views[-1].seen_px)} corners"
        if not self._laid:
            laid = [board.find(shot.image) for shot in shots]
            board.still(laid)
            self._edge_px = board.edge_px(shots[-1].image, laid[-1])
            self._laid, self._picture = laid, shots[-1].image
            return f"the board lies still; its edges are {self._edge_px:.1f} px wide"
        demand_still(shots)
        self._colours.append(chart.measure(shots[0].image))
        self._chart = shots[0].image
        return "24 patches"

    def found(self) -> Found:
        """As `Step.found`."""
        picture = np.zeros((2, 2, 3), np.uint8) if self._picture is None else self._picture
        known = lens(self._views, (picture.shape[1], picture.shape[0]))
        here, residual_mm = plane(known, self._laid[-1])
        matrix = chart.fitted(self._colours)
        patches = np.mean(self._colours, axis=0) @ matrix.T
        apart = chart.differences(patches)
        height_mm = float((here.turn.T @ -here.shift_mm)[2])
        quality = {
            "edge_px": self._edge_px,
            "lens_residual_px": known.residual_px,
            "belt_residual_mm": residual_mm,
            "colour_difference_mean": float(apart.mean()),
            "colour_difference_most": float(apart.max()),
        }
        values = {
            "matrix": here.matrix.tolist(),
            "bent": here.bent.tolist(),
            "turn": here.turn.tolist(),
            "shift_mm": here.shift_mm.tolist(),
            "to_srgb": matrix.tolist(),
            "patches": patches.tolist(),
        }
        says = DOWN.format(height=height_mm, scale=here.mm_per_px, colour=float(apart.max()))
        before = chart.differences(np.mean(self._colours, axis=0))
        more = {"before and after": compared(self._chart, matrix), "colour differences": bars(before, apart)}
        return Found(quality, values, overlaid(picture, here, self._laid[-1]), says, more=more)


def overlaid(picture: Image, here: Plane, laid: board.Seen) -> Image:
    """A grid of 100 mm over the belt, and the corners that were seen."""
    shown = picture.copy() if picture.ndim == 3 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), np.uint8)
    thick = max(1, shown.shape[1] // 640)
    for off in np.arange(-REACH_MM, REACH_MM + 1, GRID_MM):
        along, across = (np.full((20, 3), (off, off, 0.0)) for _ in range(2))
        along[:, 1] = across[:, 0] = np.linspace(-REACH_MM, REACH_MM, 20)
        lines = [np.rint(here.seen_px(line)).astype(np.int32) for line in (along, across)]
        cv2.polylines(shown, lines, isClosed=False, color=LINE, thickness=thick)
    for x, y in np.rint(laid.seen_px).astype(int):
        cv2.circle(shown, (int(x), int(y)), 2 * thick, DOT, cv2.FILLED)
    return shown
