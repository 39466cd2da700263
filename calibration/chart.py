"""Colour: a ColorChecker in the site's light, and the matrix that makes its colours what they are."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.colour_difference import TO_XYZ, WHITE, delta_e_2000
from edge.core.errors import CalibrationRefused
from edge.core.messages import Image

Floats = npt.NDArray[np.float64]

PATCHES: dict[str, tuple[int, int, int]] = {
    "dark skin": (115, 82, 68),
    "light skin": (194, 150, 130),
    "blue sky": (98, 122, 157),
    "foliage": (87, 108, 67),
    "blue flower": (133, 128, 177),
    "bluish green": (103, 189, 170),
    "orange": (214, 126, 44),
    "purplish blue": (80, 91, 166),
    "moderate red": (193, 90, 99),
    "purple": (94, 60, 108),
    "yellow green": (157, 188, 64),
    "orange yellow": (224, 163, 46),
    "blue": (56, 61, 150),
    "green": (70, 148, 73),
    "red": (175, 54, 60),
    "yellow": (231, 199, 31),
    "magenta": (187, 86, 149),
    "cyan": (8, 133, 161),
    "white": (243, 243, 242),
    "neutral 8": (200, 200, 200),
    "neutral 6.5": (160, 160, 160),
    "neutral 5": (122, 122, 121),
    "neutral 3.5": (85, 85, 85),
    "black": (52, 52, 52),
}
"""The classic chart's patches in its order, sRGB (X-Rite's data sheet of 2009)."""
SMALLEST = 0.0002  # share of the picture that a patch takes
CLIPPED, DARK = 250, 8  # of 255: a patch beyond tells nothing
INNER = 0.5  # of a patch's width and height that is measured


def measure(image: Image) -> Floats:
    """24 × 3: the linear red, green and blue of each patch in a frame (BGR), 0 … 1.

    Raises:
        CalibrationRefused: no chart is there, or it is over-exposed.
    """
    detector = cv2.mcc.CCheckerDetector.create()
    limits = cv2.mcc.DetectorParametersMCC()
    limits.minContoursAreaRate = SMALLEST
    detector.setDetectionParams(limits)
    detector.setColorChartType(cv2.mcc.MCC24)
    if not detector.process(image) or not detector.getListColorChecker():
        raise CalibrationRefused("no ColorChecker is seen: lay it flat on the belt, all of it in view, not in shade")
    corners = np.asarray(detector.getBestColorChecker().getColorCharts(), float).reshape(24, 4, 2)
    levels = np.array([_level(image, one) for one in corners])
    if (levels.max(axis=1) >= CLIPPED).any():
        raise CalibrationRefused("the white patch is over-exposed: shorten the exposure, or lower the gain")
    if levels[18].max() < 6 * DARK:
        raise CalibrationRefused("the white patch is nearly black: lengthen the exposure, or mend the lamp")
    return linear(levels[:, ::-1] / 255)


def fitted(measured: Sequence[Floats]) -> Floats:
    """3 × 3: from a camera's linear colours to sRGB's, from one or more looks at the chart.

    The chart turned by half in the same place is worth more than twice the same: what falls off from left to right
    weighs on each patch from both sides. Relative errors count: an eye sees these.
    """
    seen = np.mean(measured, axis=0)
    weights = 1 / (reference().mean(axis=1) + 0.05)
    solved, *_ = np.linalg.lstsq(seen * weights[:, None], reference() * weights[:, None], rcond=None)
    return np.asarray(solved.T)


def reference() -> Floats:
    """24 × 3: what the patches are, linear."""
    return linear(np.array(list(PATCHES.values())) / 255)


def differences(colours: Floats, others: Floats | None = None) -> Floats:
    """24: ΔE00 between the patches' colours (linear sRGB) and others; None: what they are."""
    return delta_e_2000(lab(colours), lab(reference() if others is None else others))


def lab(colours: Floats) -> Floats:
    """Linear sRGB (N × 3) as CIELAB, D65 being white."""
    share = np.maximum(colours @ TO_XYZ.T, 0) / WHITE
    root = np.where(share > (6 / 29) ** 3, np.cbrt(share), share * (29 / 6) ** 2 / 3 + 4 / 29)
    lightness, red, blue = 116 * root[:, 1] - 16, 500 * (root[:, 0] - root[:, 1]), 200 * (root[:, 1] - root[:, 2])
    return np.stack((lightness, red, blue), axis=1)


def of_lab(colours: Floats) -> Floats:
    """CIELAB (N × 3) as linear sRGB: what `lab` undoes."""
    middle = (colours[:, 0] + 16) / 116
    root = np.stack((middle + colours[:, 1] / 500, middle, middle - colours[:, 2] / 200), axis=1)
    share = np.where(root > 6 / 29, root**3, (root - 4 / 29) * 3 * (6 / 29) ** 2)
    return np.asarray(share * WHITE @ np.linalg.inv(TO_XYZ).T)


def linear(srgb: Floats) -> Floats:
    """SRGB, 0 … 1, as linear light (IEC 61966-2-1)."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def _level(image: Image, corners: Floats) -> Floats:
    """Mean of the inner part of a patch, BGR, 0 … 255."""
    middle = corners.mean(axis=0)
    inner = np.rint(middle + (corners - middle) * INNER).astype(np.int32)
    left, top, width, height = cv2.boundingRect(inner)
    part = image[max(0, top) : top + height, max(0, left) : left + width]
    mask = np.zeros(part.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, inner - (max(0, left), max(0, top)), 255)
    return np.asarray(cv2.mean(part, mask)[:3])
