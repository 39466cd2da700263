"""A step of calibration as a state machine: it asks, takes frames, tells what it found; a page could drive it too."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np

from edge.core.calibration import Value
from edge.core.messages import Image


class Shows(StrEnum):
    """What a technician is asked to show the camera."""

    BOARD_IN_HAND = "the board in hand, tilted another way each time"
    BOARD_ON_BELT = "the board on the belt, which stands, its arrow along it"
    BOARD_RIDING = "the board on the running belt, from one side of the view to the other"
    CHART = "the ColorChecker flat on the belt, in the middle"
    SHEET = "a white sheet, flat, over all that the camera sees"
    GATE_FIRED = "no camera, but the gate: `tunnel-edge fire`, the belt empty and running"
    CHART_TURNED = "the ColorChecker turned by half, in the same place"


@dataclass(frozen=True, slots=True)
class Ask:
    """What is wanted next."""

    shows: Shows
    frames: int


@dataclass(frozen=True, slots=True)
class Shot:
    """A frame, and the encoder's counts at its exposure where they are known."""

    image: Image  # BGR or mono
    counts: float = np.nan

    @property
    def digest(self) -> str:
        """SHA-256 of its pixels."""
        return hashlib.sha256(np.ascontiguousarray(self.image).tobytes()).hexdigest()


@dataclass(frozen=True, slots=True)
class Found:
    """What a step came to: to be looked at, and accepted or not."""

    quality: Mapping[str, float]
    values: Mapping[str, Value]
    picture: Image  # that shows it
    says: str  # in a sentence
    files: Mapping[str, bytes] = field(default_factory=dict)


class Step(Protocol):
    """One step; it knows nothing of cameras, files or people."""

    def asks(self) -> Ask | None:
        """What it needs next; None: it has all."""
        ...

    def take(self, shots: Sequence[Shot]) -> str:
        """Take what was asked for; says what was seen in it.

        Raises:
            CalibrationRefused: it will not do, and why; nothing is kept of it: the same is asked for again.
        """
        ...

    def found(self) -> Found:
        """What all of it comes to.

        Raises:
            CalibrationRefused: it does not fit together; the step is to begin anew.
        """
        ...
