"""Damage differs from item to item; a new artwork, a sticker, a missing outer box make all items unusual alike."""

from __future__ import annotations

from collections import OrderedDict, deque
from threading import Lock

import numpy as np

from edge.inspection.references import Difference, References, Shown, coreset, image_score, nearest
from edge.inspection.session import Tensor

RECENT = 8  # unusual items of a product and camera that are remembered
PRODUCTS = 64  # that are remembered: up to 80 kB for each item
WARM = 0.7  # times the largest normal: patches from there on may be what is unusual
KEPT = 256  # patches of an item
EXPLAINED = 0.75  # of what exceeds the largest normal; of the defects measured nine in ten came to less than half

Key = tuple[str, str]
"""GTIN and camera."""


class Changes:
    """Remembers how the last unusual items of each product were unusual; safe to share between workers."""

    def __init__(self) -> None:
        self._recent: OrderedDict[Key, deque[Tensor]] = OrderedDict()
        self._lock = Lock()

    def alike(self, key: Key, rows: Tensor, shown: Shown, found: Difference, references: References) -> int:
        """How many of them are unusual as this item is; remembers the item. A usual item is like none.

        rows: patches (grid² × channels), of which `shown` (grid²) show the item; found: how unusual they are.
        """
        if found.score < 1:
            return 0
        item, heat = rows[shown], found.heat.ravel()[shown]
        warm = coreset(item[heat >= WARM], KEPT)
        with self._lock:
            known = list(self._known(key))
            self._known(key).append(warm)
        most = 1 + (1 - EXPLAINED) * (found.score - 1)
        return sum(_left(item, heat, other, references.scale) <= most for other in known)

    def _known(self, key: Key) -> deque[Tensor]:
        self._recent[key] = self._recent.pop(key) if key in self._recent else deque(maxlen=RECENT)
        while len(self._recent) > PRODUCTS:
            self._recent.popitem(last=False)
        return self._recent[key]


def _left(item: Tensor, heat: Tensor, other: Tensor, scale: float) -> float:
    """An item's score if what the other showed were normal, as a share of the largest normal."""
    return image_score(np.minimum(heat, nearest(item, other) / np.float32(scale)))
