"""A lane put together: the only place that names its concrete parts. Settings → parts → loop."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any, Protocol

import zmq
from prometheus_client import CollectorRegistry, Gauge, PlatformCollector, ProcessCollector, start_http_server

from edge import __version__
from edge.cameras.assembly import all_cameras
from edge.cameras.cameras import AllCameras
from edge.config import Config
from edge.conveyor import belt, diverter
from edge.conveyor.belt import BeltOverMqtt
from edge.conveyor.diverter import DiverterOverMqtt, StationOverMqtt
from edge.conveyor.link import Link
from edge.core.belt import NS_PER_S
from edge.core.books import Books
from edge.core.dispatcher import Dispatcher
from edge.core.judge import Judge
from edge.core.lot_recovery import standing, tallied
from edge.core.lots import Lots
from edge.core.ports import Diverter, Ports, Station
from edge.core.recovery import Start, recovered
from edge.core.supervision import Supervision
from edge.core.topics import LOT_HOLD_ACK, REPLACEMENT_ACK
from edge.core.tracker import Tracker
from edge.inspection.assembly import Sessions, locator, questions
from edge.inspection.inspector import ThreadedInspector
from edge.inspection.planner import Planner
from edge.loop import Loop
from edge.orders.sender import Sender
from edge.records.candidates import CANDIDATES, CandidateSink
from edge.records.journal import Journal, latest, lot_entries
from edge.records.logs import LogSink
from edge.records.machine import One, of_the_machine
from edge.records.metrics import CountedElsewhere, Counts, MetricsSink
from edge.records.sinks import PICTURES, JournalSink, PictureSink, TapSink, VerdictSink
from edge.records.writer import KeepingWriter, Ledger, Writer

PATIENT_NS = 3 * NS_PER_S  # after a restart: for what the eyes said meanwhile to be delivered
RECOVERED = 20_000  # last entries of the journal: more than a belt can hold
BYTES_PER_MB = 1_000_000
ANSWERS = (REPLACEMENT_ACK, LOT_HOLD_ACK)  # of the warehouse
RECORDS, DROPPABLE = 65_536, 512  # queue of what must be kept, and of what is only nice to have


class Part(Protocol):
    """Something with a thread of its own."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End it."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What works beside the loop, and is counted."""

    link: Link
    cameras: AllCameras
    inspector: ThreadedInspector
    gate: DiverterOverMqtt
    ledger: Ledger
    sender: Sender


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane put together."""

    turn: Callable[[int], None]  # one turn of the loop, at a monotonic time in ns
    start: Start
    versions: Mapping[str, str]  # of the models
    announce: Callable[[str, str], None]  # the station's last state, and why
    metrics: MetricsSink


def as_they_are(ports: Ports) -> Ports:
    """Nobody listens in."""
    return ports


@contextmanager
def lane(config: Config, listen: Callable[[Ports], Ports] = as_they_are) -> Iterator[Lane]:
    """Put a lane together, start what has a thread, and end it all in the opposite order.

    listen: may put something between the loop and its ports.
    """
    sessions = Sessions(config.inspection.models, config.inspection.runtime)
    with ExitStack() as stack:
        context: zmq.Context[zmq.Socket[bytes]] = stack.enter_context(zmq.Context())
        heard = (*belt.HEARD, *diverter.HEARD, *ANSWERS)
        link = Link(config.broker.host, config.broker.port, config.lane.site, config.lane.name, heard)
        registry = CollectorRegistry()
        metrics = MetricsSink(registry)
        ledger = _ledger(config, stack, context, link, metrics)
        sender = Sender(_journal(config, stack), link, partial(_answers, link))
        asked = questions(config.inspection, config.recipe.rule, sessions)
        planner = Planner(asked, config.inspection.workers, config.inspection.queue)
        inspector = ThreadedInspector(locator(config.inspection.belt_colours), planner)
        cameras = all_cameras(config, context)
        ports = listen(Ports(link, cameras, inspector, ledger, time.monotonic_ns, date.today))
        gate, station = DiverterOverMqtt(ports.wire), StationOverMqtt(ports.wire, sessions.versions())
        start = starting(config)
        loop = loop_of(config, start, ports, gate, station)
        _count(registry, Beside(link, cameras, inspector, gate, ledger, sender), loop)
        _oversee(registry, config, loop, sessions, ledger)
        _serve(config, registry, stack)
        parts: tuple[Part, ...] = (link, ledger, sender, inspector, *cameras.parts)
        for part in parts:
            part.start()
            stack.callback(part.stop)
        yield Lane(loop.turn, start, sessions.versions(), link.announce, metrics)


def starting(config: Config) -> Start:
    """What a life of the daemon that begins now begins with: what the journal says, and a name of its own."""
    said = latest(config.lane.state, RECOVERED)
    known = replace(recovered(said), holds=standing(lot_entries(config.lane.state)), tallies=tallied(said))
    return Start(f"{config.lane.name}-{uuid.uuid4().hex[:8]}", time.monotonic_ns(), known)


def _answers(link: Link) -> list[dict[str, Any]]:
    return [fields for topic in ANSWERS for _, fields in link.take(topic)]


def loop_of(config: Config, start: Start, ports: Ports, gate: Diverter, station: Station) -> Loop:
    """The core's parts, as an earlier life left them; the same for a lane that runs and for one that is replayed."""
    geometry, recipe, known = config.geometry(), config.judged_by(), start.known
    return Loop(
        belt=BeltOverMqtt(ports.wire, geometry.counts_per_mm, config.belt.stale_after_ms, known, ports.today),
        camera=ports.camera,
        tracker=Tracker(geometry, start.id_prefix, known.items),
        inspector=ports.inspector,
        judge=Judge(recipe, geometry, known.dispositions),
        dispatcher=Dispatcher(
            geometry,
            config.lane.site,
            divert_undecided=recipe.divert_undecided,
            dispositions=known.dispositions,
            patient_until_ns=start.began_ns + PATIENT_NS,
        ),
        supervision=Supervision(config.borne()),
        diverter=gate,
        station=station,
        ledger=ports.ledger,
        books=Books(len(known.items)),
        lots=Lots(config.lots_watched(), geometry, known, config.lane.site),
    )


