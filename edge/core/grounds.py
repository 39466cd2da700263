"""What an answer about an item rests on: entries of the journal, kept pictures, and a second look at them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from edge.core.judge import Finding
from edge.core.messages import Disposition, Evidence

Body = Mapping[str, Any]


class Kind(StrEnum):
    """Where a sentence comes from."""

    ENTRY = "entry"  # of the journal, by its number
    PICTURE = "picture"  # by its SHA-256
    UP_TO = "up to"  # the whole journal up to this entry: what does not stand there
    SETTINGS = "settings"  # the lane's, of now
    OUTBOX = "outbox"  # what is owed to the warehouse, by its request


@dataclass(frozen=True, slots=True)
class Source:
    """One thing that a sentence rests on."""

    kind: Kind
    name: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, and all that it rests on: never nothing."""

    words: str
    sources: tuple[Source, ...]

    def __post_init__(self) -> None:
        if not self.sources:
            raise ValueError(f"'{self.words}' rests on nothing")


@dataclass(frozen=True, slots=True)
class Cited:
    """An entry of the journal, as it can be cited."""

    entry: int
    written: str  # wall clock, as a person reads it
    wall_ns: int
    kind: str
    body: Body

    @property
    def source(self) -> Source:
        """As what a sentence rests on."""
        return Source(Kind.ENTRY, str(self.entry))


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture of the item that was kept; or is no longer, and why."""

    what: str  # crop, heat_map, annotated
    camera: str
    check: str  # empty: all checks share it
    sha256: str
    written: str  # wall clock of its exposure, or of its keeping
    gone: str = ""  # why it cannot be shown; empty: it can

    @property
    def source(self) -> Source:
        """As what a sentence rests on."""
        return Source(Kind.PICTURE, self.sha256)


@dataclass(frozen=True, slots=True)
class Label:
    """A person of the site says of the item's picture that it shows damage."""

    camera: str
    sha256: str  # of the picture


@dataclass(frozen=True, slots=True)
class Share:
    """How many sound items look at least as unusual to a camera, by the references of now (conformal p-value)."""

    camera: str
    p_value: float
    normals: int


@dataclass(frozen=True, slots=True)
class Again:
    """What the kept pictures say when they are looked at again, without hurry, by the recipe and models of now."""

    recipe: str
    disposition: Disposition
    findings: tuple[Finding, ...]
    evidence: tuple[Evidence, ...]
    shares: tuple[Share, ...]
    pictures: tuple[tuple[str, str], ...]  # those that were looked at: camera and SHA-256
    models: tuple[tuple[str, str], ...]  # check → version
    changed: tuple[str, ...]  # what is otherwise than then, as far as can be told
    day: date  # as if it were: that on which it left
    unchanged: frozenset[str] = frozenset()  # cameras at which models and references are surely those of then

    def of(self, camera: str) -> tuple[Source, ...]:
        """The pictures of one camera, as what a sentence rests on."""
        return tuple(Source(Kind.PICTURE, sha256) for shown_to, sha256 in self.pictures if shown_to == camera)


class By(StrEnum):
    """How a person came to name a damaged item."""

    TEST = "test"  # sent down the belt for the line to find it
    COMPLAINT = "complaint"  # a customer's, of an item that left
    LABEL = "label"  # the line showed it for being unusual, and a person of the site took it for damage


@dataclass(frozen=True, slots=True)
class Named:
    """An item that a person named as damaged."""

    by: By
    naming: Cited  # the entry that does
    facts: Facts


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of one item."""

    item_id: str
    entries: tuple[Cited, ...]  # about it, in order
    read_to: int  # the last entry of the journal when it was read
    cameras: tuple[str, ...]  # of the lane, by its settings
    shots: tuple[Shot, ...] = ()
    in_force: tuple[Cited, ...] = ()  # DaemonStarted and CalibrationsInForce: the last ones before it
    disputes: tuple[Cited, ...] = ()  # Complaint and Disputed, about it or its order line
    answers: tuple[tuple[str, str], ...] = ()  # request → what became of it at the warehouse, in words
    labels: tuple[Label, ...] = ()
    named: tuple[Named, ...] = ()  # damaged ones of the same product
    again: Again | None = None
    not_again: str = ""  # why it was not looked at again

    def of(self, kind: str) -> Iterator[Cited]:
        """The entries of a kind."""
        return (one for one in self.entries if one.kind == kind)

    @property
    def absence(self) -> Source:
        """What a sentence rests on that says that something does not stand in the journal."""
        return Source(Kind.UP_TO, str(self.read_to))

    @property
    def order(self) -> Body:
        """What the warehouse announced it as; empty: it did not."""
        announced = [one.body["expected"] for one in self.of("Item") if one.body.get("expected")]
        return announced[-1] if announced else {}

    @property
    def gtin(self) -> str:
        """The product, as ordered; empty: nobody announced it."""
        return str(self.order.get("gtin", ""))
