"""A bad lot is held, a good one seldom; what is counted, by what, and what a restart and a release leave of it."""

import json
import math
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core import topics
from edge.core.bodies import body
from edge.core.lot_counts import LISTED, Counts, groups
from edge.core.lot_recovery import standing, tallied, usual
from edge.core.lots import OFF, LotLimits, Lots, log_evidence
from edge.core.messages import (
    PALLET,
    TEST_PIECE,
    Agreement,
    Alarm,
    Compared,
    Disposition,
    End,
    Expected,
    ItemEnd,
    LotGroup,
    LotHold,
    LotRelease,
    Releasing,
    ReplacementRequest,
    Verdict,
)
from edge.core.recovery import Known, Start
from edge.core.wire import decode, encode, hold_fields, owed_on, replacement_fields
from edge.recording.lines import HEADS, Head
from tests.unit.lane import EXPECTED, GEOMETRY, evidence, item, reading

PASS, REJECT, NO_DECISION = Disposition.PASS, Disposition.REJECT, Disposition.NO_DECISION
TODAY = date(2026, 11, 26)
LIMITS = LotLimits(usual_share=0.01)
LOT = LotGroup("lot", EXPECTED.gtin, "1")
SHARES = st.sampled_from([0.0005, 0.001, 0.01, 0.05, 0.2])


class Line:
    """Items one after the other past the judge and off the belt, and what the lots said."""

    def __init__(self, limits=LIMITS, known=None):
        self.lots = Lots(limits, GEOMETRY, known or Known(), "site")
        self.told, self.entries, self.count = [], [], 0

    def item(self, disposition, compared=(), order=EXPECTED, *, gone=True, at_counts=0, belt_counts=0.0):
        self.count += 1
        name, order = f"i-{self.count}", replace(order, order_line=f"o-{self.count}")
        one = item(name, at_counts, order)
        verdict = Verdict(
            name, order.order_line, 0, disposition, (), (), (evidence(item_id=name),), "r", 0, None, 0, 0,
            order.gtin, order.lot, tuple(compared),
        )  # fmt: skip
        told = self.lots.update(reading(belt_counts, at_ms=self.count, today=TODAY), [verdict], {name: one})
        self._note(one, *told, verdict)
        if gone:
            self.leave(name, disposition)
        return told

    def leave(self, name, disposition):
        went = (End.PASSED, "exit") if disposition is PASS else (End.DIVERTED, "confirm")
        end = ItemEnd(name, went[0], 0, 0, went[1], 1)
        self.lots.forget([end])
        self._note(end)

    def release(self, hold_id, by="Ada"):
        told = self.lots.update(reading(today=TODAY, releases=(Releasing(by, hold_id),)), [], {})
        self._note(*told)
        return told

    def of(self, kind):
        return [one for one in self.told if isinstance(one, kind)]

    def known(self):
        """What a restart finds in the journal."""
        return Known(holds=standing(self.entries), tallies=tallied(self.entries))

    def _note(self, *records):
        self.told += records
        self.entries += [(type(one).__name__, json.loads(json.dumps(body(one)))) for one in records]


def contradiction(agreement=Agreement.MISMATCH, probability=0.999, check="expiry", printed="2027-01-01"):
    return Compared(check, agreement, printed, "2027-03-12", probability=probability)


@given(SHARES, st.floats(0, 1), st.integers(0, 300), st.data())
def test_the_evidence_against_a_good_lot_is_not_expected_to_grow(usual, part, items, data):
    rejected, true_share = data.draw(st.integers(0, items)), part * usual
    now = math.exp(min(500, log_evidence(items, rejected, usual)))
    next_bad, next_good = (math.exp(min(500, log_evidence(items + 1, rejected + one, usual))) for one in (1, 0))
    assert true_share * next_bad + (1 - true_share) * next_good <= now * (1 + 1e-9)


@pytest.mark.parametrize("usual", [0.001, 0.01, 0.05])
@pytest.mark.parametrize("allowed", [0.001, 0.01])
def test_of_good_lots_no_more_are_ever_held_than_the_site_bears(usual, allowed):
    """Reckoned exactly, item by item, for a lot of 1500 at just the usual share."""
    limits = LotLimits(usual, false_holds=allowed)
    going, held = {0: 1.0}, 0.0  # rejects → probability that a lot has so many and was not held
    for items in range(1, 1501):
        grown = {}
        for rejected, chance in going.items():
            grown[rejected] = grown.get(rejected, 0.0) + chance * (1 - usual)
            grown[rejected + 1] = grown.get(rejected + 1, 0.0) + chance * usual
        bad = {
            rejected
            for rejected in grown
            if items >= limits.least_items and log_evidence(items, rejected, usual) >= limits.enough(LOT)
        }
        held += sum(grown[rejected] for rejected in bad)
        going = {rejected: chance for rejected, chance in grown.items() if rejected not in bad and chance > 1e-15}
    assert 0 < held <= allowed


