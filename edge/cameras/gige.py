"""GenICam cameras (GigE Vision, USB3 Vision) through Aravis: set by their own features, read without a copy."""

from __future__ import annotations

import contextlib
import ctypes
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.cameras.camera_clock import CameraClock
from edge.cameras.genicam import Feature, aravis, described, found, gobject_error, refused
from edge.cameras.pixels import FORMATS, decoded
from edge.cameras.source import READ_S, Shot
from edge.core.errors import CameraFault
from edge.core.messages import Image

BUFFERS = 16  # in memory: what the loop and the inspection hold, and what the next frames are written to
ALIVE_AFTER_S = 1.0  # of silence: then a register is read, which fails where the camera is gone
US_PER_S = 1e6
PACKETS = {"missing": "n_missing_packets", "asked_again": "n_resend_requests", "came_again": "n_resent_packets"}
"""What a stream counts of its packets."""


_FIRST, _OPENED = threading.Lock(), threading.Event()


@contextlib.contextmanager
def _alone_at_first() -> Iterator[None]:
    """One camera at a time, until one was opened: Aravis fills its tables then, not made for two threads."""
    if _OPENED.is_set():
        yield
        return
    with _FIRST:
        yield
        _OPENED.set()


@dataclass(frozen=True, slots=True)
class Chunks:
    """What comes with each frame, by the camera's own names; empty: it does not."""

    encoder: str = ""  # the counts of the belt's encoder, which is wired to the camera too
    timestamp: str = ""  # when the exposure began, in the camera's ticks; without, when the frame was made up

    @property
    def named(self) -> tuple[str, ...]:
        """Those that there are."""
        return tuple(name for name in (self.encoder, self.timestamp) if name)


NO_CHUNKS = Chunks()


