"""The table of cases: what is expected of a PLC's program, and what to mend where it does otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from edge.conformance import belt, orders, pulse, switches
from edge.conformance.box import Box
from edge.conformance.checks import Finding, Result, unseen

STANDS = "the belt stands: let it run, empty"


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is expected of the PLC."""

    name: str
    run: Callable[[Box], Finding]
    expected: str
    mend: str
    needs_run: bool = True  # the belt must move


@dataclass(frozen=True, slots=True)
class Outcome:
    """A case, and what came of it."""

    case: Case
    finding: Finding


CASES = (
    Case(
        "belt-rate",
        belt.rate,
        "50 belt messages a second",
        "publish belt on a fixed cycle of 20 ms, not when something changes",
        needs_run=False,
    ),
    Case(
        "order-in-time",
        orders.in_time,
        "ack accepted; gate open from open_counts to close_counts, then back",
        "compare the encoder with the window in each scan; set the gate off early by the time that it needs",
    ),
    Case(
        "order-twice",
        orders.said_twice,
        "ack duplicate each time; one opening, in the first window",
        "keep the command ids that were taken; answer a known one with duplicate and do nothing else",
    ),
    Case(
        "order-replayed",
        orders.replayed,
        "ack late or duplicate; gate unmoved",
        "keep command ids beyond their window, and compare close_counts with the encoder",
    ),
    Case(
        "order-late",
        orders.late,
        "ack late; gate unmoved",
        "refuse an order that the gate cannot carry out by open_counts: it would hit the next item",
    ),
    Case(
        "order-kept",
        orders.kept,
        "refused; gate unmoved",
        "subscribe with retain-as-published (MQTT 5) and drop orders that carry the retain flag",
    ),
    Case(
        "orders-out-of-order",
        orders.out_of_order,
        "both accepted; gate open in both windows",
        "keep a list of windows, not the last one; do not refuse a lower seq: a restarted box counts anew",
    ),
    Case(
        "order-without-width",
        orders.no_width,
        "refused, or ack unknown; gate unmoved",
        "refuse an order whose close_counts is not beyond its open_counts",
    ),
    Case(
        "order-malformed",
        orders.malformed,
        "refused; gate unmoved; the next good order is carried out",
        "check schema, presence and type of each field before any of them is used",
    ),
    Case(
        "order-oversized",
        orders.oversized,
        "1 MiB refused; gate unmoved; the next good order is carried out",
        "drop payloads over 64 KiB unread; set the client's maximum packet size",
    ),
    Case(
        "order-elsewhere",
        orders.elsewhere,
        "ignored; gate unmoved",
        "subscribe to divert/command by its full name, without wildcards",
    ),
    Case(
        "gate-eyes",
        switches.gate_eyes,
        "driven before the window, on the divert side when it begins, driven back at its end; each told once",
        "latch the counts where the valve is switched (drive) and at the switch at either end of the way (gate)",
    ),
    Case(
        "heartbeat-half-open",
        pulse.half_open,
        "safe side within 1 s of the last heartbeat though the connection stays; back when it beats",
        "time the heartbeat messages themselves; a live connection is no heartbeat",
    ),
    Case(
        "heartbeat-unplugged",
        pulse.unplugged,
        "safe side within 1 s of the last heartbeat when the box is gone; back when it beats",
        "time the heartbeat messages in the PLC's own scan, whatever the network says",
    ),
    Case(
        "heartbeat-malformed",
        pulse.malformed,
        "what is no heartbeat does not count as one",
        "check schema and turn before the heartbeat's timer is set back",
    ),
    Case(
        "heartbeat-back",
        pulse.back_again,
        "pass side again; the next order is carried out",
        "let the first heartbeat end the safe side by itself",
    ),
    Case(
        "clock-step",
        pulse.clock_step,
        "nothing changes when the box's numbers and clock jump",
        "use the arrival of a heartbeat by the PLC's own clock, nothing of its contents",
    ),
    Case(
        "divert-confirmed",
        belt.diverted,
        "an item ordered out is seen by the confirm eye where it is due",
        "check gate, eye and distances; latch the encoder at the eye's edge",
    ),
    Case(
        "edges-repeated",
        belt.edges,
        "each induct edge for 3 s in every belt message, unchanged, numbered without gaps; once on confirm",
        "latch counts at the edge, number edges per eye, keep them in belt for 3 s",
        needs_run=False,
    ),
    Case(
        "guards-kept",
        belt.guards_kept,
        "guards is retained: who connects hears it at once",
        "publish guards with the retain flag at each connection and each change",
        needs_run=False,
    ),
    Case(
        "flags",
        belt.flags,
        "QoS, retain flag and expiry of every message as the table has them",
        "set them per topic: belt 0, ack, confirm and guards 1; only guards retained; expiry belt 1 s, ack 5 s",
        needs_run=False,
    ),
    Case(
        "rulers",
        belt.rulers,
        "counts, plc_ns and seq never go back; everything well-formed",
        "count in 64 bits from the encoder; take plc_ns from a clock that is never set; one seq per topic",
        needs_run=False,
    ),
)


def run(box: Box, cases: Iterable[Case]) -> Iterator[Outcome]:
    """One case after the other, each as it ends."""
    for case in cases:
        box.settle()
        yield Outcome(case, unseen(STANDS) if case.needs_run and not box.moves else case.run(box))


def failed(outcomes: Iterable[Outcome]) -> bool:
    """Whether the PLC must be mended."""
    return any(one.finding.result is Result.FAIL for one in outcomes)
