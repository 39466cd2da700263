"""A step with a technician, from its first question until it is accepted or given up; nothing counts before that."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from calibration.making import Maker
from calibration.order import Stage
from calibration.session import Session
from calibration.steps import Ask, Found, Question, Step
from edge.core.errors import CalibrationRefused, CameraFault


class Answer(StrEnum):
    """To what a step came to."""

    ACCEPT = "accept"
    ADJUST = "adjust"
    ABORT = "abort"


class GivenUp(Exception):
    """The technician ends the step: what was in force stays."""


class Technician(Protocol):
    """Who is asked; each verb may raise GivenUp."""

    def shows(self, ask: Ask) -> None:
        """Wait until what is asked for is before the camera."""
        ...

    def enters(self, question: Question) -> Mapping[str, str]:
        """What the camera cannot see."""
        ...

    def hears(self, words: str) -> None:
        """What was seen."""
        ...

    def is_refused(self, words: str) -> None:
        """What will not do, and what to do."""
        ...

    def begins_anew(self) -> bool:
        """Whether a step that came to nothing is done again."""
        ...

    def judges(self, stage: Stage, found: Found) -> Answer:
        """Look at what a step came to."""
        ...

    def has_another(self) -> bool:
        """Whether there is one more type of tote."""
        ...


def walked(stage: Stage, maker: Maker, session: Session, technician: Technician) -> bool:
    """One step; False: it was given up, and what was in force stays so."""
    try:
        while not _accepted(stage, maker, session, technician):
            pass
    except (GivenUp, KeyboardInterrupt):
        technician.hears(f"given up: {stage.name} stays as it was")
        return False
    return True


def _accepted(stage: Stage, maker: Maker, session: Session, technician: Technician) -> bool:
    """Once through; False: once more."""
    digests: list[str] = []
    try:
        found = _gone_through(maker.step(stage), session, stage, technician, digests)
    except CalibrationRefused as refusal:
        technician.is_refused(str(refusal))
        if not technician.begins_anew():
            raise GivenUp from refusal
        return False
    answer = technician.judges(stage, found)
    if answer is Answer.ABORT:
        raise GivenUp
    if answer is Answer.ADJUST:
        return False
    kept = session.keep(stage, found, digests)
    technician.hears(f"kept as {kept.name}, version {kept.version}, until {kept.until:%Y-%m-%d}")
    return not (stage.step == "totes" and technician.has_another())


def _gone_through(step: Step, session: Session, stage: Stage, technician: Technician, digests: list[str]) -> Found:
    """All that a step asks for; what will not do is told, and asked for again."""
    while (ask := step.asks()) is not None:
        try:
            if isinstance(ask, Question):
                technician.hears(step.enter(technician.enters(ask)))
                continue
            technician.shows(ask)
            shots = session.supplies[stage.camera].take(ask)
            technician.hears(step.take(shots))
            digests += [shot.digest for shot in shots]
        except (CalibrationRefused, CameraFault) as refusal:
            technician.is_refused(str(refusal))
    return step.found()
