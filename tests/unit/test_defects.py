"""The head that learns from labels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.errors import ReferencesRefused
from edge.core.statistics import auroc
from edge.inspection import defects
from edge.inspection.defects import DAMAGED, SOUND, DefectHead, Examples
from edge.inspection.session import Session, newest

MODELS = Path(__file__).resolve().parents[2] / "models"
SHOWN_IN = {"dented": 0, "torn": 2, DAMAGED: 4}  # the first of the two features in which each kind shows


def items(count: int, seed: int, kinds: tuple[str, ...] = (SOUND, DAMAGED), features: int = 12) -> Examples:
    """`count` items, of the kinds in turn; each kind of damage shows in two of the features."""
    random = np.random.default_rng(seed)
    labels = tuple(kinds[index % len(kinds)] for index in range(count))
    rows = random.normal(5, 2, (count, features))
    for row, kind in zip(rows, labels, strict=True):
        if kind != SOUND:
            row[SHOWN_IN[kind] : SHOWN_IN[kind] + 2] += 6
    return Examples(rows.astype(np.float32), labels, tuple(f"item {index}" for index in range(count)))


def some(examples: Examples, kept: np.ndarray) -> Examples:
    return Examples(
        examples.features[kept],
        tuple(examples.kinds[index] for index in kept),
        tuple(examples.names[index] for index in kept),
    )


HEAD = DefectHead.fit(items(40, seed=8), model_sha256="m")
KINDS = DefectHead.fit(items(90, seed=9, kinds=(SOUND, "dented", "torn")), model_sha256="m")


def test_damaged_items_get_the_higher_odds() -> None:
    fresh = items(200, seed=2)
    found = np.array([HEAD.log_odds(row) for row in fresh.features])
    assert np.mean((found > 0) == fresh.damaged()) > 0.9


def test_direction_is_the_summit_of_the_penalised_likelihood() -> None:
    """Calibration may only multiply the log-odds."""
    examples = items(40, seed=3)
    head = DefectHead.fit(examples, "m")
    rows = (examples.features - head.centre) / head.spread
    labels = examples.damaged()
    summit = defects._newton(rows, labels, np.ones(40))
    expected = 1 / (1 + np.exp(-(rows @ summit[1:] + summit[0])))
    assert rows.T @ (labels - expected) == pytest.approx(defects.PENALTY * summit[1:], abs=1e-5)
    assert np.sum(labels - expected) == pytest.approx(0, abs=1e-5)
    trust = head.weights[0] / summit
    assert trust == pytest.approx(np.full_like(trust, trust[0]))


def test_many_intact_items_do_not_drown_few_damaged_ones() -> None:
    examples = items(400, seed=4)
    damaged = examples.damaged()
    head = DefectHead.fit(some(examples, np.r_[np.flatnonzero(~damaged), np.flatnonzero(damaged)[:8]]), "m")
    fresh = items(100, seed=5)
    assert np.mean([head.log_odds(row) > 0 for row in fresh.features[fresh.damaged()]]) > 0.8


def test_head_that_learnt_nothing_claims_nothing() -> None:
    random = np.random.default_rng(1)
    noise = replace(items(40, seed=1), features=random.normal(size=(40, 300)).astype(np.float32))
    head = DefectHead.fit(noise, "m")
    found = [head.opinion(row).probability for row in random.normal(size=(200, 300)).astype(np.float32)]
    assert min(found) > 0.2
    assert max(found) < 0.8


def test_probability_is_how_often_it_is_right() -> None:
    """A small effect: of those said to be damaged with about p, about p are."""
    random = np.random.default_rng(2)

    def drawn(count: int) -> Examples:
        labels = np.arange(count) % 2
        rows = random.normal(size=(count, 40)) + np.outer(labels, np.r_[1.2, np.zeros(39)])
        return Examples(rows.astype(np.float32), tuple(DAMAGED if one else SOUND for one in labels), ("",) * count)

    head, fresh = DefectHead.fit(drawn(100), "m"), drawn(4000)
    said = np.array([head.opinion(row).probability for row in fresh.features])
    for low in (0.1, 0.3, 0.5, 0.7):
        of_these = (said >= low) & (said < low + 0.2)
        assert fresh.damaged()[of_these].mean() == pytest.approx(said[of_these].mean(), abs=0.12)


def test_kinds_are_told_apart() -> None:
    fresh = items(90, seed=10, kinds=(SOUND, "dented", "torn"))
    opinions = [KINDS.opinion(row) for row in fresh.features]
    likeliest = [opinion.likeliest for opinion in opinions]
    right = [found == kind for found, kind in zip(likeliest, fresh.kinds, strict=True) if kind != SOUND]
    assert np.mean(right) > 0.9
    odds = np.array([opinion.log_odds for opinion in opinions])
    area = auroc(odds[~fresh.damaged()].tolist(), odds[fresh.damaged()].tolist())
    assert area is not None
    assert area > 0.9


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        ((SOUND, DAMAGED), ()),  # nobody named a kind
        ((SOUND, "dented"), ()),  # nothing to tell it from
        ((SOUND, "dented", "torn"), ("dented", "torn")),
        ((SOUND, "dented", DAMAGED), ()),
        ((SOUND, "dented", "torn", DAMAGED), ("dented", "torn")),
    ],
)
def test_kinds_that_are_told_apart(kinds: tuple[str, ...], told: tuple[str, ...]) -> None:
    assert DefectHead.fit(items(60, seed=11, kinds=kinds), "m").questions == (DAMAGED, *told)


def test_kind_with_few_labels_counts_as_damage_only() -> None:
    examples = items(60, seed=12, kinds=(SOUND, "dented", "torn"))
    torn = np.array([kind == "torn" for kind in examples.kinds])
    few = some(examples, np.r_[np.flatnonzero(~torn), np.flatnonzero(torn)[:4]])
    assert DefectHead.fit(few, "m").questions == (DAMAGED,)


@given(st.lists(st.floats(-1e6, 1e6), min_size=12, max_size=12))
def test_no_kind_is_more_probable_than_damage(numbers: list[float]) -> None:
    opinion = KINDS.opinion(np.array(numbers, np.float32))
    assert np.isfinite(opinion.log_odds)
    assert all(0 <= chance <= opinion.probability <= 1 for _, chance in opinion.kinds)
    assert list(opinion.kinds) == sorted(opinion.kinds, key=lambda kind: -kind[1])


def test_reason_names_what_was_learnt_and_what_is_nearest() -> None:
    row = KINDS.learnt.features[1]  # dented
    because = KINDS.opinion(row).because
    assert because.startswith("damaged 100%, dented 99%, torn 1% (")
    assert "most alike 5 dented" in because
    assert "30 sound and 60 damaged" in because
    assert because.endswith("nearest item 1")


@pytest.mark.parametrize("damaged", [0, 4])
def test_too_few_labels_are_refused(damaged: int) -> None:
    kinds = tuple(DAMAGED if index < damaged else SOUND for index in range(20))
    with pytest.raises(ReferencesRefused, match=f"{damaged} damaged"):
        DefectHead.fit(Examples(np.zeros((20, 3), np.float32), kinds, ("",) * 20), "m")


def test_feature_that_never_varies_does_no_harm() -> None:
    examples = items(40, seed=6)
    examples.features[:, 5] = 1.0
    assert np.isfinite(DefectHead.fit(examples, "m").log_odds(examples.features[0]))


def test_file_brings_back_the_same_and_knows_its_model(tmp_path: Path) -> None:
    session = Session.load(newest(MODELS, "backbone"))
    path = tmp_path / "top.head.npz"
    replace(KINDS, model_sha256=session.manifest.sha256).save(path)
    row = KINDS.learnt.features[0]
    assert DefectHead.load(path, session).opinion(row) == KINDS.opinion(row)
    KINDS.save(path)
    with pytest.raises(ReferencesRefused, match="made by"):
        DefectHead.load(path, session)
