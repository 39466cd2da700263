"""What a product usually looks like to one camera: a few hundred patches that span all normal ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from edge import sealed
from edge.core.errors import ReferencesRefused
from edge.inspection import features
from edge.inspection.crop import Crop
from edge.inspection.cuts import half_turned
from edge.inspection.session import Session, Tensor

SIZE = 500
FEWEST = 4  # normal crops: fewer say nothing about how far normals differ from each other
FOLDS = 8  # parts held out in turn: each is scored by references made of the other seven
POOL = 40_000  # patches the greedy choice is made from; more cost time and change nothing
PROJECTED = 128  # dimensions in which the choice is made
HOTTEST = 0.01  # share of an item's patches that make its score: one alone is often a glint
USUAL, CLEAR = 0.1, 1.5  # in doubt: from what a tenth of the normals stay below, up to so often the largest normal
SUSPECT_SHARE = 5  # at most every fifth "normal" is left out: Kaputt (2025) found that many defects among normals
JUDGEABLE = 10  # fewer normals do not tell which of them is odd
FAR_OUT = 5.0  # robust standard deviations: of sound items fewer than 1 in 100 (decision 9)
SIGMA_PER_MAD = 1.4826  # of a normal distribution
GTIN = re.compile(r"[0-9]{8,14}")
CAMERA = re.compile(r"[A-Za-z0-9_-]{1,64}")

Shown = npt.NDArray[np.bool_]

Progress = Callable[[int, int], None]
"""Called with (crops done, crops in all)."""

Stored = TypeVar("Stored")


class Difference(NamedTuple):
    """How unlike the normal items an item is; 1.0 being the most unusual normal item when it was held out."""

    score: float
    heat: Tensor  # grid × grid, patch by patch; 0 where the item is not
    normals: int  # items that say what is normal


class Normal(NamedTuple):
    """A normal item's patches (each patches × channels)."""

    lying: Tensor  # as the item lay
    turned: Tensor | None = None  # as it would look turned half round: the next one may lie like that


