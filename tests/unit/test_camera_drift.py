"""A calibrated camera that has moved, or whose light has changed, is told; one that has not is not."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest

from edge.cameras.drift import RUN, Calibrated, CameraDrift, off
from edge.cameras.usual import LEAST, Look, Usual, View
from edge.core.colour_difference import delta_e_2000, lab_of
from edge.core.plane import Plane

WIDTH_PX, HEIGHT_PX = 640, 360
FOCAL_PX, FAR_MM = 640.0, 640.0  # a millimetre a pixel
PLANE = Plane(
    np.array(((FOCAL_PX, 0, WIDTH_PX / 2), (0, FOCAL_PX, HEIGHT_PX / 2), (0, 0, 1.0))),
    np.zeros(5),
    np.diag((1.0, -1.0, -1.0)),
    np.array((0.0, 0.0, FAR_MM)),
)


def scene(seed, shift_px=(0.0, 0.0), light=(1.0, 1.0, 1.0)):
    """A dark belt that runs, between rails with bolts that stand still; moved, or in other light (BGR)."""
    chance, still = np.random.default_rng(seed), np.random.default_rng(0)
    clouds = cv2.resize(chance.normal(0, 12, (12, 20)), (WIDTH_PX, HEIGHT_PX))
    image = np.full((HEIGHT_PX, WIDTH_PX, 3), 60.0) + clouds[..., None]
    for row in (50, 290):
        image[row : row + 30] = 150
        for place in still.integers(0, WIDTH_PX - 20, 8):
            image[row + 8 : row + 22, place : place + 16] = 30
    moved = cv2.warpAffine(
        image,
        np.array([[1, 0, shift_px[0]], [0, 1, shift_px[1]]], float),
        (WIDTH_PX, HEIGHT_PX),
        borderMode=cv2.BORDER_REPLICATE,
    )
    lit = 255 * (moved / 255) * np.array(light) ** (1 / 2.2)
    return np.clip(lit + chance.normal(0, 2, lit.shape), 0, 255).astype(np.uint8)


def grey(*light):
    """How far off a thing looks that sends half of the light back, when the light is so much of what it was (RGB)."""
    return float(delta_e_2000(*lab_of(np.array(((0.5, 0.5, 0.5), 0.5 * np.array(light))))))


def usual(number=1, **spoilt):
    looks = [Look.of(scene(100 * number + seed, **spoilt)).small for seed in range(15)]
    return Usual(number, np.median(np.stack(looks), axis=0).astype(np.float32), WIDTH_PX)


@pytest.fixture(scope="module")
def calibrated():
    return Calibrated(1, PLANE, np.eye(3), View.learn([Look.of(scene(seed)) for seed in range(LEAST)]))


@dataclass
class Camera:
    """What a grabber tells."""

    usual: Usual | None = None
    name: str = "top"


@pytest.mark.parametrize(
    ("spoilt", "moved_mm", "colour"),
    [
        ({}, 0.0, 0.0),
        ({"shift_px": (1.5, 0.0)}, 1.5, 0.0),
        ({"shift_px": (0.0, -3.0)}, 3.0, 0.0),
        ({"shift_px": (4.0, 3.0)}, 5.0, 0.0),
        ({"light": (0.85, 0.85, 0.85)}, 0.0, grey(0.85, 0.85, 0.85)),
        ({"light": (0.9, 1.0, 1.1)}, 0.0, grey(1.1, 1.0, 0.9)),
    ],
)
def test_how_far_a_camera_is_off(calibrated, spoilt, moved_mm, colour):
    found = off(usual().small if not spoilt else usual(**spoilt).small, WIDTH_PX, calibrated)
    assert found.moved_mm == pytest.approx(moved_mm, abs=0.4)
    assert found.colour == pytest.approx(colour, abs=0.4)


def test_it_is_told_after_a_few_looks_and_no_longer_when_it_is_well(calibrated):
    camera = Camera()
    drift = CameraDrift([camera], lambda name: calibrated, 2.0, 1.5)
    assert drift() == {}
    for number in range(1, RUN + 1):
        assert drift() == {}
        camera.usual = usual(number, shift_px=(3.0, 0.0))
        told = drift()
        assert drift() == told, "the same look counts once"
    assert told.keys() == {"camera.top place"}
    assert (
        "beside where it was calibrated: put it back, or do the steps `camera` and `belt` anew"
        in told["camera.top place"]
    )
    assert drift.off()["top"].moved_mm == pytest.approx(3.0, abs=0.4)
    for number in range(RUN + 1, 2 * RUN + 1):
        assert drift() == told
        camera.usual = usual(number)
        drift()
    assert drift() == {}


def test_a_new_calibration_begins_anew_and_without_one_nobody_looks(calibrated):
    camera, known = Camera(), [calibrated]
    drift = CameraDrift([camera], lambda name: known[0], 2.0, 1.5)
    for number in range(1, RUN + 1):
        camera.usual = usual(number, light=(0.8, 0.8, 0.8))
        drift()
    assert "colours are off by" in drift()["camera.top colour"]
    known[0] = replace(calibrated, version=2)
    camera.usual = usual(9)
    assert drift() == {}
    known[0] = None
    camera.usual = usual(10, light=(0.8, 0.8, 0.8))
    assert drift() == {}


def test_where_nothing_stands_still_no_place_is_told(calibrated):
    noise = Usual(1, np.random.default_rng(1).uniform(0, 255, calibrated.view.usual.shape).astype(np.float32), WIDTH_PX)
    assert np.isnan(off(noise.small, WIDTH_PX, calibrated).moved_mm)
    drift = CameraDrift([Camera(noise)], lambda name: calibrated, 200.0, 1.5)
    assert drift() == {}
