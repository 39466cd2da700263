"""How soon a camera that lies is found out, and how often one that does not is blamed.

`python -m bench.health --data FOLDER [--sets a,b] [--trials N] [--clean N] [--json FILE]`

A set is a folder of photographs by one camera that stands still (`packages/*/side` …): half of them teach the view, the
others go by in a random order, with a sensor's noise. In each trial a fault begins, drawn anew, and stays, or grows
from nothing; told of any fault counts as found. Clean frames go by without one: what is told of them is false. A
picture held before the lens is told from item to item: there a frame is an item, a clean one an item after another.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from edge.cameras.health import Health
from edge.cameras.usual import HORIZONS, Look, View
from edge.core.belt import NS_PER_S
from edge.core.messages import Image
from edge.inspection.held import alike, reduced
from edge.pictures import read_picture

SETS = {
    "packages/side": "packages/*/side/*.jpg",
    "packages/top": "packages/*/top/*.jpg",
    "cookies": "cookies/*/*/*.jp*g",
    "bottle": "bottle/train/good/*",
}
PATIENCE = 90  # frames, until a fault counts as not found
LEARNT = 200  # frames, drawn from half of the pictures
NOISE = 1.5  # levels, standard deviation
NOISES = 8  # fields of it, drawn once, shifted at random

Spoil = Callable[[Image], Image]
"""What a fault does to a frame."""


class Stream:
    """Frames of a camera, one after the other, each with noise of its own."""

    def __init__(self, images: Sequence[Image], chance: np.random.Generator) -> None:
        self._images = images
        self._chance = chance
        self._last = 0
        self.now_ns = 0
        shape = images[0].shape
        self._noises = [np.rint(chance.normal(0, NOISE, shape)).astype(np.int8) for _ in range(NOISES)]

    def pick(self) -> Image:
        """Any of the pictures but the last one, without noise."""
        self._last = (self._last + int(self._chance.integers(1, len(self._images)))) % len(self._images)
        return self._images[self._last]

    def frame(self) -> Image:
        """Any of the pictures but the last one, a second after it."""
        self.now_ns += NS_PER_S
        return self.noisy(self.pick())

    def noisy(self, image: Image) -> Image:
        """It, as a sensor sees it."""
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


def _drifting(_: np.random.Generator) -> Spoil:
    """The focus goes, by a hundredth of a pixel of blur a frame."""
    frames = count(1)
    return lambda image: np.asarray(cv2.GaussianBlur(image, (0, 0), 0.1 + next(frames) / 100), np.uint8)


def _ageing(_: np.random.Generator) -> Spoil:
    """The lamp loses a thousandth a frame."""
    frames = count(1)
    return lambda image: (image * (1 - next(frames) / 1000)).astype(np.uint8)


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
    "focus drifting": _drifting,
    "lamp ageing": _ageing,
}
SLOW = {"focus drifting": 600, "lamp ageing": 600}  # frames that what grows is given


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
    view = View.learn([Look.of(taught.frame()) for _ in range(LEARNT)])
    health = Health(view)
    steps = track(range(clean), f"{name}: clean", console=console, transient=True)
    blamed = sum(bool(health.check(shown.frame(), shown.now_ns)) for _ in steps)
    rows = {}
    for fault, begin in FAULTS.items():
        steps = track(range(trials), f"{name}: {fault}", console=console, transient=True)
        after = [_found_after(view, shown, begin(chance), SLOW.get(fault, PATIENCE)) for _ in steps]
        found = [one for one in after if one is not None]
        rows[fault] = _row(trials, found)
    rows["held before the lens"] = _row(trials, [1 for _ in range(trials) if _held(shown, chance)])
    items = [reduced(shown.frame()) for _ in range(clean)]
    mistaken = sum(alike(one, other) for one, other in pairwise(items))
    return {
        "clean": clean,
        "blamed": blamed,
        "mistaken": mistaken,
        "faults": rows,
        "tells_moved": view.tells.moved < 1,
        "tells_dirt": view.tells.covered < 1,
    }


def _row(trials: int, found: Sequence[int]) -> dict[str, Any]:
    frames, most = (float(np.median(found)), max(found)) if found else (None, None)
    return {"trials": trials, "found": len(found), "frames": frames, "most": most}


def _held(stream: Stream, chance: np.random.Generator) -> bool:
    """Whether one picture before the lens, with noise and a lamp that wavers, is told at the next item."""
    image = stream.pick()
    one, other = (reduced(stream.noisy((image * chance.uniform(0.97, 1.0)).astype(np.uint8))) for _ in range(2))
    return alike(one, other)


def _found_after(view: View, stream: Stream, spoil: Spoil, patience: int) -> int | None:
    """After how many frames anything is told; None: not within `patience`."""
    health = Health(view)
    for _ in range(max(HORIZONS)):
        health.check(stream.frame(), stream.now_ns)
    numbers = range(1, patience + 1)
    return next((number for number in numbers if health.check(spoil(stream.frame()), stream.now_ns)), None)


def _table(name: str, measured: dict[str, Any]) -> Table:
    title = (
        f"{name}: {measured['blamed']} of {measured['clean']} clean frames blamed, {measured['mistaken']} pairs alike"
    )
    table = Table("fault", "found", "after frames, median", "at most", title=title)
    for fault, row in measured["faults"].items():
        after = ("–" if row[which] is None else f"{row[which]:g}" for which in ("frames", "most"))
        table.add_row(fault, f"{row['found']} of {row['trials']}", *after)
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
