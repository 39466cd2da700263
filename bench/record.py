"""What recording costs the lane: the loop's turns with and without it, and bytes an item.

`python -m bench.record [--items N] [--rounds N] [--json FILE]`

The daemon's own loop and parts in this process, a real mosquitto and the lane in software beside it; drawn packages of
960 × 540 px before two cameras. Rounds with and without recording take turns.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from edge.app import SWITCH_S, TURN_S
from edge.assembly import Lane, as_they_are, lane
from edge.config import load
from edge.demo import stage
from edge.demo.main import simulator_command, teach
from edge.demo.scene import Scene, drawn
from edge.demo.settings import LANE, SITE, SPEED_MM_PER_S, geometry, lane_toml
from edge.recording.keeper import Keeper, new_folder
from edge.recording.lines import FORMAT, FRAMES, Head
from edge.recording.recorder import Bounds, Recorder
from edge.recording.tape import Tape
from edge.records.journal import entries
from edge.simulator.plan import Plan, write_plan

NS_PER_MS = 1e6
RATE = 75  # items a minute
WITH, WITHOUT = "recorded", "unrecorded"
BEFORE_S = 2.0  # of the lane, until everything is warm

Turning = Callable[[int], None]
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Round:
    """One run of the lane."""

    turns_ms: list[float]
    latencies_ms: list[float]
    kept: Figures = field(default_factory=dict)  # of its recording


def main() -> int:
    """Rounds with and without recording, by turns; what they came to."""
    options = _options()
    console = Console()
    cv2.setNumThreads(1)
    sys.setswitchinterval(SWITCH_S)
    rounds: defaultdict[str, list[Round]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        scene = drawn(Path(name) / "drawn", options.items, 1, date.today())
        teach(scene, Path(name), console)
        for number in range(options.rounds):
            for what in (WITHOUT, WITH) if number % 2 else (WITH, WITHOUT):
                rounds[what].append(_round(scene, Path(name), what, Path(name) / f"{what}-{number}"))
    measured = {what: _measured(of_kind) for what, of_kind in sorted(rounds.items())}
    _print(measured, console)
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n")
    return 0


def _measured(rounds: list[Round]) -> dict[str, Figures]:
    """All rounds of a kind together."""
    kept = [one.kept for one in rounds if one.kept]
    return {
        "the loop's turn": percentiles([span_ms for one in rounds for span_ms in one.turns_ms]),
        "exposure to verdict": percentiles([span_ms for one in rounds for span_ms in one.latencies_ms]),
        "bytes an item": {name: float(np.mean([one[name] for one in kept])) for name in (kept[0] if kept else {})},
    }


def _round(scene: Scene, taught: Path, what: str, folder: Path) -> Round:
    """One run of the lane, recorded or not."""
    folder.mkdir()
    ports, places = stage.free_ports(), geometry(scene.frames)
    write_plan(folder / "plan.json", Plan(SITE, LANE, places, scene.items, SPEED_MM_PER_S, RATE))
    settings = lane_toml(scene, places, taught, ports).replace(f'"{taught}/state"', f'"{folder}/state"')
    (folder / "lane.toml").write_text(settings)
    tape = Tape()
    listen = tape.ports if what == WITH else as_they_are
    with stage.broker(folder, ports.broker), lane(load(folder / "lane.toml"), listen) as parts:
        if what == WITHOUT:
            return Round(run(folder, ports, parts.turn), latencies_ms(folder))
        with _recording(folder / "kept", parts, tape) as turn:
            turns_ms = run(folder, ports, turn)
    return Round(turns_ms, latencies_ms(folder), _written(folder / "kept", len(scene.items)))


@contextmanager
def _recording(folder: Path, parts: Lane, tape: Tape) -> Iterator[Turning]:
    head = Head(format=FORMAT, made_by="bench", recorded="", lane=LANE, start=parts.start, models=dict(parts.versions))
    recorder = Recorder(Keeper(new_folder(folder), head, b"", folder), Bounds(2**40))
    with recorder.running():
        yield tape.turning(parts.turn, recorder.offer)
        recorder.end("the lane has run empty")
    print(f"the recording has ended: {recorder.because}")


def run(folder: Path, ports: stage.Ports, turn: Turning) -> list[float]:
    """Turn as the daemon does until the lane has run empty."""
    spans_ms: list[float] = []
    with stage.process(simulator_command(folder, ports), folder / "lane.log") as simulator:
        warm_ns = time.monotonic_ns() + BEFORE_S * 1e9
        while simulator.poll() is None:
            started_ns = time.monotonic_ns()
            turn(started_ns)
            if started_ns > warm_ns:
                spans_ms.append((time.monotonic_ns() - started_ns) / NS_PER_MS)
            time.sleep(TURN_S)
    stage.demand_success(simulator, "the lane", folder / "lane.log")
    return spans_ms


def latencies_ms(folder: Path) -> list[float]:
    """From the last exposure to the verdict, item by item."""
    said = [body for _, kind, _, body in entries(folder / "state") if kind == "Verdict" and body["exposed_ns"]]
    return [(one["decided_ns"] - one["exposed_ns"]) / NS_PER_MS for one in said]


def _written(folder: Path, items: int) -> dict[str, float]:
    """What a recording holds, in bytes an item."""
    pictures = [path.stat().st_size for path in (folder / FRAMES).iterdir()]
    rest = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    return {"pictures": len(pictures), "of_pictures": sum(pictures) / items, "of_the_rest": rest / items}


def percentiles(spans_ms: list[float]) -> Figures:
    p50, p99, p999 = (float(one) for one in np.percentile(spans_ms, (50, 99, 99.9)))
    return {"count": len(spans_ms), "p50_ms": p50, "p99_ms": p99, "p99.9_ms": p999, "most_ms": max(spans_ms)}


def _print(measured: dict[str, dict[str, Figures]], console: Console) -> None:
    table = Table("", "", "count", "p50 ms", "p99 ms", "p99.9 ms", "most ms")
    for what, rows in measured.items():
        for name in ("the loop's turn", "exposure to verdict"):
            count, *figures = rows[name].values()
            table.add_row(what, name, f"{count:.0f}", *(f"{one:.3f}" for one in figures))
    console.print(table)
    console.print({name: round(value) for name, value in measured[WITH]["bytes an item"].items()})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The loop's turns with and without recording; bytes an item.")
    parser.add_argument("--items", type=int, default=40, help="of each round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of each kind (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
