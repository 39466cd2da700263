"""The sound items most alike: references keep patches, no pictures, so others that left stand in for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.core.errors import EvidenceGone, PictureUnreadable
from edge.core.grounds import Facts
from edge.core.messages import End, Image
from edge.inspection import features
from edge.inspection.heat import heat_map
from edge.inspection.references import Shown
from edge.inspection.session import Tensor
from edge.investigation.anew import CROP, Anew, Seen
from edge.investigation.facts import Photo
from edge.records.cited import snapshot
from edge.records.evidence.index import items, of_item, outlines, picture

LOOKED_THROUGH = 16  # items of the product that passed last
SHOWN = 3  # of them, for each camera

Pooled = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Beside:
    """One that left and was not complained of, with its heat map, or plain where there are no references."""

    item_id: str
    camera: str
    sha256: str
    score: float | None  # times the most unusual sound item
    drawn: Image


class Alike:
    """Finds them among a lane's evidence; what was seen once is remembered."""

    def __init__(self, state: Path, anew: Anew) -> None:
        self._state, self._anew = state, anew
        self._remembered: dict[str, Pooled] = {}  # by SHA-256

    def to(self, facts: Facts, seen: Sequence[Seen]) -> list[Beside]:
        """Those most alike to each of an item's crops, by what the backbone sees, the most alike first."""
        others = self._undisputed(facts.gtin, facts.item_id)
        newest = {one.shown.kept.camera: one for one in seen}
        return [one for each in newest.values() for one in self._most_alike(facts.gtin, each, others)]

    def _most_alike(self, gtin: str, one: Seen, others: Sequence[str]) -> Iterator[Beside]:
        mine = self._pooled(one)
        crops = [crop for other in others for crop in self._crops(other, one.shown.kept.camera)]
        for crop in sorted(crops, key=lambda crop: float(np.linalg.norm(self._pooled(crop) - mine)))[:SHOWN]:
            score, picture_of = self._drawn(gtin, crop)
            kept = crop.shown.kept
            yield Beside(kept.item_id, kept.camera, kept.sha256, score, picture_of)

    def _pooled(self, seen: Seen) -> Pooled:
        sha256 = seen.shown.kept.sha256
        if sha256 not in self._remembered:
            rows, shown = self._patches(seen)
            self._remembered[sha256] = np.asarray(features.pooled(rows, shown), np.float32)
        return self._remembered[sha256]

    def _drawn(self, gtin: str, seen: Seen) -> tuple[float | None, Image]:
        """A crop with its heat map at the scale that all are drawn at, and its score; plain without references."""
        known = self._anew.known(gtin, seen.shown.kept.camera)
        if known is None:
            return None, seen.crop.image
        found = known.compare(*self._patches(seen))
        return found.score, heat_map(seen.crop, found.heat)

    def _patches(self, seen: Seen) -> tuple[Tensor, Shown]:
        return features.patches(seen.crop, self._anew.backbone), features.inside(seen.crop, self._anew.backbone)

    def _crops(self, item: str, camera: str) -> Iterator[Seen]:
        """The last crop of an item that a camera saw, if it is still kept."""
        kept = [one for one in of_item(self._state, item) if one.what == CROP and one.camera == camera]
        for one in kept[-1:]:
            with suppress(EvidenceGone, PictureUnreadable):
                told = outlines(self._state, item).get(one.sha256)
                yield self._anew.seen(Photo(one, picture(self._state, one.sha256), told))

    def _undisputed(self, gtin: str, item: str) -> list[str]:
        """Items of the product that passed last, of which nobody complained."""
        passed = items(self._state, gtin=gtin, end=End.PASSED, most=LOOKED_THROUGH)
        with snapshot(self._state) as journal:
            return [one for one in passed if one != item and not journal.disputed(one)]
