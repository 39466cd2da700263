"""Crops side by side, the most unusual first: for a person who wants to see what was learnt from."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import cv2
import numpy as np

from edge.core.messages import Image
from edge.inspection.crop import Crop

TILE_PX, GAP_PX, WORDS_PX = 160, 4, 16
ACROSS, MOST = 8, 64
WHITE, RED, INK = (255, 255, 255), (40, 40, 220), (40, 40, 40)


def contact_sheet(crops: Sequence[Crop], scores: Sequence[float], usual: float, suspects: Collection[int]) -> Image:
    """The MOST unusual of some crops: score as a share of `usual` below each, suspects framed red. BGR, uint8."""
    order = sorted(range(len(crops)), key=lambda index: -scores[index])[:MOST]
    tiles = [_tile(crops[index], f"{scores[index] / usual:.2f}", index in suspects) for index in order]
    blank = np.full_like(tiles[0], 255)
    rows = [tiles[start : start + ACROSS] for start in range(0, len(tiles), ACROSS)]
    across = min(ACROSS, len(tiles))
    filled = [np.hstack([*row, *[blank] * (across - len(row))]) for row in rows]
    return np.asarray(np.vstack(filled), np.uint8)


def _tile(crop: Crop, words: str, suspect: bool) -> Image:  # noqa: FBT001 - a fact, no switch
    """One crop, whole, in a square."""
    height, width = crop.image.shape[:2]
    scale = (TILE_PX - 2 * GAP_PX) / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    tile = np.full((TILE_PX + WORDS_PX, TILE_PX, 3), WHITE, np.uint8)
    left, top = (TILE_PX - size[0]) // 2, (TILE_PX - size[1]) // 2
    tile[top : top + size[1], left : left + size[0]] = cv2.resize(crop.image, size, interpolation=cv2.INTER_AREA)
    if suspect:
        cv2.rectangle(tile, (1, 1), (TILE_PX - 2, TILE_PX - 2), RED, 2)
    place = (GAP_PX, TILE_PX + WORDS_PX - GAP_PX)
    cv2.putText(tile, words, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, RED if suspect else INK, 1, cv2.LINE_AA)
    return tile
