"""Of a line that begins in unknown letters, the date alone."""

from __future__ import annotations

import numpy as np
import pytest

from edge.inspection.foreign_line import date_part
from edge.inspection.recogniser import Line, greedy

VOCABULARY = ("", *"0123456789./- |ABCDEXPLOTabcdefxyz年月日")
STEPS_PER_CHARACTER = 3


def line(text: str) -> Line:
    """As a recogniser gives it that is sure of every character, a blank before and after each."""
    steps = np.zeros((STEPS_PER_CHARACTER * len(text), len(VOCABULARY)), np.float32)
    for index, character in enumerate(text):
        steps[STEPS_PER_CHARACTER * index :: 2, 0] = 1.0
        steps[STEPS_PER_CHARACTER * index + 1] = 0.0
        steps[STEPS_PER_CHARACTER * index + 1, VOCABULARY.index(character)] = 1.0
    return greedy(steps, VOCABULARY)


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("TAC2 24.12.2027", "24.12.2027"),
        ("24/12/2027xyz", "24/12/2027"),
        ("|7 2027.11.07", "2027.11.07"),
        ("018 19/02/2571", "19/02/2571"),
        ("18/09/2026 19", "18/09/2026"),
        ("ab 12.2027", "12.2027"),
        ("ab 24 12 27 c", "24 12 27"),
        ("ab 20271224", "20271224"),
        ("ab 2027年12月24日", "2027年12月24"),
    ],
)
def test_the_numbers_are_cut_out_with_their_steps(text: str, date: str) -> None:
    whole = line(text)
    part = date_part(whole)
    assert part.text == date
    assert len(part.confidences) == len(date)
    assert greedy(part.steps, VOCABULARY).text == date


@pytest.mark.parametrize("text", ["EXP 24.12.2027", "LOT A20271224", "24.12.2027", "ab 12", "abc", "", "B4D 12 c"])
def test_other_lines_stay_as_they_are(text: str) -> None:
    whole = line(text)
    assert date_part(whole).text == whole.text == text
