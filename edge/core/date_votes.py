"""Several looks at the same print weighed together: looks, frames or views of one item."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import chain

from edge.core.date_forms import Order
from edge.core.dates import DateReading

VOUCH_FROM = 0.5  # below this it is likelier that something else is printed
RIVAL_SHARE = 0.2  # of the likeliest date: another that is as likely as this stands against it

_Look = Mapping[date, float]


def voted(looks: Iterable[Sequence[DateReading]]) -> tuple[DateReading, ...]:
    """Each date with the probability of all looks together, the likeliest first, as `together` has it.

    Two dates of the same characters (`03/04/26`) do not speak against each other.
    """
    taken = [{one.day: one for one in look} for look in looks]
    surest = {one.day: one for one in sorted(chain.from_iterable(look.values() for look in taken), key=_probability)}
    shares = together(
        [{day: one.probability for day, one in look.items()} for look in taken],
        lambda one, other: printed(surest[one]) != printed(surest[other]),
    )
    weighed = [replace(surest[day], probability=share) for day, share in shares.items()]
    return tuple(sorted(weighed, key=lambda one: (-one.probability, one.day)))


def together(looks: Sequence[_Look], apart: Callable[[date, date], bool] = date.__ne__) -> dict[date, float]:
    """The probability of each date by all looks at one print.

    The doubts of looks that agree multiply; what other print speaks for, on whichever look, stands against it. Two
    dates beside each other on one line, in which one look believes, do not speak against each other.

    apart: whether two dates cannot be the same print.
    """
    days = {day for look in looks for day in look}
    belief = {day: 1 - math.prod(1 - look.get(day, 0.0) for look in looks) for day in days}

    def rival(day: date) -> float:
        return max((belief[one] for one in days if apart(day, one) and not _beside(day, one, looks)), default=0.0)

    return {day: belief[day] / max(1.0, belief[day] + rival(day)) for day in days}


def _probability(one: DateReading) -> float:
    return one.probability


def _beside(one: date, other: date, looks: Iterable[_Look]) -> bool:
    """Whether both are printed: one look believes in both."""
    return any(look.get(one, 0.0) + look.get(other, 0.0) > 1.0 for look in looks)


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
