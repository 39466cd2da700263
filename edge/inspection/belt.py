"""What the belt looks like to one camera: how rare each colour is on it, and how rarely it is as smooth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from edge import sealed
from edge.core.errors import PictureUnreadable, ReferencesRefused
from edge.core.messages import Image
from edge.inspection.crop import halved

MAKER = "belt-4"  # to be counted up when a constant below changes what a stored belt means

LONGER_PX = 256  # longer side of the small copy that is searched
BANDS = 12  # a belt looks different near and far: it is learnt in this many horizontal bands
RIM_PX = 13  # strip along the sides of a frame that is belt in most frames
KEPT = 0.75  # of the frames, those with least of a look: items at the side of the others leave no trace
TEXTURE_PX = 7  # window of the texture, on the small copy
FULL_STEP = 32  # lightness between neighbours that counts as an edge; the outline of an item counts no more than that
LIGHTNESSES, HUES, TEXTURES = 32, 16, 16  # how finely each is told apart
HUE_STEP = 3  # of Lab's a and b (8 bit): belts are dull, all that is vivid is alike
UNSEEN = 1e-5  # share of a band that every look is granted
SEEN = 1e-3  # share of a band from which on a lightness tells how smooth the belt is
RARE = 0.01  # share of the belt that counts as rare itself
PER_BIT = 8  # steps of a stored rarity
LIMIT = 128  # stored rarity of what RARE of the belt exceeds; a doubt of one bit is granted above it
DOUBT_BITS = 2.0  # by so much at least what was never seen is rarer than the belt's own
COLOUR_AROUND_PX, TEXTURE_AROUND_PX = 5, 11  # a pixel is judged with its neighbours: a belt's rare spots are small

Shares = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int16]
Where = npt.NDArray[np.bool_]
Cell = TypeVar("Cell", np.uint8, np.float32, np.int16)


@dataclass(frozen=True, slots=True)
class BeltColour:
    """How rare each look is on the belt, top to bottom: bits of surprise times PER_BIT, LIMIT being the belt's own."""

    colours: Image  # BANDS × (lightness, a, b in Lab)
    textures: Image  # BANDS × (lightness, texture)

    @classmethod
    def learn(cls, frames: Sequence[Image]) -> BeltColour:
        """Learn from ordinary frames (BGR, all of one camera), four or more; items may lie on the belt.

        Only the rim of each frame is looked at, and each look is counted without the frames that show most of it: an
        item that lies at the side of some frames does not count as belt. How smooth a belt is, left and right tell
        alone: at the top and the bottom of a view from the side there are rails.

        Raises:
            PictureUnreadable: no frame at all.
        """
        if not frames:
            raise PictureUnreadable("no frames to learn the belt from: record a few of the running belt.")
        colours, textures = zip(*(_codes(small(frame)) for frame in frames), strict=True)
        sides, ends = _sides(colours[0].shape), _sides(colours[0].T.shape).T
        usual = np.maximum(*(_usual(colours, (LIGHTNESSES, HUES, HUES), where) for where in (sides, ends)))
        usual_steps = _usual(textures, (LIGHTNESSES, TEXTURES), sides)
        as_smooth = _as_smooth(usual_steps)
        own_bits = _own_bits(usual, colours, COLOUR_AROUND_PX, sides | ends)
        own_steps_bits = _own_bits(as_smooth, textures, TEXTURE_AROUND_PX, sides)
        return cls(_rarity(usual, own_bits), _rarity(_shaded(as_smooth, usual_steps), own_steps_bits))

    @classmethod
    def load(cls, path: Path) -> BeltColour:
        """Read what `save` wrote.

        Raises:
            ReferencesRefused: missing, damaged, or learnt in another way than this one.
        """
        stored = sealed.read(path, MAKER)
        try:
            return cls(stored["colours"], stored["textures"])
        except KeyError as error:
            raise ReferencesRefused(f"{path}: no belt ({error} is missing): learn it anew.") from error

    def save(self, path: Path) -> None:
        """Write to `path` (`.npz`)."""
        sealed.write(path, {"colours": self.colours, "textures": self.textures}, MAKER)

    def unlike(self, picture: Image) -> Image:
        """Mask (0 or 1) of what is no belt in a small picture: its colour is rare there, or it is smoother."""
        colour, texture = _codes(picture)
        colours = _looked_up(self.colours, colour, COLOUR_AROUND_PX)
        textures = _looked_up(self.textures, texture, TEXTURE_AROUND_PX)
        return (np.maximum(colours, textures) > LIMIT + PER_BIT).astype(np.uint8)


def small(image: Image) -> Image:
    """A frame in the size in which a belt is learnt and items are looked for."""
    height_px, width_px = (max(BANDS, round(side * LONGER_PX / max(image.shape[:2]))) for side in image.shape[:2])
    while max(image.shape) >= 2 * LONGER_PX:
        image = halved(image)
    return np.asarray(cv2.resize(image, (width_px, height_px), interpolation=cv2.INTER_LINEAR), np.uint8)


