"""How well dates and serials are read off photographs, beside Tesseract and rapidocr on the same crops.

`python -m bench.dates --data FOLDER [--sets a,b] [--peers N] [--garbage N] [--pairs N] [--truth FILE] [--json FILE]`

A reading counts as right when letters and digits are those of the label and the check would vouch for it; as valid but
wrong when it would vouch for another calendar-valid date; as contested where orders of day, month and year read it as
different days. Times are those of one thread, from picture to reading.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytesseract
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench import garbage, pairs
from bench.prints import Case, Where, alphanumeric, cases
from bench.serials import measured as measured_serials
from edge.core.date_forms import Extra, Order
from edge.core.date_votes import printed
from edge.core.dates import Profile, readings
from edge.core.messages import Image
from edge.inspection.assembly import Sessions, date_reader
from edge.inspection.date_reader import DateReader
from edge.settings import ROOT

YEARLESS = frozenset({Extra.YEARLESS})  # many of the labels say `16 NOV` and no more
PROFILES = {
    "lines": Profile(extras=YEARLESS),
    "labels_uk": Profile({Order.DAY_FIRST}, extras=YEARLESS),
    "photos_thai": Profile({Order.DAY_FIRST}),
    "scenes": Profile(),
}
"""What a site would say of such goods: British and Thai ones print the day first."""
TODAY = date(2026, 6, 1)
WIDTH = 160  # of the table
FIGURES = (
    "accuracy",
    "valid_but_wrong",
    "contested",
    "date_type_accuracy",
    "mean_ms",
    "p50_ms",
    "p95_ms",
    "busy_mean_ms",
    "busy_p50_ms",
    "busy_p95_ms",
)

Figures = dict[str, Any]
Read = Callable[[Case], "Found"]


@dataclass(frozen=True, slots=True)
class Found:
    """Letters and digits of the expiry that would be vouched for; empty: none."""

    text: str
    contested: bool = False  # orders read it as different days: only the product's profile tells


@dataclass(frozen=True, slots=True)
class Answer:
    """What was read of a case."""

    case: Case
    found: Found
    spent_ms: float
    busy_ms: float  # of it, this thread's own: what others do on the machine does not count


def readers(sessions: Sessions) -> dict[str, DateReader]:
    """Set → the appliance's reader with what a site would say of such goods."""
    return {name: date_reader(sessions, lambda: TODAY, profile) for name, profile in PROFILES.items()}


def read_of(reader: DateReader, picture: Image, where: Where) -> Found:
    """The expiry, read as the place allows."""
    by_place = {Where.LINE: reader.line, Where.REGION: reader.region, Where.ANYWHERE: reader.anywhere}
    found = by_place[where](picture)
    return Found(printed(found[0]) if found else "", len(found) > 1)


def _read(reader: DateReader, pictures: Mapping[str, Image], case: Case) -> Found:
    """A case whose picture has been loaded."""
    return read_of(reader, pictures[case.name], case.where)


def _text(reader: DateReader, where: Where, picture: Image) -> str:
    return read_of(reader, picture, where).text


def tesseract(pictures: Mapping[str, Image], case: Case) -> Found:
    """Tesseract's first date in the picture, by the same grammar."""
    mode = "--psm 7" if case.where is Where.LINE else "--psm 6"
    return _first_date(pytesseract.image_to_string(pictures[case.name], config=mode).splitlines())


def rapidocr(engine: Any, pictures: Mapping[str, Image], case: Case) -> Found:
    """The same of rapidocr (PP-OCRv4); of a line without its detector."""
    read, _ = engine(pictures[case.name], use_det=case.where is not Where.LINE)
    return _first_date(str(one[-2]) for one in read or ())


def _first_date(lines: Iterable[str]) -> Found:
    for line in lines:
        if found := readings(line, TODAY, profile=Profile(extras=YEARLESS)):
            return Found(alphanumeric(found[-1].text), len(found) > 1)
    return Found("")


def _peers() -> dict[str, Callable[[Mapping[str, Image], Case], Found]]:
    """Those that are installed, by name."""
    found: dict[str, Callable[[Mapping[str, Image], Case], Found]] = {"Tesseract": tesseract}
    if importlib.util.find_spec("rapidocr_onnxruntime"):
        engine = importlib.import_module("rapidocr_onnxruntime").RapidOCR(intra_op_num_threads=1)
        found["rapidocr"] = partial(rapidocr, engine)
    return found


