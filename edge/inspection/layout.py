"""A product's print as a technician accepted it: which line stands where on a camera's picture, how dates are written.

One TOML file for each product and camera, to be read by a person and changed by none: it is sealed when somebody
accepts it, by name. It says where to look and what form to expect; never what is printed there.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field as Ranged
from pydantic import ValidationError

from edge import disk
from edge.core.calendars import Calendar
from edge.core.date_forms import Extra, Order
from edge.core.dates import SHELF_LIFE_DAYS, Granularity, Profile
from edge.core.errors import ReferencesRefused
from edge.core.labels import Field
from edge.core.messages import Point
from edge.inspection.detector import Corners
from edge.settings import CameraName, Section

SUFFIX = ".print.toml"
HEAD = (
    "# Where the print is, and how its dates are written: made by `tunnel-edge text learn`, and sealed. Learn it anew\n"
)
HEAD += "# to change it. Corners: fractions of the picture of the item, top left of the print first.\n"

Fraction = Annotated[float, Ranged(ge=-1, le=2)]


class Ink(StrEnum):
    """What a line is printed with."""

    DARK = "dark"  # darker than its ground
    LIGHT = "light"


class PrintedLine(Section):
    """A line of print that all items of the product bear."""

    field: Field
    keyword: Annotated[str, Ranged(max_length=64)]  # as printed; empty: its place alone says what it is
    form: Annotated[str, Ranged(max_length=16)] = ""  # of a date: day, month, yearless or julian
    corners: Annotated[tuple[tuple[Fraction, Fraction], ...], Ranged(min_length=4, max_length=4)]
    ink: Ink = Ink.DARK
    across: Annotated[float, Ranged(ge=0, le=1)]  # how far it may be off, as a share of the item's width
    down: Annotated[float, Ranged(ge=0, le=1)]  # the same of its height

    def place(self, width_px: float, height_px: float) -> Corners:
        """Its corners in a picture of the item: 4 × 2 px."""
        return (np.array(self.corners) * (width_px, height_px)).astype(np.float32)


class Layout(Section):
    """What is known of one product's print on one camera's pictures."""

    gtin: Annotated[str, Ranged(pattern=r"^[0-9]{8,14}$")]
    camera: CameraName
    accepted_by: Annotated[str, Ranged(min_length=1, max_length=64)]
    accepted_on: date
    pictures: Annotated[int, Ranged(ge=1)]  # that it was learnt from
    script: Annotated[str, Ranged(max_length=64)] = "Latin"  # of the keywords
    orders: Annotated[tuple[Order, ...], Ranged(min_length=1)] = tuple(Order)  # several: no print was ever contested
    calendar: Calendar = Calendar.COMMON
    extras: tuple[Extra, ...] = ()
    shelf_life_days: Annotated[int, Ranged(ge=1, le=20_000)] = SHELF_LIFE_DAYS
    aspect: Annotated[float, Ranged(gt=0.01, lt=100)]  # width by height of the upright item
    quarter_turns: Annotated[int, Ranged(ge=0, le=3)] = 0  # clockwise, until its print is upright
    line: Annotated[tuple[PrintedLine, ...], Ranged(min_length=1, max_length=32)]
    seal: str = ""

    @property
    def profile(self) -> Profile:
        """How the expiry of this product is read: `14.06` for `14.06.27`, half of it unread, is none of its dates."""
        forms = [one.form for one in self.line if one.field is Field.EXPIRY and one.form]
        granularity = None if not forms else Granularity.MONTH if Granularity.MONTH in forms else Granularity.DAY
        return Profile(frozenset(self.orders), self.calendar, self.extras, self.shelf_life_days, granularity)

    @property
    def fields(self) -> frozenset[Field]:
        """What it knows the place of."""
        return frozenset(one.field for one in self.line)

    def save(self, path: Path) -> None:
        """Write it, sealed, in one step."""
        sealed = self.model_copy(update={"seal": self._digest()})
        disk.made(path.parent)
        disk.written(path, (HEAD + "\n".join(_toml(sealed.model_dump(mode="json"))) + "\n").encode())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what was accepted.

        Raises:
            FileNotFoundError: there is none.
            ReferencesRefused: damaged, strange, or changed since it was accepted.
        """
        again = "learn it anew with `tunnel-edge text learn`."
        try:
            layout = cls.model_validate(tomllib.loads(path.read_text()))
        except FileNotFoundError:
            raise
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ReferencesRefused(f"{path}: cannot be read ({error}): {again}") from error
        except ValidationError as error:
            told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            raise ReferencesRefused(f"{path}: no layout of print ({told}): {again}") from error
        if layout.seal != layout._digest():
            raise ReferencesRefused(f"{path}: changed since {layout.accepted_by} accepted it (seal): {again}")
        return layout

    def _digest(self) -> str:
        content = self.model_dump(mode="json", exclude={"seal"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _toml(content: dict[str, Any]) -> Iterator[str]:
    """The file's lines: what is said of the product first, then each line of print."""
    lines = content.pop("line")
    yield from (f"{key} = {_value(value)}" for key, value in content.items())
    for one in lines:
        yield "\n[[line]]"
        yield from (f"{key} = {_value(value)}" for key, value in one.items())


def _value(value: Any) -> str:
    """A TOML value: its strings, numbers and arrays are written as JSON writes them."""
    return json.dumps(value, ensure_ascii=False)


def centre(corners: Corners) -> Point:
    """The middle of a line."""
    x, y = corners.mean(axis=0)
    return float(x), float(y)
