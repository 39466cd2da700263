"""When a person is told, and when the belt is to stop."""

from dataclasses import replace

import pytest

from edge.core.calibrated import Word
from edge.core.dispatcher import Settlement
from edge.core.drift import WINDOW
from edge.core.messages import (
    Alarm,
    ChallengeStart,
    Clearing,
    Disposition,
    DivertOutcome,
    End,
    Hold,
    Item,
    ItemEnd,
    LineStop,
    Result,
    Verdict,
)
from edge.core.supervision import Limits, Supervision
from edge.core.tracker import Tracked
from tests.unit.lane import EXPECTED, evidence, item, reading

REJECT, PASS = Disposition.REJECT, Disposition.PASS
QUIET = Tracked((), 0, (), (), ())


def outcome(result, item_id="i-1", eye=""):
    return DivertOutcome(None, item_id, result, 1 if eye else None, "because", eye)


def verdict(disposition):
    return Verdict("i-1", None, 0, disposition, (), (), (), "r", 0, None, 0, 0)


def told(supervision, *, verdicts=(), outcomes=(), tracked=QUIET, items=None, dark_eyes=(), **said):
    settled = Settlement(tuple(outcomes), dark_eyes=dark_eyes)
    return supervision.update(reading(**said), tracked, verdicts, settled, items or {})


def kinds(oversight):
    return [alarm.kind for alarm in oversight.alarms], len(oversight.stops)


def test_a_camera_is_told_when_it_fails_and_when_it_is_well_again():
    supervision, quiet = Supervision(Limits()), (QUIET, (), Settlement(()), {})

    def alarms(faults):
        return [one.because for one in supervision.update(reading(), *quiet, faults).alarms]

    assert alarms({}) == []
    assert alarms({"top": "stopped 1.0 s ago"}) == ["stopped 1.0 s ago"]
    assert alarms({"top": "stopped 1.1 s ago", "side": "is gone"}) == ["is gone"]
    assert alarms({"side": "is gone"}) == ["camera 'top' is well again"]


@pytest.mark.parametrize(
    ("one", "alarms", "stops"),
    [
        (outcome(Result.CONFIRMED, eye="confirm"), [], 0),
        (outcome(Result.MISSED), ["missed"], 0),  # the first of three that the site bears
        (outcome(Result.MISSED, eye="exit"), ["missed"], 1),  # what was rejected is on the good lane
        (outcome(Result.UNEXPECTED, eye="confirm"), ["unexpected"], 0),
        (outcome(Result.UNEXPECTED, None, eye="exit"), ["unexpected"], 1),  # nobody judged what passed there
    ],
)
def test_what_the_eyes_said(one, alarms, stops):
    assert kinds(told(Supervision(Limits(misses_to_stop=3)), outcomes=[one])) == (alarms, stops)


def test_misses_in_a_row_stop_the_line_and_a_confirmation_ends_the_row():
    supervision = Supervision(Limits(misses_to_stop=2))
    row = [Result.MISSED, Result.CONFIRMED, Result.MISSED, Result.MISSED]
    assert [kinds(told(supervision, outcomes=[outcome(result)]))[1] for result in row] == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("guard", "stops"), [("bin_full", 1), ("bin_open", 1), ("air_low", 1), ("jam", 1), ("door", 0), ("e_stop", 0)]
)
def test_a_guard_is_told_once_while_it_stands(guard, stops):
    supervision = Supervision(Limits())
    turns = [told(supervision, guards=frozenset({guard})) for _ in range(3)]
    assert [kinds(turn) for turn in turns] == [(["guard"], stops), ([], 0), ([], 0)]
    assert turns[-1].state == ("Aborted" if guard == "e_stop" else "Held" if stops else "Execute")


