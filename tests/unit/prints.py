"""Layouts and drawn print for the tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import cv2
import numpy as np

from edge.core.labels import Field
from edge.core.messages import Expected, Frame, Image, Item, Sighting
from edge.inspection.crop import Crop
from edge.inspection.layout import Layout, PrintedLine
from edge.inspection.locate import whole

GTIN = "04012345678901"
WIDTH_PX, HEIGHT_PX = 600, 300
TOPS_PX, LEFT_PX, LINE_PX = (60, 120, 180), 40, 44


def line(field: Field, row: int = 0, keyword: str = "", **more: Any) -> PrintedLine:
    """A line where `label` draws its rows."""
    top, bottom = TOPS_PX[row] / HEIGHT_PX, (TOPS_PX[row] + LINE_PX) / HEIGHT_PX
    left, right = LEFT_PX / WIDTH_PX, (LEFT_PX + 480) / WIDTH_PX
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return PrintedLine(field=field, keyword=keyword, corners=corners, **({"across": 0.05, "down": 0.04} | more))


def layout(*lines: PrintedLine, **more: Any) -> Layout:
    """A layout that Ada accepted."""
    known: dict[str, Any] = {"accepted_by": "Ada", "accepted_on": date(2026, 11, 25), "pictures": 5, "aspect": 2.0}
    return Layout(gtin=GTIN, camera="side", line=lines, **(known | more))


def label(rows: Sequence[str], ink: int = 30, ground: int = 225) -> Image:
    """Rows of print on a bare item, one below the other."""
    picture = np.full((HEIGHT_PX, WIDTH_PX, 3), ground, np.uint8)
    for text, top in zip(rows, TOPS_PX, strict=False):
        cv2.putText(picture, text, (LEFT_PX + 8, top + 34), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (ink,) * 3, 2, cv2.LINE_AA)
    return picture


def seen(image: Image, gtin: str | None = GTIN) -> tuple[Crop, Sighting]:
    """The item as its own frame."""
    expected = Expected("w1", gtin, "o1") if gtin else None
    return whole(image), Sighting(Frame("side", "f1", 7, 0.0, image), Item("i1", 0, 0, expected=expected), 0)
