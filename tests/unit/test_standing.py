"""A shelf as the daemon sees it: whatever lies there, it is told and nothing stops."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from edge.calibrations import Shelf, new_key
from edge.cameras.assembly import VIEW, CalibratedCameras
from edge.cameras.usual import LEAST, Look, View
from edge.core.in_force import Here
from edge.core.plane import Plane
from edge.core.topics import MAX_LIST
from edge.signing import public
from edge.standing import STRANGE, WatchedShelf
from tests.unit.test_calibrations import BELT
from tests.unit.test_camera_drift import PLANE, scene
from tests.unit.test_config import GOOD, loaded
from tests.unit.test_in_force import LAID

NOW = datetime.now(UTC).replace(microsecond=0)
ONE = replace(BELT, subject="top", made=NOW - timedelta(days=1), until=NOW + timedelta(days=100))
HERE = Here("lane1", {}, LAID.numbers())


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "lane1"


@pytest.fixture
def key(tmp_path):
    return new_key(tmp_path / "ann.pem")


@pytest.fixture
def shelf(folder, key):
    return Shelf(folder, [public(key)])


def watched(folder, shelf, seen=None):
    return WatchedShelf(folder, shelf, HERE, seen or {})


def test_a_shelf_that_is_not_there_yet_says_nothing(folder, shelf):
    one = watched(folder, shelf)
    told = one.told()
    assert (told.good, told.refused, told.warned) == ({}, {}, {})
    one.look(NOW)
    assert one.told() is told, "the same as long as it stays the same"


def test_what_is_accepted_changed_and_taken_away_is_seen(folder, shelf, key):
    shelf.write(ONE, key)
    one = watched(folder, shelf)
    assert one.told().good["belt.top"].version == 1
    assert one.expiries() == {"belt.top": ONE.until.timestamp()}
    shelf.write(replace(ONE, values={"counts_per_mm": 10.1}), key)
    one.look(NOW)
    assert one.told().good["belt.top"].numbers == {"belt.counts_per_mm": 10.1}
    assert one.believed("belt.top").version == 2
    path = folder / "belt.top.2.toml"
    stat = path.stat()
    path.write_text(path.read_text().replace("10.1", "10.2"))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    one.look(NOW)
    assert "changed since it was signed" in one.told().refused["belt.top"]
    assert one.believed("belt.top") is None
    path.unlink()
    one.look(NOW)
    assert "version 2 was in force, and is gone" in one.told().refused["belt.top"]


def test_a_date_passes_without_any_file_being_touched(folder, shelf, key):
    shelf.write(ONE, key)
    one = watched(folder, shelf)
    one.look(NOW + timedelta(days=99))
    assert "it expires on" in one.told().warned["belt.top"]
    one.look(NOW + timedelta(days=108))
    assert "it has expired on" in one.told().refused["belt.top"]


@pytest.mark.parametrize(
    ("lay", "name", "why"),
    [
        (lambda f: (f / "nonsense.1.toml").write_text(""), STRANGE, "1 more that are none of a lane's calibrations"),
        (lambda f: (f / "belt.a b.1.toml").write_text(""), STRANGE, "take them off the shelf"),
        (lambda f: (f / "belt.top.1.toml").write_bytes(b"\xff"), "belt.top", "cannot be read"),
        (lambda f: (f / "belt.top.1.toml").mkdir(), "belt.top", "this is no file"),
        (lambda f: os.mkfifo(f / "belt.top.1.toml"), "belt.top", "this is no file"),
        (lambda f: (f / "belt.top.1.toml").symlink_to(f / "belt.top.1.toml"), "belt.top", "this is no file"),
        (lambda f: (f / "belt.top.99999999999.toml").write_text(""), "belt.top", "no version of it can be found"),
        (lambda f: (f / "belt.top.².toml").write_text(""), "belt.top", "no version of it can be found"),
        (lambda f: [(f / f"belt.c{n}.1.toml").write_text("") for n in range(MAX_LIST + 1)], STRANGE, "1 more"),
    ],
)
def test_whatever_lies_there_is_told(folder, shelf, lay, name, why):
    folder.mkdir()
    lay(folder)
    told = watched(folder, shelf).told()
    assert why in told.refused[name]
    assert told.good == {}


def test_what_cameras_see_is_told_with_it(folder, shelf):
    one = watched(folder, shelf)
    one.drift = lambda: {"camera.top place": "it looks 3.0 mm beside"}
    one.look(NOW)
    assert one.told().warned == {"camera.top place": "it looks 3.0 mm beside"}


def test_pictures_that_cannot_be_held_against_anything_stop_nothing(folder, shelf, key, caplog):
    one = watched(folder, shelf)
    one.drift = lambda: {}["no camera"]
    shelf.write(ONE, key)
    one.look(NOW)
    assert one.told().good.keys() == {"belt.top"}
    assert "cannot be held against their calibrations" in caplog.text


def test_the_thread_sees_what_is_laid_there(folder, shelf, key):
    one = watched(folder, shelf)
    one.start()
    shelf.write(ONE, key)
    end = datetime.now(UTC) + timedelta(seconds=30)
    while not one.told().good and datetime.now(UTC) < end:
        pass
    one.stop()
    assert one.told().good.keys() == {"belt.top"}


def calibrated_camera(view=None):
    values = {
        "matrix": PLANE.matrix.tolist(),
        "bent": PLANE.bent.tolist(),
        "turn": PLANE.turn.tolist(),
        "shift_mm": PLANE.shift_mm.tolist(),
        "to_srgb": np.eye(3).tolist(),
    }
    return replace(ONE, step="camera", subject="top", values=values, files={VIEW: view} if view else {})


def test_a_camera_is_held_against_what_lies_beside_its_calibration_else_against_its_view(tmp_path, shelf, key):
    view = View.learn([Look.of(scene(seed)) for seed in range(LEAST)])
    view.save(tmp_path / "view.npz")
    camera = f'opencv = "/dev/video0"\nview = "{tmp_path / "view.npz"}"'
    config = loaded(tmp_path, GOOD.replace('node = "tcp://127.0.0.1:5570"', camera))
    kept = shelf.write(calibrated_camera(), key, {VIEW: (tmp_path / "view.npz").read_bytes()})
    believed = {"camera.top": kept}
    cameras = CalibratedCameras(config, believed.get, shelf.beside)
    (tmp_path / "view.npz").unlink()
    known = cameras("top")
    assert (known.version, known.plane.mm_per_px) == (1, pytest.approx(1.0))
    assert np.array_equal(known.view.usual, view.usual)
    assert cameras("top") is known, "read once"
    believed["camera.top"] = replace(kept, version=2, files={})
    assert cameras("top") is None, "its view is gone"
    for version, to_srgb in ((3, [[1.0]]), (4, np.zeros((3, 3)).tolist())):
        believed["camera.top"] = replace(kept, version=version, values={**kept.values, "to_srgb": to_srgb})
        assert cameras("top") is None, "another shape, or no way back"
    assert cameras("side") is None


def test_a_plane_comes_back_from_its_values():
    found = Plane.of(calibrated_camera().values)
    assert np.array_equal(found.matrix, PLANE.matrix)
    with pytest.raises(ValueError, match="reshape"):
        Plane.of({**calibrated_camera().values, "bent": [1.0]})
