"""Grabbing apart from deciding: newest wins, a blocked or broken source harms nobody, and counts are joined here."""

import threading
import time

import cv2
import numpy as np
import pytest

from edge.cameras.cameras import AllCameras
from edge.cameras.grabber import Grabber
from edge.cameras.opencv import FolderSource, OpenCvSource
from edge.cameras.pixels import decoded
from edge.cameras.source import KEPT, Shot
from edge.core.errors import CameraFault
from tests.unit.lane import reading

PICTURE = np.zeros((4, 6, 3), np.uint8)
WAIT_S = 10


class Scripted:
    """A source whose every opening follows a script: shots, pauses (None), faults, and at last it blocks."""

    about = "scripted"

    def __init__(self, *scripts):
        self.scripts, self.script, self.closed, self.block = list(scripts), [], 0, threading.Event()

    def open(self):
        self.script = list(self.scripts.pop(0)) if self.scripts else []
        if self.script and isinstance(self.script[0], str):
            raise CameraFault(self.script.pop(0))

    def read(self):
        if not self.script:
            self.block.wait()
            return None
        step = self.script.pop(0)
        if isinstance(step, str):
            raise CameraFault(step)
        return step and Shot(PICTURE, time.monotonic_ns(), step)

    def lost(self):
        return 0

    def close(self):
        self.closed += 1


def wait_for(condition):
    end_s = time.monotonic() + WAIT_S
    while not condition() and time.monotonic() < end_s:
        time.sleep(0.005)
    assert condition()


@pytest.fixture
def run():
    running = []

    def start(source, silent_after_s=0.0):
        grabber = Grabber("top", source, silent_after_s)
        grabber.start()
        running.append((grabber, source))
        return grabber

    yield start
    for grabber, source in running:
        if isinstance(source, Scripted):
            source.block.set()
        grabber.stop()


def test_the_newest_are_kept_and_the_others_counted(run):
    grabber = run(Scripted(range(1, KEPT + 4)))
    wait_for(lambda: grabber.dropped == 3)
    assert [shot.number for shot in grabber.shots()] == list(range(4, KEPT + 4))
    assert grabber.shots() == []


def test_a_camera_that_fails_is_opened_again_and_told_until_it_sends(run):
    source = Scripted(["is not there"], [1, "is gone"], [2])
    grabber = run(source)
    wait_for(lambda: grabber.opened == 2)
    wait_for(lambda: not grabber.fault)
    assert (source.closed, [shot.number for shot in grabber.shots()]) == (2, [1, 2])


def test_the_fault_names_the_camera_and_what_to_do(run):
    grabber = run(Scripted(["does not answer: check cable and power"]))
    wait_for(lambda: grabber.fault)
    assert grabber.fault == "camera 'top' (scripted) does not answer: check cable and power"


def test_a_driver_that_blocks_is_told_and_does_not_block_the_end():
    source = Scripted([1])
    grabber = Grabber("top", source, silent_after_s=0.05)
    grabber.start()
    wait_for(lambda: "stopped sending" in grabber.fault)
    begun_s = time.monotonic()
    grabber.stop()
    assert time.monotonic() - begun_s < WAIT_S / 2
    source.block.set()


def test_a_triggered_camera_may_be_silent(run):
    grabber = run(Scripted([1]))
    wait_for(lambda: grabber.opened)
    time.sleep(0.1)
    assert grabber.fault == ""


def test_frames_get_the_counts_of_their_exposure(run):
    grabber = run(Scripted([7]))
    cameras = AllCameras([], [grabber])
    wait_for(lambda: grabber._shots)
    exposed_ns = grabber._shots[0].exposed_ns
    assert cameras.grab(reading(0.0, at_ms=0)) == []  # exposed more than a second after the only reading
    assert cameras.unplaced == 1
    grabber._shots.append(Shot(PICTURE, exposed_ns, 8))
    cameras.grab(reading(100.0, at_ms=exposed_ns // 1_000_000 - 1))
    grabber._shots.append(Shot(PICTURE, exposed_ns, 9))
    [frame] = cameras.grab(reading(200.0, at_ms=exposed_ns // 1_000_000 + 1))
    assert (frame.camera, frame.frame_id) == ("top", "top-9")
    assert 100 < frame.belt_counts < 200


@pytest.fixture
def folder(tmp_path):
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((8, 10, 3), 50 * number, np.uint8))
    return tmp_path


def test_a_folder_is_shown_over_and_over(folder):
    source = FolderSource(folder, rate=200)
    source.open()
    shots = [source.read() for _ in range(4)]
    source.close()
    assert [int(shot.image[0, 0, 0]) for shot in shots] == [0, 50, 100, 0]
    assert not shots[0].image.flags.writeable


@pytest.mark.parametrize(("spoil", "told"), [("nothing", "holds no picture"), ("gone", "cannot be read")])
def test_a_folder_that_will_not_do_is_told(tmp_path, spoil, told):
    source = FolderSource(tmp_path if spoil == "nothing" else tmp_path / "gone", rate=10)
    with pytest.raises(CameraFault, match=told):
        source.open()


def test_a_video_file_plays_at_its_own_rate_and_ends(tmp_path):
    path = str(tmp_path / "belt.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"MJPG"), 50, (64, 48))
    for level in range(5):
        writer.write(np.full((48, 64, 3), 40 * level, np.uint8))
    writer.release()
    source = OpenCvSource(path, {}, live=False)
    source.open()
    begun_s = time.monotonic()
    levels = [int(source.read().image.mean()) for _ in range(5)]
    assert time.monotonic() - begun_s >= 4 / 50
    assert levels == pytest.approx([0, 40, 80, 120, 160], abs=6)
    with pytest.raises(CameraFault, match="has come to its end"):
        source.read()
    source.close()


def test_what_opencv_cannot_open_or_set_is_told(tmp_path):
    with pytest.raises(CameraFault, match="cannot be opened"):
        OpenCvSource("/dev/video-of-nobody", {}).open()
    path = str(tmp_path / "belt.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"MJPG"), 50, (64, 48))
    writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    source = OpenCvSource(path, {"width": 1280, "format": "YUYV"}, live=False)
    with pytest.raises(CameraFault, match=r"does not take format = YUYV.*; does not take width = 1280: it stays at 64"):
        source.open()
    source.close()


def test_pixels_become_bgr_or_mono_without_a_needless_copy():
    chance = np.random.default_rng(0)
    raw = chance.integers(0, 256, 2 * 3 * 4 * 6, np.uint8)
    mono = decoded(raw, (4, 6), "Mono8")
    assert mono.shape == (4, 6)
    assert np.shares_memory(mono, raw)
    assert decoded(raw, (4, 6), "BGR8").shape == (4, 6, 3)
    assert np.array_equal(decoded(raw, (4, 6), "RGB8")[..., ::-1], raw[:72].reshape(4, 6, 3))
    deep = (np.arange(24, dtype="<u2") * 170).view(np.uint8)
    assert np.array_equal(decoded(deep, (4, 6), "Mono12").ravel(), np.rint(np.arange(24) * 170 / 16).astype(np.uint8))


def test_bayer_red_is_red():
    mosaic = np.zeros((8, 8), np.uint8)
    mosaic[0::2, 0::2] = 200  # RGGB: red comes first
    blue, green, red = decoded(mosaic.ravel(), (8, 8), "BayerRG8")[4, 4]
    assert (blue, green) == (0, 0)
    assert red == 200
