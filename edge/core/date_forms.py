"""The forms in which dates are printed: rows of parts, for whoever reads a whole text and for whoever reads on.

Each part says what it may be in two ways that mean the same: a regular expression, which finds a date in a text, and
the list of its words, by which a text that is still being read is known to be a date's beginning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from itertools import chain, product

from edge.core.calendars import YEARS, Calendar
from edge.core.date_words import months_by_name
from edge.core.labels import folded


class Order(StrEnum):
    """Which part of a date comes first."""

    YEAR_FIRST = "YMD"
    DAY_FIRST = "DMY"
    MONTH_FIRST = "MDY"


class Extra(Enum):
    """Forms that are read only where a product's profile allows them."""

    YEARLESS = "yearless"  # `16 NOV`
    JULIAN = "julian"  # `6123`: the 123rd day of 2026


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a form."""

    expression: str  # named after what it holds: year, month, name, day, ordinal, era
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Form:
    """A way to print a date."""

    order: Order
    parts: tuple[Part, ...]
    pattern: re.Pattern[str]  # standing free of other letters, digits and sums of money

    @property
    def named(self) -> bool:
        """A month's name is among its parts: no price, time or telephone number looks like that."""
        return "name" in self.pattern.groupindex


MONTHS: Mapping[str, tuple[int, ...]] = {folded(name): months for name, months in months_by_name().items()}
"""Names as they read when folded → the months they may mean."""

_BEFORE = r"(?<![a-z0-9+])(?<!\d[^\w\s])(?<!\w[./|·-])(?<![€$£¥]\s)(?<![€$£¥])"
_GLUED = r"(?!\d)(?![^\w\s]\d)(?![./|·-]\w)(?!\s?(?:[€$£¥%]|eur|usd|gbp|chf|kr|zl))"
_AFTER = r"(?![a-z0-9])" + _GLUED
_SPACED_BEFORE, _SPACED_AFTER = r"(?<!\d\s)", r"(?!\s\d+(?![\d:]))"  # no telephone number; a time may follow

_IDEOGRAPHS = str.maketrans("年月日년월일", ".. .. ")
_POINTS = "./|·-"


def plain(text: str) -> str:
    """The text as the forms know it, character for character: folded, and marks for the signs of year, month, day."""
    return folded(text).translate(_IDEOGRAPHS)


def _numbers(name: str, expression: str, numbers: Iterable[int], widths: Iterable[int]) -> Part:
    words = frozenset(f"{number:0{width}}" for number, width in product(numbers, tuple(widths)))
    return Part(rf"(?P<{name}>{expression})", words)


def _marks(expression: str, marks: str) -> Part:
    """One of `marks` or none, with or without spaces around."""
    spelled = {"".join(one) for one in product(("", " "), ("", *marks), ("", " "))}
    return Part(expression, frozenset(one for one in spelled if re.fullmatch(expression, one)))


_DAY = _numbers("day", r"0[1-9]|[12]\d|3[01]|[1-9]", range(1, 32), (1, 2))
_DD = _numbers("day", r"0[1-9]|[12]\d|3[01]", range(1, 32), (2,))
_DD_OR_00 = _numbers("day", r"\d{2}", range(32), (2,))  # 00: the last of the month (GS1 General Specifications, 3.4.2)
_MONTH, _MM = _numbers("month", r"\d{1,2}", range(1, 13), (1, 2)), _numbers("month", r"\d{2}", range(1, 13), (2,))
_YEAR4 = _numbers("year", r"\d{4}", chain.from_iterable(YEARS[one] for one in Calendar if one != "Reiwa"), (4,))
_YEAR2 = _numbers("year", r"\d{2}", range(100), (2,))
_YEAR = Part(r"(?P<year>\d{4}|\d{2})", _YEAR4.words | _YEAR2.words)
_YEAR_OF_ERA = _numbers("year", r"\d{1,2}", range(1, 100), (1, 2))
_ERA = Part(r"(?P<era>r|令和)", frozenset({"r", "令和"}))
_DIGIT, _ORDINAL = _numbers("year", r"\d", range(10), (1,)), _numbers("ordinal", r"\d{3}", range(1, 367), (3,))
_NAME = Part("(?P<name>" + "|".join(map(re.escape, sorted(MONTHS, key=len, reverse=True))) + ")", frozenset(MONTHS))
_MARK = _marks(r"(?:\s?[./|·-]\s?)", _POINTS)
_FIRST_MARK, _SAME_MARK = (Part(one, _MARK.words) for one in (rf"(?P<mark>{_MARK.expression})", "(?P=mark)"))
_MIXED = _marks(r"(?:\s?[./-]|[./-]?\s)", "./-")
_FREE = _marks(r"(?:\s?[./|·'’-]?\s?)", _POINTS + "'’")  # around a month's name
_COMMA = _marks(r"(?:[.,/-]?\s|[.,/-]|\s?['’])", ".,/-'’")
_SPACE = Part(r"\s", frozenset(" "))
_SURE_MARK = Part(r"\s?[./|·-]\s?", frozenset(one for one in _MARK.words if one.strip()))  # `1209` may be a time


