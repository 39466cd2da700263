"""Frames on their way: more while they come in time, fewer once they do not."""

from hypothesis import given
from hypothesis import strategies as st

from edge.core.window import FIRST, MOST, Window


def full(window, number=0):
    while window.open:
        number += 1
        window.sent(number)
    return number


def test_it_is_open_until_it_is_full():
    window = Window()
    assert full(window) == FIRST
    window.arrived(1)
    assert window.open


def test_it_grows_while_frames_come_in_time_up_to_a_limit():
    window = Window()
    for number in range(1, 1000):
        window.sent(number)
        window.arrived(number)
    assert window.size == MOST


def test_one_delay_halves_it_once_however_many_frames_it_makes_late():
    window = Window()
    full(window)
    window.expired(1)
    window.expired(2)
    assert window.size == FIRST // 2
    window.expired(FIRST)
    assert window.size == FIRST // 2
    window.sent(FIRST + 1)
    window.expired(FIRST + 1)
    assert window.size == 1


def test_what_is_acknowledged_settles_all_before_it():
    window = Window()
    full(window)
    window.arrived(FIRST)
    assert full(window, FIRST) == FIRST + window.size


def test_strange_numbers_change_nothing():
    window = Window()
    full(window)
    window.arrived(99)
    window.expired(0)
    assert (window.size, window.open) == (FIRST, False)


@given(st.lists(st.tuples(st.sampled_from(["send", "arrived", "expired"]), st.integers(0, 40))))
def test_it_never_closes_for_good_nor_opens_too_far(steps):
    window, number = Window(), 0
    for step, which in steps:
        if step == "send":
            if window.open:
                number += 1
                window.sent(number)
        else:
            getattr(window, step)(which)
        assert 1 <= window.size <= MOST
    window.arrived(number)
    assert window.open
