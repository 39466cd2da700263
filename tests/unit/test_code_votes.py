"""Lots and serials by what several looks make of each character."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.code_votes import Code, Look, voted

SERIAL = re.compile(r"\d{6}")
LOT = re.compile(r"[A-Z]{2}\d{4}-\d[A-Z]")


def look(text: str, weight: float = 1.0, **doubts: tuple[str, float]) -> Look:
    """A look that is sure of a text but where `p3=("8", 0.4)` says what else the character at 3 may be."""
    places = [{character: 0.99} for character in text]
    for place, (other, probability) in doubts.items():
        index = int(place[1:])
        places[index] = {text[index]: 1 - probability, other: probability}
    return Look(tuple(places), weight)


def texts(codes: tuple[Code, ...]) -> list[str]:
    return [one.text for one in codes]


def test_a_digit_in_doubt_leaves_two_codes() -> None:
    best, rival = voted([look("012345", p3=("8", 0.4))], SERIAL)
    assert (best.text, rival.text) == ("012345", "012845")
    assert best.weakest == pytest.approx(0.6)
    assert rival.together / best.together == pytest.approx(0.4 / 0.6)


def test_looks_that_agree_settle_it_and_those_that_do_not_leave_it_open() -> None:
    first = look("012345", p3=("8", 0.4))
    settled, told = voted([first, look("012345", 3.0)], SERIAL)
    assert told.together < 0.2 * settled.together
    contested, rival = voted([first, look("012845", 1.0)], SERIAL)
    assert {contested.text, rival.text} == {"012345", "012845"}
    assert rival.together > 0.2 * contested.together


def test_a_look_of_another_length_speaks_against_all() -> None:
    [code] = voted([look("012345"), look("01245")], SERIAL)
    assert (code.text, code.weakest) == ("012345", pytest.approx(0.99 / 2))
    assert voted([look("01245")], SERIAL) == ()


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("KO1234-1M", "KO1234-1M"),
        ("K01234-1M", "KO1234-1M"),
        ("KO1234-10", "KO1234-1O"),
        ("Q11O34.1M", "QI1034-1M"),
        ("KO 1234-1M", "KO1234-1M"),
        ("L KO1234-1M", "KO1234-1M"),
    ],
)
def test_the_format_tells_what_nobody_could_see(read: str, meant: str) -> None:
    [code] = voted([look(read)], LOT)
    assert (code.text, code.seen) == (meant, read.replace(" ", "").endswith(meant))


def test_the_format_makes_no_letter_of_a_digit_that_looks_unlike_it() -> None:
    assert voted([look("K81234-1M")], LOT) == ()
    [code] = voted([look("K81234-1M", p1=("B", 0.3))], LOT)
    assert (code.text, code.weakest) == ("KB1234-1M", pytest.approx(0.3))


def test_what_else_looks_alike_stands_against_it() -> None:
    assert texts(voted([look("K01234-1M", p1=("D", 0.3))], LOT)) == ["KO1234-1M", "KD1234-1M"]


def test_without_a_format_the_first_word_with_a_digit_is_taken_as_it_was_read() -> None:
    assert texts(voted([look("AB L04.92-1 12:30")], None)) == ["L04.92-1"]
    assert voted([look("ABC")], None) == ()
    assert voted([look("A1")], None) == ()


def test_marks_do_not_stand_against_each_other() -> None:
    [code] = voted([look("L04-92", p3=(".", 0.45))], None)
    assert (code.text, code.weakest) == ("L04-92", 0.99)


def test_of_nonsense_no_more_is_tried_than_is_worth_its_time() -> None:
    doubtful = tuple(dict.fromkeys("0OQD8B", 0.16) for _ in range(40))
    assert voted([Look(doubtful, 1.0)], re.compile(r"[A-Z]{40}")) == ()


@given(st.text("0123456789", min_size=6, max_size=6), st.lists(st.floats(0.5, 3.0), min_size=1, max_size=4))
def test_what_all_looks_read_is_read(text: str, weights: list[float]) -> None:
    assert voted([look(text, weight) for weight in weights], SERIAL)[0].text == text
