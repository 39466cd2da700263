"""How well the checks judge photographs.

`python -m bench.accuracy --data FOLDER [--sets a,b] [--seeds N] [--json FILE] [--pictures FOLDER]`

Every folder in FOLDER whose layout is known is measured (docs of the layouts: the modules of bench/sets). What is
tested was not fitted on. Photographs stay where they are.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
from rich.console import Console
from rich.table import Table

from bench.sets import Figures, Kind, Options, Show, anomaly, identity, labelled
from edge.inspection.assembly import Sessions
from edge.settings import ROOT

KINDS: Sequence[Kind] = (anomaly, labelled, identity)


def main() -> int:
    """Measure, print a table, and write the figures."""
    arguments = _arguments()
    cv2.setNumThreads(1)
    console = Console()
    options = Options(Sessions(arguments.models), arguments.seeds, arguments.pictures)
    wanted = set(arguments.sets.split(",")) if arguments.sets else None
    measured = measure_all(arguments.data, wanted, options, console)
    if not measured:
        console.print(f"{arguments.data}: no folder of a known layout here; nothing was measured", style="yellow")
    if arguments.json:
        arguments.json.write_text(json.dumps({"sets": measured}, indent=1) + "\n")
    return 0


def measure_all(data: Path, wanted: set[str] | None, options: Options, console: Console) -> dict[str, Figures]:
    """The figures of each set in `data`, by the name of its folder; None wants them all."""
    measured = {}
    for folder in sorted(one for one in data.glob("*/") if wanted is None or one.name in wanted):
        kind = next((kind for kind in KINDS if kind.fits(folder)), None)
        if kind is None:
            console.print(f"{folder.name}: left out, its layout is not known", style="yellow", highlight=False)
            continue
        measured[folder.name] = kind.measure(folder, options, Show(console))
        _print(folder.name, measured[folder.name], console)
    return measured


def _print(name: str, figures: Figures, console: Console) -> None:
    """The figures that are plain numbers."""
    table = Table("figure", "value", title=name, title_justify="left")
    for figure, value in figures.items():
        if isinstance(value, int | float):
            table.add_row(figure, f"{value:.4g}")
    console.print(table)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure how well the checks judge photographs.")
    parser.add_argument("--data", type=Path, required=True, help="folder of sets, one folder each")
    parser.add_argument("--sets", help="names of sets, with commas between (default: all)")
    parser.add_argument("--seeds", type=int, default=10, help="random splits and draws (default: %(default)s)")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="folder of models (default: %(default)s)")
    parser.add_argument("--pictures", type=Path, help="folder to draw into what is worth looking at")
    parser.add_argument("--json", type=Path, help="file for all figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
