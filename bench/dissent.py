"""What Tesseract is worth as a dissenter: how often it is sure of the date on a line, and of another one.

`python -m bench.dissent --data FOLDER [--json FILE]` with `dates/lines` and `lines.csv` in the folder.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytesseract
from rich.console import Console
from rich.progress import track

from bench.dates import TODAY, Eyes
from bench.prints import Case, alphanumeric, cases
from edge.config import ROOT
from edge.core.dates import readings
from edge.inspection.assembly import Sessions
from edge.inspection.tesseract import SURE_FROM, LineTesseract, allowed

PROGRAMS = 20  # lines on which Tesseract is also started as a program, to time it


def measured(chosen: list[Case], eyes: Eyes, second: LineTesseract, console: Console) -> dict[str, Any]:
    """Shares of lines on which Tesseract is right, wrong and silent, and what it says where the cascade is wrong."""
    told: Counter[str] = Counter()
    spent = []
    for case in track(chosen, "lines", console=console, transient=True):
        picture = case.load()
        ours = eyes.expiry(picture, line=True)
        begun = time.perf_counter()
        text, sure = second.read(picture)
        spent.append(1000 * (time.perf_counter() - begun))
        told[f"cascade {_answer(ours, case)}, Tesseract {_second(text, sure, case)}"] += 1
    return {"lines": len(chosen), "told": dict(told), "in_process_ms": round(float(np.mean(spent)), 1)}


def _answer(text: str, case: Case) -> str:
    return "silent" if not text else "right" if text == case.expiry else "wrong"


def _second(text: str, sure: int, case: Case) -> str:
    """Right: one of the days that its text may mean is one that the label's may."""
    days = allowed(text, TODAY) if sure >= SURE_FROM else set()
    if not days:
        return "silent"
    if any(alphanumeric(one.text) == case.expiry for one in readings(text, TODAY)):
        return "right"
    return "wrong"


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
    found = measured(chosen, Eyes(Sessions(options.models)), LineTesseract(), console)
    found["as_a_program_ms"] = program_ms(chosen)
    console.print_json(json.dumps(found))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
