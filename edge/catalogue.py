"""Entering products into the catalogue: how each looks, in which colours, and which others look nearly like it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console

from edge.core.errors import ReferencesRefused
from edge.core.messages import Image
from edge.inspection.colour import Correction, Palette, save_palettes
from edge.inspection.crop import Crop
from edge.inspection.directory import Directory, direction
from edge.inspection.identity import IDENTITY, LOOKALIKES, Portrait, held_out, likeness, marks, sharpness_of
from edge.inspection.locate import whole
from edge.inspection.references import GTIN, Library
from edge.inspection.session import Session, Tensor, newest
from edge.pictures import read_picture
from edge.plain import plain_console
from edge.settings import ROOT

PORTRAIT, PALETTES = f"{IDENTITY}.npz", "colour.npz"
NEAREST = 60  # products that a search for lookalikes begins with
ASKED_AT_ONCE = 8
WALKED = 400  # it looks at so many portraits, about
GROUND = (8, 8, 8)  # grey levels: how far the even ground of a catalogue picture may differ from its rim's median


class Catalogue:
    """A folder of products, one folder each."""

    def __init__(self, folder: Path, session: Session) -> None:
        self._folder = folder
        self._session = session
        self._find = Library(folder, ".npz", partial(Portrait.load, session=session), capacity=2 * WALKED).find
        self._directory = Directory(folder, session.manifest.sha256, session.manifest.extra["channels"])

    def enter(self, gtin: str, picture: Image, photographs: Sequence[Image]) -> Portrait:
        """Learn a product from its catalogue picture and photographs of it, and make it known to its lookalikes.

        Photographs are taken whole: they should show little else. Enter a product again when there are more of them,
        or many new products: lookalikes and sharpness are learnt from the products that are known at the time.

        Raises:
            ReferencesRefused: no GTIN, or a portrait in the catalogue is damaged or was made by another model.
        """
        if not GTIN.fullmatch(gtin):
            raise ReferencesRefused(f"{gtin!r} is no GTIN: give 8 to 14 digits.")
        crops = [freed(picture), *map(whole, photographs)]
        rows = [marks(crop, self._session) for crop in crops]
        seen = Portrait.of(rows, self._session.manifest.sha256)
        others = self._around(gtin, seen)
        portrait = _compared(seen, rows[1:], others)
        portrait.save(self._folder / gtin / PORTRAIT)
        self._directory.enter(gtin, direction(portrait.marks[0]))
        save_palettes(self._folder / gtin / PALETTES, [Palette.of(one.image, one.mask, Correction()) for one in crops])
        self._introduce(gtin, portrait, others)
        return portrait

    def _around(self, gtin: str, portrait: Portrait) -> dict[str, Portrait]:
        """The other products that may look like it, out of however many."""
        if not self._directory.exists:
            self._directory.begin((name, direction(one.marks[0])) for name, one in self._portraits())
        nearest = self._directory.nearest(direction(portrait.marks[0]), 1 + NEAREST)
        start = [name for name in nearest if name != gtin]
        return walked(start, lambda name: self._find(name, IDENTITY) if name != gtin else None, portrait)

    def _portraits(self) -> Iterator[tuple[str, Portrait]]:
        for path in sorted(self._folder.glob(f"*/{PORTRAIT}")):
            yield path.parent.name, Portrait.load(path, self._session)

    def _introduce(self, gtin: str, portrait: Portrait, others: dict[str, Portrait]) -> None:
        """Who is a lookalike of it may have it for a lookalike."""
        for name in portrait.lookalikes:
            theirs = ((one, others.get(one) or self._find(one, IDENTITY)) for one in others[name].lookalikes)
            known = {one: found for one, found in theirs if found} | {gtin: portrait}
            told = replace(others[name], lookalikes=_ranked(others[name], known), sharpness=portrait.sharpness)
            told.save(self._folder / name / PORTRAIT)


def build(arguments: Sequence[str]) -> int:
    """`tunnel-edge catalogue build`."""
    parser = argparse.ArgumentParser(prog="tunnel-edge catalogue", description="Enter a product into the catalogue.")
    parser.add_argument("verb", choices=["build"])
    parser.add_argument("--gtin", required=True, help="the product, 8 to 14 digits")
    parser.add_argument("--picture", type=Path, required=True, help="the catalogue's own picture of it")
    parser.add_argument("--out", type=Path, required=True, help="folder of the catalogue, as [inspection] catalogue")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="folder of models (default: %(default)s)")
    parser.add_argument("photographs", type=Path, nargs="*", help="photographs of the product, from all its sides")
    options = parser.parse_intermixed_args(arguments)  # photographs may follow the options
    catalogue = Catalogue(options.out, Session.load(newest(options.models, "backbone")))
    photographs = [read_picture(path) for path in options.photographs]
    portrait = catalogue.enter(options.gtin, read_picture(options.picture), photographs)
    _tell(options.gtin, portrait, plain_console())
    return 0


def walked(start: Iterable[str], find: Callable[[str], Portrait | None], portrait: Portrait) -> dict[str, Portrait]:
    """Products around a portrait: from some that are near, to the lookalikes of those that are most alike, and on.

    Each product knows its lookalikes, so all of them are a graph in which neighbours of neighbours are near (Malkov et
    al. 2014, navigable small worlds). Ends where the likest have been asked for theirs, or WALKED have been looked at.
    """
    found: dict[str, Portrait] = {}
    alike: dict[str, float] = {}
    asked: set[str] = set()
    fresh = list(start)
    while fresh and len(found) < WALKED:
        more = {name: one for name in fresh if name not in found and (one := find(name))}
        found |= more
        alike |= {name: likeness(portrait.likenesses(one.marks[0])) for name, one in more.items()}
        asking = [name for name in _likest(alike) if name not in asked][:ASKED_AT_ONCE]
        asked.update(asking)
        fresh = [other for name in asking for other in found[name].lookalikes]
    return found


def freed(picture: Image) -> Crop:
    """A catalogue picture without the even ground it stands on, where it has one."""
    rim = np.concatenate((picture[0], picture[-1], picture[:, 0], picture[:, -1]))
    ground = tuple(float(level) for level in np.median(rim, axis=0))
    framed = cv2.copyMakeBorder(picture, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=ground)
    filled = np.zeros((framed.shape[0] + 2, framed.shape[1] + 2), np.uint8)
    how = 4 | cv2.FLOODFILL_FIXED_RANGE | cv2.FLOODFILL_MASK_ONLY | 255 << 8
    cv2.floodFill(framed, filled, (0, 0), (0,), GROUND, GROUND, how)
    return replace(whole(picture), mask=np.ascontiguousarray(255 - filled[2:-2, 2:-2]))


def _compared(portrait: Portrait, photographs: Sequence[Tensor], others: dict[str, Portrait]) -> Portrait:
    """The portrait with its lookalikes among the others, and what its photographs say when compared with them."""
    lookalikes = _ranked(portrait, others)
    near = [others[name] for name in lookalikes]
    trials = held_out(portrait, photographs, near)
    sharpness = sharpness_of([trials, *(one.trials for one in near)])
    return replace(portrait, lookalikes=lookalikes, trials=trials, sharpness=sharpness)


def _ranked(portrait: Portrait, others: dict[str, Portrait]) -> tuple[str, ...]:
    """The GTINs whose catalogue pictures are most like the product."""
    alike = {name: likeness(portrait.likenesses(other.marks[0])) for name, other in others.items()}
    return _likest(alike)


def _likest(alike: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(sorted(alike, key=lambda name: -alike[name])[:LOOKALIKES])


def _tell(gtin: str, portrait: Portrait, console: Console) -> None:
    nearest = ", ".join(portrait.lookalikes[:3]) or "no other product yet"
    pictures = len(portrait.marks)
    console.print(f"{gtin}: {pictures} pictures learnt; most alike: {nearest}", highlight=False, soft_wrap=True)
