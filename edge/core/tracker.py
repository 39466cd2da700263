"""Every item from the induct photoeye on: born at an edge, joined to its order, found in frames."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from edge.core.belt import NS_PER_S, Geometry
from edge.core.messages import Announcement, BeltReading, End, Expected, Frame, Item, ItemEnd, PhotoeyeEdge, Sighting

MAX_ANNOUNCED = 256
UNPLACED_NS = 5 * NS_PER_S  # an announcement whose place is not known, or not yet, is for what comes next, or nothing
OVERDUE_MM = 2000.0  # an announcement is forgotten when its place is so far past the eye, or before the scanner
UNTOLD = 0  # the life of a PLC that had not spoken yet
BLOCKED = "the induct eye stays dark (ByLength)"
E_STOP = "on the belt during an E-stop"
RESTARTED = "on the belt when the daemon was restarted"

Held = Callable[[Item], str]
"""Why an item is diverted for its lot; empty: its lot is not held."""


def none_is_held(_item: Item) -> str:
    """No lots are watched."""
    return ""


@dataclass(frozen=True, slots=True)
class Tracked:
    """What one update brought."""

    changed: tuple[Item, ...]  # born, measured, joined, corrected or purged, as they are now
    born: int
    ghosts: tuple[ItemEnd, ...]  # what was noise at the eye
    sightings: tuple[Sighting, ...]
    slips_mm: tuple[float, ...]  # how far each item seen at the second eye had slipped


class Tracker:
    """Knows the items on the belt; `items` is in the order of their birth."""

    def __init__(
        self, geometry: Geometry, id_prefix: str, restored: Iterable[Item] = (), announced: Iterable[Announcement] = ()
    ) -> None:
        """restored, announced: what an earlier life left."""
        self.items: dict[str, Item] = {item.item_id: item for item in restored}
        self._restored = set(self.items)  # until the belt's place is known
        self._geometry = geometry
        self._id_prefix = id_prefix
        self._born = 0
        self._trailing_counts: int | None = None  # the last trailing edge at the induct eye
        self._brief: list[Item] = []  # what was noise at the eye, in this update
        self._shown_at: dict[tuple[str, str], float] = {}  # item and free-running camera → counts when last shown
        self._announced: deque[tuple[int, Expected]] = deque(maxlen=MAX_ANNOUNCED)  # when, and what
        self._left = tuple(announced)  # until the belt's place is known
        self._silent_ns = 0  # when the PLC was last silent: the births of then are still to come

    def update(self, reading: BeltReading, frames: Sequence[Frame], held: Held = none_is_held) -> Tracked:
        """Births, lengths, orders, slip and purges, then what the frames show."""
        before, born = dict(self.items), self._born
        self._brief.clear()
        self._announced.extend((reading.read_ns, expected) for expected in reading.announced)
        self._silent_ns = reading.read_ns if reading.stale else self._silent_ns
        ghosts = tuple(self._induct(reading))
        self._see_to_blocked_eye(reading)
        if self._took_over(reading) or reading.announced or reading.induct_edges:
            self._join(reading)
        slips_mm = tuple(self._resync(reading))
        self._see_to_purges(reading)
        self._see_to_holds(reading, held)
        changed = (*self._brief, *(item for item_id, item in self.items.items() if before.get(item_id) is not item))
        return Tracked(changed, self._born - born, ghosts, tuple(self._sightings(frames, reading)), slips_mm)

    def go_by(self, geometry: Geometry) -> None:
        """The lane is laid out anew; nothing is on it."""
        self._geometry = geometry

    def forget(self, ends: Iterable[ItemEnd]) -> None:
        """These are off the belt."""
        for end in ends:
            self.items.pop(end.item_id, None)
            for camera in self._geometry.free_running:
                self._shown_at.pop((end.item_id, camera), None)

    def _induct(self, reading: BeltReading) -> Iterator[ItemEnd]:
        for edge in reading.induct_edges:
            if edge.dark:
                self._birth(edge, reading)
            else:
                yield from self._measure(edge, reading)

    def _birth(self, edge: PhotoeyeEdge, reading: BeltReading) -> None:
        self._born += 1
        born_ns = self._geometry.passed_ns(edge.counts, reading)
        item = Item(f"{self._id_prefix}-{self._born:06d}", born_ns, edge.counts)
        self._keep_apart(edge)
        self.items[item.item_id] = replace(item, edge_seq=edge.seq, boot=reading.boot, purge=self._gap_fault(edge))

    def _gap_fault(self, edge: PhotoeyeEdge) -> str:
        """Why what begins here cannot be told from what came before it; empty if it can."""
        if self._trailing_counts is None:
            return ""
        gap_mm = (edge.counts - self._trailing_counts) / self._geometry.counts_per_mm
        return f"gap of {gap_mm:.0f} mm (ByDistanceFault)" if 0 <= gap_mm < self._geometry.gap_min_mm else ""

    def _keep_apart(self, edge: PhotoeyeEdge) -> None:
        """Of two that stand too close, the first is purged too."""
        fault, youngest = self._gap_fault(edge), self._youngest()
        if fault and youngest and not youngest.purge:
            self.items[youngest.item_id] = replace(youngest, purge=fault)

    def _measure(self, edge: PhotoeyeEdge, reading: BeltReading) -> Iterator[ItemEnd]:
        """A trailing edge belongs to the youngest item, if that has none yet."""
        youngest = self._youngest()
        if youngest is None or youngest.length_mm is not None:
            return
        length_mm = self._geometry.travelled_mm(youngest, edge.counts)
        if length_mm < self._geometry.shortest_mm:
            self._brief.append(self.items.pop(youngest.item_id))
            yield ItemEnd(youngest.item_id, End.REMOVED, edge.counts, reading.read_ns)
            return
        self._trailing_counts = edge.counts
        too_long = f"{length_mm:.0f} mm long (ByLength)" if length_mm > self._geometry.longest_mm else ""
        self.items[youngest.item_id] = replace(youngest, length_mm=length_mm, purge=youngest.purge or too_long)

    def _see_to_blocked_eye(self, reading: BeltReading) -> None:
        """An eye that stays dark for longer than any item hides what passes below it."""
        youngest = self._youngest()
        if youngest is None or youngest.length_mm is not None or youngest.purge == BLOCKED or reading.stale:
            return
        if self._geometry.travelled_mm(youngest, reading.counts) > self._geometry.longest_mm:
            self.items[youngest.item_id] = replace(youngest, purge=BLOCKED)

    def _youngest(self) -> Item | None:
        return next(reversed(self.items.values()), None)

    def _resync(self, reading: BeltReading) -> Iterator[float]:
        """Each item at the second eye is put where it is seen; yields how far it had slipped, mm."""
        for edge in reading.resync_edges:
            item = self._geometry.nearest(self.items.values(), edge.counts, self._geometry.resync_mm)
            if edge.dark and item:
                slip = edge.counts - item.leading_edge_counts - self._geometry.counts(self._geometry.resync_mm)
                place = item.leading_edge_counts + slip
                self.items[item.item_id] = replace(item, leading_edge_counts=place, slip_counts=item.slip_counts + slip)
                yield slip / self._geometry.counts_per_mm

    def _see_to_purges(self, reading: BeltReading) -> None:
        """A restart or an E-stop leaves what is before the gate in an unknown state; a named person may clear it."""
        if self._restored and not reading.stale:
            self._purge((self.items[name] for name in self._restored & self.items.keys()), RESTARTED, reading)
            self._restored.clear()
        if "e_stop" in reading.guards:
            self._purge(self.items.values(), E_STOP, reading)
        elif any(clearing.what == "items" for clearing in reading.clearings):
            self._purge((item for item in self.items.values() if not item.is_held), "", reading)

    def _see_to_holds(self, reading: BeltReading, held: Held) -> None:
        """What can still be diverted in time goes the way of its lot; what cannot was listed when the hold began."""
        for item in [item for item in self.items.values() if not item.purge]:
            if (why := held(item)) and self._geometry.deadline_ns(item, reading) > reading.read_ns:
                self.items[item.item_id] = replace(item, purge=why)

    def _purge(self, items: Iterable[Item], why: str, reading: BeltReading) -> None:
        changed = [item for item in items if item.purge != why and self._before_gate(item, reading)]
        self.items |= {item.item_id: replace(item, purge=why) for item in changed}

    def _before_gate(self, item: Item, reading: BeltReading) -> bool:
        return self._geometry.window(item)[0] > reading.counts

    def _join(self, reading: BeltReading) -> None:
        """Give each item without an order the announcement that fits its place, else the oldest without a place."""
        self._announced = deque((one for one in self._announced if self._is_due(*one, reading)), MAX_ANNOUNCED)
        for item in [item for item in self.items.values() if item.expected is None]:
            found = next((one for one in self._announced if self._fits(one[1], item)), None)
            if found:
                self._announced.remove(found)
                self.items[item.item_id] = replace(item, expected=found[1])

    def _took_over(self, reading: BeltReading) -> bool:
        """What was announced to an earlier life, where the PLC's counts are the same still, or were not told yet."""
        if not self._left or reading.stale:
            return False
        self._announced.extend(
            (reading.read_ns, one.expected) for one in self._left if one.boot in (reading.boot, UNTOLD)
        )
        self._left = ()
        return True

    def _is_due(self, announced_ns: int, expected: Expected, reading: BeltReading) -> bool:
        """Whether its item may still come: one that was taken off before the eye must not pass its order on.

        A place far off the belt is of another life of the PLC: of the last one, or of one that `belt` has not told yet.
        A silence does not count: what was announced before it may be born after it.
        """
        if reading.read_ns - max(announced_ns, self._silent_ns) <= UNPLACED_NS:
            return True
        if expected.scan_counts is None:
            return False
        late_mm = (reading.counts - self._geometry.due_counts(expected.scan_counts)) / self._geometry.counts_per_mm
        return -self._geometry.scanner_mm - OVERDUE_MM <= late_mm <= OVERDUE_MM

    def _fits(self, expected: Expected, item: Item) -> bool:
        return expected.scan_counts is None or self._geometry.was_scanned(item, expected.scan_counts)

    def _sightings(self, frames: Iterable[Frame], reading: BeltReading) -> Iterator[Sighting]:
        for frame in frames:
            item = self._shown(frame)
            if item and not item.is_held and not self._is_repetition(frame, item):
                yield Sighting(frame, item, self._geometry.deadline_ns(item, reading))

    def _shown(self, frame: Frame) -> Item | None:
        """The item nearest the middle of the camera's view at exposure."""
        place_mm = self._geometry.cameras_mm.get(frame.camera)
        if place_mm is None or not self.items:
            return None
        offsets = {item_id: abs(self._middle_mm(item, frame) - place_mm) for item_id, item in self.items.items()}
        nearest = min(offsets, key=offsets.__getitem__)
        return self.items[nearest] if offsets[nearest] <= self._geometry.reach_mm(frame.camera) else None

    def _is_repetition(self, frame: Frame, item: Item) -> bool:
        """Whether a camera that runs free has shown the item in nearly the same place: as if the belt stood still."""
        if frame.camera not in self._geometry.free_running:
            return False
        key = (item.item_id, frame.camera)
        before = self._shown_at.get(key, -math.inf)
        if abs(frame.belt_counts - before) < self._geometry.counts(self._geometry.tolerance_mm):
            return True
        self._shown_at[key] = frame.belt_counts
        return False

    def _middle_mm(self, item: Item, frame: Frame) -> float:
        return self._geometry.travelled_mm(item, frame.belt_counts) - self._geometry.length_mm(item) / 2
