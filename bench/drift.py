"""How soon drift is told, beside when the tolerance is exceeded, and how often it is told of nothing.

`python -m bench.drift [--scale-items N] [--sites N] [--json FILE]`

The belt: an encoder's wheel wears while items pass, each with a slip of its own, and one in a hundred slips far; then
whole calibrated periods without any wear. The line's own loop, on its virtual lane, says what slip it has.
Cameras: at simulated sites with rails beside the belt a camera moves, step by step, or its lamps age and change colour;
what is told is held against where it really looks, and against how far off a colour chart really is.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.line import geometry_of, loop_of
from calibration import chart
from calibration.sites.faces import Face
from calibration.sites.light import CROSSTALK, Floats, Light, tint
from calibration.sites.paint import Paint
from calibration.sites.paint import belt as woven
from calibration.sites.render import Scene, belt_face, render
from calibration.sites.site import Site, drawn
from edge.cameras.drift import Calibrated, off
from edge.cameras.usual import LEAST, Look, View
from edge.core.colour_difference import delta_e_2000, lab_of
from edge.core.messages import End, Image, Item, ItemEnd
from edge.core.scale import LEARNT, Scale
from edge.settings import CalibrationSettings
from edge.simulator.scenario import shipped
from edge.simulator.virtual_box import Ports
from edge.simulator.virtual_lane import VirtualLane

WAY = 17_500  # counts from the induct eye to the exit eye
TOLERANCE, TOLERANCE_MM, TOLERANCE_COLOUR = 0.002, 3.0, 4.0
SPREADS = (0.0002, 0.001, 0.003)  # of an item's way
WEARS = (1e-8, 1e-7, 1e-6)  # share of the scale, an item: 0.1 % in 100,000, 10,000 and 1000
FAR_SHARE, FAR_MM = 0.01, 30.0  # of the items that slip far, and how far at most
SCENARIOS = ("nominal", "slip")
TRIALS = 40
PERIOD = 100_000  # items
FRAMES = 8  # of a look at a site: the daemon takes 60
STEPS = 8
COARSE = 2
LIMITS = CalibrationSettings()
RAIL, BOLTS = 9, 5


@dataclass(frozen=True, slots=True)
class Told:
    """When drift was told."""

    at: int | None  # items, or steps; None: never
    really: float  # as a share of the tolerance, then


def worn(spread: float, wear: float, chance: np.random.Generator) -> Told:
    """A wheel that wears from the first item on that is not learnt from."""
    scale = Scale(LIMITS.scale_warn)
    _learn(scale, spread, chance)
    most = round(3 * TOLERANCE / wear)
    for first in range(0, most, 1000):
        ways = _ways(1000, spread, chance) * (1 + wear * np.arange(first, first + 1000))
        for number, way in enumerate(ways, first):
            _pass(scale, way)
            if scale.trouble:
                return Told(number, wear * number / TOLERANCE)
    return Told(None, wear * most / TOLERANCE)


def clean(spread: float, items: int, chance: np.random.Generator) -> int:
    """Times that a period without wear was told of."""
    scale = Scale(LIMITS.scale_warn)
    _learn(scale, spread, chance)
    told, before = 0, ""
    for _ in range(items // 1000):
        for way in _ways(1000, spread, chance):
            _pass(scale, way)
            told += bool(scale.trouble) and not before
            before = scale.trouble
    return told


def _learn(scale: Scale, spread: float, chance: np.random.Generator) -> None:
    for way in _ways(LEARNT, spread, chance):
        _pass(scale, way)


def _ways(count: int, spread: float, chance: np.random.Generator) -> Floats:
    far = (chance.random(count) < FAR_SHARE) * chance.uniform(0, FAR_MM, count) * 10
    return np.asarray(WAY * (1 + chance.normal(0, spread, count)) + far)


def _pass(scale: Scale, way: float) -> None:
    end = ItemEnd("i", End.PASSED, round(way), 0, "exit")
    list(scale.update("belt 1", [end], {"i": Item("i", 0, 0, 200.0)}, 0))


def on_the_line(name: str, items: int, seed: int) -> tuple[int, float, float]:
    """The line's own loop: times told, spread of an item's way, and the average at the end."""
    scenario, watching = shipped(name), Watching(LIMITS.scale_warn)

    def kept(ports: Ports) -> Any:
        loop = loop_of(ports)
        loop.calibrated.scale = watching
        return loop

    VirtualLane(scenario, geometry_of(scenario), kept, items, seed).run(lambda _: None)
    return watching.times_told, watching.spread, watching.off


class Watching(Scale):
    """Watches though nothing was calibrated there."""

    times_told = 0

    def update(self, of: str, ends: Any, items: Any, now_ns: int) -> Iterator[Any]:
        """As `Scale.update`."""
        before = self.trouble
        yield from super().update("belt 1", ends, items, now_ns)
        self.times_told += bool(self.trouble) and not before

    @property
    def spread(self) -> float:
        """Of an item's way, as it was learnt."""
        return self._learnt.spread if self._learnt else float("nan")


