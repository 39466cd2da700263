"""What a lane promises for every item, and the places on the belt where that is held against it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.core.messages import Disposition


class Promise(StrEnum):
    """What a lane promises, by the word that its breach is counted under."""

    VERDICT = "verdict"  # each item gets one before the gate
    COMMAND = "command"  # each item decided out is ordered out
    DIVERT = "divert"  # each item ordered out is seen on the reject lane
    EXIT = "exit"  # none decided or ordered out is seen on the good lane
    HEARTBEAT = "heartbeat"  # the box lives while the belt moves


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise was broken; `because` is for a person."""

    promise: Promise
    because: str


@dataclass(frozen=True, slots=True)
class Places:
    """Where things stand, in mm downstream of the induct photoeye, and what of the verdicts goes to the reject lane."""

    counts_per_mm: float
    gate_mm: float
    confirm_mm: float
    exit_mm: float
    margin_mm: float  # the gate's window begins this far before the item
    tolerance_mm: float  # how far from its reckoned place an item may be seen
    patience_mm: float  # how far an item may travel past an eye before it counts as unseen
    shortest_mm: float  # shorter than this is noise at the eye
    divert_undecided: bool = True

    def travelled_mm(self, from_counts: int, counts: int) -> float:
        """The way the belt has gone between two counts."""
        return (counts - from_counts) / self.counts_per_mm

    def is_out(self, disposition: str) -> bool:
        """Whether a verdict sends an item to the reject lane."""
        undecided = disposition == Disposition.NO_DECISION
        return disposition == Disposition.REJECT or (undecided and self.divert_undecided)
