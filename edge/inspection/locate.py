"""Find the item on the belt and cut it out upright: what is not coloured like the belt, or is smoother than it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.errors import PictureUnreadable
from edge.core.messages import Image, Point
from edge.inspection import sealed
from edge.inspection.crop import Crop

MAKER = "belt-1"  # to be counted up when a constant below changes what a stored belt means

WIDTH_PX = 320  # of the small copy that is searched; the crop itself is cut from the frame
BANDS = 12  # a belt looks different near and far: it is learnt in this many horizontal bands
SIDE_PX = 16  # strip at the left and at the right that is belt in nearly every frame
ROUGH_PX = 15  # window of the roughness, about one roller of a roller conveyor on the small copy
RARE = 0.02  # share of belt that may lie below, and above, what counts as belt
# Beyond the belt's own range in Lab (8 bit); lightness least strict: lamps waver.
TOLERANCE = np.array((10, 6, 6), np.float32)[:, None, None]
SMOOTH = 0.92  # of the belt's least roughness: smoother than that is no belt
SMOOTH_AT_EDGE = 0.5  # of its usual roughness: a window half on an item has 0.7 of it, and its middle is no item yet
SPOT = 0.0014  # share of the frame: smooth regions up to this are taken for parts of the belt
SMALLEST, LARGEST = 0.005, 0.6  # share of the frame an item may take
RECTANGULAR = 0.8  # an outline that fills its tightest rectangle like this is turned upright by it
MARGIN = 0.06  # of the crop's longer side, kept around the item
NEIGHBOURS = np.ones((3, 1), np.uint8)  # a band may hold what its neighbours hold: rails slant, cameras shake
JOIN_PX = 9  # gaps up to this between parts of an item are closed: print, an edge, on the small copy
THIN_PX = 11  # what is thinner than this is a bit of belt
REFINE_PX = 7  # how far the outline may move to meet an edge, on the small copy

Plane = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class BeltColour:
    """What the belt looks like to one camera, top to bottom."""

    low: Plane  # BANDS × 4: lightness, a, b (Lab, 8 bit), roughness
    high: Plane

    @classmethod
    def learn(cls, frames: Sequence[Image]) -> BeltColour:
        """Learn from ordinary frames (BGR, all of one camera), four or more; items may lie on the belt.

        Only the left and the right quarter of each frame are looked at, and of the frames the median is kept: an item
        that lies at the side of some of them does not count as belt.

        Raises:
            PictureUnreadable: no frame at all.
        """
        if not frames:
            raise PictureUnreadable("no frames to learn the belt from: record a few of the running belt.")
        ranges = np.stack([_ranges(_features(_small(frame))) for frame in frames])
        low, high = np.median(ranges, axis=0)
        low, high = cv2.erode(low, NEIGHBOURS), cv2.dilate(high, NEIGHBOURS)
        return cls(low.astype(np.float32), high.astype(np.float32))

    @classmethod
    def load(cls, path: Path) -> BeltColour:
        """Read what `save` wrote.

        Raises:
            ReferencesRefused: missing, damaged, or learnt in another way than this one.
        """
        stored = sealed.read(path, MAKER)
        return cls(stored["low"], stored["high"])

    def save(self, path: Path) -> None:
        """Write to `path` (`.npz`)."""
        sealed.write(path, {"low": self.low, "high": self.high}, MAKER)


def locate(image: Image, belt: BeltColour) -> Crop:
    """The item in `image` (BGR), cut out and upright; the whole frame if nothing, or nearly everything, stands out."""
    small = _small(image)
    outline = _outline(_unlike(_features(small), belt))
    if outline is None:
        return whole(image)
    scale = image.shape[1] / WIDTH_PX
    return _cut(image, (_refined(small, outline).reshape(-1, 2) + 0.5) * scale - 0.5)


def whole(image: Image) -> Crop:
    """The frame itself as a crop."""
    height_px, width_px = image.shape[:2]
    corners = ((0.0, 0.0), (width_px - 1.0, 0.0), (width_px - 1.0, height_px - 1.0), (0.0, height_px - 1.0))
    return Crop(image, np.full((height_px, width_px), 255, np.uint8), np.eye(3), corners, located=False)


def _small(image: Image) -> Image:
    size = (WIDTH_PX, max(BANDS, round(image.shape[0] * WIDTH_PX / image.shape[1])))
    return _eight_bits(cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def _features(small: Image) -> Plane:
    """4 × height × width: Lab lightly blurred, and the standard deviation of the lightness around each pixel."""
    lab = cv2.split(cv2.blur(cv2.cvtColor(small, cv2.COLOR_BGR2LAB), (3, 3)))
    window = (ROUGH_PX, ROUGH_PX)
    mean = cv2.boxFilter(lab[0], cv2.CV_32F, window)
    variance = cv2.sqrBoxFilter(lab[0], cv2.CV_32F, window) - mean * mean
    return np.stack((*lab, np.sqrt(np.maximum(variance, 0))), dtype=np.float32)


def _ranges(features: Plane) -> Plane:
    """2 × BANDS × 4: between what the belt beside the item lies in one frame."""
    sides = np.concatenate((features[..., :SIDE_PX], features[..., -SIDE_PX:]), axis=2)
    bands = [band.reshape(4, -1) for band in np.array_split(sides, BANDS, axis=1)]
    low, usual, high = np.stack([np.quantile(band, (RARE, 0.5, 1 - RARE), axis=1) for band in bands], axis=1)
    low[:, 3] = np.minimum(SMOOTH * low[:, 3], SMOOTH_AT_EDGE * usual[:, 3])
    return np.stack((low, high))


def _unlike(features: Plane, belt: BeltColour) -> Image:
    """Mask of what is no belt: by colour, or by being smooth where the belt is rough."""
    low, high = (_per_row(bound, features.shape[1]) for bound in (belt.low, belt.high))
    outside = (features[:3] < low[:3] - TOLERANCE) | (features[:3] > high[:3] + TOLERANCE)
    smooth = _without_rim((features[3] < low[3]).astype(np.uint8))
    # A smooth pixel says that all of its window is smooth: grown back by nearly half the window.
    grown = cv2.dilate(_spacious(smooth), _square(ROUGH_PX - 4))
    found = grown | outside[0] | outside[1] | outside[2]
    joined = cv2.morphologyEx(found, cv2.MORPH_CLOSE, _square(JOIN_PX))
    return _eight_bits(cv2.morphologyEx(joined, cv2.MORPH_OPEN, _square(THIN_PX)))


def _without_rim(mask: Image) -> Image:
    """The mask but for half a window at the frame's rim, where the roughness is half guessed."""
    half = ROUGH_PX // 2
    return np.pad(mask[half:-half, half:-half], half)


