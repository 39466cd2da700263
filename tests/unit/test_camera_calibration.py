"""A camera and a belt from the board and the chart, on simulated sites; and every way to hold them wrongly."""

import re
from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
import pytest

from calibration import board, chart
from calibration.belt_run import Passed, belt_run, camera_place_mm
from calibration.belt_step import BeltStep
from calibration.known_camera import KnownCamera
from calibration.lens import lens, plane
from calibration.sites import practice
from calibration.sites.optics import Camera
from calibration.sites.site import drawn
from calibration.steps import Shot
from calibration.verify_checks import ColourCheck, PlaceCheck
from calibration.verify_step import VerifyStep
from edge.core.errors import CalibrationRefused

SITE = practice.fine(drawn(2))
SCALE = 9.87  # counts per mm


def chance():
    return np.random.default_rng(4)


@pytest.fixture(scope="module")
def views():
    lot = np.random.default_rng(1)
    return [board.find(practice.board_in_hand(SITE, lot).image) for _ in range(8)]


@pytest.fixture(scope="module")
def laid():
    return practice.board_on_belt(SITE, chance()).image


@pytest.fixture(scope="module")
def known(views):
    return lens(views, SITE.camera.size_px)


def test_a_length_on_the_belt_and_above_it_is_what_it_is(known, laid):
    here, residual_mm = plane(known, board.find(laid))
    assert (known.residual_px < 0.5, residual_mm < 1) == (True, True)
    for height_mm in (0.0, 220.0):
        ends = np.array([[-300.0, 40, height_mm], [300.0, -20, height_mm]])
        found = here.at_mm(SITE.camera.seen_px(ends), height_mm)
        assert np.linalg.norm(found[1] - found[0]) == pytest.approx(np.linalg.norm(ends[1] - ends[0]), abs=3)


def test_pixels_become_millimetres_and_back():
    camera = Camera((40.0, -150.0, 1300.0), (5.0, 10.0, 0.0), (640, 360), 700.0, -0.05)
    here = camera.plane
    places = np.column_stack((chance().uniform(-300, 300, (50, 2)), np.full(50, 90.0)))
    assert np.allclose(here.seen_px(places), camera.seen_px(places), atol=1e-9)
    assert np.allclose(here.at_mm(here.seen_px(places), 90.0), places[:, :2], atol=1e-3)
    assert here.mm_per_px == pytest.approx(np.hypot(1300, 160) / 700, rel=0.02)


def test_the_belt_tells_its_scale_and_where_the_camera_stands():
    here = SITE.camera.plane
    ride = [
        Passed(70_000 + mm * SCALE, board.find(practice.board_on_belt(SITE, chance(), along_mm=mm).image))
        for mm in (-200.0, -100.0, 0.0, 90.0, 180.0)
    ]
    run = belt_run(ride, here, SITE.camera.size_px)
    assert run.counts_per_mm == pytest.approx(SCALE, rel=0.002)
    assert (abs(run.across_deg) < 0.3, run.reversed, run.residual_mm < 0.5) == (True, False, True)
    aim_mm = here.at_mm(np.array([[639.5, 359.5]]))[0, 0]
    edge_counts = 70_000 - (500 - board.SIZE_MM[0] / 2) * SCALE  # its leading edge met the eye 500 mm before
    assert camera_place_mm(run, edge_counts) == pytest.approx(500 + aim_mm - board.SIZE_MM[0], abs=2)
    pushed = [*ride[:2], replace(ride[2], counts=ride[2].counts + 100), *ride[3:]]
    with pytest.raises(CalibrationRefused, match="off an even ride"):
        belt_run(pushed, here, SITE.camera.size_px)
    with pytest.raises(CalibrationRefused, match="did not move"):
        belt_run([ride[0]] * 5, here, SITE.camera.size_px)
    with pytest.raises(CalibrationRefused, match="rode 100 mm in view"):
        belt_run([*ride[:2], *ride[:2], ride[0]], here, SITE.camera.size_px)
    with pytest.raises(CalibrationRefused, match="4 frames of the board"):
        belt_run(ride[:4], here, SITE.camera.size_px)


def test_colours_are_what_they_are_under_any_lamp():
    measured = [chart.measure(practice.chart_on_belt(SITE, chance(), degrees).image) for degrees in (0.0, 180.0)]
    assert chart.differences(np.mean(measured, axis=0) @ chart.fitted(measured).T).max() < 2
    assert chart.differences(np.mean(measured, axis=0)).max() > 4


def black(image):
    return np.zeros_like(image)


def bright(image):
    return np.clip(image * 4.0, 0, 255).astype(np.uint8)


def covered(image):
    hidden = image.copy()
    hidden[:, 600:] = 30
    return hidden


def another(_):
    dictionary = cv2.aruco.getPredefinedDictionary(board.DICTIONARY)
    other = cv2.aruco.CharucoBoard((5, 7), 40.0, 30.0, dictionary)
    return np.pad(other.generateImage((500, 700)), 60, constant_values=200) // 2 + 40


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (black, "no board is seen"),
        (bright, "over-exposed, and the board is not seen whole: shorten the exposure"),
        (covered, "of the board's 40 corners are seen"),
        (another, "take the board that was printed"),
    ],
)
def test_what_is_wrong_with_the_board_is_said(laid, spoil, told):
    with pytest.raises(CalibrationRefused, match=re.escape(told)):
        board.find(spoil(laid))


def test_a_board_that_moved_where_it_must_lie_is_told(laid):
    seen = board.find(laid)
    board.still([seen, seen])
    with pytest.raises(CalibrationRefused, match=r"moved by 3\.0 px between frames: stop the belt"):
        board.still([seen, replace(seen, seen_px=seen.seen_px + np.array((3, 0)))])


