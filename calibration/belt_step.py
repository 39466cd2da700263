"""The step `belt`: counts per millimetre, direction, the camera's place, and whether it holds at other speeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from calibration import belt_plot, board
from calibration.belt_run import BeltRun, Passed, belt_run
from calibration.steps import Ask, Found, Shot, Shows, Step
from edge.core.calibration import Value
from edge.core.errors import CalibrationRefused
from edge.core.plane import Plane

FRAMES = 8
RIDES = (Shows.BOARD_RIDING, Shows.BOARD_RIDING_AGAIN)
SAME_SPEED = 1.2  # rides whose speeds differ by less than that say nothing of other speeds
MOST_LINEARITY_PERCENT = 0.5  # between two speeds: more, and the wheel slips or counts are lost
MS_PER_S = 1000.0


class BeltStep(Step):
    """Two rides, the second at another speed where the belt has one."""

    def __init__(self, plane: Plane) -> None:
        """Take where the camera looks, from its own step."""
        self._plane = plane
        self._rides: list[list[Passed]] = []
        self._size_px = (1, 1)

    def asks(self) -> Ask | None:
        """As `Step.asks`."""
        return Ask(RIDES[len(self._rides)], FRAMES) if len(self._rides) < len(RIDES) else None

    def take(self, shots: Sequence[Shot]) -> str:
        """As `Step.take`; the ride is reckoned at once, so that a bad one is told while the board is at hand."""
        passed = passed_by(shots)
        self._size_px = (shots[0].image.shape[1], shots[0].image.shape[0])
        run = belt_run(passed, self._plane, self._size_px)
        self._rides.append(passed)
        at = "" if np.isnan(run.speed_mm_per_s) else f" at {run.speed_mm_per_s:.0f} mm/s"
        return f"{len(passed)} frames{at}, {run.residual_mm:.2f} mm off an even ride"

    def found(self) -> Found:
        """As `Step.found`."""
        runs = [belt_run(ride, self._plane, self._size_px) for ride in self._rides]
        residuals = [abs(one) for run in runs for one in run.residuals_mm]
        quality = {
            "residual_mm": float(np.sqrt(np.mean(np.square(residuals)))),
            "residual_most_mm": max(residuals),
            **_linearity(runs),
        }
        picture = belt_plot.drawn(runs, [[one.counts for one in ride] for ride in self._rides])
        return Found(quality, _values(runs), picture, _says(runs))


def passed_by(shots: Sequence[Shot]) -> list[Passed]:
    """The board in each frame of a ride.

    Raises:
        CalibrationRefused: the frames have no counts, or do not show it.
    """
    if any(np.isnan(shot.counts) for shot in shots):
        raise CalibrationRefused(
            "the frames have no encoder counts: take them from a recording (`--recording`), or wire the encoder to "
            "the camera"
        )
    return [Passed(shot.counts, board.find(shot.image), shot.edge_counts, shot.exposed_ns) for shot in shots]


def _linearity(runs: Sequence[BeltRun]) -> dict[str, float]:
    """How much more counts a millimetre has at one speed than at another, where two were shown.

    Raises:
        CalibrationRefused: it is too much.
    """
    if not _two_speeds(runs):
        return {}
    percent = 100 * abs(runs[1].counts_per_mm / runs[0].counts_per_mm - 1)
    if percent > MOST_LINEARITY_PERCENT:
        raise CalibrationRefused(
            f"at {runs[1].speed_mm_per_s:.0f} mm/s a millimetre has {percent:.1f} % more or fewer counts than at "
            f"{runs[0].speed_mm_per_s:.0f}: the encoder's wheel slips, or counts are lost; see to it, then ride again"
        )
    return {"speed_linearity_percent": percent}


def _values(runs: Sequence[BeltRun]) -> dict[str, Value]:
    """What the line reckons with; the camera's place is that at the first ride's speed, the usual one."""
    values: dict[str, Value] = {
        "counts_per_mm": float(np.mean([run.counts_per_mm for run in runs])),
        "across_deg": runs[0].across_deg,
        "middle_counts": float(runs[0].middle_counts),
        "reversed": int(runs[0].reversed),
    }
    return values | dict(_known(runs))


def _known(runs: Sequence[BeltRun]) -> Mapping[str, Value]:
    """What takes a photoeye, or times, as well."""
    known: dict[str, Value] = {}
    if not np.isnan(runs[0].place_mm):
        known["place_mm"] = float(runs[0].place_mm)
    if _two_speeds(runs):
        known["speeds_mm_per_s"] = [run.speed_mm_per_s for run in runs]
        delay_s = -(runs[1].place_mm - runs[0].place_mm) / (runs[1].speed_mm_per_s - runs[0].speed_mm_per_s)
        if not np.isnan(delay_s):
            known["exposure_delay_ms"] = float(
                MS_PER_S * delay_s
            )  # a frame shows where the belt is so long after its counts
    return known


def _two_speeds(runs: Sequence[BeltRun]) -> bool:
    speeds = [run.speed_mm_per_s for run in runs]
    return len(runs) > 1 and not np.isnan(speeds).any() and max(speeds) > SAME_SPEED * min(speeds)


def _says(runs: Sequence[BeltRun]) -> str:
    values = _values(runs)
    way = ", and they fall while it runs on" if runs[0].reversed else ""
    says = (
        f"{values['counts_per_mm']:.4f} counts a millimetre{way}; turned by {runs[0].across_deg:+.2f}° from the board."
    )
    if "place_mm" in values:
        says += f" The camera's middle stands {values['place_mm']:.1f} mm behind the photoeye."
    else:
        says += " The camera's place was not measured: the frames came without the photoeye's edges."
    if _two_speeds(runs):
        return f"{says} Shown at {runs[0].speed_mm_per_s:.0f} and {runs[1].speed_mm_per_s:.0f} mm/s"
    return f"{says} Whether that holds at other speeds was not shown"
