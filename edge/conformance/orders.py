"""Cases about orders: each happens once, in its window, or not at all."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from edge.conformance.box import AHEAD_S, OPEN_S, Box, Window
from edge.conformance.checks import ANSWER_S, Finding, alive, answered, bad, good, opened_for, refused, together
from edge.core.topics import COMMAND, MAX_BYTES

MIB = 1 << 20
SENT_LATE_S = -0.1
FAR_SEQ = 1_000_000

Fields = dict[str, Any]
Break = Callable[[Fields], bytes]
"""Makes of a good order what is none."""


def in_time(box: Box) -> Finding:
    """A good order."""
    order = box.order(box.window())
    answer = answered(box, order, {"accepted"})
    box.pass_by(order.window)
    return together(answer, opened_for(box, order.since, [order.window]))


def said_twice(box: Box) -> Finding:
    """The same order again before its window, as MQTT may deliver it, and with another window."""
    order = box.order(box.window())
    box.repeat(order)
    answer = answered(box, order, {"duplicate"}, times=2)
    later = box.window(ahead_s=AHEAD_S + 2 * OPEN_S)
    box.repeat(order, window=later)
    again = answered(box, order, {"duplicate"}, times=3)
    box.pass_by(later)
    return together(answer, again, opened_for(box, order.since, [order.window]))


def replayed(box: Box) -> Finding:
    """The same order again after its window, as a broker may replay it."""
    order = box.order(box.window())
    box.pass_by(order.window)
    box.repeat(order)
    answer = answered(box, order, {"late", "duplicate"}, times=2)
    box.rest(AHEAD_S)
    return together(answer, opened_for(box, order.since, [order.window]))


def late(box: Box) -> Finding:
    """An order whose window has begun, and one whose window is over."""
    begun = box.order(box.window(SENT_LATE_S, open_s=2 * OPEN_S))
    answer = answered(box, begun, {"late"})
    over = box.order(box.window(-AHEAD_S))
    again = answered(box, over, {"late"})
    box.pass_by(begun.window)
    return together(answer, again, opened_for(box, begun.since, []))


def kept(box: Box) -> Finding:
    """An order that the broker is to keep: it would fire again at each of the PLC's connections."""
    order = box.order_kept(box.window())
    try:
        answer = refused(box, order)
        box.pass_by(order.window)
        return together(answer, opened_for(box, order.since, []))
    finally:
        box.send_kept(COMMAND, b"")


def out_of_order(box: Box) -> Finding:
    """Two orders, the later window first, with sequence numbers that fall: a box that restarts counts anew."""
    second = box.order(box.window(ahead_s=AHEAD_S + 4 * OPEN_S), seq=FAR_SEQ)
    first = box.order(box.window(), seq=1)
    answers = [answered(box, order, {"accepted"}) for order in (second, first)]
    box.pass_by(second.window)
    return together(*answers, opened_for(box, second.since, [first.window, second.window]))


def no_width(box: Box) -> Finding:
    """A window that closes before it opens."""
    wide = box.window()
    order = box.order(Window(wide.close_counts, wide.open_counts))
    answer = refused(box, order)
    box.pass_by(wide)
    return together(answer, opened_for(box, order.since, []))


def malformed(box: Box) -> Finding:
    """Payloads that are no order, one after the other, each under a name of its own; then a good one."""
    since, window = len(box.heard), box.window()
    ghosts = {sort: box.planned(window) for sort in BREAKS}
    for sort, ghost in ghosts.items():
        box.send(COMMAND, BREAKS[sort](json.loads(box.payload(ghost))))
    box.rest(ANSWER_S)
    taken = [sort for sort, ghost in ghosts.items() if "accepted" in box.answers(ghost)]
    answer = bad(f"accepted: {', '.join(taken)}") if taken else good(f"none of {len(ghosts)} accepted")
    box.pass_by(window)
    return together(answer, opened_for(box, since, []), alive(box))


def oversized(box: Box) -> Finding:
    """An order of 1 MiB; the protocol reads 64 KiB."""
    ghost = box.planned(box.window())
    fields = json.loads(box.payload(ghost))
    box.send(COMMAND, json.dumps({**fields, "reason": "x" * MIB}).encode())
    answer = refused(box, ghost)
    box.pass_by(ghost.window)
    return together(answer, opened_for(box, ghost.since, []), alive(box))


def elsewhere(box: Box) -> Finding:
    """A good order on topics that the protocol does not know."""
    ghost = box.planned(box.window())
    for name in ("divert/commands", "divert", "divert/command/now"):
        box.send_elsewhere(name, box.payload(ghost))
    answer = refused(box, ghost)
    box.pass_by(ghost.window)
    return together(answer, opened_for(box, ghost.since, []), alive(box))


def _without(name: str) -> Break:
    """An order that lacks a field."""
    return lambda order: _told({key: value for key, value in order.items() if key != name})


def _with(name: str, value: object) -> Break:
    """An order of which one field is wrong."""
    return lambda order: _told({**order, name: value})


def _told(order: Fields) -> bytes:
    return json.dumps(order).encode()


BREAKS: Mapping[str, Break] = {
    **{f"without {name}": _without(name) for name in ("schema", *COMMAND.required)},
    "schema 999": _with("schema", 999),
    "open_counts a text": lambda order: _told({**order, "open_counts": str(order["open_counts"])}),
    "open_counts true": _with("open_counts", value=True),
    "close_counts 1e300": _with("close_counts", 1e300),
    "command empty": _with("command", ""),
    "command a list": lambda order: _told({**order, "command": [order["command"]]}),
    "item of 10 000 characters": _with("item", "x" * 10_000),
    "open_counts NaN": lambda order: _told({**order, "open_counts": math.nan}),
    "cut short": lambda order: _told(order)[:-1],
    "in a list": lambda order: b"[" + _told(order) + b"]",
    "an order and a half": lambda order: _told(order) + _told(order)[:40],
    "no text": lambda order: b"\xff\xfe" + _told(order),
    "empty": lambda _: b"",
    "nested without end": lambda _: b"[" * (MAX_BYTES // 2),
}
"""What may come over a wire instead of an order; most would move the gate if they were half-read."""
