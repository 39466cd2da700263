"""What the line said of an item then, what its pictures say now, what a person says: each for itself, never mixed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from edge.core.found import DAMAGE, Found, decisive, found_now, found_then, words_of
from edge.core.grounds import Again, Cited, Facts, Kind, Sentence, Share, Source
from edge.core.judge import Answer
from edge.core.messages import Agreement, Disposition

RULE = re.compile(r"(\w+) \(([\w+-]+)\)")  # as a rule is told in a verdict
WRONG = frozenset({Agreement.MISMATCH, Agreement.EXPIRED, Agreement.SHORT_DATED})


class Said(Enum):
    """What somebody says of an item."""

    GOOD = auto()  # all that was asked was vouched for, and nothing speaks against it
    BAD = auto()
    DOUBT = auto()  # let pass, but something that was found speaks against it, or nobody looked for damage
    OPEN = auto()  # nobody could tell
    NOTHING = auto()  # nobody was asked


@dataclass(frozen=True, slots=True)
class Opinion:
    """What is said, in sentences; the first says why."""

    said: Said
    sentences: tuple[Sentence, ...]
    checks: frozenset[str] = frozenset()  # that speak against the item


def said_then(facts: Facts) -> Opinion:
    """What the line said while the item was on the belt."""
    verdicts = list(facts.of("Verdict"))
    if len(verdicts) != 1:
        words = "No verdict on it stands in the journal" if not verdicts else "The journal holds several verdicts on it"
        return Opinion(Said.OPEN, (Sentence(f"{words}.", tuple(v.source for v in verdicts) or (facts.absence,)),))
    verdict = verdicts[0]
    told = Sentence(f"The line said then: {_told(verdict)}.", (verdict.source,))
    found = list(found_then(facts))
    checks = frozenset(one.check for one in _rules(verdict.body["reasons"]))
    if verdict.body["disposition"] == Disposition.REJECT:
        return Opinion(Said.BAD, (told, *_margins(found)), checks)
    if verdict.body["disposition"] != Disposition.PASS:
        return Opinion(Said.OPEN, (told, *_margins(found)))
    doubts = [*_unvouched(facts, verdict, found), *_against(found), *_disagreeing(verdict), *_purged(facts)]
    said = Said.DOUBT if doubts else Said.GOOD
    against = frozenset(one.check for one in decisive(found) if one.against)
    return Opinion(said, (*doubts, told, *_margins(found), *_skipped(verdict)), against)


def said_now(facts: Facts) -> Opinion:
    """What the pictures say when they are looked at again; it changes no verdict."""
    again = facts.again
    if again is None:
        words = f"It was not looked at again: {facts.not_again or 'nobody asked for it'}."
        return Opinion(Said.NOTHING, (Sentence(words, (facts.absence,)),))
    recipe = Source(Kind.SETTINGS, again.recipe)
    sources = (*(Source(Kind.PICTURE, sha256) for _, sha256 in again.pictures), recipe)
    told = Sentence(_told_now(again), sources)
    notes = [Sentence(f"Otherwise than then: {one}.", (recipe,)) for one in again.changed]
    found = [found_now(one, (*again.of(one.camera), recipe)) for one in again.evidence if one.valid]
    known = _known(facts, again)
    fresh = [one for one in found if (one.check, one.camera) not in known]
    again_said = [_said_again(one) for one in decisive(found) if one.against and one not in fresh]
    margins = [*again_said, *_margins(found), *(_share(one, (*again.of(one.camera), recipe)) for one in again.shares)]
    bad = frozenset(one.rule.check for one in again.findings if one.answer is Answer.BAD)
    against = _against(fresh)
    return Opinion(_now(again, known, against), (*against, told, *margins, *notes), bad or _checks(fresh))


def labelled(facts: Facts) -> Opinion:
    """What persons of the site say of its pictures."""
    if not facts.labels:
        return Opinion(Said.NOTHING, ())
    sentences = (
        Sentence(
            f"A person took its picture at camera {one.camera} for one of damage.", (Source(Kind.PICTURE, one.sha256),)
        )
        for one in facts.labels
    )
    return Opinion(Said.BAD, tuple(sentences), DAMAGE)


def _known(facts: Facts, again: Again) -> frozenset[tuple[str, str]]:
    """Checks and cameras that vouched then, with the models and references of now, and found nothing against it.

    They saw the picture before it was compressed: a poorer look by the same eyes is no new ground.
    """
    found = [one for one in found_then(facts) if one.camera in again.unchanged]
    against = {(one.check, one.camera) for one in found if one.against}
    return frozenset((one.check, one.camera) for one in found) - against


def _said_again(one: Found) -> Sentence:
    words = f"Camera {one.camera}, {one.check}: {words_of(one)} in the kept picture, which is compressed"
    return Sentence(f"{words}; what the same models and references found then counts.", one.sources)


@dataclass(frozen=True, slots=True)
class _Ruled:
    check: str
    cameras: tuple[str, ...]


def _rules(words: Iterable[str]) -> list[_Ruled]:
    """The rules that a verdict names."""
    matches = (RULE.match(one) for one in words)
    return [_Ruled(one[1], tuple(one[2].split("+"))) for one in matches if one]


def _required(facts: Facts, verdict: Cited) -> Iterator[_Ruled]:
    """What the recipe of then asked for without fail, where the daemon's start tells its settings."""
    for one in facts.in_force:
        recipe = (one.body.get("settings") or {}).get("recipe") or {}
        if recipe.get("name") == verdict.body["recipe"]:
            for rule in recipe.get("rule") or ():
                if rule.get("required", True):
                    yield _Ruled(rule["check"], tuple(rule["cameras"]))


