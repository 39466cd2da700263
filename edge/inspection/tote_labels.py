"""Labels stuck to a tote: their white and their size are learnt from empty totes, so they are no items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.inspection.tote_look import Cells, Difference, Mask

WHITER = 10.0  # 100 · ln of lightness beside the tote: a label is told by its white only where the tote is darker
SAME_WHITE = 0.045  # of a or b beside L + 16
DIMMER = 0.88  # of its light: a label in a shade
SAME_SIZE_MM, SMALLEST_PX = 9.0, 100
HIDDEN = 0.3  # of a side must be seen: the rest lies under an item
CLIPPED = 113.0  # L + 16: a sensor at its limit has no tint left
WHOLE = 0.6  # of the widest label's shorter side: less is one that a rim hides
LEARNT_FULL = 0.5  # share of a rectangle that its white fills: the rest is print
FULL, PRINTED = 0.8, (0.03, 0.5)  # share of its rectangle that it fills; that is print


@dataclass(frozen=True, slots=True)
class Label:
    """What the labels of one type of tote look like."""

    tint: tuple[float, float]  # a and b beside L + 16: whatever the light's strength
    light: float  # L + 16
    size_mm: tuple[float, float]  # longer side first


def label_of(found: Sequence[tuple[Difference, Mask]]) -> Label | None:
    """From what stood out on empty totes: each difference and what of it is no tote; None: nothing white."""
    seen = [row for difference, mask in found for row in _whites(difference, mask)]
    if not seen:
        return None
    rows = np.array(seen)
    tint = np.median(rows[:, :2], axis=0)
    longest, widest = np.quantile(rows[:, 3], 0.9), np.quantile(rows[:, 4], 0.9)
    return Label((float(tint[0]), float(tint[1])), float(np.median(rows[:, 2])), (float(longest), float(widest)))


def common(labels: Sequence[Label]) -> Label | None:
    """The label of a site, whichever tote it sticks to: the middle of those that are not cut off by a rim."""
    widest = max((one.size_mm[1] for one in labels), default=0)
    rows = [(*one.tint, one.light, *one.size_mm) for one in labels if one.size_mm[1] >= WHOLE * widest]
    if not rows:
        return None
    a, b, light, longer_mm, shorter_mm = (float(one) for one in np.median(np.array(rows), axis=0))
    return Label((a, b), light, (longer_mm, shorter_mm))


def label_mask(difference: Difference, label: Label | None) -> Mask:
    """Where labels are: white rectangles of their size, square to the tote, with print on them."""
    found = np.zeros(difference.zone.shape, np.uint8)
    if label is None:
        return found > 0
    white = _white(difference, label)
    for solid in _solids(white):
        if _is_label(difference, solid, white, label):
            found |= solid
    return np.asarray(cv2.dilate(found, np.ones((7, 7), np.uint8)) > 0)


def _whites(difference: Difference, mask: Mask) -> list[tuple[float, ...]]:
    """Of each bright rectangle: tint, light, sides."""
    number, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    light = difference.raw[..., 0]
    rows: list[tuple[float, ...]] = []
    for one in range(1, number):
        part = labels == one
        bright = part & (light > np.quantile(light[part], 0.7))
        level = float(np.median(light[bright]))
        white = part & (light > level / 2)
        corners = cv2.minAreaRect(np.argwhere(white)[:, ::-1].astype(np.float32)) if level > WHITER else None
        if corners and white.sum() > max(SMALLEST_PX, LEARNT_FULL * corners[1][0] * corners[1][1]):
            tint = np.median(_tint(difference.lab)[bright], axis=0)
            sides = np.sort(_sides_mm(difference.net_mm[white], 0.005))
            lightness = float(np.median(difference.lab[..., 0][bright]))
            rows.append((float(tint[0]), float(tint[1]), lightness, float(sides[1]), float(sides[0])))
    return rows


def _white(difference: Difference, label: Label) -> Mask:
    same = np.abs(_tint(difference.lab) - np.array(label.tint)).max(axis=-1) < SAME_WHITE
    light = difference.lab[..., 0]
    white = ((same & (light > DIMMER * label.light)) | (light > CLIPPED)) & difference.known
    return np.asarray(cv2.morphologyEx(white.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0)


def _solids(white: Mask) -> list[npt.NDArray[np.uint8]]:
    """The hull of each white thing: its print is in it, where a crease or an item cuts it off too."""
    outlines, _ = cv2.findContours(white.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for outline in outlines:
        if cv2.contourArea(outline) >= SMALLEST_PX:
            corners = cv2.convexHull(outline)
            found.append(np.asarray(cv2.fillPoly(np.zeros(white.shape, np.uint8), [corners], (1,)), np.uint8))
    return found


def _is_label(difference: Difference, solid: npt.NDArray[np.uint8], white: Mask, label: Label) -> bool:
    inside = solid > 0
    if inside.sum() < SMALLEST_PX or not PRINTED[0] < (~white & inside).sum() / inside.sum() < PRINTED[1]:
        return False
    sides = _sides_mm(difference.net_mm[inside], 0.005)
    fits = any(
        abs(sides[one] - label.size_mm[long]) < SAME_SIZE_MM
        and HIDDEN * label.size_mm[1 - long] < sides[1 - one] < label.size_mm[1 - long] + SAME_SIZE_MM
        for one in (0, 1)
        for long in (0, 1)
    )
    corners = cv2.minAreaRect(np.argwhere(inside)[:, ::-1].astype(np.float32))
    return fits and bool(inside.sum() > FULL * corners[1][0] * corners[1][1])


def _sides_mm(net_mm: Cells, rest: float) -> npt.NDArray[np.float64]:
    """Along and across the tote."""
    low, high = np.quantile(net_mm, (rest, 1 - rest), axis=0)
    return np.asarray(high - low)


def _tint(lab: Cells) -> Cells:
    return np.asarray(lab[..., 1:] / np.maximum(lab[..., :1], 5), np.float32)
