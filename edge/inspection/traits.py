"""What print says of the product rather than of the day: its sizes, the languages that it speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edge.core.date_votes import VOUCH_FROM
from edge.core.labels import Field
from edge.core.languages import languages
from edge.core.messages import Evidence, Sighting
from edge.core.sizes import sizes
from edge.inspection.crop import answer
from edge.inspection.rows import Row


def sized(rows: Sequence[Row], sighting: Sighting) -> Evidence:
    """Every size that is printed, with semicolons between; which of them is the product's, the order tells."""
    named = [(row, sizes(row.value)) for row in rows if row.field is None and _sure(row)]
    found = dict.fromkeys(str(one) for _, ones in named for one in ones)
    telling = [row for row, ones in named if ones]
    return _told(Field.SIZE, "; ".join(found), telling, sighting)


def spoken(rows: Sequence[Row], sighting: Sighting) -> Evidence:
    """The languages that the words beside dates and lots tell, and the names of months; with spaces between."""
    telling = [row for row in rows if _sure(row)]
    found = languages([row.keyword for row in telling if row.field], [row.value for row in telling])
    return _told(Field.LANGUAGE, " ".join(found), telling, sighting)


def _sure(row: Row) -> bool:
    return row.probability >= VOUCH_FROM


def _told(field: Field, reading: str, telling: Sequence[Row], sighting: Sighting) -> Evidence:
    """Vouched for, if there is anything; the picture is that of the line that is least certain."""
    if not reading:
        return answer(field.value, sighting, f"no {field.value} was read")
    weakest = min(telling, key=lambda row: row.probability)
    return replace(
        answer(field.value, sighting, f"{field.value} read: {reading}"),
        reading=reading,
        probability=weakest.probability,
        picture=weakest.source.picture,
        where=tuple((float(x), float(y)) for x, y in weakest.source.corners),
        valid=True,
    )