def _ledger(
    config: Config, stack: ExitStack, context: zmq.Context[zmq.Socket[bytes]], link: Link, metrics: MetricsSink
) -> Ledger:
    """Seven desks; the tap's endpoint is given back at the end."""
    tap = TapSink(context, config.tap.endpoint)
    stack.callback(tap.close)
    plain = (
        KeepingWriter("journal", JournalSink(_journal(config, stack)), RECORDS),
        Writer("metrics", metrics, RECORDS),
        Writer("verdicts", VerdictSink(link), RECORDS),
        Writer("log", LogSink(), DROPPABLE),
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


def _count(registry: CollectorRegistry, beside: Beside, loop: Loop) -> None:
    """Have the counters that the parts keep scraped with the others."""
    counted: dict[tuple[str, str, tuple[str, ...]], Callable[[], Counts]] = {
        ("tunnel_messages_refused", "Messages refused, by topic and reason.", ("topic", "reason")): (
            lambda: {reason: count for reason, count in dict(beside.link.refused).items()}  # noqa: C416 - widens the key
        ),
        ("tunnel_frames_dropped", "Frames that nobody fetched in time, by camera.", ("camera",)): (
            beside.cameras.dropped
        ),
        ("tunnel_frames_lost", "Frames that a camera sent and that did not arrive whole.", ("camera",)): (
            lambda: {(one.name,): one.lost for one in beside.cameras.grabbers}
        ),
        ("tunnel_frames_unplaced", "Frames exposed when the belt's place was not known.", ()): (
            lambda: {(): beside.cameras.unplaced}
        ),
        ("tunnel_camera_openings", "Times that a camera was opened.", ("camera",)): (
            lambda: {(one.name,): one.opened for one in beside.cameras.grabbers}
        ),
        ("tunnel_encoder_strays", "Frames whose camera counted the belt otherwise than the PLC.", ("camera",)): (
            beside.cameras.strays
        ),
        ("tunnel_camera_packets", "Packets missed, asked for again, and come again.", ("camera", "what")): (
            beside.cameras.packets
        ),
        ("tunnel_frames_refused", "Messages of camera nodes and feeds that were none.", ()): (
            lambda: {(): beside.cameras.refused}
        ),
        ("tunnel_node_frames", "Frames of camera nodes, by what became of them.", ("camera", "outcome")): (
            beside.cameras.at_nodes
        ),
        ("tunnel_checks", "Checks of pictures, by what became of them.", ("check", "outcome")): (
            lambda: {outcome: count for outcome, count in dict(beside.inspector.counts).items()}  # noqa: C416 - widens the key
        ),
        ("tunnel_records_dropped", "Records that a full or broken desk lost, by desk.", ("desk",)): (
            lambda: {(writer.name,): writer.dropped for writer in beside.ledger.writers}
        ),
        ("tunnel_commands_late", "Diverts that could not be ordered in time, by why.", ("why",)): (
            lambda: {("decided_late",): loop.dispatcher.late_commands, ("no_broker",): beside.gate.dropped}
        ),
        ("tunnel_lots_forgotten", "Lots that made room for others before they were decided.", ()): (
            lambda: {(): loop.lots.forgotten}
        ),
        ("tunnel_orders_failures", "Rounds in which the outbox could not be seen to.", ()): (
            lambda: {(): beside.sender.failures}
        ),
    }
    for (name, what, labels), counts in counted.items():
        registry.register(CountedElsewhere(name, what, labels, counts))
    _gauge(registry, beside.cameras)


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


def _oversee(registry: CollectorRegistry, config: Config, loop: Loop, sessions: Sessions, ledger: Ledger) -> None:
    """The machine and the process, what waits, which guards are in alarm, and what the station says of itself."""
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    of_the_machine(registry, config.lane.state, sessions.versions)
    watch = loop.supervision
    registry.register(One("tunnel_guard_alarm", "Guards in alarm.", ("guard",), lambda: zip(sorted(watch.guards))))
    registry.register(One("tunnel_state", "The lane's state, by PackML.", ("state",), lambda: ((watch.state,),)))
    registry.register(One("tunnel_build_info", "The version that runs.", ("version",), lambda: ((__version__,),)))
    for name, what, count in (
        ("tunnel_lots_open", "Lots and weaker groups that are counted.", lambda: loop.lots.open),
        ("tunnel_lots_held", "Lots and weaker groups that are held.", lambda: len(loop.lots.holds)),
    ):
        Gauge(name, what, registry=registry).set_function(count)
    waiting = Gauge("tunnel_records_queued", "Records that wait for a desk.", ("desk",), registry=registry)
    for writer in ledger.writers:
        waiting.labels(writer.name).set_function(writer.waiting)


def _is_faulty(cameras: AllCameras, name: str) -> float:
    return float(name in cameras.faults())


def _serve(config: Config, registry: CollectorRegistry, stack: ExitStack) -> None:
    """Serve the metrics, unless the port is 0."""
    if config.metrics.port:
        server, thread = start_http_server(config.metrics.port, config.metrics.host, registry)
        stack.callback(thread.join)
        stack.callback(server.server_close)
        stack.callback(server.shutdown)
