"""Any single edit of a chain is found, and at its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.chain import BEGINNING, content, link
from edge.core.chain_check import Chain, Kind

MOST = 40


def written(count):
    """Number, digest and hash of each entry, as a list that can be spoilt."""
    rows, hashed = [], BEGINNING
    for number in range(1, count + 1):
        digest = content(number, b"Item", b"i-%d" % number, b"{}")
        hashed = link(hashed, number, digest)
        rows.append([number, digest, hashed])
    return rows


def found(rows, begun=None):
    chain = Chain()
    for entry, digest, hashed in rows:
        chain.take(entry, digest, hashed, begun if entry == rows[-1][0] else None)
    return [(one.kind, one.first, one.last) for one in chain.ended()]


def renumber(rows):
    for number, row in enumerate(rows, 1):
        row[0] = number


places = st.integers(3, MOST).flatmap(lambda count: st.tuples(st.just(count), st.integers(0, count - 2)))
pairs = st.integers(3, MOST).flatmap(
    lambda count: st.tuples(st.just(count), st.lists(st.integers(0, count - 2), min_size=2, max_size=2, unique=True))
)


@given(st.integers(0, MOST))
def test_what_was_written_holds(count):
    assert found(written(count)) == []


@given(places)
def test_a_changed_entry_is_found(place):
    rows = written(place[0])
    rows[place[1]][1] = b"another".ljust(32)
    assert found(rows) == [(Kind.CHANGED, place[1] + 1, place[1] + 1)]


@given(places, st.integers(0, 255))
def test_a_changed_hash_is_told_from_a_changed_entry(place, bit):
    rows = written(place[0])
    hashed = bytearray(rows[place[1]][2])
    hashed[bit // 8] ^= 1 << bit % 8
    rows[place[1]][2] = bytes(hashed)
    assert found(rows) == [(Kind.HASH_CHANGED, place[1] + 1, place[1] + 1)]


@given(places)
def test_a_removed_entry_is_found(place):
    rows = written(place[0])
    del rows[place[1]]
    assert found(rows) == [(Kind.REMOVED, place[1] + 1, place[1] + 1)]


@given(st.integers(6, MOST), st.integers(1, 4), st.data())
def test_removed_entries_are_found_though_the_rest_was_numbered_anew(count, gone, data):
    place = data.draw(st.integers(0, count - gone - 2))
    rows = written(count)
    del rows[place : place + gone]
    renumber(rows)
    assert found(rows) == [(Kind.REMOVED, place + 1, place + 1)]


@given(st.integers(3, MOST), st.integers(1, 4), st.data())
def test_entries_that_were_put_in_are_found(count, more, data):
    place = data.draw(st.integers(0, count - 1))
    rows = written(count)
    rows[place:place] = [[0, b"%d" % number, b"%d" % number] for number in range(more)]
    renumber(rows)
    assert found(rows) == [(Kind.INSERTED, place + 1, place + more)]


@given(pairs)
def test_exchanged_entries_are_found_where_they_stand(pair):
    count, (one, other) = pair
    rows = written(count)
    rows[one][1], rows[other][1] = rows[other][1], rows[one][1]
    assert found(rows) == [(Kind.REORDERED, place + 1, place + 1) for place in sorted((one, other))]


@given(pairs)
def test_entries_exchanged_with_their_hashes_are_found(pair):
    count, (one, other) = pair
    rows = written(count)
    rows[one][1:], rows[other][1:] = rows[other][1:], rows[one][1:]
    told = found(rows)
    assert Kind.REORDERED in {kind for kind, _, _ in told}, told
    assert all(min(pair[1]) <= first - 1 <= last - 1 <= max(pair[1]) + 1 for _, first, last in told), told


def test_each_of_several_breaks_is_told():
    rows = written(60)
    rows[4][1], rows[19][2] = b"x".ljust(32), b"y".ljust(32)
    del rows[39]
    rows[49][1] = b"z".ljust(32)
    assert found(rows) == [
        (Kind.CHANGED, 5, 5),
        (Kind.HASH_CHANGED, 20, 20),
        (Kind.REMOVED, 40, 40),
        (Kind.CHANGED, 51, 51),
    ]


def test_numbers_alone_that_were_changed_are_found():
    rows = written(9)
    for row in rows[5:]:
        row[0] += 3
    assert found(rows) == [(Kind.INSERTED, 6, 8)]
    assert found([[0, b"x", b"y"], *written(3)]) == [(Kind.INSERTED, 0, 0)]


def test_entries_without_a_hash_hold_where_the_next_takes_them_in():
    rows = written(6)
    for row in rows[2:5]:
        row[2] = None
    assert found(rows, begun=(3, 5)) == []
    assert found(rows, begun=(3, 4)) == [(Kind.UNCHAINED, 3, 5)]
    assert found(rows) == [(Kind.UNCHAINED, 3, 5)]
    rows[3][1] = b"x".ljust(32)
    assert (Kind.UNCHAINED, 3, 5) in found(rows, begun=(3, 5))


def test_a_chain_that_ends_without_hashes_is_told():
    rows = written(5)
    rows[4][2] = None
    assert found(rows) == [(Kind.UNCHAINED, 5, 5)]


@pytest.mark.parametrize("some", [(b"", None), (b"", b""), (b"a", None), (b"", b"a")])
def test_no_two_contents_have_one_digest(some):
    body, item = some
    others = [(b"", None), (b"", b""), (b"a", None), (b"", b"a")]
    same = [other for other in others if content(1, b"k", other[1], other[0]) == content(1, b"k", item, body)]
    assert same == [some]


def test_more_breaks_than_are_told_are_counted():
    rows = written(3000)
    for row in rows:
        row[1] = b"x" * 32
    chain = Chain()
    for entry, digest, hashed in rows:
        chain.take(entry, digest, hashed)
    told = chain.ended()
    assert len(told) == 1001
    assert told[-1].told == "and 2000 entries more that do not follow"
