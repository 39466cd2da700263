"""The lane's cameras: pictures read ahead, and sent at each trigger, as a camera node or as GigE Vision cameras do."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from edge.core.errors import PictureUnreadable
from edge.core.messages import Image
from edge.pictures import read_picture
from edge.simulator.events import Exposure


class Wire(Protocol):
    """How pictures come to the box; only one thread sends."""

    def send(self, exposure: Exposure, image: Image, number: int) -> None:
        """The picture of one trigger, the so manieth of its camera."""
        ...

    def close(self) -> None:
        """Send no more."""
        ...


class Cameras:
    """All cameras of the lane; use it as a context manager.

    Reading and sending each have a thread of their own: neither a slow disk nor a large frame delays the scan.
    """

    def __init__(self, wire: Wire) -> None:
        self.sent: Counter[str] = Counter()  # frames by camera
        self.missing: Counter[str] = Counter()  # triggers without a picture, by camera
        self._wire = wire
        self._reader = ThreadPoolExecutor(1, "pictures")
        self._sender = ThreadPoolExecutor(1, "frames")
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
        self._wire.send(exposure, image, self.sent[exposure.camera])

    def __enter__(self) -> Self:
        """Ready since it was made."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send what is due, then close."""
        self._sender.shutdown()
        self._reader.shutdown(cancel_futures=True)
        self._wire.close()
