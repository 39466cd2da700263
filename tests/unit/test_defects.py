"""The head that learns from labels."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.errors import ReferencesRefused
from edge.inspection import defects
from edge.inspection.defects import DefectHead
from edge.inspection.session import Session, newest

MODELS = Path(__file__).resolve().parents[2] / "models"


def items(count: int, seed: int, features: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Features of `count` items; every other one is damaged and shows it in two of them."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 2 == 1
    rows = random.normal(5, 2, (count, features))
    rows[:, :2] += 6 * labels[:, None]
    return rows.astype(np.float32), labels


def test_damaged_items_get_the_higher_odds() -> None:
    head = DefectHead.fit(*items(60, seed=1), model_sha256="m")
    rows, labels = items(200, seed=2)
    found = np.array([head.log_odds(row) for row in rows])
    assert np.mean((found > 0.5) == labels) > 0.9


def test_solution_is_the_summit_of_the_penalised_likelihood() -> None:
    rows, labels = items(40, seed=3)
    head = DefectHead.fit(rows, labels, "m")
    scaled = (rows - head.centre) / head.spread
    expected = 1 / (1 + np.exp(-(scaled @ head.weights + head.bias)))
    assert scaled.T @ (labels - expected) == pytest.approx(defects.PENALTY * head.weights, abs=1e-5)
    assert np.sum(labels - expected) == pytest.approx(0, abs=1e-5)


def test_many_intact_items_do_not_drown_few_damaged_ones() -> None:
    rows, labels = items(400, seed=4)
    kept = np.r_[np.flatnonzero(~labels), np.flatnonzero(labels)[:8]]
    head = DefectHead.fit(rows[kept], labels[kept], "m")
    fresh, truth = items(100, seed=5)
    assert np.mean([head.log_odds(row) > 0 for row in fresh[truth]]) > 0.8


@given(st.lists(st.floats(-1e6, 1e6), min_size=12, max_size=12))
def test_odds_are_numbers(numbers: list[float]) -> None:
    assert np.isfinite(HEAD.log_odds(np.array(numbers, np.float32)))


@pytest.mark.parametrize("damaged", [0, 4])
def test_too_few_labels_are_refused(damaged: int) -> None:
    with pytest.raises(ReferencesRefused, match=f"{damaged} damaged"):
        DefectHead.fit(np.zeros((20, 3), np.float32), np.arange(20) < damaged, "m")


def test_feature_that_never_varies_does_no_harm() -> None:
    rows, labels = items(40, seed=6)
    rows[:, 5] = 1.0
    assert np.isfinite(DefectHead.fit(rows, labels, "m").log_odds(rows[0]))


def test_file_brings_back_the_same_and_knows_its_model(tmp_path: Path) -> None:
    session = Session.load(newest(MODELS, "backbone"))
    rows, labels = items(40, seed=7)
    path = tmp_path / "top.head.npz"
    DefectHead.fit(rows, labels, session.manifest.sha256).save(path)
    assert DefectHead.load(path, session).log_odds(rows[0]) == DefectHead.fit(rows, labels, "m").log_odds(rows[0])
    DefectHead.fit(rows, labels, "another model").save(path)
    with pytest.raises(ReferencesRefused, match="another mode"):
        DefectHead.load(path, session)


HEAD = DefectHead.fit(*items(40, seed=8), model_sha256="m")