def _places(rules: Iterable[_Ruled]) -> Iterator[tuple[str, str]]:
    return ((rule.check, camera) for rule in rules for camera in rule.cameras)


def _unvouched(facts: Facts, verdict: Cited, found: Sequence[Found]) -> Iterator[Sentence]:
    """What a verdict of PASS lacks for being believed: evidence of each of its rules, and a check that sees damage."""
    vouched = {(one.check, one.camera) for one in found}
    rules = _rules(verdict.body["reasons"])
    for check, camera in dict.fromkeys([*_places(rules), *_places(_required(facts, verdict))]):
        if (check, camera) not in vouched:
            words = f"Nothing in the journal vouches for {check} at camera {camera}, though the line let it pass."
            yield Sentence(words, (verdict.source,))
    if not any(rule.check in DAMAGE for rule in rules):
        yield Sentence("Nobody looked for damage: the recipe of then asked for other things.", (verdict.source,))


def _against(found: Iterable[Found]) -> list[Sentence]:
    """What was found that speaks against the item, though it may have been let pass."""
    return [
        Sentence(f"Camera {one.camera}, {one.check}: {words_of(one)}; {one.because}.", one.sources)
        for one in decisive(found)
        if one.against
    ]


def _disagreeing(verdict: Cited) -> Iterator[Sentence]:
    for one in verdict.body.get("compared", ()):
        if one["agreement"] in WRONG:
            read = f"reads {one['printed']}, ordered was {one['expected']}"
            yield Sentence(f"Its {one['check']} is not as ordered ({one['agreement']}): {read}.", (verdict.source,))


def _purged(facts: Facts) -> Iterator[Sentence]:
    """It was to be pulled off, by what came after its verdict."""
    for one in facts.of("Item"):
        if purge := one.body["purge"]:
            yield Sentence(f"It was to be pulled off whatever it looked like: {purge}.", (one.source,))


def _skipped(verdict: Cited) -> Iterator[Sentence]:
    if skipped := verdict.body["skipped"]:
        yield Sentence(f"Asked, but not vouched for in time: {', '.join(skipped)}.", (verdict.source,))


def _margins(found: Iterable[Found]) -> list[Sentence]:
    """How far what vouched was from its limit."""
    return [
        Sentence(f"Camera {one.camera}, {one.check}: {words_of(one)}.", one.sources)
        for one in decisive(found)
        if one.check in DAMAGE and not one.against
    ]


def _share(one: Share, sources: tuple[Source, ...]) -> Sentence:
    words = (
        f"At camera {one.camera} {one.p_value:.1%} of sound items look at least as unusual ({one.normals} known now)"
    )
    return Sentence(f"{words}.", sources)


def _told(verdict: Cited) -> str:
    body = verdict.body
    reasons = "; ".join(body["reasons"]) or "no rule said anything"
    return f"{body['disposition'].replace('_', ' ')}, by recipe {body['recipe']}: {reasons}"


def _told_now(again: Again) -> str:
    models = ", ".join(f"{name} {version}" for name, version in again.models) or "none"
    reasons = "; ".join(f"{one.rule}: {_because(one.answer, one.because)}" for one in again.findings) or "no rule"
    said = again.disposition.replace("_", " ")
    return f"Looked at again, by the recipe of now ({again.recipe}; models {models}): {said}: {reasons}."


def _because(answer: Answer, because: str) -> str:
    return "no kept picture shows it" if answer is Answer.NONE else because


def _checks(found: Iterable[Found]) -> frozenset[str]:
    return frozenset(one.check for one in decisive(found) if one.against)


def _now(again: Again, known: frozenset[tuple[str, str]], against: Sequence[Sentence]) -> Said:
    if again.disposition is Disposition.REJECT:
        places = [
            (one.rule.check, camera)
            for one in again.findings
            if one.answer is Answer.BAD
            for camera in one.rule.cameras
        ]
        return Said.DOUBT if places and known.issuperset(places) else Said.BAD
    if against:
        return Said.DOUBT
    return Said.GOOD if again.disposition is Disposition.PASS else Said.OPEN
