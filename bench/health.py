"""How soon a camera that lies is found out, and how often one that does not is blamed.

`python -m bench.health --data FOLDER [--sets a,b] [--trials N] [--clean N] [--json FILE]`

A set is a folder of photographs by one camera that stands still (`packages/*/side` …): half of them teach the view, the
others go by in a random order, with a sensor's noise. In each trial a fault begins, drawn anew, and stays; told of any
fault counts as found. Clean frames go by without one: what is told of them is false.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from edge.cameras.health import RECENT, Health, Look, View
from edge.core.messages import Image
from edge.pictures import read_picture

SETS = {
    "packages/side": "packages/*/side/*.jpg",
    "packages/top": "packages/*/top/*.jpg",
    "cookies": "cookies/*/*/*.jp*g",
    "bottle": "bottle/train/good/*",
}
PATIENCE = 60  # frames, until a fault counts as not found
NOISE = 1.5  # levels, standard deviation
NOISES = 8  # fields of it, drawn once, shifted at random

Spoil = Callable[[Image], Image]
"""What a fault does to a frame."""


class Stream:
    """Frames of a camera, one after the other, each with noise of its own."""

    def __init__(self, images: Sequence[Image], chance: np.random.Generator) -> None:
        self._images = images
        self._chance = chance
        shape = images[0].shape
        self._noises = [np.rint(chance.normal(0, NOISE, shape)).astype(np.int8) for _ in range(NOISES)]

    def frame(self) -> Image:
        """Any of the pictures."""
        image = self._images[int(self._chance.integers(len(self._images)))]
        noise = self._noises[int(self._chance.integers(NOISES))]
        noise = np.roll(noise, self._chance.integers(0, image.shape[0]), axis=0)
        return np.asarray(np.clip(image.astype(np.int16) + noise, 0, 255), np.uint8)


def _blurred(chance: np.random.Generator) -> Spoil:
    sigma_px = chance.uniform(2.5, 6)
    return lambda image: np.asarray(cv2.GaussianBlur(image, (0, 0), sigma_px), np.uint8)


def _dimmed(chance: np.random.Generator) -> Spoil:
    share = chance.uniform(0.3, 0.6)
    return lambda image: (image * share).astype(np.uint8)


def _blinded(chance: np.random.Generator) -> Spoil:
    share = chance.uniform(1.6, 2.5)
    return lambda image: np.clip(image * share, 0, 255).astype(np.uint8)


def _moved(chance: np.random.Generator) -> Spoil:
    share, angle = chance.uniform(0.04, 0.1), chance.uniform(0, 2 * np.pi)

    def spoil(image: Image) -> Image:
        height_px, width_px = image.shape[:2]
        shift = np.array([[1, 0, share * width_px * np.cos(angle)], [0, 1, share * width_px * np.sin(angle)]])
        moved = cv2.warpAffine(image, shift, (width_px, height_px), borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.uint8)

    return spoil


def _soiled(chance: np.random.Generator) -> Spoil:
    """A soft spot, dark or light."""
    (x, y), radius, level = chance.uniform(0.1, 0.9, 2), chance.uniform(0.05, 0.12), chance.choice((20, 20, 200))

    def spoil(image: Image) -> Image:
        height_px, width_px = image.shape[:2]
        spot = np.zeros((height_px, width_px), np.float32)
        cv2.circle(spot, (round(x * width_px), round(y * height_px)), round(radius * width_px), 0.75, cv2.FILLED)
        soft = cv2.GaussianBlur(spot, (0, 0), radius * width_px / 4)[..., None]
        return np.asarray(image * (1 - soft) + level * soft, np.uint8)

    return spoil


def _frozen(_: np.random.Generator) -> Spoil:
    first: list[Image] = []

    def spoil(image: Image) -> Image:
        first.append(image)
        return first[0]

    return spoil


def _replayed(_: np.random.Generator) -> Spoil:
    """A loop of ten frames."""
    taken: list[Image] = []

    def spoil(image: Image) -> Image:
        taken.append(image)
        return taken[(len(taken) - 1) % 10]

    return spoil


FAULTS: dict[str, Callable[[np.random.Generator], Spoil]] = {
    "black": lambda _: lambda image: np.full_like(image, 3),
    "white": lambda _: lambda image: np.full_like(image, 252),
    "frozen": _frozen,
    "replayed": _replayed,
    "out of focus": _blurred,
    "lamp failing": _dimmed,
    "too bright": _blinded,
    "red and blue exchanged": lambda _: lambda image: np.ascontiguousarray(image[..., ::-1]),
    "moved": _moved,
    "dirty": _soiled,
}


def main() -> int:
    """Print a table for each set."""
    options = _options()
    cv2.setNumThreads(1)
    console, measured = Console(), {}
    for name in options.sets.split(",") if options.sets else SETS:
        images = list(_images(options.data, SETS[name]))
        if images:
            measured[name] = _measured(name, images, options.trials, options.clean, console)
            console.print(_table(name, measured[name]))
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n")
    return 0


def _images(data: Path, pattern: str) -> Iterator[Image]:
    """Those of the first one's size."""
    found = [read_picture(path) for path in sorted(data.glob(pattern))]
    yield from (image for image in found if image.shape == found[0].shape)


def _measured(name: str, images: Sequence[Image], trials: int, clean: int, console: Console) -> dict[str, Any]:
    chance = np.random.default_rng(1)
    order = chance.permutation(len(images))
    half = len(images) // 2
    taught, shown = (Stream([images[one] for one in some], chance) for some in (order[:half], order[half:]))
    view = View.learn([Look.of(taught.frame()) for _ in range(2 * half)])
    health = Health(view)
    steps = track(range(clean), f"{name}: clean", console=console, transient=True)
    blamed = sum(bool(health.check(shown.frame())) for _ in steps)
    rows = {}
    for fault, begin in FAULTS.items():
        steps = track(range(trials), f"{name}: {fault}", console=console, transient=True)
        after = [_found_after(view, shown, begin(chance)) for _ in steps]
        found = [one for one in after if one is not None]
        rows[fault] = {"trials": trials, "found": len(found), "frames": float(np.median(found)) if found else None}
    return {
        "clean": clean,
        "blamed": blamed,
        "faults": rows,
        "tells_moved": view.moved < 1,
        "tells_dirt": view.covered < 1,
    }


def _found_after(view: View, stream: Stream, spoil: Spoil) -> int | None:
    """After how many frames anything is told; None: not within PATIENCE."""
    health = Health(view)
    for _ in range(RECENT):
        health.check(stream.frame())
    return next((number for number in range(1, PATIENCE + 1) if health.check(spoil(stream.frame()))), None)


def _table(name: str, measured: dict[str, Any]) -> Table:
    title = f"{name}: {measured['blamed']} of {measured['clean']} clean frames blamed"
    table = Table("fault", "found", "after frames, median", title=title)
    for fault, row in measured["faults"].items():
        frames = "–" if row["frames"] is None else f"{row['frames']:g}"
        table.add_row(fault, f"{row['found']} of {row['trials']}", frames)
    return table


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How soon a camera that lies is found out.")
    parser.add_argument("--data", type=Path, required=True, help="folder of sets")
    parser.add_argument("--sets", help=f"with commas between, of: {', '.join(SETS)} (default: all)")
    parser.add_argument("--trials", type=int, default=100, help="of each fault (default: %(default)s)")
    parser.add_argument("--clean", type=int, default=3600, help="frames without a fault (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
