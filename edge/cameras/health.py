"""Whether a camera shows what it should: judged by the content of its frames, against the view that was learnt.

Every frame is made small once. Some faults show in a single frame (black, white), some in a few that are equal bit for
bit (a sensor's noise never repeats), the others in the median of the last frames, from which passing items are gone,
beside the median of the frames that were learnt.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.errors import CameraFault, ReferencesRefused
from edge.core.messages import Image
from edge.sealed import read, write

MAKER = "view-1"  # to be counted up when what a stored view holds changes its meaning
SIDE_PX = 128  # width of the small copy
LEAST = 20  # frames, for a view to be learnt
RECENT = 15  # frames whose median is compared,
EVERY = 5  # at each so manieth frame: it takes longer than all the rest
EQUAL = 3  # frames, equal bit for bit
HASHED = 64  # frames that are remembered to tell a recording
ROWS, STEEP = 80, 0.99  # rows whose steps tell the sharpness, by those that so many are below
STEP_PX = 7  # every so manieth row and column tells whether two frames are equal
DARK, BRIGHT = 16, 240  # of 255: what a frame without light, or with too much of it, hardly exceeds
MOST = 0.98  # share of such a frame
SHARP = 0.8  # of the least sharp tenth that was learnt: below is out of focus
LIT = 0.7  # of the usual brightness; the inverse of it is too bright
SWAPPED = 2.0  # levels between what is there and what should be: an exchange is seen where it explains half
MOVED = 0.02  # of the width
RESPONSE = 0.08  # of the correlation: below it says nothing about a shift
SOILED = 14.0  # levels between what is there and what should be
SPOT = 0.004  # share of the view
DRAWS = 200  # of RECENT frames from those learnt: how far sound medians lie from the view
MARGIN = 2.0  # times the worst of them, beyond the least that counts
UNSTEADY = 0.05  # a view whose sound medians lie farther than this apart tells nothing of shifts, or of spots

Small = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Look:
    """A frame made small."""

    small: Small  # BGR, 128 px wide
    sharpness: float  # mean step between neighbouring pixels of the full frame, by its contrast
    sign: int  # of some of its pixels, bit for bit

    @classmethod
    def of(cls, image: Image) -> Look:
        """Look at a frame: BGR or mono."""
        height_px = max(8, round(SIDE_PX * image.shape[0] / image.shape[1]))
        small = cv2.resize(image, (SIDE_PX, height_px), interpolation=cv2.INTER_AREA)
        small = small if image.ndim == 3 else cv2.cvtColor(small, cv2.COLOR_GRAY2BGR)
        return cls(np.asarray(small, np.float32), _sharpness(image), hash(image[::STEP_PX, ::STEP_PX].tobytes()))


@dataclass(frozen=True, slots=True)
class View:
    """What a camera usually shows."""

    usual: Small  # median of the small copies
    sharpness: float  # of the least sharp tenth
    spread: Small  # per pixel: how far frames lie from the median, grey levels
    moved: float = np.inf  # share of the width: what lies farther off has moved; inf: too much moves by itself
    covered: float = np.inf  # share of the view: likewise

    @classmethod
    def learn(cls, looks: Sequence[Look]) -> Self:
        """Learn from ordinary frames, items among them.

        Raises:
            CameraFault: fewer than LEAST frames.
        """
        if len(looks) < LEAST:
            raise CameraFault(f"has shown {len(looks)} frames: {LEAST} or more tell what it usually shows")
        stack = np.stack([look.small for look in looks])
        usual = np.median(stack, axis=0).astype(np.float32)
        spread = np.median(np.abs(stack - usual).mean(axis=3), axis=0).astype(np.float32)
        sharpness = float(np.quantile([look.sharpness for look in looks], 0.1))
        view, chance = cls(usual, sharpness, spread), np.random.default_rng(0)
        medians = [_median([looks[one] for one in chance.integers(len(looks), size=RECENT)]) for _ in range(DRAWS)]
        moved, covered = (max(how(one, view) for one in medians) for how in (_shift, _covered))
        return replace(view, moved=_limit(MOVED, moved), covered=_limit(SPOT, covered))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ReferencesRefused: missing, damaged, or learnt in another way.
        """
        stored = read(path, MAKER)
        try:
            sharpness, moved, covered = (float(one) for one in stored["limits"])
            return cls(stored["usual"], sharpness, stored["spread"], moved, covered)
        except KeyError as error:
            raise ReferencesRefused(f"{path}: no view ({error} is missing): learn it anew.") from error

    def save(self, path: Path) -> None:
        """Write to `path` (`.npz`)."""
        limits = np.array((self.sharpness, self.moved, self.covered))
        write(path, {"usual": self.usual, "spread": self.spread, "limits": limits}, MAKER)


