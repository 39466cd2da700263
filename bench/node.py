"""A camera node behind a cable that is delayed, lossy, slow or cut: what arrives, when, and that none is judged late.

`python -m bench.node [--seconds N] [--congestion cubic] [--json FILE]`, as root, with `ip` and /dev/net/tun: the node
is `tunnel-edge node` in a network namespace and a time namespace of its own (its monotonic clock is 5000 s ahead), with
two cameras of 640 × 480 px in colour, 20 frames a second each, beside a belt in software.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import zmq
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.cable import SOUND, Cable, Fault, cable, unavailable
from edge.cameras.cameras import AllCameras
from edge.cameras.line import Peer
from edge.cameras.node import NodeCameras
from edge.core.belt import NS_PER_MS, NS_PER_S, Geometry
from edge.core.errors import ConfigError
from edge.core.messages import BeltReading, End, ItemEnd, PhotoeyeEdge
from edge.core.tracker import Tracker
from edge.keys import make, own, public

PORT, AHEAD_S = 5571, 5000
TURN_S, SWITCH_S = 0.001, 0.0005  # as the daemon's
SPEED_MM_PER_S, PITCH_MM, LENGTH_MM = 600.0, 400.0, 200.0
CAMERAS_MM = {"top": 400.0, "side": 500.0}
GEOMETRY = Geometry(
    counts_per_mm=10,
    cameras_mm=CAMERAS_MM,
    view_mm=400,
    gate_mm=1500,
    confirm_mm=1700,
    exit_mm=1750,
    scanner_mm=0,
    lead_ms=150,
    margin_mm=30,
    tolerance_mm=60,
    patience_mm=300,
    free_running=frozenset(CAMERAS_MM),
    typical_length_mm=200,
)
KEEP_WINDOW = ("sh", "-c", "echo 0 > /proc/sys/net/ipv4/tcp_slow_start_after_idle")
NODE = """
[node]
listen = "tcp://{address}:{port}"
key = "{folder}/node.key_secret"
boxes = ["{folder}/box.key"]
"""
CAMERA = """
[[camera]]
name = "{name}"
opencv = "{folder}/pictures"
settings = {{ rate = {rate} }}
sees_mm = 400
"""


ARRIVED = ("taken", "lost", "expired", "dropped", "unclear")


@dataclass(frozen=True, slots=True)
class Condition:
    """What the cable suffers while it is measured."""

    name: str
    fault: Fault
    before: Fault = SOUND  # while the two get to know each other
    cut_s: float = 0.0  # in the middle
    ready: bool = False  # the node's TCP keeps its window while it is idle: see docs/node.toml


CONDITIONS = (
    Condition("nominal", SOUND),
    Condition("200 ms", Fault(delay_ms=200)),
    Condition("200 ms, window kept", Fault(delay_ms=200), ready=True),
    Condition("200 ms from the start", Fault(delay_ms=200), before=Fault(delay_ms=200)),
    Condition("5 % loss", Fault(loss=0.05)),
    Condition("200 ms, 5 % loss", Fault(delay_ms=200, loss=0.05)),
    Condition("2 MB/s", Fault(rate_mb_per_s=2)),
    Condition("cut for 3 s", SOUND, cut_s=3.0),
)


class Belt:
    """Runs evenly, with an item every `PITCH_MM`."""

    def __init__(self, speed_mm_per_s: float = SPEED_MM_PER_S) -> None:
        self.speed_mm_per_s = speed_mm_per_s
        self._begun_ns = time.monotonic_ns()
        self._edges = 0

    def reading(self, now_ns: int) -> BeltReading:
        """As a PLC would tell it."""
        counts = self.speed_mm_per_s * GEOMETRY.counts_per_mm * (now_ns - self._begun_ns) / NS_PER_S
        return BeltReading(now_ns, counts, self.speed_mm_per_s, induct_edges=tuple(self._passed(counts)))

    def _passed(self, counts: float) -> Iterator[PhotoeyeEdge]:
        while (place := self._place(self._edges)) <= counts:
            yield PhotoeyeEdge(self._edges, place, dark=self._edges % 2 == 0)
            self._edges += 1

    def _place(self, edge: int) -> int:
        return GEOMETRY.counts(edge // 2 * PITCH_MM + edge % 2 * LENGTH_MM)


@dataclass(slots=True)
class Seen:
    """What the tracker was handed."""

    frames: int = 0
    sightings: int = 0
    late: int = 0  # after the item's deadline, or two seconds after exposure
    pixels: int = 0  # bytes
    shapes: set[tuple[int, ...]] = field(default_factory=set)
    items: set[tuple[str, str]] = field(default_factory=set)  # item and camera
    ages_ms: list[float] = field(default_factory=list)  # from exposure to hand-over, by the node's estimated clock


class Box:
    """The part of a daemon that has to do with cameras: the loop's turns, real sockets, the real tracker."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], peer: Peer, cameras: Sequence[str] = ()) -> None:
        self.node = NodeCameras(context, peer, cameras or list(CAMERAS_MM), GEOMETRY)
        self.cameras = AllCameras([], [], [self.node])
        self.tracker = Tracker(GEOMETRY, "bench")
        self.belt = Belt()
        self.seen = Seen()
        self.faults: dict[str, str] = {}
        self.turns_ms: list[float] = []
        self.node.start()

    def turn(self) -> None:
        """One of the loop's."""
        started_ns = time.monotonic_ns()
        reading = self.belt.reading(started_ns)
        frames = self.cameras.grab(reading, self.tracker.items)
        tracked = self.tracker.update(reading, frames)
        self.faults = dict(self.cameras.faults())
        for frame in frames:
            self.seen.frames += 1
            top, bottom, left, right = frame.shown or (0, 0, 0, 0)
            part = frame.image[top:bottom, left:right]
            self.seen.pixels += part.nbytes
            self.seen.shapes.add(part.shape)
            self.seen.ages_ms.append((time.monotonic_ns() - frame.exposed_ns) / NS_PER_MS)
            self.seen.late += self.seen.ages_ms[-1] > 2000
        for sighting in tracked.sightings:
            self.seen.sightings += 1
            self.seen.items.add((sighting.item.item_id, sighting.frame.camera))
            self.seen.late += sighting.deadline_ns < reading.read_ns
        gone = [one for one in self.tracker.items.values() if GEOMETRY.window(one)[1] < reading.counts]
        self.tracker.forget(ItemEnd(one.item_id, End.PASSED, None, reading.read_ns) for one in gone)
        self.turns_ms.append((time.monotonic_ns() - started_ns) / NS_PER_MS)

    def run(self, seconds: float) -> Seen:
        """Turn for a while; what was seen meanwhile."""
        self.seen, end_s = Seen(), time.monotonic() + seconds
        while time.monotonic() < end_s:
            self.turn()
            time.sleep(TURN_S)
        return self.seen

    def stop(self) -> None:
        """End its thread."""
        self.node.stop()


