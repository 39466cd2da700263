"""Whether the item is found on photographs of real belts, and in what time beside a plain colour threshold.

`python -m bench.located --data FOLDER [--sets packages/side] [--plot sheet.png]`. Half of a set's pictures teach what
the belt looks like, and the item is looked for on the other half; then the other way round. Nobody has drawn the truth:
look at the sheet. A ratio is a picture's time by that of one `cv2.inRange` and `connectedComponents` over the same
picture just before.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from edge.core.messages import Image
from edge.inspection.belt import BeltColour
from edge.inspection.crop import Crop
from edge.inspection.locate import locate
from edge.pictures import read_picture

SETS = {
    "packages/side": "packages/*/side/*.jpg",
    "packages/top": "packages/*/top/*.jpg",
    "cookies": "cookies/*/*/*.jpg",
}
ROUNDS = 3  # times each picture is looked at; the fastest counts, for both
TILE_PX, ACROSS = (160, 120), 12
FOUND, NOT_FOUND = (0, 200, 0), (0, 0, 230)


@dataclass(frozen=True, slots=True)
class Looked:
    """One picture."""

    path: Path
    image: Image
    crop: Crop
    ratio: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row a set; draw the contact sheet."""
    options = _options(arguments)
    cv2.setNumThreads(1)
    console = Console()
    table = Table("set", "pictures", "located", "share of the frame", "ratio p50", "p95", title="found on the belt")
    tiles: list[Image] = []
    for name in options.sets:
        paths = sorted(options.data.glob(SETS[name]))
        if not paths:
            console.print(f"left out: {name}: no pictures under {options.data}")
            continue
        looked = list(track(_crossed(paths), name, total=len(paths), console=console))
        table.add_row(name, *_figures(looked))
        tiles += _filled([_tile(one) for one in looked])
        for one in looked:
            if not one.crop.located:
                console.print(f"not located: {one.path.relative_to(options.data)}", highlight=False)
    console.print(table)
    if options.plot and tiles:
        rows = [np.hstack(tiles[at : at + ACROSS]) for at in range(0, len(tiles), ACROSS)]
        cv2.imwrite(str(options.plot), np.vstack(rows))
        console.print(f"look at {options.plot}", highlight=False)


def _crossed(paths: Sequence[Path]) -> Iterator[Looked]:
    """Every picture, looked at with what the other half teaches."""
    images = [read_picture(path) for path in paths]
    for taught, tested in ((0, 1), (1, 0)):
        belt = BeltColour.learn(images[taught::2])
        for path, image in zip(paths[tested::2], images[tested::2], strict=True):
            plain_s = _fastest_s(partial(_plain, image))
            took_s = _fastest_s(partial(locate, image, belt))
            yield Looked(path, image, locate(image, belt), took_s / plain_s)


def _plain(image: Image) -> None:
    cv2.connectedComponents(cv2.inRange(image, (40, 40, 40), (200, 200, 200)))


def _fastest_s(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def _figures(looked: Sequence[Looked]) -> tuple[str, ...]:
    ratios = [one.ratio for one in looked]
    shares = [
        cv2.contourArea(np.array(one.crop.polygon, np.float32)) / one.image[..., 0].size
        for one in looked
        if one.crop.located
    ]
    return (
        f"{len(looked)}",
        f"{sum(one.crop.located for one in looked)}",
        f"{min(shares):.3f} to {max(shares):.3f}" if shares else "-",
        f"{np.median(ratios):.2f}",
        f"{np.quantile(ratios, 0.95):.2f}",
    )


def _tile(one: Looked) -> Image:
    shown = one.image.copy()
    colour = FOUND if one.crop.located else NOT_FOUND
    cv2.polylines(shown, [np.rint(one.crop.polygon).astype(np.int32)], isClosed=True, color=colour, thickness=6)
    scale = min(TILE_PX[0] / shown.shape[1], TILE_PX[1] / shown.shape[0])
    small = cv2.resize(shown, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    tile = np.zeros((TILE_PX[1], TILE_PX[0], 3), np.uint8)
    tile[: small.shape[0], : small.shape[1]] = small
    return tile


def _filled(tiles: list[Image]) -> list[Image]:
    """Up to the end of a row."""
    return tiles + [np.zeros_like(tiles[0])] * (-len(tiles) % ACROSS)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True, help="folder of sets (packages, cookies)")
    parser.add_argument("--sets", type=lambda text: text.split(","), default=list(SETS), help="(default: all)")
    parser.add_argument("--plot", type=Path, help="a contact sheet: what was found is framed green")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
