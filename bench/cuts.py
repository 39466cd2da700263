"""A whole lane over GigE Vision whose camera loses its power again and again, beside the same lane undisturbed.

`python -m bench.cuts [--cuts N] [--json FILE]`: real mosquitto, the daemon, two GigE Vision cameras in software and a
film; one camera is without power for some seconds, N times, at any moment. The loop's turns are read from the daemon's
own histogram; when a cut was told and when the camera was well again, from its journal.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from edge.core.belt import NS_PER_S
from edge.demo import film, stage
from edge.demo.main import ADDRESS, teach
from edge.demo.scene import Scene, drawn
from edge.demo.settings import FILM, LANE, SITE, SPEED_MM_PER_S, geometry, lane_toml
from edge.pictures import read_picture
from edge.records.journal import entries
from edge.simulator.camera import Wire
from edge.simulator.gige.wire import GigeWire
from edge.simulator.plan import Plan
from edge.simulator.run import Patience, simulate

CAMERA = "side"  # the print's: required
DRAWN = 40
RATE = 75.0  # items a minute
DOWN_S, UP_S = (1.0, 4.0), (5.0, 9.0)  # without power, and with it again, by lot
TURN = "tunnel_loop_turn_seconds_bucket"


@dataclass
class Cuts:
    """Takes the power of one camera and gives it back, so many times."""

    number: int
    at_ns: list[tuple[int, int]] = field(default_factory=list)  # from and until, monotonic

    def begin(self, wire: Wire) -> None:
        """In a thread of its own, while the lane runs."""
        if isinstance(wire, GigeWire):
            threading.Thread(target=self._run, args=(wire,), daemon=True).start()

    def _run(self, wire: GigeWire) -> None:
        chance = np.random.default_rng(1)
        time.sleep(12)
        for _ in range(self.number):
            began_ns = time.monotonic_ns()
            wire.power(CAMERA, on=False)
            time.sleep(chance.uniform(*DOWN_S))
            wire.power(CAMERA, on=True)
            self.at_ns.append((began_ns, time.monotonic_ns()))
            time.sleep(chance.uniform(*UP_S))


def main() -> int:
    """Print the two runs side by side."""
    options = _options()
    console = Console()
    seconds = 30 + options.cuts * (sum(DOWN_S) + sum(UP_S)) / 2
    with tempfile.TemporaryDirectory(prefix="tunnel-edge-cuts-") as name:
        folder = Path(name)
        scene = _scene(folder, round(seconds * RATE / 60))
        teach(scene, folder, console)
        runs = {
            what: _run(scene, folder, cuts, seconds, console)
            for what, cuts in (("undisturbed", 0), ("cut", options.cuts))
        }
    _print(runs, console)
    if options.json:
        options.json.write_text(json.dumps(runs, indent=1) + "\n")
    return 0


def _scene(folder: Path, count: int) -> Scene:
    scene = drawn(folder / "drawn", DRAWN, 1, date.today())
    items = tuple(
        replace(scene.items[n % DRAWN], wms_item=f"wms-{n:05d}", order_line=f"order-{n:05d}") for n in range(count)
    )
    return replace(scene, items=items)


def _run(scene: Scene, folder: Path, cuts: int, seconds: float, console: Console) -> dict[str, Any]:
    """One run of the lane; what came of it."""
    power = Cuts(cuts)
    addresses = {name: ADDRESS.format(n) for n, name in enumerate(sorted(scene.frames), 1)}
    ports = replace(stage.free_ports(), cameras=addresses)
    here = folder / f"run-{cuts}"
    here.mkdir()
    for name in ("references", "belts"):
        (here / name).symlink_to(folder / name)
    film.shoot(map(read_picture, scene.frames["top"]), seconds + 60, here / FILM)
    lane = geometry(scene.frames)
    (here / "lane.toml").write_text(lane_toml(scene, lane, here, ports))
    plan = Plan(SITE, LANE, lane, scene.items, SPEED_MM_PER_S, RATE)
    with (
        stage.broker(here, ports.broker),
        stage.process(stage.own_command("run", str(here / "lane.toml")), here / "daemon.log"),
        console.status(f"{len(scene.items)} items, {cuts} power cuts"),
    ):
        simulate(
            plan,
            "127.0.0.1",
            ports.broker,
            addresses,
            here / "truth.json",
            patience=Patience(grace_s=8),
            wired=power.begin,
        )
        turns = _turns(ports.metrics)
    said = [(kind, body) for _, kind, _, body in entries(here / "state")]
    return {"turn_ms": turns, **_told(said, power.at_ns), **_ends(said)}


def _turns(port: int) -> dict[str, float]:
    """Percentiles of the loop's turn, ms, from the daemon's histogram: the upper end of the bucket they fall into."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = [line for line in answer.read().decode().splitlines() if line.startswith(TURN)]
    edges = [(float(line.split('le="')[1].split('"')[0]), float(line.rsplit(" ", 1)[1])) for line in lines]
    total = edges[-1][1]
    found = {
        f"p{share:g}": next(edge for edge, count in edges if count >= total * share / 100) for share in (50, 99, 99.9)
    }
    return {name: edge * 1000 for name, edge in found.items()} | {"turns": total}


