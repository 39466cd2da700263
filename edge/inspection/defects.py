"""A head that has learnt from labelled items: how probable is damage here, of which kind, and what says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge import sealed
from edge.core.errors import ReferencesRefused
from edge.inspection.session import Session, Tensor

Vector = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SOUND = ""  # the label of an item without damage; any other names the kind of damage
DAMAGED = "damaged"  # of a kind that nobody named
PENALTY = 10.0  # on the squared weights: few labels, many features
STEPS = 25
SETTLED = 1e-8  # of the largest step in a weight
FEWEST = 5  # labels a class, and a kind that is told apart
FOLDS = 5
TRUSTS = np.geomspace(0.02, 5, 120)  # by which log-odds may be multiplied
NEAREST = 5  # labelled items that are pointed at


@dataclass(frozen=True, slots=True)
class Examples:
    """Labelled items, all of one product and one camera."""

    features: Tensor  # items × features, pooled
    kinds: tuple[str, ...]  # SOUND, DAMAGED, or the kind of damage
    names: tuple[str, ...]  # for a person, who may want to look at them

    def damaged(self) -> Flags:
        """Which of them are: items."""
        return np.array([kind != SOUND for kind in self.kinds], bool)


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the head thinks of one item."""

    log_odds: float  # of damage, sound and damaged items being equally common; 0 is even
    kinds: tuple[tuple[str, float], ...]  # kind of damage and its probability, the likeliest first
    because: str

    @property
    def probability(self) -> float:
        """Of damage, of whichever kind."""
        return float(_logistic(np.array(self.log_odds)))

    @property
    def likeliest(self) -> str:
        """Kind of damage; empty: none are told apart."""
        return self.kinds[0][0] if self.kinds else ""


@dataclass(frozen=True, slots=True)
class DefectHead:
    """L2 logistic regressions on standardised, pooled features; their log-odds are calibrated on held-out items.

    One asks for damage. One for each kind with FEWEST labels or more asks whether damage is of that kind, and its
    answer is multiplied with that of the first: no kind is more probable than damage itself.
    """

    centre: Vector  # per feature, of the items it learnt from
    spread: Vector
    questions: tuple[str, ...]  # DAMAGED, then the kinds that are told apart
    weights: Vector  # questions × (bias and features)
    learnt: Examples
    model_sha256: str

    @classmethod
    def fit(cls, learnt: Examples, model_sha256: str) -> DefectHead:
        """Learn from labelled items; sound and damaged ones count alike however many there are of each.

        Raises:
            ReferencesRefused: fewer than FEWEST labels of a class.
        """
        damaged = learnt.damaged()
        counts = np.bincount(damaged, minlength=2)
        if counts.min() < FEWEST:
            raise ReferencesRefused(f"{counts[0]} intact and {counts[1]} damaged: give {FEWEST} or more of each.")
        centre, spread = learnt.features.mean(axis=0, dtype=float), learnt.features.std(axis=0, dtype=float) + 1e-6
        rows = (learnt.features - centre) / spread
        kinds = _told_apart(learnt.kinds)
        balance = len(damaged) / (2 * counts[damaged.astype(int)])
        weights = [_calibrated(rows, damaged, balance), *(_of_kind(kind, rows, learnt.kinds) for kind in kinds)]
        return cls(centre, spread, (DAMAGED, *kinds), np.array(weights), learnt, model_sha256)

    @classmethod
    def load(cls, path: Path, session: Session) -> DefectHead:
        """Read what `save` wrote.

        Raises:
            ReferencesRefused: missing, damaged, or made by another model than the session's.
        """
        stored = sealed.read(path, session.manifest.sha256)
        try:
            learnt = Examples(stored["features"], tuple(stored["kinds"].tolist()), tuple(stored["names"].tolist()))
            centre, spread, weights = (stored[name] for name in ("centre", "spread", "weights"))
            return cls(centre, spread, tuple(stored["questions"].tolist()), weights, learnt, session.manifest.sha256)
        except KeyError as error:
            raise ReferencesRefused(f"{path}: no defect head ({error} is missing): fit it anew.") from error

    def save(self, path: Path) -> None:
        """Write to `path` (`.head.npz`)."""
        sealed.write(
            path,
            {
                "centre": self.centre,
                "spread": self.spread,
                "questions": np.array(self.questions),
                "weights": self.weights,
                "features": self.learnt.features,
                "kinds": np.array(self.learnt.kinds),
                "names": np.array(self.learnt.names),
            },
            self.model_sha256,
        )

    def log_odds(self, features: Tensor) -> float:
        """Of damage against none, for the item with these pooled features; 0 is even."""
        return float(self._answers(self._row(features))[0])

    def opinion(self, features: Tensor) -> Opinion:
        """The log-odds of damage, the probability of each kind, and which labelled items are nearest."""
        row = self._row(features)
        answers = self._answers(row)
        probabilities = _logistic(answers)
        kinds = zip(self.questions[1:], probabilities[0] * probabilities[1:], strict=True)
        ranked = tuple(sorted(((kind, float(chance)) for kind, chance in kinds), key=lambda kind: -kind[1]))
        return Opinion(float(answers[0]), ranked, self._because(row, probabilities[0], ranked))

    def _row(self, features: Tensor) -> Vector:
        return (features - self.centre) / self.spread

    def _answers(self, row: Vector) -> Vector:
        """Log-odds of each question."""
        return self.weights[:, 0] + self.weights[:, 1:] @ row

    def _because(self, row: Vector, probability: float, kinds: Sequence[tuple[str, float]]) -> str:
        """For a person: what it thinks, what it learnt from, and which of that lies nearest."""
        counts = Counter(kind != SOUND for kind in self.learnt.kinds)
        told = ", ".join([f"damaged {probability:.0%}", *(f"{kind} {chance:.0%}" for kind, chance in kinds)])
        gaps = np.linalg.norm(self._row(self.learnt.features) - row, axis=1)
        nearest = np.argsort(gaps)[:NEAREST]
        labels = Counter(self.learnt.kinds[index] or "sound" for index in nearest)
        alike = ", ".join(f"{count} {label}" for label, count in labels.most_common())
        return (
            f"{told} (learnt from {counts[False]} sound and {counts[True]} damaged items); "
            f"of the {len(nearest)} most alike {alike}; nearest {self.learnt.names[nearest[0]]}"
        )


