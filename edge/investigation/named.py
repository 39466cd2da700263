"""The damaged items of a product that persons have named: test pieces, complaints, labels, each with its entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, islice

from edge.core.challenge import bad_pieces
from edge.core.grounds import By, Cited, Facts, Named
from edge.records.cited import Row, Snapshot

MOST = 50  # that are counted, of each way to be named the newest
TESTS, LABELLINGS = 2000, 200  # acts that are looked through, the newest: most are of other products

Naming = tuple[By, Row, str]
"""How an item was named, the entry that does, and the item."""


def named(facts: Facts, journal: Snapshot, cited: Callable[[Row], Cited]) -> tuple[Named, ...]:
    """Those of an item's product, but for itself and what ran for the same order line: of that it is asked."""
    if not facts.gtin:
        return ()
    ways = (way(journal, facts.gtin) for way in (_tested, _complained, _labelled))
    once: dict[str, Naming] = {}
    for by, row, item in chain.from_iterable(islice(way, MOST) for way in ways):
        once.setdefault(item, (by, row, item))
    known = (Named(by, cited(row), _facts(item, journal, cited)) for by, row, item in once.values())
    return tuple(one for one in known if not _is_asked(one.facts, facts))


def _is_asked(one: Facts, asked: Facts) -> bool:
    line = asked.order.get("order_line")
    return one.item_id == asked.item_id or (line is not None and one.order.get("order_line") == line)


def _facts(item: str, journal: Snapshot, cited: Callable[[Row], Cited]) -> Facts:
    """What the line said of it."""
    entries = tuple(cited(row) for row in journal.of_item(item))
    in_force = tuple(cited(row) for row in journal.in_force(entries[0].entry)) if entries else ()
    return Facts(item, entries, journal.read_to, (), in_force=in_force)


def _tested(journal: Snapshot, gtin: str) -> Iterator[Naming]:
    """Bad test pieces, each once, however often it was sent: as it ran in its last test."""
    seen: set[str] = set()
    for act in journal.acts("PersonActed", "challenge", TESTS):
        for piece in bad_pieces(act.body["why"]):
            if piece not in seen and (item := journal.ran_as(piece, gtin, act.entry)):
                seen.add(piece)
                yield By.TEST, act, item


def _complained(journal: Snapshot, gtin: str) -> Iterator[Naming]:
    return ((By.COMPLAINT, row, row.body["item_id"]) for row in journal.disputed_of(gtin, MOST))


def _labelled(journal: Snapshot, gtin: str) -> Iterator[Naming]:
    """What a person has declined to teach as sound."""
    for act in journal.acts("ReferencesChanged", "decline", LABELLINGS):
        if act.body["gtin"] == gtin:
            yield from ((By.LABEL, act, item) for item in act.body["items"])
