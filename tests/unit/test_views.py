"""Frames and cameras that read one date: what they come to together, and before the judge."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.date_votes import together
from edge.core.judge import Answer, Finding, Rule, finding
from edge.core.messages import Evidence
from edge.core.views import weighed
from tests.unit.lane import EXPECTED, evidence, item

TODAY = date(2026, 6, 1)
DUE, EARLIER, LATER = "2027-03-12", "2027-03-02", "2027-03-19"  # DUE as EXPECTED has it
ONE, TWO = (Rule("expiry", cameras, required=True, agrees="expiry") for cameras in (("side",), ("side", "top")))


def read(*rivals: tuple[str, float], camera: str = "side", valid: bool = True, kind: str = "use_by") -> Evidence:
    return replace(
        evidence("expiry", camera, reading=rivals[0][0] if valid else None, source="print", valid=valid, kind=kind),
        rivals=rivals,
        probability=rivals[0][1],
    )


def doubted(*rivals: tuple[str, float], camera: str = "side", kind: str = "use_by") -> Evidence:
    return read(*rivals, camera=camera, valid=False, kind=kind)


def judged(rule: Rule, *found: Evidence) -> Finding:
    return finding(rule, item(expected=EXPECTED), found, TODAY)


@pytest.mark.parametrize(
    ("found", "answer", "because"),
    [
        ((doubted((DUE, 0.45)), doubted((DUE, 0.45))), Answer.GOOD, "2 looks together: 2027-03-12 (0.70)"),
        ((doubted((DUE, 0.45)), doubted((EARLIER, 0.45))), Answer.INVALID, f"{EARLIER} (0.45) or {DUE} (0.45)"),
        ((read((DUE, 0.6)), doubted((LATER, 0.45))), Answer.INVALID, f"{DUE} (0.57) or {LATER} (0.43)"),
        ((read((DUE, 0.99)), doubted((LATER, 0.1))), Answer.GOOD, f"together: {DUE} (0.91)"),
        ((doubted((EARLIER, 0.45)), doubted((EARLIER, 0.45))), Answer.BAD, "earlier than"),
        ((read((EARLIER, 0.55)), read((DUE, 0.99))), Answer.BAD, "earlier than"),  # once vouched for, it rejects
        ((doubted((DUE, 0.99)), doubted((DUE, 0.45))), Answer.INVALID, "expiry looked"),  # a line that was cut
        ((doubted((DUE, 0.45), kind=""), doubted((DUE, 0.45), kind="")), Answer.INVALID, "expiry looked"),  # no keyword
        ((doubted((DUE, 0.9), (LATER, 0.9)), doubted((DUE, 0.9), (LATER, 0.9))), Answer.INVALID, "or"),  # two orders
    ],
)
def test_frames_of_one_camera_are_weighed_together(found: tuple[Evidence, ...], answer: Answer, because: str) -> None:
    said = judged(ONE, *found)
    assert said.answer is answer
    assert because in said.because


@pytest.mark.parametrize(
    ("side", "top", "answer"),
    [
        (read((DUE, 0.9)), read((DUE, 0.6), camera="top"), Answer.GOOD),
        (read((DUE, 0.9)), read((LATER, 0.9), camera="top"), Answer.INVALID),  # each late enough, but not the same
        (read((DUE, 0.9)), doubted((DUE, 0.45), camera="top"), Answer.INVALID),  # every camera must vouch for it
    ],
)
def test_cameras_must_vouch_for_one_date(side: Evidence, top: Evidence, answer: Answer) -> None:
    assert judged(TWO, side, top).answer is answer


def test_a_code_is_weighed_with_no_print() -> None:
    code = evidence("expiry", "side", reading=DUE, source="code", rivals=((DUE, 1.0),))
    assert weighed([code, read((DUE, 0.6))]) == [code, read((DUE, 0.6))]


@given(st.lists(st.dictionaries(st.dates(date(2027, 1, 1), date(2027, 1, 3)), st.floats(0, 1)), min_size=1, max_size=4))
def test_rivals_are_together_no_more_than_certain(looks: list[dict[date, float]]) -> None:
    shares = together(looks)
    assert all(0 <= share <= 1 for share in shares.values())
    both = {one for look in looks for one in look for other in look if one != other and look[one] + look[other] > 1}
    alone = sorted((share for day, share in shares.items() if day not in both), reverse=True)
    assert sum(alone[:2]) <= 1 + 1e-9
