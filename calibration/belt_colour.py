"""`tunnel-calibrate belt-colour`: learn a camera's belt, and show on a sheet what is found on it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from edge.core.errors import PictureUnreadable
from edge.core.messages import Image
from edge.inspection.belt import BeltColour
from edge.inspection.crop import Crop
from edge.inspection.locate import locate
from edge.pictures import read_picture
from edge.plain import plain_console

FEWEST = 4  # frames: the median of fewer may be an item
TILE_PX = (320, 180)  # width, height
TILES_A_ROW = 4
FOUND, NOT_FOUND = (0, 200, 0), (0, 0, 230)


def main(arguments: Sequence[str]) -> int:
    """Learn from frames; write `<camera>.npz` and the sheet `<camera>.png` for the technician's eye."""
    options = _options(arguments)
    console = plain_console()
    if len(options.frames) < FEWEST:
        raise PictureUnreadable(
            f"{len(options.frames)} frames are too few: record {FEWEST} or more of the running belt."
        )
    frames = [read_picture(path) for path in track(options.frames, "reading", console=console, transient=True)]
    belt = BeltColour.learn(frames)
    crops = [locate(frame, belt) for frame in track(frames, "looking", console=console, transient=True)]
    belt.save(options.out / f"{options.camera}.npz")
    sheet = options.out / f"{options.camera}.png"
    sheet.write_bytes(cv2.imencode(".png", contact_sheet(frames, crops))[1].tobytes())
    found = sum(crop.located for crop in crops)
    console.print(
        f"an item was found on {found} of {len(frames)} frames: look at {sheet} and see whether that is right."
    )
    return 0


def contact_sheet(frames: Sequence[Image], crops: Sequence[Crop]) -> Image:
    """Every frame in small: the item's outline in green, a red frame where none was found."""
    tiles = [_tile(frame, crop) for frame, crop in zip(frames, crops, strict=True)]
    width, height = TILE_PX
    tiles += [np.zeros((height, width, 3), np.uint8)] * (-len(tiles) % TILES_A_ROW)
    rows = [np.hstack(tiles[first : first + TILES_A_ROW]) for first in range(0, len(tiles), TILES_A_ROW)]
    return np.ascontiguousarray(np.vstack(rows))


def _tile(frame: Image, crop: Crop) -> Image:
    shown = frame.copy()
    outline = [np.rint(np.array(crop.polygon)).astype(np.int32)]
    thickness = max(2, frame.shape[1] // 160)
    cv2.polylines(shown, outline, isClosed=True, color=FOUND if crop.located else NOT_FOUND, thickness=thickness)
    return np.asarray(cv2.resize(shown, TILE_PX, interpolation=cv2.INTER_AREA), np.uint8)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tunnel-calibrate belt-colour",
        description="Learn what the belt looks like to a camera, from ordinary frames; items may lie on some of them.",
    )
    parser.add_argument("--camera", required=True, help="the camera's name in the lane's settings")
    parser.add_argument("--out", type=Path, required=True, help="folder, as [inspection] belt_colours")
    parser.add_argument("frames", type=Path, nargs="+", help="pictures, all of this camera")
    return parser.parse_args(arguments)
