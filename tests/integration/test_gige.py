"""GigE Vision cameras over the real protocol: Aravis' own fake camera on loopback, one process each; and ours."""

from __future__ import annotations

import gc
import json
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager

import cv2
import numpy as np
import pytest

from edge.cameras import genicam
from edge.cameras.gige import BUFFERS, Chunks, GigeSource
from edge.cameras.grabber import Grabber
from edge.core.errors import CameraFault
from edge.simulator.gige.device import GigeCamera
from edge.simulator.plan import Geometry, Plan, PlannedItem
from edge.simulator.run import simulate
from tests.integration.test_daemon import Site, check, ended, state, wait_for

PROGRAM = "arv-fake-gv-camera-0.8"
SMALL = {"Width": 128, "Height": 96, "PixelFormat": "Mono8", "AcquisitionFrameRate": 40.0}
START_S = 10
LANE = Geometry(counts_per_mm=10, camera_mm={}, gate_mm=1000, confirm_mm=1100, exit_mm=1150, gate_ms=60, scanner_mm=150)


class Fake:
    """A camera that can lose its power."""

    def __init__(self, address, serial):
        self.address, self.serial, self.id = address, serial, f"Aravis-Fake-{serial}"
        self.start()

    def start(self):
        assert shutil.which(PROGRAM), "install aravis-tools: run `make setup`"
        command = [PROGRAM, "-i", self.address, "-s", self.serial]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert wait_for(lambda: self.serial in [one["serial"] for one in genicam.found()])

    def stop(self):
        self._process.kill()
        self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


@contextmanager
def address(number):
    """One more address of this machine's own: a camera answers at a fixed port, so each needs one."""
    words = [f"127.0.77.{number}/8", "dev", "lo"]
    if subprocess.run(["ip", "addr", "add", *words], capture_output=True, check=False).returncode:
        pytest.skip("needs root for a second loopback address")
    try:
        yield words[0].split("/")[0]
    finally:
        subprocess.run(["ip", "addr", "del", *words], check=False)


@pytest.fixture
def camera():
    with Fake("127.0.0.1", "TOP01") as one:
        yield one


@pytest.fixture
def opened(camera):
    one = GigeSource(camera.serial, SMALL)
    one.open()
    yield one
    one.close()


def shot(source):
    end_s = time.monotonic() + START_S
    while time.monotonic() < end_s:
        if found := source.read():
            return found
    raise AssertionError("no frame")


def test_a_camera_is_found_and_shows_what_it_sees(opened):
    assert [one["id"] for one in genicam.found()] == ["Aravis-Fake-TOP01"]
    first, second = shot(opened), shot(opened)
    assert first.image.shape == (96, 128)
    assert not first.image.flags.writeable
    assert second.number == first.number + 1
    assert 0 <= time.monotonic_ns() - second.exposed_ns < 1_000_000_000
    assert second.exposed_ns > first.exposed_ns


def test_a_picture_keeps_its_memory_and_gives_it_back(opened):
    held = [shot(opened) for _ in range(BUFFERS - 2)]
    before = [one.image.copy() for one in held]
    for _ in range(6):
        shot(opened)
    assert all(np.array_equal(one.image, kept) for one, kept in zip(held, before, strict=True))
    del held
    gc.collect()
    lost = opened.lost()
    for _ in range(BUFFERS):
        shot(opened)
    assert opened.lost() == lost


def test_whoever_holds_all_memory_loses_frames_and_they_are_counted(opened):
    held = [shot(opened) for _ in range(BUFFERS)]
    time.sleep(0.3)
    assert opened.read() is None
    assert opened.lost() > 0
    assert len(held) == BUFFERS


def test_a_picture_outlives_its_camera(camera):
    source = GigeSource(camera.id, SMALL)
    source.open()
    kept = shot(source)
    before = kept.image.copy()
    source.close()
    del source
    gc.collect()
    assert np.array_equal(kept.image, before)
    del kept


def test_colour_is_made_of_a_mosaic(camera):
    source = GigeSource(camera.serial, SMALL | {"PixelFormat": "BayerRG8"})
    source.open()
    assert shot(source).image.shape == (96, 128, 3)
    source.close()


def test_all_that_a_camera_refuses_is_told_at_once(camera):
    wrong = {"Width": 99_999, "TriggerMod": "On", "TriggerMode": "Sideways", "AcquisitionFrameRate": "fast"}
    source = GigeSource(camera.serial, wrong)
    with pytest.raises(CameraFault) as told:
        source.open()
    source.close()
    assert str(told.value).split("; ") == [
        "does not take Width = 99999: give 1 to 2048",
        "has no feature TriggerMod: did you mean TriggerMode?",
        "does not take TriggerMode = Sideways: give one of Off, On",
        "does not take AcquisitionFrameRate = fast (could not convert string to float: 'fast')",
    ]


def test_a_camera_that_is_not_there_is_told_with_those_that_are(camera):
    with pytest.raises(CameraFault, match="cameras that answer: Aravis-Fake-TOP01"):
        GigeSource("Maker-Model-7", {}).open()


