"""Read expiry, lot and serial off an item. What is expected never enters here: the judge compares."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import cv2
import numpy as np

from edge.core.dates import ALL_ORDERS, Order, segment_readings
from edge.core.labels import Field
from edge.core.messages import Evidence, Image, Sighting
from edge.inspection.crop import Crop, answer
from edge.inspection.detector import TextDetector
from edge.inspection.recogniser import LineReader
from edge.inspection.rows import Row, RowReader

FIELDS = (Field.EXPIRY, Field.LOT, Field.SERIAL)
VOUCH_FROM = 0.5  # below this the least certain character is likelier wrong than right
PICTURE_WIDTH_PX = 320

_CODE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9./-]*[A-Za-z0-9])?")
_CODE_LENGTH_MIN = 3


@dataclass(frozen=True, slots=True)
class _Claim:
    """What one row says of a field; readings holds exactly one string where it is beyond doubt."""

    row: Row
    readings: tuple[str, ...]


class TextCheck:
    """Reads a crop once and gives one evidence for each field it was asked for."""

    def __init__(
        self,
        detector: TextDetector,
        reader: LineReader,
        wanted: Collection[Field] = FIELDS,
        *,
        today: Callable[[], date],
        orders: Collection[Order] = ALL_ORDERS,
        formats: Mapping[Field, str] | None = None,
    ) -> None:
        r"""Take the pair of models and what to look for.

        today: the site's calendar day; it gives two-digit years their century.
        orders: of day, month and year on these products; all of them unless a profile knows better.
        formats: regular expressions that a whole lot or serial must match (`\d{13}`), never a value that is expected.
        """
        self._rows = RowReader(detector, reader)
        self._wanted = frozenset(wanted)
        self._today = today
        self._orders = orders
        self._formats = {field: re.compile(expression) for field, expression in (formats or {}).items()}

    def inspect(self, crop: Crop, sighting: Sighting) -> Sequence[Evidence]:
        """One evidence per field, in the order of `Field`; not valid where print is missing, weak or ambiguous."""
        rows = self._rows.read(crop, sighting.frame.image, self._wanted)
        return [self._evidence(field, rows, sighting) for field in Field if field in self._wanted]

    def _evidence(self, field: Field, rows: Sequence[Row], sighting: Sighting) -> Evidence:
        claims = [_Claim(row, self._readings(field, row)) for row in rows if row.field is field]
        if not claims:
            return answer(field.value, sighting, f"no keyword of {field.value} with a value was read; {_seen(rows)}")
        best = max(claims, key=lambda claim: (len(claim.readings) == 1, claim.row.probability))
        readings = sorted({reading for claim in claims for reading in claim.readings})
        return _judged(field, best.row, readings, sighting)

    def _readings(self, field: Field, row: Row) -> tuple[str, ...]:
        if field is Field.EXPIRY:
            dates = segment_readings(row.segment, self._today(), orders=self._orders)
            return tuple(one.day.isoformat() for one in dates)
        codes = [code for code in _CODE.findall(row.value) if self._is_code(field, code)]
        return tuple(codes[:1])

    def _is_code(self, field: Field, code: str) -> bool:
        if field in self._formats:
            return self._formats[field].fullmatch(code) is not None
        return len(code) >= _CODE_LENGTH_MIN and any(character.isdigit() for character in code)


def _judged(field: Field, row: Row, readings: Sequence[str], sighting: Sighting) -> Evidence:
    """Vouch for a single, certain, complete reading; else say what stands against it."""
    objection = _objection(row, readings)
    read = f'read "{row.keyword} {row.value}" ({row.probability:.2f})'
    return replace(
        answer(field.value, sighting, f"{read}: {objection}" if objection else read),
        reading=None if objection else readings[0],
        probability=row.probability,
        where=tuple((float(x), float(y)) for x, y in row.source.corners),
        picture=_narrow(row.source.picture),
        valid=not objection,
    )


def _objection(row: Row, readings: Sequence[str]) -> str:
    """Why the reading is not vouched for; empty if it is."""
    if not readings:
        return "not a value of this kind"
    if len(readings) > 1:
        return f"may be {', '.join(readings)}"
    if row.probability < VOUCH_FROM:
        return "a character is too uncertain"
    if row.second_look is not None:
        return f'a second look read "{row.second_look}"'
    return "the line runs out of the picture" if row.source.cut_by_crop or row.source.cut_by_frame else ""


def _seen(rows: Sequence[Row]) -> str:
    """The surest print there was, for the technician."""
    surest = sorted(rows, key=lambda row: -row.probability)[:3]
    return "seen: " + ", ".join(f'"{row.value}"' for row in surest) if surest else "no print seen"


def _narrow(picture: Image) -> Image:
    """At most 320 px wide."""
    height_px, width_px = picture.shape[:2]
    if width_px <= PICTURE_WIDTH_PX:
        return picture
    size = (PICTURE_WIDTH_PX, max(1, round(height_px * PICTURE_WIDTH_PX / width_px)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
