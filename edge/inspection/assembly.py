"""Inspection put together: verified models, the checks that a recipe asks for, and where to look."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

import cv2
import numpy as np

from edge.config import InspectionSettings, RuleSettings
from edge.core.errors import ReferencesRefused
from edge.core.labels import Field
from edge.core.messages import Image
from edge.inspection.appearance import AppearanceCheck
from edge.inspection.crop import Check, Crop, Question
from edge.inspection.defects import DefectHead
from edge.inspection.detector import TextDetector
from edge.inspection.inspector import Locate
from edge.inspection.locate import BeltColour, locate, whole
from edge.inspection.recogniser import LineReader
from edge.inspection.references import References
from edge.inspection.session import Session, newest
from edge.inspection.text import TextCheck

APPEARANCE = frozenset({"anomaly", "defect"})


class Sessions:
    """Verified models, each loaded once, when first asked for."""

    def __init__(self, models: Path) -> None:
        self._models = models
        self._loaded: dict[str, Session] = {}

    def of(self, check: str) -> Session:
        """The newest model of a check."""
        if check not in self._loaded:
            self._loaded[check] = Session.load(newest(self._models, check))
        return self._loaded[check]

    def loaded(self) -> tuple[Session, ...]:
        """Those that were asked for."""
        return tuple(self._loaded.values())

    def versions(self) -> dict[str, str]:
        """Check → version in force."""
        return {check: session.manifest.version for check, session in self._loaded.items()}


def questions(
    settings: InspectionSettings, rules: Iterable[RuleSettings], sessions: Sessions
) -> dict[str, list[Question]]:
    """What each camera's pictures are asked, by the rules of the recipe."""
    wanted: defaultdict[str, list[RuleSettings]] = defaultdict(list)
    for rule in rules:
        for camera in rule.cameras:
            wanted[camera].append(rule)
    return {camera: list(_questions(asked, settings, sessions)) for camera, asked in wanted.items()}


def _questions(rules: Sequence[RuleSettings], settings: InspectionSettings, sessions: Sessions) -> Iterator[Question]:
    """One look at the patches answers all of appearance, one reading all of print: each is one question."""
    looks = [rule for rule in rules if rule.check in APPEARANCE]
    if looks:
        yield _question(AppearanceCheck.over(sessions.of("backbone"), settings.references), looks)
    prints = [rule for rule in rules if rule.check not in APPEARANCE]
    if prints:
        yield _question(_reading(prints, settings, sessions), prints)


def _question(check: Check, rules: Sequence[RuleSettings]) -> Question:
    answers = tuple(dict.fromkeys(rule.check for rule in rules))
    return Question(check, answers, any(rule.required for rule in rules), sum(rule.worth for rule in rules))


def _reading(rules: Sequence[RuleSettings], settings: InspectionSettings, sessions: Sessions) -> TextCheck:
    detector, reader = TextDetector(sessions.of("text-detector")), LineReader(sessions.of("text-recogniser"))
    fields = {Field(rule.check): rule.format for rule in rules}
    formats = {field: form.pattern for field, form in fields.items() if form}
    return TextCheck(detector, reader, fields, today=date.today, orders=settings.date_orders, formats=formats)


def locator(belt_colours: Path | None) -> Locate:
    """Finds the item by what the camera's belt looks like; without that, the whole frame is the item."""
    belts = {path.stem: BeltColour.load(path) for path in belt_colours.glob("*.npz")} if belt_colours else {}

    def find(camera: str, image: Image) -> Crop:
        colour = image if image.ndim == 3 else np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
        return locate(colour, belts[camera]) if camera in belts else whole(colour)

    return find


def verify(references: Path, sessions: Sessions) -> None:
    """Open every file of references and heads once.

    Raises:
        ReferencesRefused: there is no such folder, or a file in it is damaged or was made by another model.
    """
    if not references.is_dir():
        raise ReferencesRefused(f"{references}: no such folder: build references with `tunnel-edge references build`.")
    backbone = sessions.of("backbone")
    for path in sorted(references.glob("*/*.npz")):
        (DefectHead if path.name.endswith(".head.npz") else References).load(path, backbone)
