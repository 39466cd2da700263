"""What a case looks at, and what that comes to: each check says what came and whether it may be."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from edge.conformance.box import Box, Order, Window
from edge.core.topics import BELT

ANSWER_S = 1.0
EARLY_S = 0.6  # a gate may set off so long before its window: it needs its time
LATE_S = 0.15  # and be told to go back so long after it
SCAN_S = 0.03  # one belt period and one scan: as exact as the belt's word is
NO_GATE = "the PLC does not say where its gate is (optional field 'gate' of belt)"


class Result(StrEnum):
    """What a case comes to."""

    PASS = "PASS"  # noqa: S105 - a result, no password
    FAIL = "FAIL"
    NOT_TESTABLE = "NOT TESTABLE"


@dataclass(frozen=True, slots=True)
class Finding:
    """What came, and whether it may."""

    result: Result
    came: str


def good(came: str) -> Finding:
    """As the protocol has it."""
    return Finding(Result.PASS, came)


def bad(came: str) -> Finding:
    """Against the protocol."""
    return Finding(Result.FAIL, came)


def unseen(came: str) -> Finding:
    """The suite cannot tell."""
    return Finding(Result.NOT_TESTABLE, came)


def together(*findings: Finding) -> Finding:
    """The worst of several; what came is told of those that matter."""
    for result in (Result.FAIL, Result.NOT_TESTABLE):
        if found := [one.came for one in findings if one.result is result]:
            return Finding(result, "; ".join(found))
    return Finding(Result.PASS, "; ".join(one.came for one in findings))


def answered(box: Box, order: Order, allowed: Collection[str], times: int = 1) -> Finding:
    """The last of the PLC's answers to an order that was given so many times."""
    box.until(lambda: len(box.answers(order)) >= times, ANSWER_S)
    answers = box.answers(order)
    if len(answers) != times:
        return bad(f"{len(answers)} answers to {times} orders: {', '.join(answers) or 'none'}")
    return good(f"ack {answers[-1]}") if answers[-1] in allowed else bad(f"ack {answers[-1]}")


def refused(box: Box, order: Order) -> Finding:
    """Not taken: no answer at all, or one that says so."""
    box.rest(ANSWER_S)
    answers = box.answers(order)
    taken = set(answers) & {"accepted", "duplicate"}
    return bad(f"ack {', '.join(answers)}") if taken else good(f"ack {', '.join(answers) or 'none'}")


def opened_for(box: Box, since: int, windows: Sequence[Window]) -> Finding:
    """The gate stood open in these windows, and in no others, since the `since`-th message."""
    if not box.shows_gate:
        return unseen(NO_GATE)
    words = [(one.fields["counts"], one.fields.get("gate") == "divert") for one in box.said(BELT, since)]
    speed = box.counts_per_s
    scan, early, late = (round(seconds * speed) for seconds in (SCAN_S, EARLY_S, LATE_S))
    for one in windows:
        inside = [is_open for counts, is_open in words if one.open_counts + scan <= counts <= one.close_counts - scan]
        if not inside:
            return unseen("the belt did not say that it passed the window")
        if not all(inside):
            return bad(f"gate open in {sum(inside)} of {len(inside)} belt messages within its window")
    reach = [(one.open_counts - early, one.close_counts + late) for one in windows]
    strays = [n for n, is_open in words if is_open and not any(first <= n <= last for first, last in reach)]
    if strays:
        return bad(f"gate open outside of any window, from {strays[0]} to {strays[-1]} counts")
    return good("gate opened in its window" + "s" * (len(windows) > 1) if windows else "gate unmoved")


def alive(box: Box) -> Finding:
    """The belt's word goes on, and a good order is taken."""
    order = box.order(box.window())
    finding = answered(box, order, {"accepted"})
    since = len(box.heard)
    if not box.until(lambda: len(box.said(BELT, since)) > 0, ANSWER_S):
        return bad("the PLC no longer speaks")
    box.pass_by(order.window)
    return together(finding, opened_for(box, order.since, [order.window]))