def prepare(folder: Path, address: str, rate: float = 20.0, cameras: Sequence[str] = tuple(CAMERAS_MM)) -> Peer:
    """Keys, pictures and settings of a node; how the box reaches it."""
    for name in ("node", "box"):
        make(folder, name)
    (folder / "pictures").mkdir()
    chance = np.random.default_rng(0)
    for number in range(8):
        picture = chance.integers(0, 256, (480, 640, 3), np.uint8)
        cv2.imwrite(str(folder / "pictures" / f"{number}.png"), picture)
    text = NODE.format(address=address, port=PORT, folder=folder)
    text += "".join(CAMERA.format(name=name, folder=folder, rate=rate) for name in cameras)
    (folder / "node.toml").write_text(text)
    return Peer(f"tcp://{address}:{PORT}", public(folder / "node.key"), own(folder / "box.key_secret"))


@contextmanager
def node(way: Cable, folder: Path, ahead_s: int = AHEAD_S) -> Iterator[subprocess.Popen[bytes]]:
    """`tunnel-edge node` at the far end."""
    command = [sys.executable, "-m", "edge", "node", str(folder / "node.toml")]
    with (folder / "node.log").open("a") as log, subprocess.Popen(way.there(command, ahead_s), stderr=log) as process:
        try:
            yield process
        finally:
            process.terminate()


def main() -> int:
    """Print the table."""
    options = _options()
    if why := unavailable():
        raise ConfigError(f"there is no cable here: {why}.")
    console = Console()
    rows = {}
    chosen = [one for one in CONDITIONS if options.only in ("", one.name)]
    for condition in track(chosen, "conditions", console=console, transient=True):
        rows[condition.name] = _measured(condition, options.seconds, options.congestion)
    console.print(_table(rows))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


