"""A desk that is slow, full or broken hurts nobody else."""

import threading
import time

import numpy as np
import pytest

from edge.core.messages import Conservation, Disposition, Verdict
from edge.records.writer import KeepingWriter, Ledger, Writer
from tests.unit.lane import evidence, item


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


class Recovering(Kept):
    """Fails twice, as a locked file does."""

    def __init__(self):
        super().__init__()
        self.open.set()
        self.failures = 2

    def write(self, records):
        if self.failures:
            self.failures -= 1
            raise OSError("locked")
        super().write(records)


def test_a_desk_that_must_not_lose_tries_again():
    sink = Recovering()
    writer = KeepingWriter("journal", sink, 9)
    writer.start()
    writer.offer(item())
    waits_until(lambda: sink.records)
    writer.stop()
    assert (len(sink.records), writer.dropped) == (1, 0)


def waits_until(told):
    end_s = time.monotonic() + 10
    while not told() and time.monotonic() < end_s:
        time.sleep(0.01)
    return told()


class Failing(Kept):
    """Fails until it is let, as a disk without room does."""

    def write(self, records):
        if not self.open.is_set():
            raise OSError("no space left on device")
        super().write(records)


@pytest.mark.parametrize("sink", [Kept(), Failing()], ids=["hangs", "fails"])
def test_how_long_nothing_is_written_is_told(sink):
    writer = KeepingWriter("journal", sink, 9)
    ledger = Ledger([writer, Writer("log", Broken(), 9)])
    ledger.start()
    assert ledger.unwritten_s() == 0
    ledger.record([item()])
    assert waits_until(lambda: ledger.unwritten_s() >= 1)
    sink.open.set()
    assert waits_until(lambda: sink.records and not ledger.unwritten_s())
    ledger.stop()


def test_what_is_written_is_counted_beside_what_was_handed_over():
    sink = Failing()
    writer = KeepingWriter("journal", sink, 2)
    ledger = Ledger([writer, Writer("log", Broken(), 9)])
    ledger.record([item("i-1"), item("i-2"), item("i-3")])
    assert (ledger.handed(), writer.dropped) == ((2,), 1)
    ledger.start()
    assert waits_until(lambda: writer.unwritten_s() >= 0)
    assert ledger.written() == (0,)
    sink.open.set()
    assert waits_until(lambda: ledger.written() == ledger.handed())
    ledger.stop()


def test_only_illustrated_desks_get_pictures():
    plain, illustrated = Kept(), Kept()
    plain.open.set()
    illustrated.open.set()
    ledger = Ledger([Writer("plain", plain, 9)], [Writer("illustrated", illustrated, 9)])
    found = evidence(picture=np.zeros((2, 2, 3), np.uint8))
    ledger.start()
    ledger.record([found, Verdict("i", None, 0, Disposition.PASS, (), (), (found,), "r", 0, None, 0, 0)])
    ledger.stop()
    assert [plain.records[0].picture, plain.records[1].evidence[0].picture] == [None, None]
    assert illustrated.records[0].picture is illustrated.records[1].evidence[0].picture is found.picture


def test_the_books_are_recorded_when_they_change():
    sink = Kept()
    sink.open.set()
    ledger = Ledger([Writer("good", sink, 9)])
    for balance in (books(0), books(0), books(1), books(1)):
        ledger.record([balance])
    ledger.start()
    ledger.stop()
    assert [one.inducted for one in sink.records] == [0, 1]
