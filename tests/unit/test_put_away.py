"""Days of a ledger that are put away: nothing is lost, what is needed stays, and whatever is tampered with is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from edge.core.answers import Outcome, Reply
from edge.core.messages import ReplacementRequest
from edge.records.audit_key import own
from edge.records.evidence.store import Picture, Store
from edge.records.journal import Journal, rows
from edge.records.ledger_file import opened
from edge.records.outbox import LedgerOutbox
from edge.records.proof import prove
from edge.records.put_away import Wanted, put_away
from edge.records.restored import restore
from edge.records.seals import add_seal
from edge.records.sinks import JournalSink
from edge.signing import public

SITE = "test/lane"


class Lane:
    """A lane's state, written by the appliance's own parts."""

    def __init__(self, folder: Path) -> None:
        self.state, self.archive = folder / "state", folder / "archive"
        self.archive.mkdir()
        self.journal = Journal(self.state)
        self.outbox = LedgerOutbox(self.state)
        self.store = Store(self.state)
        self.base = opened(self.state)
        self.key = own(self.state, None)

    def close(self):
        for one in (self.journal, self.outbox, self.store, self.base):
            one.close()

    def enter(self, *entries):
        self.journal.append(entries, [])

    def seal(self):
        add_seal(self.base, self.state, SITE, self.key, "time")

    def owe(self, item):
        JournalSink(self.journal).write([ReplacementRequest(f"r-{item}", item, f"o-{item}", "0401", ("torn",))])

    def answer(self, item):
        self.outbox.answered(Reply(f"r-{item}", Outcome.OTHER, "accepted", "", "mqtt"))

    def picture(self, item, name=""):
        content = f"{item} {name} {self.store.kept}".encode()
        self.store.keep([Picture(item, "crop", "top", "", f"f{name}", 1, content, "image/jpeg", 2, 2)])

    def forget(self, item):
        asked = "SELECT rowid FROM evidence WHERE item = ? AND gone = '' LIMIT 1"
        self.store.remove("age", [row[0] for row in self.base.execute(asked, (item,))])

    def put_away(self, **more):
        wanted = {"before_ns": 2**62, "segment": 30, "restart": 5} | more
        return list(put_away(self.state, Wanted(self.archive, SITE, "Ada", **wanted)))

    def rows(self):
        return list(rows(self.state, 1, None))

    def prove(self, **more):
        return prove(self.state, [public(self.key)], **more)

    def breaks(self, **more):
        return [(one.kind.value, one.first, one.last, one.told) for one in self.prove(**more).breaks]


@pytest.fixture
def lane(tmp_path):
    one = Lane(tmp_path)
    yield one
    one.close()


def item(lane, name):
    lane.enter(
        ("Item", name, {"item_id": name}), ("Verdict", name, {"disposition": "pass"}), ("Spoken", None, {"n": 1})
    )


DEEDS = ("item", "owe", "answer", "picture", "forget", "dispute", "act", "end", "hold", "scale", "seal", "put away")


def do(lane, deed, name):
    """One thing that happens to a lane, and how it is written down."""
    told = {
        "item": lambda: item(lane, name),
        "owe": lambda: lane.owe(name),
        "answer": lambda: lane.answer(name),
        "picture": lambda: [lane.picture(name), lane.picture(name, "b")],
        "forget": lambda: lane.forget(name),
        "dispute": lambda: lane.enter(("Disputed", name, {"item_id": name, "by": "Ben"})),
        "act": lambda: lane.enter(("PersonActed", None, {"by": "Ada", "what": "clear"})),
        "end": lambda: lane.enter(("ItemEnd", name, {"item_id": name, "end": "passed"})),
        "hold": lambda: lane.enter(("FireShot", None, {"test": name})),
        "scale": lambda: lane.enter(("ScaleLearnt", None, {"n": name})),
        "seal": lane.seal,
        "put away": lambda: [lane.seal(), lane.put_away()],
    }
    told[deed]()


@settings(max_examples=25, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 6)), min_size=30, max_size=90))
def test_whatever_happens_and_whenever_it_is_put_away_it_holds_and_nothing_is_lost(tmp_path_factory, deeds):
    lane, kept = Lane(tmp_path_factory.mktemp("lane")), {}
    try:
        for deed, number in deeds:
            do(lane, deed, f"i-{number}")
            kept |= {row[0]: row for row in lane.rows()}
            if deed == "put away":
                assert lane.breaks() == []
        lane.seal()
        lane.put_away(restart=0)
        kept |= {row[0]: row for row in lane.rows()}
        assert lane.breaks() == []
        assert lane.breaks(archive=lane.archive) == []
        there = {row[0]: row for row in lane.rows()}
        proof = lane.prove()
        assert all(there[entry] == row for entry, row in kept.items() if entry > proof.put_away)
        if proof.put_away:
            again = lane.archive.parent / "again"
            assert restore(list(lane.archive.glob("*.gz")), again) == (1, proof.put_away)
            assert list(rows(again, 1, None)) == [kept[entry] for entry in range(1, proof.put_away + 1)]
            assert prove(again, [public(lane.key)], also=("file",)).breaks == []
    finally:
        lane.close()
