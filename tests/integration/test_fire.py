"""The gate is fired by the daemon on a real broker: journal, calibration, replay, and what ends a test."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack, contextmanager

import paho.mqtt.publish as mqtt_publish
import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from edge.calibrations import Shelf, read_key
from edge.core import topics
from edge.demo.score import conservation
from edge.settings import ROOT
from edge.signing import public
from edge.simulator.plc import lead_counts_of
from tests.integration import plcs
from tests.integration.test_daemon import WAIT_S, Site, ended, operate, state, wait_for

SLOW = plcs.plan_of(500.0)
TRIES = 4
NETWORK_MS = 80  # a real broker on a busy machine; the bench measures, here it is only held against nonsense


@pytest.fixture
def site(tmp_path, broker, endpoint):
    made = Site(tmp_path, broker.port, endpoint)
    patient = made.config.read_text().replace("[belt]", "[belt]\nstale_after_ms = 3000")  # of a busy machine
    made.config.write_text(patient)
    return made


@contextmanager
def lane(site, broker, kind=plcs.Plc, items=(), command=("run",)):
    """The daemon, and a PLC on a running belt, once both have heard of each other."""
    words = [sys.executable, "-m", "edge", command[0], str(site.config), *command[1:]]
    with ExitStack() as stack:
        stack.enter_context(plcs.running(broker, kind, items, SLOW))
        log = stack.enter_context((site.folder / "log").open("w"))
        daemon = stack.enter_context(subprocess.Popen(words, stderr=log))
        stack.callback(daemon.terminate)
        assert wait_for(lambda: "Execute" in state(broker))
        yield


def fire(site, times):
    return operate("fire", site.config, "--by", "Ada", "--times", times)


def calibrate(site, answers, *words):
    command = [sys.executable, "-m", "calibration", *map(str, words)]
    return subprocess.run(
        command, cwd=site.folder, input=answers, capture_output=True, text=True, timeout=WAIT_S, check=False
    )


def gate(site, answers):
    folder = site.folder / "calibrations"
    return calibrate(site, answers, "gate", site.config, "--folder", folder, "--by", "Ada", "--key", "ada.pem")


def kinds(site, *wanted):
    return [body for kind, body in site.said() if kind in wanted]


@pytest.mark.timeout(600)
def test_fired_measured_accepted_and_replayed(site, broker, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    recording = site.folder / "recording"
    assert calibrate(site, "", "key", "ada.pem").returncode == 0
    with lane(site, broker, command=("record", "--out", str(recording))):
        told, accepted = fired_well(site)
    assert "fired: 15 shots, " in told.stdout
    test = kinds(site, "FireResult")[-1]["test"]
    shots = [one for one in kinds(site, "FireShot") if one["test"] == test]
    assert len(shots) == 15
    assert not kinds(site, "DivertOutcome", "ItemEnd")
    assert {one["kind"] for one in kinds(site, "Alarm")} <= {"camera", "stale"}
    assert conservation(site.said())["violations"] == 0
    assert {one["command_id"] for one in shots} <= {one["command_id"] for one in kinds(site, "DivertCommand")}

    assert "kept as gate, version 1" in accepted.stdout
    assert gate(site, "adjust\nabort\n").returncode == 1
    kept = shelf(site).newest("gate")
    assert kept.version == 1
    plc_ms = lead_counts_of(SLOW) / SLOW.geometry.counts_per_mm / SLOW.speed_mm_per_s * 1000
    assert plc_ms - 5 < kept.values["lead_ms"] < plc_ms + NETWORK_MS
    assert SLOW.geometry.gate_ms - 5 < kept.quality["travel_mean_ms"] < SLOW.geometry.gate_ms + 20
    assert kept.values["lead_ms"] >= kept.values["network_ms"] + kept.values["travel_ms"] - 0.01
    assert len(kept.frames) == 15

    replayed = operate("replay", recording)
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert "FireShot" in (recording / "journal.jsonl").read_text()


def fired_well(site):
    """What fire and gate said, once both were content: on a busy machine the PLC in software may stand still."""
    for _ in range(TRIES):
        told = fire(site, 15)
        accepted = gate(site, "accept\n")
        if accepted.returncode == 0:
            return told, accepted
        assert shelf(site).names() == []
    return pytest.fail(told.stdout + told.stderr + accepted.stdout + accepted.stderr)


def shelf(site):
    return Shelf(site.folder / "calibrations", {public(read_key(site.folder / "ada.pem"))})


def test_an_item_that_comes_ends_the_test_and_goes_where_it_should(site, broker):
    items = plcs.trickle(1000.0, count=5, first_mm=8000.0)  # one is there until the next has come
    with lane(site, broker, items=items):
        told = fire(site, 60)
        assert told.returncode == 1
        assert "aborted: items on the belt: 1: let them leave" in told.stdout
        again = fire(site, 3)
        assert "refused: items on the belt" in again.stdout
        assert wait_for(lambda: len(ended(site)) == len(items))
        assert fire(site, 1).returncode == 0  # the belt is empty again
    assert ended(site) == ["no_decision"] * len(items)
    assert [one["result"] for one in kinds(site, "DivertOutcome")] == ["confirmed"] * len(items)
    assert calibrate(site, "", "key", "ada.pem").returncode == 0
    told = gate(site, "abort\n")
    assert told.returncode == 1
    assert "1 shots of use, 15 are needed" in told.stdout


def test_a_guard_in_alarm_refuses_the_test(site, broker):
    alarm = json.dumps({"schema": 1, "seq": 900, "alarm": ["air_low"]}).encode()
    with lane(site, broker):
        path = topics.GUARD.under("site", "lane")
        mqtt_publish.single(path, alarm, 1, True, broker.host, broker.port, protocol=MQTTProtocolVersion.MQTTv5)
        assert wait_for(lambda: "Held" in state(broker))
        told = fire(site, 5)
        assert wait_for(lambda: 'tunnel_fire_tests_total{outcome="refused"} 1.0' in site.scraped())
    assert told.returncode == 1
    assert "refused: guard air_low is in alarm: see to it first" in told.stdout
    assert not kinds(site, "FireShot", "DivertCommand")


def test_a_plc_without_the_eyes_is_told_what_to_wire(site, broker):
    with lane(site, broker, plcs.HidesSwitches):
        told = fire(site, 5)
    assert told.returncode == 1
    assert "aborted: no edge of the eyes `drive` and `gate` came: wire them to the PLC" in told.stdout
    assert len(kinds(site, "FireShot")) == 1
    assert calibrate(site, "", "key", "ada.pem").returncode == 0
    assert "the last fire test was aborted: no edge" in gate(site, "abort\n").stdout
