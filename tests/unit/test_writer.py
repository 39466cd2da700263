"""A desk that is slow, full or broken hurts nobody else."""

import threading

from edge.core.messages import Conservation
from edge.records.writer import Ledger, Writer
from tests.unit.lane import item


class Kept:
    """A sink that keeps, once it is let."""

    def __init__(self):
        self.open, self.records = threading.Event(), []

    def write(self, records):
        self.open.wait()
        self.records += records


class Broken:
    def write(self, records):
        raise OSError("no space left on device")


def books(n):
    return Conservation(n, (), n, 0)


def test_a_full_queue_drops_the_newcomer_and_counts():
    sink = Kept()
    writer = Writer("slow", sink, 2)
    for n in range(5):
        writer.offer(item(f"i-{n}"))
    assert writer.dropped == 3
    sink.open.set()
    writer.start()
    writer.stop()
    assert [one.item_id for one in sink.records] == ["i-0", "i-1"]


def test_a_broken_sink_is_counted_and_the_other_still_gets_all():
    good, bad = Kept(), Writer("bad", Broken(), 9)
    good.open.set()
    ledger = Ledger([Writer("good", good, 9), bad])
    ledger.start()
    ledger.record([item("i-1"), item("i-2")])
    ledger.stop()
    assert len(good.records) == 2
    assert bad.dropped == 2


def test_the_books_are_recorded_when_they_change():
    sink = Kept()
    sink.open.set()
    ledger = Ledger([Writer("good", sink, 9)])
    for balance in (books(0), books(0), books(1), books(1)):
        ledger.record([balance])
    ledger.start()
    ledger.stop()
    assert [one.inducted for one in sink.records] == [0, 1]
