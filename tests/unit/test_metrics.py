"""Measures of how well scores tell good from bad."""

import pytest

from bench.metrics import auroc


@pytest.mark.parametrize(
    ("scores", "bad", "area"),
    [
        ([1, 2, 3, 4], [0, 0, 1, 1], 1.0),
        ([4, 3, 2, 1], [0, 0, 1, 1], 0.0),
        ([1, 1, 1, 1], [0, 1, 0, 1], 0.5),
        ([1, 3, 2, 4], [0, 0, 1, 1], 0.75),
    ],
)
def test_area(scores: list[float], bad: list[int], area: float) -> None:
    assert auroc(scores, bad) == area


@pytest.mark.parametrize("bad", [[0, 0], [1, 1], []])
def test_one_kind_alone_has_no_area(bad: list[int]) -> None:
    with pytest.raises(ValueError, match="good items and bad"):
        auroc(range(len(bad)), bad)