def test_a_silent_plc_stops_the_line_while_items_are_on_it():
    supervision, on_belt = Supervision(Limits()), {"i-1": item()}
    told(supervision)
    assert kinds(told(supervision, stale=True, items=on_belt)) == (["stale"], 1)
    assert kinds(told(supervision, stale=True, items=on_belt)) == ([], 0)
    assert kinds(told(supervision, items=on_belt)) == ([], 0)
    assert kinds(told(supervision, stale=True)) == (["stale"], 0)


def test_after_a_start_the_plc_has_time_for_its_first_word():
    supervision, on_belt = Supervision(Limits()), {"i-1": item()}
    silence = [kinds(told(supervision, at_ms=ms, stale=True, items=on_belt)) for ms in (0, 4999, 5000, 5001)]
    assert silence == [([], 0), ([], 0), (["stale"], 1), ([], 0)]


def test_items_that_came_unseen_stop_the_line():
    assert kinds(told(Supervision(Limits()), missed_edges=2)) == (["unseen_birth"], 1)


def test_slip_and_gaps_are_told():
    purged = Item("i-1", 0, 0, purge="gap of 12 mm (ByDistanceFault)")
    tracked = Tracked((purged,), 0, (), (), (3.0, -25.0))
    assert kinds(told(Supervision(Limits(slip_alarm_mm=20)), tracked=tracked)) == (["slip", "gap"], 0)


def test_rejects_in_a_row_are_told_then_stop_the_line():
    supervision = Supervision(Limits(reject_run=3))
    row = [kinds(told(supervision, verdicts=[verdict(REJECT)])) for _ in range(6)]
    assert row == [([], 0)] * 2 + [(["reject_run"], 0)] + [([], 0)] * 2 + [(["reject_run"], 1)]


@pytest.mark.parametrize("rejects_every", [0, 3])
def test_a_share_out_of_its_limits_either_way_is_told_then_stops_the_line(rejects_every):
    supervision = Supervision(Limits(reject_run=99, usual_reject_share=0.1, window_items=100))
    stream = [REJECT if rejects_every and n % rejects_every == 0 else PASS for n in range(300)]
    found = [kinds(told(supervision, verdicts=[verdict(one)])) for one in stream]
    assert [n for n, (alarms, _) in enumerate(found) if alarms] == [99, 199]
    assert [n for n, (_, stops) in enumerate(found) if stops] == [199]


def test_the_usual_share_is_not_told():
    supervision = Supervision(Limits(usual_reject_share=0.1, window_items=100))
    stream = [REJECT if n % 10 == 0 else PASS for n in range(400)]
    assert all(kinds(told(supervision, verdicts=[verdict(one)])) == ([], 0) for one in stream)


def test_a_named_person_clears_the_alarms():
    supervision = Supervision(Limits())
    held = told(supervision, outcomes=[outcome(Result.MISSED)])
    assert (held.state, held.why) == ("Held", "because")
    cleared = told(supervision, clearings=(Clearing("Ada", "alarms"),))
    assert [alarm.because for alarm in cleared.alarms] == ["Ada cleared alarms"]
    assert cleared.state == "Execute"


def test_a_gate_that_is_stuck_open_stops_the_line():
    supervision = Supervision(Limits(unexpected_to_stop=3))
    row = [kinds(told(supervision, outcomes=[outcome(Result.UNEXPECTED, eye="confirm")]))[1] for _ in range(3)]
    assert row == [0, 0, 1]


@pytest.mark.parametrize(
    ("stale", "gate_blind", "blind"), [(False, False, False), (True, False, True), (False, True, True)]
)
def test_no_heart_beats_while_we_are_blind(stale, gate_blind, blind):
    oversight = Supervision(Limits()).update(reading(stale=stale), QUIET, (), Settlement(gate_blind=gate_blind), {})
    assert oversight.blind is blind


def test_an_eye_that_stays_dark_stops_the_line_once_and_again_when_it_was_cleared_in_vain():
    supervision, cleared = Supervision(Limits()), (Clearing("kim", "alarms"),)
    turns = [told(supervision, dark_eyes=("exit",)) for _ in range(2)]
    turns.append(told(supervision, dark_eyes=("exit",), clearings=cleared))
    assert [kinds(turn) for turn in turns] == [(["eye"], 1), ([], 0), (["clearing", "eye"], 1)]
    assert kinds(told(supervision)) == ([], 0)