def sites(count: int) -> Iterator[dict[str, Any]]:
    """Each site's figures."""
    for seed in range(count):
        yield {"site": seed, **_at_site(_coarse(drawn(seed)), np.random.default_rng(seed))}


def _coarse(site: Site) -> Site:
    """With a quarter of the pixels: what is looked at is a copy of 128 px across all the same."""
    width_px, height_px = site.camera.size_px
    size_px = width_px // COARSE, height_px // COARSE
    return replace(site, camera=replace(site.camera, size_px=size_px, focal_px=site.camera.focal_px / COARSE))


def _at_site(site: Site, chance: np.random.Generator) -> dict[str, Any]:
    view = View.learn([Look.of(image) for image in _seen(site, 2 * LEAST, chance)])
    measured = _chart(site)
    here = Calibrated(1, site.camera.plane, chart.fitted([measured]), view)
    looks = [off(*_usual(site, chance), here) for _ in range(STEPS)]
    moves_mm = np.linspace(0.5, 4.0, STEPS)
    across, along = ([_moved(site, here, way, mm, chance) for mm in moves_mm] for way in (np.pi / 2, 0.0))
    ages = [_aged(site, here, 1 - 0.03 * step, 0.0, chance) for step in range(1, STEPS + 1)]
    turns = [_aged(site, here, 1.0, 60.0 * step, chance) for step in range(1, STEPS + 1)]
    return {
        "clean mm": [one.moved_mm for one in looks],
        "clean colour": [one.colour for one in looks],
        "moved across the belt": across,
        "moved along it": along,
        "aged": ages,
        "turned": turns,
    }


def _moved(site: Site, here: Calibrated, way: float, mm: float, chance: np.random.Generator) -> tuple[float, float]:
    """How far it really moved, and how far it is told to have; way: 0 along the belt, radians."""
    x_mm, y_mm = float(np.cos(way)) * mm, float(np.sin(way)) * mm
    (x, y, z), (to_x, to_y, to_z) = site.camera.place_mm, site.camera.looks_at_mm
    camera = replace(site.camera, place_mm=(x + x_mm, y + y_mm, z), looks_at_mm=(to_x + x_mm, to_y + y_mm, to_z))
    return mm, off(*_usual(replace(site, camera=camera), chance), here).moved_mm


def _aged(
    site: Site, here: Calibrated, level: float, kelvin: float, chance: np.random.Generator
) -> tuple[float, float]:
    """How far off the chart's worst patch really is, and what is told."""
    light = replace(site.light, level=site.light.level * level, kelvin=site.light.kelvin + kelvin)
    then, now = (lab_of(_chart(site, one) @ here.to_srgb.T) for one in (site.light, light))
    really = float(delta_e_2000(then, now).max())
    return really, off(*_usual(replace(site, light=light), chance), here).colour


def _chart(site: Site, light: Light | None = None) -> Floats:
    """24 × 3: a chart in the middle of the belt, in the camera's linear colours."""
    one = light or site.light
    return np.asarray((chart.reference() * one.level * tint(one.kelvin)) @ CROSSTALK.T * site.gains)


def _usual(site: Site, chance: np.random.Generator) -> tuple[Any, int]:
    looks = [Look.of(image).small for image in _seen(site, FRAMES, chance)]
    return np.median(np.stack(looks), axis=0).astype(np.float32), site.camera.size_px[0]


def _seen(site: Site, count: int, chance: np.random.Generator) -> list[Image]:
    """The running belt between its rails."""
    return [_picture(site, chance) for _ in range(count)]


