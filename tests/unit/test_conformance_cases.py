"""What the conformance suite is made of: broken orders that are broken, and findings that add up."""

import json
from itertools import product

import pytest

from edge.conformance.belt import _flag_faults, _steps
from edge.conformance.box import Window
from edge.conformance.checks import Result, bad, good, opened_for, together, unseen
from edge.conformance.connection import Heard
from edge.conformance.orders import BREAKS
from edge.conformance.suite import CASES, Outcome, failed
from edge.core.errors import MalformedMessage
from edge.core.topics import ACK, BELT, COMMAND, GUARD
from edge.core.wire import decode, encode

GOOD = {"command": "c", "item": "i", "open_counts": 100, "close_counts": 200, "reason": "test"}


def test_the_order_that_is_broken_was_good():
    assert decode(COMMAND, encode(1, GOOD)) == {"seq": 1, **GOOD}


@pytest.mark.parametrize("sort", BREAKS)
def test_every_broken_order_is_refused_by_our_own_reading(sort):
    with pytest.raises(MalformedMessage):
        decode(COMMAND, BREAKS[sort](json.loads(encode(1, GOOD))))


def test_the_worst_finding_counts():
    made = {Result.PASS: good("g"), Result.NOT_TESTABLE: unseen("u"), Result.FAIL: bad("b")}
    rank = list(made)
    for first, second in product(made, made):
        worst = max(first, second, key=rank.index)
        found = together(made[first], made[second])
        assert found.result is worst
        assert set(found.came.split("; ")) == {made[worst].came}


def test_only_a_failure_fails():
    assert not failed([Outcome(CASES[0], good("")), Outcome(CASES[0], unseen(""))])
    assert failed([Outcome(CASES[0], good("")), Outcome(CASES[0], bad(""))])


def test_every_case_says_what_to_mend_under_a_name_of_its_own():
    assert all(case.expected and case.mend for case in CASES)
    assert len({case.name for case in CASES}) == len(CASES)


class Seen:
    """What a box has seen of the gate: 10 000 counts a second, a word each 200."""

    counts_per_s = 10_000.0

    def __init__(self, opened, shows_gate=True):
        self.shows_gate = shows_gate
        self._words = [(counts, opened(counts)) for counts in range(0, 40_000, 200)]

    def said(self, topic, since):
        assert topic is BELT
        return [_heard(BELT, {"counts": n, "gate": "divert" if is_open else "pass"}) for n, is_open in self._words]


def _heard(topic, fields, qos=0, retained=False, expiry_s=1):
    return Heard(topic, 0.0, qos, retained, expiry_s, fields, "")


@pytest.mark.parametrize(
    ("opened", "windows", "result"),
    [
        (lambda n: False, [], "PASS"),
        (lambda n: 20_000 <= n < 24_000, [(20_000, 24_000)], "PASS"),
        (lambda n: 19_000 <= n < 25_000, [(20_000, 24_000)], "PASS"),  # the gate's own time
        (lambda n: False, [(20_000, 24_000)], "FAIL"),
        (lambda n: 21_000 <= n < 24_000, [(20_000, 24_000)], "FAIL"),  # too late for the item
        (lambda n: 20_000 <= n < 27_000, [(20_000, 24_000)], "FAIL"),  # takes the next one along
        (lambda n: 8_000 <= n < 24_000, [(20_000, 24_000)], "FAIL"),  # takes the one before
        (lambda n: n == 30_000, [], "FAIL"),
        (lambda n: 5_000 <= n < 9_000 or 30_000 <= n < 34_000, [(5_000, 9_000), (30_000, 34_000)], "PASS"),
        (lambda n: 30_000 <= n < 34_000, [(5_000, 9_000), (30_000, 34_000)], "FAIL"),
        (lambda n: False, [(90_000, 94_000)], "NOT TESTABLE"),  # the belt never came there
    ],
)
def test_the_gate_is_held_against_its_windows(opened, windows, result):
    assert opened_for(Seen(opened), 0, [Window(*one) for one in windows]).result == result


def test_a_gate_that_is_not_shown_is_not_judged():
    assert opened_for(Seen(lambda n: True, shows_gate=False), 0, []).result is Result.NOT_TESTABLE


STEP = {"counts": 10, "plc_ns": 10, "seq": 10, "boot": 1}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, ""),
        ({"counts": 10}, ""),
        ({"counts": 9}, "counts fell from 10 to 9"),
        ({"plc_ns": 10}, "plc_ns went from 10 to 10"),
        ({"seq": 10}, "seq went from 10 to 10"),
        ({"seq": "11"}, "seq went from 10 to 11"),
        ({"boot": 2}, "boot changed while the PLC ran"),
    ],
)
def test_the_belts_rulers(change, told):
    after = {"counts": 11, "plc_ns": 11, "seq": 11, "boot": 1, **change}
    assert "; ".join(_steps(STEP, after)) == told


@pytest.mark.parametrize(
    ("heard", "faults"),
    [
        (_heard(BELT, {}), 0),
        (_heard(BELT, {}, expiry_s=None), 1),
        (_heard(BELT, {}, qos=1, retained=True), 2),
        (_heard(ACK, {}, qos=1, expiry_s=5), 0),
        (_heard(ACK, {}, qos=1, expiry_s=60), 1),
        (_heard(GUARD, {}, qos=1, retained=True, expiry_s=None), 0),
        (_heard(GUARD, {}, qos=1, expiry_s=None), 1),
    ],
)
def test_flags_are_those_of_the_table(heard, faults):
    assert len(list(_flag_faults(heard))) == faults
