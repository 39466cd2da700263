"""The lane's cameras: pictures read ahead, sent as frames over ZeroMQ at each trigger."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

import zmq

from edge.core.errors import ConfigError, PictureUnreadable
from edge.core.frames import encode_frame
from edge.core.messages import Frame, Image
from edge.pictures import read_picture
from edge.simulator.events import Exposure

HIGH_WATER = 16  # frames kept for a receiver that lags; what is more is dropped, as by a real camera
LINGER_MS = 200


class Cameras:
    """All cameras of the lane, on one PUB socket; use it as a context manager.

    Reading and sending each have a thread of their own: neither a slow disk nor a large frame delays the scan.

    Raises:
        ConfigError: the endpoint cannot be bound.
    """

    def __init__(self, endpoint: str) -> None:
        self.sent: Counter[str] = Counter()  # frames by camera
        self.missing: Counter[str] = Counter()  # triggers without a picture, by camera
        self._context = zmq.Context()
        self._socket = self._bound(endpoint)
        self._reader = ThreadPoolExecutor(1, "pictures")
        self._sender = ThreadPoolExecutor(1, "frames")  # the only thread that touches the socket once it is bound
        self._ahead: dict[tuple[int, str], Future[Image]] = {}

    def prepare(self, index: int, pictures: Mapping[str, Path]) -> None:
        """Read an item's pictures, by camera; returns at once."""
        for camera, path in pictures.items():
            self._ahead[index, camera] = self._reader.submit(read_picture, path)

    def expose(self, exposure: Exposure) -> None:
        """Send the frame of one trigger; returns at once."""
        self._sender.submit(self._send, exposure, self._ahead.pop((exposure.index, exposure.camera), None))

    def _send(self, exposure: Exposure, picture: Future[Image] | None) -> None:
        if picture is None:
            self.missing[exposure.camera] += 1
            return
        try:
            image = picture.result()
        except PictureUnreadable as error:
            self.missing[exposure.camera] += 1
            print(f"camera {exposure.camera}: no frame: {error}", file=sys.stderr)  # noqa: T201 - a person should know
            return
        self.sent[exposure.camera] += 1
        self._socket.send_multipart(encode_frame(self._frame(exposure, image)), copy=False)

    def _frame(self, exposure: Exposure, image: Image) -> Frame:
        return Frame(
            camera=exposure.camera,
            frame_id=f"{exposure.camera}-{self.sent[exposure.camera]}",
            exposed_ns=exposure.exposed_ns,
            belt_counts=exposure.counts,
            image=image,
        )

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

    def __enter__(self) -> Self:
        """Ready since it was made."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send what is due, then close."""
        self._sender.shutdown()
        self._reader.shutdown(cancel_futures=True)
        self._socket.close(LINGER_MS)
        self._context.term()
