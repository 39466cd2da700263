"""Colours as people see them: linear light, CIE Lab under D65, and how different two look: CIEDE2000 (CIE 11664-6)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

GREY_POWER = 25.0**7
KAPPA, EPSILON = 24389 / 27, 216 / 24389  # CIE 15:2004, the straight part of the lightness curve near black

TO_XYZ = np.array(
    ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
)
"""Linear sRGB → CIE XYZ (IEC 61966-2-1)."""

WHITE = TO_XYZ.sum(axis=1)  # D65, as this matrix has it: white has exactly no chroma


def linear(levels: Floats) -> Floats:
    """The tone curve of sRGB undone: 0…1 → 0…1 (IEC 61966-2-1)."""
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)


def lab_of(light: Floats) -> Floats:
    """Linear sRGB (… × 3, red first) → L, a, b."""
    ratio = np.clip(light, 0.0, None) @ TO_XYZ.T / WHITE
    bent = np.where(ratio > EPSILON, np.cbrt(ratio), (KAPPA * ratio + 16) / 116)
    x, y, z = np.moveaxis(bent, -1, 0)
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), axis=-1)


def delta_e_2000(one: Floats, other: Floats) -> Floats:
    """ΔE00 of CIE Lab colours (… × 3), k_L = k_C = k_H = 1; about 1 can just be seen.

    Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula", Color Research and Application 30 (2005) 21–30;
    the numbers in brackets are that paper's equations.
    """
    first, second = np.asarray(one, float), np.asarray(other, float)
    chroma, hue = zip(*_chroma_and_hue(first, second), strict=True)
    turned = _turned(hue[1] - hue[0]) * (chroma[0] * chroma[1] != 0)  # (10)
    apart = 2 * np.sqrt(chroma[0] * chroma[1]) * np.sin(np.radians(turned / 2))  # (11)
    lightness = (first[..., 0] + second[..., 0]) / 2
    middle = (chroma[0] + chroma[1]) / 2
    mean_hue = _mean_hue(hue[0], hue[1], chroma[0] * chroma[1] != 0)
    by_lightness = (second[..., 0] - first[..., 0]) / _lightness_weight(lightness)
    by_chroma = (chroma[1] - chroma[0]) / (1 + 0.045 * middle)  # (16)
    by_hue = apart / (1 + 0.015 * middle * _hue_weight(mean_hue))  # (17)
    skewed = _skew(mean_hue, middle) * by_chroma * by_hue
    return np.asarray(np.sqrt(by_lightness**2 + by_chroma**2 + by_hue**2 + skewed))  # (22)


def _chroma_and_hue(first: Floats, second: Floats) -> list[tuple[Floats, Floats]]:
    """Of each colour, its greys stretched along a: (2) to (7)."""
    mean = (np.hypot(first[..., 1], first[..., 2]) + np.hypot(second[..., 1], second[..., 2])) / 2
    stretch = 1.5 - 0.5 * np.sqrt(mean**7 / (mean**7 + GREY_POWER))
    found = []
    for colour in (first, second):
        a, b = stretch * colour[..., 1], colour[..., 2]
        found.append((np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360))
    return found


def _turned(degrees: Floats) -> Floats:
    """−180 … 180."""
    return np.where(degrees > 180, degrees - 360, np.where(degrees < -180, degrees + 360, degrees))


def _mean_hue(one: Floats, other: Floats, coloured: npt.NDArray[np.bool_]) -> Floats:
    """(14)."""
    total = one + other
    far = np.abs(one - other) > 180
    mean = np.where(far, np.where(total < 360, total + 360, total - 360), total) / 2
    return np.where(coloured, mean, total)


def _lightness_weight(lightness: Floats) -> Floats:
    """(15)."""
    off = (lightness - 50) ** 2
    return np.asarray(1 + 0.015 * off / np.sqrt(20 + off))


def _hue_weight(hue: Floats) -> Floats:
    """(15): T."""
    terms = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.20, 4, -63))
    return np.asarray(1 + sum(share * np.cos(np.radians(times * hue + shift)) for share, times, shift in terms))


def _skew(hue: Floats, chroma: Floats) -> Floats:
    """(19) to (21): blues lie askew."""
    turn = 30 * np.exp(-(((hue - 275) / 25) ** 2))
    return np.asarray(-np.sin(np.radians(2 * turn)) * 2 * np.sqrt(chroma**7 / (chroma**7 + GREY_POWER)))
