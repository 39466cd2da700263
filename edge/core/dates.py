"""What a printed text says of a day: every calendar-valid date that it allows, and no guess among them.

A day-first reading and a month-first one of `03/04/26` both stand; the product's profile narrows them. A date that ends
a month (`12.2026`) means its last day as an expiry and its first as a production date.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from edge.core.calendars import YEARS, Calendar, common_day, last_day, present_year
from edge.core.date_forms import DAYS, EXTRAS, LOOSE, MONTHS, MONTHS_ALONE, Extra, Form, Order, plain
from edge.core.labels import Field, Segment, segments


class Granularity(StrEnum):
    """How exact the print is."""

    DAY = "day"
    MONTH = "month"


class Purpose(StrEnum):
    """What the date is for: it says which day of the month a month alone means."""

    EXPIRY = "expiry"  # the last
    PRODUCTION = "production"  # the first


ALL_ORDERS = frozenset(Order)
CENTURY_AHEAD, CENTURY_BEHIND = 51, -50  # GS1 General Specifications, 7.12: −49 to +50 years around today
SHELF_LIFE_DAYS = 365
LEAP_YEARS = range(-8, 9)  # around today: there is one among them even about 2100


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a product's print beforehand; never the date that is expected."""

    orders: Collection[Order] = ALL_ORDERS
    calendar: Calendar = Calendar.COMMON  # of years that say it no other way
    extras: Collection[Extra] = ()
    shelf_life_days: int = SHELF_LIFE_DAYS  # gives dates without a year theirs
    granularity: Granularity | None = None  # of all the product's dates: half of one is none; None: not known


@dataclass(frozen=True, slots=True)
class DateReading:
    """One date that the text allows."""

    day: date
    granularity: Granularity
    order: Order
    text: str  # as matched, folded to lower case
    probability: float = 1.0  # that this is what is printed, by the recogniser's own belief


@dataclass(frozen=True, slots=True)
class _Terms:
    """What a match is read by."""

    today: date
    purpose: Purpose
    profile: Profile

    @property
    def latest(self) -> date:
        """No date without a year is later: what is printed was made, and lasts no longer than its shelf life."""
        ahead = self.profile.shelf_life_days if self.purpose is Purpose.EXPIRY else 0
        return self.today + timedelta(days=ahead)


_Parts = Mapping[str, str | None]
_ANY = Profile()

_FROM_TO = re.compile(r"(?<=[./]\d{4})\s?[-~]\s?(?=\d{1,2}[./]\d{1,2}[./])")  # `28/05/2025-28/05/2027`: two dates


def readings(
    text: str, today: date, purpose: Purpose = Purpose.EXPIRY, profile: Profile = _ANY
) -> tuple[DateReading, ...]:
    """Every date that `text` allows, the earliest first; none for lots, telephone numbers, times and prices.

    today: gives two-digit years their century (GS1's window) and dates without a year theirs, nothing else.
    profile: its orders settle contested print alone, not `2026.05.04` or `4 SEP 26`.
    """
    found = [one for segment in segments(text) for one in segment_readings(segment, today, purpose, profile)]
    return _distinct(found)


def segment_readings(
    segment: Segment, today: date, purpose: Purpose = Purpose.EXPIRY, profile: Profile = _ANY
) -> tuple[DateReading, ...]:
    """The same of one keyword and its value: full dates, else month and year, else bare digits."""
    if segment.field in (Field.LOT, Field.SERIAL, Field.OTHER):
        return ()
    value = _FROM_TO.sub(lambda match: " " * len(match.group()), plain(segment.value).rstrip(". "))
    terms = _Terms(today, purpose, profile)
    for forms in _allowed_forms(segment, value, profile):
        found = [one for form in forms for one in _matches(form, value, terms) if _agreed(one, profile.orders)]
        if found:
            return _distinct(found)
    return ()


def full_year(two_digits: int, today: date, calendar: Calendar = Calendar.COMMON) -> int:
    """The year within −49 … +50 years of today that ends in these digits (GS1 General Specifications, 7.12)."""
    present = present_year(calendar, today)
    century, ahead = present - present % 100, two_digits - present % 100
    if ahead >= CENTURY_AHEAD:
        return century - 100 + two_digits
    return century + two_digits + (100 if ahead <= CENTURY_BEHIND else 0)


