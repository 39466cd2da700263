"""A frame as parts of one ZeroMQ message: topic, header, pixels; with its counts, or with the times of a node."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.core.errors import MalformedMessage
from edge.core.fields import count, finite, instant, name, told
from edge.core.messages import Frame, Image

TOPIC = b"frame"
MAX_PIXEL_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Sent:
    """What a node sends of one exposure."""

    camera: str
    life: str  # of the node: as in its answers
    number: int  # of the frames of this camera that the node has sent, from 1: what is missing was lost on the way
    exposure: int  # the camera's own number
    exposed_ns: int  # the node's clock
    expires_ns: int  # the box's clock: afterwards nobody may judge it
    image: Image  # the part that shows an item
    at_px: tuple[int, int]  # its first row and column in the whole picture
    whole_px: tuple[int, int]  # height and width of that
    fault: str = ""  # what is wrong with what it shows
    encoder: int | None = None  # counts of the belt's encoder at exposure, where it is wired to the camera


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


def encode_sent(sent: Sent) -> list[bytes]:
    """The same parts, of what a node sends."""
    header = {
        "camera": sent.camera,
        "life": sent.life,
        "number": sent.number,
        "exposure": sent.exposure,
        "exposed_ns": sent.exposed_ns,
        "expires_ns": sent.expires_ns,
        "fault": sent.fault,
        "encoder": sent.encoder,
        "at_px": sent.at_px,
        "whole_px": sent.whole_px,
        "shape": list(sent.image.shape),
    }
    return [TOPIC, json.dumps(header).encode(), np.ascontiguousarray(sent.image).tobytes()]


def decode_frame(parts: Sequence[bytes]) -> Frame:
    """The frame in a message's parts; its image is read-only and shares their memory.

    Raises:
        MalformedMessage: not three parts, a header that lacks a field, or pixels that do not fill the shape.
    """
    try:
        header, image = _opened(parts)
        return Frame(
            camera=str(header["camera"]),
            frame_id=str(header["frame"]),
            exposed_ns=instant(header["exposed_ns"]),
            belt_counts=finite(header["belt_counts"]),
            image=image,
        )
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError) as error:
        raise MalformedMessage("frame", f"a camera node sent no frame: {str(error)[:80]}.") from error


def decode_sent(parts: Sequence[bytes]) -> Sent:
    """What a node sent; its image is read-only and shares the message's memory.

    Raises:
        MalformedMessage: as `decode_frame`.
    """
    try:
        header, image = _opened(parts)
        return Sent(
            camera=name(header["camera"]),
            life=name(header["life"]),
            number=count(header["number"]),
            exposure=count(header["exposure"]),
            exposed_ns=instant(header["exposed_ns"]),
            expires_ns=instant(header["expires_ns"]),
            image=image,
            fault=told(header["fault"]),
            **_placed(header, image),
            encoder=None if header["encoder"] is None else count(header["encoder"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError) as error:
        raise MalformedMessage("frame", f"a camera node sent no frame: {str(error)[:80]}.") from error


def _opened(parts: Sequence[bytes]) -> tuple[Mapping[str, Any], Image]:
    _, head, pixels = parts
    header: dict[str, Any] = json.loads(head)
    return header, np.frombuffer(pixels, np.uint8).reshape(_shape(header["shape"], len(pixels)))


def _placed(header: Mapping[str, Any], image: Image) -> dict[str, tuple[int, int]]:
    """Where a part lies in its whole picture, which is no larger than a frame may be."""
    (top, left), (height, width) = header["at_px"], header["whole_px"]
    for value in (top, left, height, width):
        count(value)
    if top + image.shape[0] > height or left + image.shape[1] > width or 3 * height * width > MAX_PIXEL_BYTES:
        raise ValueError(f"a part at {top}, {left} of {height} × {width} px")
    return {"at_px": (top, left), "whole_px": (height, width)}


def _shape(shape: Sequence[int], size: int) -> tuple[int, ...]:
    """Height, width and, for colour, 3."""
    if size > MAX_PIXEL_BYTES or len(shape) not in (2, 3) or min(shape) < 1 or tuple(shape[2:]) not in ((), (3,)):
        raise ValueError(f"{size} bytes of pixels in the shape {shape}")
    return tuple(shape)