def _measured(condition: Condition, seconds: float, congestion: str) -> dict[str, float]:
    with (
        tempfile.TemporaryDirectory() as name,
        cable(congestion=congestion) as way,
        zmq.Context() as context,
    ):
        peer = prepare(Path(name), way.far)
        way.suffer(condition.before)
        if condition.ready:
            subprocess.run(way.there(KEEP_WINDOW), check=True)
        with node(way, Path(name)):
            sys.setswitchinterval(SWITCH_S)
            box = Box(context, peer)
            try:
                box.run(5.0)
                return _during(condition, box, way, seconds)
            finally:
                box.stop()


def _during(condition: Condition, box: Box, way: Cable, seconds: float) -> dict[str, float]:
    before, told_s = Counter(box.cameras.at_nodes()), 0.0
    box.turns_ms.clear()
    way.suffer(condition.fault)
    seen = box.run(seconds / 2 if condition.cut_s else seconds)
    if condition.cut_s:
        seen, told_s = _cut(condition.cut_s, box, way, seen)
        seen = _joined(seen, box.run(seconds / 2))
    clock = box.node.clock.offset(time.monotonic_ns())
    after = Counter(box.cameras.at_nodes())
    return _figures(seen, after - before, clock or (0, 0), seconds + condition.cut_s, told_s, box)


def _cut(cut_s: float, box: Box, way: Cable, seen: Seen) -> tuple[Seen, float]:
    """Cut it, and see how soon that is told."""
    way.suffer(Fault(cut=True))
    begun_s, told_s = time.monotonic(), 0.0
    while (now_s := time.monotonic() - begun_s) < cut_s:
        seen = _joined(seen, box.run(0.02))
        told_s = told_s or (now_s if len(box.faults) == len(CAMERAS_MM) else 0.0)
    way.suffer(SOUND)
    return seen, told_s


def _joined(one: Seen, two: Seen) -> Seen:
    return Seen(
        one.frames + two.frames,
        one.sightings + two.sightings,
        one.late + two.late,
        one.pixels + two.pixels,
        one.shapes | two.shapes,
        one.items | two.items,
        one.ages_ms + two.ages_ms,
    )


def _figures(
    seen: Seen, counts: Counter[tuple[str, ...]], clock: tuple[int, int], seconds: float, told_s: float, box: Box
) -> dict[str, float]:
    became: Counter[str] = Counter()
    for (_, outcome), count in counts.items():
        became[outcome] += count
    p50_ms, p99_ms = np.percentile(seen.ages_ms, (50, 99)) if seen.ages_ms else (np.nan, np.nan)
    items = seconds * SPEED_MM_PER_S / PITCH_MM * len(CAMERAS_MM)
    return {
        "sent": became["sent"],
        "taken": became["taken"],
        "under way": became["sent"] - sum(became[one] for one in ARRIVED),
        "lost": became["lost"],
        "dropped at node": became["dropped_there"],
        "expired at node": became["expired_there"],
        "expired at box": became["expired"],
        "dropped at box": became["dropped"],
        "unclear": became["unclear"],
        "late": seen.late,
        "p50 ms": round(float(p50_ms), 1),
        "p99 ms": round(float(p99_ms), 1),
        "MB/s": round(seen.pixels / seconds / 1e6, 2),
        "items shown": round(min(1.0, len(seen.items) / items), 3),
        "clock ± ms": round(clock[1] / NS_PER_MS, 3),
        "truly ms": round((clock[0] - AHEAD_S * NS_PER_S) / NS_PER_MS, 3),
        "told after s": round(told_s, 2),
        "turn p50 ms": round(float(np.percentile(box.turns_ms, 50)), 3),
        "turn p99 ms": round(float(np.percentile(box.turns_ms, 99)), 3),
    }


def _table(rows: dict[str, dict[str, float]]) -> Table:
    names = list(next(iter(rows.values())))
    table = Table("", *rows, title="640 × 480 colour, two cameras, 20 frames a second each")
    for name in names:
        table.add_row(name, *(f"{row[name]:g}" for row in rows.values()))
    return table


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A camera node behind a cable that is delayed, lossy, slow or cut.")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each condition (default: %(default)s)")
    parser.add_argument("--congestion", default="cubic", help="bbr, reno (default: %(default)s, as Debian's)")
    parser.add_argument("--only", default="", help="one condition, by its name")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
