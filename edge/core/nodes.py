"""What a box and a camera node say to each other besides frames: JSON, every field checked.

The box asks some 25 times a second and says where the belt is (`Word`); the node answers with its clock and how its
cameras are (`Answer`); the box acknowledges each frame (`Got`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from edge.core.errors import MalformedMessage
from edge.core.fields import count, finite, instant, name, signed, told

WORD, ANSWER, READY, GOT = b"word", b"answer", b"ready", b"got"
"""The first part of a message. READY says, with the name of the box, where frames are to go; see `frames.TOPIC`."""
MAX_CAMERAS, MAX_NEAR = 32, 8
MAX_WORD_BYTES = 64 * 1024
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)
"""What reading a body raises that is not what it should be."""


@dataclass(frozen=True, slots=True)
class Near:
    """An item that a camera shows, or soon will."""

    centre_counts: float  # at which its middle is before the camera
    length_mm: float
    deadline_ns: int  # the box's clock


@dataclass(frozen=True, slots=True)
class Watched:
    """What passes before one camera."""

    reach_mm: float  # how far from the middle of its view an item's middle may be
    apart_mm: float  # of belt between two frames of an item that are both of use; 0: all are
    near: tuple[Near, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the belt is, and what is on it."""

    at_ns: int  # the box's clock
    offset_ns: int  # the node's clock less the box's
    counts: float
    speed_mm_per_s: float
    counts_per_mm: float
    cameras: Mapping[str, Watched]


@dataclass(frozen=True, slots=True)
class Word:
    """What the box says."""

    asked_ns: int  # the box's clock
    box: str  # another one whenever its daemon is started
    place: Place | None  # None: whoever asks only wants to know how the node is


@dataclass(frozen=True, slots=True)
class CameraState:
    """How a camera of a node is; numbers since the node was started."""

    fault: str  # and what to do; empty: none
    triggered: bool
    sent: int  # frames
    dropped: int  # a newer one took their place, or nobody was there to send them to
    expired: int  # before there was room to send them


@dataclass(frozen=True, slots=True)
class Answer:
    """What the node says."""

    asked_ns: int  # the box's clock, as it was asked
    heard_ns: int  # the node's clock
    answered_ns: int  # the node's clock
    life: str  # another one whenever the node is started
    serves: str  # the box that frames go to; empty: none
    refused: int  # messages, and keys
    cameras: Mapping[str, CameraState]


@dataclass(frozen=True, slots=True)
class Got:
    """What became of a frame."""

    camera: str
    number: int
    spent: float  # of the time until it expired, when it came; above 1: too late


def encode_word(word: Word) -> list[bytes]:
    """Kind and JSON."""
    return [WORD, _json(asdict(word))]


def encode_answer(answer: Answer) -> list[bytes]:
    """Kind and JSON."""
    return [ANSWER, _json(asdict(answer))]


def encode_got(got: Got) -> list[bytes]:
    """Kind and JSON."""
    return [GOT, _json(asdict(got))]


def decode_word(body: bytes) -> Word:
    """A word.

    Raises:
        MalformedMessage: too big, no JSON, or a field is missing or wrong.
    """
    try:
        fields = _table(body)
        place = None if fields["place"] is None else _place(fields["place"])
        return Word(instant(fields["asked_ns"]), name(fields["box"]), place)
    except UNREADABLE as error:
        raise MalformedMessage("word", f"a box sent no word: {str(error)[:80]}.") from error


def decode_answer(body: bytes) -> Answer:
    """An answer.

    Raises:
        MalformedMessage: as `decode_word`.
    """
    try:
        fields = _table(body)
        return Answer(
            asked_ns=instant(fields["asked_ns"]),
            heard_ns=instant(fields["heard_ns"]),
            answered_ns=instant(fields["answered_ns"]),
            life=name(fields["life"]),
            serves=told(fields["serves"]),
            refused=count(fields["refused"]),
            cameras={name(key): _state(state) for key, state in _few(fields["cameras"], MAX_CAMERAS).items()},
        )
    except UNREADABLE as error:
        raise MalformedMessage("answer", f"a camera node sent no answer: {str(error)[:80]}.") from error


def decode_got(body: bytes) -> Got:
    """An acknowledgement.

    Raises:
        MalformedMessage: as `decode_word`.
    """
    try:
        fields = _table(body)
        return Got(name(fields["camera"]), count(fields["number"]), finite(fields["spent"]))
    except UNREADABLE as error:
        raise MalformedMessage("got", f"a box acknowledged no frame: {str(error)[:80]}.") from error


def _place(fields: Mapping[str, Any]) -> Place:
    return Place(
        at_ns=instant(fields["at_ns"]),
        offset_ns=signed(fields["offset_ns"]),
        counts=finite(fields["counts"]),
        speed_mm_per_s=finite(fields["speed_mm_per_s"]),
        counts_per_mm=_positive(fields["counts_per_mm"]),
        cameras={name(key): _watched(one) for key, one in _few(fields["cameras"], MAX_CAMERAS).items()},
    )


def _watched(fields: Mapping[str, Any]) -> Watched:
    return Watched(
        finite(fields["reach_mm"]),
        finite(fields["apart_mm"]),
        tuple(_near(one) for one in _few(fields["near"], MAX_NEAR)),
    )


def _near(fields: Mapping[str, Any]) -> Near:
    length_mm = _positive(fields["length_mm"])
    return Near(finite(fields["centre_counts"]), length_mm, instant(fields["deadline_ns"]))


def _state(fields: Mapping[str, Any]) -> CameraState:
    counts = {key: count(fields[key]) for key in ("sent", "dropped", "expired")}
    return CameraState(told(fields["fault"]), triggered=bool(fields["triggered"]), **counts)


def _positive(value: object) -> float:
    number = finite(value)
    if number <= 0:
        raise ValueError(f"{number} is not more than nothing")
    return number


def _few(things: Any, most: int) -> Any:
    if len(things) > most:
        raise ValueError(f"{len(things)} at once, {most} are read")
    return things


def _json(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":"), allow_nan=False).encode()


def _table(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_WORD_BYTES:
        raise ValueError(f"{len(body)} bytes")
    fields = json.loads(body)
    if not isinstance(fields, dict):
        raise TypeError("no table")
    return fields
