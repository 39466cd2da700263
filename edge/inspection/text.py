"""Read expiry, lot and serial off an item. What is expected never enters here: the judge compares."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

import cv2
import numpy as np

from edge.core.date_votes import RIVAL_SHARE, VOUCH_FROM
from edge.core.dates import DateReading, Profile, readings, segment_readings
from edge.core.labels import CODES, Field, Segment, meant, segments
from edge.core.messages import Evidence, Image, Sighting
from edge.core.shelf_life import duration, on_sale, undated
from edge.inspection import code_reader
from edge.inspection.cascade import Cascade
from edge.inspection.code_reader import CodeReader, what_counts
from edge.inspection.crop import Crop, answer
from edge.inspection.cuts import cut_out, lengthened
from edge.inspection.detector import Finder
from edge.inspection.recogniser import LineReader
from edge.inspection.rows import Row, RowReader
from edge.inspection.traits import sized, spoken

FIELDS = (Field.EXPIRY, Field.LOT, Field.SERIAL, Field.SIZE, Field.LANGUAGE)
SOURCE = "print"
PICTURE_WIDTH_PX = 320
ANY_PROFILE = Profile()


@dataclass(frozen=True, slots=True)
class _Reading:
    """One thing that the row may say."""

    text: str
    probability: float

    def __str__(self) -> str:
        return f"{self.text} ({self.probability:.2f})"


@dataclass(frozen=True, slots=True)
class _Claim:
    """What one row says of a field; standing holds exactly one reading where it is beyond doubt."""

    row: Row
    readings: tuple[_Reading, ...]  # all that the print allows
    share: float  # of the likeliest's probability that others need to stand against it

    @property
    def standing(self) -> list[_Reading]:
        """Those that are not far less likely than the likeliest."""
        best = max((one.probability for one in self.readings), default=0.0)
        return [one for one in self.readings if one.probability >= self.share * best]


class TextCheck:
    """Reads a crop once and gives one evidence for each field it was asked for."""

    def __init__(
        self,
        detector: Finder,
        reader: LineReader,
        wanted: Collection[Field] = FIELDS,
        *,
        today: Callable[[], date],
        second: LineReader | None = None,
        profile: Profile = ANY_PROFILE,
        formats: Mapping[Field, str] | None = None,
    ) -> None:
        r"""Take the pair of models and what to look for.

        second: the recogniser for lines that `reader` is not sure of; without it the same one looks again.
        today: the site's calendar day; it gives two-digit years their century.
        profile: what is known of the dates on these products: their orders, their calendar.
        formats: regular expressions that a whole lot or serial must match (`\d{13}`), never a value that is expected.
        """
        self._rows = RowReader(detector, reader, second or reader)
        self._cascade = Cascade(reader, second or reader, frozenset(profile.extras))
        self._height_px = reader.height_px
        self._wanted = frozenset(wanted)
        self._today = today
        self._profile = profile
        self._codes = CodeReader(second or reader, formats or {})

    def inspect(self, crop: Crop, sighting: Sighting) -> Sequence[Evidence]:
        """One evidence per field, in the order of `Field`; not valid where print is missing, weak or ambiguous."""
        rows = self._rows.read(crop, sighting.frame.image, self._wanted)
        found = [self._answer(field, rows, sighting) for field in Field if field in self._wanted]
        return [replace(one, source=SOURCE) for one in found]

    def _answer(self, field: Field, rows: Sequence[Row], sighting: Sighting) -> Evidence:
        traits = {Field.SIZE: sized, Field.LANGUAGE: spoken}
        if field not in traits:
            return self._evidence(field, rows, sighting)
        found = traits[field](rows, sighting)
        return found if found.picture is None else replace(found, picture=_narrow(found.picture))

    def _evidence(self, field: Field, rows: Sequence[Row], sighting: Sighting) -> Evidence:
        unnamed = self._codes.unnamed(field, rows)
        claimed = [row for row in rows if _claims(field, row)] or ([unnamed] if unnamed else [])
        share = code_reader.RIVAL_SHARE if field in CODES else RIVAL_SHARE
        claims = [_Claim(row, self._readings(field, row, sighting.frame.image), share) for row in claimed]
        if not claims:
            return self._unnamed(field, rows, sighting)
        best = max(claims, key=lambda claim: (len(claim.standing) == 1, claim.row.probability))
        standing = _different(field, [one for claim in claims for one in claim.standing])
        judged = _judged(field, best.row, standing, sighting)
        return replace(judged, rivals=_rivals(claims))

    def _readings(self, field: Field, row: Row, frame: Image) -> tuple[_Reading, ...]:
        if field is Field.EXPIRY:
            return self._dates(row, frame)
        codes = self._codes.read(field, row, frame)
        return tuple(_Reading(code.text, codes[0].weakest * code.together / codes[0].together) for code in codes)

    def _dates(self, row: Row, frame: Image) -> tuple[_Reading, ...]:
        """All dates that may be printed behind the row's keyword, by the recognisers' own probabilities."""
        read = partial(self._expiring, row)
        longer = cut_out(frame, lengthened(row.source.corners), self._height_px)
        look = self._cascade.settled(self._cascade.look(longer, row.source.line, read), read)
        return tuple(_Reading(one.day.isoformat(), one.probability) for one in look.dates)

    def _expiring(self, row: Row, text: str) -> list[DateReading]:
        """The dates behind the keyword of expiry in one text that the row's line may be."""
        found = segments(f"{row.label} {text}" if row.label else text)
        if not any(one.field is Field.EXPIRY for one in found):
            found = (Segment(Field.EXPIRY, row.keyword, text),) if found[0].field is None else ()
        today, expiring = self._today(), (one for one in found if one.field is Field.EXPIRY)
        days = (day for one in expiring for day in segment_readings(one, today, profile=self._profile))
        return [day for day in days if on_sale(day, today, Field.EXPIRY)]

    def _unnamed(self, field: Field, rows: Sequence[Row], sighting: Sighting) -> Evidence:
        """No keyword names the field; of an expiry what speaks for it all the same: evidence, never proof."""
        because = f"no keyword of {field.value} with a value was read; {_seen(rows)}"
        if field is not Field.EXPIRY:
            return answer(field.value, sighting, because)
        today, said = self._today(), [(row.field, row.keyword, row.value) for row in rows]
        alone = (
            (row, one) for row in rows if row.field is None for one in readings(row.value, today, profile=self._profile)
        )
        rivals = {one.day.isoformat(): row.probability for row, one in alone}
        told = answer(field.value, sighting, because + undated(said, today, self._profile))
        return replace(told, rivals=tuple(sorted(rivals.items())))


