"""One turn after another with small real parts: the loop never waits, and settles without a frame too."""

from edge.core.books import Books
from edge.core.dispatcher import Dispatcher
from edge.core.judge import Judge, Recipe, Rule
from edge.core.lots import OFF, Lots
from edge.core.messages import Conservation, Disposition, DivertCommand, ItemEnd, ReplacementRequest, Verdict
from edge.core.recovery import Known
from edge.core.supervision import Limits, Supervision
from edge.core.tracker import Tracker
from edge.loop import Loop
from tests.unit.lane import EXPECTED, GEOMETRY, MS, dark, evidence, light, reading


class Lane:
    """All the outside of a loop: a belt at 500 mm/s with edges by turn, evidence by turn, and what was said."""

    def __init__(self, edges=None, found=None):
        self.edges, self.found = edges or {}, found or {}
        self.sent, self.records, self.beats, self.decided = [], [], [], []
        self.turn = -1

    def read(self, now_ns):
        self.turn += 1
        return reading(5.0 * now_ns / MS, at_ms=now_ns // MS, **self.edges.get(self.turn, {}))

    def grab(self, reading, items):
        return []

    def faults(self):
        return {}

    def submit(self, sightings):
        pass

    def collect(self):
        return self.found.get(self.turn, [])

    def forget(self, item_ids):
        self.decided += item_ids

    def send(self, commands):
        self.sent += commands

    def acks(self):
        return []

    def tell(self, oversight, turn, now_ns):
        self.beats.append(turn)

    def record(self, records):
        self.records += records

    def of(self, kind):
        return [one for one in self.records if isinstance(one, kind)]


def turned(lane, turns, step_ms=20, limits=OFF):
    recipe = Recipe("test", (Rule("anomaly", ("top",), required=True, reject_at=1.0),))
    loop = Loop(
        lane, lane, Tracker(GEOMETRY, "i"), lane, Judge(recipe, GEOMETRY),
        Dispatcher(GEOMETRY, "site", divert_undecided=True), Supervision(Limits()), lane, lane, lane, Books(),
        Lots(limits, GEOMETRY, Known(), "site"),
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
