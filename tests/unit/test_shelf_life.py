"""Durations in many languages, and what is told of dates that no keyword names."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.dates import Order, Profile, readings
from edge.core.labels import Field
from edge.core.shelf_life import Duration, duration, on_sale, undated

TODAY = date(2026, 6, 1)


@pytest.mark.parametrize(
    ("text", "lasts"),
    [
        ("12 个月", Duration(months=12)),
        ("12个月（常温）", Duration(months=12)),
        ("２４ヶ月", Duration(months=24)),
        ("18 Monate", Duration(months=18)),
        ("2 years", Duration(months=24)),
        ("36 MESES", Duration(months=36)),
        ("12 месяцев", Duration(months=12)),
        ("١٢ شهر", Duration(months=12)),
        ("๖ เดือน", Duration(months=6)),
        ("१२ माह", Duration(months=12)),
        ("12개월", Duration(months=12)),
        ("3 weeks", Duration(days=21)),
        ("180 天", Duration(days=180)),
        ("30 days.", Duration(days=30)),
        ("2027年", None),  # a year, not so many of them
        ("2027年12月", None),
        ("12 MAR 2027", None),
        ("12 months 2027", None),
        ("12.2027", None),
        ("0 days", None),
        ("12", None),
        ("months", None),
    ],
)
def test_durations(text: str, lasts: Duration | None) -> None:
    assert duration(text) == lasts
    assert lasts is None or readings(f"EXP {text}", TODAY) == ()


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 120))
def test_so_many_months_later_it_is_another_month(day: date, months: int) -> None:
    later = Duration(months=months).after(day)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day <= day.day


def test_the_last_of_a_month_stays_one() -> None:
    assert Duration(months=1).after(date(2028, 1, 31)) == date(2028, 2, 29)
    assert Duration(months=12, days=1).after(date(2026, 12, 31)) == date(2028, 1, 1)


MADE, ALONE, LASTS = Field.PRODUCTION, None, Field.EXPIRY


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], ""),
        ([(ALONE, "", "2027.03.12")], ""),
        (
            [(ALONE, "", "2026.03.12"), (ALONE, "", "2027.03.12")],
            "; 2026-03-12, 2027-03-12 stand without a keyword, 365 days apart: which is which is not told",
        ),
        (
            [(ALONE, "", "2026.03.12"), (ALONE, "", "2027.03.12"), (ALONE, "", "2026.03.13")],
            "; 2026-03-12, 2026-03-13, 2027-03-12 stand without a keyword, 365 days apart: which is which is not told",
        ),
        ([(MADE, "生产日期", "2026.01.31")], "; made on 2026-01-31"),
        ([(MADE, "MFG", "12/25")], "; made on 2025-12-01"),
        ([(LASTS, "保质期", "12 个月")], '; "保质期 12 个月" is a duration'),
        (
            [(LASTS, "保质期", "12 个月"), (MADE, "生产日期", "2026.01.31")],
            '; "保质期 12 个月" is a duration: made on 2026-01-31, it would end on 2027-01-31',
        ),
        (
            [(LASTS, "保质期", "12 个月"), (MADE, "生产日期", "03.04.2026")],  # made on one of two days
            '; "保质期 12 个月" is a duration',
        ),
    ],
)
def test_what_speaks_for_a_date_without_a_keyword(rows: list[tuple[Field | None, str, str]], told: str) -> None:
    assert undated(rows, TODAY, Profile()) == told


def test_a_profile_tells_which_day_a_product_was_made_on() -> None:
    rows = [(LASTS, "保质期", "12 个月"), (MADE, "生产日期", "03.04.2026")]
    assert "made on 2026-04-03" in undated(rows, TODAY, Profile({Order.DAY_FIRST}))


@pytest.mark.parametrize(
    ("text", "field", "sold"),
    [
        ("2027-05-04", None, True),
        ("2016-05-04", Field.EXPIRY, True),  # expired long ago: the judge says so
        ("2015-05-04", Field.EXPIRY, False),
        ("2082-12-31", Field.EXPIRY, True),
        ("2082-12-31", None, False),
    ],
)
def test_what_is_on_sale_expired_not_long_ago_and_lasts_for_years_only_where_a_keyword_says_so(
    text: str, field: Field | None, sold: bool
) -> None:
    [one] = readings(text, TODAY)
    assert on_sale(one, TODAY, field) is sold
