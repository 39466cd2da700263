"""What a promised overkill rate comes to on a lane's own normal items, those that had no part in the promise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edge.core.conformal import Scores, needed, pooled
from edge.core.statistics import wilson
from edge.inspection.promise import PRODUCTS, Promise

RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
FOLDS = 8  # parts of a product's normals: each is judged by what the others promise

Normals = Mapping[str, Mapping[str, Scores]]
"""Camera → product → scores of its normal items, suspects at infinity, in rising order."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one rate costs."""

    asked: float
    measured: float  # share of sound items that were rejected; all cameras of an item together
    low: float  # of its 95 % interval
    high: float
    tested: int  # normal items, of one camera
    judged: int  # products and cameras that have enough normals for it
    of: int
    reject_at: float  # the score, as multiple of a product's largest normal, that so few sound items reach
    needed: int  # normals a product has to have, where no pool of other products helps


def costs(normals: Normals, rates: Sequence[float] = RATES) -> list[Cost]:
    """Of each rate; cameras share it (decision 16)."""
    return [_cost(normals, rate) for rate in rates]


def _cost(normals: Normals, rate: float) -> Cost:
    share = rate / max(1, len(normals))
    by_camera = [list(_judged(list(products.values()), share)) for products in normals.values()]
    tested = [sum(count for _, count in judged) for judged in by_camera]
    rejected = [sum(count for count, _ in judged) for judged in by_camera]
    measured = sum(one / count for one, count in zip(rejected, tested, strict=True) if count)
    low, high = _interval(measured, min((count for count in tested if count), default=0))
    return Cost(
        asked=rate,
        measured=measured,
        low=low,
        high=high,
        tested=max(tested, default=0),
        judged=sum(map(len, by_camera)),
        of=sum(map(len, normals.values())),
        reject_at=_reached_by(normals, share),
        needed=needed(share),
    )


def _reached_by(normals: Normals, share: float) -> float:
    """The score that no larger share of normals lies above, products counted alike; 1: there are too few to tell."""
    finite = [one[np.isfinite(one)] for products in normals.values() for one in products.values()]
    multiples = [one / one.max() for one in finite if len(one)]
    return float(np.quantile(np.concatenate(multiples), 1 - share, method="higher")) if multiples else 1.0


def _judged(products: Sequence[Scores], rate: float) -> Iterator[tuple[int, int]]:
    """Of each product that has enough: how many of its normals were rejected, and how many there are."""
    for number, scores in enumerate(products):
        others = [one[np.isfinite(one)] for place, one in enumerate(products) if place != number]
        promise = Promise(rate, pooled(others) if len(others) >= PRODUCTS else np.empty(0))
        values = [
            promise.p_value(float(score), np.delete(scores, np.arange(fold, len(scores), FOLDS)))
            for fold in range(min(FOLDS, len(scores)))
            for score in scores[fold::FOLDS]
            if np.isfinite(score)
        ]
        known = [value for value in values if value is not None]
        if known and len(known) == len(values):
            yield sum(value <= rate for value in known), len(known)


def _interval(share: float, tested: int) -> tuple[float, float]:
    """95 %; of none it may be anything."""
    return wilson(min(1.0, max(0.0, share)), tested) if tested else (0.0, 1.0)
