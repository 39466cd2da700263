"""Where a tote looks as it usually does when it is empty: what a network sees there is no item."""

from __future__ import annotations

import cv2
import numpy as np

from edge.core.messages import Image
from edge.core.tote_shape import OUTSIDE, Zones
from edge.inspection.crop import halved
from edge.inspection.tote_look import Mask, beside, lab_of

SAME_LIGHT, SAME_TINT = 10.0, 5.0  # 100 · ln of lightness, Lab: less is the tote's own clouds
SMOOTH_PX = 5  # in half the part's size


def as_usual(part: Image, usual: Image, zone: Zones) -> Mask:
    """Of a part of a frame; usual and zone as the network gets them, in half the part's size."""
    lab = lab_of(np.asarray(cv2.medianBlur(halved(part), SMOOTH_PX), np.uint8))
    off = beside(lab, lab_of(usual))
    same = (np.abs(off[..., 0]) < SAME_LIGHT) & (np.hypot(off[..., 1], off[..., 2]) < SAME_TINT) & (zone != OUTSIDE)
    return np.asarray(cv2.resize(same.astype(np.uint8), part.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0)
