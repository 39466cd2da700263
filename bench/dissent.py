"""What Tesseract is worth as a dissenter: how often it is sure of the date on a line, and of another one.

`python -m bench.dissent --data FOLDER [--json FILE]` with `dates/lines` and `lines.csv` in the folder.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytesseract
from rich.console import Console
from rich.progress import track

from bench.prints import Case, alphanumeric, cases
from edge.core.date_forms import Extra
from edge.core.date_votes import VOUCH_FROM
from edge.core.dates import DateReading, Profile, readings
from edge.core.messages import Evidence
from edge.inspection.assembly import Sessions
from edge.inspection.cascade import Cascade
from edge.inspection.recogniser import LineReader
from edge.inspection.tesseract import SURE_FROM, LineTesseract, allowed, doubted
from edge.settings import ROOT

TODAY = date(2026, 6, 1)
YEARLESS = Profile(extras=frozenset({Extra.YEARLESS}))  # some of the lines say `16 NOV` and no more
PROGRAMS = 20  # lines on which Tesseract is also started as a program, to time it


@dataclass(frozen=True, slots=True)
class Heard:
    """What both say of a line: right, wrong or silent."""

    cascade: str
    tesseract: str
    unfounded: bool  # Tesseract dissents from a right date
    fallen: bool  # the cascade's date is no longer vouched for
    spent_ms: float  # by Tesseract


def measured(chosen: list[Case], cascade: Cascade, second: LineTesseract, console: Console) -> dict[str, Any]:
    """Lines by what both say of them, dissents, and the mean time."""
    heard = [_heard(case, cascade, second) for case in track(chosen, "lines", console=console, transient=True)]
    told = Counter(f"cascade {one.cascade}, Tesseract {one.tesseract}" for one in heard)
    return {
        "lines": len(heard),
        "told": dict(told),
        "unfounded_dissents": sum(one.unfounded for one in heard),
        "no_longer_vouched_for": sum(one.fallen for one in heard),
        "in_process_ms": round(float(np.mean([one.spent_ms for one in heard])), 1),
    }


def _heard(case: Case, cascade: Cascade, second: LineTesseract) -> Heard:
    picture = case.load()
    dates = [one for one in cascade.read(picture, _printed).dates if one.probability >= VOUCH_FROM]
    ours = _answer([alphanumeric(one.text) for one in dates[:1]], case)
    begun = time.perf_counter()
    text, sure = second.read(picture)
    spent_ms = 1000 * (time.perf_counter() - begun)
    days = allowed(text, TODAY) if sure >= SURE_FROM else set()
    theirs = _answer([alphanumeric(one.text) for one in readings(text, TODAY)] if days else [], case)
    dissents = bool(dates and days) and dates[0].day not in days
    return Heard(ours, theirs, dissents and ours == "right", dissents and _falls(dates[0]), spent_ms)


def _answer(texts: list[str], case: Case) -> str:
    return "silent" if not texts else "right" if case.expiry in texts else "wrong"


def _falls(one: DateReading) -> bool:
    vouched = Evidence("", "", "", "expiry", reading=one.day.isoformat(), probability=one.probability, valid=True)
    return not doubted(vouched, "").valid


def _printed(text: str) -> tuple[DateReading, ...]:
    return readings(text, TODAY, profile=YEARLESS)


def program_ms(chosen: list[Case]) -> float:
    """A start of the program per line."""
    begun = time.perf_counter()
    for case in chosen[:PROGRAMS]:
        pytesseract.image_to_string(case.load(), config="--psm 7")
    return round(1000 * (time.perf_counter() - begun) / PROGRAMS, 1)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure what Tesseract is worth as a dissenter.")
    parser.add_argument("--data", type=Path, required=True, help="folder of sets, as for bench.dates")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="folder of models (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for all figures")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    chosen, console = cases(options.data)["lines"], Console()
    sessions = Sessions(options.models)
    tiny, small = (LineReader(sessions.of(f"text-recogniser{size}")) for size in ("", "-small"))
    found = measured(chosen, Cascade(tiny, small, frozenset(YEARLESS.extras)), LineTesseract(), console)
    found["as_a_program_ms"] = program_ms(chosen)
    console.print_json(json.dumps(found))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
