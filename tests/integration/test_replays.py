"""The project's regression tests: recorded runs through the same loop; what is decided otherwise is told.

When something is decided otherwise on purpose: look at each difference, `tunnel-edge replay FOLDER --accept`, commit.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.__main__ import main
from edge.core import judge, tracker
from edge.core.messages import Disposition
from edge.recording.lines import FRAMES, HEAD, JOURNAL, SETTINGS, TAPE
from edge.recording.reference import read

REPLAYS = Path(__file__).parent.parent / "replays"


@pytest.fixture(autouse=True)
def _among_the_replays(monkeypatch):
    """The paths in their settings are relative to the folder that holds them, their references and belts."""
    monkeypatch.chdir(REPLAYS)
    monkeypatch.setenv("COLUMNS", "240")


@pytest.fixture
def day(tmp_path):
    """A recording to be spoilt."""
    return Path(shutil.copytree("day", tmp_path / "day"))


def replay(capsys, *words):
    code = main(["replay", *map(str, words)])
    out, err = capsys.readouterr()
    return code, out + err


def told(name, record):
    return [one for one in read(REPLAYS / name / JOURNAL) if one["record"] == record]


@pytest.mark.parametrize("name", ["day", "restart"])
def test_the_same_is_decided_as_on_the_lane(capsys, name):
    code, said = replay(capsys, name)
    assert code == 0, said
    assert f"the same as {name}/{JOURNAL}" in said


@pytest.mark.parametrize("name", ["day", "restart"])
def test_the_models_of_now_judge_as_those_of_then(capsys, name):
    code, said = replay(capsys, name, "--inspect")
    assert code == 0, said
    assert "verdicts" in said


def test_the_day_holds_what_can_befall_an_item():
    assert Counter(one["disposition"] for one in told("day", "Verdict")).keys() == set(Disposition)
    assert {"passed", "diverted", "no_decision", "lost"} <= {one["end"] for one in told("day", "ItemEnd")}
    alarms = [(one["kind"], one["because"]) for one in told("day", "Alarm")]
    assert ("slip", "an item slipped by 30 mm") in alarms
    assert ("camera", "camera 'slow' is well again") in alarms
    assert len(told("day", "ReplacementRequest")) >= 6


def test_the_restart_begins_with_items_on_the_belt():
    known = json.loads((REPLAYS / "restart" / HEAD).read_text())["start"]["known"]
    assert len(known["items"]) >= 2
    assert tracker.RESTARTED in json.dumps(told("restart", "Item"))


def test_another_recipe_is_told_item_by_item(capsys, day, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text((day / SETTINGS).read_text().replace("reject_at = 1.1", "reject_at = 1.45"))
    code, said = replay(capsys, day, "--settings", other)
    assert code == 1
    lenient = [line for line in said.splitlines() if "verdict" in line and "reject: anomaly" in line]
    assert lenient
    assert all("pass: anomaly" in line for line in lenient), said


def test_a_rule_that_nobody_answered_then_is_named_and_can_be_answered_now(capsys, day, tmp_path):
    other = tmp_path / "other.toml"
    serial = '[[recipe.rule]]\ncheck = "serial"\ncameras = ["side"]\nrequired = false\n'
    other.write_text((day / SETTINGS).read_text().replace("[[camera]]", serial + "[[camera]]", 1))
    code, said = replay(capsys, day, "--settings", other)
    assert "nothing was asked about serial on camera side then: --inspect asks it now" in said
    new = tmp_path / "new.jsonl"
    code, said = replay(capsys, day, "--settings", other, "--inspect", "--against", new, "--accept")
    assert code == 0, said
    assert any("serial (side): read" in str(one.get("reasons")) for one in read(new))


def test_other_references_are_told(capsys, day, tmp_path):
    taught = Path(shutil.copytree("references", tmp_path / "references"))
    shutil.rmtree(taught / told("day", "Verdict")[0]["gtin"])
    other = tmp_path / "other.toml"
    other.write_text((day / SETTINGS).read_text().replace('"references"', f'"{taught}"'))
    code, said = replay(capsys, day, "--inspect", "--settings", other)
    assert code == 1
    assert "no_decision: anomaly (top): no references for" in said
    assert "not the references of then: " in said


def test_a_rule_of_the_core_that_breaks_is_told(capsys, monkeypatch):
    monkeypatch.setattr(judge, "overdue", lambda findings: Disposition.PASS)
    code, said = replay(capsys, "day")
    assert code == 1
    assert any("no_decision: expiry (side)" in line and " pass: " in line for line in said.splitlines()), said


def test_an_item_that_is_born_elsewhere_is_told(capsys, monkeypatch):
    monkeypatch.setattr(tracker.Tracker, "_resync", lambda self, reading: iter(()))
    code, said = replay(capsys, "day")
    assert code == 1
    assert "Alarm" in said


def test_what_is_decided_now_can_be_accepted(capsys, monkeypatch, day):
    before = (day / JOURNAL).read_bytes()
    assert replay(capsys, day, "--accept")[0] == 0
    assert (day / JOURNAL).read_bytes() == before
    monkeypatch.setattr(judge, "overdue", lambda findings: Disposition.PASS)
    assert replay(capsys, day)[0] == 1
    assert replay(capsys, day, "--accept")[0] == 0
    assert replay(capsys, day)[0] == 0


def test_what_other_settings_say_takes_the_place_of_nothing(capsys, day):
    code, said = replay(capsys, day, "--settings", day / SETTINGS, "--accept")
    assert code == 1
    assert "--against" in said


def test_a_reference_that_cannot_be_written_is_told(capsys, tmp_path):
    code, said = replay(capsys, "restart", "--accept", "--against", tmp_path / "nowhere" / "r.jsonl")
    assert code == 1
    assert "name a file that can be written" in said


def tape(folder):
    return gzip.decompress((folder / TAPE).read_bytes()).splitlines(keepends=True)


def put_back(folder, lines):
    """As somebody would who knows of the checksum."""
    content = gzip.compress(b"".join(lines))
    (folder / TAPE).write_bytes(content)
    head = json.loads((folder / HEAD).read_text())
    head["ended"]["sha256"][TAPE] = hashlib.sha256(content).hexdigest()
    (folder / HEAD).write_text(json.dumps(head))


def edit_head(folder, **fields):
    head = json.loads((folder / HEAD).read_text())
    (folder / HEAD).write_text(json.dumps({**head, **fields}))


SPOILT = {
    "truncated": (lambda f: (f / TAPE).write_bytes((f / TAPE).read_bytes()[:5000]), "was changed since"),
    "no tape": (lambda f: (f / TAPE).unlink(), "No such file"),
    "other settings": (lambda f: (f / SETTINGS).write_text("[lane]"), "was changed since"),
    "other format": (lambda f: edit_head(f, format=2), "replay it with the tunnel-edge that made it"),
    "strange file": (
        lambda f: edit_head(f, ended={"because": "", "turns": 1, "items": 1, "sha256": {"../x": "0" * 64}}),
        "strange",
    ),
    "no item": (lambda f: edit_head(f, start={"id_prefix": 3}), "start.id_prefix"),
    "no head": (lambda f: (f / HEAD).write_text("{"), "no JSON"),
    "deep head": (lambda f: (f / HEAD).write_text("[" * 200_000), "no JSON"),
    "no folder": (lambda f: shutil.rmtree(f), "name a folder that"),
    "strange line": (lambda f: put_back(f, [*tape(f), b'{"instants_ns": ["x"]}\n']), "is no turn of a loop"),
    "strange message": (
        lambda f: put_back(f, [one.replace(b'"plc_ns":', b'"plc":') for one in tape(f)]),
        "breaks the protocol",
    ),
    "strange topic": (
        lambda f: put_back(f, [one.replace(b'"belt":', b'"felt":') for one in tape(f)]),
        "breaks the protocol",
    ),
    "backwards": (lambda f: put_back(f, tape(f)[::-1]), "run backwards"),
    "endless line": (lambda f: put_back(f, [b" " * (40 * 2**20)]), "is no turn of a loop"),
    "no reference": (lambda f: (f / JOURNAL).unlink(), "write one with --accept"),
    "strange reference": (lambda f: (f / JOURNAL).write_text('["x"]\n'), "lacks at_ns or record"),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_a_spoilt_recording_is_refused_with_what_to_do(capsys, day, kind):
    spoil, why = SPOILT[kind]
    spoil(day)
    code, said = replay(capsys, day)
    assert code == 1
    assert why in said
    assert "Traceback" not in said


def one_frame(folder):
    return sorted((folder / FRAMES).iterdir(), key=lambda path: path.stat().st_size)[-1]


FRAMES_SPOILT = {
    "missing": lambda path: path.unlink(),
    "another": lambda path: cv2.imwrite(str(path), np.zeros((9, 9, 3), np.uint8)),
    "none": lambda path: path.write_bytes(b""),
}


@pytest.mark.parametrize("kind", FRAMES_SPOILT)
def test_a_spoilt_picture_is_refused_when_it_is_looked_at(capsys, day, kind):
    FRAMES_SPOILT[kind](one_frame(day))
    assert replay(capsys, day)[0] == 0
    code, said = replay(capsys, day, "--inspect")
    assert code == 1
    assert "restore it from a copy, or record anew" in said


def test_a_picture_that_claims_to_be_huge_is_not_opened(capsys, day):
    path = one_frame(day)
    content = bytearray(path.read_bytes())
    content[16:24] = (60_000).to_bytes(4, "big") * 2
    sha256 = hashlib.sha256(content).hexdigest()
    (day / FRAMES / f"{sha256}.png").write_bytes(content)
    put_back(day, [line.replace(path.stem.encode(), sha256.encode()) for line in tape(day)])
    code, said = replay(capsys, day, "--inspect")
    assert code == 1
    assert "not the picture that was recorded" in said


def test_a_recording_that_was_cut_off_is_replayed_as_far_as_it_goes(capsys, day):
    edit_head(day, ended=None)
    (day / TAPE).write_bytes((day / TAPE).read_bytes()[:60_000])
    code, said = replay(capsys, day)
    assert (code, "--as-far-as-it-goes" in said) == (1, True)
    code, said = replay(capsys, day, "--as-far-as-it-goes")
    assert code == 0, said
    verdicts = len(told("day", "Verdict"))
    assert any(f": {count} verdicts" in said for count in range(1, verdicts))
