"""Which tote stands before a camera, where, and what lies in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np

from edge.core.messages import Image
from edge.core.plane import Plane
from edge.core.tote_shape import Pose, Rays, leaning_px, unfolded
from edge.core.tote_strangers import Stranger
from edge.inspection.tote_items import Items, items_of
from edge.inspection.tote_look import NO_LIGHT
from edge.inspection.tote_networks import ToteNetworks
from edge.inspection.tote_rim import Rim
from edge.inspection.tote_sight import Sight, box_of, halves, pose_of, sighted
from edge.inspection.tote_tint import as_usual
from edge.inspection.tote_type import ToteType

USUAL_MM_PER_PX, NEARLY = 1.8, 0.8  # that the networks know; what is nearly as coarse is left as it is
SAME_SIZE_MM = 20.0  # between a rim's rectangle and a type's
STRANGE = 1.5  # walls and rim more unlike than this are no tote of that type
RIVAL = 1.15  # a second type that is unlike no more than so many times as the first: undecided
USUAL_HEIGHT_MM = 200.0  # of a tote of which nothing is known


@dataclass(frozen=True, slots=True)
class SeenTote:
    """What a frame shows of a tote; without a type nothing is said of its items."""

    because: str  # why there is no type; or what was seen
    pose: Pose | None = None
    type_name: str | None = None
    strangeness: float = np.inf  # of the type that fits best
    items: Items | None = None
    stranger: Stranger | None = None  # of no known type: its looks

    @property
    def empty(self) -> bool | None:
        """None: not known."""
        return None if self.items is None else self.items.number == 0


@dataclass(frozen=True, slots=True)
class Totes:
    """A camera's view of the belt, and the types of totes that run there."""

    plane: Plane  # of frames in the size that the networks know
    half_rays: Rays  # of the same in half that size
    size_px: tuple[int, int]  # width and height
    networks: ToteNetworks
    types: Sequence[ToteType]

    @classmethod
    def of(cls, plane: Plane, size_px: tuple[int, int], networks: ToteNetworks, types: Sequence[ToteType]) -> Self:
        """For a camera; size_px: width and height of its frames."""
        usual_px = usual_size(plane, size_px)
        usual = plane.resized(size_px, usual_px)
        return cls(
            usual, Rays.of(usual.resized((2, 2), (1, 1)), *(side // 2 for side in usual_px)), usual_px, networks, types
        )

    def see(self, image: Image) -> SeenTote:
        """The tote in a frame, BGR."""
        sight = sighted(resized(image, self.size_px), self.plane, self.networks)
        if sight is None:
            return SeenTote("nothing as large as a tote on the belt")
        if not sight.whole:
            return SeenTote("a tote, but not all of it is in view")
        seen, tote = self._recognised(sight)
        if tote is None or seen.pose is None:
            return seen
        items = self._items(sight, tote, seen.pose, image.shape[:2])
        return SeenTote(seen.because, seen.pose, seen.type_name, seen.strangeness, items)

    def _recognised(self, sight: Sight) -> tuple[SeenTote, ToteType | None]:
        """Which type and where, without its items."""
        fits = [(tote, pose) for tote in self.types if (pose := _placed(sight, tote)) is not None]
        ranked = sorted((tote.strangeness(sight.lab, pose, sight.plane), at) for at, (tote, pose) in enumerate(fits))
        if not ranked:
            return SeenTote("no known tote is of this size: a new type?", stranger=self._stranger(sight)), None
        strange, best = ranked[0]
        tote, pose = fits[best]
        why = _doubt(ranked, [one.name for one, _ in fits])
        if why:
            return SeenTote(why, pose, None, strange, stranger=self._stranger(sight)), None
        return SeenTote(f"walls and rim are those of {tote.name}", pose, tote.name, strange), tote

    def _stranger(self, sight: Sight) -> Stranger:
        """Its size as if it were as high as the others, and its rim's colour."""
        height_mm = float(np.median([one.size.height_mm for one in self.types] or [USUAL_HEIGHT_MM]))
        box = sight.box(height_mm)
        lightness, a, b = sight.rim_lab
        return Stranger(float(box[3]), float(box[4]), (float(lightness) - NO_LIGHT, float(a), float(b)))

    def _items(self, sight: Sight, tote: ToteType, pose: Pose, shape: tuple[int, ...]) -> Items:
        rays = self.half_rays.part(*halves(sight.rows, sight.columns))
        there = unfolded(rays, pose, tote.size)
        seen = (sight.part, tote.look.usual(there), there.zone)
        sure = self.networks.inside(*seen, leaning_px(rays, tote.size))
        found = items_of(sure, as_usual(*seen), self.plane.mm_per_px)
        whole = np.zeros(self.size_px[::-1], np.float32)
        whole[sight.rows, sight.columns] = np.where(
            found.mask, np.maximum(sure[0], 0.5001), np.minimum(sure[0], 0.4999)
        )
        return Items(cv2.resize(whole, shape[::-1], interpolation=cv2.INTER_LINEAR) > 0.5, found.number, found.over_rim)


def usual_size(plane: Plane, size_px: tuple[int, int]) -> tuple[int, int]:
    """Width and height in which a camera's frames are looked at: what is finer than usual is made coarser."""
    times = plane.mm_per_px / USUAL_MM_PER_PX
    return size_px if times > NEARLY else (round(size_px[0] * times), round(size_px[1] * times))


def resized(image: Image, size_px: tuple[int, int]) -> Image:
    """A frame in that size."""
    if image.shape[1::-1] == size_px:
        return image
    return np.asarray(cv2.resize(image, size_px, interpolation=cv2.INTER_AREA), np.uint8)


def _placed(sight: Sight, tote: ToteType) -> Pose | None:
    """Where it would stand; None: it is of another size."""
    box = sight.box(tote.size.height_mm)
    if np.abs(box[3:] - (tote.size.length_mm, tote.size.width_mm)).max() > SAME_SIZE_MM:
        return None
    rim = Rim(sight.lab, sight.plane, tote.size.height_mm, tote.size.wall_mm)
    return pose_of(rim.met(box_of(pose_of(box), tote.size)))


def _doubt(ranked: Sequence[tuple[float, int]], names: Sequence[str]) -> str | None:
    """Why none of the types is believed; None: the first is."""
    strange, best = ranked[0]
    if strange > STRANGE:
        return f"most like {names[best]}, but its walls and rim are of another colour: a new type?"
    rivals = [names[number] for other, number in ranked if other < RIVAL * strange and names[number] != names[best]]
    return f"between {names[best]} and {rivals[0]}" if rivals else None
