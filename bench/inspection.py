"""What inspecting costs beside the bare models: each check all in and step by step, against their fastest `run`.

`python -m bench.inspection [--data FOLDER] [--turns N] [--gaps S …] [--json FILE]`; without a folder of pictures of one
product, packages are drawn. A ratio is the median over turns of a time by that of the same runs of the same models
alone, in the fastest way that ONNX Runtime has on this machine, taken in turn with it: compare ratios, not
milliseconds. Measured with one thread a model and with two, with another process at work on each core, and after gaps.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.looks import Heard, Look, Model, first_stage, second_stage, text
from edge.core.messages import Image
from edge.inspection.session import Session, newest, read_manifest
from edge.pictures import read_picture
from edge.select import DRAWN, Trial, measure
from edge.settings import ROOT
from edge.simulator.draw import normals
from edge.simulator.products import PRODUCTS

NS_PER_MS = 1e6
SELECT_RUNS = 30
LEARNT = 12  # pictures that references are made from; the others are timed
WARM_UP = 3
GAP_TURNS = 8
SEED = 1
STATUS = Path("/proc/self/status")

Row = dict[str, float]
Spans = dict[str, list[tuple[int, int]]]
"""Stage → time and that of the bare runs in the same turn, ns."""


def main() -> int:
    """Print a table for each condition."""
    options = _options()
    cv2.setNumThreads(1)
    console = Console()
    memory = resident_mb()
    console.print("resident memory, MB:", memory)
    with tempfile.TemporaryDirectory() as folder:
        measured = Bench(options.data, Path(folder), console).measure(options.turns, options.gaps)
    if options.json:
        options.json.write_text(json.dumps({"conditions": measured, "memory": memory}, indent=1) + "\n")
    return 0


class Bench:
    """Checks that are ready to look, and pictures for them."""

    def __init__(self, data: Path | None, folder: Path, console: Console) -> None:
        """Learn references from some of the pictures, into `folder`."""
        self._console = console
        trials = {check: measure(newest(ROOT / "models", check), 2, SELECT_RUNS, console) for check in DRAWN}
        top, side = pictures(data)
        self._frames = {"first stage": top[LEARNT:], "second stage": top[LEARNT:], "text": side[LEARNT:]}
        self._looks = {
            threads: _looks({check: model(check, found, threads) for check, found in trials.items()}, top, side, folder)
            for threads in (1, 2)
        }

    def measure(self, turns: int, gaps_s: Sequence[float]) -> dict[str, dict[str, Row]]:
        """Condition → stage → figures."""
        measured = {}
        for threads, looks in self._looks.items():
            measured[f"{threads} thread(s)"] = self._told(f"{threads} thread(s)", looks, turns, 0)
            with company():
                name = f"{threads} thread(s), each core busy"
                measured[name] = self._told(name, looks, turns, 0)
        for gap_s in gaps_s:
            name = f"1 thread, after {gap_s:g} s"
            measured[name] = self._told(name, self._looks[1], GAP_TURNS, gap_s)
        return measured

    def _told(self, name: str, looks: Sequence[Look], turns: int, gap_s: float) -> dict[str, Row]:
        spans: Spans = defaultdict(list)
        for turn in track(range(-WARM_UP, turns), name, console=self._console, transient=True):
            for look in looks:
                frames = self._frames[look.name]
                for stage, span in timed(look, frames[turn % len(frames)], gap_s):
                    spans[f"{look.name}: {stage}"] += [span] * (turn >= 0)
        rows = {stage: _row(found) for stage, found in spans.items()}
        self._console.print(_table(name, rows))
        return rows


def timed(look: Look, image: Image, gap_s: float) -> Iterator[tuple[str, tuple[int, int]]]:
    """Each stage of one look, and the bare runs: stage, (its time, theirs), ns; each of the two after the same gap.

    Another look was timed just before. So this one is made once untimed, to be heard: else the first of the two that
    are compared would find its memory cold, and the other warm.
    """
    look.forget()
    look.inspect(image)
    time.sleep(gap_s)
    bare_ns = spent_ns(look.bare)
    time.sleep(gap_s)
    all_ns = spent_ns(lambda: look.inspect(image))
    yield "all in", (all_ns, bare_ns)
    yield "bare run", (bare_ns, bare_ns)
    started_ns = time.perf_counter_ns()
    for step in look.steps(image):
        ended_ns = time.perf_counter_ns()
        yield step, (ended_ns - started_ns, bare_ns)
        started_ns = time.perf_counter_ns()


def resident_mb() -> dict[str, float]:
    """Of Python and its libraries, and what each model adds as it was shipped, opened and warm."""
    table, opened = {"python and libraries": _resident_mb()}, []
    for check in DRAWN:
        before_mb = _resident_mb()
        opened.append(Session.load(newest(ROOT / "models", check)))
        table[check] = round(_resident_mb() - before_mb, 1)
    return table


def _resident_mb() -> float:
    """The kernel's account of this process."""
    [line] = [line for line in STATUS.read_text().splitlines() if line.startswith("VmRSS")]
    return round(int(line.split()[1]) / 1024, 1)


