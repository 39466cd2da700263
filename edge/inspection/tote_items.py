"""What lies in a tote: how many things, where, and whether one sticks out."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edge.inspection.tote_look import Cells, Mask

ITEM, SEAM = 0.5, 0.5  # from here on a pixel is an item's, two items' border
OVER = 0.3  # an item whose pixels are so sure on the whole sticks out
SEEN = 0.85  # share of a thing of another hue from which on the network saw it whole
SMALLEST_MM2 = 150.0  # less is noise


@dataclass(frozen=True, slots=True)
class Items:
    """What was found, in the whole picture."""

    mask: Mask
    number: int
    over_rim: bool  # one of them sticks out


def items_of(sure: Cells, coloured: Mask, mm_per_px: float) -> Items:
    """Of how surely each pixel shows an item, a border, one that sticks out (3 × h × w); and what is of another hue."""
    fewest_px = SMALLEST_MM2 / mm_per_px**2
    mask = _with(_large(sure[0] > ITEM, fewest_px), _large(coloured, fewest_px))
    number, labels = cv2.connectedComponents(
        _large(mask & (sure[1] < SEAM), fewest_px).astype(np.uint8), connectivity=4
    )
    sizes = np.maximum(np.bincount(labels.ravel(), minlength=number), 1)
    over = np.bincount(labels.ravel(), sure[2].ravel(), minlength=number)[1:] / sizes[1:]
    return Items(mask, max(number - 1, int(mask.any())), bool((over > OVER).any()))


def _with(seen: Mask, coloured: Mask) -> Mask:
    """And things of another hue that were not seen whole; of those that were, the network's outline is finer."""
    number, labels = cv2.connectedComponents(coloured.astype(np.uint8), connectivity=4)
    sizes = np.maximum(np.bincount(labels.ravel(), minlength=number), 1)
    missed = np.bincount(labels.ravel(), seen.ravel(), minlength=number) < SEEN * sizes
    missed[0] = False
    return np.asarray(seen | missed[labels], bool)


def _large(mask: Mask, fewest_px: float) -> Mask:
    """Without specks."""
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    kept = boxes[:, cv2.CC_STAT_AREA] >= fewest_px
    kept[0] = False
    return np.asarray(kept[labels], bool)
