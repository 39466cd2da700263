"""The bench's figures of a set of products, on drawn ones."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from rich.console import Console

from bench.sets import Figures, Options, Show, identity
from edge.inspection.assembly import Sessions
from edge.settings import ROOT
from tests.unit.cartons import NAMES, carton, photograph


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three products, four photographs of each."""
    folder = tmp_path_factory.mktemp("groceries")
    (folder / "catalogue").mkdir()
    for gtin, name in NAMES.items():
        cv2.imwrite(str(folder / "catalogue" / f"{name}_Iconic.jpg"), carton(gtin))
        (folder / "seen" / name).mkdir(parents=True)
        for seed in range(4):
            cv2.imwrite(str(folder / "seen" / name / f"{seed}.jpg"), photograph(gtin, seed))
    return folder


@pytest.fixture(scope="module")
def figures(folder: Path) -> Figures:
    options = Options(Sessions(ROOT / "models"), seeds=2, pictures=folder / "drawn")
    return identity.measure(folder, options, Show(Console(quiet=True)))


def test_layout_is_known(folder: Path) -> None:
    assert identity.fits(folder)
    assert not identity.fits(folder / "seen")


def test_drawn_products_are_told_apart(figures: Figures) -> None:
    assert figures["products"] == 3
    assert figures["photographs"] == 12
    assert figures["auroc_0"] == 1
    assert figures["auroc_1"] > 0.95
    assert figures["shots_1"]["top1"]["seeds"] == 2
    assert all(pair["is"] != pair["taken_for"] for pair in figures["confused_1"])


def test_shots_that_leave_nothing_to_test_are_left_out(figures: Figures) -> None:
    assert "auroc_5" not in figures


def test_cost_is_told(figures: Figures) -> None:
    assert figures["check_ms"] > 0
    assert figures["bytes_a_picture"] == 32 * 152 * 2


def test_confused_pairs_are_drawn(figures: Figures, folder: Path) -> None:
    assert figures
    assert (folder / "drawn" / f"{folder.name}-confused-1.png").is_file()
