"""The lane's cameras as GigE Vision cameras, each at an address of its own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

from edge.core.messages import Image
from edge.simulator.events import Exposure
from edge.simulator.gige.device import GigeCamera, Size


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
        """As `Wire.send`."""
        self._cameras[exposure.camera].expose(image, exposure.exposed_ns, exposure.counts)

    def power(self, camera: str, *, on: bool) -> None:
        """Give a camera its power, or take it."""
        self._cameras[camera].power(on=on)

    def close(self) -> None:
        """As `Wire.close`."""
        self._stack.close()
