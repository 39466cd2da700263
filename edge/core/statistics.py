"""Figures of merit, in the field's standard terms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def auroc(good: Sequence[float], bad: Sequence[float]) -> float | None:
    """Area under the ROC curve: how often a bad one scores above a good one, ties counted half.

    Mann-Whitney's U over the number of pairs (Hanley and McNeil 1982). None when a class is empty.
    """
    if not good or not bad:
        return None
    sound, faulty = np.asarray(good), np.asarray(bad)
    above = (faulty[:, None] > sound[None, :]).mean()
    ties = (faulty[:, None] == sound[None, :]).mean()
    return float(above + ties / 2)
