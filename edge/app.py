"""The daemon's commands: run, check and record. Signals; exit codes."""

from __future__ import annotations

import argparse
import faulthandler
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import cv2

from edge import __version__, broker
from edge.assembly import Lane, known_totes, lane, shelf_of
from edge.broker import tls_of
from edge.cameras.assembly import demand, demand_node
from edge.config import Config, load
from edge.core.belt import NS_PER_MS, NS_PER_S
from edge.core.errors import CalibrationRefused, ConfigError, LedgerRefused, demand_all
from edge.core.topics import HEARTBEAT
from edge.credentials import where
from edge.inspection.assembly import Sessions, locator, questions, verify, verify_layouts
from edge.orders import http
from edge.recording.keeper import Keeper, new_folder
from edge.recording.lines import FORMAT, Head
from edge.recording.recorder import Bounds, Recorder
from edge.recording.tape import Tape
from edge.records import audit_key, logs
from edge.records.journal import Journal
from edge.records.lock import held
from edge.records.notify import Service
from edge.reread import Reread

TURN_S = 0.001
FINISH_NS = 4 * NS_PER_S  # told to end: at most so long for what is decided to be seen on its lane
BEAT_NS = round((HEARTBEAT.expiry_s or 0) * NS_PER_S)  # the last beat may be under way for so long
QUIET_NS = BEAT_NS + 1200 * NS_PER_MS  # then without heartbeat, until the gate is at its safe side: see `Blindness`
SWITCH_S = 0.0005  # a worker that computes in Python must not hold the interpreter's lock for 5 ms
MOST_MB = 2000  # of a recording
BYTES_PER_MB = 1_000_000
ROOM_MB = 200  # a few days of a journal
ROOM_BYTES = ROOM_MB * BYTES_PER_MB


def main(arguments: Sequence[str]) -> int:
    """`tunnel-edge run`: run a lane until SIGTERM or SIGINT."""
    path = _parser("run", "Run a lane's daemon.").parse_args(arguments).config
    config = load(path)
    logs.begin(config.lane.name)
    ending = _signals(reread := Reread(path, config))
    with held(config.lane.state), lane(config) as parts:
        reread.note = parts.note
        turn_until(ending, parts)
    return 0


def record(arguments: Sequence[str]) -> int:
    """`tunnel-edge record`: run a lane, and keep what comes in; where the recording ends, the lane runs on.

    Raises:
        RecordingRefused: the folder holds something, or cannot be written to.
    """
    options = _record_options(arguments)
    config, settings = load(options.config), options.config.read_bytes()
    folder, bounds = new_folder(options.out), Bounds(options.most_mb * BYTES_PER_MB, options.seconds, options.items)
    logs.begin(config.lane.name)
    ending, tape = _signals(reread := Reread(options.config, config)), Tape()
    with held(config.lane.state), lane(config, tape.ports) as parts:
        reread.note = parts.note
        recorder = Recorder(Keeper(folder, _head(config, parts), settings, config.inspection.references), bounds)
        with recorder.running():
            turn_until(ending, replace(parts, turn=tape.turning(parts.turn, recorder.offer)))
    print(f"{folder}: ended: {recorder.because}")  # noqa: T201 - the command's own voice
    return 0


def _head(config: Config, parts: Lane) -> Head:
    recorded = datetime.now(UTC).isoformat(timespec="seconds")
    versions = dict(parts.versions)
    return Head(
        format=FORMAT, made_by=__version__, recorded=recorded, lane=config.lane.name, start=parts.start, models=versions
    )


def _signals(reread: Reread) -> threading.Event:
    """Set when the daemon is told to end; also what else holds for the process."""
    faulthandler.enable()  # a watchdog ends us by SIGABRT: then the log says where each thread was
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    signal.signal(signal.SIGHUP, reread)
    sys.setswitchinterval(SWITCH_S)
    cv2.setNumThreads(1)  # the workers are the threads
    return ending


