"""Several looks at the same print weighed together: looks, frames or views of one item."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from edge.core.date_forms import Order
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


def latest(dates: Iterable[DateReading]) -> tuple[DateReading, ...]:
    """The later of the dates of one product, in each of the orders that may be its own, the earliest day first.

    One product prints its dates in one order: of those that its prints allow, one that more of them allow counts.
    None where it depends on the order which of them is the later: `21.01.26` and `21.06.25`.
    """
    prints: defaultdict[str, list[DateReading]] = defaultdict(list)
    for one in dates:
        prints[printed(one)].append(one)
    orders = _likely_orders(prints.values())
    meant = [{name: _in_order(order, ones) for name, ones in prints.items()} for order in orders]
    last = {max(days, key=lambda name: max(one.day for one in days[name])) for days in meant}
    if len(last) != 1:
        return ()
    found = {one.day: one for days in meant for one in days[min(last)]}
    return tuple(found[day] for day in sorted(found))


def _likely_orders(prints: Collection[Sequence[DateReading]]) -> list[Order]:
    """The orders in which most prints can be read."""
    read = {order: sum(any(one.order is order for one in ones) for ones in prints) for order in Order}
    return [order for order in Order if read[order] == max(read.values())] if prints else []


def _in_order(order: Order, ones: Sequence[DateReading]) -> Sequence[DateReading]:
    """One print's readings in this order; all, where it cannot be read in that."""
    return [one for one in ones if one.order is order] or ones


def printed(one: DateReading) -> str:
    """Letters and digits alone, capitals: marks and spaces are seldom sure."""
    return "".join(character for character in one.text.upper() if character.isalnum())
