"""A step of calibration as a state machine: it asks, takes frames, tells what it found; a page could drive it too."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np

from edge.core.calibration import Value
from edge.core.errors import CalibrationRefused
from edge.core.messages import Image

TEXT = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Shows(StrEnum):
    """What a technician is asked to show the camera."""

    BOARD_IN_HAND = "the board in hand, tilted another way each time"
    BOARD_ON_BELT = "the board on the belt, which stands, its arrow along it"
    BOARD_RIDING = "the board on the running belt, from one side of the view to the other"
    CHART = "the ColorChecker flat on the belt, in the middle"
    SHEET = "a white sheet, flat, over all that the camera sees"
    GATE_FIRED = "no camera, but the gate: `tunnel-edge fire`, the belt empty and running"
    CHART_TURNED = "the ColorChecker turned by half, in the same place"
    BOARD_RIDING_AGAIN = "the board riding past once more, the belt at another speed (half of it, say) if it has one"
    TOTE = "the empty tote on the belt, which stands; somewhere else each time, turned a little"


@dataclass(frozen=True, slots=True)
class Ask:
    """Frames that are wanted next."""

    shows: Shows
    frames: int
    which: str = ""  # of several: the tote's type

    @property
    def words(self) -> str:
        """What is to be shown, for a person."""
        return f"{self.shows} ({self.which})" if self.which else str(self.shows)


@dataclass(frozen=True, slots=True)
class Field:
    """Something that is entered, because no camera sees it."""

    name: str
    words: str
    least: float | None = None  # None: it is a text, of letters, digits, - and _
    most: float = np.inf
    usual: str = ""

    def read(self, entered: str) -> float | str:
        """What was meant.

        Raises:
            CalibrationRefused: it is no such number or text.
        """
        if self.least is None:
            if TEXT.fullmatch(entered):
                return entered
            raise CalibrationRefused(f"{self.words}: {entered!r} is no name: letters, digits, - and _, up to 64")
        try:
            number = float(entered.strip().replace(",", "."))
        except ValueError:
            number = np.nan
        if not self.least <= number <= self.most:
            raise CalibrationRefused(f"{self.words}: {entered!r} is no number from {self.least:g} to {self.most:g}")
        return number


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be entered next."""

    words: str
    fields: tuple[Field, ...]

    def read(self, entered: Mapping[str, str]) -> dict[str, float | str]:
        """Every field's answer by its name.

        Raises:
            CalibrationRefused: with all that is wrong.
        """
        answers: dict[str, float | str] = {}
        faults = []
        for one in self.fields:
            try:
                answers[one.name] = one.read(entered.get(one.name, ""))
            except CalibrationRefused as refusal:
                faults.append(str(refusal))
        if faults:
            raise CalibrationRefused("; ".join(faults))
        return answers


@dataclass(frozen=True, slots=True)
class Shot:
    """A frame, and what is known of the belt at its exposure."""

    image: Image  # BGR or mono
    counts: float = np.nan  # of the encoder
    edge_counts: float = np.nan  # at which the induct photoeye last went dark
    exposed_ns: int | None = None  # monotonic

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
    more: Mapping[str, Image] = field(default_factory=dict)  # pictures by what they show
    subject: str = ""  # that it turned out to be of: the tote's type


class Step(Protocol):
    """One step; it knows nothing of cameras, files or people."""

    def asks(self) -> Ask | Question | None:
        """What it needs next; None: it has all."""
        ...

    def enter(self, answers: Mapping[str, str]) -> str:
        """Take what a question was answered with; says what it comes to.

        Raises:
            CalibrationRefused: with all that is wrong; the same is asked again.
        """
        raise CalibrationRefused("nothing is to be entered here")

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
