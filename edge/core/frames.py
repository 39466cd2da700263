"""A frame as parts of one ZeroMQ message: topic, header, pixels."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from edge.core.errors import MalformedMessage
from edge.core.messages import Frame

TOPIC = b"frame"
MAX_PIXEL_BYTES = 64 * 2**20


def encode_frame(frame: Frame) -> list[bytes]:
    """Topic, JSON header and raw pixels, row by row."""
    header = {
        "camera": frame.camera,
        "frame": frame.frame_id,
        "exposed_ns": frame.exposed_ns,
        "belt_counts": frame.belt_counts,
        "shape": list(frame.image.shape),
    }
    return [TOPIC, json.dumps(header).encode(), np.ascontiguousarray(frame.image).tobytes()]


def decode_frame(parts: Sequence[bytes]) -> Frame:
    """The frame in a message's parts; its image is read-only and shares their memory.

    Raises:
        MalformedMessage: not three parts, a header that lacks a field, or pixels that do not fill the shape.
    """
    try:
        _, head, pixels = parts
        header: dict[str, Any] = json.loads(head)
        return Frame(
            camera=str(header["camera"]),
            frame_id=str(header["frame"]),
            exposed_ns=_instant(header["exposed_ns"]),
            belt_counts=_finite(header["belt_counts"]),
            image=np.frombuffer(pixels, np.uint8).reshape(_shape(header["shape"], len(pixels))),
        )
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError) as error:
        raise MalformedMessage("frame", f"a camera node sent no frame: {str(error)[:80]}.") from error


def _instant(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError(f"{str(value)[:40]} is no time in ns")
    return value


def _finite(value: object) -> float:
    number = float(value)  # type: ignore[arg-type]
    if not math.isfinite(number):
        raise ValueError(f"{value} is no count")
    return number


def _shape(shape: Sequence[int], size: int) -> tuple[int, ...]:
    """Height, width and, for colour, 3."""
    if size > MAX_PIXEL_BYTES or len(shape) not in (2, 3) or min(shape) < 1 or tuple(shape[2:]) not in ((), (3,)):
        raise ValueError(f"{size} bytes of pixels in the shape {shape}")
    return tuple(shape)
