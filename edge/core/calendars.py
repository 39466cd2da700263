"""Years and days of other calendars as common ones: Buddhist, Reiwa, Hijri and Jalali.

Two of them are reckoned, not observed: a Hijri month may begin a day earlier or later in the country of origin.
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum


class Calendar(StrEnum):
    """How the years are counted."""

    COMMON = "common"
    BUDDHIST = "Buddhist"
    REIWA = "Reiwa"
    HIJRI = "Hijri"
    JALALI = "Jalali"


YEARS = {
    Calendar.COMMON: range(1900, 2200),  # packages with an expiry in 2082 have been seen
    Calendar.BUDDHIST: range(2443, 2743),
    Calendar.REIWA: range(1, 100),
    Calendar.HIJRI: range(1400, 1500),  # 1979 to 2077
    Calendar.JALALI: range(1360, 1460),  # 1981 to 2081
}
BUDDHIST_AHEAD = 543
REIWA_BEFORE_FIRST = 2018
HIJRI_EPOCH = date(622, 7, 19).toordinal()  # 16 July 622 of the Julian calendar
HIJRI_CYCLE_YEARS, HIJRI_CYCLE_DAYS = 30, 10631  # eleven of thirty years have a day more
JALALI_AHEAD = 621
JALALI_CYCLE_YEARS, JALALI_LEAP = 33, (1, 5, 9, 13, 17, 22, 26, 30)
NOWRUZ_OF_1403 = date(2024, 3, 20)


def common_day(calendar: Calendar, year: int, month: int, day: int) -> date:
    """The common date of a day.

    Raises:
        ValueError: that calendar has no such day, or no package was made in that year.
    """
    if year not in YEARS[calendar]:
        raise ValueError(f"{year} is no {calendar.value} year of a package")
    if calendar is Calendar.HIJRI:
        return _hijri(year, month, day)
    if calendar is Calendar.JALALI:
        return _jalali(year, month, day)
    ahead = {Calendar.BUDDHIST: BUDDHIST_AHEAD, Calendar.REIWA: -REIWA_BEFORE_FIRST}.get(calendar, 0)
    return date(year - ahead, month, day)


def present_year(calendar: Calendar, today: date) -> int:
    """The year that today lies in; a Hijri one may be one off near its turn."""
    if calendar is Calendar.HIJRI:
        return round((today.year - 622) * 365.2425 / (HIJRI_CYCLE_DAYS / HIJRI_CYCLE_YEARS))
    ahead = {Calendar.BUDDHIST: BUDDHIST_AHEAD, Calendar.REIWA: -REIWA_BEFORE_FIRST, Calendar.JALALI: -JALALI_AHEAD}
    return today.year + ahead.get(calendar, 0)


def last_day(calendar: Calendar, year: int, month: int) -> date:
    """The common date of a month's last day; raises as `common_day`."""
    first = common_day(calendar, year, month, 1)  # refuses months that there are not
    following = common_day(calendar, *((year, month + 1) if month < 12 else (year + 1, 1)), 1)
    return max(first, following - timedelta(days=1))


def _hijri(year: int, month: int, day: int) -> date:
    """The tabular calendar: months of 30 and 29 days in turn, leap years by thirds (Reingold and Dershowitz, ch. 7)."""
    leap = (14 + 11 * year) % HIJRI_CYCLE_YEARS < 11
    _demand(month, day, 30 if month % 2 or (month == 12 and leap) else 29)
    years = (year - 1) * 354 + (3 + 11 * year) // HIJRI_CYCLE_YEARS
    return date.fromordinal(HIJRI_EPOCH + years + 29 * (month - 1) + month // 2 + day - 1)


def _jalali(year: int, month: int, day: int) -> date:
    """Six months of 31 days, five of 30, one of 29 or 30; leap years of the 33-year cycle, exact from 1178 to 1633."""
    _demand(month, day, 31 if month < 7 else 29 if month == 12 and not _leap_jalali(year) else 30)
    before = 31 * (month - 1) - max(0, month - 7)
    return _nowruz(year) + timedelta(days=before + day - 1)


def _nowruz(year: int) -> date:
    """The first day of a Jalali year."""
    first, last = sorted((1403, year))
    leaps = sum(_leap_jalali(one) for one in range(first, last))
    days = 365 * (last - first) + leaps
    return NOWRUZ_OF_1403 + timedelta(days=days if year >= 1403 else -days)


def _leap_jalali(year: int) -> bool:
    return year % JALALI_CYCLE_YEARS in JALALI_LEAP


def _demand(month: int, day: int, days: int) -> None:
    if not (1 <= month <= 12 and 1 <= day <= days):
        raise ValueError(f"there is no day {day} in month {month}")
