"""What keywords say of the dates that are read: on the same line, or alone on a line beside or above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edge.core.date_votes import VOUCH_FROM
from edge.core.labels import Field, segments
from edge.inspection.cascade import Look
from edge.inspection.detector import TextBox
from edge.inspection.neighbours import offset, same_row, under

MAY_EXPIRE = (None, Field.EXPIRY, Field.SELL_BY)


@dataclass(frozen=True, slots=True)
class Seen:
    """A line of print, and where it is."""

    look: Look
    box: TextBox  # the way round that it was read

    @property
    def field(self) -> Field | None:
        """What it says of itself: of an expiry rather than of what stands beside it."""
        fields = [one.field for one in segments(self.look.line.text) if one.field]
        return Field.EXPIRY if Field.EXPIRY in fields else next(iter(fields), None)

    @property
    def names_another(self) -> bool:
        """It is a keyword, or ends in one, whose value is elsewhere."""
        last = segments(self.look.line.text)[-1]
        return last.field is not None and not last.value


def expiring(lines: Sequence[Seen]) -> list[Look]:
    """The looks, without the dates that keywords tell not to be the expiry: of production, or not the named one."""
    fields = _fields(lines)
    named = any(
        field is Field.EXPIRY and line.look.probability >= VOUCH_FROM for line, field in zip(lines, fields, strict=True)
    )
    allowed = (Field.EXPIRY,) if named else MAY_EXPIRE
    return [
        line.look if field in allowed else replace(line.look, dates=())
        for line, field in zip(lines, fields, strict=True)
    ]


def _fields(lines: Sequence[Seen]) -> list[Field | None]:
    """What each line is: by its own keyword, else by one that stands alone to its left, else above it."""
    own = [line.field for line in lines]
    fields = list(own)
    for label, field in zip(lines, own, strict=True):
        if label.names_another and (value := _named_by(label, lines, own)) is not None:
            fields[value] = field
    return fields


def _named_by(label: Seen, lines: Sequence[Seen], own: Sequence[Field | None]) -> int | None:
    """The line without a keyword that is best in line with the label; where there is none, the one below it."""
    silent = [index for index, field in enumerate(own) if field is None]
    beside = [index for index in silent if same_row(label.box, lines[index].box)]
    below = [index for index in silent if under(label.box, lines[index].box)]
    return min(beside or below, key=lambda index: offset(label.box, lines[index].box), default=None)