@dataclass(frozen=True, slots=True)
class References:
    """Patches of normal items, and how far from them normal items lay that had no part in them."""

    coreset: Tensor  # up to SIZE × channels; half as precise on disk
    held_out: Tensor  # score of each normal by references made without it, from the lowest to the highest
    suspects: tuple[int, ...]  # which of the crops were left out: too unlike the others to be taken for normal
    model_sha256: str

    @classmethod
    def build(
        cls, crops: Sequence[Crop], session: Session, size: int = SIZE, progress: Progress | None = None
    ) -> References:
        """Learn from crops of normal items, all of one product and one camera.

        Raises:
            ReferencesRefused: fewer than FEWEST crops.
        """
        return cls.learn(list(_normals(crops, session, progress)), session.manifest.sha256, size)

    @classmethod
    def learn(cls, items: Sequence[Normal], model_sha256: str, size: int = SIZE) -> References:
        """Learn from normal items.

        Each item is scored by references made without it (in FOLDS parts). Items that score far out are suspected of
        a defect and left out, and the others are scored once more: a defect among the references hides its like.

        Raises:
            ReferencesRefused: fewer than FEWEST items.
        """
        if len(items) < FEWEST:
            raise ReferencesRefused(f"{len(items)} normal pictures are too few for references: give {FEWEST} or more.")
        held_out = _held_out(items, size)
        suspects = outliers(held_out)
        if suspects:
            items = [item for index, item in enumerate(items) if index not in suspects]
            held_out = _held_out(items, size)
        return cls(coreset(pool(items), size), np.sort(held_out), suspects, model_sha256)

    @classmethod
    def load(cls, path: Path, session: Session) -> References:
        """Read what `save` wrote.

        Raises:
            ReferencesRefused: missing, damaged, or made by another model than the session's.
        """
        stored = sealed.read(path, session.manifest.sha256)
        try:
            suspects = tuple(int(index) for index in stored["suspects"])
            return cls(stored["coreset"].astype(np.float32), stored["held_out"], suspects, session.manifest.sha256)
        except KeyError as error:
            raise ReferencesRefused(f"{path}: no references ({error} is missing): make them anew.") from error

    def save(self, path: Path) -> None:
        """Write to `path` (`.npz`)."""
        arrays: dict[str, sealed.Array] = {
            "coreset": self.coreset.astype(np.float16),
            "held_out": self.held_out,
            "suspects": np.array(self.suspects, np.int64),
        }
        sealed.write(path, arrays, self.model_sha256)

    @property
    def sound(self) -> Tensor:
        """Scores of all that was given as sound, in rising order, for promises.

        A suspect counts as higher than any score until a person has seen to it: was it sound, its like come again.
        """
        return np.concatenate((self.held_out, np.full(len(self.suspects), np.inf, np.float32)))

    @property
    def scale(self) -> float:
        """The score of the most unusual normal item when it was held out: 1.0 in what is told."""
        return float(self.held_out[-1])

    def in_doubt(self, score: float) -> bool:
        """Whether a score, as a share of `scale`, is neither usual for a normal item nor clearly beyond all of them."""
        usual = float(np.quantile(self.held_out, USUAL)) / self.scale
        return usual < score < CLEAR

    def compare(self, rows: Tensor, shown: Shown) -> Difference:
        """How unlike the normal items an item is, by its patches (grid² × channels) that show it (grid²)."""
        distances = self._distances(rows[shown])
        heat = np.zeros(len(rows), np.float32)
        heat[shown] = distances / np.float32(self.scale)
        side = round(len(rows) ** 0.5)
        return Difference(image_score(distances) / self.scale, heat.reshape(side, side), len(self.held_out))

    def score(self, rows: Tensor) -> float:
        """An item's score by the patches that show it, in the measure of `held_out`."""
        return image_score(self._distances(rows))

    def _distances(self, rows: Tensor) -> Tensor:
        return nearest(rows, self.coreset)


