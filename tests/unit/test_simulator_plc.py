"""The PLC's program: which orders it takes, and where it wants the gate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from edge.core import topics
from edge.core.messages import PhotoeyeEdge
from edge.simulator.events import EyeEdge
from edge.simulator.gate import Gate
from edge.simulator.mqtt import Received
from edge.simulator.plan import Geometry, Plan, Side
from edge.simulator.plc import HEARTBEAT_NS, REPEAT_NS, Plc, Program, Spoken, Window

LEAD_COUNTS = 410
WINDOW = Window("c-1", "i-1", 20_000, 22_000)


def program(safe_side: Side = "divert") -> Program:
    """A program whose box has just been heard."""
    made = Program(LEAD_COUNTS, safe_side)
    made.beat(0)
    return made


@pytest.mark.parametrize(
    ("window", "counts", "status"),
    [
        (WINDOW, 10_000, "accepted"),
        (WINDOW, 19_590, "accepted"),  # just in time
        (WINDOW, 19_591, "late"),  # the gate would still be moving at 20,000
        (WINDOW, 20_500, "late"),
        (WINDOW, 30_000, "late"),
        (Window("c-1", "i-1", 20_000, 20_000), 10_000, "unknown"),
        (Window("c-1", "i-1", 20_000, 19_000), 10_000, "unknown"),
    ],
)
def test_an_order_is_taken_only_while_the_gate_can_be_open_in_time(window: Window, counts: int, status: str) -> None:
    made = program()
    assert made.order(window, counts) == status
    assert made.accepted == ([window] if status == "accepted" else [])


def test_an_order_said_twice_is_one_order_even_after_its_window() -> None:
    made = program()
    answers = [made.order(WINDOW, counts) for counts in (10_000, 10_100, 21_000, 90_000)]
    assert answers == ["accepted", "duplicate", "duplicate", "duplicate"]
    assert made.accepted == [WINDOW]


def test_an_order_that_came_late_stays_late() -> None:
    made = program()
    assert [made.order(WINDOW, 20_000) for _ in range(2)] == ["late", "late"]


@pytest.mark.parametrize(
    ("counts", "wanted"),
    [
        (10_000, False),
        (19_589, False),
        (19_590, True),
        (20_000, True),
        (21_999, True),
        (22_000, False),
        (30_000, False),
    ],
)
def test_the_gate_is_set_off_so_early_that_it_stands_open_in_the_window(counts: int, wanted: bool) -> None:
    made = program()
    made.order(WINDOW, 10_000)
    assert made.wants_open(0, counts) == wanted


def test_two_windows_that_touch_keep_the_gate_open() -> None:
    made = program()
    made.order(WINDOW, 10_000)
    made.order(Window("c-2", "i-2", 22_300, 24_000), 10_000)
    assert all(made.wants_open(0, counts) for counts in range(19_590, 24_000, 10))
    assert not made.wants_open(0, 24_000)


@pytest.mark.parametrize(
    ("safe_side", "silent_ns", "wanted"),
    [
        ("divert", HEARTBEAT_NS, False),
        ("divert", HEARTBEAT_NS + 1, True),
        ("pass", HEARTBEAT_NS, False),
        ("pass", HEARTBEAT_NS + 1, False),
    ],
)
def test_without_a_heartbeat_the_gate_goes_to_the_safe_side(safe_side: Side, silent_ns: int, wanted: bool) -> None:
    assert program(safe_side).wants_open(silent_ns, 0) == wanted


def test_the_safe_side_outranks_an_order() -> None:
    made = program("pass")
    made.order(WINDOW, 10_000)
    assert made.wants_open(HEARTBEAT_NS, 21_000)
    assert not made.wants_open(HEARTBEAT_NS + 1, 21_000)


def test_the_gate_is_born_safe_and_comes_back_with_the_heartbeat() -> None:
    made = Program(LEAD_COUNTS, "divert")
    assert made.wants_open(5, 0)
    made.beat(10)
    assert not made.wants_open(20, 0)


class Post:
    """A line to a broker, with both ends in the test's hand."""

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()
        self.connections = 1
        self.said: list[tuple[topics.Topic, Mapping[str, Any]]] = []
        self.to_plc: list[Received] = []

    def publish(self, topic: topics.Topic, fields: Mapping[str, Any]) -> None:
        self.said.append((topic, fields))

    def received(self) -> list[Received]:
        waiting, self.to_plc = self.to_plc, []
        return waiting

    def of(self, topic: topics.Topic) -> list[Mapping[str, Any]]:
        return [fields for said, fields in self.said if said is topic]