def test_views_that_tell_no_lens_are_refused(views, laid):
    flat = [board.find(laid)] * 8
    with pytest.raises(CalibrationRefused, match="6 or more"):
        lens(views[:5], SITE.camera.size_px)
    with pytest.raises(CalibrationRefused, match="in the middle alone"):
        lens(flat, SITE.camera.size_px)
    strange = [replace(one, seen_px=one.seen_px + chance().normal(0, 9, one.seen_px.shape)) for one in views]
    with pytest.raises(CalibrationRefused, match="px remain unexplained"):
        lens(strange, SITE.camera.size_px)


@pytest.mark.parametrize(("spoil", "told"), [(black, "no ColorChecker is seen"), (bright, "over-exposed")])
def test_what_is_wrong_with_the_chart_is_said(spoil, told):
    with pytest.raises(CalibrationRefused, match=told):
        chart.measure(spoil(practice.chart_on_belt(SITE, chance()).image))


def test_speeds_and_the_photoeye_are_told_where_they_are_known():
    """A frame shows the belt 2 ms after its counts: at twice the speed the camera seems to stand nearer."""
    here = SITE.camera.plane
    step = BeltStep(here)
    for speed in (500.0, 250.0):
        step.take([riding(mm, speed, 0.002) for mm in np.linspace(-200, 200, 8)])
    found = step.found()
    true_mm = here.at_mm(np.array([[639.5, 359.5]]))[0, 0] + 600
    assert found.values["place_mm"] == pytest.approx(true_mm - 1.0, abs=0.5)
    assert found.values["exposure_delay_ms"] == pytest.approx(2, abs=1)
    assert found.values["speeds_mm_per_s"] == pytest.approx([500, 250], rel=0.01)
    assert found.quality["speed_linearity_percent"] < 0.2
    assert "behind the photoeye" in found.says


@lru_cache(maxsize=8)
def ridden(along_mm):
    return practice.board_on_belt(SITE, chance(), along_mm=along_mm).image


def riding(along_mm, speed_mm_per_s, delay_s, scale=SCALE, edge_mm=-600.0):
    counts = 70_000 + (along_mm - speed_mm_per_s * delay_s) * scale
    edge_counts = 70_000 + (edge_mm - board.SIZE_MM[0] / 2) * scale
    return Shot(ridden(float(along_mm)), counts, edge_counts, round(along_mm / speed_mm_per_s * 1e9))


def test_a_belt_without_a_second_speed_says_what_it_does_not_know():
    step = BeltStep(SITE.camera.plane)
    ride = [replace(riding(mm, 500.0, 0.0), edge_counts=np.nan, exposed_ns=None) for mm in np.linspace(-200, 200, 8)]
    for _ in range(2):
        step.take(ride)
    found = step.found()
    assert not {"place_mm", "exposure_delay_ms", "speeds_mm_per_s"} & found.values.keys()
    assert "place was not measured" in found.says
    assert "at other speeds was not shown" in found.says


def test_counts_that_fall_while_the_belt_runs_on_are_told():
    step = BeltStep(SITE.camera.plane)
    for speed in (500.0, 250.0):
        step.take([riding(mm, speed, 0.0, -SCALE) for mm in np.linspace(-200, 200, 8)])
    found = step.found()
    true_mm = SITE.camera.plane.at_mm(np.array([[639.5, 359.5]]))[0, 0] + 600
    assert found.values["reversed"] == 1
    assert found.values["place_mm"] == pytest.approx(true_mm, abs=0.5)


def test_an_encoder_that_slips_at_speed_is_refused():
    step = BeltStep(SITE.camera.plane)
    for speed, scale in ((500.0, SCALE), (250.0, SCALE * 1.01)):
        step.take([riding(mm, speed, 0.0, scale) for mm in np.linspace(-200, 200, 8)])
    with pytest.raises(
        CalibrationRefused, match=r"at 250 mm/s a millimetre has 1\.0 % more or fewer counts than at 500"
    ):
        step.found()


def verified(known, site):
    """What `verify` says of a site, by what was known of another."""
    here, _ = plane(known, board.find(practice.board_on_belt(SITE, chance()).image))
    measured = [chart.measure(practice.chart_on_belt(SITE, chance(), degrees).image) for degrees in (0.0, 180.0)]
    to_srgb = chart.fitted(measured)
    camera = KnownCamera(here, to_srgb, np.mean(measured, axis=0) @ to_srgb.T)
    step = VerifyStep([PlaceCheck(camera), ColourCheck(camera)])
    step.take([Shot(practice.board_on_belt(site, chance()).image)] * 2)
    step.take([Shot(practice.chart_on_belt(site, chance()).image)] * 2)
    return step.found()


def test_what_was_calibrated_is_verified_or_refused_with_all_that_is_wrong(known):
    assert verified(known, SITE).quality["length_error_mm"] < 3
    nearer = replace(SITE.camera, place_mm=(*SITE.camera.place_mm[:2], SITE.camera.place_mm[2] - 60))
    redder = replace(SITE, gains=SITE.gains * (1.0, 0.85, 0.75))
    with pytest.raises(CalibrationRefused, match="lamp, exposure or white balance changed"):
        verified(known, redder)
    with pytest.raises(CalibrationRefused) as refusal:
        verified(known, replace(redder, camera=nearer))
    assert all(words in str(refusal.value) for words in ("the camera was moved", "white balance changed"))


def test_lab_and_linear_light_undo_each_other():
    colours = chart.reference()
    assert chart.of_lab(chart.lab(colours)) == pytest.approx(colours, abs=1e-9)
