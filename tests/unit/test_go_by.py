"""A lane that is laid out anew decides as one that was laid out so from the start: nothing is left of before."""

from dataclasses import replace

import pytest
import zmq

from edge.cameras.cameras import AllCameras
from edge.cameras.grabber import Grabber
from edge.cameras.health import Health
from edge.cameras.line import Peer
from edge.cameras.node import NodeCameras
from edge.core.belt import Geometry, Odometer
from edge.core.books import Books
from edge.core.calibrated import Calibrated
from edge.core.dispatcher import Dispatcher
from edge.core.firing import FireTests
from edge.core.in_force import Accepted, Standing
from edge.core.judge import Judge, Recipe, Rule
from edge.core.laid import Laid
from edge.core.lots import OFF, Lots
from edge.core.messages import CalibrationsInForce, Clearing, Hold, PersonActed
from edge.core.recovery import Known
from edge.core.supervision import Limits, Supervision
from edge.core.tracker import Tracker
from edge.keys import make, own, public
from edge.loop import Loop
from tests.unit.lane import EXPECTED, GEOMETRY, MS, dark, evidence, light, reading
from tests.unit.test_in_force import MADE
from tests.unit.test_loop import Lane

RECIPE = Recipe("test", (Rule("anomaly", ("top",), required=True, reject_at=1.0),))
SETTINGS = Laid(GEOMETRY, RECIPE)
NUMBERS = {
    "belt.counts_per_mm": 10.2,
    "belt.lead_ms": 140.0,
    "camera.top.place_mm": 420.0,
    "rule.anomaly.reject_at": 1.3,
}
NEW = Accepted(2, MADE.isoformat(), NUMBERS)
APPLIED = 10  # turn
TURNS = 500


class Calibrating(Lane):
    """A lane whose shelf says what it is told to, and whose belt and cameras are laid out like the rest."""

    def __init__(self, standing, edges, found):
        super().__init__(edges, found)
        self.standing, self.geometries = standing, []

    def told(self):
        return self.standing

    def go_by(self, geometry):
        self.geometries.append(geometry)


def held(turn):
    return {turn: {"holds": (Hold("Ann", "belt"),)}, turn + 5: {"clearings": (Clearing("Ann", "alarms"),)}}


def passing(first_counts):
    """Two items that come behind what the first turns do: one is bad, one nobody judges; and an eye that stays dark."""
    a, b = first_counts, first_counts + 6000
    return {
        60: {"announced": (EXPECTED,), "induct_edges": (dark(a, 0), light(a + 2040, 1))},
        120: {"induct_edges": (dark(b, 2), light(b + 2500, 3))},
        260: {"confirm_edges": (dark(a + 17_340, 0),)},
    }


FOUND = {100: [evidence(item_id="i-000001", score=1.2)], 150: [evidence(item_id="i-000002", score=1.4)]}


def decided(settings, start, standing, edges):
    lane = Calibrating(standing, edges, FOUND)
    laid = settings.by({name: value for one in start.values() for name, value in one.numbers.items()})
    loop = Loop(
        lane, lane, Tracker(laid.geometry, "i"), lane, Judge(laid.recipe, laid.geometry),
        Dispatcher(laid.geometry, "site", divert_undecided=True), Supervision(Limits()), lane, lane, lane, Books(),
        Lots(OFF, laid.geometry, Known(), "site"), FireTests(laid.geometry, "i"), lane, Calibrated(settings, start),
    )  # fmt: skip
    for turn in range(TURNS):
        loop.turn(turn * 20 * MS)
    records = [one for one in lane.records if getattr(one, "kind", "") not in ("held", "clearing", "calibration")]
    return lane, loop, [one for one in records if not isinstance(one, CalibrationsInForce | PersonActed)]


def geometries(part, seen=None):
    """Every `Geometry` that a part holds, however deep."""
    seen = set() if seen is None else seen
    if isinstance(part, Geometry):
        yield part
    if id(part) in seen or isinstance(part, (str, bytes, int, float)):
        return
    seen.add(id(part))
    slots = (name for one in type(part).__mro__ for name in getattr(one, "__slots__", ()))
    inside = [*vars(part).values()] if hasattr(part, "__dict__") else [getattr(part, name, None) for name in slots]
    inside += [*part.values()] if isinstance(part, dict) else list(part) if isinstance(part, (list, tuple)) else []
    for one in inside:
        yield from geometries(one, seen)


def test_what_is_decided_after_the_change_is_what_it_would_be_from_the_start():
    edges = passing(12_000)
    _, _, fresh = decided(SETTINGS, {"all": NEW}, Standing({"all": NEW}), edges)
    lane, loop, changed = decided(SETTINGS, {}, Standing({"all": NEW}), edges | held(APPLIED))
    assert changed == fresh
    assert lane.geometries == [SETTINGS.by(NUMBERS).geometry] * 2, "belt and cameras"
    _, _, before = decided(SETTINGS, {}, Standing(), edges)
    assert before != fresh, "the numbers make no difference: nothing is shown"
    parts = (loop.tracker, loop.judge, loop.dispatcher)
    assert {one.counts_per_mm for one in geometries(parts)} == {10.2}


def test_it_changes_between_two_items_and_not_before_the_belt_is_empty():
    edges = {0: {"induct_edges": (dark(0, 0), light(2000, 1))}} | held(APPLIED)
    edges |= {172: {"confirm_edges": (dark(17_050, 0),)}, 200: {"holds": (Hold("Ann", "belt"),)}}
    lane, _, _ = decided(SETTINGS, {}, Standing({"all": NEW}), edges)
    (told,) = lane.of(CalibrationsInForce)
    assert (told.versions, told.applied_ns) == ((("all", 2),), 200 * 20 * MS)
    assert dict(told.numbers) == NUMBERS


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("counts_per_mm", "belt.counts_per_mm"),
        ("lead_ms", "belt.lead_ms"),
        ("cameras_mm", "camera.top.place_mm"),
    ],
)
def test_each_number_alone_is_taken_over(field, name):
    geometry = SETTINGS.by({name: NUMBERS[name]}).geometry
    assert geometry != GEOMETRY
    assert replace(geometry, **{field: getattr(GEOMETRY, field)}) == GEOMETRY


def test_readings_of_the_belt_follow():

    odometer = Odometer(10, 500)
    odometer.hear(0, 1000.0, 0)
    odometer.go_by(10.2)
    assert odometer.reading(100 * MS).counts == pytest.approx(1020)


def test_cameras_follow(tmp_path):
    for name in ("node", "box"):
        make(tmp_path, name)
    peer = Peer("tcp://127.0.0.1:9", public(tmp_path / "node.key"), own(tmp_path / "box.key_secret"))
    with zmq.Context() as context:
        node = NodeCameras(context, peer, ["top"], GEOMETRY)
        health, grabber = Health(None), Camera()
        cameras = AllCameras([], [Grabber("back", grabber, health=health)], [node], GEOMETRY.counts(60))
        geometry = SETTINGS.by(NUMBERS).geometry
        cameras.go_by(geometry)
        cameras.grab(reading(0), {})
        assert [*geometries(cameras)] == [geometry]
        assert node._belt[1] == 10.2, "with the next word, all of it at once"
        assert health._spaced_counts == geometry.counts(200)
        assert {one._tolerance_counts for one in cameras._latches.values()} == {geometry.counts(60)}
        node._line.close()


class Camera:
    """A source that is never opened."""

    about = "none"

    def lost(self):
        return 0
