"""A second look where the first leaves doubt: a larger network, and both judgements together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from edge.core.errors import ReferencesRefused
from edge.core.messages import Evidence, Sighting
from edge.inspection import features
from edge.inspection.appearance import NOTHING
from edge.inspection.crop import Check, Crop, answer
from edge.inspection.heat import enlarged, unlike
from edge.inspection.references import Difference, Library, References
from edge.inspection.session import Session

SIZE = 2000  # patches kept: with fewer, sound items lie too far from all of them (decision 10)
SUFFIX = ".second.npz"


@dataclass(frozen=True, slots=True)
class Stage:
    """A network, and what it has learnt of the products."""

    session: Session
    references: Library[References]

    @classmethod
    def over(cls, session: Session, folder: Path, suffix: str) -> Stage:
        """With `<gtin>/<camera><suffix>` in `folder`."""
        return cls(session, Library(folder, suffix, partial(References.load, session=session)))

    def look(self, crop: Crop, gtin: str, camera: str) -> tuple[Difference, str] | None:
        """How unlike the normal items the crop is, and the name of their file; None: there are no references.

        Raises:
            ReferencesRefused: they are damaged, or of another model.
        """
        known = self.references.known(gtin, camera)
        if known is None:
            return None
        rows, shown = features.patches(crop, self.session), features.inside(crop, self.session)
        return known[0].compare(rows, shown), known[1]


class FirstLook:
    """A check whose anomaly score, where it leaves no doubt, is the answer to `second_look` too."""

    def __init__(self, check: Check, references: Library[References]) -> None:
        self._check = check
        self._references = references

    def inspect(self, crop: Crop, sighting: Sighting) -> Sequence[Evidence]:
        """What the check finds, and perhaps `second_look`."""
        found = self._check.inspect(crop, sighting)
        return [*found, *(_beyond_doubt(one, sighting) for one in found if self._is_clear(one, sighting))]

    def _is_clear(self, one: Evidence, sighting: Sighting) -> bool:
        if one.check != "anomaly" or one.score is None or sighting.item.expected is None:
            return False
        references = self._references.find(sighting.item.expected.gtin, one.camera)
        return references is not None and not references.in_doubt(one.score)


class SecondLook:
    """Evidence `second_look`: the mean of what both stages say.

    The first stage looks anew rather than being remembered: a fifth of the second one's time, and nothing to keep.
    """

    def __init__(self, first: Stage, second: Stage) -> None:
        self._stages = (first, second)

    @classmethod
    def over(cls, first: Session, second: Session, folder: Path) -> SecondLook:
        """With what lies in `folder`: `<gtin>/<camera>.npz` and `<gtin>/<camera>.second.npz`."""
        return cls(Stage.over(first, folder, ".npz"), Stage.over(second, folder, SUFFIX))

    def inspect(self, crop: Crop, sighting: Sighting) -> Sequence[Evidence]:
        """One piece of evidence; invalid where either stage knows nothing of the product, or nothing is shown."""
        if sighting.item.expected is None:
            return [answer("second_look", sighting, "the warehouse has not announced this item")]
        if features.blank(crop):
            return [answer("second_look", sighting, NOTHING)]
        gtin, camera = sighting.item.expected.gtin, sighting.frame.camera
        try:
            found = [stage.look(crop, gtin, camera) for stage in self._stages]
        except ReferencesRefused as error:
            return [answer("second_look", sighting, str(error))]
        first, second = found
        if first is None or second is None:
            return [answer("second_look", sighting, f"no references of both stages for {gtin}/{camera}")]
        told = unlike("second_look", crop, sighting, together(first[0], second[0]))
        return [replace(told, learnt=f"{first[1]} {second[1]}")]


def _beyond_doubt(one: Evidence, sighting: Sighting) -> Evidence:
    said = answer("second_look", sighting, "the first look leaves no doubt")
    return replace(said, score=one.score, where=one.where, learnt=one.learnt, valid=True)


def together(first: Difference, second: Difference) -> Difference:
    """The mean of two stages, each of which is told as a share of its own largest normal."""
    columns, rows = first.heat.shape
    heat = (first.heat + enlarged(second.heat, (rows, columns))) / 2
    return Difference((first.score + second.score) / 2, np.asarray(heat, np.float32), second.normals)
