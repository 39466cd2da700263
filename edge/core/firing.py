"""A fire test: the gate is fired on the empty, running belt, and the PLC latches what it does.

A shot is an order like any other, with a window that no item can reach: it closes, and the gate is back, before
anything that meets the induct eye after the order was sent could be at the gate.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from edge.core.belt import NS_PER_MS, STANDSTILL_MM_PER_S, Geometry
from edge.core.messages import BeltReading, DivertAck, DivertCommand, FireResult, FireShot, FireStart, Item
from edge.core.orders import command_id_of
from edge.core.shot import MS_PER_S, PATIENCE_NS, Shot, fault_of

NOTICE_MS, OPEN_MS = 1000.0, 300.0  # an order is sent so long before its window, and this is how long that lasts
BACK_MS = 100.0  # on top of `lead_ms`, for the gate to be back
REST_NS = 300 * NS_PER_MS  # between two shots
FEW_BAD = 3  # shots in all, or the first: it makes no sense to go on


@dataclass(frozen=True, slots=True)
class Fired:
    """What one turn gave rise to."""

    commands: tuple[DivertCommand, ...] = ()
    shots: tuple[FireShot, ...] = ()
    results: tuple[FireResult, ...] = ()


NOTHING = Fired()


class FireTests:
    """One test at a time."""

    def __init__(self, geometry: Geometry, id_prefix: str) -> None:
        """Begin; id_prefix: of this life, for the PLC remembers the names of orders."""
        self._geometry, self._id_prefix = geometry, id_prefix
        self._numbers = itertools.count(1)
        self._test: FireStart | None = None
        self._shot: Shot | None = None
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
        if self._test is None and not reading.fire_tests:
            return NOTHING
        why = self._hindrance(reading, items, testing)
        results = [*self._begin(reading, why)]
        shots = tuple(self._follow(reading, acks, why))
        results += self._end(reading, why, shots)
        return Fired(self._said(reading), shots, tuple(results))

    def go_by(self, geometry: Geometry) -> None:
        """From now on; a lane that is laid out anew is Held, and fires nothing."""
        self._geometry = geometry

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
        self._shot = Shot(command, *places, self._geometry.counts_per_mm)
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


def _result(test: FireStart, outcome: str, because: str, reading: BeltReading) -> FireResult:
    return FireResult(test.test, test.by, outcome, because, reading.read_ns)
