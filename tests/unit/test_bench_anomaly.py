"""The accuracy bench on a small drawn set in each layout."""

import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console

from bench import accuracy
from bench.sets import Options, Show, anomaly, over_seeds
from edge.inspection.assembly import Sessions
from edge.settings import ROOT
from tests.unit.test_appearance import label

LAYOUTS = {
    "own split, with masks": ("train/good", "test/good", "test/scratched"),
    "own split": ("train/normal", "test/normal", "test/anomaly"),
    "no split": ("normal", "normal", "anomaly"),
}


def drawn_set(folder: Path, layout: str) -> Path:
    """Five sound labels to learn from, three more and three scratched ones to test."""
    learnt, sound, scratched = (folder / name for name in LAYOUTS[layout])
    for seed in range(11):
        place = learnt if seed < 5 else sound if seed < 8 else scratched
        place.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(place / f"{seed:03}.png"), label(seed, scratched=seed >= 8).image)
    if "masks" in layout:
        draw_masks(folder / "ground_truth" / "scratched")
    return folder


def draw_masks(folder: Path) -> None:
    folder.mkdir(parents=True)
    mask = cv2.line(np.zeros((240, 400), np.uint8), (320, 175), (385, 230), (255,), 8)
    for seed in range(8, 11):
        cv2.imwrite(str(folder / f"{seed:03}_mask.png"), mask)


@pytest.fixture(scope="module")
def options() -> Options:
    return Options(Sessions(ROOT / "models"), seeds=2)


@pytest.mark.parametrize("layout", ["own split, with masks", "no split"])
def test_each_layout_is_known_and_measured(layout: str, options: Options, tmp_path: Path) -> None:
    folder = drawn_set(tmp_path / "labels", layout)
    assert anomaly.fits(folder)
    assert len(anomaly.sound_pictures(folder)) == 8
    figures = anomaly.measure(folder, options, Show(Console(file=io.StringIO())))
    assert figures["image_auroc"] == 1.0
    assert ("intervals" in figures) is (layout == "no split")
    assert ("pro" in figures) is ("masks" in layout)
    if "masks" in layout:
        assert figures["pixel_auroc"] > 0.9
    assert set(figures["stages"]) == set(anomaly.STAGES)
    assert set(figures["few_shot_image_auroc"]["first"]) == {"1", "4"}
    json.dumps(figures)


def test_what_is_tested_was_not_learnt_from(tmp_path: Path) -> None:
    for layout in LAYOUTS:
        for split in anomaly._splits(drawn_set(tmp_path / layout, layout), seeds=3):
            assert not set(split.normals) & set(split.tested)
            assert not any(picture.bad for picture in split.normals)
            assert len(split.normals) + len(split.tested) == 11


def test_other_folders_are_left_out(tmp_path: Path, options: Options) -> None:
    (tmp_path / "strange" / "pictures").mkdir(parents=True)
    said = io.StringIO()
    assert accuracy.measure_all(tmp_path, None, options, Console(file=said)) == {}
    assert "strange: left out" in said.getvalue()


def test_interval_over_seeds() -> None:
    assert over_seeds([0.8, 0.9, 1.0]) == {"mean": 0.9, "low": 0.7868, "high": 1.0132, "seeds": 3}
