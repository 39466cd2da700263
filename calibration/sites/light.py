"""A site's lamps, and what a sensor makes of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CROSSTALK = np.array(((0.82, 0.14, 0.04), (0.10, 0.80, 0.10), (0.03, 0.17, 0.80)))
"""What a red, a green and a blue pixel get of linear sRGB: a sensor's filters overlap."""
WHITE_K = 6500.0


@dataclass(frozen=True, slots=True)
class Light:
    """What falls on the belt."""

    kelvin: float = 5000.0
    level: float = 1.0
    uneven: float = 0.2  # by which share it falls off from its middle to a corner of 600 mm
    middle_mm: tuple[float, float] = (0.0, 0.0)
    from_mm: tuple[float, float, float] = (250.0, -400.0, 1500.0)  # its lamp, for shades
    ambient: float = 0.45  # share that comes from everywhere
    soft_px: int = 4  # how soft shades are: every so manieth pixel is asked

    def falling(self, places_mm: Floats) -> Floats:
        """How much light falls on places (… × 3), each in red, green and blue."""
        x, y = (places_mm[..., axis] - self.middle_mm[axis] for axis in (0, 1))
        off = (x * x + y * y) / 600.0**2
        return np.asarray((self.level / (1 + self.uneven * off))[..., None] * tint(self.kelvin))


def tint(kelvin: float) -> Floats:
    """Red, green and blue of a black body beside that of WHITE_K, green being 1: Planck's law at 610, 545, 465 nm."""
    waves_m = np.array((610e-9, 545e-9, 465e-9))
    planck = [1 / (waves_m**5 * np.expm1(1.4388e-2 / (waves_m * one))) for one in (kelvin, WHITE_K)]
    share = planck[0] / planck[1]
    return np.asarray(share / share[1])


def developed(
    linear: Floats, gains: Floats, chance: np.random.Generator, noise: float = 0.004
) -> npt.NDArray[np.uint8]:
    """Linear light (… × 3, red first) as a sensor delivers it: BGR, 8 bit, with the camera's own white balance."""
    raw = linear @ CROSSTALK.T
    raw = raw + chance.normal(0, 1, raw.shape) * (noise * np.sqrt(np.maximum(raw, 0)) + noise / 2)
    return np.asarray(np.rint(encoded(np.clip(raw * gains, 0, 1)) * 255)[..., ::-1], np.uint8)


def encoded(linear: Floats) -> Floats:
    """Linear light as sRGB (IEC 61966-2-1), 0 … 1."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)
