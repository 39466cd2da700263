"""What it costs to find one product's references among a million, and to enter one more: bytes, milliseconds, memory.

`python -m bench.shelf [--products N] [--json FILE]`

Lays out N products as the appliance does. Most of them are links to a few real files, so that the disk need not hold
them all: finding, opening, checking and reading one costs the same.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from edge.catalogue import PORTRAIT, Catalogue
from edge.inspection.directory import Directory
from edge.inspection.identity import LOOKALIKES, MARKS, Portrait
from edge.inspection.references import SIZE, Library, Normal, References
from edge.inspection.session import Session, newest
from edge.settings import ROOT
from edge.simulator.draw import normals
from edge.simulator.products import PRODUCTS

REAL = 16  # files that are no links
LOOKED_UP = 2_000
ENTERED = 12
CAMERA = "top"
MS_PER_S = 1000


def main() -> int:
    """Lay out, look up, tell."""
    options = _options()
    console = Console()
    session = Session.load(newest(ROOT / "models", "backbone"))
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        measured = measure(Path(name), options.products, session, console)
    table = Table("figure", "value", title=f"one of {options.products:,} products")
    for key, value in measured.items():
        table.add_row(key.replace("_", " "), f"{value:,.4g}" if isinstance(value, float) else f"{value:,}")
    console.print(table)
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n")
    return 0


def measure(folder: Path, products: int, session: Session, console: Console) -> dict[str, Any]:
    """How long the first look at a product takes, the next, and one at what is not there."""
    size_bytes = _lay_out(folder, products, session, console)
    _forget_pages()
    library = Library(folder, ".npz", partial(References.load, session=session))
    chance = np.random.default_rng(1)
    chosen = [_gtin(int(one)) for one in chance.choice(products, min(LOOKED_UP, products), replace=False)]
    first_ms = _times_ms(library.find, chosen)
    again_ms = _times_ms(library.find, chosen[-50:])
    absent_ms = _times_ms(library.find, [_gtin(products + n) for n in range(LOOKED_UP)])
    entered_ms = _times_ms(_entering(folder, products, session), [_gtin(products + n) for n in range(ENTERED)])
    return {
        "bytes_a_product": size_bytes,
        "gigabytes_in_all": size_bytes * products / 1e9,
        "first_look_ms_p50": float(np.median(first_ms)),
        "first_look_ms_p99": float(np.percentile(first_ms, 99)),
        "next_look_ms_p50": float(np.median(again_ms)),
        "absent_ms_p50": float(np.median(absent_ms)),
        "entered_ms_p50": float(np.median(entered_ms)),
        "entered_ms_max": float(np.max(entered_ms)),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
    }


def _lay_out(folder: Path, products: int, session: Session, console: Console) -> int:
    """References of drawn patches; bytes of one."""
    chance = np.random.default_rng(0)
    channels = session.manifest.extra["channels"]
    for number in track(range(products), "laying out", console=console, transient=True):
        place = folder / _gtin(number) / f"{CAMERA}.npz"
        if number < REAL:
            rows = [chance.normal(size=(200, channels)).astype(np.float32) for _ in range(8)]
            References.learn(list(map(Normal, rows)), session.manifest.sha256, SIZE).save(place)
            _portrait(chance, products, session).save(place.parent / PORTRAIT)
        else:
            os.mkdir(place.parent)  # noqa: PTH102 - a million times: half the cost of Path's
            for name in (f"{CAMERA}.npz", PORTRAIT):
                os.symlink(f"../{_gtin(number % REAL)}/{name}", f"{place.parent}/{name}")  # noqa: PTH211
    return (folder / _gtin(0) / f"{CAMERA}.npz").stat().st_size


def _portrait(chance: np.random.Generator, products: int, session: Session) -> Portrait:
    """Of nothing in particular, with lookalikes anywhere."""
    rows = np.abs(chance.normal(size=(MARKS, session.manifest.extra["channels"]))).astype(np.float32)
    lookalikes = tuple(_gtin(int(one)) for one in chance.integers(products, size=LOOKALIKES))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return replace(Portrait.of([unit], session.manifest.sha256), lookalikes=lookalikes)


def _entering(folder: Path, products: int, session: Session) -> Callable[[str, str], object]:
    """Enters a drawn product among all of them, the camera aside."""
    channels = session.manifest.extra["channels"]
    chance = np.random.default_rng(2)
    directions = (np.abs(chance.normal(size=channels)).astype(np.float32) for _ in range(products))
    Directory(folder, session.manifest.sha256, channels).begin(
        (_gtin(number), one / np.linalg.norm(one)) for number, one in enumerate(directions)
    )
    catalogue, pictures = Catalogue(folder, session), normals(PRODUCTS[0].gtin, ENTERED, 1)
    return lambda gtin, _: catalogue.enter(gtin, pictures[int(gtin) % ENTERED]["top"], [])


def _gtin(number: int) -> str:
    return f"{number:014d}"


def _forget_pages() -> None:
    """Let the kernel forget what it has read, where we may ask for that."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        Console(stderr=True).print(
            "not root: the disk's pages stay in memory, first looks are too fast", style="yellow"
        )


def _times_ms(find: Callable[[str, str], object], gtins: Sequence[str]) -> list[float]:
    times_ms = []
    for gtin in gtins:
        started_s = time.perf_counter()
        find(gtin, CAMERA)
        times_ms.append((time.perf_counter() - started_s) * MS_PER_S)
    return times_ms


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The cost of finding one product's references.")
    parser.add_argument("--products", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where to lay them out: needs two inodes a product")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
