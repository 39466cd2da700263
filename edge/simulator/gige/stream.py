"""GVSP: a frame as packets, leader, payload and trailer; the same packets again when they are asked for."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

LEADER, TRAILER, PAYLOAD = 1, 2, 3
IMAGE, WITH_CHUNKS = 0x0001, 0x4000
OVERHEAD = 36  # bytes of a packet that are headers: IP, UDP and GVSP
IMAGE_TAIL = 0x00000000  # the picture's own chunk number

Packet = tuple[bytes, memoryview | bytes]
"""A header and what follows it: sent together, without a copy."""


@dataclass(frozen=True, slots=True)
class Block:
    """One frame, as the wire has it."""

    number: int  # 1 to 65535
    taken: int  # the camera's ticks at exposure
    pixels: int  # PixelFormat
    size_px: tuple[int, int]  # width and height
    payload: bytes  # the picture and its chunks
    has_chunks: bool

    def packets(self, packet_size: int) -> list[Packet]:
        """All of them, in order; packet_size: bytes on the wire, as the client has set it."""
        room, whole = packet_size - OVERHEAD, memoryview(self.payload)
        kind = IMAGE | (WITH_CHUNKS if self.has_chunks else 0)
        width_px, height_px = self.size_px
        leader = struct.pack(">HHQIIIIIHH", 0, kind, self.taken, self.pixels, width_px, height_px, 0, 0, 0, 0)
        trailer = struct.pack(">HHI", 0, kind, height_px)
        parts: list[memoryview | bytes] = [whole[start : start + room] for start in range(0, len(whole), room)]
        kinds = [LEADER, *(PAYLOAD for _ in parts), TRAILER]
        bodies: Iterator[memoryview | bytes] = iter((leader, *parts, trailer))
        return [(self._header(kind, place), body) for place, (kind, body) in enumerate(zip(kinds, bodies, strict=True))]

    def _header(self, kind: int, place: int) -> bytes:
        return struct.pack(">HHI", 0, self.number, kind << 24 | place)


def with_chunks(picture: bytes, chunks: dict[int, bytes]) -> bytes:
    """A picture and what comes with it; each is followed by its number and length, for they are read from the end."""
    parts = {IMAGE_TAIL: picture, **chunks}
    return b"".join(value + struct.pack(">II", number, len(value)) for number, value in parts.items())
