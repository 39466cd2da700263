"""Where an item is unlike the normal ones: said in words, outlined in the frame, drawn over its picture."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.messages import Evidence, Image, Point, Sighting
from edge.inspection.crop import Crop, answer
from edge.inspection.references import Difference
from edge.inspection.session import Tensor

PICTURE_PX = 256
HOT = 0.85  # of the hottest patch: what belongs to the region that is pointed at
LEAST_HEAT, FULL_HEAT = 0.6, 2.0  # times the largest normal: the heat map's range, clear to brightest
OPAQUE = 0.7  # of the picture is covered where it is hottest
ROWS, COLUMNS = ("upper", "middle", "lower"), ("left", "centre", "right")

_COLOURS = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_INFERNO)[:, 0]


def unlike(check: str, crop: Crop, sighting: Sighting, found: Difference) -> Evidence:
    """Evidence of how unlike the normal items an item is, and where most."""
    where_most, share = _place(found.heat), f"{found.score:.1f} × the most unusual of them"
    because = f"differs from {found.normals} normal items most at {where_most} ({share})"
    said = answer(check, sighting, because)
    picture, where = heat_map(crop, found.heat), _hottest(found.heat, crop)
    return replace(said, score=found.score, where=where, picture=picture, valid=True)


def heat_map(crop: Crop, heat: Tensor) -> Image:
    """The crop, at most PICTURE_PX long, warm where `heat` (grid × grid, 1.0 = the largest normal) is high.

    Colours and their share are reckoned patch by patch and then enlarged: a few thousand numbers instead of a hundred
    thousand.
    """
    height_px, width_px = crop.mask.shape
    scale = min(1.0, PICTURE_PX / max(height_px, width_px))
    size = (max(1, round(width_px * scale)), max(1, round(height_px * scale)))
    seen = crop.stretched((PICTURE_PX, PICTURE_PX))  # what the backbone saw is there already
    picture = np.asarray(cv2.resize(seen, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    if heat.max() <= LEAST_HEAT:
        return picture
    warmth = np.clip((heat - LEAST_HEAT) / (FULL_HEAT - LEAST_HEAT), 0, 1)
    share = OPAQUE * np.repeat(warmth[..., None], 3, axis=2)
    colours = _COLOURS[(255 * warmth).astype(np.uint8)] * share
    added = cv2.resize(colours.astype(np.uint8), size, interpolation=cv2.INTER_LINEAR)
    kept = cv2.resize((255 - 255 * share).astype(np.uint8), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.add(cv2.multiply(picture, kept, scale=1 / 255), added), np.uint8)


def enlarged(heat: Tensor, size: tuple[int, int]) -> Tensor:
    """The heat (grid × grid) at `size` (width, height): a patch's own value in its middle, even between."""
    return np.asarray(cv2.resize(heat, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _place(heat: Tensor) -> str:
    """`upper left` … `lower right`: the ninth of the crop that holds the hottest patch."""
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    vertical, horizontal = ROWS[row * 3 // heat.shape[0]], COLUMNS[column * 3 // heat.shape[1]]
    return "the middle" if (vertical, horizontal) == ("middle", "centre") else f"{vertical} {horizontal}"


def _hottest(heat: Tensor, crop: Crop) -> tuple[Point, ...]:
    """Outline, in frame px, of the region around the hottest patch."""
    _, regions = cv2.connectedComponents((heat >= HOT * heat.max()).astype(np.uint8))
    hottest = regions == regions[np.unravel_index(heat.argmax(), heat.shape)]
    rows, columns = np.nonzero(hottest)
    corners = np.concatenate([np.column_stack((columns + x, rows + y)) for x in (0, 1) for y in (0, 1)])
    return _in_frame(cv2.convexHull(corners.astype(np.float32))[:, 0] / heat.shape[::-1], crop)


def _in_frame(shares: npt.NDArray[np.floating], crop: Crop) -> tuple[Point, ...]:
    """Points given as shares of the crop's width and height, in frame px."""
    pixels = shares.astype(np.float64) * crop.mask.shape[::-1] - 0.5
    return tuple((float(x), float(y)) for x, y in cv2.perspectiveTransform(pixels[None], crop.to_frame)[0])
