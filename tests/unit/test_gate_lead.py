"""What shots come to: known gates are found again, bounds are bounds, what will not do is refused with what to do."""

import math
import random
from dataclasses import replace
from statistics import NormalDist

import pytest

from edge.core.bodies import body
from edge.core.errors import CalibrationRefused
from edge.core.gate_lead import CONFIDENCE, COVERS, LEAST_TRIPS, bound, gate_lead, k_factor, rank, shot_of
from edge.core.messages import FireShot

SCALE, MARGIN_MM, SPEED = 10.0, 30.0, 500.0
PER_MS = SCALE * SPEED / 1000


def shot(number=0, travel_ms=60.0, early_ms=62.0, back_ms=80.0, trips_ms=(4.0,) * 24, **changes):
    opens = 10_000 * (number + 1)
    driven = opens - round(early_ms * PER_MS)
    closes = opens + 1500
    made = FireShot(
        "t", f"c-{number}", 0, opens, closes, SPEED, SPEED, "accepted", tuple(trips_ms),
        driven, driven + round(travel_ms * PER_MS), closes, closes + round(back_ms * PER_MS),
    )  # fmt: skip
    return replace(made, **changes)


def shots(count=20, seed=1, travel=(60.0, 1.0), early_ms=65.0, network=(3.0, 6.0), trips=24):
    chance = random.Random(seed)
    return [
        shot(n, chance.gauss(*travel), early_ms, trips_ms=[chance.uniform(*network) for _ in range(trips)])
        for n in range(count)
    ]


def test_a_known_gate_is_found_again():
    found = gate_lead(shots(), SCALE, MARGIN_MM)
    assert found.travel_mean_ms == pytest.approx(60, abs=0.6)
    assert found.travel_deviation_ms == pytest.approx(1, abs=0.4)
    assert found.travel_ms == pytest.approx(60 + 3.3, abs=1.2)
    assert found.back_mean_ms == pytest.approx(80, abs=0.1)
    assert 5.9 < found.network_ms <= 6.0
    assert found.network_usual_ms == pytest.approx(4.5, abs=0.2)
    assert found.early_ms == pytest.approx(65, abs=0.1)
    assert found.lead_ms == pytest.approx(65 + found.network_ms, abs=0.2)
    assert found.spread_ms == pytest.approx(found.lead_ms - 65 - found.network_usual_ms, abs=0.2)
    assert found.late_ms == 0
    assert (found.shots, found.trips) == (20, 480)


def test_a_plc_that_drives_the_gate_too_late_is_borne_within_the_margin():
    found = gate_lead(shots(travel=(60.0, 0.5), early_ms=20.0), SCALE, MARGIN_MM)
    assert 40 < found.late_ms < 43
    assert found.lead_ms == pytest.approx(found.travel_ms + found.network_ms, abs=0.01)


TABLE = [
    (shots(14), "14 shots of use, 15 are needed: fire more often"),
    ([], "0 shots of use"),
    (shots(20, trips=10), f"200 answers of the PLC, {LEAST_TRIPS} are needed: fire more often"),
    ([shot(n, status="late") for n in range(20)], "0 shots of use, 15 are needed: 20: the PLC answered 'late'"),
    ([shot(n, over_counts=None) for n in range(20)], "not seen on the divert side"),
    ([shot(n, ran_mm_per_s=540.0) for n in range(20)], "540 mm/s instead of the 500 that the PLC told"),
    ([shot(n, travel_ms=0.0) for n in range(20)], "the gate was on the divert side before it was driven"),
    (shots(travel=(120.0, 1.0), early_ms=20.0), "have the PLC drive it so much earlier"),
    ([shot(n, 60.0 + 12 * (n % 3), early_ms=100) for n in range(20)], "look at its air pressure"),
    (shots(network=(3.0, 150.0)), "look for what else loads the switch"),
]


@pytest.mark.parametrize(("given", "told"), TABLE, ids=[told[:30] for _, told in TABLE])
def test_what_will_not_do_is_refused(given, told):
    with pytest.raises(CalibrationRefused) as refusal:
        gate_lead(given, SCALE, MARGIN_MM)
    assert told in str(refusal.value)


def test_one_slow_answer_in_a_thousand_does_not_count_and_one_in_fifty_does():
    few, many = ([4.0] * 47 + [slow] for slow in (200.0, 40.0))
    calm = [shot(n, trips_ms=[4.0] * 48) for n in range(20)]
    assert gate_lead([*calm[1:], replace(calm[0], trips_ms=tuple(few))], SCALE, MARGIN_MM).network_ms == 4.0
    assert gate_lead([replace(one, trips_ms=tuple(many)) for one in calm], SCALE, MARGIN_MM).network_ms == 40.0


@pytest.mark.parametrize(("count", "exact"), [(15, 3.520), (20, 3.295), (30, 3.064), (50, 2.862), (100, 2.684)])
def test_the_factor_is_that_of_the_tables(count, exact):
    """Exact ones by the noncentral t, as in ISO 16269-6, table D (99 %, 95 %)."""
    assert k_factor(count) == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize("count", [1, 100, 298, 299, 472, 473, 912, 913, 4000])
def test_the_rank_is_the_smallest_tail_that_is_sure_enough(count):
    """Beside the binomial distribution, summed up plainly."""

    def tail(least):
        terms = (math.comb(count, k) * (1 - COVERS) ** k * COVERS ** (count - k) for k in range(least))
        return 1 - sum(terms)

    found = rank(count)
    assert found == 0 or tail(found) >= CONFIDENCE
    assert tail(found + 1) < CONFIDENCE


def test_a_bound_is_one_as_often_as_it_says():
    chance = random.Random(4)
    true = NormalDist(60, 2).inv_cdf(COVERS)
    held = sum(bound([chance.gauss(60, 2) for _ in range(20)]) >= true for _ in range(2000))
    assert 0.93 < held / 2000 < 0.97


def test_a_shot_comes_back_from_the_journal():
    one = shots(1)[0]
    assert shot_of({**body(one), "of_another_version": 1}) == one
