"""What lies in a tote: what is of another tint than it, or what a sharp outline encloses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from edge.core.messages import Image
from edge.core.tote_shape import FLOOR, RIM, WALLS
from edge.inspection.tote_hulls import Edges, closed_hulls
from edge.inspection.tote_labels import Label, label_mask
from edge.inspection.tote_look import Cells, Difference, Mask, ToteLook, nearest
from edge.inspection.tote_steps import length

STEP, WEAK_STEP = 5.0, 3.0  # sharp from here on; weaker ones count if they go on for LONG_PX
RIDGE = 0.6  # share of the strongest step nearby that is still the same edge
LONG_PX, SHORT_PX = 18, 6
OTHER_TINT, OTHER_TINTS = 6.0, 3.0  # in multiples of the noise, and of what that place strays usually
BRIGHTER, BRIGHTER_NOISE = 20.0, 8.0  # no shade makes brighter
WALL_SHARE, FLOOR_SHARE = (
    0.06,
    0.5,
)  # of the walls or of the floor, that one stretch without edges shows: it is the tote
SMALLEST_MM = 20.0  # thinner things are not told from scratches and dirt
PRINT, ALREADY = 0.02, 0.55  # of a hull: less is scratches; more is an item with scratches beside it
ON_WALL = 0.93  # an item stands on the floor: what is seen on the wall alone is a label or dirt
SHARP_SHARE = 0.4  # of a thing's contrast that its outline has at once: less is a stain or a shadow
CONVEX = 0.9  # so convex a mask is an item with a notch of its print
STICKS_PX = 6  # pixels of the rim that an item covers before it counts as sticking out


@dataclass(frozen=True, slots=True)
class Items:
    """What was found, in the whole picture."""

    mask: Mask
    number: int
    over_rim: bool  # one of them hides a part of the rim


def find(
    difference: Difference, look: ToteLook, label: Label | None, mm_per_px: float, shape: tuple[int, int]
) -> Items:
    """The items in a tote; shape: of the picture."""
    here = _Here.of(difference, look, label, SMALLEST_MM / 2 / mm_per_px)
    rough = np.logical_or.reduce([part for part in _parts(here.enclosed()) if here.is_thing(part)], axis=0)
    exact = here.exact(rough) if np.any(rough) else np.zeros(difference.zone.shape, bool)
    mask = np.zeros(shape, bool)
    mask[difference.rows, difference.columns] = exact
    rim = exact & (difference.zone == RIM) & difference.known
    return Items(mask, sum(1 for _ in _parts(exact)), bool(rim.sum() > STICKS_PX))


def standing_out(difference: Difference, look: ToteLook, mm_per_px: float) -> Mask:
    """What is no tote, labels and all, in the difference's part of the picture."""
    return _Here.of(difference, look, None, SMALLEST_MM / 2 / mm_per_px).enclosed()


