"""Every disposition × every way an item can leave; late commands; strangers."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.dispatcher import Dispatcher, Settlement
from edge.core.messages import (
    TEST_PIECE,
    Disposition,
    DivertAck,
    DivertCommand,
    DivertOutcome,
    End,
    ItemEnd,
    Result,
    Verdict,
)
from tests.unit.lane import EXPECTED, GEOMETRY, MS, dark, item, light, reading

PASS, REJECT, NO_DECISION = Disposition.PASS, Disposition.REJECT, Disposition.NO_DECISION
AT_CONFIRM, AT_EXIT, PAST = 17_000, 17_500, 20_501


def verdict(disposition, item_id="i-1"):
    return Verdict(item_id, "order-1", 0, disposition, ("because",), (), (), "test", 0, None, 0, 0)


def dispatcher(divert_undecided=True):
    return Dispatcher(GEOMETRY, "lane1", divert_undecided=divert_undecided)


def leave(disposition, way, divert_undecided=True, purge=""):
    """The settlement of one item that was judged early and leaves by the confirm eye, the exit eye, or unseen."""
    lane, items = dispatcher(divert_undecided), {"i-1": replace(item(), purge=purge)}
    lane.plan([verdict(disposition)] if disposition else [], items, reading(5000))
    seen = {
        "confirm": reading(AT_CONFIRM, confirm_edges=(dark(AT_CONFIRM), light(AT_CONFIRM + 2000))),
        "exit": reading(AT_EXIT, exit_edges=(dark(AT_EXIT),)),
        "unseen": reading(PAST),
    }[way]
    return lane.settle(items, seen)


@pytest.mark.parametrize(
    ("disposition", "way", "end", "result", "replaced"),
    [
        (REJECT, "confirm", End.DIVERTED, Result.CONFIRMED, True),
        (REJECT, "exit", End.MISSED, Result.MISSED, False),
        (REJECT, "unseen", End.MISSED, Result.MISSED, True),
        (NO_DECISION, "confirm", End.NO_DECISION, Result.CONFIRMED, True),
        (NO_DECISION, "exit", End.MISSED, Result.MISSED, False),
        (NO_DECISION, "unseen", End.MISSED, Result.MISSED, True),
        (PASS, "confirm", End.DIVERTED, Result.UNEXPECTED, True),
        (PASS, "exit", End.PASSED, None, False),
        (PASS, "unseen", End.LOST, None, True),
        (None, "confirm", End.DIVERTED, Result.UNEXPECTED, True),
        (None, "exit", End.NO_DECISION, None, False),
        (None, "unseen", End.LOST, None, True),
    ],
)
def test_how_an_item_ends(disposition, way, end, result, replaced):
    settled = leave(disposition, way)
    assert [one.end for one in settled.ends] == [end]
    assert [one.result for one in settled.outcomes] == ([result] if result else [])
    assert len(settled.requests) == replaced


def test_a_site_may_let_undecided_items_pass():
    lane, items = dispatcher(divert_undecided=False), {"i-1": item()}
    assert lane.plan([verdict(NO_DECISION)], items, reading(5000)) == ()
    assert [one.end for one in leave(NO_DECISION, "exit", divert_undecided=False).ends] == [End.NO_DECISION]


def test_a_command_carries_the_window_and_dies_with_it():
    (command,) = dispatcher().plan([verdict(REJECT)], {"i-1": item()}, reading(5000, at_ms=1000))
    assert (command.open_counts, command.close_counts) == (14_700, 17_300)
    assert command.expires_ns == (1000 + 2460) * 1_000_000  # 1230 mm at 500 mm/s


@pytest.mark.parametrize(("counts", "commands"), [(14_699, 1), (14_700, 0), (16_000, 0)])
def test_a_late_command_is_not_made(counts, commands):
    assert len(dispatcher().plan([verdict(REJECT)], {"i-1": item()}, reading(counts))) == commands


def test_the_replacement_names_the_order_and_keeps_its_id():
    first, again = leave(REJECT, "confirm"), leave(REJECT, "confirm")
    (request,) = first.requests
    assert (request.request_id, request.item_id) == ("lane1-i-1", "i-1")
    assert (request.order_line, request.gtin) == ("order-1", "04000000000017")
    assert request.reasons == ("because", "seen on the reject lane")
    assert again.requests[0].request_id == request.request_id


@pytest.mark.parametrize(
    ("way", "end", "replaced"),
    [("confirm", End.NO_DECISION, True), ("exit", End.MISSED, False), ("unseen", End.MISSED, True)],
)
@pytest.mark.parametrize("disposition", [PASS, REJECT, NO_DECISION, None])
def test_a_purged_item_is_diverted_whatever_was_decided(disposition, way, end, replaced):
    settled = leave(disposition, way, purge="E-stop")
    assert [one.end for one in settled.ends] == [end]
    assert len(settled.requests) == replaced


def test_a_purge_after_a_pass_still_gets_its_command_once():
    lane, one = dispatcher(), item()
    assert lane.plan([verdict(PASS)], {"i-1": one}, reading(5000)) == ()
    purged = replace(one, purge="E-stop")
    (command,) = lane.plan([], {"i-1": purged}, reading(5010))
    assert command.reason == "purged: E-stop"
    assert lane.plan([], {"i-1": purged}, reading(5020)) == ()
    assert lane.plan([], {"i-1": one}, reading(5030)) == ()


def test_an_item_that_nobody_announced_cannot_be_ordered_again():
    lane, items = dispatcher(), {"i-1": item(expected=None)}
    lane.plan([verdict(REJECT)], items, reading(5000))
    assert lane.settle(items, reading(AT_CONFIRM, confirm_edges=(dark(AT_CONFIRM),))).requests == ()


def test_a_test_piece_is_not_ordered_again():
    lane = dispatcher()
    items = {"i-1": item(expected=replace(EXPECTED, attributes=((TEST_PIECE, "single"),)))}
    lane.plan([verdict(REJECT)], items, reading(5000))
    settled = lane.settle(items, reading(AT_CONFIRM, confirm_edges=(dark(AT_CONFIRM),)))
    assert ([one.end for one in settled.ends], settled.requests) == ([End.DIVERTED], ())


def test_after_a_restart_verdicts_hold_and_nobody_is_missed_too_soon():
    lane = Dispatcher(GEOMETRY, "lane1", divert_undecided=True, dispositions={"i-1": PASS}, patient_until_ns=3000 * MS)
    items = {"i-1": item()}
    assert lane.settle(items, reading(PAST, at_ms=2999)).ends == ()
    late = reading(PAST, at_ms=2999, exit_edges=(dark(AT_EXIT),))
    assert [one.end for one in lane.settle(items, late).ends] == [End.PASSED]


@pytest.mark.parametrize(
    ("eye", "at", "end"), [("confirm", AT_CONFIRM, End.DIVERTED), ("exit", AT_EXIT, End.NO_DECISION)]
)
def test_what_an_eye_tells_before_the_birth_is_told_is_not_lost(eye, at, end):
    """After a restart the broker gives the eyes' words one after the other, and a gap in the births is being filled."""
    lane = Dispatcher(GEOMETRY, "lane1", divert_undecided=True, patient_until_ns=3000 * MS)
    seen = {f"{eye}_edges": (dark(at, seq=7), light(at + 2000))}
    assert lane.settle({}, reading(AT_EXIT + 100, at_ms=1000, **seen)) == Settlement()
    assert lane.settle({}, reading(AT_EXIT + 200, at_ms=2000)) == Settlement()
    settled = lane.settle({"i-1": item()}, reading(AT_EXIT + 300, at_ms=2900))
    assert [(one.end, one.seen_counts, one.eye, one.edge_seq) for one in settled.ends] == [(end, at, eye, 7)]
    assert lane.settle({}, reading(PAST, at_ms=3001)) == Settlement()


