"""The line's scoreboard: the daemon's own loop against a lane on a virtual clock, in which things go wrong.

`python -m bench.line --scenario NAME|all --items N --seed S [--json FILE]`. The same seed gives the same run. Latencies
are of the virtual clock: they tell what the loop, the protocol and the scenario's delays come to, not how fast this
machine is; `items_per_s` tells that.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from edge.conveyor.belt import BeltOverMqtt
from edge.core.belt import NS_PER_S, Geometry
from edge.core.books import Books
from edge.core.dispatcher import Dispatcher
from edge.core.judge import Judge, Recipe, Rule
from edge.core.recovery import recovered
from edge.core.supervision import Limits, Supervision
from edge.core.tracker import Tracker
from edge.loop import Loop
from edge.simulator.scenario import Scenario, names, read_scenario, shipped
from edge.simulator.virtual import CHECK
from edge.simulator.virtual_box import Ports
from edge.simulator.virtual_lane import VirtualLane

STALE_AFTER_MS = 500
PATIENT_NS = 3 * NS_PER_S
LEAD_MARGIN_MS = 40  # beyond the gate's own time: network, the PLC's scan, the belt's change of speed
REJECTS_IN_A_ROW = 1000  # chance makes runs; here they must not stop the belt

WIDTH = 156  # of the table, at least
COLUMNS = (
    *("scenario", "viol.", "missed", "wrong", "false ppm", "undecided", "late", "escapes"),
    *("verdict p50/p99/p99.9 ms", "command p99", "safe ms", "items/s"),
)

Show = Callable[[int], None]


def geometry_of(scenario: Scenario) -> Geometry:
    """The lane as a site would set it."""
    lane, items = scenario.lane, scenario.items
    return Geometry(
        counts_per_mm=lane.counts_per_mm,
        cameras_mm=lane.camera_mm,
        view_mm=300,
        gate_mm=lane.gate_mm,
        confirm_mm=lane.confirm_mm,
        exit_mm=lane.exit_mm,
        scanner_mm=lane.scanner_mm,
        lead_ms=lane.gate_ms + LEAD_MARGIN_MS,
        margin_mm=30,
        tolerance_mm=60,
        patience_mm=300,
        typical_length_mm=sum(items.length_mm) / 2,
        resync_mm=lane.resync_mm,
        longest_mm=items.length_mm[1] + 20,
        gap_min_mm=80,
    )


def loop_of(ports: Ports) -> Loop:
    """The daemon's own loop and belt, over ports in memory, from what the journal says."""
    recipe = Recipe("bench", (Rule(CHECK, tuple(ports.geometry.cameras_mm), required=True, reject_at=1.0),))
    known = recovered(ports.entries)
    return Loop(
        belt=BeltOverMqtt(ports.link, ports.geometry.counts_per_mm, STALE_AFTER_MS, known),
        camera=ports.cameras,
        tracker=Tracker(ports.geometry, f"bench-{ports.life}", known.items),
        inspector=ports.inspector,
        judge=Judge(recipe, ports.geometry, known.dispositions),
        dispatcher=Dispatcher(
            ports.geometry,
            "bench",
            divert_undecided=recipe.divert_undecided,
            dispositions=known.dispositions,
            patient_until_ns=ports.born_ns + PATIENT_NS if ports.life > 1 else 0,
        ),
        supervision=Supervision(Limits(reject_run=REJECTS_IN_A_ROW)),
        diverter=ports.diverter,
        station=ports.station,
        ledger=ports.ledger,
        books=Books(len(known.items)),
    )


def measure(scenario: Scenario, count: int, seed: int, show: Show = lambda _gone: None) -> dict[str, Any]:
    """Run so many items down a scenario's lane; the scoreboard's figures."""
    started_s = time.perf_counter()
    lane = VirtualLane(scenario, geometry_of(scenario), loop_of, count, seed)
    lane.run(show)
    took_s = time.perf_counter() - started_s
    return {
        "scenario": scenario.name,
        "seed": seed,
        **lane.account.fields(),
        "time_to_safe_ms": lane.dangers.worst_ms(),
        "never_safe": dict(lane.dangers.unmet),
        "faults": dict(lane.faults.counts),
        "stops": lane.stops,
        "lane_s": lane.now_s,
        "turns": lane.turns,
        "items_per_s": count / took_s,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 when an item was lost anywhere."""
    options = _parser().parse_args(arguments)
    console = Console(width=max(WIDTH, Console().width))
    measured = []
    with Progress(console=console, transient=True) as progress:
        for scenario in _chosen(options):
            task = progress.add_task(scenario.name, total=options.items)
            show = partial(_show, progress, task)
            measured.append(measure(scenario, options.items, options.seed, show))
            progress.remove_task(task)
    console.print(_table(measured))
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n")
    return int(any(one["conservation_violations"] for one in measured))


def _show(progress: Progress, task: TaskID, gone: int) -> None:
    progress.update(task, completed=gone)


def _chosen(options: argparse.Namespace) -> list[Scenario]:
    if options.file:
        return [read_scenario(options.file)]
    return [shipped(name) for name in (names() if options.scenario == "all" else [options.scenario])]


def _table(measured: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title="the line, scenario by scenario", box=box.SIMPLE)
    for column in COLUMNS:
        table.add_column(column, justify="left" if column == "scenario" else "right", no_wrap=True)
    for one in measured:
        table.add_row(*_row(one))
    return table


def _row(one: Mapping[str, Any]) -> list[str]:
    latency_ms = one["latency_ms"]
    return [
        one["scenario"],
        f"{one['conservation_violations']}",
        *(f"{one[f'{name}_ppm']:.0f}" for name in ("missed_divert", "wrong_item", "false_divert")),
        f"{one['no_decision_share']:.2%}",
        f"{one['deadline_misses']}",
        f"{one['escapes']}",
        "/".join(_brief(latency_ms[name]) for name in ("p50", "p99", "p999")),
        _brief(one["command_ms"]["p99"]),
        _brief(max(one["time_to_safe_ms"].values(), default=None)),
        f"{one['items_per_s']:.0f}",
    ]


def _brief(value_ms: float | None) -> str:
    return "–" if value_ms is None else f"{value_ms:.0f}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.line", description="The line's scoreboard.")
    parser.add_argument("--scenario", default="all", help=f"all, or one of {', '.join(names())}")
    parser.add_argument("--file", type=Path, help="a scenario of your own (TOML) instead")
    parser.add_argument("--items", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures there")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
