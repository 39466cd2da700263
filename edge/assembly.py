"""A lane put together: the only place that names its concrete parts. Settings → parts → loop."""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any, Protocol

import zmq
from prometheus_client import CollectorRegistry

from edge.broker import tls_of
from edge.calibrations import Shelf
from edge.cameras.assembly import CalibratedCameras, all_cameras
from edge.cameras.cameras import AllCameras
from edge.cameras.drift import CameraDrift
from edge.config import Config
from edge.conveyor import belt, diverter
from edge.conveyor.belt import BeltOverMqtt
from edge.conveyor.diverter import DiverterOverMqtt, StationOverMqtt
from edge.conveyor.link import Link
from edge.core.belt import NS_PER_S
from edge.core.books import Books
from edge.core.calibrated import Calibrated
from edge.core.dispatcher import Dispatcher
from edge.core.firing import FireTests
from edge.core.in_force import NONE, InForce, numbers
from edge.core.judge import Judge
from edge.core.laid import Laid
from edge.core.lot_recovery import standing as holds_of
from edge.core.lot_recovery import tallied
from edge.core.lots import Lots
from edge.core.messages import CalibrationsInForce, ScaleLearnt
from edge.core.plane import Plane
from edge.core.ports import NO_SHELF, Diverter, Ports, Station
from edge.core.recovery import Start, heard_of, recovered, still_announced
from edge.core.scale import Scale
from edge.core.supervision import Supervision
from edge.core.topics import LOT_HOLD_ACK, REPLACEMENT_ACK
from edge.core.tracker import Tracker
from edge.desks import ledger_of, life_of, shown_to
from edge.inspection.assembly import Sessions, locator, questions
from edge.inspection.inspector import ThreadedInspector
from edge.inspection.planner import Planner
from edge.inspection.tote_check import KnownTotes
from edge.inspection.tote_type import FILE as TOTE_FILE
from edge.inspection.tote_type import ToteType
from edge.loop import Loop
from edge.orders import mqtt
from edge.orders.http import RequestsOverHttp
from edge.orders.mqtt import RequestsOverMqtt
from edge.orders.sender import Sender
from edge.records.journal import last, latest, lot_entries
from edge.records.life import Life
from edge.records.metrics import MetricsSink
from edge.records.notify import Standing
from edge.records.outbox import LedgerOutbox
from edge.records.writer import Ledger
from edge.scraped import Beside, count, oversee, serve
from edge.standing import WatchedShelf

PATIENT_NS = 3 * NS_PER_S  # after a restart: for what the eyes said meanwhile to be delivered
RECOVERED = 20_000  # last entries of the journal: more than a belt can hold
ANSWERS = (REPLACEMENT_ACK, LOT_HOLD_ACK)  # of the warehouse


class Part(Protocol):
    """Something with a thread of its own."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End it."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane put together."""

    turn: Callable[[int], None]  # one turn of the loop, at a monotonic time in ns
    start: Start
    versions: Mapping[str, str]  # of the models
    announce: Callable[[str, str], None]  # the station's last state, and why
    metrics: MetricsSink
    loop: Loop
    hush: Callable[[], None]  # no heartbeat from now on
    standing: Callable[[], Standing]  # as systemd is told
    note: Callable[[str, Mapping[str, Any]], None]  # write an entry of a kind into the journal


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
        link = _link(config)
        metrics = MetricsSink(registry := CollectorRegistry())
        ledger, evidence = ledger_of(config, stack, context, link, metrics)
        sender = _orders(config, stack, link)
        shelf = shelf_of(config)
        life = life_of(config, sessions.versions(), shelf)
        start = starting(config, shelf.told().good if shelf else NONE)
        asked = questions(config.inspection, config.recipe.rule, sessions, totes=known_totes(shelf) if shelf else {})
        planner = Planner(asked, config.inspection.workers, config.inspection.queue)
        inspector = ThreadedInspector(locator(config.inspection.belt_colours), planner, shown_to(evidence, config))
        cameras = all_cameras(config, laid(config, start).geometry, context)
        drift = _watch_cameras(config, shelf, cameras) if shelf else None
        ports = listen(Ports(link, cameras, inspector, ledger, time.monotonic_ns, date.today, shelf or NO_SHELF))
        gate, station = DiverterOverMqtt(ports.wire), StationOverMqtt(ports.wire, sessions.versions())
        loop = loop_of(config, start, ports, gate, station)
        count(registry, Beside(link, cameras, inspector, gate, ledger, sender, shelf, drift, evidence, life), loop)
        oversee(registry, config, loop, sessions.versions, ledger)
        serve(config.metrics, registry, stack)
        watched = [shelf] if shelf else []  # the sender's last word comes after the ledger's
        parts: tuple[Part, ...] = (life, link, sender, ledger, inspector, *cameras.parts, *watched)
        for part in parts:
            part.start()
            stack.callback(part.stop)
        standing, told = partial(_standing, link, cameras), partial(_end, link, life)
        turn = partial(_turn, loop, link, ledger)
        yield Lane(turn, start, sessions.versions(), told, metrics, loop, station.hush, standing, life.note)


