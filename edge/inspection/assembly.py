"""Inspection put together: verified models, the checks that a recipe asks for, and where to look."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np

from edge.core.dates import Profile
from edge.core.errors import ReferencesRefused
from edge.core.labels import Field
from edge.core.messages import Image, Span
from edge.inspection.appearance import AppearanceCheck
from edge.inspection.belt import BeltColour
from edge.inspection.cascade import Cascade
from edge.inspection.codes import CODE, CodeCheck
from edge.inspection.colour import COLOUR, ColourCheck
from edge.inspection.crop import Check, Crop, Question
from edge.inspection.date_reader import COARSE_AREA_PX, REGION_AREA_PX, SCENE_AREA_PX, DateReader
from edge.inspection.defects import DefectHead
from edge.inspection.detector import Finder, TextDetector
from edge.inspection.foreign_line import DatePartReader
from edge.inspection.identity import IDENTITY, IdentityCheck
from edge.inspection.inspector import Locate
from edge.inspection.known_print import KnownPrint
from edge.inspection.layout import SUFFIX as SUFFIX_OF_LAYOUTS
from edge.inspection.layout import Layout
from edge.inspection.layout_finder import LayoutFinder
from edge.inspection.layout_lesson import Student
from edge.inspection.locate import locate, whole
from edge.inspection.recogniser import LineReader
from edge.inspection.references import Library, References
from edge.inspection.runtime import read as read_runtime
from edge.inspection.second_look import SUFFIX, FirstLook, SecondLook
from edge.inspection.session import Session, newest
from edge.inspection.tesseract import Dissenter, LineTesseract
from edge.inspection.text import ANY_PROFILE, FIELDS, TextCheck
from edge.inspection.tote_check import TOTE, KnownTotes, ToteCheck
from edge.inspection.tote_networks import ITEMS, OUTLINE, ToteNetworks
from edge.settings import InspectionSettings
from edge.settings_recipe import RuleSettings

APPEARANCE = frozenset({"anomaly", "defect"})
SECOND = "second_look"
NO_TOTES: Mapping[str, KnownTotes] = MappingProxyType({})
STUDY_AREA_PX = 1280 * 1280  # of a photograph in which print is learnt: time does not matter there


class Sessions:
    """Verified models, each loaded once, when first asked for."""

    def __init__(self, models: Path, runtime: Path | None = None) -> None:
        """Take the folder of models, and the file that says how they run on this box, where there is one."""
        self._models = models
        self._chosen = read_runtime(runtime) if runtime else {}
        self._loaded: dict[str, Session] = {}

    def of(self, check: str) -> Session:
        """The newest model of a check."""
        if check not in self._loaded:
            self._loaded[check] = Session.load(newest(self._models, check), self._chosen)
        return self._loaded[check]

    def loaded(self) -> tuple[Session, ...]:
        """Those that were asked for."""
        return tuple(self._loaded.values())

    def versions(self) -> dict[str, str]:
        """Check → version in force."""
        return {check: session.manifest.version for check, session in self._loaded.items()}


def questions(
    settings: InspectionSettings,
    rules: Iterable[RuleSettings],
    sessions: Sessions,
    today: Callable[[], date] = date.today,
    totes: Mapping[str, KnownTotes] = NO_TOTES,
) -> dict[str, list[Question]]:
    """What each camera's pictures are asked, by the rules of the recipe; totes: what was calibrated at each camera."""
    wanted: defaultdict[str, list[RuleSettings]] = defaultdict(list)
    for rule in rules:
        for camera in rule.cameras:
            wanted[camera].append(rule)
    asked_of_totes = _of_totes(totes, sessions)
    return {
        camera: [*_questions(asked, settings, sessions, today), *asked_of_totes(asked)]
        for camera, asked in wanted.items()
    }


def _of_totes(
    totes: Mapping[str, KnownTotes], sessions: Sessions
) -> Callable[[Sequence[RuleSettings]], Iterator[Question]]:
    """One look answers all that is asked of totes, by the same networks at every camera."""
    check: Callable[[], Check] = cache(lambda: ToteCheck(totes, ToteNetworks(sessions.of(OUTLINE), sessions.of(ITEMS))))

    def ask(rules: Sequence[RuleSettings]) -> Iterator[Question]:
        if asked := [rule for rule in rules if rule.check in TOTE]:
            yield replace(_question(check(), asked), answers=TOTE)

    return ask


def _questions(
    rules: Sequence[RuleSettings], settings: InspectionSettings, sessions: Sessions, today: Callable[[], date]
) -> Iterator[Question]:
    """One look at the patches answers all of appearance, one reading all of print: each is one question."""
    looks = [rule for rule in rules if rule.check in APPEARANCE]
    seconds = [rule for rule in rules if rule.check == SECOND]
    if looks:
        appearance = AppearanceCheck.over(sessions.of("backbone"), settings.references, _overkill(looks))
        yield _question(FirstLook(appearance, appearance.references) if seconds else appearance, looks)
    if seconds:
        second = SecondLook.over(sessions.of("backbone"), sessions.of("second-stage"), settings.references)
        yield replace(_question(second, seconds), after="anomaly")
    prints = [rule for rule in rules if rule.check in FIELDS and rule.source != "code"]
    if prints:
        yield _question(_reading(prints, settings, sessions, today), prints)
    yield from _of_products(rules, settings, sessions, today)


