"""The lens and the place of a camera, from frames of the board: held in hand, then laid on the belt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from calibration.board import SIZE_MM, Floats, Seen
from edge.core.errors import CalibrationRefused
from edge.core.plane import Plane

FEWEST_VIEWS = 6  # of the board, held in different ways
TILTED_DEG = 12.0  # some of them by so much: from frames that are all flat no lens can be told
COVERED = 0.4  # of the picture's width and height that the corners of all views reach over
WORST_PX = 1.0  # root mean square of what the lens leaves unexplained


@dataclass(frozen=True, slots=True)
class Lens:
    """What a camera does to straight lines."""

    matrix: Floats  # 3 × 3
    bent: Floats  # k1, k2, p1, p2, k3
    residual_px: float  # root mean square
    tilts_deg: tuple[float, ...]  # of the board in each view


def lens(views: Sequence[Seen], size_px: tuple[int, int]) -> Lens:
    """From views of the board in hand (Zhang 2000, as OpenCV's `calibrateCamera` has it); size_px: width and height.

    Raises:
        CalibrationRefused: too few views, all alike, or none that fit together; with what to do.
    """
    if len(views) < FEWEST_VIEWS:
        raise CalibrationRefused(f"{len(views)} views of the board: {FEWEST_VIEWS} or more, held in different ways")
    _demand_spread(views, size_px)
    # Of a lens that is bent little, two coefficients are all that a few views can tell.
    flags = cv2.CALIB_FIX_K3 | cv2.CALIB_ZERO_TANGENT_DIST
    places = [one.places_mm.astype(np.float32) for one in views]
    seen = [one.seen_px.astype(np.float32) for one in views]
    residual_px, matrix, bent, turns, _ = cv2.calibrateCamera(places, seen, size_px, None, None, flags=flags)
    tilts = tuple(_tilt_deg(np.asarray(turn)) for turn in turns)
    if max(tilts) < TILTED_DEG:
        raise CalibrationRefused(f"the board was always held flat: tilt it by {TILTED_DEG:.0f}° or more, each way")
    if residual_px > WORST_PX:
        raise CalibrationRefused(
            f"{residual_px:.1f} px remain unexplained: the board is bent, was not printed at its size, or moved"
        )
    return Lens(np.asarray(matrix), np.asarray(bent, float).ravel()[:5], float(residual_px), tilts)


def plane(known: Lens, laid: Seen) -> tuple[Plane, float]:
    """Where the camera stands, from the board laid on the belt, its arrow along it; and the residual on the belt, mm.

    Raises:
        CalibrationRefused: the board does not lie flat, or is none that this lens can have seen.
    """
    found, turn, shift = cv2.solvePnP(
        laid.places_mm, laid.seen_px, known.matrix, known.bent, flags=cv2.SOLVEPNP_ITERATIVE
    )
    if not found:
        raise CalibrationRefused("the board on the belt cannot be placed: lay it flat, all of it in view")
    to_camera = np.asarray(cv2.Rodrigues(turn)[0], np.float64)
    # The board's y runs down the page: the belt's runs the other way, so that z points up; its origin is the middle.
    belt = np.diag((1.0, -1.0, -1.0))
    middle = np.array((SIZE_MM[0] / 2, SIZE_MM[1] / 2, 0.0))
    here = Plane(known.matrix, known.bent, to_camera @ belt, np.asarray(shift).ravel() + to_camera @ middle)
    off = here.at_mm(laid.seen_px) - ((laid.places_mm - middle) @ belt)[:, :2]
    residual_mm = float(np.sqrt((off**2).sum(axis=1).mean()))
    if (here.turn.T @ -here.shift_mm)[2] <= 0:
        raise CalibrationRefused("the board was seen from below: lay it on the belt, print up")
    return here, residual_mm


def _demand_spread(views: Sequence[Seen], size_px: tuple[int, int]) -> None:
    """Raise unless the board was shown over much of the picture."""
    seen = np.concatenate([one.seen_px for one in views])
    reach = (seen.max(axis=0) - seen.min(axis=0)) / size_px
    if reach.min() < COVERED:
        way = "left and right" if reach[0] < reach[1] else "near and far"
        raise CalibrationRefused(f"the board was shown in the middle alone: show it {way} too, to the picture's rims")


def _tilt_deg(turn: Floats) -> float:
    """Between the board and the picture."""
    return float(np.degrees(np.arccos(np.clip(abs(np.asarray(cv2.Rodrigues(turn)[0])[2, 2]), 0, 1))))