def test_who_is_not_born_by_then_is_a_stranger():
    lane = Dispatcher(GEOMETRY, "lane1", divert_undecided=True, patient_until_ns=3000 * MS)
    assert lane.settle({}, reading(AT_CONFIRM, at_ms=2999, confirm_edges=(dark(AT_CONFIRM),))) == Settlement()
    (outcome,) = lane.settle({}, reading(AT_CONFIRM, at_ms=3000)).outcomes
    assert (outcome.item_id, outcome.result, outcome.seen_counts) == (None, Result.UNEXPECTED, AT_CONFIRM)
    assert lane.settle({}, reading(AT_CONFIRM, at_ms=3001)) == Settlement()


def test_the_word_of_an_eye_is_of_one_life_of_the_plc():
    lane = Dispatcher(GEOMETRY, "lane1", divert_undecided=True, patient_until_ns=3000 * MS)
    lane.settle({}, reading(AT_CONFIRM, at_ms=1000, confirm_edges=(dark(AT_CONFIRM),)))
    assert lane.settle({"i-1": replace(item(), boot=9)}, reading(AT_CONFIRM, at_ms=1010, boot=9)) == Settlement()


def test_an_unmeasured_item_is_commanded_at_its_deadline_at_the_latest():
    lane, items = dispatcher(), {"i-1": item(length_mm=None)}
    assert lane.plan([verdict(REJECT)], items, reading(1000)) == ()
    assert lane.plan([], {"i-1": item(length_mm=500.0)}, reading(6000))[0].close_counts == 20_300
    lane = dispatcher()
    lane.plan([verdict(REJECT)], items, reading(1000))
    assert len(lane.plan([], items, reading(14_201))) == 1


