"""The belt: counts per millimetre, its direction, and where a camera stands along it, from a board that rides past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from calibration.board import SIZE_MM, Floats, Seen
from edge.core.errors import CalibrationRefused
from edge.core.plane import Plane

FEWEST_FRAMES = 5
SHORTEST_MM = 200.0  # that the board must have ridden in view
STANDS_MM = 1.0  # less than this from frame to frame is a belt that stands
NS_PER_S = 1e9
WORST_MM = 3.0  # that a frame may lie off the straight way: farther, and the board was pushed, or counts were lost


@dataclass(frozen=True, slots=True)
class Passed:
    """The board in one frame, and the encoder's counts at its exposure."""

    counts: float
    seen: Seen
    edge_counts: float = np.nan  # when the photoeye last went dark: by the board's leading edge
    exposed_ns: int | None = None  # monotonic


@dataclass(frozen=True, slots=True)
class BeltRun:
    """What a ride tells."""

    counts_per_mm: float
    across_deg: float  # how far the belt's way is turned from the board's, which was laid along it
    residuals_mm: tuple[float, ...]  # of each frame, along the way
    middle_counts: float  # when the board's middle was where the camera's view has its middle
    reversed: bool  # counts fall while the belt runs on
    speed_mm_per_s: float = np.nan  # where the times are known
    place_mm: float = np.nan  # of the camera's middle, downstream of the photoeye, where its edge is known

    @property
    def residual_mm(self) -> float:
        """Root mean square."""
        return float(np.sqrt(np.mean(np.square(self.residuals_mm))))


def belt_run(passed: Sequence[Passed], plane: Plane, size_px: tuple[int, int]) -> BeltRun:
    """From frames of the board riding past; size_px: of the picture, width and height.

    Raises:
        CalibrationRefused: too few frames, a belt that stands, or a ride that is not straight and even.
    """
    if len(passed) < FEWEST_FRAMES:
        raise CalibrationRefused(f"{len(passed)} frames of the board: {FEWEST_FRAMES} or more while it rides past")
    counts = np.array([one.counts for one in passed])
    places = np.array([_middle_mm(one.seen, plane) for one in passed])
    _demand_ridden(places)
    middle_counts = counts.mean()
    design = np.column_stack((counts - middle_counts, np.ones_like(counts)))
    (step, start), *_ = np.linalg.lstsq(design, places, rcond=None)
    way = step / np.linalg.norm(step)
    residuals = (places - design @ np.stack((step, start))) @ way
    _demand_even(residuals, counts)
    aim = plane.at_mm(np.array([[(size - 1) / 2 for size in size_px]]))[0]
    at_middle = middle_counts + float((aim - start) @ way) / float(step @ way)
    run = BeltRun(
        counts_per_mm=float(1 / np.linalg.norm(step)),
        across_deg=float(np.degrees(np.arctan2(way[1], abs(way[0])))),
        residuals_mm=tuple(float(one) for one in residuals),
        middle_counts=at_middle,
        reversed=bool(way[0] < 0),
        speed_mm_per_s=_speed(passed, float(np.linalg.norm(step))),
    )
    return replace(run, place_mm=camera_place_mm(run, _edge_counts(passed)))


def _edge_counts(passed: Sequence[Passed]) -> float:
    """When the board met the photoeye; nan: not known."""
    edges = {one.edge_counts for one in passed if not np.isnan(one.edge_counts)}
    if len(edges) > 1:
        raise CalibrationRefused("the photoeye went dark more than once: let the board ride past alone")
    return edges.pop() if edges else np.nan


def _speed(passed: Sequence[Passed], mm_per_count: float) -> float:
    """From the first frame to the last; nan: their times are not known."""
    first, last = passed[0], passed[-1]
    if first.exposed_ns is None or last.exposed_ns is None or last.exposed_ns <= first.exposed_ns:
        return np.nan
    ridden_mm = abs(last.counts - first.counts) * mm_per_count
    return ridden_mm / ((last.exposed_ns - first.exposed_ns) / NS_PER_S)


def camera_place_mm(run: BeltRun, edge_counts: float) -> float:
    """Where the camera's view has its middle, mm downstream of the photoeye.

    edge_counts: when the board's leading edge met the photoeye; the board lies along the belt.
    """
    ridden_mm = (run.middle_counts - edge_counts) / run.counts_per_mm
    return (-ridden_mm if run.reversed else ridden_mm) - SIZE_MM[0] / 2


def _middle_mm(seen: Seen, plane: Plane) -> Floats:
    """The middle of the board on the belt: a turn and a shift bring its corners to where they are seen."""
    here = plane.at_mm(seen.seen_px)
    there = seen.places_mm[:, :2] * (1.0, -1.0)
    middle = np.array((SIZE_MM[0] / 2, -SIZE_MM[1] / 2))
    u, _, v = np.linalg.svd((there - there.mean(axis=0)).T @ (here - here.mean(axis=0)))
    turn = (u @ np.diag((1.0, np.sign(np.linalg.det(u @ v)))) @ v).T
    return np.asarray(here.mean(axis=0) + turn @ (middle - there.mean(axis=0)))


def _demand_ridden(places_mm: Floats) -> None:
    ridden_mm = float(np.linalg.norm(places_mm.max(axis=0) - places_mm.min(axis=0)))
    if ridden_mm < STANDS_MM * len(places_mm):
        raise CalibrationRefused("the board did not move: let the belt run")
    if ridden_mm < SHORTEST_MM:
        raise CalibrationRefused(f"the board rode {ridden_mm:.0f} mm in view: {SHORTEST_MM:.0f} mm or more are needed")


def _demand_even(residuals_mm: Floats, counts: Floats) -> None:
    worst = int(np.abs(residuals_mm).argmax())
    if abs(residuals_mm[worst]) > WORST_MM:
        raise CalibrationRefused(
            f"at {counts[worst]:.0f} counts the board lies {residuals_mm[worst]:+.1f} mm off an even ride: "
            "it was pushed, the belt slipped, or counts were lost; let it ride again"
        )
