"""Cases about the heartbeat: the gate is safe without it, and obeys nothing else."""

from __future__ import annotations

import time

from edge.conformance.box import BEAT_S, Box
from edge.conformance.checks import NO_GATE, Finding, alive, bad, good, opened_for, together, unseen
from edge.core.topics import BELT

TIME_OUT_S = 1.0  # the line protocol's
ALLOWED_S = 0.3  # for the broker, the PLC's scan and the belt's word
RETURN_S = 1.0
SETTLE_S = 0.5
STEPS = (0, 10**12, -(10**12), 2**52, 1, -1, 0, 10**9, 7, 7)  # the clock of a box that is set, set back, and broken
INSIDE_S, INSIDE_OPEN_S = 2.0, 0.4  # a window that the belt reaches when the heartbeat has timed out


def half_open(box: Box) -> Finding:
    """The box's connection stays, but its loop hangs: no beats."""
    box.rest(SETTLE_S)
    with box.silent() as last_s:
        found = _goes_safe(box, last_s)
    return together(found, _comes_back(box))


def unplugged(box: Box) -> Finding:
    """The box is gone, and its connection too."""
    box.rest(SETTLE_S)
    with box.silent() as last_s, box.unplugged():
        found = _goes_safe(box, last_s)
    return together(found, _comes_back(box))


def back_again(box: Box) -> Finding:
    """After a silence the heart beats anew; orders are obeyed again."""
    with box.silent():
        box.rest(TIME_OUT_S + SETTLE_S)
    return together(_comes_back(box), alive(box))


def clock_step(box: Box) -> Finding:
    """Beats whose numbers and times jump: that a beat came counts, not what it says."""
    box.rest(SETTLE_S)
    since = len(box.heard)
    with box.silent():
        for step in STEPS:
            box.beat({"turn": abs(step), "sent_ns": step}, seq=abs(step))
            time.sleep(BEAT_S)
    return together(opened_for(box, since, []), alive(box))


def malformed(box: Box) -> Finding:
    """What is no heartbeat does not keep the gate from its safe side."""
    box.rest(SETTLE_S)
    with box.silent() as last_s:
        found = _goes_safe_among(box, last_s, [b"", b"alive", b'{"schema": 999, "seq": 1, "turn": 1}', b"{}"])
    return together(found, _comes_back(box))


def _goes_safe(box: Box, last_s: float) -> Finding:
    return _goes_safe_among(box, last_s, [])


def _goes_safe_among(box: Box, last_s: float, noise: list[bytes]) -> Finding:
    """Whether the gate takes its safe side in time, whatever else is said on the heartbeat's topic."""
    if not box.shows_gate:
        return unseen(NO_GATE)
    return _opens(box, last_s, noise) if box.lane.safe_side == "divert" else _stays(box, noise)


def _opens(box: Box, last_s: float, noise: list[bytes]) -> Finding:
    while time.monotonic() - last_s < TIME_OUT_S + ALLOWED_S:
        box.shout(noise)
        if _gate(box) == "divert":
            return good(f"safe side (divert) {time.monotonic() - last_s:.2f} s after the last heartbeat")
    return bad(f"gate still on the pass side {time.monotonic() - last_s:.2f} s after the last heartbeat")


def _stays(box: Box, noise: list[bytes]) -> Finding:
    """With `pass` as safe side, silence shows only where an order would open the gate."""
    order = box.order(box.window(INSIDE_S, INSIDE_OPEN_S))
    end_s = time.monotonic() + INSIDE_S + INSIDE_OPEN_S + SETTLE_S
    while time.monotonic() < end_s:
        box.shout(noise)
    return opened_for(box, order.since, [])


def _comes_back(box: Box) -> Finding:
    if not box.shows_gate:
        return unseen(NO_GATE)
    if box.until(lambda: _gate(box) == "pass", RETURN_S):
        return good("pass side when the heart beats again")
    return bad(f"gate still on the divert side {RETURN_S:g} s after the heart beat again")


def _gate(box: Box) -> str:
    return str(box.last(BELT).fields.get("gate"))
