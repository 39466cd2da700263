"""A message is acknowledged when what follows from it is on disk, and on the connection that it came by."""

import pytest

from edge.conveyor.receipts import Receipts

KEPT, OTHER = "t/confirm", "t/clear"


@pytest.fixture
def acked():
    return []


@pytest.fixture
def receipts(acked):
    return Receipts(acked.append, [KEPT])


def test_it_waits_for_the_records_of_the_turn_in_which_it_is_taken(receipts, acked):
    receipts.came(KEPT, 1)
    receipts.turned((5,), (5,))  # the loop has not taken it yet
    assert acked == []
    receipts.take(KEPT)
    receipts.came(KEPT, 2)
    receipts.turned((8,), (5,))
    receipts.turned((8,), (7,))
    assert acked == []
    receipts.turned((8,), (8,))
    assert acked == [1]


def test_what_nothing_follows_from_waits_only_for_what_came_before(receipts, acked):
    receipts.came(KEPT, 1)
    receipts.take(KEPT)
    receipts.turned((4,), (4,))
    assert acked == [1]


def test_every_desk_must_have_written(receipts, acked):
    receipts.came(KEPT, 1)
    receipts.take(KEPT)
    receipts.turned((2, 9), (2, 8))
    assert acked == []
    receipts.turned((3, 9), (2, 9))
    assert acked == [1]


def test_they_go_out_in_the_order_in_which_they_came(receipts, acked):
    for mid in (7, 8, 9):
        receipts.came(KEPT, mid)
    receipts.take(KEPT)
    receipts.turned((1,), (1,))
    assert acked == [7, 8, 9]


def test_other_topics_are_acknowledged_at_once(receipts, acked):
    receipts.came(OTHER, 3)
    receipts.take(OTHER)
    assert acked == [3]


@pytest.mark.parametrize("when", ["came", "taken", "waiting"])
def test_nothing_is_acknowledged_on_another_connection(receipts, acked, when):
    receipts.came(KEPT, 1)
    if when != "came":
        receipts.take(KEPT)
    if when == "waiting":
        receipts.turned((2,), (1,))
    receipts.disconnected()
    receipts.take(KEPT)
    receipts.turned((2,), (2,))
    assert acked == []
    receipts.came(KEPT, 1)  # said again, under the same number
    receipts.take(KEPT)
    receipts.turned((2,), (2,))
    assert acked == [1]
