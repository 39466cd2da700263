"""Serials read off the side view of packages: the file's name is what is printed.

Expiry and lot are not told by any label. Who has read them off some of the pictures gives a file (`--truth`), a CSV
with the columns `name,lot,expiry` (the picture's serial; `12.2082`): what is left blank there no person could read.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track

from edge.core.dates import readings
from edge.core.labels import Field
from edge.core.messages import Evidence, Frame, Image, Item, Sighting
from edge.inspection.assembly import Sessions, text_check
from edge.inspection.belt import BeltColour
from edge.inspection.code_reader import what_counts
from edge.inspection.crop import Check
from edge.inspection.locate import locate

BELT_FRAMES = 24
FORMAT = {Field.SERIAL: r"\d{13}"}
LOT_FORMAT = {Field.LOT: r"[A-Z]{2}\d{6}-\d[A-Z]"}
TODAY = date(2026, 6, 1)

Figures = dict[str, Any]
Truth = Mapping[str, str]
"""Name of a picture → what is printed on it."""


@dataclass(frozen=True, slots=True)
class _Shelf:
    """The pictures, and what the belt between the items looks like."""

    frames: Mapping[Path, Image]
    belt: BeltColour

    @classmethod
    def of(cls, folder: Path) -> _Shelf:
        """All side views; the belt is learnt from a few of them, without their labels."""
        paths = sorted(folder.glob("*/side/*.jpg"))
        frames = {path: np.asarray(cv2.imread(str(path)), np.uint8) for path in paths}
        return cls(frames, BeltColour.learn([frames[path] for path in paths[:: max(1, len(paths) // BELT_FRAMES)]]))

    def on_its_head(self) -> _Shelf:
        """The same with every frame turned by 180°."""
        turned = {path: np.asarray(cv2.rotate(image, cv2.ROTATE_180), np.uint8) for path, image in self.frames.items()}
        return replace(self, frames=turned)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was read of one picture."""

    name: str
    found: Mapping[Field, Evidence]
    spent_ms: float
    busy_ms: float  # of it, this thread's own: what others do on the machine does not count

    def text(self, field: Field) -> str:
        """What would be vouched for."""
        one = self.found[field]
        return one.reading or "" if one.valid else ""


def measured(folder: Path, sessions: Sessions, console: Console, truth: Path | None = None) -> dict[str, Figures]:
    """By what was read: serials of all items, both ways round; expiries and lots of those in the file, all at once."""
    shelf = _Shelf.of(folder)
    check = text_check(sessions, {Field.SERIAL}, lambda: TODAY, formats=FORMAT)
    found = {}
    for name, shown in (("packages", shelf), ("packages: on their heads", shelf.on_its_head())):
        read = _read(check, shown, list(shown.frames), name, console)
        found[name] = _figures(read, Field.SERIAL, {one.name: one.name for one in read})
    return found | _with_truth(truth, shelf, sessions, console) if truth else found


def _with_truth(path: Path, shelf: _Shelf, sessions: Sessions, console: Console) -> dict[str, Figures]:
    """Lots twice: without and with their format."""
    rows = {row["name"]: row for row in csv.DictReader(path.read_text().splitlines())}
    chosen = [one for one in shelf.frames if one.stem in rows]
    expiries = {name: _day(row["expiry"]) for name, row in rows.items() if row["expiry"]}
    lots = {name: row["lot"] for name, row in rows.items() if row["lot"]}
    fields = {Field.EXPIRY, Field.LOT, Field.SERIAL}
    free, formed = (
        _read(text_check(sessions, fields, lambda: TODAY, formats=formats), shelf, chosen, "packages: all", console)
        for formats in (FORMAT, FORMAT | LOT_FORMAT)
    )
    return {
        "packages: expiry": _figures(free, Field.EXPIRY, expiries),
        "packages: lot": _figures(free, Field.LOT, lots),
        "packages: lot, format": _figures(formed, Field.LOT, lots),
    }


def _day(text: str) -> str:
    return readings(text, TODAY)[0].day.isoformat()


def _read(check: Check, shelf: _Shelf, chosen: Sequence[Path], what: str, console: Console) -> list[_Answer]:
    answers = []
    for path in track(chosen, what, console=console, transient=True):
        image = shelf.frames[path]
        start, busy = time.perf_counter(), time.thread_time()
        found = check.inspect(locate(image, shelf.belt), _sighting(path, image))
        spent, own = time.perf_counter() - start, time.thread_time() - busy
        answers.append(_Answer(path.stem, {Field(one.check): one for one in found}, 1000 * spent, 1000 * own))
    return answers


def _sighting(path: Path, image: Image) -> Sighting:
    return Sighting(Frame("side", path.stem, 0, 0.0, image), Item(path.stem, 0, 0), 0)


def _figures(read: Sequence[_Answer], field: Field, truth: Truth) -> Figures:
    """Shares over what a person could read, lots as the judge compares them; times over all."""
    told = [(one.name, one.text(field), truth[one.name]) for one in read if one.name in truth]
    right = [what_counts(field, text) == what_counts(field, true) for _, text, true in told]
    spent, busy = (np.array(times) for times in zip(*((one.spent_ms, one.busy_ms) for one in read), strict=True))
    return {
        "accuracy": round(float(np.mean(right)), 4),
        "valid_but_wrong": round(
            float(np.mean([bool(one[1]) and not fits for one, fits in zip(told, right, strict=True)])), 4
        ),
        "date_type_accuracy": None,
        "mean_ms": round(float(spent.mean()), 1),
        "p50_ms": round(float(np.quantile(spent, 0.5)), 1),
        "p95_ms": round(float(np.quantile(spent, 0.95)), 1),
        "busy_p50_ms": round(float(np.quantile(busy, 0.5)), 1),
        "busy_p95_ms": round(float(np.quantile(busy, 0.95)), 1),
        "items": len(told),
        "wrong": [f"{one[0]}: {one[1] or '-'} for {one[2]}" for one, fits in zip(told, right, strict=True) if not fits],
    }