def _of_products(
    rules: Sequence[RuleSettings], settings: InspectionSettings, sessions: Sessions, today: Callable[[], date]
) -> Iterator[Question]:
    """Is it the ordered product? By its looks, its colours, its code: each answers for itself."""
    makers: dict[str, Callable[[], Check]] = {
        IDENTITY: lambda: IdentityCheck.over(sessions.of("backbone"), settings.products),
        COLOUR: lambda: ColourCheck.over(settings.products),
    }
    for name, make in makers.items():
        if asked := [rule for rule in rules if rule.check == name]:
            yield _question(make(), asked)
    if coded := [rule for rule in rules if rule.check == CODE or rule.source != "print"]:
        said = tuple(dict.fromkeys((CODE, *(rule.check for rule in coded))))
        yield replace(_question(CodeCheck(today, said), coded), answers=said)


def _overkill(rules: Iterable[RuleSettings]) -> dict[str, float]:
    """Camera → its part of the share of sound items that its rule may cost: any of a rule's cameras rejects."""
    return {
        camera: rule.overkill / len(rule.cameras)
        for rule in rules
        if rule.overkill is not None
        for camera in rule.cameras
    }


def _question(check: Check, rules: Sequence[RuleSettings]) -> Question:
    answers = tuple(dict.fromkeys(rule.check for rule in rules))
    return Question(check, answers, any(rule.required for rule in rules), sum(rule.worth for rule in rules))


def _reading(
    rules: Sequence[RuleSettings], settings: InspectionSettings, sessions: Sessions, today: Callable[[], date]
) -> Check:
    formats = {Field(rule.check): rule.format.pattern for rule in rules if rule.format}
    fields, profile = {Field(rule.check) for rule in rules}, Profile(settings.date_orders)
    check = known_print(sessions, fields, today, profile, settings.print_layouts, formats)
    return Dissenter(check, LineTesseract(), today) if settings.dissenter else check


def text_check(
    sessions: Sessions,
    fields: Collection[Field],
    today: Callable[[], date],
    profile: Profile = ANY_PROFILE,
    formats: Mapping[Field, str] | None = None,
) -> TextCheck:
    """The check of print with the shipped models, for products of which nothing is known."""
    return _text_check(sessions, today, formats, TextDetector(sessions.of("text-detector")), fields, profile)


def known_print(
    sessions: Sessions,
    fields: Collection[Field],
    today: Callable[[], date],
    profile: Profile,
    layouts: Path,
    formats: Mapping[Field, str] | None = None,
) -> KnownPrint:
    """The same; where a layout of the item's print lies in `layouts`, only what it does not show is sought."""
    make = partial(_text_check, sessions, today, formats)
    detector = TextDetector(sessions.of("text-detector"))
    return KnownPrint(make, detector, fields, profile, Library(layouts, SUFFIX_OF_LAYOUTS, Layout.load))


def student(sessions: Sessions) -> Student:
    """Reads all print of a photograph, for layouts."""
    tiny, small = (DatePartReader(sessions.of(f"text-recogniser{size}")) for size in ("", "-small"))
    return Student(TextDetector(sessions.of("text-detector"), STUDY_AREA_PX), tiny, small)


def _text_check(
    sessions: Sessions,
    today: Callable[[], date],
    formats: Mapping[Field, str] | None,
    finder: Finder,
    fields: Collection[Field],
    profile: Profile,
) -> TextCheck:
    kind = DatePartReader if isinstance(finder, LayoutFinder) and finder.bare else LineReader
    tiny, small = kind(sessions.of("text-recogniser")), kind(sessions.of("text-recogniser-small"))
    return TextCheck(finder, tiny, fields, today=today, second=small, profile=profile, formats=formats)


def date_reader(sessions: Sessions, today: Callable[[], date], profile: Profile = ANY_PROFILE) -> DateReader:
    """The reader of expiries with the shipped models."""
    tiny, small = LineReader(sessions.of("text-recogniser")), LineReader(sessions.of("text-recogniser-small"))
    areas = (REGION_AREA_PX, COARSE_AREA_PX, SCENE_AREA_PX)
    near, coarse, far = (TextDetector(sessions.of("text-detector"), area) for area in areas)
    cascade = Cascade(tiny, small, frozenset(profile.extras))
    return DateReader(near, coarse, far, cascade, today=today, profile=profile, height_px=tiny.height_px)


def locator(belt_colours: Path | None) -> Locate:
    """Finds the item by what the camera's belt looks like; without that, the whole frame is the item."""
    belts = {path.stem: BeltColour.load(path) for path in belt_colours.glob("*.npz")} if belt_colours else {}

    def find(camera: str, image: Image, shown: Span | None = None) -> Crop:
        colour = image if image.ndim == 3 else np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
        return locate(colour, belts[camera], shown) if camera in belts else whole(colour, shown)

    return find


def verify(references: Path, sessions: Sessions) -> None:
    """Open every file of references and heads once.

    Raises:
        ReferencesRefused: there is no such folder, or a file in it is damaged or was made by another model.
    """
    if not references.is_dir():
        raise ReferencesRefused(f"{references}: no such folder: build references with `tunnel-edge references build`.")
    for path in sorted(references.glob("*/*.npz")):
        _open(path, sessions)


def verify_layouts(layouts: Path) -> None:
    """Read every layout of print once; a folder that is not there holds none.

    Raises:
        ReferencesRefused: a file in it is damaged, strange, or changed since it was accepted.
    """
    for path in sorted(layouts.glob(f"*/*{SUFFIX_OF_LAYOUTS}")):
        Layout.load(path)


def _open(path: Path, sessions: Sessions) -> None:
    if path.name.endswith(".head.npz"):
        DefectHead.load(path, sessions.of("backbone"))
    else:
        References.load(path, sessions.of("second-stage" if path.name.endswith(SUFFIX) else "backbone"))
