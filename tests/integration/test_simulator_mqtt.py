"""The lane in software over a real broker, against a box of the test's own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
import zmq

from edge.broker import Address
from edge.core import topics
from edge.core.errors import BrokerUnreachable, ConfigError, LaneNotReady
from edge.core.frames import decode_frame
from edge.simulator import plc
from edge.simulator.gate import Gate
from edge.simulator.mqtt import Party, Received
from edge.simulator.plan import Geometry, Plan, PlannedItem, write_plan
from edge.simulator.plc import Plc
from edge.simulator.run import Patience, simulate

if TYPE_CHECKING:
    from tests.integration.conftest import Broker

MS = 1_000_000
WAIT_S = 10.0
HEARD = (topics.BELT, topics.CONFIRM, topics.INDUCT, topics.ACK, topics.GUARD, topics.REPLACEMENT_ACK)
GEOMETRY = Geometry(
    counts_per_mm=10.0,
    camera_mm={"top": 200.0, "side": 250.0},
    gate_mm=800.0,
    confirm_mm=900.0,
    exit_mm=950.0,
    gate_ms=60.0,
    scanner_mm=150.0,
)


def address_of(broker: Broker) -> Address:
    return Address(broker.host, broker.port, "site", "lane")


def plan_of(*items: PlannedItem) -> Plan:
    return Plan("site", "lane", GEOMETRY, items, speed_mm_per_s=1000.0, items_per_minute=120.0, start_counts=5000)


def items_with_pictures(folder: Path, count: int) -> tuple[PlannedItem, ...]:
    picture = folder / "picture.png"
    cv2.imwrite(str(picture), np.full((54, 96, 3), 127, np.uint8))
    pictures = {"top": picture, "side": picture}
    return tuple(PlannedItem(f"w-{n}", "04012345678901", f"o-{n}", 120.0, pictures) for n in range(count))


class Box:
    """As much of a box as the lane needs: it is ready, beats, and keeps what it hears."""

    def __init__(self, party: Party) -> None:
        self.heard: list[Received] = []
        self._party = party

    def say(self, topic: topics.Topic, **fields: Any) -> None:
        self._party.publish(topic, fields)

    def order(self, name: str, open_counts: int, close_counts: int) -> None:
        self.say(
            topics.COMMAND, command=name, item="i", open_counts=open_counts, close_counts=close_counts, reason="test"
        )

    def listen(self) -> list[Received]:
        fresh = self._party.received()
        self.heard += fresh
        return fresh

    def said(self, topic: topics.Topic) -> list[Received]:
        self.listen()
        return [message for message in self.heard if message.topic is topic]


@pytest.fixture
def box(broker: Broker) -> Iterator[Box]:
    with Party("box", address_of(broker), HEARD) as party:
        yield Box(party)


class Bench:
    """A PLC whose belt stands where the test says."""

    def __init__(self, party: Party) -> None:
        self.counts = 0
        self.now_ns = 0
        self.gate = Gate(GEOMETRY.gate_ms * MS)
        self.plc = Plc(plan_of(), party, self.gate, 0)

    def scan_until(self, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_S
        while not happened():
            assert time.monotonic() < deadline, "waited in vain"
            self.scan()

    def scan(self) -> None:
        time.sleep(0.002)
        self.plc.scan(self.now_ns, self.counts, [])


@pytest.fixture
def bench(broker: Broker) -> Iterator[Bench]:
    with Party("plc", address_of(broker), plc.TOPICS) as party:
        yield Bench(party)


def answers(box: Box) -> list[tuple[str, str]]:
    return [(message.fields["command"], message.fields["status"]) for message in box.said(topics.ACK)]


def test_the_plc_answers_each_order(bench: Bench, box: Box) -> None:
    bench.counts = 10_000
    box.order("good", 20_000, 22_000)
    box.order("good", 20_000, 22_000)
    box.order("late", 10_100, 12_000)
    box.order("empty", 20_000, 20_000)
    bench.scan_until(lambda: len(answers(box)) == 4)
    assert answers(box) == [("good", "accepted"), ("good", "duplicate"), ("late", "late"), ("empty", "unknown")]


def test_an_order_sent_to_be_kept_is_refused_now_and_after_a_reconnect(broker: Broker, box: Box) -> None:
    kept = replace(topics.COMMAND, retained=True)
    with Party("plc", address_of(broker), plc.TOPICS) as party:
        bench = Bench(party)
        box.say(kept, command="kept", item="i", open_counts=20_000, close_counts=22_000, reason="test")
        bench.scan_until(lambda: bench.plc.refused.get("retained") == 1)
    with Party("plc", address_of(broker), plc.TOPICS) as party:
        again = Bench(party)
        again.scan_until(lambda: again.plc.refused.get("retained") == 1)
        assert not again.plc.program.accepted
    assert answers(box) == []


def test_a_malformed_order_is_counted_and_nothing_stops(bench: Bench, box: Box) -> None:
    box.say(topics.COMMAND, command="c")
    box.order("good", 20_000, 22_000)
    bench.scan_until(lambda: answers(box) == [("good", "accepted")])
    assert bench.plc.refused == {"field": 1}


def test_a_lost_heartbeat_opens_the_gate_and_its_return_closes_it(bench: Bench, box: Box) -> None:
    def after(ms: int) -> float:
        bench.now_ns += ms * MS
        bench.scan()
        return bench.gate.openness(bench.now_ns)

    box.say(topics.HEARTBEAT, turn=1)
    bench.scan_until(lambda: bench.plc.program.alive(bench.now_ns))
    assert after(900) == 0.0
    after(200)
    assert after(60) == 1.0
    box.say(topics.HEARTBEAT, turn=2)
    bench.scan_until(lambda: bench.plc.program.alive(bench.now_ns))
    assert after(60) == 0.0


def test_guards_are_kept_for_a_box_that_comes_later(broker: Broker, bench: Bench) -> None:
    bench.scan()
    with Party("late-box", address_of(broker), [topics.GUARD]) as party:
        box = Box(party)
        bench.scan_until(lambda: bool(box.said(topics.GUARD)))
    assert box.heard[0].fields["alarm"] == []


def test_a_broker_that_was_started_anew_hears_of_the_guards_again(broker: Broker, bench: Bench) -> None:
    bench.scan()
    broker.stop()
    broker.start()
    with Party("late-box", address_of(broker), [topics.GUARD]) as party:
        box = Box(party)
        bench.scan_until(lambda: bool(box.said(topics.GUARD)))


@contextmanager
def running(*arguments: Any, **settings: Any) -> Iterator[threading.Thread]:
    """The lane on a thread of its own; its failure is the test's."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            simulate(*arguments, **settings)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield thread
    thread.join(30)
    assert not thread.is_alive()
    assert failures == []


