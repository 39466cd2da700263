"""Looks at the kept pictures of an item again: by the recipe, models and references of now, with all the time it takes.

It is another opinion, told as one; the verdict of then stays what it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, partial

from edge.config import Config
from edge.core.conformal import p_value
from edge.core.errors import ReferencesRefused
from edge.core.grounds import Again, Cited, Facts, Share
from edge.core.judge import Recipe, finding, overdue, reached
from edge.core.messages import Evidence, Frame, Image, Item, Sighting, Span
from edge.core.recovery import item_of
from edge.inspection.assembly import Sessions, questions
from edge.inspection.at_once import AtOnce
from edge.inspection.crop import Crop, Question
from edge.inspection.inspector import Locate
from edge.inspection.locate import whole
from edge.inspection.references import Library, References
from edge.inspection.session import Session
from edge.inspection.tote_check import TOTE
from edge.inspection.waiting import NEVER_NS
from edge.investigation.facts import NS_PER_S, Photo, written
from edge.investigation.outline import by_outline, outlined

CROP = "crop"  # what a picture shows that can be looked at again


@dataclass(frozen=True, slots=True)
class Seen:
    """A kept crop, ready to be looked at again."""

    shown: Photo
    crop: Crop
    guessed: bool = False  # where the item ends in it was found again, for the journal does not tell


class Anew:
    """The lane's checks as they are now; models are loaded when they are first asked for."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._day = date.min
        belts = config.inspection.belt_colours
        self._belts = {path.stem for path in belts.glob("*.npz")} if belts else set()
        self.sessions = Sessions(config.inspection.models, config.inspection.runtime)

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe of now, without what is asked of whole frames, for only crops are kept."""
        judged_by = self._config.judged_by()
        rules = tuple(rule for rule in judged_by.rules if rule.check not in TOTE)
        return Recipe(judged_by.name, rules, judged_by.divert_undecided)

    @cached_property
    def _questions(self) -> Mapping[str, Sequence[Question]]:
        asked = [rule for rule in self._config.recipe.rule if rule.check not in TOTE]
        return questions(self._config.inspection, asked, self.sessions, lambda: self._day)

    def seen(self, shown: Photo) -> Seen:
        """A kept crop, with the item in it told from what is left of the belt: by its outline, if that was kept.

        Raises:
            PictureUnreadable: it is no picture.
        """
        image = shown.image()
        if (crop := by_outline(image, shown.outline)) is not None:
            return Seen(shown, crop)
        guessed = shown.kept.camera in self._belts
        return Seen(shown, outlined(image) if guessed else whole(image), guessed)

    @property
    def backbone(self) -> Session:
        """The network that the first look is taken with."""
        return self.sessions.of("backbone")

    @cached_property
    def references(self) -> Library[References]:
        """What normal looks like now."""
        return Library(self._config.inspection.references, ".npz", partial(References.load, session=self.backbone))

    def look(self, facts: Facts, seen: Sequence[Seen]) -> Again:
        """What is found in an item's crops now, as if it were the day on which it was judged."""
        item, judged = item_of([*facts.of("Item")][-1].body), _judged(facts)
        self._day = datetime.fromtimestamp(judged.wall_ns / NS_PER_S).astimezone().date()
        evidence = tuple(found for one in seen for found in self._found(item, one))
        findings = tuple(finding(rule, item, evidence, self._day) for rule in self.recipe.rules)
        return Again(
            recipe=self.recipe.name,
            disposition=reached(findings) or overdue(findings),
            findings=findings,
            evidence=evidence,
            shares=tuple(self._shares(facts.gtin, evidence)),
            pictures=tuple(dict.fromkeys((one.shown.kept.camera, one.shown.kept.sha256) for one in seen)),
            models=tuple(sorted(self.sessions.versions().items())),
            changed=tuple(self._changed(facts, judged, seen)),
            day=self._day,
            unchanged=frozenset(self._unchanged(facts, judged, seen)),
        )

    def known(self, gtin: str, camera: str) -> References | None:
        """What is known now of how a product looks to a camera; None: nothing that can be read."""
        try:
            return self.references.find(gtin, camera)
        except ReferencesRefused:
            return None

    def _found(self, item: Item, seen: Seen) -> list[Evidence]:
        kept = seen.shown.kept
        frame = Frame(kept.camera, kept.frame_id, kept.exposed_ns, 0.0, seen.crop.frame)
        eye = AtOnce(_cut(seen.crop), self._questions)  # its own: one item is none after another
        return eye.look(Sighting(frame, item, NEVER_NS)) if kept.camera in self._questions else []

    def _shares(self, gtin: str, evidence: Iterable[Evidence]) -> Iterator[Share]:
        for one in evidence:
            known = self.known(gtin, one.camera) if one.check == "anomaly" and one.valid else None
            if known and one.score is not None:
                yield Share(one.camera, p_value(one.score * known.scale, known.sound), len(known.sound))

    def _changed(self, facts: Facts, judged: Cited, seen: Sequence[Seen]) -> Iterator[str]:
        """What is not as it was, as far as can be told."""
        recipes = {one.body["recipe"] for one in facts.of("Verdict")} - {self.recipe.name}
        yield from (f"the recipe was '{name}'" for name in sorted(recipes))
        then = _models(facts)
        if not then:
            yield "which models there were then, no entry tells"
        for name, version in self.sessions.versions().items():
            if then.get(name, version) != version:
                yield f"{name} was {then[name]}"
        guessed = {one.shown.kept.camera for one in seen if one.guessed}
        for camera in sorted({one.shown.kept.camera for one in seen}):
            if camera in guessed:
                yield f"where the item ends in the picture of camera {camera} was found again"
            yield from self._taught_since(judged.wall_ns, facts.gtin, camera)

    def _unchanged(self, facts: Facts, judged: Cited, seen: Sequence[Seen]) -> Iterator[str]:
        """Cameras at which models and references are those of then; none, where no entry tells the models of then."""
        then = _models(facts)
        now = self.sessions.versions()
        if then and all(now.get(name, version) == version for name, version in then.items()):
            for camera in {one.shown.kept.camera for one in seen}:
                if self.known(facts.gtin, camera) and not list(self._taught_since(judged.wall_ns, facts.gtin, camera)):
                    yield camera

    def _taught_since(self, wall_ns: int, gtin: str, camera: str) -> Iterator[str]:
        if self.known(gtin, camera) is not None:
            path = self._config.inspection.references / gtin / f"{camera}.npz"
            if (changed_ns := path.stat().st_mtime_ns) > wall_ns:
                yield f"the references of camera {camera} were changed on {written(changed_ns)}"


def _models(facts: Facts) -> dict[str, str]:
    """The models of then by check; none: no entry tells."""
    return {name: version for one in facts.in_force for name, version in (one.body.get("models") or {}).items()}


def _cut(crop: Crop) -> Locate:
    """Finds what was cut out already."""

    def find(camera: str, image: Image, shown: Span | None = None) -> Crop:
        return crop

    return find


def _judged(facts: Facts) -> Cited:
    """The entry that tells the day of its judgement."""
    return next(facts.of("Verdict"), facts.entries[-1])