def test_a_stop_that_the_sentinel_asked_for_stands_until_it_is_cleared():
    supervision = Supervision(Limits())
    asked = told(supervision, stops_asked=("i-7 was not diverted",))
    assert (kinds(asked), asked.state, asked.why) == ((["sentinel"], 0), "Held", "i-7 was not diverted")
    assert told(supervision).state == "Held"
    assert told(supervision, clearings=(Clearing("kim", "alarms"),)).state == "Execute"


def words(oversight):
    return [(alarm.kind, alarm.because, alarm.item_id) for alarm in oversight.alarms]


def test_an_alarm_and_a_stop_say_what_why_of_which_item_and_when():
    told_of = told(Supervision(Limits()), at_ms=7, outcomes=[outcome(Result.MISSED)])
    assert told_of.alarms == (Alarm("missed", "because", "i-1", 7_000_000),)
    assert told_of.stops == (LineStop("because", 7_000_000),)


@pytest.mark.parametrize(
    ("said", "alarm", "state"),
    [
        ({"guards": frozenset({"e_stop"})}, ("guard", "guard e_stop is in alarm", None), ("Aborted", "E-stop")),
        ({"guards": frozenset({"door"})}, ("guard", "guard door is in alarm", None), ("Execute", "inspecting")),
        ({"stale": True}, ("stale", "the PLC is silent", None), ("Execute", "inspecting")),
        (
            {"missed_edges": 2},
            ("unseen_birth", "2 edges of the induct eye were never told", None),
            ("Held", "2 edges of the induct eye were never told"),
        ),
        (
            {"clearings": (Clearing("Ada", "items"),)},
            ("clearing", "Ada cleared items", None),
            ("Execute", "inspecting"),
        ),
        (
            {"holds": (Hold("Ada", "the belt's scale"),)},
            ("held", "Ada holds the lane: the belt's scale", None),
            ("Held", "Ada holds the lane: the belt's scale"),
        ),
    ],
)
def test_what_the_belt_says_in_words(said, alarm, state):
    supervision = Supervision(Limits())
    told(supervision)
    oversight = told(supervision, **said)
    assert (words(oversight), (oversight.state, oversight.why)) == ([alarm], state)


def worded(supervision, word, **said):
    return supervision.update(reading(**said), QUIET, (), Settlement(()), {}, {}, word)


def test_a_hold_asks_for_no_stop_and_is_cleared_by_name():
    supervision = Supervision(Limits())
    assert told(supervision, holds=(Hold("Ada", "belt"),)).stops == ()
    assert told(supervision).state == "Held"
    assert told(supervision, clearings=(Clearing("Ada", "alarms"),)).state == "Execute"


def test_what_is_said_of_calibrations_is_told_once_and_stands_in_the_state():
    supervision = Supervision(Limits())
    refused = Word({"belt.top": "1; refused: unsigned"}, {"belt.top": "refused: unsigned"}, "belt.top version 2 waits")
    said = worded(supervision, refused)
    assert words(said) == [("calibration", "belt.top: refused: unsigned", None)]
    assert said.why == "inspecting; calibration refused: belt.top; belt.top version 2 waits"
    assert (said.state, said.stops, said.blind, said.calibration) == ("Execute", (), False, refused.labels)
    assert words(worded(supervision, refused)) == []
    assert words(worded(supervision, Word())) == [("calibration", "belt.top is good again", None)]
    assert worded(supervision, Word()).why == "inspecting"


