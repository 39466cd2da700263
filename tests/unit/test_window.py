"""Frames on their way: more while they come well in time, fewer once they hardly do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.window import FIRST, MOST, QUICK, SLOW, Window


def full(window, number=0):
    while window.open:
        number += 1
        window.sent(number)
    return number


def grown():
    """As wide as it can be, with nothing under way; the last number."""
    window = Window()
    for number in range(1, 1000):
        window.sent(number)
        window.arrived(number, 0.1)
    return window, number


def test_it_is_open_until_it_is_full():
    window = Window()
    assert full(window) == FIRST
    window.arrived(1, 0.1)
    assert window.open


def test_it_grows_while_frames_come_well_in_time_up_to_a_limit():
    assert grown()[0].size == MOST


@pytest.mark.parametrize(
    ("spent", "size"), [(QUICK, FIRST), (SLOW, FIRST), (SLOW + 0.01, FIRST // 2), (1.5, FIRST // 2)]
)
def test_it_stays_or_shrinks_where_they_hardly_do(spent, size):
    window = Window()
    window.sent(1)
    window.arrived(1, spent)
    assert window.size == size


def test_one_delay_halves_it_once_however_many_frames_it_makes_late():
    window, number = grown()
    last = full(window, number)
    for one in range(number + 1, last + 1):
        window.arrived(one, 2.0)
    assert window.size == MOST // 2
    window.sent(last + 1)
    window.arrived(last + 1, 2.0)
    assert window.size == MOST // 4


def test_what_is_acknowledged_settles_all_before_it():
    window = Window()
    full(window)
    window.arrived(FIRST, QUICK)
    assert full(window, FIRST) == 2 * FIRST


def test_strange_numbers_change_nothing():
    window = Window()
    full(window)
    window.arrived(99, 0.1)
    window.arrived(0, 2.0)
    assert (window.size, window.open) == (FIRST, False)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40), st.floats())))
def test_it_never_closes_for_good_nor_opens_too_far(steps):
    window, number = Window(), 0
    for sends, which, spent in steps:
        if not sends:
            window.arrived(which, spent)
        elif window.open:
            number += 1
            window.sent(number)
        assert 1 <= window.size <= MOST
    window.arrived(number, 0.1)
    assert window.open
