"""Another machine's clock: the true offset lies within what is stated, whatever way the messages took."""

import math

from hypothesis import given
from hypothesis import strategies as st

from edge.core.clocks import DRIFT_PPM, Clock, Exchange

MS, S = 1_000_000, 1_000_000_000
delay_ns = st.one_of(st.integers(0, 2 * MS), st.integers(0, 500 * MS))
exchanges = st.lists(st.tuples(delay_ns, delay_ns, delay_ns, st.integers(0, 100 * S)), min_size=1, max_size=30)
drifts = st.floats(-DRIFT_PPM, DRIFT_PPM)


class Theirs:
    """A clock that runs evenly, a little too fast or too slow."""

    def __init__(self, offset_ns, drift_ppm):
        self.offset_ns, self.drift_ppm = offset_ns, drift_ppm

    def at(self, ours_ns):
        return ours_ns + self.offset_ns + math.floor(ours_ns * self.drift_ppm / 1e6)


def heard(clock, theirs, now_ns, there_ns, busy_ns, back_ns):
    arrived_ns, left_ns = now_ns + there_ns, now_ns + there_ns + busy_ns
    exchange = Exchange(now_ns, theirs.at(arrived_ns), theirs.at(left_ns), left_ns + back_ns)
    assert exchange.possible
    clock.hear(exchange)
    return exchange.back_ns


@given(exchanges, drifts, st.integers(-(10**15), 10**15), st.integers(-S, 1000 * S))
def test_the_true_offset_is_always_within_the_stated_error(made, drift_ppm, offset_ns, later_ns):
    clock, theirs, now_ns = Clock(), Theirs(offset_ns, drift_ppm), 5 * S
    for there_ns, busy_ns, back_ns, pause_ns in made:
        now_ns = heard(clock, theirs, now_ns, there_ns, busy_ns, back_ns)
        for at_ns in (now_ns, now_ns + later_ns):
            known_ns, error_ns = clock.offset(at_ns)
            assert abs(theirs.at(at_ns) - at_ns - known_ns) <= error_ns + 1
        now_ns += pause_ns
    assert clock.restarts == 0


@given(exchanges)
def test_the_error_is_no_more_than_half_of_any_round_trip_and_what_drift_may_add(made):
    clock, theirs, now_ns, least_ns = Clock(), Theirs(7, 0), 5 * S, math.inf
    for there_ns, busy_ns, back_ns, pause_ns in made:
        begun_ns, now_ns = now_ns, heard(clock, theirs, now_ns, there_ns, busy_ns, back_ns)
        drift_ns = (now_ns - begun_ns) * DRIFT_PPM / 1e6
        least_ns = min(least_ns + drift_ns + 1, (there_ns + back_ns) / 2 + drift_ns)
        assert clock.offset(now_ns)[1] <= least_ns + 3
        least_ns += pause_ns * DRIFT_PPM / 1e6 + 1
        now_ns += pause_ns


def test_nothing_is_known_before_the_first_exchange():
    assert Clock().offset(0) is None


def test_a_quick_exchange_is_remembered_while_later_ones_are_slow():
    clock, theirs = Clock(), Theirs(1000 * S, 0)
    now_ns = heard(clock, theirs, 0, MS // 10, 0, MS // 10)
    for _ in range(10):
        now_ns = heard(clock, theirs, now_ns + S, 200 * MS, 0, 200 * MS)
    known_ns, error_ns = clock.offset(now_ns)
    assert abs(known_ns - 1000 * S) <= error_ns < 16 * MS  # a millisecond a second


def test_ways_of_unlike_length_are_told_by_exchanges_that_differ():
    clock, theirs = Clock(), Theirs(0, 0)
    heard(clock, theirs, 0, 100 * MS, 0, 0)
    heard(clock, theirs, 200 * MS, 0, 0, 100 * MS)
    assert clock.offset(300 * MS)[1] < MS


def test_a_clock_that_was_set_is_believed_anew():
    clock = Clock()
    heard(clock, Theirs(0, 0), 0, MS, 0, MS)
    heard(clock, Theirs(500 * S, 0), S, MS, 0, MS)
    assert clock.restarts == 1
    assert abs(clock.offset(S)[0] - 500 * S) <= 2 * MS


def test_a_forgotten_clock_is_unknown():
    clock = Clock()
    heard(clock, Theirs(0, 0), 0, MS, 0, MS)
    clock.forget()
    assert clock.offset(0) is None


def test_an_answer_from_before_the_question_is_impossible():
    assert not Exchange(0, 10, 5, 20).possible  # theirs ran backwards
    assert not Exchange(0, 0, 100, 50).possible  # busy for longer than it was away
    assert not Exchange(50, 0, 0, 0).possible
