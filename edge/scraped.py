"""What of a lane's parts Prometheus scrapes beside the records: read from them at each scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, PlatformCollector, ProcessCollector, start_http_server

from edge import __version__
from edge.cameras.cameras import AllCameras
from edge.cameras.drift import CameraDrift
from edge.config import Config
from edge.conveyor.diverter import DiverterOverMqtt
from edge.conveyor.link import Link
from edge.inspection.inspector import ThreadedInspector
from edge.loop import Loop
from edge.orders.sender import Sender
from edge.records.evidence.desk import EvidenceDesk
from edge.records.life import Life
from edge.records.machine import of_the_machine
from edge.records.metrics import CountedElsewhere, Counts, Gauged, GaugedElsewhere
from edge.records.writer import Ledger
from edge.settings import MetricsSettings
from edge.standing import WatchedShelf

NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Beside:
    """What works beside the loop, and is counted."""

    link: Link
    cameras: AllCameras
    inspector: ThreadedInspector
    gate: DiverterOverMqtt
    ledger: Ledger
    sender: Sender
    shelf: WatchedShelf | None
    drift: CameraDrift | None
    evidence: EvidenceDesk | None
    life: Life


Counted = dict[tuple[str, str, tuple[str, ...]], Callable[[], Counts]]
"""Name, what it is and labels of a counter; how it is read."""


def count(registry: CollectorRegistry, beside: Beside, loop: Loop) -> None:
    """Have the counters that the parts keep scraped with the others."""
    counted: Counted = {
        ("tunnel_messages_refused", "Messages refused, by topic and reason.", ("topic", "reason")): (
            lambda: {reason: count for reason, count in dict(beside.link.refused).items()}  # noqa: C416 - widens the key
        ),
        **_of_cameras(beside.cameras),
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
        ("tunnel_audit_seal_failures", "Times that the journal could not be sealed.", ()): (
            lambda: {(): beside.life.failures}
        ),
        ("tunnel_orders_failures", "Rounds in which the outbox could not be seen to.", ()): (
            lambda: {(): beside.sender.failures}
        ),
        ("tunnel_order_answers", "Tries to send requests to the warehouse, by what came of them.", ("outcome",)): (
            lambda: {(outcome,): count for outcome, count in dict(beside.sender.answers).items()}
        ),
    }
    for (name, what, labels), counts in counted.items():
        registry.register(CountedElsewhere(name, what, labels, counts))
    _gauge(registry, beside.cameras)
    if beside.evidence:
        _count_evidence(registry, beside.evidence)
    _gauge_seals(registry, beside.life)
    if beside.drift:
        _gauge_drift(registry, beside.drift)
    if beside.shelf:
        _gauge_shelf(registry, beside.shelf)
        drift = "Of the counts from eye to eye, since the belt was calibrated, as a share."
        Gauge("tunnel_belt_scale_drift", drift, registry=registry).set_function(lambda: loop.calibrated.scale.off)


def _of_cameras(cameras: AllCameras) -> Counted:
    """What became of frames."""
    return {
        ("tunnel_frames_dropped", "Frames that nobody fetched in time, by camera.", ("camera",)): (cameras.dropped),
        ("tunnel_frames_lost", "Frames that a camera sent and that did not arrive whole.", ("camera",)): (
            lambda: {(one.name,): one.lost for one in cameras.grabbers}
        ),
        ("tunnel_frames_unplaced", "Frames exposed when the belt's place was not known.", ()): (
            lambda: {(): cameras.unplaced}
        ),
        ("tunnel_camera_openings", "Times that a camera was opened.", ("camera",)): (
            lambda: {(one.name,): one.opened for one in cameras.grabbers}
        ),
        ("tunnel_encoder_strays", "Frames whose camera counted the belt otherwise than the PLC.", ("camera",)): (
            cameras.strays
        ),
        ("tunnel_camera_packets", "Packets missed, asked for again, and come again.", ("camera", "what")): (
            cameras.packets
        ),
        ("tunnel_frames_refused", "Messages of camera nodes and feeds that were none.", ()): (
            lambda: {(): cameras.refused}
        ),
        ("tunnel_node_frames", "Frames of camera nodes, by what became of them.", ("camera", "outcome")): (
            cameras.at_nodes
        ),
    }


def _count_evidence(registry: CollectorRegistry, desk: EvidenceDesk) -> None:
    """What is kept of the items' pictures, what was dropped and removed, and how far back it reaches."""
    counted: dict[tuple[str, str, tuple[str, ...]], Callable[[], Counts]] = {
        ("tunnel_evidence_kept", "Pictures kept as evidence.", ()): lambda: {(): desk.store.kept},
        ("tunnel_evidence_dropped", "Pictures that could not be kept, by why.", ("why",)): (
            lambda: {(why,): count for why, count in dict(desk.lost).items()}
        ),
        ("tunnel_evidence_removed", "Pictures removed, by the rule that removed them.", ("rule",)): (
            lambda: {(rule,): count for rule, count in dict(desk.store.removed).items()}
        ),
    }
    for (name, what, labels), counts in counted.items():
        registry.register(CountedElsewhere(name, what, labels, counts))
    kept = Gauge("tunnel_evidence_bytes", "Of all pictures that are kept.", registry=registry)
    kept.set_function(lambda: desk.store.bytes)
    what = "When the oldest picture that is there was kept; 0: there is none."
    oldest = Gauge("tunnel_evidence_oldest_timestamp_seconds", what, registry=registry)
    oldest.set_function(lambda: (desk.retention.oldest_wall_ns or 0) / NS_PER_S)


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


