"""What a run reports, and how its command refuses."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.messages import PhotoeyeEdge
from edge.simulator.events import AtGate, Event, EyeEdge, Gone
from edge.simulator.plan import Geometry, Plan, PlannedItem, write_plan
from edge.simulator.plant import Plant, place_items
from edge.simulator.plc import Program, Window, lead_counts_of
from edge.simulator.run import main
from edge.simulator.truth import Lateness, Truth, write_truth

MS = 1_000_000
GEOMETRY = Geometry(10.0, {"top": 400.0}, 1500.0, 1700.0, 1750.0, 80.0)


def plan_of(lengths_mm: list[float], seed: int = 0) -> Plan:
    items = tuple(PlannedItem(f"w-{n}", "1", f"o-{n}", length, {}) for n, length in enumerate(lengths_mm))
    return Plan("s", "l", GEOMETRY, items, 500.0, 75.0, seed=seed, start_counts=0)


@given(st.lists(st.tuples(st.floats(100, 260), st.booleans()), min_size=1, max_size=8), st.integers(0, 9))
def test_orders_divert_the_items_they_are_meant_for_and_no_other(items: list[tuple[float, bool]], seed: int) -> None:
    plan = plan_of([length for length, _ in items], seed)
    plant = Plant(plan.geometry, plan.speed_mm_per_s, 0, 0)
    program = Program(lead_counts_of(plan), "divert")
    placed = list(place_items(plan, 0))
    plant.load(placed)
    for one, (length_mm, bad) in zip(placed, items, strict=True):
        if bad:
            first, last = one.lead_counts + 14_700, one.lead_counts + round((1530 + length_mm) * 10)
            assert program.order(Window(f"c-{one.index}", "i", first, last), 0) == "accepted"
    truth = Truth(plan)
    for event in scanned(plant, program):
        truth.note(event)
    fields = truth.fields(program.accepted)
    assert [item["went"] for item in fields["items"]] == ["reject" if bad else "good" for _, bad in items]
    assert [bool(item["gate_window"]) for item in fields["items"]] == [bad for _, bad in items]
    assert fields["complete"]


def scanned(plant: Plant, program: Program) -> list[Event]:
    """The events of a plant under a PLC that scans every 4 ms."""
    events: list[Event] = []
    now_ns = 0
    while plant.on_belt:
        now_ns += 4 * MS
        events += plant.advance(now_ns)
        program.beat(now_ns)
        move = plant.gate.open if program.wants_open(now_ns, plant.counts) else plant.gate.close
        move(now_ns)
    return events


def test_an_item_that_was_stopped_on_its_way_went_nowhere(tmp_path: Path) -> None:
    truth = Truth(plan_of([200.0, 200.0, 200.0]))
    truth.note(EyeEdge(0, "induct", PhotoeyeEdge(1, 5000, dark=True)))
    truth.note(AtGate(0, 20_000, "reject"))
    truth.note(Gone(0))
    truth.note(EyeEdge(1, "induct", PhotoeyeEdge(3, 12_000, dark=True)))
    truth.note(AtGate(1, 27_000, "reject"))
    write_truth(tmp_path / "truth.json", truth.fields([Window("c", "i", 19_000, 21_000)]))
    read = json.loads((tmp_path / "truth.json").read_text())
    brief = [(one["leading_edge_counts"], one["gate_window"], one["went"]) for one in read["items"]]
    assert brief == [(5000, [19_000, 21_000], "reject"), (12_000, None, None), (None, None, None)]
    assert not read["complete"]


@pytest.mark.parametrize(
    ("late_ms", "p99_ms", "worst_ms"),
    [([], 0.0, 0.0), ([0.05], 0.1, 0.1), ([0.05] * 99 + [7.0], 0.1, 7.1), ([0.05] * 98 + [7.0] * 2, 7.1, 7.1)],
)
def test_lateness_is_told_by_its_quantiles(late_ms: list[float], p99_ms: float, worst_ms: float) -> None:
    lateness = Lateness()
    for late in late_ms:
        lateness.note(round(late * MS))
    assert lateness.fields() == {"scans": len(late_ms), "late_p99_ms": p99_ms, "late_worst_ms": worst_ms}


def arguments(tmp_path: Path, broker: str) -> list[str]:
    files = ["--plan", str(tmp_path / "plan.json"), "--truth", str(tmp_path / "truth.json")]
    return [*files, "--broker", broker, "--frames", "inproc://frames"]


def test_a_plan_that_is_not_there_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(tmp_path, "127.0.0.1:1")) == 2
    assert "plan.json: cannot be read" in capsys.readouterr().err


def test_a_broker_that_is_not_there_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_plan(tmp_path / "plan.json", plan_of([]))
    former = signal.getsignal(signal.SIGTERM)
    assert main(arguments(tmp_path, "127.0.0.1:1")) == 2
    assert "no MQTT broker" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) == former


@pytest.mark.parametrize("broker", ["", "here", ":1883", "here:", "here:mqtt", "here:65536"])
def test_a_broker_without_host_or_port_is_refused(
    tmp_path: Path, broker: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments(tmp_path, broker))
    assert "is not HOST:PORT" in capsys.readouterr().err
