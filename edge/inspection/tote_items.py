"""What lies in a tote: how many things, where, and whether one sticks out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.inspection.tote_look import Cells, Mask
from edge.inspection.tote_tint import Beside

Counts = npt.NDArray[np.signedinteger[Any]]

ITEM, SEAM = 0.5, 0.5  # from here on a pixel is an item's, two items' border
OVER = 0.3  # an item whose pixels are so sure on the whole sticks out
SEEN = 0.85  # share of a thing of another hue from which on the network saw it whole
USUAL = 0.9  # share of a piece from which on it looks as the empty tote does: a shadow
SMALLEST_MM2 = 150.0  # less is noise


@dataclass(frozen=True, slots=True)
class Items:
    """What was found, in the whole picture."""

    mask: Mask
    number: int
    over_rim: bool  # one of them sticks out


def items_of(sure: Cells, look: Beside, mm_per_px: float) -> Items:
    """Of how surely each pixel shows an item, a border, one that sticks out (3 × h × w); and what the look says."""
    fewest_px = SMALLEST_MM2 / mm_per_px**2
    seen = _where(sure[0] > ITEM, lambda size, usual: (size >= fewest_px) & (usual < USUAL * size), look.usual)
    hue = _where(look.coloured, lambda size, shared: (size >= fewest_px) & (shared < SEEN * size), seen)
    mask = seen | hue
    alone = _where(mask & (sure[1] < SEAM), lambda size, _: size >= fewest_px, mask)
    number, labels = cv2.connectedComponents(alone.astype(np.uint8), connectivity=4)
    sizes = np.maximum(np.bincount(labels.ravel(), minlength=number), 1)
    over = np.bincount(labels.ravel(), sure[2].ravel(), minlength=number)[1:] / sizes[1:]
    return Items(mask, max(number - 1, int(mask.any())), bool((over > OVER).any()))


def _where(mask: Mask, wanted: Callable[[Counts, Counts], Mask], other: Mask) -> Mask:
    """The pieces of a mask that are wanted by their size and by what they share with another."""
    number, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    sizes, shared = (np.bincount(labels[one], minlength=number) for one in (mask, mask & other))
    kept = wanted(sizes, shared)
    kept[0] = False
    return np.asarray(kept[labels], bool)