def divert(box: Box, wanted: set[str], reckoned: dict[str, int]) -> None:
    """Order the gate for each item that is wanted, as its announcement and its edge come."""
    for message in box.listen():
        if message.topic is topics.INDUCT and message.fields["item"] in wanted:
            lead = message.fields["scan_counts"] + 1500
            reckoned[message.fields["item"]] = lead
            box.order(f"c-{message.fields['item']}", lead + 7900, lead + 9300)
            box.say(topics.REPLACEMENT, request="r-1", item="i-1", reasons=["dent"], order_line="o-1")


def receive_frames(endpoint: str, frames: list[Any], ended: threading.Event) -> None:
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.subscribe(b"")
        socket.connect(endpoint)
        while not ended.is_set():
            if socket.poll(50):
                frames.append(decode_frame(socket.recv_multipart()))


def test_a_run_goes_as_ordered_and_tells_the_truth(broker: Broker, box: Box, endpoint: str, tmp_path: Path) -> None:
    plan = plan_of(*items_with_pictures(tmp_path, 4))
    truth_path = tmp_path / "truth.json"
    frames: list[Any] = []
    progress: list[tuple[int, int]] = []
    ended = threading.Event()
    reckoned: dict[str, int] = {}
    with ExitStack() as stack:
        receiver = threading.Thread(target=receive_frames, args=(endpoint, frames, ended))
        receiver.start()
        stack.callback(receiver.join)
        stack.callback(ended.set)
        lane = stack.enter_context(
            running(
                plan,
                broker.host,
                broker.port,
                endpoint,
                truth_path,
                progress=lambda *step: progress.append(step),
                patience=Patience(ready_s=10, grace_s=0.5),
            )
        )
        box.say(topics.STATE, state="Execute", why="test")
        while lane.is_alive():
            box.say(topics.HEARTBEAT, turn=1)
            divert(box, {"w-1", "w-3"}, reckoned)
            time.sleep(0.02)
    truth = json.loads(truth_path.read_text())
    assert [item["went"] for item in truth["items"]] == ["good", "reject", "good", "reject"]
    assert {item["item"]: item["leading_edge_counts"] for item in truth["items"] if item["gate_window"]} == reckoned
    assert truth["replacements"] == [{"request": "r-1", "item": "i-1", "order_line": "o-1", "times": 2}]
    assert truth["complete"]
    assert progress == [(n, 4) for n in (1, 2, 3, 4)]
    assert truth["frames"] == {"sent": {"top": 4, "side": 4}, "missing": {}}
    assert sorted(frame.camera for frame in frames) == ["side"] * 4 + ["top"] * 4
    assert_the_box_was_told_all(box)


