"""Whether a camera shows what it should: judged by the content of its frames, against the view that was learnt.

Every frame is made small once. Some faults show in a single frame (black, white), some in a few that are equal bit for
bit (a sensor's noise never repeats), the others in the median of the last frames, from which passing items are gone,
beside the median of the frames that were learnt.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from edge.cameras.usual import HORIZONS, SPACED_NS, Limits, Look, Small, Usual, View, cover_of, median_of, shift_of
from edge.core.messages import Image

EVERY = 3  # times within a horizon: it takes longer than all the rest
EQUAL = 3  # frames, equal bit for bit
HASHED = 64  # frames that are remembered to tell a recording
DARK, BRIGHT = 16, 240  # of 255: what a frame without light, or with too much of it, hardly exceeds
MOST = 0.98  # share of such a frame
SHARP = 0.8  # of the least sharp tenth that was learnt: below is out of focus
LIT = 0.7  # of the usual brightness; the inverse of it is too bright
SWAPPED = 2.0  # levels between what is there and what should be: an exchange is seen where it explains half


class Health:
    """Watches one camera's frames as they come."""

    def __init__(self, view: View | None, spaced_counts: float = 0.0) -> None:
        """Take what it usually shows; without, only what needs no comparison is told.

        spaced_counts: how far the belt must have run between two frames that are compared with the view.
        """
        self._view = view
        self._spaced_counts = spaced_counts
        self._recent: deque[Look] = deque(maxlen=max(HORIZONS))
        self._signs: deque[int] = deque(maxlen=HASHED)
        self._number = 0  # of spaced frames
        self._due_ns = 0  # no frame before is compared,
        self._counts = -np.inf  # or while the belt is near here
        self.usual: Usual | None = None  # of the longest horizon; replaced as a whole, for another thread to read
        self._width_px = 0
        self._unlike: dict[int, tuple[str, ...]] = {}  # horizon → what the last comparison brought

    def space(self, counts: float) -> None:
        """Let the belt run so far between two frames that are compared."""
        self._spaced_counts = counts

    @property
    def sharpness(self) -> float:
        """Of the sharpest of the last frames, as a share of what was learnt: it falls before SHARP is reached."""
        if self._view is None or not self._recent:
            return np.nan
        return max(look.sharpness for look in list(self._recent)[-HORIZONS[0] :]) / self._view.sharpness

    def check(self, image: Image, exposed_ns: int, counts: float = np.nan) -> str:
        """What is wrong with the camera after this frame too; empty: nothing that can be told.

        counts: where the belt is; not a number: nobody knows.
        """
        look = Look.of(image)
        self._width_px = image.shape[1]
        faults = (*self._alone(look), *self._repeated(look))
        if exposed_ns >= self._due_ns and not abs(counts - self._counts) < self._spaced_counts:
            self._due_ns, self._counts = exposed_ns + SPACED_NS, counts
            self._space(look)
        return "; ".join(faults or next((told for told in self._unlike.values() if told), ()))

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

    def _space(self, look: Look) -> None:
        """Compare each horizon with the view, now and then."""
        self._recent.append(look)
        self._number += 1
        if (view := self._view) is None:
            return
        for frames, limits in zip(HORIZONS, view.limits, strict=True):
            if self._number % (frames // EVERY) == 0 and len(self._recent) >= frames:
                self._unlike[frames] = tuple(self._compared(view, limits, frames))

    def _compared(self, view: View, limits: Limits, frames: int) -> Iterator[str]:
        median = median_of(list(self._recent)[-frames:])
        if frames == max(HORIZONS):
            self.usual = Usual(self._number, median, self._width_px)
        if self.sharpness < SHARP:
            yield "out of focus, or the lens is fogged"
        yield from _lit(median, view)
        better, shift = shift_of(median, view)
        if better > limits.moved:
            yield f"moved by {shift:.1%} of its view"
        elif (covered := cover_of(median, view)) > limits.covered:
            yield f"{covered:.1%} of the view covered: the lens, or something before it"


def _lit(median: Small, view: View) -> Iterator[str]:
    share = float(median.mean() / max(1.0, view.usual.mean()))
    if share < LIT:
        yield f"{share:.0%} as bright as it was: a lamp, or the exposure"
    elif share > 1 / LIT:
        yield f"{share:.0%} as bright as it was: stray light, or the exposure"
    apart, exchanged = (float(np.abs(one - view.usual).mean()) for one in (median, median[..., ::-1]))
    if apart > SWAPPED and exchanged < apart / 2:
        yield "red and blue are exchanged: the pixel format"
