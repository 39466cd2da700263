"""One shot of a fire test: its order, said again so that the network is measured, and what the PLC says of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from edge.core.belt import NS_PER_MS, NS_PER_S
from edge.core.messages import BeltReading, DivertAck, DivertCommand, FireShot, PhotoeyeEdge
from edge.core.orders import TAKEN

MS_PER_S = 1000
PATIENCE_NS = 1500 * NS_PER_MS  # behind a window, for edges that come late
PAUSE_NS = 8 * NS_PER_MS  # an answered order is said again so much later: what that takes is a measure of the network
MOST_TRIPS = 48  # of one shot


@dataclass(slots=True)
class Shot:
    """One that is under way."""

    command: DivertCommand
    sent_ns: int
    sent_counts: float
    told_mm_per_s: float
    said_ns: int | None  # when it was last said; None: that was answered
    said_counts: float  # where the box took the belt to be then
    counts_per_mm: float
    answered_ns: int = 0
    status: str = ""
    trips_ms: list[float] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)  # what → counts

    def see(self, reading: BeltReading, acks: Iterable[DivertAck]) -> None:
        """Take what the PLC said in this turn."""
        for ack in acks:
            if ack.command_id == self.command.command_id:
                self._answer(ack)
        self._note("driven", "released", reading.drive_edges)
        self._note("over", "back", reading.gate_edges)

    def is_over(self, reading: BeltReading) -> bool:
        """Whether the gate is back, or will not be seen to be."""
        return "back" in self.seen or reading.read_ns >= self.command.expires_ns + PATIENCE_NS

    def says_again(self, reading: BeltReading, last_counts: float) -> bool:
        """Whether it is time to say it once more, so that the network is measured; never past `last_counts`."""
        if self.said_ns is not None or self.status not in TAKEN or len(self.trips_ms) >= MOST_TRIPS:
            return False
        return reading.read_ns - self.answered_ns >= PAUSE_NS and reading.counts < last_counts

    def say(self, reading: BeltReading) -> DivertCommand:
        """The order, once more."""
        self.said_ns, self.said_counts = reading.read_ns, reading.counts
        return self.command

    def record(self, test: str, reading: BeltReading) -> FireShot:
        """All that is known of it."""
        ran_mm = (reading.counts - self.sent_counts) / self.counts_per_mm
        ran_s = max(1, reading.read_ns - self.sent_ns) / NS_PER_S
        return FireShot(
            test=test,
            command_id=self.command.command_id,
            sent_ns=self.sent_ns,
            open_counts=self.command.open_counts,
            close_counts=self.command.close_counts,
            told_mm_per_s=self.told_mm_per_s,
            ran_mm_per_s=ran_mm / ran_s,
            status=self.status,
            trips_ms=tuple(self.trips_ms),
            **{f"{what}_counts": counts for what, counts in self.seen.items()},
        )

    def _answer(self, ack: DivertAck) -> None:
        """An answer that comes twice, or before the question, is none."""
        if self.said_ns is None or ack.heard_ns < self.said_ns:
            return
        self.trips_ms.append(self._trip_ms(ack, self.said_ns))
        self.status = self.status or ack.status
        self.said_ns, self.answered_ns = None, ack.heard_ns

    def _trip_ms(self, ack: DivertAck, said_ns: int) -> float:
        """By how much the belt was further on than the box took it to be: the way of `belt` and that of the order.

        That is what a lead must cover. Without the PLC's word, the order's way and the answer's must stand for it.
        """
        if ack.counts is None:
            return (ack.heard_ns - said_ns) / NS_PER_MS
        return (ack.counts - self.said_counts) / self.counts_per_mm / self.told_mm_per_s * MS_PER_S

    def _note(self, first: str, then: str, edges: Iterable[PhotoeyeEdge]) -> None:
        for edge in edges:
            what = first if edge.dark else then
            if edge.counts > self.sent_counts and (edge.dark or first in self.seen):
                self.seen.setdefault(what, edge.counts)


def fault_of(shot: FireShot) -> str:
    """Why a shot tells nothing of the gate, and what to do; empty: it does."""
    if shot.status not in TAKEN:
        said = f"'{shot.status}'" if shot.status else "nothing"
        return f"the PLC answered {said} to an order in good time: try `tunnel-edge conformance`, or raise lead_ms"
    if shot.driven_counts is None and shot.over_counts is None:
        return "no edge of the eyes `drive` and `gate` came: wire them to the PLC and have it tell them in `belt`"
    if shot.driven_counts is None:
        return "the PLC does not tell when it drives the gate: have it tell the eye `drive`"
    if shot.over_counts is None:
        return "the gate was driven, and not seen on the divert side: look at its air, its way and its switch"
    if shot.released_counts is None or shot.back_counts is None:
        return "the gate was not seen back on the pass side: look at its air, its way and its switch"
    return ""