def _gauge_seals(registry: CollectorRegistry, life: Life) -> None:
    """How far the journal is sealed, kept where nobody on the box can take it back; nothing before the first seal."""
    waits = Gauge(
        "tunnel_audit_unsealed_seconds", "How long entries of the journal wait for a seal.", registry=registry
    )
    waits.set_function(life.unsealed_s)
    gauged: dict[tuple[str, str], Callable[[], Gauged]] = {
        ("tunnel_audit_sealed_entry", "The last entry of the journal that a seal covers."): (
            lambda: {(): float(life.sealed.entry)} if life.sealed else {}
        ),
        ("tunnel_audit_sealed_timestamp_seconds", "When the journal was last sealed, seconds since 1970."): (
            lambda: {(): life.sealed.wall_ns / NS_PER_S} if life.sealed else {}
        ),
    }
    for (name, what), values in gauged.items():
        registry.register(GaugedElsewhere(name, what, (), values))


def _gauge_shelf(registry: CollectorRegistry, shelf: WatchedShelf) -> None:
    """When calibrations expire, and which are not believed."""
    expires = "When each calibration expires, seconds since 1970."
    gauged: dict[tuple[str, str], Callable[[], Gauged]] = {
        ("tunnel_calibration_expires_timestamp_seconds", expires): lambda: _by_name(shelf.expiries()),
        ("tunnel_calibrations_refused", "1 for each calibration that is not believed; see the lane's state for why."): (
            lambda: _by_name(dict.fromkeys(shelf.told().refused, 1.0))
        ),
    }
    for (name, what), values in gauged.items():
        registry.register(GaugedElsewhere(name, what, ("name",), values))


def _gauge_drift(registry: CollectorRegistry, drift: CameraDrift) -> None:
    """How far cameras are from what they were calibrated to."""
    colour = "By how much colours are off since the camera was calibrated, by its bare belt, ΔE00."
    moved = "By how much a camera looks beside where it was calibrated, mm on the belt."
    gauged: dict[tuple[str, str], Callable[[], Gauged]] = {
        ("tunnel_camera_colour_drift", colour): lambda: {(name,): one.colour for name, one in drift.off().items()},
        ("tunnel_camera_moved_mm", moved): lambda: {(name,): one.moved_mm for name, one in drift.off().items()},
    }
    for (name, what), values in gauged.items():
        registry.register(GaugedElsewhere(name, what, ("camera",), values))


def _changed_s(folder: Path) -> float:
    return folder.stat().st_mtime if folder.is_dir() else 0.0


def _each_is_one(holds: Callable[[], Iterable[str]]) -> Gauged:
    return {(one,): 1.0 for one in holds()}


def _by_name(values: Mapping[str, float]) -> Gauged:
    return {(name,): value for name, value in values.items()}


def _is_faulty(cameras: AllCameras, name: str) -> float:
    return float(name in cameras.faults())


def serve(metrics: MetricsSettings, registry: CollectorRegistry, stack: ExitStack) -> None:
    """Serve the metrics, unless the port is 0."""
    if metrics.port:
        server, thread = start_http_server(metrics.port, metrics.host, registry)
        stack.callback(thread.join)
        stack.callback(server.server_close)
        stack.callback(server.shutdown)


def oversee(
    registry: CollectorRegistry, config: Config, loop: Loop, versions: Callable[[], Mapping[str, str]], ledger: Ledger
) -> None:
    """The machine and the process, what waits, which guards are in alarm, and what the station says of itself."""
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    of_the_machine(registry, config.lane.state, config.ledger.archive, versions)
    what = "When a product was last entered into the references, or taken out of them; 0: there are none."
    changed = Gauge("tunnel_references_changed_timestamp_seconds", what, registry=registry)
    changed.set_function(partial(_changed_s, config.inspection.references))
    watch = loop.supervision
    told: dict[tuple[str, str, str], Callable[[], Iterable[str]]] = {
        ("tunnel_guard_alarm", "Guards in alarm.", "guard"): lambda: watch.guards,
        ("tunnel_state", "The lane's state, by PackML.", "state"): lambda: (watch.state,),
        ("tunnel_build_info", "The version that runs.", "version"): lambda: (__version__,),
    }
    for (name, what, label), holds in told.items():
        registry.register(GaugedElsewhere(name, what, (label,), partial(_each_is_one, holds)))
    open_lots = Gauge("tunnel_lots_open", "Lots and weaker groups that are counted.", registry=registry)
    open_lots.set_function(lambda: loop.lots.open)
    held_lots = Gauge("tunnel_lots_held", "Lots and weaker groups that are held.", registry=registry)
    held_lots.set_function(lambda: len(loop.lots.holds))
    waiting = Gauge("tunnel_records_queued", "Records that wait for a desk.", ("desk",), registry=registry)
    unwritten = Gauge(
        "tunnel_ledger_unwritten_seconds", "How long the journal could not be written.", registry=registry
    )
    unwritten.set_function(ledger.unwritten_s)
    for writer in ledger.writers:
        waiting.labels(writer.name).set_function(writer.waiting)
