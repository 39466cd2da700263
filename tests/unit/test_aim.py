"""What of a frame is sent: the item nearest the middle, with a margin, where the belt will have brought it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.aim import AGAIN_NS, OLDEST_NS, Lens, Thinning, Wanted, part, wanted, watched
from edge.core.nodes import MAX_NEAR, Place
from tests.unit.lane import GEOMETRY, MS, item, reading

FREE = replace(GEOMETRY, free_running=frozenset({"top"}))
LENS = Lens(400.0, "right", 40.0)
SHAPE = (300, 800, 3)


def place(counts, *items, geometry=GEOMETRY, speed=500.0, at_ms=0, camera="top"):
    read = reading(counts, at_ms=at_ms, speed=speed)
    return Place(read.read_ns, 0, counts, speed, 10, {camera: watched(geometry, camera, items, read)})


def stretch(counts, *items, geometry=GEOMETRY, exposed_ms=0, lens=LENS, **more):
    return wanted(place(counts, *items, geometry=geometry, **more), "top", lens, exposed_ms * MS)


def test_an_item_in_the_middle_is_wanted_with_its_margin():
    found = stretch(5000, item())  # its middle is at 400 mm, where the camera stands
    assert (found.from_mm, found.to_mm) == (-140, 140)


def test_the_belt_is_reckoned_on_to_the_exposure():
    found = stretch(4500, item(), exposed_ms=100)
    assert (found.from_mm, found.to_mm) == pytest.approx((-145, 145))  # and 5 mm for what the belt may have done


@pytest.mark.parametrize(
    ("counts", "geometry", "there"),
    [
        (5000, FREE, True),
        (5600, FREE, True),
        (5610, FREE, False),
        (5610, GEOMETRY, True),
        (7000, GEOMETRY, True),
        (7010, GEOMETRY, False),
        (2990, GEOMETRY, False),
    ],
)
def test_only_what_the_tracker_would_take_is_wanted(counts, geometry, there):
    assert (stretch(counts, item(), geometry=geometry) is not None) == there


def test_of_two_the_one_nearest_the_middle_is_wanted():
    found = stretch(5000, item("i-1"), item("i-2", at_counts=-2500))
    assert found.item == pytest.approx(5000)


def test_nothing_is_wanted_without_an_item_or_of_a_strange_camera():
    assert stretch(5000) is None
    assert wanted(place(5000, item()), "back", LENS, 0) is None


def test_it_expires_with_the_item_and_after_two_seconds_even_if_the_belt_stands():
    assert stretch(5000, item(), speed=0.0).expires_ns == OLDEST_NS
    at_gate = GEOMETRY.deadline_ns(item(), reading(5000))
    assert stretch(5000, item()).expires_ns == min(at_gate, OLDEST_NS)
    quick = stretch(5000, item(), speed=2000.0)
    assert quick.expires_ns == GEOMETRY.deadline_ns(item(), reading(5000, speed=2000.0)) < OLDEST_NS


def test_an_item_that_is_decided_is_not_told():
    assert watched(GEOMETRY, "top", [item()], reading(15_000)).near == ()


def test_what_comes_within_a_second_is_told_and_no_more_than_a_few():
    coming = item(at_counts=8000)  # its middle is 1100 mm before the middle of the view: at 500 mm/s too far
    assert watched(GEOMETRY, "top", [coming], reading(3000)).near == ()
    assert len(watched(GEOMETRY, "top", [coming], reading(3000, speed=1000.0)).near) == 1
    crowd = [item(f"i-{n}", at_counts=n) for n in range(3 * MAX_NEAR)]
    assert len(watched(GEOMETRY, "top", crowd, reading(5000)).near) == MAX_NEAR


@pytest.mark.parametrize(
    ("runs", "rows", "columns"),
    [
        ("right", (0, 300), (300, 701)),
        ("left", (0, 300), (100, 501)),
        ("down", (112, 263), (0, 800)),
        ("up", (37, 188), (0, 800)),
    ],
)
def test_the_part_lies_where_the_belt_has_brought_the_item(runs, rows, columns):
    one = Wanted(-50, 150, 0, 0, 0)
    found = part(SHAPE, Lens(400.0, runs, 0.0), one)
    assert tuple((span.start, span.stop) for span in found) == (rows, columns)


def test_without_a_scale_the_frame_stays_whole():
    found = part(SHAPE, Lens(None, "right", 0.0), Wanted(-50, 150, 0, 0, 0))
    assert np.zeros(SHAPE)[found].shape == SHAPE


@given(
    st.floats(-5000, 5000),
    st.floats(0, 3000),
    st.sampled_from(["right", "left", "up", "down"]),
    st.integers(1, 3000),
    st.integers(1, 3000),
    st.floats(1, 5000),
)
def test_a_part_is_never_empty_nor_beyond_the_picture(begin, length, runs, height_px, width_px, sees_mm):
    spans = part((height_px, width_px), Lens(sees_mm, runs, 0.0), Wanted(begin, begin + length, 0, 0, 0))
    for span, side_px in zip(spans, (height_px, width_px), strict=True):
        assert 0 <= span.start < span.stop <= side_px


def test_what_shows_an_item_again_in_the_same_place_is_left_out():
    thinning, apart = Thinning(), 600.0
    first = Wanted(0, 1, 0, item=5000.0, counts=4400.0)
    assert thinning.keeps(first, apart, 0)
    assert not thinning.keeps(replace(first, counts=4999.0), apart, 50 * MS)
    assert thinning.keeps(replace(first, counts=5000.0), apart, 100 * MS)
    assert thinning.keeps(replace(first, item=7000.0, counts=5050.0), apart, 110 * MS)
    assert not thinning.keeps(replace(first, item=7000.0, counts=5050.0), apart, 120 * MS)
    assert thinning.keeps(replace(first, item=7000.0, counts=5050.0), apart, 110 * MS + AGAIN_NS)


def test_a_triggered_camera_is_not_thinned():
    thinning, one = Thinning(), Wanted(0, 1, 0, 5000.0, 4400.0)
    assert watched(GEOMETRY, "top", (), reading()).apart_mm == 0
    assert watched(FREE, "top", (), reading()).apart_mm == GEOMETRY.tolerance_mm
    assert all(thinning.keeps(one, 0.0, 0) for _ in range(3))