def test_a_window_that_has_passed_only_by_reckoning_is_not_given_up():
    lane = dispatcher()
    assert lane.plan([verdict(REJECT)], {"i-1": item()}, reading(16_000, stale=True)) == ()
    assert [one.open_counts for one in lane.plan([], {"i-1": item()}, reading(9000))] == [14_700]
    assert lane.late_commands == 0


def test_a_command_made_during_a_silence_is_not_made_again():
    lane = dispatcher()
    assert len(lane.plan([verdict(REJECT)], {"i-1": item()}, reading(5000, stale=True))) == 1
    assert lane.plan([], {"i-1": item()}, reading(5010)) == ()


def test_a_late_command_is_counted():
    lane = dispatcher()
    lane.plan([verdict(REJECT)], {"i-1": item()}, reading(14_700))
    lane.plan([], {"i-1": item()}, reading(14_710))
    assert lane.late_commands == 1


def test_nobody_is_missed_while_the_plc_is_silent():
    lane, items = dispatcher(), {"i-1": item()}
    assert lane.settle(items, reading(PAST, stale=True)).ends == ()
    assert lane.settle(items, reading(PAST, at_ms=2999)).ends == ()  # the eyes' word may still be under way
    assert len(lane.settle(items, reading(PAST, at_ms=3000)).ends) == 1


def test_a_restarted_plc_makes_places_unknown():
    settled = dispatcher().settle({"i-1": item()}, reading(0, boot=9))
    assert [one.end for one in settled.ends] == [End.LOST]


@pytest.mark.parametrize("eye", ["confirm_edges", "exit_edges"])
def test_a_stranger_at_an_eye_is_told_and_ends_nobody(eye):
    settled = dispatcher().settle({"i-1": item()}, reading(30, **{eye: (dark(90_000),)}))
    assert [one.result for one in settled.outcomes] == [Result.UNEXPECTED]
    assert settled.ends == ()


