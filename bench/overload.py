"""What the planner gives up when there is more to look at than the box can: real models, real threads, real time.

`python -m bench.overload [--seconds S] [--factors F …] [--json FILE]`

Drawn packages come from two cameras at multiples of the rate that the box can serve in full; each item is to be decided
DEADLINE_S after its first picture. Beside the planner runs the plan that most queues have, first come, first served.
Figures are of this machine in this run: compare the columns, not runs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import cycle, islice, product
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.progress import Progress, track
from rich.table import Table

from edge.app import SWITCH_S, TURN_S
from edge.core.messages import Expected, Frame, Image, Item, Sighting
from edge.inspection.assembly import Sessions, locator, questions
from edge.inspection.crop import Question
from edge.inspection.inspector import Locate, ThreadedInspector
from edge.inspection.planner import Planner
from edge.inspection.waiting import Job
from edge.pictures import read_picture
from edge.settings import ROOT, InspectionSettings
from edge.settings_recipe import RuleSettings
from edge.simulator.draw import draw_items, normals
from edge.simulator.plan import PlannedItem
from edge.simulator.products import PRODUCTS
from edge.teach import Teacher, learn_belts

NS_PER_S, NS_PER_MS = 1_000_000_000, 1e6
SEED = 1
WORKERS, QUEUE = 2, 64
DEADLINE_S, FAR_S = 1.0, 3600.0
APART_S = {"top": 0.0, "side": 0.2}  # from the first camera's exposure to each
DRAWN, NORMALS = 16, 8  # packages, and sound ones of each product for the references
SATURATING = 24  # items at once, to see what the box can serve
FACTORS = (0.5, 1.0, 2.0, 4.0)

REQUIRED = (
    RuleSettings(check="anomaly", cameras=("top",), reject_at=1.0),
    RuleSettings(check="expiry", cameras=("side",), agrees="expiry"),
)
WANTED = (
    RuleSettings(check="anomaly", cameras=("side",), required=False, reject_at=1.0),
    RuleSettings(check="serial", cameras=("top",), required=False),
)
CLASSES = {
    ("top", "anomaly"): "required",
    ("side", "expiry"): "required",
    ("side", "anomaly"): "may reject",
    ("top", "serial"): "informs",
}
NEEDED = {key for key, name in CLASSES.items() if name == "required"}


class TimedPlanner(Planner):
    """Keeps how long each decision took."""

    def __init__(self, asked: Mapping[str, Sequence[Question]], workers: int, size: int) -> None:
        super().__init__(asked, workers, size)
        self.decisions_ns: list[tuple[int, int]] = []  # by the clock, and of the thread's own

    def take(self, now_ns: int) -> Job | None:
        """As the planner does, by the clock."""
        started_ns, thread_ns = time.perf_counter_ns(), time.thread_time_ns()
        job = self.choose(now_ns)
        self.decisions_ns.append((time.perf_counter_ns() - started_ns, time.thread_time_ns() - thread_ns))
        return job

    def choose(self, now_ns: int) -> Job | None:
        """The next job; another plan says another."""
        return super().take(now_ns)


class FirstCome(TimedPlanner):
    """First come, first served, as long as there is time for it."""

    def choose(self, now_ns: int) -> Job | None:
        """The one that has waited longest."""
        waiting = (job for job in self._room.jobs() if not job.look.blocked and now_ns + job.most_ns <= job.deadline_ns)
        job = next(waiting, None)
        return self._begun(job, now_ns) if job else None


PLANS: Mapping[str, type[TimedPlanner]] = {"planned": TimedPlanner, "first come": FirstCome}


@dataclass(slots=True)
class Box:
    """What every run shares."""

    locate: Locate
    asked: Mapping[str, Sequence[Question]]
    items: Sequence[tuple[PlannedItem, Mapping[str, Image]]]

    def sightings(self, rate: float, count: int, deadline_s: float) -> Iterator[tuple[float, Sighting]]:
        """When after the start (s), and what is seen; deadlines count from the start as well."""
        for number, (planned, images) in enumerate(islice(cycle(self.items), count)):
            seen_s = number / rate
            expected = Expected(planned.wms_item, planned.gtin, planned.order_line)
            item = Item(f"i-{number}", 0, 0, planned.length_mm, expected)
            for camera, apart_s in APART_S.items():
                frame = Frame(camera, f"{camera}-{number}", 0, 0.0, images[camera])
                yield seen_s + apart_s, Sighting(frame, item, round((seen_s + deadline_s) * NS_PER_S))


@dataclass(slots=True)
class Run:
    """One stretch of time under one load, turned as the daemon's loop does."""

    box: Box
    planner: TimedPlanner
    inspector: ThreadedInspector
    start_ns: int = field(default_factory=time.monotonic_ns)
    seconds: float = 0.0  # until the last answer
    deadlines_ns: dict[str, int] = field(default_factory=dict)  # of each item
    in_time: defaultdict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))

    def play(self, arrivals: Iterable[tuple[float, Sighting]]) -> None:
        """Submit each in its time, until all has been answered or skipped."""
        pending = deque(sorted(arrivals, key=lambda one: one[0]))
        checks = sum(len(self.box.asked[one.frame.camera]) for _, one in pending)
        while sum(self.inspector.counts.values()) < checks:
            while pending and self.start_ns + pending[0][0] * NS_PER_S <= time.monotonic_ns():
                self._submit(pending.popleft()[1])
            self._collect()
            time.sleep(TURN_S)
        self._collect()
        self.seconds = (time.monotonic_ns() - self.start_ns) / NS_PER_S

    def _submit(self, one: Sighting) -> None:
        self.deadlines_ns[one.item.item_id] = self.start_ns + one.deadline_ns
        self.inspector.submit([replace(one, deadline_ns=self.start_ns + one.deadline_ns)])

    def _collect(self) -> None:
        """As for the judge, what arrives after the deadline is worth nothing."""
        found, now_ns = self.inspector.collect(), time.monotonic_ns()
        for one in found:
            if one.started_ns and now_ns <= self.deadlines_ns[one.item_id]:
                self.in_time[one.item_id].add((one.camera, one.check))

    def figures(self) -> dict[str, float]:
        """Shares of the checks of each class in time, of items with all that is required, and decision times."""
        items = len(self.deadlines_ns)
        done = Counter(CLASSES[key] for found in self.in_time.values() for key in found)
        asked = Counter(CLASSES.values())
        decided = sum(len(found & NEEDED) == len(NEEDED) for found in self.in_time.values())
        decision_ms = np.array(self.planner.decisions_ns) / NS_PER_MS
        return {
            "items": items,
            **{f"{name}_share": done[name] / (asked[name] * items) for name in asked},
            "decided_share": decided / items,
            "skipped": sum(count for (_, outcome), count in self.planner.counts.items() if outcome != "done"),
            "decision_p99_ms": float(np.percentile(decision_ms[:, 0], 99)),
            "decision_own_p99_ms": float(np.percentile(decision_ms[:, 1], 99)),
        }


