"""Every kind of test, passed and failed; overdue; one at a time."""

from dataclasses import replace

import pytest

from edge.core.challenge import LONGEST_NS, Challenges, bad_pieces
from edge.core.dispatcher import Settlement
from edge.core.messages import ChallengeResult, ChallengeStart, End, ItemEnd
from edge.operate import holds
from tests.unit.lane import EXPECTED, MS, item, reading

BAD_OFF, GOOD_ON = End.DIVERTED, End.PASSED


def start(test, *items):
    return (ChallengeStart(test, "Ada", items),)


def piece(name):
    return item(name, expected=replace(EXPECTED, wms_item=name))


def run(test, names, ends, every_s=0.0):
    """The outcomes of a test whose pieces end like this, one a turn."""
    challenges = Challenges(every_s)
    results = [*challenges.update(reading(challenges=start(test, *names)), Settlement(), {}, [])]
    for name, end in ends:
        settled = Settlement(ends=(ItemEnd(name, end, 0, 0),))
        results += challenges.update(reading(), settled, {name: piece(name)}, [])
    return [(one.outcome, one.because) for one in results]


@pytest.mark.parametrize(
    ("test", "names", "ends"),
    [
        ("single", "a", [BAD_OFF]),
        ("consecutive", "abc", [BAD_OFF] * 3),
        ("memory", "abcd", [BAD_OFF, GOOD_ON, BAD_OFF, GOOD_ON]),
    ],
)
def test_passed_when_every_piece_goes_where_it_should(test, names, ends):
    others = [("x", End.PASSED)]  # ordinary items in between
    pieces = list(zip(names, ends, strict=True))
    assert run(test, names, pieces[:1] + others + pieces[1:]) == [("passed", "every test piece went where it should")]


@pytest.mark.parametrize(
    ("test", "names", "ends", "because"),
    [
        ("single", "a", [("a", End.PASSED)], "a is bad, and ended as passed"),
        ("single", "a", [("a", End.MISSED)], "a is bad, and ended as missed"),
        ("single", "a", [("a", End.NO_DECISION)], "a is bad, and ended as no_decision"),
        ("memory", "abcd", [("a", BAD_OFF), ("b", BAD_OFF)], "b is good, and ended as diverted"),
        ("consecutive", "abc", [("b", BAD_OFF)], "b came before a"),
        ("consecutive", "ab", [], "consecutive takes 3 different test pieces"),
        ("consecutive", "aab", [], "consecutive takes 3 different test pieces"),
    ],
)
def test_failed_at_the_first_piece_that_does_not(test, names, ends, because):
    assert run(test, names, ends) == [("failed", because)]


def test_pieces_that_do_not_come_fail_the_test():
    challenges = Challenges(0)
    challenges.update(reading(challenges=start("single", "a")), Settlement(), {}, [])
    last_ms = LONGEST_NS // MS
    assert challenges.update(reading(at_ms=last_ms - 1), Settlement(), {}, []) == ()
    because = "the test pieces did not come, or nothing stopped the belt, in time"
    assert challenges.update(reading(at_ms=last_ms), Settlement(), {}, []) == (
        ChallengeResult("single", "Ada", "failed", because, LONGEST_NS),
    )


def test_a_fault_at_the_gate_must_stop_the_belt():
    challenges = Challenges(0)
    challenges.update(reading(challenges=start("fail_safe")), Settlement(), {}, [])
    assert challenges.update(reading(), Settlement(), {}, []) == ()
    (result,) = challenges.update(reading(), Settlement(), {}, ["guard air_low is in alarm"])
    assert (result.outcome, result.because) == ("passed", "the belt was asked to stop: guard air_low is in alarm")


def test_one_test_at_a_time():
    challenges = Challenges(0)
    challenges.update(reading(challenges=start("single", "a")), Settlement(), {}, [])
    (result,) = challenges.update(reading(challenges=start("single", "b")), Settlement(), {}, [])
    assert (result.outcome, result.because) == ("failed", "another test is running")


def test_overdue_is_told_once_an_interval_and_a_good_test_begins_a_new_one():
    challenges = Challenges(every_s=10)
    outcomes = []
    for second in range(31):
        begun = start("single", "a") if second == 12 else ()
        settled = Settlement(ends=(ItemEnd("a", BAD_OFF, 0, 0),)) if second == 14 else Settlement()
        now = reading(at_ms=1000 * second, challenges=begun)
        outcomes += [(second, one.outcome) for one in challenges.update(now, settled, {"a": piece("a")}, [])]
    assert outcomes == [(10, "overdue"), (14, "passed"), (24, "overdue")]


def test_overdue_is_nobodys_test():
    challenges = Challenges(every_s=1)
    challenges.update(reading(), Settlement(), {}, [])
    assert challenges.update(reading(at_ms=1000), Settlement(), {}, []) == (
        ChallengeResult("any", "nobody", "overdue", "no good challenge test in time", 1000 * MS),
    )


def test_what_went_on_since_the_last_good_test_is_in_doubt():
    def went(name, eye):
        return [("Item", {"item_id": name}), ("ItemEnd", {"item_id": name, "eye": eye})]

    passed, failed = ("ChallengeResult", {"outcome": "passed"}), ("ChallengeResult", {"outcome": "failed"})
    said = [*went("a", "exit"), passed, *went("b", "exit"), *went("c", "confirm"), failed, *went("d", "exit")]
    assert [one["item_id"] for one in holds(said)] == ["b", "d"]
    assert holds([*said, passed]) == []


@pytest.mark.parametrize(
    ("told", "bad"),
    [
        ("single a", ("a",)),
        ("consecutive a b c", ("a", "b", "c")),
        ("memory a b c d", ("a", "c")),
        ("memory a b", ()),  # was refused
        ("single a b", ()),  # or a name with a space in it
        ("fail_safe", ()),
        ("another a", ()),
        ("", ()),
    ],
)
def test_which_pieces_of_a_test_were_bad_is_told_again_from_the_journal(told, bad):
    assert bad_pieces(told) == bad
