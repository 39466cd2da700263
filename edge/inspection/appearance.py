"""How an item looks: unlike the normal ones (anomaly), or like the damaged ones (defect). One run of the backbone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Self

from edge.core.errors import ReferencesRefused
from edge.core.messages import Evidence, Sighting
from edge.inspection import features
from edge.inspection.changes import Changes
from edge.inspection.crop import Crop, answer, seen
from edge.inspection.defects import DefectHead, Opinion
from edge.inspection.heat import unlike
from edge.inspection.promise import Promise, load_pool
from edge.inspection.references import Library, References
from edge.inspection.session import Session, Tensor

NOTHING = "nothing to see: the picture is black, white or otherwise even"


class AppearanceCheck:
    """Evidence `anomaly`, and `defect` where a head was fitted for the product and camera."""

    def __init__(
        self,
        session: Session,
        references: Library[References],
        heads: Library[DefectHead],
        promises: Mapping[str, Promise],
    ) -> None:
        """Take the backbone, what was learnt, and the cameras whose anomaly evidence is held to an overkill rate."""
        self._session = session
        self.references = references
        self._heads = heads
        self._promises = promises
        self._changes = Changes()

    @classmethod
    def over(cls, session: Session, folder: Path, overkill: Mapping[str, float] = MappingProxyType({})) -> Self:
        """With what lies in `folder`: `<gtin>/<camera>.npz` and `.head.npz`, and pools where `overkill` names a camera.

        Raises:
            ReferencesRefused: a pool is damaged, or made by another model.
        """
        references = Library(folder, ".npz", partial(References.load, session=session))
        heads = Library(folder, ".head.npz", partial(DefectHead.load, session=session))
        sha256 = session.manifest.sha256
        promises = {camera: Promise(rate, load_pool(folder, camera, sha256)) for camera, rate in overkill.items()}
        return cls(session, references, heads, promises)

    def inspect(self, crop: Crop, sighting: Sighting) -> Sequence[Evidence]:
        """One or two pieces of evidence; invalid where nothing was learnt of the product, or nothing is shown."""
        if sighting.item.expected is None:
            return [answer("anomaly", sighting, "the warehouse has not announced this item")]
        gtin, camera = sighting.item.expected.gtin, sighting.frame.camera
        try:
            references, head = self.references.known(gtin, camera), self._heads.known(gtin, camera)
        except ReferencesRefused as error:
            return [answer(check, sighting, str(error)) for check in ("anomaly", "defect")]
        if references is None and head is None:
            return [_unknown(sighting)]
        names = {check: known[1] for check, known in (("anomaly", references), ("defect", head)) if known}
        if features.blank(crop):
            return [answer(check, sighting, NOTHING) for check in names]
        found = self._answers(crop, sighting, references and references[0], head and head[0])
        return [replace(one, learnt=names.get(one.check, "")) for one in found]

    def _answers(
        self, crop: Crop, sighting: Sighting, references: References | None, head: DefectHead | None
    ) -> Iterator[Evidence]:
        """One run of the backbone, and what each of the two says of it."""
        rows, shown = features.patches(crop, self._session), features.inside(crop, self._session)
        if references:
            found = references.compare(rows, shown)
            told = unlike("anomaly", crop, sighting, found)
            if order := sighting.item.expected:
                alike = self._changes.alike((order.gtin, told.camera), rows, shown, found, references)
                told = self._remembered(told, crop, order.gtin, alike)
            yield self._promised(told, sighting, found.score * references.scale, references.sound)
        else:
            yield _unknown(sighting)
        if head:
            yield _defect(crop, sighting, head.opinion(features.pooled(rows, shown)))

    def _remembered(self, told: Evidence, crop: Crop, gtin: str, alike: int) -> Evidence:
        """The evidence with what the network saw, and how many recent items were unusual in the same way."""
        look = seen(crop, gtin, self._session.manifest.extra["side_px"])
        because = f"{told.because}, in the same way as {alike} of the last unusual ones" if alike else told.because
        return replace(told, look=look, alike=alike, because=because)

    def _promised(self, told: Evidence, sighting: Sighting, score: float, held_out: Tensor) -> Evidence:
        """The evidence with how many sound items look as unusual, where its camera is held to a promise."""
        promise = self._promises.get(told.camera)
        if promise is None:
            return told
        p_value = promise.p_value(score, held_out)
        if p_value is None:
            return answer(told.check, sighting, promise.lacking(held_out))
        because = f"{told.because}, as unusual as 1 in {1 / p_value:.0f} sound items"
        return replace(told, p_value=p_value, because=because)


def _unknown(sighting: Sighting) -> Evidence:
    gtin = sighting.item.expected.gtin if sighting.item.expected else ""
    return answer("anomaly", sighting, f"no references for {gtin}/{sighting.frame.camera}")


def _defect(crop: Crop, sighting: Sighting, opinion: Opinion) -> Evidence:
    """Evidence of how like the damaged items it is."""
    said = answer("defect", sighting, opinion.because)
    return replace(
        said,
        kind=opinion.likeliest,
        score=opinion.log_odds,
        probability=opinion.probability,
        where=crop.polygon,
        valid=True,
    )
