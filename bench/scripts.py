"""Dates beside keywords that the recognisers cannot read: named at commissioning, read by a layout.

`python -m bench.scripts [--items 20] [--json FILE]`: labels in seven scripts that the recognisers lack, drawn without
hardship; a layout is learnt from five, the bench says which line is the expiry, and the others are read both ways.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.label_inks import letters, missing_fonts
from bench.label_texts import LANGUAGES, TODAY, Language
from edge.core.calendars import BUDDHIST_AHEAD, Calendar
from edge.core.date_forms import Order
from edge.core.labels import Field
from edge.core.messages import Evidence, Expected, Frame, Image, Item, Sighting
from edge.inspection.assembly import Sessions, known_print, student
from edge.inspection.known_print import KnownPrint
from edge.inspection.layout import SUFFIX
from edge.inspection.layout_proposal import Proposal, proposed
from edge.inspection.locate import whole
from edge.settings import ROOT

FOREIGN = ("ru", "el", "ko", "th", "ar", "he", "hi")
GTIN, CAMERA, LEARNT_FROM = "00000000", "side", 5
FRAME_PX, HEIGHT_PX = (300, 640), 34
SEED = 5

Random = np.random.Generator
Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Label:
    """A drawn label and its expiry."""

    image: Image
    expiry: date


def drawn(language: Language, random: Random) -> Label:
    """A keyword with a date, and a lot below; a little off its place, blurred and noisy."""
    day = TODAY + timedelta(days=int(random.integers(60, 1000)))
    rows = (f"{language.expiry[-1]} {_printed(day, language)}", f"LOT A{random.integers(1000, 9999)}")
    inked = [letters(row, language.script, HEIGHT_PX, np.random.default_rng(SEED)) for row in rows]
    width_px = max(one.shape[1] for one in inked)
    ink = np.vstack([np.pad(one, ((0, 4), (0, width_px - one.shape[1]))) for one in inked])[:, : FRAME_PX[1] - 80]
    image = np.full((*FRAME_PX, 3), 225.0)
    left, top = 60 + int(random.integers(-8, 9)), 80 + int(random.integers(-6, 7))
    image[top : top + ink.shape[0], left : left + ink.shape[1]] -= 190 * ink[..., None]
    blurred = cv2.GaussianBlur(image, (0, 0), 0.9) + random.normal(0, 4, image.shape)
    return Label(np.asarray(np.clip(blurred, 0, 255), np.uint8), day)


def _printed(day: date, language: Language) -> str:
    year = day.year + (BUDDHIST_AHEAD if language.calendar is Calendar.BUDDHIST else 0)
    if language.order is Order.YEAR_FIRST:
        return f"{year}.{day.month:02}.{day.day:02}"
    return f"{day.day:02}/{day.month:02}/{year}"


def measured(code: str, items: int, sessions: Sessions, console: Console) -> Figures:
    """What was named, and the shares read without a layout and with one."""
    language, random = LANGUAGES[code], np.random.default_rng(SEED)
    labels = [drawn(language, random) for _ in range(LEARNT_FROM + items)]
    eager, first = student(sessions), track(labels[:LEARNT_FROM], language.name, console=console)
    proposal = proposed([eager.study(whole(one.image), one.image) for one in first], TODAY, language.profile)
    with tempfile.TemporaryDirectory() as folder:
        learnt = _accepted(proposal, Path(folder))
        figures: Figures = {"named": [one.script.name for one in proposal.scripts.values()], "learnt": learnt}
        for name, layouts in (("detector", Path(folder) / "none"), ("layout", Path(folder))):
            check = known_print(sessions, {Field.EXPIRY}, lambda: TODAY, language.profile, layouts)
            figures |= _shares(name, [(one, _read(check, one)) for one in labels[LEARNT_FROM:]])
    return figures


def _accepted(proposal: Proposal, folder: Path) -> bool:
    """The bench takes the date without a keyword for the expiry, as a technician would; False: none was found."""
    bare = [number for number, one in enumerate(proposal.found, 1) if one.field is None]
    told = proposal.named(dict.fromkeys(bare[:1], Field.EXPIRY))
    if any(one.field is Field.EXPIRY for one in told.found):
        told.accepted(GTIN, CAMERA, "bench").save(folder / GTIN / f"{CAMERA}{SUFFIX}")
        return True
    return False


def _read(check: KnownPrint, label: Label) -> Evidence:
    item = Item("bench", 0, 0, expected=Expected("bench", GTIN, "bench"))
    sighting = Sighting(Frame(CAMERA, "bench", 0, 0.0, label.image), item, 0)
    return check.inspect(whole(label.image), sighting)[0]


def _shares(name: str, read: Sequence[tuple[Label, Evidence]]) -> Figures:
    right = [one.valid and one.reading == label.expiry.isoformat() for label, one in read]
    wrong = [one.valid and one.reading != label.expiry.isoformat() for label, one in read]
    return {name: round(float(np.mean(right)), 3), f"{name}_wrong": round(float(np.mean(wrong)), 3)}


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description="Read dates beside keywords in foreign scripts.")
    parser.add_argument("--items", type=int, default=20, help="labels of each language (default: %(default)s)")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="folder of models (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for all figures")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    console, sessions, missing = Console(), Sessions(options.models), missing_fonts()
    for script in missing:
        console.print(f"left out: {script}: no font")
    here = [code for code in FOREIGN if LANGUAGES[code].script not in missing]
    found = {LANGUAGES[code].name: measured(code, options.items, sessions, console) for code in here}
    table = Table("", *next(iter(found.values()), {}))
    for name, figures in found.items():
        table.add_row(name, *map(str, figures.values()))
    console.print(table)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
