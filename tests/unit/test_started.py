"""What a start of the daemon says of itself."""

import json

from edge.config import load
from edge.records.journal import Journal, last
from edge.settings import ROOT
from edge.started import changes, started, told, who


def config_of(folder, **changed):
    text = (ROOT / "docs" / "lane.toml").read_text().replace("/var/lib/tunnel-edge/lane1", str(folder))
    for old, new in changed.values():
        assert old in text
        text = text.replace(old, new)
    path = folder / "lane.toml"
    path.write_text(text)
    return load(path)


def test_a_start_says_what_has_changed_since_the_last(tmp_path):
    first = started(config_of(tmp_path), {"backbone": "1"}, "00", {})
    assert (first["changed"], first["version_before"], first["models"]) == ({}, None, {"backbone": "1"})
    journal = Journal(tmp_path)
    journal.append([("DaemonStarted", None, first)], [])
    journal.close()
    assert last(tmp_path, "DaemonStarted") == json.loads(json.dumps(first))
    again = started(config_of(tmp_path, lead=("lead_ms = 150", "lead_ms = 160")), {}, "00", {"belt.top": "expired"})
    assert again["changed"] == {"belt.lead_ms": [150, 160]}
    assert again["version_before"] == first["version"]
    assert again["settings_sha256"] != first["settings_sha256"]
    assert again["calibrations"] == [{"name": "belt.top", "refused": "expired"}]


def test_a_login_in_an_address_is_not_told(tmp_path):
    node = ('place_mm = 500\nnode = "tcp://127.0.0.1:5570"', 'place_mm = 500\nopencv = "rtsp://ann:secret@10.0.0.1/a"')
    said = json.dumps(told(config_of(tmp_path, node=node)))
    assert "secret" not in said
    assert "@10.0.0.1/a" in said


def test_keys_that_come_and_go_are_changes():
    before, now = {"a": {"b": 1, "c": [1]}, "d": 2, "e.f": 3}, {"a": {"b": 1, "c": [2]}, "g": {"h": 1}, "e.f": 4}
    assert changes(before, now) == {"a.c": [[1], [2]], "d": [2, None], "e.f": [3, 4], "g": [None, {"h": 1}]}


def test_somebody_started_it(monkeypatch):
    monkeypatch.setenv("SUDO_USER", "ann")
    monkeypatch.delenv("INVOCATION_ID", raising=False)
    assert who() == "ann"
    monkeypatch.setenv("INVOCATION_ID", "1")
    assert who() == "systemd"
