"""What the loop needs from the outside, each the size of one verb. None of these may block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from edge.core.answers import Kept, Owing, Reply
from edge.core.belt import Geometry
from edge.core.in_force import UNCALIBRATED, Standing
from edge.core.messages import (
    Alarm,
    Announcement,
    BeltReading,
    CalibrationsInForce,
    ChallengeResult,
    Conservation,
    DivertAck,
    DivertCommand,
    DivertOutcome,
    Evidence,
    FireResult,
    FireShot,
    Frame,
    Item,
    ItemEnd,
    LineStop,
    LotHold,
    LotRelease,
    PersonActed,
    ReplacementRequest,
    ScaleLearnt,
    Shown,
    Sighting,
    Verdict,
)
from edge.core.supervision import Oversight
from edge.core.topics import Topic

Record = (
    Announcement
    | Item
    | Evidence
    | Verdict
    | DivertCommand
    | DivertAck
    | DivertOutcome
    | ItemEnd
    | ReplacementRequest
    | LotHold
    | LotRelease
    | Conservation
    | Alarm
    | LineStop
    | ChallengeResult
    | FireShot
    | FireResult
    | CalibrationsInForce
    | ScaleLearnt
    | Shown
    | PersonActed
)


class Belt(Protocol):
    """Tells where the belt is."""

    @property
    def holds(self) -> bool:
        """Whether something that was told is not in a reading yet."""
        ...

    def read(self, now_ns: int) -> BeltReading:
        """The belt now, and its edges and announcements since the last reading."""
        ...

    def go_by(self, geometry: Geometry) -> None:
        """The lane is laid out anew; nothing is on it."""
        ...


class Camera(Protocol):
    """Shows what passes."""

    def grab(self, reading: BeltReading, items: Mapping[str, Item]) -> Sequence[Frame]:
        """The frames exposed since the last call, oldest first; each with the counts at its exposure.

        items: what is on the belt: the rest need not be shown.
        """
        ...

    def faults(self) -> Mapping[str, str]:
        """What is wrong with cameras just now: camera → what, and what to do."""
        ...

    def go_by(self, geometry: Geometry) -> None:
        """The lane is laid out anew; nothing is on it."""
        ...


class Calibrations(Protocol):
    """Knows the lane's shelf."""

    def told(self) -> Standing:
        """What it comes to just now; the same object as long as it stays the same."""
        ...


class Uncalibrated:
    """A lane that has no shelf."""

    def told(self) -> Standing:
        """Nothing."""
        return UNCALIBRATED


NO_SHELF = Uncalibrated()


class Inspector(Protocol):
    """Looks at items beside the loop."""

    def submit(self, sightings: Iterable[Sighting]) -> None:
        """Have these looked at, the most urgent first; returns at once."""
        ...

    def collect(self) -> Sequence[Evidence]:
        """The evidence that has arrived since the last call."""
        ...

    def forget(self, item_ids: Iterable[str]) -> None:
        """No verdict waits for these any longer: look at them only when there is nothing better to do."""
        ...

    def faults(self) -> Mapping[str, str]:
        """Cameras whose pictures cannot be those of the items: camera → why, and what to do."""
        ...


class Diverter(Protocol):
    """Moves the gate."""

    def send(self, commands: Iterable[DivertCommand]) -> None:
        """Pass the commands on; returns at once."""
        ...

    def acks(self) -> Sequence[DivertAck]:
        """The answers that have arrived since the last call."""
        ...


class Station(Protocol):
    """Tells the lane how the box is."""

    def tell(self, oversight: Oversight, turn: int, now_ns: int) -> None:
        """Beat (the gate goes to its safe side when this stops), say the state, ask for stops; returns at once."""
        ...

    def report(self, results: Iterable[FireResult]) -> None:
        """Say what became of fire tests; returns at once."""
        ...


class Publisher(Protocol):
    """Says something on a topic of the lane."""

    def publish(self, topic: Topic, fields: Mapping[str, Any]) -> bool:
        """Pass it to the broker; False when there is no connection: nothing is kept."""
        ...


class Wire(Protocol):
    """What the conveyor's parts need of a connection."""

    refused: Counter[tuple[str, str]]  # (topic, reason) → messages

    def take(self, topic: Topic) -> list[tuple[int, dict[str, Any]]]:
        """What was said on a topic since the last call: (monotonic ns of receipt, checked fields), oldest first."""
        ...

    def publish(self, topic: Topic, fields: Mapping[str, Any], expiry_s: float | None = None) -> bool:
        """Pass a message on; False without a connection."""
        ...

    def announce(self, state: str, why: str, versions: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """Set the retained state of the station."""
        ...


class Ledger(Protocol):
    """Remembers."""

    def record(self, records: Iterable[Record]) -> None:
        """Keep these; returns at once."""
        ...

    def unwritten_s(self) -> int:
        """How long the oldest of what must not be lost has waited to be written, whole seconds; 0: as it should be."""
        ...


class Outbox(Protocol):
    """Requests owed to the warehouse, on disk until answered; times are monotonic, of one life of the sender."""

    def begin(self) -> None:
        """A new life: all that waits is due."""
        ...

    def due(self, now_ns: int, most: int) -> Sequence[Owing]:
        """Requests whose turn it is, one of an order line, the longest due first."""
        ...

    def sent(self, tries: Iterable[Owing], due_ns: Mapping[str, int]) -> None:
        """Count an attempt of each, and when it is due again."""
        ...

    def failed(self, request: str, least_ns: int, sooner_ns: int) -> None:
        """A try came to nothing: it is due so much sooner than was thought, and no earlier than that."""
        ...

    def pending(self, request: str, due_ns: int) -> None:
        """The warehouse has it in hand, and is asked again then."""
        ...

    def answered(self, reply: Reply) -> Kept:
        """Keep the first answer."""
        ...

    def place(self, request: str) -> int:
        """In the order of writing."""
        ...

    def given_up(self, request: str, because: str) -> bool:
        """Lay it aside for a person; False: it is not owed."""
        ...


class Requests(Protocol):
    """The way to the warehouse."""

    patience_s: float  # until a try without an answer has failed

    def offer(self, request: str, fields: Mapping[str, Any]) -> bool:
        """Send it; returns at once. False: there is no way just now."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything that comes to a lane's loop from outside, and where its word goes; no decision depends on more."""

    wire: Wire
    camera: Camera
    inspector: Inspector
    ledger: Ledger
    clock_ns: Callable[[], int]  # monotonic
    today: Callable[[], date]  # the site's calendar day
    calibrations: Calibrations = NO_SHELF
