"""Which tote stands before a camera, where, and what lies in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from edge.core.messages import Image
from edge.core.plane import Plane
from edge.core.tote_shape import Pose, Rays, ToteSize, corners_mm, unfolded
from edge.inspection.belt import BeltColour
from edge.inspection.tote_items import Items, find
from edge.inspection.tote_labels import common
from edge.inspection.tote_look import Mask, lab_of
from edge.inspection.tote_pose import Floats, box_of, boxed, outline, placed, pose_of
from edge.inspection.tote_rim import Rim
from edge.inspection.tote_type import ToteType

SAME_SIZE_MM = 80.0  # between the outline's size and a type's: an outline takes shadows along
STRANGE = 1.5  # walls and rim more unlike than this are no tote of that type
RIVAL = 1.15  # a second type that is unlike no more than so many times as the first: undecided
MARGIN_PX = 6


@dataclass(frozen=True, slots=True)
class SeenTote:
    """What a frame shows of a tote; without a type nothing is said of its items."""

    because: str  # why there is no type; or what was seen
    pose: Pose | None = None
    type_name: str | None = None
    strangeness: float = np.inf  # of the type that fits best
    items: Items | None = None

    @property
    def empty(self) -> bool | None:
        """None: not known."""
        return None if self.items is None else self.items.number == 0


@dataclass(frozen=True, slots=True)
class Totes:
    """A camera's view of the belt, and the types of totes that run there."""

    plane: Plane
    rays: Rays
    belt: BeltColour
    types: Sequence[ToteType]

    def see(self, image: Image) -> SeenTote:
        """The tote in a frame, BGR."""
        seen, tote = self.recognise(image)
        if tote is None or seen.pose is None:
            return seen
        items = self._items(image, tote, seen.pose)
        return SeenTote(seen.because, seen.pose, seen.type_name, seen.strangeness, items)

    def recognise(self, image: Image) -> tuple[SeenTote, ToteType | None]:
        """Which type and where, without its items."""
        points = outline(image, self.belt)
        if points is None:
            return SeenTote("nothing as large as a tote on the belt"), None
        lab = lab_of(image)
        fits = [(tote, pose) for tote in self.types for pose in self._poses(image, points, tote)]
        ranked = sorted(((tote.strangeness(lab, pose, self.plane), number) for number, (tote, pose) in enumerate(fits)))
        if not ranked:
            return SeenTote("no known tote is of this size: a new type?"), None
        strange, best = ranked[0]
        tote, pose = fits[best]
        why = _doubt(ranked, [one.name for one, _ in fits])
        if why:
            return SeenTote(why, pose, None, strange), None
        return SeenTote(f"walls and rim are those of {tote.name}", pose, tote.name, strange), tote

    def _poses(self, image: Image, points: Floats, tote: ToteType) -> Iterator[Pose]:
        """Where it may stand: by its outline, and by its rim (an outline takes shadows along); none: another size."""
        box = boxed(points, tote.size.height_mm, self.plane)
        if np.abs(box[3:] - (tote.size.length_mm, tote.size.width_mm)).max() > SAME_SIZE_MM:
            return
        rim = Rim.of(image, self.plane, tote.size.height_mm)
        for start in (placed(points, box, tote.size, self.plane), pose_of(rim.measured(box))):
            yield pose_of(rim.met(box_of(start, tote.size)))

    def _items(self, image: Image, tote: ToteType, pose: Pose) -> Items:
        rows, columns = _around(pose, tote.size, self.plane, image.shape)
        part = unfolded(self.rays.part(rows, columns), pose, tote.size)
        difference = tote.look.difference(image[rows, columns], part)
        label = common([one.label for one in self.types if one.label is not None])
        items = find(difference, tote.look, label, self.plane.mm_per_px, (part.zone.shape[0], part.zone.shape[1]))
        mask: Mask = np.zeros(image.shape[:2], bool)
        mask[rows, columns] = items.mask
        return Items(mask, items.number, items.over_rim)


def _doubt(ranked: Sequence[tuple[float, int]], names: Sequence[str]) -> str | None:
    """Why none of the types is believed; None: the first is."""
    strange, best = ranked[0]
    if strange > STRANGE:
        return f"most like {names[best]}, but its walls and rim are of another colour: a new type?"
    rivals = [names[number] for other, number in ranked if other < RIVAL * strange and names[number] != names[best]]
    return f"between {names[best]} and {rivals[0]}" if rivals else None


def _around(pose: Pose, size: ToteSize, plane: Plane, shape: Sequence[int]) -> tuple[slice, slice]:
    """Rows and columns that show a tote's rim."""
    seen = plane.seen_px(pose.on_belt_mm(corners_mm(size.length_mm, size.width_mm, size.height_mm)))
    low = np.maximum(0, np.floor(seen.min(axis=0)).astype(int) - MARGIN_PX)
    high = np.ceil(seen.max(axis=0)).astype(int) + MARGIN_PX
    return slice(int(low[1]), min(shape[0], int(high[1]))), slice(int(low[0]), min(shape[1], int(high[0])))
