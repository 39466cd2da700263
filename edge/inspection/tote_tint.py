"""What a look says against a network: what is plainly of another hue is a thing, what looks as usual is none."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edge.core.messages import Image
from edge.core.tote_shape import OUTSIDE, Zones
from edge.inspection.crop import halved
from edge.inspection.tote_look import Mask, beside, lab_of

OTHER_TINT = 14.0  # of Lab's a and b, beyond what a shade leaves of the tote's own
COLOURED = 0.15  # of a and b beside L + 16: less is white, grey or black, as labels are
SAME_LIGHT, SAME_TINT = 10.0, 5.0  # 100 · ln of lightness, Lab: less is the tote's own clouds
SMOOTH_PX, THIN_PX = 5, 5  # in half the part's size


@dataclass(frozen=True, slots=True)
class Beside:
    """A part of a frame beside how the empty tote looks there."""

    coloured: Mask  # of another hue; without what is thin, holes filled
    usual: Mask  # as the empty tote

    @classmethod
    def of(cls, part: Image, usual: Image, zone: Zones) -> Beside:
        """As the network gets them: usual and zone in half the part's size."""
        lab = lab_of(np.asarray(cv2.medianBlur(halved(part), SMOOTH_PX), np.uint8))
        off = beside(lab, lab_of(usual))
        tint = np.hypot(off[..., 1], off[..., 2])
        hue = (tint > OTHER_TINT) & (np.hypot(lab[..., 1], lab[..., 2]) > COLOURED * lab[..., 0])
        inside = cv2.erode((zone != OUTSIDE).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        same = (np.abs(off[..., 0]) < SAME_LIGHT) & (tint < SAME_TINT) & (zone != OUTSIDE)
        return cls(_enlarged(_whole(hue & inside), part), _enlarged(same, part))


def _whole(mask: Mask) -> Mask:
    thick = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((THIN_PX, THIN_PX), np.uint8))
    outlines, _ = cv2.findContours(thick, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(thick, outlines, -1, (1,), cv2.FILLED) > 0)


def _enlarged(mask: Mask, part: Image) -> Mask:
    return np.asarray(cv2.resize(mask.astype(np.uint8), part.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0)
