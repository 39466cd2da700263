"""A picture held before a lens, or one that is sent again: it shows one item after the other alike, to the pixel."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.messages import Image, Sighting

SIDE_PX = 128  # width of the small copies that are compared: a sensor's noise is averaged away
LEVELS = 8.0  # of 255 that all but MOST of two pictures of one thing keep within; sound ones lie 14 or more apart
SHARE = 0.1  # of a picture's own range: the limit where little light makes everything alike
MOST = 99.0  # per cent

Small = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shown:
    """The last picture of a camera, made small."""

    item_id: str
    small: Small  # grey


class Held:
    """Compares each item's picture with that of the item before, camera by camera; safe to ask from any thread."""

    def __init__(self) -> None:
        self._shown: dict[str, Shown] = {}
        self._faults: Mapping[str, str] = {}  # replaced, never changed: the loop asks without waiting
        self._lock = threading.Lock()

    def check(self, sighting: Sighting) -> str:
        """What is wrong with the camera that shows this; empty: nothing that can be told from two items."""
        camera, item_id = sighting.frame.camera, sighting.item.item_id
        shown = Shown(item_id, reduced(sighting.frame.image))
        with self._lock:
            before = self._shown.get(camera)
            if before is None or before.item_id != item_id:
                self._shown[camera] = shown
                self._note(camera, before is not None and alike(before.small, shown.small))
            return self._faults.get(camera, "")

    def faults(self) -> Mapping[str, str]:
        """Camera → what is wrong with it just now, and what to do."""
        return self._faults

    def _note(self, camera: str, is_held: bool) -> None:  # noqa: FBT001 - a fact, no switch
        others = {name: why for name, why in self._faults.items() if name != camera}
        why = f"camera '{camera}' shows the same picture for one item after the other: look for what is before its lens"
        self._faults = others | ({camera: why} if is_held else {})


def alike(one: Small, other: Small) -> bool:
    """Whether two small pictures show one and the same thing, in one and the same place; a lamp may waver."""
    if one.shape != other.shape:
        return False
    low, high = np.percentile(one, (100 - MOST, MOST))
    apart = np.abs(one - other * (one.mean() / max(1.0, float(other.mean()))))
    return bool(np.percentile(apart, MOST) < min(LEVELS, SHARE * (high - low)))


def reduced(image: Image) -> Small:
    """A frame, BGR or mono, made small and grey."""
    height_px = max(8, round(SIDE_PX * image.shape[0] / image.shape[1]))
    small = cv2.resize(image, (SIDE_PX, height_px), interpolation=cv2.INTER_AREA)
    grey = small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    return np.asarray(grey, np.float32)
