"""How wilder totes and items look: prints, stripes, labels, mouldings."""

from __future__ import annotations

import numpy as np

from calibration.sites.paint import Paint, Rgb, carton


def face(colour: Rgb, size_mm: tuple[float, float], own: np.random.Generator) -> Paint:
    """Printed, plain, or in stripes."""
    lot = own.random()
    if lot < 0.6:
        return carton(colour, size_mm, own)
    width, height = (max(8, round(side)) for side in size_mm)
    texture = np.tile(np.array(colour), (height, width, 1)) * (1 + 0.03 * own.normal(0, 1, (height, width, 1)))
    if lot > 0.8:
        stripe = (np.arange(width) // int(own.integers(3, 30))) % 2
        texture = texture * np.where(stripe, own.uniform(0.3, 1), 1.0)[None, :, None]
    return Paint(np.clip(texture, 0.003, 0.95), 1.0)


def stuck(paint: Paint, own: np.random.Generator) -> Paint:
    """With a label or two of any size and colour: lines of print, a bar code, a logo."""
    texture = paint.texture.copy()
    for _ in range(int(own.integers(1, 3))):
        width, height = int(own.integers(14, 90)), int(own.integers(10, 60))
        left, top = (int(own.integers(0, 250 - side)) for side in (width, height))
        ground = np.full(3, own.uniform(0.5, 0.9)) if own.random() < 0.85 else own.uniform(0.3, 0.9, 3)
        label = np.tile(ground, (height, width, 1))
        for line in range(3, height - 3, int(own.integers(4, 9))):
            label[line : line + int(own.integers(1, 3)), 3 : int(own.integers(4, width - 1))] *= own.uniform(0.02, 0.6)
        if own.random() < 0.6:
            bars = np.flatnonzero(own.random(width - 6) < 0.5) + 3
            label[3 : height // 2, bars] = 0.02
        texture[top : top + height, left : left + width] = label
    return Paint(texture, paint.mm_per_px)


def moulded(paint: Paint, of_kind: np.random.Generator) -> Paint:
    """Ribs, grips and embossed letters: the same on every tote of a type."""
    texture = paint.texture.copy()
    for _ in range(int(of_kind.integers(0, 7))):
        width, height = int(of_kind.integers(3, 60)), int(of_kind.integers(2, 30))
        left, top = (int(of_kind.integers(0, 250 - side)) for side in (width, height))
        texture[top : top + height, left : left + width] *= of_kind.uniform(0.5, 1.4)
    return Paint(np.clip(texture, 0.003, 0.98), paint.mm_per_px)
