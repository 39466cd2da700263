"""What a warehouse may answer to a request, and what follows from each answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MAX_TOLD = 200  # of a why, as on the wire


class Outcome(StrEnum):
    """What one try came to."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # as good an answer: out of stock, order cancelled; a person is told
    OTHER = "other"  # a word that we do not know: an answer all the same; a person is told
    INVALID = "invalid"  # the request itself is at fault: sending it again is of no use
    PENDING = "pending"  # taken, and not answered yet
    FAILED = "failed"  # no answer: the same again, later


FINAL = frozenset({Outcome.ACCEPTED, Outcome.REFUSED, Outcome.OTHER})
WORDS: Mapping[str, Outcome] = {
    "accepted": Outcome.ACCEPTED,
    "refused": Outcome.REFUSED,
    "rejected": Outcome.REFUSED,
    "out_of_stock": Outcome.REFUSED,
    "cancelled": Outcome.REFUSED,
    "invalid": Outcome.INVALID,
    "malformed": Outcome.INVALID,
    "pending": Outcome.PENDING,
}


class Kept(StrEnum):
    """What became of an answer."""

    FIRST = "first"
    AGAIN = "again"  # the same as before
    CONTRADICTS = "contradicts"  # another one than before: the first stands
    UNKNOWN = "unknown"  # nobody asked


@dataclass(frozen=True, slots=True)
class Reply:
    """What a try came to."""

    request: str
    outcome: Outcome
    status: str  # the warehouse's own word
    why: str
    transport: str
    retry_after_s: float | None = None  # the warehouse asks for so much patience
    busy: bool = False  # it asks for it on behalf of all requests


@dataclass(frozen=True, slots=True)
class Owing:
    """A request whose turn it is."""

    request: str
    fields: Mapping[str, Any]
    place: int  # in the order of writing
    ignored: int  # times that it was passed over
    sent_ns: int  # last, by the monotonic clock; 0: not in this life, or the warehouse has it in hand


def outcome_of(status: str) -> Outcome:
    """What a warehouse's word means; case, blanks and hyphens do not matter."""
    return WORDS.get(status.strip().lower().replace(" ", "_").replace("-", "_"), Outcome.OTHER)


def reply_of(fields: Mapping[str, Any], transport: str) -> Reply:
    """An answer as it stands on a topic of answers, or in the body of an HTTP answer, its fields checked."""
    status = fields["status"]
    return Reply(fields["request"], outcome_of(status), status, fields.get("why") or "", transport)