def test_a_lot_that_is_all_bad_is_held_as_soon_as_a_share_is_believed():
    line = Line()
    told = [line.item(REJECT) for _ in range(LIMITS.least_items)]
    assert told[:-1] == [()] * (LIMITS.least_items - 1)
    hold, alarm = told[-1]
    assert (hold.group, hold.items, hold.rejected) == (LOT, 5, 5)
    assert (hold.hold_id, alarm.kind) == ("site-i-5-hold-lot", "lot_hold")
    assert hold.evidence == tuple(f"i-{n}/anomaly/top/f-1" for n in range(1, 6))
    assert hold.p_value <= LIMITS.false_holds
    assert "5 of 5 items rejected, 1.00% is usual" in hold.because
    assert not line.item(REJECT)  # it is held, and counted no more


def test_rejects_that_came_before_a_share_is_believed_count_with_the_next_item():
    line = Line(replace(LIMITS, least_items=6))
    for _ in range(5):
        line.item(REJECT)
    assert [type(one) for one in line.item(PASS)] == [LotHold, Alarm]


@pytest.mark.parametrize("limits", [LIMITS, replace(LIMITS, products={EXPECTED.gtin: 0.2})])
def test_a_product_may_have_a_usual_share_of_its_own(limits):
    line = Line(limits)
    for disposition in [REJECT, PASS] * 6:
        line.item(disposition)
    assert bool(line.of(LotHold)) is not limits.products


@pytest.mark.parametrize(
    ("limits", "disposition", "order"),
    [
        (OFF, REJECT, EXPECTED),
        (LIMITS, NO_DECISION, EXPECTED),  # nobody could judge it: that speaks neither way
        (LIMITS, REJECT, replace(EXPECTED, attributes=((TEST_PIECE, "single"),))),
        (replace(LIMITS, groups=("tote",)), REJECT, EXPECTED),
        (LIMITS, REJECT, replace(EXPECTED, lot=None)),  # nothing is known that it belongs to
    ],
)
def test_what_is_not_counted(limits, disposition, order):
    line = Line(limits)
    for _ in range(50):
        assert line.item(disposition, order=order) == ()
        assert line.lots.held(item("next", expected=order)) == ""


def test_an_item_without_an_order_belongs_to_no_lot():
    line = Line()
    one, verdict = item("i-1", expected=None), Verdict("i-1", None, 0, REJECT, (), (), (), "r", 0, None, 0, 0)
    assert line.lots.update(reading(today=TODAY), [verdict], {"i-1": one}) == ()
    assert line.lots.held(one) == ""


@pytest.mark.parametrize(
    ("compared", "disposition", "held"),
    [
        (contradiction(), REJECT, True),
        (contradiction(Agreement.EXPIRED), REJECT, True),
        (contradiction(check="lot"), REJECT, True),
        (contradiction(), PASS, False),  # the recipe does not mind
        (contradiction(probability=0.98), REJECT, False),
        (contradiction(probability=None), REJECT, False),
        (contradiction(Agreement.SHORT_DATED), REJECT, False),  # what an order asks for is not the lot's
        (contradiction(Agreement.UNREADABLE), REJECT, False),
        (contradiction(check="size"), REJECT, False),
    ],
)
def test_one_date_or_lot_that_surely_is_another_is_enough(compared, disposition, held):
    line = Line()
    told = line.item(disposition, [compared])
    assert bool(told) is held
    if held:
        assert "the rest must be looked at" in told[0].because


@pytest.mark.parametrize(("second", "held"), [("2027-01-01", True), ("2027-01-02", False)])
def test_what_one_doubtful_reading_says_a_second_item_may_confirm(second, held):
    line = Line()
    line.item(REJECT, [contradiction(probability=0.7)])
    assert bool(line.item(REJECT, [contradiction(probability=0.7, printed=second)])) is held


def test_a_contradiction_does_not_hold_a_product_for_a_day():
    line = Line(replace(LIMITS, groups=("day",)))
    assert line.item(REJECT, [contradiction()], replace(EXPECTED, lot=None)) == ()


