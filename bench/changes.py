"""A change told from damage: how soon a person hears of it, how often of nothing, and what a confirmation teaches.

`python -m bench.changes --data FOLDER [--sets a,b] [--seeds N] [--json FILE]`

References are learnt from half of a set's sound pictures. Then streams of items come by: damaged ones of all kinds, of
one kind only, sound ones with a sticker drawn at about the same place, and sound ones of another set in their stead (a
new artwork, a missing box). Told of damage is wrong, of a change right. A change is accepted once HEARD items have come
by, as a person would: those that are alike. What comes after is judged anew, and so are sound items as they were
before, and the damage.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.sets.anomaly import Picture, bad_pictures, fits, sound_pictures
from edge.core.changed import ALIKE
from edge.core.messages import Image
from edge.inspection.assembly import Sessions
from edge.inspection.changes import Changes, Unusual, group
from edge.inspection.crop import Crop
from edge.inspection.growth import changed
from edge.inspection.locate import whole
from edge.inspection.references import SIZE, Difference, Normal, References, normal
from edge.inspection.session import Session
from edge.pictures import read_picture
from edge.settings import ROOT

KEY = ("00000000", "bench")
LEARNT = 60  # sound pictures at most
HEARD = 12  # items until a person has seen to it
WIDTH = 110  # of the table
ITEMS = 40  # of a stream at most
FEWEST = ALIKE + 1  # of a kind of damage, for a stream of its own
STICKER = 0.18  # of a picture's shorter side
ASTRAY = 0.02  # of it, about the place where a sticker is stuck
FIGURES = ("streams", "told", "after", "unusual", "accepted", "usual", "usual, then", "caught", "caught, then")
"""Streams; those that a person heard of; after how many items. The rest in % that exceed the largest normal: of the
stream, of what comes once it is accepted; of sound items and of damaged ones, before and then."""


Shares = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Stream:
    """What comes by, one after the other."""

    name: str
    crops: Sequence[Crop]
    changed: bool  # a person should hear of it


def main() -> int:
    """Measure, print a table, write the figures."""
    options = _options()
    cv2.setNumThreads(1)
    console, session = Console(), Sessions(ROOT / "models").of("backbone")
    console.width = max(console.width, WIDTH)
    folders = [one for one in sorted(options.data.glob("*/")) if fits(one)]
    wanted = options.sets.split(",") if options.sets else [one.name for one in folders]
    measured = {}
    for place, folder in enumerate(folders):
        if folder.name in wanted:
            measured[folder.name] = _measured(folder, folders[place - 1], session, options.seeds, console)
            console.print(_table(folder.name, measured[folder.name]))
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n")
    return 0


def _measured(folder: Path, other: Path, session: Session, seeds: int, console: Console) -> dict[str, dict[str, Any]]:
    """Kind of stream → figures over all seeds."""
    rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for seed in track(range(seeds), folder.name, console=console, transient=True):
        chance = np.random.default_rng(seed)
        sound, bad = _drawn(sound_pictures(folder), chance), _drawn(bad_pictures(folder), chance)
        half = min(LEARNT, len(sound) // 2)
        references = References.learn([normal(_crop(one), session) for one in sound[:half]], session.manifest.sha256)
        usual, damage = ([normal(_crop(one), session) for one in some[:ITEMS]] for some in (sound[half:], bad))
        for stream in _streams(sound[half:], bad, _drawn(sound_pictures(other), chance), chance):
            rows[stream.name].append(_figures(stream, references, usual, damage, session))
    return {name: _summed(found) for name, found in rows.items()}


def _streams(
    sound: Sequence[Picture], bad: Sequence[Picture], others: Sequence[Picture], chance: np.random.Generator
) -> Iterator[Stream]:
    yield Stream("damage of all kinds", [_crop(one) for one in bad[:ITEMS]], changed=False)
    for kind in sorted({one.path.parent for one in bad}):
        same = [one for one in bad if one.path.parent == kind][:ITEMS]
        if FEWEST <= len(same) < len(bad):
            yield Stream("damage of one kind", [_crop(one) for one in same], changed=False)
    place, colour = chance.uniform(0.25, 0.75, 2), chance.integers(0, 256, 3)
    stuck = [_stickered(read_picture(one.path), place, colour, chance) for one in sound[:ITEMS]]
    yield Stream("a sticker", [whole(one) for one in stuck], changed=True)
    yield Stream("other goods", [_crop(one) for one in others[:ITEMS]], changed=True)


def _figures(
    stream: Stream, references: References, usual: Sequence[Normal], damage: Sequence[Normal], session: Session
) -> dict[str, Any]:
    items = [normal(crop, session) for crop in stream.crops]
    found = [_unusual(item, references) for item in items]
    told_after = _told_after(items, found, references)
    figures = {
        "told_after": told_after,
        "unusual": _share(items, references),
        "usual": _share(usual, references),
        "caught": _share(damage, references),
    }
    if not stream.changed or told_after is None or len(items) <= HEARD:
        return figures
    after = changed(references, [items[one] for one in group(found[:HEARD], (), ALIKE)], SIZE)
    return figures | {
        "accepted": _share(items[HEARD:], after),
        "usual, then": _share(usual, after),
        "caught, then": _share(damage, after),
    }


def _unusual(item: Normal, references: References) -> Unusual:
    shown = np.ones(len(item.lying), bool)
    return Unusual.of(item.lying, shown, references.compare(item.lying, shown), references)


def _told_after(items: Sequence[Normal], found: Sequence[Unusual], references: References) -> int | None:
    """After how many items a person hears of it, as the daemon tells it."""
    changes = Changes()
    for place, (item, one) in enumerate(zip(items, found, strict=True), 1):
        difference = Difference(one.score, one.heat, len(references.held_out))
        if changes.alike(KEY, item.lying, np.ones(len(item.lying), bool), difference, references) >= ALIKE:
            return place
    return None


def _summed(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    told = [row["told_after"] for row in rows if row["told_after"] is not None]

    def mean(name: str) -> float | None:
        values = [row[name] for row in rows if row.get(name) is not None]
        return round(100 * float(np.mean(values)), 1) if values else None

    return {
        "streams": len(rows),
        "told": len(told),
        "after": float(np.median(told)) if told else None,
        **{name: mean(name) for name in FIGURES[3:]},
    }


def _share(items: Sequence[Normal], references: References) -> float | None:
    """Of the items that exceed the largest normal."""
    return float(np.mean([references.score(one.lying) >= references.scale for one in items])) if items else None


def _drawn(pictures: Sequence[Picture], chance: np.random.Generator) -> list[Picture]:
    """The same in another order."""
    return [pictures[one] for one in chance.permutation(len(pictures))]


def _crop(picture: Picture) -> Crop:
    return whole(read_picture(picture.path))


def _stickered(image: Image, place: Shares, colour: Shares, chance: np.random.Generator) -> Image:
    """The picture with a sticker at about a place (shares of width and height)."""
    height_px, width_px = image.shape[:2]
    side_px = STICKER * min(height_px, width_px)
    x, y = place * (width_px, height_px) + chance.normal(0, ASTRAY, 2) * min(height_px, width_px)
    first, last = (round(x), round(y)), (round(x + 1.5 * side_px), round(y + side_px))
    stuck = cv2.rectangle(image.copy(), first, last, colour.tolist(), cv2.FILLED)
    base = (first[0] + round(0.1 * side_px), last[1] - round(0.3 * side_px))
    ink = (255 - colour).tolist()
    return np.asarray(cv2.putText(stuck, "NEW", base, cv2.FONT_HERSHEY_SIMPLEX, side_px / 45, ink, 2), np.uint8)


def _table(name: str, measured: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table("stream", *FIGURES, title=name)
    for stream, row in measured.items():
        table.add_row(stream, *("–" if row[figure] is None else f"{row[figure]:g}" for figure in FIGURES))
    return table


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How a change is told from damage.")
    parser.add_argument("--data", type=Path, required=True, help="folder of sets, one folder each")
    parser.add_argument("--sets", help="names of sets, with commas between (default: all that fit)")
    parser.add_argument("--seeds", type=int, default=5, help="(default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