def _codes(picture: Image) -> tuple[Codes, Codes]:
    """Each pixel's colour and texture, as numbers of a cell in the tables.

    The texture is the mean lightness step between neighbours around a pixel, each step cut off at FULL_STEP: unlike a
    standard deviation it hardly grows where a window holds a piece of an item's outline.
    """
    lightness, a, b = cv2.split(cv2.blur(cv2.cvtColor(picture, cv2.COLOR_BGR2LAB), (3, 3)))
    steps = cv2.morphologyEx(lightness, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    texture = cv2.blur(cv2.threshold(steps, FULL_STEP, 0, cv2.THRESH_TRUNC)[1], (TEXTURE_PX, TEXTURE_PX))
    colour = _cell(lightness, _LIGHTNESS * HUES * HUES) + _cell(a, _HUE * HUES) + _cell(b, _HUE)
    return colour, _cell(lightness, _LIGHTNESS * TEXTURES) + _cell(texture, _TEXTURE)


def _cell(plane: cv2.typing.MatLike, table: Codes) -> Codes:
    return np.asarray(cv2.LUT(plane, table), np.int16)


_LIGHTNESS, _HUE, _TEXTURE = (
    np.clip(cells, 0, most - 1).astype(np.int16)
    for cells, most in (
        (np.arange(256) * LIGHTNESSES // 256, LIGHTNESSES),
        ((np.arange(256) - 128) // HUE_STEP + HUES // 2, HUES),
        (np.arange(256) // (FULL_STEP // TEXTURES), TEXTURES),
    )
)
"""Value (8 bit) → cell of lightness, of Lab's a and b, of texture."""


def _rarity(shares: Shares, own_bits: float) -> Image:
    """BANDS × cells: bits of surprise, counted from the belt's own."""
    return np.asarray(np.clip(np.rint(LIMIT + PER_BIT * (_bits(shares) - own_bits)), 0, 255), np.uint8)


def _own_bits(shares: Shares, frames: Sequence[Codes], around_px: int, where: Where) -> float:
    """What the belt itself exceeds in RARE of its places; where items often lie at the sides, less than what is new."""
    bits = _bits(shares)
    own = [np.quantile(_looked_up(bits, codes, around_px)[where], 1 - RARE) for codes in frames]
    return min(float(np.median(own)), -float(np.log2(UNSEEN)) - DOUBT_BITS)


def _bits(shares: Shares) -> Shares:
    return np.asarray(-np.log2(shares + np.float32(UNSEEN)))


def _as_smooth(usual: Shares) -> Shares:
    """BANDS × cells: which share of the belt of that lightness is as smooth or smoother; 1 where there is none.

    Rough things differ from a belt in colour too, and the rim of any item looks rough: only smoothness tells.
    """
    tail = np.cumsum(usual.reshape(BANDS, LIGHTNESSES, TEXTURES), axis=2)
    return np.asarray((tail + UNSEEN) / (tail[..., -1:] + UNSEEN), np.float32).reshape(BANDS, -1)


def _shaded(as_smooth: Shares, usual: Shares) -> Shares:
    """The same where a shade falls: all steps shrink with the light, and what is left of them there is nothing rare."""
    shares = as_smooth.reshape(BANDS, LIGHTNESSES, TEXTURES)
    seen = usual.reshape(shares.shape).sum(axis=2) > SEEN  # enough belt of that lightness
    steps, shaded = np.arange(TEXTURES) + 0.5, shares.copy()
    for dark, light in combinations(range(LIGHTNESSES), 2):
        in_light = np.minimum(TEXTURES - 1, (steps * (light + 0.5) / (dark + 0.5)).astype(int))
        shaded[:, dark] = np.maximum(shaded[:, dark], shares[:, light, in_light] * seen[:, light, None])
    return shaded.reshape(BANDS, -1)


def _usual(frames: Sequence[Codes], shape: tuple[int, ...], where: Where) -> Shares:
    """BANDS × cells: each cell's share of a band, spread to its neighbours and the neighbouring bands."""
    cells, places = int(np.prod(shape)), np.array_split(where, BANDS)
    bands = [zip(np.array_split(codes, BANDS), places, strict=True) for codes in frames]
    counted = np.stack([[_shares(band[place], cells) for band, place in each] for each in bands])
    usual = np.sort(counted, axis=0)[: max(1, int(KEPT * len(frames)))].mean(axis=0).reshape(BANDS, *shape)
    for axis in range(usual.ndim):
        before, here, after = _neighbours(usual, axis)
        usual = (before + 2 * here + after) / 4
    usual = np.maximum.reduce(_neighbours(usual, 1))  # lamps waver, shadows fall: a step of lightness is nothing rare
    return np.asarray(usual.reshape(BANDS, cells), np.float32)


def _shares(band: Codes, cells: int) -> Shares:
    return np.bincount(band, minlength=cells).astype(np.float32) / np.float32(max(1, band.size))


def _neighbours(shares: Shares, axis: int) -> list[Shares]:
    """The shares one cell before, here, and one cell after; beyond an end is what is at the end."""
    around = np.pad(shares, [(1, 1) if number == axis else (0, 0) for number in range(shares.ndim)], mode="edge")
    return [around.take(range(first, first + shares.shape[axis]), axis) for first in range(3)]


def _looked_up(table: npt.NDArray[Cell], codes: Codes, around_px: int) -> npt.NDArray[Cell]:
    """The table's value for each pixel, averaged over its surroundings; each row looks in its own band."""
    bands = zip(table, np.array_split(codes, BANDS), strict=True)
    found = np.concatenate([band.take(cells) for band, cells in bands])
    return np.asarray(cv2.blur(found, (around_px, around_px)), table.dtype)


def _sides(shape: Sequence[int]) -> Where:
    """The strips at the left and the right."""
    where = np.zeros(shape, bool)
    where[:, :RIM_PX] = where[:, -RIM_PX:] = True
    return where
