"""The case about the eyes that watch the gate: when it is driven, and when it stands at an end of its way."""

from __future__ import annotations

from collections.abc import Iterator

from edge.conformance.box import Box, Order
from edge.conformance.checks import EARLY_S, LATE_S, SCAN_S, Finding, answered, bad, good, together, unseen
from edge.core.messages import PhotoeyeEdge
from edge.core.topics import BELT, CONFIRM
from edge.core.wire import edges_of

BACK_S = 1.5  # for the gate to be back, and to be told
NO_EYES = "the PLC does not tell the gate's eyes (optional eyes 'drive' and 'gate' of belt)"


def gate_eyes(box: Box) -> Finding:
    """A good order: the gate is driven over and back, and comes to both ends of its way, once each."""
    box.rest(EARLY_S)  # the gate may be on its way back from its safe side
    begun = box.counts
    order = box.order(box.window())
    answer = answered(box, order, {"accepted"})
    box.pass_by(order.window)
    box.until(lambda: len(_turns(box, order, "gate", begun)) > 1, BACK_S)
    turns = {eye: _turns(box, order, eye, begun) for eye in ("drive", "gate")}
    if not any(turns.values()):
        return together(answer, unseen(NO_EYES))
    for eye, edges in turns.items():
        if [edge.dark for edge in edges] != [True, False]:
            said = ", ".join("dark" if edge.dark else "light" for edge in edges) or "nothing"
            return bad(f"eye {eye} told {said}; dark, then light are due")
    faults = [*_faults(box, order, *turns["drive"], *turns["gate"])]
    return together(answer, bad("; ".join(faults)) if faults else good("gate driven and seen in time"))


def _turns(box: Box, order: Order, eye: str, begun: int) -> list[PhotoeyeEdge]:
    """The edges of an eye since the order, each once."""
    said = box.said(BELT, order.since) + box.said(CONFIRM, order.since)
    told = {edge.seq: edge for one in said for edge in edges_of(one.fields, eye) if edge.counts > begun}
    return [told[seq] for seq in sorted(told)]


def _faults(
    box: Box, order: Order, driven: PhotoeyeEdge, released: PhotoeyeEdge, over: PhotoeyeEdge, back: PhotoeyeEdge
) -> Iterator[str]:
    opens, closes, speed = order.window.open_counts, order.window.close_counts, box.counts_per_s
    if not -EARLY_S <= (driven.counts - opens) / speed <= SCAN_S:
        yield f"driven {(driven.counts - opens) / speed * 1000:.0f} ms after its window began"
    if over.counts <= driven.counts or back.counts <= released.counts:
        yield "the gate was at the end of its way when it was driven there"
    if (late_s := (over.counts - opens) / speed) > SCAN_S:
        yield f"on the divert side {late_s * 1000:.0f} ms after its window began"
    if not -SCAN_S <= (released.counts - closes) / speed <= LATE_S:
        yield f"driven back {(released.counts - closes) / speed * 1000:.0f} ms after its window's end"