def _form(order: Order, *parts: Part, before: str = "", after: str = _AFTER) -> Form:
    inner = "".join(part.expression for part in parts)
    return Form(order, parts, re.compile(_BEFORE + before + inner + after))


def _marked(order: Order, first: Part, second: Part, third: Part) -> Form:
    """Three parts with the same mark between them."""
    return _form(order, first, _FIRST_MARK, second, _SAME_MARK, third)


def _complete(order: Order, first: Part, second: Part, third: Part) -> Form:
    """The same with every digit that a date can have: letters right behind it are no part of it (`2022.02.04까지`)."""
    return _form(order, first, _FIRST_MARK, second, _SAME_MARK, third, after=_GLUED)


def _spaced(order: Order, first: Part, second: Part, third: Part) -> Form:
    """Three parts with spaces between them, alone: `0800 11 22 33` is a telephone number."""
    return _form(order, first, _SPACE, second, _SPACE, third, before=_SPACED_BEFORE, after=_SPACED_AFTER + _AFTER)


def _two(order: Order, first: Part, mark: Part, second: Part) -> Form:
    """Two numbers alone: before another they would be half a date, as `20.04` of `20.04 27`."""
    return _form(order, first, mark, second, before=_SPACED_BEFORE, after=_SPACED_AFTER + _AFTER)


def _alone(order: Order, *parts: Part) -> Form:
    """A form so short that a number before it would make it the rest of something longer: `14 01.2021`."""
    return _form(order, *parts, before=_SPACED_BEFORE)


DAYS = (
    _marked(Order.YEAR_FIRST, _YEAR, _MONTH, _DAY),
    _marked(Order.DAY_FIRST, _DAY, _MONTH, _YEAR),
    _marked(Order.MONTH_FIRST, _MONTH, _DAY, _YEAR),
    _complete(Order.YEAR_FIRST, _YEAR4, _MM, _DD),
    _complete(Order.DAY_FIRST, _DD, _MM, _YEAR4),
    _complete(Order.MONTH_FIRST, _MM, _DD, _YEAR4),
    _form(Order.YEAR_FIRST, _YEAR4, _MIXED, _MM, _MIXED, _DD),
    _form(Order.YEAR_FIRST, _ERA, _YEAR_OF_ERA, _FIRST_MARK, _MONTH, _SAME_MARK, _DAY),
    _spaced(Order.YEAR_FIRST, _YEAR, _MM, _DD),
    _spaced(Order.DAY_FIRST, _DD, _MM, _YEAR),
    _spaced(Order.MONTH_FIRST, _MM, _DD, _YEAR),
    _form(Order.YEAR_FIRST, _YEAR4, _FREE, _NAME, _FREE, _DAY),
    _form(Order.DAY_FIRST, _DAY, _FREE, _NAME, _FREE, _YEAR),
    _form(Order.MONTH_FIRST, _NAME, _FREE, _DAY, _COMMA, _YEAR),
    _form(Order.MONTH_FIRST, _NAME, _FREE, _DD, _YEAR4),
)
MONTHS_ALONE = (
    _alone(Order.MONTH_FIRST, _NAME, _FREE, _YEAR),
    _alone(Order.YEAR_FIRST, _YEAR4, _FREE, _NAME),
    _alone(Order.MONTH_FIRST, _MONTH, _MARK, _YEAR4),
    _alone(Order.YEAR_FIRST, _YEAR4, _MARK, _MM),
    _alone(Order.MONTH_FIRST, _MM, Part("/", frozenset("/")), _YEAR2),
)
LOOSE = (
    _two(Order.MONTH_FIRST, _MM, Part(r"[\s.-]", frozenset(" .-")), _YEAR2),
    _two(Order.YEAR_FIRST, _YEAR2, Part("[./-]", frozenset("./-")), _MM),
    _alone(Order.YEAR_FIRST, _YEAR2, _MM, _DD_OR_00),
    _alone(Order.YEAR_FIRST, _YEAR4, _MM, _DD),
    _alone(Order.DAY_FIRST, _DD, _MM, _YEAR),
    _alone(Order.MONTH_FIRST, _MM, _DD, _YEAR),
    _alone(Order.MONTH_FIRST, _MM, _YEAR4),
    _alone(Order.YEAR_FIRST, _YEAR4, _MM),
)
"""`12.26` could be a price, `010727` anything: a keyword must say that they are dates, or the digits stand alone."""

EXTRAS: Mapping[Extra, tuple[Form, ...]] = {
    Extra.YEARLESS: (
        _alone(Order.DAY_FIRST, _DAY, _FREE, _NAME),
        _alone(Order.MONTH_FIRST, _NAME, _FREE, _DAY),
        _alone(Order.DAY_FIRST, _DD, _SURE_MARK, _MM),
        _alone(Order.MONTH_FIRST, _MM, _SURE_MARK, _DD),
    ),
    Extra.JULIAN: tuple(_alone(Order.YEAR_FIRST, year, _ORDINAL) for year in (_DIGIT, _YEAR2, _YEAR4)),
}