def test_what_decisions_rest_on_and_is_not_believed_holds_the_lane_and_stills_its_heart():
    supervision = Supervision(Limits())
    unsafe = Word(unsafe="not believed at the start: belt.top")
    said = worded(supervision, unsafe)
    assert (said.state, said.blind, [one.because for one in said.stops]) == ("Held", True, [unsafe.unsafe])
    again = worded(supervision, unsafe)
    assert (again.state, again.blind, again.stops) == ("Held", True, ())
    cleared = worded(supervision, Word(), clearings=(Clearing("Ada", "alarms"),))
    assert (cleared.state, cleared.blind) == ("Execute", False)


def test_a_lane_that_is_held_names_every_reason():
    guards = frozenset({"jam", "bin_full"})
    held = told(Supervision(Limits()), guards=guards, outcomes=[outcome(Result.MISSED)])
    assert (held.state, held.why) == ("Held", "guard jam is in alarm; because")


@pytest.mark.parametrize(
    ("purge", "slip_mm", "alarms"),
    [
        ("", 20.0, []),
        ("", -20.1, [("slip", "an item slipped by -20 mm", None)]),
        ("on the belt during an E-stop", 0.0, []),
        ("999 mm long (ByLength)", 0.0, [("gap", "999 mm long (ByLength)", "i-1")]),
        ("gap of 12 mm (ByDistanceFault)", 0.0, [("gap", "gap of 12 mm (ByDistanceFault)", "i-1")]),
    ],
)
def test_what_the_tracker_found_in_words(purge, slip_mm, alarms):
    tracked = Tracked((Item("i-1", 0, 0, purge=purge),), 0, (), (), (slip_mm,))
    assert words(told(Supervision(Limits(slip_alarm_mm=20)), tracked=tracked)) == alarms


def test_runs_begin_anew_with_what_breaks_them_and_with_a_clearing():
    cleared = (Clearing("Ada", "alarms"),)
    supervision = Supervision(Limits(reject_run=3, misses_to_stop=2))
    row = [REJECT, REJECT, PASS, REJECT, REJECT]
    assert [kinds(told(supervision, verdicts=[verdict(one)])) for one in row] == [([], 0)] * 5
    told(supervision, outcomes=[outcome(Result.MISSED)])
    told(supervision, clearings=cleared)
    assert kinds(told(supervision, outcomes=[outcome(Result.MISSED)])) == (["missed"], 0)
    assert [kinds(told(supervision, verdicts=[verdict(REJECT)]))[0] for _ in range(3)] == [[], [], ["reject_run"]]


def shares(supervision, stream):
    """Where in a stream of verdicts (1: rejected) the share was told, and where it asked for a stop."""
    found = [told(supervision, verdicts=[verdict(REJECT if one else PASS)]) for one in stream]
    assert {alarm.kind for one in found for alarm in one.alarms} <= {"reject_rate"}
    return [n for n, one in enumerate(found) if one.alarms], [n for n, one in enumerate(found) if one.stops]


NINETY = Limits(reject_run=999, usual_reject_share=0.9, window_items=100)  # 3 sigma: 81 to 99 of 100


@pytest.mark.parametrize(("rejected", "alarms"), [(81, []), (80, [99]), (99, []), (100, [99])])
def test_the_control_limits_are_three_sigmas_wide(rejected, alarms):
    assert shares(Supervision(NINETY), [1] * rejected + [0] * (100 - rejected))[0] == alarms


def test_a_share_that_came_back_is_told_anew_when_it_leaves_again():
    spoilt, usual = [0] * 100, [1] * 90 + [0] * 10
    assert shares(Supervision(NINETY), spoilt + usual + spoilt) == ([99, 209], [])  # 80 of 100


def test_a_share_that_is_still_out_of_its_limits_after_a_clearing_is_told_again():
    supervision = Supervision(NINETY)
    assert shares(supervision, [0] * 300) == ([99, 199], [199])
    told(supervision, clearings=(Clearing("Ada", "alarms"),))
    assert shares(supervision, [0] * 200) == ([99, 199], [199])


