"""Drawn pairs of dates without keywords, the later one damaged: how often the earlier is taken for the expiry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track

from bench.garbage import FONTS, Random
from bench.prints import alphanumeric
from edge.core.messages import Image

SEED = 5
FORMS = ("%d.%m.%Y", "%d/%m/%y", "%d %m %y", "%d%m%y", "%d%b%Y")
HEIGHT_PX, WIDTH_PX, LEFT_PX = 150, 380, 50
LATER_ROWS = slice(75, 120)  # of the picture, where the later date is printed


@dataclass(frozen=True, slots=True)
class Pair:
    """Two dates as they are printed, letters and digits alone."""

    produced: str
    expiry: str
    picture: Image


def measured(count: int, read: Callable[[Image], str], console: Console) -> dict[str, Any]:
    """Shares of the pairs of which the expiry, the production date, or something else was read."""
    pairs = list(_pairs(count, np.random.default_rng(SEED)))
    found = [(pair, read(pair.picture)) for pair in track(pairs, "damaged pairs", console=console, transient=True)]
    wrong = [(pair, text) for pair, text in found if text not in ("", pair.expiry)]
    return {
        "items": count,
        "accuracy": round(sum(text == pair.expiry for pair, text in found) / count, 4),
        "valid_but_wrong": round(len(wrong) / count, 4),
        "date_type_accuracy": round(1 - sum(text == pair.produced for pair, text in found) / count, 4),
        "wrong": [f"{pair.produced}, {pair.expiry}: {text}" for pair, text in wrong],
    }


def _pairs(count: int, random: Random) -> Iterator[Pair]:
    for _ in range(count):
        produced = date(2025, 1, 1) + timedelta(days=int(random.integers(0, 400)))
        expiry = produced + timedelta(days=int(random.integers(20, 500)))
        form = str(random.choice(FORMS))
        earlier, later = (day.strftime(form).upper() for day in (produced, expiry))
        yield Pair(alphanumeric(earlier), alphanumeric(later), _damaged(_drawn(earlier, later, random), random))


def _drawn(earlier: str, later: str, random: Random) -> Image:
    picture = np.full((HEIGHT_PX, WIDTH_PX, 3), int(random.integers(170, 250)), np.uint8)
    ink, font = (int(random.integers(0, 90)),) * 3, int(random.choice(FONTS))
    size = 2.2 if font == cv2.FONT_HERSHEY_PLAIN else 1.1
    cv2.putText(picture, earlier, (LEFT_PX, 60), font, size, ink, 2)
    cv2.putText(picture, later, (LEFT_PX, 110), font, size, ink, 2)
    return picture


def _damaged(picture: Image, random: Random) -> Image:
    """Wiped, smeared or blotted out where the later date stands; then blurred and noisy all over."""
    left_px, width_px = int(random.integers(LEFT_PX, 250)), int(random.integers(20, 130))
    line = picture[LATER_ROWS]
    piece = line[:, left_px : left_px + width_px]
    match int(random.integers(0, 3)):
        case 0:
            piece[:] = picture[0, 0]
        case 1:
            line[:] = cv2.GaussianBlur(line, (0, 0), float(random.uniform(2, 7)))
        case _:
            piece[:] = random.integers(0, 256, piece.shape, np.uint8)
    blurred = cv2.GaussianBlur(picture, (0, 0), 0.7)
    return np.clip(blurred + random.normal(0.0, 5.0, picture.shape), 0, 255).astype(np.uint8)