MS = 1_000_000
START_NS = 77 * MS
EDGE = EyeEdge(0, "induct", PhotoeyeEdge(1, 5000, dark=True))


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def plc(post: Post) -> Plc:
    geometry = Geometry(10.0, {}, 1500.0, 1700.0, 1750.0, 80.0)
    return Plc(Plan("s", "l", geometry, (), 500.0, 60.0), post, Gate(80 * MS), START_NS)  # type: ignore[arg-type]


def test_the_belt_is_told_fifty_times_a_second_by_the_plcs_own_clock(plc: Plc, post: Post) -> None:
    for ms in range(0, 1000, 2):
        plc.scan(START_NS + ms * MS, 1000 + 5 * ms, [])
    told = post.of(topics.BELT)
    assert [fields["plc_ns"] // MS for fields in told] == list(range(0, 1000, 20))
    assert [fields["counts"] for fields in told] == list(range(1000, 6000, 100))


def test_scans_that_were_missed_are_not_made_up_for(plc: Plc, post: Post) -> None:
    for ms in (0, 500, 502, 504, 506):
        plc.scan(START_NS + ms * MS, 0, [])
    assert len(post.of(topics.BELT)) == 3  # at 0, at 500, and the one that was due on the grid


def test_an_edge_is_repeated_for_three_seconds(plc: Plc, post: Post) -> None:
    plc.scan(START_NS, 0, [EDGE])
    for ms in range(20, 3400, 20):
        plc.scan(START_NS + ms * MS, 0, [])
    repeated = [bool(fields["edges"]) for fields in post.of(topics.BELT)]
    assert repeated == [True] * 151 + [False] * 19
    once = {"eye": "induct", "seq": 1, "counts": 5000, "dark": True}
    assert post.of(topics.CONFIRM) == [{"edges": [once], "boot": 77}]  # and once for certain, for a longer silence


def test_edges_of_every_eye_are_told_at_once_and_never_more_than_a_message_holds(plc: Plc, post: Post) -> None:
    edges = [EyeEdge(0, eye, PhotoeyeEdge(4, 9000, dark=False)) for eye in ("confirm", "exit")]
    plc.scan(START_NS, 0, edges)
    told = [{"eye": eye, "seq": 4, "counts": 9000, "dark": False} for eye in ("confirm", "exit")]
    assert post.of(topics.CONFIRM) == [{"edges": told, "boot": 77}]
    assert post.of(topics.BELT)[-1]["edges"] == told
    for ms in range(20, 2000, 20):
        plc.scan(START_NS + ms * MS, 0, edges)
    assert max(len(fields["edges"]) for fields in post.of(topics.BELT)) == topics.MAX_LIST


def test_guards_are_told_once_for_each_connection(plc: Plc, post: Post) -> None:
    for connections in (1, 1, 2, 2):
        post.connections = connections
        plc.scan(START_NS, 0, [])
    assert post.of(topics.GUARD) == [{"alarm": []}] * 2


def test_a_stop_request_is_kept_with_its_reason(plc: Plc, post: Post) -> None:
    post.to_plc = [Received(topics.LINE_STOP, {"why": "divert missed"}, retained=False)]
    plc.scan(START_NS, 0, [])
    assert plc.stop_requests == ["divert missed"]


@pytest.mark.parametrize("topic", [topics.COMMAND, topics.HEARTBEAT, topics.LINE_STOP])
def test_whatever_was_kept_by_the_broker_is_refused(plc: Plc, post: Post, topic: topics.Topic) -> None:
    post.to_plc = [Received(topic, {}, retained=True)]
    plc.scan(START_NS, 0, [])
    assert plc.refused == {"retained": 1}
    assert not plc.program.alive(START_NS)


def test_a_box_that_is_back_from_a_silence_is_told_the_last_edges_again() -> None:
    spoken, edge = Spoken(), {"eye": "induct", "seq": 0, "counts": 5000, "dark": True}
    spoken.note(0, edge)
    assert spoken.due(REPEAT_NS) == spoken.since(-1) == [edge]
    assert spoken.since(0) == []
    assert spoken.due(REPEAT_NS + 1) == []
    spoken.again(2 * REPEAT_NS)
    assert spoken.due(3 * REPEAT_NS) == [edge]


def test_the_first_heartbeat_after_a_silence_has_the_edges_told_again(plc: Plc, post: Post) -> None:
    plc.scan(START_NS, 0, [EDGE])
    late_ns = START_NS + 2 * REPEAT_NS
    plc.scan(late_ns, 0, [])
    post.to_plc = [Received(topics.HEARTBEAT, {"turn": 1}, retained=False)]
    plc.scan(late_ns + 20 * MS, 0, [])
    assert [len(fields["edges"]) for fields in post.of(topics.BELT)] == [1, 0, 1]
