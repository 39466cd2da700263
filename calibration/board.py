"""The board that a technician holds before a camera and lays on the belt: ChArUco, printed on A3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.errors import CalibrationRefused
from edge.core.messages import Image

Floats = npt.NDArray[np.float64]

ACROSS, DOWN = 9, 6  # squares
SQUARE_MM, MARKER_MM = 40.0, 30.0
SIZE_MM = (ACROSS * SQUARE_MM, DOWN * SQUARE_MM)
DICTIONARY = cv2.aruco.DICT_5X5_100
FEWEST_CORNERS = 12  # of the 40: fewer say little of a lens
MARKERS_A_CORNER = 4  # more markers than that lie otherwise than on this board
BRIGHT, CLIPPED = 250, 0.02  # share of the board's pixels that may be at the end of the scale
SOBEL, STEEPEST = 8.0, 98.0  # what its kernel multiplies a slope by; percentile of slopes that is an edge's
WIDEST_PX = 3.8  # of an edge: wider, and the lens is out of focus
MM_PER_INCH = 25.4


@dataclass(frozen=True, slots=True)
class Seen:
    """The board in one frame."""

    places_mm: Floats  # N × 3, on the board, z = 0
    seen_px: Floats  # N × 2


def board() -> cv2.aruco.CharucoBoard:
    """As OpenCV knows it."""
    dictionary = cv2.aruco.getPredefinedDictionary(DICTIONARY)
    return cv2.aruco.CharucoBoard((ACROSS, DOWN), SQUARE_MM, MARKER_MM, dictionary)


def drawn(dots_per_inch: float = 200) -> Image:
    """To be printed at full size; a ruler tells whether it was: SIZE_MM."""
    size = [round(side / MM_PER_INCH * dots_per_inch) for side in SIZE_MM]
    return np.asarray(board().generateImage((size[0], size[1])), np.uint8)


def find(image: Image) -> Seen:
    """The board's corners in a frame (BGR or mono).

    Raises:
        CalibrationRefused: it is not there, too little of it, over-exposed, or another board; with what to do.
    """
    grey = image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    corners, numbers, _, names = cv2.aruco.CharucoDetector(board()).detectBoard(grey)
    if numbers is None or len(numbers) < FEWEST_CORNERS:
        raise CalibrationRefused(_why_not(grey, *(0 if one is None else len(one) for one in (numbers, names))))
    seen_px = np.asarray(corners, float).reshape(-1, 2)
    _demand_light(grey, seen_px)
    places = np.asarray(board().getChessboardCorners(), float)[np.asarray(numbers).ravel()]
    return Seen(places, seen_px)


def _why_not(grey: Image, corners: int, markers: int) -> str:
    if (grey >= BRIGHT).mean() > CLIPPED:
        return "the frame is over-exposed, and the board is not seen whole: shorten the exposure"
    if markers > MARKERS_A_CORNER * (corners + 1):
        return (
            f"markers are seen, but not as on this board ({ACROSS} × {DOWN} squares): take the board that was printed"
        )
    if corners:
        return f"only {corners} of the board's {(ACROSS - 1) * (DOWN - 1)} corners are seen: bring all of it into view"
    return "no board is seen: hold it into view, flat, not in shade, and the lens in focus"


def _demand_light(grey: Image, seen_px: Floats) -> None:
    """Raise where the board's white is at the end of the scale: corners then lie where the light pours over."""
    (left, top), (right, bottom) = seen_px.min(axis=0).astype(int), seen_px.max(axis=0).astype(int) + 1
    share = float((grey[max(0, top) : bottom, max(0, left) : right] >= BRIGHT).mean())
    if share > CLIPPED:
        raise CalibrationRefused(f"{share:.0%} of the board is over-exposed: shorten the exposure")


def edge_px(image: Image, seen: Seen) -> float:
    """How wide a step from black to white is on the board: 1 to 3 in focus.

    Raises:
        CalibrationRefused: it is too wide.
    """
    grey = np.asarray(image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.float32)
    (left, top), (right, bottom) = seen.seen_px.min(axis=0).astype(int), seen.seen_px.max(axis=0).astype(int) + 1
    part = grey[max(0, top) : bottom, max(0, left) : right]
    slopes = [np.abs(cv2.Sobel(part, cv2.CV_32F, *way)) / SOBEL for way in ((1, 0), (0, 1))]
    low, high = np.percentile(part, (5, 95))
    wide_px = float((high - low) / max(1e-6, np.percentile(np.maximum(*slopes), STEEPEST)))
    if wide_px > WIDEST_PX:
        raise CalibrationRefused(
            f"edges are {wide_px:.1f} px wide: out of focus; turn the lens until the board is sharp"
        )
    return wide_px


def still(seen: Sequence[Seen], limit_px: float = 0.5) -> None:
    """Demand that the board lay still from frame to frame.

    Raises:
        CalibrationRefused: it moved: the belt runs, or somebody held it.
    """
    first = seen[0]
    for other in seen[1:]:
        moved_px = _moved_px(first, other)
        if moved_px > limit_px:
            raise CalibrationRefused(f"the board moved by {moved_px:.1f} px between frames: stop the belt, lay it down")


def _moved_px(one: Seen, other: Seen) -> float:
    here = {tuple(place): seen for place, seen in zip(one.places_mm.tolist(), one.seen_px, strict=True)}
    pairs = [
        (here[tuple(place)], seen)
        for place, seen in zip(other.places_mm.tolist(), other.seen_px, strict=True)
        if tuple(place) in here
    ]
    return float(np.median([np.linalg.norm(a - b) for a, b in pairs])) if pairs else float("inf")