@pytest.mark.parametrize(
    ("every_s", "start", "outcomes", "alarms"),
    [
        (0, ChallengeStart("single", "Ada", ()), ["failed"], ["single: single takes 1 different test pieces"]),
        (1e-9, None, ["overdue"], ["any: no good challenge test in time"]),
    ],
)
def test_a_challenge_that_is_not_passed_is_an_alarm(every_s, start, outcomes, alarms):
    supervision = Supervision(Limits(challenge_every_s=every_s))
    told(supervision)
    oversight = told(supervision, at_ms=0 if start else 1, challenges=(start,) if start else ())
    assert [one.outcome for one in oversight.results][:1] == outcomes
    assert words(oversight)[:1] == [("challenge", alarms[0], None)]
    assert oversight.stops == ()


def test_a_challenge_that_is_passed_is_none_and_follows_the_items():
    supervision = Supervision(Limits())
    piece = {"a": item("a", expected=replace(EXPECTED, wms_item="a"))}
    told(supervision, challenges=(ChallengeStart("single", "Ada", ("a",)),))
    ended = Settlement(ends=(ItemEnd("a", End.DIVERTED, 0, 0),))
    oversight = supervision.update(reading(), QUIET, (), ended, piece)
    assert ([one.outcome for one in oversight.results], oversight.alarms) == (["passed"], ())


def test_a_camera_that_drifts_is_told_and_stops_nothing():
    supervision = Supervision(Limits(reject_run=1000))
    looked = replace(verdict(Disposition.PASS), evidence=(evidence(p_value=0.1),))
    turns = [kinds(told(supervision, verdicts=[looked])) for _ in range(WINDOW)]
    assert turns == [([], 0)] * (WINDOW - 1) + [(["drift"], 0)]


def test_items_that_went_off_for_their_lot_say_nothing_of_how_the_lane_judges():
    supervision = Supervision(Limits(reject_run=3, usual_reject_share=0.2, window_items=40))
    held = {"i-1": replace(item(), purge="held: lot L (ByLength) of 0401 (h)")}
    for _ in range(100):
        assert kinds(told(supervision, verdicts=[verdict(Disposition.NO_DECISION)], items=held)) == ([], 0)
    found = [kinds(told(supervision, verdicts=[verdict(REJECT)])) for _ in range(2)]
    assert found == [([], 0)] * 2
    assert kinds(told(supervision, verdicts=[verdict(Disposition.NO_DECISION)], items=held)) == ([], 0)
    assert kinds(told(supervision, verdicts=[verdict(REJECT)])) == (["reject_run"], 0)  # they do not end a run either
    named = replace(item(), purge="held: lot (ByLength) of 0401 (h)")
    assert kinds(told(supervision, tracked=replace(QUIET, changed=(named,)))) == ([], 0)


def test_a_ledger_that_is_not_written_is_told_then_stops_the_belt_and_is_told_when_it_is_well_again():
    supervision, quiet, cleared = Supervision(Limits(unwritten_stop_s=30)), (QUIET, (), Settlement(()), {}), "alarms"
    seen = []
    for waits_s in (0, 9, 10, 11, 29, 30, 31, 0, 1):
        oversight = supervision.update(reading(), *quiet, unwritten_s=waits_s)
        seen += [(waits_s, one.kind, len(oversight.stops)) for one in oversight.alarms]
    assert seen == [(10, "ledger", 0), (30, "ledger", 1), (0, "ledger", 0)]
    assert supervision.state == "Held"
    supervision.update(reading(clearings=(Clearing("kim", cleared),)), *quiet)
    assert supervision.state == "Execute"


def test_a_ledger_that_is_still_not_written_stops_the_belt_again_after_a_person_has_cleared_it():
    supervision, quiet = Supervision(Limits(unwritten_stop_s=5)), (QUIET, (), Settlement(()), {})
    first = supervision.update(reading(), *quiet, unwritten_s=5)
    again = supervision.update(reading(clearings=(Clearing("kim", "alarms"),)), *quiet, unwritten_s=6)
    assert [len(one.stops) for one in (first, again)] == [1, 1]
    assert supervision.state == "Held"
