"""What codes say by GS1's rules, and what they may not say."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.errors import MalformedMessage
from edge.core.gs1 import Label, check_digit, day, normalised

TODAY = date(2026, 6, 1)
GTIN = "04006381333931"


@pytest.mark.parametrize(
    ("code", "gtin"),
    [
        ("4006381333931", GTIN),
        (GTIN, GTIN),
        ("96385074", "00000096385074"),
        ("036000291452", "00036000291452"),
        ("14006381333938", "14006381333938"),
        ("4006381333932", None),
        ("400638133393", None),
        ("400638133393¹", None),
        ("٤٠٠٦٣٨١٣٣٣٩٣١", None),
        ("", None),
    ],
)
def test_gtins_of_all_lengths_become_fourteen_digits(code: str, gtin: str | None) -> None:
    assert normalised(code) == gtin


@given(st.text("0123456789", min_size=7, max_size=13).filter(lambda body: len(body) in (7, 11, 12, 13)), st.data())
def test_check_digit_catches_every_wrong_digit(body: str, data: st.DataObject) -> None:
    code = body + check_digit(body)
    place = data.draw(st.integers(0, len(code) - 1))
    wrong = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != code[place]]))
    assert normalised(code) == code.zfill(14)
    assert normalised(code[:place] + wrong + code[place + 1 :]) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("270412", date(2027, 4, 12)),
        ("270400", date(2027, 4, 30)),
        ("280200", date(2028, 2, 29)),
        ("760101", date(2076, 1, 1)),
        ("770101", date(1977, 1, 1)),
    ],
)
def test_dates(value: str, expected: date) -> None:
    assert day(value, TODAY) == expected


@pytest.mark.parametrize("value", ["271300", "270231", "27041", "2704AB", "000000"])
def test_what_is_no_date(value: str) -> None:
    with pytest.raises(MalformedMessage):
        day(value, TODAY)


@given(st.dates(date(1977, 7, 1), date(2076, 5, 1)))
def test_every_day_of_the_century_around_today_is_itself(one: date) -> None:
    assert day(one.strftime("%y%m%d"), TODAY) == one


def test_label_takes_what_is_known() -> None:
    said = {"01": GTIN, "10": "L4821A", "11": "260100", "13": "260201", "15": "270200", "16": "270101", "17": "270400"}
    assert Label.of({**said, "21": "S1", "3103": "000195"}, TODAY) == Label(
        gtin=GTIN,
        lot="L4821A",
        serial="S1",
        produced=date(2026, 1, 31),
        packed=date(2026, 2, 1),
        best_before=date(2027, 2, 28),
        sell_by=date(2027, 1, 1),
        expiry=date(2027, 4, 30),
    )


def test_label_with_a_wrong_gtin_is_refused() -> None:
    with pytest.raises(MalformedMessage):
        Label.of({"01": "04006381333932"}, TODAY)
