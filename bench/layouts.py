"""What a learnt layout of print saves: expiry, lot and serial with the detector, and where the layout says.

`python -m bench.layouts [--data FOLDER] [--items 30] [--json FILE]`: on drawn packages, and on `packages/`.
Each product's layout is learnt from five pictures; the others are read both ways, one thread, from crop to evidence. A
layout is accepted here by the bench, which no line does.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from edge.core.date_forms import Order
from edge.core.dates import Profile
from edge.core.labels import Field
from edge.core.messages import Evidence, Expected, Frame, Image, Item, Sighting
from edge.inspection.assembly import Sessions, known_print, student
from edge.inspection.belt import BeltColour
from edge.inspection.code_reader import what_counts
from edge.inspection.crop import Crop
from edge.inspection.known_print import KnownPrint
from edge.inspection.layout import SUFFIX
from edge.inspection.layout_proposal import proposed
from edge.inspection.locate import locate
from edge.settings import ROOT
from edge.simulator.draw import PRINTED
from edge.simulator.products import PRODUCTS, Imprint, Product
from edge.simulator.scene import from_the_side

CAMERA, LEARNT_FROM, BELT_FRAMES = "side", 5, 24
TODAY = date(2026, 6, 1)
WANTED = (Field.EXPIRY, Field.LOT, Field.SERIAL)
FORMATS = {Field.SERIAL: r"\d{10}|\d{13}", Field.LOT: r"L?\d{4}K|[A-Z]{2}\d{6}-\d[A-Z]"}
GTIN_OF_PACKAGES, EXPIRY_OF_PACKAGES = "00000000", "2082-12-31"
DAY_FIRST = Profile(frozenset({Order.DAY_FIRST}))
SEED = 21

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture, and what is printed on it, as far as that is known."""

    gtin: str
    image: Image
    truth: Mapping[Field, str]


def drawn(items: int) -> Iterator[Shown]:
    """Packages of all drawn products, each with a print of its own."""
    random = np.random.default_rng(SEED)
    for product in PRODUCTS:
        for _ in range(items):
            yield _drawn(product, random)


def _drawn(product: Product, random: np.random.Generator) -> Shown:
    expiry = date.fromordinal(TODAY.toordinal() + int(random.integers(1, 1000)))
    lot, serial = f"L{random.integers(1000, 10_000)}K", f"{random.integers(10**10):010d}"
    imprint = Imprint(expiry.strftime(PRINTED), lot, serial)
    image = from_the_side(product.side_art(imprint, random), random)
    return Shown(product.gtin, image, {Field.EXPIRY: expiry.isoformat(), Field.LOT: lot, Field.SERIAL: serial})


def packages(folder: Path) -> list[Shown]:
    """The side views; intact ones first. Their lots are not known."""
    paths = sorted(folder.glob("intact/side/*.jpg")) + sorted(folder.glob("damaged/side/*.jpg"))
    random = np.random.default_rng(SEED)
    order = [int(one) for one in random.permutation(len(list(folder.glob("intact/side/*.jpg"))))]
    order += range(len(order), len(paths))
    return [_package(paths[index]) for index in order]


def _package(path: Path) -> Shown:
    image = np.asarray(cv2.imread(str(path)), np.uint8)
    return Shown(GTIN_OF_PACKAGES, image, {Field.EXPIRY: EXPIRY_OF_PACKAGES, Field.SERIAL: path.stem})


