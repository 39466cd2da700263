"""The daemon: the only place that names concrete classes. Settings → parts → loop; signals; exit codes."""

from __future__ import annotations

import argparse
import logging
import signal
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import cv2
import zmq
from prometheus_client import CollectorRegistry, Gauge, start_http_server

from edge.cameras.assembly import all_cameras, demand, demand_node
from edge.cameras.cameras import AllCameras
from edge.config import Config, load
from edge.conveyor import belt, diverter
from edge.conveyor.belt import BeltOverMqtt
from edge.conveyor.diverter import DiverterOverMqtt, StationOverMqtt
from edge.conveyor.link import Link
from edge.core.belt import NS_PER_S
from edge.core.books import Books
from edge.core.dispatcher import Dispatcher
from edge.core.errors import BrokerUnreachable, ConfigError, TunnelEdgeError
from edge.core.judge import Judge
from edge.core.recovery import recovered
from edge.core.supervision import Supervision
from edge.core.topics import REPLACEMENT_ACK
from edge.core.tracker import Tracker
from edge.inspection.assembly import Sessions, locator, questions, verify, verify_layouts
from edge.inspection.inspector import ThreadedInspector
from edge.inspection.planner import Planner
from edge.loop import Loop
from edge.orders.sender import Sender
from edge.records.candidates import CANDIDATES, CandidateSink
from edge.records.journal import Journal, latest
from edge.records.metrics import CountedElsewhere, Counts, MetricsSink
from edge.records.sinks import PICTURES, JournalSink, PictureSink, TapSink, VerdictSink
from edge.records.writer import KeepingWriter, Ledger, Writer

TURN_S = 0.001
SWITCH_S = 0.0005  # a worker that computes in Python must not hold the interpreter's lock for 5 ms
PATIENT_NS = 3 * NS_PER_S  # after a restart: for what the eyes said meanwhile to be delivered
RECOVERED = 20_000  # last entries of the journal: more than a belt can hold
BYTES_PER_MB = 1_000_000
RECORDS, DROPPABLE = 65_536, 512  # queue of what must be kept, and of what is only nice to have

log = logging.getLogger(__name__)


