"""A fire test, turn by turn: what it orders, what it keeps, what refuses and what ends it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core import shot as shooting
from edge.core.firing import FireTests
from edge.core.messages import DivertAck, DivertCommand, FireResult, FireShot, FireStart
from edge.core.shot import fault_of
from edge.simulator.gate import Gate, Switches
from edge.simulator.plc import Program, Window
from tests.unit.lane import EXPECTED, GEOMETRY, MS, dark, item, light, reading

SPEED = 500.0
COUNTS_PER_MS = SPEED * GEOMETRY.counts_per_mm / 1000
TRAVEL_MS, LEAD_MS, DELAY_MS = 60, 70, 3
START = FireStart("t-1", "Ada", 3)
ITEMS = {"i-1": item()}


class Site:
    """A PLC with a gate, on a belt that runs empty; messages take a while each way."""

    def __init__(self, travel_ms=TRAVEL_MS, lead_ms=LEAD_MS, answers=True, eyes=True, sticks=(), tells=False):
        self.firing = FireTests(GEOMETRY, "life")
        self.program = Program(round(lead_ms * COUNTS_PER_MS), "pass")
        self.gate, self.switches = Gate(travel_ms * MS), Switches()
        self.answers, self.eyes, self.sticks, self.tells = answers, eyes, dict(sticks), tells
        self.now_ms = 0
        self.to_plc, self.to_box = [], []  # when due, and what
        self.commands, self.shots, self.results = [], [], []
        self.said_ns, self.told = [], []  # when each command was said; answers out of turn

    def counts(self):
        return round(self.now_ms * COUNTS_PER_MS)

    def plc(self):
        self.program.beat(self.now_ms * MS)
        for command in self.due(self.to_plc):
            window = Window(command.command_id, command.item_id, command.open_counts, command.close_counts)
            status = self.program.order(window, self.counts())
            if self.answers:
                told = (status, command.command_id, self.counts() if self.tells else None)
                self.to_box.append((self.now_ms + DELAY_MS, *told))
        opens = self.program.wants_open(self.now_ms * MS, self.counts())
        if self.sticks.get("open" if opens else "close"):
            self.gate.stick(self.now_ms * MS)
        (self.gate.open if opens else self.gate.close)(self.now_ms * MS)
        return [*self.switches.look(self.gate, "divert" if opens else "pass", self.now_ms * MS, self.counts())]

    def due(self, line):
        came = [one for one in line if one[0] <= self.now_ms]
        line[:] = [one for one in line if one[0] > self.now_ms]
        return [one[1] if len(one) == 2 else one for one in came]

    def turn(self, items=(), testing="", **said):
        edges = self.plc() if self.eyes else self.plc() and []
        answers = self.due(self.to_box)
        acks = [*self.told, *(DivertAck(name, status, ms * MS, counts) for ms, status, name, counts in answers)]
        self.told.clear()
        told = {f"{eye}_edges": tuple(one.edge for one in edges if one.eye == eye) for eye in ("drive", "gate")}
        now = reading(float(self.counts()), at_ms=self.now_ms, speed=SPEED)
        fired = self.firing.update(replace(now, **{**told, **said}), dict(items), acks, testing)
        self.to_plc += [(self.now_ms + DELAY_MS, one) for one in fired.commands]
        self.commands += fired.commands
        self.said_ns += [self.now_ms * MS for _ in fired.commands]
        self.shots += fired.shots
        self.results += fired.results
        self.now_ms += 1

    def answer(self, ack):
        """What the PLC, or somebody, says in the next turn."""
        self.told.append(ack)
        self.turn()

    def run(self, ms, **said):
        for _ in range(ms):
            self.turn(**said)

    def outcome(self):
        (one,) = self.results
        return one.outcome, one.because


def fired(times=3, ms=8000, **site):
    made = Site(**site)
    made.turn(fire_tests=(replace(START, times=times),))
    made.run(ms)
    return made


def test_each_shot_leaves_what_the_plc_latched():
    site = fired()
    assert site.outcome() == ("fired", "3 shots, 0 of them of no use")
    assert [one.test for one in site.shots] == ["t-1"] * 3
    for shot in site.shots:
        driven_ms = (shot.open_counts - shot.driven_counts) / COUNTS_PER_MS
        assert driven_ms == pytest.approx(LEAD_MS, abs=1)
        assert (shot.over_counts - shot.driven_counts) / COUNTS_PER_MS == pytest.approx(TRAVEL_MS, abs=1)
        assert (shot.back_counts - shot.released_counts) / COUNTS_PER_MS == pytest.approx(TRAVEL_MS, abs=1)
        assert shot.released_counts >= shot.close_counts
        assert shot.ran_mm_per_s == pytest.approx(SPEED, rel=0.01)
        assert shot.status == "accepted"
        assert len(shot.trips_ms) > 20
        assert set(shot.trips_ms) == {2.0 * DELAY_MS}
        assert fault_of(shot) == ""


def test_where_the_plc_tells_when_it_took_an_order_the_answers_way_does_not_count():
    (shot,) = fired(times=1, ms=4000, tells=True).shots
    assert {round(one, 3) for one in shot.trips_ms} == {float(DELAY_MS)}


def test_every_order_is_in_time_and_over_before_an_item_could_come():
    site = fired()
    first = {}
    for command in site.commands:
        first.setdefault(command.command_id, command)
        assert command == first[command.command_id]
        assert command.reason == "fire test by Ada"
    way_counts = (GEOMETRY.gate_mm - GEOMETRY.margin_mm) * GEOMETRY.counts_per_mm
    for shot in site.shots:
        sent_counts = shot.sent_ns / MS * COUNTS_PER_MS
        back_counts = GEOMETRY.lead_ms * COUNTS_PER_MS
        assert shot.close_counts + back_counts < sent_counts + way_counts
    assert len(first) == 3


def test_nothing_is_fired_unasked():
    site = Site()
    site.run(3000)
    assert site.commands == site.shots == site.results == []


HINDRANCES = [
    ({"stale": True}, "the PLC is silent"),
    ({"guards": frozenset({"air_low", "jam"})}, "guard air_low is in alarm"),
    ({"speed_mm_per_s": 0.0}, "the belt stands"),
    ({"items": ITEMS}, "items on the belt: 1"),
    ({"announced": (EXPECTED,)}, "the warehouse has announced an item"),
    ({"testing": "memory"}, "the challenge test 'memory' runs"),
    ({"speed_mm_per_s": 2500.0}, "let the belt run slower"),
]


@pytest.mark.parametrize(("said", "told"), HINDRANCES)
def test_refused(said, told):
    site = Site()
    site.turn(fire_tests=(START,), **said)
    site.run(3000)
    outcome, because = site.outcome()
    assert outcome == "refused"
    assert told in because
    assert site.commands == []


@pytest.mark.parametrize(("said", "told"), [*HINDRANCES, ({"boot": 7}, "the PLC was restarted")])
def test_aborted_and_nothing_is_fired_after_it(said, told):
    site = fired(ms=700)
    assert len(site.commands) > 1
    site.turn(**said)
    sent = len(site.commands)
    site.run(4000)
    outcome, because = site.outcome()
    assert outcome == "aborted"
    assert told in because
    assert len(site.commands) == sent
    assert len(site.shots) == 1


def test_what_is_asked_for_meanwhile_is_refused():
    site = fired(ms=700)
    site.turn(fire_tests=(FireStart("t-2", "Bob", 1),))
    site.run(8000)
    assert [(one.test, one.by, one.outcome) for one in site.results] == [
        ("t-2", "Bob", "refused"),
        ("t-1", "Ada", "fired"),
    ]


@pytest.mark.parametrize(
    ("site", "told"),
    [
        ({"lead_ms": 1200}, "the PLC answered 'late'"),
        ({"answers": False}, "the PLC answered nothing"),
        ({"eyes": False}, "no edge of the eyes `drive` and `gate` came"),
        ({"sticks": {"open": True}}, "not seen on the divert side"),
    ],
)
def test_a_first_shot_that_shows_nothing_ends_the_test(site, told):
    made = fired(**site)
    outcome, because = made.outcome()
    assert outcome == "aborted"
    assert told in because
    assert len(made.shots) == 1


def test_a_few_bad_shots_are_borne_and_three_are_not():
    site = fired(times=5, ms=2500)
    site.answers = False
    site.run(3000)
    site.answers = True
    site.run(12_000)
    assert site.outcome()[0] == "fired"
    site = fired(times=9, ms=2500)
    site.answers = False
    site.run(20_000)
    assert site.outcome()[0] == "aborted"
    assert sum(bool(fault_of(shot)) for shot in site.shots) == 3


def test_after_one_test_another_may_follow_under_other_names():
    site = fired(times=1, ms=4000)
    site.turn(fire_tests=(FireStart("t-2", "Bob", 1),))
    site.run(4000)
    assert [one.outcome for one in site.results] == ["fired", "fired"]
    assert len({one.command_id for one in site.commands}) == 2


def test_an_answer_that_comes_twice_or_was_heard_before_the_question_is_none():
    site = Site(answers=False)
    site.turn(fire_tests=(START,))
    name = site.commands[0].command_id
    ack = DivertAck(name, "accepted", 5 * MS)
    site.run(5)
    for one in (ack, ack, replace(ack, heard_ns=6 * MS)):
        site.answer(one)
    site.run(20)  # it is said again meanwhile
    assert len(site.commands) == 2
    said_ns = site.said_ns[-1]
    for heard_ns in (7 * MS, said_ns - 1, said_ns + 7 * MS):
        site.answer(replace(ack, heard_ns=heard_ns))
    site.run(4000)
    assert site.shots[0].trips_ms == (5.0, 7.0)


def test_an_order_is_not_said_again_when_its_window_is_near(monkeypatch):
    monkeypatch.setattr(shooting, "MOST_TRIPS", 1000)
    site = fired(times=1, ms=4000)
    opens_ms = site.commands[0].open_counts / COUNTS_PER_MS
    said_ms = site.said_ns[-1] / MS
    assert opens_ms - GEOMETRY.lead_ms - 20 < said_ms <= opens_ms - GEOMETRY.lead_ms


def test_edges_from_before_the_order_are_none_of_its_own():
    site = Site()
    site.run(100)
    site.turn(fire_tests=(START,))
    site.turn(drive_edges=(dark(400),), gate_edges=(dark(480), light(490)))
    site.run(2500)
    assert fault_of(site.shots[0]) == ""
    assert site.shots[0].over_counts > site.shots[0].driven_counts > 500


WHOLE = FireShot("t", "c", 0, 100, 200, SPEED, SPEED, "accepted", (1.0,), 50, 90, 200, 240)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"status": "unknown"}, "answered 'unknown'"),
        ({"driven_counts": None}, "does not tell when it drives the gate"),
        ({"over_counts": None}, "not seen on the divert side"),
        ({"back_counts": None}, "not seen back on the pass side"),
        ({"released_counts": None}, "not seen back on the pass side"),
        ({"driven_counts": None, "over_counts": None}, "wire them to the PLC"),
    ],
)
def test_why_a_shot_is_of_no_use(changes, told):
    assert fault_of(WHOLE) == ""
    assert told in fault_of(replace(WHOLE, **changes))


@given(st.lists(st.tuples(st.integers(0, len(HINDRANCES)), st.integers(1, 700), st.booleans()), max_size=8))
def test_whatever_comes_nothing_is_sent_while_it_must_not_be(events):
    site = Site()
    for which, ms, asked in events:
        said = HINDRANCES[which][0] if which < len(HINDRANCES) else {}
        sent = len(site.commands)
        for turn in range(ms):
            site.turn(**said, **({"fire_tests": (START,)} if asked and not turn else {}))
        assert not said or len(site.commands) == sent
    assert all(isinstance(one, DivertCommand) for one in site.commands)
    assert all(isinstance(one, FireResult) for one in site.results)
