"""From scores to promises: how many sound items look at least as unusual as this one.

Conformal p-values (Vovk, Gammerman, Shafer 2005; for anomalies: Bates et al. 2023): where an item's score is as likely
to take any rank among the scores of sound items as any other, p ≤ a happens to at most the share a of sound items.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.floating]


def p_value(score: float, sound: Scores) -> float:
    """Share of sound items, this one counted in, that score as high or higher; `sound` is in rising order."""
    as_high = len(sound) - int(np.searchsorted(sound, score, side="left"))
    return (1 + as_high) / (1 + len(sound))


def finest(sound: Scores) -> float:
    """The least p-value that these can tell; those at infinity are suspects, whose scores nobody vouches for."""
    return (1 + int(np.isinf(sound).sum())) / (1 + len(sound))


def needed(overkill: float) -> int:
    """How many sound items it takes to promise that no larger share of them is rejected."""
    return math.ceil(1 / overkill - 1e-9) - 1


def pooled(products: Iterable[Scores]) -> Scores:
    """Scores of several products as multiples of each product's median, in rising order.

    A product with few pictures borrows the tail from others: how far above its middle a sound item may lie.
    """
    multiples = [scores / np.median(scores) for scores in products if len(scores) and np.median(scores) > 0]
    return np.sort(np.concatenate(multiples)) if multiples else np.empty(0)
