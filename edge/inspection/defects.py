"""A head that has learnt from labelled items: the probability that this one is damaged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.core.errors import ReferencesRefused
from edge.inspection import sealed
from edge.inspection.session import Session, Tensor

Vector = npt.NDArray[np.float64]

PENALTY = 10.0  # on the squared weights: few labels, many features
STEPS = 25
SETTLED = 1e-8  # of the largest step in a weight
FEWEST = 5  # labels a class


@dataclass(frozen=True, slots=True)
class DefectHead:
    """L2 logistic regression on standardised, pooled features."""

    centre: Vector  # per feature, of the items it learnt from
    spread: Vector
    weights: Vector
    bias: float
    model_sha256: str

    @classmethod
    def fit(cls, features: Tensor, labels: npt.NDArray[np.bool_], model_sha256: str) -> DefectHead:
        """Learn from `features` (items × features) and `labels` (items, True for damaged).

        Newton's method on the penalised likelihood, both classes weighted alike however many there are of each.
        Source: Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 4.4.1 and 18.4.

        Raises:
            ReferencesRefused: fewer than FEWEST labels of a class.
        """
        counts = np.bincount(labels.astype(int), minlength=2)
        if counts.min() < FEWEST:
            raise ReferencesRefused(f"{counts[0]} intact and {counts[1]} damaged: give {FEWEST} or more of each.")
        rows = features.astype(np.float64)
        centre, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-6
        balance = len(labels) / (2 * counts[labels.astype(int)])
        solution = _newton((rows - centre) / spread, labels.astype(np.float64), balance)
        return cls(centre, spread, solution[1:], float(solution[0]), model_sha256)

    @classmethod
    def load(cls, path: Path, session: Session) -> DefectHead:
        """Read what `save` wrote.

        Raises:
            ReferencesRefused: missing, damaged, or made by another model than the session's.
        """
        stored = sealed.read(path, session.manifest.sha256)
        try:
            centre, spread, weights = (stored[name] for name in ("centre", "spread", "weights"))
            return cls(centre, spread, weights, float(stored["bias"]), session.manifest.sha256)
        except KeyError as error:
            raise ReferencesRefused(f"{path}: no defect head ({error} is missing): fit it anew.") from error

    def save(self, path: Path) -> None:
        """Write to `path` (`.head.npz`)."""
        numbers = {"centre": self.centre, "spread": self.spread, "weights": self.weights, "bias": np.array(self.bias)}
        sealed.write(path, numbers, self.model_sha256)

    def log_odds(self, features: Tensor) -> float:
        """Of damage against none, for the item with these pooled features; 0 is even."""
        return float(((features - self.centre) / self.spread) @ self.weights + self.bias)


def _newton(rows: Vector, labels: Vector, balance: Vector) -> Vector:
    """Bias and weights that maximise the penalised likelihood."""
    design = np.column_stack((np.ones(len(rows)), rows))
    penalty = np.full(design.shape[1], PENALTY)
    penalty[0] = 0.0
    solution = np.zeros(design.shape[1])
    for _ in range(STEPS):
        expected = _logistic(design @ solution)
        slope = design.T @ (balance * (labels - expected)) - penalty * solution
        curvature = (design.T * (balance * expected * (1 - expected))) @ design + np.diag(penalty + 1e-9)
        step = np.linalg.solve(curvature, slope)
        solution = solution + step
        if np.abs(step).max() < SETTLED:
            break
    return solution


def _logistic(logit: Vector) -> Vector:
    return np.asarray(1 / (1 + np.exp(-np.clip(logit, -40, 40))))
