"""Figures of merit, where they can be reckoned by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.statistics import auroc, per_region_overlap, recall_at, wilson

SCORES = st.lists(st.integers(0, 9), min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("good", "bad", "area"),
    [
        ([1, 2], [3, 4], 1.0),
        ([3, 4], [1, 2], 0.0),
        ([1, 1], [1, 1], 0.5),
        ([1, 3], [2, 4], 0.75),
        ([1], [1, 2], 0.75),
        ([], [1], None),
        ([1], [], None),
    ],
)
def test_area(good, bad, area):
    assert auroc(good, bad) == area


@given(SCORES, SCORES)
def test_area_is_the_share_of_pairs_in_order(good, bad):
    pairs = [(above > below) + (above == below) / 2 for above in bad for below in good]
    assert auroc(good, bad) == pytest.approx(np.mean(pairs))


@pytest.mark.parametrize(
    ("good", "bad", "overkill", "recall"),
    [
        (range(100), [98, 99, 100, 101], 0.01, 0.75),
        (range(100), [98, 99, 100, 101], 0.001, 0.5),
        (range(20), [18, 19, 20], 0.01, 1 / 3),
        ([1, 2], [0], 1.0, 1.0),
        ([], [1], 0.01, None),
        ([1], [], 0.01, None),
    ],
)
def test_recall_at_an_overkill(good, bad, overkill, recall):
    assert recall_at(list(good), bad, overkill) == (None if recall is None else pytest.approx(recall))


@given(SCORES, SCORES, st.floats(0, 1))
def test_recall_never_costs_more_than_is_borne(good, bad, overkill):
    borne = int(overkill * len(good) + 1e-9)
    caught = recall_at(good, bad, overkill)
    thresholds = [one for one in (*good, *bad, -1) if sum(other > one for other in good) <= borne]
    assert caught == pytest.approx(max(sum(other > one for other in bad) / len(bad) for one in thresholds))


@pytest.mark.parametrize(
    ("region", "overlap"),
    [([2.0] * 10, 1.0), ([-1.0] * 10, 0.0), ([2.0] * 5 + [-1.0] * 5, 0.5)],
    ids=["above all", "below all", "half of it above"],
)
def test_overlap_of_one_region(region, overlap):
    sound = np.linspace(0, 1, 1000)
    assert per_region_overlap(sound, [np.array(region)]) == pytest.approx(overlap, abs=0.01)


def test_small_regions_count_like_large_ones():
    sound = np.linspace(0, 1, 1000)
    regions = [np.full(1000, 2.0), np.full(4, -1.0)]
    assert per_region_overlap(sound, regions) == pytest.approx(0.5, abs=0.01)


def test_overlap_of_chance_is_half_the_limit():
    random = np.random.default_rng(0)
    regions = [random.random(500) for _ in range(20)]
    assert per_region_overlap(random.random(20_000), regions) == pytest.approx(0.15, abs=0.02)


def test_overlap_needs_both():
    assert per_region_overlap([], [np.ones(1)]) is None
    assert per_region_overlap([1.0], []) is None


@pytest.mark.parametrize(
    ("share", "count", "ends"), [(0.0, 10, (0.0, 0.2775)), (0.5, 100, (0.4038, 0.5962)), (1.0, 10, (0.7225, 1.0))]
)
def test_the_interval_of_a_share_as_wilson_gives_it(share, count, ends):
    assert wilson(share, count) == pytest.approx(ends, abs=1e-4)
