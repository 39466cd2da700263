"""Which part of a tote a pixel looks at."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.sites.optics import Camera
from edge.core.plane import Plane
from edge.core.tote_shape import FLOOR, OUTSIDE, RIM, WALLS, Pose, Rays, ToteSize, leaning_px, net_cells, unfolded

SIZE = ToteSize(400.0, 300.0, 170.0, 14.0, 6.0)
POSE = Pose(30.0, -20.0, 0.1)


@pytest.fixture(scope="module")
def plane() -> Plane:
    camera = Camera((60.0, -120.0, 1400.0), (0.0, 0.0, 0.0), (320, 180), 390.0)
    turn = camera.turn
    return Plane(camera.matrix, np.zeros(5), turn, -turn @ np.array(camera.place_mm))


def _zone_at(plane: Plane, place_mm: tuple[float, float, float]) -> int:
    tote = unfolded(Rays.of(plane, 320, 180), POSE, SIZE)
    column, row = np.rint(plane.seen_px(POSE.on_belt_mm(np.array([place_mm])))[0]).astype(int)
    return int(tote.zone[row, column])


@pytest.mark.parametrize(
    ("place_mm", "zone"),
    [
        ((0.0, 0.0, 6.0), FLOOR),
        ((-100.0, 60.0, 6.0), FLOOR),
        ((0.0, 136.0, 90.0), WALLS + 2),
        ((-186.0, 0.0, 90.0), WALLS + 1),
        ((0.0, 143.0, 170.0), RIM),
        ((260.0, 0.0, 0.0), OUTSIDE),
    ],
)
def test_a_pixel_looks_at_the_part_whose_place_it_shows(
    plane: Plane, place_mm: tuple[float, float, float], zone: int
) -> None:
    assert _zone_at(plane, place_mm) == zone


def test_the_net_of_a_cell_is_where_its_pixel_says(plane: Plane) -> None:
    places, cells = net_cells(SIZE, 20.0)
    tote = unfolded(Rays.of(plane, 320, 180), POSE, SIZE)
    floor = cells.zone == FLOOR
    column, row = np.rint(plane.seen_px(POSE.on_belt_mm(places[floor]))).astype(int).T
    off_mm = np.abs(tote.net_mm[row, column] - cells.net_mm[floor]).max(axis=1)
    assert np.median(off_mm) < 3.6  # half a pixel's diagonal


def test_the_corners_of_a_net_are_no_part_of_a_tote() -> None:
    _, cells = net_cells(SIZE, 5.0)
    assert cells.zone[0, 0] == OUTSIDE
    assert cells.zone[cells.zone.shape[0] // 2, cells.zone.shape[1] // 2] == FLOOR


def test_a_part_and_a_half_of_a_picture_look_at_the_same_places(plane: Plane) -> None:
    seen_px = np.array([[120.0, 90.0], [201.0, 33.0]])
    places = plane.at_mm(seen_px)
    assert plane.part(20, 30).at_mm(seen_px - (20, 30)) == pytest.approx(places)
    assert plane.resized((320, 180), (160, 90)).at_mm((seen_px + 0.5) / 2 - 0.5) == pytest.approx(places)


@pytest.mark.parametrize("place_mm", [(-150.0, 100.0), (0.0, 0.0), (170.0, 120.0)])
def test_a_side_is_seen_as_wide_as_it_leans(plane: Plane, place_mm: tuple[float, float]) -> None:
    foot, top = plane.seen_px(np.array([(*place_mm, SIZE.floor_mm), (*place_mm, SIZE.height_mm)]))
    column, row = np.rint(foot).astype(int)
    assert leaning_px(Rays.of(plane, 320, 180), SIZE)[row, column] == pytest.approx(
        np.abs(top - foot), rel=0.15, abs=0.3
    )
