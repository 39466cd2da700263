"""Serials read off the side view of packages: the file's name is what is printed."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track

from edge.core.labels import Field
from edge.core.messages import Frame, Image, Item, Sighting
from edge.inspection.assembly import Sessions, text_check
from edge.inspection.belt import BeltColour
from edge.inspection.locate import locate

BELT_FRAMES = 24
FORMAT = {Field.SERIAL: r"\d{13}"}


def measured(folder: Path, sessions: Sessions, console: Console) -> dict[str, Any]:
    """Shares and times over all items; the belt is learnt from a few of the frames, without their labels."""
    paths = sorted(folder.glob("*/side/*.jpg"))
    frames = {path: np.asarray(cv2.imread(str(path)), np.uint8) for path in paths}
    belt = BeltColour.learn([frames[path] for path in paths[:: max(1, len(paths) // BELT_FRAMES)]])
    check = text_check(sessions, {Field.SERIAL}, date.today, formats=FORMAT)
    read: dict[Path, tuple[str, float]] = {}
    for path in track(paths, "packages: serials", console=console, transient=True):
        start = time.perf_counter()
        [found] = check.inspect(locate(frames[path], belt), _sighting(path, frames[path]))
        read[path] = (found.reading or "" if found.valid else "", 1000 * (time.perf_counter() - start))
    return _figures(read)


def _sighting(path: Path, image: Image) -> Sighting:
    return Sighting(Frame("side", path.stem, 0, 0.0, image), Item(path.stem, 0, 0), 0)


def _figures(read: dict[Path, tuple[str, float]]) -> dict[str, Any]:
    spent = np.array([spent_ms for _, spent_ms in read.values()])
    return {
        "accuracy": round(float(np.mean([text == path.stem for path, (text, _) in read.items()])), 4),
        "valid_but_wrong": round(float(np.mean([text not in ("", path.stem) for path, (text, _) in read.items()])), 4),
        "date_type_accuracy": None,
        "mean_ms": round(float(spent.mean()), 1),
        "p50_ms": round(float(np.quantile(spent, 0.5)), 1),
        "p95_ms": round(float(np.quantile(spent, 0.95)), 1),
        "items": len(read),
        "wrong": [f"{path.stem}: {text or '-'}" for path, (text, _) in read.items() if text != path.stem],
    }
