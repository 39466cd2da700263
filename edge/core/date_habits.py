"""How a product writes its dates, as far as a handful of prints settles it; what they leave open is for a person."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from edge.core.date_forms import Extra, Order
from edge.core.dates import DateReading, Granularity, Profile, Purpose, segment_readings
from edge.core.labels import Field, Segment

SUPPORT = 0.6  # of the prints: so many must bear an order out; the others may be misread


@dataclass(frozen=True, slots=True)
class Habit:
    """What the prints say of how dates are written."""

    orders: tuple[Order, ...]  # that explain the prints
    contested: tuple[str, ...]  # prints that these orders read as different days
    granularity: Granularity
    extra: Extra | None  # the form that is read only because a product's layout allows it

    @property
    def form(self) -> str:
        """The way to write, in a word."""
        return self.extra.value if self.extra else self.granularity.value


def habit(prints: Sequence[Segment], today: date, profile: Profile) -> Habit | None:
    """The orders, among the profile's, that read the prints of one date on several items; None: no date in them.

    A day above the twelfth on one of them speaks for all of them. Forms that only an extra reads are looked for where
    no other form explains most of the prints.
    """
    for extra in (None, *Extra):
        allowed = replace(profile, extras=(extra,) if extra else ())
        orders = _supported(prints, today, allowed)
        if orders:
            return _habit(prints, today, replace(allowed, orders=orders), extra)
    return None


def _supported(prints: Sequence[Segment], today: date, profile: Profile) -> tuple[Order, ...]:
    """The orders that read most prints as a date; those that read fewer than the best are out."""
    read = {order: sum(1 for one in prints if _days(one, today, replace(profile, orders={order}))) for order in Order}
    most = max((read[order] for order in profile.orders), default=0)
    if most < SUPPORT * len(prints) or not most:
        return ()
    return tuple(order for order in Order if order in profile.orders and read[order] == most)


def _habit(prints: Sequence[Segment], today: date, profile: Profile, extra: Extra | None) -> Habit:
    found = [(one, _days(one, today, profile)) for one in prints]
    contested = tuple(one.value for one, days in found if len({reading.day for reading in days}) > 1)
    exact = [reading.granularity for _, days in found for reading in days]
    granularity = max(Granularity, key=exact.count)
    return Habit(tuple(profile.orders), contested, granularity, extra)


def _days(print_: Segment, today: date, profile: Profile) -> tuple[DateReading, ...]:
    purpose = Purpose.PRODUCTION if print_.field is Field.PRODUCTION else Purpose.EXPIRY
    return segment_readings(print_, today, purpose, profile)


def common(habits: Iterable[Habit]) -> tuple[Order, ...]:
    """The orders that explain all dates of a product: a production date may settle what its expiry leaves open."""
    left: Collection[Order] = tuple(Order)
    for one in habits:
        left = [order for order in left if order in one.orders]
    return tuple(left)
