"""What a camera usually shows, and how far what it shows now lies from that: frames made small, and their medians."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.belt import NS_PER_S
from edge.core.errors import CameraFault, ReferencesRefused
from edge.core.messages import Image
from edge.sealed import read, write

MAKER = "view-2"  # to be counted up when what a stored view holds changes its meaning
SIDE_PX = 128  # width of the small copy
LEAST = 20  # frames, for a view to be learnt
SPACED_NS = NS_PER_S // 2  # frames so far apart are compared with the view: else one item alone would fill a horizon
HORIZONS = (15, 60)  # such frames, whose median is compared: the more, the less of what passes is left in it
ROWS, STEEP = 80, 0.99  # rows whose steps tell the sharpness, by those that so many are below
STEP_PX = 7  # every so manieth row and column tells whether two frames are equal
MOVED = 0.1  # by so much what stands still correlates better elsewhere than where it should be
REACH_PX = 14  # of the small copy: so far it is looked for
STILL = 4.0  # grey levels: what strays farther by itself counts for little
SOILED = 14.0  # levels between what is there and what should be
SPOT = 0.004  # share of the view
ENOUGH = 2  # times a horizon's frames: fewer are nearly their own median
DRAWS = 200  # of a horizon's frames from those learnt: how far sound medians lie from the view
MARGIN = 2.0  # times the worst of them, beyond the least that counts

Small = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Look:
    """A frame made small."""

    small: Image  # BGR, 128 px wide
    sharpness: float  # mean step between neighbouring pixels of the full frame, by its contrast
    sign: int  # of some of its pixels, bit for bit

    @classmethod
    def of(cls, image: Image) -> Look:
        """Look at a frame: BGR or mono."""
        height_px = max(3 * REACH_PX, round(SIDE_PX * image.shape[0] / image.shape[1]))
        small = cv2.resize(image, (SIDE_PX, height_px), interpolation=cv2.INTER_AREA)
        small = small if image.ndim == 3 else cv2.cvtColor(small, cv2.COLOR_GRAY2BGR)
        return cls(np.asarray(small, np.uint8), _sharpness(image), hash(image[::STEP_PX, ::STEP_PX].tobytes()))


@dataclass(frozen=True, slots=True)
class Limits:
    """How far the medians of a horizon may lie from the view; inf: too much changes by itself to tell."""

    moved: float  # by how much a shifted view correlates better
    covered: float  # share of the view


UNSTEADY = Limits(0.2, 0.05)  # sound medians that lie farther apart tell nothing of shifts, or of spots


@dataclass(frozen=True, slots=True)
class View:
    """What a camera usually shows."""

    usual: Small  # median of the small copies
    sharpness: float  # of the least sharp tenth
    spread: Small  # per pixel: how far frames lie from the median, grey levels
    limits: tuple[Limits, ...] = ()  # of each of the HORIZONS

    @classmethod
    def learn(cls, looks: Sequence[Look]) -> Self:
        """Learn from ordinary frames, items among them, as they came, SPACED_NS apart.

        Raises:
            CameraFault: fewer than LEAST frames.
        """
        if len(looks) < LEAST:
            raise CameraFault(f"has shown {len(looks)} frames: {LEAST} or more tell what it usually shows")
        usual = median_of(looks)
        spread = np.median([np.abs(look.small - usual).mean(axis=2) for look in looks], axis=0).astype(np.float32)
        sharpness = float(np.quantile([look.sharpness for look in looks], 0.1))
        view, chance = cls(usual, sharpness, spread), np.random.default_rng(0)
        return replace(view, limits=tuple(_limits(looks, view, frames, chance) for frames in HORIZONS))

    @property
    def tells(self) -> Limits:
        """The narrowest limits."""
        return Limits(min(one.moved for one in self.limits), min(one.covered for one in self.limits))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ReferencesRefused: missing, damaged, or learnt in another way.
        """
        stored = read(path, MAKER)
        try:
            limits = tuple(Limits(float(moved), float(covered)) for moved, covered in stored["limits"])
            return cls(stored["usual"], float(stored["sharpness"]), stored["spread"], limits)
        except KeyError as error:
            raise ReferencesRefused(f"{path}: no view ({error} is missing): learn it anew.") from error

    def save(self, path: Path) -> None:
        """Write to `path` (`.npz`)."""
        limits = np.array([(one.moved, one.covered) for one in self.limits])
        arrays = {"usual": self.usual, "spread": self.spread, "limits": limits, "sharpness": np.array(self.sharpness)}
        write(path, arrays, MAKER)


