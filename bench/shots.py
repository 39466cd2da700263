"""Messages that no lane should have to read, and the reason under which the daemon is to count each."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge.core import topics
from edge.core.topics import (
    ACK,
    BELT,
    CHALLENGE,
    CLEAR,
    CONFIRM,
    GUARD,
    INDUCT,
    LINE_STOP,
    LOT_HOLD_ACK,
    LOT_RELEASE,
    MAX_TEXT,
    REPLACEMENT_ACK,
    Topic,
)

Fields = Mapping[str, Any]
SOUND: Sequence[tuple[Topic, Fields]] = (
    (BELT, {"counts": 5, "plc_ns": 5, "speed_mm_per_s": 5.0, "edges": []}),
    (CONFIRM, {"edges": []}),
    (INDUCT, {"item": "é", "gtin": "04000000000017", "order_line": "o-1"}),
    (GUARD, {"alarm": ["door"]}),
    (CLEAR, {"by": "é", "what": "alarms"}),
    (CHALLENGE, {"test": "fail_safe", "by": "é", "items": []}),
    (ACK, {"command": "é", "status": "accepted"}),
    (LINE_STOP, {"why": "é"}),
    (REPLACEMENT_ACK, {"request": "é", "status": "accepted"}),
    (LOT_HOLD_ACK, {"request": "é", "status": "accepted"}),
    (LOT_RELEASE, {"by": "é", "hold": "h"}),
)
"""What the daemon listens to, with fields that it would take; each becomes a shot by one fault."""

ODD: Sequence[object] = (
    *(None, True, -1.5, 2**60, 1e300, "", "no such word", "x" * (MAX_TEXT + 1), "\ud800"),
    *([], [[[]]], [7], ["x"] * (topics.MAX_LIST + 1), {}, {"": ""}, {"eye": "third"}),
)
BIG_BYTES = 1_000_000
DEEP = 30_000
NOT_NEWS = "not_news"
OLD = {"replayed": NOT_NEWS, "out_of_order": NOT_NEWS}  # a `belt` that was dropped (QoS 0) is no replay when it comes
UNREADABLE = bytes(range(0x80, 0x100))  # no JSON text begins with one of these

Chance = random.Random
Counted = tuple[str, str]
"""Topic and reason."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One message to the broker."""

    kind: str
    topic: str  # under the lane's prefix; from the root where it begins with a slash
    payload: bytes
    counted: Counted | None  # None: it is none of the daemon's business
    retained: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """What another writer said on the lane while we listened."""

    topic: Topic
    payload: bytes


def shots(count: int, chance: Chance, heard: Sequence[Heard]) -> Iterator[Shot]:
    """So many shots of every kind by lot; `heard` may grow meanwhile: replays are taken from it."""
    kinds = tuple(KINDS)
    weights = [KINDS[kind][0] for kind in kinds]
    for kind in chance.choices(kinds, weights, k=count):
        yield KINDS[kind][1](kind, chance, heard)


def left_behind() -> Iterator[Shot]:
    """Retained messages that wait for a daemon that starts: one a topic, in form as they should be."""
    for topic, fields in SOUND:
        if not topic.retained:
            yield Shot(
                "retained, found at the start", topic.name, _json(fields), (topic.name, "retained"), retained=True
            )


def _json(fields: Mapping[str, Any]) -> bytes:
    return json.dumps({"schema": topics.SCHEMA, "seq": 1, **fields}).encode()


def _broken(
    reason: str, make: Callable[[Chance, Topic, Fields], bytes]
) -> Callable[[str, Chance, Sequence[Heard]], Shot]:
    """A kind whose payload is wrong by itself, on any topic that is listened to."""

    def shot(kind: str, chance: Chance, _: Sequence[Heard]) -> Shot:
        topic, fields = chance.choice(SOUND)
        return Shot(kind, topic.name, make(chance, topic, fields), (topic.name, reason))

    return shot


def _bytes(chance: Chance, _: Topic, __: Fields) -> bytes:
    return bytes([chance.choice(UNREADABLE)]) + chance.randbytes(chance.randrange(300))


def _cut_short(chance: Chance, topic: Topic, fields: Fields) -> bytes:
    whole = _json(fields)
    return whole[: chance.randrange(len(whole))]


def _no_number(chance: Chance, topic: Topic, fields: Fields) -> bytes:
    said = _json({**fields, "of_no_matter": 0.125})
    return said.replace(b"0.125", chance.choice([b"NaN", b"Infinity", b"-Infinity"]))