def _told_apart(kinds: Sequence[str]) -> list[str]:
    """The kinds of damage with enough labels, where there are others to tell them from."""
    named = Counter(kind for kind in kinds if kind not in (SOUND, DAMAGED))
    return [kind for kind, count in sorted(named.items()) if count >= FEWEST and count + FEWEST <= named.total()]


def _of_kind(kind: str, rows: Vector, kinds: Sequence[str]) -> Vector:
    """Weights of the question whether damage is of this kind, from the damaged items whose kind is known."""
    named = np.array([one not in (SOUND, DAMAGED) for one in kinds])
    is_kind = np.array([one == kind for one in kinds])
    return _calibrated(rows[named], is_kind[named], np.ones(np.count_nonzero(named)))


def _calibrated(rows: Vector, labels: Flags, balance: Vector) -> Vector:
    """Bias and weights, multiplied by how far their log-odds could be trusted on items that were held out."""
    held_out = np.empty(len(labels))
    parts = _parts(labels)
    for part in range(FOLDS):
        others = parts != part
        solution = _newton(rows[others], labels[others], balance[others])
        held_out[~others] = rows[~others] @ solution[1:] + solution[0]
    return _newton(rows, labels, balance) * _trust(held_out, labels, balance)


def _parts(labels: Flags) -> npt.NDArray[np.intp]:
    """Which of FOLDS parts each item is in; both classes are dealt out in turn."""
    turn = np.where(labels, np.cumsum(labels), np.cumsum(~labels)) - 1
    return np.asarray(turn % FOLDS)


def _trust(log_odds: Vector, labels: Flags, balance: Vector) -> float:
    """The factor on the log-odds that makes the labels likeliest: below 1 where the head was too sure of itself.

    Temperature scaling (Guo et al. 2017), towards Platt's targets (1999), which keep a few right answers from
    being taken for certainty.
    """
    counts = np.count_nonzero(labels), np.count_nonzero(~labels)
    targets = np.where(labels, (counts[0] + 1) / (counts[0] + 2), 1 / (counts[1] + 2))
    scaled = TRUSTS[:, None] * log_odds
    # log σ(x) = -log(1 + e^-x), without overflow
    likelihood = -(targets * np.logaddexp(0, -scaled) + (1 - targets) * np.logaddexp(0, scaled)) @ balance
    return float(TRUSTS[likelihood.argmax()])


def _newton(rows: Vector, labels: Flags, balance: Vector) -> Vector:
    """Bias and weights that maximise the penalised likelihood.

    Newton's method in the span of the rows, where the solution lies: items are fewer than features.
    Source: Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 4.4.1, 18.3.5 and 18.4.
    """
    basis = np.linalg.qr(rows.T)[0]
    design = np.column_stack((np.ones(len(rows)), rows @ basis))
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
    return np.concatenate((solution[:1], basis @ solution[1:]))


def _logistic(logit: Vector) -> Vector:
    return np.asarray(1 / (1 + np.exp(-np.clip(logit, -40, 40))))
