"""Sizes and languages of labels: what print names, in many words, and when two sizes are one."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.labels import Field, segments
from edge.core.languages import languages, spoken
from edge.core.sizes import NAMES, UNITS, Named, Quantity, same_size, size, sizes


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("12 x 33 cl", ["12 x 33 cl"]),
        ("12×33cl", ["12 x 33 cl"]),
        ("1,5 L", ["1.5 l"]),
        ("1.5 LITRES", ["1.5 l"]),
        ("16 fl oz", ["16 fl oz"]),
        ("16 FL. OZ. (473 mL)", ["16 fl oz", "473 ml"]),
        ("500 ml ℮", ["500 ml"]),
        ("NET WT 8 OZ (227g)", ["8 oz", "227 g"]),
        ("Masa netto: 500 g", ["500 g"]),
        ("Масса нетто 500 г", ["500 g"]),
        ("净含量500毫升装", ["500 ml"]),
        ("內容量 350ミリリットル", ["350 ml"]),
        ("내용량 200그램", ["200 g"]),
        ("ปริมาณสุทธิ 1 ลิตร", ["1 l"]),
        ("الوزن الصافي ٥٠٠ جم", ["500 g"]),
        ("500 ग्राम", ["500 g"]),
        ("1.000 g", ["1000 g"]),  # nobody sells a gram
        ("1,000 kg", ["1 kg"]),
        ("0,500 kg", ["0.5 kg"]),
        ("4 x 125 g = 500 g", ["4 x 125 g", "500 g"]),
        ("30 Stück", ["30 pcs"]),
        ("Größe: XL", ["XL"]),
        ("TAILLE M", ["M"]),
        ("размер L", ["L"]),
        ("サイズ L", ["L"]),
        ("Talla: grande", ["L"]),
        ("xxl", ["XXL"]),
        ("King Size", ["king"]),
        ("M", []),  # a letter alone may be anything's
        ("per 100 g", []),
        ("je 100 g enthalten", []),
        ("250 kcal/100 g", []),
        ("每100克", []),
        ("0 g", []),
        ("0 x 33 cl", []),
        ("2 x 33 cl", ["2 x 33 cl"]),
        ("12 LOT 5", []),
        ("A500 g", []),
        ("12.05.2026", []),
        ("500 gx", []),
        ("", []),
    ],
)
def test_sizes_on_print(text: str, found: list[str]) -> None:
    assert [str(one) for one in sizes(text)] == found


@pytest.mark.parametrize(
    ("printed", "wanted", "same"),
    [
        ("12 x 33 cl", "12 x 330 ml", True),
        ("12 x 33 cl", "33 cl", False),
        ("6 x 1 l", "6 l", False),
        ("1.5 l", "1500 ml", True),
        ("500 g", "505 g", False),  # exact in one system,
        ("500 g", "500.5 g", False),
        ("16 fl oz", "473 ml", True),  # rounded between two
        ("1 oz", "28 g", True),
        ("1 oz", "30 g", False),
        ("8 oz", "8 fl oz", None),  # a weight is no volume
        ("8 oz; 227 g", "227 g", True),
        ("500 g; 30 g", "505 g", None),
        ("XL", "xl", True),
        ("L", "large", True),
        ("twin", "king", False),
        ("blue", "Blue", True),  # words that are no size are compared as they stand
        ("blue", "red", False),
    ],
)
def test_when_two_sizes_are_one(printed: str, wanted: str, same: bool | None) -> None:
    assert same_size(printed, wanted) is same


QUANTITIES = st.builds(
    Quantity, st.integers(1, 99), st.integers(1, 99_999).map(lambda n: Fraction(n, 100)), st.sampled_from(list(UNITS))
)


@given(QUANTITIES)
def test_a_size_reads_back_as_it_was_written(one: Quantity) -> None:
    assert size(str(one)) == one
    assert same_size(str(one), str(one).upper().replace(".", ",")) is True


@given(QUANTITIES, QUANTITIES)
def test_sizes_that_differ_by_more_than_rounding_differ(one: Quantity, other: Quantity) -> None:
    ours, theirs = (each.value * UNITS[each.unit].factor for each in (one, other))
    if abs(ours - theirs) > Fraction(2, 100) * max(ours, theirs) or one.count != other.count:
        assert same_size(str(one), str(other)) is not True
    assert same_size(str(one), str(other)) is same_size(str(other), str(one))


@pytest.mark.parametrize("name", NAMES)
def test_every_word_for_a_size_is_that_size(name: str) -> None:
    for word in NAMES[name].split(","):
        assert size(word.upper()) == Named(name)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Mindestens haltbar bis: 12 Mai 2027", ("de",)),  # Mai is French too
        ("À consommer avant le 12 août 2027", ("fr",)),
        ("Годен до 12 мая 2027", ("ru",)),
        ("BEST BEFORE: EXP 12/27", ("en",)),
        ("EXP 12/27 LOT 4", ()),  # said everywhere
        ("賞味期限 2027.3.12", ("ja",)),
        ("Spotřebujte do 12.3.27", ("cs", "sk")),
        ("12 janvier 2027", ("fr",)),
        ("12 MAR 2027", ()),
    ],
)
def test_the_language_of_a_label(text: str, found: tuple[str, ...]) -> None:
    parts = segments(text)
    assert languages([one.keyword for one in parts if one.field], [one.value for one in parts]) == found


def test_a_label_in_several_languages() -> None:
    keywords = ["Mindestens haltbar bis", "À consommer de préférence avant le", "Da consumarsi preferibilmente entro"]
    assert languages(keywords, []) == ("de", "fr", "it")


@pytest.mark.parametrize(
    ("told", "wanted", "agreed"),
    [
        ("de fr", "fr", True),
        ("de fr", "FR-ca", True),
        ("zh-Hant", "zh-TW", True),
        ("de", "en", False),
        ("", "en", False),
    ],
)
def test_a_language_is_spoken(told: str, wanted: str, agreed: bool) -> None:
    assert spoken(told, wanted) is agreed


def test_sizes_and_languages_have_no_keyword() -> None:
    assert {one.field for text in ("500 g", "XL") for one in segments(text)} == {None}
    assert Field.SIZE.value == "size"
