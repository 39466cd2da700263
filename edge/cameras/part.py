"""A part of a picture at its place in the whole: what the belt looks like is known by where it is in the view."""

from __future__ import annotations

import cv2
import numpy as np

from edge.core.frames import Sent
from edge.core.messages import Image, Span


def filled(sent: Sent) -> tuple[Image, Span]:
    """The whole picture, the part's own edges drawn out where nothing was sent (read-only); and where something was."""
    (top, left), (height_px, width_px) = sent.at_px, sent.whole_px
    bottom, right = top + sent.image.shape[0], left + sent.image.shape[1]
    if sent.image.shape[:2] == sent.whole_px:
        return sent.image, (top, bottom, left, right)
    beyond = (top, height_px - bottom, left, width_px - right)
    image = np.asarray(cv2.copyMakeBorder(sent.image, *beyond, cv2.BORDER_REPLICATE), np.uint8)
    image.flags.writeable = False
    return image, (top, bottom, left, right)