def _claims(field: Field, row: Row) -> bool:
    """Whether the row says a value of the field; how long a product lasts is no day."""
    return row.field is field and not (field is Field.EXPIRY and duration(row.value))


def _different(field: Field, readings: Iterable[_Reading]) -> list[_Reading]:
    """One reading, the likeliest, of each thing that may be meant; in the order of their texts."""
    ranked = sorted(readings, key=lambda one: one.probability)
    return sorted({what_counts(field, one.text): one for one in ranked}.values(), key=lambda one: one.text)


def _rivals(claims: Sequence[_Claim]) -> tuple[tuple[str, float], ...]:
    """Every reading with its probability, the likeliest first."""
    found = sorted((one.probability, one.text) for claim in claims for one in claim.readings)
    beliefs = {text: probability for probability, text in found}  # of two lines that say one thing, the surer
    return tuple(sorted(beliefs.items(), key=lambda one: (-one[1], one[0])))


def _judged(field: Field, row: Row, readings: Sequence[_Reading], sighting: Sighting) -> Evidence:
    """Vouch for a single, certain, complete reading; else say what stands against it."""
    objection = _objection(row, readings)
    probability = max((one.probability for one in readings), default=row.probability)
    meaning = meant(row.keyword)
    said = f'read "{row.keyword} {row.value}"' if row.field else f'read "{row.value}" without its keyword'
    read = f"{said} ({probability:.2f}{f', {meaning}' if meaning else ''})"
    return replace(
        answer(field.value, sighting, f"{read}: {objection}" if objection else read),
        reading=None if objection else readings[0].text,
        kind=meaning.kind.value if meaning else "",
        probability=probability,
        where=tuple((float(x), float(y)) for x, y in row.source.corners),
        picture=_narrow(row.source.picture),
        valid=not objection,
    )


def _objection(row: Row, readings: Sequence[_Reading]) -> str:
    """Why the reading is not vouched for; empty if it is."""
    if not readings:
        return "not a value of this kind"
    if len(readings) > 1:
        return f"may be {', '.join(map(str, readings))}"
    if readings[0].probability < VOUCH_FROM:
        return "likelier something else"
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
