"""The one table of topics: who writes what, how, and of which fields. Nothing else spells a topic."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Kind = Callable[[object], bool]

SCHEMA = 1
EYES = ("induct", "resync", "confirm", "exit")
MAX_BYTES = 65_536
MAX_TEXT = 200
MAX_LIST = 64
SURROGATES = re.compile("[\ud800-\udfff]")
CHALLENGES = ("single", "consecutive", "memory", "fail_safe")
ACKS = frozenset({"accepted", "late", "unknown", "duplicate"})

AGREEMENTS = frozenset({"match", "mismatch", "expired", "short_dated", "ambiguous", "unreadable"})


def integer(value: object) -> bool:
    """A whole number that every JSON reader keeps exact."""
    return type(value) is int and abs(value) < 2**53


def real(value: object) -> bool:
    """A number, finite by JSON."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15


def text(value: object) -> bool:
    """A short text, of characters that can be written down: a lone surrogate cannot."""
    return isinstance(value, str) and 0 < len(value) <= MAX_TEXT and not SURROGATES.search(value)


def texts(value: object) -> bool:
    """A short list of short texts."""
    return isinstance(value, list) and len(value) <= MAX_LIST and all(text(one) for one in value)


def labels(value: object) -> bool:
    """A small table of short texts."""
    return isinstance(value, dict) and len(value) <= MAX_LIST and all(text(k) and text(v) for k, v in value.items())


def edges(value: object) -> bool:
    """Photoeye edges: eye, seq, counts, dark."""
    return isinstance(value, list) and len(value) <= MAX_LIST and all(_edge(one) for one in value)


def evidence(value: object) -> bool:
    """What the checks found: a list of tables, for people and records."""
    return isinstance(value, list) and len(value) <= MAX_LIST and all(isinstance(one, dict) for one in value)


def comparisons(value: object) -> bool:
    """Readings beside the order: a list of tables that say check and agreement."""
    return isinstance(value, list) and len(value) <= MAX_LIST and all(_comparison(one) for one in value)


def _comparison(value: object) -> bool:
    return isinstance(value, dict) and text(value.get("check")) and value.get("agreement") in AGREEMENTS


def ack(value: object) -> bool:
    """What a PLC may answer to a command."""
    return isinstance(value, str) and value in ACKS


def side(value: object) -> bool:
    """A side of the gate."""
    return value in ("divert", "pass")


def clearable(value: object) -> bool:
    """What a person may clear."""
    return value in ("items", "alarms")


def challenge(value: object) -> bool:
    """A kind of challenge test."""
    return isinstance(value, str) and value in CHALLENGES


def _edge(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.get("eye") in EYES
        and integer(value.get("seq"))
        and integer(value.get("counts"))
        and isinstance(value.get("dark"), bool)
    )


@dataclass(frozen=True, slots=True)
class Topic:
    """One row of the protocol."""

    name: str
    writer: str
    qos: int
    required: Mapping[str, Kind]
    optional: Mapping[str, Kind] = field(default_factory=dict)
    retained: bool = False
    expiry_s: float | None = None  # MQTT 5 message expiry; None: kept until delivered

    def under(self, site: str, lane: str) -> str:
        """The full topic of a lane."""
        return f"tunnel/{site}/{lane}/{self.name}"


BELT = Topic(
    "belt",
    "plc",
    0,
    # Edges of the last three seconds are repeated in each message, so that a lost message (QoS 0) loses no item.
    {"counts": integer, "plc_ns": integer, "speed_mm_per_s": real, "edges": edges},
    {
        "boot": integer,  # another number after each start of the PLC: its counts and edge numbers begin anew
        "gate": side,  # where the gate stands or is on its way to; the conformance suite sees the gate by it
    },
    expiry_s=1,
)
INDUCT = Topic(
    "induct",
    "wms",
    1,
    {"item": text, "gtin": text, "order_line": text},
    {
        "lot": text,
        "expiry": text,
        "seller": text,
        "tote": text,
        "attributes": labels,
        "scan_counts": integer,
    },
)
COMMAND = Topic(
    "divert/command",
    "box",
    1,
    {"command": text, "item": text, "open_counts": integer, "close_counts": integer, "reason": text},
)
ACK = Topic("divert/ack", "plc", 1, {"command": text, "status": ack}, expiry_s=5)
CONFIRM = Topic("confirm", "plc", 1, {"edges": edges}, {"boot": integer})
GUARD = Topic("guards", "plc", 1, {"alarm": texts}, retained=True)
HEARTBEAT = Topic("heartbeat", "box", 0, {"turn": integer}, expiry_s=1)
STATE = Topic("state", "box", 1, {"state": text, "why": text}, {"models": labels, "calibration": labels}, retained=True)
VERDICT = Topic(
    "verdict",
    "box",
    1,
    {
        "item": text,
        "leading_edge_counts": integer,
        "disposition": text,
        "reasons": texts,
        "skipped": texts,
        "evidence": evidence,
        "recipe": text,
        "latency_ms": real,
    },
    {"order_line": text, "gtin": text, "lot": text, "compared": comparisons},
)
# The box has two writers here: the daemon, and the sentinel, which must be heard when the daemon is not.
LINE_STOP = Topic("line/stop", "box", 1, {"why": text}, expiry_s=5)
CHALLENGE = Topic("challenge/start", "console", 1, {"test": challenge, "by": text, "items": texts})
CHALLENGE_RESULT = Topic("challenge/result", "box", 1, {"test": text, "by": text, "outcome": text, "because": text})
CLEAR = Topic("clear", "console", 1, {"by": text, "what": clearable})
REPLACEMENT = Topic(
    "replacement/request",
    "box",
    1,
    {"request": text, "item": text, "reasons": texts},
    {"order_line": text, "gtin": text},
)
REPLACEMENT_ACK = Topic("replacement/ack", "wms", 1, {"request": text, "status": text}, {"why": text})
LOT_HOLD = Topic(
    "lot/hold",
    "box",
    1,
    {
        "request": text,
        "kind": text,
        "gtin": text,
        "because": text,
        "items": integer,
        "rejected": integer,
        "usual_share": real,
        "p_value": real,
        "order_lines": texts,
        "unlisted": integer,
        "evidence": texts,
    },
    {"lot": text, "group": text},  # the lot; of a weaker group, what names it
)
LOT_HOLD_ACK = Topic("lot/hold/ack", "wms", 1, {"request": text, "status": text}, {"why": text})
LOT_RELEASE = Topic("lot/release", "console", 1, {"by": text, "hold": text})

TABLE = (
    BELT,
    INDUCT,
    COMMAND,
    ACK,
    CONFIRM,
    GUARD,
    HEARTBEAT,
    STATE,
    VERDICT,
    LINE_STOP,
    CLEAR,
    CHALLENGE,
    CHALLENGE_RESULT,
    REPLACEMENT,
    REPLACEMENT_ACK,
    LOT_HOLD,
    LOT_HOLD_ACK,
    LOT_RELEASE,
)
