"""Serials of drawn packages, and lots and expiries where a file tells what a person read."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console

from bench.serials import measured
from edge.inspection.assembly import Sessions

MODELS = Path(__file__).parents[2] / "models"
SERIALS = ("0903950312389", "0903950312372")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pale labels on a dark belt."""
    (tmp_path / "intact" / "side").mkdir(parents=True)
    for serial in SERIALS:
        frame = np.full((540, 960, 3), 70, np.uint8)
        frame[120:320, 140:500] = 225
        for row, text in enumerate((f"SN: {serial}", "LOT: ZK120910-4T", "EXP: 12.2082")):
            place = (152, 170 + 50 * row)
            cv2.putText(frame, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.8, (30, 30, 30), 2)
        cv2.imwrite(str(tmp_path / "intact" / "side" / f"{serial}.jpg"), frame)
    return tmp_path


def test_the_name_of_a_picture_is_its_serial(folder: Path) -> None:
    found = measured(folder, Sessions(MODELS), Console(quiet=True))
    assert list(found) == ["packages", "packages: on their heads"]
    assert [(one["items"], one["accuracy"]) for one in found.values()] == [(2, 1.0), (2, 1.0)]
    assert 0 < found["packages"]["busy_p50_ms"] <= found["packages"]["busy_p95_ms"]


def test_what_no_person_could_read_does_not_count(folder: Path, tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text(f"name,lot,expiry\n{SERIALS[0]},ZK120910-4T,12.2082\n{SERIALS[1]},,12.2083\n")
    found = measured(folder, Sessions(MODELS), Console(quiet=True), truth)
    assert found["packages: lot, format"]["items"] == found["packages: lot, format"]["accuracy"] == 1
    assert (found["packages: expiry"]["items"], found["packages: expiry"]["valid_but_wrong"]) == (2, 0.5)
    assert found["packages: expiry"]["wrong"] == [f"{SERIALS[1]}: 2082-12-31 for 2083-12-31"]