@given(st.lists(st.integers(-599, 599), min_size=1, max_size=8), st.data())
def test_each_item_ends_once_whatever_the_slip_and_the_lane(slips, data):
    items = {f"i-{n}": item(f"i-{n}", at_counts=4000 * n) for n in range(len(slips))}
    lane, ended = dispatcher(), []
    dispositions = {item_id: data.draw(st.sampled_from([PASS, REJECT, NO_DECISION])) for item_id in items}
    lane.plan([verdict(what, item_id) for item_id, what in dispositions.items()], items, reading(0))
    for n, slip in enumerate(slips):
        off = data.draw(st.booleans())
        counts = 4000 * n + (AT_CONFIRM if off else AT_EXIT) + slip
        edges = {"confirm_edges" if off else "exit_edges": (dark(counts),)}
        ended += lane.settle(dict(items), reading(counts, **edges)).ends
        items = {item_id: one for item_id, one in items.items() if item_id not in {end.item_id for end in ended}}
    assert sorted(end.item_id for end in ended) == sorted(dispositions)


@pytest.mark.parametrize(
    ("counts", "blind"),
    [(5000, False), (8199, False), (8200, True), (14_701, True), (17_300, True), (17_301, False)],
)
def test_what_must_go_off_and_was_not_told_in_time_is_the_safe_sides(counts, blind):
    lane = dispatcher()
    purged = {"i-1": replace(item(), purge="restart")}
    late = reading(14_701)
    lane.plan([], purged, late)  # too late for a command
    assert lane.settle(purged, reading(counts)).gate_blind is blind


@pytest.mark.parametrize(
    ("status", "blind"), [("accepted", False), ("duplicate", False), ("late", True), ("unknown", True), (None, True)]
)
def test_what_the_plc_has_taken_needs_no_safe_side(status, blind):
    lane, items = dispatcher(), {"i-1": item()}
    lane.plan([verdict(REJECT)], items, reading(1000))
    acks = [DivertAck("i-1-divert", status)] if status else []
    assert lane.plan([], items, reading(1001), acks) == ()
    assert not lane.settle(items, reading(1001)).gate_blind  # there is time for an answer
    assert lane.settle(items, reading(9000)).gate_blind is blind  # a second before the gate


@pytest.mark.parametrize(
    ("counts", "at_ms", "status", "said"),
    [
        (2000, 499, None, 0),  # the answer may be under way
        (2000, 500, None, 1),
        (2000, 500, "accepted", 0),
        (2000, 500, "late", 0),
        (14_699, 500, None, 1),
        (14_700, 500, None, 0),  # it would come too late
    ],
)
def test_an_unanswered_command_is_said_again_with_a_new_expiry(counts, at_ms, status, said):
    lane, items = dispatcher(), {"i-1": item()}
    (first,) = lane.plan([verdict(REJECT)], items, reading(1000))
    acks = [DivertAck("i-1-divert", status)] if status else []
    again = lane.plan([], items, reading(counts, at_ms=at_ms), acks)
    assert [one.command_id for one in again] == [first.command_id] * said
    assert all(one.expires_ns != first.expires_ns for one in again)
    assert lane.late_commands == 0


def test_the_answer_to_one_command_is_not_the_answer_to_another():
    lane, items = dispatcher(), {"i-1": item(), "i-2": item("i-2", at_counts=-4000)}
    lane.plan([verdict(REJECT)], items, reading(1000))
    lane.plan([verdict(REJECT, "i-2")], items, reading(1010, at_ms=100), [DivertAck("i-1-divert", "accepted")])
    again = lane.plan([], items, reading(1500, at_ms=700))
    assert [one.item_id for one in again] == ["i-2"]


def test_an_answer_to_a_command_of_nobody_is_no_news():
    lane, items = dispatcher(), {"i-1": item()}
    assert lane.plan([], items, reading(1000), [DivertAck("i-9-divert", "accepted")]) == ()
    assert lane.plan([verdict(REJECT)], items, reading(1000), [DivertAck("i-1-divert", "accepted")])
    assert lane.settle(items, reading(9000)).gate_blind  # the answer came before the question


LONGEST = GEOMETRY.counts(GEOMETRY.longest_mm)