class Part(Protocol):
    """Something with a thread of its own."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End it."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What the core speaks to, but for the belt."""

    cameras: AllCameras
    inspector: ThreadedInspector
    gate: DiverterOverMqtt
    station: StationOverMqtt
    ledger: Ledger


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane put together."""

    loop: Loop
    link: Link
    metrics: MetricsSink


def main(arguments: Sequence[str]) -> int:
    """`tunnel-edge run`: run a lane until SIGTERM or SIGINT."""
    config = load(_config_path("run", "Run a lane's daemon.", arguments))
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    sys.setswitchinterval(SWITCH_S)
    cv2.setNumThreads(1)  # the workers are the threads
    with lane(config) as parts:
        turn_until(ending, parts)
    return 0


def check(arguments: Sequence[str]) -> int:
    """`tunnel-edge check`: settings, models, references and broker, without starting anything; all faults at once.

    Raises:
        ConfigError: with every fault that was found.
    """
    config = load(_config_path("check", "Check a lane's settings, models, references and broker.", arguments))
    sessions = Sessions(config.inspection.models, config.inspection.runtime)
    parts: tuple[Callable[[], object], ...] = (
        lambda: questions(config.inspection, config.recipe.rule, sessions),
        lambda: locator(config.inspection.belt_colours),
        lambda: verify(config.inspection.references, sessions),
        lambda: verify_layouts(config.inspection.print_layouts),
        *(partial(demand, camera) for camera in config.camera if not camera.node),
        *(partial(demand_node, camera, config.nodes) for camera in config.camera if camera.node_key),
        lambda: _demand_broker(config),
    )
    faults = [fault for part in parts if (fault := _fault(part))]
    if faults:
        raise ConfigError("\n".join(faults))
    print(f"good: lane {config.lane.name}, models {sessions.versions()}")  # noqa: T201 - the command's own voice
    return 0


def _fault(part: Callable[[], object]) -> str:
    """What is wrong with a part; empty if nothing is."""
    try:
        part()
    except TunnelEdgeError as error:
        return str(error)
    return ""


def _demand_broker(config: Config) -> None:
    with socket.socket() as probe:
        probe.settimeout(2)
        if probe.connect_ex((config.broker.host, config.broker.port)):
            place = f"{config.broker.host}:{config.broker.port}"
            raise BrokerUnreachable(f"no broker answers at {place}: start it, or set [broker] host and port.")


def turn_until(ending: threading.Event, parts: Lane) -> None:
    """Turn the loop until told to end; the time of each turn goes into a histogram."""
    state, why = "Aborted", "the daemon failed: see its log"
    try:
        while not ending.is_set():
            started_ns = time.monotonic_ns()
            parts.loop.turn(started_ns)
            parts.metrics.turn_s.observe((time.monotonic_ns() - started_ns) / NS_PER_S)
            time.sleep(TURN_S)
        state, why = "Stopped", "the daemon was told to stop"
    finally:
        parts.link.announce(state, why)


@contextmanager
def lane(config: Config) -> Iterator[Lane]:
    """Put a lane together, start what has a thread, and end it all in the opposite order."""
    sessions = Sessions(config.inspection.models, config.inspection.runtime)
    with ExitStack() as stack:
        context: zmq.Context[zmq.Socket[bytes]] = stack.enter_context(zmq.Context())
        heard = (*belt.HEARD, *diverter.HEARD, REPLACEMENT_ACK)
        link = Link(config.broker.host, config.broker.port, config.lane.site, config.lane.name, heard)
        registry = CollectorRegistry()
        metrics = MetricsSink(registry)
        ledger = _ledger(config, stack, context, link, metrics)
        sender = Sender(_journal(config, stack), link, lambda: [fields for _, fields in link.take(REPLACEMENT_ACK)])
        asked = questions(config.inspection, config.recipe.rule, sessions)
        planner = Planner(asked, config.inspection.workers, config.inspection.queue)
        inspector = ThreadedInspector(locator(config.inspection.belt_colours), planner)
        cameras = all_cameras(config, context)
        gate = DiverterOverMqtt(link)
        outside = Outside(cameras, inspector, gate, StationOverMqtt(link, sessions.versions()), ledger)
        loop = _loop(config, link, outside)
        _count(registry, link, outside, loop, sender)
        _serve(config, registry, stack)
        parts: tuple[Part, ...] = (link, ledger, sender, inspector, *cameras.parts)
        for part in parts:
            part.start()
            stack.callback(part.stop)
        yield Lane(loop, link, metrics)


def _loop(config: Config, link: Link, outside: Outside) -> Loop:
    """The core's parts, as an earlier run left them."""
    geometry, recipe = config.geometry(), config.judged_by()
    known = recovered(latest(config.lane.state, RECOVERED))
    return Loop(
        belt=BeltOverMqtt(link, geometry.counts_per_mm, config.belt.stale_after_ms, known),
        camera=outside.cameras,
        tracker=Tracker(geometry, f"{config.lane.name}-{uuid.uuid4().hex[:8]}", known.items),
        inspector=outside.inspector,
        judge=Judge(recipe, geometry, known.dispositions),
        dispatcher=Dispatcher(
            geometry,
            config.lane.site,
            divert_undecided=recipe.divert_undecided,
            dispositions=known.dispositions,
            patient_until_ns=time.monotonic_ns() + PATIENT_NS,
        ),
        supervision=Supervision(config.borne()),
        diverter=outside.gate,
        station=outside.station,
        ledger=outside.ledger,
        books=Books(len(known.items)),
    )


def _ledger(
    config: Config, stack: ExitStack, context: zmq.Context[zmq.Socket[bytes]], link: Link, metrics: MetricsSink
) -> Ledger:
    """Six desks; the tap's endpoint is given back at the end."""
    tap = TapSink(context, config.tap.endpoint)
    stack.callback(tap.close)
    plain = (
        KeepingWriter("journal", JournalSink(_journal(config, stack)), RECORDS),
        Writer("metrics", metrics, RECORDS),
        Writer("verdicts", VerdictSink(link), RECORDS),
    )
    pictures = Writer("pictures", PictureSink(config.lane.state / PICTURES), DROPPABLE)
    droppable = [pictures, Writer("tap", tap, DROPPABLE)]
    if most_mb := config.inspection.candidates_mb:
        sink = CandidateSink(config.lane.state / CANDIDATES, most_mb * BYTES_PER_MB)
        droppable.append(Writer("candidates", sink, DROPPABLE))
    return Ledger(plain, tuple(droppable))


def _journal(config: Config, stack: ExitStack) -> Journal:
    """A connection of its own for each thread that writes."""
    journal = Journal(config.lane.state)
    stack.callback(journal.close)
    return journal


