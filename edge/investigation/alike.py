"""The sound items most alike: references keep patches, no pictures, so others that left stand in for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.core.errors import EvidenceGone, PictureUnreadable
from edge.core.messages import End, Image, Item
from edge.inspection import features
from edge.inspection.heat import heat_map
from edge.investigation.anew import CROP, Anew, Seen
from edge.investigation.facts import Shown
from edge.records.cited import snapshot
from edge.records.evidence.index import items, of_item, picture

LOOKED_THROUGH = 24  # items of the product that passed last
SHOWN = 3  # of them, for each camera

Features = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Beside:
    """One that left and was not complained of, with its heat map, or plain where there are no references."""

    item_id: str
    camera: str
    sha256: str
    score: float | None  # times the most unusual sound item
    drawn: Image


def alike(state: Path, item: Item, seen: Sequence[Seen], anew: Anew) -> list[Beside]:
    """Those most alike to each of an item's crops, by what the backbone sees, the most alike first."""
    if item.expected is None:
        return []
    others = _undisputed(state, item.expected.gtin, item)
    return [one for each in _newest(seen) for one in _most_alike(state, item, each, others, anew)]


def drawn(item: Item, seen: Seen, anew: Anew) -> tuple[float | None, Image]:
    """A crop with its heat map at the scale that all are drawn at, and its score; plain without references."""
    known = anew.known(item, seen.shown.kept.camera)
    if known is None:
        return None, seen.crop.image
    found = known.compare(features.patches(seen.crop, anew.backbone), features.inside(seen.crop, anew.backbone))
    return found.score, heat_map(seen.crop, found.heat)


def _newest(seen: Sequence[Seen]) -> list[Seen]:
    """One crop of each camera."""
    return list({one.shown.kept.camera: one for one in seen}.values())


def _most_alike(state: Path, item: Item, one: Seen, others: Sequence[str], anew: Anew) -> Iterator[Beside]:
    mine = _features(one, anew)
    crops = (crop for other in others for crop in _crops(state, other, one.shown.kept.camera))
    ranked = sorted(((float(np.linalg.norm(_features(crop, anew) - mine)), crop) for crop in crops), key=_distance)
    for _, crop in ranked[:SHOWN]:
        score, picture_of = drawn(item, crop, anew)
        kept = crop.shown.kept
        yield Beside(kept.item_id, kept.camera, kept.sha256, score, picture_of)


def _distance(ranked: tuple[float, Seen]) -> float:
    return ranked[0]


def _features(seen: Seen, anew: Anew) -> Features:
    rows, shown = features.patches(seen.crop, anew.backbone), features.inside(seen.crop, anew.backbone)
    return np.asarray(features.pooled(rows, shown), np.float32)


def _crops(state: Path, item: str, camera: str) -> Iterator[Seen]:
    """The last crop of an item that a camera saw, if it is still kept."""
    kept = [one for one in of_item(state, item) if one.what == CROP and one.camera == camera]
    for one in kept[-1:]:
        try:
            shown = Shown(one, picture(state, one.sha256))
            yield Seen(shown, shown.crop())
        except (EvidenceGone, PictureUnreadable):
            return


def _undisputed(state: Path, gtin: str, item: Item) -> list[str]:
    """Items of the product that passed last, of which nobody complained."""
    passed = items(state, gtin=gtin, end=End.PASSED, most=LOOKED_THROUGH)
    with snapshot(state) as journal:
        return [one for one in passed if one != item.item_id and not journal.disputed(one)]
