"""The ledger's file is a real one."""

import sqlite3
from contextlib import closing

import pytest

from edge.core.answers import Kept, Outcome, Reply
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


def waiting(outbox):
    return [(one.request, one.fields) for one in outbox.due(0, 100)]


def test_entries_come_back_in_order(tmp_path, journal):
    journal.append([("Item", "i-1", {"n": 1}), ("Verdict", "i-1", {"n": 2})], [])
    assert [(kind, item, body) for _, kind, item, body in entries(tmp_path)] == [
        ("Item", "i-1", {"n": 1}),
        ("Verdict", "i-1", {"n": 2}),
    ]


def test_what_json_has_no_word_for_is_entered_all_the_same(tmp_path, journal):
    journal.append([("Verdict", "i-1", {"disposition": "pass", "probability": float("nan")})], [])
    assert [kind for _, kind, _, _ in entries(tmp_path)] == ["Verdict"]


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
    assert waiting(owed) == [("r-1", {"order_line": "o"})]
    said = [(one, word) for one in ("r-1", "r-9") for word in ("accepted", "accepted", "refused")]
    assert [owed.answered(Reply(one, Outcome.OTHER, word, "", "mqtt")) for one, word in said] == [
        *(Kept.FIRST, Kept.AGAIN, Kept.CONTRADICTS),
        *(Kept.UNKNOWN, Kept.UNKNOWN, Kept.UNKNOWN),
    ]
    assert (waiting(owed), outbox(tmp_path)) == ([], {"r-1": "accepted"})


def test_what_is_owed_outlives_the_process(tmp_path, journal):
    journal.append([], [("r-1", {})])
    journal.close()
    again = LedgerOutbox(tmp_path)
    assert waiting(again) == [("r-1", {})]
    again.close()


def test_an_entry_and_its_request_are_on_disk_together_or_not_at_all(tmp_path, journal):
    with pytest.raises(TypeError):
        journal.append([("Item", "i-1", {})], [("r-1", {"no": object()})])
    assert list(entries(tmp_path)) == []


def test_a_hold_and_what_is_owed_of_it_are_on_disk_together(tmp_path, journal, owed):
    hold = LotHold("h-1", LotGroup("lot", "g", "1", "L1"), "why", 5, 5, 0.01, 1e-4, ("o-1",), 3, ("i-1/a/top/f",), 7)
    release = LotRelease("h-1", hold.group, "Ada", 8)
    JournalSink(journal).write([hold])
    assert waiting(owed) == [("h-1", hold_fields(hold))]
    assert standing(lot_entries(tmp_path)) == (hold,)
    JournalSink(journal).write([release])
    assert standing(lot_entries(tmp_path)) == ()
    assert outbox(tmp_path) == {"h-1": None}  # what was said of it is still owed


def test_where_there_is_no_journal_nothing_is_held(tmp_path):
    assert lot_entries(tmp_path) == []


OLD = """
CREATE TABLE outbox (
    request TEXT PRIMARY KEY, body TEXT NOT NULL, written_wall_ns INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, answer TEXT);
CREATE INDEX outbox_open ON outbox (written_wall_ns) WHERE answer IS NULL;
INSERT INTO outbox VALUES ('r-1', '{"order_line": "o", "item": "i"}', 1, 3, NULL),
    ('r-2', '{"order_line": "o"}', 2, 0, NULL), ('r-3', '{"order_line": "o"}', 3, 1, 'accepted'),
    ('h', '?', 4, 0, NULL);
"""


def test_what_an_earlier_release_owed_is_still_owed_in_its_order(tmp_path):
    with closing(sqlite3.connect(tmp_path / FILE)) as base:
        base.executescript(OLD)
    for _ in range(2):
        LedgerOutbox(tmp_path).close()
        with closing(sqlite3.connect(tmp_path / FILE)) as base:
            states = base.execute("SELECT request, state, line, item, attempts FROM outbox ORDER BY rowid").fetchall()
        assert states == [
            ("r-1", "next", "o", "i", 3),
            ("r-2", "behind", "o", None, 0),
            ("r-3", "answered", "o", None, 1),
            ("h", "next", "h", None, 0),
        ]
