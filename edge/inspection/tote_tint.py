"""What is plainly of another hue than the tote: a thing, whatever the network makes of its size and place."""

from __future__ import annotations

import cv2
import numpy as np

from edge.core.messages import Image
from edge.core.tote_shape import OUTSIDE, Zones
from edge.inspection.crop import halved
from edge.inspection.tote_look import Mask, beside, lab_of

OTHER_TINT = 14.0  # of Lab's a and b, beyond what a shade leaves of the tote's own
COLOURED = 0.15  # of a and b beside L + 16: less is white, grey or black, as labels are
SMOOTH_PX, THIN_PX = 5, 5  # in half the part's size


def coloured(part: Image, usual: Image, zone: Zones) -> Mask:
    """Of a part of a frame, as the networks get it; without what is thin, holes filled."""
    lab = lab_of(np.asarray(cv2.medianBlur(halved(part), SMOOTH_PX), np.uint8))
    tint = np.hypot(*np.moveaxis(beside(lab, lab_of(usual))[..., 1:], -1, 0))
    chroma = np.hypot(lab[..., 1], lab[..., 2]) / lab[..., 0]
    inside = cv2.erode((zone != OUTSIDE).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    other = ((tint > OTHER_TINT) & (chroma > COLOURED) & inside).astype(np.uint8)
    thick = cv2.morphologyEx(other, cv2.MORPH_OPEN, np.ones((THIN_PX, THIN_PX), np.uint8))
    outlines, _ = cv2.findContours(thick, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    whole = cv2.drawContours(thick, outlines, -1, (1,), cv2.FILLED)
    return np.asarray(cv2.resize(whole, part.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0)
