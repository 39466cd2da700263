"""Keywords: which value a line holds, in many languages, glued and misread."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.labels import KEYWORDS, Field, folded, same_lot, segments


@pytest.mark.parametrize(("field", "keyword"), [(field, word) for field, words in KEYWORDS.items() for word in words])
def test_each_keyword_is_known_in_both_cases(field: Field, keyword: str) -> None:
    for spelled in (keyword, keyword.upper()):
        assert [(one.field, one.value) for one in segments(f"{spelled} 12345")] == [(field, "12345")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SN:   0903950312389", [(Field.SERIAL, "0903950312389")]),
        ("S/N 123", [(Field.SERIAL, "123")]),
        ("Ch.-B.:", [(Field.LOT, "")]),
        ("Ch-8.: AB1", [(Field.LOT, "AB1")]),
        ("Verw. bis: 12.2082", [(Field.EXPIRY, "12.2082")]),
        ("Vew.is: 12.2082", [(Field.EXPIRY, "12.2082")]),
        ("Venw.dis:", [(Field.EXPIRY, "")]),
        ("BEST BEF0RE: 2027", [(Field.EXPIRY, "2027")]),
        ("EXP010727", [(Field.EXPIRY, "010727")]),
        ("L049261203", [(Field.LOT, "049261203")]),
        ("LOT L0492", [(Field.LOT, "L0492")]),
        ("LOT: L0492", [(Field.LOT, "L0492")]),
        ("LOT X12", [(Field.LOT, "X12")]),
        ("EXPIRV 12.2026", [(Field.EXPIRY, "12.2026")]),
        ("red 12 EXP 01.27", [(None, "red 12"), (Field.EXPIRY, "01.27")]),
        ("LOT AB12 EXP 12.26", [(Field.LOT, "AB12"), (Field.EXPIRY, "12.26")]),
        ("MFG 01.26 EXP 01.28", [(Field.PRODUCTION, "01.26"), (Field.EXPIRY, "01.28")]),
        ("Best before end: see lid", [(Field.EXPIRY, "see lid")]),
        ("EXPORT 12", [(None, "EXPORT 12")]),
        ("SNACK", [(None, "SNACK")]),
        ("L'eau", [(None, "L'eau")]),
        ("", [(None, "")]),
    ],
)
def test_segments(text: str, expected: list[tuple[Field | None, str]]) -> None:
    assert [(one.field, one.value) for one in segments(text)] == expected


@pytest.mark.parametrize(
    ("text", "keywords"),
    [("red EXP.: 01.27", ["", "EXP"]), ("Vew.is: 12.2082", ["Vew.is:"]), ("SNACK", [""]), ("Ch-8.: AB1", ["Ch-8"])],
)
def test_a_segment_keeps_its_keyword_as_printed(text: str, keywords: list[str]) -> None:
    assert [one.keyword for one in segments(text)] == keywords


@pytest.mark.parametrize(
    ("printed", "field"),
    [
        ("zu verbrxxxxen bis", Field.EXPIRY),  # four of sixteen letters replaced,
        ("xxxxzu verbrauchen bis", Field.EXPIRY),  # put in before,
        ("zu verbxxxxrauchen bis", Field.EXPIRY),  # between,
        ("rbrauchen bis", Field.EXPIRY),  # left out,
        ("xxzu verbrauchen b", Field.EXPIRY),  # or both
        ("zu verbxxxxxen bis", None),
        ("xxxxxzu verbrauchen bis", None),
        ("brauchen bis", None),
        ("xxxzu verbrauchen b", None),
    ],
)
def test_a_keyword_may_be_misread_in_a_letter_of_four(printed: str, field: Field | None) -> None:
    assert segments(f"{printed}: 12.26")[0].field is field


@given(st.text(max_size=60))
def test_folding_keeps_positions(text: str) -> None:
    assert len(folded(text)) == len(text)


@pytest.mark.parametrize(("text", "plain"), [("ÀÉ Ü", "ae u"), ("a´b", "a´b"), ("½", "1"), ("日", "日"), ("", "")])
def test_folding_takes_accents_away(text: str, plain: str) -> None:
    assert folded(text) == plain


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("L4682M", "4682M", True),
        ("l4682m", "L4682M", True),
        ("VT691345-7G", "VT6913457G", True),
        ("VT 691345.7G", "VT691345-7G", True),
        ("L4682M", "L4683M", False),
        ("LA12", "A12", False),
        ("", "L1", False),
    ],
)
def test_a_lot_is_the_same_with_and_without_its_l(one: str, other: str, same: bool) -> None:
    assert same_lot(one, other) is same
