"""The answer as one page that needs nothing beside it: what it comes to, then the pictures, then what it rests on."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from edge.core.findings import Answer, Left
from edge.core.grounds import Cited, Facts, Kind, Sentence, Source
from edge.inspection.heat import FULL_HEAT, LEAST_HEAT
from edge.investigation.alike import Beside
from edge.investigation.anew import CROP
from edge.investigation.facts import NS_PER_S, Photo
from edge.records.sinks import jpeg

TEMPLATE = "page.html"
MOST_CITED = 8  # sources that stand behind a sentence; the rest is named when it is pointed at, and below
SHORT = 12  # digits of a SHA-256 that are shown beside a sentence
JPEG = "image/jpeg"
TONES = {Left.SOUND: "good", Left.DAMAGED_UNSEEN: "bad", Left.DAMAGED_SEEN: "bad", Left.NEVER_LEFT: "good"}
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")  # all that XML forbids, and more
PLAIN = (Left.NEVER_LEFT, Left.REMOVED, Left.LOST, Left.ON_BELT)  # nothing but the eyes' word is needed
MOMENTS = {"Item": "born_ns", "Verdict": "decided_ns", "ItemEnd": "ended_ns"}


@dataclass(frozen=True, slots=True)
class Investigated:
    """One item: what is known of it, the answer, its pictures and those of its like."""

    facts: Facts
    answer: Answer
    shown: Sequence[Photo]
    beside: Sequence[Beside] = ()
    next_steps: Sequence[str] = ()


class Figure(NamedTuple):
    """A picture of the page."""

    caption: str
    media_type: str
    content: str  # base64
    sha256: str = ""  # of what was kept


class Reading(NamedTuple):
    """What is printed on it, beside the order."""

    what: str
    ordered: str
    then: str
    now: str


class Step(NamedTuple):
    """A moment of its way along the belt."""

    since_s: float  # since the photoeye
    what: str
    entry: int


def page(asked: str, summary: str, found: Sequence[Investigated], made: str) -> str:
    """The page."""
    folder = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=folder, autoescape=True, undefined=StrictUndefined, finalize=printable)
    environment.filters["cited"] = cited
    environment.globals["most"] = MOST_CITED
    scale = f"clear up to {LEAST_HEAT:g}, brightest from {FULL_HEAT:g} times the most unusual sound item on"
    parts = [_part(number, one) for number, one in enumerate(found, 1)]
    return environment.get_template(TEMPLATE).render(
        asked=asked, summary=summary, parts=parts, scale=scale, made=made, notes=list(_notes(found))
    )


def printable(value: Any) -> Any:
    """Words without control characters: an order line from outside may hold any, and a terminal would obey them."""
    return CONTROL.sub("\ufffd", value) if isinstance(value, str) and not isinstance(value, Markup) else value


def cited(source: Source) -> tuple[str, str]:
    """A source as it stands behind a sentence, and in full."""
    if source.kind is Kind.PICTURE:
        return f"picture {source.name[:SHORT]}", f"picture, SHA-256 {source.name}"
    full = {
        Kind.ENTRY: f"entry {source.name} of the lane's journal",
        Kind.UP_TO: f"the lane's journal up to entry {source.name}, in which nothing else stands",
        Kind.SETTINGS: f"the lane's settings of now, recipe {source.name}",
        Kind.OUTBOX: f"the lane's outbox, request {source.name}",
    }
    return f"{source.kind} {source.name}", full[source.kind]


def _part(number: int, one: Investigated) -> dict[str, Any]:
    """All that is shown of one item."""
    order = one.facts.order
    names = {"order line": "order_line", "product": "gtin", "lot": "lot", "expiry": "expiry", "seller": "seller"}
    return {
        "number": number,
        "answer": one.answer,
        "tone": TONES.get(one.answer.left, "open"),
        "reason": one.answer.left not in PLAIN,
        "known": [(name, order[key]) for name, key in names.items() if order.get(key)],
        "cameras": list(_cameras(one)),
        "readings": list(_readings(one.facts)),
        "steps": list(way(one.facts.entries)),
        "next_steps": one.next_steps,
    }


def _cameras(one: Investigated) -> Iterator[tuple[str, list[Figure]]]:
    """Camera by camera: as it left, its heat maps, and the sound ones most alike."""
    names = dict.fromkeys([*one.facts.cameras, *(shown.kept.camera for shown in one.shown)])
    for camera in names:
        figures = [*_kept(one, camera), *_now(one, camera), *_others(one, camera)]
        if figures:
            yield camera, figures


def _kept(one: Investigated, camera: str) -> Iterator[Figure]:
    """The last picture of each kind that was kept."""
    words = {CROP: "as the camera saw it", "heat_map": "what was unusual, as found then", "annotated": "as read then"}
    newest = {(one.kept.what, one.kept.check): one for one in one.shown if one.kept.camera == camera}
    for (what, check), shown in sorted(newest.items()):
        caption = f"{words.get(what, what)}{f' ({check})' if check else ''}"
        content = base64.b64encode(shown.content).decode()
        yield Figure(caption, shown.kept.media_type, content, shown.kept.sha256)


def _now(one: Investigated, camera: str) -> Iterator[Figure]:
    for found in one.facts.again.evidence if one.facts.again else ():
        if found.camera == camera and found.picture is not None and found.score is not None:
            caption = f"looked at again ({found.check}): {found.score:.2f}"
            yield Figure(caption, JPEG, base64.b64encode(jpeg(found.picture)).decode())


def _others(one: Investigated, camera: str) -> Iterator[Figure]:
    for other in one.beside:
        if other.camera == camera:
            score = "" if other.score is None else f": {other.score:.2f}"
            caption = f"another that passed{score}"
            yield Figure(caption, JPEG, base64.b64encode(jpeg(other.drawn)).decode(), other.sha256)


def _readings(facts: Facts) -> Iterator[Reading]:
    """What each check read then and now, beside the order."""
    compared = {one["check"]: one for verdict in facts.of("Verdict") for one in verdict.body.get("compared", ())}
    then = [one.body for one in facts.of("Evidence") if one.body["reading"]]
    now = [one for one in (facts.again.evidence if facts.again else ()) if one.reading]
    for check in dict.fromkeys([*compared, *(one["check"] for one in then), *(one.check for one in now)]):
        ordered = compared.get(check, {}).get("expected") or facts.order.get(check) or "–"
        agreement = compared.get(check, {}).get("agreement", "not compared").replace("_", " ")
        read = [_read(one["camera"], one["reading"], one["valid"]) for one in then if one["check"] == check]
        again = [_read(one.camera, one.reading or "", one.valid) for one in now if one.check == check]
        yield Reading(check, str(ordered), f"{_listed(read)} ({agreement})", _listed(again))


def _read(camera: str, reading: str, valid: bool) -> str:  # noqa: FBT001 - a fact, no switch
    return f"{camera}: {reading}{'' if valid else ' (not vouched for)'}"


def _listed(words: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(words)) or "–"


def way(entries: Sequence[Cited]) -> Iterator[Step]:
    """Its way along the belt: photoeye, exposures, verdict, end."""
    born_ns = next((one.body["born_ns"] for one in entries if one.kind == "Item"), None)
    if born_ns is None:
        return
    told: set[str] = set()
    for one in sorted(entries, key=lambda one: _moment_ns(one) or 0):
        moment_ns, what = _moment_ns(one), _what(one)
        if moment_ns and what not in told:
            told.add(what)
            yield Step((moment_ns - born_ns) / NS_PER_S, what, one.entry)


def _moment_ns(one: Cited) -> int | None:
    moment: int | None = one.body.get("exposed_ns" if one.kind == "Evidence" else MOMENTS.get(one.kind, ""))
    return moment or None


def _what(one: Cited) -> str:
    body = one.body
    if one.kind == "Evidence":
        return f"before camera {body['camera']}"
    if one.kind == "Verdict":
        return f"verdict: {body['disposition'].replace('_', ' ')}"
    return (
        f"{body['end'].replace('_', ' ')} ({body['eye'] or 'no'} eye)" if one.kind == "ItemEnd" else "at the photoeye"
    )


def _notes(found: Sequence[Investigated]) -> Iterator[str]:
    """Every source once, in full, in the order in which it is first named."""
    sentences = (sentence for one in found for sentence in spoken(one.answer))
    yield from dict.fromkeys(cited(source)[1] for sentence in sentences for source in sentence.sources)


def spoken(answer: Answer) -> Sequence[Sentence]:
    """All that is said."""
    return (
        answer.headline,
        answer.because,
        answer.reach.told,
        *answer.after,
        *answer.then,
        *answer.now,
        *answer.unknown,
        *answer.versions,
    )
