"""The camera itself: answers clients, and sends frames at triggers or at its own rate."""

from __future__ import annotations

import contextlib
import random
import select
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from edge.core.belt import NS_PER_S
from edge.core.errors import ConfigError, MalformedMessage
from edge.core.messages import Image
from edge.simulator.gige import control
from edge.simulator.gige import description as at
from edge.simulator.gige.control import Registers
from edge.simulator.gige.stream import Block, Packet, with_chunks

EVERYONE = "255.255.255.255"
POLL_S = 0.02
SENT = 8  # frames that can be sent again
WAITING = 4  # frames that may wait to be sent; the oldest is dropped
OFFSET_NS = 3_600 * NS_PER_S  # its clock is not the box's
TEST_PACKET, NOT_CUT = 1 << 31, 1 << 30

Scene = Callable[[], tuple[Image, int]]
"""What it would see now, and the encoder's counts."""

Size = tuple[int, int]
"""Width and height, px."""


class GigeCamera:
    """Use it as a context manager; one client at a time controls it, and is given up when it is not heard.

    Raises:
        ConfigError: the address cannot be bound, or another camera answers there.
    """

    def __init__(
        self,
        address: str,
        serial: str,
        size_px: Size,
        pixels: str = "BGR8",
        scene: Scene | None = None,
        lost_share: float = 0.0,
    ) -> None:
        """Take where it answers, width and height, and PixelFormat.

        scene: what it sees when it runs free; lost_share: of its packets, that get lost on the way.
        """
        self.lost = 0  # packets
        self.again = 0  # packets that were asked for again, and sent
        self._address, self._scene = address, scene
        self._start = partial(Registers, address, serial, size_px, pixels, self._clock)
        self._registers = self._start()
        self._powered = True
        self._lost_share, self._chance = lost_share, random.Random(1)  # noqa: S311 - a reproducible draw
        self._client: tuple[str, int] | None = None
        self._heard_s = 0.0
        self._waiting: deque[tuple[Image, int, int]] = deque(maxlen=WAITING)  # picture, monotonic ns, counts
        self._sent: deque[tuple[int, list[Packet]]] = deque(maxlen=SENT)
        self._number = 0
        self._ending = threading.Event()
        self._sockets = [self._bound(where) for where in (address, EVERYONE)]
        self._stream = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._stream.bind((address, 0))
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._answer, self._send)]

    def expose(self, image: Image, exposed_ns: int, counts: int) -> None:
        """The trigger on Line1: send what is before it; returns at once.

        image: uint8, of the camera's size, BGR or mono; exposed_ns: monotonic; counts: of the encoder at exposure.
        """
        if self._registers[at.ACQUIRE] and self._registers[at.TRIGGER_MODE]:
            self._waiting.append((image, exposed_ns, counts))

    def power(self, *, on: bool) -> None:
        """Without, it answers nothing and sends nothing; with it again it knows of no client."""
        self._powered, self._client = False, None
        self._registers = self._start()
        self._waiting.clear()
        self._powered = on

    @property
    def acquiring(self) -> bool:
        """Whether a client has it send."""
        return bool(self._registers[at.ACQUIRE])

    @property
    def size_px(self) -> Size:
        """Width and height, as the client has set them."""
        return self._registers[at.WIDTH], self._registers[at.HEIGHT]

    def _clock(self) -> int:
        return time.monotonic_ns() + OFFSET_NS

    def _bound(self, where: str) -> socket.socket:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, where == EVERYONE)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, True)  # noqa: FBT003 - the socket's own call
        try:
            one.bind((where, control.PORT))
        except OSError as error:
            one.close()
            raise ConfigError(f"{where}: no camera can answer there ({error}): name another address.") from error
        return one

    def _answer(self) -> None:
        """The thread of the control channel."""
        while not self._ending.is_set():
            ready, _, _ = select.select(self._sockets, [], [], POLL_S)
            for one in ready:
                packet, client = one.recvfrom(2048)
                if not self._powered:
                    continue
                with contextlib.suppress(MalformedMessage):  # no word to what is no command
                    self._hear(*control.parsed(packet), client)
            self._miss_client()

    def _hear(self, command: int, request: int, said: bytes, client: tuple[str, int]) -> None:
        if client == self._client:
            self._heard_s = time.monotonic()
        try:
            if command == control.RESEND:
                self._resend(said)
                return
            answer = self._done(command, request, said, client)
        except (MalformedMessage, struct.error):
            answer = control.answered(command, request, b"", control.BAD_ADDRESS)
        self._sockets[0].sendto(answer, client)

    def _done(self, command: int, request: int, said: bytes, client: tuple[str, int]) -> bytes:
        match command:
            case control.DISCOVERY:
                return control.answered(command, request, self._registers.found())
            case control.READ_REGISTERS:
                addresses = struct.unpack(f">{len(said) // 4}I", said)
                found = b"".join(self._registers.read(address, 4) for address in addresses)
                return control.answered(command, request, found)
            case control.READ_MEMORY:
                address, length = struct.unpack(">IHH", said)[0::2]
                return control.answered(command, request, said[:4] + self._registers.read(address, length))
            case control.WRITE_REGISTERS:
                pairs = [struct.unpack_from(">II", said, place) for place in range(0, len(said), 8)]
                return self._written(command, request, pairs, client)
            case control.WRITE_MEMORY:
                address, words = struct.unpack(f">I{len(said) // 4 - 1}I", said)[0], said[4:]
                values = struct.unpack(f">{len(words) // 4}I", words)
                pairs = [(address + 4 * place, value) for place, value in enumerate(values)]
                return self._written(command, request, pairs, client)
        return control.answered(command, request, b"", control.NOT_IMPLEMENTED)

    def _written(self, command: int, request: int, pairs: list[tuple[int, ...]], client: tuple[str, int]) -> bytes:
        for place, (address, value) in enumerate(pairs):
            if address not in control.WRITABLE or client != (self._client or client):
                return control.answered(command, request, struct.pack(">HH", 0, place), control.READ_ONLY)
            self._registers[address] = value
            self._heed(address, value, client)
        return control.answered(command, request, struct.pack(">HH", 0, len(pairs)))

    def _heed(self, address: int, value: int, client: tuple[str, int]) -> None:
        """What a number that was written does."""
        if address == at.CONTROL:
            self._client, self._heard_s = (client if value else None), time.monotonic()
        elif address == at.CLOCK_CONTROL and value == at.LATCH:
            self._registers.latch()
        elif address == at.PACKET_SIZE:
            self._registers[address] = value & 0xFFFF
            if value & TEST_PACKET:
                self._stream.sendto(bytes((value & 0xFFFF) - 28), self._destination())
        elif address == at.TRIGGER and self._scene:
            self.expose(self._scene()[0], time.monotonic_ns(), self._scene()[1])

    def _miss_client(self) -> None:
        """One that is not heard in time has lost the camera."""
        patience_s = self._registers[at.HEARTBEAT_MS] / 1000
        if self._client and time.monotonic() - self._heard_s > patience_s:
            self._client = None
            self._registers[at.ACQUIRE] = self._registers[at.CONTROL] = 0

    def _send(self) -> None:
        """The thread of the stream channel."""
        due_s = time.monotonic()
        while not self._ending.wait(0.0005):
            while self._waiting:
                self._send_frame(*self._waiting.popleft())
            free = self._registers[at.ACQUIRE] and not self._registers[at.TRIGGER_MODE]
            if free and self._scene and time.monotonic() >= due_s:
                due_s = max(due_s + 1 / self._registers.rate, time.monotonic())
                image, counts = self._scene()
                self._send_frame(image, time.monotonic_ns(), counts)

    def _send_frame(self, image: Image, exposed_ns: int, counts: int) -> None:
        """All packets of a frame, but for those that get lost on the way."""
        taken, chunks = exposed_ns + OFFSET_NS, self._registers.chunks
        known = {"Timestamp": taken.to_bytes(8, "big"), "EncoderValue": (counts % 2**32).to_bytes(4, "big")}
        image = fitted(image, self.size_px)
        picture = np.ascontiguousarray(image).tobytes()
        payload = with_chunks(picture, {at.CHUNK_IDS[one]: known[one] for one in chunks}) if chunks else picture
        self._number = self._number % 65535 + 1
        pixels = self._registers[at.PIXEL_FORMAT]
        block = Block(self._number, taken, pixels, (image.shape[1], image.shape[0]), payload, bool(chunks))
        packets = block.packets(self._registers[at.PACKET_SIZE])
        self._sent.append((self._number, packets))
        for packet in packets:
            if self._lost_share and self._chance.random() < self._lost_share:
                self.lost += 1
            else:
                self._put(packet)

    def _resend(self, said: bytes) -> None:
        _, number, first, last = struct.unpack(">HHII", said[:12])
        packets = next((packets for sent, packets in list(self._sent) if sent == number), [])
        for packet in packets[first & 0xFFFFFF : (last & 0xFFFFFF) + 1]:
            self.again += 1
            self._put(packet)

    def _put(self, packet: Packet) -> None:
        with contextlib.suppress(OSError):  # nobody listens there any longer
            self._stream.sendmsg(packet, [], 0, self._destination())

    def _destination(self) -> tuple[str, int]:
        address = socket.inet_ntoa(self._registers.read(at.STREAM_ADDRESS, 4))
        return address, self._registers[at.STREAM_PORT] & 0xFFFF

    def __enter__(self) -> Self:
        """Begin to answer."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Lose power."""
        self._ending.set()
        for thread in self._threads:
            thread.join()
        for one in (*self._sockets, self._stream):
            one.close()


def fitted(image: Image, size_px: Size) -> Image:
    """A picture in the middle of a black one of another size, made smaller where it has to be."""
    if image.shape[1::-1] == size_px:
        return image
    scale = min(1.0, size_px[0] / image.shape[1], size_px[1] / image.shape[0])
    small = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    left, top = ((size_px[axis] - small.shape[1 - axis]) // 2 for axis in (0, 1))
    whole = np.zeros((size_px[1], size_px[0], *image.shape[2:]), np.uint8)
    whole[top : top + small.shape[0], left : left + small.shape[1]] = small
    return whole
