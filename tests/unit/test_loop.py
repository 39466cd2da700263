"""One turn after another with small real parts: the loop never waits, and settles without a frame too."""

from dataclasses import replace

import numpy as np

from edge.core.books import Books
from edge.core.calibrated import Calibrated
from edge.core.dispatcher import Dispatcher
from edge.core.firing import FireTests
from edge.core.judge import Judge, Recipe, Rule
from edge.core.laid import Laid
from edge.core.lots import OFF, LotLimits, Lots
from edge.core.messages import (
    Alarm,
    Conservation,
    Disposition,
    DivertCommand,
    Frame,
    ItemEnd,
    LotGroup,
    LotHold,
    ReplacementRequest,
    Verdict,
)
from edge.core.ports import NO_SHELF
from edge.core.recovery import Known
from edge.core.supervision import Limits, Supervision
from edge.core.tracker import Tracker
from edge.loop import Loop
from tests.unit.lane import EXPECTED, GEOMETRY, MS, dark, evidence, light, reading


class Lane:
    """All the outside of a loop: a belt at 500 mm/s with edges by turn, evidence by turn, and what was said."""

    def __init__(self, edges=None, found=None):
        self.edges, self.found = edges or {}, found or {}
        self.sent, self.records, self.beats, self.decided, self.looked_at = [], [], [], [], []
        self.turn = -1

    def read(self, now_ns):
        self.turn += 1
        return reading(5.0 * now_ns / MS, at_ms=now_ns // MS, **self.edges.get(self.turn, {}))

    def grab(self, reading, items):
        return [Frame("top", f"f-{self.turn}", reading.read_ns, reading.counts, NOTHING)]

    def faults(self):
        return {}

    def submit(self, sightings):
        self.looked_at += [one.item.item_id for one in sightings]

    def collect(self):
        return self.found.get(self.turn, [])

    def forget(self, item_ids):
        self.decided += item_ids

    def send(self, commands):
        self.sent += commands

    def acks(self):
        return []

    def report(self, results):
        assert not results

    def tell(self, oversight, turn, now_ns):
        self.beats.append(turn)

    def record(self, records):
        self.records += records

    def unwritten_s(self):
        return 0

    def of(self, kind):
        return [one for one in self.records if isinstance(one, kind)]


NOTHING_KNOWN = Known()
NOTHING = np.zeros((1, 1), np.uint8)
ANOMALY = Rule("anomaly", ("top",), required=True, reject_at=1.0)
EXPIRY = Rule("expiry", ("top",), required=True, agrees="expiry")


def turned(lane, turns, step_ms=20, limits=OFF, known=NOTHING_KNOWN, rules=(ANOMALY,), *, divert_undecided=True):
    recipe = Recipe("test", rules)
    loop = Loop(
        lane, lane, Tracker(GEOMETRY, "i"), lane, Judge(recipe, GEOMETRY),
        Dispatcher(GEOMETRY, "site", divert_undecided=divert_undecided), Supervision(Limits()), lane, lane, lane,
        Books(), Lots(limits, GEOMETRY, known, "site"), FireTests(GEOMETRY, "i"),
        NO_SHELF, Calibrated(Laid(GEOMETRY, recipe)),
    )  # fmt: skip
    for turn in range(turns):
        loop.turn(turn * step_ms * MS)
    return lane


BIRTH = {"announced": (EXPECTED,), "induct_edges": (dark(0), light(2000))}


def test_an_item_that_no_camera_saw_is_diverted_in_time():
    lane = turned(Lane({0: BIRTH, 172: {"confirm_edges": (dark(17_050),)}}), 200)
    (verdict,) = lane.of(Verdict)
    assert verdict.disposition is Disposition.NO_DECISION
    assert verdict.decided_ns - verdict.deadline_ns < 20 * MS
    assert [one.open_counts for one in lane.sent] == [14_700]
    assert [one.end.value for one in lane.of(ItemEnd)] == ["no_decision"]
    assert [one.order_line for one in lane.of(ReplacementRequest)] == ["order-1"]


def test_a_bad_item_is_diverted_as_soon_as_it_is_known():
    lane = turned(Lane({0: BIRTH}, {50: [evidence(item_id="i-000001", score=2.0)]}), 60)
    assert [one.decided_ns for one in lane.of(Verdict)] == [50 * 20 * MS]
    assert lane.decided == ["i-000001"]
    assert lane.sent == lane.of(DivertCommand)


def test_the_books_balance_on_every_turn():
    lane = turned(Lane({0: BIRTH, 100: {"induct_edges": (dark(10_000, seq=2),)}}), 400)
    assert {one.violations for one in lane.of(Conservation)} == {0}
    assert lane.of(Conservation)[-1].inducted == 2
    assert lane.beats == list(range(400))


def test_the_rest_of_a_held_lot_is_diverted_without_a_look_and_replaced():
    first, second = EXPECTED, replace(EXPECTED, wms_item="w2", order_line="order-2")
    edges = {
        0: {"announced": (first,), "induct_edges": (dark(0), light(2000))},
        60: {"announced": (second,), "induct_edges": (dark(6000, seq=2), light(8000, seq=3))},
        171: {"confirm_edges": (dark(17_000),)},
        231: {"confirm_edges": (dark(23_000, seq=1),)},
    }
    bad = evidence("expiry", item_id="i-000001", reading="2026-12-01", probability=1.0)
    lane = turned(Lane(edges, {50: [bad]}), 300, limits=LotLimits(0.01), rules=(EXPIRY,))
    (hold,) = lane.of(LotHold)
    one, two = lane.of(Verdict)
    assert (one.disposition, two.disposition) == (Disposition.REJECT, Disposition.NO_DECISION)
    assert two.reasons == (f"held: lot L1 of {EXPECTED.gtin} ({hold.hold_id})",)
    assert "i-000002" not in lane.looked_at
    assert [one.end.value for one in lane.of(ItemEnd)] == ["diverted", "no_decision"]
    assert [(one.order_line, one.reasons[0][:5]) for one in lane.of(ReplacementRequest)][1] == ("order-2", "held:")
    assert {one.violations for one in lane.of(Conservation)} == {0}
    assert [one.kind for one in lane.of(Alarm)] == ["lot_hold"]
    assert lane.records.index(hold) < lane.records.index(one)  # a kill between the two loses no hold


def test_what_is_held_goes_off_where_the_undecided_go_on():
    edges = {0: BIRTH, 172: {"confirm_edges": (dark(17_050),)}}
    hold = LotHold("h", LotGroup("lot", EXPECTED.gtin, "1", "L1"), "", 1, 1, 0.01, 0.1, (), 0, (), 0)
    lane = turned(Lane(edges), 200, limits=LotLimits(0.01), known=Known(holds=(hold,)), divert_undecided=False)
    assert [one.end.value for one in lane.of(ItemEnd)] == ["no_decision"]
    assert [one.order_line for one in lane.of(ReplacementRequest)] == ["order-1"]
    assert not lane.looked_at
