"""Two counters of one belt: they lie a fixed number apart, until one of them is started anew."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.latch import KEPT, TURN, Latch, unrolled

TOLERANCE = 200.0


@given(
    apart=st.integers(-(2**40), 2**40),
    wavers=st.lists(st.floats(-TOLERANCE / 4, TOLERANCE / 4), min_size=3, max_size=60),
    steps=st.integers(1, 100_000),
)
def test_what_a_camera_latched_wavers_less_than_what_is_reckoned(apart, wavers, steps):
    latch = Latch(TOLERANCE)
    for number, waver in enumerate(wavers):
        place = apart + number * steps
        assert abs(latch.counts(number * steps % TURN, place + waver) - place) <= TOLERANCE / 4 + 1e-3
    assert (latch.strays, latch.apart) == (0, False)


@given(st.integers(0, 2**40), st.integers(-(2**30), 2**30))
def test_a_counter_of_32_bits_is_unrolled(last, step):
    assert unrolled((last + step) % TURN, last) == last + step


def test_one_frame_that_does_not_fit_is_not_believed():
    latch = Latch(TOLERANCE)
    places = [latch.counts(n * 1000, 5_000_000 + n * 1000) for n in range(5)]
    assert places == [5_000_000 + n * 1000 for n in range(5)]
    assert (latch.counts(5000 + 7777, 5_005_000), latch.strays) == (5_005_000, 1)
    assert latch.counts(6000, 5_006_010) == 5_006_000


def test_a_counter_that_was_started_anew_is_compared_anew():
    latch = Latch(TOLERANCE)
    for n in range(9):
        latch.counts(90_000 + n * 1000, n * 1000)
    assert [latch.counts(n * 1000, 9000 + n * 1000) for n in range(9)] == [9000 + n * 1000 for n in range(9)]
    assert (latch.strays, latch.apart) == (5, False)


@pytest.mark.parametrize("scale", [0.5, 2])
def test_a_counter_of_another_scale_is_told(scale):
    latch = Latch(TOLERANCE)
    for n in range(2 * KEPT):
        assert latch.counts(round(n * 1000 * scale), n * 1000) == pytest.approx(n * 1000, abs=TOLERANCE)
    assert latch.apart
