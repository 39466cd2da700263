"""Where the belt was at an exposure."""

import pytest

from edge.core.belt import NS_PER_S
from edge.core.ruler import KEPT, Ruler
from tests.unit.lane import MS, reading


@pytest.fixture
def ruler():
    one = Ruler()
    for at_ms in range(0, 100, 10):
        one.update(reading(50.0 * at_ms, at_ms=at_ms))
    return one


@pytest.mark.parametrize(
    ("at_ms", "counts"),
    [(0, 0), (10, 500), (14, 700), (89.5, 4475), (90, 4500), (95, 4750), (1089, 54_450), (-1, None), (1091, None)],
)
def test_between_readings_and_a_little_beyond(ruler, at_ms, counts):
    assert ruler.counts(round(at_ms * MS)) == (None if counts is None else pytest.approx(counts))


def test_nothing_is_known_before_the_first_reading():
    assert Ruler().counts(0) is None


def test_a_belt_that_stands_stays_where_it_is(ruler):
    ruler.update(reading(4500.0, at_ms=100))
    assert ruler.counts(100 * MS + NS_PER_S // 2) == pytest.approx(4500)


def test_two_readings_of_one_instant_are_borne(ruler):
    ruler.update(reading(4500.0, at_ms=90))
    assert ruler.counts(90 * MS) == pytest.approx(4500)


def test_what_is_too_old_is_forgotten(ruler):
    for at_ms in range(100, 100 + KEPT):
        ruler.update(reading(0.0, at_ms=at_ms))
    assert ruler.counts(50 * MS) is None
