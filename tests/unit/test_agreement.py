"""A reading beside the order: every agreement, its words for a person, and what lot isolation is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.agreement import Terms, contradiction, doubt, held
from edge.core.judge import Answer, Finding, Rule, finding
from edge.core.messages import Agreement, Compared, Evidence
from tests.unit.lane import EXPECTED, evidence, item

TODAY = date(2026, 6, 1)
DUE = "2027-03-12"  # as EXPECTED has it


def print_of(check: str = "expiry", reading: str | None = DUE, **more: object) -> Evidence:
    return evidence(check, "side", reading=reading, source="print", valid=reading is not None, **more)


def code_of(check: str = "expiry", reading: str | None = DUE, **more: object) -> Evidence:
    return evidence(check, "side", reading=reading, source="code", valid=reading is not None, **more)


def judged(rule: Rule, *found: Evidence, **order: object) -> Finding:
    return finding(rule, item(expected=replace(EXPECTED, **order)), found, TODAY)


EXPIRY = Rule("expiry", ("side",), required=True, agrees="expiry")
LOT = Rule("lot", ("side",), required=True, agrees="lot")


@pytest.mark.parametrize(
    ("printed", "rule", "attributes", "agreement", "answer", "because"),
    [
        (DUE, EXPIRY, {}, "match", Answer.GOOD, "expiry looked"),
        ("2027-03-13", EXPIRY, {}, "match", Answer.GOOD, "expiry looked"),
        ("2027-03-11", EXPIRY, {}, "mismatch", Answer.BAD, "expiry 2027-03-11 is printed, earlier than 2027-03-12"),
        ("2026-05-31", EXPIRY, {}, "expired", Answer.BAD, "expired on 2026-05-31"),
        (DUE, replace(EXPIRY, least_days=284), {}, "match", Answer.GOOD, "expiry looked"),
        (DUE, replace(EXPIRY, least_days=285), {}, "short_dated", Answer.BAD, "284 days left, 285 are asked for"),
        (DUE, EXPIRY, {"least_days": "300"}, "short_dated", Answer.BAD, "284 days left, 300 are asked for"),
        (DUE, replace(EXPIRY, least_days=999), {"least_days": "30"}, "match", Answer.GOOD, "expiry looked"),
        (DUE, replace(EXPIRY, least_days=999), {"least_days": "many"}, "short_dated", Answer.BAD, "999 are asked for"),
        ("2027-03-11", replace(EXPIRY, least_days=999), {}, "mismatch", Answer.BAD, "earlier than"),
    ],
)
def test_what_a_date_comes_to(
    printed: str, rule: Rule, attributes: dict[str, str], agreement: str, answer: Answer, because: str
) -> None:
    found = judged(rule, print_of(reading=printed), attributes=tuple(attributes.items()))
    assert found.compared is not None
    assert (found.compared.agreement, found.answer) == (agreement, answer)
    assert because in found.because
    assert (found.compared.printed, found.compared.expected) == (printed, DUE)


def test_a_site_that_does_not_know_the_day_has_nothing_expired_or_short_dated() -> None:
    terms = Terms("expiry", replace(EXPECTED, expiry=None), date.min, least_days=30)
    assert held(terms, print_of(reading="2001-01-01")).compared.agreement is Agreement.MATCH


RIVALS = (("2026-03-12", 0.6), (DUE, 0.3))


@pytest.mark.parametrize(
    ("found", "agreement", "because"),
    [
        (print_of(reading=None), "unreadable", "expiry looked"),
        (print_of(reading=None, rivals=(("2027-01-01", 0.4),)), "unreadable", "expiry looked"),
        (
            print_of(reading=None, rivals=RIVALS),
            "ambiguous",
            "allows 2027-03-12 too: log P(best) - log P(expected) = 0.7",
        ),
        (print_of(reading=None, rivals=(*RIVALS[:1], ("2026-12-03", 0.3))), "ambiguous", "expiry looked"),
    ],
)
def test_what_is_not_vouched_for_needs_a_person(found: Evidence, agreement: str, because: str) -> None:
    one = judged(EXPIRY, found)
    assert one.answer is Answer.INVALID
    assert one.compared is not None
    assert one.compared.agreement == agreement
    assert one.because.endswith(because)
    assert one.compared.printed is None


def test_what_is_expected_is_never_preferred_but_a_person_is_told_how_far_off_it_is() -> None:
    one = judged(EXPIRY, print_of(reading="2027-03-11", rivals=(("2027-03-11", 0.9), (DUE, 0.1))))
    assert one.answer is Answer.BAD
    assert one.because.endswith("; the print allows 2027-03-12 too: log P(best) - log P(expected) = 2.2")
    impossible = judged(EXPIRY, print_of(reading="2027-03-11", rivals=(("2027-03-11", 0.9), (DUE, 0.0))))
    assert impossible.because.endswith("= inf")


@pytest.mark.parametrize(
    ("kind", "ordered", "agreement"),
    [
        ("use_by", "use_by", "match"),
        ("best_before", "use_by", "mismatch"),
        ("use_by", "best_before", "mismatch"),
        ("expiry", "use_by", "match"),  # the words do not tell
        ("", "use_by", "match"),
        ("use_by", "any", "match"),
    ],
)
def test_use_by_is_not_best_before(kind: str, ordered: str, agreement: str) -> None:
    one = judged(EXPIRY, print_of(kind=kind), attributes=(("expiry_kind", ordered),))
    assert one.compared is not None
    assert one.compared.agreement == agreement
    assert agreement == "match" or f"{ordered.replace('_', ' ')} is expected" in one.because


def test_a_contradiction_says_what_the_print_calls_its_date() -> None:
    found = judged(EXPIRY, print_of(reading="2027-01-01", kind="best_before"))
    assert found.because.startswith("best before 2027-01-01 is printed, earlier than")
    encoded = judged(EXPIRY, print_of(), code_of(reading="2027-01-01"))
    assert encoded.because.startswith("expiry 2027-01-01 is encoded, earlier than")


@pytest.mark.parametrize(
    ("source", "found", "answer"),
    [
        ("print", [print_of()], Answer.GOOD),
        ("print", [code_of()], Answer.NONE),  # a code does not speak for the print
        ("print", [print_of(reading=None), code_of()], Answer.INVALID),
        ("print", [evidence("expiry", "side", reading=DUE)], Answer.GOOD),  # of a check that names no source
        ("code", [code_of()], Answer.GOOD),
        ("code", [print_of()], Answer.NONE),
        ("code", [code_of(reading=None)], Answer.INVALID),
        ("either", [code_of()], Answer.GOOD),
        ("either", [print_of()], Answer.GOOD),
        ("either", [print_of(reading=None), code_of()], Answer.GOOD),
        ("both", [print_of()], Answer.NONE),
        ("both", [code_of()], Answer.NONE),
        ("both", [print_of(), code_of()], Answer.GOOD),
        ("both", [print_of(), code_of(reading=None)], Answer.INVALID),
    ],
)
def test_who_has_to_vouch(source: str, found: Sequence[Evidence], answer: Answer) -> None:
    assert judged(replace(EXPIRY, source=source), *found).answer is answer


@pytest.mark.parametrize("source", ["print", "code", "either", "both"])
def test_a_print_that_its_code_contradicts_is_bad_whatever_the_order_says(source: str) -> None:
    later, still_later = "2027-04-01", "2027-05-01"  # both are good beside the order
    one = judged(replace(EXPIRY, source=source), print_of(reading=later), code_of(reading=still_later))
    assert one.answer is Answer.BAD
    assert one.because == "expiry 2027-04-01 is printed, the code says 2027-05-01"
    assert one.compared is not None
    assert (one.compared.printed, one.compared.encoded, one.compared.expected) == (later, still_later, DUE)


@pytest.mark.parametrize(
    ("rivals", "answer"),
    [
        ((("2027-04-03", 0.5), ("2027-03-04", 0.5)), Answer.GOOD),  # the code's date is one that the print allows
        ((("2028-04-03", 0.5), ("2028-03-04", 0.45)), Answer.BAD),  # whichever is printed, it is not the code's
        ((("2028-04-03", 0.5), ("2028-03-04", 0.4)), Answer.BAD),
        ((("2028-04-03", 0.5), ("2028-03-04", 0.3)), Answer.GOOD),  # it may be something else
        ((), Answer.GOOD),
    ],
)
def test_print_in_doubt_may_contradict_its_code(rivals: tuple[tuple[str, float], ...], answer: Answer) -> None:
    code, printed = code_of(reading="2027-04-03"), print_of(reading=None, rivals=rivals)
    one = judged(replace(EXPIRY, source="either"), printed, code)
    assert one.answer is answer
    assert answer is Answer.GOOD or "2028-04-03 or 2028-03-04 is printed, the code says 2027-04-03" in one.because


@pytest.mark.parametrize(
    ("printed", "encoded", "lot", "answer"),
    [
        ("L4821-A", "4821A", None, Answer.GOOD),
        ("L4821-A", "4821B", None, Answer.BAD),
        ("L1", "1", "L1", Answer.GOOD),
        ("L1", "2", "L1", Answer.BAD),
        ("L2", "1", "L1", Answer.BAD),
    ],
)
def test_lots_on_print_and_in_codes(printed: str, encoded: str, lot: str | None, answer: Answer) -> None:
    assert judged(LOT, print_of("lot", printed), code_of("lot", encoded), lot=lot).answer is answer


@pytest.mark.parametrize(
    ("found", "because"),
    [
        ([print_of("lot", "L2")], "lot L2 is printed, L1 is expected"),
        ([print_of("lot", "L1"), code_of("lot", "L2")], "lot L2 is encoded, L1 is expected"),
    ],
)
def test_a_wrong_lot_says_where_it_stands(found: Sequence[Evidence], because: str) -> None:
    assert judged(LOT, *found).because == because


def test_what_was_compared_is_told_in_full() -> None:
    found = judged(LOT, print_of("lot", "L2", probability=0.75)).compared
    assert found == Compared("lot", Agreement.MISMATCH, "L2", "L1", None, 0.75)
    found = judged(EXPIRY, print_of(reading="2027-04-01", probability=0.75), code_of(reading="2027-05-01")).compared
    assert found == Compared("expiry", Agreement.MISMATCH, "2027-04-01", DUE, "2027-05-01", 0.75)


def test_serials_differ_by_a_dash_lots_do_not() -> None:
    serial = Rule("serial", ("side",), required=True, agrees="serial")
    assert judged(serial, print_of("serial", "A-12"), code_of("serial", "A12")).answer is Answer.BAD
    assert judged(LOT, print_of("lot", "A-12"), code_of("lot", "A12"), lot=None).answer is Answer.GOOD


@pytest.mark.parametrize("unsure", [print_of(reading="2027-01-01"), code_of(reading="2027-01-01")])
def test_what_is_not_vouched_for_contradicts_nothing(unsure: Evidence) -> None:
    assert judged(EXPIRY, print_of(), replace(unsure, valid=False)).answer is Answer.GOOD
    silent = replace(unsure, reading=None, valid=True)
    assert judged(EXPIRY, print_of(), code_of(), silent).answer is Answer.GOOD


def test_an_attribute_is_compared_as_it_stands() -> None:
    colour = Rule("colour", ("side",), required=True, agrees="colour")
    assert judged(colour, print_of("colour", "red"), attributes=(("colour", "red"),)).answer is Answer.GOOD
    assert judged(colour, print_of("colour", "Red"), attributes=(("colour", "red"),)).answer is Answer.BAD


def test_a_date_is_good_until_its_day_is_over() -> None:
    assert judged(EXPIRY, print_of(reading="2026-06-01"), expiry=None).answer is Answer.GOOD


def test_a_contradiction_does_not_wait_for_what_is_still_to_come() -> None:
    two = replace(EXPIRY, cameras=("top", "side"))
    assert judged(two, print_of(reading="2027-01-01")).answer is Answer.BAD
    assert judged(two, print_of()).answer is Answer.NONE


SIZE, LANGUAGE = (Rule(name, ("side",), required=True, agrees=name) for name in ("size", "language"))


@pytest.mark.parametrize(
    ("rule", "reading", "ordered", "answer", "agreement"),
    [
        (SIZE, "12 x 33 cl", "12 x 330 ml", Answer.GOOD, "match"),
        (SIZE, "500 g; 100 g", "0,5 kg", Answer.GOOD, "match"),
        (SIZE, "500 g", "1 kg", Answer.BAD, "mismatch"),
        (SIZE, "twin", "King Size", Answer.BAD, "mismatch"),
        (SIZE, "500 g; 100 g", "1 kg", Answer.INVALID, "ambiguous"),  # the ordered one may not have been read
        (SIZE, "500 g", "king", Answer.INVALID, "ambiguous"),
        (LANGUAGE, "de fr", "fr-CA", Answer.GOOD, "match"),
        (LANGUAGE, "de fr", "it", Answer.BAD, "mismatch"),
    ],
)
def test_sizes_and_languages(rule: Rule, reading: str, ordered: str, answer: Answer, agreement: str) -> None:
    one = judged(rule, print_of(rule.check, reading), attributes=((rule.check, ordered),))
    assert one.compared is not None
    assert (one.answer, one.compared.agreement) == (answer, agreement)


@given(st.dates(date(2020, 1, 1), date(2035, 1, 1)), st.dates(date(2020, 1, 1), date(2035, 1, 1)), st.integers(0, 400))
def test_no_date_matches_that_is_over_earlier_than_ordered_or_too_short(
    printed: date, wanted: date, least: int
) -> None:
    terms = Terms("expiry", replace(EXPECTED, expiry=wanted), TODAY, least)
    match = held(terms, print_of(reading=printed.isoformat())).compared.agreement is Agreement.MATCH
    assert match is (printed >= wanted and printed >= TODAY + timedelta(days=least))
    assert (contradiction(terms, [print_of(reading=printed.isoformat())]) is None) is match


@given(st.lists(st.tuples(st.dates().map(str), st.floats(0, 1)), unique_by=lambda one: one[0], max_size=4))
def test_doubt_is_never_a_match(rivals: list[tuple[str, float]]) -> None:
    told = doubt(Terms("expiry", EXPECTED, TODAY), print_of(reading=None, rivals=tuple(rivals)))
    assert told.compared.agreement is (Agreement.AMBIGUOUS if len(rivals) > 1 else Agreement.UNREADABLE)