def _picture(site: Site, chance: np.random.Generator) -> Image:
    own = np.random.default_rng(site.seed)
    paints = [woven(site.belt_colour, own), _rail(own), _rail(own)]
    belt = belt_face()
    ran = replace(belt, corner_mm=(belt.corner_mm[0] - float(chance.uniform(0, 384)), *belt.corner_mm[1:]))
    rails = [_face(y_mm, paint) for y_mm, paint in ((-270.0, 1), (230.0, 2))]
    return render(Scene([ran, *rails], paints), site.camera, site.light, site.gains, chance).image


def _face(y_mm: float, paint: int) -> Face:
    return Face((-3000.0, y_mm, 40.0), (6000.0, 0, 0), (0, 40.0, 0), RAIL, paint)


def _rail(chance: np.random.Generator) -> Paint:
    """Steel with bolts."""
    texture = np.full((20, 300, 3), 0.3) * chance.uniform(0.9, 1.1, (1, 300, 1))
    for place in chance.integers(0, 290, BOLTS):
        texture[6:14, place : place + 8] = 0.03
    return Paint(texture, 2.0)


def main() -> int:
    """Print the tables."""
    options = _options()
    console = Console(width=130)
    belt = [*_belt(options.scale_items, console)]
    line = {name: on_the_line(name, options.line_items, 1) for name in SCENARIOS}
    for name, (told, spread, average) in line.items():
        on = f"on the line ({options.line_items} items, {name})"
        console.print(f"{on}: told {told} times; an item ± {spread:.3%}, in the end {average:+.4%}")
    at_sites = [*sites(options.sites)]
    if at_sites:
        _cameras(at_sites, console)
    if options.json:
        kept = {"belt": belt, "line": line, "sites": at_sites}
        options.json.write_text(json.dumps(kept, indent=1, default=float) + "\n")
    return 0


def _belt(clean_items: int, console: Console) -> Iterator[dict[str, Any]]:
    table = Table("an item's spread", "wear per 1000 items", "told", "after items", "of the tolerance then", "at most")
    for spread in SPREADS:
        for wear in WEARS:
            told = [worn(spread, wear, np.random.default_rng(seed)) for seed in range(TRIALS if wear > 1e-8 else 5)]
            share = [one.really for one in told]
            found = [one.at for one in told if one.at is not None]
            row = (f"{spread:.2%}", f"{wear * 1000:.4%}", f"{len(found)}/{len(told)}", f"{np.median(found or [0]):.0f}")
            table.add_row(*row, f"{np.median(share):.0%}", f"{max(share):.0%}")
            yield {"spread": spread, "wear": wear, "told": [one.at for one in told], "share": share}
        periods = clean_items // PERIOD
        times = [clean(spread, PERIOD, np.random.default_rng(1000 + seed)) for seed in range(periods)]
        table.add_row(f"{spread:.2%}", "none", f"{sum(times)} in {periods} × {PERIOD:,}", "", "", "")
        yield {"spread": spread, "wear": 0.0, "told": times}
    console.print(table)


def _cameras(found: Sequence[dict[str, Any]], console: Console) -> None:
    table = Table("what drifts", "limit", "told at sites", "where it really is then", "tolerance", "told of nothing")
    rows = (
        ("moved across the belt", "mm", LIMITS.moved_warn_mm, TOLERANCE_MM, "clean mm"),
        ("moved along it", "mm", LIMITS.moved_warn_mm, TOLERANCE_MM, "clean mm"),
        ("aged", "ΔE", LIMITS.colour_warn, TOLERANCE_COLOUR, "clean colour"),
        ("turned", "ΔE", LIMITS.colour_warn, TOLERANCE_COLOUR, "clean colour"),
    )
    for name, unit, limit, tolerance, clean_name in rows:
        first = [next((really for really, told in one[name] if told > limit), None) for one in found]
        said = [really for really in first if really is not None]
        looks = [look for one in found for look in one[clean_name]]
        where = f"{np.median(said or [np.nan]):.1f}, {max(said, default=np.nan):.1f} {unit}"
        false = f"{sum(look > limit for look in looks)} of {len(looks)} looks, at most {np.nanmax(looks):.2f}"
        told = f"{len(said)} of {len(found)}"
        table.add_row(name, f"{limit:g} {unit}", told, where, f"{tolerance:g} {unit}", false)
    console.print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How soon drift is told, and how often for nothing.")
    parser.add_argument("--scale-items", type=int, default=1_000_000, help="without wear, for each spread")
    parser.add_argument("--line-items", type=int, default=10_000, help="on the virtual lane")
    parser.add_argument("--sites", type=int, default=6, help="(default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
