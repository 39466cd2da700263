"""Pictures of how drawn labels were read: bars by language and technology, and a sheet of failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench.drawn_labels import drawn_label
from edge.core.messages import Image

ROW_PX, NAME_PX, BAR_PX, FIGURE_PX = 22, 170, 420, 190
TEXT, INK, GRID = 0.45, (40, 40, 40), (210, 210, 210)
RIGHT, UNREAD, WRONG = (110, 160, 70), (220, 220, 220), (60, 60, 210)
TILE_PX = (240, 150)  # width, height
TILES_ACROSS, TILES_MAX = 6, 60
FONT = cv2.FONT_HERSHEY_SIMPLEX


def plot(path: Path, tables: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    """A bar for each group: right, unread, wrong."""
    panels = [_panel(name, tables[name]) for name in ("language", "technology")]
    _write(path, np.vstack(panels))


def _panel(name: str, rows: Mapping[str, Mapping[str, Any]]) -> Image:
    ranked = sorted(rows.items(), key=lambda row: -row[1]["accuracy"])
    width = NAME_PX + BAR_PX + FIGURE_PX
    canvas = np.full((ROW_PX * (len(ranked) + 2), width, 3), 255, np.uint8)
    _say(canvas, f"by {name}: right (green), unread (grey), valid but wrong (red)", 6, 0)
    for row, (group, found) in enumerate(ranked, 1):
        _say(canvas, group, 6, row)
        _bar(canvas, found["accuracy"], found["valid_but_wrong"], row)
        told = f"{found['accuracy']:.1%}  wrong {found['valid_but_wrong']:.1%}"
        _say(canvas, told, NAME_PX + BAR_PX + 8, row)
    return canvas


def _bar(canvas: Image, right: float, wrong: float, row: int) -> None:
    top, bottom = row * ROW_PX + 4, (row + 1) * ROW_PX - 4
    shares = ((RIGHT, 0.0, right), (UNREAD, right, 1 - wrong), (WRONG, 1 - wrong, 1.0))
    for colour, begin, end in shares:
        left, finish = (NAME_PX + round(BAR_PX * share) for share in (begin, end))
        if finish > left:
            cv2.rectangle(canvas, (left, top), (finish - 1, bottom), colour, cv2.FILLED)


def failure_sheet(path: Path, failed: Sequence[tuple[int, str]]) -> None:
    """The first labels of these, drawn anew, each with a word on what was read."""
    tiles = [_tile(number, told) for number, told in failed[:TILES_MAX]]
    blank = np.full((TILE_PX[1] + ROW_PX, TILE_PX[0], 3), 255, np.uint8)
    tiles += [blank] * (-len(tiles) % TILES_ACROSS or (0 if tiles else TILES_ACROSS))
    rows = [np.hstack(tiles[start : start + TILES_ACROSS]) for start in range(0, len(tiles), TILES_ACROSS)]
    _write(path, np.vstack(rows))


def _tile(number: int, told: str) -> Image:
    picture = cv2.resize(drawn_label(number).image, TILE_PX, interpolation=cv2.INTER_AREA)
    strip = np.full((ROW_PX, TILE_PX[0], 3), 255, np.uint8)
    cv2.putText(strip, told, (3, 15), FONT, 0.32, INK, 1, cv2.LINE_AA)
    return np.vstack((strip, np.asarray(picture, np.uint8)))


def _say(canvas: Image, text: str, left: int, row: int) -> None:
    cv2.putText(canvas, text, (left, (row + 1) * ROW_PX - 6), FONT, TEXT, INK, 1, cv2.LINE_AA)


def _write(path: Path, picture: Image) -> None:
    path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