def _told(said: Sequence[tuple[str, Any]], cuts: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """After how long each cut was told, and each return."""
    alarms = [
        (body["raised_ns"], body["because"]) for kind, body in said if kind == "Alarm" and body["kind"] == "camera"
    ]
    of_camera = [(at_ns, because) for at_ns, because in alarms if f"'{CAMERA}'" in because]
    told_s, well_s = [], []
    for began_ns, ended_ns in cuts:
        told = next((at_ns for at_ns, because in of_camera if at_ns >= began_ns and "well again" not in because), None)
        well = next((at_ns for at_ns, because in of_camera if at_ns >= ended_ns and "well again" in because), None)
        told_s += [(told - began_ns) / NS_PER_S] if told else []
        well_s += [(well - ended_ns) / NS_PER_S] if well else []
    return {"cuts": len(cuts), "told_s": told_s, "well_s": well_s}


def _ends(said: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """How the items ended; and how many passed without valid evidence of the camera that was cut."""
    verdicts = {body["item_id"]: body["disposition"] for kind, body in said if kind == "Verdict"}
    ends = {body["item_id"]: body["end"] for kind, body in said if kind == "ItemEnd"}
    seen = {body["item_id"] for kind, body in said if kind == "Evidence" and body["camera"] == CAMERA and body["valid"]}
    unseen = [
        item for item, end in ends.items() if end == "passed" and (item not in seen or verdicts.get(item) != "pass")
    ]
    return {
        "ends": dict(Counter(ends.values())),
        "verdicts": dict(Counter(verdicts.values())),
        "passed_unseen": len(unseen),
    }


def _print(runs: dict[str, dict[str, Any]], console: Console) -> None:
    table = Table("", *runs)
    table.add_row("turns of the loop", *(f"{run['turn_ms']['turns']:.0f}" for run in runs.values()))
    for name in ("p50", "p99", "p99.9"):
        table.add_row(f"turn, {name}, at most ms", *(f"{run['turn_ms'][name]:g}" for run in runs.values()))
    for name in ("told_s", "well_s"):
        table.add_row(
            {"told_s": "told after, s", "well_s": "well again after, s"}[name],
            *(_spread(run[name]) for run in runs.values()),
        )
    for name in ("verdicts", "ends"):
        table.add_row(
            name, *(", ".join(f"{what} {count}" for what, count in sorted(run[name].items())) for run in runs.values())
        )
    table.add_row("passed without the camera's word", *(str(run["passed_unseen"]) for run in runs.values()))
    console.print(table)


def _spread(found: Sequence[float]) -> str:
    return f"{np.median(found):.1f}, at most {max(found):.1f} ({len(found)})" if found else "–"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A lane whose camera loses its power again and again.")
    parser.add_argument("--cuts", type=int, default=20, help="(default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
