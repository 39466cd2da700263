"""Drawn cartons of three varieties, as a catalogue shows them and as a camera does."""

from __future__ import annotations

import cv2
import numpy as np

from edge.core.messages import Image

VANILLA, BERRY, MILK = "04006381333931", "04006381333948", "04006381333955"
COLOURS = {VANILLA: (120, 220, 240), BERRY: (160, 60, 120), MILK: (60, 160, 60)}
NAMES = {VANILLA: "VANILLA", BERRY: "BERRY", MILK: "MILK"}


def carton(gtin: str, seed: int = 0, degrees: float = 0.0) -> Image:
    """A drawn carton on white ground, a little turned and noisy: a band in the variety's colour, and its name."""
    image = np.full((300, 300, 3), 255, np.uint8)
    cv2.rectangle(image, (60, 30), (240, 270), (225, 215, 205), -1)
    cv2.rectangle(image, (60, 60), (240, 130), COLOURS[gtin], -1)
    cv2.putText(image, NAMES[gtin], (70, 110), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (40, 40, 40), 3, cv2.LINE_AA)
    for step in range(4):
        centre = (90 + 40 * step, 200 + 15 * (len(NAMES[gtin]) % 3) * (step % 2))
        cv2.circle(image, centre, 8 + 2 * len(NAMES[gtin]), COLOURS[gtin], -1 if step % 2 else 4)
    turn = cv2.getRotationMatrix2D((150.0, 150.0), degrees, 1.0)
    turned = cv2.warpAffine(image, turn, (300, 300), borderValue=(255, 255, 255))
    return np.clip(turned + np.random.default_rng(seed).normal(0, 2, image.shape), 0, 255).astype(np.uint8)


def photograph(gtin: str, seed: int) -> Image:
    """The same under a dimmer lamp, turned, without the white ground."""
    image = carton(gtin, seed, degrees=float(np.random.default_rng(seed).uniform(-8, 8)))
    return np.asarray(image[25:275, 50:250] * 0.8, np.uint8)
