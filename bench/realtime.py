"""Whether every item has its verdict by its deadline, in real time, on a lane that asks for more than the box can do.

`python -m bench.realtime [--seconds S] [--speed MM_PER_S] [--pitch MM] [--stations N] [--json FILE]`

The daemon, a real mosquitto and the lane in software, each a process of its own; drawn packages. Each station is a pair
of cameras with every check the models can do; the first one's are required. The load is reckoned from what the checks
took in this run, so a box that something else slows is loaded the more.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from edge.demo import stage
from edge.demo.main import follow, simulator_command, teach
from edge.demo.scene import Scene, drawn
from edge.demo.score import Account, account
from edge.demo.settings import LANE, SITE, SPEED_MM_PER_S, geometry, lane_toml
from edge.settings_recipe import RuleSettings
from edge.simulator.plan import Geometry, Plan, PlannedItem, write_plan

NS_PER_S, NS_PER_MS = 1_000_000_000, 1e6
S_PER_MINUTE = 60
WORKERS = 2
DRAWN = 40  # packages, sent again and again under new names
TURN_MS = 1.0  # of the daemon's loop: a verdict at the first turn past the deadline is in time
STRETCHES = 10  # of the run, to see whether what is done stays the same


def main() -> int:
    """Run, then reckon; 0 when every item had its verdict by its deadline and the books balance."""
    options = _options()
    console = Console()
    count = round(options.seconds * options.speed / options.pitch)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scene = _scene(folder, options.stations, count)
        teach(scene, folder, console)
        run = _run(scene, folder, options, console)
    measured = reckon(run, options.seconds) | {"speed_mm_per_s": options.speed, "pitch_mm": options.pitch}
    _print(measured, console)
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n")
    return int(not run.complete or measured["later_than_a_turn"] > 0)


def reckon(run: Account, seconds: float) -> dict[str, Any]:
    """How late verdicts were, what the box was asked for, and which share of it was done in time."""
    verdicts = [one.verdict for one in run.stories if one.verdict]
    late_ms = np.array([one["decided_ns"] - one["deadline_ns"] for one in verdicts]) / NS_PER_MS
    checks = _checks(run)
    asked_s = sum(cost_s * len(verdicts) for _, cost_s in checks.values())
    return {
        "items": len(run.stories),
        "verdicts": len(verdicts),
        "conservation_violations": run.conservation["violations"],
        "undecided": sum(one["disposition"] == "no_decision" for one in verdicts),
        "later_than_a_turn": int((late_ms > TURN_MS).sum()),
        "latest_ms": float(late_ms.max()),
        "load": asked_s / (WORKERS * seconds),
        "checks": {
            name: {"cost_ms": cost_s * 1000, "done": float(np.mean(done)), "done_over_time": _over_time(done)}
            for name, (done, cost_s) in sorted(checks.items())
        },
    }


def _checks(run: Account) -> dict[str, tuple[Sequence[bool], float]]:
    """Of each check and camera: item by item whether it was done in time, and how long it takes, s.

    What was rejected is left out: the first thing that speaks against an item ends the others.
    """
    done: defaultdict[str, list[bool]] = defaultdict(list)
    took_s: defaultdict[str, list[float]] = defaultdict(list)
    names = {_name(one) for story in run.stories for one in story.evidence}
    for story in run.stories:
        if story.verdict is None or story.verdict["disposition"] == "reject":
            continue
        decided_ns = story.verdict["decided_ns"]
        began = {_name(one): one for one in story.evidence if one["started_ns"]}
        for name in names:
            done[name].append(name in began and began[name]["finished_ns"] <= decided_ns)
        for name, one in began.items():
            took_s[name].append((one["finished_ns"] - one["started_ns"]) / NS_PER_S)
    return {name: (done[name], float(np.mean(took_s[name])) if took_s[name] else 0.0) for name in names}


def _name(evidence: Mapping[str, Any]) -> str:
    return f"{evidence['camera']} {evidence['check']}"


def _over_time(done: Sequence[bool]) -> list[float]:
    """The share done in each stretch of the run."""
    return [round(float(np.mean(part)), 3) for part in np.array_split(np.array(done), STRETCHES)]


def _scene(folder: Path, stations: int, count: int) -> Scene:
    """Drawn packages before several pairs of cameras; lots and serials are read along with the dates."""
    scene = drawn(folder / "drawn", DRAWN, 1, date.today())
    names = {camera: [f"{camera}{n}" for n in range(1, stations + 1)] for camera in ("top", "side")}
    items = tuple(_item(scene.items[n % DRAWN], n, names) for n in range(count))
    normals = {(gtin, name): paths for (gtin, _), paths in scene.normals.items() for name in names["top"]}
    frames = {name: scene.frames[camera] for camera, of_camera in names.items() for name in of_camera}
    return replace(scene, items=items, rules=tuple(_rules(names)), normals=normals, frames=frames)


def _item(drawn_item: PlannedItem, number: int, names: Mapping[str, Sequence[str]]) -> PlannedItem:
    """The same package as an order of its own, seen by every station."""
    pictures = {name: drawn_item.pictures[camera] for camera, of_camera in names.items() for name in of_camera}
    return replace(drawn_item, wms_item=f"wms-{number:05d}", order_line=f"order-{number:05d}", pictures=pictures)


def _rules(names: Mapping[str, Sequence[str]]) -> list[RuleSettings]:
    """The first station's looks and dates are required; the others' would only confirm them."""
    rules = []
    for n, (top, side) in enumerate(zip(names["top"], names["side"], strict=True)):
        rules.append(RuleSettings(check="anomaly", cameras=(top,), required=n == 0, reject_at=1.0))
        rules.append(RuleSettings(check="expiry", cameras=(side,), required=n == 0, agrees="expiry"))
    return rules


def _run(scene: Scene, folder: Path, options: argparse.Namespace, console: Console) -> Account:
    """Broker, daemon and lane, until the last item is through."""
    ports = stage.free_ports()
    lane = _stretched(geometry(scene.frames), options.speed / SPEED_MM_PER_S)
    rate = options.speed / options.pitch * S_PER_MINUTE
    write_plan(folder / "plan.json", Plan(SITE, LANE, lane, scene.items, options.speed, rate))
    (folder / "lane.toml").write_text(lane_toml(scene, lane, folder, ports, options.speed))
    with (
        stage.broker(folder, ports.broker),
        stage.process(stage.own_command("run", str(folder / "lane.toml")), folder / "daemon.log") as daemon,
        stage.process(simulator_command(folder, ports), folder / "lane.log") as simulator,
    ):
        follow(simulator, daemon, ports.tap, len(scene.items), folder, Console(quiet=True))
    return account(folder / "state", folder / "truth.json", scene)


def _stretched(lane: Geometry, factor: float) -> Geometry:
    """A faster belt is built longer: an item takes as long from eye to gate."""
    return replace(
        lane,
        camera_mm={name: place_mm * factor for name, place_mm in lane.camera_mm.items()},
        gate_mm=lane.gate_mm * factor,
        confirm_mm=lane.confirm_mm * factor,
        exit_mm=lane.exit_mm * factor,
        scanner_mm=lane.scanner_mm * factor,
    )


def _print(measured: Mapping[str, Any], console: Console) -> None:
    console.print(
        f"{measured['items']} items, {measured['verdicts']} verdicts, latest {measured['latest_ms']:.1f} ms past its "
        f"deadline, {measured['later_than_a_turn']} by more than a turn; {measured['undecided']} undecided; "
        f"load {measured['load']:.2f} × what {WORKERS} workers can do"
    )
    table = Table("camera and check", "takes ms", "done in time", "tenth by tenth of the run")
    for name, one in measured["checks"].items():
        over_time = " ".join(f"{share:.0%}" for share in one["done_over_time"])
        table.add_row(name, f"{one['cost_ms']:.0f}", f"{one['done']:.1%}", over_time)
    console.print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Verdicts by their deadlines, in real time, under overload.")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--speed", type=float, default=2000, help="of the belt, mm/s (default: %(default)s)")
    parser.add_argument("--pitch", type=float, default=500, help="from item to item, mm (default: %(default)s)")
    parser.add_argument("--stations", type=int, default=8, help="pairs of cameras (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
