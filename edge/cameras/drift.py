"""Whether a calibrated camera still sees what it saw then: colours in ΔE00 by the bare belt, its place in mm."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from edge.cameras.grabber import Grabber
from edge.cameras.usual import SIDE_PX, Small, View, matched
from edge.core.colour_difference import delta_e_2000, lab_of, linear
from edge.core.plane import Plane

Floats = npt.NDArray[np.float64]
RUN = 3  # looks in a row that lie beyond a limit: then it is told, and so many within it: then it is well
BELT = 0.5  # share of the view that changes least: it is belt, or stands still
GREY = 0.5  # of the light that falls on it a thing sends back, by which a change of light is told
NEAR_PX = 4  # of the small copy: so far a move is looked for; health tells of larger ones
SOFT_PX = 1.5
FITS = 0.8  # correlation: below, too little stands still to tell a place by
SMOOTH_PX = 5  # of the small copy
DARKEST = 0.002  # of linear light: what is darker tells nothing


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

    colour: float  # ΔE00 that a grey thing looks off by, as far as the belt tells
    moved_mm: float  # on the belt, in the middle of the view; not a number: too little stands still there


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
        colour_limit: float,
        moved_limit_mm: float,
    ) -> None:
        """Take the cameras, what each was calibrated to (None: it was not), and from where on a person is told."""
        self._grabbers, self._calibrated = grabbers, calibrated
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
        watched.off = off(usual.small, usual.width_px, reference)
        for kind, beyond, why in self._said(watched.off):
            _count(watched, kind, why, beyond=beyond)

    def _said(self, one: Off) -> Iterator[tuple[str, bool, str]]:
        """What is held against a limit: what, whether it is beyond, and what to do then."""
        colour = f"by its belt, colours are off by ΔE {one.colour:.1f} since it was calibrated: clean belt and lens,"
        yield "colour", one.colour > self._colour_limit, f"{colour} see to the lamps, then do the step `camera` anew"
        moved = f"it looks {one.moved_mm:.1f} mm beside where it was calibrated: put it back, or do the steps `camera`"
        yield "place", one.moved_mm > self._moved_limit_mm, f"{moved} and `belt` anew"


def off(usual: Small, width_px: int, reference: Calibrated) -> Off:
    """How far a median of frames (`Small`) lies from what was seen when it was calibrated; width_px: of the frames."""
    view = reference.view
    shift_px = np.subtract(_place_px(usual, view), _place_px(view.usual, view))
    known_px = shift_px[np.isfinite(shift_px)]
    moved_mm = np.linalg.norm(known_px) * width_px / SIDE_PX * reference.plane.mm_per_px if known_px.size else np.nan
    return Off(_colour(usual, reference), float(moved_mm))


def _count(watched: _Watched, kind: str, why: str, *, beyond: bool) -> None:
    run = watched.runs.get(kind, 0)
    watched.runs[kind] = (max(run, 0) + 1) if beyond else (min(run, 0) - 1)
    if watched.runs[kind] >= RUN and kind not in watched.told:
        watched.told[kind] = why
    elif watched.runs[kind] <= -RUN:
        watched.told.pop(kind, None)


def _colour(usual: Small, reference: Calibrated) -> float:
    """How far off a grey thing would look in the light that the belt is in now, to a camera calibrated as then.

    A belt is dark, and its own colour hardly moves while a white carton's does: so what its light has become, as a
    share of what it was, red, green and blue each (von Kries, 1902), is told by a thing that is grey.
    """
    still = reference.view.spread <= np.quantile(reference.view.spread, BELT)
    then, now = (_light(one)[still] for one in (reference.view.usual, usual))
    share = np.median(now / then, axis=0)  # of what a move has put elsewhere, most is told apart
    grey = np.linalg.solve(reference.to_srgb, np.full(3, GREY))
    seen = np.stack((grey, grey * share)) @ reference.to_srgb.T
    return float(delta_e_2000(*lab_of(seen)))


def _light(small: Small) -> Floats:
    """Linear light, red first; smooth, so that it is finer than the levels of a dark belt."""
    smooth = cv2.blur(small, (SMOOTH_PX, SMOOTH_PX))[..., ::-1].astype(float)
    return np.maximum(linear(smooth / 255), DARKEST)


def _place_px(usual: Small, view: View) -> tuple[float, float]:
    """Across and down, px of the small copy: where what stands still fits best; not a number: nothing tells.

    By edges that run down and edges that run across, each for itself: a rail tells where it lies, not how far along.
    """
    across, down = (_matched(usual, view, way) for way in ((1, 0), (0, 1)))
    return _top(across, axis=1), _top(down, axis=0)


def _matched(usual: Small, view: View, way: tuple[int, int]) -> Small:
    now, then = (cv2.Sobel(_soft(one), cv2.CV_32F, *way) for one in (usual, view.usual))
    return matched(np.asarray(now, np.float32), np.asarray(then, np.float32), view.spread, NEAR_PX)


def _top(found: Small, axis: int) -> float:
    """Where along an axis its top is, between the pixels too."""
    if found.max() < FITS:
        return np.nan
    top = np.unravel_index(found.argmax(), found.shape)
    line = found[top[0]] if axis else found[:, top[1]]
    place = int(top[axis])
    return place + _between(line[max(0, place - 1) : place + 2])


def _soft(small: Small) -> Small:
    """Grey, and so soft that a place between two pixels is seen in both."""
    return np.asarray(cv2.GaussianBlur(small.mean(axis=2), (0, 0), SOFT_PX), np.float32)


def _between(three: Small) -> float:
    """Where the parabola through three neighbours has its top, from the middle one; 0 at the rim."""
    if len(three) < 3:
        return 0.0
    before, top, after = (float(one) for one in three)
    bend = before - 2 * top + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0
