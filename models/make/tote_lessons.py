"""What the two networks of totes learn from: frames in half their size with the rim's truth, parts with the items'."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.messages import Image
from edge.core.plane import Plane
from edge.core.tote_shape import Pose, Rays, ToteSize, corners_mm, leaning_px, unfolded
from edge.inspection.crop import halved
from edge.inspection.tote_look import Placed, ToteLook, lab_of
from edge.inspection.tote_sight import MARGIN_PX, halves
from models.make.tote_scenes import ITEM, ITEMS, Scenery, Shown, coarse, scenery, shown

EMPTY_FRAMES = 4
FRAMES = 4
BARE = 3  # every so manieth scene shows its belt too
WHOLE_PX, PART_PX = (192, 320), (288, 448)  # height and width, padded
OFF_MM, OFF_TURN = 0.5, 0.0008  # standard deviation of where a tote is believed to stand
SIDE_POINTS = 12  # of a rim's edge: a lens bends it
SEAM_PX = 5
NO_ITEM = 255
LEAN_STEPS = 4  # of a byte, each pixel

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Lesson:
    """One frame; `whole…` for the outline, the others for the items. Truth is 0 … 255."""

    whole: Bytes  # 192 × 320 × 3, BGR
    whole_rim: Bytes  # 192 × 320 × 2: within the outer edge, within the inner
    part: Bytes  # 288 × 448 × 3, BGR
    usual: Bytes  # 144 × 224 × 3
    zone: Bytes  # 144 × 224
    lean: Bytes  # 144 × 224 × 2: LEAN_STEPS times how wide a side is seen
    truth: Bytes  # 288 × 448 × 3: item, seam, sticks out (NO_ITEM / 2: not known)
    seen: Bytes  # 288 × 448: 1 where the frame is


def keep(seed: int, folder: Path) -> None:
    """Draw a scene's lessons into `folder/SEED.npz`, each field in one array."""
    some = of_scene(seed)
    unfinished = folder / f"{seed:06d}.part"
    with unfinished.open("wb") as file:
        np.savez(file, **{one.name: np.stack([getattr(lesson, one.name) for lesson in some]) for one in fields(Lesson)})
    unfinished.rename(unfinished.with_suffix(".npz"))


def of_scene(seed: int) -> list[Lesson]:
    """A tote is learnt from empty ones, then seen with items in it and without."""
    cv2.setNumThreads(1)
    scene, chance = scenery(seed), np.random.default_rng((7, seed))
    half = coarse(scene)
    empties = [shown(half, 0, chance) for _ in range(EMPTY_FRAMES)]
    size, plane = scene.size, half.site.camera.plane
    rays = Rays.of(plane, *half.site.camera.size_px)
    look = ToteLook.learn(
        [Placed(lab_of(one.picture.image), plane, _nearly(one.pose, chance)) for one in empties], size
    )
    frames = [shown(scene, int(chance.choice(ITEMS)), chance) for _ in range(FRAMES)]
    found = [_lesson(scene, one, look, rays, chance) for one in frames]
    return [*found, _bare(scene, chance)] if seed % BARE == 0 else found


