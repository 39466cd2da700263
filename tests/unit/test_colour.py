"""Colours and their differences, against published figures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.inspection.colour import Correction, Palette, delta_e, lab

SHARMA = """
50.0000 2.6772 -79.7751 50.0000 0.0000 -82.7485 2.0425
50.0000 3.1571 -77.2803 50.0000 0.0000 -82.7485 2.8615
50.0000 2.8361 -74.0200 50.0000 0.0000 -82.7485 3.4412
50.0000 -1.3802 -84.2814 50.0000 0.0000 -82.7485 1.0000
50.0000 -1.1848 -84.8006 50.0000 0.0000 -82.7485 1.0000
50.0000 -0.9009 -85.5211 50.0000 0.0000 -82.7485 1.0000
50.0000 0.0000 0.0000 50.0000 -1.0000 2.0000 2.3669
50.0000 -1.0000 2.0000 50.0000 0.0000 0.0000 2.3669
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0009 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0010 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0011 7.2195
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0012 7.2195
50.0000 -0.0010 2.4900 50.0000 0.0009 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0010 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0011 -2.4900 4.7461
50.0000 2.5000 0.0000 50.0000 0.0000 -2.5000 4.3065
50.0000 2.5000 0.0000 73.0000 25.0000 -18.0000 27.1492
50.0000 2.5000 0.0000 61.0000 -5.0000 29.0000 22.8977
50.0000 2.5000 0.0000 56.0000 -27.0000 -3.0000 31.9030
50.0000 2.5000 0.0000 58.0000 24.0000 15.0000 19.4535
50.0000 2.5000 0.0000 50.0000 3.1736 0.5854 1.0000
50.0000 2.5000 0.0000 50.0000 3.2972 0.0000 1.0000
50.0000 2.5000 0.0000 50.0000 1.8634 0.5757 1.0000
50.0000 2.5000 0.0000 50.0000 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""
"""Sharma, Wu, Dalal 2005, table 1: L, a, b of two colours, and their ΔE2000."""

PLAIN = Correction()
COLOURS = st.tuples(st.floats(0, 100), st.floats(-100, 100), st.floats(-100, 100)).map(np.array)


def picture(*bgr: tuple[int, int, int]) -> np.ndarray:
    """Stripes of equal width."""
    return np.repeat(np.array([bgr], np.uint8), 120, axis=0).repeat(120 // len(bgr), axis=1)


def full(image: np.ndarray) -> np.ndarray:
    return np.full(image.shape[:2], 255, np.uint8)


def test_differences_are_the_published_ones() -> None:
    table = np.array([[float(word) for word in line.split()] for line in SHARMA.split("\n") if line])
    assert len(table) == 34
    assert delta_e(table[:, :3], table[:, 3:6]) == pytest.approx(table[:, 6], abs=5e-5)
    assert delta_e(table[:, 3:6], table[:, :3]) == pytest.approx(table[:, 6], abs=5e-5)


@given(COLOURS, COLOURS)
def test_difference_is_finite_symmetric_and_zero_for_the_same(one: np.ndarray, other: np.ndarray) -> None:
    there, back = delta_e(one, other), delta_e(other, one)
    assert np.isfinite(there)
    assert there == pytest.approx(back, abs=1e-9)
    assert delta_e(one, one) == 0


@pytest.mark.parametrize(
    ("bgr", "expected"),
    [
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((0, 0, 255), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((255, 0, 0), (32.30, 79.19, -107.86)),
        ((119, 119, 119), (50.03, 0, 0)),
    ],
)
def test_lab_of_known_colours(bgr: tuple[int, int, int], expected: tuple[float, float, float]) -> None:
    assert lab(picture(bgr), PLAIN)[0, 0] == pytest.approx(expected, abs=0.01)


def test_calibrated_camera_sees_the_same_colours_under_a_yellow_lamp() -> None:
    """A lamp that lacks blue: 60 % of it in linear light, and what undoes that."""
    seen = picture((202, 255, 255), (78, 100, 100))  # white and grey, as the camera has them
    true = picture((255, 255, 255), (100, 100, 100))
    level = ((202 / 255 + 0.055) / 1.055) ** 2.4
    correction = Correction(np.diag((1.0, 1.0, 1 / level)))
    assert delta_e(lab(seen, PLAIN), lab(true, PLAIN)).max() > 15
    assert delta_e(lab(seen, correction), lab(true, PLAIN)).max() < 1


def test_palette_knows_colours_and_shares() -> None:
    image = picture((255, 255, 255), (255, 255, 255), (0, 0, 255))
    palette = Palette.of(image, full(image), PLAIN)
    red = delta_e(palette.colours, np.array((53.24, 80.09, 67.20))) < 3
    assert palette.shares.sum() == pytest.approx(1)
    assert palette.shares[red].sum() == pytest.approx(1 / 3, abs=0.03)


def test_palettes_differ_by_what_is_printed() -> None:
    vanilla, strawberry = picture((200, 255, 255), (40, 60, 90)), picture((200, 255, 255), (60, 40, 200))
    paler = np.asarray(vanilla * 0.97, np.uint8)
    palettes = [Palette.of(image, full(image), PLAIN) for image in (vanilla, paler, strawberry)]
    assert palettes[0].difference(palettes[0]) == 0
    assert palettes[0].difference(palettes[1]) < 3
    assert palettes[0].difference(palettes[2]) > 10
    assert palettes[0].difference(palettes[2]) == pytest.approx(palettes[2].difference(palettes[0]))


def test_what_lies_outside_the_item_has_no_colour() -> None:
    image = picture((255, 255, 255), (0, 0, 255))
    mask = full(image)
    mask[:, :60] = 0
    white = Palette.of(image[:, 64:], full(image[:, 64:]), PLAIN)
    assert Palette.of(image, mask, PLAIN).difference(white) < 2
