"""What goes wrong with a carton on its way, drawn on its flat artwork."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.messages import Image
from edge.simulator.ink import blot

Floats = npt.NDArray[np.float32]
Blemish = Callable[[Image, np.random.Generator, float], Image]
"""The artwork, chance, and the radius as a share of the artwork's height; gives a new artwork of the same shape."""

CARDBOARD = (128, 166, 192)
SPILT = (44, 74, 108)
SIZES: Mapping[str, float] = {"small": 0.13, "medium": 0.2, "large": 0.3}


def dent(art: Image, chance: np.random.Generator, size: float) -> Image:
    """The board is pushed in: the print shrinks towards a point, one flank lies in the shade, one shines."""
    centre, radius = _place(art, chance), size * art.shape[0]
    dx, dy = _offsets(art, centre)
    depth = np.exp(-(dx**2 + dy**2) / (2 * (radius * 0.5) ** 2))
    pushed = _moved(art, dx * depth * 0.35, dy * depth * 0.35)
    slope = (dx + dy) / (radius * 0.5) * depth  # the light comes from the upper left
    creased = _creases(art, chance, centre, radius)
    return _scaled(pushed, 1 + np.clip(0.34 * slope, -0.38, 0.5) - 0.1 * depth - 0.3 * creased)


def tear(art: Image, chance: np.random.Generator, size: float) -> Image:
    """The printed layer is torn off from the edge inwards: bare board with a pale rim."""
    height, width = art.shape[:2]
    radius = size * height
    centre = (chance.uniform(0.2, 0.8) * width, float(chance.choice([0.12, 0.88])) * height)
    torn = blot(chance, centre, radius, 0.5)
    rim = blot(chance, centre, radius * 1.12, 0.5)
    result = art.copy()
    cv2.fillPoly(result, [rim, torn], (226, 232, 236), cv2.LINE_AA)
    cv2.fillPoly(result, [torn], CARDBOARD, cv2.LINE_AA)
    return _fibrous(result, torn, chance)


def stain(art: Image, chance: np.random.Generator, size: float) -> Image:
    """Something was spilt: a brown film with a darker rim, and a few drops beside it."""
    centre, radius = _place(art, chance), size * art.shape[0]
    film = _filled(art, blot(chance, centre, radius, 0.35))
    for _ in range(5):
        way, reach = chance.uniform(0, 2 * np.pi), chance.uniform(1.1, 1.7) * radius
        drop = (centre[0] + reach * np.cos(way), centre[1] + reach * np.sin(way))
        film = np.maximum(film, _filled(art, blot(chance, drop, radius * chance.uniform(0.05, 0.16), 0.2)))
    inner = cv2.erode(film, np.ones((13, 13), np.uint8))
    depth = np.asarray(cv2.GaussianBlur(film * 0.6 + (film - inner) * 0.25, (0, 0), 3))[..., None]
    return _clipped(art.astype(np.float32) * (1 - depth) + np.array(SPILT, np.float32) * depth)


BLEMISHES: Mapping[str, Blemish] = {"dent": dent, "tear": tear, "stain": stain}


def _place(art: Image, chance: np.random.Generator) -> tuple[float, float]:
    height, width = art.shape[:2]
    return chance.uniform(0.15, 0.85) * width, chance.uniform(0.25, 0.75) * height


def _offsets(art: Image, centre: tuple[float, float]) -> tuple[Floats, Floats]:
    down, across = np.indices(art.shape[:2], np.float32)
    return np.asarray(across - centre[0], np.float32), np.asarray(down - centre[1], np.float32)


def _moved(art: Image, dx: Floats, dy: Floats) -> Image:
    """Each pixel is taken from (dx, dy) px further on."""
    down, across = np.indices(art.shape[:2], np.float32)
    moved = cv2.remap(art, across + dx, down + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def _creases(art: Image, chance: np.random.Generator, centre: tuple[float, float], radius: float) -> Floats:
    """Thin dark lines from the deepest point outwards: 0 … 1."""
    lines = np.zeros(art.shape[:2], np.uint8)
    start = (int(centre[0]), int(centre[1]))
    for way in chance.uniform(0, 2 * np.pi, 4):
        end = (int(centre[0] + radius * np.cos(way)), int(centre[1] + radius * np.sin(way)))
        cv2.line(lines, start, end, 255, 4, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(lines, (0, 0), 2), np.float32) / np.float32(255)


def _filled(art: Image, outline: npt.NDArray[np.int32]) -> Floats:
    mask = np.zeros(art.shape[:2], np.uint8)
    cv2.fillPoly(mask, [outline], 255, cv2.LINE_AA)
    return np.asarray(mask, np.float32) / np.float32(255)


def _fibrous(art: Image, outline: npt.NDArray[np.int32], chance: np.random.Generator) -> Image:
    """Bare board is not smooth: long, faint fibres."""
    grain = chance.normal(0, 1, art.shape[:2]).astype(np.float32)
    fibres = cv2.GaussianBlur(grain, (0, 0), 8, sigmaY=1.5)
    return _scaled(art, 1 + 0.5 * np.asarray(fibres) * _filled(art, outline))


def _scaled(art: Image, gain: Floats) -> Image:
    return _clipped(art * gain[..., None])


def _clipped(values: npt.NDArray[np.floating]) -> Image:
    return np.asarray(np.clip(values, 0, 255), np.uint8)
