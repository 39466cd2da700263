"""Keywords: which value a line holds, in many languages, glued and misread."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.label_words import TRAILING, WORDS, Kind, phrases
from edge.core.labels import FIELD_OF, KEYWORDS, Field, folded, meant, same_lot, segments
from edge.core.spelling import edits, letters

PHRASES = tuple(phrases())
LONG = [(phrase, kind) for phrase, kind, _ in PHRASES if len(letters(phrase)) >= 6]
ALPHABET = "".join(sorted({letter for phrase, _ in LONG for letter in letters(phrase)}))
MADE = [phrase for phrase, kind in LONG if FIELD_OF[kind] is Field.PRODUCTION]


@pytest.mark.parametrize("language", WORDS)
def test_each_keyword_is_known_in_both_cases(language: str) -> None:
    for phrase, kind in ((phrase, kind) for phrase, kind, spoken in PHRASES if spoken == language):
        for spelled in (phrase, phrase.upper()):
            assert [(one.field, one.value) for one in segments(f"{spelled} 12345")] == [(FIELD_OF[kind], "12345")]
            meaning = meant(spelled)
            assert meaning is not None
            assert meaning.kind is kind
            assert language in meaning.languages or not meaning.languages


def test_no_word_means_two_things() -> None:
    kinds: dict[str, set[Kind]] = {}
    for phrase, kind, _ in PHRASES:
        kinds.setdefault(letters(phrase), set()).add(kind)
    assert {word: found for word, found in kinds.items() if len(found) > 1} == {}


def test_every_language_that_says_expiry_says_production_too() -> None:
    """Else its production dates stand without a keyword beside expiries that have one."""
    ends, begins = (
        {spoken for _, kind, spoken in PHRASES if FIELD_OF[kind] is field}
        for field in Field.__members__.values()
        if field in (Field.EXPIRY, Field.PRODUCTION)
    )
    assert ends <= begins
    assert len(ends) >= 38


def test_the_field_of_every_kind_is_told() -> None:
    assert set(FIELD_OF) == set(Kind)
    assert all(words for words in KEYWORDS.values())


@pytest.mark.parametrize(
    ("text", "kind", "languages", "value"),
    [
        ("Use by: 12 MAR 2027", "use_by", ("en",), "12 MAR 2027"),
        ("Best before end: 03 2027", "best_before", ("en",), "03 2027"),
        ("Zu verbrauchen bis: 12.03.27", "use_by", ("de",), "12.03.27"),
        ("Mindestens haltbar bis Ende: 03/2027", "best_before", ("de",), "03/2027"),
        ("À consommer jusqu’au : 12/03/27", "use_by", ("fr",), "12/03/27"),
        ("À consommer de préférence avant le 12/03/27", "best_before", ("fr",), "12/03/27"),
        ("Da consumarsi preferibilmente entro il: 12/03/27", "best_before", ("it",), "12/03/27"),
        ("Consúmase preferentemente antes del: 12.03.27", "best_before", ("es",), "12.03.27"),
        ("FECHA DE CADUCIDAD 12/03/27", "use_by", ("es",), "12/03/27"),
        ("Najlepiej spożyć przed końcem: 03.2027", "best_before", ("pl",), "03.2027"),
        ("NALEŻY SPOŻYĆ DO 12.03.27", "use_by", ("pl",), "12.03.27"),
        ("Spotřebujte do: 12.3.27", "use_by", ("cs", "sk"), "12.3.27"),
        ("Minőségét megőrzi: 2027.03.12", "best_before", ("hu",), "2027.03.12"),
        ("Ambalat la 01.02.26", "packed", ("ro",), "01.02.26"),
        ("S.K.T. 12.03.2027", "use_by", ("tr",), "12.03.2027"),
        ("Ü.T.: 01.02.2026", "production", ("tr",), "01.02.2026"),
        ("HSD: 12/03/2027", "expiry", ("vi",), "12/03/2027"),
        ("NSX: 12/03/2026", "production", ("vi",), "12/03/2026"),
        ("Ανάλωση κατά προτίμηση πριν από: 12/03/27", "best_before", ("el",), "12/03/27"),
        ("ΗΜΕΡΟΜΗΝΙΑ ΛΗΞΗΣ 03/2027", "expiry", ("el",), "03/2027"),
        ("Годен до: 12.03.27", "expiry", ("ru",), "12.03.27"),
        ("ИЗГ 01.07.26", "production", ("ru",), "01.07.26"),
        ("Дата виготовлення: 01.07.26", "production", ("uk",), "01.07.26"),
        ("Най-добър до: 12.03.27", "best_before", ("bg",), "12.03.27"),
        ("賞味期限 2027.3.12", "best_before", ("ja",), "2027.3.12"),
        ("消費期限2027年3月12日", "use_by", ("ja",), "2027年3月12日"),
        ("製造年月日 26.03.12", "production", ("ja",), "26.03.12"),
        ("製造番号 A1203", "lot", ("ja",), "A1203"),
        ("保质期至2027.03.12", "expiry", ("zh",), "2027.03.12"),
        ("此日期前最佳: 2027/03/12", "best_before", ("zh",), "2027/03/12"),
        ("生产日期:2026/03/12", "production", ("zh",), "2026/03/12"),
        ("生产批号:20260312A", "lot", ("zh",), "20260312A"),
        ("소비기한: 2027.03.12", "use_by", ("ko",), "2027.03.12"),
        ("제조일자 2026.03.12", "production", ("ko",), "2026.03.12"),
        ("ควรบริโภคก่อน 12/03/70", "best_before", ("th",), "12/03/70"),
        ("วันที่ผลิต 12/03/69", "production", ("th",), "12/03/69"),
        ("تاريخ الانتهاء: ١٢/٠٣/٢٠٢٧", "expiry", ("ar",), "١٢/٠٣/٢٠٢٧"),
        ("تاريخ الإنتاج ٢٠٢٦/٠٣/١٢", "production", ("ar",), "٢٠٢٦/٠٣/١٢"),
        ("عدد: تاریخ تولید 1405/03/12", "production", ("fa",), "1405/03/12"),
        ("לשימוש עד: 12.03.27", "use_by", ("he",), "12.03.27"),
        ("תאריך ייצור 12.03.26", "production", ("he",), "12.03.26"),
        ("समाप्ति तिथि: १२/०३/२०२७", "expiry", ("hi",), "१२/०३/२०२७"),
        ("निर्माण तिथि १२/०३/२०२६", "production", ("hi",), "१२/०३/२०२६"),
        ("EXP 12/2027", "expiry", (), "12/2027"),
    ],
)
def test_native_phrases(text: str, kind: str, languages: tuple[str, ...], value: str) -> None:
    last = segments(text)[-1]
    meaning = meant(last.keyword)
    assert meaning is not None
    assert (meaning.kind, last.field, last.value) == (kind, meaning.field, value)
    assert meaning.languages == languages


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("2026.05.04까지", Field.EXPIRY),
        ("2026.05.04 까지.", Field.EXPIRY),
        ("2026.05.04 제조", Field.PRODUCTION),
        ("2026年5月4日製造", Field.PRODUCTION),
        ("2026.05.04 생산", None),  # not in the table
        ("제조", Field.PRODUCTION),  # no value before it: one may stand beside it
    ],
)
def test_some_words_follow_their_value(text: str, field: Field | None) -> None:
    assert [one.field for one in segments(text)] == [field]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026.05.04 까지 맛있게", [(None, "2026.05.04"), (Field.EXPIRY, "맛있게")]),
        ("LOT 5 2026.05.04 까지", [(Field.LOT, "5 2026.05.04"), (Field.EXPIRY, "")]),
        ("12.2026 EXP", [(None, "12.2026"), (Field.EXPIRY, "")]),  # its value may stand to its right
        ("우유 까지", [(None, "우유"), (Field.EXPIRY, "")]),
    ],
)
def test_a_word_follows_its_value_only_where_nothing_else_can_be_meant(
    text: str, found: list[tuple[Field | None, str]]
) -> None:
    assert [(one.field, one.value) for one in segments(text)] == found


@pytest.mark.parametrize("word", TRAILING)
def test_words_that_follow_are_known_words(word: str) -> None:
    assert meant(word) is not None


@pytest.mark.parametrize(
    ("text", "field"), [("SC936608-5N", None), ("5N: 09039", Field.SERIAL), ("C 5N 9", Field.SERIAL)]
)
def test_a_misread_keyword_stands_by_itself(text: str, field: Field | None) -> None:
    assert segments(text)[-1].field is field


@pytest.mark.parametrize("text", ["ผลิตภัณฑ์ 12", "Годеновка 12", "شركة الإنتاجية 12", "EXPORT 12"])
def test_a_keyword_is_no_part_of_a_longer_word(text: str) -> None:
    assert segments(text)[0].field is None


@given(st.data())
def test_a_misread_word_of_production_is_never_one_of_expiry(data: st.DataObject) -> None:
    """Up to a share of 0.3 of its letters replaced, added or lost."""
    phrase = data.draw(st.sampled_from(MADE))
    misread = phrase
    for _ in range(data.draw(st.integers(0, int(len(letters(phrase)) * 0.3)))):
        place, letter = data.draw(st.integers(0, len(misread) - 1)), data.draw(st.sampled_from(ALPHABET))
        rest = data.draw(
            st.sampled_from((misread[place + 1 :], letter + misread[place + 1 :], letter + misread[place:]))
        )
        misread = misread[:place] + rest
    assert (Field.EXPIRY, "12.2027") not in {(one.field, one.value) for one in segments(f"{misread}: 12.2027")}


@pytest.mark.parametrize("text", ["verpakt xp 12.26", "bf date 12.26", "valm pvn 12.26", "date bf production 12.26"])
def test_a_short_word_of_expiry_is_not_found_in_a_longer_one_of_production(text: str) -> None:
    assert [one for one in segments(text) if one.field is Field.EXPIRY and one.value] == []


@pytest.mark.parametrize(
    ("keyword", "said"),
    [
        ("Vew.is:", "expiry, de"),
        ("BEST BEF0RE", "best before, en"),
        (" EXP.", "expiry"),
        ("TILVERKNINGSDATUM", "production, sv"),
        ("L", "lot"),
        ("milk", "None"),
        ("", "None"),
    ],
)
def test_what_a_keyword_says_as_it_was_read(keyword: str, said: str) -> None:
    assert str(meant(keyword)) == said


@pytest.mark.parametrize("text", ["red 12 EXP 12.26", "BB date 12.26", "Milk BBE 12.26", "LOT 4 BF 12.26"])
def test_a_short_word_of_expiry_may_stand_beside_others(text: str) -> None:
    assert segments(text)[-1].field is Field.EXPIRY


CLOSE = [
    ("تاريخ الانتهاء", "تاريخ الإنتاج"),
    ("date d'expiration", "date de fabrication"),
    ("aegumiskuupäev", "tootmiskuupäev"),
]


@pytest.mark.parametrize(("end", "made"), CLOSE)
def test_words_of_expiry_and_production_that_are_close_are_told_exactly_or_not_at_all(end: str, made: str) -> None:
    assert [segments(f"{one} 12.27")[0].field for one in (end, made)] == [Field.EXPIRY, Field.PRODUCTION]
    spoilt = [f"{made[:place]}{made[place + 1 :]}: 12.27" for place in range(1, len(made) - 1)]
    assert Field.EXPIRY not in {segments(one)[-1].field for one in spoilt}


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("تاريخ الانتهاء: 12.27", Field.EXPIRY),
        ("تاريخ الاتهاء: 12.27", None),  # a letter lost, and production is three away
        ("تاريخ الانتهاج: 12.27", None),  # one letter from either
        ("تارخ الإنتاج: 12.27", Field.PRODUCTION),
    ],
)
def test_where_production_is_near_a_misread_word_of_expiry_is_none(text: str, field: Field | None) -> None:
    assert segments(text)[-1].field is field


@given(st.text(max_size=12), st.text(max_size=12), st.integers(0, 12))
def test_edits_are_told_up_to_the_most(first: str, second: str, most: int) -> None:
    assert edits(first, second, most) == min(edits(first, second, 99), most + 1)
    assert edits(first, second, 99) == edits(second, first, 99)


@given(
    st.dates(),
    st.sampled_from(["٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "๐๑๒๓๔๕๖๗๘๙", "০১২৩৪৫৬৭৮৯", "０１２３４５６７８９"]),
)
def test_digits_of_every_script_are_digits(day: date, digits: str) -> None:
    printed = day.strftime("%d/%m/%Y").zfill(10)
    assert folded(printed.translate(str.maketrans("0123456789", digits))) == printed


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
        ("te gxxxxiken tot", Field.EXPIRY),  # four of fourteen letters replaced,
        ("xxxxte gebruiken tot", Field.EXPIRY),  # put in before,
        ("te gebrxxxxuiken tot", Field.EXPIRY),  # between,
        ("bruiken tot", Field.EXPIRY),  # left out,
        ("xxte gebruiken t", Field.EXPIRY),  # or both
        ("te gxxxxxken tot", None),
        ("xxxxxte gebruiken tot", None),
        ("ruiken tot", None),
        ("xxxte gebruiken t", None),
    ],
)
def test_a_keyword_may_be_misread_in_a_letter_of_four(printed: str, field: Field | None) -> None:
    assert segments(f"{printed}: 12.26")[0].field is field


@given(st.text(max_size=60))
def test_folding_keeps_positions(text: str) -> None:
    assert len(folded(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("ÀÉ Ü", "ae u"),
        ("ıŁØ", "ilo"),
        ("유통", "유통"),
        ("٣", "3"),
        ("a´b", "a´b"),
        ("½", "1"),
        ("日", "日"),
        ("", ""),
    ],
)
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
        ("YD569351-4O", "YD569351-40", True),
        ("QI750988-1K", "Q1750988-1K", True),
        ("LO469", "L0469", True),
        ("LB145051", "L8145051", False),
        ("LA12", "A12", False),
        ("", "L1", False),
    ],
)
def test_a_lot_is_the_same_with_and_without_its_l(one: str, other: str, same: bool) -> None:
    assert same_lot(one, other) is same
