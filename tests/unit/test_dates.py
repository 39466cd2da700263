"""The grammar of dates: what each text allows, and what is no date at all."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.dates import Granularity, Order, Profile, Purpose, full_year, readings

TODAY = date(2026, 6, 1)


def days(text: str, **how: object) -> list[str]:
    return [one.day.isoformat() for one in readings(text, TODAY, **how)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026.05.04", ["2026-05-04"]),
        ("2026-05-04", ["2026-05-04"]),
        ("20261101", ["2026-11-01"]),
        ("31/12/2026", ["2026-12-31"]),
        ("04.05.2026", ["2026-04-05", "2026-05-04"]),
        ("03/04/26", ["2003-04-26", "2026-03-04", "2026-04-03"]),
        ("22 06 2022", ["2022-06-22"]),
        ("2020 12.03", ["2020-12-03"]),
        ("13.JAN.2022", ["2022-01-13"]),
        ("04APR21", ["2021-04-04"]),
        ("JUL 09 21", ["2021-07-09"]),
        ("AUG 17, 2020", ["2020-08-17"]),
        ("2027 MAR 02", ["2027-03-02"]),
        ("24 août 2026", ["2026-08-24"]),
        ("1. März 2027", ["2027-03-01"]),
        ("7 paź 2027", ["2027-10-07"]),
        ("2026年3月15日", ["2026-03-15"]),
        ("２０２６．０３．１５", ["2026-03-15"]),
        ("2026년 3월 15일", ["2026-03-15"]),
        ("소비기한 2026.03.15 까지", ["2026-03-15"]),
        ("2026.03.15까지", ["2026-03-15"]),
        ("تاريخ الانتهاء ٢٠٢٦/٠٣/١٥", ["2026-03-15"]),
        ("समाप्ति तिथि: १५/०३/२०२६", ["2026-03-15"]),
        ("หมดอายุ ๑๕/๐๓/๒๕๖๙", ["2026-03-15"]),
        ("15/03/2569", ["2026-03-15"]),
        ("12.05.2026 15:49", ["2026-05-12", "2026-12-05"]),
        ("20261101.", ["2026-11-01"]),
        ("31.02.2026 01.03.2026", ["2026-01-03", "2026-03-01"]),
    ],
)
def test_full_dates(text: str, expected: list[str]) -> None:
    assert days(text) == expected


@pytest.mark.parametrize(
    ("text", "last", "first"),
    [
        ("12.2082", "2082-12-31", "2082-12-01"),
        ("02/2028", "2028-02-29", "2028-02-01"),
        ("2027-02", "2027-02-28", "2027-02-01"),
        ("12/26", "2026-12-31", "2026-12-01"),
        ("MAR 2027", "2027-03-31", "2027-03-01"),
        ("2026年12月", "2026-12-31", "2026-12-01"),
        ("EXP 11.25", "2025-11-30", "2025-11-01"),
    ],
)
def test_a_month_is_its_last_day_for_expiry_and_its_first_for_production(text: str, last: str, first: str) -> None:
    assert days(text) == [last]
    assert days(text, purpose=Purpose.PRODUCTION) == [first]
    assert {one.granularity for one in readings(text, TODAY)} == {Granularity.MONTH}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BF080226", ["2008-02-26", "2026-02-08", "2026-08-02"]),
        ("EXP010727", ["2001-07-27", "2027-01-07", "2027-07-01"]),
        ("Verwbis:12.2082", ["2082-12-31"]),
        ("LOT 12.05.26 EXP 12/26", ["2026-12-31"]),
        ("MHD 05.2026 10.49", ["2026-05-31"]),
    ],
)
def test_glued_print_and_neighbours(text: str, expected: list[str]) -> None:
    assert days(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2O26.O5.O4",
        "31.02.2026",
        "29.02.2026",
        "2026.13.01",
        "00.05.2026",
        "00/2026",
        "0727.05.04",
        "15:49.F16",
        "12:30",
        "15:49:10",
        "12.99",
        "€ 12.05.26",
        "12.99 €",
        "EUR 12.99",
        "4006381333931",
        "0098 112 22 878",
        "0800 11 22 33",
        "+49 30 12 05 26",
        "Tel. 030 12 05 26",
        "030-12-05-26",
        "1.2.3.26",
        "2020<07-13",
        "L049261203",
        "LOT 010727",
        "SN 20260504",
        "AB20260504",
        "保质期 12 个月",
    ],
)
def test_no_date(text: str) -> None:
    assert days(text) == []


def test_a_profile_settles_the_order() -> None:
    assert days("03/04/26", profile=Profile(orders={Order.DAY_FIRST})) == ["2026-04-03"]
    assert days("25/12/2026", profile=Profile(orders={Order.MONTH_FIRST})) == []


@pytest.mark.parametrize("text", ["2026.05.04", "4 MAY 2026", "05/2026", "MAY 26"])
def test_a_profile_does_not_touch_what_is_clear(text: str) -> None:
    assert days(text, profile=Profile(orders={Order.YEAR_FIRST})) == days(text)


@pytest.mark.parametrize(
    ("two_digits", "today", "year"),
    [
        (76, date(2026, 1, 1), 2076),
        (77, date(2026, 1, 1), 1977),
        (26, date(2026, 1, 1), 2026),
        (10, date(2060, 1, 1), 2110),
        (11, date(2060, 1, 1), 2011),
        (0, date(1951, 1, 1), 2000),
        (1, date(1951, 1, 1), 2001),
    ],
)
def test_the_window_of_two_digit_years(two_digits: int, today: date, year: int) -> None:
    assert full_year(two_digits, today) == year


@given(
    st.dates(date(1900, 1, 1), date(2199, 12, 31)), st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d %b %Y"])
)
def test_printed_dates_are_among_their_readings(day: date, form: str) -> None:
    assert day in {one.day for one in readings(day.strftime(form), TODAY)}


@given(st.dates(TODAY - timedelta(days=49 * 365), TODAY + timedelta(days=49 * 365)))
def test_two_digit_years_round_trip_within_the_window(day: date) -> None:
    assert day in {one.day for one in readings(day.strftime("%d/%m/%y"), TODAY)}


@given(st.integers(1, 12), st.integers(30, 31), st.integers(1900, 2199))
def test_days_that_are_not_in_the_calendar_give_nothing(month: int, day: int, year: int) -> None:
    text = f"{year}-{month:02}-{day:02}"
    try:
        expected = [date(year, month, day).isoformat()]
    except ValueError:
        expected = []
    assert days(text) == expected


@given(st.text(max_size=40))
def test_any_text_is_read_without_fault(text: str) -> None:
    for one in readings(text, TODAY):
        assert one.text
