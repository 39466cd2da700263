"""A drawn package with print and a code on it, read by both checks and judged: do they agree with each other?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp

from edge.core.judge import Answer, Finding, Rule, finding
from edge.core.labels import Field
from edge.core.messages import Agreement, Evidence, Frame, Image, Item, Sighting
from edge.inspection.codes import CodeCheck
from edge.inspection.detector import TextDetector
from edge.inspection.locate import whole
from edge.inspection.recogniser import LineReader
from edge.inspection.session import Session, newest
from edge.inspection.text import TextCheck
from tests.unit.lane import EXPECTED

MODELS = Path(__file__).parents[2] / "models"
TODAY = date(2026, 6, 1)
EXPIRY, LOT = (Rule(name, ("side",), required=True, agrees=name, source="both") for name in ("expiry", "lot"))


@pytest.fixture(scope="module")
def print_check() -> TextCheck:
    detector, reader = (Session.load(newest(MODELS, f"text-{name}")) for name in ("detector", "recogniser"))
    return TextCheck(TextDetector(detector), LineReader(reader), (Field.EXPIRY, Field.LOT), today=lambda: TODAY)


def package(rows: Sequence[str], code: str) -> Image:
    """A pale carton with rows of print, and a GS1 DataMatrix to their right."""
    frame = np.full((240, 640, 3), 225, np.uint8)
    for index, row in enumerate(rows):
        cv2.putText(frame, row, (20, 70 + 60 * index), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (30, 30, 30), 2)
    drawn = np.array(zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.DataMatrix, gs1=True).to_image(scale=4))
    frame[40 : 40 + drawn.shape[0], 440 : 440 + drawn.shape[1]] = drawn[..., None]
    return frame


def evidence(print_check: TextCheck, frame: Image) -> list[Evidence]:
    sighting = Sighting(Frame("side", "f1", 7, 0.0, frame), Item("i1", 0, 0), 0)
    code_check = CodeCheck(lambda: TODAY, ("code", "expiry", "lot"))
    return [*print_check.inspect(whole(frame), sighting), *code_check.inspect(whole(frame), sighting)]


def judged(rule: Rule, found: Sequence[Evidence]) -> Finding:
    order = replace(EXPECTED, gtin="04006381333931", lot="L4821", expiry=date(2027, 5, 31))
    return finding(rule, Item("i1", 0, 0, expected=order), found, TODAY)


@pytest.mark.parametrize(
    ("rows", "code", "expiry", "lot"),
    [
        (("EXP: 05.2027", "LOT: 4821"), "(01)04006381333931(17)270500(10)L4821", "match", "match"),
        (("EXP: 07.2027", "LOT: 4821"), "(01)04006381333931(17)270531(10)4821", "mismatch", "match"),  # printed over
        (("EXP: 05.2027", "LOT: 4812"), "(01)04006381333931(17)270531(10)4821", "match", "mismatch"),
        (("EXP: 04.2027", "LOT: 4821"), "(01)04006381333931(17)270430(10)4821", "mismatch", "match"),  # the pallet
        (("EXP: 05.2026", "LOT: 4821"), "(01)04006381333931(17)270531(10)4821", "expired", "match"),
        (("MFG: 05.2027", "LOT: 4821"), "(01)04006381333931(17)270531(10)4821", "unreadable", "match"),
    ],
)
def test_print_code_and_order(print_check: TextCheck, rows: tuple[str, ...], code: str, expiry: str, lot: str) -> None:
    found = evidence(print_check, package(rows, code))
    answers = {rule.check: judged(rule, found) for rule in (EXPIRY, LOT)}
    told = {check: one.compared.agreement.value for check, one in answers.items() if one.compared}
    assert told == {"expiry": expiry, "lot": lot}
    for one in answers.values():
        matched = one.compared is not None and one.compared.agreement is Agreement.MATCH
        assert (one.answer is Answer.GOOD) is matched
