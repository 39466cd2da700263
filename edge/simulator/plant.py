"""The lane's mechanics: belt, photoeyes, camera triggers and gate, for times given from outside.

Whatever an item does happens when its leading edge has come a certain way past the induct photoeye: these are its
marks. They fire in the order in which the belt reaches them, and their counts are those of the crossing itself, as an
encoder's latch gives them, however seldom the plant is asked to advance.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from edge.core.messages import PhotoeyeEdge
from edge.simulator.plan import Geometry, Plan

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
FULLY_OPEN = 1 - 1e-6
PITCH_SPREAD = 0.2  # an item follows its predecessor at the mean pitch, more or less by this share

Eye = Literal["induct", "confirm", "exit"]
Went = Literal["reject", "good"]


@dataclass(frozen=True, slots=True)
class Placed:
    """An item laid on the belt: its leading edge meets the induct photoeye at `lead_counts`."""

    index: int
    lead_counts: int
    length_mm: float


@dataclass(frozen=True, slots=True)
class Scanned:
    """The warehouse's scanner saw an item's leading edge."""

    index: int
    counts: int


@dataclass(frozen=True, slots=True)
class EyeEdge:
    """A photoeye went dark or light."""

    index: int
    eye: Eye
    edge: PhotoeyeEdge


@dataclass(frozen=True, slots=True)
class Exposure:
    """A camera was triggered."""

    index: int
    camera: str
    counts: int
    exposed_ns: int


@dataclass(frozen=True, slots=True)
class AtGate:
    """An item's leading edge crossed the gate's place and was sent one way."""

    index: int
    counts: int
    went: Went


@dataclass(frozen=True, slots=True)
class Gone:
    """An item's trailing edge has passed the last eye of its way."""

    index: int


Event = Scanned | EyeEdge | Exposure | AtGate | Gone


class Gate:
    """A gate that needs its time from one side to the other, and may be turned round on the way."""

    def __init__(self, travel_ns: float) -> None:
        self._travel_ns = travel_ns
        self._since_ns = 0
        self._openness = 0.0
        self._direction = -1

    def open(self, now_ns: int) -> None:
        """Move, or go on moving, towards open."""
        self._turn(now_ns, 1)

    def close(self, now_ns: int) -> None:
        """Move, or go on moving, towards closed."""
        self._turn(now_ns, -1)

    def openness(self, at_ns: float) -> float:
        """How far open the gate stands: 0 closed, 1 fully open; `at_ns` is not before the last order."""
        moved = (at_ns - self._since_ns) / self._travel_ns
        return min(1.0, max(0.0, self._openness + self._direction * moved))

    def _turn(self, now_ns: int, direction: int) -> None:
        if direction != self._direction:
            self._openness = self.openness(now_ns)
            self._since_ns = now_ns
            self._direction = direction


Fire = Callable[["_Ride", int, float], Event]


@dataclass(slots=True)
class _Ride:
    """An item under way, with its marks still to come: a heap of travel in mm, order of entry, what happens."""

    placed: Placed
    marks: list[tuple[float, int, Fire]] = field(default_factory=list)
    entered: int = 0

    def mark(self, travel_mm: float, fire: Fire) -> None:
        heapq.heappush(self.marks, (travel_mm, self.entered, fire))
        self.entered += 1


