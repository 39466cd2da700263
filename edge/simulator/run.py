"""A whole lane in software, in real time: `tunnel-edge simulate`."""

from __future__ import annotations

import argparse
import math
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from edge.broker import Address, host_and_port, keys_in
from edge.core.errors import ConfigError, LaneNotReady, TunnelEdgeError
from edge.core.topics import STATE, Topic
from edge.pictures import read_picture
from edge.simulator import plc, warehouse
from edge.simulator.camera import Cameras, Wire
from edge.simulator.events import Event, Exposure, Gone, Scanned
from edge.simulator.feed import Feed
from edge.simulator.gige.device import Size
from edge.simulator.gige.wire import GigeWire
from edge.simulator.mqtt import Party
from edge.simulator.plan import Plan, read_plan
from edge.simulator.plant import NS_PER_S, Plant, place_items
from edge.simulator.plc import Plc
from edge.simulator.truth import Lateness, Truth, write_truth
from edge.simulator.warehouse import Warehouse

SCAN_NS = 2_000_000
READY_STATES = ("Idle", "Execute")

Progress = Callable[[int, int], None]
"""Called with the number of items gone and of all, each time one leaves the lane."""


class Lane:
    """Plant, PLC, cameras and warehouse of one lane, turned together."""

    def __init__(self, plan: Plan, cameras: Cameras, plc_party: Party, warehouse_party: Party, start_ns: int) -> None:
        self.truth = Truth(plan)
        self.total = len(plan.items)
        self._plan = plan
        self._plant = Plant(plan.geometry, plan.speed_mm_per_s, plan.start_counts, start_ns)
        self._plc = Plc(plan, plc_party, self._plant.gate, start_ns)
        self._cameras = cameras
        self._warehouse = Warehouse(warehouse_party, plan.items)

    @property
    def empty(self) -> bool:
        """Whether no item is on the belt or before it."""
        return self._plant.on_belt == 0

    def load(self) -> None:
        """Lay the plan's items on the belt, before the scanner."""
        self._plant.load(place_items(self._plan, self._plant.counts))

    def turn(self, now_ns: int) -> list[Event]:
        """Let the belt run until now, and everyone do what is due; what the plant did meanwhile."""
        events = self._plant.advance(now_ns)
        self._plc.scan(now_ns, self._plant.counts, events)
        for event in events:
            self._tell(event)
            self.truth.note(event)
        self._warehouse.answer()
        return events

    def fields(self) -> dict[str, Any]:
        """The truth so far."""
        return {
            **self.truth.fields(self._plc.program.accepted),
            "replacements": [{"request": name, **asdict(one)} for name, one in self._warehouse.requests.items()],
            "holds": [{"request": name, **asdict(one)} for name, one in self._warehouse.holds.items()],
            "stop_requests": self._plc.stop_requests,
            "refused": dict(self._plc.refused),
            "frames": {"sent": dict(self._cameras.sent), "missing": dict(self._cameras.missing)},
        }

    def _tell(self, event: Event) -> None:
        match event:
            case Scanned(index=index, counts=counts):
                self._warehouse.announce(index, counts)
                self._cameras.prepare(index, self._plan.items[index].pictures)
            case Exposure():
                self._cameras.expose(event)


class Scans:
    """Turns a lane on a fixed grid of times until told to stop; a scan that is missed is not made up for."""

    def __init__(self, lane: Lane, progress: Progress, stopped: threading.Event) -> None:
        self.lateness = Lateness()
        self._lane = lane
        self._progress = progress
        self._stopped = stopped

    def until(self, finished: Callable[[], bool], limit_s: float = math.inf) -> bool:
        """Scan until `finished()`, for `limit_s` at most, or until the run is stopped; False: the time was up."""
        due_ns = now_ns = time.monotonic_ns()
        end_ns = now_ns + limit_s * NS_PER_S
        while not (self._stopped.is_set() or finished()):
            if now_ns > end_ns:
                return False
            due_ns = max(due_ns + SCAN_NS, now_ns)
            time.sleep(max(0, due_ns - time.monotonic_ns()) / NS_PER_S)
            now_ns = time.monotonic_ns()
            self.lateness.note(now_ns - due_ns)
            self._scan(now_ns)
        return True

    def _scan(self, now_ns: int) -> None:
        if any(isinstance(event, Gone) for event in self._lane.turn(now_ns)):
            self._progress(self._lane.truth.gone, self._lane.total)


