"""What labels teach, measured: drawn items, and features of which the answer is known."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console

from bench.sets import Options, Show, labelled
from bench.sets.labelled import FUSED, Items
from edge.inspection.assembly import Sessions
from edge.inspection.references import Normal
from edge.settings import ROOT

VIEWS = ("side", "top")


def features_of(damaged: np.ndarray, shift: float, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(len(damaged), 8))
    rows[:, 0] += shift * damaged
    return rows.astype(np.float32)


def known(shift: float) -> Items:
    """40 sound and 40 damaged items; damage moves one of the features by `shift`."""
    damaged = np.arange(80) >= 40
    pooled = {view: features_of(damaged, shift, seed) for seed, view in enumerate(VIEWS)}
    shown = {view: [Normal(np.tile(row, (4, 1))) for row in rows] for view, rows in pooled.items()}
    return Items(damaged, shown, pooled, "m")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 items, drawn on a striped belt; half of them have a hole that the top view shows. One lacks a view."""
    root = tmp_path_factory.mktemp("cartons")
    for number in range(20):
        kind = "damaged" if number % 2 else "intact"
        for view in VIEWS:
            frame = np.random.default_rng(number).normal(120, 4, (180, 320, 3))
            frame[::6] = 60
            frame[50:120, 100:200] = (60, 160, 220)
            if kind == "damaged" and view == "top":
                frame[70:100, 130:170] = 20
            path = root / kind / view / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            if (number, view) != (14, "side"):
                cv2.imwrite(str(path), frame.clip(0, 255).astype(np.uint8))
    return root


def test_only_its_own_layout_fits(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "train" / "good").mkdir(parents=True)
    assert labelled.fits(folder)
    assert not labelled.fits(tmp_path)


def test_figures_of_a_drawn_set(folder: Path) -> None:
    show = Show(Console(quiet=True))
    figures = labelled.measure(folder, Options(Sessions(ROOT / "models"), seeds=2, pictures=None), show)
    assert (figures["intact"], figures["damaged"]) == (9, 10)  # an item that a view lacks does not count
    assert set(figures["unsupervised"]) == set(VIEWS)
    assert set(figures["supervised"]) == {"5"}  # more labels would leave nothing to test
    assert set(figures["supervised"]["5"]) == {*VIEWS, FUSED}
    assert figures["supervised"]["5"]["top"]["auroc"]["mean"] > 0.9
    assert figures["top_unsupervised_auroc"] > 0.9


def test_what_is_learnt_from_is_never_tested() -> None:
    """Labels that are pure chance teach nothing: tested on what was learnt, they would seem to."""
    areas = [labelled._judged(known(shift=0.0), 20, seed)[FUSED]["auroc"] for seed in range(20)]
    assert np.mean(areas) == pytest.approx(0.5, abs=0.1)


def test_two_views_tell_more_than_one() -> None:
    each = [labelled._judged(known(shift=1.2), 20, seed) for seed in range(10)]
    mean = {view: np.mean([one[view]["auroc"] for one in each]) for view in each[0]}
    assert mean[FUSED] > max(mean[view] for view in VIEWS)


def test_damage_is_unlike_the_usual() -> None:
    found = labelled._unlike(known(shift=8.0), seed=0)
    assert all(figures["auroc"] > 0.95 for figures in found.values())
