"""Totes on simulated sites: size, type, empty or not, items' masks, beside the truth; and the time of one frame.

`python -m bench.totes --sites 30:45` prints a row a site and the figures of all; `--frames lone` those of single small
things, `--frames shade` those of totes across which an edge of light or shade falls.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.tote_frames import FRAMES, Frame
from calibration.sites.render import ITEM, Picture
from calibration.sites.site import FLOOR_MM, WALL_MM, Laid, Site, drawn, laid
from calibration.totes import Ask, learn
from edge.core.errors import PictureUnreadable
from edge.core.messages import Image
from edge.inspection.tote_networks import ToteNetworks
from edge.inspection.totes import SeenTote, Totes
from edge.settings import ROOT

BARE_FRAMES, EMPTY_FRAMES, TRIES, TEST_FRAMES = 4, 6, 3, 24
SEED = 1000
TILE_PX, TILES_A_ROW = (320, 180), 6
TRUE, FOUND = (0, 200, 0), (0, 0, 230)


@dataclass(slots=True)
class Score:
    """What one site came to."""

    learnt: int = 0
    again: int = 0  # times a tote had to be placed anew
    size_off_mm: list[float] = field(default_factory=list)
    place_off_mm: list[float] = field(default_factory=list)
    type_right: list[bool] = field(default_factory=list)
    type_wrong: list[bool] = field(default_factory=list)  # another one named, not "unknown"
    stranger_told: list[bool] = field(default_factory=list)  # a type that was not learnt is said to be none
    empty_right: list[bool] = field(default_factory=list)  # an unknown type counts as wrong
    empty_right_where_known: list[bool] = field(default_factory=list)
    number_right: list[bool] = field(default_factory=list)
    iou: list[float] = field(default_factory=list)  # of all items of a frame; an unknown type counts as 0
    over_rim_right: list[bool] = field(default_factory=list)
    bare_told: list[bool] = field(default_factory=list)  # a belt without a tote
    took_s: list[float] = field(default_factory=list)
    plain_s: list[float] = field(default_factory=list)
    tiles: list[Image] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table; draw the contact sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", default="15:30", help="first:after the last, seeds")
    parser.add_argument("--frames", choices=FRAMES, default="usual", help="what comes down the belt")
    parser.add_argument("--plot", type=Path, help="a contact sheet: truth green, found red")
    parser.add_argument("--models", type=Path, default=ROOT / "models")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    first, last = (int(one) for one in options.sites.split(":"))
    console = Console()
    networks = ToteNetworks.load(options.models)
    scores = []
    for seed in track(range(first, last), "sites", console=console):
        scores.append(_site(seed, networks, FRAMES[options.frames]))
        console.print(f"site {seed}: {_line(scores[-1])}")
    console.print(_table(scores))
    if options.plot:
        tiles = [tile for score in scores for tile in score.tiles[:TILES_A_ROW]]
        tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % TILES_A_ROW)
        rows = [np.hstack(tiles[at : at + TILES_A_ROW]) for at in range(0, len(tiles), TILES_A_ROW)]
        options.plot.write_bytes(cv2.imencode(".png", np.vstack(rows))[1].tobytes())


def _site(seed: int, networks: ToteNetworks, frame: Callable[[Site, np.random.Generator], Frame]) -> Score:
    """Learn a site's totes from empty ones; then look at what comes down its belt."""
    site, chance, score = drawn(seed), np.random.default_rng(seed + SEED), Score()
    bare = [site.picture(None, chance).image for _ in range(BARE_FRAMES)]
    rounds = [_empties(site, number, chance) for number in range(len(site.totes))]
    shown = [frame(site, chance) for _ in range(TEST_FRAMES)]
    plane = site.camera.plane
    types = []
    for number, frames in enumerate(rounds):
        kind = site.totes[number]
        asked = Ask(kind.name, kind.size_mm[2], WALL_MM, FLOOR_MM)
        for _ in range(TRIES):
            try:
                types.append(learn(frames, plane, networks, asked))
                break
            except PictureUnreadable:
                score.again += 1
                frames = _empties(site, number, chance)
        else:
            continue
        size = types[-1].size
        score.size_off_mm.append(max(abs(size.length_mm - kind.size_mm[0]), abs(size.width_mm - kind.size_mm[1])))
    score.learnt = len(types)
    totes = Totes.of(plane, site.camera.size_px, networks, types)
    score.bare_told = [totes.see(image).pose is None for image in bare]
    for one, picture in shown:
        _look(totes, one, picture, score)
    return score


