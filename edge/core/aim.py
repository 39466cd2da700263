"""What of a frame is worth sending: the box says what is near, the node reckons what an exposure shows of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from edge.core.belt import NS_PER_S, Geometry
from edge.core.messages import BeltReading, Item
from edge.core.nodes import MAX_NEAR, Near, Place, Watched

AHEAD_NS = NS_PER_S  # of belt upstream of a view is told as well: a word may be so old before it is used
STALE_NS = NS_PER_S  # an older word is worth nothing
OLDEST_NS = 2 * NS_PER_S  # a frame that is older is judged by nobody, even while the belt stands
AGAIN_NS = NS_PER_S // 2  # of an item that stands, in case that a frame of it was lost
ACCELERATION_MM_PER_S2 = (
    1000.0  # of a belt whose goods do not slide or fall: so wrong may be where it is reckoned to be
)

Direction = Literal["right", "left", "down", "up"]


@dataclass(frozen=True, slots=True)
class Lens:
    """How a camera sees the belt."""

    sees_mm: float | None  # of the belt, from one edge of the picture to the other; None: frames are sent whole
    belt_runs: Direction  # in the picture
    margin_mm: float  # kept at either end of an item


@dataclass(frozen=True, slots=True)
class Wanted:
    """A stretch of the view."""

    from_mm: float  # downstream of the middle of the view
    to_mm: float
    expires_ns: int  # the box's clock
    item: float  # its `centre_counts`
    counts: float  # of the belt, at the exposure


class Thinning:
    """Leaves out what shows an item again in nearly the same place, as the tracker would."""

    def __init__(self) -> None:
        self._last: tuple[int, Wanted] | None = None

    def keeps(self, stretch: Wanted, apart_counts: float, exposed_ns: int) -> bool:
        """Whether it is of use beside the last that was."""
        if self._last and exposed_ns - self._last[0] < AGAIN_NS:
            last = self._last[1]
            if max(abs(stretch.item - last.item), abs(stretch.counts - last.counts)) < apart_counts:
                return False
        self._last = exposed_ns, stretch
        return True


def watched(geometry: Geometry, camera: str, items: Iterable[Item], reading: BeltReading) -> Watched:
    """What a node should know of what comes before one of its cameras."""
    ahead_mm = geometry.view_mm + reading.speed_mm_per_s * AHEAD_NS / NS_PER_S
    here = [one for one in items if -geometry.view_mm < _ahead_mm(geometry, camera, one, reading) < ahead_mm]
    undecided = [one for one in here if geometry.deadline_ns(one, reading) > reading.read_ns]
    nearest = sorted(undecided, key=lambda one: abs(_ahead_mm(geometry, camera, one, reading)))[:MAX_NEAR]
    apart_mm = geometry.tolerance_mm if camera in geometry.free_running else 0.0
    near = tuple(_near(geometry, camera, one, reading) for one in nearest)
    return Watched(geometry.reach_mm(camera), apart_mm, near)


def wanted(place: Place, camera: str, lens: Lens, exposed_ns: int) -> Wanted | None:
    """What an exposure (the box's clock) shows of the item nearest the middle; None: nothing that anybody waits for."""
    here = place.cameras.get(camera)
    if here is None or not here.near:
        return None
    since_s = (exposed_ns - place.at_ns) / NS_PER_S
    counts = place.counts + place.speed_mm_per_s * place.counts_per_mm * since_s
    offsets_mm = [(counts - one.centre_counts) / place.counts_per_mm for one in here.near]
    offset_mm, item = min(zip(offsets_mm, here.near, strict=True), key=lambda pair: abs(pair[0]))
    unsure_mm = ACCELERATION_MM_PER_S2 * since_s**2 / 2
    if abs(offset_mm) > here.reach_mm + unsure_mm:
        return None
    half_mm = item.length_mm / 2 + lens.margin_mm + unsure_mm
    expires_ns = min(item.deadline_ns, exposed_ns + OLDEST_NS)
    return Wanted(offset_mm - half_mm, offset_mm + half_mm, expires_ns, item.centre_counts, counts)


def part(shape: Sequence[int], lens: Lens, stretch: Wanted) -> tuple[slice, slice]:
    """Rows and columns of a picture (height, width, …) that show a stretch of the view; at least one of each."""
    across = lens.belt_runs in ("right", "left")
    side_px = shape[1] if across else shape[0]
    begin, end = (stretch.from_mm, stretch.to_mm) if lens.belt_runs in ("right", "down") else _mirrored(stretch)
    span = slice(0, side_px) if lens.sees_mm is None else _px(begin, end, side_px, side_px / lens.sees_mm)
    whole = slice(0, shape[0] if across else shape[1])
    return (whole, span) if across else (span, whole)


def _px(begin_mm: float, end_mm: float, side_px: int, px_per_mm: float) -> slice:
    begin_px = min(max(0, int(side_px / 2 + begin_mm * px_per_mm)), side_px - 1)
    end_px = min(side_px, int(side_px / 2 + end_mm * px_per_mm) + 1)
    return slice(begin_px, max(end_px, begin_px + 1))


def _mirrored(stretch: Wanted) -> tuple[float, float]:
    return -stretch.to_mm, -stretch.from_mm


def _near(geometry: Geometry, camera: str, item: Item, reading: BeltReading) -> Near:
    way_mm = geometry.cameras_mm[camera] + geometry.length_mm(item) / 2
    centre_counts = item.leading_edge_counts + way_mm * geometry.counts_per_mm
    return Near(centre_counts, geometry.length_mm(item), max(0, geometry.deadline_ns(item, reading)))


def _ahead_mm(geometry: Geometry, camera: str, item: Item, reading: BeltReading) -> float:
    """How far its middle has still to go to the middle of the view."""
    middle_mm = geometry.travelled_mm(item, reading.counts) - geometry.length_mm(item) / 2
    return geometry.cameras_mm[camera] - middle_mm
