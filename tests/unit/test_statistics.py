"""The area under the ROC curve, where it can be reckoned by hand."""

import pytest

from edge.core.statistics import auroc


@pytest.mark.parametrize(
    ("good", "bad", "area"),
    [
        ([1, 2], [3, 4], 1.0),
        ([3, 4], [1, 2], 0.0),
        ([1, 1], [1, 1], 0.5),
        ([1, 3], [2, 4], 0.75),
        ([1], [1, 2], 0.75),
        ([], [1], None),
        ([1], [], None),
    ],
)
def test_area(good, bad, area):
    assert auroc(good, bad) == area
