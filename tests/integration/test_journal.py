"""The ledger's file is a real one."""

import sqlite3

import pytest

from edge.core.lot_recovery import standing
from edge.core.messages import LotGroup, LotHold, LotRelease
from edge.core.wire import hold_fields
from edge.records.journal import Journal, entries, lot_entries
from edge.records.ledger_file import FILE
from edge.records.outbox import LedgerOutbox, outbox
from edge.records.sinks import JournalSink


@pytest.fixture
def journal(tmp_path):
    one = Journal(tmp_path)
    yield one
    one.close()


@pytest.fixture
def owed(tmp_path, journal):
    one = LedgerOutbox(tmp_path)
    yield one
    one.close()


def test_entries_come_back_in_order(tmp_path, journal):
    journal.append([("Item", "i-1", {"n": 1}), ("Verdict", "i-1", {"n": 2})], [])
    assert [(kind, item, body) for _, kind, item, body in entries(tmp_path)] == [
        ("Item", "i-1", {"n": 1}),
        ("Verdict", "i-1", {"n": 2}),
    ]


def test_the_journal_is_append_only(tmp_path, journal):
    journal.append([("Item", "i-1", {})], [])
    with sqlite3.connect(tmp_path / FILE) as base:
        for change in ("UPDATE journal SET kind = 'x'", "DELETE FROM journal"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                base.execute(change)
    base.close()


def test_what_is_owed_is_written_once_and_answered_once(tmp_path, journal, owed):
    for _ in range(2):
        journal.append([], [("r-1", {"order_line": "o"})])
    assert owed.unanswered() == [("r-1", {"order_line": "o"})]
    assert owed.answered("r-1", "accepted")
    assert not owed.answered("r-1", "refused")
    assert not owed.answered("r-9", "accepted")
    assert (owed.unanswered(), outbox(tmp_path)) == ([], {"r-1": "accepted"})


def test_what_is_owed_outlives_the_process(tmp_path, journal):
    journal.append([], [("r-1", {})])
    journal.close()
    again = LedgerOutbox(tmp_path)
    assert again.unanswered() == [("r-1", {})]
    again.close()


def test_an_entry_and_its_request_are_on_disk_together_or_not_at_all(tmp_path, journal):
    with pytest.raises(TypeError):
        journal.append([("Item", "i-1", {})], [("r-1", {"no": object()})])
    assert list(entries(tmp_path)) == []


def test_a_hold_and_what_is_owed_of_it_are_on_disk_together(tmp_path, journal, owed):
    hold = LotHold("h-1", LotGroup("lot", "g", "1", "L1"), "why", 5, 5, 0.01, 1e-4, ("o-1",), 3, ("i-1/a/top/f",), 7)
    release = LotRelease("h-1", hold.group, "Ada", 8)
    JournalSink(journal).write([hold])
    assert owed.unanswered() == [("h-1", hold_fields(hold))]
    assert standing(lot_entries(tmp_path)) == (hold,)
    JournalSink(journal).write([release])
    assert standing(lot_entries(tmp_path)) == ()
    assert outbox(tmp_path) == {"h-1": None}  # what was said of it is still owed


def test_where_there_is_no_journal_nothing_is_held(tmp_path):
    assert lot_entries(tmp_path) == []
