"""The outbox stands as the journal's last entry about each request left it."""

import json
import sqlite3
from contextlib import closing

import pytest

from edge.core.bodies import body
from edge.core.messages import LotGroup, LotHold, ReplacementRequest
from edge.core.wire import hold_fields, replacement_fields
from edge.records.proof_outbox import OutboxProof

REQUEST = ReplacementRequest("r-1", "i-1", "o-1", "0401", ("torn",))
HOLD = LotHold("h-1", LotGroup("lot", "g", "1", "L1"), "why", 5, 5, 0.01, 1e-4, ("o-1",), 3, ("i-1/a/top/f",), 7)
OWED = {
    "r-1": ("ReplacementRequest", body(REQUEST), replacement_fields(REQUEST)),
    "h-1": ("LotHold", body(HOLD), hold_fields(HOLD)),
}
ANSWER = ("RequestAnswered", {"request": "r-1", "status": "accepted"})
GIVEN_UP = ("RequestGivenUp", {"request": "r-1", "because": "no answer"})
REVIVED = ("RequestRevived", {"request": "r-1", "by": "Ann"})
CLOSED = ("RequestClosed", {"request": "r-1", "by": "Ann", "why": "seen to"})
STARTED = ("DaemonStarted", {})


def faults(said, answer, state, request="r-1", fields=None):
    """What is told where an outbox with this row is held against these entries."""
    with closing(sqlite3.connect(":memory:")) as base, closing(OutboxProof()) as proof:
        base.text_factory = bytearray
        base.execute("CREATE TABLE outbox (request TEXT PRIMARY KEY, body TEXT, answer TEXT, state TEXT)")
        told = json.dumps(OWED[request][2] if fields is None else fields)
        base.execute("INSERT INTO outbox VALUES (?, ?, ?, ?)", (request, told, answer, state))
        for entry, (kind, one) in enumerate(said, 1):
            proof.entered(entry, kind, one)
        return [one.told for one in proof.ended(base)]


OWES = OWED["r-1"][:2]
FITS = [
    ([OWES], None, "next"),
    ([OWES], None, "behind"),
    ([OWES], "accepted", "answered"),  # by a release that entered no answers
    ([STARTED, OWES], None, "next"),
    ([STARTED, OWES, ANSWER], "accepted", "answered"),
    ([STARTED, OWES, GIVEN_UP], None, "aside"),
    ([STARTED, OWES, GIVEN_UP, REVIVED], None, "behind"),
    ([STARTED, OWES, GIVEN_UP, REVIVED, ANSWER], "accepted", "answered"),
    ([STARTED, OWES, GIVEN_UP, CLOSED], "closed by Ann", "closed"),
]
CLASHES = [
    ([STARTED, OWES], "accepted", "answered"),
    ([STARTED, OWES], None, "aside"),
    ([STARTED, OWES, ANSWER], "refused", "answered"),
    ([STARTED, OWES, ANSWER], None, "next"),
    ([STARTED, OWES, GIVEN_UP], None, "next"),
    ([STARTED, OWES, GIVEN_UP, CLOSED], "closed by Ben", "closed"),
    ([STARTED], None, "next"),
]


@pytest.mark.parametrize(("said", "answer", "state"), FITS)
def test_what_the_journal_left_holds(said, answer, state):
    assert faults(said, answer, state) == []


@pytest.mark.parametrize(("said", "answer", "state"), CLASHES)
def test_anything_else_is_told(said, answer, state):
    assert len(faults(said, answer, state)) == 1


def test_holds_of_lots_are_owed_too():
    assert faults([OWED["h-1"][:2]], None, "next", "h-1") == []
    assert "says otherwise" in faults([OWED["h-1"][:2]], None, "next", "h-1", {})[0]
    assert "which the outbox does not have" in faults([OWED["h-1"][:2], OWES], None, "next", "h-1")[0]


def test_a_damaged_entry_is_left_to_the_chain():
    damaged = [("ReplacementRequest", {}), ("RequestAnswered", {"request": []}), ("LotHold", {"group": 1})]
    assert faults([*damaged, OWES], None, "next") == []
