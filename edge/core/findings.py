"""Was it sound when it left? From what the ledger holds of an item to one answer, and what each sentence rests on.

An answer is never made friendlier than its grounds: *sound* takes a verdict of then whose every rule was vouched for,
an eye that saw the item leave, nothing that speaks against it, then, now, or by a person, and checks that are known to
find nearly all that is damaged. Where that is not known, *nothing was found* is all that can be said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from edge.core.found import DAMAGE
from edge.core.grounds import Cited, Facts, Kind, Sentence, Source
from edge.core.messages import TEST_PIECE, End
from edge.core.opinions import Opinion, Said, labelled, said_now, said_then
from edge.core.reach import Reach, Sees, reach_of
from edge.core.went_by import went_by


class Where(StrEnum):
    """What became of an item, by the eyes."""

    LEFT = "left"  # seen on the good lane
    PULLED = "pulled"  # seen on the reject lane
    REMOVED = "removed"
    UNSEEN = "unseen"  # by neither eye
    ON_BELT = "on_belt"  # its end does not stand in the journal
    CONTRADICTED = "contradicted"  # the journal says two things


class Left(StrEnum):
    """The answer."""

    SOUND = "left_sound"  # by checks that are known to see
    NOTHING_FOUND = "left_nothing_found"  # by checks that overlook much, or nobody knows how much
    DAMAGED_UNSEEN = "left_damaged_unseen"  # the line let it pass
    DAMAGED_SEEN = "left_damaged_seen"  # the line rejected it, and the gate did not pull it off
    UNDECIDED = "left_undecided"
    IN_DOUBT = "left_in_doubt"  # let pass, though something speaks against it, or nobody looked for damage
    NEVER_LEFT = "never_left"
    REMOVED = "removed"
    LOST = "lost"
    ON_BELT = "on_belt"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True)
class Answer:
    """What can be said of one item, the answer first."""

    item_id: str
    left: Left
    headline: Sentence  # one that anybody understands
    because: Sentence  # the strongest ground of it
    reach: Reach  # how far the checks of then see
    then: tuple[Sentence, ...]
    now: tuple[Sentence, ...]
    after: tuple[Sentence, ...]  # where it went, its replacement, who complained
    unknown: tuple[Sentence, ...]  # what nobody can say, and why
    versions: tuple[Sentence, ...]  # what was in force


def concluded(where: Where, then: Said, now: Said, person: Said, sees: Sees) -> Left:
    """The table of answers."""
    if where is not Where.LEFT:
        return ELSEWHERE[where]
    if then is Said.BAD:
        return Left.DAMAGED_SEEN
    if Said.BAD in (now, person):
        return Left.DAMAGED_UNSEEN
    if then in (Said.OPEN, Said.NOTHING):
        return Left.UNDECIDED
    if Said.DOUBT in (then, now):
        return Left.IN_DOUBT
    return Left.SOUND if sees is Sees.WELL else Left.NOTHING_FOUND


ELSEWHERE: Mapping[Where, Left] = {
    Where.PULLED: Left.NEVER_LEFT,
    Where.REMOVED: Left.REMOVED,
    Where.UNSEEN: Left.LOST,
    Where.ON_BELT: Left.ON_BELT,
    Where.CONTRADICTED: Left.CONTRADICTED,
}


def answered(facts: Facts) -> Answer:
    """What can be said of an item."""
    where, ends = departed(facts)
    then, now, person = said_then(facts), said_now(facts), labelled(facts)
    reach = reach_of(facts)
    left = concluded(where, then.said, now.said, person.said, reach.sees)
    because = _because(left, then, now, person)
    said = (*because, reach.told) if left in CLEAN else because
    checks = frozenset().union(*(one.checks for one in (then, now, person)))
    headline = HEADLINES[left].format(when=_when(ends), wrong=_wrong(checks), reach=reach.words)
    sources = dict.fromkeys(source for one in (*ends, *said) for source in one.sources)
    return Answer(
        facts.item_id,
        left,
        Sentence(headline, tuple(sources)),
        because[0],
        reach,
        then.sentences,
        (*person.sentences, *now.sentences),
        (*ends, *_replaced(facts), *_disputed(facts), *_nobodys(facts)),
        tuple(_unknown(facts)),
        tuple(went_by(facts)),
    )


CLEAN = (Left.SOUND, Left.NOTHING_FOUND)  # nothing speaks against it
HEADLINES: Mapping[Left, str] = {
    Left.SOUND: "It was sound when it left{when}, as far as the line could see: {reach}.",
    Left.NOTHING_FOUND: "Nothing was found on it when it left{when}, which does not prove it sound: {reach}.",
    Left.DAMAGED_UNSEEN: "By its pictures it looks {wrong} when it left{when}, and the line did not notice.",
    Left.DAMAGED_SEEN: "It left{when} although the line had found it {wrong}: it was not pulled off.",
    Left.UNDECIDED: "Nobody can say: it left{when} without a decision.",
    Left.IN_DOUBT: "Nobody can say for sure: the line let it pass{when}, but something speaks against it.",
    Left.NEVER_LEFT: "This one never left: it was pulled off the belt{when}.",
    Left.REMOVED: "This one never left by the belt: it was taken off it{when}.",
    Left.LOST: "Nobody can say where it went: no eye saw it leave{when}.",
    Left.ON_BELT: "Nobody can say yet: that it left does not stand in the journal.",
    Left.CONTRADICTED: "Nobody can say: the journal contradicts itself about how it left.",
}


def departed(facts: Facts) -> tuple[Where, tuple[Sentence, ...]]:
    """What became of it, by the eyes' word alone."""
    ends = list(facts.of("ItemEnd"))
    if not ends:
        return Where.ON_BELT, (Sentence("Its end does not stand in the journal.", (facts.absence,)),)
    places = {_place(one) for one in ends}
    told = tuple(Sentence(_ended(one), (one.source,)) for one in ends)
    return (places.pop() if len(ends) == 1 else Where.CONTRADICTED), (*told, *_outcomes(facts))


