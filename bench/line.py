"""The line's scoreboard: the daemon's own loop against a lane on a virtual clock, in which things go wrong.

`python -m bench.line --scenario NAME|all --items N --seed S [--lanes L] [--json FILE]`. The same seed gives the same
run; L lanes have the seeds from S on. Latencies are of the virtual clock: they tell what the loop, the protocol and the
scenario's delays come to, not how fast this machine is; `items_per_s` tells that.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from edge.conveyor.belt import BeltOverMqtt
from edge.conveyor.diverter import DiverterOverMqtt, StationOverMqtt
from edge.core.belt import NS_PER_S, Geometry
from edge.core.books import Books
from edge.core.dispatcher import Dispatcher
from edge.core.judge import Judge, Recipe, Rule
from edge.core.lots import OFF, Lots
from edge.core.recovery import recovered
from edge.core.supervision import Limits, Supervision
from edge.core.tracker import Tracker
from edge.loop import Loop
from edge.simulator.account import Account
from edge.simulator.scenario import Kind, Scenario, names, read_scenario, shipped
from edge.simulator.virtual import CHECK
from edge.simulator.virtual_box import Ports
from edge.simulator.virtual_lane import VirtualLane

STALE_AFTER_MS = 500
PATIENT_NS = 3 * NS_PER_S
LEAD_MARGIN_MS = 40  # beyond the gate's own time: network, the PLC's scan, the belt's change of speed
REJECTS_IN_A_ROW = 1000  # chance makes runs; here they must not stop the belt

WIDTH = 176  # of the table, at least
COLUMNS = (
    *("scenario", "viol.", "missed", "wrong", "false ppm", "undecided", "late (learnt so)", "escapes (as good)"),
    *("verdict p50/p99/p99.9 ms", "command p99", "safe ms", "items/s"),
)

Show = Callable[[int], None]
"""Called now and then with the number of items that have left."""


def _unseen(_gone: int) -> None:
    """Show nothing."""


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
        full_speed_mm_per_s=scenario.belt.speed_mm_per_s[1],
    )


def loop_of(ports: Ports) -> Loop:
    """The daemon's own loop and adapters of the PLC, over ports in memory, from what the journal says."""
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
            patient_until_ns=ports.clock_ns() + PATIENT_NS if ports.life > 1 else 0,
        ),
        supervision=Supervision(Limits(reject_run=REJECTS_IN_A_ROW)),
        diverter=DiverterOverMqtt(ports.link, ports.clock_ns),
        station=StationOverMqtt(ports.link, {}),
        ledger=ports.ledger,
        books=Books(len(known.items)),
        lots=Lots(OFF, ports.geometry, known, "bench"),
    )


@dataclass(slots=True)
class Run:
    """What came of one lane, or of several."""

    account: Account
    worst_ms: dict[str, float]
    unmet: Counter[Kind]
    faults: Counter[Kind]
    stops: int
    lane_s: float
    turns: int

    def add(self, other: Run) -> None:
        """Take another's figures in."""
        self.account.add(other.account)
        for kind, took_ms in other.worst_ms.items():
            self.worst_ms[kind] = max(took_ms, self.worst_ms.get(kind, 0.0))
        self.unmet += other.unmet
        self.faults += other.faults
        self.stops += other.stops
        self.lane_s += other.lane_s
        self.turns += other.turns


def run_lane(scenario: Scenario, count: int, seed: int, show: Show = _unseen) -> Run:
    """Run so many items down a scenario's lane."""
    lane = VirtualLane(scenario, geometry_of(scenario), loop_of, count, seed)
    lane.run(show)
    dangers = lane.dangers
    return Run(lane.account, dangers.worst_ms(), dangers.unmet, lane.faults.counts, lane.stops, lane.now_s, lane.turns)


def run_lanes(scenario: Scenario, count: int, seeds: Sequence[int], show: Show = _unseen) -> Run:
    """Share the items out among lanes with a seed each, as many at a time as there are cores."""
    share, rest = divmod(count, len(seeds))
    with ProcessPoolExecutor() as pool:
        lanes = [pool.submit(run_lane, scenario, share + (n < rest), seed) for n, seed in enumerate(seeds)]
        total = lanes[0].result()
        for done, lane in enumerate(lanes[1:], 1):
            show(done * share)
            total.add(lane.result())
    return total


def measure(scenario: Scenario, count: int, seed: int, show: Show = _unseen, lanes: int = 1) -> dict[str, Any]:
    """Run so many items down a scenario's lane, or several; the scoreboard's figures."""
    started_s = time.perf_counter()
    if lanes == 1:
        run = run_lane(scenario, count, seed, show)
    else:
        run = run_lanes(scenario, count, range(seed, seed + lanes), show)
    took_s = time.perf_counter() - started_s
    return {
        "scenario": scenario.name,
        "seed": seed,
        "lanes": lanes,
        **run.account.fields(),
        "time_to_safe_ms": run.worst_ms,
        "never_safe": dict(run.unmet),
        "faults": dict(run.faults),
        "stops": run.stops,
        "lane_s": run.lane_s,
        "turns": run.turns,
        "items_per_s": count / took_s,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 when anywhere an item was lost, or one was diverted for another."""
    options = _parser().parse_args(arguments)
    console = Console(width=max(WIDTH, Console().width))
    measured = []
    with Progress(console=console, transient=True) as progress:
        for scenario in _chosen(options):
            task = progress.add_task(scenario.name, total=options.items)
            show = partial(_show, progress, task)
            measured.append(measure(scenario, options.items, options.seed, show, options.lanes))
            progress.remove_task(task)
    console.print(_table(measured))
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n")
    return int(any(one["conservation_violations"] or one["wrong_item_ppm"] for one in measured))


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
        f"{one['deadline_misses']} ({one['learnt_late']})",
        f"{one['escapes']} ({one['escapes_as_good']})",
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
    parser.add_argument(
        "--lanes", type=int, default=1, help="share the items among so many lanes, a seed each, in parallel"
    )
    parser.add_argument("--json", type=Path, help="write the figures there")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
