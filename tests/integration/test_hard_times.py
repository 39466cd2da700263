"""A daemon whose disk is full, or read-only, or whose clock is stepped: it decides in time, and loses nothing."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.demo.score import conservation
from edge.records.journal import entries
from edge.records.outbox import outbox
from tests.integration.test_daemon import Site, ended, items, operate, run_lane, state, wait_for

SMALL = "size=6m"  # of a disk: the ledger fits into it a few times


@pytest.fixture
def site(tmp_path, broker, endpoint):
    return Site(tmp_path, broker.port, endpoint)


@pytest.fixture
def disk(site):
    """A small disk of its own for the lane's state."""
    place = site.folder / "state"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", SMALL, "tmpfs", place], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", place], check=True)


def fill(disk):
    with (disk / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while filler.write(bytes(65_536)):
            pass


def test_a_full_disk_stops_no_decision_and_all_is_written_when_there_is_room_again(site, broker, disk):
    with site.daemon() as running:
        assert wait_for(lambda: "Execute" in state(broker))
        run_lane(site, broker, items(site.folder, 2))
        assert wait_for(lambda: len(ended(site)) == 2)
        fill(disk)
        run_lane(site, broker, items(site.folder, 4))
        assert wait_for(lambda: 'tunnel_items_ended_total{end="no_decision"} 6.0' in site.scraped())
        assert wait_for(lambda: "the journal could not keep" in site.log())
        assert "Execute" in state(broker)
        assert running.poll() is None
        (disk / "filler").unlink()
        assert wait_for(lambda: len(ended(site)) == 6)
        assert 'tunnel_records_dropped_total{desk="journal"} 0.0' in site.scraped()
        assert sum(dropped(site).values()) > 0
    assert "evidence is dropped: " in site.log()
    books = conservation(site.said())
    assert (books["inducted"], books["no_decision"], books["violations"]) == (6, 6, 0)


def dropped(site):
    """Pictures that could not be kept, by why."""
    found = re.findall(r'tunnel_evidence_dropped_total{why="(\w+)"} (\S+)', site.scraped())
    return {why: float(count) for why, count in found}


def preloaded(folder, name):
    """A library to be loaded into a process, from its source beside this."""
    library = folder / f"{name}.so"
    source = Path(__file__).with_name(f"{name}.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return str(library)


def test_a_slow_disk_costs_the_newest_evidence_and_no_decision(site, broker, tmp_path):
    planned = [replace(one, pictures={"top": large(site.folder, n)}) for n, one in enumerate(items(site.folder, 30))]
    with site.daemon({"LD_PRELOAD": preloaded(tmp_path, "slow_disk"), "SLOW_DISK_MS": "1000"}):
        assert wait_for(lambda: "Execute" in state(broker))
        run_lane(site, broker, planned)
        assert wait_for(lambda: len(ended(site)) == 30)
        assert dropped(site)["queue_full"] > 0
        assert 'tunnel_records_dropped_total{desk="journal"} 0.0' in site.scraped()
    assert "EvidenceKept" in [kind for kind, _ in site.said()]
    assert sum(kind == "Verdict" for kind, _ in site.said()) == 30
    assert (conservation(site.said())["inducted"], conservation(site.said())["violations"]) == (30, 0)


def large(folder, number):
    """A picture of which some dozen fill the queue of the evidence, unlike any other."""
    path = folder / f"large-{number}.png"
    cv2.imwrite(str(path), np.tile(np.arange(1600)[None, :, None] + number, (1600, 1, 3)).astype(np.uint8))
    return path


def test_a_disk_that_stays_full_holds_the_lane(site, broker, disk):
    site.config.write_text(site.config.read_text() + "\n[limits]\nunwritten_stop_s = 1\n")
    with site.daemon():
        assert wait_for(lambda: "Execute" in state(broker))
        fill(disk)
        run_lane(site, broker, items(site.folder, 2))
        assert wait_for(lambda: "nothing has been written to the ledger" in state(broker))
        assert "Held" in state(broker)
        (disk / "filler").unlink()
        assert wait_for(lambda: len(ended(site)) == 2)
        assert wait_for(lambda: "tunnel_ledger_unwritten_seconds 0.0" in site.scraped())
        operate("clear", site.config, "alarms", "--by", "Kim")
        assert wait_for(lambda: "Execute" in state(broker))


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_disk_that_cannot_be_written_is_told_before_a_lane_begins(site, broker, disk, command):
    (site.folder / "references").mkdir()
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    ran = operate(command, site.config)
    assert ran.returncode == 1
    assert f"{disk}: cannot be written" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.fixture(scope="module")
def stepped_clock(tmp_path_factory):
    """A library that steps the clock of the day of the process into which it is loaded."""
    return preloaded(tmp_path_factory.mktemp("clock"), "stepped_clock")


def test_a_clock_that_was_never_set_is_told(site, broker, stepped_clock):
    (site.folder / "references").mkdir()
    (site.folder / "clock").write_text(str(-int(time.time()) + 86_400))
    faked = {"LD_PRELOAD": stepped_clock, "STEPPED_CLOCK": str(site.folder / "clock")}
    words = [sys.executable, "-m", "edge", "check", str(site.config)]
    told = subprocess.run(words, env=os.environ | faked, capture_output=True, text=True, timeout=90, check=False)
    assert told.returncode != 0
    assert "this box's clock says 1970-01-02" in told.stderr
    assert "set the clock" in told.stderr


@pytest.mark.parametrize("step_s", [3600, -3600])
def test_a_step_of_the_clock_moves_no_decision(site, broker, stepped_clock, step_s):
    clock = site.folder / "clock"
    clock.write_text("0")
    faked = {"LD_PRELOAD": stepped_clock, "STEPPED_CLOCK": str(clock)}
    with site.daemon(faked):
        assert wait_for(lambda: "Execute" in state(broker))
        lane = threading.Thread(target=run_lane, args=(site, broker, items(site.folder, 12)))
        lane.start()
        assert wait_for(lambda: len(ended(site)) >= 2)
        clock.write_text(str(step_s))  # with items on the belt
        lane.join()
        assert wait_for(lambda: len(ended(site)) == 12)
        assert wait_for(lambda: len(outbox(site.folder / "state")) == 12)
    walls_ns = [wall_ns for wall_ns, kind, _, _ in entries(site.folder / "state") if kind == "ItemEnd"]
    assert walls_ns[-1] - walls_ns[0] == pytest.approx(step_s * 1e9, abs=300e9)  # it was stepped indeed
    assert conservation(site.said())["no_decision"] == 12
    assert [body for kind, body in site.said() if kind == "Alarm"] == []
