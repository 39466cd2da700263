"""The core as one machine: whatever the lane does in whatever order, nothing is lost, doubled, late or let through."""

import json
from collections import Counter
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge.core.bodies import body
from edge.core.books import Books
from edge.core.calibrated import Calibrated
from edge.core.dispatcher import Dispatcher
from edge.core.firing import FireTests
from edge.core.judge import Judge, Recipe, Rule
from edge.core.laid import Laid
from edge.core.lots import OFF, Lots
from edge.core.messages import (
    Clearing,
    Conservation,
    Disposition,
    DivertAck,
    Item,
    ItemEnd,
    ReplacementRequest,
    Verdict,
)
from edge.core.ports import NO_SHELF
from edge.core.recovery import Known, recovered
from edge.core.supervision import Limits, Supervision
from edge.core.tracker import Tracker
from edge.loop import Loop
from tests.unit.lane import EXPECTED, GEOMETRY, MS, dark, evidence, light, reading

RECIPE = Recipe("test", (Rule("anomaly", ("top",), required=True, reject_at=1.0),))
LANE = replace(GEOMETRY, gap_min_mm=80, full_speed_mm_per_s=500)
LENGTH_MM = 150


class Line(RuleBasedStateMachine):
    """A belt with items that really lie on it; the box knows only what is said of them."""

    def __init__(self):
        super().__init__()
        self.now_ms, self.counts, self.speed = 0, 0, 500.0
        self.on_belt = []  # leading edges that have passed the induct eye and neither of the others
        self.seqs = Counter()
        self.said, self.records, self.found = {}, [], []
        self.guards = frozenset()
        self.lives = 0
        self.answers, self.answering = [], True
        self.begin(Known())

    def begin(self, known):
        self.lives += 1
        self.taken = set()  # commands that the PLC has answered in this life
        self.tracker = Tracker(LANE, f"life{self.lives}", known.items)
        dispatcher = Dispatcher(LANE, "site", divert_undecided=True, dispositions=known.dispositions)
        judge = Judge(RECIPE, LANE, known.dispositions)
        self.loop = Loop(
            self, self, self.tracker, self, judge, dispatcher, Supervision(Limits()), self, self, self,
            Books(len(known.items)), Lots(OFF, LANE, known, "site"), FireTests(LANE, f"life{self.lives}"),
            NO_SHELF, Calibrated(Laid(LANE, RECIPE)),
        )  # fmt: skip

    # what the loop asks and says
    def read(self, now_ns):
        said, self.said = self.said, {}
        return reading(self.counts, at_ms=self.now_ms, speed=self.speed, guards=self.guards, **said)

    def grab(self, reading, items):
        return []

    def faults(self):
        return {}

    def submit(self, sightings):
        pass

    def forget(self, item_ids):
        list(item_ids)

    def collect(self):
        found, self.found = self.found, []
        return found

    def send(self, commands):
        for command in commands:
            assert command.open_counts > self.counts
            assert command.command_id not in self.taken
            if self.answering:
                self.taken.add(command.command_id)
                self.answers.append(DivertAck(command.command_id, "accepted"))

    def acks(self):
        answers, self.answers = self.answers, []
        return answers

    def report(self, results):
        assert not results

    def tell(self, oversight, turn, now_ns):
        self.oversight = oversight

    def record(self, records):
        self.records += records

    def unwritten_s(self):
        return 0

    def edge(self, eye, make, counts):
        self.seqs[eye] += 1
        self.said.setdefault(f"{eye}_edges", []).append(make(counts, self.seqs[eye]))

    def turn(self):
        self.loop.turn(self.now_ms * MS)

    # what may happen
    @rule(gap_mm=st.integers(0, 600), announced=st.booleans())
    def induct(self, gap_mm, announced):
        self.run(gap_mm)
        self.on_belt.append(self.counts)
        if announced:
            name = f"w{len(self.records)}"
            self.said["announced"] = (replace(EXPECTED, wms_item=name, scan_counts=self.counts - 1000),)
        self.edge("induct", dark, self.counts)
        self.run(LENGTH_MM)
        self.edge("induct", light, self.counts)
        self.turn()

    @rule(answering=st.booleans())
    def plc(self, answering):
        """Whether the PLC answers commands from now on."""
        self.answering = answering

    @rule(way_mm=st.integers(1, 400))
    def run(self, way_mm):
        """The belt runs; each item that reaches the end of it is seen by one of the eyes, or taken off unseen."""
        self.counts += way_mm * 10
        self.now_ms += way_mm * 2
        self.turn()

    @precondition(lambda self: self.on_belt)
    @rule(how=st.sampled_from(["confirm", "exit", "unseen"]), bounces=st.integers(1, 2))
    def leave(self, how, bounces):
        """The oldest item reaches the end; the eye that sees it may bounce."""
        leading = self.on_belt.pop(0)
        self.run(max(1, 1750 - (self.counts - leading) // 10))
        for bounce in range(bounces if how != "unseen" else 0):
            self.edge(how, dark, leading + (17_000 if how == "confirm" else 17_500) + bounce)
        self.turn()

    @precondition(lambda self: self.tracker.items)
    @rule(
        score=st.sampled_from([0.2, 5.0, float("nan"), float("inf")]),
        valid=st.booleans(),
        stale=st.booleans(),
        data=st.data(),
    )
    def see(self, score, valid, stale, data):
        """A check answers, whether the PLC speaks at the moment or not."""
        name = data.draw(st.sampled_from(sorted(self.tracker.items)))
        self.found.append(evidence(item_id=name, score=score, valid=valid))
        self.said["stale"] = stale
        self.turn()

    @rule(pressed=st.booleans())
    def e_stop(self, pressed):
        self.guards = frozenset({"e_stop"}) if pressed else frozenset()
        self.turn()

    @rule(what=st.sampled_from(["items", "alarms"]))
    def clear(self, what):
        self.said["clearings"] = (Clearing("Ada", what),)
        self.turn()

    @rule(seconds=st.integers(1, 5))
    def silence(self, seconds):
        """The PLC says nothing, and the belt stands."""
        for _ in range(seconds):
            self.now_ms += 1000
            self.said["stale"] = True
            self.turn()

    @rule(stranger_counts=st.integers(0, 10**6), eye=st.sampled_from(["confirm", "exit"]))
    def stranger(self, stranger_counts, eye):
        self.edge(eye, dark, 10**8 + stranger_counts)
        self.turn()

    @rule()
    def restart(self):
        written = [(type(one).__name__, json.loads(json.dumps(body(one)))) for one in self.records]
        self.begin(recovered(written))
        self.turn()

    # what must hold
    @invariant()
    def books_balance(self):
        born = {one.item_id for one in self.records if isinstance(one, Item)}
        ended = Counter(one.item_id for one in self.records if isinstance(one, ItemEnd))
        assert set(ended.values()) <= {1}
        assert born - ended.keys() == set(self.tracker.items)
        assert all(one.violations == 0 for one in self.records if isinstance(one, Conservation))

    @invariant()
    def one_verdict_an_item(self):
        verdicts = Counter(one.item_id for one in self.records if isinstance(one, Verdict))
        assert set(verdicts.values()) <= {1}

    @invariant()
    def nothing_passes_without_being_sound(self):
        for one in self.records:
            if isinstance(one, Verdict) and one.disposition is Disposition.PASS:
                assert any(found.valid and found.score == 0.2 for found in one.evidence)

    @invariant()
    def a_replacement_is_asked_for_once_and_only_for_what_has_left(self):
        asked = Counter(one.item_id for one in self.records if isinstance(one, ReplacementRequest))
        ended = {one.item_id for one in self.records if isinstance(one, ItemEnd)}
        assert set(asked.values()) <= {1}
        assert asked.keys() <= ended


TestLine = Line.TestCase
TestLine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
