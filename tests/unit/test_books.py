"""The conservation law can be broken, and then it says so."""

from edge.core.books import Books
from edge.core.messages import End, ItemEnd
from tests.unit.lane import item


def ends(*kinds):
    return [ItemEnd(f"i-{n}", kind, None, 0) for n, kind in enumerate(kinds)]


def test_births_ends_and_the_belt_balance():
    books = Books()
    books.balance(3, [], {"i-1": item(), "i-2": item(), "i-3": item()})
    balance = books.balance(0, ends(End.PASSED, End.DIVERTED), {"i-3": item()})
    assert (balance.inducted, balance.on_belt, balance.violations) == (3, 1, 0)
    assert dict(balance.ends) == {end: int(end in (End.PASSED, End.DIVERTED)) for end in End}


def test_an_item_that_vanishes_from_the_belt_is_a_violation():
    books = Books()
    books.balance(1, [], {"i-1": item()})
    assert books.balance(0, [], {}).violations == 1
    assert books.balance(0, [], {}).violations == 2  # as long as it lasts


def test_an_item_that_ends_twice_is_a_violation():
    books = Books()
    books.balance(1, ends(End.PASSED), {})
    assert books.balance(0, ends(End.PASSED), {}).violations == 1
