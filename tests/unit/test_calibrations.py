"""A calibration is believed only as a trusted person signed it, for this lane and camera, until it expires."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calibrations import Shelf, new_key, read_key
from edge.core.calibration import Calibration, against, differences, of_table
from edge.core.errors import CalibrationRefused
from edge.signing import public

MADE = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
BELT = Calibration(
    lane="lane1",
    step="belt",
    subject="",
    serial="",
    version=1,
    by="Ann",
    made=MADE,
    until=MADE + timedelta(days=180),
    before="",
    frames=("ab" * 32,),
    quality={"residual_mm": 0.4},
    values={"counts_per_mm": 10.02, "path": [[1, 2.5], [3, 4]]},
    files={},
)


@pytest.fixture
def key(tmp_path):
    return new_key(tmp_path / "ann.pem")


@pytest.fixture
def shelf(tmp_path, key):
    return Shelf(tmp_path / "lane1", [public(key)])


def test_what_is_kept_comes_back_version_by_version(shelf, key):
    first = shelf.write(BELT, key, {"belt.npz": b"numbers"})
    second = shelf.write(replace(BELT, values={"counts_per_mm": 10.03}), key)
    assert (shelf.names(), shelf.versions("belt"), shelf.newest("belt")) == (["belt"], [1, 2], second)
    assert shelf.read("belt", 1) == first
    assert shelf.beside(first.files["belt.npz"]).read_bytes() == b"numbers"
    assert list(shelf.broken("belt")) == []
    told = {name: (here, there) for name, here, there in differences(first, second)}
    assert told["values.counts_per_mm"] == (10.02, 10.03)
    assert {"values.path", "files.belt.npz"} <= told.keys()


@given(st.data())
def test_whatever_is_changed_in_the_file_is_noticed(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("shelf")
    key = new_key(folder / "key.pem")
    shelf = Shelf(folder / "lane1", [public(key)])
    kept = shelf.write(BELT, key)
    path = folder / "lane1" / "belt.1.toml"
    said = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(said) - 1))
    said[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != said[place]))
    path.write_bytes(said)
    try:
        read = shelf.read("belt", 1)
    except CalibrationRefused:
        return
    assert read == kept  # a blank for a blank, an end of line: nothing that is said


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (r"\[seal\][\s\S]*", "", "it is not signed"),
        ("10.02", "10.20", "changed since it was signed"),
        ('key = "', 'key = "00', "which [calibration] trusted does not name"),
        ("version = 1", "version = 0", "about.version is no number from 1 on"),
        ('"by" = "Ann"\n', "", "about.by is missing"),
        ("10.02", '"nan"\n"x" = nan', "values.x is nothing known"),
        ('"step" = "belt"', '"step" = "guess"', "about.step is none of camera, belt"),
        (r"\+00:00", "+02:00", "about.made is no time in UTC"),
        ("about", "about", None),
    ],
)
def test_every_way_to_be_wrong_has_its_words(tmp_path, shelf, key, old, new, told):
    shelf.write(BELT, key)
    path = tmp_path / "lane1" / "belt.1.toml"
    path.write_text(
        re.sub(old, new, path.read_text().replace('"key" = ', "key = ").replace('"version" =', "version ="))
    )
    if told is None:
        assert shelf.newest("belt") is not None
        return
    with pytest.raises(CalibrationRefused, match=re.escape(told)):
        shelf.newest("belt")


def test_a_key_that_nobody_trusts_signs_nothing(tmp_path, shelf):
    shelf.write(BELT, new_key(tmp_path / "mallory.pem"))
    with pytest.raises(CalibrationRefused, match="trusted does not name"):
        shelf.newest("belt")


def test_what_lies_beside_is_held_to_its_digest(shelf, key):
    kept = shelf.write(BELT, key, {"belt.npz": b"numbers"})
    shelf.beside(kept.files["belt.npz"]).write_bytes(b"number5")
    with pytest.raises(CalibrationRefused, match=r"belt\.npz of belt\.1\.toml is missing or damaged"):
        shelf.newest("belt")


def test_a_version_that_was_taken_away_or_put_in_anothers_place_is_told(tmp_path, shelf, key):
    for counts in (10.0, 10.1, 10.2):
        shelf.write(replace(BELT, values={"counts_per_mm": counts}), key)
    (tmp_path / "lane1" / "belt.2.toml").unlink()
    assert list(shelf.broken("belt")) == ["belt: version 2 is missing"]
    shelf.write(BELT, key)
    (tmp_path / "lane1" / "belt.1.toml").replace(tmp_path / "lane1" / "belt.2.toml")
    with pytest.raises(CalibrationRefused, match="it is belt, version 1: put it back"):
        shelf.read("belt", 2)


@pytest.mark.parametrize(
    ("lane", "serial", "after", "told"),
    [
        ("lane1", "S1", timedelta(days=1), []),
        ("lane1", "", timedelta(days=1), []),
        ("lane2", "S1", timedelta(days=1), ["lane lane1"]),
        ("lane1", "S2", timedelta(days=1), ["camera S1, S2 is there"]),
        ("lane1", "S1", timedelta(days=181), ["has expired on 2027-05-25"]),
        ("lane1", "S1", -timedelta(days=1), ["yet to come"]),
        ("lane2", "S2", timedelta(days=181), ["lane lane1", "camera S1", "has expired"]),
    ],
)
def test_it_holds_for_its_lane_its_camera_and_its_time(lane, serial, after, told):
    faults = list(against(replace(BELT, serial="S1"), lane, serial, MADE + after))
    assert len(faults) == len(told)
    assert all(words in fault for words, fault in zip(told, faults, strict=True))


def test_a_key_is_its_owners_alone(tmp_path, key):
    path = tmp_path / "ann.pem"
    assert public(read_key(path)) == public(key)
    with pytest.raises(CalibrationRefused, match="there is a key already"):
        new_key(path)
    path.chmod(0o644)
    with pytest.raises(CalibrationRefused, match="others can read this key"):
        read_key(path)
    path.write_text("no key")
    path.chmod(0o600)
    with pytest.raises(CalibrationRefused, match="make one with"):
        read_key(path)


def test_a_table_comes_back_as_it_was():
    assert of_table(BELT.table(), "here") == replace(BELT, values=dict(BELT.values))
