"""How things look: plastic that is worn, dirty and labelled; belts; printed cartons."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Rgb = tuple[float, float, float]
"""Linear light that comes back, 0 … 1."""


@dataclass(frozen=True, slots=True)
class Paint:
    """A texture that repeats; red first, linear."""

    texture: Floats  # height × width × 3
    mm_per_px: float

    def at(self, uv_mm: Floats) -> Floats:
        """Its colour at places of a face (N × 2, mm)."""
        across, down = (np.floor(uv_mm[:, axis] / self.mm_per_px).astype(int) for axis in (0, 1))
        height, width = self.texture.shape[:2]
        return np.asarray(self.texture[down % height, across % width])


def plastic(
    colour: Rgb, chance: np.random.Generator, worn: float = 0.0, dirty: float = 0.0, mixed: float = 0.0
) -> Paint:
    """A tote's wall or floor of 512 mm; worn, dirty, mixed (of several tints): 0 … 1."""
    tint = 1 + 0.25 * mixed * _clouds(chance, 256, 24)[..., None] * chance.uniform(0.5, 1, 3)
    texture = np.array(colour) * tint * (1 + 0.02 * chance.normal(0, 1, (256, 256, 1)))
    scratches = _scratches(chance, round(60 * worn))
    texture += scratches[..., None] * (0.5 * np.mean(colour) + 0.06) * chance.uniform(0.3, 0.9)
    blots = np.clip(_clouds(chance, 256, 10) - 1.1, 0, 1) * dirty
    return Paint(np.clip(texture * (1 - 0.7 * blots[..., None]) + 0.02 * blots[..., None], 0.003, 0.98), 2.0)


def belt(colour: Rgb, chance: np.random.Generator) -> Paint:
    """Woven, with marks along it."""
    weave = (
        1
        + 0.1
        * np.sign(np.sin(np.arange(256) / 3.0))[None, :, None]
        * np.sign(np.sin(np.arange(256) / 3.0))[:, None, None]
    )
    texture = np.array(colour) * weave * (1 + 0.15 * _clouds(chance, 256, 30)[..., None])
    for row in chance.integers(0, 256, 4):
        texture[row : row + 2] *= chance.uniform(0.6, 1.5)
    return Paint(np.clip(texture, 0.003, 0.9), 1.5)


def carton(colour: Rgb, size_mm: tuple[float, float], chance: np.random.Generator) -> Paint:
    """A printed face: blocks, bars and a seam over one colour."""
    width, height = (max(8, round(side)) for side in size_mm)
    texture = np.tile(np.array(colour), (height, width, 1)) * (1 + 0.03 * chance.normal(0, 1, (height, width, 1)))
    for _ in range(chance.integers(1, 6)):
        block = tuple(float(v) for v in chance.uniform(0.02, 0.9, 3))
        corner = chance.uniform(0.05, 0.7, 2) * (width, height)
        far = corner + chance.uniform(0.1, 0.5, 2) * (width, height)
        left, top, right, bottom = (int(v) for v in (*corner, *far))
        texture[top:bottom, left:right] = block
    cv2.line(texture, (0, height // 2), (width, height // 2), tuple(0.7 * v for v in colour), 2)
    return Paint(np.clip(texture, 0.003, 0.95), 1.0)


def labelled(paint: Paint, chance: np.random.Generator) -> Paint:
    """The same with a white label, a bar code on it."""
    texture = paint.texture.copy()
    left, top = chance.integers(20, 150, 2)
    texture[top : top + 40, left : left + 60] = 0.8
    for bar in range(left + 6, left + 54, 3):
        if chance.random() < 0.6:
            texture[top + 8 : top + 30, bar : bar + 2] = 0.02
    return Paint(texture, paint.mm_per_px)


def _clouds(chance: np.random.Generator, side: int, grain_px: float) -> Floats:
    """Soft noise of standard deviation 1, that repeats without a seam."""
    waves = np.fft.fftfreq(side)
    falls = np.exp(-2 * (np.pi * grain_px) ** 2 * (waves[:, None] ** 2 + waves[None, :] ** 2))
    soft = np.fft.ifft2(np.fft.fft2(chance.normal(0, 1, (side, side))) * falls).real
    return np.asarray((soft - soft.mean()) / max(1e-9, float(soft.std())))


def _scratches(chance: np.random.Generator, number: int) -> Floats:
    drawn = np.zeros((256, 256), np.float64)
    for _ in range(number):
        start = chance.integers(0, 256, 2)
        end = start + chance.normal(0, 30, 2)
        cv2.line(drawn, tuple(int(v) for v in start), tuple(int(v) for v in end), float(chance.uniform(0.3, 1)), 1)
    return np.asarray(cv2.GaussianBlur(drawn, (0, 0), 0.7))