def _lesson(scene: Scenery, one: Shown, look: ToteLook, rays: Rays, chance: np.random.Generator) -> Lesson:
    image, plane, pose = one.picture.image, scene.site.camera.plane, _nearly(one.pose, chance)
    rows, columns = _around(pose, scene.size, plane, image.shape)
    seen = rays.part(*halves(rows, columns))
    tote, lean = unfolded(seen, pose, scene.size), LEAN_STEPS * leaning_px(seen, scene.size)
    truth = _items(one)[rows, columns]
    return Lesson(
        _fill(halved(image), WHOLE_PX),
        _fill(_rim(scene, one.pose, (image.shape[0], image.shape[1])), WHOLE_PX, cv2.BORDER_CONSTANT),
        _fill(image[rows, columns], PART_PX),
        _fill(look.usual(tote), (PART_PX[0] // 2, PART_PX[1] // 2)),
        _fill(tote.zone, (PART_PX[0] // 2, PART_PX[1] // 2)),
        _fill(np.clip(np.rint(lean), 0, 255).astype(np.uint8), (PART_PX[0] // 2, PART_PX[1] // 2)),
        _fill(truth, PART_PX, cv2.BORDER_CONSTANT),
        _fill(np.ones(truth.shape[:2], np.uint8), PART_PX, cv2.BORDER_CONSTANT),
    )


def _bare(scene: Scenery, chance: np.random.Generator) -> Lesson:
    """The belt alone: for the outline only."""
    whole = _fill(halved(scene.site.picture(None, chance).image), WHOLE_PX)
    half_px = (PART_PX[0] // 2, PART_PX[1] // 2)
    shapes = ((*PART_PX, 3), (*half_px, 3), half_px, (*half_px, 2), (*PART_PX, 3), PART_PX)
    nothing = [np.zeros(shape, np.uint8) for shape in shapes]
    return Lesson(whole, np.zeros((*WHOLE_PX, 2), np.uint8), *nothing)


def _items(one: Shown) -> Bytes:
    """Item, border between two items, sticking out."""
    part = one.picture.part
    item = np.where(part >= ITEM, part - ITEM, NO_ITEM).astype(np.uint8)
    box = np.ones((SEAM_PX, SEAM_PX), np.uint8)
    highest = cv2.dilate(np.where(part >= ITEM, part, 0).astype(np.float32), box)
    lowest = cv2.erode(np.where(part >= ITEM, part, 999).astype(np.float32), box)
    seam = (part >= ITEM) & (highest != lowest) & (highest >= ITEM) & (lowest < 999)
    over = np.append(one.over * 127, 0)[np.minimum(item, len(one.over))]  # 0 / 127 / 254 = not known
    over = np.select((over == 254, over == 127), (NO_ITEM // 2, 255), 0)
    return np.dstack(((part >= ITEM) * 255, seam * 255, over)).astype(np.uint8)


def _rim(scene: Scenery, pose: Pose, shape: tuple[int, int]) -> Bytes:
    """Within the rim's outer and inner edge, whatever hides it; each pixel's share, in half the size."""
    wall_mm = scene.wall_mm
    size = scene.size
    planes = []
    for less in (0.0, 2 * wall_mm):
        corners = corners_mm(size.length_mm - less, size.width_mm - less, size.height_mm)
        outline = _outline_px(corners, pose, scene.site.camera.plane)
        mask = cv2.fillPoly(np.zeros(shape, np.uint8), [np.rint(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        planes.append(halved(np.dstack((mask, mask, mask)))[..., 0])
    return np.dstack(planes)


def _outline_px(corners: npt.NDArray[np.float64], pose: Pose, plane: Plane) -> npt.NDArray[np.float64]:
    share = np.linspace(0, 1, SIDE_POINTS, endpoint=False)[:, None]
    sides = [a * (1 - share) + b * share for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)]
    return plane.seen_px(pose.on_belt_mm(np.vstack(sides)))


def _nearly(pose: Pose, chance: np.random.Generator) -> Pose:
    """Where it is believed to stand; one time in ten further off."""
    much = 4.0 if chance.random() < 0.1 else 1.0
    x_mm, y_mm = chance.normal(0, OFF_MM * much, 2)
    return Pose(pose.x_mm + float(x_mm), pose.y_mm + float(y_mm), pose.turn + float(chance.normal(0, OFF_TURN * much)))


def _around(pose: Pose, size: ToteSize, plane: Plane, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns, even ones, that show a tote and what sticks out of it."""
    seen = plane.seen_px(pose.on_belt_mm(corners_mm(size.length_mm, size.width_mm, size.height_mm)))
    low, high = seen.min(axis=0) - MARGIN_PX, seen.max(axis=0) + MARGIN_PX
    first = np.clip(low // 2 * 2, 0, None).astype(int)
    last = np.minimum(high // 2 * 2 + 2, (shape[1] // 2 * 2, shape[0] // 2 * 2)).astype(int)
    return slice(int(first[1]), int(last[1])), slice(int(first[0]), int(last[0]))


def _fill(picture: Image, size: tuple[int, int], border: int = cv2.BORDER_REPLICATE) -> Bytes:
    """Cut, or its border repeated at the right and below."""
    cut = np.ascontiguousarray(picture[: size[0], : size[1]])
    below, right = size[0] - cut.shape[0], size[1] - cut.shape[1]
    return np.asarray(cv2.copyMakeBorder(cut, 0, below, 0, right, border), np.uint8)
