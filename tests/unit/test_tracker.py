"""Birth, length, order and frames of items."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.messages import Announcement, Clearing, End, Frame, ItemEnd, Sighting
from edge.core.tracker import BLOCKED, MAX_ANNOUNCED, Tracker
from tests.unit.lane import EXPECTED, GEOMETRY, dark, item, light, reading

PIXELS = np.zeros((2, 2, 3), np.uint8)


def tracker():
    return Tracker(GEOMETRY, "i")


def frame(counts, camera="top"):
    return Frame(camera, "f-1", 0, counts, PIXELS)


def test_an_item_is_born_at_the_dark_edge_and_measured_at_the_light_one():
    tracked = tracker().update(reading(3000, at_ms=900, induct_edges=(dark(1000), light(2500))), [])
    (item,) = tracked.changed
    assert (tracked.born, item.leading_edge_counts, item.length_mm, item.born_ns) == (1, 1000, 150.0, 500_000_000)


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


def test_an_order_of_what_was_taken_off_before_the_eye_is_not_passed_on():
    lane = tracker()
    lane.update(reading(at_ms=0, announced=(EXPECTED,)), [])
    lane.update(reading(at_ms=6000, induct_edges=(dark(30_000),)), [])
    assert next(iter(lane.items.values())).expected is None


def test_a_birth_is_dated_back_to_the_edge():
    lane = tracker()
    lane.update(reading(1100, at_ms=1000, induct_edges=(dark(1000),)), [])
    assert next(iter(lane.items.values())).born_ns == 980 * 10**6


def test_a_frame_shows_the_item_in_the_middle_of_its_view():
    lane = tracker()
    lane.update(reading(induct_edges=(dark(0), light(2000), dark(4000), light(6000))), [])
    tracked = lane.update(reading(9000), [frame(5000), frame(9000), frame(9000, "unknown")])
    assert [one.item.leading_edge_counts for one in tracked.sightings] == [0, 4000]


def test_a_frame_of_an_empty_view_shows_nothing():
    lane = tracker()
    lane.update(reading(induct_edges=(dark(0), light(2000))), [])
    assert lane.update(reading(), [frame(20_000)]).sightings == ()


def apart(**changes):
    return Tracker(replace(GEOMETRY, **changes), "i")


def purges(lane):
    return [item.purge.partition(" of ")[0] or item.purge for item in lane.items.values()]


@pytest.mark.parametrize(("gap_mm", "purged"), [(79, ["gap", "gap"]), (80, ["", ""]), (300, ["", ""])])
def test_what_is_too_close_to_be_separated_is_purged_on_both_sides(gap_mm, purged):
    lane = apart(gap_min_mm=80)
    lane.update(reading(induct_edges=(dark(0), light(2000), dark(2000 + 10 * gap_mm))), [])
    assert purges(lane) == purged


def test_what_is_longer_than_any_item_is_purged():
    lane = apart(longest_mm=400)
    lane.update(reading(induct_edges=(dark(0), light(4010))), [])
    assert next(iter(lane.items.values())).purge == "401 mm long (ByLength)"


def test_an_eye_that_stays_dark_is_noticed_before_it_goes_light():
    lane = apart(longest_mm=400)
    lane.update(reading(0, induct_edges=(dark(0),)), [])
    assert purges(lane) == [""]
    lane.update(reading(4010), [])
    assert purges(lane) == [BLOCKED]


@pytest.mark.parametrize(("length_mm", "stale"), [(None, True), (150, False)])
def test_an_eye_is_blocked_only_while_it_is_dark_and_the_belt_is_known(length_mm, stale):
    lane = apart(longest_mm=400)
    edges = (dark(0),) if length_mm is None else (dark(0), light(10 * length_mm))
    lane.update(reading(0, induct_edges=edges), [])
    lane.update(reading(9000, stale=stale), [])
    assert purges(lane) == [""]


def test_a_purge_is_kept_when_the_next_item_comes_too_close():
    lane = apart(longest_mm=400, gap_min_mm=80)
    lane.update(reading(induct_edges=(dark(0), light(4100), dark(4200))), [])
    assert purges(lane) == ["410 mm long (ByLength)", "gap"]


def test_a_blocked_eye_is_noticed_below_an_item_that_was_purged_already():
    lane = apart(longest_mm=400, gap_min_mm=80)
    lane.update(reading(induct_edges=(dark(0), light(2000), dark(2100))), [])
    lane.update(reading(6200), [])
    assert purges(lane)[-1] == BLOCKED


def test_noise_at_the_eye_is_born_and_removed():
    tracked = tracker().update(reading(induct_edges=(dark(0), light(90))), [])
    assert (tracked.born, [ghost.end for ghost in tracked.ghosts]) == (1, [End.REMOVED])
    assert [item.item_id for item in tracked.changed] == [ghost.item_id for ghost in tracked.ghosts]


def test_an_item_that_slipped_is_put_where_the_second_eye_sees_it():
    lane = apart(resync_mm=800)
    lane.update(reading(induct_edges=(dark(0), light(2000))), [])
    tracked = lane.update(reading(8250, resync_edges=(dark(8250), light(10_250))), [])
    assert tracked.slips_mm == (25.0,)
    (item,) = lane.items.values()
    assert (item.leading_edge_counts, item.slip_counts) == (250, 250)


def test_an_e_stop_purges_what_is_before_the_gate_and_a_named_person_may_clear_it():
    lane = tracker()
    lane.update(reading(20_000, induct_edges=(dark(0), light(2000), dark(15_000), light(17_000))), [])
    lane.update(reading(20_000, guards=frozenset({"e_stop"})), [])
    assert purges(lane) == ["", "on the belt during an E-stop"]
    assert len(lane.update(reading(20_000), []).changed) == 0
    lane.update(reading(20_000, clearings=(Clearing("Ada", "items"),)), [])
    assert purges(lane) == ["", ""]


def test_what_was_on_the_belt_before_a_restart_is_purged_once_the_belt_is_known():
    before = [item("old-1", at_counts=0), item("old-2", at_counts=15_000)]
    lane = Tracker(GEOMETRY, "i", before)
    lane.update(reading(0, stale=True), [])
    assert purges(lane) == ["", ""]
    lane.update(reading(20_000), [])
    assert purges(lane) == ["", "on the belt when the daemon was restarted"]


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


@pytest.mark.parametrize(("middle_mm", "seen"), [(200, True), (199.9, False), (400, True), (600, True), (600.1, False)])
def test_an_item_is_seen_while_its_middle_is_in_the_view(middle_mm, seen):
    lane = tracker()
    lane.update(reading(induct_edges=(dark(0), light(1000))), [])
    sightings = lane.update(reading(), [frame(10 * (middle_mm + 50))]).sightings
    assert bool(sightings) is seen


def test_a_sighting_carries_the_deadline():
    lane = tracker()
    lane.update(reading(induct_edges=(dark(0), light(2000))), [])
    now, shown = reading(5000, at_ms=9), frame(5000)
    (one,) = lane.items.values()
    assert lane.update(now, [shown]).sightings == (Sighting(shown, one, GEOMETRY.deadline_ns(one, now)),)


@pytest.mark.parametrize(("length_mm", "items"), [(9.9, 0), (10.0, 1)])
def test_what_is_as_long_as_the_shortest_item_is_one(length_mm, items):
    lane = tracker()
    ghosts = lane.update(reading(at_ms=7, induct_edges=(dark(0), light(round(10 * length_mm)))), []).ghosts
    assert len(lane.items) == items
    assert ghosts == (() if items else (ItemEnd("i-000001", End.REMOVED, 99, 7_000_000),))


def test_what_is_as_long_as_the_longest_item_is_one():
    lane = apart(longest_mm=400)
    lane.update(reading(4000, induct_edges=(dark(0),)), [])
    assert purges(lane) == [""]
    lane.update(reading(4000, induct_edges=(light(4000),)), [])
    assert purges(lane) == [""]


@pytest.mark.parametrize(("counts", "purged"), [(14_699, True), (14_700, False), (15_000, False)])
def test_only_what_has_its_whole_window_before_it_is_purged(counts, purged):
    lane = tracker()
    lane.update(reading(induct_edges=(dark(0), light(2000))), [])
    lane.update(reading(counts, guards=frozenset({"e_stop"})), [])
    assert purges(lane) == ["on the belt during an E-stop" if purged else ""]


@pytest.mark.parametrize(("late_ms", "joined"), [(5000, True), (5001, False)])
def test_an_order_without_a_place_waits_for_five_seconds(late_ms, joined):
    lane = tracker()
    lane.update(reading(at_ms=9000, announced=(EXPECTED,)), [])
    lane.update(reading(at_ms=9000 + late_ms, induct_edges=(dark(0),)), [])
    assert (next(iter(lane.items.values())).expected is EXPECTED) is joined


@pytest.mark.parametrize(("past_mm", "joined"), [(2000, True), (2001, False)])
def test_an_order_with_a_place_waits_until_that_is_well_past_the_eye(past_mm, joined):
    """Its item may be told late: edges wait for those before them."""
    lane, placed = tracker(), replace(EXPECTED, scan_counts=500)  # due at the eye at 1500 counts
    lane.update(reading(1500, announced=(placed,)), [])
    lane.update(reading(1500 + 10 * past_mm, at_ms=5001, induct_edges=(dark(1500),)), [])
    assert (next(iter(lane.items.values())).expected is placed) is joined


@pytest.mark.parametrize("scan_counts", [9000, None])
@pytest.mark.parametrize(("back_ms", "joined"), [(19_000, EXPECTED.wms_item), (26_000, None)])
def test_an_order_outlasts_a_silence_of_the_plc_and_no_more(scan_counts, back_ms, joined):
    """Its item came to the eye while the broker was down, and is told after what was announced since."""
    lane, order = tracker(), replace(EXPECTED, scan_counts=scan_counts)
    lane.update(reading(10_000, at_ms=1000, announced=(order,)), [])
    lane.update(reading(10_000, at_ms=18_000, stale=True), [])
    since = replace(EXPECTED, wms_item="since", scan_counts=90_000)
    lane.update(reading(100_000, at_ms=back_ms - 500, announced=(since,)), [])
    lane.update(reading(100_000, at_ms=back_ms, induct_edges=(dark(10_000), light(12_000))), [])
    (born,) = lane.items.values()
    assert (born.expected and born.expected.wms_item) == joined


def test_an_order_of_a_new_life_of_the_plc_waits_until_the_belt_tells_of_it():
    """Two topics, two ways: the order may be there first, and its place reads as one that is long past."""
    lane, placed = tracker(), replace(EXPECTED, scan_counts=500)  # due at the eye at 1500 counts
    lane.update(reading(184_220, at_ms=0, boot=1, announced=(placed,)), [])
    lane.update(reading(1500, at_ms=1000, boot=2, induct_edges=(dark(1500),)), [])
    assert next(iter(lane.items.values())).expected is placed


def test_an_order_of_an_earlier_life_of_the_plc_goes_to_nobody():
    """Its item came to the eye in the new life, at a place that says nothing of it; the counts come round once more."""
    lane, placed = tracker(), replace(EXPECTED, scan_counts=183_220)  # due at the eye at 184,220 counts
    lane.update(reading(183_300, at_ms=0, boot=1, announced=(placed,)), [])
    lane.update(reading(700, at_ms=1000, boot=2, induct_edges=(dark(700),)), [])
    lane.update(reading(40_000, at_ms=6000, boot=2, induct_edges=(dark(40_000),)), [])
    lane.update(reading(184_300, at_ms=60_000, boot=2, induct_edges=(dark(184_220),)), [])
    assert [item.expected for item in lane.items.values()] == [None, None, None]


@pytest.mark.parametrize(("off_counts", "joined"), [(-601, False), (-600, True), (600, True), (601, False)])
@pytest.mark.parametrize("slip_mm", [0, 30])
def test_an_order_fits_the_place_where_the_item_was_born(off_counts, joined, slip_mm):
    lane = apart(resync_mm=800)
    lane.update(reading(induct_edges=(dark(0), light(2000))), [])
    lane.update(reading(8300, resync_edges=(dark(8000 + 10 * slip_mm),)), [])
    lane.update(reading(8400, announced=(replace(EXPECTED, scan_counts=off_counts - 1000),)), [])
    assert (next(iter(lane.items.values())).expected is not None) is joined


def test_an_item_remembers_the_edge_it_was_born_at():
    tracked = tracker().update(reading(boot=7, induct_edges=(dark(10, seq=42),)), [])
    assert [(one.edge_seq, one.boot) for one in tracked.changed] == [(42, 7)]


def test_what_touches_is_too_close_and_what_lies_apart_purges_nobody():
    lane = apart(gap_min_mm=80)
    lane.update(reading(induct_edges=(dark(0), light(2000), dark(2000), light(4000), dark(9000))), [])
    assert purges(lane) == ["gap", "gap", ""]


@pytest.mark.parametrize(("stale", "measured"), [(True, False), (False, True)])
def test_an_eye_is_not_blocked_where_nobody_knows_or_it_is_light(stale, measured):
    lane = apart(longest_mm=400)
    lane.update(reading(0, induct_edges=(dark(0), light(2000)) if measured else (dark(0),)), [])
    lane.update(reading(9000, stale=stale), [])
    assert purges(lane) == [""]


def test_slip_is_reckoned_from_where_the_item_was_and_never_at_its_trailing_edge():
    lane = apart(resync_mm=800)
    lane.update(reading(induct_edges=(dark(5000), light(7000))), [])
    assert lane.update(reading(15_000, resync_edges=(light(13_000),)), []).slips_mm == ()
    assert lane.update(reading(15_000, resync_edges=(dark(99_000),)), []).slips_mm == ()
    assert lane.update(reading(15_000, resync_edges=(dark(13_100),)), []).slips_mm == (10.0,)
    assert [one.leading_edge_counts for one in lane.items.values()] == [5100]


def test_what_has_left_by_the_time_the_belt_is_known_is_not_purged_and_what_is_born_then_neither():
    lane = Tracker(GEOMETRY, "i", [item("old-1", at_counts=15_000), item("old-2", at_counts=19_000)])
    lane.forget([ItemEnd("old-1", End.LOST, None, 0), ItemEnd("never-born", End.LOST, None, 0)])
    lane.update(reading(20_000, induct_edges=(dark(20_000),)), [])
    assert purges(lane) == ["on the belt when the daemon was restarted", ""]


def test_only_so_many_orders_are_kept():
    lane = tracker()
    told = [replace(EXPECTED, wms_item=f"w{n}", scan_counts=0) for n in range(MAX_ANNOUNCED + 1)]
    lane.update(reading(announced=tuple(told)), [])
    lane.update(reading(induct_edges=(dark(1000),)), [])
    assert next(iter(lane.items.values())).expected is told[1]


def test_a_camera_that_runs_free_shows_an_item_where_it_is_well_in_view_and_not_twice_in_one_place():
    lane = Tracker(replace(GEOMETRY, free_running=frozenset({"top"})), "i")
    lane.update(reading(induct_edges=(dark(0), light(2000))), [])  # its middle is at the camera at 5000 counts
    shown = [counts for counts in range(0, 10_000, 100) if lane.update(reading(counts), [frame(counts)]).sightings]
    assert shown == [4400, 5000, 5600]
    assert len(lane.update(reading(), [frame(5000, "side"), frame(5000, "side")]).sightings) == 2  # it is triggered


def test_an_item_that_stands_before_a_camera_that_runs_free_is_shown_once():
    lane = Tracker(replace(GEOMETRY, free_running=frozenset({"top"})), "i")
    lane.update(reading(induct_edges=(dark(0), light(2000))), [])
    shown = [lane.update(reading(5000, at_ms=turn), [frame(5000)]).sightings for turn in range(20)]
    assert sum(map(len, shown)) == 1
    [item_id] = lane.items
    lane.forget([ItemEnd(item_id, End.PASSED, 0, 0)])
    assert lane._shown_at == {}


def held_lot(one):
    return "held: lot L1 (h)" if one.expected and one.expected.lot == "L1" else ""


@pytest.mark.parametrize(
    ("way_mm", "lot", "put_off"),
    [(0, "L1", True), (0, "L2", False), (1400, "L1", True), (1425, "L1", False), (1600, "L1", False)],
)
def test_what_can_still_be_diverted_goes_the_way_of_its_lot(way_mm, lot, put_off):
    """The gate at 1500 mm, less a margin of 30, is told 100 ms before: 50 mm."""
    lane = Tracker(GEOMETRY, "i", [item("old", at_counts=0, expected=replace(EXPECTED, lot=lot))])
    lane.update(reading(10.0 * way_mm, stale=True), ())
    lane.update(reading(10.0 * way_mm, clearings=(Clearing("Ada", "items"),)), (), held_lot)
    assert lane.items["old"].is_held is put_off


def test_clearing_items_releases_no_lot():
    lane = Tracker(GEOMETRY, "i", [item("old", at_counts=0)])
    clearing = (Clearing("Ada", "items"),)
    lane.update(reading(10.0), ())
    assert lane.items["old"].put_off == "purged: on the belt when the daemon was restarted"
    lane.update(reading(20.0, clearings=clearing), (), held_lot)
    assert lane.items["old"].put_off == "held: lot L1 (h)"
    lane.update(reading(30.0, clearings=clearing), (), held_lot)
    assert lane.items["old"].put_off == "held: lot L1 (h)"


@pytest.mark.parametrize(("boot", "joined"), [(7, True), (8, False)])
def test_what_was_announced_to_an_earlier_life_is_joined_where_the_plc_still_counts_the_same_belt(boot, joined):
    placed = replace(EXPECTED, scan_counts=500)  # due at the eye at 1500 counts
    lane = Tracker(GEOMETRY, "i", announced=[Announcement(placed, 7)])
    lane.update(reading(0, stale=True), [])  # the PLC has not spoken yet
    lane.update(reading(1600, boot=boot, induct_edges=(dark(1500),)), [])
    assert (next(iter(lane.items.values())).expected == placed) is joined


def test_it_is_joined_to_an_item_that_came_while_nobody_knew_it():
    placed = replace(EXPECTED, scan_counts=500)
    lane = Tracker(GEOMETRY, "i", [item("old", at_counts=1500, expected=None)], [Announcement(placed, 0)])
    lane.update(reading(1600), [])
    assert lane.items["old"].expected == placed
