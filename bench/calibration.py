"""What a technician's calibration comes to on simulated sites, beside the truth.

`python -m bench.calibration [--sites N] [--json FILE]`: at each site the board is shown in hand and laid on the belt,
a ColorChecker is laid down and turned by half, the board rides past; lens, place, colour and belt are then held against
what the site really is.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from calibration import chart
from calibration.belt_run import Passed, belt_run
from calibration.board import Seen, find
from calibration.lens import lens, plane
from calibration.sites import practice
from calibration.sites.site import Site, drawn
from edge.core.errors import CalibrationRefused
from edge.core.plane import Plane

VIEWS = 12  # of the board in hand
RIDE_MM = np.linspace(-260, 260, 8)
SCALE = 10.0  # counts per mm of the site's encoder,
JITTER = 0.5  # and how far, in counts, a frame's may lie off
LIMITS = {
    "600 mm on the belt, error mm": 3.0,
    "600 mm at 220 mm, error mm": 3.0,
    "belt scale, error %": 0.2,
    "colour ΔE00, mean": 2.0,
    "colour ΔE00, most": 4.0,
}
"""What is asked for."""


def main() -> int:
    """Print a table: each figure in the middle, at its worst, and what is asked for."""
    options = _options()
    console = Console()
    rows = [dict(_site(seed)) for seed in track(range(options.sites), "sites", console=console, transient=True)]
    table = Table("figure", "median", "worst", "asked", title=f"{len(rows)} simulated sites")
    for name in rows[0]:
        found = np.array([row[name] for row in rows])
        table.add_row(
            name, f"{np.median(found):.3f}", f"{found.max():.3f}", f"≤ {LIMITS[name]:g}" if name in LIMITS else ""
        )
    console.print(table)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


def _site(seed: int) -> Iterator[tuple[str, float]]:
    site, chance = practice.fine(drawn(seed)), np.random.default_rng(seed)
    known = lens([_in_hand(site, chance) for _ in range(VIEWS)], site.camera.size_px)
    here, residual_mm = plane(known, find(practice.board_on_belt(site, chance).image))
    yield "lens, residual px", known.residual_px
    yield "board on the belt, residual mm", residual_mm
    yield "600 mm on the belt, error mm", _length_error_mm(site, here, 0.0)
    yield "600 mm at 220 mm, error mm", _length_error_mm(site, here, 220.0)
    ride = [_passed(site, along_mm, chance) for along_mm in RIDE_MM]
    run = belt_run(ride, here, site.camera.size_px)
    yield "belt scale, error %", 100 * abs(run.counts_per_mm / SCALE - 1)
    yield "belt, residual mm", run.residual_mm
    yield from _colour(site, chance)


def _in_hand(site: Site, chance: np.random.Generator) -> Seen:
    """Shown until it is seen, as a person would."""
    while True:
        try:
            return find(practice.board_in_hand(site, chance).image)
        except CalibrationRefused:
            continue


def _passed(site: Site, along_mm: float, chance: np.random.Generator) -> Passed:
    counts = along_mm * SCALE + float(chance.normal(0, JITTER))
    return Passed(counts, find(practice.board_on_belt(site, chance, along_mm=along_mm).image))


def _length_error_mm(site: Site, here: Plane, height_mm: float) -> float:
    """Of 600 mm along the belt through the middle, as its ends are really seen."""
    ends = np.array([[-300.0, 0, height_mm], [300.0, 0, height_mm]])
    found = here.at_mm(site.camera.seen_px(ends), height_mm)
    return abs(float(np.linalg.norm(found[1] - found[0])) - 600)


def _colour(site: Site, chance: np.random.Generator) -> Iterator[tuple[str, float]]:
    measured = [chart.measure(practice.chart_on_belt(site, chance, degrees).image) for degrees in (0.0, 180.0)]
    apart = chart.differences(np.mean(measured, axis=0) @ chart.fitted(measured).T)
    yield "colour ΔE00, mean", float(apart.mean())
    yield "colour ΔE00, most", float(apart.max())
    yield "colour ΔE00 before, mean", float(chart.differences(np.mean(measured, axis=0)).mean())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A technician's calibration on simulated sites.")
    parser.add_argument("--sites", type=int, default=30, help="(default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
