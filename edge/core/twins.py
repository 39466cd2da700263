"""The other date of a pair, damaged or misread: a line beside a date that looks like one, and says none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from edge.core.date_grammar import Read
from edge.core.date_votes import VOUCH_FROM, printed
from edge.core.dates import DateReading
from edge.core.spelling import folded

ALIKE = 0.65  # of two lines' shapes: lots beside dates come to 0.53, what is left of a date to more
DIGITS_MIN = 3  # of what is left of a date
DIGITS_MOST = 2  # of the date's: with a time behind it
LENGTHS_APART = 1  # characters: `9.10.2026` and `10.10.2026` are a pair, `10.10.20` is half a date

_TIME = re.compile(r"\d[:：]\d")  # beside it stands a lot


def is_damaged_twin(text: str, dates: Sequence[DateReading], best: DateReading, read: Read) -> bool:
    """Whether a line may have borne a date as `best` is printed, so that which of the two is later is not known.

    text, dates: what was read of the line, without a keyword.
    read: the dates that a text allows.
    """
    if (
        _TIME.search(text)
        or not DIGITS_MIN <= _digits(text) <= DIGITS_MOST * _digits(best.text)
        or not _alike(text, best)
    ):
        return False
    whole = any(one.probability >= VOUCH_FROM and _as_long(one, best) for one in dates)
    return not whole and not any(day.day <= best.day for day in _pieces(text, best, read))


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def _alike(text: str, best: DateReading) -> bool:
    return SequenceMatcher(None, _shape(text), _shape(best.text), autojunk=False).ratio() >= ALIKE


def _shape(text: str) -> str:
    """Digits and letters alike, marks as they are."""
    return re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "0", text))


def _as_long(one: DateReading, best: DateReading) -> bool:
    return abs(len(printed(one)) - len(printed(best))) <= LENGTHS_APART


def _pieces(text: str, best: DateReading, read: Read) -> list[DateReading]:
    """The dates in pieces of the text that are printed as `best` is: letters or a time may be glued to them."""
    expression = "".join(
        r"\d" if one == "0" else r"[^\W\d_]" if one == "a" else re.escape(one) for one in _shape(best.text)
    )
    return [day for match in re.finditer(rf"(?<!\d){expression}", folded(text)) for day in read(match.group())]
