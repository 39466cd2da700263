"""Deadlines, windows, reckoning between the PLC's words, and edges told more than once."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.belt import FAR_NS, PATIENCE_MESSAGES, EdgeSeries, Odometer
from edge.core.messages import BeltReading
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


@pytest.mark.parametrize(("travelled_mm", "due"), [(1300, False), (1371, True), (1460, True)])
@pytest.mark.parametrize("speed", [0.0, 20.0])
def test_a_belt_that_may_start_to_run_leaves_no_time_near_the_gate(travelled_mm, due, speed):
    fast = replace(GEOMETRY, full_speed_mm_per_s=1000.0)
    now = reading(travelled_mm * 10, at_ms=5, speed=speed)
    assert (fast.deadline_ns(item(), now) <= now.read_ns) is due


def test_the_window_is_the_item_and_a_margin_at_each_end():
    assert GEOMETRY.window(item(at_counts=1000)) == (1000 + 14_700, 1000 + 17_300)


def test_the_window_of_an_unmeasured_item_takes_the_typical_length():
    assert GEOMETRY.window(item(length_mm=None)) == GEOMETRY.window(item(length_mm=200.0))


def test_odometer_reckons_on_while_the_plc_is_silent_and_says_so():
    odometer = Odometer(counts_per_mm=10, stale_after_ms=500)
    assert odometer.reading(7) == BeltReading(7, 0.0, 0.0, stale=True)
    odometer.hear(1000, 500.0, 50 * MS)
    assert odometer.reading(150 * MS) == BeltReading(150 * MS, 1500.0, 500.0)
    assert not odometer.reading(550 * MS).stale
    assert odometer.reading(551 * MS) == BeltReading(551 * MS, 3505.0, 500.0, stale=True)


def test_edges_repeated_before_we_listened_are_not_born_again():
    series = EdgeSeries()
    assert series.fresh([dark(10, seq=5)]) == ()
    assert series.fresh([dark(10, seq=5), dark(30, seq=6)]) == (dark(30, seq=6),)


def test_edges_wait_for_those_before_them():
    series = EdgeSeries(0)
    assert series.fresh([dark(30, seq=1)]) == ()
    assert series.fresh([dark(10, seq=0)]) == (dark(10, seq=0), dark(30, seq=1))
    assert series.missed == 0


def test_edges_do_not_wait_for_ever_and_the_loss_is_told():
    series = EdgeSeries(0)
    came = [series.fresh([dark(30, seq=3)]) for _ in range(PATIENCE_MESSAGES + 1)]
    assert came[:-1] == [()] * PATIENCE_MESSAGES
    assert came[-1] == (dark(30, seq=3),)
    assert series.missed == 3


def test_each_gap_is_waited_for_as_long_as_the_first():
    series = EdgeSeries(0)
    assert series.missed == 0
    for _ in range(3):  # what comes in order does not count as waiting
        series.fresh([dark(10, seq=0)])
    for first, second in ((2, 3), (7, 8)):
        came = [series.fresh([dark(10, seq=first), dark(20, seq=second)]) for _ in range(PATIENCE_MESSAGES + 1)]
        assert came[:-1] == [()] * PATIENCE_MESSAGES
        assert came[-1] == (dark(10, seq=first), dark(20, seq=second))
        assert series.fresh([]) == ()
        assert series.missed == 0


def test_given_up_edges_come_behind_those_in_order():
    series = EdgeSeries(0)
    for _ in range(PATIENCE_MESSAGES):
        series.fresh([dark(30, seq=2)])
    assert series.fresh([dark(30, seq=2), dark(40, seq=3)]) == (dark(30, seq=2), dark(40, seq=3))


def test_a_gap_that_is_being_filled_is_not_given_up():
    """What waited at the broker comes piece by piece, while `belt` has long told what is behind it."""
    series = EdgeSeries(0)
    late = dark(999, seq=9)
    for seq in range(3):
        for _ in range(PATIENCE_MESSAGES):
            assert series.fresh([late]) == ()
        assert series.fresh([dark(seq, seq=seq), late]) == (dark(seq, seq=seq),)
    for _ in range(PATIENCE_MESSAGES):
        assert series.fresh([late]) == ()
    assert series.fresh([late]) == (late,)
    assert series.missed == 6


def test_a_plc_with_nothing_to_repeat_has_told_all_when_its_first_edge_comes():
    series = EdgeSeries()
    assert series.fresh([]) == ()
    assert series.fresh([dark(10, seq=4)]) == (dark(10, seq=4),)


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 3)), max_size=30))
def test_every_edge_comes_once_in_order_whatever_is_repeated_lost_or_overtaken(steps):
    """A message repeats the last twelve edges; every third at the latest arrives, messages may overtake each other."""
    series, told, came, late = EdgeSeries(0), [], [], []
    for n, (fresh, lost, delay) in enumerate(steps):
        told += [dark(100 * len(told) + k, seq=len(told) + k) for k in range(fresh)]
        if not (lost and n % 3):
            late.append((n + delay, told[-12:]))
        for due in sorted((one for one in late if one[0] <= n), key=lambda one: one[0]):
            late.remove(due)
            came += series.fresh(due[1])
    for _, message in late:
        came += series.fresh(message)
    came += series.fresh(told[-12:])
    assert [edge.seq for edge in came] == list(range(len(came)))
    assert came == told[: len(came)]
    assert len(told) - len(came) <= max(0, len(told) - 12)


def test_behind_a_gap_that_was_given_up_the_next_is_waited_for_as_long():
    series, told = EdgeSeries(0), [dark(30, seq=3), dark(60, seq=6)]
    came = [series.fresh(told) for _ in range(2 * PATIENCE_MESSAGES + 2)]
    assert [n for n, edges in enumerate(came) if edges] == [PATIENCE_MESSAGES, 2 * PATIENCE_MESSAGES + 1]
