"""Two rulers: nanoseconds say when, encoder counts say where. What joins them is here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from edge.core.messages import BeltReading, Item, PhotoeyeEdge

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
STANDSTILL_MM_PER_S = 1.0
FAR_NS = 3600 * NS_PER_S
PATIENCE_MESSAGES = 50  # one second of the PLC's messages


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where things stand along the belt, in mm downstream of the induct photoeye."""

    counts_per_mm: float
    cameras_mm: Mapping[str, float]
    view_mm: float  # length of belt that a camera sees
    gate_mm: float
    confirm_mm: float
    exit_mm: float
    scanner_mm: float  # how far the warehouse's scanner stands upstream of the eye
    lead_ms: float  # the gate's and the network's time together
    margin_mm: float  # the gate's window is this much longer than the item, at each end
    tolerance_mm: float  # how far from its reckoned place an item may be seen
    patience_mm: float  # how far an item may travel past an eye before it counts as unseen
    typical_length_mm: float  # until its trailing edge has passed the eye
    resync_mm: float = 0.0  # a second eye, which corrects slip; 0: there is none
    shortest_mm: float = 10.0  # shorter than this is no item, but noise at the eye
    longest_mm: float = 2000.0  # longer is more than one
    gap_min_mm: float = 0.0  # what is closer than this cannot be separated: both are diverted
    full_speed_mm_per_s: float = 0.0  # the fastest the belt can be a moment from now; 0: as fast as now
    free_running: frozenset[str] = frozenset()  # cameras that expose all the time, whatever is before them

    def counts(self, distance_mm: float) -> int:
        """Encoder counts that the belt makes over a distance."""
        return round(distance_mm * self.counts_per_mm)

    def travelled_mm(self, item: Item, counts: float) -> float:
        """How far downstream of the induct eye the item's leading edge is."""
        return (counts - item.leading_edge_counts) / self.counts_per_mm

    def length_mm(self, item: Item) -> float:
        """The item's length, as far as known."""
        return self.typical_length_mm if item.length_mm is None else item.length_mm

    def reach_mm(self, camera: str) -> float:
        """How far from the middle of its view an item may be; a camera that runs free shows it well in time."""
        return min(self.tolerance_mm, self.view_mm / 2) if camera in self.free_running else self.view_mm / 2

    def window(self, item: Item) -> tuple[int, int]:
        """The counts between which the gate must stand open for the item."""
        first = item.leading_edge_counts + self.counts(self.gate_mm - self.margin_mm)
        last = item.leading_edge_counts + self.counts(self.gate_mm + self.length_mm(item) + self.margin_mm)
        return first, last

    def due_counts(self, scan_counts: int) -> int:
        """Where the belt is when what the warehouse scanned there comes to the induct eye."""
        return scan_counts + self.counts(self.scanner_mm)

    def was_scanned(self, item: Item, scan_counts: int) -> bool:
        """Whether the item is the one that the warehouse's scanner saw at these counts, within the tolerance."""
        error = self.due_counts(scan_counts) - item.leading_edge_counts + item.slip_counts
        return abs(error) <= self.counts(self.tolerance_mm)

    def nearest(self, items: Iterable[Item], counts: float, place_mm: float) -> Item | None:
        """The item whose leading edge should be at a place at these counts, within the tolerance."""
        errors_mm = {abs(self.travelled_mm(item, counts) - place_mm): item for item in items}
        least = min(errors_mm, default=math.inf)
        return errors_mm[least] if least <= self.tolerance_mm else None

    def deadline_ns(self, item: Item, reading: BeltReading) -> int:
        """When the gate must have been told, at the belt's current speed; far off while it stands.

        Where a belt that starts to run at full speed would leave no time to tell the gate, the time is now.
        """
        way_mm = self.gate_mm - self.margin_mm - self.travelled_mm(item, reading.counts)
        lead_ns = self.lead_ms * NS_PER_MS
        left_ns = FAR_NS
        if reading.speed_mm_per_s >= STANDSTILL_MM_PER_S:
            left_ns = round(way_mm / reading.speed_mm_per_s * NS_PER_S - lead_ns)
        if way_mm * NS_PER_S <= self.full_speed_mm_per_s * lead_ns:
            left_ns = min(left_ns, 0)
        return reading.read_ns + left_ns

    def passed_ns(self, counts: float, reading: BeltReading) -> int:
        """When the belt was at these counts, by its speed now; the reading's own time while it stands."""
        if reading.speed_mm_per_s < STANDSTILL_MM_PER_S:
            return reading.read_ns
        ago_s = (reading.counts - counts) / self.counts_per_mm / reading.speed_mm_per_s
        return reading.read_ns - max(0, round(ago_s * NS_PER_S))


