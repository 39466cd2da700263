"""A lane that is recorded runs as ever; the recording says what the journal says, and ends without the lane."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import get_args

import pytest

from edge.__main__ import main
from edge.core.ports import Record
from edge.recording.lines import HEAD, JOURNAL, TAPE
from edge.recording.reference import CAME_IN, read
from tests.integration.test_daemon import WAIT_S, Site, ended, items, run_lane, wait_for


@pytest.fixture
def site(tmp_path, broker, endpoint):
    return Site(tmp_path, broker.port, endpoint)


@contextmanager
def recorded(site, *words):
    command = [sys.executable, "-m", "edge", "record", str(site.config), "--out", str(site.folder / "kept"), *words]
    with (site.folder / "log").open("w") as log, subprocess.Popen(command, stderr=log) as running:
        try:
            yield running
        finally:
            running.terminate()
            running.wait(WAIT_S)


def head(site):
    return json.loads((site.folder / "kept" / HEAD).read_text())


def journalled(site, began_ns):
    """What the loop decided by the lane's own journal, as a reference would say it."""
    decided = {one.__name__ for one in get_args(Record)} - {one.__name__ for one in CAME_IN}
    for kind, body in site.said():
        if kind in decided:
            since = {n: v - began_ns if n.endswith("_ns") and v is not None else v for n, v in body.items()}
            yield {"record": kind, **since}


def test_the_recording_says_what_the_journal_says_and_replays_to_the_same(site, broker, capsys):
    with recorded(site) as running:
        run_lane(site, broker, items(site.folder, 4))
    assert running.returncode == 0
    told = [one for one in read(site.folder / "kept" / JOURNAL) if one["record"] not in ("Announced", "Silenced")]
    kept = [{name: value for name, value in one.items() if name != "at_ns"} for one in told]
    assert kept == list(journalled(site, head(site)["start"]["began_ns"]))
    assert head(site)["ended"]["items"] == 4
    assert "the daemon was told to stop" in head(site)["ended"]["because"]
    assert main(["replay", str(site.folder / "kept")]) == 0
    assert "4 verdicts" in capsys.readouterr().out


def test_the_recording_ends_as_asked_and_the_lane_runs_on(site, broker):
    with recorded(site, "--items", "2"):
        run_lane(site, broker, items(site.folder, 5))
        assert wait_for(lambda: "the recording has ended: 2 items, as asked" in site.log())
        assert head(site)["ended"]["items"] == 2
        assert wait_for(lambda: len(ended(site)) == 5)
    assert main(["replay", str(site.folder / "kept")]) == 0


@pytest.mark.parametrize(
    ("words", "why"), [(["--seconds", "0.5"], "0.5 s, as asked"), (["--most-mb", "0"], "0 MB are full")]
)
def test_bounds(site, broker, words, why):
    with recorded(site, *words) as running:
        assert wait_for(lambda: f"the recording has ended: {why}" in site.log())
        assert running.poll() is None
    assert main(["replay", str(site.folder / "kept")]) == 0


def test_a_daemon_that_was_killed_leaves_what_can_be_replayed(site, broker, capsys):
    with recorded(site) as running:
        run_lane(site, broker, items(site.folder, 4))
        running.kill()
    assert head(site)["ended"] is None
    assert main(["replay", str(site.folder / "kept")]) == 1
    assert "--as-far-as-it-goes" in capsys.readouterr().err
    assert main(["replay", str(site.folder / "kept"), "--as-far-as-it-goes"]) == 0
    assert "verdicts" in capsys.readouterr().out


def test_a_folder_that_holds_something_is_refused_before_the_lane_is_started(site):
    (site.folder / "kept").mkdir()
    (site.folder / "kept" / TAPE).write_bytes(b"dear to somebody")
    with recorded(site) as running:
        assert running.wait(WAIT_S) == 1
    assert "there is something in it already: name a new folder" in site.log()
    assert not (site.folder / "state").exists()
    assert (site.folder / "kept" / TAPE).read_bytes() == b"dear to somebody"