def _deep(chance: Chance, topic: Topic, fields: Fields) -> bytes:
    opened, closed = chance.choice([(b"[", b"]"), (b'{"a":', b"}")])
    levels = DEEP // len(opened)
    return _json(fields)[:-1] + b',"of_no_matter":' + opened * levels + b"1" + closed * levels + b"}"


def _other_encoding(chance: Chance, topic: Topic, fields: Fields) -> bytes:
    told = json.dumps({"schema": topics.SCHEMA, "of_no_matter": "é", **fields}, ensure_ascii=False)
    return told.encode(chance.choice(["latin-1", "utf-16", "utf-16-le", "utf-32"]))


def _no_table(chance: Chance, topic: Topic, fields: Fields) -> bytes:
    return chance.choice([b"[]", b"7", b"null", b'"text"', b"[" + _json(fields) + b"]", b""])


def _other_schema(chance: Chance, topic: Topic, fields: Fields) -> bytes:
    return _json({**fields, "schema": chance.choice([0, 2, "1", None, [1], 1.5])})


def _wrong_field(chance: Chance, topic: Topic, fields: Fields) -> bytes:
    name, kind = chance.choice(list(topic.required.items()))
    return _json({**fields, name: chance.choice([value for value in ODD if not kind(value)])})


def _no_field(chance: Chance, topic: Topic, fields: Fields) -> bytes:
    left_out = chance.choice(list(topic.required))
    return _json({name: value for name, value in fields.items() if name != left_out})


def _big(chance: Chance, topic: Topic, fields: Fields) -> bytes:
    said = _json(fields)
    return chance.choice([said + b" " * (BIG_BYTES - len(said)), b"[" * BIG_BYTES, chance.randbytes(BIG_BYTES)])


def _wrong_topic(kind: str, chance: Chance, _: Sequence[Heard]) -> Shot:
    name = chance.choice(["belts", "belt/eye", "Belt", "induct/", "divert", "nothing/here", "…", "a/b/c/d/e"])
    payload = chance.choice([_json(SOUND[0][1]), chance.randbytes(60), b""])
    return Shot(kind, name, payload, ("other", "wrong_topic"))


def _other_lane(kind: str, chance: Chance, _: Sequence[Heard]) -> Shot:
    topic, fields = chance.choice(SOUND)
    return Shot(kind, "/" + topic.under("another", chance.choice(["lane1", "lane"])), _json(fields), None)


def _retained(kind: str, chance: Chance, _: Sequence[Heard]) -> Shot:
    """A listener cannot tell it from others: it is refused for what it says, and again when it is found at a start."""
    topic, fields = chance.choice(SOUND)
    return Shot(kind, topic.name, _other_schema(chance, topic, fields), (topic.name, "schema"), retained=True)


def _replayed(kind: str, chance: Chance, heard: Sequence[Heard]) -> Shot:
    """What is retained is said again by right, after each reconnect; before anything was said there is no replay."""
    if not heard:
        return _broken("not_json", _bytes)(kind, chance, heard)
    said = chance.choice(heard)
    return Shot(kind, said.topic.name, said.payload, None if said.topic.retained else (said.topic.name, NOT_NEWS))


def _overtaken(kind: str, chance: Chance, heard: Sequence[Heard]) -> Shot:
    """An earlier `belt` as it would look had it not been heard yet: its numbers lie between two that were."""
    belts = [one for one in heard if one.topic is BELT]
    if not belts:
        return _broken("not_json", _bytes)(kind, chance, heard)
    said = json.loads(chance.choice(belts).payload)
    late = {**said, "counts": said["counts"] - 1, "plc_ns": said["plc_ns"] - chance.randrange(1, 10**6)}
    return Shot(kind, BELT.name, _json(late), (BELT.name, NOT_NEWS))


KINDS: Mapping[str, tuple[float, Callable[[str, Chance, Sequence[Heard]], Shot]]] = {
    "bytes": (10, _broken("not_json", _bytes)),
    "cut short": (10, _broken("not_json", _cut_short)),
    "NaN, Infinity": (5, _broken("not_json", _no_number)),
    "deep nesting": (3, _broken("not_json", _deep)),
    "another encoding": (5, _broken("not_json", _other_encoding)),
    "no table": (5, _broken("not_json", _no_table)),
    "another schema": (7, _broken("schema", _other_schema)),
    "a field is wrong": (15, _broken("field", _wrong_field)),
    "a field is missing": (7, _broken("field", _no_field)),
    "1 MB": (1, _broken("too_big", _big)),
    "topic that there is not": (7, _wrong_topic),
    "another lane's": (5, _other_lane),
    "retained": (4, _retained),
    "replayed": (10, _replayed),
    "out of order": (6, _overtaken),
}
"""How often each comes, and what makes it."""
