"""What an overkill rate costs is measured on normal items that had no part in the promise."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.normals import drawn_normals
from calibration.overkill import costs
from calibration.threshold_step import ThresholdStep
from edge.core.errors import CalibrationRefused

LOT = np.random.default_rng(3)


def scores(count: int, odd: int = 0) -> np.ndarray:
    return np.concatenate((np.sort(np.exp(LOT.normal(0, 0.25, count))), np.full(odd, np.inf)))


def test_what_is_promised_is_kept_where_normals_are_enough() -> None:
    for cost in costs({"top": {"1": scores(2000), "2": scores(2000)}}, [0.005, 0.01, 0.05]):
        assert cost.judged == cost.of == 2
        assert cost.low <= cost.asked
        assert cost.measured == pytest.approx(cost.asked, rel=0.3)


def test_cameras_share_the_rate() -> None:
    one, *_ = costs({"top": {"1": scores(3000)}, "side": {"1": scores(3000)}}, [0.02])
    assert one.measured == pytest.approx(0.02, rel=0.3)
    assert one.needed == 99


@pytest.mark.parametrize(("count", "odd", "judged"), [(60, 0, 0), (150, 0, 1), (150, 5, 0)])
def test_too_few_normals_promise_nothing(count: int, odd: int, judged: int) -> None:
    one, *_ = costs({"top": {"1": scores(count, odd)}}, [0.01])
    assert (one.judged, one.needed) == (judged, 99)


def test_a_pool_of_other_products_lends_its_tail() -> None:
    one, *_ = costs({"top": {f"{n}": scores(40) for n in range(25)}}, [0.01])
    assert one.judged == 25
    assert one.measured < 0.025


def test_a_technician_sees_what_rates_cost_and_chooses_one() -> None:
    step = ThresholdStep(drawn_normals(1), "overkill")
    question = step.asks()
    assert question is not None
    assert all(words in question.words for words in ("0.10%", "1.00%", "measured"))
    with pytest.raises(CalibrationRefused, match=r"no number from 0\.05 to 50"):
        step.enter({"overkill_percent": "none"})
    assert "measured" in step.enter({"overkill_percent": "1"})
    assert step.asks() is None
    found = step.found()
    assert found.values == {"overkill.anomaly": 0.01}
    assert found.quality["measured_low_percent"] <= 1 <= 2 * found.quality["measured_high_percent"]
    assert found.picture.shape[2] == 3


def test_what_nobody_can_promise_is_refused() -> None:
    step = ThresholdStep({"top": {"1": scores(20)}}, "overkill")
    question = step.asks()
    assert question is not None
    assert "nothing can be promised; it takes 99 normal pictures" in question.words
    with pytest.raises(CalibrationRefused, match=r"no product has enough normal pictures to promise 1\.00%: 99 of one"):
        step.enter({"overkill_percent": "1"})
    assert step.asks() is not None


def test_a_rule_that_rejects_by_score_gets_the_score() -> None:
    normals = {"top": {"1": np.linspace(0.01, 2, 200)}}
    step = ThresholdStep(normals, "reject_at")
    step.enter({"overkill_percent": "5"})
    assert step.found().values == {"reject_at.anomaly": pytest.approx(0.955)}
