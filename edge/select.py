"""`tunnel-edge models select`: which way of running each model is fastest on this box and gives the same answers."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from edge.core.errors import ModelRefused
from edge.core.messages import Image
from edge.inspection import runtime
from edge.inspection.references import Normal, References
from edge.inspection.runtime import SHIPPED, Runtime
from edge.inspection.session import Manifest, Session, Tensor, newest, read_manifest
from edge.plain import plain_console
from edge.settings import ROOT
from edge.simulator.draw import normals
from edge.simulator.ink import write
from edge.simulator.products import PRODUCTS

NS_PER_MS = 1e6
RUNS = 60
WORTH_IT = 0.95  # of the shipped way's time: less gain than that is noise, or soon will be
PICTURES, SEED = 6, 13  # of each drawn product
DETECTED_PX = (416, 256)
LINE_PX = 48
LINE_WIDTHS_PX = range(160, 641, 32)  # one graph of changing shape: a runtime that compiles for each one shows it

Outputs = Sequence[Tensor]
Difference = Callable[[Outputs, Outputs], float]


@dataclass(frozen=True, slots=True)
class Trial:
    """One way to run a model, as measured beside the shipped one."""

    runtime: Runtime
    times_ms: Tensor
    ratio: float  # to the shipped way, median over runs taken in turns
    difference: float  # the tolerance's measure of the answers, against the shipped way's
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether it may take the shipped one's place."""
        return self.difference <= self.tolerance


