"""A crop's picture: cut out of its frame when asked for, at whatever size."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.inspection.crop import Crop, halved
from edge.inspection.locate import whole

WIDTH_PX, HEIGHT_PX = 1200, 900


def scene() -> np.ndarray:
    """A frame whose blue and green tell where a pixel is."""
    rows, columns = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX]
    return np.dstack((columns * 255 / WIDTH_PX, rows * 255 / HEIGHT_PX, np.full_like(rows, 90.0))).astype(np.uint8)


def turned(degrees: float, size_px: tuple[int, int], centre: tuple[float, float]) -> Crop:
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array(((cosine, -sine), (sine, cosine)))
    shift = np.array(centre) - turn @ ((np.array(size_px) - 1) / 2)
    to_frame = np.vstack((np.column_stack((turn, shift)), (0, 0, 1)))
    return Crop(scene(), np.full(size_px[::-1], 255, np.uint8), to_frame, (), located=True)


@given(
    degrees=st.floats(-45, 45),
    width=st.integers(30, 800),
    height=st.integers(30, 600),
    side_px=st.sampled_from([16, 64, 256]),
)
def test_a_stretched_picture_shows_each_place_where_the_crop_has_it(degrees, width, height, side_px):
    crop = turned(degrees, (width, height), (600, 450))
    picture = crop.stretched((side_px, side_px))
    for x, y in ((0.25, 0.25), (0.5, 0.5), (0.8, 0.3)):
        column, row = int(x * side_px), int(y * side_px)
        there = crop.to_frame @ ((column + 0.5) / side_px * width - 0.5, (row + 0.5) / side_px * height - 0.5, 1)
        expected = (there[0] * 255 / WIDTH_PX, there[1] * 255 / HEIGHT_PX)
        assert picture[row, column, :2] == pytest.approx(expected, abs=2)


def test_a_fine_texture_does_not_alias():
    """Stripes of two pixels become their mean, not other stripes."""
    stripes = np.tile(np.array((0, 0, 255, 255), np.uint8), (HEIGHT_PX, WIDTH_PX // 4))
    small = whole(cv2.merge((stripes,) * 3)).stretched((150, 112))
    assert small.astype(int).std() < 5


def test_it_is_cut_out_once_for_all_who_ask():
    crop = turned(20, (400, 300), (600, 450))
    assert crop.stretched((256, 256)) is crop.stretched((256, 256))
    assert crop.image is crop.image


def test_a_whole_frame_is_its_own_picture():
    frame = scene()
    assert whole(frame).image is frame


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (3, 3)])
def test_any_shape_is_stretched(shape):
    assert whole(np.full((*shape, 3), 7, np.uint8)).stretched((256, 256)).shape == (256, 256, 3)


@pytest.mark.parametrize("shape", [(2, 2), (5, 9), (100, 101)])
def test_halving_takes_the_mean_of_four(shape):
    picture = np.random.default_rng(1).integers(0, 255, (*shape, 3), np.uint8)
    height, width = shape[0] // 2, shape[1] // 2
    even = picture[: 2 * height, : 2 * width].astype(float).reshape(height, 2, width, 2, 3)
    assert np.abs(halved(picture) - even.mean(axis=(1, 3))).max() <= 0.75
