"""Every item from the induct photoeye on: born at an edge, joined to its order, found in frames."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from edge.core.belt import Geometry
from edge.core.messages import BeltReading, Expected, Frame, Item, ItemEnd, PhotoeyeEdge, Sighting

MAX_ANNOUNCED = 256


@dataclass(frozen=True, slots=True)
class Tracked:
    """What one update brought."""

    changed: tuple[Item, ...]  # born, measured or joined, as they are now
    born: int
    sightings: tuple[Sighting, ...]
    unmatched_frames: int


class Tracker:
    """Knows the items on the belt; `items` is in the order of their birth."""

    def __init__(self, geometry: Geometry, id_prefix: str) -> None:
        self.items: dict[str, Item] = {}
        self._geometry = geometry
        self._id_prefix = id_prefix
        self._born = 0
        self._announced: deque[Expected] = deque(maxlen=MAX_ANNOUNCED)

    def update(self, reading: BeltReading, frames: Sequence[Frame]) -> Tracked:
        """Births, lengths, orders, then what the frames show."""
        before, born = dict(self.items), self._born
        self._announced.extend(reading.announced)
        for edge in reading.induct_edges:
            self._birth(edge, reading.read_ns) if edge.dark else self._measure(edge)
        self._join()
        sightings = tuple(self._sightings(frames, reading))
        return Tracked(_changed(before, self.items), self._born - born, sightings, len(frames) - len(sightings))

    def forget(self, ends: Iterable[ItemEnd]) -> None:
        """These are off the belt."""
        for end in ends:
            del self.items[end.item_id]

    def _birth(self, edge: PhotoeyeEdge, now_ns: int) -> None:
        self._born += 1
        item_id = f"{self._id_prefix}-{self._born:06d}"
        self.items[item_id] = Item(item_id, now_ns, edge.counts)

    def _measure(self, edge: PhotoeyeEdge) -> None:
        """A trailing edge belongs to the youngest item, if that has none yet."""
        youngest = next(reversed(self.items.values()), None)
        if youngest and youngest.length_mm is None:
            length_mm = self._geometry.travelled_mm(youngest, edge.counts)
            self.items[youngest.item_id] = replace(youngest, length_mm=length_mm)

    def _join(self) -> None:
        """Give each item without an order the announcement that fits its place, else the oldest without a place."""
        for item in [item for item in self.items.values() if item.expected is None]:
            expected = next((one for one in self._announced if self._fits(one, item)), None)
            if expected:
                self._announced.remove(expected)
                self.items[item.item_id] = replace(item, expected=expected)

    def _fits(self, expected: Expected, item: Item) -> bool:
        if expected.scan_counts is None:
            return True
        due_counts = expected.scan_counts + self._geometry.counts(self._geometry.scanner_mm)
        return abs(due_counts - item.leading_edge_counts) <= self._geometry.counts(self._geometry.tolerance_mm)

    def _sightings(self, frames: Iterable[Frame], reading: BeltReading) -> Iterator[Sighting]:
        for frame in frames:
            item = self._shown(frame)
            if item:
                yield Sighting(frame, item, self._geometry.deadline_ns(item, reading))

    def _shown(self, frame: Frame) -> Item | None:
        """The item nearest the middle of the camera's view at exposure."""
        place_mm = self._geometry.cameras_mm.get(frame.camera)
        if place_mm is None or not self.items:
            return None
        offsets = {item_id: abs(self._middle_mm(item, frame) - place_mm) for item_id, item in self.items.items()}
        nearest = min(offsets, key=offsets.__getitem__)
        return self.items[nearest] if offsets[nearest] <= self._geometry.view_mm / 2 else None

    def _middle_mm(self, item: Item, frame: Frame) -> float:
        return self._geometry.travelled_mm(item, frame.belt_counts) - self._geometry.length_mm(item) / 2


def _changed(before: Mapping[str, Item], after: Mapping[str, Item]) -> tuple[Item, ...]:
    return tuple(item for item_id, item in after.items() if before.get(item_id) is not item)
