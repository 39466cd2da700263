"""GVCP: what a client reads from the camera's registers, and writes to them."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

from edge.core.errors import MalformedMessage
from edge.simulator.gige import description as at

PORT = 3956
KEY = 0x42
DISCOVERY, RESEND = 0x0002, 0x0040
READ_REGISTERS, WRITE_REGISTERS, READ_MEMORY, WRITE_MEMORY = 0x0080, 0x0082, 0x0084, 0x0086
SUCCESS, NOT_IMPLEMENTED, BAD_ADDRESS, READ_ONLY = 0x0000, 0x8001, 0x8003, 0x8004
DISCOVERED = 0xF8  # bytes of the first registers, which a discovery is answered with
MOST_BYTES = 536  # of memory in one answer
CAN_RESEND, CAN_WRITE_MEMORY = 1 << 2, 1 << 1
WRITABLE = frozenset(
    {at.HEARTBEAT_MS, at.CLOCK_CONTROL, at.CONTROL, at.STREAM_PORT, at.PACKET_SIZE, at.STREAM_ADDRESS}
    | {at.WIDTH, at.HEIGHT, at.PIXEL_FORMAT, at.MODE, at.ACQUIRE, at.RATE, at.EXPOSURE}
    | {at.TRIGGER_SELECTOR, at.TRIGGER_MODE, at.TRIGGER_SOURCE, at.TRIGGER, at.CHUNKS, at.CHUNK_SELECTOR}
    | {at.CHUNK_ENABLE + 4 * number for number in range(len(at.CHUNK_IDS))}
)

Clock = Callable[[], int]
"""The camera's own time, ns."""


class Registers:
    """The camera's memory; numbers are big-endian, as GigE Vision has them."""

    def __init__(self, address: str, serial: str, size_px: tuple[int, int], pixels: str, clock: Clock) -> None:
        """Take where it answers, its serial number, width and height, PixelFormat, and its clock."""
        told = at.description()
        self._memory = bytearray(at.DESCRIPTION) + told + bytes(MOST_BYTES)  # clients read in whole blocks
        self._clock = clock
        width_px, height_px = size_px
        start = {
            0x0: 0x00010002,  # GigE Vision 1.2
            at.CURRENT_ADDRESS: int.from_bytes(socket.inet_aton(address), "big"),
            at.CAPABILITY: CAN_RESEND | CAN_WRITE_MEMORY,
            at.HEARTBEAT_MS: 3000,
            at.TICK_HZ + 4: 1_000_000_000,
            0x904: 1,  # stream channel
            at.PACKET_SIZE: 1500,
            at.WIDTH: width_px,
            at.HEIGHT: height_px,
            at.PIXEL_FORMAT: at.FORMATS[pixels],
            at.RATE: int.from_bytes(struct.pack(">f", 10.0), "big"),
            at.EXPOSURE: int.from_bytes(struct.pack(">f", 2000.0), "big"),
        }
        for place, value in start.items():
            self[place] = value
        url = f"Local:camera.xml;{at.DESCRIPTION:x};{len(told):x}"
        texts = {at.MANUFACTURER: "tunnel-edge", at.MODEL: "Simulated", at.SERIAL: serial, at.DESCRIPTION_URL: url}
        for place, text in texts.items():
            self._memory[place : place + len(text)] = text.encode()

    def __getitem__(self, address: int) -> int:
        """The number of four bytes at an address."""
        if address == at.PAYLOAD:
            return self.payload
        return int.from_bytes(self._memory[address : address + 4], "big")

    def __setitem__(self, address: int, value: int) -> None:
        """Write four bytes."""
        self._memory[address : address + 4] = value.to_bytes(4, "big")

    @property
    def rate(self) -> float:
        """Frames a second, where it runs free."""
        return max(0.1, float(struct.unpack(">f", self._memory[at.RATE : at.RATE + 4])[0]))

    @property
    def chunks(self) -> tuple[str, ...]:
        """What comes with each frame, by name."""
        if not self[at.CHUNKS]:
            return ()
        return tuple(name for number, name in enumerate(at.CHUNK_IDS) if self[at.CHUNK_ENABLE + 4 * number])

    @property
    def payload(self) -> int:
        """Bytes of a frame; each chunk, and the picture where there are any, has a tail of 8."""
        picture = self[at.WIDTH] * self[at.HEIGHT] * at.BYTES[self[at.PIXEL_FORMAT]]
        tails = sum(one.length + 8 for one in at.CHUNK_FEATURES if one.name in self.chunks)
        return picture + (8 + tails if self.chunks else 0)

    def latch(self) -> None:
        """Keep the clock's present value, to be read."""
        self._memory[at.CLOCK_VALUE : at.CLOCK_VALUE + 8] = self._clock().to_bytes(8, "big")

    def read(self, address: int, length: int) -> bytes:
        """Some bytes.

        Raises:
            MalformedMessage: there is no such address.
        """
        if not 0 <= address <= address + length <= len(self._memory):
            raise MalformedMessage("address", f"no register at {address:#x}.")
        if address == at.PAYLOAD and length == 4:
            return self.payload.to_bytes(4, "big")
        return bytes(self._memory[address : address + length])

    def found(self) -> bytes:
        """What a discovery is answered with."""
        return self.read(0, DISCOVERED)


def parsed(packet: bytes) -> tuple[int, int, bytes]:
    """A command's number, its request number, and what it says.

    Raises:
        MalformedMessage: no GVCP command.
    """
    if len(packet) < 8 or packet[0] != KEY:
        raise MalformedMessage("gvcp", "a packet that is no GVCP command.")
    command, length, request = struct.unpack(">HHH", packet[2:8])
    if len(packet) < 8 + length:
        raise MalformedMessage("gvcp", "a GVCP command that is cut off.")
    return command, request, packet[8 : 8 + length]


def answered(command: int, request: int, said: bytes, status: int = SUCCESS) -> bytes:
    """The answer to a command."""
    return struct.pack(">HHHH", status, command + 1, len(said), request) + said
