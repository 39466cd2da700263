"""Colour as people see it: CIE Lab under D65, differences in ΔE2000, palettes of a few colours; never RGB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edge import sealed
from edge.core.colour_difference import delta_e_2000, lab_of, linear
from edge.core.errors import ReferencesRefused
from edge.core.messages import Evidence, Image, Sighting
from edge.inspection import features
from edge.inspection.crop import Crop, answer
from edge.inspection.references import Library

Array = npt.NDArray[np.float64]

COLOUR = "colour"
MAKER = "palette-1"  # to be counted up when a stored palette comes to mean something else
COLOURS = 8  # of a palette
SIDE_PX = 64  # of the small picture it is made of
ROUNDS = 12  # of k-means; it has settled long before


@dataclass(frozen=True, slots=True)
class Correction:
    """What a camera's linear RGB comes to in linear sRGB: matrix · rgb + offset; learnt from a colour chart."""

    matrix: Array = field(default_factory=lambda: np.eye(3))
    offset: Array = field(default_factory=lambda: np.zeros(3))


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a thing, and how much of it has each."""

    colours: Array  # COLOURS × 3, Lab
    shares: Array  # COLOURS, their sum is 1

    @classmethod
    def of(cls, image: Image, mask: Image, correction: Correction) -> Palette:
        """Of the pixels of `image` (BGR) where `mask` is 255: k-means in Lab (Lloyd 1982) from dark to light."""
        small = cv2.resize(image, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
        inside = cv2.resize(mask, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA) > 127
        pixels = lab(np.asarray(small, np.uint8), correction)[inside if inside.any() else ~inside]
        by_lightness = pixels[pixels[:, 0].argsort(kind="stable")]
        centres = np.stack([part.mean(axis=0) for part in np.array_split(by_lightness, COLOURS)])
        for _ in range(ROUNDS):
            nearest = _nearest(pixels, centres)
            counts = np.bincount(nearest, minlength=COLOURS)
            sums = np.stack([np.bincount(nearest, axis, COLOURS) for axis in pixels.T], axis=1)
            centres = np.where(counts[:, None], sums / np.maximum(counts, 1)[:, None], centres)
        return cls(centres, counts / counts.sum())

    def difference(self, other: Palette) -> float:
        """Mean ΔE2000 from each colour to the nearest of the other, by shares, in whichever direction it is larger."""
        apart = delta_e_2000(self.colours[:, None], other.colours[None])
        apart_there = np.where(other.shares > 0, apart, np.inf).min(axis=1) @ self.shares
        apart_back = np.where(self.shares[:, None] > 0, apart, np.inf).min(axis=0) @ other.shares
        return float(max(apart_there, apart_back))


class ColourCheck:
    """Evidence `colour`: how far, in ΔE2000, the item's colours are from the nearest known of the product."""

    def __init__(self, palettes: Library[tuple[Palette, ...]], corrections: Mapping[str, Correction]) -> None:
        """Take what is known of the products, and of each calibrated camera (the others are taken at their word)."""
        self._palettes = palettes
        self._corrections = corrections

    @classmethod
    def over(cls, catalogue: Path) -> ColourCheck:
        """With what lies in the catalogue, `<gtin>/colour.npz`, and cameras that were never calibrated."""
        return cls(Library(catalogue, ".npz", load_palettes), {})

    def inspect(self, crop: Crop, sighting: Sighting) -> Sequence[Evidence]:
        """Invalid where the product's colours are not known, or the picture shows nothing."""
        if sighting.item.expected is None:
            return [answer(COLOUR, sighting, "the warehouse has not announced this item")]
        if features.blank(crop):
            return [answer(COLOUR, sighting, "nothing to see")]
        gtin = sighting.item.expected.gtin
        try:
            known = self._palettes.known(gtin, COLOUR)
        except ReferencesRefused as error:
            return [answer(COLOUR, sighting, str(error))]
        if not known:
            return [answer(COLOUR, sighting, f"no colours of {gtin} in the catalogue")]
        correction = self._corrections.get(sighting.frame.camera, Correction())
        seen = Palette.of(crop.image, crop.mask, correction)
        palettes, learnt = known
        apart = min(seen.difference(palette) for palette in palettes)
        said = answer(COLOUR, sighting, f"colours differ by {apart:.1f} ΔE from the product's")
        return [replace(said, score=apart, where=crop.polygon, learnt=learnt, valid=True)]


def save_palettes(path: Path, palettes: Sequence[Palette]) -> None:
    """Write those of one product's pictures to `path` (`.npz`)."""
    colours, shares = ([getattr(palette, name) for palette in palettes] for name in ("colours", "shares"))
    sealed.write(path, {"colours": np.stack(colours), "shares": np.stack(shares)}, MAKER)


def load_palettes(path: Path) -> tuple[Palette, ...]:
    """Read what `save_palettes` wrote.

    Raises:
        ReferencesRefused: missing, damaged, or of another kind.
    """
    stored = sealed.read(path, MAKER)
    try:
        return tuple(Palette(*pair) for pair in zip(stored["colours"], stored["shares"], strict=True))
    except (KeyError, ValueError) as error:
        raise ReferencesRefused(f"{path}: no palettes ({error}): make them anew.") from error


def lab(image: Image, correction: Correction) -> Array:
    """BGR (height × width × 3, sRGB's tone curve) → L, a, b: height × width × 3."""
    return lab_of(_LINEAR[image[..., ::-1]] @ correction.matrix.T + correction.offset)


def _nearest(pixels: Array, centres: Array) -> npt.NDArray[np.intp]:
    """Each pixel's nearest centre: its own square is the same for all of them, and left out."""
    nearest: npt.NDArray[np.intp] = ((centres**2).sum(axis=1) / 2 - pixels @ centres.T).argmin(axis=1)
    return nearest


_LINEAR = linear(np.arange(256) / 255)