@dataclass(frozen=True, slots=True)
class Usual:
    """What stands still before a camera just now."""

    number: int  # of the last frame in it
    small: Small  # median of small copies
    width_px: int  # of the frames


def _limits(looks: Sequence[Look], view: View, frames: int, chance: np.random.Generator) -> Limits:
    """From medians of so many of the learnt frames: as they came, and drawn at random; of too few nothing is told."""
    if len(looks) < ENOUGH * frames:
        return Limits(np.inf, np.inf)
    runs = [looks[start : start + frames] for start in range(len(looks) - frames + 1)][:: max(1, len(looks) // DRAWS)]
    drawn = [[looks[one] for one in chance.integers(len(looks), size=frames)] for _ in range(DRAWS)]
    medians = [median_of(some) for some in (*runs, *drawn)]
    moved = max(shift_of(one, view)[0] for one in medians)
    covered = max(cover_of(one, view) for one in medians)
    return Limits(_limit(MOVED, moved, UNSTEADY.moved), _limit(SPOT, covered, UNSTEADY.covered))


def median_of(looks: Sequence[Look]) -> Small:
    """From which what passes is gone; bit by bit, six times as fast as by order."""
    stack = np.stack([look.small for look in looks])
    median = np.zeros(stack.shape[1:], np.uint8)
    for bit in (128, 64, 32, 16, 8, 4, 2, 1):
        below = (stack < median + bit).sum(axis=0, dtype=np.uint16)
        median[below <= len(looks) // 2] += bit
    return median.astype(np.float32)


def _limit(least: float, worst: float, unsteady: float) -> float:
    return least + MARGIN * worst if worst < unsteady else np.inf


def shift_of(median: Small, view: View) -> tuple[float, float]:
    """By how much the edges of what stands still correlate better elsewhere, and how far off that is (of the width)."""
    found = matched(_edges(median), _edges(view.usual), view.spread, REACH_PX)
    down, across = np.unravel_index(found.argmax(), found.shape)
    better = float(found.max() - found[REACH_PX, REACH_PX])
    return better, float(np.hypot(across - REACH_PX, down - REACH_PX)) / SIDE_PX


def matched(now: Small, then: Small, spread: Small, reach_px: int) -> Small:
    """How well what stands still fits, shifted by up to so much each way; in the middle: where it should be.

    now, then: pictures of edges, of the same size; spread: as `View.spread`.
    """
    middle = slice(reach_px, -reach_px)
    still = 1 / (1 + (spread[middle, middle] / STILL) ** 2)
    found = np.asarray(cv2.matchTemplate(now, then[middle, middle], cv2.TM_CCOEFF_NORMED, mask=still), np.float32)
    found[~np.isfinite(found)] = -1
    return found


def _edges(picture: Small) -> Small:
    grey = picture.mean(axis=2)
    return np.asarray(cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)), np.float32)


def cover_of(median: Small, view: View) -> float:
    """Share of the view that looks as it never did, whatever passes."""
    apart = median - view.usual
    grey = np.abs(apart - apart.mean(axis=(0, 1))).mean(axis=2)
    spot = cv2.blur((grey > SOILED + 3 * view.spread).astype(np.float32), (5, 5)) > 0.5
    return float(spot.mean())


def _sharpness(image: Image) -> float:
    """Mean step between neighbours on the full frame, by the frame's own contrast."""
    rows = image[:: max(1, image.shape[0] // ROWS)]
    plane = np.ascontiguousarray(rows if rows.ndim == 2 else rows[..., 1])
    steps = np.bincount(cv2.absdiff(plane[:, 1:], plane[:, :-1]).ravel(), minlength=256)
    high = int(np.searchsorted(np.cumsum(steps), STEEP * steps.sum()))
    return high / max(1.0, float(cv2.meanStdDev(plane)[1][0, 0]))
