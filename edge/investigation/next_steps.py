"""What a person may do next about an answer: only commands that there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from edge.core.findings import Answer, Left
from edge.core.grounds import Facts

OPEN = (Left.UNDECIDED, Left.IN_DOUBT, Left.NOTHING_FOUND)
DAMAGED = (Left.DAMAGED_SEEN, Left.DAMAGED_UNSEEN)


def next_steps(facts: Facts, answer: Answer, config: Path) -> Iterator[str]:
    """Each a sentence, with the command in it."""
    lane, order_line = quote(str(config)), facts.order.get("order_line")
    if order_line and not facts.disputes and answer.left is not Left.NEVER_LEFT:
        note = f"tunnel-edge complaint {lane} --order-line {quote(order_line)} --by NAME --why WORDS"
        yield f"If the customer complains, note it, so that nothing is learnt from this item: {note}"
    if answer.left in OPEN:
        yield "Have a technician look at the pictures: what no check can tell a person may see."
    if answer.left in (*OPEN, Left.DAMAGED_UNSEEN):
        yield from _taught(facts, lane)
    if answer.left is Left.NOTHING_FOUND:
        test = f"tunnel-edge challenge start {lane} --test single --by NAME --items ID"
        yield f"Send damaged ones of this product as test pieces, to know how many the checks overlook: {test}"
    if answer.left in (*DAMAGED, Left.LOST, Left.CONTRADICTED):
        yield f"See what happened at the gate and the eyes: tunnel-edge explain {lane} {quote(facts.item_id)}"


def _taught(facts: Facts, lane: str) -> Iterator[str]:
    """How the lane learns to see what it let pass."""
    cameras = sorted({one.camera for one in facts.shots if not one.gone})
    for camera in cameras if facts.gtin and not facts.labels else ():
        chosen = f"--gtin {quote(facts.gtin)} --camera {quote(camera)}"
        yield (
            f"If it is damaged: label its pictures of camera {camera} (`bad` in a CSV, beside sound ones), and teach"
            f" the lane: tunnel-edge defects fit {chosen} --out REFERENCES LABELS.csv"
        )
    if facts.gtin:
        yield f"If more of this product look damaged alike: tunnel-edge references changes {lane}, then decline"