class Odometer:
    """Reckons the belt's place between the PLC's words."""

    def __init__(self, counts_per_mm: float, stale_after_ms: float) -> None:
        self._counts_per_mm = counts_per_mm
        self._stale_ns = stale_after_ms * NS_PER_MS
        self._counts = 0.0
        self._speed_mm_per_s = 0.0
        self._heard_ns: int | None = None

    def go_by(self, counts_per_mm: float) -> None:
        """The belt makes so many."""
        self._counts_per_mm = counts_per_mm

    def hear(self, counts: int, speed_mm_per_s: float, heard_ns: int) -> None:
        """Take the PLC's word."""
        self._counts, self._speed_mm_per_s, self._heard_ns = counts, speed_mm_per_s, heard_ns

    def reading(self, now_ns: int) -> BeltReading:
        """The belt at `now_ns`; a silent PLC's belt is reckoned to run on, so that deadlines still come."""
        if self._heard_ns is None:
            return BeltReading(now_ns, 0.0, 0.0, stale=True)
        age_ns = now_ns - self._heard_ns
        moved = self._speed_mm_per_s * self._counts_per_mm * age_ns / NS_PER_S
        return BeltReading(now_ns, self._counts + moved, self._speed_mm_per_s, stale=age_ns > self._stale_ns)


class EdgeSeries:
    """One eye's edges, each once and in order: the PLC repeats them so that a lost message loses no item."""

    def __init__(self, next_seq: int | None = None) -> None:
        """Begin with `next_seq`; None: behind what the first message repeats, for that was before we listened."""
        self.missed = 0  # numbers given up in the last call of `fresh`
        self._listening = next_seq is not None
        self._next_seq = next_seq
        self._held: dict[int, PhotoeyeEdge] = {}  # came before one with a smaller number
        self._waited = 0

    @property
    def holds(self) -> bool:
        """Whether edges wait for one with a smaller number."""
        return bool(self._held)

    @classmethod
    def of_new_life(cls) -> EdgeSeries:
        """Of a PLC that was started while we listened: all that it tells is news, whatever number it begins with."""
        series = cls()
        series._listening = True
        return series

    def fresh(self, edges: Iterable[PhotoeyeEdge]) -> tuple[PhotoeyeEdge, ...]:
        """Those not given out before; behind a gap in the numbers they wait for it to be filled, but not for ever."""
        told = {edge.seq: edge for edge in edges}
        self.missed = 0
        if self._next_seq is None and told:
            self._next_seq = min(told) if self._listening else max(told) + 1
        self._listening = True
        if self._next_seq is None:
            return ()
        self._held |= {seq: edge for seq, edge in told.items() if seq >= self._next_seq}
        came = [*self._in_order(self._next_seq)]
        self._waited = self._waited + 1 if self._held and not came else 0
        if self._waited > PATIENCE_MESSAGES:
            self.missed = min(self._held) - self._next_seq
            came += self._in_order(min(self._held))
            self._waited = 0
        return tuple(came)

    def _in_order(self, seq: int) -> Iterator[PhotoeyeEdge]:
        """What is held from a number on, up to the next gap."""
        while seq in self._held:
            yield self._held.pop(seq)
            seq += 1
        self._next_seq = seq