class Readiness:
    """What the box says of itself on the broker."""

    def __init__(self, party: Party) -> None:
        self.state = ""  # its last word
        self._party = party

    @property
    def ready(self) -> bool:
        """Whether items may come."""
        for message in self._party.received():
            self.state = message.fields["state"]
        return self.state in READY_STATES


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the lane waits, before the first item and after the last."""

    ready_s: float = 60.0  # the box loads its models meanwhile
    grace_s: float = 3.0  # for the last confirmations and requests


def simulate(
    plan: Plan,
    host: str,
    port: int,
    frames: str | Mapping[str, str],
    truth: Path,
    progress: Progress = lambda _gone, _total: None,
    stopped: threading.Event | None = None,
    patience: Patience = Patience(),
    wired: Callable[[Wire], None] = lambda _wire: None,
    keys: Path | None = None,
    asked: Sequence[Topic] = warehouse.TOPICS,
) -> None:
    """Run the plan to its end against the box on a broker, then write the truth as JSON.

    frames: the ZeroMQ endpoint that the cameras bind, or the address of each as a GigE Vision camera.
    wired: is shown the wire to the box, to disturb it. stopped: set it to end early; the truth is written all the same.
    keys: a site's folder by `tunnel-edge certs`; None: the broker is spoken to in clear.
    asked: what its warehouse answers; none: another one does that.

    Raises:
        BrokerUnreachable: no broker answers.
        ConfigError: the endpoint cannot be bound, or the truth has no folder to go to.
        LaneNotReady: the box has not said in time that it is ready.
    """
    if not truth.parent.is_dir():
        raise ConfigError(f"{truth}: there is no folder {truth.parent}: make it first.")
    plain = Address(host, port, plan.site, plan.lane)
    address = {role: replace(plain, tls=keys_in(keys / of) if keys else None) for role, of in _roles(plan.lane).items()}
    stopped = stopped or threading.Event()
    with ExitStack() as stack:
        wire = _wire(plan, frames)
        wired(wire)
        cameras = stack.enter_context(Cameras(wire))
        plc_party = stack.enter_context(Party("plc", address["plc"], plc.TOPICS))
        warehouse_party = stack.enter_context(Party("wms", address["wms"], asked))
        readiness = Readiness(stack.enter_context(Party("lane", address["console"], [STATE])))
        lane = Lane(plan, cameras, plc_party, warehouse_party, time.monotonic_ns())
        scans = Scans(lane, progress, stopped)
        _run(lane, scans, readiness, patience)
        write_truth(truth, {**lane.fields(), "scan": scans.lateness.fields()})


def _roles(lane: str) -> dict[str, str]:
    """Role → its folder among a site's keys."""
    return {"plc": f"{lane}/plc", "wms": "wms", "console": "console"}


def _wire(plan: Plan, frames: str | Mapping[str, str]) -> Wire:
    return (
        Feed(frames) if isinstance(frames, str) else GigeWire(frames, {name: _size_px(plan, name) for name in frames})
    )


def _size_px(plan: Plan, camera: str) -> Size:
    """Of a camera's pictures: the largest of each way."""
    paths = {one.pictures[camera] for one in plan.items if camera in one.pictures}
    if not paths:
        raise ConfigError(f"--gige {camera}: the plan has no picture of such a camera: name one of its own.")
    shapes = [read_picture(path).shape for path in paths]
    return max(shape[1] for shape in shapes), max(shape[0] for shape in shapes)


def _run(lane: Lane, scans: Scans, readiness: Readiness, patience: Patience) -> None:
    """The belt runs empty until the box is ready, for the box may be waiting for the belt's first word."""
    if not scans.until(lambda: readiness.ready, patience.ready_s):
        raise LaneNotReady(
            f"the box has not said Idle or Execute within {patience.ready_s:g} s "
            f"(its last word: {readiness.state or 'none'}): start `tunnel-edge run` for this site and lane first."
        )
    lane.load()
    scans.until(lambda: lane.empty)
    scans.until(lambda: False, patience.grace_s)


def main(argv: Sequence[str] | None = None) -> int:
    """`tunnel-edge simulate`: 0 when the plan has run or was stopped by a signal, 2 when it could not run."""
    args = _parser().parse_args(argv)
    host, port = args.broker
    try:
        with _stopped_by_signals() as stopped:
            frames = args.frames or dict(args.gige)
            simulate(read_plan(args.plan), host, port, frames, args.truth, _show, stopped, keys=args.keys)
    except TunnelEdgeError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command's own voice
        return 2
    return 0


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """Set when the process is told to end; the handlers that were there before come back afterwards."""
    stopped = threading.Event()
    former = {one: signal.signal(one, lambda *_: stopped.set()) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopped
    finally:
        for one, handler in former.items():
            signal.signal(one, handler)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("tunnel-edge simulate", description="Run a lane in software against the daemon.")
    parser.add_argument("--plan", type=Path, required=True, help="JSON file: geometry, pace and items")
    parser.add_argument("--broker", type=host_and_port, default=("127.0.0.1", 1883), metavar="HOST:PORT")
    wires = parser.add_mutually_exclusive_group(required=True)
    wires.add_argument("--frames", metavar="ENDPOINT", help="what the cameras bind, as tcp://127.0.0.1:5560")
    wires.add_argument(
        "--gige",
        type=_camera_and_address,
        nargs="+",
        metavar="CAMERA=ADDRESS",
        help="GigE Vision cameras instead, as side=127.0.77.1",
    )
    parser.add_argument("--keys", type=Path, metavar="FOLDER", help="of a site, by `tunnel-edge certs`: speak TLS")
    parser.add_argument("--truth", type=Path, required=True, help="JSON file to write: what really happened")
    return parser


def _camera_and_address(text: str) -> tuple[str, str]:
    name, _, address = text.partition("=")
    return name, str(ip_address(address))


def _show(gone: int, total: int) -> None:
    print(f"{gone}/{total} items have left the lane", file=sys.stderr)  # noqa: T201 - the command's own voice
