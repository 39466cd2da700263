"""References that grow: what was shipped and not complained of shows once more what normal looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edge.inspection.references import FAR_OUT, FOLDS, SIGMA_PER_MAD, Normal, References, extended, pool
from edge.inspection.session import Tensor

ROOM = 2  # times the patches of references that were built: for what looks different from what they were built of
REMEMBERED = 2_000  # held-out scores: enough for a promise of 0.05 %


def taught(known: References, items: Sequence[Normal], size: int) -> tuple[References, tuple[int, ...]]:
    """The references with more items that a person hands in, and which were left out as suspects: above the `limit`.

    Each item is scored before it is learnt from: so its score is a held-out one, like those that are there.
    """
    scores = np.array([known.score(item.lying) for item in items], np.float32)
    suspects = tuple(int(index) for index in np.flatnonzero(scores > limit(known.held_out)))
    fresh = [index for index in range(len(items)) if index not in suspects]
    held_out = np.sort(np.concatenate((known.held_out, scores[fresh])))
    kept = held_out[np.linspace(0, len(held_out) - 1, min(len(held_out), REMEMBERED)).round().astype(int)]
    return replace(grown(known, [items[index] for index in fresh], size), held_out=kept), suspects


def confirmed(known: References, items: Sequence[Normal], size: int) -> References:
    """The references with items that a named person vouches for, however odd they look.

    Of odd ones the patches alone are taken up: their scores, by references that did not know their look, would raise
    the largest normal, and with it what damage may look like.
    """
    more, odd = taught(known, items, size)
    return grown(more, [items[index] for index in odd], size)


def grown(known: References, items: Sequence[Normal], size: int) -> References:
    """The references with the patches of more items, and the scores as they were.

    For items that were chosen by their scores, as those that passed: such scores are no sample of those of sound items.
    """
    return replace(known, coreset=extended(known.coreset, pool(items), size, ROOM * size)) if items else known


def changed(known: References, items: Sequence[Normal], size: int) -> References:
    """The references with items that look different, all in the same way, and that a named person vouches for.

    Each is scored by references that know the others: so its score is a held-out one of the new look.
    """
    scores = np.empty(len(items), np.float32)
    for fold in range(min(FOLDS, len(items))):
        others = grown(known, [item for index, item in enumerate(items) if index % FOLDS != fold], size)
        for index in range(fold, len(items), FOLDS):
            scores[index] = others.score(items[index].lying)
    return replace(grown(known, items, size), held_out=np.sort(np.concatenate((known.held_out, scores))))


def limit(held_out: Tensor) -> float:
    """The score from which on an item is suspected of a defect: FAR_OUT above the middle of the normal ones."""
    logs = np.log(held_out + 1e-9)
    middle = float(np.median(logs))
    spread = SIGMA_PER_MAD * float(np.median(np.abs(logs - middle)))
    return float(np.exp(middle + FAR_OUT * spread))


def pruned(known: References, size: int) -> References:
    """The first `size` of the patches: they were chosen one after the other, the farthest first."""
    return replace(known, coreset=known.coreset[:size])
