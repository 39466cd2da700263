"""Tesseract as a dissenter: it lowers a probability, and never gives a date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from edge.core.messages import Evidence, Sighting
from edge.inspection.crop import Crop, answer
from edge.inspection.tesseract import Dissenter, allowed, doubted, lacking
from tests.unit.prints import label, seen

TODAY = date(2026, 11, 25)
CORNERS = ((40.0, 60.0), (400.0, 60.0), (400.0, 104.0), (40.0, 104.0))


class Vouched:
    """A check with one answer."""

    def __init__(self, **evidence: object) -> None:
        self._evidence = {"reading": "2027-04-03", "probability": 0.9, "valid": True, "where": CORNERS} | evidence

    def inspect(self, crop: Crop, sighting: Sighting) -> Sequence[Evidence]:
        return [replace(answer("expiry", sighting, "read"), **self._evidence)]  # type: ignore[arg-type]


class Said:
    """Tesseract, as it were."""

    def __init__(self, text: str, sure: int = 90) -> None:
        self._said = text, sure

    def read(self, picture: object) -> tuple[str, int]:
        return self._said


def heard(check: Vouched, second: Said) -> Evidence:
    [one] = Dissenter(check, second, lambda: TODAY).inspect(*seen(label(("EXP 03.04.2027",))))
    return one


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        ("EXP 03.04.2027", 90),  # agrees
        ("EXP 04/03/2027", 90),  # may mean the same day
        ("EXP 03.09.2027", 59),  # not sure enough
        ("EXP 31.02.2027", 90),  # no date
        ("BEST BEFORE", 99),
        ("", 0),
    ],
)
def test_a_second_reader_without_an_objection_changes_nothing(text: str, sure: int) -> None:
    one = heard(Vouched(), Said(text, sure))
    assert (one.reading, one.probability, one.valid, one.because) == ("2027-04-03", 0.9, True, "read")


@pytest.mark.parametrize(("before", "stands"), [(0.999, True), (0.95, True), (0.85, False), (0.5, False)])
def test_another_sure_date_lowers_the_probability(before: float, stands: bool) -> None:
    one = heard(Vouched(probability=before), Said("EXP 08.04.2027"))
    assert one.probability is not None
    assert one.probability < before
    assert one.valid == stands
    assert one.reading == ("2027-04-03" if stands else None)
    assert 'Tesseract read "EXP 08.04.2027"' in one.because


def test_it_never_makes_evidence_valid_or_changes_other_answers() -> None:
    invalid = heard(Vouched(valid=False, reading=None), Said("EXP 03.04.2027"))
    assert not invalid.valid
    assert invalid.because == "read"
    lot = heard(Vouched(check="lot", reading="L1"), Said("EXP 03.04.2027"))
    assert (lot.valid, lot.probability) == (True, 0.9)


@pytest.mark.parametrize("before", np.linspace(0.01, 0.999, 7).tolist())
def test_the_lowered_probability_is_never_higher(before: float) -> None:
    _, sighting = seen(label(()))
    one = replace(answer("expiry", sighting, "read"), reading="x", probability=before, valid=True)
    assert 0.0 <= (doubted(one, "t").probability or 0.0) <= before


def test_a_date_of_another_calendar_is_no_dissent() -> None:
    assert date(2026, 3, 15) in allowed("15/03/69", TODAY)
    assert date(2026, 3, 15) in allowed("15/03/2569", TODAY)


def test_missing_languages_are_named_with_their_packages() -> None:
    assert lacking(()) == ""
    assert "tesseract-ocr-xx-yy (apt-get install)" in lacking({"xx_yy"})
