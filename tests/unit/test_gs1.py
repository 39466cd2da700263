"""What codes say by GS1's rules, and what they may not say."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.errors import MalformedMessage
from edge.core.gs1 import SEPARATOR, Label, check_digit, day, elements, linked_elements, normalised

TODAY = date(2026, 6, 1)
GTIN = "04006381333931"
FIXED = {"00": 18, "01": 14, "02": 14, "11": 6, "13": 6, "15": 6, "17": 6, "20": 2, "3103": 6, "410": 13}
VARIABLE = ("10", "21", "22", "240", "30", "37", "3922", "7003", "8008", "99")
VALUES = st.text("0123456789ABCXYZabc-/.%", min_size=1, max_size=20)


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


@given(
    st.lists(
        st.one_of(
            st.sampled_from(sorted(FIXED)).flatmap(
                lambda ai: st.tuples(st.just(ai), st.text("0123456789", min_size=FIXED[ai], max_size=FIXED[ai]))
            ),
            st.tuples(st.sampled_from(VARIABLE), VALUES),
        ),
        unique_by=lambda pair: pair[0],
    )
)
def test_any_string_of_elements_comes_back_whole(pairs: list[tuple[str, str]]) -> None:
    message = "".join(ai + value + ("" if ai in FIXED else SEPARATOR) for ai, value in pairs)
    assert elements(message) == dict(pairs)
    assert elements(message.removesuffix(SEPARATOR)) == dict(pairs)


@given(st.text("0123456789AB" + SEPARATOR, max_size=40))
def test_rubbish_is_refused_or_read_but_never_lost(message: str) -> None:
    try:
        found = elements(message)
    except MalformedMessage:
        return
    said = "".join(ai + value for ai, value in found.items())
    assert set(said) == set(message.replace(SEPARATOR, ""))


@pytest.mark.parametrize(
    "message",
    ["01040063813339", "0104006381333931" + "17", "10", "10\x1d21S", "05123", "3", "310", "10A\x1d10B", "1712\x1d0101"],
)
def test_broken_strings_are_refused(message: str) -> None:
    with pytest.raises(MalformedMessage):
        elements(message)


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
    message = f"01{GTIN}11260100152702001727040010L4821A{SEPARATOR}21S1{SEPARATOR}3103000195"
    expected = Label(GTIN, "L4821A", "S1", date(2026, 1, 31), date(2027, 2, 28), date(2027, 4, 30))
    assert Label.of(elements(message), TODAY) == expected


def test_label_with_a_wrong_gtin_is_refused() -> None:
    with pytest.raises(MalformedMessage):
        Label.of({"01": "04006381333932"}, TODAY)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (
            "https://id.gs1.org/01/09506000134352/10/AB%2FC/21/7?17=270400&x=1",
            {"01": "09506000134352", "10": "AB/C", "21": "7", "17": "270400", "x": "1"},
        ),
        ("https://shop.example/p/01/9506000134352", {"01": "9506000134352"}),
        ("https://shop.example/milk", {}),
        ("no address at all", {}),
    ],
)
def test_digital_links(address: str, expected: dict[str, str]) -> None:
    assert linked_elements(address) == expected