NONE = Expected("w", "g", "o")


@pytest.mark.parametrize(
    ("order", "printed", "kinds"),
    [
        (replace(NONE, lot="L1", tote="t", seller="s"), "L2", {"lot": "1"}),  # as ordered, and nothing else
        (NONE, "", {"day": "2026-11-26"}),
        (NONE, "L2", {"lot": "2", "day": "2026-11-26"}),
        (replace(NONE, seller="s"), "", {"seller": "s 2026-11-26"}),
        (replace(NONE, tote="t", attributes=((PALLET, "p"),)), "", {"pallet": "p", "tote": "t"}),
    ],
)
def test_what_an_item_is_counted_by(order, printed, kinds):
    assert {one.kind: one.key for one in groups(order, TODAY, printed)} == kinds


def test_a_lot_is_one_however_it_is_written_and_is_told_as_it_was_first():
    first, other = (groups(replace(NONE, lot=lot), TODAY)[0] for lot in ("L 4521-R", "l4521r"))
    assert first == other
    assert str(first) == "lot L 4521-R of g"


def test_without_a_calendar_nothing_is_counted_by_day():
    assert groups(replace(NONE, seller="s"), date.min) == ()


def test_an_item_whose_lot_is_only_printed_is_counted_by_it_and_stopped_by_it():
    line, order = Line(), replace(EXPECTED, lot=None)
    printed = Compared("lot", Agreement.MATCH, "L77")
    for _ in range(5):
        line.item(REJECT, [printed], order)
    assert [one.group.kind for one in line.of(LotHold)] == ["lot"]
    line.item(PASS, [printed], order, gone=False)
    assert "lot L77" in line.lots.held(item(f"i-{line.count}", expected=order))
    assert line.lots.held(item("not-looked-at-yet", expected=order)) == ""


def test_of_a_held_lot_every_item_is_diverted_but_no_test_piece():
    line = Line()
    line.item(REJECT, [contradiction()])
    assert line.lots.held(item("next")) == "held: lot L1 of 04000000000017 (site-i-1-hold-lot)"
    assert line.lots.held(item("another", expected=replace(EXPECTED, lot="L2"))) == ""
    assert line.lots.held(item("piece", expected=replace(EXPECTED, attributes=((TEST_PIECE, "x"),)))) == ""


def test_an_item_that_nothing_held_is_asked_for_again_when_its_lot_is_held_and_when_its_print_was_read():
    line, other = Line(), replace(EXPECTED, lot="L2")
    line.item(REJECT, [contradiction()], replace(EXPECTED, lot="L9"))
    assert line.lots.held(item("waiting", expected=other)) == ""
    line.item(REJECT, [contradiction()], other)
    assert line.lots.held(item("waiting", expected=other))
    unknown = replace(EXPECTED, lot=None)
    assert line.lots.held(item(f"i-{line.count + 1}", expected=unknown)) == ""
    line.item(PASS, [Compared("lot", Agreement.MATCH, "L2")], unknown, gone=False)
    assert line.lots.held(item(f"i-{line.count}", expected=unknown))


def test_a_hold_lists_what_is_past_and_counts_the_rest():
    line = Line(replace(LIMITS, usual_share=0.001))
    for _ in range(LISTED + 10):
        line.item(PASS)
    line.item(REJECT, [contradiction()])
    (hold,) = line.of(LotHold)
    assert hold.order_lines == tuple(f"o-{n}" for n in range(11, LISTED + 11))
    assert (hold.unlisted, hold.items, hold.rejected) == (10, LISTED + 11, 1)


@pytest.mark.parametrize(("at_counts", "gate_mm", "listed"), [(0, 1500, ("o-1",)), (-15_000, 1500, ()), (0, 3000, ())])
def test_an_item_on_the_belt_is_past_once_the_gate_cannot_be_told_in_time(at_counts, gate_mm, listed):
    line = Line()
    line.lots.go_by(replace(GEOMETRY, gate_mm=gate_mm))
    line.item(PASS, gone=False)
    first = item("i-1", 0, replace(EXPECTED, order_line="o-1"))
    bad = item("i-2", 0, EXPECTED)
    verdict = Verdict("i-2", "o-2", 0, REJECT, (), (), (), "r", 0, None, 0, 0, compared=(contradiction(),))
    on_belt = {"i-1": first, "i-2": bad}
    hold, _ = line.lots.update(reading(15_000 + at_counts, today=TODAY), [verdict], on_belt)
    assert hold.order_lines == listed


