"""What a camera's accepted calibration says: where it looks, and what its colours are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from calibration import chart
from calibration.totes import Lab
from edge.core.calibration import Calibration
from edge.core.plane import Plane

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class KnownCamera:
    """From the step `camera`."""

    plane: Plane
    to_srgb: Floats  # 3 × 3: from its linear colours to sRGB's
    patches: Floats  # 24 × 3: the chart's colours (linear sRGB) as it saw them when it was calibrated

    @classmethod
    def of(cls, calibration: Calibration) -> Self:
        """Of its values."""
        told = {name: np.array(value, float) for name, value in calibration.values.items()}
        plane = Plane(*(told[name] for name in ("matrix", "bent", "turn", "shift_mm")))
        return cls(plane, told["to_srgb"], told["patches"])

    def as_seen(self, colour: Lab) -> Lab:
        """A colour (CIE Lab, D65) as this camera delivers it, not corrected."""
        seen = chart.of_lab(np.array([colour])) @ np.linalg.inv(self.to_srgb).T
        lightness, a, b = (float(one) for one in chart.lab(seen)[0])
        return lightness, a, b
