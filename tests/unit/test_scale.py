"""The belt's scale is watched by the eyes: drift is told at half of the tolerance, chance is not."""

import math

import numpy as np
import pytest

from edge.core.calibrated import BELT_SCALE, Calibrated
from edge.core.in_force import Standing
from edge.core.messages import End, ItemEnd, ScaleLearnt
from edge.core.scale import LEARNT, Scale
from tests.unit.lane import item
from tests.unit.test_in_force import LAID, accepted

WAY = 17_500  # counts
LIMIT = 0.001


def left(scale, ways, of="belt.top 1", **end):
    """What is learnt while items leave, each after so many counts."""
    items = {"i-1": item(at_counts=1000)}
    said = {"eye": "exit", "end": End.PASSED} | end
    ends = [ItemEnd("i-1", said["end"], 1000 + round(way), 0, said["eye"]) for way in ways]
    return [one for end in ends for one in scale.update(of, [end], items, 7)]


def noisy(count, share=0.0, spread=0.0005, seed=0):
    return WAY * (1 + share + np.random.default_rng(seed).normal(0, spread, count))


def test_the_first_items_tell_how_far_it_is():
    scale = Scale(LIMIT)
    assert left(scale, noisy(LEARNT - 1)) == []
    assert math.isnan(scale.off)
    (learnt,) = left(scale, [WAY * 2])  # one that was carried
    assert learnt.of == "belt.top 1"
    assert learnt.counts == pytest.approx(WAY, rel=2e-4)
    assert learnt.spread == pytest.approx(0.0005, rel=0.2)


@pytest.mark.parametrize(
    ("share", "spread", "told"),
    [
        (0.0, 0.0005, False),
        (0.0007, 0.0005, False),
        (0.0015, 0.0005, True),
        (-0.0015, 0.0005, True),
        (0.0015, 0.0, True),
        (0.03, 0.0, True),
        (0.0015, 0.006, False),  # so much noise that it may be chance
    ],
)
def test_drift_is_told_where_it_is_more_than_the_limit_and_than_chance(share, spread, told):
    scale = Scale(LIMIT)
    left(scale, noisy(LEARNT, spread=spread))
    left(scale, noisy(400, share, spread, seed=1))
    assert bool(scale.trouble) is told, scale.off
    assert not told or f"{scale.off:+.0%}"[0] in scale.trouble


def test_what_is_well_again_is_no_longer_told_and_a_new_calibration_begins_anew():
    scale = Scale(LIMIT)
    left(scale, noisy(LEARNT))
    left(scale, noisy(300, 0.002))
    assert "do the step `belt` anew" in scale.trouble
    left(scale, noisy(400, 0.0))
    assert scale.trouble == ""
    left(scale, noisy(300, 0.002))
    (learnt,) = left(scale, noisy(LEARNT, 0.002), of="belt.top 2")
    assert scale.trouble == ""
    assert learnt.counts == pytest.approx(WAY * 1.002, rel=2e-4)


def test_what_an_earlier_life_learnt_is_gone_by_for_the_same_calibration():
    learnt = ScaleLearnt("belt.top 1", WAY * 0.998, 0.0005, 0.004, 1)
    scale = Scale(LIMIT, learnt)
    assert left(scale, noisy(200)) == []
    assert "+0.1" in scale.trouble or "+0.2" in scale.trouble
    assert left(Scale(LIMIT, learnt), noisy(LEARNT), of="belt.top 2") != []


@pytest.mark.parametrize("end", [{"eye": "confirm"}, {"eye": ""}])
def test_only_what_the_exit_eye_saw_counts(end):
    assert left(Scale(LIMIT), noisy(LEARNT), **end) == []


def test_without_a_calibration_nobody_watches():
    assert left(Scale(LIMIT), noisy(LEARNT), of="") == []


def test_it_is_said_with_the_calibrations_and_remembered():
    good = {"belt.top": accepted(1)}
    calibrated = Calibrated(LAID, good)
    calibrated.hear(Standing(good), ())
    calibrated.news(0)
    items = {"i-1": item(at_counts=1000)}
    for way in (*noisy(LEARNT), *noisy(300, 0.002)):
        calibrated.see([ItemEnd("i-1", End.PASSED, 1000 + round(way), 0, "exit")], items, 7)
    (learnt,) = calibrated.news(1)
    assert isinstance(learnt, ScaleLearnt)
    assert "do the step `belt` anew" in calibrated.hear(Standing(good), ()).troubles[BELT_SCALE]


def test_items_of_which_many_slip_far_are_no_drift():
    chance = np.random.default_rng(3)
    slips = (chance.random(3000) < 0.3) * 300.0
    scale = Scale(LIMIT)
    left(scale, WAY + slips)
    assert scale.trouble == ""
    assert abs(scale.off) < LIMIT / 2