class Health:
    """Watches one camera's frames as they come."""

    def __init__(self, view: View | None) -> None:
        """Take what it usually shows; without, only what needs no comparison is told."""
        self._view = view
        self._recent: deque[Look] = deque(maxlen=RECENT)
        self._signs: deque[int] = deque(maxlen=HASHED)
        self._number = 0
        self._unlike: tuple[str, ...] = ()  # what the last comparison brought

    @property
    def sharpness(self) -> float:
        """Of the sharpest of the last frames, as a share of what was learnt: it falls before SHARP is reached."""
        if self._view is None or not self._recent:
            return np.nan
        return max(look.sharpness for look in list(self._recent)) / self._view.sharpness

    def check(self, image: Image) -> str:
        """What is wrong with the camera after this frame too; empty: nothing that can be told."""
        look = Look.of(image)
        faults = (*self._alone(look), *self._repeated(look))
        self._recent.append(look)
        self._number += 1
        if self._view is not None and self._number % EVERY == 0 and len(self._recent) == RECENT:
            self._unlike = tuple(self._compared(self._view))
        return "; ".join(faults or self._unlike)

    def _alone(self, look: Look) -> Iterator[str]:
        grey = look.small.max(axis=2)
        if (grey <= DARK).mean() >= MOST:
            yield "black: lens cap, lamp or exposure"
        elif (look.small.min(axis=2) >= BRIGHT).mean() >= MOST:
            yield "white: too much light, or too long an exposure"

    def _repeated(self, look: Look) -> Iterator[str]:
        """A sensor's noise never repeats: equal frames are no live picture."""
        signs = list(self._signs)
        self._signs.append(look.sign)
        if len(signs) >= EQUAL - 1 and all(sign == look.sign for sign in signs[1 - EQUAL :]):
            yield "frozen: the same frame over and over"
        elif signs.count(look.sign) and self._loops():
            yield "a recording: frames repeat bit for bit"

    def _loops(self) -> bool:
        """Whether several of the last frames were there before."""
        return len(self._signs) - len(set(self._signs)) >= EQUAL

    def _compared(self, view: View) -> Iterator[str]:
        median = _median(self._recent)
        if self.sharpness < SHARP:
            yield "out of focus, or the lens is fogged"
        yield from _lit(median, view)
        if (shift := _shift(median, view)) > view.moved:
            yield f"moved by {shift:.1%} of its view"
        elif (covered := _covered(median, view)) > view.covered:
            yield f"{covered:.1%} of the view covered: the lens, or something before it"


def _median(looks: Sequence[Look] | deque[Look]) -> Small:
    """From which what passes is gone."""
    return np.asarray(np.median(np.stack([look.small for look in looks]), axis=0), np.float32)


def _limit(least: float, worst: float) -> float:
    return least + MARGIN * worst if worst < UNSTEADY else np.inf


def _lit(median: Small, view: View) -> Iterator[str]:
    share = float(median.mean() / max(1.0, view.usual.mean()))
    if share < LIT:
        yield f"{share:.0%} as bright as it was: a lamp, or the exposure"
    elif share > 1 / LIT:
        yield f"{share:.0%} as bright as it was: stray light, or the exposure"
    apart, exchanged = (float(np.abs(one - view.usual).mean()) for one in (median, median[..., ::-1]))
    if apart > SWAPPED and exchanged < apart / 2:
        yield "red and blue are exchanged: the pixel format"


def _shift(median: Small, view: View) -> float:
    """How far what stands still has moved, as a share of the width: by phase correlation of edges."""
    here, there = (_edges(one) for one in (median, view.usual))
    (x, y), response = cv2.phaseCorrelate(there, here, cv2.createHanningWindow(here.shape[::-1], cv2.CV_32F))
    return float(np.hypot(x, y)) / SIDE_PX if response > RESPONSE else 0.0


def _edges(picture: Small) -> Small:
    grey = picture.mean(axis=2)
    return np.asarray(cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)), np.float32)


def _covered(median: Small, view: View) -> float:
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