def main() -> int:
    """Print a row for each plan and load."""
    options = _options()
    cv2.setNumThreads(1)
    sys.setswitchinterval(SWITCH_S)
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        box = _box(Path(folder), console)
        measured = measure(box, options.factors, options.seconds, console)
    _print(measured, console)
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n")
    return 0


def measure(box: Box, factors: Sequence[float], seconds: float, console: Console) -> list[dict[str, Any]]:
    """A row of figures for each factor and plan; `at_best` is the share of items that the box could decide."""
    in_full = _capacity(box)
    required = _capacity(replace(box, asked=_only_required(box.asked)))
    console.print(f"{WORKERS} workers serve {in_full:.1f} items/s in full, {required:.1f} with what is required alone")
    rows = []
    for factor, name in track([*product(factors, PLANS)], "loading", console=console, transient=True):
        rate = factor * in_full
        run = _run(box, PLANS[name], box.sightings(rate, max(1, round(rate * seconds)), DEADLINE_S))
        at_best = min(1.0, required / rate)
        rows.append({"plan": name, "factor": factor, "items_per_s": rate, "at_best": at_best, **run.figures()})
    console.print(f"{_capacity(box):.1f} items/s in full at the end: where that differs, something else used the box")
    return rows


def _capacity(box: Box) -> float:
    """Items a second, when all are there at once and none is urgent."""
    run = _run(box, TimedPlanner, [(0.0, one) for _, one in box.sightings(1e6, SATURATING, FAR_S)])
    return SATURATING / run.seconds


def _only_required(asked: Mapping[str, Sequence[Question]]) -> dict[str, list[Question]]:
    return {camera: [one for one in of_camera if one.required] for camera, of_camera in asked.items()}


def _run(box: Box, plan: type[TimedPlanner], arrivals: Iterable[tuple[float, Sighting]]) -> Run:
    planner = plan(box.asked, WORKERS, QUEUE)
    inspector = ThreadedInspector(box.locate, planner)
    inspector.start()
    run = Run(box, planner, inspector)
    run.play(arrivals)
    inspector.stop()
    return run


def _box(folder: Path, console: Console) -> Box:
    """Drawn packages, references for both cameras, belts, models."""
    items = draw_items(folder / "items", DRAWN, SEED, date.today())
    learn_belts({camera: [one.pictures[camera] for one in items] for camera in APART_S}, folder / "belts", console)
    sessions = Sessions(ROOT / "models")
    with Progress(console=console, transient=True) as progress:
        teacher = Teacher(sessions.of("backbone"), folder / "references", folder / "belts", progress)
        teacher.build_references(_normals(folder / "normals"))
    asked = questions(InspectionSettings(references=folder / "references"), (*REQUIRED, *WANTED), sessions)
    pictures = [{camera: read_picture(one.pictures[camera]) for camera in APART_S} for one in items]
    return Box(locator(folder / "belts"), asked, list(zip(items, pictures, strict=True)))


def _normals(folder: Path) -> dict[tuple[str, str], list[Path]]:
    """Pictures of sound packages, written to `folder`, by GTIN and camera."""
    folder.mkdir()
    paths: defaultdict[tuple[str, str], list[Path]] = defaultdict(list)
    for made in PRODUCTS:
        for number, pictures in enumerate(normals(made.gtin, NORMALS, SEED)):
            for camera, picture in pictures.items():
                path = folder / f"{made.gtin}-{camera}-{number}.png"
                path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
                paths[made.gtin, camera].append(path)
    return dict(paths)


def _print(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    classes = list(dict.fromkeys(CLASSES.values()))
    title = f"In time, {DEADLINE_S:g} s from the first picture; a decision takes (clock and thread, p99)"
    table = Table("plan", "load", "items/s", "decided", "at best", *classes, "p99 ms", title=title)
    for row in rows:
        shares = ("decided_share", "at_best", *(f"{name}_share" for name in classes))
        decision = f"{row['decision_p99_ms']:.1f} {row['decision_own_p99_ms']:.1f}"
        load = f"{row['factor']:g} ×", f"{row['items_per_s']:.1f}"
        table.add_row(row["plan"], *load, *(f"{row[share]:.0%}" for share in shares), decision)
    console.print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What is given up under overload, by value.")
    parser.add_argument("--seconds", type=float, default=7, help="of arrivals at each load (default: %(default)s)")
    parser.add_argument(
        "--factors", type=float, nargs="+", default=FACTORS, help="loads, 1 being all that the box serves"
    )
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
