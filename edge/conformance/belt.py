"""Cases about what the PLC says by itself: the belt, its eyes, and the flags of each message."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import dropwhile, pairwise
from typing import Any

from edge.conformance.box import NS_PER_S, TOLD, Box, Order, Window
from edge.conformance.checks import Finding, answered, bad, good, together, unseen
from edge.conformance.connection import Connection, Heard
from edge.core.messages import PhotoeyeEdge
from edge.core.topics import BELT, CONFIRM, GUARD, Topic
from edge.core.wire import edges_of

LISTEN_S = 3.0
LEAST_HZ, MOST_HZ = 45.0, 55.0  # fifty a second
REPEAT_S, LEAST_REPEAT_S = 3.0, 2.9  # how long an edge is said again
LATE_EAR_S = 1.0
ITEM_S, LENGTH_S, WAY_S = 30.0, 5.0, 30.0  # how long to wait for an item, its end, and its way to the confirm eye
MARGIN_S = 0.05  # of belt, before and behind an item


@dataclass(slots=True)
class _Told:
    """What `belt` said of one edge."""

    began_ns: int  # by the PLC's clock, when it was first said
    began_counts: int  # where the belt was then
    ended_ns: int = 0  # when it was last said
    ways: set[tuple[int, bool]] = field(default_factory=set)  # all that it was said to be

    def faults(self) -> Iterator[str]:
        """What may not be of an edge that has been told in full."""
        said_s = (self.ended_ns - self.began_ns) / NS_PER_S
        if said_s < LEAST_REPEAT_S:
            yield f"was said for {said_s:.2f} s"
        if len(self.ways) > 1:
            yield f"was said in {len(self.ways)} ways"
        if max(self.ways)[0] > self.began_counts:
            yield "is ahead of the belt"


def rate(box: Box) -> Finding:
    """How often `belt` comes, by the PLC's own clock."""
    since = len(box.heard)
    box.rest(LISTEN_S)
    said = [one.fields["plc_ns"] for one in box.said(BELT, since)]
    hertz = (len(said) - 1) / (said[-1] - said[0]) * NS_PER_S if len(said) > 1 and said[-1] > said[0] else 0.0
    came = f"{hertz:.1f} a second"
    return good(came) if LEAST_HZ <= hertz <= MOST_HZ else bad(came)


def rulers(box: Box) -> Finding:
    """Counts, the PLC's clock and the sequence numbers never go back; all that was said is well-formed."""
    box.rest(LISTEN_S)
    faults = [one.fault for one in box.heard if one.fault]
    belt = [one.fields for one in box.said(BELT)]
    for before, after in pairwise(belt):
        faults += _steps(before, after)
    return bad(f"{len(faults)} faults, first: {faults[0]}") if faults else good(f"{len(belt)} messages in order")


def edges(box: Box) -> Finding:
    """Each induct edge is said again for three seconds, unchanged, numbered without gaps, and on `confirm` too."""
    box.rest(REPEAT_S)
    told = _induct_edges(box)
    until_ns = box.last(BELT).fields["plc_ns"] - REPEAT_S * NS_PER_S
    whole = {seq: one for seq, one in told.items() if one.began_ns < until_ns}
    if not whole:
        return unseen("no item has passed the induct eye: send one or two")
    faults = [f"edge {seq} {fault}" for seq, one in whole.items() for fault in one.faults()]
    faults += [f"edge {seq} was never said" for seq in sorted(set(range(min(told), max(told))) - set(told))]
    sure = {edge.seq for one in box.said(CONFIRM) for edge in edges_of(one.fields, "induct")}
    faults += [f"edge {seq} was not said on confirm" for seq in sorted(set(whole) - sure)]
    return bad(f"{len(faults)} faults, first: {faults[0]}") if faults else good(f"{len(whole)} edges repeated")


def flags(box: Box) -> Finding:
    """QoS, retain flag and expiry of every message, as the table has them."""
    faults = [fault for one in box.heard for fault in _flag_faults(one)]
    if faults:
        return bad(f"{len(faults)} wrong, first: {faults[0]}")
    silent = [topic.name for topic in TOLD if not box.said(topic)]
    return unseen(f"nothing was said on {', '.join(silent)}") if silent else good(f"{len(box.heard)} messages right")


