"""What a camera shows: a scene that stands still, things that pass, and every way in which a camera lies."""

import cv2
import numpy as np
import pytest

from edge.cameras.grabber import Grabber
from edge.cameras.health import EQUAL, Health
from edge.cameras.usual import HORIZONS, LEAST, Look, View
from edge.core.belt import NS_PER_MS, NS_PER_S
from edge.core.errors import CameraFault, ReferencesRefused
from tests.unit.test_cameras import Scripted, wait_for

CHANCE = np.random.default_rng(3)
NOW_NS = [0]
NOISE = CHANCE.normal(0, 2, (240, 320, 3))


def scene(mono=False):
    """A belt between rails, with rollers; something lies on it, anywhere."""
    image = np.full((240, 320, 3), (60, 70, 90), np.uint8)
    for x in range(0, 320, 24):
        cv2.line(image, (x, 40), (x, 200), (80, 95, 120), 3)
    for y in (38, 202):
        cv2.rectangle(image, (0, y - 8), (319, y + 8), (150, 160, 190), -1)
    cv2.circle(image, (300, 20), 12, (20, 20, 160), -1)
    x, y = (int(v) for v in CHANCE.integers((20, 60), (220, 130)))
    cv2.rectangle(image, (x, y), (x + 70, y + 50), tuple(int(v) for v in CHANCE.integers(0, 255, 3)), -1)
    noise = np.roll(
        NOISE, CHANCE.integers(0, 240, 2), axis=(0, 1)
    )  # a field drawn once, shifted: fast, and never equal
    noisy = np.clip(image + noise, 0, 255).astype(np.uint8)
    return cv2.cvtColor(noisy, cv2.COLOR_BGR2GRAY) if mono else noisy


@pytest.fixture(scope="module")
def view():
    return View.learn([Look.of(scene()) for _ in range(140)])


def checked(health, image, apart_ns=NS_PER_S, counts=np.nan):
    """The next frame of a camera."""
    NOW_NS.append(NOW_NS[-1] + apart_ns)
    return health.check(image, NOW_NS[-1], counts)


def told(view, spoil, frames=40, mono=False):
    """What is told once a fault has begun."""
    health = Health(view)
    for _ in range(max(HORIZONS)):
        assert checked(health, scene(mono)) == ""
    return "; ".join(checked(health, spoil(scene(mono))) for _ in range(frames))


def test_what_passes_is_no_fault(view):
    health = Health(view)
    assert {checked(health, scene()) for _ in range(300)} == {""}


def test_an_item_that_is_long_in_view_is_no_fault(view):
    health = Health(view)
    for _ in range(20):
        item = scene()
        assert {checked(health, grain(item), 30 * NS_PER_MS) for _ in range(30)} == {""}


def test_a_belt_that_stands_is_no_fault(view):
    health = Health(view, spaced_counts=1000)
    for n in range(80):
        assert checked(health, scene(), counts=n * 1000) == ""
    item = scene()
    assert {checked(health, grain(item), counts=80_000) for _ in range(100)} == {""}


def grain(image):
    """The same again, with noise of its own."""
    return np.clip(image + np.roll(NOISE, CHANCE.integers(0, 240, 2), axis=(0, 1)) / 2, 0, 255).astype(np.uint8)


def moved(image):
    return cv2.warpAffine(
        image, np.float32([[1, 0, 20], [0, 1, 6]]), image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE
    )


def soiled(image):
    return cv2.circle(image.copy(), (160, 120), 26, (10, 10, 10), -1)


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda image: image // 60, "black"),
        (lambda image: np.maximum(image, 250), "white"),
        (lambda image: cv2.GaussianBlur(image, (0, 0), 4), "out of focus"),
        (lambda image: (image * 0.5).astype(np.uint8), "as bright as it was: a lamp"),
        (lambda image: np.clip(image * 1.8, 0, 255).astype(np.uint8), "as bright as it was: stray light"),
        (lambda image: np.ascontiguousarray(image[..., ::-1]), "red and blue are exchanged"),
        (moved, "moved by 6"),
        (soiled, "of the view covered"),
    ],
)
def test_each_fault_is_told(view, spoil, fault):
    assert fault in told(view, spoil)


def test_a_frozen_camera_is_told_with_or_without_a_view(view):
    still = scene()
    for one in (view, None):
        health = Health(one)
        assert [checked(health, still) for _ in range(EQUAL)][-1].startswith("frozen")
        assert checked(health, scene()) == ""


def test_a_recording_is_told():
    frames, health = [scene() for _ in range(8)], Health(None)
    assert [checked(health, frame) for frame in frames] == [""] * 8
    assert [checked(health, frame) for frame in frames[:EQUAL]][-1].startswith("a recording")


def test_a_mono_camera_is_watched_too():
    view = View.learn([Look.of(scene(mono=True)) for _ in range(40)])
    assert "out of focus" in told(view, lambda image: cv2.GaussianBlur(image, (0, 0), 4), mono=True)


def test_a_camera_whose_whole_view_changes_says_nothing_of_shifts_and_dirt():
    def anywhere():
        return np.roll(scene(), CHANCE.integers(0, 240, 2), axis=(0, 1))

    view = View.learn([Look.of(anywhere()) for _ in range(40)])
    assert np.isinf(view.tells.covered)
    health = Health(view)
    assert {checked(health, anywhere()) for _ in range(100)} == {""}


def test_a_view_is_kept_and_a_damaged_one_refused(view, tmp_path):
    path = tmp_path / "views" / "top.npz"
    view.save(path)
    again = View.load(path)
    assert (again.sharpness, again.limits) == (view.sharpness, view.limits)
    assert np.array_equal(again.usual, view.usual)
    path.write_bytes(path.read_bytes()[:-80])
    with pytest.raises(ReferencesRefused, match=r"top\.npz"):
        View.load(path)


def test_a_view_takes_frames():
    with pytest.raises(CameraFault, match=f"{LEAST} or more"):
        View.learn([Look.of(scene())] * (LEAST - 1))


def test_frames_of_a_sick_camera_say_so():
    source = Scripted(range(1, EQUAL + 1))
    grabber = Grabber("top", source, health=Health(None))
    grabber.start()
    wait_for(lambda: grabber.fault)
    assert "camera 'top' (scripted) shows what it should not: black" in grabber.fault
    assert all(shot.fault.startswith("black") for shot in grabber.shots())
    source.block.set()
    grabber.stop()