class Library(Generic[Stored]):
    """Finds what was learnt of a product and camera: `<folder>/<gtin>/<camera><suffix>`, the last few kept open."""

    def __init__(self, folder: Path, suffix: str, load: Callable[[Path], Stored], capacity: int = 64) -> None:
        self._folder = folder
        self._suffix = suffix
        self._load = load
        self._opened = lru_cache(maxsize=capacity)(self._open)

    def find(self, gtin: str, camera: str) -> Stored | None:
        """What there is of this product and camera, or None; raises as `known`."""
        known = self.known(gtin, camera)
        return known[0] if known else None

    def known(self, gtin: str, camera: str) -> tuple[Stored, str] | None:
        """What there is of this product and camera, and the name of its file for the ledger (`sealed.named`), or None.

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

    def _open(self, path: Path, written_ns: int) -> tuple[Stored, str]:
        """The time of writing is part of the key: a file made anew is read anew."""
        name, found = sealed.named(path), self._load(path)
        return (found, name) if sealed.named(path) == name else self._open(path, written_ns)


def nearest(rows: Tensor, known: Tensor) -> Tensor:
    """Distance of each row to the nearest of `known`: one matrix product instead of all differences."""
    squares = rows @ (-2 * known.T)
    squares += np.einsum("kc,kc->k", known, known)
    distances: Tensor = np.sqrt(np.maximum(squares.min(axis=1) + np.einsum("rc,rc->r", rows, rows), 0))
    return distances


def coreset(rows: Tensor, size: int) -> Tensor:
    """Up to `size` rows that leave no other row far away.

    Greedy k-centre: each time the row farthest from those chosen (Gonzalez 1985, at most twice the best radius;
    for patches: Roth et al. 2022, PatchCore), by the distances in a random projection, as there.
    """
    return np.ascontiguousarray(rows[_spread(_projected(rows), size)])


def extended(known: Tensor, rows: Tensor, least: int, most: int) -> Tensor:
    """A coreset and as many more `rows` as leave none farther away than the coreset left its own: `least` to `most`.

    The greedy choice goes on where it ended. Had it a fixed size, each new look would coarsen those that are known, and
    sound items would look unusual. Where `most` are not enough, all are chosen anew.
    """
    both = np.concatenate((known, rows))
    placed, count = _projected(both), len(known)
    gaps = nearest(placed, placed[:count])
    fine = nearest(placed[count - 1 : count], placed[: count - 1])[0] if count > 1 else 0.0
    chosen = list(range(count))
    while len(chosen) < min(most, len(both)) and (len(chosen) < least or gaps.max() > fine):
        chosen.append(int(gaps.argmax()))
        gaps = np.minimum(gaps, nearest(placed, placed[chosen[-1:]]))
    return np.ascontiguousarray(both[chosen]) if gaps.max() <= fine else coreset(both, most)


def _projected(rows: Tensor) -> Tensor:
    """The rows in PROJECTED dimensions at most; distances stay about what they were (Johnson and Lindenstrauss)."""
    channels = rows.shape[1]
    if channels <= PROJECTED:
        return rows
    directions = np.random.default_rng(0).standard_normal((channels, PROJECTED), np.float32)
    return np.asarray(rows @ directions / np.float32(PROJECTED) ** 0.5, np.float32)


def _spread(rows: Tensor, size: int) -> list[int]:
    """Which rows are chosen, in the order of the choice."""
    squares = np.einsum("rc,rc->r", rows, rows)
    chosen = [int(squares.argmax())]
    gaps = np.full(len(rows), np.inf, np.float32)
    while len(chosen) < min(size, len(rows)):
        last = chosen[-1]
        np.minimum(gaps, squares - 2 * (rows @ rows[last]) + squares[last], out=gaps)
        chosen.append(int(gaps.argmax()))
    return chosen


def image_score(distances: Tensor) -> float:
    """An item's score from those of its patches: the mean of the HOTTEST."""
    count = max(1, round(HOTTEST * len(distances)))
    return float(np.partition(distances, -count)[-count:].mean())


def outliers(scores: Tensor) -> tuple[int, ...]:
    """Which of some normal items' scores lie FAR_OUT above the others, the worst fifth of all at most: indices.

    By the median and the median absolute deviation, which a fifth of outliers does not move much; of logarithms, for
    scores have a long upper tail.
    """
    if len(scores) < JUDGEABLE:
        return ()
    logs = np.log(scores + 1e-9)
    above = logs - np.median(logs)
    limit = FAR_OUT * SIGMA_PER_MAD * np.median(np.abs(above))
    worst = np.argsort(-above)[: len(scores) // SUSPECT_SHARE]
    return tuple(sorted(int(index) for index in worst if above[index] > limit))


def normal(crop: Crop, session: Session) -> Normal:
    """What is learnt from a crop of a normal item."""
    return Normal(*(features.of_item(each, session) for each in (crop, half_turned(crop))))


def _normals(crops: Sequence[Crop], session: Session, progress: Progress | None) -> Iterator[Normal]:
    for done, crop in enumerate(crops, 1):
        yield normal(crop, session)
        if progress:
            progress(done, len(crops))


def _held_out(items: Sequence[Normal], size: int) -> Tensor:
    """The score of every item by references made without it and without the others of its fold."""
    scores = np.empty(len(items), np.float32)
    for fold in range(min(FOLDS, len(items))):
        others = coreset(pool([item for index, item in enumerate(items) if index % FOLDS != fold]), size)
        for index in range(fold, len(items), FOLDS):
            scores[index] = image_score(nearest(items[index].lying, others))
    return scores


def pool(items: Sequence[Normal]) -> Tensor:
    """All patches, or POOL of them drawn evenly."""
    rows = np.concatenate([rows for item in items for rows in item if rows is not None])
    if len(rows) <= POOL:
        return rows
    return rows[np.random.default_rng(0).choice(len(rows), POOL, replace=False)]