class Plant:
    """The lane, empty and running from `start_ns` on."""

    def __init__(self, geometry: Geometry, speed_mm_per_s: float, start_counts: int, start_ns: int) -> None:
        self.gate = Gate(geometry.gate_ms * NS_PER_MS)
        self._geometry = geometry
        self._counts_per_ns = speed_mm_per_s * geometry.counts_per_mm / NS_PER_S
        self._counts = float(start_counts)
        self._now_ns = start_ns
        self._waiting: deque[_Ride] = deque()
        self._riding: list[_Ride] = []
        self._seq: Counter[Eye] = Counter()

    @property
    def counts(self) -> int:
        """What the encoder shows."""
        return int(self._counts)

    @property
    def on_belt(self) -> int:
        """Items laid on the belt and not gone yet."""
        return len(self._waiting) + len(self._riding)

    def load(self, items: Iterable[Placed]) -> None:
        """Lay items on the belt, in the order of their places, behind all that lie there."""
        self._waiting.extend(self._ride(placed) for placed in items)

    def advance(self, now_ns: int) -> list[Event]:
        """Let the belt run until `now_ns`; what happened on the way, in its order."""
        counts = self._counts + (now_ns - self._now_ns) * self._counts_per_ns
        events = []
        while due := self._due(counts):
            events.append(self._fire(due))
        self._counts, self._now_ns = counts, now_ns
        return events

    def _due(self, counts: float) -> _Ride | None:
        """The item whose next mark the belt reaches first, no later than `counts`."""
        while self._waiting and self._next_counts(self._waiting[0]) <= counts:
            self._riding.append(self._waiting.popleft())
        first = min(self._riding, key=self._next_counts, default=None)
        return first if first and self._next_counts(first) <= counts else None

    def _next_counts(self, ride: _Ride) -> float:
        return ride.placed.lead_counts + ride.marks[0][0] * self._geometry.counts_per_mm

    def _fire(self, ride: _Ride) -> Event:
        counts = self._next_counts(ride)
        at_ns = self._now_ns + (counts - self._counts) / self._counts_per_ns
        _, _, fire = heapq.heappop(ride.marks)
        return fire(ride, round(counts), at_ns)

    def _ride(self, placed: Placed) -> _Ride:
        ride, geometry = _Ride(placed), self._geometry
        ride.mark(-geometry.scanner_mm, _scan)
        self._mark_eye(ride, "induct", 0.0)
        for camera, place_mm in geometry.camera_mm.items():
            ride.mark(place_mm + placed.length_mm / 2, partial(_expose, camera))
        ride.mark(geometry.gate_mm, self._divide)
        return ride

    def _mark_eye(self, ride: _Ride, eye: Eye, place_mm: float) -> None:
        ride.mark(place_mm, partial(self._darken, eye))
        ride.mark(place_mm + ride.placed.length_mm, partial(self._lighten, eye))

    def _darken(self, eye: Eye, ride: _Ride, counts: int, _at_ns: float) -> Event:
        return EyeEdge(ride.placed.index, eye, PhotoeyeEdge(self._next_seq(eye), counts, dark=True))

    def _lighten(self, eye: Eye, ride: _Ride, counts: int, _at_ns: float) -> Event:
        return EyeEdge(ride.placed.index, eye, PhotoeyeEdge(self._next_seq(eye), counts, dark=False))

    def _next_seq(self, eye: Eye) -> int:
        self._seq[eye] += 1
        return self._seq[eye]

    def _divide(self, ride: _Ride, counts: int, at_ns: float) -> Event:
        """Only a gate that stands fully open takes the item along; one on the move lets it pass."""
        diverted = self.gate.openness(at_ns) > FULLY_OPEN
        eye: Eye = "confirm" if diverted else "exit"
        place_mm = self._geometry.confirm_mm if diverted else self._geometry.exit_mm
        self._mark_eye(ride, eye, place_mm)
        ride.mark(place_mm + ride.placed.length_mm, self._leave)
        return AtGate(ride.placed.index, counts, "reject" if diverted else "good")

    def _leave(self, ride: _Ride, _counts: int, _at_ns: float) -> Event:
        self._riding.remove(ride)
        return Gone(ride.placed.index)


def place_items(plan: Plan, from_counts: int) -> Iterator[Placed]:
    """The plan's items at random gaps (by its seed), the first to meet the scanner one pitch behind `from_counts`."""
    chance = random.Random(plan.seed)  # noqa: S311 - a belt, no secret
    lead_mm = plan.geometry.scanner_mm + plan.pitch_mm
    for index, item in enumerate(plan.items):
        yield Placed(index, from_counts + round(lead_mm * plan.geometry.counts_per_mm), item.length_mm)
        pitch_mm = plan.pitch_mm * chance.uniform(1 - PITCH_SPREAD, 1 + PITCH_SPREAD)
        lead_mm += max(pitch_mm, item.length_mm + plan.gap_mm)


def _scan(ride: _Ride, counts: int, _at_ns: float) -> Event:
    return Scanned(ride.placed.index, counts)


def _expose(camera: str, ride: _Ride, counts: int, at_ns: float) -> Event:
    return Exposure(ride.placed.index, camera, counts, round(at_ns))