class GigeSource:
    """One camera, by its id (`Vendor-Model-Serial`), serial number or address."""

    def __init__(self, which: str, features: Mapping[str, Feature], chunks: Chunks = NO_CHUNKS) -> None:
        """Take its name, the GenICam features to set, in their order, and what is to come with each frame."""
        self.about = which
        self._features = features
        self._chunks = chunks
        self._aravis = aravis()
        self._camera: Any = None
        self._stream: Any = None
        self._parser: Any = None  # of chunks
        self._clock: Any = None  # a CameraClock, while it is open
        self._memory: dict[Any, ctypes.Array[ctypes.c_uint8]] = {}  # buffer → what it writes to
        self._format = ""
        self._heard_s = 0.0
        self._lost = 0
        self._packets: Mapping[str, int] = {}

    def open(self) -> None:
        """As `Source.open`."""
        try:
            with _alone_at_first():
                self._camera = self._aravis.Camera.new(self._device_id())
                if not self._obeys():
                    raise CameraFault("is held by another program: stop that, or wait until the camera has given it up")
                if faults := list(self._refused()):
                    raise CameraFault("; ".join(faults))
                self._clock = CameraClock(self._camera.get_device())
                self._begin()
        except gobject_error() as error:
            there = ", ".join(one["id"] for one in found()) or "none"
            raise CameraFault(f"cannot be opened ({error}); cameras that answer: {there}") from error
        self._heard_s, self._lost = time.monotonic(), 0

    def read(self) -> Shot | None:
        """As `Source.read`."""
        buffer = self._stream.timeout_pop_buffer(round(READ_S * US_PER_S))
        self._count()
        try:
            self._clock.compare()
            if buffer is None:
                self._demand_life()
                return None
        except gobject_error() as error:
            raise CameraFault(f"does not answer ({error}): check cable and power") from error
        self._heard_s = time.monotonic()
        if buffer.get_status() != self._aravis.BufferStatus.SUCCESS:
            self._stream.push_buffer(buffer)
            return None
        exposed_ns, encoder = self._exposed_ns(buffer), self._chunk(buffer, self._chunks.encoder)
        return Shot(self._image(buffer), exposed_ns, buffer.get_frame_id(), encoder=encoder)

    def lost(self) -> int:
        """Frames with missing packets, and those for which no memory was free."""
        return self._lost

    def packets(self) -> Mapping[str, int]:
        """As `Source.packets`."""
        return self._packets

    def settings(self) -> Mapping[str, tuple[str, str]]:
        """As `Source.settings`."""
        return dict(described(self._camera.get_device()))

    def close(self) -> None:
        """As `Source.close`; frames that somebody still holds keep their memory."""
        if self._camera is not None:
            with contextlib.suppress(gobject_error()):  # it may be gone
                self._camera.stop_acquisition()
        self._stream = None  # ours is the only reference: its thread ends here, before the memory goes it writes to
        self._camera = self._clock = self._parser = None  # without references the camera is given up
        self._memory = {}

    def _device_id(self) -> str:
        """The id of the camera that is meant; what is unknown may be an address, which Aravis asks itself."""
        return next((one["id"] for one in found() if one["serial"] == self.about), self.about)

    def _refused(self) -> Iterator[str]:
        """Set all features and chunks, and read back what they come to."""
        yield from refused(self._camera.get_device(), self._features)
        self._format = str(self._camera.get_pixel_format_as_string())
        if self._format not in FORMATS:
            yield f"sends {self._format}, which is not known here: set PixelFormat to one of {', '.join(FORMATS)}"
        if named := self._chunks.named:
            try:
                self._camera.set_chunks(",".join(named))
            except gobject_error() as error:
                yield f"does not send {' and '.join(named)} with its frames ({error}): see its ChunkSelector"
            self._parser = self._camera.create_chunk_parser()

    def _begin(self) -> None:
        self._stream = self._camera.create_stream(None, None)
        size = self._camera.get_payload()
        for _ in range(BUFFERS):
            memory = (ctypes.c_uint8 * size)()
            buffer = self._aravis.Buffer.new(size, ctypes.addressof(memory))
            self._memory[buffer] = memory
            self._stream.push_buffer(buffer)
        self._camera.start_acquisition()

    def _demand_life(self) -> None:
        """A camera that waits for triggers is silent; one that is gone, or was restarted, is not heard again."""
        if not self._obeys():  # so the heartbeat found
            raise CameraFault("was restarted, or another program has taken it: check its power")
        if time.monotonic() - self._heard_s >= ALIVE_AFTER_S:
            self._camera.get_payload()
            self._heard_s = time.monotonic()

    def _count(self) -> None:
        """On the reader's thread: another's reference to the stream would have it outlive its memory."""
        _, failed, without_memory = self._aravis.Stream.get_statistics(self._stream)  # a GvStream counts packets
        self._lost = int(failed + without_memory)
        if hasattr(self._stream, "get_port"):  # it is of GigE Vision
            self._packets = {what: int(self._stream.get_info_uint64_by_name(name)) for what, name in PACKETS.items()}

    def _obeys(self) -> bool:
        """Whether we control it; of a USB camera the system sees to that."""
        return bool(getattr(self._camera.get_device(), "is_controller", lambda: True)())

    def _exposed_ns(self, buffer: Any) -> int:
        """By the camera's clock where that is known, and no later than the first packet came."""
        arrived_ns = time.monotonic_ns() - max(time.time_ns() - buffer.get_system_timestamp(), 0)
        ticks = self._chunk(buffer, self._chunks.timestamp)
        taken_ns = int(buffer.get_timestamp()) if ticks is None else self._clock.of_ticks(ticks)
        exposed_ns = self._clock.ours(taken_ns)
        return int(arrived_ns if exposed_ns is None else min(exposed_ns, arrived_ns))

    def _chunk(self, buffer: Any, name: str) -> int | None:
        """What came with a frame.

        Raises:
            CameraFault: it did not.
        """
        if not name:
            return None
        try:
            return int(self._parser.get_integer_value(buffer, f"Chunk{name}"))
        except gobject_error() as error:
            self._stream.push_buffer(buffer)
            raise CameraFault(f"sends no {name} with its frames ({error})") from error

    def _image(self, buffer: Any) -> Image:
        """The buffer as a picture; it goes back to the camera when nobody holds its memory any longer."""
        pixels = np.frombuffer(memoryview(self._memory[buffer]).cast("B"), np.uint8)
        weakref.finalize(pixels, _give_back, weakref.ref(self._stream), buffer)
        shape = buffer.get_image_height(), buffer.get_image_width()
        return decoded(pixels, shape, self._format)


def _give_back(stream: weakref.ref[Any], buffer: Any) -> None:
    if (alive := stream()) is not None:
        alive.push_buffer(buffer)
