"""The steps `light` and `verify`: what they take, and what they refuse."""

import re

import numpy as np
import pytest

from calibration.light_step import FRAMES, LightStep
from calibration.steps import Shot, Shows
from edge.core.errors import CalibrationRefused

CHANCE = np.random.default_rng(1)


def sheet(level=170.0, falls=0.2, noise=2.0, size=(240, 360)):
    """A white sheet under a lamp that falls off to the right."""
    height, width = size
    light = level * (1 - falls * np.linspace(0, 1, width))[None, :] * np.ones((height, 1))
    return Shot(np.clip(light + CHANCE.normal(0, noise, size), 0, 255).astype(np.uint8))


def test_even_light_is_measured_and_drawn():
    step = LightStep()
    assert step.asks().shows is Shows.SHEET
    assert step.asks().frames == FRAMES
    assert "flicker" in step.take([sheet() for _ in range(FRAMES)])
    assert step.asks() is None
    found = step.found()
    assert found.quality["evenness"] == pytest.approx((0.8 * 170 / 255) ** 2.2 / (170 / 255) ** 2.2, rel=0.05)
    assert found.quality["flicker"] < 0.01
    assert found.picture.shape[2] == 3


def shadowed():
    shot = sheet()
    image = shot.image.copy()
    image[100:140, 150:200] //= 2
    return Shot(image)


@pytest.mark.parametrize(
    ("shots", "told"),
    [
        ([sheet(level=150 + 10 * (n % 2)) for n in range(4)], "the light flickers by"),
        ([sheet(level=300) for _ in range(2)], "over-exposed"),
        ([sheet(falls=0.9) for _ in range(2)], "a part of the view is dark"),
        ([shadowed() for _ in range(2)], "lay the sheet flat"),
    ],
)
def test_what_is_wrong_with_the_light_is_said_and_nothing_kept(shots, told):
    step = LightStep()
    with pytest.raises(CalibrationRefused, match=re.escape(told)):
        step.take(shots)
    assert step.asks() is not None


def test_light_that_is_too_uneven_is_refused():
    step = LightStep()
    step.take([sheet(level=230, falls=0.45) for _ in range(2)])
    with pytest.raises(CalibrationRefused, match="move or add a lamp"):
        step.found()


def test_a_lamp_that_falls_off_steeply_is_no_fault_of_the_sheet():
    x, y = np.meshgrid(np.linspace(-1.2, 0.8, 360), np.linspace(-0.6, 0.6, 240))
    light = (0.55 / (1 + 0.6 * (x * x + y * y))) ** (1 / 2.2) * 255
    step = LightStep()
    step.take([Shot(np.clip(light + CHANCE.normal(0, 2, light.shape), 0, 255).astype(np.uint8)) for _ in range(2)])
    assert step.found().quality["evenness"] > 0.35
