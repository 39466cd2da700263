"""What befalls a picture of a tote: a shade from without, JPEG."""

from __future__ import annotations

import cv2
import numpy as np

from calibration.sites.render import ITEM, Picture
from edge.core.messages import Image


def shaded(picture: Picture, chance: np.random.Generator) -> Picture:
    """The edge of a lamp's light, or the shade of what stands before it, falls over all of it."""
    image, part = picture.image, picture.part
    side_px = np.array(part.shape[::-1])
    place = side_px * chance.uniform(0.15, 0.85, 2)
    long_px, wide_px = side_px[0] * chance.uniform(0.3, 3), np.exp(chance.uniform(np.log(8), np.log(side_px[0])))
    corners = cv2.boxPoints((tuple(place), (long_px, wide_px), float(chance.uniform(0, 180))))
    mask = cv2.fillPoly(np.zeros(part.shape, np.float32), [np.rint(corners).astype(np.int32)], 1.0)
    mask = cv2.GaussianBlur(mask, (0, 0), float(np.exp(chance.uniform(np.log(0.4), np.log(6)))))
    higher = np.roll(mask, tuple(int(one) for one in chance.integers(-12, 13, 2)), (0, 1))  # it falls slantwise
    mask = np.where(part >= ITEM, higher, mask)[..., None]
    level = chance.uniform(0.25, 0.85) if chance.random() < 0.75 else chance.uniform(1.15, 1.8)
    lit = (image / 255.0) ** 2.2 * (1 + mask * (level * chance.normal(1, 0.04, 3) - 1))
    return Picture(np.rint(255 * np.clip(lit, 0, 1) ** (1 / 2.2)).astype(np.uint8), part)


def pressed(image: Image, chance: np.random.Generator) -> Image:
    """As JPEG leaves it."""
    kept = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, int(chance.integers(55, 95))))[1]
    return np.asarray(cv2.imdecode(kept, cv2.IMREAD_COLOR), np.uint8)
