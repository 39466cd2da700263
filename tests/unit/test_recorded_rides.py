"""The belt's step on a recording of the lane: the board's own rides, with the PLC's counts and the photoeye's edges."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.belt_step import BeltStep
from calibration.recorded import RecordedSupply
from calibration.sites import practice
from calibration.sites.belt_ride import EYE_MM, Ride
from calibration.sites.site import drawn
from calibration.steps import Ask, Shot, Shows
from calibration.supply import SimulatedSupply
from edge.core.errors import CalibrationRefused, RecordingRefused

SITE = drawn(2)
HEAD = Path(__file__).parents[1] / "replays" / "day" / "recording.json"


@pytest.fixture(scope="module")
def rides() -> list[list[Shot]]:
    supply = SimulatedSupply(SITE, np.random.default_rng(1))
    return [list(supply.take(Ask(shows, 6))) for shows in (Shows.BOARD_RIDING, Shows.BOARD_RIDING_AGAIN)]


@pytest.fixture
def recording(tmp_path: Path, rides: list[list[Shot]]) -> Path:
    """Of a lane where a carton rode past first, then the board, twice; each edge is said again and again."""
    head = json.loads(HEAD.read_text())
    (tmp_path / "recording.json").write_text(json.dumps({**head, "ended": None}))
    (tmp_path / "frames").mkdir()
    carton = Shot(np.full_like(rides[0][0].image, 90), 1000.0, 900.0, 0)
    with gzip.open(tmp_path / "tape.jsonl.gz", "wt") as tape:
        for line in lines(tmp_path, [[carton] * 6, *rides]):
            tape.write(json.dumps(line) + "\n")
    return tmp_path


def lines(folder: Path, rides: list[list[Shot]]) -> Iterator[dict[str, object]]:
    instant = 0
    for number, ride in enumerate(rides):
        edge = {
            "eye": "induct",
            "seq": 2 * number,
            "counts": round(ride[0].edge_counts) + 20_000 * number,
            "dark": True,
        }
        for shot in ride:
            instant += 1_000_000_000
            told = {"plc_ns": instant, "counts": 0, "speed_mm_per_s": 500.0, "edges": [edge], "seq": instant, "boot": 1}
            counts = shot.counts + 20_000 * number
            frame = {"camera": "top", "frame_id": str(instant), "exposed_ns": instant, "belt_counts": counts}
            exposed_ns = 10_000_000_000_000 + (shot.exposed_ns or 0)
            kept = {**frame, "exposed_ns": exposed_ns, "sha256": written(folder, shot)}
            yield {"instants_ns": [instant], "said": {"belt": [[instant, told]]}, "frames": [kept]}


def written(folder: Path, shot: Shot) -> str:
    content = cv2.imencode(".png", shot.image)[1].tobytes()
    digest = hashlib.sha256(content).hexdigest()
    (folder / "frames" / f"{digest}.png").write_bytes(content)
    return digest


def test_a_recording_tells_scale_and_place(recording: Path) -> None:
    plane = practice.fine(SITE).camera.plane
    supply = RecordedSupply(SimulatedSupply(SITE, np.random.default_rng(2)), recording, "top")
    step = BeltStep(plane)
    while ask := step.asks():
        step.take(supply.take(ask))
    found = step.found()
    true_mm = plane.at_mm(np.array([[639.5, 359.5]]))[0, 0] - EYE_MM - Ride(0.0, 500.0).speed_mm_per_s * 0.0015
    assert found.values["counts_per_mm"] == pytest.approx(10, rel=0.002)
    assert found.values["place_mm"] == pytest.approx(true_mm, abs=1)
    with pytest.raises(CalibrationRefused, match="no more rides: `tunnel-edge record` while it rides past"):
        supply.take(Ask(Shows.BOARD_RIDING, 6))
    assert len(supply.take(Ask(Shows.BOARD_ON_BELT, 2))) == 2


def test_another_camera_has_no_rides_and_a_damaged_recording_is_refused(recording: Path) -> None:
    own = SimulatedSupply(SITE, np.random.default_rng(2))
    with pytest.raises(CalibrationRefused, match="no more rides"):
        RecordedSupply(own, recording, "side").take(Ask(Shows.BOARD_RIDING, 6))
    (recording / "recording.json").unlink()
    with pytest.raises(RecordingRefused):
        RecordedSupply(own, recording, "top")
