"""How often the larger recogniser is asked for a code, and what it may change."""

from __future__ import annotations

import string
from typing import cast

import numpy as np
import pytest

from edge.core.labels import Field, segments
from edge.core.messages import Image
from edge.inspection.code_reader import CodeReader
from edge.inspection.detector import TextBox
from edge.inspection.recogniser import Line, LineReader, greedy
from edge.inspection.rows import ReadLine, Row

VOCABULARY = ("", *string.digits, *string.ascii_uppercase)
FRAME = np.zeros((48, 200, 3), np.uint8)
BOX = TextBox((100.0, 24.0), (1.0, 0.0), 180.0, 40.0, 1.0)


def line(text: str, other: str = "", share: float = 0.0) -> Line:
    """A reading that is sure but for its fourth character, which may be another."""
    steps = np.zeros((2 * len(text), len(VOCABULARY)), np.float32)
    steps[1::2, 0] = 1.0
    for index, character in enumerate(text):
        doubt = share if index == 3 and other else 0.0
        steps[2 * index, VOCABULARY.index(character)] = 0.999 - doubt
        if doubt:
            steps[2 * index, VOCABULARY.index(other)] = doubt
    return greedy(steps, VOCABULARY)


class Larger:
    """Reads what it is told to, and counts."""

    height_px = 48

    def __init__(self, *lines: Line) -> None:
        self._lines = list(lines)
        self.asked = 0

    def read(self, picture: Image) -> Line:
        self.asked += 1
        return self._lines[self.asked - 1]

    read_sharp = read


def row(read: Line, field: Field | None = Field.SERIAL) -> Row:
    source = ReadLine(BOX, BOX.corners(), FRAME, read, segments(read.text), cut_by_crop=False, cut_by_frame=False)
    keyword = {Field.SERIAL: "SN:", Field.LOT: "LOT:"}.get(field) if field else None
    return Row(field, keyword or "", read.text, read.weakest, source, keyword)


@pytest.mark.parametrize(
    ("first", "votes", "asked", "best"),
    [
        (line("0123456789"), [], 0, "0123456789"),
        (line("0123456789", "8", 0.4), [line("0123456789")], 1, "0123456789"),
        (line("0123456789", "8", 0.4), [line("0128456789")], 1, "0128456789"),
        (line("0123456789", "8", 0.4), [line("0123456789", "8", 0.4), line("0123456789")], 2, "0123456789"),
        (line("012345678"), [line("012345678"), line("0123456789")], 2, "0123456789"),
    ],
)
def test_the_larger_recogniser_is_asked_until_the_code_stands(
    first: Line, votes: list[Line], asked: int, best: str
) -> None:
    larger = Larger(*votes)
    reader = CodeReader(cast(LineReader, larger), {Field.SERIAL: r"\d{10}"})
    codes = reader.read(Field.SERIAL, row(first), FRAME)
    assert (codes[0].text, larger.asked) == (best, asked)


def test_what_the_format_made_of_a_reading_must_be_sure() -> None:
    larger = Larger(line("AB2O45", "D", 0.2), line("AB2O45", "D", 0.2))
    reader = CodeReader(cast(LineReader, larger), {Field.LOT: r"[A-Z]{2}\d[A-Z]\d{2}"})
    codes = reader.read(Field.LOT, row(line("AB2045"), Field.LOT), FRAME)
    assert (codes[0].text, larger.asked) == ("AB2O45", 1)
    unseen = Larger(line("AB2045", "D", 0.2), line("AB2045", "D", 0.2))
    codes = CodeReader(cast(LineReader, unseen), {Field.LOT: r"[A-Z]{2}\d[A-Z]\d{2}"}).read(
        Field.LOT, row(line("AB2045"), Field.LOT), FRAME
    )
    assert ([one.text for one in codes], unseen.asked) == (["AB2O45", "AB2D45"], 2)


def test_lots_that_nobody_can_tell_apart_do_not_stand_against_each_other() -> None:
    larger = Larger(line("K12O45", "0", 0.45))
    [code] = CodeReader(cast(LineReader, larger), {}).read(Field.LOT, row(line("K12O45", "0", 0.45), Field.LOT), FRAME)
    assert (code.text, larger.asked) == ("K12O45", 1)


def test_a_row_without_a_keyword_is_no_gtin_once_it_is_read_well() -> None:
    larger = Larger(line("4006381333931"), line("4006381333931"))
    reader = CodeReader(cast(LineReader, larger), {Field.SERIAL: r"\d{13}"})
    assert reader.read(Field.SERIAL, row(line("4008381333931", "6", 0.4), None), FRAME) == ()