def guards_kept(box: Box) -> Finding:
    """Who comes later hears at once which guards are in alarm."""
    with Connection("conformance-late", box.address, [GUARD]) as late:
        box.until(lambda: bool(late.heard), LATE_EAR_S)
        if not late.heard:
            return bad("nobody who connects now hears of the guards")
        return bad(late.heard[0].fault) if late.heard[0].fault else good(f"alarm {late.heard[0].fields['alarm']}")


def diverted(box: Box) -> Finding:
    """An item that is ordered out is seen by the confirm eye, where it should be."""
    if box.lane.gate_counts is None or box.lane.confirm_counts is None:
        return unseen("needs test items: send some, and give --gate-counts and --confirm-counts")
    item = _next_item(box)
    if item is None:
        return unseen(f"no item came past the induct eye within {ITEM_S:g} s")
    lead, trail = item
    margin = round(MARGIN_S * box.counts_per_s)
    order = box.order(Window(lead + box.lane.gate_counts - margin, trail + box.lane.gate_counts + margin))
    return together(answered(box, order, {"accepted"}), _confirmed(box, order, lead + box.lane.confirm_counts))


def _confirmed(box: Box, order: Order, due_counts: int) -> Finding:
    tolerance = (box.lane.confirm_counts or 0) - (box.lane.gate_counts or 0)
    box.until(lambda: box.counts > due_counts + tolerance, WAY_S)
    seen = [edge.counts for one in _eyes(box, order.since) for edge in edges_of(one.fields, "confirm") if edge.dark]
    off = min((abs(counts - due_counts) for counts in seen), default=tolerance + 1)
    if off > tolerance:
        return bad("the confirm eye has not said that it saw the item")
    return good(f"confirm eye {off} counts from where it was due")


def _next_item(box: Box) -> tuple[int, int] | None:
    """The counts of the next item's leading and trailing edge."""
    since, known = len(box.heard), _induct_by_number(box, 0).keys()
    box.until(lambda: len(_fresh_item(box, since, known)) > 1, ITEM_S + LENGTH_S)
    item = _fresh_item(box, since, known)
    return (item[0].counts, item[1].counts) if len(item) > 1 else None


def _fresh_item(box: Box, since: int, known: Collection[int]) -> list[PhotoeyeEdge]:
    """The induct edges that are not known yet, from the first leading one on."""
    told = _induct_by_number(box, since)
    return list(dropwhile(lambda edge: not edge.dark, (told[seq] for seq in sorted(told.keys() - known))))


def _induct_by_number(box: Box, since: int) -> dict[int, PhotoeyeEdge]:
    return {edge.seq: edge for one in _eyes(box, since) for edge in edges_of(one.fields, "induct")}


def _eyes(box: Box, since: int) -> list[Heard]:
    return box.said(BELT, since) + box.said(CONFIRM, since)


def _induct_edges(box: Box) -> dict[int, _Told]:
    """By number: all that `belt` said of the induct eye, but for what was old when the suite began."""
    told: dict[int, _Told] = {}
    belt = box.said(BELT)
    for one in belt:
        for edge in edges_of(one.fields, "induct"):
            known = told.setdefault(edge.seq, _Told(one.fields["plc_ns"], one.fields["counts"]))
            known.ended_ns = one.fields["plc_ns"]
            known.ways.add((edge.counts, edge.dark))
    return {seq: one for seq, one in told.items() if max(one.ways)[0] > belt[0].fields["counts"]}


def _steps(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """What goes the wrong way from one `belt` message to the next."""
    if after["counts"] < before["counts"]:
        yield f"counts fell from {before['counts']} to {after['counts']}"
    if after["plc_ns"] <= before["plc_ns"]:
        yield f"plc_ns went from {before['plc_ns']} to {after['plc_ns']}"
    if "seq" not in after or not isinstance(after["seq"], int) or after["seq"] <= before.get("seq", -1):
        yield f"seq went from {before.get('seq')} to {after.get('seq')}"
    if after.get("boot") != before.get("boot"):
        yield "boot changed while the PLC ran"


def _flag_faults(one: Heard) -> Iterator[str]:
    topic: Topic = one.topic
    if one.qos != topic.qos:
        yield f"{topic.name} came at QoS {one.qos}, {topic.qos} is agreed"
    if one.retained != topic.retained:
        yield f"{topic.name} came with the retain flag {'on' if one.retained else 'off'}"
    if topic.expiry_s is not None and (one.expiry_s is None or one.expiry_s > topic.expiry_s):
        yield f"{topic.name} came with expiry {one.expiry_s}, {topic.expiry_s:g} s is agreed"