def _spacious(mask: Image) -> Image:
    """The mask without its small spots: single rollers are smooth too."""
    _, labels, regions, _ = cv2.connectedComponentsWithStats(mask)
    spacious = regions[:, cv2.CC_STAT_AREA] > SPOT * mask.size
    spacious[0] = False  # what is not in the mask
    return _eight_bits(spacious[labels])


def _per_row(bands: Plane, rows: int) -> Plane:
    """4 × rows × 1, interpolated between the middles of the bands."""
    middles = (np.arange(BANDS) + 0.5) * rows / BANDS - 0.5
    return np.stack([np.interp(np.arange(rows), middles, band) for band in bands.T]).astype(np.float32)[..., None]


def _outline(mask: Image) -> npt.NDArray[np.int32] | None:
    """Convex outline of the largest thing, or None if it is too small or too large for an item."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not outlines:
        return None
    largest = cv2.convexHull(max(outlines, key=cv2.contourArea))
    return largest.astype(np.int32) if SMALLEST < cv2.contourArea(largest) / mask.size < LARGEST else None


def _refined(small: Image, outline: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The outline moved to the strongest edges nearby (watershed between surely item and surely belt)."""
    filled = cv2.fillPoly(np.zeros(small.shape[:2], np.uint8), [outline], 1)
    markers = np.zeros(small.shape[:2], np.int32)
    markers[cv2.dilate(filled, _square(2 * REFINE_PX + 1)) == 0] = 1
    markers[cv2.erode(filled, _square(2 * REFINE_PX + 1)) == 1] = 2
    item = _eight_bits(cv2.watershed(small, markers) == 2)
    refined = _outline(_eight_bits(cv2.morphologyEx(item, cv2.MORPH_OPEN, _square(5))))
    return outline if refined is None else refined


def _cut(image: Image, outline: npt.NDArray[np.float64]) -> Crop:
    """The item upright with a margin, and the way back to the frame."""
    (centre, (width_px, height_px), degrees) = _frame_of(outline.astype(np.float32))
    margin_px = 2 * MARGIN * max(width_px, height_px)
    size = (round(width_px + margin_px), round(height_px + margin_px))
    to_frame = _to_frame(centre, size, degrees)
    to_crop = np.linalg.inv(to_frame)
    cut = cv2.warpPerspective(image, to_crop, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.perspectiveTransform(outline[None], to_crop)[0]
    mask = cv2.fillPoly(np.zeros(size[::-1], np.uint8), [np.rint(inside).astype(np.int32)], 255)
    return Crop(_eight_bits(cut), _eight_bits(mask), to_frame, _points(outline), located=True)


def _frame_of(outline: Plane) -> tuple[Point, Point, float]:
    """Centre, size and turn (degrees, −45…45) of the rectangle to cut.

    Only a thing that looks like a rectangle is turned: a carton seen aslant shows three faces, and its tightest
    rectangle follows none of them.
    """
    (x, y), (width_px, height_px), degrees = cv2.minAreaRect(outline)
    if cv2.contourArea(outline) < RECTANGULAR * width_px * height_px:
        left, top, width_px, height_px = cv2.boundingRect(outline)
        return (left + width_px / 2, top + height_px / 2), (width_px, height_px), 0.0
    quarters = round(degrees / 90)  # which side OpenCV calls the width, and so the angle, differs between its versions
    size = (height_px, width_px) if quarters % 2 else (width_px, height_px)
    return (x, y), size, degrees - 90 * quarters


def _to_frame(centre: Point, size: tuple[int, int], degrees: float) -> npt.NDArray[np.float64]:
    """3 × 3: crop px → frame px, a turn about the middle."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[cosine, -sine], [sine, cosine]])
    shift = np.array(centre) - turn @ ((np.array(size) - 1) / 2)
    return np.vstack((np.column_stack((turn, shift)), (0, 0, 1)))


def _points(outline: npt.NDArray[np.float64]) -> tuple[Point, ...]:
    return tuple((float(x), float(y)) for x, y in outline)


def _eight_bits(array: npt.NDArray[Any]) -> Image:
    return np.asarray(array, np.uint8)


def _square(side_px: int) -> Image:
    return np.ones((side_px, side_px), np.uint8)