def test_a_release_by_name_counts_anew():
    line = Line()
    for _ in range(5):
        line.item(REJECT)
    (hold,) = line.of(LotHold)
    release, alarm = line.release(hold.hold_id)
    assert (release.by, release.group, alarm.kind) == ("Ada", LOT, "lot_release")
    assert line.lots.held(item("next")) == ""
    assert [line.item(REJECT) for _ in range(4)] == [()] * 4
    assert [type(one) for one in line.item(REJECT)] == [LotHold, Alarm]


def test_a_release_of_what_does_not_stand_is_told_and_changes_nothing():
    line = Line()
    line.item(REJECT, [contradiction()])
    (alarm,) = line.release("another")
    assert "which does not stand" in alarm.because
    assert line.lots.held(item("next"))


@given(st.lists(st.sampled_from([PASS, PASS, REJECT, NO_DECISION, "release"]), max_size=60), st.integers(0, 60))
def test_after_a_restart_it_goes_on_where_it_was(course, restart):
    """Two lines, one of which is killed in between: the same holds, the same counts."""

    def run(line, steps):
        for step in steps:
            if step != "release":
                line.item(step)
            elif line.lots.holds:
                line.release(line.lots.holds[0].hold_id)

    whole, first = Line(), Line()
    run(whole, course)
    run(first, course[:restart])
    second = Line(known=first.known())
    second.count = first.count
    run(second, course[restart:])
    assert second.lots.holds == whole.lots.holds
    told = [one for one in (*first.told, *second.told) if isinstance(one, LotHold | LotRelease)]
    assert told == [one for one in whole.told if isinstance(one, LotHold | LotRelease)]


def test_what_was_seen_longest_ago_makes_room_and_holds_stay():
    counts = Counts(2)
    one, two, three = (LotGroup("lot", "g", key) for key in "123")
    for group in (one, two, one, three):
        counts.tally(group).items += 1
    assert ([(tally.group, tally.items) for tally in counts.tallies()], counts.forgotten) == ([(one, 2), (three, 1)], 1)
    line = Line(replace(LIMITS, most_open=2))
    line.item(REJECT, [contradiction()])
    for lot in range(2, 9):
        line.item(PASS, order=replace(EXPECTED, lot=f"L{lot}"))
    assert (line.lots.open, line.lots.forgotten, len(line.lots.holds)) == (2, 5, 1)
    assert line.lots.held(item("next"))


@pytest.mark.parametrize(
    ("order", "named"),
    [(EXPECTED, {"lot": "L1"}), (replace(EXPECTED, lot=None, tote="T" * 300), {"group": "T" * 200})],
)
def test_a_hold_is_said_in_full_within_the_protocols_bounds(order, named):
    line = Line()
    line.item(REJECT, [contradiction(printed="x" * 1000)], order)
    (hold,) = line.of(LotHold)
    fields = hold_fields(hold)
    said = decode(topics.LOT_HOLD, encode(1, fields))
    assert named.items() <= said.items()
    assert (said["request"], said["items"], said["rejected"], said["order_lines"]) == (hold.hold_id, 1, 1, [])
    assert owed_on(fields) is topics.LOT_HOLD


def test_a_replacement_is_owed_on_a_topic_of_its_own():
    request = ReplacementRequest("r", "i", "o", "g", ("why",))
    assert owed_on(replacement_fields(request)) is topics.REPLACEMENT


def test_what_is_usual_is_told_by_lots_that_were_never_held():
    line = Line()
    for disposition in (PASS, PASS, REJECT, NO_DECISION):
        line.item(disposition)
    line.item(REJECT, order=replace(EXPECTED, attributes=((TEST_PIECE, "x"),)))
    line.item(REJECT, [contradiction()], replace(EXPECTED, lot="L9"))
    line.item(PASS, order=replace(EXPECTED, lot=None))
    assert usual(line.entries) == {EXPECTED.gtin: (4, 1)}


def test_a_recording_keeps_what_was_held_and_counted_when_it_began():
    line = Line()
    line.item(REJECT, [contradiction()])
    line.item(REJECT, [contradiction(probability=0.5)], replace(EXPECTED, lot="L2"))
    start = Start("lane-1", 7, line.known())
    head = Head(format=1, made_by="0", recorded="", lane="lane", start=start, models={})
    assert start.known.holds
    assert start.known.tallies
    assert HEADS.validate_json(HEADS.dump_json(head)).start == start
