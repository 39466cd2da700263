"""How a product writes its dates, as far as its prints settle it."""

from __future__ import annotations

from datetime import date

import pytest

from edge.core.date_forms import Extra, Order
from edge.core.date_habits import common, habit
from edge.core.dates import Granularity, Profile
from edge.core.labels import Field, Segment

TODAY = date(2026, 11, 25)
DMY, MDY, YMD = Order.DAY_FIRST, Order.MONTH_FIRST, Order.YEAR_FIRST


def prints(*values: str, field: Field | None = Field.EXPIRY) -> list[Segment]:
    return [Segment(field, "EXP" if field else "", value) for value in values]


@pytest.mark.parametrize(
    ("values", "orders"),
    [
        (("03/04/2027", "24/04/2027"), {DMY}),
        (("03/04/2027", "04/24/2027"), {MDY}),
        (("27/12/31", "27/11/30"), {YMD, DMY}),
        (("03/04/2027", "05/06/2027"), {DMY, MDY}),
        (("2027.04.03", "2027.04.05"), set(Order)),
        (("4 SEP 27", "12 OCT 27"), set(Order)),
    ],
)
def test_orders_that_explain_all_prints_are_left(values: tuple[str, ...], orders: set[Order]) -> None:
    found = habit(prints(*values), TODAY, Profile())
    assert found is not None
    assert set(found.orders) == orders


def test_prints_of_two_meanings_are_contested_until_an_order_is_given() -> None:
    values = ("03/04/2027", "05/06/2027")
    open_, settled = habit(prints(*values), TODAY, Profile()), habit(prints(*values), TODAY, Profile({MDY}))
    assert open_ is not None
    assert settled is not None
    assert open_.contested == values
    assert settled.contested == ()
    assert settled.orders == (MDY,)


def test_dates_that_begin_with_the_year_are_not_contested() -> None:
    found = habit(prints("2027.04.03"), TODAY, Profile())
    assert found is not None
    assert found.contested == ()


def test_a_misread_print_among_many_settles_nothing() -> None:
    found = habit(prints("24/04/2027", "13/05/2027", "30/01/2027", "04/24/2O27"), TODAY, Profile())
    assert found is not None
    assert found.orders == (DMY,)


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (("12.2082", "11.2082"), "month"),
        (("24.12.2027", "25.12.2027"), "day"),
        (("16 NOV", "3 DEC"), "yearless"),
        (("7123", "7131"), "julian"),
    ],
)
def test_the_form_is_told(values: tuple[str, ...], form: str) -> None:
    found = habit(prints(*values), TODAY, Profile(shelf_life_days=300))
    assert found is not None
    assert found.form == form
    assert (found.extra is not None) == (form in {Extra.YEARLESS.value, Extra.JULIAN.value})


def test_what_is_no_date_has_no_habit() -> None:
    assert habit(prints("L12345", "ZK-9"), TODAY, Profile()) is None


def test_a_production_date_may_settle_what_an_expiry_leaves_open() -> None:
    expiry = habit(prints("03/04/2027", "05/06/2027"), TODAY, Profile())
    produced = habit(prints("23/04/2026", "05/06/2026", field=Field.PRODUCTION), TODAY, Profile())
    assert expiry is not None
    assert produced is not None
    assert common([expiry, produced]) == (DMY,)
    assert produced.granularity is Granularity.DAY
