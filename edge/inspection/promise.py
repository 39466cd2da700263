"""Whether normal pictures suffice to keep an overkill rate: a product's own, or with those of other products."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge import sealed
from edge.core.conformal import Scores, finest, needed, p_value
from edge.core.errors import ReferencesRefused

SUFFIX = ".pool.npz"
LARGEST = 20_000  # scores in the pool: the newest; more make no promise finer than a site asks for
FEWEST = 8  # normal pictures: fewer do not tell where a product's middle lies
PRODUCTS = 20  # in a pool: fewer do not tell how products differ in their tails
ROUNDED = 1 + 1e-9


@dataclass(frozen=True, slots=True)
class Promise:
    """No more than this share of sound items is rejected, by what one camera sees."""

    overkill: float
    pool: Scores  # of all products, as multiples of each product's middle, in rising order

    def p_value(self, score: float, held_out: Scores) -> float | None:
        """How many sound items look at least as unusual; None: there are too few to say.

        held_out: scores of the product's own normal items, in rising order, suspects at infinity. Where they are too
        few for the promise, the pool lends its tail, on the assumption that sound items of all products scatter alike
        about their middles.
        """
        if self._is_kept_by(held_out):
            return p_value(score, held_out)
        middle = float(np.median(held_out)) if len(held_out) >= FEWEST else 0.0
        if middle <= 0 or not self._is_kept_by(self.pool):
            return None
        return p_value(score / middle, self.pool)

    def _is_kept_by(self, sound: Scores) -> bool:
        return finest(sound) <= self.overkill * ROUNDED

    def lacking(self, held_out: Scores) -> str:
        """What to do where nothing can be promised."""
        suspicious = int(np.isinf(held_out).sum())
        return (
            f"{len(held_out)} normal pictures ({suspicious} suspicious) and a pool of {len(self.pool)} are too few to "
            f"promise {self.overkill:.2%}: see to what `references build` left out, or give {needed(self.overkill)} of "
            f"this product, or {FEWEST} each of {PRODUCTS} products"
        )


def load_pool(folder: Path, camera: str, model_sha256: str) -> Scores:
    """What a camera's products have in common, in rising order; empty where there are fewer than PRODUCTS.

    Raises:
        ReferencesRefused: the file is damaged, or made by another model.
    """
    path = folder / f"{camera}{SUFFIX}"
    if not path.exists():
        return np.empty(0)
    gtins, multiples = _read(path, model_sha256)
    return np.sort(multiples) if len(set(gtins)) >= PRODUCTS else np.empty(0)


def remember(folder: Path, gtin: str, camera: str, held_out: Scores, model_sha256: str) -> None:
    """Add a product's scores to its camera's pool, in place of those it had there."""
    middle = float(np.median(held_out)) if len(held_out) >= FEWEST else 0.0
    if middle <= 0:
        return
    path = folder / f"{camera}{SUFFIX}"
    gtins, multiples = _known(path, model_sha256)
    kept = gtins != gtin
    gtins = np.concatenate((gtins[kept], np.full(len(held_out), gtin)))[-LARGEST:]
    multiples = np.concatenate((multiples[kept], held_out / middle))[-LARGEST:]
    sealed.write(path, {"gtins": gtins, "multiples": multiples}, model_sha256)


def _known(path: Path, model_sha256: str) -> tuple[npt.NDArray[np.str_], Scores]:
    """What the pool holds; one that cannot be read is begun anew, for each product adds its part again."""
    try:
        return _read(path, model_sha256)
    except ReferencesRefused:
        return np.empty(0, "U14"), np.empty(0)


def _read(path: Path, model_sha256: str) -> tuple[npt.NDArray[np.str_], Scores]:
    stored = sealed.read(path, model_sha256)
    try:
        return stored["gtins"], stored["multiples"]
    except KeyError as error:
        raise ReferencesRefused(f"{path}: no pool of scores ({error} is missing): build references anew.") from error