def _link(config: Config) -> Link:
    """To the lane's broker; what is said once is acknowledged when it is on disk."""
    broker, heard = config.broker, (*belt.HEARD, *diverter.HEARD, *ANSWERS)
    place = config.lane.site, config.lane.name
    return Link(broker.host, broker.port, *place, heard, tls_of(broker), kept=belt.SAID_ONCE)


def _turn(loop: Loop, link: Link, ledger: Ledger, now_ns: int) -> None:
    """The loop knows nothing of acknowledgements: they wait for what it has handed over by the end of the turn."""
    loop.turn(now_ns)
    if not loop.belt.holds:
        link.acknowledge(ledger.handed(), ledger.written())


def starting(config: Config, in_force: InForce = NONE) -> Start:
    """What a life of the daemon that begins now begins with: what the journal says, and a name of its own."""
    said = latest(config.lane.state, RECOVERED)
    holds = holds_of(lot_entries(config.lane.state))
    announced, heard = still_announced(said), heard_of(said)
    known = replace(recovered(said), holds=holds, tallies=tallied(said), announced=announced, heard=heard)
    id_prefix = f"{config.lane.name}-{uuid.uuid4().hex[:8]}"
    learnt = last(config.lane.state, ScaleLearnt.__name__)
    scale = ScaleLearnt(**learnt) if learnt else None
    return Start(id_prefix, time.monotonic_ns(), known, {**in_force}, believed(config), scale)


def believed(config: Config) -> dict[str, int]:
    """The calibrations that the lane last knew: name → version."""
    noted = last(config.lane.state, CalibrationsInForce.__name__)
    return dict(noted["known"]) if noted else {}


def shelf_of(config: Config) -> WatchedShelf | None:
    """The lane's calibrations, as they stand; None: it has none."""
    folder = config.calibration.folder
    if folder is None:
        return None
    shelf = Shelf(folder, config.calibration.trusted)
    return WatchedShelf(folder, shelf, config.here(), believed(config))


def known_totes(shelf: WatchedShelf) -> dict[str, KnownTotes]:
    """What was calibrated of totes at each camera, of what is believed; read once.

    Raises:
        ReferencesRefused: a type was learnt in another way than this one.
    """
    types: defaultdict[str, list[ToteType]] = defaultdict(list)
    for name in shelf.told().good:
        one = shelf.believed(name)
        if one and one.step == "totes":
            content = shelf.beside(one.files[TOTE_FILE]).read_bytes()
            types[str(one.values["camera"])].append(ToteType.of_bytes(content, name))
    seen = {camera: shelf.believed(f"camera.{camera}") for camera in types}
    return {camera: KnownTotes(Plane.of(one.values), types[camera]) for camera, one in seen.items() if one}


def _end(link: Link, life: Life, state: str, why: str) -> None:
    """The station's last word, and its journal's."""
    life.ending = state, why
    link.announce(state, why)


def _watch_cameras(config: Config, shelf: WatchedShelf, cameras: AllCameras) -> CameraDrift:
    """Have what the cameras see held against what they were calibrated to, by the shelf's own thread."""
    limits = config.calibration.colour_warn, config.calibration.moved_warn_mm
    known = CalibratedCameras(config, shelf.believed, shelf.beside)
    drift = CameraDrift(cameras.grabbers, known, *limits)
    shelf.drift = drift
    return drift


def laid(config: Config, start: Start) -> Laid:
    """The lane as it is laid out from the start on: by its settings, and the calibrations before them."""
    return config.laid().by(numbers(start.in_force))


def _answers(link: Link) -> list[dict[str, Any]]:
    return [fields for topic in ANSWERS for _, fields in link.take(topic)]


def loop_of(config: Config, start: Start, ports: Ports, gate: Diverter, station: Station) -> Loop:
    """The core's parts, as an earlier life left them; the same for a lane that runs and for one that is replayed."""
    here, known = laid(config, start), start.known
    geometry, recipe = here.geometry, here.recipe
    return Loop(
        belt=BeltOverMqtt(ports.wire, geometry.counts_per_mm, config.belt.stale_after_ms, known, ports.today),
        camera=ports.camera,
        tracker=Tracker(geometry, start.id_prefix, known.items, known.announced),
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
        firing=FireTests(geometry, start.id_prefix),
        calibrations=ports.calibrations,
        calibrated=Calibrated(
            config.laid(), start.in_force, start.seen, Scale(config.calibration.scale_warn, start.scale)
        ),
    )


def _orders(config: Config, stack: ExitStack, link: Link) -> Sender:
    """What is owed to the warehouse, and who sends it; answers are heard on the lane's topics in any case."""
    outbox = LedgerOutbox(config.lane.state)
    stack.callback(outbox.close)
    told, most = partial(mqtt.replies, partial(_answers, link)), config.warehouse.give_up_after
    if config.warehouse.url is None:
        return Sender(outbox, RequestsOverMqtt(link), told, most)
    service = RequestsOverHttp(config.warehouse, config.lane.site, config.lane.name)
    service.start()
    stack.callback(service.stop)
    return Sender(outbox, service, lambda: [*told(), *service.replies()], most)


def _standing(link: Link, cameras: AllCameras) -> Standing:
    """Ready, once the broker is there and each camera has been opened or tells why not."""
    awaited = [*([] if link.connected.is_set() else ["the broker"]), *(f"camera '{one}'" for one in cameras.unheard())]
    return Standing(": ".join(link.said), ", ".join(awaited))