@pytest.mark.parametrize("eye", ["induct", "confirm", "exit"])
def test_an_eye_that_stays_dark_for_longer_than_any_item_is_told(eye):
    lane, began = dispatcher(), 5000
    over = began + LONGEST + 1
    assert lane.settle({}, reading(began, **{f"{eye}_edges": (dark(began),)})).dark_eyes == ()
    assert lane.settle({}, reading(over - 1)).dark_eyes == ()
    assert lane.settle({}, reading(over)).dark_eyes == (eye,)
    assert lane.settle({}, reading(over, stale=True)).dark_eyes == ()  # nobody knows where the belt is
    assert lane.settle({}, reading(over + 1, **{f"{eye}_edges": (light(over + 1),)})).dark_eyes == ()
    assert lane.settle({}, reading(over + 2, **{f"{eye}_edges": (light(over + 2),)})).dark_eyes == ()


def test_a_restart_of_the_plc_forgets_which_eyes_were_dark():
    lane = dispatcher()
    lane.settle({}, reading(0, exit_edges=(dark(0),)))
    assert lane.settle({}, reading(LONGEST + 1, boot=9)).dark_eyes == ()


def test_what_passed_below_a_blocked_induct_eye_is_the_safe_sides_up_to_the_gate():
    lane, clear = dispatcher(), LONGEST + 1000
    lane.settle({}, reading(0, induct_edges=(dark(0),)))
    assert not lane.settle({}, reading(LONGEST)).gate_blind
    assert lane.settle({}, reading(clear)).gate_blind
    lane.settle({}, reading(clear, induct_edges=(light(clear),)))
    to_gate = GEOMETRY.counts(GEOMETRY.gate_mm + GEOMETRY.margin_mm)
    assert lane.settle({}, reading(clear + to_gate - 1)).gate_blind
    assert not lane.settle({}, reading(clear + to_gate)).gate_blind


def test_after_a_restart_of_the_plc_the_safe_side_takes_what_is_before_the_gate():
    lane = dispatcher()
    assert lane.settle({"i-1": item()}, reading(100, boot=9)).gate_blind
    assert lane.settle({}, reading(15_399, boot=9)).gate_blind
    assert not lane.settle({}, reading(15_400, boot=9)).gate_blind


OFF, ON = "seen on the reject lane", "seen on the good lane, though it was to be diverted"
UNSENT = "seen on the reject lane, though nobody sent it there"
NEVER = "not seen on either lane: taken off by hand, or lost"


@pytest.mark.parametrize(
    ("disposition", "way", "command_id", "result", "seen", "because", "end"),
    [
        (REJECT, "confirm", "i-1-divert", Result.CONFIRMED, (AT_CONFIRM, "confirm", 7), OFF, End.DIVERTED),
        (PASS, "confirm", None, Result.UNEXPECTED, (AT_CONFIRM, "confirm", 7), UNSENT, End.DIVERTED),
        (REJECT, "exit", "i-1-divert", Result.MISSED, (AT_EXIT, "exit", 8), ON, End.MISSED),
        (PASS, "exit", None, None, (AT_EXIT, "exit", 8), "", End.PASSED),
        (REJECT, "unseen", "i-1-divert", Result.MISSED, (None, "", -1), NEVER, End.MISSED),
        (PASS, "unseen", None, None, (None, "", -1), NEVER, End.LOST),
    ],
)
def test_an_end_is_recorded_with_who_saw_it_where_and_when(disposition, way, command_id, result, seen, because, end):
    lane, items = dispatcher(), {"i-1": item()}
    lane.plan([verdict(disposition)], items, reading(5000))
    settled = lane.settle(
        items,
        {
            "confirm": reading(AT_CONFIRM, at_ms=9, confirm_edges=(dark(AT_CONFIRM, seq=7),)),
            "exit": reading(AT_EXIT, at_ms=9, exit_edges=(dark(AT_EXIT, seq=8),)),
            "unseen": reading(PAST, at_ms=9),
        }[way],
    )
    counts, eye, seq = seen
    outcome = DivertOutcome(command_id, "i-1", result, counts, because, eye)
    assert settled.outcomes == ((outcome,) if result else ())
    assert settled.ends == (ItemEnd("i-1", end, counts, 9 * MS, eye, seq),)
    assert [one.reasons for one in settled.requests] == ([] if eye == "exit" else [("because", because)])


