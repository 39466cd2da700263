"""How well dates and serials are read off photographs, beside Tesseract on the same crops.

`python -m bench.dates --data FOLDER [--sets a,b] [--peers N] [--garbage N] [--json FILE]`

A reading counts as right when letters and digits are those of the label and the check would vouch for it; as valid but
wrong when it would vouch for another calendar-valid date. Times are those of one thread, from picture to reading.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
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

from bench import garbage
from bench.prints import Case, alphanumeric, cases
from bench.serials import measured as measured_serials
from edge.config import ROOT
from edge.core.date_forms import Extra
from edge.core.dates import DateReading, Profile, readings, segment_readings
from edge.core.labels import Field, segments
from edge.core.messages import Image
from edge.inspection.assembly import Sessions
from edge.inspection.cascade import VOUCH_FROM, Cascade
from edge.inspection.cuts import cut_out
from edge.inspection.detector import TextDetector
from edge.inspection.recogniser import LineReader

YEARLESS = Profile(extras=frozenset({Extra.YEARLESS}))  # many of the labels say `16 NOV` and no more
TODAY = date(2026, 6, 1)
LINES_MAX = 8  # read in one picture, the highest print first
SCENE_AREA_PX = 960 * 960  # whole photographs are a matter of commissioning: time does not count there
FIGURES = ("accuracy", "valid_but_wrong", "date_type_accuracy", "mean_ms", "p50_ms", "p95_ms")

Figures = dict[str, Any]
Read = Callable[[Case], str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was read of a case; empty: nothing that would be vouched for."""

    case: Case
    text: str
    spent_ms: float


class Eyes:
    """The appliance's way to read a date off a line, or off a picture in which lines are to be found."""

    def __init__(self, sessions: Sessions) -> None:
        tiny, small = LineReader(sessions.of("text-recogniser")), LineReader(sessions.of("text-recogniser-small"))
        self._height_px = tiny.height_px
        self._cascade = Cascade(tiny, small, frozenset(YEARLESS.extras))
        self._detector = TextDetector(sessions.of("text-detector"))
        self._far = TextDetector(sessions.of("text-detector"), SCENE_AREA_PX)

    def expiry(self, picture: Image, *, line: bool) -> str:
        """Letters and digits of the expiry that would be vouched for."""
        return alphanumeric(_best([self._cascade.read(one, expiring).dates for one in self._lines(picture, line=line)]))

    def _lines(self, picture: Image, *, line: bool) -> list[Image]:
        if line:
            return [picture]
        detector = self._far if picture.shape[0] * picture.shape[1] > 4 * SCENE_AREA_PX // 9 else self._detector
        boxes = sorted(detector.find(picture), key=lambda box: -box.height_px)[:LINES_MAX]
        return [cut_out(picture, box.towards((1.0, 0.0)).corners(), self._height_px) for box in boxes]


def _read(eyes: Eyes, pictures: Mapping[str, Image], case: Case) -> str:
    """A case whose picture has been loaded."""
    return eyes.expiry(pictures[case.name], line=case.line)


def expiring(text: str) -> tuple[DateReading, ...]:
    """The dates of a line that may be its expiry: never those behind a keyword of production."""
    kept = [one for one in segments(text) if one.field in (None, Field.EXPIRY, Field.SELL_BY)]
    return tuple(one for segment in kept for one in segment_readings(segment, TODAY, profile=YEARLESS))


def _best(lines: Sequence[Sequence[DateReading]]) -> str:
    """The latest of what would be vouched for: where no keyword tells, an expiry is after its production."""
    certain = [one for dates in lines for one in dates if one.probability >= VOUCH_FROM]
    return max(certain, key=lambda one: one.day).text if certain else ""


def tesseract(case: Case) -> str:
    """Tesseract's first date in the picture, by the same grammar."""
    mode = "--psm 7" if case.line else "--psm 6"
    for line in pytesseract.image_to_string(case.load(), config=mode).splitlines():
        if found := readings(line, TODAY, profile=YEARLESS):
            return alphanumeric(found[-1].text)
    return ""


def answers(chosen: Sequence[Case], read: Callable[[Case], str], what: str, console: Console) -> list[Answer]:
    """Each case read once; the picture's loading does not count."""
    found = []
    for case in track(chosen, what, console=console, transient=True):
        start = time.perf_counter()
        text = read(case)
        found.append(Answer(case, text, 1000 * (time.perf_counter() - start)))
    return found


def figures(found: Sequence[Answer]) -> Figures:
    """Shares and times; `date_type_accuracy` over the pictures that show a production date too."""
    typed = [one.text != one.case.produced for one in found if one.case.produced]
    spent = np.array([one.spent_ms for one in found])
    return {
        "accuracy": round(float(np.mean([one.text == one.case.expiry for one in found])), 4),
        "valid_but_wrong": round(float(np.mean([one.text not in ("", one.case.expiry) for one in found])), 4),
        "date_type_accuracy": round(float(np.mean(typed)), 4) if typed else None,
        "mean_ms": round(float(spent.mean()), 1),
        "p50_ms": round(float(np.quantile(spent, 0.5)), 1),
        "p95_ms": round(float(np.quantile(spent, 0.95)), 1),
        "items": len(found),
        "wrong": [
            f"{one.case.name}: {one.text or '-'} for {one.case.expiry}" for one in found if one.text != one.case.expiry
        ],
    }


def main() -> int:
    """Measure, print a table, and write the figures."""
    arguments = _arguments()
    cv2.setNumThreads(1)
    console, sessions = Console(), Sessions(arguments.models)
    eyes, measured = Eyes(sessions), {}
    for name, chosen in cases(arguments.data).items():
        if arguments.sets and name not in arguments.sets.split(","):
            continue
        pictures = {case.name: case.load() for case in chosen}
        measured[name] = figures(answers(chosen, partial(_read, eyes, pictures), name, console))
        if arguments.peers:
            some = chosen[:: max(1, len(chosen) // arguments.peers)]
            measured[f"{name} (Tesseract)"] = figures(answers(some, tesseract, f"{name}: Tesseract", console))
    if (arguments.data / "packages").is_dir() and (not arguments.sets or "packages" in arguments.sets.split(",")):
        measured["packages"] = measured_serials(arguments.data / "packages", sessions, console)
    if arguments.garbage:
        measured["garbage"] = garbage.measured(arguments.garbage, lambda p: eyes.expiry(p, line=True), console)
    console.print(_table(measured))
    if arguments.json:
        arguments.json.write_text(json.dumps({"sets": measured}, indent=1, ensure_ascii=False) + "\n")
    return 0


def _table(measured: dict[str, Figures]) -> Table:
    table = Table("set", "items", *FIGURES)
    for name, found in measured.items():
        table.add_row(name, str(found["items"]), *(str(found.get(figure, "")) for figure in FIGURES))
    return table


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure how well dates and serials are read.")
    parser.add_argument("--data", type=Path, required=True, help="folder of sets (dates/lines, …, packages)")
    parser.add_argument("--sets", help="names of sets, with commas between (default: all)")
    parser.add_argument("--peers", type=int, default=0, help="pictures of each set that Tesseract reads too")
    parser.add_argument("--garbage", type=int, default=0, help="drawn crops without a date")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="folder of models (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for all figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
