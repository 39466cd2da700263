"""How an item looks: unlike the normal ones (anomaly), or like the damaged ones (defect). One run of the backbone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.errors import ReferencesRefused
from edge.core.messages import Evidence, Image, Point, Sighting
from edge.inspection import features
from edge.inspection.crop import Crop, answer
from edge.inspection.defects import DefectHead
from edge.inspection.references import Library, References
from edge.inspection.session import Session, Tensor

PICTURE_PX = 320
HOT = 0.85  # of the hottest patch: what belongs to the region that is pointed at
LEAST_HEAT, FULL_HEAT = 0.6, 2.0  # times the largest normal: the heat map's range, clear to brightest
ROWS, COLUMNS = ("upper", "middle", "lower"), ("left", "centre", "right")


class AppearanceCheck:
    """Evidence `anomaly`, and `defect` where a head was fitted for the product and camera."""

    def __init__(self, session: Session, references: Library[References], heads: Library[DefectHead]) -> None:
        self._session = session
        self._references = references
        self._heads = heads

    @classmethod
    def over(cls, session: Session, folder: Path) -> AppearanceCheck:
        """With what lies in `folder`: `<gtin>/<camera>.npz` and `<gtin>/<camera>.head.npz`."""
        references = Library(folder, ".npz", partial(References.load, session=session))
        heads = Library(folder, ".head.npz", partial(DefectHead.load, session=session))
        return cls(session, references, heads)

    def inspect(self, crop: Crop, sighting: Sighting) -> Sequence[Evidence]:
        """One or two pieces of evidence; invalid where nothing was learnt of the product."""
        if sighting.item.expected is None:
            return [answer("anomaly", sighting, "the warehouse has not announced this item")]
        gtin, camera = sighting.item.expected.gtin, sighting.frame.camera
        try:
            references, head = self._references.find(gtin, camera), self._heads.find(gtin, camera)
        except ReferencesRefused as error:
            return [answer(check, sighting, str(error)) for check in ("anomaly", "defect")]
        unknown = answer("anomaly", sighting, f"no references for {gtin}/{camera}")
        if references is None and head is None:
            return [unknown]
        rows, shown = features.patches(crop, self._session), features.inside(crop, self._session)
        answers = [_anomaly(crop, sighting, references.unlikeness(rows) * shown) if references else unknown]
        if head:
            answers.append(_defect(crop, sighting, head.log_odds(features.pooled(rows, shown))))
        return answers


def _anomaly(crop: Crop, sighting: Sighting, unlikeness: Tensor) -> Evidence:
    """Evidence of how unlike the normals the item is, and where."""
    side = round(len(unlikeness) ** 0.5)
    heat = unlikeness.reshape(side, side)
    score = float(heat.max())
    because = f"differs most at {_place(heat)} ({score:.1f} × the largest normal)"
    picture = heat_map(crop.image, heat)
    said = answer("anomaly", sighting, because)
    return replace(said, score=score, where=_hottest(heat, crop), picture=picture, valid=True)


def _defect(crop: Crop, sighting: Sighting, log_odds: float) -> Evidence:
    """Evidence of how like the damaged items it is."""
    probability = 1 / (1 + math.exp(-min(max(log_odds, -40.0), 40.0)))
    because = f"{probability:.0%} like the damaged items shown before"
    said = answer("defect", sighting, because)
    return replace(said, score=log_odds, probability=probability, where=crop.polygon, valid=True)


def heat_map(image: Image, heat: Tensor) -> Image:
    """The crop, at most PICTURE_PX long, warm where `heat` (grid × grid, 1.0 = the largest normal) is high."""
    scale = min(1.0, PICTURE_PX / max(image.shape[:2]))
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    span = FULL_HEAT - LEAST_HEAT
    warmth = np.clip((cv2.resize(heat, size, interpolation=cv2.INTER_LINEAR) - LEAST_HEAT) / span, 0, 1)
    colours = cv2.applyColorMap((warmth * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    return np.asarray(cv2.blendLinear(colours, small, warmth * 0.7, 1 - warmth * 0.7), np.uint8)


def _place(heat: Tensor) -> str:
    """`upper left` … `lower right`: the ninth of the crop that holds the hottest patch."""
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    vertical, horizontal = ROWS[row * 3 // heat.shape[0]], COLUMNS[column * 3 // heat.shape[1]]
    return "the middle" if (vertical, horizontal) == ("middle", "centre") else f"{vertical} {horizontal}"


def _hottest(heat: Tensor, crop: Crop) -> tuple[Point, ...]:
    """Outline, in frame px, of the region around the hottest patch."""
    _, regions = cv2.connectedComponents((heat >= HOT * heat.max()).astype(np.uint8))
    hottest = regions == regions[np.unravel_index(heat.argmax(), heat.shape)]
    rows, columns = np.nonzero(hottest)
    corners = np.concatenate([np.column_stack((columns + x, rows + y)) for x in (0, 1) for y in (0, 1)])
    return _in_frame(cv2.convexHull(corners.astype(np.float32))[:, 0] / heat.shape[::-1], crop)


def _in_frame(shares: npt.NDArray[np.floating], crop: Crop) -> tuple[Point, ...]:
    """Points given as shares of the crop's width and height, in frame px."""
    pixels = shares.astype(np.float64) * crop.image.shape[1::-1] - 0.5
    return tuple((float(x), float(y)) for x, y in cv2.perspectiveTransform(pixels[None], crop.to_frame)[0])