def check(arguments: Sequence[str]) -> int:
    """`tunnel-edge check`: settings, models, references and broker, without starting anything; all faults at once.

    Raises:
        ConfigError: with every fault that was found.
    """
    config = load(
        _parser("check", "Check a lane's settings, models, references and broker.").parse_args(arguments).config
    )
    sessions = Sessions(config.inspection.models, config.inspection.runtime)
    parts: tuple[Callable[[], object], ...] = (
        lambda: questions(config.inspection, config.recipe.rule, sessions),
        lambda: locator(config.inspection.belt_colours),
        lambda: verify(config.inspection.references, sessions),
        lambda: verify_layouts(config.inspection.print_layouts),
        lambda: _demand_archive(config.ledger.archive),
        *(partial(demand, camera) for camera in config.camera if not camera.node),
        *(partial(demand_node, camera, config.nodes) for camera in config.camera if camera.node_key),
        lambda: _demand_calibrations(config),
        lambda: config.audit.key and audit_key.read(where(config.audit.key)),
        lambda: _demand_room(config.lane.state),
        _demand_clock,
        lambda: broker.demand(config.broker.host, config.broker.port, tls_of(config.broker)),
        lambda: http.demand(config.warehouse),
    )
    demand_all(parts)
    print(f"good: lane {config.lane.name}, models {sessions.versions()}")  # noqa: T201 - the command's own voice
    return 0


def _demand_calibrations(config: Config) -> None:
    """What the daemon would refuse at its start; what will not do for long is told."""
    if (shelf := shelf_of(config)) is None:
        return
    told = shelf.told()
    for name, why in told.warned.items():
        print(f"{name}: {why}")  # noqa: T201 - the command's own voice
    if told.refused:
        raise CalibrationRefused("\n".join(f"calibration {name}: {why}" for name, why in told.refused.items()))
    known_totes(shelf)


def _demand_room(state: Path) -> None:
    Journal(state).close()
    if (free := shutil.disk_usage(state).free) < ROOM_BYTES:
        raise LedgerRefused(
            f"{state}: {free / BYTES_PER_MB:.0f} MB are free there: make room for {ROOM_MB} MB at least."
        )


def _demand_archive(archive: Path | None) -> None:
    if archive and not archive.is_dir():
        raise ConfigError(f"{archive}: [ledger] archive is no folder: mount it, or make it.")


def _demand_clock() -> None:
    """Dates on packages are held against this clock: it must be later than the day on which this release was made."""
    made, now = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC), datetime.now(UTC)
    if now < made:
        raise ConfigError(
            f"this box's clock says {now:%Y-%m-%d %H:%M}, its release is of {made:%Y-%m-%d}: set the clock."
        )


def turn_until(ending: threading.Event, parts: Lane) -> None:
    """Turn the loop until told to end, then finish what is at the gate and leave it to its safe side."""
    state, why = "Aborted", "the daemon failed: see its log"
    try:
        with closing(Service()) as service:
            _turn(parts, service, lambda _: ending.is_set())
            service.stopping()
            _finish(parts, service)
        state, why = "Stopped", "the daemon was told to stop"
    finally:
        parts.announce(state, why)


def _finish(parts: Lane, service: Service) -> None:
    """See what is decided onto its lane; then go on deciding, silently, until the gate stands at its safe side."""
    loop, told_ns = parts.loop, time.monotonic_ns()
    decided = loop.dispatcher.decided
    _turn(parts, service, lambda now_ns: now_ns > told_ns + FINISH_NS or not decided & loop.dispatcher.decided)
    parts.hush()
    quiet_ns = time.monotonic_ns()
    _turn(parts, service, lambda now_ns: now_ns > quiet_ns + QUIET_NS or not loop.tracker.items)


def _turn(parts: Lane, service: Service, ended: Callable[[int], bool]) -> None:
    """Turn until it has ended, by the monotonic time in ns; the time of each turn goes into a histogram."""
    while not ended(started_ns := time.monotonic_ns()):
        parts.turn(started_ns)
        parts.metrics.turn_s.observe((time.monotonic_ns() - started_ns) / NS_PER_S)
        service.turned(started_ns, parts.standing)
        time.sleep(TURN_S)


def _record_options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _parser(
        "record", "Run a lane's daemon, and keep what comes in. Where the recording ends the lane runs on."
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="a new folder for the recording")
    parser.add_argument("--seconds", type=float, help="end the recording after so long (default: with the daemon)")
    parser.add_argument("--items", type=int, help="end it when so many items have left the lane")
    parser.add_argument(
        "--most-mb", type=int, default=MOST_MB, help="end it when it is so large (default: %(default)s)"
    )
    return parser.parse_args(arguments)


def _parser(command: str, what: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"tunnel-edge {command}", description=what)
    parser.add_argument("config", type=Path, help="the lane's settings (TOML)")
    return parser
