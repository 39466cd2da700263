"""Which calibrations a lane believes, and which not and why: decided from its shelf, for this lane, now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from types import MappingProxyType

from edge.core.calibration import Calibration, elsewhere

AGREE = 0.005  # share by which two cameras' word on the belt may differ: what is in force is within 0.2 %
NEVER_SEEN: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Use:
    """What a value goes before, and how far from it is still plausible: a share of it, and so much besides."""

    setting: str  # as the settings have it; {subject}: the camera
    share: float
    besides: float  # in the setting's unit
    positive: bool = True

    def apart(self, settings: float) -> float:
        """How far the value may lie from what the settings say."""
        return self.share * abs(settings) + self.besides


USES: Mapping[tuple[str, str], Use] = {
    ("belt", "counts_per_mm"): Use("belt.counts_per_mm", 0.05, 0.0),
    ("belt", "place_mm"): Use("camera.{subject}.place_mm", 0.0, 100.0),
    ("gate", "lead_ms"): Use("belt.lead_ms", 1.0, 100.0),
    ("thresholds", "reject_at.*"): Use("rule.*.reject_at", 1.0, 5.0, positive=False),
    ("thresholds", "overkill.*"): Use("rule.*.overkill", 1.0, 0.05),
}
"""Step and value → what the loop goes by instead of the settings; `*` stands for the rest of the name."""

SHELF = "shelf"  # in place of a name, where not even the names are known
BEARING = frozenset(step for step, _ in USES) | {SHELF}  # steps that decisions rest on
AT_THE_START = frozenset({"totes"})  # steps that are read once


@dataclass(frozen=True, slots=True)
class Accepted:
    """A calibration that is believed."""

    version: int
    made: str  # ISO 8601: of two that say the same, the later one counts
    numbers: Mapping[str, float] = field(default_factory=dict)  # as the settings name them → the value


InForce = Mapping[str, Accepted]
"""By name: `belt.top` and so on."""

NONE: InForce = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Standing:
    """What a shelf comes to just now."""

    good: Mapping[str, Accepted] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)  # name → why, and what to do
    warned: Mapping[str, str] = field(default_factory=dict)  # name → what will not do for long, and what to do


UNCALIBRATED = Standing()


@dataclass(frozen=True, slots=True)
class Here:
    """Where the calibrations are to hold."""

    lane: str
    serials: Mapping[str, str]  # camera → what it is called by in the settings; empty: not known
    settings: Mapping[str, float]  # what the settings say of all that a calibration may go before
    warned: timedelta = timedelta(days=14)  # before its end
    grace: timedelta = timedelta(days=7)  # behind its end


def standing(
    found: Mapping[str, Calibration | str], here: Here, now: datetime, seen: Mapping[str, int] = NEVER_SEEN
) -> Standing:
    """What of a shelf is believed here and now.

    found: name → the newest version, or why it cannot be read. seen: the newest version of each that was ever believed:
    an older one in its place, or none, is no calibration but a loss.
    """
    found = {**found, **{name: _gone(version) for name, version in seen.items() if name not in found}}
    refused = {name: why for name, one in found.items() if (why := "; ".join(_faults(one, here, now, seen)))}
    good = {name: one for name, one in found.items() if name not in refused and isinstance(one, Calibration)}
    warned = {name: why for name, one in good.items() if (why := _ageing(one, here, now))}
    accepted = {name: _accepted(one) for name, one in good.items()}
    return Standing(accepted, refused, warned | dict(_disagreeing(accepted)))


def numbers(in_force: InForce) -> dict[str, float]:
    """All that goes before the settings; of two that say the same, the later one counts."""
    ordered = sorted(in_force.values(), key=lambda one: one.made)
    return {name: value for one in ordered for name, value in one.numbers.items()}


def bears(name: str) -> bool:
    """Whether decisions rest on a calibration of this name."""
    return name.partition(".")[0] in BEARING


def _faults(one: Calibration | str, here: Here, now: datetime, seen: Mapping[str, int]) -> Iterator[str]:
    """Why it is not believed."""
    if isinstance(one, str):
        yield one
        return
    yield from elsewhere(one, here.lane, here.serials.get(one.subject, ""), now)
    if now >= one.until + here.grace:
        yield f"it has expired on {one.until:%Y-%m-%d}: calibrate anew"
    if one.version < seen.get(one.name, 0):
        yield _gone(seen[one.name])
    for use, name, value in _said(one):
        yield from _implausible(use, name, value, here)


def _accepted(one: Calibration) -> Accepted:
    return Accepted(one.version, one.made.isoformat(), {name: value for _, name, value in _said(one)})


def _gone(version: int) -> str:
    return f"version {version} was in force, and is gone: restore it, or calibrate anew"


def _ageing(one: Calibration, here: Here, now: datetime) -> str:
    if now >= one.until:
        ends = one.until + here.grace
        return f"it has expired on {one.until:%Y-%m-%d}: calibrate anew; from {ends:%Y-%m-%d} on no start believes it"
    if now >= one.until - here.warned:
        return f"it expires on {one.until:%Y-%m-%d}: calibrate anew before"
    return ""


def _said(one: Calibration) -> Iterator[tuple[Use, str, float]]:
    """What it says of settings: by which row, name, value."""
    for name, value in one.values.items():
        if isinstance(value, int | float) and (found := _row(one.step, name)):
            use, rest = found
            yield use, use.setting.format(subject=one.subject).replace("*", rest), float(value)


def _row(step: str, name: str) -> tuple[Use, str] | None:
    """The row for a value, and what its `*` stands for."""
    for (of_step, pattern), use in USES.items():
        stem = pattern.removesuffix("*")
        if step == of_step and (name == pattern or (stem != pattern and name.startswith(stem))):
            return use, name.removeprefix(stem)
    return None


def _implausible(use: Use, name: str, value: float, here: Here) -> Iterator[str]:
    known = here.settings.get(name)
    if known is None:
        yield f"it says {name} = {value:g}, of which the settings know nothing: name it there, or calibrate anew"
    elif abs(value - known) > use.apart(known) or (value <= 0 and use.positive):
        yield f"it says {name} = {value:g}, the settings {known:g}: one is wrong; mend the settings or calibrate anew"


def _disagreeing(accepted: Mapping[str, Accepted]) -> Iterator[tuple[str, str]]:
    """Calibrations that say the same thing of the lane, and not alike."""
    for setting in sorted({name for one in accepted.values() for name in one.numbers}):
        yield from _apart(setting, [(name, one) for name, one in accepted.items() if setting in one.numbers])


def _apart(setting: str, said: Iterable[tuple[str, Accepted]]) -> Iterator[tuple[str, str]]:
    by_age = sorted(said, key=lambda one: one[1].made)
    for (older, one), (_, other) in pairwise(by_age):
        here, there = one.numbers[setting], other.numbers[setting]
        if abs(here - there) > AGREE * abs(there):
            yield older, f"{setting} = {here:g} by it, {there:g} by a later one, which counts: do {older} anew"
