"""The belt as messages tell it: lives of the PLC, what waited at the broker, what is said again."""

from collections import Counter

import pytest

from edge.conveyor.belt import BeltOverMqtt
from edge.core import topics
from edge.core.messages import End, ItemEnd
from edge.core.recovery import Known, recovered
from edge.core.wire import edge_fields
from tests.unit.lane import MS, dark, item, light
from tests.unit.test_recovery import entry


class Wire:
    """A connection whose messages are put in by hand."""

    def __init__(self):
        self.refused, self.waiting = Counter(), {topic.name: [] for topic in topics.TABLE}

    def take(self, topic):
        said, self.waiting[topic.name] = self.waiting[topic.name], []
        return said

    def belt(self, counts, edges=(), **more):
        told = [edge_fields("induct", edge) for edge in edges]
        fields = {"counts": counts, "plc_ns": 0, "speed_mm_per_s": 500.0, "edges": told, **more}
        self.waiting["belt"].append((0, fields))

    def confirm(self, *edges, eye="induct"):
        self.waiting["confirm"].append((0, {"edges": [edge_fields(eye, edge) for edge in edges]}))


def seqs(reading):
    return [edge.seq for edge in reading.induct_edges]


def fresh(known=None):
    wire = Wire()
    return wire, BeltOverMqtt(wire, 10, 500, known or Known())


def test_what_waited_at_the_broker_belongs_to_the_life_that_the_first_belt_message_names():
    wire, belt = fresh(Known(boot=7, next_seq={"induct": 37}))
    wire.confirm(dark(100, seq=37))
    assert seqs(belt.read(0)) == []
    wire.confirm(light(200, seq=38))
    wire.belt(500, [light(200, seq=38), dark(300, seq=39)], boot=7)
    reading = belt.read(MS)
    assert (seqs(reading), reading.boot) == ([37, 38, 39], 7)


def test_after_a_restart_in_another_life_of_the_plc_its_repeats_are_old():
    wire, belt = fresh(Known(boot=7, next_seq={"induct": 37}))
    wire.belt(500, [dark(300, seq=2)], boot=8)
    wire.belt(510, [dark(300, seq=2), light(400, seq=3)], boot=8)
    assert seqs(belt.read(0)) == []
    wire.belt(600, [light(400, seq=3), dark(500, seq=4)], boot=8)
    assert seqs(belt.read(MS)) == [4]


def test_a_plc_that_starts_anew_while_we_listen_tells_news():
    wire, belt = fresh()
    wire.belt(500_000, [], boot=7)
    belt.read(0)
    wire.belt(40, [dark(30, seq=1)], boot=8)
    assert seqs(belt.read(MS)) == [1]


def test_counts_that_fall_are_a_new_life_where_the_plc_names_none():
    wire, belt = fresh()
    wire.belt(500_000, [dark(10, seq=90)])
    before = belt.read(0).boot
    wire.belt(500_010, [dark(10, seq=90), light(499_000, seq=91)])
    assert seqs(belt.read(MS)) == [91]
    wire.belt(100, [dark(50, seq=0)])
    reading = belt.read(2 * MS)
    assert seqs(reading) == [0]
    assert reading.boot != before


def test_numbers_that_never_come_are_told():
    wire, belt = fresh()
    wire.belt(0, [dark(0, seq=0)])
    belt.read(0)
    missed = []
    for turn in range(60):
        wire.belt(turn, [dark(90, seq=4)])
        missed.append(belt.read(turn * MS).missed_edges)
    assert sum(missed) == 3


def test_what_a_plc_said_before_it_was_started_anew_is_dropped():
    wire, belt = fresh()
    wire.belt(500_000, [], boot=7)
    belt.read(0)
    wire.waiting["confirm"].append((0, {"boot": 7, "edges": [edge_fields("induct", dark(499_000, seq=139))]}))
    wire.belt(40, [dark(30, seq=0)], boot=8)
    assert seqs(belt.read(MS)) == [0]


def test_a_belt_message_that_was_overtaken_does_not_set_the_belt_back():
    wire, belt = fresh()
    for seq, counts in ((1, 100), (3, 300), (2, 200), (3, 300)):
        wire.belt(counts, boot=7, seq=seq)
    assert belt.read(0).counts == 300
    assert wire.refused == {("belt", "out_of_order"): 2}
    wire.belt(20, boot=8, seq=1)
    assert belt.read(0).counts == 20


@pytest.mark.parametrize("named", [{"seq": 1}, {"boot": 7}, {}])
def test_a_plc_that_names_no_life_or_counts_no_messages_is_believed(named):
    wire, belt = fresh()
    for counts in (100, 300, 200):
        wire.belt(counts, **named)
    assert belt.read(0).counts == 200
    assert not wire.refused


@pytest.mark.parametrize(
    ("known", "seen"),
    [
        (Known(boot=7, next_seq={"induct": 3}), [1, 2]),  # the first to leave, while the box was down
        (Known(boot=7, next_seq={"induct": 3, "confirm": 2}), [2]),
        (Known(boot=6, next_seq={"induct": 3}), []),  # of another life of the PLC: nobody here waits for it
        (Known(), []),
    ],
)
def test_after_a_restart_an_eye_that_had_seen_no_end_yet_tells_all_that_the_plc_repeats(known, seen):
    wire, belt = fresh(known)
    wire.belt(500, [], boot=7)
    wire.confirm(dark(100, seq=1), light(200, seq=2), eye="confirm")
    assert [edge.seq for edge in belt.read(0).confirm_edges] == seen


def test_a_light_edge_that_was_heard_before_the_restart_is_not_waited_for():
    wire, belt = fresh(recovered([*map(entry, (item("i-1"), ItemEnd("i-1", End.PASSED, 5, 0, "exit", 12)))]))
    wire.confirm(dark(300, seq=14), light(400, seq=15), eye="exit")
    wire.belt(500, [], boot=0)
    assert ([edge.seq for edge in belt.read(0).exit_edges], belt.holds) == ([14, 15], False)


def test_it_holds_what_waits_for_an_earlier_edge():
    wire, belt = fresh(Known(boot=7, next_seq={"induct": 37}))
    wire.belt(500, [dark(300, seq=38)], boot=7)
    assert (seqs(belt.read(0)), belt.holds) == ([], True)
    wire.confirm(light(200, seq=37))
    assert (seqs(belt.read(MS)), belt.holds) == ([37, 38], False)


def order(item, scan_counts=None):
    return {"item": item, "gtin": "04012345678901", "order_line": "1"} | (
        {"scan_counts": scan_counts} if scan_counts else {}
    )


@pytest.mark.parametrize(
    ("heard", "said", "announced"),
    [
        ((), [("w-1", 5)], ["w-1"]),
        ((("w-1", 5),), [("w-1", 5), ("w-2", 9)], ["w-2"]),
        ((("w-1", 5),), [("w-1", 6)], ["w-1"]),  # it comes round once more
        ((("w-1", None),), [("w-1", None)], []),
        ((("w-1", None),), [("w-1", None), ("w-1", None)], ["w-1"]),  # said again once is the broker, twice a person
    ],
)
def test_an_announcement_in_the_journal_is_not_taken_once_more(heard, said, announced):
    wire, belt = fresh(Known(heard=heard))
    wire.waiting["induct"] = [(0, order(*one)) for one in said]
    assert [one.wms_item for one in belt.read(0).announced] == announced
    assert wire.refused["induct", "replayed"] == len(said) - len(announced)