def _look(totes: Totes, truth: Laid, picture: Picture, score: Score) -> None:
    """Compare what is seen with the truth."""
    started = time.perf_counter()
    seen = totes.see(picture.image)
    score.took_s.append(time.perf_counter() - started)
    score.plain_s.append(_timed(lambda: _plain(picture.image)))
    name = truth.kind.name
    others = replace(totes, types=[one for one in totes.types if one.name != name])
    score.stranger_told.append(others.see(picture.image).type_name is None)
    score.type_right.append(seen.type_name == name)
    score.type_wrong.append(seen.type_name not in (name, None))
    if seen.items is None or seen.pose is None:
        score.empty_right.append(False)
        if truth.items:
            score.iou.append(0.0)
        return
    true = picture.part >= ITEM
    score.place_off_mm.append(float(np.hypot(seen.pose.x_mm - truth.middle_mm[0], seen.pose.y_mm - truth.middle_mm[1])))
    score.empty_right.append(seen.empty == (not truth.items))
    score.empty_right_where_known.append(score.empty_right[-1])
    score.number_right.append(seen.items.number == len(truth.items))
    tall = any(size[2] > truth.kind.size_mm[2] - FLOOR_MM for _, size, _, _ in truth.items)
    score.over_rim_right.append(seen.items.over_rim == tall)
    if truth.items:
        score.iou.append(float((seen.items.mask & true).sum() / max(1, (seen.items.mask | true).sum())))
    score.tiles.append(_tile(picture.image, true, seen))


def _empties(site: Site, number: int, chance: np.random.Generator) -> list[Image]:
    return [site.picture(laid(site, site.totes[number], 0, chance), chance).image for _ in range(EMPTY_FRAMES)]


def _plain(image: Image) -> None:
    """What a plain colour threshold costs, to compare with."""
    cv2.connectedComponents(cv2.inRange(image, (40, 40, 40), (200, 200, 200)))


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _tile(image: Image, true: np.ndarray, seen: SeenTote) -> Image:
    shown = cv2.convertScaleAbs(image, alpha=1.3)
    masks = ((true, TRUE), (seen.items.mask if seen.items else np.zeros_like(true), FOUND))
    for mask, colour in masks:
        outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        cv2.drawContours(shown, outlines, -1, colour, 1)
    return np.asarray(cv2.resize(shown, TILE_PX, interpolation=cv2.INTER_AREA), np.uint8)


def _line(score: Score) -> str:
    return ", ".join(f"{name} {value}" for name, value in _figures([score]))


def _table(scores: Sequence[Score]) -> Table:
    table = Table("figure", "value", title=f"{len(scores)} sites")
    for row in _figures(scores):
        table.add_row(*row)
    return table


def _figures(scores: Sequence[Score]) -> Iterator[tuple[str, str]]:
    def all_of(name: str) -> list[float]:
        return [float(value) for score in scores for value in getattr(score, name)]

    iou, took, plain = all_of("iou"), all_of("took_s"), all_of("plain_s")
    yield "types learnt", f"{sum(one.learnt for one in scores)}, placed anew {sum(one.again for one in scores)}"
    yield "size off, worst", f"{max(all_of('size_off_mm'), default=np.nan):.1f} mm"
    yield "size within 3 mm", _share(all_of("size_off_mm"), lambda off: off <= 3)
    yield (
        "place off p50, p99",
        "{:.2f}, {:.2f} mm".format(*np.quantile(all_of("place_off_mm") or [np.nan], (0.5, 0.99))),
    )
    for name, title in (
        ("type_right", "type right"),
        ("type_wrong", "another type named"),
        ("stranger_told", "unknown type told"),
        ("bare_told", "no tote told"),
        ("empty_right", "empty or not right"),
        ("empty_right_where_known", "the same where the type is known"),
        ("number_right", "number of items right"),
        ("over_rim_right", "sticks out right"),
    ):
        yield title, _share(all_of(name), bool)
    yield "IoU median, worst decile", "{:.3f}, {:.3f}".format(*np.quantile(iou or [np.nan], (0.5, 0.1)))
    yield "a frame p50, p99", "{:.0f}, {:.0f} ms".format(*np.quantile(took, (0.5, 0.99)) * 1000)
    yield "beside a plain threshold", f"{np.median(took) / np.median(plain):.0f} times"


def _share(values: Sequence[float], right: Callable[[float], bool]) -> str:
    good = sum(1 for value in values if right(value))
    return f"{100 * good / max(1, len(values)):.1f} % of {len(values)}"


if __name__ == "__main__":
    main()
