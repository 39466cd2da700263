"""Figures of merit, in the field's standard terms."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Scores = Sequence[float] | npt.NDArray[np.floating]
FPR_LIMIT = 0.3  # as MVTec AD integrates the per-region overlap
FPR_STEPS = 301

Z95 = 1.96  # of a normal distribution 95 % lie within so many sigmas


def wilson(share: float, count: int) -> tuple[float, float]:
    """The ends of the interval of 95 % of a share that was seen among `count` (Wilson 1927)."""
    middle = (share + Z95**2 / (2 * count)) / (1 + Z95**2 / count)
    half = Z95 * math.sqrt(share * (1 - share) / count + Z95**2 / (4 * count**2)) / (1 + Z95**2 / count)
    return max(0.0, middle - half), min(1.0, middle + half)


def auroc(good: Scores, bad: Scores) -> float | None:
    """Area under the ROC curve: how often a bad one scores above a good one, ties counted half.

    Mann-Whitney's U over the number of pairs (Hanley and McNeil 1982). None when a class is empty.
    """
    if not len(good) or not len(bad):
        return None
    ordered = np.sort(good)
    below, not_above = (np.searchsorted(ordered, bad, side) for side in ("left", "right"))
    return float((below.mean() + not_above.mean()) / 2 / len(ordered))


def recall_at(good: Scores, bad: Scores, overkill: float) -> float | None:
    """Share of the bad above a threshold that at most a share `overkill` of the good lie above.

    None when a class is empty. With n good ones and n × overkill below 1, none of them may lie above.
    """
    if not len(good) or not len(bad):
        return None
    borne = int(overkill * len(good) + 1e-9)
    threshold = np.sort(good)[::-1][borne] if borne < len(good) else -np.inf
    return float((np.asarray(bad) > threshold).mean())


def per_region_overlap(sound: Scores, regions: Sequence[npt.NDArray[np.floating]]) -> float | None:
    """PRO: the covered share of a region, mean over regions and over false-positive rates up to FPR_LIMIT.

    sound: the scores of all pixels without a fault, of sound pictures too; regions: those of each connected faulty
    region. Source: Bergmann et al., The MVTec Anomaly Detection Dataset, IJCV 2021, section 5.2. None without either.
    """
    if not len(sound) or not regions:
        return None
    rates = np.linspace(0, FPR_LIMIT, FPR_STEPS)
    thresholds = np.quantile(sound, 1 - rates)
    covered = [1 - np.searchsorted(np.sort(region), thresholds) / len(region) for region in regions]
    return float(np.trapezoid(np.mean(covered, axis=0), rates) / FPR_LIMIT)