def _allowed_forms(segment: Segment, value: str, profile: Profile) -> tuple[tuple[Form, ...], ...]:
    """The strictest forms first; the loosest only behind a keyword, or where digits stand alone."""
    extras = tuple(form for extra in profile.extras for form in EXTRAS[extra])
    bare = re.fullmatch(r"[\d\s./-]+", value) is not None and sum(map(str.isdigit, value)) <= 8
    loose = LOOSE if segment.field or value.isdigit() or (bare and extras) else ()
    return DAYS, MONTHS_ALONE, loose + tuple(form for form in extras if loose or form.named)


def _agreed(one: DateReading, orders: Collection[Order]) -> bool:
    """Profiles settle what is contested: numbers, of which the first is no year in four digits."""
    year_first = one.order is Order.YEAR_FIRST and re.match(r"\d{4}(?:\D|\d{4}$)", one.text)
    contested = one.granularity is Granularity.DAY and not year_first and re.match(r"[\d\W]+$", one.text)
    return one.order in orders or not contested


def _distinct(found: Iterable[DateReading]) -> tuple[DateReading, ...]:
    """Each day once, the earliest first."""
    return tuple(sorted({one.day: one for one in found}.values(), key=lambda one: one.day))


def _matches(form: Form, value: str, terms: _Terms) -> Iterator[DateReading]:
    for match in form.pattern.finditer(value):
        parts = match.groupdict()
        exact = parts.get("ordinal") or int(parts.get("day") or 0)
        granularity = Granularity.DAY if exact else Granularity.MONTH
        if terms.profile.granularity in (None, granularity):
            for day in _days(parts, terms):
                yield DateReading(day, granularity, form.order, match.group().strip())


def _days(parts: _Parts, terms: _Terms) -> Iterator[date]:
    """The days that the parts of a match may name."""
    if ordinal := parts.get("ordinal"):
        yield from _of_ordinal(parts["year"] or "", int(ordinal), terms)
    elif parts.get("year"):
        for calendar, year in _years(parts, terms):
            yield from _in_year(calendar, year, parts, terms)
    else:
        yield from _newest(_around(range(-1, 3), parts, terms), terms) or _nearest(
            _around(LEAP_YEARS, parts, terms), terms
        )


def _years(parts: _Parts, terms: _Terms) -> Iterator[tuple[Calendar, int]]:
    """Calendars and years that the digits allow: two of them by GS1's window, four by what packages can bear."""
    digits, calendar = parts["year"] or "", terms.profile.calendar
    if parts.get("era"):
        yield Calendar.REIWA, int(digits)
    elif len(digits) == 2:
        yield calendar, full_year(int(digits), terms.today, calendar)
    else:
        fitting = [one for one in Calendar if one is not Calendar.REIWA and int(digits) in YEARS[one]]
        yield from ((one, int(digits)) for one in fitting if one is calendar or calendar not in fitting)


def _in_year(calendar: Calendar, year: int, parts: _Parts, terms: _Terms) -> Iterator[date]:
    """The day in that year, or several where a month's name means two months; none that the calendar lacks."""
    day = int(parts.get("day") or 0)
    for month in MONTHS[parts["name"] or ""] if parts.get("name") else (int(parts["month"] or 0),):
        try:
            if day or terms.purpose is Purpose.PRODUCTION:
                yield common_day(calendar, year, month, day or 1)
            else:
                yield last_day(calendar, year, month)
        except ValueError:  # no such day, or no such year of a package
            continue


def _of_ordinal(digits: str, ordinal: int, terms: _Terms) -> Iterator[date]:
    """The day of that number in a year that ends in these digits; of several the newest that can have been printed."""
    years = (year for year in range(terms.today.year - 10, terms.latest.year + 1) if str(year).endswith(digits))
    days = ((year, date(year, 1, 1) + timedelta(days=ordinal - 1)) for year in years)
    yield from _newest((day for year, day in days if day.year == year), terms)


def _around(offsets: Iterable[int], parts: _Parts, terms: _Terms) -> Iterator[date]:
    """The day in the years around today."""
    calendar = terms.profile.calendar
    years = (present_year(calendar, terms.today) + offset for offset in offsets)
    return (day for year in years for day in _in_year(calendar, year, parts, terms))


def _nearest(days: Iterable[date], terms: _Terms) -> list[date]:
    """A day that not every year has, 29 February, in the leap year nearest to today; nothing is produced tomorrow."""
    possible = (day for day in days if terms.purpose is Purpose.EXPIRY or day <= terms.today)
    return sorted(possible, key=lambda day: abs(day - terms.today))[:1]


def _newest(days: Iterable[date], terms: _Terms) -> list[date]:
    """The last of the days that a product can bear today, if there is one."""
    return sorted(day for day in days if day <= terms.latest)[-1:]
