"""Adapters against the real thing: sockets, files, a broker."""

import time
from dataclasses import replace

import cv2
import numpy as np
import pytest
import zmq
from prometheus_client import CollectorRegistry
from rich.console import Console

from edge.broker import Address
from edge.cameras.cameras import AllCameras
from edge.cameras.feed import KEPT, FeedCameras
from edge.conveyor.diverter import DiverterOverMqtt, StationOverMqtt
from edge.conveyor.link import Link
from edge.core import topics
from edge.core.frames import encode_frame
from edge.core.messages import Agreement, Compared, Disposition, DivertCommand, Frame, LineStop, Verdict
from edge.core.supervision import Oversight
from edge.records.metrics import MetricsSink
from edge.records.sinks import TapSink
from edge.simulator.mqtt import Party
from edge.watch import half_blocks, line, receive, show, tapped
from tests.unit.lane import evidence, reading

WAIT_S = 10
PICTURE = np.full((60, 90, 3), (10, 200, 40), np.uint8)


def wait_for(condition):
    end_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def verdict(*found):
    return Verdict(
        "lane-1-000007", "o-1", 0, Disposition.REJECT, ("too bad",), (), found, "r", 0, None, 10**9, 5 * 10**8
    )


def command(expires_ns):
    return DivertCommand("c-1", "i-1", 10, 20, expires_ns, "bad")


@pytest.fixture
def link(broker):
    one = Link(broker.host, broker.port, "site", "lane", [topics.ACK])
    one.start()
    assert one.connected.wait(WAIT_S)
    yield one
    one.stop()


def frame(name, camera="top"):
    return Frame(camera, name, 1, 2.0, PICTURE)


def test_a_node_keeps_the_newest_frames_and_counts_the_rest(endpoint):
    with zmq.Context() as context, context.socket(zmq.PUB) as node:
        node.bind(endpoint)
        cameras = FeedCameras(context, endpoint, ["top"])
        cameras.start()
        wait_for(lambda: node.send_multipart(encode_frame(frame("first"))) or AllCameras([cameras]).grab(reading()))
        time.sleep(0.2)  # more than one may have been under way
        cameras.grab()
        cameras.dropped.clear()
        for n in range(KEPT + 3):
            node.send_multipart(encode_frame(frame(f"f-{n}")))
            time.sleep(0.02)
        for strange in ([b"frame"], [b"frame", b"{}", b""], encode_frame(frame("x", camera="unknown"))):
            node.send_multipart(strange)
        wait_for(lambda: cameras.refused == 3)
        kept = [one.frame_id for one in cameras.grab()]
        cameras.stop()
    assert kept == [f"f-{n}" for n in range(3, KEPT + 3)]
    assert cameras.dropped["top"] == 3


def test_the_tap_tells_a_verdict_with_its_pictures(endpoint):
    with zmq.Context() as context:
        tap = TapSink(context, endpoint)
        with tapped(endpoint) as listener:
            told = verdict(evidence(picture=PICTURE), evidence("lot", picture=PICTURE[..., 0]))
            wait_for(lambda: tap.write([told]) or listener.poll(20))
            fields, jpeg = receive(listener)
        tap.close()
    strip = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert (fields["disposition"], strip.shape) == ("reject", (160, 480, 3))


def test_watch_shows_a_verdict_in_a_line_and_its_picture_in_blocks():
    fields = {"item": "lane-1-000007", "disposition": "reject", "latency_ms": 500.0, "reasons": ["too bad"]}
    assert line(fields).plain == "000007  reject        500 ms  too bad  [not announced]"
    console = Console(force_terminal=True, color_system="truecolor", width=100, record=True)
    with console.capture() as captured:
        console.print(half_blocks(PICTURE, 30))
        show(fields, cv2.imencode(".jpg", PICTURE)[1].tobytes(), console, 30)
    assert captured.get().count("▀") == 2 * 30 * 10


def test_a_command_goes_out_once_not_retained_and_in_time_only(broker, link):
    gate = DiverterOverMqtt(link)
    with Party("plc", Address(broker.host, broker.port, "site", "lane"), [topics.COMMAND]) as plc:
        gate.send([command(time.monotonic_ns() + 10**9), command(time.monotonic_ns() - 1)])
        time.sleep(0.5)
        heard = plc.received()
    assert [(one.fields["command"], one.retained) for one in heard] == [("c-1", False)]
    assert gate.dropped == 1


@pytest.mark.parametrize(("lasts_s", "heard"), [(30, ["c-1"]), (0.3, [])])
def test_without_a_broker_a_command_waits_until_its_window_has_closed(broker, link, lasts_s, heard):
    broker.stop()
    wait_for(lambda: not link.connected.is_set())
    gate = DiverterOverMqtt(link)
    gate.send([command(time.monotonic_ns() + int(lasts_s * 10**9))])
    time.sleep(0.5)
    broker.start()
    with Party("plc", Address(broker.host, broker.port, "site", "lane"), [topics.COMMAND]) as plc:
        assert link.connected.wait(WAIT_S)
        for _ in range(3):
            gate.send([])
        time.sleep(0.5)
        assert [one.fields["command"] for one in plc.received()] == heard
    assert gate.dropped == 1 - len(heard)


def test_acks_come_back_and_malformed_ones_are_counted(broker, link):
    gate = DiverterOverMqtt(link)
    with Party("plc", Address(broker.host, broker.port, "site", "lane")) as plc:
        plc.publish(topics.ACK, {"command": "c-1", "status": "maybe"})
        plc.publish(topics.ACK, {"command": "c-1", "status": "accepted"})
        acks = []
        wait_for(lambda: acks.extend(gate.acks()) or acks)
    assert [(one.command_id, one.status) for one in acks] == [("c-1", "accepted")]
    assert link.refused[topics.ACK.name, "field"] == 1


def test_the_heart_beats_five_times_a_second_and_stops_are_asked_for(broker, link):
    station = StationOverMqtt(link, {"backbone": "1.0.0"})
    heard = [topics.HEARTBEAT, topics.LINE_STOP, topics.STATE]
    with Party("plc", Address(broker.host, broker.port, "site", "lane"), heard) as plc:
        for millisecond in range(1001):
            stops = (LineStop("missed", 0),) if millisecond == 500 else ()
            state = ("Held", "missed") if millisecond >= 500 else ("Execute", "inspecting")
            station.tell(Oversight((), stops, *state), millisecond, millisecond * 10**6)
        time.sleep(0.5)
        said = plc.received()
    beats = [one.fields["turn"] for one in said if one.topic is topics.HEARTBEAT]
    states = [one.fields["state"] for one in said if one.topic is topics.STATE]
    assert beats == [0, 200, 400, 600, 800, 1000]
    assert states[-2:] == ["Execute", "Held"]
    assert [one.fields["why"] for one in said if one.topic is topics.LINE_STOP] == ["missed"]


def test_what_was_compared_is_counted_by_check_and_agreement():
    registry = CollectorRegistry()
    told = tuple(Compared("expiry", one) for one in (Agreement.MISMATCH, Agreement.MISMATCH, Agreement.EXPIRED))
    MetricsSink(registry).write([replace(verdict(), compared=told)])
    counts = {one: registry.get_sample_value("tunnel_agreements_total", labels(one)) for one in Agreement}
    assert {one.value: count for one, count in counts.items() if count} == {"mismatch": 2, "expired": 1}


def labels(agreement):
    return {"check": "expiry", "agreement": agreement.value}
