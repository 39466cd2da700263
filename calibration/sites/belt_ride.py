"""A simulated site's encoder and photoeye: what counts say while a board rides past."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calibration.board import SIZE_MM

SCALE = 10.0  # counts per mm of the site's encoder,
JITTER_COUNTS = 0.5  # how far a frame's may lie off,
DELAY_MS = 1.5  # and how long after they were latched the camera exposes
EYE_MM = -620.0  # where the induct photoeye stands; 0 is where a camera's board was laid
START_COUNTS = 70_000.0
NS_PER_S, MS_PER_S = 1e9, 1000.0


@dataclass(frozen=True, slots=True)
class Ride:
    """The board, its middle `along_mm` from 0, on a belt that runs so fast."""

    along_mm: float
    speed_mm_per_s: float

    def counts(self, chance: np.random.Generator) -> float:
        """As latched for the frame that shows it there."""
        behind_mm = self.speed_mm_per_s * DELAY_MS / MS_PER_S
        return START_COUNTS + (self.along_mm - behind_mm) * SCALE + float(chance.normal(0, JITTER_COUNTS))

    @property
    def edge_counts(self) -> float:
        """When its leading edge met the eye."""
        return START_COUNTS + (EYE_MM - SIZE_MM[0] / 2) * SCALE

    @property
    def exposed_ns(self) -> int:
        """0: when its middle was at 0."""
        return round(self.along_mm / self.speed_mm_per_s * NS_PER_S)
