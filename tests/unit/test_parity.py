"""Two releases' models beside one another: the same, another one, and one that answers otherwise."""

import numpy as np
import pytest

from edge.core.errors import ModelRefused, ReferencesRefused
from edge.parity import answers, compare, main
from edge.settings import ROOT


@pytest.fixture(scope="module")
def kept():
    return dict(answers(ROOT / "models"))


def test_a_release_answers_like_itself(kept):
    told = compare(kept, ROOT / "models")
    assert len(told) == 5
    assert all("differs by 0.0000" in line for line in told)


def test_what_differs_is_named_with_by_how_much(kept):
    otherwise = {name: one * np.float32(1.5) if name.endswith(".said") else one for name, one in kept.items()}
    with pytest.raises(ModelRefused, match=r"backbone: differs by 0\.\d+ \(at most 0\.03\); second-stage: differs by"):
        compare(otherwise, ROOT / "models")


def test_another_model_is_not_compared():
    assert compare({}, ROOT / "models") == [f"{check}: another model, not compared" for check in
        ("backbone", "second-stage", "text-detector", "text-recogniser", "text-recogniser-small")]  # fmt: skip


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "kept.npz").write_bytes(b"damaged")
    with pytest.raises(ReferencesRefused, match="cannot be read"):
        main(["compare", str(tmp_path / "kept.npz")])
