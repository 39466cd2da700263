"""A node's camera: the newest few wait, each until it expires, and no more go than there is room for."""

import time

import cv2
import numpy as np
import pytest

from edge.core.aim import OLDEST_NS
from edge.core.nodes import Near, Place, Watched
from edge.core.window import FIRST
from edge.node.outgoing import WAITING, Outgoing
from edge.node.settings import NodeCamera

WAIT_S = 10


@pytest.fixture
def camera(tmp_path):
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((30, 40, 3), 50 * number, np.uint8))
    one = Outgoing(NodeCamera(name="top", opencv=str(tmp_path), settings={"rate": 200}, sees_mm=400))
    one.grabber.start()
    yield one
    one.grabber.stop()


def place(*near, apart_mm=0.0):
    """A belt that stands, told just now; the node's clock is a second ahead."""
    now_ns = time.monotonic_ns() - 1_000_000_000
    return Place(now_ns, 1_000_000_000, 5000.0, 0.0, 10.0, {"top": Watched(60.0, apart_mm, near)})


def item(deadline_ns=2**62):
    return Near(5000.0, 100.0, deadline_ns)


def taken(camera, where, count):
    """Take until so many exposures have come to something."""
    end_s = time.monotonic() + WAIT_S
    while camera.state.dropped + len(camera._waiting) < count and time.monotonic() < end_s:
        camera.take(where)
        time.sleep(0.002)


def test_the_newest_wait_and_the_others_are_counted(camera):
    taken(camera, place(item()), WAITING + 5)
    assert camera.state.dropped >= 5
    exposures = [one.exposure for one in camera._waiting]
    assert len(exposures) == WAITING
    assert exposures == list(range(exposures[0], exposures[0] + WAITING))


def test_only_the_part_that_shows_the_item_is_kept(camera):
    taken(camera, place(item()), 1)
    height_px, width_px, _ = camera.next(0).image.shape
    assert height_px == 30
    assert 19 <= width_px <= 20  # 100 mm and 40 at each end, of 400 in 40 px


def test_nothing_is_kept_where_no_item_is_and_it_is_no_loss(camera):
    for _ in range(50):
        camera.take(place())
        time.sleep(0.002)
    assert (camera.next(0), camera.state.dropped) == (None, 0)


def test_frames_that_nobody_is_there_for_are_counted(camera):
    taken(camera, None, 3)
    assert camera.next(0) is None
    assert camera.state.dropped >= 3


def test_what_has_expired_is_dropped_and_counted(camera):
    where = place(item(deadline_ns=time.monotonic_ns() + 10**8))
    taken(camera, where, WAITING)
    assert camera.next(where.at_ns + 2 * OLDEST_NS) is None
    assert (camera.state.expired, camera.state.sent) == (WAITING, 0)


def test_no_more_are_under_way_than_the_window_allows_until_another_connection(camera):
    for sent in range(FIRST):
        taken(camera, place(item()), camera.state.dropped + 1)
        assert camera.next(0).number == sent + 1
        camera.gone()
    taken(camera, place(item()), camera.state.dropped + 1)
    assert camera.next(0) is None
    camera.begin_anew()
    assert camera.next(0).number == FIRST + 1
    assert camera.state.sent == FIRST


def test_an_item_that_stands_is_not_shown_over_and_over(camera):
    begun_s = time.monotonic()
    while time.monotonic() - begun_s < 0.3:
        camera.take(place(item(), apart_mm=60.0))
        time.sleep(0.002)
    assert len(camera._waiting) == 1
