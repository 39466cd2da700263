"""What a technician may do wrongly at any step: each is refused by name, with what to do, and nothing is kept of it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

import cv2
import numpy as np
import pytest

from calibration import board
from calibration.belt_step import BeltStep
from calibration.camera_step import CameraStep
from calibration.known_camera import KnownCamera
from calibration.light_step import LightStep
from calibration.making import Maker
from calibration.order import Stage
from calibration.session import Session, now
from calibration.sites import practice
from calibration.sites.site import drawn
from calibration.steps import Question, Shot, Shows
from calibration.supply import SimulatedSupply
from calibration.tote_step import ToteStep
from calibration.verify_checks import ColourCheck, PlaceCheck, RideCheck
from calibration.verify_step import VerifyStep
from edge.calibrations import Shelf, new_key
from edge.core.calibration import Calibration
from edge.core.errors import CalibrationRefused
from edge.signing import public

SITE = drawn(2)
PLANE = practice.fine(SITE).camera.plane
KNOWN = KnownCamera(PLANE, np.eye(3), np.zeros((24, 3)))
ENTERED = {"name": SITE.totes[0].name, "height_mm": "220", "wall_mm": "14", "floor_mm": "6"}
STEPS = {
    "camera": CameraStep,
    "light": LightStep,
    "belt": lambda: BeltStep(PLANE),
    "totes": lambda: ToteStep(PLANE, "top", {}),
    "verify": lambda: VerifyStep(
        [PlaceCheck(KNOWN), ColourCheck(KNOWN), RideCheck(KNOWN, {"counts_per_mm": 10.0, "place_mm": 600.0})]
    ),
}


@pytest.fixture(scope="module")
def shown():
    """What a technician shows who does all of it well: frames by what was asked, taken once for all tests."""
    return Shown()


class Shown:
    def __init__(self):
        self._supply = SimulatedSupply(SITE, np.random.default_rng(8))
        self._taken = defaultdict(list)

    def take(self, ask, number):
        """The frames of the so manieth time that this is asked."""
        while len(self._taken[ask.shows]) <= number or len(self._taken[ask.shows][number]) < ask.frames:
            self._taken[ask.shows] = self._taken[ask.shows][:number]
            self._taken[ask.shows].append(list(self._supply.take(ask)))
        return self._taken[ask.shows][number][: ask.frames]


def over_exposed(shots):
    return [replace(shot, image=np.clip(shot.image * 5.0, 0, 255).astype(np.uint8)) for shot in shots]


def wrong_board(shots):
    dictionary = cv2.aruco.getPredefinedDictionary(board.DICTIONARY)
    other = cv2.aruco.CharucoBoard((5, 7), 40.0, 30.0, dictionary).generateImage((500, 700))
    picture = np.pad(other, ((10, 10), (300, 480)), constant_values=200) // 2 + 40
    return [replace(shot, image=picture.astype(np.uint8)) for shot in shots]


def moving(shots):
    return [replace(shot, image=np.roll(shot.image, 8 * number, axis=1)) for number, shot in enumerate(shots)]


def flickering(shots):
    return [
        replace(shot, image=(shot.image * (1.0 - 0.06 * (number % 2))).astype(np.uint8))
        for number, shot in enumerate(shots)
    ]


def empty(shots):
    return [replace(shot, image=np.full_like(shot.image, 60)) for shot in shots]


def out_of_focus(shots):
    return [replace(shot, image=cv2.GaussianBlur(shot.image, (0, 0), 1.5)) for shot in shots]


def standing(shots):
    return [replace(shot, image=shots[0].image) for shot in shots]


def without_counts(shots):
    return [Shot(shot.image) for shot in shots]


def pushed(shots):
    return [*shots[:-2], replace(shots[-2], counts=shots[-2].counts + 120), shots[-1]]


def two_edges(shots):
    return [*shots[:-1], replace(shots[-1], edge_counts=shots[-1].edge_counts + 900)]


@pytest.mark.parametrize(
    ("step", "shows", "spoilt", "told"),
    [
        ("camera", Shows.BOARD_IN_HAND, wrong_board, "take the board that was printed"),
        ("camera", Shows.BOARD_IN_HAND, over_exposed, "over-exposed.*shorten the exposure"),
        ("camera", Shows.BOARD_IN_HAND, empty, "no board is seen: hold it into view, flat"),
        ("camera", Shows.BOARD_ON_BELT, moving, "moved by .* px between frames: stop the belt"),
        ("camera", Shows.BOARD_ON_BELT, out_of_focus, "out of focus; turn the lens"),
        ("camera", Shows.CHART, over_exposed, "no ColorChecker is seen|over-exposed: shorten the exposure"),
        ("camera", Shows.CHART, moving, "moved between frames: stop the belt"),
        ("camera", Shows.CHART_TURNED, empty, "no ColorChecker is seen: lay it flat"),
        ("light", Shows.SHEET, over_exposed, "over-exposed: shorten the exposure"),
        ("light", Shows.SHEET, flickering, "flickers by .*: use lamps on direct current"),
        ("belt", Shows.BOARD_RIDING, wrong_board, "take the board that was printed"),
        ("belt", Shows.BOARD_RIDING, standing, "did not move: let the belt run"),
        ("belt", Shows.BOARD_RIDING, without_counts, "no encoder counts: .* wire the encoder"),
        ("belt", Shows.BOARD_RIDING, pushed, "off an even ride: .* let it ride again"),
        ("belt", Shows.BOARD_RIDING_AGAIN, two_edges, "more than once: let the board ride past alone"),
        ("totes", Shows.TOTE, over_exposed, "over-exposed: shorten the exposure"),
        ("totes", Shows.TOTE, moving, "moved between frames: stop the belt"),
        ("verify", Shows.BOARD_ON_BELT, wrong_board, "take the board that was printed"),
        ("verify", Shows.BOARD_ON_BELT, moving, "stop the belt, lay it down"),
        ("verify", Shows.CHART, moving, "moved between frames: stop the belt"),
        ("verify", Shows.BOARD_RIDING, standing, "did not move: let the belt run"),
    ],
)
def test_a_fault_is_named_and_the_same_is_asked_again(shown, step, shows, spoilt, told):
    one = STEPS[step]()
    times = defaultdict(int)
    while (ask := one.asks()) is not None:
        if isinstance(ask, Question):
            one.enter(ENTERED)
            continue
        shots = shown.take(ask, times[ask.shows])
        times[ask.shows] += 1
        if ask.shows is shows:
            with pytest.raises(CalibrationRefused, match=told):
                one.take(spoilt(shots))
            assert one.asks() == ask
            return
        one.take(shots)
    pytest.fail("it was never asked for")


@pytest.mark.parametrize(
    ("entered", "told"),
    [
        ({"name": "a b"}, "the type's name: 'a b' is no name"),
        ({"name": "../blue"}, "is no name"),
        ({"height_mm": "tall"}, "'tall' is no number from 20 to 1000"),
        ({"height_mm": "nan", "wall_mm": "-3"}, "'nan' is no number.*thickness of the wall.*'-3' is no number"),
        ({"floor_mm": "230,5"}, "230.5 mm lies above|is no number from 0 to 200"),
        ({"height_mm": "100", "floor_mm": "120"}, "a floor at 120 mm lies above a rim at 100 mm"),
    ],
)
def test_what_is_entered_wrongly_is_asked_again(entered, told):
    step = STEPS["totes"]()
    question = step.asks()
    with pytest.raises(CalibrationRefused, match=told):
        step.enter(ENTERED | entered)
    assert step.asks() is question


@pytest.fixture
def session(tmp_path):
    key = new_key(tmp_path / "ann.pem")
    supply = SimulatedSupply(SITE, np.random.default_rng(1))
    one = Session(
        lane="lane1",
        by="Ann",
        until=now() + timedelta(days=180),
        shelf=Shelf(tmp_path / "lane1", [public(key)]),
        key=key,
        supplies={"top": supply},
        folder=tmp_path,
    )
    values = {
        "matrix": PLANE.matrix.tolist(),
        "bent": PLANE.bent.tolist(),
        "turn": PLANE.turn.tolist(),
        "shift_mm": PLANE.shift_mm.tolist(),
        "to_srgb": np.eye(3).tolist(),
        "patches": np.zeros((24, 3)).tolist(),
    }
    accepted = Calibration(
        lane="lane1",
        step="camera",
        subject="top",
        serial=supply.serial,
        version=1,
        by="Ann",
        made=now(),
        until=one.until,
        before="",
        frames=(),
        quality={},
        values=values,
        files={},
    )
    one.shelf.write(accepted, key)
    return one


def tampered(session, accepted):
    path = session.folder / "lane1" / "camera.top.1.toml"
    path.write_text(path.read_text().replace("Ann", "Eve"))


def expired(session, accepted):
    session.shelf.write(replace(accepted, until=now() - timedelta(seconds=1)), session.key)


def of_another_camera(session, accepted):
    session.shelf.write(replace(accepted, serial="SIM9999"), session.key)


def of_another_lane(session, accepted):
    session.shelf.write(replace(accepted, lane="lane2"), session.key)


def of_a_stranger(session, accepted):
    session.shelf.write(accepted, new_key(session.folder / "mallory.pem"))


def missing(session, accepted):
    (session.folder / "lane1" / "camera.top.1.toml").unlink()


@pytest.mark.parametrize("step", ["belt", "totes", "verify"])
@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (tampered, "changed since it was signed: restore it, or calibrate anew"),
        (expired, "has expired on .*: calibrate anew"),
        (of_another_camera, "it is for camera SIM9999, SIM0002 is there: calibrate this camera"),
        (of_another_lane, "it is of lane lane2, this is lane1: calibrate this lane"),
        (of_a_stranger, "trusted does not name"),
        (missing, "do its step `camera` first"),
    ],
)
def test_no_step_stands_on_what_does_not_hold(session, step, spoil, told):
    spoil(session, session.shelf.read("camera.top", 1))
    before = contents(session.folder)
    with pytest.raises(CalibrationRefused, match=told):
        Maker(session, {}, CameraStep).step(Stage(step, "top"))
    assert not session.holds(Stage("camera", "top"))
    assert contents(session.folder) == before


def contents(folder):
    """Of every file."""
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def test_totes_of_another_camera_are_none_of_this_ones(session):
    accepted = session.shelf.read("camera.top", 1)
    tote = replace(accepted, step="totes", subject="blue", serial="SIM9999", values={"camera": "side"})
    session.shelf.write(tote, session.key)
    assert session.totes("top") == []
    assert not session.holds(Stage("totes", "top"))
