"""Deadlines, windows, reckoning between the PLC's words, and edges told more than once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.belt import FAR_NS, EdgeSeries, Odometer
from tests.unit.lane import GEOMETRY, MS, dark, item, reading


@pytest.mark.parametrize(
    ("travelled_mm", "speed", "left_ms"),
    [(0, 500, 2840), (470, 500, 1900), (1470, 500, -100), (0, 1000, 1370), (1600, 500, -360)],
)
def test_deadline_is_the_gate_less_margin_and_lead(travelled_mm, speed, left_ms):
    now = reading(travelled_mm * 10, at_ms=7, speed=float(speed))
    assert GEOMETRY.deadline_ns(item(), now) == (7 + left_ms) * MS


def test_a_standing_belt_has_no_deadline_yet():
    assert GEOMETRY.deadline_ns(item(), reading(14_000, at_ms=5, speed=0.5)) == 5 * MS + FAR_NS


def test_the_window_is_the_item_and_a_margin_at_each_end():
    assert GEOMETRY.window(item(at_counts=1000)) == (1000 + 14_700, 1000 + 17_300)


def test_the_window_of_an_unmeasured_item_takes_the_typical_length():
    assert GEOMETRY.window(item(length_mm=None)) == GEOMETRY.window(item(length_mm=200.0))


def test_odometer_reckons_on_while_the_plc_is_silent_and_says_so():
    odometer = Odometer(counts_per_mm=10, stale_after_ms=500)
    assert odometer.reading(0).stale
    odometer.hear(1000, 500.0, 0)
    fresh, old = odometer.reading(100 * MS), odometer.reading(501 * MS)
    assert (fresh.counts, fresh.stale) == (1500, False)
    assert (old.counts, old.stale) == (3505, True)


def test_edges_repeated_before_we_listened_are_not_born_again():
    series = EdgeSeries()
    assert series.fresh([dark(10, seq=5)]) == ()
    assert series.fresh([dark(10, seq=5), dark(30, seq=6)]) == (dark(30, seq=6),)


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(1, 6))
def test_every_edge_comes_once_however_often_it_is_repeated(steps, kept):
    series, told, came = EdgeSeries(), [], []
    series.fresh([])
    for step in steps:
        told += [dark(100 * len(told) + n, seq=len(told) + n) for n in range(min(step, kept))]
        came += series.fresh(told[-kept:])
    assert came == told
