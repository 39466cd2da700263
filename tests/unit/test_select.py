"""Which way of running a model is taken."""

from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from rich.console import Console

from edge import select
from edge.core.errors import ModelRefused
from edge.inspection import runtime
from edge.inspection.runtime import CPU, SHIPPED, Runtime
from edge.inspection.session import newest, read_manifest
from edge.select import Trial, fastest, image_score, measure, probability

MODELS = Path(__file__).resolve().parents[2] / "models"
TWO = Runtime(threads=2)
QUIET = Console(quiet=True)


def trial(way: Runtime, ratio: float, difference: float) -> Trial:
    return Trial(way, np.ones(3, np.float32), ratio, difference, tolerance=0.03)


@pytest.mark.parametrize(
    ("ratio", "difference", "taken"),
    [
        (0.5, 0.0, TWO),
        (0.5, 0.03, TWO),
        (0.5, 0.031, SHIPPED),
        (0.5, float("nan"), SHIPPED),
        (0.94, 0.0, TWO),
        (0.96, 0.0, SHIPPED),
        (2.0, 0.0, SHIPPED),
    ],
)
def test_the_fastest_that_agrees_is_taken_where_it_gains_enough(
    ratio: float, difference: float, taken: Runtime
) -> None:
    assert fastest([trial(SHIPPED, 1.0, 0.0), trial(TWO, ratio, difference)]).runtime == taken


def test_a_fast_way_that_disagrees_does_not_hide_a_slower_one() -> None:
    ways = [trial(SHIPPED, 1.0, 0.0), trial(TWO, 0.3, 1.0), trial(Runtime(threads=4), 0.7, 0.0)]
    assert fastest(ways).runtime.threads == 4


def test_probabilities_differ_by_the_worst_of_all() -> None:
    before = [np.zeros((1, 4, 3), np.float32), np.zeros((1, 9, 3), np.float32)]
    after = [before[0] + np.float32(0.01), before[1].copy()]
    after[1][0, 3, 1] = 0.2
    assert probability(before, after) == pytest.approx(0.2)


def test_scores_differ_by_the_worst_item() -> None:
    chance = np.random.default_rng(3)
    shipped = [chance.standard_normal((1, 16, 8)).astype(np.float32) for _ in range(12)]
    assert image_score(shipped, shipped) == 0
    found = [one.copy() for one in shipped]
    found[-1] += np.float32(2)
    assert image_score(shipped, found) > 0.2


def test_the_float_backbone_keeps_the_tolerance_of_the_manifest() -> None:
    trials = measure(newest(MODELS, "backbone"), threads=1, runs=3, console=QUIET)
    assert [one.runtime.graph for one in trials if one.runtime.provider == CPU] == ["model.onnx", "model.fp32.onnx"]
    assert trials[0].runtime == SHIPPED
    assert (trials[0].ratio, trials[0].difference) == (1, 0)
    assert all(one.agrees for one in trials)


def test_a_model_that_states_no_tolerance_is_refused(tmp_path: Path) -> None:
    folder = copytree(newest(MODELS, "text-detector"), tmp_path / "1.0.0")
    manifest = folder / "manifest.toml"
    manifest.write_text(manifest.read_text().replace("[tolerance]", "[borne]"))
    with pytest.raises(ModelRefused, match="no tolerance"):
        measure(folder, threads=1, runs=1, console=QUIET)


@pytest.mark.parametrize("check", ["text-detector", "text-recogniser"])
def test_each_text_model_is_fed_with_what_it_takes(check: str) -> None:
    folder = newest(MODELS, check)
    batches = list(select.DRAWN[check](read_manifest(folder)))
    assert all(batch.dtype == np.float32 and batch.shape[:2] == (1, 3) for batch in batches)
    assert len(batches) >= 16


def test_the_command_writes_a_record_that_is_read_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(select, "DRAWN", {"text-detector": select.DRAWN["text-detector"]})
    path = tmp_path / "runtime.toml"
    assert select.main(["select", "--out", str(path), "--runs", "2", "--workers", "64"]) == 0
    assert list(runtime.read(path)) == [read_manifest(newest(MODELS, "text-detector")).sha256]
    assert "text-detector 1.0.0" in capsys.readouterr().out
