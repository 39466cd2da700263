"""Every answer a rule can get × before and at the deadline; dates and lots against the order."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.judge import Judge, Recipe, Rule
from edge.core.messages import Agreement, Compared, Disposition, Verdict
from tests.unit.lane import EXPECTED, GEOMETRY, MS, evidence, item, reading

PASS, REJECT, NO_DECISION = Disposition.PASS, Disposition.REJECT, Disposition.NO_DECISION
LOOKS = Rule("anomaly", ("top",), required=True, reject_at=1.0)
DATE = Rule("expiry", ("side",), required=True, agrees="expiry")
LOT = Rule("lot", ("side",), required=False, agrees="lot")
EARLY, DUE = 5000, 14_201  # counts: well before, and just past, the deadline

GOOD_LOOKS, BAD_LOOKS = evidence(score=0.4), evidence(score=1.0)
BLURRED = evidence(score=9.0, valid=False)
GOOD_DATE = evidence("expiry", "side", reading="2027-03-12")
BAD_DATE = evidence("expiry", "side", reading="2026-12-01")
GOOD_LOT, BAD_LOT = evidence("lot", "side", reading="L1"), evidence("lot", "side", reading="L7")


def decide(rules, found, counts, expected=EXPECTED, today=date.min):
    judge = Judge(Recipe("test", rules), GEOMETRY)
    one = item(expected=expected)
    verdicts = judge.update({one.item_id: one}, found, reading(counts, today=today))
    return verdicts[0] if verdicts else None


@pytest.mark.parametrize(
    ("found", "early", "due"),
    [
        ([], None, NO_DECISION),
        ([GOOD_LOOKS], None, NO_DECISION),
        ([GOOD_DATE], None, NO_DECISION),
        ([BLURRED, GOOD_DATE], None, NO_DECISION),
        ([BLURRED, GOOD_LOOKS, GOOD_DATE, GOOD_LOT], PASS, PASS),
        ([GOOD_LOOKS, GOOD_DATE], None, PASS),  # the lot is waited for, not insisted on
        ([GOOD_LOOKS, GOOD_DATE, GOOD_LOT], PASS, PASS),
        ([GOOD_LOOKS, GOOD_DATE, evidence("lot", "side", valid=False)], PASS, PASS),
        ([BAD_LOOKS], REJECT, REJECT),
        ([BAD_DATE], REJECT, REJECT),
        ([GOOD_LOOKS, GOOD_DATE, BAD_LOT], REJECT, REJECT),
        ([GOOD_LOOKS, BAD_LOOKS, GOOD_DATE, GOOD_LOT], REJECT, REJECT),  # one bad frame outweighs a good one
        ([BLURRED, BAD_DATE], REJECT, REJECT),
        ([evidence(camera="side", score=9.0)], None, NO_DECISION),  # of a camera that no rule asks
        ([evidence(item_id="i-2", score=9.0)], None, NO_DECISION),  # of another item
    ],
)
def test_what_the_evidence_comes_to(found, early, due):
    for counts, wanted in ((EARLY, early), (DUE, due)):
        verdict = decide((LOOKS, DATE, LOT), found, counts)
        assert (verdict.disposition if verdict else None) == wanted


@pytest.mark.parametrize(
    ("rule", "printed", "expected", "today", "wanted"),
    [
        (DATE, "2027-03-12", EXPECTED, date(2026, 1, 1), PASS),
        (DATE, "2027-03-13", EXPECTED, date(2026, 1, 1), PASS),  # later harms nobody
        (DATE, "2027-03-11", EXPECTED, date(2026, 1, 1), REJECT),
        (DATE, "2027-03-12", EXPECTED, date(2027, 3, 12), PASS),  # still good on its last day
        (DATE, "2027-03-12", EXPECTED, date(2027, 3, 13), REJECT),
        (DATE, "2027-03-12", None, date(2026, 1, 1), NO_DECISION),  # nothing to hold it against
    ],
)
def test_dates_against_the_order(rule, printed, expected, today, wanted):
    verdict = decide((rule,), [evidence("expiry", "side", reading=printed)], DUE, expected, today)
    assert verdict.disposition == wanted


def test_a_required_check_that_vouches_for_nothing_is_the_reason_of_no_decision():
    verdict = decide((LOOKS,), [replace(BLURRED, because="too blurred")], DUE)
    assert (verdict.disposition, verdict.skipped) == (NO_DECISION, ("anomaly (top)",))
    assert verdict.reasons == ("anomaly (top): too blurred",)


def test_an_item_is_decided_once():
    judge = Judge(Recipe("test", (LOOKS,)), GEOMETRY)
    items = {"i-1": item()}
    assert len(judge.update(items, [GOOD_LOOKS], reading(EARLY))) == 1
    assert judge.update(items, [BAD_LOOKS], reading(DUE)) == ()


def test_a_verdict_says_why_and_what_was_skipped():
    verdict = decide((LOOKS, DATE, LOT), [GOOD_LOOKS, BLURRED], DUE)
    assert verdict.reasons == ("expiry (side): nothing came in time",)
    assert verdict.skipped == ("expiry (side)", "lot (side)")
    assert decide((DATE,), [BAD_DATE], DUE).reasons == (
        "expiry (side): expiry 2026-12-01 is printed, earlier than 2027-03-12 as expected",
    )


def test_a_purged_item_is_undecided_at_once_whatever_it_looks_like():
    judge = Judge(Recipe("test", (LOOKS,)), GEOMETRY)
    purged = replace(item(), purge="E-stop")
    (verdict,) = judge.update({"i-1": purged}, [GOOD_LOOKS], reading(EARLY))
    assert (verdict.disposition, verdict.reasons) == (NO_DECISION, ("purged: E-stop",))


def test_what_was_decided_before_a_restart_is_not_decided_again():
    judge = Judge(Recipe("test", (LOOKS,)), GEOMETRY, decided=["i-1"])
    assert judge.update({"i-1": item()}, [BAD_LOOKS], reading(DUE)) == ()


BOTH = Rule("defect", ("top", "side"), required=True, reject_at=0.0)


@pytest.mark.parametrize(
    ("top", "side", "early", "due"),
    [
        (2.0, -1.0, REJECT, REJECT),
        (1.0, -1.0, REJECT, REJECT),
        (1.0, -2.0, PASS, PASS),
        (5.0, None, None, NO_DECISION),  # both must have seen it
        (float("nan"), -9.0, None, NO_DECISION),  # what is no number never reads as small
        (float("-inf"), -9.0, None, NO_DECISION),
    ],
)
def test_a_rule_of_several_cameras_judges_the_mean_of_their_scores(top, side, early, due):
    found = [evidence("defect", "top", score=top)]
    found += [] if side is None else [evidence("defect", "side", score=side)]
    for counts, wanted in ((EARLY, early), (DUE, due)):
        verdict = decide((BOTH,), found, counts)
        assert (verdict.disposition if verdict else None) == wanted


@pytest.mark.parametrize(
    ("top", "side", "wanted"),
    [
        (0.5, 0.5, PASS),
        (0.006, 0.5, PASS),  # two cameras have two chances to err
        (0.005, 0.5, REJECT),
        (0.5, 0.001, REJECT),
        (None, 0.5, NO_DECISION),
    ],
)
def test_no_larger_share_of_sound_items_is_rejected_than_the_rule_bears(top, side, wanted):
    rule = Rule("anomaly", ("top", "side"), required=True, overkill=0.01)
    found = [evidence(camera="top", p_value=top, score=9.0), evidence(camera="side", p_value=side)]
    assert decide((rule,), found, DUE).disposition == wanted


@pytest.mark.parametrize("found", [evidence(score=None), evidence("expiry", "side", reading=None)])
def test_evidence_that_lacks_what_is_asked_decides_nothing(found):
    assert decide((LOOKS if found.check == "anomaly" else DATE,), [found], DUE).disposition is NO_DECISION


@given(st.lists(st.sampled_from([GOOD_LOOKS, BAD_LOOKS, BLURRED, GOOD_DATE, BAD_DATE, GOOD_LOT, BAD_LOT])))
def test_no_item_passes_without_all_that_is_required_and_none_is_undecided_past_its_deadline(found):
    verdict = decide((LOOKS, DATE, LOT), found, DUE)
    assert verdict is not None
    if verdict.disposition is PASS:
        assert GOOD_LOOKS in found
        assert GOOD_DATE in found
        assert not {id(BAD_LOOKS), id(BAD_DATE), id(BAD_LOT)} & {id(one) for one in found}


ORDER = replace(EXPECTED, attributes=(("colour", "red"), ("size", "L-1")))
COLOUR, SIZE = (Rule(name, ("side",), required=True, agrees=name) for name in ("colour", "size"))
BRAND = Rule("brand", ("side",), required=True, agrees="brand")


@pytest.mark.parametrize(
    ("rule", "reading", "wanted", "because"),
    [
        (COLOUR, "red", PASS, "colour (side): colour looked"),
        (COLOUR, "blue", REJECT, "colour (side): colour blue is printed, red is expected"),
        (SIZE, "1", REJECT, "size (side): size 1 is printed, L-1 is expected"),  # the L of a lot is a lot's alone
        (BRAND, "any", PASS, "brand (side): brand looked"),  # the order names none
        (LOT, "l1", PASS, "lot (side): lot looked"),
        (LOT, "L7", REJECT, "lot (side): lot L7 is printed, L1 is expected"),
    ],
)
def test_readings_against_the_order(rule, reading, wanted, because):
    verdict = decide((rule,), [evidence(rule.check, "side", reading=reading)], EARLY, ORDER)
    assert (verdict.disposition, verdict.reasons) == (wanted, (because,))


def test_what_nobody_announced_cannot_be_compared():
    found = [evidence("lot", "side", reading="L1")]
    verdict = decide((replace(LOT, required=True),), found, DUE, expected=None)
    assert (verdict.disposition, verdict.skipped) == (NO_DECISION, ("lot (side)",))
    assert verdict.reasons == ("lot (side): the warehouse has not announced this item",)


def test_what_nobody_announced_and_nobody_read_is_told_as_unread():
    unread = [evidence("lot", "side", valid=False)]
    assert decide((replace(LOT, required=True),), unread, DUE, expected=None).reasons == ("lot (side): lot looked",)


def test_a_rule_that_only_informs_asks_for_no_reading():
    verdict = decide((Rule("seal", ("side",), required=True),), [evidence("seal", "side")], EARLY)
    assert (verdict.disposition, verdict.reasons) == (PASS, ("seal (side): seal looked",))


def test_a_verdict_has_what_was_compared_for_each_rule_that_compares():
    verdict = decide((LOOKS, DATE, LOT), [GOOD_LOOKS, BAD_DATE, GOOD_LOT], DUE)
    assert (verdict.gtin, verdict.lot) == ("04000000000017", "L1")
    assert verdict.compared == (
        Compared("expiry", Agreement.MISMATCH, "2026-12-01", "2027-03-12"),
        Compared("lot", Agreement.MATCH, "L1", "L1"),
    )
    assert decide((LOOKS, DATE), [GOOD_LOOKS], DUE).compared == ()


@pytest.mark.parametrize(
    ("scores", "wanted"),
    [
        ([-3.0, 0.0], PASS),  # a score of nought is a score
        ([0.0, -3.0], PASS),
        ([0.9], PASS),
        ([0.9, 1.1], REJECT),
        ([0.0, 1.0], REJECT),
    ],
)
def test_the_worst_frame_of_a_camera_counts(scores, wanted):
    assert decide((LOOKS,), [evidence(score=one) for one in scores], EARLY).disposition is wanted


@pytest.mark.parametrize(("top", "side", "wanted"), [(0.9, 0.9, PASS), (1.6, 0.3, PASS), (1.7, 0.3, REJECT)])
def test_the_limit_is_held_against_the_mean(top, side, wanted):
    found = [evidence("defect", name, score=score) for name, score in (("top", top), ("side", side))]
    assert decide((replace(BOTH, reject_at=1.0),), found, EARLY).disposition is wanted


RARE = Rule("anomaly", ("top", "side"), required=True, overkill=0.05)


@pytest.mark.parametrize(
    ("top", "side", "wanted"),
    [
        ([0.5], [0.5], PASS),
        ([0.025], [0.5], REJECT),  # two cameras: each may err half as often
        ([0.5], [0.025], REJECT),
        ([0.026], [0.026], PASS),
        ([0.5, 0.02, 0.9], [0.5], REJECT),  # the most unusual look counts
        ([0.5, 0.0], [0.5], REJECT),
        ([None], [0.01], NO_DECISION),
    ],
)
def test_what_is_too_unusual_is_rejected_as_often_as_was_promised(top, side, wanted):
    found = [evidence(camera="top", p_value=one) for one in top] + [
        evidence(camera="side", p_value=one) for one in side
    ]
    assert decide((RARE,), found, DUE).disposition is wanted


def test_unusual_looks_say_why():
    found = [evidence(camera=name, p_value=0.01) for name in ("top", "side")]
    assert decide((RARE,), found, EARLY).reasons == ("anomaly (top+side): anomaly looked; anomaly looked",)


CODE = Rule("code", ("side",), required=True, agrees="code")


@pytest.mark.parametrize(
    ("gtin", "reading", "wanted"),
    [
        ("4006381333931", "04006381333931", PASS),  # thirteen digits or fourteen: one number
        ("4006381333931", "04006381333948", REJECT),
        ("no number", "no number", PASS),
    ],
)
def test_a_code_is_held_against_the_gtin(gtin, reading, wanted):
    found = [evidence("code", "side", reading=reading)]
    assert decide((CODE,), found, EARLY, replace(EXPECTED, gtin=gtin)).disposition is wanted


def test_several_cameras_all_say_why():
    found = [evidence("defect", name, score=-8.0) for name in ("top", "side")]
    assert decide((BOTH,), found, EARLY).reasons == ("defect (top+side): defect looked; defect looked",)


def test_a_verdict_tells_all_about_the_item():
    one = replace(item(at_counts=40), born_ns=3)
    found = (evidence(score=0.5, exposed_ns=7), evidence("other", exposed_ns=9))
    now = reading(EARLY, at_ms=1000)
    assert Judge(Recipe("test", (LOOKS,)), GEOMETRY).update({"i-1": one}, found, now) == (
        Verdict(
            item_id="i-1",
            order_line="order-1",
            leading_edge_counts=40,
            disposition=PASS,
            reasons=("anomaly (top): anomaly looked",),
            skipped=(),
            evidence=found,
            recipe="test",
            born_ns=3,
            exposed_ns=9,
            deadline_ns=GEOMETRY.deadline_ns(one, now),
            decided_ns=1000 * MS,
            gtin="04000000000017",
            lot="L1",
        ),
    )


def test_a_verdict_without_evidence_was_never_exposed():
    verdict = decide((LOOKS,), [], DUE, expected=None)
    assert (verdict.exposed_ns, verdict.order_line) == (None, None)
