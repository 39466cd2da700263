"""What keeping evidence costs the lane: the loop's turns with and without it, bytes an item, and what a bad disk costs.

`python -m bench.evidence [--data FOLDER] [--items N] [--rounds N] [--crops-per-s N] [--json FILE]`

The daemon's own loop and parts in this process, a real mosquitto and the lane in software beside it; drawn packages, or
photographs with `--data` (a folder as `tunnel-edge demo --data` takes it). Within each run evidence is kept for five
seconds, then none is, and so on: beside what the lane itself shows, crops of the same pictures are offered to the desk,
so that it has `--crops-per-s` of them in all.

usual: on this disk. slow: each file takes 300 ms longer to be durable. full: the lane's state lies on a disk of its own
(a tmpfs; as root) that is filled to the last byte.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, cast

import cv2
from rich.console import Console
from rich.table import Table

from bench.disks import filled, slow, small, usual
from bench.phases import FED, WITH, WITHOUT, Phases
from bench.record import NS_PER_MS, RATE, percentiles, run
from edge.app import SWITCH_S
from edge.assembly import lane
from edge.config import load
from edge.core.ports import Ports
from edge.demo import stage
from edge.demo.main import teach
from edge.demo.scene import Scene, drawn, photographed
from edge.demo.settings import LANE, SITE, SPEED_MM_PER_S, geometry, lane_toml
from edge.pictures import read_picture
from edge.records.evidence.desk import EvidenceDesk
from edge.records.journal import entries
from edge.records.writer import RETRIES_S, Ledger
from edge.simulator.plan import Plan, write_plan

USUAL = "usual"
KINDS = {USUAL: (usual, usual), "slow": (slow, usual), "full": (small, filled)}
"""What the state lies on, and what is done to it while the lane runs."""
SHOWN = ("crop", "heat_map", "annotated")
PATIENT_S, S_PER_MINUTE = 60.0, 60


@dataclass(frozen=True, slots=True)
class Round:
    """One run of the lane."""

    turns_ms: dict[str, list[float]]  # with and without evidence
    latencies_ms: list[float]
    verdicts: Counter[str]  # by disposition
    kept: Counter[str]  # see `_sizes`
    lost: Counter[str]  # pictures, by why


def main() -> int:
    """Rounds of every kind, by turns; what they came to."""
    options = _options()
    console = Console(width=150)
    cv2.setNumThreads(1)
    sys.setswitchinterval(SWITCH_S)
    rounds: defaultdict[str, list[Round]] = defaultdict(list)
    kinds = list(KINDS)[: None if os.geteuid() == 0 else -1]
    with tempfile.TemporaryDirectory() as name:
        scene = _scene(options, Path(name))
        teach(scene, Path(name), console)
        for number in range(options.rounds):
            for kind in kinds[number % len(kinds) :] + kinds[: number % len(kinds)]:
                rounds[kind].append(
                    _round(scene, Path(name), kind, Path(name) / f"{kind}-{number}", options.crops_per_s)
                )
    found = {kind: _measured(rounds[kind]) for kind in kinds}
    _print(found, console)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


def _scene(options: argparse.Namespace, folder: Path) -> Scene:
    if not options.data:
        return drawn(folder / "drawn", options.items, 1, date.today())
    scene = photographed(options.data, None, 1)
    return replace(scene, items=scene.items[: options.items])


def _round(scene: Scene, taught: Path, kind: str, folder: Path, crops_per_s: float) -> Round:
    """One run of the lane."""
    state = folder / "state"
    state.mkdir(parents=True)
    ports, places = stage.free_ports(), geometry(scene.frames)
    write_plan(folder / "plan.json", Plan(SITE, LANE, places, scene.items, SPEED_MM_PER_S, RATE))
    settings = lane_toml(scene, places, taught, ports).replace(f'"{taught}/state"', f'"{state}"')
    (folder / "lane.toml").write_text(settings)
    heard: list[Ports] = []
    disk, meanwhile = KINDS[kind]
    with disk(state):
        with stage.broker(folder, ports.broker), lane(load(folder / "lane.toml"), partial(_listened, heard)) as parts:
            ledger = cast(Ledger, heard[0].ledger)
            desk = next(one for one in ledger.writers if isinstance(one, EvidenceDesk))
            images = [read_picture(path) for one in scene.items[:8] for path in one.pictures.values()]
            phases = Phases(desk, images, crops_per_s - len(scene.frames) * RATE / S_PER_MINUTE)
            with phases.running(), meanwhile(state):
                run(folder, ports, partial(phases.timed, parts.turn))
            _await_journal(ledger)
        said = [(name, body) for _, name, _, body in entries(state)]
    verdicts = Counter(body["disposition"] for name, body in said if name == "Verdict")
    return Round(phases.turns_ms, _latencies_ms(said), verdicts, _sizes(said), Counter(desk.lost))


def _listened(heard: list[Ports], ports: Ports) -> Ports:
    heard.append(ports)
    return ports


def _await_journal(ledger: Ledger) -> None:
    """What the disk did not take is offered to it again: the lane's books must be whole before it ends."""
    end_s = time.monotonic() + PATIENT_S
    while ledger.writers[0].waiting() and time.monotonic() < end_s:
        time.sleep(0.1)
    time.sleep(RETRIES_S[-1] + 1)


