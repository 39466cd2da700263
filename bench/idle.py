"""Whether a model is slower after an idle gap: one run after each gap, against runs back to back.

`python -m bench.idle [--gap S] [--runs N] [--json FILE]`

Where the ratio of the medians stays near 1, idle workers need not keep the sessions warm.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from edge.config import ROOT
from edge.inspection.assembly import Sessions
from edge.inspection.session import Session, Tensor

NS_PER_MS = 1e6
WARM_UP = 5
SHAPES = {"backbone": (1, 3, 256, 256), "text-detector": (1, 3, 256, 640), "text-recogniser": (1, 3, 48, 320)}


def main() -> int:
    """Print the medians of each model."""
    options = _options()
    console = Console()
    measured = measure(options.gap, options.runs, console)
    table = Table(
        "model", "first ms", "back to back ms", "after a gap ms", "ratio", title=f"p50, gaps of {options.gap:g} s"
    )
    for name, row in measured.items():
        table.add_row(name, *(f"{value:.2f}" for value in row.values()))
    console.print(table)
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n")
    return 0


def measure(gap_s: float, runs: int, console: Console) -> dict[str, dict[str, float]]:
    """After each gap one model, in turn: a model has been idle for three gaps."""
    sessions = Sessions(ROOT / "models")
    chance = np.random.default_rng(0)
    batches = {name: chance.standard_normal(shape).astype(np.float32) for name, shape in SHAPES.items()}
    first = {name: _ms(sessions.of(name), batch) for name, batch in batches.items()}
    steady = {name: _steady(sessions.of(name), batch, runs) for name, batch in batches.items()}
    idle: dict[str, list[float]] = {name: [] for name in SHAPES}
    for number in track(range(runs * len(SHAPES)), "waiting", console=console, transient=True):
        time.sleep(gap_s)
        name = list(SHAPES)[number % len(SHAPES)]
        idle[name].append(_ms(sessions.of(name), batches[name]))
    return {name: _row(first[name], steady[name], float(np.median(idle[name]))) for name in SHAPES}


def _row(first_ms: float, steady_ms: float, idle_ms: float) -> dict[str, float]:
    return {"first_ms": first_ms, "steady_ms": steady_ms, "idle_ms": idle_ms, "ratio": idle_ms / steady_ms}


def _steady(session: Session, batch: Tensor, runs: int) -> float:
    return float(np.median([_ms(session, batch) for _ in range(WARM_UP + runs)][WARM_UP:]))


def _ms(session: Session, batch: Tensor) -> float:
    started_ns = time.perf_counter_ns()
    session.run(batch)
    return (time.perf_counter_ns() - started_ns) / NS_PER_MS


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time models after idle gaps.")
    parser.add_argument("--gap", type=float, default=5, help="seconds without a run (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=20, help="of each model (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