def assert_the_box_was_told_all(box: Box) -> None:
    belt = box.said(topics.BELT)
    induct = {edge["seq"] for message in belt for edge in message.fields["edges"]}
    confirm = [edge for message in box.said(topics.CONFIRM) for edge in message.fields["edges"]]
    assert induct == set(range(8))
    assert sorted((edge["eye"], edge["seq"]) for edge in confirm) == [
        (eye, seq) for eye, edges in (("confirm", 4), ("exit", 4), ("induct", 8)) for seq in range(edges)
    ]
    assert len(box.said(topics.REPLACEMENT_ACK)) == 2


def test_a_missing_picture_costs_its_frame_alone(broker: Broker, box: Box, endpoint: str, tmp_path: Path) -> None:
    first, second = items_with_pictures(tmp_path, 2)
    broken = replace(first, pictures={"top": tmp_path / "absent.png", "side": first.pictures["side"]})
    with running(
        plan_of(broken, second),
        broker.host,
        broker.port,
        endpoint,
        tmp_path / "truth.json",
        patience=Patience(ready_s=10, grace_s=0.3),
    ):
        box.say(topics.STATE, state="Idle", why="test")
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert truth["frames"] == {"sent": {"side": 2, "top": 1}, "missing": {"top": 1}}
    assert [item["went"] for item in truth["items"]] == ["reject", "reject"]  # no heartbeat: the safe side


def test_without_a_box_the_lane_says_so(broker: Broker, endpoint: str, tmp_path: Path) -> None:
    with pytest.raises(LaneNotReady, match=r"has not said Idle or Execute within 0.2 s"):
        simulate(
            plan_of(),
            broker.host,
            broker.port,
            endpoint,
            tmp_path / "truth.json",
            patience=Patience(ready_s=0.2),
        )


def test_without_a_broker_the_lane_says_so(endpoint: str, tmp_path: Path) -> None:
    with pytest.raises(BrokerUnreachable, match="start mosquitto there"):
        simulate(plan_of(), "127.0.0.1", 1, endpoint, tmp_path / "truth.json")


def test_a_truth_without_a_folder_is_refused_before_the_run(endpoint: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="make it first"):
        simulate(plan_of(), "127.0.0.1", 1, endpoint, tmp_path / "absent" / "truth.json")


def test_an_endpoint_in_use_is_said(tmp_path: Path) -> None:
    with zmq.Context() as context, context.socket(zmq.PUB) as taken:
        port = taken.bind_to_random_port("tcp://127.0.0.1")
        with pytest.raises(ConfigError, match="cannot be bound"):
            simulate(plan_of(), "127.0.0.1", 1, f"tcp://127.0.0.1:{port}", tmp_path / "truth.json")


def test_a_terminated_run_still_tells_the_truth(broker: Broker, box: Box, endpoint: str, tmp_path: Path) -> None:
    write_plan(tmp_path / "plan.json", plan_of(*items_with_pictures(tmp_path, 30)))
    program = "import sys; from edge.simulator.run import main; sys.exit(main())"
    arguments = ["--plan", tmp_path / "plan.json", "--broker", f"{broker.host}:{broker.port}"]
    arguments += ["--frames", endpoint, "--truth", tmp_path / "truth.json"]
    box.say(topics.STATE, state="Execute", why="test")
    with subprocess.Popen([sys.executable, "-c", program, *arguments], stderr=subprocess.DEVNULL) as lane:
        wait_for(lambda: len(box.said(topics.INDUCT)) > 0)
        lane.send_signal(signal.SIGTERM)
        assert lane.wait(WAIT_S) == 0
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert not truth["complete"]
    assert len(truth["items"]) == 30


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not happened():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
