"""Frames over ZeroMQ, with the counts at their exposure: all cameras on one PUB socket."""

from __future__ import annotations

import zmq

from edge.core.errors import ConfigError
from edge.core.frames import encode_frame
from edge.core.messages import Frame, Image
from edge.simulator.events import Exposure

HIGH_WATER = 16  # frames kept for a receiver that lags; what is more is dropped, as by a real camera
LINGER_MS = 200


class Feed:
    """A wire to the box, for `Cameras`.

    Raises:
        ConfigError: the endpoint cannot be bound.
    """

    def __init__(self, endpoint: str) -> None:
        self._context = zmq.Context()
        self._socket = self._bound(endpoint)

    def send(self, exposure: Exposure, image: Image, number: int) -> None:
        """As `Wire.send`."""
        frame = Frame(
            camera=exposure.camera,
            frame_id=f"{exposure.camera}-{number}",
            exposed_ns=exposure.exposed_ns,
            belt_counts=exposure.counts,
            image=image,
        )
        self._socket.send_multipart(encode_frame(frame), copy=False)

    def close(self) -> None:
        """As `Wire.close`."""
        self._socket.close(LINGER_MS)
        self._context.term()

    def _bound(self, endpoint: str) -> zmq.Socket[bytes]:
        socket = self._context.socket(zmq.PUB)
        socket.sndhwm = HIGH_WATER
        try:
            socket.bind(endpoint)
        except zmq.ZMQError as error:
            socket.close(0)
            self._context.term()
            raise ConfigError(f"--frames {endpoint}: cannot be bound ({error}): name another endpoint.") from error
        return socket
