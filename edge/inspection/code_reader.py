"""Lots and serials on rows of print: the larger recogniser votes where the first is not sure of every character."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from edge.core.code_votes import Code, Look, voted
from edge.core.date_votes import VOUCH_FROM
from edge.core.gs1 import normalised
from edge.core.labels import Field, bare_lot
from edge.core.messages import Image
from edge.inspection.cuts import cut_out, lengthened
from edge.inspection.nameless import nameless
from edge.inspection.recogniser import Line, LineReader
from edge.inspection.rows import Row, reread

SURE_FROM = 0.95  # that all characters are right: below this the larger recogniser votes
RIVAL_SHARE = 0.4  # of the likeliest code: from here on another stands against it; at a half, wrong ones were taken
FIRST, LARGER = 1.0, 3.0  # voices: the larger recogniser has a fifth of the errors on lines of dates


class CodeReader:
    """Safe to share between workers."""

    def __init__(self, larger: LineReader, formats: Mapping[Field, str]) -> None:
        """Take the recogniser that votes, and the expressions that whole codes match, as far as a site has told."""
        self._larger = larger
        self._formats = {field: re.compile(expression) for field, expression in formats.items()}

    def read(self, field: Field, row: Row, frame: Image) -> tuple[Code, ...]:
        """What the row's value may be, the likeliest first; none: no code of the field's format.

        A row without a keyword is no GTIN either.
        """
        wanted = self._formats.get(field)
        looks = [_look(row, row.source.line, FIRST)]
        codes = _distinct(field, voted(looks, wanted))
        if codes and codes[0].seen and codes[0].together >= SURE_FROM:
            return codes
        for vote in self._votes(row, frame):
            looks.append(vote)
            codes = _distinct(field, voted(looks, wanted))
            if _stands(codes) and (codes[0].seen or codes[0].together >= SURE_FROM):
                break
        return () if row.field is None and codes and normalised(codes[0].text) else codes

    def _votes(self, row: Row, frame: Image) -> Iterator[Look]:
        """The line once more as it was found; then unsmoothed, and with a margin at both ends."""
        corners, height_px = row.source.corners, self._larger.height_px
        yield _look(row, self._larger.read(cut_out(frame, corners, height_px)), LARGER)
        yield _look(row, self._larger.read_sharp(cut_out(frame, lengthened(corners), height_px)), LARGER)

    def unnamed(self, field: Field, rows: Sequence[Row]) -> Row | None:
        """The row that must be the field's though its keyword was not read; only a format tells it."""
        return nameless(rows, self._formats[field]) if field in self._formats else None


def _look(row: Row, line: Line, weight: float) -> Look:
    """What a line makes of the row's value; nothing, where it shows none behind the same keyword."""
    again = reread(row, line)
    if again is None:
        return Look((), weight)
    start = max(line.text.rfind(again.value), 0)
    return Look(line.places[start : start + len(again.value)], weight)


def what_counts(field: Field, text: str) -> str:
    """By what two codes differ."""
    return bare_lot(text) if field is Field.LOT else text


def _distinct(field: Field, codes: Sequence[Code]) -> tuple[Code, ...]:
    """Of lots that are the same the likeliest."""
    found: dict[str, Code] = {}
    for code in codes:
        found.setdefault(what_counts(field, code.text), code)
    return tuple(found.values())


def _stands(codes: Sequence[Code]) -> bool:
    """Whether the likeliest is likely, and no other nearly as likely."""
    if not codes or codes[0].weakest < VOUCH_FROM:
        return False
    return all(one.together < RIVAL_SHARE * codes[0].together for one in codes[1:])
