"""Promises about sound items, and the alarm that they may no longer hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.conformal import needed, p_value, pooled
from edge.core.drift import WINDOW, Drift
from edge.core.messages import Disposition, Verdict
from tests.unit.lane import evidence

SOUND = np.array([1.0, 2.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("score", "value"), [(0.5, 1.0), (1.0, 1.0), (1.5, 0.8), (2.0, 0.8), (2.5, 0.4), (3.0, 0.4), (3.5, 0.2)]
)
def test_the_p_value_counts_those_that_score_as_high(score, value):
    assert p_value(score, SOUND) == pytest.approx(value)


def test_without_sound_items_nothing_is_unusual():
    assert p_value(9.0, np.empty(0)) == 1.0


@pytest.mark.parametrize(("overkill", "items"), [(0.5, 1), (0.05, 19), (0.01, 99), (0.001, 999)])
def test_so_many_sound_items_make_a_promise_possible(overkill, items):
    assert needed(overkill) == items
    highest = p_value(np.inf, np.zeros(items))
    assert highest <= overkill < p_value(np.inf, np.zeros(items - 1))


@given(st.lists(st.integers(0, 30), min_size=1, max_size=60), st.sampled_from([0.01, 0.05, 0.2]))
def test_no_larger_share_of_exchangeable_items_is_rejected_than_promised(scores, overkill):
    """Each takes its turn as the new one: on average the promise holds exactly, ties and all."""
    values = [p_value(one, np.sort(np.delete(scores, index))) for index, one in enumerate(scores)]
    assert np.mean(np.array(values) <= overkill) <= overkill


def test_products_are_pooled_as_multiples_of_their_middles():
    pool = pooled([np.array([1.0, 2.0, 3.0]), np.array([10.0, 10.0, 40.0]), np.empty(0), np.zeros(3)])
    assert pool.tolist() == [0.5, 1.0, 1.0, 1.0, 1.5, 4.0]
    assert pooled([np.array([0.1, 0.2, 0.4])]).tolist() == [0.5, 1.0, 2.0]
    assert pooled([]).size == 0


def verdict(p, camera="top", valid=True):
    found = evidence(camera=camera, valid=valid, p_value=p)
    return Verdict("i-1", None, 0, Disposition.PASS, (), (), (found,), "r", 0, None, 0, 0)


def told(drift, values, **said):
    return [text for value in values for text in drift.update([verdict(value, **said)])]


def test_a_camera_whose_items_look_as_usual_does_not_drift():
    assert told(Drift(), np.random.default_rng(1).uniform(size=10 * WINDOW)) == []


@pytest.mark.parametrize(("values", "how"), [((0.0, 0.4), "more"), ((0.6, 1.0), "less")])
def test_a_camera_that_drifts_is_told_once_and_again_after_it_was_well(values, how):
    drift = Drift()
    for _ in range(2):
        (text,) = told(drift, np.random.default_rng(1).uniform(*values, size=2 * WINDOW))
        assert how in text
        assert told(drift, np.tile([0.2, 0.8], WINDOW)) == []


@pytest.mark.parametrize(("low", "drifts"), [(128, False), (129, True), (72, False), (71, True)])
def test_four_standard_deviations_are_a_drift(low, drifts):
    """Of 200 items half lie low, give or take 7 (one standard deviation of the share is 3.5 %)."""
    values = [0.2] * low + [0.8] * (WINDOW - low)
    assert bool(told(Drift(), values)) is drifts


def test_a_few_bad_items_are_no_drift():
    values = [0.001 if n % 5 == 0 else (0.3, 0.9)[n % 2] for n in range(3 * WINDOW)]
    assert told(Drift(), values) == []


def test_evidence_that_vouches_for_nothing_is_not_counted():
    assert told(Drift(), [0.01] * 2 * WINDOW, valid=False) == []
    assert told(Drift(), [None] * 2 * WINDOW) == []
