"""The gate fired on a virtual lane: its eyes tell what it does, its lead is found, an outage ends the test."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from bench.gate import ASKED_MS, NETWORKS, GateLane, Wandering, _scenario, measured
from edge.core.gate_lead import gate_lead
from edge.simulator.gate import Gate, Switches
from edge.simulator.scenario import Fault, Kind

MS = 1_000_000
A_SWITCH, *_ = NETWORKS


def looked(gate, switches, side, at_ms):
    return [(one.eye, one.edge.seq, one.edge.dark) for one in switches.look(gate, side, at_ms * MS, at_ms)]


def test_switches_tell_each_end_once_and_nothing_on_the_way():
    gate, switches = Gate(60 * MS), Switches()
    assert looked(gate, switches, "pass", 0) == []
    gate.open(0)
    assert gate.arrives_ns == 60 * MS
    assert looked(gate, switches, "divert", 0) == [("drive", 0, True)]
    assert looked(gate, switches, "divert", 59) == []
    assert looked(gate, switches, "divert", 60) == [("gate", 0, True)]
    gate.close(100 * MS)
    assert looked(gate, switches, "pass", 100) == [("drive", 1, False)]
    assert looked(gate, switches, "pass", 130) == []
    gate.open(130 * MS)  # turned round half-way: it never was on the pass side
    assert looked(gate, switches, "divert", 130) == [("drive", 2, True)]
    assert looked(gate, switches, "divert", 160) == []
    gate.close(160 * MS)
    assert looked(gate, switches, "pass", 160) == [("drive", 3, False)]
    assert looked(gate, switches, "pass", 220) == [("gate", 1, False)]


def lane_of(faults=(), eyes=True):
    scenario = _scenario(A_SWITCH, 90.0, 400.0)
    scenario = replace(scenario, lane=replace(scenario.lane, gate_eyes=eyes), fault=faults)
    gate = Gate(90.0 * MS)
    lane = GateLane(scenario, gate, 1)
    lane.pass_time(5.0)
    return lane


def test_a_gate_of_known_time_is_found():
    shots = lane_of().fire(20)
    found = gate_lead(shots, 10.0, 30.0)
    assert found.travel_mean_ms == pytest.approx(90, abs=2.5)  # and a scan of the PLC
    assert found.back_mean_ms == pytest.approx(90, abs=2.5)
    assert all(one.sent_ns < after.sent_ns for one, after in pairwise(shots))


def test_the_lead_is_that_of_the_simulators_truth():
    one = measured(2, more_times=20)
    assert one.found, one.refused
    assert abs(one.error_ms) <= ASKED_MS


def test_a_lane_without_the_eyes_says_nothing_of_its_gate():
    lane = lane_of(eyes=False)
    (shot,) = lane.fire(20)
    assert (shot.status, shot.driven_counts, shot.over_counts) == ("accepted", None, None)
    assert "wire them" in lane.noted[-1].results[-1].because


def test_an_outage_ends_the_test():
    lane = lane_of(faults=(Fault(Kind.PARTITION, (12.0, 12.0), (1.0, 1.0)),))
    assert len(lane.fire(20)) < 10
    assert lane.noted[-1].results[-1].because == "the PLC is silent: see to its connection"


def test_a_wandering_gate_takes_what_it_says():

    gate = Wandering(100.0, 0.0, 1.5, random.Random(1))
    gate.open(0)
    assert gate.arrives_ns == 100 * MS
    gate.close(200 * MS)
    assert gate.arrives_ns == 350 * MS
    assert gate.took_ms == [100.0]
