"""Colours, corrected and as palettes, against published figures."""

from __future__ import annotations

import numpy as np
import pytest

from edge.core.colour_difference import delta_e_2000
from edge.inspection.colour import Correction, Palette, lab

PLAIN = Correction()


def picture(*bgr: tuple[int, int, int]) -> np.ndarray:
    """Stripes of equal width."""
    return np.repeat(np.array([bgr], np.uint8), 120, axis=0).repeat(120 // len(bgr), axis=1)


def full(image: np.ndarray) -> np.ndarray:
    return np.full(image.shape[:2], 255, np.uint8)


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
    assert delta_e_2000(lab(seen, PLAIN), lab(true, PLAIN)).max() > 15
    assert delta_e_2000(lab(seen, correction), lab(true, PLAIN)).max() < 1


def test_palette_knows_colours_and_shares() -> None:
    image = picture((255, 255, 255), (255, 255, 255), (0, 0, 255))
    palette = Palette.of(image, full(image), PLAIN)
    red = delta_e_2000(palette.colours, np.array((53.24, 80.09, 67.20))) < 3
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