def main(arguments: Sequence[str]) -> int:
    """`tunnel-edge models select`.

    Raises:
        ModelRefused: a model cannot be opened as it was shipped.
    """
    options = _options(arguments)
    cv2.setNumThreads(1)
    threads = max(1, (os.cpu_count() or 1) // options.workers)
    console = plain_console()
    chosen = {}
    for check in DRAWN:
        folder = newest(options.models, check)
        trials = measure(folder, threads, options.runs, console)
        best = fastest(trials)
        chosen[read_manifest(folder).sha256] = best.runtime
        console.print(_table(f"{check} {folder.name}", trials, best))
    runtime.write(options.out, chosen)
    console.print(f"written: {options.out} (name it in the lane's settings, as [inspection] runtime)", markup=False)
    return 0


def measure(folder: Path, threads: int, runs: int, console: Console) -> list[Trial]:
    """Run the model in every way there is, up to so many threads; the shipped way comes first.

    The ways take turns, so that whatever else the box does falls on all of them.
    """
    manifest = read_manifest(folder)
    difference, most = tolerance(folder, manifest)
    batches = list(DRAWN[manifest.check](manifest))
    sessions = dict(_sessions(folder, manifest, threads, console))
    answers = {way: [session.run(batch)[0] for batch in batches] for way, session in sessions.items()}
    times_ms = np.array(
        [
            [_ms(session, batches[turn % len(batches)]) for session in sessions.values()]
            for turn in track(range(runs), f"timing {manifest.check}", console=console, transient=True)
        ],
        np.float32,
    )
    ratios = np.median(times_ms / times_ms[:, :1], axis=0)
    return [
        Trial(way, times, float(ratio), difference(answers[SHIPPED], answers[way]), most)
        for way, times, ratio in zip(sessions, times_ms.T, ratios, strict=True)
    ]


def fastest(trials: Sequence[Trial]) -> Trial:
    """The fastest that agrees with the shipped way, which comes first; that one itself, if little would be gained."""
    best = min((trial for trial in trials if trial.agrees), key=lambda trial: trial.ratio)
    return best if best.ratio < WORTH_IT else trials[0]


def _sessions(folder: Path, manifest: Manifest, threads: int, console: Console) -> Iterator[tuple[Runtime, Session]]:
    """The shipped way, then every other that can be opened."""
    yield SHIPPED, Session.open(folder, manifest, SHIPPED)
    ways = (Runtime(*one) for one in product(manifest.graphs, runtime.available(), range(1, threads + 1)))
    for way in (way for way in ways if way != SHIPPED):
        try:
            yield way, Session.open(folder, manifest, way)
        except ModelRefused as error:
            console.print(f"left out: {way}: {error}", style="yellow", highlight=False, soft_wrap=True)


def tolerance(folder: Path, manifest: Manifest) -> tuple[Difference, float]:
    """What answers are compared by, and how far apart they may be."""
    for measure, most in manifest.tolerance.items():
        if measure in DIFFERENCES:
            return DIFFERENCES[measure], most
    raise ModelRefused(f"{folder}: the manifest states no tolerance of {' or '.join(DIFFERENCES)}: run `make models`.")


def _ms(session: Session, batch: Tensor) -> float:
    started_ns = time.perf_counter_ns()
    session.run(batch)
    return (time.perf_counter_ns() - started_ns) / NS_PER_MS


def image_score(shipped: Outputs, found: Outputs) -> float:
    """The largest relative difference of an item's score (outputs 1 × patches × channels).

    By references that the shipped way has learnt, as a lane has them already when it is measured anew.
    """
    half = len(shipped) // 2
    references = References.learn([Normal(patches[0]) for patches in shipped[:half]], "")
    everywhere = np.ones(len(shipped[0][0]), bool)
    scores = [[references.compare(one[0], everywhere).score for one in outputs[half:]] for outputs in (shipped, found)]
    return float(np.abs(np.divide(scores[1], scores[0]) - 1).max())


def probability(shipped: Outputs, found: Outputs) -> float:
    """The largest difference of a probability."""
    return max(float(np.abs(before - after).max()) for before, after in zip(shipped, found, strict=True))


DIFFERENCES: dict[str, Difference] = {"image_score": image_score, "probability": probability}
"""What a manifest's tolerance may be of."""


@cache
def _packages() -> tuple[dict[str, Image], ...]:
    """Drawn packages by camera, product by product in turn."""
    drawn = [normals(one.gtin, PICTURES, SEED) for one in PRODUCTS]
    return tuple(package for together in zip(*drawn, strict=True) for package in together)


def _squares(manifest: Manifest) -> Iterator[Tensor]:
    """Packages from above, as a network that looks at patches takes them."""
    side_px = manifest.extra["side_px"]
    for package in _packages():
        yield _batch(package["top"], (side_px, side_px), manifest)


def _sides(manifest: Manifest) -> Iterator[Tensor]:
    """Packages from the side, where the print is."""
    for package in _packages():
        yield _batch(package["side"], DETECTED_PX, manifest)


def _lines(manifest: Manifest) -> Iterator[Tensor]:
    """Lines of print of many widths."""
    for width_px in LINE_WIDTHS_PX:
        line = np.full((LINE_PX, width_px, 3), 230, np.uint8)
        write(line, f"LOT {SEED * width_px**3}", 8, 38, 28, (40, 40, 40))
        yield manifest.batch(line)


def _batch(picture: Image, size: tuple[int, int], manifest: Manifest) -> Tensor:
    fitted = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return manifest.batch(np.asarray(fitted if manifest.channels == "BGR" else fitted[..., ::-1], np.uint8))


DRAWN: dict[str, Callable[[Manifest], Iterator[Tensor]]] = {
    "backbone": _squares,
    "second-stage": _squares,
    "text-detector": _sides,
    "text-recogniser": _lines,
    "text-recogniser-small": _lines,
}
"""What each shipped model is measured on."""


def _table(title: str, trials: Sequence[Trial], best: Trial) -> Table:
    table = Table("", "way", "p50 ms", "p99 ms", "ratio", "difference", "agrees", title=title)
    for trial in trials:
        p50_ms, p99_ms = np.percentile(trial.times_ms, (50, 99))
        figures = (f"{p50_ms:.2f}", f"{p99_ms:.2f}", f"{trial.ratio:.2f}", f"{trial.difference:.4f}")
        table.add_row("→" if trial is best else "", str(trial.runtime), *figures, "yes" if trial.agrees else "no")
    return table


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    what = "Measure each model in every way it can be run here, and keep the fastest that gives the same answers."
    parser = argparse.ArgumentParser(prog="tunnel-edge models", description=what)
    parser.add_argument("verb", choices=["select"])
    parser.add_argument("--out", type=Path, required=True, help="file to write, as [inspection] runtime")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="folder of models (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="as [inspection] workers, which share the cores")
    parser.add_argument("--runs", type=int, default=RUNS, help="of each way (default: %(default)s)")
    return parser.parse_args(arguments)
