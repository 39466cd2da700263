"""Damage differs from item to item; a new artwork, a sticker, a missing outer box make all items unusual alike."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np

from edge.inspection.references import Difference, References, Shown, coreset, image_score, nearest
from edge.inspection.session import Tensor

RECENT = 8  # unusual items of a product and camera that are remembered
PRODUCTS = 64  # that are remembered: up to 80 kB for each item
WARM = 0.7  # times the largest normal: patches from there on may be what is unusual
KEPT = 256  # patches of an item
CLEARLY = 1.1  # times the largest normal: of what exceeds it less, any picture explains something
EXPLAINED = 0.75  # of what exceeds the largest normal (decision 24)

Key = tuple[str, str]
"""GTIN and camera."""


@dataclass(frozen=True, slots=True)
class Unusual:
    """An item, and how unlike the references it is."""

    rows: Tensor  # patches that show it
    heat: Tensor  # of each of them, as a share of the largest normal
    warm: Tensor  # some of those that may be what is unusual
    scale: float

    @classmethod
    def of(cls, rows: Tensor, shown: Shown, found: Difference, references: References) -> Unusual:
        """Take an item's patches (grid² × channels), of which `shown` (grid²) show it, and how unusual they are."""
        heat = found.heat.ravel()[shown]
        warm = coreset(rows[shown][heat >= min(WARM, heat.max())], KEPT)
        return cls(rows[shown], heat, warm, references.scale)

    @property
    def score(self) -> float:
        """As a share of the largest normal."""
        return image_score(self.heat)

    def is_like(self, warm: Tensor) -> bool:
        """Whether most of what is unusual here would be explained, were another's warm patches normal."""
        left = image_score(np.minimum(self.heat, nearest(self.rows, warm) / np.float32(self.scale)))
        return left <= 1 + (1 - EXPLAINED) * (self.score - 1)


def group(items: Sequence[Unusual], declined: Sequence[Unusual], fewest: int) -> list[int]:
    """Which of some unusual items are like `fewest` others or more, and like none that a person took for damage."""
    found = []
    for place, item in enumerate(items):
        others = sum(item.is_like(other.warm) for number, other in enumerate(items) if number != place)
        if item.score >= CLEARLY and others >= fewest and not any(item.is_like(one.warm) for one in declined):
            found.append(place)
    return found


class Changes:
    """Remembers how the last unusual items of each product were unusual; safe to share between workers."""

    def __init__(self) -> None:
        self._recent: OrderedDict[Key, deque[Tensor]] = OrderedDict()
        self._lock = Lock()

    def alike(self, key: Key, rows: Tensor, shown: Shown, found: Difference, references: References) -> int:
        """How many of them are unusual as this item is; remembers the item. One that is hardly unusual is like none.

        rows: patches (grid² × channels), of which `shown` (grid²) show the item; found: how unusual they are.
        """
        if found.score < CLEARLY:
            return 0
        item = Unusual.of(rows, shown, found, references)
        with self._lock:
            known = list(self._known(key))
            self._known(key).append(item.warm)
        return sum(item.is_like(other) for other in known)

    def _known(self, key: Key) -> deque[Tensor]:
        self._recent[key] = self._recent.pop(key) if key in self._recent else deque(maxlen=RECENT)
        while len(self._recent) > PRODUCTS:
            self._recent.popitem(last=False)
        return self._recent[key]
