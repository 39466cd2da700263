"""The lane's mechanics: belt, photoeyes, camera triggers and gate, for times given from outside.

Whatever an item does happens when its leading edge has come a certain way past the induct photoeye: these are its
marks. They fire in the order in which the belt reaches them, and their counts are those of the crossing itself, as an
encoder's latch gives them, however seldom the plant is asked to advance.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter

from edge.core.messages import PhotoeyeEdge
from edge.simulator.events import NOBODY, AtGate, Event, Exposure, Eye, EyeEdge, Gone, Placed, Scanned, Unseen
from edge.simulator.gate import FULLY_OPEN, Gate
from edge.simulator.plan import Geometry, Plan

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
PITCH_SPREAD = 0.2  # an item follows its predecessor at the mean pitch, more or less by this share

_NEXT_COUNTS = attrgetter("next_counts")

Fire = Callable[["_Ride", int, float], Event | None]


@dataclass(slots=True)
class _Ride:
    """An item under way, with its marks still to come: a heap of travel in mm, order of entry, what happens."""

    placed: Placed
    marks: list[tuple[float, int, Fire]] = field(default_factory=list)
    entered: int = 0
    behind_counts: float = 0.0  # what the belt has moved without it
    held_counts: float | None = None  # where the belt was when it was held fast; None: it moves
    covers: set[Eye] = field(default_factory=set)
    next_counts: float = math.inf  # where the belt will be at its next mark; kept by the plant

    def mark(self, travel_mm: float, fire: Fire) -> None:
        heapq.heappush(self.marks, (travel_mm, self.entered, fire))
        self.entered += 1


class Plant:
    """The lane, empty and running from `start_ns` on."""

    def __init__(self, geometry: Geometry, speed_mm_per_s: float, start_counts: int, start_ns: int) -> None:
        self.gate = Gate(geometry.gate_ms * NS_PER_MS)
        self._geometry = geometry
        self._counts = float(start_counts)
        self.now_ns = start_ns
        self._waiting: deque[_Ride] = deque()
        self._riding: list[_Ride] = []
        self._seq: Counter[Eye] = Counter()
        self._covered: Counter[Eye] = Counter()  # by how many things each eye is covered
        self._first: _Ride | None = None  # whose mark the belt reaches first; kept, for it is asked for all the time
        self.run_at(speed_mm_per_s)

    @property
    def counts(self) -> int:
        """What the encoder shows."""
        return int(self._counts)

    @property
    def on_belt(self) -> int:
        """Items laid on the belt and not gone yet."""
        return len(self._waiting) + len(self._riding)

    @property
    def waiting(self) -> int:
        """Of them, those that have not come to the scanner."""
        return len(self._waiting)

    @property
    def next_ns(self) -> float:
        """When something will happen, if the belt keeps its speed; infinite: nothing will."""
        return self.ns_at(self._first.next_counts) if self._first else math.inf

    def ns_at(self, counts: float) -> float:
        """When the encoder will show `counts`, if the belt keeps its speed."""
        if not self._counts_per_ns or counts == math.inf:
            return math.inf
        return self.now_ns + max(0.0, counts - self._counts) / self._counts_per_ns

    def run_at(self, speed_mm_per_s: float) -> None:
        """Change the belt's speed, from the time on that the plant has reached; 0: it stands."""
        self.speed_mm_per_s = speed_mm_per_s
        self._counts_per_ns = speed_mm_per_s * self._geometry.counts_per_mm / NS_PER_S

    def load(self, items: Iterable[Placed]) -> None:
        """Lay items on the belt, in the order of their places, behind all that lie there."""
        self._waiting.extend(self._ride(placed) for placed in items)
        self._look_ahead()

    def advance(self, now_ns: int) -> list[Event]:
        """Let the belt run until `now_ns`; what happened on the way, in its order."""
        counts = self._counts + (now_ns - self.now_ns) * self._counts_per_ns
        events = []
        while due := self._due(counts):
            if event := self._fire(due):
                events.append(event)
        self._counts, self.now_ns = counts, now_ns
        return events

    def between(self, first_mm: float, last_mm: float) -> list[int]:
        """The items whose leading edges are between two places, the foremost first."""
        return [
            ride.placed.index
            for ride in self._riding
            if ride.held_counts is None and first_mm <= self._travelled_mm(ride) < last_mm
        ]

    def slip(self, index: int, by_mm: float) -> None:
        """An item stays behind the belt by so much."""
        ride = self._riding_as(index)
        ride.behind_counts += by_mm * self._geometry.counts_per_mm
        self._reckon(ride)

    def hold(self, index: int) -> None:
        """An item is caught, and the belt runs on below it."""
        ride = self._riding_as(index)
        ride.held_counts = self._counts
        self._reckon(ride)

    def release(self, index: int) -> None:
        """It rides on from where it was caught."""
        ride = self._riding_as(index)
        if ride.held_counts is not None:
            ride.behind_counts += self._counts - ride.held_counts
            ride.held_counts = None
            self._reckon(ride)

    def take(self, index: int) -> list[Event]:
        """A hand takes an item off the belt; the eyes that it covered go light."""
        ride = self._riding_as(index)
        self._riding.remove(ride)
        self._look_ahead()
        return [event for eye in sorted(ride.covers) for event in self.uncover(eye, index)]

    def cover(self, eye: Eye, index: int = NOBODY) -> list[Event]:
        """Something is before an eye."""
        self._covered[eye] += 1
        return [self._edge(eye, index, self.counts, dark=True)] if self._covered[eye] == 1 else []

    def uncover(self, eye: Eye, index: int = NOBODY) -> list[Event]:
        """It is there no longer."""
        self._covered[eye] -= 1
        return [] if self._covered[eye] else [self._edge(eye, index, self.counts, dark=False)]

    def _riding_as(self, index: int) -> _Ride:
        return next(ride for ride in self._riding if ride.placed.index == index)

    def _travelled_mm(self, ride: _Ride) -> float:
        return (self._counts - ride.placed.lead_counts - ride.behind_counts) / self._geometry.counts_per_mm

    def _due(self, counts: float) -> _Ride | None:
        """The item whose next mark the belt reaches first, no later than `counts`."""
        first = self._first
        if first is None or first.next_counts > counts:
            return None
        if self._waiting and first is self._waiting[0]:
            self._riding.append(self._waiting.popleft())
        return first

    def _look_ahead(self) -> None:
        """Find the item that comes to a mark next; of those that wait it can only be the first."""
        rides = [*self._riding, self._waiting[0]] if self._waiting else self._riding
        self._first = min(rides, key=_NEXT_COUNTS, default=None)

    def _reckon(self, ride: _Ride) -> None:
        """Its next mark is another one, or elsewhere."""
        held = ride.held_counts is not None or not ride.marks
        way_counts = 0.0 if held else ride.marks[0][0] * self._geometry.counts_per_mm
        ride.next_counts = math.inf if held else ride.placed.lead_counts + ride.behind_counts + way_counts
        self._look_ahead()

    def _fire(self, ride: _Ride) -> Event | None:
        counts = ride.next_counts
        at_ns = self.ns_at(counts)
        _, _, fire = heapq.heappop(ride.marks)
        event = fire(ride, round(counts), at_ns)
        self._reckon(ride)
        return event

    def _ride(self, placed: Placed) -> _Ride:
        ride, geometry = _Ride(placed), self._geometry
        ride.mark(-geometry.scanner_mm, _scan)
        self._mark_eye(ride, "induct", 0.0)
        if geometry.resync_mm:
            self._mark_eye(ride, "resync", geometry.resync_mm)
        for camera, place_mm in geometry.camera_mm.items():
            ride.mark(place_mm + placed.length_mm / 2, partial(_expose, camera))
        ride.mark(geometry.gate_mm, self._divide)
        ride.next_counts = placed.lead_counts + ride.marks[0][0] * geometry.counts_per_mm
        return ride

    def _mark_eye(self, ride: _Ride, eye: Eye, place_mm: float) -> None:
        ride.mark(place_mm, partial(self._darken, eye))
        ride.mark(place_mm + ride.placed.length_mm, partial(self._lighten, eye))

    def _darken(self, eye: Eye, ride: _Ride, counts: int, _at_ns: float) -> Event:
        """An eye that something covers already does not see the next thing come."""
        ride.covers.add(eye)
        self._covered[eye] += 1
        index = ride.placed.index
        return self._edge(eye, index, counts, dark=True) if self._covered[eye] == 1 else Unseen(index, eye, counts)

    def _lighten(self, eye: Eye, ride: _Ride, counts: int, _at_ns: float) -> Event | None:
        ride.covers.discard(eye)
        self._covered[eye] -= 1
        return None if self._covered[eye] else self._edge(eye, ride.placed.index, counts, dark=False)

    def _edge(self, eye: Eye, index: int, counts: int, *, dark: bool) -> EyeEdge:
        """Numbered from nought in each life of the PLC."""
        edge = PhotoeyeEdge(self._seq[eye], counts, dark)
        self._seq[eye] += 1
        return EyeEdge(index, eye, edge)

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
