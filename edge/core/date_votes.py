"""Several looks at the same print weighed together: looks, frames or views of one item."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from edge.core.dates import DateReading

_Look = Mapping[date, DateReading]


def voted(looks: Iterable[Sequence[DateReading]]) -> tuple[DateReading, ...]:
    """Each date with the probability of all looks together, the likeliest first.

    The doubts of looks that agree multiply; what other print speaks for, on whichever look, stands against it. Two
    dates of the same characters (`03/04/26`), or beside each other on one line, do not speak against each other.
    """
    taken = [{one.day: one for one in look} for look in looks]
    believed = [
        _believed([look[day] for look in taken if day in look]) for day in {day for look in taken for day in look}
    ]
    weighed = [replace(one, probability=_share(one, believed, taken)) for one in believed]
    return tuple(sorted(weighed, key=lambda one: (-one.probability, one.day)))


def _believed(ones: Sequence[DateReading]) -> DateReading:
    """One day on several looks."""
    surest = max(ones, key=lambda one: one.probability)
    return replace(surest, probability=1 - math.prod(1 - one.probability for one in ones))


def _share(one: DateReading, others: Iterable[DateReading], looks: Iterable[_Look]) -> float:
    """Its probability beside that of the likeliest rival: together they are no more than 1."""
    looks = tuple(looks)
    rival = max((other.probability for other in others if _rivals(one, other, looks)), default=0.0)
    return one.probability / max(1.0, one.probability + rival)


def _rivals(one: DateReading, other: DateReading, looks: Iterable[_Look]) -> bool:
    """Whether only one of the two can be printed: no look believes in both."""
    both = [(look[one.day], look[other.day]) for look in looks if one.day in look and other.day in look]
    together = any(first.probability + second.probability > 1.0 for first, second in both)
    return printed(one) != printed(other) and not together


def printed(one: DateReading) -> str:
    """Letters and digits alone, capitals: marks and spaces are seldom sure."""
    return "".join(character for character in one.text.upper() if character.isalnum())
