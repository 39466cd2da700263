"""Birth, length, order and frames of items."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.core.messages import End, Frame, ItemEnd
from edge.core.tracker import Tracker
from tests.unit.lane import EXPECTED, GEOMETRY, dark, light, reading

PIXELS = np.zeros((2, 2, 3), np.uint8)


def tracker():
    return Tracker(GEOMETRY, "i")


def frame(counts, camera="top"):
    return Frame(camera, "f-1", 0, counts, PIXELS)


def test_an_item_is_born_at_the_dark_edge_and_measured_at_the_light_one():
    tracked = tracker().update(reading(3000, at_ms=9, induct_edges=(dark(1000), light(2500))), [])
    (item,) = tracked.changed
    assert (tracked.born, item.leading_edge_counts, item.length_mm, item.born_ns) == (1, 1000, 150.0, 9_000_000)


def test_a_trailing_edge_without_an_item_changes_nothing():
    assert tracker().update(reading(induct_edges=(light(10),)), []).changed == ()


def test_a_second_trailing_edge_does_not_measure_again():
    lane = tracker()
    lane.update(reading(induct_edges=(dark(0), light(1000))), [])
    assert lane.update(reading(induct_edges=(light(9000),)), []).changed == ()


def test_an_order_is_joined_by_its_place_not_by_its_turn():
    lane = tracker()
    first, second = replace(EXPECTED, scan_counts=0), replace(EXPECTED, wms_item="w2", scan_counts=4000)
    lane.update(reading(announced=(second, first), induct_edges=(dark(1010), dark(5005))), [])
    assert [item.expected.wms_item for item in lane.items.values()] == ["w1", "w2"]


def test_an_order_for_an_item_that_never_came_is_not_given_to_the_next():
    lane = tracker()
    lane.update(reading(announced=(replace(EXPECTED, scan_counts=0),), induct_edges=(dark(5000),)), [])
    assert next(iter(lane.items.values())).expected is None


def test_an_order_that_comes_late_still_joins():
    lane = tracker()
    lane.update(reading(induct_edges=(dark(1000),)), [])
    (item,) = lane.update(reading(announced=(replace(EXPECTED, scan_counts=0),)), []).changed
    assert item.expected.order_line == "order-1"


def test_orders_without_a_place_join_in_order_of_arrival():
    lane = tracker()
    announced = (EXPECTED, replace(EXPECTED, wms_item="w2"))
    lane.update(reading(announced=announced, induct_edges=(dark(0), dark(4000))), [])
    assert [item.expected.wms_item for item in lane.items.values()] == ["w1", "w2"]


def test_a_frame_shows_the_item_in_the_middle_of_its_view():
    lane = tracker()
    lane.update(reading(induct_edges=(dark(0), light(2000), dark(4000), light(6000))), [])
    tracked = lane.update(reading(9000), [frame(5000), frame(9000), frame(9000, "unknown")])
    assert [one.item.leading_edge_counts for one in tracked.sightings] == [0, 4000]
    assert tracked.unmatched_frames == 1


def test_a_frame_of_an_empty_view_shows_nothing():
    lane = tracker()
    lane.update(reading(induct_edges=(dark(0), light(2000))), [])
    assert lane.update(reading(), [frame(20_000)]).sightings == ()


@given(st.lists(st.booleans(), max_size=60))
def test_items_are_conserved_over_births_and_ends(births):
    lane, born, gone = tracker(), 0, 0
    for turn, birth in enumerate(births):
        if birth or not lane.items:
            born += lane.update(reading(induct_edges=(dark(5000 * turn),)), []).born
        else:
            lane.forget([ItemEnd(next(iter(lane.items)), End.PASSED, None, 0)])
            gone += 1
        assert born == gone + len(lane.items)
        assert list(lane.items) == sorted(lane.items)
