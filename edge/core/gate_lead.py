"""How long before its window the gate must be told: from the shots of a fire test, with a bound for what is rare.

Lead = gate's share + network's share; each is an upper tolerance limit: at least COVERS of all shots need no more, with
CONFIDENCE. The gate's share is by how much the PLC drives the gate ahead of a window (the same each time, but for its
scan: the most that was seen), for it refuses what comes later; or the gate's own time, where that is longer. The gate's
times are taken for normal (mean + k · standard deviation, k after Natrella 1963, as in the NIST/SEMATECH handbook,
7.2.6.3); the network's are not normal, so theirs is the r-th largest of n trips, which is such a limit for any
distribution if r or more of n exceed the true one with CONFIDENCE (Wilks 1941; the 1st of 299, the 2nd of 473, the 5th
of 913).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import NormalDist, fmean, median, stdev
from typing import Any

from edge.core.errors import CalibrationRefused
from edge.core.messages import FireShot
from edge.core.shot import fault_of

MS_PER_S = 1000
COVERS, CONFIDENCE = 0.99, 0.95
LEAST_SHOTS = 15
LEAST_TRIPS = math.ceil(math.log(1 - CONFIDENCE) / math.log(COVERS))
UNEVEN = 0.05  # share by which a belt may run faster or slower than the PLC says
GATE_SPREAD_MS, NETWORK_SPREAD_MS = 25.0, 60.0  # between the usual and the bound: more is for a person to mend


@dataclass(frozen=True, slots=True)
class GateLead:
    """What a fire test came to; bounds are upper tolerance limits."""

    lead_ms: float  # bound: the gate's and the network's
    spread_ms: float  # by which that is more than what is usual
    travel_ms: float  # bound: from when the PLC drives the gate until it stands on the divert side
    network_ms: float  # bound: an order's trip, as `FireShot.trips_ms`
    travel_mean_ms: float
    travel_deviation_ms: float
    back_mean_ms: float  # from when the PLC drives it back until it stands on the pass side
    network_usual_ms: float  # the median
    early_ms: float  # the most: so long before a window the PLC drives the gate
    late_ms: float  # the worst: so long after a window's begin the gate stood there; 0: never after it
    shots: int
    trips: int


def gate_lead(shots: Sequence[FireShot], counts_per_mm: float, margin_mm: float) -> GateLead:
    """What the shots of one test come to.

    margin_mm: by which a window is longer than its item, at each end: an item is that far off when its window begins.

    Raises:
        CalibrationRefused: too few of use, or too different from each other; with what to do.
    """
    whole = _whole(shots)
    trips_ms = sorted(trip for shot in whole for trip in shot.trips_ms)
    if len(trips_ms) < LEAST_TRIPS:
        raise CalibrationRefused(f"{len(trips_ms)} answers of the PLC, {LEAST_TRIPS} are needed: fire more often")
    _demand_in_time(whole, counts_per_mm, margin_mm)
    found = _reckoned(whole, trips_ms, counts_per_mm)
    _demand_even(found)
    return found


def _reckoned(whole: Sequence[FireShot], trips_ms: Sequence[float], counts_per_mm: float) -> GateLead:
    early_ms = max(_ms(shot, _set_off(shot), shot.open_counts, counts_per_mm) for shot in whole)
    travels_ms = [_ms(shot, _set_off(shot), _over(shot), counts_per_mm) for shot in whole]
    network_ms, usual_ms = trips_ms[-rank(len(trips_ms))], median(trips_ms)
    lead_ms = max(early_ms, bound(travels_ms)) + network_ms
    return GateLead(
        lead_ms=lead_ms,
        spread_ms=lead_ms - max(early_ms, fmean(travels_ms)) - usual_ms,
        travel_ms=bound(travels_ms),
        network_ms=network_ms,
        travel_mean_ms=fmean(travels_ms),
        travel_deviation_ms=stdev(travels_ms),
        back_mean_ms=fmean(_ms(one, one.released_counts or 0, one.back_counts or 0, counts_per_mm) for one in whole),
        network_usual_ms=usual_ms,
        early_ms=early_ms,
        late_ms=max(0.0, *(_ms(shot, shot.open_counts, _over(shot), counts_per_mm) for shot in whole)),
        shots=len(whole),
        trips=len(trips_ms),
    )


def bound(values: Sequence[float]) -> float:
    """Upper tolerance limit of what is normal, from two values on."""
    return fmean(values) + k_factor(len(values)) * stdev(values)


def k_factor(count: int) -> float:
    """One-sided tolerance factor for so many values (from three on), to within 2 % of the exact one from 15 on."""
    share, sure = NormalDist().inv_cdf(COVERS), NormalDist().inv_cdf(CONFIDENCE)
    a = 1 - sure**2 / (2 * (count - 1))
    b = share**2 - sure**2 / count
    return (share + math.sqrt(share**2 - a * b)) / a


def rank(count: int) -> int:
    """Which of so many values, the largest being the first, is an upper tolerance limit; 0: none."""
    found, less, likely = 0, 0.0, COVERS**count  # less: how likely it is that `found` or fewer exceed the share
    while less + likely <= 1 - CONFIDENCE:
        less += likely
        likely *= (count - found) / (found + 1) * (1 - COVERS) / COVERS
        found += 1
    return found


def shot_of(body: Mapping[str, Any]) -> FireShot:
    """A shot as the journal holds it; keys of another version are left out."""
    known = {one.name for one in fields(FireShot)}
    kept = {name: value for name, value in body.items() if name in known}
    return FireShot(**{**kept, "trips_ms": tuple(body["trips_ms"])})


def _whole(shots: Sequence[FireShot]) -> list[FireShot]:
    faults = Counter(_fault(shot) for shot in shots)
    whole = [shot for shot in shots if not _fault(shot)]
    if len(whole) < LEAST_SHOTS:
        told = "; ".join(f"{times}: {fault}" for fault, times in faults.most_common() if fault)
        raise CalibrationRefused(
            f"{len(whole)} shots of use, {LEAST_SHOTS} are needed: " + (told or "fire more often, --times 50")
        )
    return whole


def _fault(shot: FireShot) -> str:
    if fault := fault_of(shot):
        return fault
    if abs(shot.ran_mm_per_s - shot.told_mm_per_s) > UNEVEN * shot.told_mm_per_s:
        ran = f"{shot.ran_mm_per_s:.0f} mm/s instead of the {shot.told_mm_per_s:.0f} that the PLC told"
        return f"the belt ran at {ran}: fire while it runs evenly, or mend the speed in `belt`"
    return (
        "" if _set_off(shot) < _over(shot) else "the gate was on the divert side before it was driven: mend its switch"
    )


def _demand_in_time(whole: Sequence[FireShot], counts_per_mm: float, margin_mm: float) -> None:
    late_mm = max((_over(shot) - shot.open_counts) / counts_per_mm for shot in whole)
    if late_mm > margin_mm:
        late_ms = max(_ms(shot, shot.open_counts, _over(shot), counts_per_mm) for shot in whole)
        raise CalibrationRefused(
            f"the gate was on the divert side up to {late_ms:.0f} ms after its window had begun ({late_mm:.0f} mm, an "
            f"item is at it after {margin_mm:g}): have the PLC drive it so much earlier, then fire again"
        )


def _demand_even(found: GateLead) -> None:
    if (spread_ms := found.travel_ms - found.travel_mean_ms) > GATE_SPREAD_MS:
        raise CalibrationRefused(
            f"the gate's time differs by {spread_ms:.0f} ms from shot to shot: look at its air pressure and bearings"
        )
    if (spread_ms := found.network_ms - found.network_usual_ms) > NETWORK_SPREAD_MS:
        raise CalibrationRefused(
            f"an answer took {found.network_ms:.0f} ms where {found.network_usual_ms:.0f} are usual: "
            "look for what else loads the switch, the broker or this box, then fire again"
        )


def _set_off(shot: FireShot) -> int:
    return shot.driven_counts or 0


def _over(shot: FireShot) -> int:
    return shot.over_counts or 0


def _ms(shot: FireShot, first: int, last: int, counts_per_mm: float) -> float:
    """What the belt needs from one count to another."""
    return (last - first) / counts_per_mm / shot.told_mm_per_s * MS_PER_S
