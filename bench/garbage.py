"""Drawn crops on which no date is printed, and how often one is read there all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track

from edge.core.messages import Image

SEED = 26
FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_PLAIN)
LETTERS = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
Random = np.random.Generator


def measured(count: int, read: Callable[[Image], str], console: Console) -> dict[str, Any]:
    """The share of the crops on which a date was read."""
    crops = list(_crops(count, np.random.default_rng(SEED)))
    found = [
        (text, date)
        for text, picture in track(crops, "garbage", console=console, transient=True)
        if (date := read(picture))
    ]
    confusable = [text for text, _ in found if text.startswith("2O")]
    return {
        "valid_but_wrong": (len(found) - len(confusable)) / count,
        "letters_for_digits": len(
            confusable
        ),  # `2O26.O5.O4`, drawn so that the O is a 0: read as the date it nearly is
        "items": count,
        "wrong": [f"{text}: {date}" for text, date in found if not text.startswith("2O")],
    }


def _crops(count: int, random: Random) -> Iterator[tuple[str, Image]]:
    """What is printed, and its picture; every tenth one is noise, every tenth a bare surface or a sliver."""
    for index in range(count):
        if index % 10 == 8:
            yield "noise", random.integers(0, 256, (48, int(random.integers(1, 400)), 3), np.uint8)
        elif index % 10 == 9:
            yield "bare", np.full((int(random.integers(1, 60)), int(random.integers(1, 400)), 3), 200, np.uint8)
        else:
            text = _text(random)
            yield text, _drawn(text, random)


def _text(random: Random) -> str:
    """Telephone numbers, prices, times, impossible days, letters for digits, codes, words."""
    digits = "".join(map(str, random.integers(0, 10, 13)))
    word = "".join(random.choice(LETTERS, 6))
    year, day, month = int(random.integers(2024, 2031)), int(random.integers(32, 100)), int(random.integers(13, 100))
    return str(
        random.choice(
            (
                f"Tel. 0{digits[:3]} {digits[3:5]} {digits[5:7]} {digits[7:9]}",
                f"0800 {digits[:2]} {digits[2:4]} {digits[4:6]}",
                f"EUR {digits[:2]}.{digits[2:4]}",
                f"{int(digits[:2]) % 24:02}:{int(digits[2:4]) % 60:02}:{int(digits[4:6]) % 60:02}",
                f"{random.choice((30, 31))}.02.{year}",
                f"{day}.05.{year}",
                f"{year}.{month}.04",
                f"2O{year % 100}.O5.O4",
                f"LOT {digits[:6]}",
                f"SN {digits}",
                digits,
                word,
                f"{word} {digits[:3]} g",
            )
        )
    )


def _drawn(text: str, random: Random) -> Image:
    """Dark print on a pale ground, blurred and noisy."""
    picture = np.full((48, 24 * len(text) + 40, 3), int(random.integers(140, 256)), np.uint8)
    ink, font = int(random.integers(0, 90)), int(random.choice(FONTS))
    size = 2.0 if font == cv2.FONT_HERSHEY_PLAIN else 1.0
    cv2.putText(picture, text, (8, 35), font, size, (ink, ink, ink), int(random.integers(1, 4)))
    blurred = cv2.GaussianBlur(picture, (0, 0), float(random.uniform(0.3, 1.5)))
    return np.clip(blurred + random.normal(0.0, 6.0, picture.shape), 0, 255).astype(np.uint8)