def _count(registry: CollectorRegistry, link: Link, outside: Outside, loop: Loop, sender: Sender) -> None:
    """Have the counters that the parts keep scraped with the others."""
    counted: dict[tuple[str, str, tuple[str, ...]], Callable[[], Counts]] = {
        ("tunnel_messages_refused", "Messages refused, by topic and reason.", ("topic", "reason")): (
            lambda: {reason: count for reason, count in dict(link.refused).items()}  # noqa: C416 - widens the key
        ),
        ("tunnel_frames_dropped", "Frames that nobody fetched in time, by camera.", ("camera",)): (
            outside.cameras.dropped
        ),
        ("tunnel_frames_lost", "Frames that a camera sent and that did not arrive whole.", ("camera",)): (
            lambda: {(one.name,): one.lost for one in outside.cameras.grabbers}
        ),
        ("tunnel_frames_unplaced", "Frames exposed when the belt's place was not known.", ()): (
            lambda: {(): outside.cameras.unplaced}
        ),
        ("tunnel_camera_openings", "Times that a camera was opened.", ("camera",)): (
            lambda: {(one.name,): one.opened for one in outside.cameras.grabbers}
        ),
        ("tunnel_encoder_strays", "Frames whose camera counted the belt otherwise than the PLC.", ("camera",)): (
            outside.cameras.strays
        ),
        ("tunnel_camera_packets", "Packets missed, asked for again, and come again.", ("camera", "what")): (
            outside.cameras.packets
        ),
        ("tunnel_frames_refused", "Messages of camera nodes and feeds that were none.", ()): (
            lambda: {(): outside.cameras.refused}
        ),
        ("tunnel_node_frames", "Frames of camera nodes, by what became of them.", ("camera", "outcome")): (
            outside.cameras.at_nodes
        ),
        ("tunnel_checks", "Checks of pictures, by what became of them.", ("check", "outcome")): (
            lambda: {outcome: count for outcome, count in dict(outside.inspector.counts).items()}  # noqa: C416 - widens the key
        ),
        ("tunnel_records_dropped", "Records that a full or broken desk lost, by desk.", ("desk",)): (
            lambda: {(writer.name,): writer.dropped for writer in outside.ledger.writers}
        ),
        ("tunnel_commands_late", "Diverts that could not be ordered in time, by why.", ("why",)): (
            lambda: {("decided_late",): loop.dispatcher.late_commands, ("no_broker",): outside.gate.dropped}
        ),
        ("tunnel_orders_failures", "Rounds in which the outbox could not be seen to.", ()): (
            lambda: {(): sender.failures}
        ),
    }
    for (name, what, labels), counts in counted.items():
        registry.register(CountedElsewhere(name, what, labels, counts))
    _gauge(registry, outside.cameras)


def _gauge(registry: CollectorRegistry, cameras: AllCameras) -> None:
    """What is wrong with cameras just now, and how well the clocks of nodes are known."""
    faulty = Gauge("tunnel_camera_faulty", "1 while something is wrong with a camera.", ("camera",), registry=registry)
    sharp = Gauge("tunnel_camera_sharpness", "Of its last frames; 1: as learnt.", ("camera",), registry=registry)
    error_s = Gauge(
        "tunnel_node_clock_error_seconds", "By how much a node's clock may be wrong.", ("node",), registry=registry
    )
    for name in (*(one.name for one in cameras.grabbers), *(name for node in cameras.nodes for name in node.cameras)):
        faulty.labels(name).set_function(partial(_is_faulty, cameras, name))
    for one in cameras.grabbers:
        sharp.labels(one.name).set_function(partial(getattr, one, "sharpness"))
    for node in cameras.nodes:
        error_s.labels(node.endpoint).set_function(partial(getattr, node, "clock_error_s"))


def _is_faulty(cameras: AllCameras, name: str) -> float:
    return float(name in cameras.faults())


def _serve(config: Config, registry: CollectorRegistry, stack: ExitStack) -> None:
    """Serve the metrics, unless the port is 0."""
    if config.metrics.port:
        server, thread = start_http_server(config.metrics.port, config.metrics.host, registry)
        stack.callback(thread.join)
        stack.callback(server.server_close)
        stack.callback(server.shutdown)


def _config_path(command: str, what: str, arguments: Sequence[str]) -> Path:
    parser = argparse.ArgumentParser(prog=f"tunnel-edge {command}", description=what)
    parser.add_argument("config", type=Path, help="the lane's settings (TOML)")
    path: Path = parser.parse_args(arguments).config
    return path
