"""Photographs of print with known dates and serials, by set; they stay where they are.

`lines` + `lines.csv` (image,text) · `labels_uk` + csv (image,bbox_xywh,date) · `photos_thai` + csv
(image,boxes_xyxy,expiry,mfg) · `scenes` + csv (image,expiry_alnum,mfg_alnum), all in `dates` or at the top.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import cv2
import numpy as np

from edge.core.messages import Image

MARGIN = 0.25  # of the box's sides, around a box that is given

Row = Mapping[str, str]


class Where(Enum):
    """What is known of the date's place."""

    LINE = "the picture is one line"
    REGION = "the picture is a region that holds it"
    ANYWHERE = "somewhere on a product"


@dataclass(frozen=True, slots=True)
class Case:
    """A picture of print, and what is printed there."""

    name: str
    load: Callable[[], Image]
    expiry: str  # letters and digits alone, capitals
    produced: str = ""  # the same of the production date; empty: none, or not known
    where: Where = Where.REGION


def cases(data: Path) -> dict[str, list[Case]]:
    """Set → its cases; sets that are not there are left out."""
    kinds: Mapping[str, Callable[[Path, Row], Case]] = {
        "lines": _line,
        "labels_uk": _uk_label,
        "photos_thai": _thai_photo,
        "scenes": _scene,
    }
    root = data / "dates" if (data / "dates").is_dir() else data
    return {
        name: [kind(root / name, row) for row in _rows(root / f"{name}.csv") if (root / name / row["image"]).is_file()]
        for name, kind in kinds.items()
        if (root / f"{name}.csv").is_file()
    }


def alphanumeric(text: str) -> str:
    """Letters and digits alone, capitals: marks and spaces do not count."""
    return "".join(character for character in text.upper() if character.isalnum())


def _rows(path: Path) -> Iterator[Row]:
    with path.open(newline="") as file:
        yield from csv.DictReader(file)


def _line(folder: Path, row: Row) -> Case:
    return Case(row["image"], lambda: _read(folder / row["image"]), alphanumeric(row["text"]), where=Where.LINE)


def _uk_label(folder: Path, row: Row) -> Case:
    left, top, width, height = json.loads(row["bbox_xywh"])
    box = (left, top, left + width, top + height)
    return Case(row["image"], lambda: _around(_read(folder / row["image"]), box), alphanumeric(row["date"]))


def _thai_photo(folder: Path, row: Row) -> Case:
    left, top, right, bottom = np.array(json.loads(row["boxes_xyxy"])).T
    box = (left.min(), top.min(), right.max(), bottom.max())
    return Case(row["image"], lambda: _around(_read(folder / row["image"]), box), row["expiry"], row["mfg"])


def _scene(folder: Path, row: Row) -> Case:
    return Case(
        row["image"],
        lambda: _read(folder / row["image"]),
        row["expiry_alnum"].upper(),
        row["mfg_alnum"].upper(),
        Where.ANYWHERE,
    )


def _around(image: Image, box: tuple[float, float, float, float]) -> Image:
    """The box (left, top, right, bottom) and a margin."""
    left, top, right, bottom = box
    across, down = MARGIN * (right - left), MARGIN * (bottom - top)
    rows = slice(max(0, round(top - down)), max(1, round(bottom + down)))
    return np.ascontiguousarray(image[rows, max(0, round(left - across)) : max(1, round(right + across))])


def _read(path: Path) -> Image:
    image = cv2.imread(str(path))
    if image is None:
        raise FileNotFoundError(f"{path}: no picture that can be read")
    return np.asarray(image, np.uint8)