def answers(chosen: Sequence[Case], read: Read, what: str, console: Console) -> list[Answer]:
    """Each case read once; the picture's loading does not count."""
    given = []
    for case in track(chosen, what, console=console, transient=True):
        start, busy = time.perf_counter(), time.thread_time()
        found = read(case)
        spent, own = time.perf_counter() - start, time.thread_time() - busy
        given.append(Answer(case, found, 1000 * spent, 1000 * own))
    return given


def figures(given: Sequence[Answer]) -> Figures:
    """Shares and times; `date_type_accuracy` over the pictures that show a production date too."""
    typed = [one.found.text != one.case.produced for one in given if one.case.produced]
    spent, busy = (np.array(times) for times in zip(*((one.spent_ms, one.busy_ms) for one in given), strict=True))
    wrong = [one for one in given if one.found.text != one.case.expiry]
    return {
        "accuracy": round(1 - len(wrong) / len(given), 4),
        "valid_but_wrong": round(sum(bool(one.found.text) for one in wrong) / len(given), 4),
        "contested": round(sum(one.found.contested for one in given) / len(given), 4),
        "date_type_accuracy": round(float(np.mean(typed)), 4) if typed else None,
        "mean_ms": round(float(spent.mean()), 1),
        "p50_ms": round(float(np.quantile(spent, 0.5)), 1),
        "p95_ms": round(float(np.quantile(spent, 0.95)), 1),
        "busy_mean_ms": round(float(busy.mean()), 1),
        "busy_p50_ms": round(float(np.quantile(busy, 0.5)), 1),
        "busy_p95_ms": round(float(np.quantile(busy, 0.95)), 1),
        "items": len(given),
        "wrong": [f"{one.case.name}: {one.found.text or '-'} for {one.case.expiry}" for one in wrong],
    }


def main() -> int:
    """Measure, print a table, and write the figures."""
    arguments = _arguments()
    cv2.setNumThreads(1)
    console, sessions = Console(), Sessions(arguments.models)
    console.width = max(console.width, WIDTH)
    eyes, measured = readers(sessions), {}
    for name, chosen in cases(arguments.data).items():
        if arguments.sets and name not in arguments.sets.split(","):
            continue
        pictures = {case.name: case.load() for case in chosen}
        measured[name] = figures(answers(chosen, partial(_read, eyes[name], pictures), name, console))
        if arguments.peers:
            some = chosen[:: max(1, len(chosen) // arguments.peers)]
            for peer, read in _peers().items():
                given = answers(some, partial(read, pictures), f"{name}: {peer}", console)
                measured[f"{name} ({peer})"] = figures(given)
    if (arguments.data / "packages").is_dir() and (not arguments.sets or "packages" in arguments.sets.split(",")):
        measured |= measured_serials(arguments.data / "packages", sessions, console, arguments.truth)
    measured |= _drawn(arguments, eyes, console)
    console.print(_table(measured))
    if arguments.json:
        arguments.json.write_text(json.dumps({"sets": measured}, indent=1, ensure_ascii=False) + "\n")
    return 0


def _drawn(arguments: argparse.Namespace, eyes: Mapping[str, DateReader], console: Console) -> dict[str, Figures]:
    """What is made of drawn crops: print that is no date, and dates of which the later is damaged."""
    found: dict[str, Figures] = {}
    if arguments.garbage:
        for name, where in (("garbage", Where.LINE), ("garbage as regions", Where.REGION)):
            found[name] = garbage.measured(arguments.garbage, partial(_text, eyes["lines"], where), console)
    if arguments.pairs:
        read = partial(_text, eyes["labels_uk"], Where.REGION)
        found["damaged pairs"] = pairs.measured(arguments.pairs, read, console)
    return found


def _table(measured: dict[str, Figures]) -> Table:
    table = Table("set", "items", *FIGURES)
    for name, found in measured.items():
        table.add_row(name, str(found["items"]), *(str(found.get(figure, "")) for figure in FIGURES))
    return table


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure how well dates and serials are read.")
    parser.add_argument("--data", type=Path, required=True, help="folder of sets (dates/lines, …, packages)")
    parser.add_argument("--sets", help="names of sets, with commas between (default: all)")
    parser.add_argument(
        "--peers", type=int, default=0, help="pictures of each set that Tesseract and rapidocr (extra `bench`) read too"
    )
    parser.add_argument(
        "--garbage", type=int, default=0, help="drawn crops without a date, read as lines and as regions"
    )
    parser.add_argument("--pairs", type=int, default=0, help="drawn pairs of dates, the later one damaged, as regions")
    parser.add_argument("--truth", type=Path, help="CSV of lots and expiries that a person read off `packages`")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="folder of models (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for all figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
