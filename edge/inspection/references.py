"""What a product usually looks like to one camera: a few hundred patches that span all normal ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from edge.core.errors import ReferencesRefused
from edge.inspection import features, sealed
from edge.inspection.crop import Crop
from edge.inspection.session import Session, Tensor

SIZE = 500
FEWEST = 4  # normal crops: fewer say nothing about how far normals differ from each other
FOLDS = 4
POOL = 40_000  # patches the greedy choice is made from; more cost time and change nothing
GTIN = re.compile(r"[0-9]{8,14}")
CAMERA = re.compile(r"[A-Za-z0-9_-]{1,64}")

Progress = Callable[[int, int], None]
"""Called with (crops done, crops in all)."""

Stored = TypeVar("Stored")


@dataclass(frozen=True, slots=True)
class References:
    """Patches of normal items, and how far from them a normal item may lie."""

    coreset: Tensor  # up to SIZE × channels
    scale: float  # the distance that the most unusual normal item reached when it was held out
    model_sha256: str

    @classmethod
    def build(
        cls, crops: Sequence[Crop], session: Session, size: int = SIZE, progress: Progress | None = None
    ) -> References:
        """Learn from crops of normal items, all of one product and one camera.

        Each item is also scored by references made without it (in FOLDS parts); the largest of these is the scale.

        Raises:
            ReferencesRefused: fewer than FEWEST crops.
        """
        if len(crops) < FEWEST:
            raise ReferencesRefused(f"{len(crops)} normal pictures are too few for references: give {FEWEST} or more.")
        items = _items(crops, session, progress)
        scale = max(_held_out(items, fold, size) for fold in range(min(FOLDS, len(items))))
        return cls(coreset(_pool(items), size), scale, session.manifest.sha256)

    @classmethod
    def load(cls, path: Path, session: Session) -> References:
        """Read what `save` wrote.

        Raises:
            ReferencesRefused: missing, damaged, or made by another model than the session's.
        """
        stored = sealed.read(path, session.manifest.sha256)
        try:
            return cls(stored["coreset"], float(stored["scale"]), session.manifest.sha256)
        except KeyError as error:
            raise ReferencesRefused(f"{path}: no references ({error} is missing): make them anew.") from error

    def save(self, path: Path) -> None:
        """Write to `path` (`.npz`)."""
        sealed.write(path, {"coreset": self.coreset, "scale": np.array(self.scale)}, self.model_sha256)

    def unlikeness(self, rows: Tensor) -> Tensor:
        """How far each patch is from the nearest normal one, 1.0 being the largest normal: rows."""
        return nearest(rows, self.coreset) / np.float32(self.scale)


class Library(Generic[Stored]):
    """Finds what was learnt of a product and camera: `<folder>/<gtin>/<camera><suffix>`, the last few kept open."""

    def __init__(self, folder: Path, suffix: str, load: Callable[[Path], Stored], capacity: int = 64) -> None:
        self._folder = folder
        self._suffix = suffix
        self._load = load
        self._opened = lru_cache(maxsize=capacity)(self._open)

    def find(self, gtin: str, camera: str) -> Stored | None:
        """What there is of this product and camera, or None.

        Raises:
            ReferencesRefused: there is a file, but it is damaged or made by another model.
        """
        if not (GTIN.fullmatch(gtin) and CAMERA.fullmatch(camera)):  # the GTIN comes from outside and becomes a path
            return None
        path = self._folder / gtin / f"{camera}{self._suffix}"
        try:
            return self._opened(path, path.stat().st_mtime_ns)
        except FileNotFoundError:
            return None

    def _open(self, path: Path, _written_ns: int) -> Stored:
        """The time of writing is part of the key: a file made anew is read anew."""
        return self._load(path)


def nearest(rows: Tensor, known: Tensor) -> Tensor:
    """Distance of each row to the nearest of `known`: one matrix product instead of all differences."""
    squares = np.einsum("kc,kc->k", known, known) - 2 * (rows @ known.T)
    distances: Tensor = np.sqrt(np.maximum(squares.min(axis=1) + np.einsum("rc,rc->r", rows, rows), 0))
    return distances


def coreset(rows: Tensor, size: int) -> Tensor:
    """Up to `size` rows that leave no other row far away.

    Greedy k-centre: each time the row farthest from those chosen (Gonzalez 1985, at most twice the best radius;
    for patches: Roth et al. 2022, PatchCore).
    """
    squares = np.einsum("rc,rc->r", rows, rows)
    chosen = [int(squares.argmax())]
    gaps = np.full(len(rows), np.inf, np.float32)
    while len(chosen) < min(size, len(rows)):
        last = chosen[-1]
        np.minimum(gaps, squares - 2 * (rows @ rows[last]) + squares[last], out=gaps)
        chosen.append(int(gaps.argmax()))
    return np.ascontiguousarray(rows[chosen])


def _items(crops: Sequence[Crop], session: Session, progress: Progress | None) -> list[Tensor]:
    """The patches of each crop that show its item."""
    items = []
    for done, crop in enumerate(crops, 1):
        items.append(features.patches(crop, session)[features.inside(crop, session)])
        if progress:
            progress(done, len(crops))
    return items


def _held_out(items: Sequence[Tensor], fold: int, size: int) -> float:
    """The largest score of every FOLDS-th item against references made of the others."""
    others = coreset(_pool([item for index, item in enumerate(items) if index % FOLDS != fold]), size)
    return max(float(nearest(item, others).max()) for item in items[fold::FOLDS])


def _pool(items: Sequence[Tensor]) -> Tensor:
    """All patches, or POOL of them drawn evenly."""
    rows = np.concatenate(items)
    if len(rows) <= POOL:
        return rows
    return rows[np.random.default_rng(0).choice(len(rows), POOL, replace=False)]
