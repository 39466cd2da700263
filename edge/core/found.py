"""What one check found of an item at one camera, then or now, and what of it counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edge.core.grounds import Facts, Source
from edge.core.messages import Evidence

LOOKS = ("second_look", "anomaly")  # the first of them that vouched at a camera counts there
DAMAGE = frozenset({*LOOKS, "defect"})  # checks that would see damage


@dataclass(frozen=True, slots=True)
class Found:
    """What one check found of the item at one camera, then or now."""

    check: str
    camera: str
    score: float | None
    probability: float | None
    p_value: float | None
    because: str
    sources: tuple[Source, ...]

    @property
    def against(self) -> bool:
        """More unusual than any sound item, or more like the damaged ones than like the sound ones."""
        if self.check in LOOKS:
            return self.score is not None and not self.score < 1
        return self.check == "defect" and (self.probability or 0.0) >= 0.5


def decisive(found: Iterable[Found]) -> list[Found]:
    """What counts: where a second look vouched at a camera, the first one there no longer does."""
    found = list(found)
    second = {one.camera for one in found if one.check == LOOKS[0]}
    return [one for one in found if one.check != LOOKS[1] or one.camera not in second]


def found_then(facts: Facts) -> Iterator[Found]:
    """What vouched while the item was on the belt."""
    for one in facts.of("Evidence"):
        if one.body["valid"]:
            yield _of_body(one.body, (one.source,))


def _of_body(body: Mapping[str, Any], sources: tuple[Source, ...]) -> Found:
    score, probability, p_value = (body.get(name) for name in ("score", "probability", "p_value"))
    return Found(body["check"], body["camera"], score, probability, p_value, body["because"], sources)


def found_now(one: Evidence, sources: tuple[Source, ...]) -> Found:
    """What was found in pictures that are the sources."""
    return Found(one.check, one.camera, one.score, one.probability, one.p_value, one.because, sources)


def words_of(one: Found) -> str:
    """What was measured, beside what it is held against."""
    if one.check == "defect":
        return f"damaged with a probability of {one.probability or 0.0:.0%}, by the labelled items"
    if one.score is None:
        return one.because
    p_value = f", as unusual as {one.p_value:.1%} of sound items are" if one.p_value is not None else ""
    return f"{one.score:.2f} times as unusual as the most unusual sound item{p_value}"