def _place(end: Cited) -> Where:
    eye, what = end.body["eye"], end.body["end"]
    if eye == "exit" and what in (End.PASSED, End.NO_DECISION, End.MISSED):
        return Where.LEFT
    if eye == "confirm" and what in (End.DIVERTED, End.NO_DECISION):
        return Where.PULLED
    if what == End.REMOVED:
        return Where.REMOVED
    return Where.CONTRADICTED if eye else Where.UNSEEN


def _ended(end: Cited) -> str:
    eye = end.body["eye"]
    seen = f"the {eye} eye saw it" if eye else "neither eye saw it leave"
    return f"{end.written}: {seen}; in the books as {end.body['end'].replace('_', ' ')}."


def _outcomes(facts: Facts) -> Iterator[Sentence]:
    for one in facts.of("DivertOutcome"):
        yield Sentence(f"{one.written}: divert {one.body['result']}: {one.body['because']}.", (one.source,))


def _when(ends: Sequence[Sentence]) -> str:
    written, colon, _ = ends[0].words.partition(": ")
    return f" ({written})" if colon else ""


def _because(left: Left, then: Opinion, now: Opinion, person: Opinion) -> tuple[Sentence, ...]:
    """What the answer rests on, beside the eyes' word: the strongest first."""
    if left is Left.DAMAGED_UNSEEN:
        return (person if person.said is Said.BAD else now).sentences
    return now.sentences if left is Left.IN_DOUBT and then.said is not Said.DOUBT else then.sentences


def _wrong(checks: Collection[str]) -> str:
    """How a person would call what speaks against it."""
    damaged, other = bool(DAMAGE & set(checks)), sorted(set(checks) - DAMAGE)
    words = (["damaged"] if damaged else []) + ([f"not as ordered ({', '.join(other)})"] if other else [])
    return " and ".join(words) or "damaged or not as ordered"


def _replaced(facts: Facts) -> Iterator[Sentence]:
    """What was asked for in its place, and what the warehouse said to it."""
    answers = dict(facts.answers)
    requests = list(facts.of("ReplacementRequest"))
    for one in requests:
        request = one.body["request_id"]
        said = answers.get(request, "what the warehouse said to it is not known")
        words = f"A replacement was asked for (request {request}, order line {one.body['order_line']}): {said}."
        told = (each.source for each in facts.entries if each.body.get("request") == request)
        yield Sentence(words, (one.source, *told, Source(Kind.OUTBOX, request)))
    if not requests and departed(facts)[0] in (Where.PULLED, Where.UNSEEN):
        yield Sentence("No replacement was asked for.", (facts.absence,))


def _disputed(facts: Facts) -> Iterator[Sentence]:
    said: dict[str, list[Source]] = {}  # a complaint stands in the journal for its order line, and for each item of it
    for one in facts.disputes:
        words = f"{one.written}: a complaint, noted by {one.body['by']}: {one.body['why']}."
        said.setdefault(words, []).append(one.source)
    yield from (Sentence(words, tuple(sources)) for words, sources in said.items())


def _nobodys(facts: Facts) -> Iterator[Sentence]:
    for one in facts.of("Item"):
        if TEST_PIECE in dict((one.body["expected"] or {}).get("attributes", ())):
            yield Sentence("It is a test piece, nobody's order.", (one.source,))
            return


def _unknown(facts: Facts) -> Iterator[Sentence]:
    """What nobody saw, and what was seen and is no longer kept."""
    seen = {one.body["camera"]: one.source for one in facts.of("Evidence")}
    shown = {one.camera for one in facts.shots if one.what == "crop" and not one.gone}
    for camera in dict.fromkeys((*facts.cameras, *seen)):
        if camera not in shown:
            yield _unseen(camera, facts)
    names = ", ".join(sorted(seen)) or "none"
    words = f"A side that faced no camera was never seen: {len(seen)} cameras looked at it ({names})."
    yield Sentence(words, tuple(seen.values()) or (facts.absence,))
    if not facts.order:
        yield Sentence("What it should have been: the warehouse never announced it.", (facts.absence,))


def _unseen(camera: str, facts: Facts) -> Sentence:
    gone = [one for one in facts.shots if one.camera == camera and one.what == "crop" and one.gone]
    if gone:
        return Sentence(f"How it looked to camera {camera}: {gone[0].gone}", tuple(one.source for one in gone))
    return Sentence(f"How it looked to camera {camera}: no picture of that side was kept.", (facts.absence,))


def summed_up(answers: Iterable[Answer]) -> str:
    """What several items of one order line come to, in a sentence."""
    told = [f"{number}: {WORDS[one.left]}" for number, one in enumerate(answers, 1)]
    return f"{len(told)} items ran under this order line: {'; '.join(told)}."


WORDS: Mapping[Left, str] = {
    Left.SOUND: "left sound",
    Left.NOTHING_FOUND: "left with nothing found on it",
    Left.DAMAGED_UNSEEN: "left damaged or wrong, unnoticed",
    Left.DAMAGED_SEEN: "left damaged or wrong, noticed but not pulled off",
    Left.UNDECIDED: "left undecided",
    Left.IN_DOUBT: "left in doubt",
    Left.NEVER_LEFT: "never left",
    Left.REMOVED: "taken off the belt",
    Left.LOST: "nobody saw where it went",
    Left.ON_BELT: "has not left yet",
    Left.CONTRADICTED: "the journal contradicts itself",
}
