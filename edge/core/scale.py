"""Whether the belt still makes as many counts from eye to eye as when it was calibrated: an average that forgets.

Each item's way from the induct eye to the exit eye is a measurement of the encoder, with the item's own slip as its
noise. The first items after a calibration has come into force tell how far it is; the exponentially weighted moving
average (Roberts, Technometrics 1 (1959) 239–250) of what the later ones lie off tells drift. A person is told where it
is both more than the limit and more than chance makes it: see `bench.drift` for how often that errs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from math import fsum
from statistics import median

from edge.core.messages import Item, ItemEnd, ScaleLearnt

LEARNT = 300  # items
WEIGHT = 0.01  # of the newest item in the average
SURE = 6.0  # standard deviations of the average, its reference's own uncertainty among them
CLIPPED = 4.0  # standard deviations: one item that slipped far says no more than that,
FAR = 4.0  # or times the limit: a counter that was exchanged must be seen
MAD_TO_SIGMA = 1.4826
WELL = 0.5  # of what was told: below, it is well again
LEAST_SPREAD = 1e-5  # as a share: counts are whole numbers
EYE = "exit"
SPREAD_OF_AVERAGE = math.sqrt(WEIGHT / (2 - WEIGHT) + 1 / LEARNT)  # of one item's spread
TOLD = (
    "{counts:+.2%} counts from the induct eye to the exit eye since it was calibrated ({spread:.2%} an item): "
    "look at the encoder's wheel and at slip, then do the step `belt` anew"
)


class Scale:
    """Watches one belt while one calibration of it is in force."""

    def __init__(self, limit: float, learnt: ScaleLearnt | None = None) -> None:
        """Take the share that is told, and what an earlier life of the daemon learnt."""
        self.off = math.nan  # the average, as a share; not a number: it is being learnt
        self.trouble = ""
        self._limit = limit
        self._learnt = learnt
        self._first: list[int] = []
        self._of = learnt.of if learnt else ""

    def update(self, of: str, ends: Iterable[ItemEnd], items: Mapping[str, Item], now_ns: int) -> Iterator[ScaleLearnt]:
        """Take the items that have left; of: the calibrations of the belt in force, empty: there is none.

        Yields what is to be remembered.
        """
        if of != self._of:
            self._of, self._learnt, self._first = of, None, []
            self.off, self.trouble = math.nan, ""
        if not of:
            return
        for counts in _ways(ends, items):
            if self._learnt is None:
                self._learn(counts, now_ns)
                yield from [self._learnt] if self._learnt else []
            else:
                self._average(counts, self._learnt)

    def _learn(self, counts: int, now_ns: int) -> None:
        self._first.append(counts)
        if len(self._first) < LEARNT:
            return
        middle = float(median(self._first))
        spread = MAD_TO_SIGMA * median(abs(one - middle) for one in self._first) / middle
        farthest = max(CLIPPED * spread, FAR * self._limit)
        low, high = middle * (1 - farthest), middle * (1 + farthest)
        usual = [min(max(one, low), high) for one in self._first]
        mean = fsum(usual) / LEARNT
        of_one = max(math.sqrt(fsum((one / mean - 1) ** 2 for one in usual) / LEARNT), LEAST_SPREAD)
        self._learnt, self._first = ScaleLearnt(self._of, mean, of_one, farthest, now_ns), []

    def _average(self, counts: int, learnt: ScaleLearnt) -> None:
        off = min(max(counts / learnt.counts - 1, -learnt.farthest), learnt.farthest)
        before = 0.0 if math.isnan(self.off) else self.off
        self.off = before + WEIGHT * (off - before)
        told = max(self._limit, SURE * SPREAD_OF_AVERAGE * learnt.spread)
        if abs(self.off) > told:
            self.trouble = self.trouble or TOLD.format(counts=self.off, spread=learnt.spread)
        elif abs(self.off) < WELL * told:
            self.trouble = ""


def _ways(ends: Iterable[ItemEnd], items: Mapping[str, Item]) -> Iterator[int]:
    """Counts from the induct eye to the exit eye, of each item that was seen at both in one life of the PLC."""
    for end in ends:
        item = items.get(end.item_id)
        if item and end.eye == EYE and end.seen_counts is not None and not item.purge:
            counts = end.seen_counts - (item.leading_edge_counts - item.slip_counts)
            if counts > 0:
                yield counts