def _latencies_ms(said: Sequence[tuple[str, Mapping[str, Any]]]) -> list[float]:
    """From the last exposure to the verdict, item by item."""
    decided = [body for name, body in said if name == "Verdict" and body["exposed_ns"]]
    return [(one["decided_ns"] - one["exposed_ns"]) / NS_PER_MS for one in decided]


def _sizes(said: Sequence[tuple[str, Mapping[str, Any]]]) -> Counter[str]:
    """Bytes and pictures that were kept, of the lane's own items by what they show, and of what was fed."""
    kept = [body for name, body in said if name == "EvidenceKept"]
    sizes = Counter({"items": len({body["item_id"] for body in kept if not body["item_id"].startswith(FED)})})
    for body in kept:
        for one in body["pictures"]:
            what = FED if one["camera"] == FED else one["what"]
            sizes[what] += one["bytes"]
            sizes[f"{what}s"] += 1
            sizes["outline"] += len(json.dumps(one["outline"])) if what == SHOWN[0] and "outline" in one else 0
    return sizes


def _measured(rounds: Sequence[Round]) -> dict[str, Any]:
    """All rounds of a kind together."""
    kept = sum((one.kept for one in rounds), Counter[str]())
    return {
        **{
            what: percentiles([span_ms for one in rounds for span_ms in one.turns_ms[what]]) for what in (WITHOUT, WITH)
        },
        "exposure to verdict": percentiles([span_ms for one in rounds for span_ms in one.latencies_ms]),
        "verdicts": dict(sum((one.verdicts for one in rounds), Counter[str]())),
        "pictures": {name: kept[f"{name}s"] for name in (*SHOWN, FED)},
        "bytes an item": {name: kept[name] / max(1, kept["items"]) for name in (*SHOWN, "outline")},
        "dropped": dict(sum((one.lost for one in rounds), Counter[str]())),
    }


def _print(found: Mapping[str, Mapping[str, Any]], console: Console) -> None:
    table = Table("disk", "turns of the loop", "count", "p50 ms", "p99 ms", "p99.9 ms", "most ms")
    for kind, rows in found.items():
        for name in (WITHOUT, WITH, "exposure to verdict"):
            count, *figures = rows[name].values()
            table.add_row(kind, name, f"{count:.0f}", *(f"{one:.3f}" for one in figures))
    console.print(table)
    for kind, rows in found.items():
        console.print(kind, {name: rows[name] for name in ("verdicts", "pictures", "dropped")})
    console.print("bytes an item", {name: round(size) for name, size in found[USUAL]["bytes an item"].items()})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Evidence: the loop's turns with it and without, bytes an item, bad disks."
    )
    parser.add_argument("--data", type=Path, help="folder of photographs (default: packages are drawn)")
    parser.add_argument("--items", type=int, default=40, help="of each round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="of each kind (default: %(default)s)")
    parser.add_argument("--crops-per-s", type=float, default=20, help="that the desk gets (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
