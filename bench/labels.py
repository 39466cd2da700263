"""Thousands of drawn labels with known truth through the appliance's own check of print.

`python -m bench.labels --count 10000 --json F.json --plot F.png --failures F.png [--results F.jsonl]`

Each label goes through `TextCheck` as a crop of the line would, with the order of the language's dates, as a product's
layout gives it. Right: the expiry is vouched for and true. Wrong: another date is vouched for. Type: of the labels that
bear a production date too, the share on which it was not taken for the expiry. The labels are drawn: the figures say
where reading is weak, by language and technology, and nothing of how often a site's own print is read.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.drawn_labels import DrawnLabel, drawn_label, languages
from bench.label_charts import failure_sheet, plot
from bench.label_inks import TECHNOLOGIES, missing_fonts
from bench.label_texts import LANGUAGES, TODAY
from edge.core.labels import Field, same_lot
from edge.core.messages import Evidence, Frame, Item, Sighting
from edge.inspection.assembly import Sessions, text_check
from edge.inspection.locate import whole
from edge.inspection.text import TextCheck
from edge.settings import ROOT

WANTED = (Field.EXPIRY, Field.LOT)
NICE = 10
CHUNK = 16
FIGURES = ("items", "accuracy", "valid_but_wrong", "date_type_accuracy", "lot_accuracy", "mean_ms")

Figures = dict[str, Any]
_checks: dict[str, TextCheck] = {}


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one label."""

    number: int
    language: str
    technology: str
    truth: str
    read: str  # empty: nothing was vouched for
    produced: str  # as printed; empty: the label bears none
    lot_right: bool | None  # None: it bears none
    spent_ms: float
    because: str

    @property
    def outcome(self) -> str:
        """right, wrong, or unread."""
        return "right" if self.read == self.truth else "wrong" if self.read else "unread"


def measure(numbers: Sequence[int], workers: int, models: Path, results: Path | None, console: Console) -> list[Result]:
    """The labels of these numbers; what is in the file of results already is not read again."""
    known = {one.number: one for one in _known(results)} if results else {}
    todo = [number for number in numbers if number not in known]
    fresh = get_context("spawn")  # a fork would inherit the locks of threads that it lacks
    with ProcessPoolExecutor(workers, fresh, _start, (models,)) as pool:
        found = pool.map(read_label, todo, chunksize=CHUNK)
        for one in track(found, "labels", total=len(todo), console=console):
            known[one.number] = one
            if results:
                with results.open("a") as file:
                    file.write(json.dumps(asdict(one), ensure_ascii=False) + "\n")
    return [known[number] for number in numbers]


def _known(results: Path) -> Iterable[Result]:
    lines = results.read_text().splitlines() if results.exists() else []
    return (Result(**json.loads(line)) for line in lines)


def _start(models: Path) -> None:
    """A worker of its own: one thread, behind whoever else is at work on the machine."""
    os.nice(NICE)
    cv2.setNumThreads(1)
    sessions = Sessions(models)
    for code, language in LANGUAGES.items():
        _checks[code] = text_check(sessions, WANTED, lambda: TODAY, language.profile)


def read_label(number: int) -> Result:
    """Draw a label, and read it; the drawing does not count."""
    label = drawn_label(number)
    begun = time.perf_counter()
    expiry, lot = _checks[label.wording.language].inspect(whole(label.image), _sighting(label))
    return _result(label, expiry, lot, 1000 * (time.perf_counter() - begun))


def _sighting(label: DrawnLabel) -> Sighting:
    name = str(label.number)
    return Sighting(Frame("bench", name, 0, 0.0, label.image), Item(name, 0, 0), 0)


def _result(label: DrawnLabel, expiry: Evidence, lot: Evidence, spent_ms: float) -> Result:
    words = label.wording
    produced = words.produced.isoformat() if words.produced else ""
    lot_right = same_lot(lot.reading or "", words.lot) if words.lot else None
    read = (expiry.reading or "") if expiry.valid else ""
    return Result(
        label.number,
        words.language,
        label.technology,
        words.expiry.isoformat(),
        read,
        produced,
        lot_right,
        spent_ms,
        expiry.because,
    )


def figures(results: Sequence[Result]) -> Figures:
    """Shares and the mean time of some labels."""
    typed = [one.read != one.produced or one.read == one.truth for one in results if one.produced]
    lots = [one.lot_right for one in results if one.lot_right is not None]
    return {
        "items": len(results),
        "accuracy": _share([one.outcome == "right" for one in results]),
        "valid_but_wrong": _share([one.outcome == "wrong" for one in results]),
        "date_type_accuracy": _share(typed),
        "lot_accuracy": _share([bool(one) for one in lots]),
        "mean_ms": round(sum(one.spent_ms for one in results) / max(1, len(results)), 1),
    }


def _share(answers: Sequence[bool]) -> float | None:
    return round(sum(answers) / len(answers), 4) if answers else None


def grouped(results: Iterable[Result], key: Callable[[Result], str]) -> dict[str, Figures]:
    """The figures of each group, in the order in which groups come up."""
    groups: defaultdict[str, list[Result]] = defaultdict(list)
    for one in results:
        groups[key(one)].append(one)
    return {name: figures(group) for name, group in groups.items()}


def main() -> int:
    """Measure, print tables, draw, and write the figures."""
    options = _options()
    console = Console()
    for script, names in missing_fonts().items():
        console.print(f"left out: labels in {script}: none of these fonts is installed: {', '.join(names)}")
    numbers = range(options.start, options.start + options.count)
    results = measure(numbers, options.workers, options.models, options.results, console)
    tables = {
        "language": grouped(results, lambda one: LANGUAGES[one.language].name),
        "technology": grouped(results, lambda one: one.technology),
        "script": grouped(results, lambda one: LANGUAGES[one.language].script),
        "all": {"all": figures(results)},
    }
    for name, rows in tables.items():
        console.print(_table(name, rows))
    _write(options, tables, results)
    return 0


def _write(options: argparse.Namespace, tables: Mapping[str, Mapping[str, Figures]], results: Sequence[Result]) -> None:
    if options.json:
        wrong = [asdict(one) for one in results if one.outcome == "wrong"]
        options.json.write_text(json.dumps({**tables, "wrong": wrong}, indent=1, ensure_ascii=False) + "\n")
    if options.plot:
        plot(options.plot, tables)
    if options.failures:
        failed = sorted((one for one in results if one.outcome != "right"), key=lambda one: one.outcome != "wrong")
        named = [(one.number, f"{one.language}, {one.technology}: {one.read or '-'} ({one.truth})") for one in failed]
        failure_sheet(options.failures, named)


def _table(name: str, rows: Mapping[str, Figures]) -> Table:
    table = Table(name, *FIGURES)
    for group, found in sorted(rows.items(), key=lambda row: -(row[1]["accuracy"] or 0)):
        table.add_row(group, *(str(found[figure]) for figure in FIGURES))
    return table


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Read drawn labels with known truth.")
    told = f"labels (a round of all languages and technologies: {len(languages()) * len(TECHNOLOGIES)})"
    parser.add_argument("--count", type=int, default=1000, help=told)
    parser.add_argument("--start", type=int, default=0, help="number of the first label")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="folder of models (default: %(default)s)")
    parser.add_argument("--results", type=Path, help="file of single results (JSON lines), to be taken up again")
    parser.add_argument("--json", type=Path, help="file for all figures")
    parser.add_argument("--plot", type=Path, help="picture of accuracy by language and by technology")
    parser.add_argument("--failures", type=Path, help="picture of labels that were misread (first) or not read")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
