"""The grammar of printed dates: every calendar-valid date that a text allows, and no guess among them.

A day-first reading and a month-first one of `03/04/26` both stand; the product's profile narrows the orders. A date
that ends a month (`12.2026`) means its last day as an expiry and its first as a production date.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from edge.core.labels import Field, Segment, folded, segments


class Order(StrEnum):
    """Which part of a date comes first."""

    YEAR_FIRST = "YMD"
    DAY_FIRST = "DMY"
    MONTH_FIRST = "MDY"


class Granularity(StrEnum):
    """How exact the print is."""

    DAY = "day"
    MONTH = "month"


class Purpose(StrEnum):
    """What the date is for: it says which day of the month a month alone means."""

    EXPIRY = "expiry"  # the last
    PRODUCTION = "production"  # the first


@dataclass(frozen=True, slots=True)
class DateReading:
    """One date that the text allows."""

    day: date
    granularity: Granularity
    order: Order
    text: str  # as matched, folded to lower case


MONTH_NAMES = (
    "jan january januar janv janvier ene enero gen gennaio januari janeiro januari sty styczeń oca ocak",
    "feb february februar févr fév février febrero febbraio februari fev fevereiro lut luty şub şubat",
    "mar march mär mrz märz mars marzo mrt maart março marzec mart",
    "apr april avr avril abr abril aprile kwi kwiecień nis nisan",
    "may mai mayo mag maggio mei maio maj mayıs",
    "jun june juni juin junio giu giugno junho cze czerwiec haz haziran",
    "jul july juli juil juillet julio lug luglio julho lip lipiec tem temmuz",
    "aug august août aou ago agosto augustus augusti sie sierpień ağu ağustos",
    "sep sept september septembre septiembre set settembre setembro wrz wrzesień eyl eylül",
    "oct october okt oktober octobre octubre ott ottobre out outubro paź październik eki ekim",
    "nov november novembre noviembre novembro lis listopad kas kasım",
    "dec december dez dezember déc décembre dic diciembre dicembre dezembro gru grudzień ara aralık",
)
"""English, German, French, Spanish, Italian, Dutch, Swedish, Portuguese, Polish, Turkish; January first."""

ALL_ORDERS = frozenset(Order)
BUDDHIST_YEARS = range(2443, 2743)  # 543 years ahead of the common era
COMMON_YEARS = range(1900, 2200)  # packages with an expiry in 2082 have been seen
CENTURY_AHEAD, CENTURY_BEHIND = 51, -50  # GS1 General Specifications, 7.12: −49 to +50 years around today

_MONTHS = {folded(name): number for number, names in enumerate(MONTH_NAMES, 1) for name in names.split()}
_NAME = "(?P<name>" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + ")"
_YEAR, _YEAR4 = r"(?P<year>\d{4}|\d{2})", r"(?P<year>\d{4})"
_MONTH, _DAY = r"(?P<month>\d{1,2})", r"(?P<day>\d{1,2})"
_MM, _DD = r"(?P<month>\d{2})", r"(?P<day>\d{2})"
_MARK = r"\s?[./|·-]\s?"
_FREE = r"[\s./|·'’-]{0,3}"  # around a month's name

_BEFORE = r"(?<![a-z0-9+])(?<!\d[^\w\s])"
_AFTER = r"(?![a-z0-9])(?![^\w\s]\d)"
_SPACED_BEFORE, _SPACED_AFTER = r"(?<!\d\s)", r"(?!\s\d+(?![\d:]))"  # no telephone number; a time may follow
_CURRENCY = r"(?:[€$£¥]|eur|usd|gbp|chf|kr|zl)"

_Form = tuple[Order, re.Pattern[str]]


def readings(
    text: str, today: date, purpose: Purpose = Purpose.EXPIRY, orders: Collection[Order] = ALL_ORDERS
) -> tuple[DateReading, ...]:
    """Every date that `text` allows, the earliest first; none for lots, telephone numbers, times and prices.

    today: gives two-digit years their century (GS1's window), nothing else.
    orders: those that the product's profile allows; they settle contested print alone, not `2026.05.04` or `4 SEP 26`.
    """
    found = [one for segment in segments(text) for one in segment_readings(segment, today, purpose, orders)]
    return _distinct(found)


def segment_readings(
    segment: Segment, today: date, purpose: Purpose = Purpose.EXPIRY, orders: Collection[Order] = ALL_ORDERS
) -> tuple[DateReading, ...]:
    """The same of one keyword and its value: full dates, else month and year, else bare digits."""
    if segment.field in (Field.LOT, Field.SERIAL, Field.OTHER):
        return ()
    value = folded(segment.value).replace("年", ".").replace("月", ".").replace("日", " ").rstrip(". ")
    for forms in _allowed_forms(segment, value):
        found = [one for form in forms for one in _matches(form, value, today, purpose) if _agreed(one, orders)]
        if found:
            return _distinct(found)
    return ()


def full_year(two_digits: int, today: date) -> int:
    """The year within −49 … +50 years of today that ends in these digits (GS1 General Specifications, 7.12)."""
    century = today.year - today.year % 100
    ahead = two_digits - today.year % 100
    if ahead >= CENTURY_AHEAD:
        return century - 100 + two_digits
    return century + two_digits + (100 if ahead <= CENTURY_BEHIND else 0)


def _allowed_forms(segment: Segment, value: str) -> tuple[tuple[_Form, ...], ...]:
    """The strictest forms first; the loosest only behind a keyword, or where digits stand alone."""
    loose = (_LOOSE_FORMS,) if segment.field or value.isdigit() else ()
    return (_FORMS, _MONTH_FORMS, *loose)


def _agreed(one: DateReading, orders: Collection[Order]) -> bool:
    """Profiles settle what is contested: three numbers, of which the first is no year in four digits."""
    contested = one.granularity is Granularity.DAY and re.match(r"(?!\d{4})[\d\W]+$", one.text)
    return one.order in orders or not contested


def _distinct(found: Iterable[DateReading]) -> tuple[DateReading, ...]:
    """Each day once, the earliest first."""
    return tuple(sorted({one.day: one for one in found}.values(), key=lambda one: one.day))


def _matches(form: _Form, value: str, today: date, purpose: Purpose) -> Iterator[DateReading]:
    order, pattern = form
    for match in pattern.finditer(value):
        parts = match.groupdict()
        try:
            day = _day(parts, today, purpose)
        except ValueError:  # no such day in the calendar
            continue
        granularity = Granularity.DAY if parts.get("day") else Granularity.MONTH
        yield DateReading(day, granularity, order, match.group().strip())


def _day(parts: dict[str, str | None], today: date, purpose: Purpose) -> date:
    """The date that the parts name.

    Raises:
        ValueError: the calendar has no such day.
    """
    year = _year(parts["year"] or "", today)
    month = _MONTHS[parts["name"] or ""] if "name" in parts else int(parts["month"] or 0)
    if parts.get("day"):
        return date(year, month, int(parts["day"] or 0))
    first = date(year, month, 1)
    return first if purpose is Purpose.PRODUCTION else first.replace(day=monthrange(year, month)[1])


def _year(digits: str, today: date) -> int:
    """Two digits by GS1's window; four as they are, Buddhist years (2569 is 2026) turned into common ones."""
    year = full_year(int(digits), today) if len(digits) == 2 else int(digits)
    if year in BUDDHIST_YEARS:
        return year - 543
    if year in COMMON_YEARS:
        return year
    raise ValueError(f"{digits} is no year of a package")


def _form(order: Order, expression: str) -> _Form:
    """A form that stands free of other letters, digits and sums of money."""
    return order, re.compile(rf"{_BEFORE}(?<![€$£¥]\s)(?<![€$£¥]){expression}{_AFTER}(?!\s?{_CURRENCY})")


def _marked(order: Order, first: str, second: str, third: str) -> _Form:
    """Three parts with the same mark between them."""
    return _form(order, rf"{first}(?P<mark>{_MARK}){second}(?P=mark){third}")


def _spaced(order: Order, first: str, second: str, third: str) -> _Form:
    """Three parts with spaces between them, alone: `0800 11 22 33` is a telephone number."""
    return _form(order, rf"{_SPACED_BEFORE}{first}\s{second}\s{third}{_SPACED_AFTER}")


def _alone(order: Order, expression: str) -> _Form:
    """A form so short that a number before it would make it the rest of something longer: `14 01.2021`."""
    return _form(order, rf"{_SPACED_BEFORE}{expression}")


_FORMS = (
    _marked(Order.YEAR_FIRST, _YEAR, _MONTH, _DAY),
    _marked(Order.DAY_FIRST, _DAY, _MONTH, _YEAR),
    _marked(Order.MONTH_FIRST, _MONTH, _DAY, _YEAR),
    _form(Order.YEAR_FIRST, rf"{_YEAR4}[\s./-]{{1,2}}{_MM}[\s./-]{{1,2}}{_DD}"),
    _spaced(Order.YEAR_FIRST, _YEAR, _MM, _DD),
    _spaced(Order.DAY_FIRST, _DD, _MM, _YEAR),
    _spaced(Order.MONTH_FIRST, _MM, _DD, _YEAR),
    _form(Order.YEAR_FIRST, rf"{_YEAR4}{_FREE}{_NAME}{_FREE}{_DAY}"),
    _form(Order.DAY_FIRST, rf"{_DAY}{_FREE}{_NAME}{_FREE}{_YEAR}"),
    _form(Order.MONTH_FIRST, rf"{_NAME}{_FREE}{_DAY}(?:[\s.,/-]{{1,2}}|\s?['’]){_YEAR}"),
)
_MONTH_FORMS = (
    _alone(Order.MONTH_FIRST, rf"{_NAME}{_FREE}{_YEAR}"),
    _alone(Order.YEAR_FIRST, rf"{_YEAR4}{_FREE}{_NAME}"),
    _alone(Order.MONTH_FIRST, rf"{_MONTH}{_MARK}{_YEAR4}"),
    _alone(Order.YEAR_FIRST, rf"{_YEAR4}{_MARK}{_MM}"),
    _alone(Order.MONTH_FIRST, rf"{_MM}/(?P<year>\d{{2}})"),
)
_LOOSE_FORMS = (
    _alone(Order.MONTH_FIRST, rf"{_MM}[\s.-](?P<year>\d{{2}})"),
    _alone(Order.YEAR_FIRST, rf"(?P<year>\d{{2}})[./-]{_MM}"),
    _alone(Order.YEAR_FIRST, rf"(?P<year>\d{{4}}|\d{{2}}){_MM}{_DD}"),
    _alone(Order.DAY_FIRST, rf"{_DD}{_MM}(?P<year>\d{{4}}|\d{{2}})"),
    _alone(Order.MONTH_FIRST, rf"{_MM}{_DD}(?P<year>\d{{4}}|\d{{2}})"),
    _alone(Order.MONTH_FIRST, rf"{_MM}{_YEAR4}"),
    _alone(Order.YEAR_FIRST, rf"{_YEAR4}{_MM}"),
)
"""`12.26` could be a price, `010727` anything: a keyword must say that they are dates, or the digits stand alone."""
