"""The lane's cameras as GigE Vision cameras, each at an address of its own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

import cv2
import numpy as np

from edge.core.messages import Image
from edge.simulator.events import Exposure
from edge.simulator.gige.device import GigeCamera

Size = tuple[int, int]
"""Width and height, px."""


class GigeWire:
    """A wire to the box, for `Cameras`: its triggers are the cameras' Line1, its counts their encoder's.

    Raises:
        ConfigError: no camera can answer at an address.
    """

    def __init__(self, addresses: Mapping[str, str], sizes_px: Mapping[str, Size]) -> None:
        """Take each camera's address and size, by name; the name is its serial number too."""
        with ExitStack() as stack:
            self._cameras = {
                name: stack.enter_context(GigeCamera(address, name, sizes_px[name]))
                for name, address in addresses.items()
            }
            self._stack = stack.pop_all()

    def send(self, exposure: Exposure, image: Image, number: int) -> None:
        """As `Wire.send`; a picture of another size is put into the middle of the camera's."""
        camera = self._cameras[exposure.camera]
        camera.expose(fitted(image, camera.size_px), exposure.exposed_ns, exposure.counts)

    def close(self) -> None:
        """As `Wire.close`."""
        self._stack.close()


def fitted(image: Image, size_px: Size) -> Image:
    """A picture in the middle of a black one of another size, made smaller where it has to be."""
    if image.shape[1::-1] == size_px:
        return image
    scale = min(1.0, size_px[0] / image.shape[1], size_px[1] / image.shape[0])
    small = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    left, top = ((size_px[axis] - small.shape[1 - axis]) // 2 for axis in (0, 1))
    whole = np.zeros((size_px[1], size_px[0], 3), np.uint8)
    whole[top : top + small.shape[0], left : left + small.shape[1]] = small
    return whole
