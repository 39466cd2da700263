"""The virtual lane's own parts: clock, network, account, plant under faults, scenarios."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core import topics
from edge.core.errors import ConfigError
from edge.core.messages import Disposition, End, Item, ItemEnd, Verdict
from edge.simulator.account import Account, Histogram, Thing
from edge.simulator.agenda import Agenda
from edge.simulator.events import NOBODY, AtGate, Event, EyeEdge, Gone, Placed, Unseen
from edge.simulator.faults import Dangers
from edge.simulator.gate import Gate
from edge.simulator.network import INBOX, Line, Trouble, VirtualLink
from edge.simulator.plan import Geometry
from edge.simulator.plant import Plant
from edge.simulator.scenario import Kind, names, read_scenario, shipped

MS = 1_000_000
LANE = Geometry(10.0, {"top": 400.0}, 1500.0, 1700.0, 1750.0, 60.0, resync_mm=1000.0)


class TestAgenda:
    @given(st.lists(st.integers(0, 50), max_size=30))
    def test_tasks_are_done_in_the_order_of_their_times_and_of_their_entry(self, due: list[int]) -> None:
        agenda, done = Agenda(0), []
        for number, due_ns in enumerate(due):
            agenda.at(due_ns, lambda one=(due_ns, number): done.append(one))
        while agenda.next_ns < math.inf:
            agenda.move_to(int(agenda.next_ns))
        assert done == sorted((due_ns, number) for number, due_ns in enumerate(due))

    def test_what_is_overdue_comes_next_and_what_is_never_due_never(self) -> None:
        agenda, done = Agenda(100), []
        agenda.at(7, lambda: done.append("overdue"))
        agenda.at(math.inf, lambda: done.append("never"))
        assert agenda.next_ns == 100
        agenda.move_to(100)
        assert done == ["overdue"]
        assert agenda.next_ns == math.inf


def line_to(heard: list[object], agenda: Agenda, seed: int = 1) -> Line:
    return Line(agenda, random.Random(seed), (1.0, 5.0), lambda topic, fields: heard.append(fields["n"]))


def delivered(agenda: Agenda) -> None:
    while agenda.next_ns < math.inf:
        agenda.move_to(int(agenda.next_ns))


class TestNetwork:
    @given(st.integers(0, 99), st.integers(1, 40))
    def test_one_line_keeps_its_order(self, seed: int, count: int) -> None:
        agenda, heard = Agenda(0), []
        line = line_to(heard, agenda, seed)
        for number in range(count):
            line.send(topics.CONFIRM, {"n": number}, None)
        delivered(agenda)
        assert heard == list(range(count))

    @given(st.integers(0, 99))
    def test_faults_double_and_reorder_but_lose_nothing(self, seed: int) -> None:
        agenda, heard = Agenda(0), []
        line = line_to(heard, agenda, seed)
        line.troubles = {
            Kind.DUPLICATES: Trouble(0.5),
            Kind.REORDERING: Trouble(0.5, (1.0, 50.0)),
            Kind.DELAYS: Trouble(0.2, (1.0, 50.0)),
        }
        for number in range(30):
            line.send(topics.CONFIRM, {"n": number}, None)
        delivered(agenda)
        assert sorted(set(heard)) == list(range(30))
        assert len(heard) == 30 + line.counts["duplicated"]

    @pytest.mark.parametrize(
        ("topic", "expiry_s", "healed_ms", "came"),
        [
            (topics.BELT, None, 100, []),  # QoS 0: lost
            (topics.CONFIRM, None, 100, [1]),  # QoS 1: kept
            (topics.COMMAND, 0.5, 100, [1]),
            (topics.COMMAND, 0.5, 600, []),  # its window has passed
        ],
    )
    def test_what_a_cut_line_does_with_messages(
        self, topic: topics.Topic, expiry_s: float | None, healed_ms: int, came: list[int]
    ) -> None:
        agenda, heard = Agenda(0), []
        line = line_to(heard, agenda)
        line.cut = True
        line.send(topic, {"n": 1}, expiry_s)
        agenda.move_to(healed_ms * MS)
        line.mend()
        delivered(agenda)
        assert heard == came

    def test_a_message_under_way_when_the_line_is_cut_comes_later(self) -> None:
        agenda, heard = Agenda(0), []
        line = line_to(heard, agenda)
        line.send(topics.CONFIRM, {"n": 1}, None)
        line.cut = True
        delivered(agenda)
        assert heard == []
        line.mend()
        delivered(agenda)
        assert heard == [1]

    def test_the_link_keeps_the_newest_and_counts_the_rest(self) -> None:
        agenda = Agenda(5)
        link = VirtualLink(agenda, line_to([], agenda))
        for number in range(INBOX + 2):
            link.hear(topics.BELT, {"n": number})
        taken = link.take(topics.BELT)
        assert (taken[0], len(taken)) == ((5, {"n": 2}), INBOX)
        assert link.refused["belt", "inbox_full"] == 2
        assert link.take(topics.BELT) == []

    def test_without_a_connection_nothing_is_published(self) -> None:
        agenda, heard = Agenda(0), []
        link = VirtualLink(agenda, line_to(heard, agenda))
        link.connected = False
        assert not link.publish(topics.HEARTBEAT, {"n": 1})
        link.connected = True
        assert link.publish(topics.HEARTBEAT, {"n": 2})
        delivered(agenda)
        assert heard == [2]


def plant_with(*items: Placed) -> Plant:
    plant = Plant(LANE, 500.0, start_counts=0, start_ns=0)
    plant.load(items)
    return plant


def events_of(plant: Plant, until_ms: int) -> list[Event]:
    return plant.advance(until_ms * MS)


def edges(events: list[Event], eye: str) -> list[tuple[int, int, bool]]:
    return [
        (one.index, one.edge.counts, one.edge.dark) for one in events if isinstance(one, EyeEdge) and one.eye == eye
    ]


class TestPlantUnderFaults:
    def test_it_tells_when_something_happens_next(self) -> None:
        plant = plant_with(Placed(0, 5000, 200.0))
        assert plant.next_ns == pytest.approx(400 * MS)  # the scanner, 300 mm before the induct eye
        plant.run_at(0.0)
        assert plant.next_ns == math.inf
        plant.run_at(1000.0)
        assert plant.next_ns == pytest.approx(200 * MS)

    def test_a_belt_that_stood_goes_on_where_it_was(self) -> None:
        plant = plant_with(Placed(0, 5000, 200.0))
        first = events_of(plant, 1100)
        plant.run_at(0.0)
        assert events_of(plant, 9000) == []
        plant.run_at(500.0)
        assert edges(first + events_of(plant, 9600), "induct") == [(0, 5000, True), (0, 7000, False)]

    def test_an_item_that_slips_comes_later_by_so_much(self) -> None:
        plant = plant_with(Placed(0, 5000, 200.0))
        events_of(plant, 2000)
        plant.slip(0, 40.0)
        assert edges(events_of(plant, 5000), "resync") == [(0, 15_400, True), (0, 17_400, False)]

    def test_an_item_that_is_caught_rides_on_when_it_is_free(self) -> None:
        plant = plant_with(Placed(0, 5000, 200.0))
        events_of(plant, 2000)
        plant.hold(0)
        assert events_of(plant, 4000) == []
        assert plant.between(0, 1500) == []
        plant.release(0)
        assert edges(events_of(plant, 8000), "resync") == [(0, 25_000, True), (0, 27_000, False)]

    def test_an_item_that_is_taken_leaves_the_eye_light(self) -> None:
        plant = plant_with(Placed(0, 5000, 200.0))
        events_of(plant, 1100)
        assert plant.between(0, 100) == [0]
        assert edges(plant.take(0), "induct") == [(0, 5500, False)]
        assert plant.on_belt == 0
        assert plant.next_ns == math.inf

    def test_two_without_a_gap_are_one_to_the_eye(self) -> None:
        events = events_of(plant_with(Placed(0, 5000, 200.0), Placed(1, 6990, 200.0)), 9000)
        assert edges(events, "induct") == [(0, 5000, True), (1, 8990, False)]
        assert Unseen(1, "induct", 6990) in events
        assert sum(isinstance(one, Gone) for one in events) == 2

    def test_a_covered_eye_sees_nothing_come(self) -> None:
        plant = plant_with(Placed(0, 5000, 200.0))
        events = [*plant.cover("induct"), *events_of(plant, 2000), *plant.uncover("induct")]
        assert edges(events, "induct") == [(NOBODY, 0, True), (NOBODY, 10_000, False)]

    @pytest.mark.parametrize(("factor", "went"), [(1.0, "reject"), (2.0, "good"), (math.inf, "good")])
    def test_a_gate_that_is_slow_or_stuck_misses_its_item(self, factor: float, went: str) -> None:
        plant = plant_with(Placed(0, 5000, 200.0))
        plant.gate.drag(0, factor)
        events_of(plant, 3900)
        plant.gate.open(3900 * MS)
        assert [one.went for one in events_of(plant, 5000) if isinstance(one, AtGate)] == [went]

    def test_a_gate_that_is_free_again_moves_on_from_where_it_stuck(self) -> None:
        gate = Gate(60 * MS)
        gate.open(0)
        gate.stick(30 * MS)
        assert gate.openness(500 * MS) == pytest.approx(0.5)
        gate.free(500 * MS)
        assert gate.openness(530 * MS) == pytest.approx(1.0)


def born(seq: int, purge: str = "") -> Item:
    return Item(f"i-{seq}", 0, 0, purge=purge, edge_seq=seq, boot=1)


def verdict(seq: int, disposition: Disposition) -> Verdict:
    return Verdict(f"i-{seq}", None, 0, disposition, (), (), (), "r", 0, None, 10 * MS, 9 * MS)


def settled(account: Account, seq: int, went: str, *, bad: bool = False) -> Account:
    account.inducted(Thing(seq, bad, 0, (1, seq), went=went, gone_ns=0))  # type: ignore[arg-type]
    account.finish()
    return account


class TestAccount:
    @pytest.mark.parametrize(
        ("records", "violations"),
        [
            ([born(0), ItemEnd("i-0", End.PASSED, 0, 0)], {}),
            ([], {"never born": 1}),
            ([born(0)], {"gone without an end": 1, "never ended": 1}),
            ([born(0), ItemEnd("i-0", End.PASSED, 0, 0), ItemEnd("i-0", End.LOST, 0, 0)], {"ended twice": 1}),
            ([ItemEnd("i-9", End.LOST, 0, 0), born(0), ItemEnd("i-0", End.PASSED, 0, 0)], {"end of nobody": 1}),
        ],
    )
    def test_each_breach_of_conservation_is_found(self, records: list[Item | ItemEnd], violations: object) -> None:
        account = Account()
        for record in records:
            account.enter(record, 0)
        assert settled(account, 0, "good").violations == violations

    @pytest.mark.parametrize(
        ("disposition", "bad", "went", "column"),
        [
            (Disposition.REJECT, True, "good", "missed"),
            (Disposition.NO_DECISION, False, "good", "missed"),
            (Disposition.PASS, False, "reject", "wrong"),
            (Disposition.PASS, True, "good", "escapes"),
        ],
    )
    def test_what_went_the_wrong_way_is_told_apart(
        self, disposition: Disposition, bad: bool, went: str, column: str
    ) -> None:
        account = Account()
        for record in (born(0), verdict(0, disposition), ItemEnd("i-0", End.PASSED, 0, 0)):
            account.enter(record, 0)
        assert settled(account, 0, went, bad=bad).counts[column] == 1

    @pytest.mark.parametrize(("known_ms", "late", "learnt_late"), [(5, 1, 0), (8, 1, 0), (9, 1, 1)])
    def test_a_late_verdict_on_what_was_learnt_late_is_told_apart(
        self, known_ms: int, late: int, learnt_late: int
    ) -> None:
        account = Account()
        account.enter(born(0), known_ms * MS)
        account.enter(replace(verdict(0, Disposition.NO_DECISION), deadline_ns=8 * MS, decided_ns=11 * MS), 11 * MS)
        assert (account.counts["deadline_misses"], account.counts["learnt_late"]) == (late, learnt_late)

    def test_accounts_of_two_lanes_add_up(self) -> None:
        one, two = Account(), Account()
        for account, seq in ((one, 0), (two, 1)):
            for record in (born(seq), verdict(seq, Disposition.REJECT), ItemEnd(f"i-{seq}", End.MISSED, 0, 0)):
                account.enter(record, 0)
            settled(account, seq, "good", bad=True)
        one.add(two)
        assert (one.counts["items"], one.counts["missed"], one.violations.total()) == (2, 2, 0)

    def test_quantiles_are_the_upper_ends_of_their_bins(self) -> None:
        histogram = Histogram()
        assert histogram.fields() == {"p50": None, "p99": None, "p999": None}
        for lasted_ms in (1.0, 1.0, 1.0, 9.0):
            histogram.note(lasted_ms * MS)
        assert histogram.fields() == {"p50": 1.05, "p99": 9.05, "p999": 9.05}


def test_a_danger_lasts_until_the_lane_is_safe_or_forgotten() -> None:
    agenda = Agenda(0)
    dangers = Dangers(agenda)
    dangers.begin(Kind.PARTITION)
    agenda.move_to(700 * MS)
    dangers.begin(Kind.PARTITION)  # the same one
    dangers.end()
    dangers.begin(Kind.HAND_REMOVAL)  # nobody demands anything
    dangers.begin(Kind.JAM)
    delivered(agenda)
    assert dangers.worst_ms() == {"partition": 700.0}
    assert dangers.unmet == {Kind.JAM: 1}


class TestScenarios:
    @pytest.mark.parametrize("name", names())
    def test_each_that_is_shipped_can_be_read_and_bears_its_name(self, name: str) -> None:
        assert shipped(name).name == name
        assert shipped(name).what

    def test_every_kind_of_fault_has_a_scenario(self) -> None:
        assert {fault.kind for name in names() for fault in shipped(name).fault} == set(Kind)

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("name = 1", "name"),
            ("[items]\ngap_mm = [9, 3]", "9 is more than 3"),
            ('[[fault]]\nkind = "fire"', "fault.0.kind"),
            ("colour = 'red'", "colour"),
            ("[", "no TOML"),
        ],
    )
    def test_one_that_cannot_run_is_refused_with_every_fault(self, tmp_path, text: str, fault: str) -> None:  # type: ignore[no-untyped-def]
        (tmp_path / "s.toml").write_text(text)
        with pytest.raises(ConfigError, match=fault):
            read_scenario(tmp_path / "s.toml")

    def test_an_unknown_name_is_answered_with_the_known_ones(self) -> None:
        with pytest.raises(ConfigError, match="nominal"):
            shipped("nirvana")
