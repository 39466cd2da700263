"""Whether a calibrated camera still sees what it saw then: the bare belt's colour in ΔE00, its place in mm."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from edge.cameras.grabber import Grabber
from edge.cameras.health import REACH_PX, SIDE_PX, Small, View, matched
from edge.core.colour_difference import delta_e_2000
from edge.core.messages import Image
from edge.core.plane import Plane

Floats = npt.NDArray[np.float64]
Lab = Callable[[Image, Floats], Floats]
"""A picture (BGR) and the matrix from the camera's linear colours to sRGB's → L, a, b, height × width × 3."""

RUN = 3  # looks in a row that lie beyond a limit: then it is told, and so many within it: then it is well
BELT = 0.5  # share of the view that changes least: it is belt, or stands still
SMOOTH_PX = 5  # of the small copy: weave and noise are no colour


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What a camera was calibrated to, and what it saw then."""

    version: int
    plane: Plane
    to_srgb: Floats  # 3 × 3
    view: View


@dataclass(frozen=True, slots=True)
class Off:
    """How far from it a camera is."""

    colour: float  # ΔE00
    moved_mm: float  # on the belt, in the middle of the view


@dataclass(slots=True)
class _Watched:
    """One camera, between two looks."""

    number: int = 0  # of the last look
    version: int = 0  # of what it was held against
    off: Off | None = None
    runs: dict[str, int] = field(default_factory=dict)  # what → looks in a row that said so; below 0: that did not
    told: dict[str, str] = field(default_factory=dict)


class CameraDrift:
    """Looks at what stands still before each calibrated camera of this box."""

    def __init__(
        self,
        grabbers: Sequence[Grabber],
        calibrated: Callable[[str], Calibrated | None],
        lab: Lab,
        colour_limit: float,
        moved_limit_mm: float,
    ) -> None:
        """Take the cameras, what each was calibrated to (None: it was not), and from where on a person is told."""
        self._grabbers, self._calibrated, self._lab = grabbers, calibrated, lab
        self._colour_limit, self._moved_limit_mm = colour_limit, moved_limit_mm
        self._watched = {one.name: _Watched() for one in grabbers}

    def __call__(self) -> Mapping[str, str]:
        """What is to be told now; looks where there is something new to look at."""
        for grabber in self._grabbers:
            self._look(grabber, self._watched[grabber.name])
        told = ((name, kind, why) for name, one in self._watched.items() for kind, why in one.told.items())
        return {f"camera.{name} {kind}": why for name, kind, why in told}

    def off(self) -> Mapping[str, Off]:
        """Camera → how far off it is."""
        return {name: one.off for name, one in self._watched.items() if one.off}

    def _look(self, grabber: Grabber, watched: _Watched) -> None:
        usual, reference = grabber.usual, self._calibrated(grabber.name)
        if usual is None or reference is None or usual.number == watched.number:
            return
        if reference.version != watched.version:
            watched.version, watched.runs, watched.told = reference.version, {}, {}
        watched.number = usual.number
        if usual.small.shape != reference.view.usual.shape:
            return  # a camera of another format: its own health tells
        watched.off = off(usual.small, usual.width_px, reference, self._lab)
        for kind, beyond, why in self._said(watched.off):
            _count(watched, kind, why, beyond=beyond)

    def _said(self, one: Off) -> Iterator[tuple[str, bool, str]]:
        """What is held against a limit: what, whether it is beyond, and what to do then."""
        colour = f"the belt's colour is ΔE {one.colour:.1f} from when it was calibrated: clean belt and lens,"
        yield "colour", one.colour > self._colour_limit, f"{colour} see to the lamps, then do the step `camera` anew"
        moved = f"it looks {one.moved_mm:.1f} mm beside where it was calibrated: put it back, or do the steps `camera`"
        yield "place", one.moved_mm > self._moved_limit_mm, f"{moved} and `belt` anew"


def off(usual: Small, width_px: int, reference: Calibrated, lab: Lab) -> Off:
    """How far a median of frames (`Small`) lies from what was seen when it was calibrated; width_px: of the frames."""
    across, down = _shift_px(usual, reference.view)
    moved_mm = float(np.hypot(across, down)) * width_px / SIDE_PX * reference.plane.mm_per_px
    return Off(_colour(usual, reference, lab), moved_mm)


def _count(watched: _Watched, kind: str, why: str, *, beyond: bool) -> None:
    run = watched.runs.get(kind, 0)
    watched.runs[kind] = (max(run, 0) + 1) if beyond else (min(run, 0) - 1)
    if watched.runs[kind] >= RUN and kind not in watched.told:
        watched.told[kind] = why
    elif watched.runs[kind] <= -RUN:
        watched.told.pop(kind, None)


def _colour(usual: Small, reference: Calibrated, lab: Lab) -> float:
    """Of the mean colour of what changes least."""
    still = reference.view.spread <= np.quantile(reference.view.spread, BELT)
    then, now = (_mean_lab(one, still, reference.to_srgb, lab) for one in (reference.view.usual, usual))
    return float(delta_e_2000(then, now))


def _mean_lab(small: Small, where: npt.NDArray[np.bool_], to_srgb: Floats, lab: Lab) -> Floats:
    smooth = cv2.blur(small, (SMOOTH_PX, SMOOTH_PX))
    return np.asarray(lab(np.rint(smooth).astype(np.uint8), to_srgb)[where].mean(axis=0), float)


def _shift_px(usual: Small, view: View) -> tuple[float, float]:
    """Across and down, px of the small copy: where what stands still fits best, between the pixels too."""
    found = matched(usual, view)
    down, across = (int(place) for place in np.unravel_index(found.argmax(), found.shape))
    return (
        across - REACH_PX + _between(found[down, across - 1 : across + 2]),
        down - REACH_PX + _between(found[down - 1 : down + 2, across]),
    )


def _between(three: Small) -> float:
    """Where the parabola through three neighbours has its top, from the middle one; 0 at the rim."""
    if len(three) < 3:
        return 0.0
    before, top, after = (float(one) for one in three)
    bend = before - 2 * top + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0