def test_an_item_of_another_life_of_the_plc_was_not_seen_where_the_counts_are():
    lane, items = dispatcher(), {"i-1": item()}
    lane.plan([verdict(REJECT)], items, reading(5000))
    settled = lane.settle(items, reading(AT_CONFIRM, boot=9, confirm_edges=(dark(AT_CONFIRM),)))
    told = "the PLC was restarted: its place is not known"
    assert [(one.item_id, one.because) for one in settled.outcomes] == [
        (None, "the confirm eye saw something that is not in the books"),
        ("i-1", told),
    ]
    assert [one.end for one in settled.ends] == [End.MISSED]


@pytest.mark.parametrize("eye", ["confirm", "exit"])
def test_a_stranger_is_recorded_with_the_eye_and_the_counts(eye):
    settled = dispatcher().settle({}, reading(30, **{f"{eye}_edges": (dark(20), light(25))}))
    because = f"the {eye} eye saw something that is not in the books"
    assert settled.outcomes == (DivertOutcome(None, None, Result.UNEXPECTED, 20, because, eye),)


def test_one_edge_takes_one_item_off_and_another_the_next():
    lane, items = dispatcher(), {"i-1": item(), "i-2": item("i-2", at_counts=300)}
    seen = reading(AT_EXIT, exit_edges=(dark(AT_EXIT + 100), dark(AT_EXIT + 120)))
    assert [end.item_id for end in lane.settle(items, seen).ends] == ["i-1", "i-2"]


def test_a_command_says_everything():
    told = replace(verdict(REJECT), reasons=("one", "two"))
    assert dispatcher().plan([told], {"i-1": item()}, reading(5000)) == (
        DivertCommand("i-1-divert", "i-1", 14_700, 17_300, 2460 * MS, "one; two"),
    )


@pytest.mark.parametrize(("speed", "lasts_s"), [(1000.0, 1.23), (50.0, 24.6), (2.0, 60), (0.0, 60)])
def test_a_command_outlives_no_belt_that_stands(speed, lasts_s):
    (command,) = dispatcher().plan([verdict(REJECT)], {"i-1": item()}, reading(5000, at_ms=1, speed=speed))
    assert command.expires_ns == MS + round(lasts_s * 1000) * MS


def test_what_ended_is_forgotten():
    """An item of the same name, were there one, would be new to us."""
    lane, items = dispatcher(), {"i-1": item()}
    lane.plan([verdict(REJECT)], items, reading(5000))
    lane.settle(items, reading(AT_CONFIRM, confirm_edges=(dark(AT_CONFIRM),)))
    assert lane.plan([], items, reading(5000, at_ms=600)) == ()
    assert len(lane.plan([verdict(REJECT)], items, reading(5000, at_ms=600))) == 1


def test_a_missed_divert_is_no_reason_to_divert_the_next():
    lane = dispatcher(divert_undecided=False)
    first = {"i-1": item()}
    lane.plan([verdict(REJECT)], first, reading(5000))
    lane.settle(first, reading(AT_EXIT, exit_edges=(dark(AT_EXIT),)))
    assert [one.end for one in lane.settle(first, reading(AT_EXIT, exit_edges=(dark(AT_EXIT),))).ends] == [
        End.NO_DECISION
    ]


@pytest.mark.parametrize("counts", [20_499, 20_500])
def test_an_item_is_not_missed_before_it_has_gone_well_past_both_eyes(counts):
    assert dispatcher().settle({"i-1": item()}, reading(counts)).ends == ()


def test_patience_after_a_silence_never_shortens_the_one_after_a_start():
    lane = Dispatcher(GEOMETRY, "lane1", divert_undecided=True, patient_until_ns=5000 * MS)
    lane.settle({}, reading(0, at_ms=5, stale=True))
    assert lane.settle({"i-1": item()}, reading(PAST, at_ms=4999)).ends == ()
    assert len(lane.settle({"i-1": item()}, reading(PAST, at_ms=5000)).ends) == 1