def measured(shown: Sequence[Shown], sessions: Sessions, console: Console) -> dict[str, Figures]:
    """Figures with the detector, and with layouts learnt from the first pictures of each product."""
    belt = BeltColour.learn([one.image for one in shown[:: max(1, len(shown) // BELT_FRAMES)]])
    crops = [locate(one.image, belt) for one in shown]
    with tempfile.TemporaryDirectory() as folder:
        taught = _teach(shown, crops, sessions, Path(folder), console)
        tested = [index for index in range(len(shown)) if index not in taught]
        found = {}
        for name, layouts in (("detector", Path(folder) / "none"), ("layout", Path(folder))):
            check = known_print(sessions, WANTED, lambda: TODAY, DAY_FIRST, layouts, FORMATS)
            found[name] = _read(check, [(shown[index], crops[index]) for index in tested], name, console)
    return found


def _teach(
    shown: Sequence[Shown], crops: Sequence[Crop], sessions: Sessions, folder: Path, console: Console
) -> set[int]:
    """Learn each product's layout; returns the pictures that were used."""
    eager, taught = student(sessions), set[int]()
    for gtin in dict.fromkeys(one.gtin for one in shown):
        chosen = [index for index, one in enumerate(shown) if one.gtin == gtin][:LEARNT_FROM]
        told = f"learning {gtin}"
        shots = [eager.study(crops[one], shown[one].image) for one in track(chosen, told, console=console)]
        proposal = proposed(shots, TODAY, DAY_FIRST)
        proposal.accepted(gtin, CAMERA, "bench").save(folder / gtin / f"{CAMERA}{SUFFIX}")
        taught |= set(chosen)
    return taught


def _read(check: KnownPrint, pairs: Sequence[tuple[Shown, Crop]], name: str, console: Console) -> Figures:
    spent, answers = [], []
    for one, crop in track(pairs, name, console=console, transient=True):
        sighting = _sighting(one)
        begun, busy = time.perf_counter(), time.thread_time()
        evidence = check.inspect(crop, sighting)
        spent.append((1000 * (time.perf_counter() - begun), 1000 * (time.thread_time() - busy)))
        answers.append((one.truth, {Field(found.check): found for found in evidence}))
    return _figures(spent, answers)


def _sighting(one: Shown) -> Sighting:
    expected = Expected("bench", one.gtin, "bench")
    return Sighting(Frame(CAMERA, "bench", 0, 0.0, one.image), Item("bench", 0, 0, expected=expected), 0)


def _figures(
    times: Sequence[tuple[float, float]], answers: Sequence[tuple[Mapping[Field, str], Mapping[Field, Evidence]]]
) -> Figures:
    spent, busy = (np.array(one) for one in zip(*times, strict=True))
    figures: Figures = {"items": len(spent)}
    for field in WANTED:
        known = [(truth[field], found[field]) for truth, found in answers if field in truth]
        figures[field.value] = _share(known, lambda truth, one: one.valid and _right(truth, one))
        figures[f"{field.value}_wrong"] = _share(known, lambda truth, one: one.valid and not _right(truth, one))
    sought = [any("sought everywhere" in one.because for one in found.values()) for _, found in answers]
    figures["fell_back"] = round(float(np.mean(sought)), 3)
    figures["mean_ms"] = round(float(np.mean(spent)), 1)
    for name, one in (("", spent), ("busy_", busy)):
        for share in (50, 95):
            figures[f"{name}p{share}_ms"] = round(float(np.percentile(one, share)), 1)
    return figures


def _right(truth: str, one: Evidence) -> bool:
    field = Field(one.check)
    return what_counts(field, one.reading or "") == what_counts(field, truth)


def _share(known: Sequence[tuple[str, Evidence]], holds: Callable[[str, Evidence], bool]) -> float | None:
    return round(float(np.mean([holds(truth, one) for truth, one in known])), 3) if known else None


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description="Measure what a learnt layout of print saves.")
    parser.add_argument("--data", type=Path, help="folder with `packages`; without it only drawn ones are read")
    parser.add_argument("--items", type=int, default=30, help="drawn packages of each product (default: %(default)s)")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="folder of models (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for all figures")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    console, sessions = Console(), Sessions(options.models)
    sets = {"drawn": list(drawn(options.items))}
    if options.data and (options.data / "packages").is_dir():
        sets["packages"] = packages(options.data / "packages")
    else:
        console.print("left out: packages: no such folder was given with --data")
    found = {name: measured(shown, sessions, console) for name, shown in sets.items()}
    console.print(_table(found))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


def _table(found: Mapping[str, Mapping[str, Figures]]) -> Table:
    table = Table("", *(f"{name}, {way}" for name, ways in found.items() for way in ways))
    for figure in next(iter(next(iter(found.values())).values())):
        table.add_row(figure, *(str(figures[figure]) for ways in found.values() for figures in ways.values()))
    return table


if __name__ == "__main__":
    raise SystemExit(main())