@dataclass(frozen=True, slots=True)
class _Here:
    """A frame's differences, sorted."""

    difference: Difference
    edges: Mask
    other: Mask  # of another tint, or brighter than the tote can be
    label: Mask
    thick_px: float

    @classmethod
    def of(cls, difference: Difference, look: ToteLook, label: Label | None, thick_px: float) -> _Here:
        usual = look.at(look.tints, difference.net_mm)
        tinted = difference.strays > np.maximum(OTHER_TINT, OTHER_TINTS * usual)
        brighter = difference.smooth[..., 0] > max(BRIGHTER, BRIGHTER_NOISE * float(difference.noise[0]))
        on_label = label_mask(difference, label)
        known = difference.known & ~on_label
        return cls(difference, _edges(difference.sharp, known), (tinted | brighter) & known, on_label, thick_px)

    def enclosed(self) -> Mask:
        """All that no way without an edge leads to from the tote's walls or floor; and nearly closed hulls."""
        known = self.difference.known
        free = known & ~self.edges & ~self.other
        tote = _grown(self._tote(_shrunk(free, 3)), 3) & free
        rest = _opened(known & ~tote & ~self.label, 7)
        floor = _grown(self.difference.zone == FLOOR, 3)
        pieces = cv2.morphologyEx((rest | (self.edges & floor)).astype(np.uint8), cv2.MORPH_CLOSE, _disc(3)) > 0
        near = _grown(self.edges | _rims(self.other), 5)
        for hull in closed_hulls(pieces & ~self.label, rest, Edges(near, floor, known)):
            if self.other[hull].mean() > PRINT and rest[hull].mean() < ALREADY:
                rest = rest | (hull & known)
        return np.asarray(rest & ~self.label, bool)

    def is_thing(self, part: Mask) -> bool:
        """Thick enough, and not on the wall alone."""
        wall = part & (self.difference.zone >= WALLS)
        return bool(wall.sum() <= ON_WALL * part.sum() and _thick(part, self.thick_px))

    def exact(self, rough: Mask) -> Mask:
        """Each pixel near an outline goes to the side whose colour it is nearer to; soft stains go."""
        inside, outside = _shrunk(rough, 11) | (rough & _shrunk(self.other, 3)), ~_grown(rough, 3)
        raw, smooth = (one / self.difference.noise for one in (self.difference.raw, self.difference.smooth))
        of_item, of_tote = nearest(smooth, inside), nearest(smooth, outside)
        nearer = inside | (~outside & (length(raw - of_item) < length(raw - of_tote)))
        sharpness = self._sharpness(length(of_item - of_tote))
        whole = [part for part in _parts(_whole_items(nearer)) if self._is_sharp(part, sharpness)]
        return np.asarray(np.logical_or.reduce(whole, axis=0) if whole else np.zeros(rough.shape, bool))

    def _sharpness(self, contrast: Cells) -> Cells:
        """How much of its contrast with the tote an outline shows within a pixel or two."""
        return np.asarray(cv2.dilate(self.difference.steps_in_noise, _disc(5)) / np.maximum(contrast, 1e-3), np.float32)

    def _is_sharp(self, part: Mask, sharpness: Cells) -> bool:
        outline = _rims(part) & self.difference.known
        return bool(_thick(part, self.thick_px) and outline.any() and np.median(sharpness[outline]) > SHARP_SHARE)

    def _tote(self, free: Mask) -> Mask:
        """The stretches without edges that show much of the walls or of the floor."""
        number, labels = cv2.connectedComponents(free.astype(np.uint8), connectivity=4)
        zone, known = self.difference.zone, self.difference.known
        much = np.zeros(number, bool)
        for there, share in ((known & (zone != FLOOR), WALL_SHARE), (known & (zone == FLOOR), FLOOR_SHARE)):
            much |= np.bincount(labels[there], minlength=number) > share * there.sum()
        much[0] = False
        return np.asarray(much[labels], bool)


def _edges(sharp: Cells, known: Mask) -> Mask:
    """Ridges of sharp steps: strong ones, and weak ones that go on."""
    ridge = (sharp > WEAK_STEP) & (sharp > RIDGE * cv2.dilate(sharp, _disc(7))) & known
    number, labels, boxes, _ = cv2.connectedComponentsWithStats(ridge.astype(np.uint8), connectivity=8)
    strong = np.bincount(labels[ridge & (sharp > STEP)], minlength=number) >= 3
    length = boxes[:, cv2.CC_STAT_WIDTH : cv2.CC_STAT_HEIGHT + 1].max(axis=1)
    kept = (strong | (length >= LONG_PX)) & (length >= SHORT_PX)
    kept[0] = False
    return np.asarray(kept[labels], bool)


def _parts(mask: Mask) -> Iterator[Mask]:
    number, labels, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    for one in range(1, number):
        if boxes[one, cv2.CC_STAT_AREA] >= 20:
            yield labels == one


def _whole_items(mask: Mask) -> Mask:
    """Without threads and holes; what is nearly convex becomes so."""
    opened = _opened(mask, 7).astype(np.uint8)
    outlines, _ = cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    whole = np.zeros_like(opened)
    for outline in outlines:
        hull = cv2.convexHull(outline)
        convex = cv2.contourArea(outline) > CONVEX * cv2.contourArea(hull)
        cv2.drawContours(whole, [hull if convex else outline], -1, (1,), cv2.FILLED)
    return whole > 0


def _thick(part: Mask, radius_px: float) -> bool:
    padded = np.pad(part.astype(np.uint8), 1)
    return bool(cv2.distanceTransform(padded, cv2.DIST_L2, 3).max() > radius_px)


def _rims(mask: Mask) -> Mask:
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0)


def _grown(mask: Mask, side_px: int) -> Mask:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), _disc(side_px)) > 0)


def _shrunk(mask: Mask, side_px: int) -> Mask:
    return np.asarray(cv2.erode(mask.astype(np.uint8), _disc(side_px)) > 0)


def _opened(mask: Mask, side_px: int) -> Mask:
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, _disc(side_px)) > 0)


def _disc(side_px: int) -> Image:
    shape = cv2.MORPH_ELLIPSE if side_px > 3 else cv2.MORPH_RECT
    return np.asarray(cv2.getStructuringElement(shape, (side_px, side_px)), np.uint8)
