"""Three invented products: their cartons' artwork, seen from above and from the side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from edge.core.messages import Image
from edge.simulator.ink import BLACK, BOLD, PAPER, Colour, bars, write

ART_PX_PER_MM = 7.2  # twice the frame's scale, so that what is drawn keeps its edges when it is laid down
TEXT_PX = 56  # capitals of the imprint, in the artwork: 28 px in the frame
LINE_PX = 98


@dataclass(frozen=True, slots=True)
class Imprint:
    """What the packing line prints on one carton."""

    date: str  # as printed: 12.03.2027
    lot: str
    serial: str


@dataclass(frozen=True, slots=True)
class Product:
    """One article and its carton."""

    gtin: str
    brand: str
    variety: str
    amount: str
    date_word: str  # what stands before the date
    length_mm: int
    width_mm: int
    height_mm: int
    main: Colour
    accent: Colour
    front: Callable[[Product, Image], None]

    def top_art(self) -> Image:
        """The carton from above, flat: height × width × 3, BGR, read-only."""
        return _printed(self)

    def side_art(self, imprint: Imprint, chance: np.random.Generator) -> Image:
        """The carton's side with its imprint, flat: height × width × 3, BGR. No two imprints sit quite alike."""
        art = _sheet(self.length_mm, self.height_mm, PAPER)
        height, width = art.shape[:2]
        band = height * 32 // 100
        cv2.rectangle(art, (0, 0), (width, band), self.main, cv2.FILLED)
        cv2.rectangle(art, (0, band), (width, band + 8), self.accent, cv2.FILLED)
        write(art, self.brand, 40, band * 68 // 100, band * 38 // 100, PAPER, BOLD)
        bars(art, self.gtin, width - 330, band // 8, 300, band * 3 // 4)
        left, base = 44 + int(chance.integers(-10, 11)), band + 94 + int(chance.integers(-6, 7))
        ink = int(chance.integers(24, 72))
        for row, line in enumerate((f"{self.date_word} {imprint.date}", f"LOT {imprint.lot}", f"SN {imprint.serial}")):
            write(art, line, left, base + row * LINE_PX, TEXT_PX, (ink, ink, ink))
        return art


@cache
def _printed(product: Product) -> Image:
    """The same sheet for all cartons of a product."""
    art = _sheet(product.length_mm, product.width_mm, PAPER)
    product.front(product, art)
    art.flags.writeable = False
    return art


def _tea(product: Product, art: Image) -> None:
    """A green field with leaves round a pale sun."""
    height, width = art.shape[:2]
    art[:] = product.main
    sun = (width * 74 // 100, height * 52 // 100)
    cv2.circle(art, sun, height * 36 // 100, product.accent, cv2.FILLED, cv2.LINE_AA)
    for turn in range(0, 360, 45):
        _leaf(art, sun, height, turn)
    cv2.rectangle(art, (24, 24), (width - 24, height - 24), product.accent, 5, cv2.LINE_AA)
    _titles(product, art, PAPER, product.accent)


def _leaf(art: Image, sun: tuple[int, int], height: int, turn: int) -> None:
    reach = height * 21 // 100
    way = np.array([np.cos(np.radians(turn)), np.sin(np.radians(turn))])
    centre = tuple(int(x) for x in np.array(sun) + way * reach)
    axes = (height * 14 // 100, height * 5 // 100)
    cv2.ellipse(art, centre, axes, turn, 0, 360, (86, 138, 74), cv2.FILLED, cv2.LINE_AA)
    tip = tuple(int(x) for x in np.array(sun) + way * reach * 1.6)
    cv2.line(art, sun, tip, (60, 104, 52), 4, cv2.LINE_AA)


def _tablets(product: Product, art: Image) -> None:
    """White, with a wave of colour at one end and a row of tablets."""
    height, width = art.shape[:2]
    down = np.arange(0, height + 1, 6)
    for shade, shift in ((product.accent, -56), (product.main, 0)):
        edge = width * 0.74 + shift + 44 * np.sin(down / height * 2 * np.pi)
        wave = [*np.stack([edge, down], axis=1), (width, height), (width, 0)]
        cv2.fillPoly(art, [np.array(wave, np.int32)], shade, cv2.LINE_AA)
    for row in range(3):
        centre = (width * 88 // 100, height * (26 + 24 * row) // 100)
        cv2.ellipse(art, centre, (74, 40), 0, 0, 360, PAPER, cv2.FILLED, cv2.LINE_AA)
        cv2.line(art, (centre[0], centre[1] - 30), (centre[0], centre[1] + 30), product.accent, 5, cv2.LINE_AA)
    _titles(product, art, BLACK, product.main)


def _biscuits(product: Product, art: Image) -> None:
    """A warm field with a slanted ribbon and three biscuits."""
    height, width = art.shape[:2]
    art[:] = product.main
    ribbon = [(0, height * 82 // 100), (width, height * 62 // 100), (width, height), (0, height)]
    cv2.fillPoly(art, [np.array(ribbon, np.int32)], product.accent, cv2.LINE_AA)
    chance = np.random.default_rng(7)  # the artwork is the same on every carton
    for share in ((64, 34), (82, 46), (70, 68)):
        centre = (width * share[0] // 100, height * share[1] // 100)
        _biscuit(art, centre, height * 19 // 100, chance)
    _titles(product, art, PAPER, (60, 220, 250))


def _biscuit(art: Image, centre: tuple[int, int], radius: int, chance: np.random.Generator) -> None:
    cv2.circle(art, centre, radius, (58, 110, 168), cv2.FILLED, cv2.LINE_AA)
    cv2.circle(art, centre, radius - 12, (98, 160, 214), cv2.FILLED, cv2.LINE_AA)
    for _ in range(11):
        way, reach = chance.uniform(0, 2 * np.pi), chance.uniform(0.1, 0.75) * radius
        chip = (int(centre[0] + reach * np.cos(way)), int(centre[1] + reach * np.sin(way)))
        cv2.circle(art, chip, int(chance.integers(8, 15)), (36, 54, 84), cv2.FILLED, cv2.LINE_AA)


def _titles(product: Product, art: Image, title: Colour, subtitle: Colour) -> None:
    height = art.shape[0]
    write(art, product.brand, 64, height * 36 // 100, height * 12 // 100, title, BOLD)
    write(art, product.variety, 68, height * 54 // 100, height * 65 // 1000, subtitle)
    write(art, product.amount, 68, height * 88 // 100, height * 5 // 100, title)


def _sheet(width_mm: int, height_mm: int, colour: Colour) -> Image:
    size = (round(height_mm * ART_PX_PER_MM), round(width_mm * ART_PX_PER_MM), 3)
    return np.full(size, colour, np.uint8)


PRODUCTS = (
    Product(
        gtin="04012345678901",
        brand="Silverleaf",
        variety="Green tea",
        amount="20 bags  40 g",
        date_word="BEST BEFORE",
        length_mm=170,
        width_mm=90,
        height_mm=74,
        main=(62, 92, 38),
        accent=(178, 226, 236),
        front=_tea,
    ),
    Product(
        gtin="04012345678918",
        brand="Medorin",
        variety="200 mg tablets",
        amount="30 tablets",
        date_word="EXP",
        length_mm=140,
        width_mm=80,
        height_mm=72,
        main=(150, 148, 20),
        accent=(206, 208, 132),
        front=_tablets,
    ),
    Product(
        gtin="04012345678925",
        brand="Nuttwell",
        variety="Oat biscuits",
        amount="12 pieces  180 g",
        date_word="BEST BEFORE",
        length_mm=180,
        width_mm=96,
        height_mm=76,
        main=(38, 108, 226),
        accent=(36, 44, 122),
        front=_biscuits,
    ),
)
