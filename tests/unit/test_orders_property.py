"""Under any interleaving of answers, failures, kills and persons: owed until answered, given up or closed; in order."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge.core.answers import Outcome, Reply, outcome_of
from edge.orders.sender import Sender
from edge.records.journal import Journal, entries
from edge.records.outbox import LedgerOutbox, outbox
from edge.records.outbox_list import counted, shown

LINES = ("a", "b", None)
WORDS = ("accepted", "refused", "so what", "invalid", "pending")
OWED, ASIDE, DONE = "owed", "aside", "done"


class Orders(RuleBasedStateMachine):
    """A model of what is owed beside the real ledger and the real sender."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.state, self.line, self.answer = {}, {}, {}  # by request, in the order of writing
        self.offered, self.replies, self.now_s, self.reachable = [], [], 1.0, True
        self.journal = Journal(self.folder)
        self.live()

    def live(self):
        self.outbox = LedgerOutbox(self.folder)
        self.sender = Sender(self.outbox, self, self.take, 3, lambda low, high: (low + high) / 2)

    patience_s = 2.0

    def offer(self, request, _fields):
        """As the warehouse hears it."""
        if self.reachable:
            assert self.state[request] == OWED, "asked twice"
            same = [one for one in self.state if self.line[one] == self.line[request] and self.line[one] is not None]
            rivals = [one for one in same if one != request and self.state[one] == OWED and one in self.on_way()]
            assert not rivals, "two of one order line on their way"
            self.offered.append(request)
        return self.reachable

    def on_way(self):
        """Sent, and neither answered nor given up since."""
        return {one for one in self.offered if self.state[one] == OWED} - self.revived

    revived = frozenset()

    def take(self):
        said, self.replies = self.replies, []
        return said

    @rule(line=st.sampled_from(LINES))
    def owe(self, line):
        name = f"r-{len(self.state)}"
        self.journal.append([], [(name, {"request": name, "item": f"i-{name}", "order_line": line})])
        self.state[name], self.line[name] = OWED, line

    @precondition(lambda self: self.state)
    @rule(data=st.data(), word=st.sampled_from(WORDS), times=st.integers(1, 2))
    def answer_one(self, data, word, times):
        """Of any request, sent or not, and now and then twice; at once, so that the model knows the order."""
        name = data.draw(st.sampled_from(sorted(self.state)))
        self.replies += [Reply(name, outcome_of(word), word, "", "test")] * times
        state, outcome = self.state[name], outcome_of(word)
        if outcome in (Outcome.ACCEPTED, Outcome.REFUSED, Outcome.OTHER) and state != DONE:
            self.state[name], self.answer[name] = DONE, word
        elif outcome is Outcome.INVALID and state == OWED:
            self.state[name] = ASIDE
        self.turn(0.0)

    @rule(seconds=st.sampled_from([0.1, 1.0, 5.0, 100.0]))
    def turn(self, seconds):
        self.now_s += seconds
        before = {name for name, state in self.state.items() if state == OWED}
        self.sender.step(self.now_s)
        for name in before:  # what was passed over too often
            if shown(self.folder, name).state == "aside":
                self.state[name] = ASIDE

    @rule()
    def fail(self):
        self.replies += [Reply(one, Outcome.FAILED, "503", "", "test") for one in self.on_way()]
        self.turn(0.0)

    @rule()
    def cut_or_mend_the_way(self):
        self.reachable = not self.reachable

    @rule()
    def kill(self):
        """What was heard and not written down is lost; the file stays."""
        self.replies = []
        self.outbox.close()
        self.live()

    @precondition(lambda self: self.state)
    @rule(data=st.data(), verb=st.sampled_from(["revive", "close"]))
    def person(self, data, verb):
        name = data.draw(st.sampled_from(sorted(self.state)))
        if verb == "revive":
            assert self.outbox.revived(name, "Ada") == (self.state[name] == ASIDE)
            if self.state[name] == ASIDE:
                self.state[name] = OWED
                self.offered = [one for one in self.offered if one != name]
        else:
            assert self.outbox.closed(name, "Ada", "so") == (self.state[name] != DONE)
            if self.state[name] != DONE:
                self.state[name], self.answer[name] = DONE, "closed by Ada"

    @invariant()
    def nothing_is_forgotten(self):
        found = outbox(self.folder)
        assert found == {name: self.answer.get(name) for name in self.state}
        counts = counted(self.folder)
        owed = sum(state == OWED for state in self.state.values())
        assert counts.get("next", 0) + counts.get("behind", 0) == owed
        assert counts.get("aside", 0) == sum(state == ASIDE for state in self.state.values())
        lines = {self.line[name] or name for name, state in self.state.items() if state == OWED}
        assert counts.get("next", 0) == len(lines)  # each order line with something owed has its turn

    def teardown(self):
        said = [
            body["request"] for _, kind, _, body in entries(self.folder) if kind in ("RequestAnswered", "RequestClosed")
        ]
        assert sorted(said) == sorted(self.answer)  # each end is in the journal, once
        self.outbox.close()
        self.journal.close()
        shutil.rmtree(self.folder)


TestOrders = pytest.mark.timeout(200)(Orders.TestCase)
TestOrders.settings = settings(max_examples=40, stateful_step_count=30)
