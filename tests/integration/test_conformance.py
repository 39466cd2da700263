"""The conformance suite against the reference PLC, which passes, and against wrong ones, which are caught."""

import json

import pytest

from edge.__main__ import main
from edge.broker import Address
from edge.conformance.suite import CASES
from edge.core.topics import HEARTBEAT
from edge.simulator.mqtt import Party
from tests.integration import plcs

ITEMS = ("--gate-counts", "10000", "--confirm-counts", "11000")


def conform(broker, tmp_path, *options):
    """The exit code and the results by case."""
    path = tmp_path / "outcomes.json"
    place = f"{broker.host}:{broker.port}"
    words = ["conformance", "--broker", place, "--site", "site", "--lane", "lane", "--json", str(path), *options]
    code = main(words)
    return code, {one["case"]: one for one in json.loads(path.read_text())}


def test_the_reference_plc_passes_every_case(broker, tmp_path):
    with plcs.running(broker, items=plcs.trickle(1000.0)):
        code, outcomes = conform(broker, tmp_path, *ITEMS)
    assert {name: (one["result"], one["came"]) for name, one in outcomes.items() if one["result"] != "PASS"} == {}
    assert list(outcomes) == [case.name for case in CASES]
    assert code == 0


@pytest.mark.parametrize(
    ("kind", "case", "came"),
    [
        (plcs.ObeysKept, "order-kept", "ack accepted; gate open outside of any window"),
        (plcs.ActsTwice, "order-twice", "ack accepted"),
        (plcs.ForgetsOrders, "order-twice", "gate open outside of any window"),
        (plcs.FiresLate, "order-late", "gate open outside of any window"),
        (plcs.OpensLate, "order-in-time", "belt messages within its window"),
        (plcs.OpensLate, "gate-eyes", "ms after its window began"),
        (plcs.TakesValveForSwitch, "gate-eyes", "was at the end of its way when it was driven there"),
        (plcs.TellsOneEnd, "gate-eyes", "eye gate told dark; dark, then light are due"),
        (plcs.LastOrderWins, "orders-out-of-order", "belt messages within its window"),
        (plcs.SaysNothing, "order-in-time", "0 answers to 1 orders"),
        (plcs.NeverMindsSilence, "heartbeat-half-open", "gate still on the pass side"),
        (plcs.NeverMindsSilence, "heartbeat-unplugged", "gate still on the pass side"),
        (plcs.BeatsToAnything, "heartbeat-malformed", "gate still on the pass side"),
        (plcs.BelievesTheBoxsClock, "clock-step", "gate open outside of any window"),
        (plcs.SpeaksSeldom, "belt-rate", " a second"),
        (plcs.WrongFlags, "flags", "belt came at QoS 1, 0 is agreed"),
        (plcs.CountsBackwards, "rulers", "counts fell"),
        (plcs.KeepsNoGuards, "guards-kept", "nobody who connects now hears"),
    ],
)
def test_a_wrong_plc_is_caught_and_told_what_to_mend(broker, tmp_path, kind, case, came):
    with plcs.running(broker, kind):
        code, outcomes = conform(broker, tmp_path, "--only", case)
    assert outcomes[case]["result"] == "FAIL"
    assert came in outcomes[case]["came"]
    assert outcomes[case]["mend"]
    assert code == 1


def test_a_plc_that_half_reads_orders_is_caught(broker, tmp_path):
    with plcs.running(broker, party=plcs.ReadsAnything):
        code, outcomes = conform(broker, tmp_path, "--only", "order-malformed", "order-oversized")
    assert [one["result"] for one in outcomes.values()] == ["FAIL", "FAIL"]
    assert code == 1


def test_edges_said_once_are_caught(broker, tmp_path):
    with plcs.running(broker, plcs.SaysEdgesOnce, plcs.trickle(600.0, first_mm=1500.0)):
        code, outcomes = conform(broker, tmp_path, "--only", "belt-rate", "order-in-time", "edges-repeated")
    assert "was said for 0.00 s" in outcomes["edges-repeated"]["came"]
    assert code == 1


def test_a_gate_that_sticks_is_seen_by_the_items(broker, tmp_path):
    with plcs.running(broker, items=plcs.trickle(600.0), gate=plcs.stuck()):
        code, outcomes = conform(broker, tmp_path, *ITEMS, "--only", "divert-confirmed")
    assert outcomes["divert-confirmed"]["came"] == "the confirm eye has not said that it saw the item"
    assert code == 1


def test_a_plc_without_the_gates_eyes_fails_nothing(broker, tmp_path):
    with plcs.running(broker, plcs.HidesSwitches):
        code, outcomes = conform(broker, tmp_path, "--only", "gate-eyes")
    assert outcomes["gate-eyes"]["result"] == "NOT TESTABLE"
    assert "optional eyes 'drive' and 'gate'" in outcomes["gate-eyes"]["came"]
    assert code == 0


def test_what_cannot_be_seen_is_not_testable_and_fails_nothing(broker, tmp_path):
    with plcs.running(broker, plcs.HidesGate):
        cases = ("order-late", "heartbeat-half-open", "divert-confirmed", "edges-repeated")
        code, outcomes = conform(broker, tmp_path, "--only", *cases)
    assert [one["result"] for one in outcomes.values()] == ["NOT TESTABLE"] * 4
    assert "does not say where its gate is" in outcomes["order-late"]["came"]
    assert code == 0


def test_a_belt_that_stands_reaches_no_window(broker, tmp_path):
    with plcs.running(broker, plan=plcs.plan_of(speed_mm_per_s=1e-6)):
        code, outcomes = conform(broker, tmp_path, "--only", "order-in-time", "guards-kept")
    assert [one["result"] for one in outcomes.values()] == ["NOT TESTABLE", "PASS"]
    assert code == 0


@pytest.mark.parametrize(("kind", "result"), [(plcs.Plc, "PASS"), (plcs.NeverMindsSilence, "FAIL")])
def test_a_lane_whose_safe_side_is_pass_is_seen_by_an_order_in_the_silence(broker, tmp_path, kind, result):
    with plcs.running(broker, kind, plan=plcs.plan_of(safe_side="pass")):
        _, outcomes = conform(broker, tmp_path, "--safe-side", "pass", "--only", "heartbeat-half-open")
    assert outcomes["heartbeat-half-open"]["result"] == result


def test_a_lane_without_a_plc_is_not_tested(broker, tmp_path, capsys):
    assert main(["conformance", "--broker", f"{broker.host}:{broker.port}"]) == 1
    assert "connect the PLC to this broker, or name its --site and --lane" in capsys.readouterr().err


def test_a_lane_with_a_box_at_work_is_left_alone(broker, capsys):
    with plcs.running(broker), Party("box", Address(broker.host, broker.port, "site", "lane")) as box:
        beating = plcs.every(0.1, lambda: box.publish(HEARTBEAT, {"turn": 1}))
        with beating:
            code = main(["conformance", "--broker", f"{broker.host}:{broker.port}", "--site", "site", "--lane", "lane"])
    assert code == 1
    assert "another box beats on lane lane" in capsys.readouterr().err


def test_without_a_broker_it_says_so(capsys):
    assert main(["conformance", "--broker", "127.0.0.1:1"]) == 1
    assert "no MQTT broker" in capsys.readouterr().err
