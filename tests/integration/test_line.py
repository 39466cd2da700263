"""The daemon's own loop on a virtual lane in which things go wrong: nothing is lost, danger ends in time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.line import main, measure
from edge.simulator.scenario import names, shipped

ITEMS = 50
HEARTBEAT_SAFE_MS = 1100  # the PLC waits a second for a heartbeat, then the gate needs its 60 ms
STALE_SAFE_MS = 540  # half a second of silence, then a stop is asked for


def board(name: str, items: int = ITEMS, seed: int = 3) -> dict[str, Any]:
    return measure(shipped(name), items, seed)


@pytest.mark.parametrize("name", names())
def test_no_item_is_lost_whatever_goes_wrong(name: str) -> None:
    measured = board(name)
    assert measured["items"] == ITEMS
    assert measured["violations"] == {}, measured["examples"]


def test_a_plc_that_counts_anew_gives_no_item_the_order_of_an_earlier_one() -> None:
    assert board("plc_restarted", 300, seed=1)["violations"] == {}


def test_a_good_day_is_without_fault() -> None:
    measured = board("nominal", 300)
    faults = ("missed_divert_ppm", "wrong_item_ppm", "false_divert_ppm", "no_decision_share", "deadline_misses")
    assert {name: measured[name] for name in faults} == dict.fromkeys(faults, 0)
    assert measured["escapes"] == measured["stops"] == 0


def test_an_inspector_that_is_too_slow_costs_decisions_but_lets_nothing_through() -> None:
    measured = board("overload", 200)
    assert measured["no_decision_share"] > 0.3
    assert measured["escapes"] == measured["missed_divert_ppm"] == measured["deadline_misses"] == 0


@pytest.mark.parametrize("name", ["duplicates", "reordering", "delays", "clock_step", "belt_stop", "slip_resync"])
def test_what_must_simply_be_survived_moves_no_gate_wrongly(name: str) -> None:
    measured = board(name)
    assert measured["wrong_item_ppm"] == measured["missed_divert_ppm"] == measured["escapes"] == 0


@pytest.mark.parametrize(
    ("name", "fault", "within_ms"),
    [
        ("daemon_killed", "daemon_killed", HEARTBEAT_SAFE_MS),
        ("broker_down", "broker_down", HEARTBEAT_SAFE_MS),
        ("half_open_mute", "mute", HEARTBEAT_SAFE_MS),
        ("partition", "partition", HEARTBEAT_SAFE_MS),
        ("encoder_dropout", "encoder_dropout", STALE_SAFE_MS),
        ("half_open_deaf", "deaf", STALE_SAFE_MS),
    ],
)
def test_what_falls_silent_makes_the_lane_safe_in_time(name: str, fault: str, within_ms: float) -> None:
    assert 0 < board(name)["time_to_safe_ms"][fault] <= within_ms


def test_the_same_seed_gives_the_same_run() -> None:
    first, second, other = (board("everything", 40, seed) for seed in (5, 5, 6))
    for measured in (first, second, other):
        del measured["items_per_s"]
    assert first == second
    assert first["latency_ms"] != other["latency_ms"]


def test_the_command_writes_what_it_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "line.json"
    assert main(["--scenario", "nominal", "--items", "20", "--json", str(path)]) == 0
    (measured,) = json.loads(path.read_text())
    assert {"scenario", "items", "conservation_violations", "latency_ms", "time_to_safe_ms", "escapes"} <= set(measured)
    assert "nominal" in capsys.readouterr().out
