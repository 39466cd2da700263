"""One type of tote: its size, what it looks like when empty; and the file that keeps it."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import cv2
import numpy as np

from edge import sealed
from edge.core.errors import ReferencesRefused
from edge.core.plane import Plane
from edge.core.tote_shape import OUTSIDE, WALLS, Pose, ToteSize, net_cells
from edge.inspection.tote_look import CELL_MM, Cells, ToteLook, beside

FILE = "tote.npz"  # among the files of a calibration
MAKER = "tote-2"  # to be counted up when a constant changes what a stored tote means

SAMPLE_CELLS = 4  # every so manieth cell of walls and rim is compared
SHADE_STEP, TINT_STEP = 10.0, 4.0  # 100 · ln of lightness, Lab: differences that count alike


@dataclass(frozen=True, slots=True)
class ToteType:
    """What is known of one type of tote under a site's light."""

    name: str
    size: ToteSize
    look: ToteLook

    @classmethod
    def of_bytes(cls, content: bytes, name: str) -> ToteType:
        """Read what `to_bytes` gave; name: how messages call it.

        Raises:
            ReferencesRefused: damaged, or learnt in another way than this one.
        """
        stored = sealed.unpacked(content, MAKER, name)
        try:
            size = ToteSize(*(float(one) for one in stored["size"]))
            return cls(str(stored["name"]), size, ToteLook(stored["colour"]))
        except (KeyError, TypeError) as error:
            raise ReferencesRefused(f"{name}: no tote ({error}): learn it anew.") from error

    def to_bytes(self) -> bytes:
        """As the file (`.npz`) that keeps it."""
        size = np.array(astuple(self.size))
        return sealed.packed({"colour": self.look.colour, "name": np.array(self.name), "size": size}, MAKER)

    def strangeness(self, lab: Cells, pose: Pose, plane: Plane) -> float:
        """How unlike its walls and rim are where it would stand so: 1 is a step that can be seen."""
        places, cells = net_cells(self.size, CELL_MM)
        some = (slice(None, None, SAMPLE_CELLS),) * 2
        wanted = (cells.zone[some] >= WALLS) & (cells.zone[some] != OUTSIDE)
        at_px = plane.seen_px(pose.on_belt_mm(places[some][wanted])).astype(np.float32)
        seen = cv2.remap(lab, at_px[:, :1], at_px[:, 1:], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        off = beside(np.asarray(seen, np.float32), self.look.colour[some][wanted][:, None])
        return float(np.median(np.linalg.norm(off / (SHADE_STEP, TINT_STEP, TINT_STEP), axis=-1)))