@contextmanager
def company() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Another process at work on each core."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        yield others
    finally:
        for other in others:
            other.kill()
            other.wait()


def model(check: str, trials: Sequence[Trial], threads: int) -> Model:
    """A model as it would be chosen for so many threads, and the fastest way of all with them."""
    folder = newest(ROOT / "models", check)
    manifest = read_manifest(folder)
    ranked = sorted((one for one in trials if one.runtime.threads == threads), key=lambda one: one.ratio)
    chosen = next(one for one in ranked if one.agrees)
    return Model(Heard.open(folder, manifest, chosen.runtime), Session.open(folder, manifest, ranked[0].runtime))


def _looks(models: Mapping[str, Model], top: Sequence[Image], side: Sequence[Image], folder: Path) -> list[Look]:
    one, other = models["backbone"], models["second-stage"]
    return [
        first_stage(one, top[:LEARNT], folder),
        second_stage(one, other, top[:LEARNT], folder),
        text(models, side[:LEARNT]),
    ]


def pictures(data: Path | None) -> tuple[Sequence[Image], Sequence[Image]]:
    """Frames for the looks, and frames with print."""
    if data:
        paths = [path for path in sorted(data.rglob("*")) if cv2.haveImageReader(str(path))][: 2 * LEARNT]
        read = [read_picture(path) for path in paths]
        return read, read
    drawn = normals(PRODUCTS[0].gtin, 2 * LEARNT, SEED)
    return [one["top"] for one in drawn], [one["side"] for one in drawn]


def _row(spans: Sequence[tuple[int, int]]) -> Row:
    times_ms, bare_ms = np.array(spans).T / NS_PER_MS
    p50_ms, p99_ms = np.percentile(times_ms, (50, 99))
    return {"p50_ms": float(p50_ms), "p99_ms": float(p99_ms), "ratio": float(np.median(times_ms / bare_ms))}


def _table(name: str, rows: Mapping[str, Row]) -> Table:
    table = Table("stage", "p50 ms", "p99 ms", "ratio to the bare run", title=name)
    for stage, row in rows.items():
        table.add_row(stage, *(f"{value:.2f}" for value in row.values()))
    return table


def spent_ns(call: Callable[[], object]) -> int:
    started_ns = time.perf_counter_ns()
    call()
    return time.perf_counter_ns() - started_ns


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time the checks against the bare runs of their models.")
    parser.add_argument("--data", type=Path, help="folder of pictures of one product (default: packages are drawn)")
    parser.add_argument("--turns", type=int, default=60, help="of each condition (default: %(default)s)")
    parser.add_argument("--gaps", type=float, nargs="*", default=[0.2, 1, 5], help="seconds (default: 0.2 1 5)")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
