"""What lies in a tote: how many things, where, and whether one sticks out."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edge.inspection.tote_look import Cells, Mask

ITEM, SEAM = 0.5, 0.5  # from here on a pixel is an item's, two items' border
OVER = 0.7  # an item whose pixels are so sure on the whole sticks out
USUAL = 0.95  # share of a piece from which on it looks as the empty tote does
SMALLEST_MM2 = 150.0  # less is noise


@dataclass(frozen=True, slots=True)
class Items:
    """What was found, in the whole picture."""

    mask: Mask
    number: int
    over_rim: bool  # one of them sticks out


def items_of(sure: Cells, usual: Mask, mm_per_px: float) -> Items:
    """Of how surely each pixel shows an item, a border, one that sticks out (3 × h × w).

    usual: where the tote looks as it does when it is empty.
    """
    fewest_px = SMALLEST_MM2 / mm_per_px**2
    mask = _pieces(sure[0] > ITEM, fewest_px, usual)
    alone = _pieces(mask & (sure[1] < SEAM), fewest_px, np.zeros_like(mask))
    number, labels = cv2.connectedComponents(alone.astype(np.uint8), connectivity=4)
    sizes = np.maximum(np.bincount(labels.ravel(), minlength=number), 1)
    over = np.bincount(labels.ravel(), sure[2].ravel(), minlength=number)[1:] / sizes[1:]
    return Items(mask, max(number - 1, int(mask.any())), bool((over > OVER).any()))


def _pieces(mask: Mask, fewest_px: float, usual: Mask) -> Mask:
    """Those pieces of a mask that are large enough, and of which no more than USUAL looks as usual."""
    number, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    sizes, alike = (np.bincount(labels[one], minlength=number) for one in (mask, mask & usual))
    kept = (sizes >= fewest_px) & (alike < USUAL * sizes)
    return np.asarray(kept[labels], bool)
