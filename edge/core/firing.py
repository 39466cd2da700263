"""A fire test: the gate is fired on the empty, running belt, and the PLC latches what it does.

A shot is an order like any other, with a window that no item can reach: it closes, and the gate is back, before
anything that meets the induct eye after the order was sent could be at the gate.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from edge.core.belt import NS_PER_MS, NS_PER_S, STANDSTILL_MM_PER_S, Geometry
from edge.core.messages import (
    BeltReading,
    DivertAck,
    DivertCommand,
    FireResult,
    FireShot,
    FireStart,
    Item,
    PhotoeyeEdge,
)
from edge.core.orders import TAKEN, command_id_of

MS_PER_S = 1000
NOTICE_MS, OPEN_MS = 1000.0, 300.0  # an order is sent so long before its window, and this is how long that lasts
BACK_MS = 100.0  # on top of `lead_ms`, for the gate to be back
PATIENCE_NS = 1500 * NS_PER_MS  # behind a window, for edges that come late
REST_NS = 300 * NS_PER_MS  # between two shots
PAUSE_NS = 8 * NS_PER_MS  # an answered order is said again so much later: what that takes is a measure of the network
MOST_TRIPS = 48  # of one shot
FEW_BAD = 3  # shots in all, or the first: it makes no sense to go on


@dataclass(frozen=True, slots=True)
class Fired:
    """What one turn gave rise to."""

    commands: tuple[DivertCommand, ...] = ()
    shots: tuple[FireShot, ...] = ()
    results: tuple[FireResult, ...] = ()


@dataclass(slots=True)
class _Shot:
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


class FireTests:
    """One test at a time."""

    def __init__(self, geometry: Geometry, id_prefix: str) -> None:
        """Begin; id_prefix: of this life, for the PLC remembers the names of orders."""
        self._geometry, self._id_prefix = geometry, id_prefix
        self._numbers = itertools.count(1)
        self._test: FireStart | None = None
        self._shot: _Shot | None = None
        self._fired = self._bad = 0  # shots of the present test
        self._boot = 0
        self._rest_until_ns = 0
        self._announced_counts = -math.inf  # where the belt was when the warehouse last announced something

    def update(
        self, reading: BeltReading, items: Mapping[str, Item], acks: Iterable[DivertAck], testing: str = ""
    ) -> Fired:
        """Begin what was asked for, follow the shot that is under way, end the test, or fire again.

        testing: the challenge test that runs; empty: none.
        """
        if reading.announced:
            self._announced_counts = reading.counts
        why = self._hindrance(reading, items, testing)
        results = [*self._begin(reading, why)]
        shots = tuple(self._follow(reading, acks, why))
        results += self._end(reading, why, shots)
        return Fired(self._said(reading), shots, tuple(results))

    def _begin(self, reading: BeltReading, why: str) -> Iterator[FireResult]:
        for start in reading.fire_tests:
            refusal = "another fire test runs: wait for its end" if self._test else why
            if refusal:
                yield _result(start, "refused", refusal, reading)
            else:
                self._test, self._boot = start, reading.boot
                self._fired = self._bad = 0

    def _follow(self, reading: BeltReading, acks: Iterable[DivertAck], why: str) -> Iterator[FireShot]:
        """The shot that has ended in this turn; one that must be given up closes by its own window."""
        if self._shot is None or self._test is None:
            return
        self._shot.see(reading, acks)
        if why or self._shot.is_over(reading):
            yield self._shot.record(self._test.test, reading)
            self._shot = None
            self._fired += 1
            self._rest_until_ns = reading.read_ns + (PATIENCE_NS if why else REST_NS)

    def _end(self, reading: BeltReading, why: str, shots: Iterable[FireShot]) -> Iterator[FireResult]:
        if self._test is None:
            return
        faults = [fault for shot in shots if (fault := fault_of(shot))]
        self._bad += len(faults)
        hopeless = faults and (self._fired == 1 or self._bad >= FEW_BAD)
        if why or hopeless:
            ended = _result(self._test, "aborted", why or faults[0], reading)
        elif self._fired >= self._test.times:
            ended = _result(self._test, "fired", f"{self._fired} shots, {self._bad} of them of no use", reading)
        else:
            return
        self._test = None
        yield ended

    def _said(self, reading: BeltReading) -> tuple[DivertCommand, ...]:
        """The next shot's order, or the present one's once more."""
        if self._test is None:
            return ()
        if self._shot is None:
            return (self._fire(reading),) if reading.read_ns >= self._rest_until_ns else ()
        lead_counts = self._counts(self._geometry.lead_ms, self._shot.told_mm_per_s)
        if self._shot.says_again(reading, self._shot.command.open_counts - lead_counts):
            return (self._shot.say(reading),)
        return ()

    def _fire(self, reading: BeltReading) -> DivertCommand:
        speed, notice_ms = reading.speed_mm_per_s, self._notice_ms(reading)
        item_id = f"{self._id_prefix}-fire-{next(self._numbers)}"
        opens = math.ceil(reading.counts + self._counts(notice_ms, speed))
        command = DivertCommand(
            command_id=command_id_of(item_id),
            item_id=item_id,
            open_counts=opens,
            close_counts=opens + math.ceil(self._counts(OPEN_MS, speed)),
            expires_ns=reading.read_ns + round((notice_ms + OPEN_MS) * NS_PER_MS),
            reason=f"fire test by {self._test.by if self._test else ''}",
        )
        places = (reading.read_ns, reading.counts, speed, reading.read_ns, reading.counts)
        self._shot = _Shot(command, *places, self._geometry.counts_per_mm)
        return command

    def _hindrance(self, reading: BeltReading, items: Mapping[str, Item], testing: str) -> str:
        """Why the gate must not be fired now, and what to do; empty: it may."""
        if reading.stale:
            return "the PLC is silent: see to its connection"
        if self._test and reading.boot != self._boot:
            return "the PLC was restarted: fire again"
        if reading.guards:
            return f"guard {sorted(reading.guards)[0]} is in alarm: see to it first"
        if reading.speed_mm_per_s < STANDSTILL_MM_PER_S:
            return "the belt stands: let it run, empty"
        if items:
            return f"items on the belt: {len(items)}: let them leave, and send none"
        if self._is_announced(reading):
            return "the warehouse has announced an item: send none meanwhile"
        if testing:
            return f"the challenge test '{testing}' runs: wait for its end"
        return self._too_near(reading)

    def _too_near(self, reading: BeltReading) -> str:
        needs_ms = 2 * self._geometry.lead_ms + BACK_MS
        short_ms = needs_ms - self._notice_ms(reading)
        if short_ms <= 0:
            return ""
        return f"an item would be at the gate {short_ms:.0f} ms before a shot is over: let the belt run slower"

    def _notice_ms(self, reading: BeltReading) -> float:
        """How long before its window an order is sent: as long as the way from the induct eye to the gate allows."""
        way_mm = self._geometry.gate_mm - self._geometry.margin_mm
        room_ms = way_mm / reading.speed_mm_per_s * MS_PER_S
        return min(NOTICE_MS, room_ms - OPEN_MS - self._geometry.lead_ms - BACK_MS)

    def _is_announced(self, reading: BeltReading) -> bool:
        """Whether something that was announced may still be on its way to the induct eye."""
        way_mm = self._geometry.scanner_mm + self._geometry.tolerance_mm
        return 0 <= reading.counts - self._announced_counts < self._geometry.counts(way_mm)

    def _counts(self, lasts_ms: float, speed_mm_per_s: float) -> float:
        return lasts_ms / MS_PER_S * speed_mm_per_s * self._geometry.counts_per_mm


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


def _result(test: FireStart, outcome: str, because: str, reading: BeltReading) -> FireResult:
    return FireResult(test.test, test.by, outcome, because, reading.read_ns)
