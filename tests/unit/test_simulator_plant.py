"""The lane's mechanics: each eye is crossed once, and the gate takes exactly what it should."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.simulator.events import AtGate, Event, Exposure, EyeEdge, Gone, Placed, Scanned
from edge.simulator.gate import Gate
from edge.simulator.plan import Geometry, Plan, PlannedItem
from edge.simulator.plant import Plant, place_items

MS = 1_000_000
SPEED_MM_PER_S = 500.0
COUNTS_PER_MM = 10.0
GEOMETRY = Geometry(
    counts_per_mm=COUNTS_PER_MM,
    camera_mm={"top": 400.0, "side": 500.0},
    gate_mm=1500.0,
    confirm_mm=1700.0,
    exit_mm=1750.0,
    gate_ms=80.0,
    scanner_mm=300.0,
)


def plant_with(*items: Placed) -> Plant:
    plant = Plant(GEOMETRY, SPEED_MM_PER_S, start_counts=0, start_ns=0)
    plant.load(items)
    return plant


def ns_at(counts: float) -> int:
    """When a belt that started at 0 shows `counts`."""
    return round(counts / (SPEED_MM_PER_S * COUNTS_PER_MM) * 1e9)


def run_through(plant: Plant, step_ms: float = 2.0) -> list[Event]:
    events, now_ns = [], 0
    while plant.on_belt:
        now_ns += round(step_ms * MS)
        events += plant.advance(now_ns)
    return events


def test_one_item_passes_everything_in_its_order() -> None:
    events = plant_with(Placed(0, 5000, 200.0)).advance(ns_at(60_000))
    seen = [
        (event.eye, event.edge.counts, event.edge.dark)
        if isinstance(event, EyeEdge)
        else (type(event).__name__, getattr(event, "counts", None))
        for event in events
    ]
    assert seen == [
        ("Scanned", 2000),
        ("induct", 5000, True),
        ("induct", 7000, False),
        ("Exposure", 10_000),
        ("Exposure", 11_000),
        ("AtGate", 20_000),
        ("exit", 22_500, True),
        ("exit", 24_500, False),
        ("Gone", None),
    ]


def test_an_exposure_tells_the_time_of_the_crossing_and_not_of_the_scan() -> None:
    events = plant_with(Placed(0, 5000, 200.0)).advance(ns_at(60_000))
    exposures = [event for event in events if isinstance(event, Exposure)]
    assert [(one.camera, one.exposed_ns) for one in exposures] == [("top", ns_at(10_000)), ("side", ns_at(11_000))]


@pytest.mark.parametrize(
    ("open_at", "close_at", "went"),
    [
        (None, None, "good"),
        (19_000, 21_000, "reject"),
        (19_590, 21_000, "reject"),  # 80 ms are 400 counts: just fully open at 20,000
        (19_610, 21_000, "good"),  # half open
        (20_010, 21_000, "good"),  # behind it
        (18_000, 19_990, "good"),  # closing already
        (18_000, 19_000, "good"),
    ],
)
def test_the_gate_takes_an_item_only_when_fully_open(open_at: int | None, close_at: int | None, went: str) -> None:
    plant = plant_with(Placed(0, 5000, 200.0))
    events: list[Event] = []
    orders = {open_at: plant.gate.open, close_at: plant.gate.close}
    for counts in range(0, 60_000, 10):
        events += plant.advance(ns_at(counts))
        orders.get(counts, lambda _now_ns: None)(ns_at(counts))
    assert [event.went for event in events if isinstance(event, AtGate)] == [went]
    last = [event for event in events if isinstance(event, EyeEdge)][-1]
    assert last.eye == ("confirm" if went == "reject" else "exit")


@pytest.mark.parametrize(
    ("at_ms", "openness"),
    [(0, 0.0), (10, 0.0), (50, 0.5), (90, 1.0), (500, 1.0)],
)
def test_a_gate_takes_its_time(at_ms: int, openness: float) -> None:
    gate = Gate(80 * MS)
    gate.open(10 * MS)
    assert gate.openness(at_ms * MS) == pytest.approx(openness)


def test_a_gate_turned_round_on_its_way_starts_from_where_it_is() -> None:
    gate = Gate(80 * MS)
    gate.open(0)
    gate.open(20 * MS)  # an order it follows already
    gate.close(40 * MS)
    assert gate.openness(40 * MS) == pytest.approx(0.5)
    assert gate.openness(60 * MS) == pytest.approx(0.25)
    assert gate.openness(200 * MS) == 0.0


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    lengths = draw(st.lists(st.floats(20, 300), min_size=1, max_size=12))
    items = tuple(PlannedItem(f"w-{n}", "1", f"o-{n}", length, {}) for n, length in enumerate(lengths))
    pace = draw(st.floats(20, 75))
    return Plan("s", "l", GEOMETRY, items, SPEED_MM_PER_S, pace, seed=draw(st.integers(0, 9)), start_counts=0)


@given(plans(), st.floats(1, 700), st.integers(0, 2**32))
def test_every_item_crosses_each_eye_of_its_way_once(plan: Plan, step_ms: float, bits: int) -> None:
    plant = plant_with(*place_items(plan, 0))
    if bits % 2:
        plant.gate.open(0)
    events = run_through(plant, step_ms)
    eyes = Counter((one.index, one.eye, one.edge.dark) for one in events if isinstance(one, EyeEdge))
    way = "confirm" if bits % 2 else "exit"
    assert eyes == Counter((n, eye, dark) for n in range(len(plan.items)) for eye in ("induct", way) for dark in (0, 1))
    for kind, times in ((Scanned, 1), (AtGate, 1), (Gone, 1), (Exposure, 2)):
        assert Counter(one.index for one in events if isinstance(one, kind)) == dict.fromkeys(
            range(len(plan.items)), times
        )


@given(plans(), st.floats(1, 700), st.floats(1, 700))
def test_what_is_latched_does_not_depend_on_how_often_the_plant_is_asked(plan: Plan, one: float, other: float) -> None:
    first = run_through(plant_with(*place_items(plan, 0)), one)
    second = run_through(plant_with(*place_items(plan, 0)), other)
    assert [_without_time(event) for event in first] == [_without_time(event) for event in second]


def _without_time(event: Event) -> object:
    return (event.index, event.camera, event.counts) if isinstance(event, Exposure) else event


@given(plans())
def test_edges_are_numbered_without_a_hole_and_alternate(plan: Plan) -> None:
    events = run_through(plant_with(*place_items(plan, 0)), 50)
    for eye in ("induct", "exit"):
        edges = [one.edge for one in events if isinstance(one, EyeEdge) and one.eye == eye]
        assert [edge.seq for edge in edges] == list(range(len(edges)))
        assert all(a.dark != b.dark and a.counts <= b.counts for a, b in pairwise(edges))


@given(plans(), st.data())
def test_a_window_around_one_item_takes_that_item_alone(plan: Plan, data: st.DataObject) -> None:
    placed = list(place_items(plan, 0))
    chosen = data.draw(st.sampled_from(placed))
    at_gate = chosen.lead_counts + GEOMETRY.gate_mm * COUNTS_PER_MM
    plant = plant_with(*placed)
    events = plant.advance(ns_at(at_gate - 401))
    plant.gate.open(ns_at(at_gate - 401))
    events += plant.advance(ns_at(at_gate + 10))
    plant.gate.close(ns_at(at_gate + 10))
    events += plant.advance(ns_at(10_000_000))
    assert [one.index for one in events if isinstance(one, AtGate) and one.went == "reject"] == [chosen.index]
    assert plant.on_belt == 0


@given(plans())
def test_items_keep_their_gap(plan: Plan) -> None:
    placed = list(place_items(plan, 0))
    gaps_mm = [(b.lead_counts - a.lead_counts) / COUNTS_PER_MM - a.length_mm for a, b in pairwise(placed)]
    assert all(gap_mm >= plan.gap_mm - 0.1 for gap_mm in gaps_mm)
    assert placed == list(place_items(plan, 0))
