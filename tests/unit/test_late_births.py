"""What a box was not there to see is told in one burst: each item gets its own order, and its own end."""

from dataclasses import replace

import pytest

from edge.core.messages import Announcement, End, Item, ItemEnd, ReplacementRequest
from edge.core.tracker import Tracker
from tests.unit.lane import EXPECTED, GEOMETRY, dark, light, reading
from tests.unit.test_loop import Lane, turned

BACK = 500  # the turn in which the box is told; the belt is at 50,000 counts
LEADS = (10_000, 14_000, 18_000, 22_000)  # all of them are long past the gate
ORDERS = tuple(
    replace(EXPECTED, wms_item=f"w-{n}", order_line=f"o-{n}", scan_counts=lead - GEOMETRY.counts(GEOMETRY.scanner_mm))
    for n, lead in enumerate(LEADS)
)
INDUCT = tuple(
    edge
    for n, lead in enumerate(LEADS)
    for edge in (dark(lead, seq=2 * n), light(lead + GEOMETRY.counts(200), seq=2 * n + 1))
)
CONFIRM = tuple(dark(lead + GEOMETRY.counts(GEOMETRY.confirm_mm), seq=2 * n) for n, lead in enumerate(LEADS))
EXIT = tuple(dark(lead + GEOMETRY.counts(GEOMETRY.exit_mm), seq=2 * n) for n, lead in enumerate(LEADS))
ALL = {"o-0", "o-1", "o-2", "o-3"}


def told(**by_turn):
    """What came of what was told in the turns after a silence: t0, t1, …"""
    lane = Lane({BACK - 1: {"stale": True}} | {BACK + int(name[1:]): said for name, said in by_turn.items()})
    turned(lane, BACK + 700)
    orders = {one.item_id: one.expected and one.expected.order_line for one in lane.of(Item)}
    ends = {orders[one.item_id]: one.end for one in lane.of(ItemEnd)}
    return ends, {one.order_line for one in lane.of(ReplacementRequest)}


@pytest.mark.parametrize(
    "by_turn",
    [
        {"t0": {"announced": ORDERS, "induct_edges": INDUCT, "confirm_edges": CONFIRM}},
        {"t0": {"announced": ORDERS}, "t1": {"induct_edges": INDUCT, "confirm_edges": CONFIRM}},
        {"t0": {"announced": ORDERS, "induct_edges": INDUCT}, "t140": {"confirm_edges": CONFIRM}},
        {"t0": {"announced": ORDERS[::-1], "induct_edges": INDUCT, "confirm_edges": CONFIRM}},
        {
            "t0": {"announced": ORDERS[:2], "induct_edges": INDUCT[:4], "confirm_edges": CONFIRM[:2]},
            "t1": {"announced": ORDERS[2:], "induct_edges": INDUCT[4:], "confirm_edges": CONFIRM[2:]},
        },
    ],
    ids=["at once", "announced before", "seen to leave later", "announced in another order", "in two pieces"],
)
def test_what_was_pulled_meanwhile_has_its_request(by_turn):
    ends, asked = told(**by_turn)
    assert ends == dict.fromkeys(ALL, End.NO_DECISION)
    assert asked == ALL


def test_what_went_on_meanwhile_is_missed_and_is_not_ordered_again():
    said = {"announced": ORDERS, "induct_edges": INDUCT, "confirm_edges": CONFIRM[:2], "exit_edges": EXIT[2:]}
    ends, asked = told(t0=said)
    assert ends == {"o-0": End.NO_DECISION, "o-1": End.NO_DECISION, "o-2": End.MISSED, "o-3": End.MISSED}
    assert asked == {"o-0", "o-1"}


@pytest.mark.parametrize(("turns", "asked_for"), [(1, ALL), (200, ALL), (600, set())])
def test_an_order_that_is_told_when_its_item_has_gone_off_is_asked_for_unless_it_is_much_too_late(turns, asked_for):
    """When a broker is back, each party finds it in its own time."""
    late = {f"t{turns}": {"announced": ORDERS}, f"t{turns + 1}": {"announced": ORDERS}}
    ends, asked = told(t0={"induct_edges": INDUCT, "confirm_edges": CONFIRM}, **late)
    assert (ends, asked) == ({None: End.NO_DECISION}, asked_for)


def test_each_late_order_is_that_of_the_item_at_its_place_and_asked_for_once():
    lane = Lane({BACK: {"induct_edges": INDUCT, "confirm_edges": CONFIRM}})
    lane.edges |= {BACK + 1: {"announced": ORDERS[::-1]}, BACK + 2: {"announced": ORDERS}}
    turned(lane, BACK + 10)
    requests = [(one.item_id, one.order_line) for one in lane.of(ReplacementRequest)]
    assert sorted(requests) == [(f"i-00000{n + 1}", f"o-{n}") for n in range(len(LEADS))]


def test_a_late_order_of_what_went_on_is_nobodys():
    edges = {"induct_edges": INDUCT, "exit_edges": EXIT}
    assert told(t0=edges, t1={"announced": ORDERS})[1] == set()


def test_what_was_announced_and_never_came_gives_its_order_to_nobody():
    ends, asked = told(t0={"announced": ORDERS, "induct_edges": INDUCT[2:], "confirm_edges": CONFIRM[1:]})
    assert set(ends) == asked == ALL - {"o-0"}


@pytest.mark.parametrize(("boot", "joined"), [(7, 4), (0, 4), (6, 0)], ids=["this life", "not told yet", "another"])
def test_what_an_earlier_life_wrote_down_is_joined_if_it_may_be_of_this_belt(boot, joined):
    tracker = Tracker(GEOMETRY, "i", announced=[Announcement(one, boot) for one in ORDERS])
    tracker.update(reading(50_000, boot=7, induct_edges=INDUCT), [])
    assert sum(one.expected is not None for one in tracker.items.values()) == joined