def test_a_camera_that_waits_for_a_trigger_is_silent_and_well(camera):
    source = GigeSource(camera.serial, SMALL | {"TriggerMode": "On", "TriggerSource": "Software"})
    grabber = Grabber("top", source)
    grabber.start()
    assert wait_for(lambda: grabber.opened == 1)
    time.sleep(2.5)  # longer than until it is asked whether it lives
    assert (grabber.fault, grabber.shots(), grabber.opened) == ("", [], 1)
    source._camera.software_trigger()
    assert wait_for(lambda: grabber.shots())
    grabber.stop()


def test_a_camera_without_power_is_told_and_comes_back_by_itself(camera):
    grabber = Grabber("top", GigeSource(camera.serial, SMALL), 1.0)
    grabber.start()
    assert wait_for(grabber.shots)
    camera.stop()
    assert wait_for(lambda: grabber.fault)
    assert "camera 'top' (TOP01)" in grabber.fault
    camera.start()
    assert wait_for(lambda: not grabber.fault)
    assert grabber.opened == 2
    assert wait_for(grabber.shots)
    grabber.stop()


LARGE = (320, 240)
COUNTS_PER_S = 5000
BOTH = Chunks("EncoderValue", "Timestamp")


class Belt:
    """What a camera in software sees: another picture each time, over an encoder that counts evenly."""

    def __init__(self):
        self.begun_ns = time.monotonic_ns()
        self.pictures = np.random.default_rng(1).integers(0, 255, (8, 240, 320, 3), dtype=np.uint8)
        self.taken = []  # counts and monotonic ns of each exposure

    def __call__(self):
        now_ns = time.monotonic_ns()
        self.taken.append(((now_ns - self.begun_ns) * COUNTS_PER_S // 10**9, now_ns))
        return self.pictures[len(self.taken) % 8], self.taken[-1][0]


@contextmanager
def simulated(features=None, chunks=BOTH, lost_share=0.0, scene=None):
    with GigeCamera("127.0.77.9", "SIM09", LARGE, scene=scene or Belt(), lost_share=lost_share) as camera:
        source = GigeSource("SIM09", {"AcquisitionFrameRate": 20.0} | (features or {}), chunks)
        source.open()
        yield source, camera
        source.close()


def test_counts_and_times_come_with_the_frames_by_the_cameras_own_encoder_and_clock():
    belt = Belt()
    with simulated(scene=belt) as (source, _):
        shots = [shot(source) for _ in range(12)]
    taken = dict(belt.taken)
    late_ms = [abs(one.exposed_ns - taken[one.encoder]) / 1e6 for one in shots]
    assert np.median(late_ms) < 2  # half of a round trip, and what the clocks may drift in a second
    assert all(np.array_equal(one.image.shape, (240, 320, 3)) for one in shots)


def test_packets_that_get_lost_are_asked_for_again():
    with simulated(lost_share=0.02) as (source, camera):
        shots = [shot(source) for _ in range(12)]
        assert source.packets()["came_again"] > 20
        assert source.lost() < len(shots) < camera.lost  # one lost packet would have been one lost frame
    assert all(np.array_equal(one.image.shape, (240, 320, 3)) for one in shots)


def test_a_chunk_that_a_camera_does_not_send_is_told():
    with (
        pytest.raises(CameraFault, match="does not send EncoderValu with its frames"),
        simulated(chunks=Chunks("EncoderValu")),
    ):
        pass


def test_a_camera_that_another_program_has_is_told():
    with simulated(), pytest.raises(CameraFault, match="is held by another program"):
        GigeSource("SIM09", {"Width": 64}).open()


def test_a_photoeye_triggers_the_camera():
    with simulated({"TriggerMode": "On", "TriggerSource": "Line1"}) as (source, camera):
        assert source.read() is None
        image = np.random.default_rng(2).integers(0, 255, (240, 320, 3), dtype=np.uint8)
        camera.expose(image, time.monotonic_ns(), 77)
        found = shot(source)
    assert np.array_equal(found.image, image)
    assert found.encoder == 77


def test_a_technician_tries_a_setting_and_is_told_how_to_keep_it(tmp_path, broker, endpoint):
    site = Site(tmp_path, broker.port, endpoint)
    local(site, [("top", 'gige = "SIM09"')])
    with GigeCamera("127.0.77.9", "SIM09", LARGE, scene=Belt()):
        listed = command("set", site.config, "top")
        assert "16 to 4096" in listed.stdout, listed.stderr
        tried = command("set", site.config, "top", "Width=160", "ExposureTime=900.0", "--out", tmp_path / "a.png")
    assert "160 × 240" in tried.stdout, tried.stderr
    assert "features = { Width = 160, ExposureTime = 900.0 }" in tried.stdout
    assert "'Width' is no NAME=VALUE" in command("set", site.config, "top", "Width").stderr


def test_the_whole_demo_runs_over_two_network_cameras_and_a_film(tmp_path):
    words = ["--gige", "--items", 12, "--rate", 90, "--report", tmp_path / "report", "--json", tmp_path / "out.json"]
    ran = subprocess.run(
        [sys.executable, "-m", "edge", "demo", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "inducted=12" in ran.stdout
    assert re.search(r"no_decision=0 on_belt=0 violations=0", ran.stdout)
    assert json.loads((tmp_path / "out.json").read_text())["diverts"]["missed"] == 0


def local(site, cameras):
    """The site's settings with cameras on this box instead of a node's."""
    text = site.config.read_text()
    begin, end = text.index("[[camera]]"), text.index("[inspection]")
    asked = 'cameras = ["top"]', f"cameras = {[name for name, _ in cameras]}"
    kinds = "".join(f'[[camera]]\nname = "{name}"\nplace_mm = 300\n{kind}\n' for name, kind in cameras)
    site.config.write_text((text[:begin] + kinds + text[end:]).replace(*asked))


def test_two_network_cameras_and_a_folder_watch_a_lane_while_one_loses_its_power(tmp_path, broker, endpoint, camera):
    site = Site(tmp_path, broker.port, endpoint)
    (tmp_path / "frames").mkdir()
    cv2.imwrite(str(tmp_path / "frames" / "a.png"), np.full((54, 96, 3), 127, np.uint8))
    features = "features = { Width = 128, Height = 96, AcquisitionFrameRate = 40.0 }"
    with address(2) as second, Fake(second, "SIDE01") as other:
        patient = "silent_after_s = 3.0"  # a process of its own, on a busy machine
        kinds = [("top", f'gige = "TOP01"\n{features}'), ("side", f'gige = "{other.id}"\n{patient}\n{features}')]
        local(site, [*kinds, ("back", f'opencv = "{tmp_path}/frames"\nsettings = {{ rate = 30 }}')])
        items = [PlannedItem(f"w-{n}", "04012345678901", f"o-{n}", 120.0, {}) for n in range(6)]
        plan = Plan("site", "lane", LANE, tuple(items), speed_mm_per_s=600, items_per_minute=120)
        with site.daemon():
            assert wait_for(lambda: "Execute" in state(broker))
            assert wait_for(lambda: 'tunnel_camera_openings_total{camera="side"} 1.0' in site.scraped())
            simulate(plan, broker.host, broker.port, endpoint, tmp_path / "truth.json")
            assert alarms(site) == ""
            camera.stop()
            assert wait_for(lambda: 'tunnel_camera_faulty{camera="top"} 1.0' in site.scraped())
            assert wait_for(lambda: "camera 'top' (TOP01)" in alarms(site))
            assert 'tunnel_camera_faulty{camera="side"} 0.0' in site.scraped()
            camera.start()
            assert wait_for(lambda: "camera 'top' is well again" in alarms(site))
    assert ended(site) == ["no_decision"] * 6
    seen = {(body["camera"], body["item_id"]) for kind, body in site.said() if kind == "Evidence"}
    assert len(seen) == 3 * 6  # every camera saw every item


def alarms(site):
    return "\n".join(body["because"] for kind, body in site.said() if kind == "Alarm" and body["kind"] == "camera")


def test_check_names_the_faults_of_every_camera_at_once(tmp_path, broker, endpoint, camera):
    site = Site(tmp_path, broker.port, endpoint)
    (tmp_path / "references").mkdir()
    local(site, [("top", 'gige = "TOP01"\nfeatures = { Widht = 9 }'), ("side", 'opencv = "/dev/nothing"')])
    checked = check(site.config)
    assert checked.returncode == 1
    assert "camera 'top' (TOP01) has no feature Widht: did you mean Width" in checked.stderr
    assert "camera 'side' (/dev/nothing) cannot be opened" in checked.stderr


def command(*words):
    ran = [sys.executable, "-m", "edge", "cameras", *map(str, words)]
    return subprocess.run(ran, capture_output=True, text=True, timeout=60, check=False)


def test_a_technician_lists_looks_and_measures(tmp_path, broker, endpoint, camera):
    site = Site(tmp_path, broker.port, endpoint)
    local(site, [("top", 'gige = "TOP01"\nfeatures = { Width = 128, Height = 96, AcquisitionFrameRate = 40.0 }')])
    assert 'gige = "Aravis-Fake-TOP01"' in command("list").stdout
    looked = command("preview", site.config, "top", "--out", tmp_path / "top.png")
    assert "128 × 96" in looked.stdout, looked.stderr
    assert cv2.imread(str(tmp_path / "top.png")).shape == (96, 128, 3)
    measured = command("measure", site.config, "--seconds", 2)
    assert measured.returncode == 0, measured.stderr
    assert "top" in measured.stdout
    assert "has no `view`" in command("learn", site.config, "top").stderr
    site.config.write_text(site.config.read_text().replace("gige =", f'view = "{tmp_path}/top.npz"\ngige ='))
    assert "cannot be read" in check(site.config).stderr
    learnt = command("learn", site.config, "top", "--frames", 30)
    assert "learnt from 30 frames" in learnt.stdout, learnt.stderr
    assert "top.npz" not in check(site.config).stderr
    assert "there is top" in command("preview", site.config, "tip").stderr
