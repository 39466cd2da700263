"""What the stages say to each other: frozen, slotted, in the order of an item's way."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
"""A picture: uint8, height × width × 3 (BGR) or height × width (mono), read-only."""

Point = tuple[float, float]
Span = tuple[int, int, int, int]
"""A part of a picture, px: from and to which row, from and to which column."""

TEST_PIECE = "challenge"
"""An attribute of an order: the item is a test piece, nobody's order, and is not replaced."""
PALLET = "pallet"
"""An attribute of an order: the receiving pallet that the item came on."""
HELD = "held: "
"""What a purge begins with whose item belongs to a lot that is held."""


class Disposition(StrEnum):
    """What the judge says of an item."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    REJECT = "reject"
    NO_DECISION = "no_decision"


class Agreement(StrEnum):
    """What a reading comes to beside the order."""

    MATCH = "match"
    MISMATCH = "mismatch"  # a date earlier than ordered; another lot, size, language; print against code
    EXPIRED = "expired"
    SHORT_DATED = "short_dated"  # fewer days left than the site or the order asks for
    AMBIGUOUS = "ambiguous"  # several readings stand
    UNREADABLE = "unreadable"


class Result(StrEnum):
    """What became of a divert."""

    CONFIRMED = "confirmed"
    MISSED = "missed"
    UNEXPECTED = "unexpected"


class End(StrEnum):
    """How an item leaves the books: exactly one of these."""

    PASSED = "passed"
    DIVERTED = "diverted"
    MISSED = "missed"
    NO_DECISION = "no_decision"
    REMOVED = "removed"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class PhotoeyeEdge:
    """A photoeye went dark (an item's leading edge) or light (its trailing edge)."""

    seq: int  # the PLC's own number of this edge, one series per eye
    counts: int  # latched by the PLC at the edge
    dark: bool


@dataclass(frozen=True, slots=True)
class Expected:
    """What the warehouse says the item is."""

    wms_item: str
    gtin: str
    order_line: str
    lot: str | None = None
    expiry: date | None = None
    seller: str | None = None
    tote: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    scan_counts: int | None = None  # encoder counts when the warehouse scanned it; None: matched in order of arrival


@dataclass(frozen=True, slots=True)
class Announcement:
    """What the warehouse has said of an item that is still to come: written down, for it is said once."""

    expected: Expected
    boot: int  # the life of the PLC whose counts it names


@dataclass(frozen=True, slots=True)
class Clearing:
    """A named person says that what was purged or alarmed has been seen to."""

    by: str
    what: str  # items: none of those on the belt needs the purge; alarms: they may rest


@dataclass(frozen=True, slots=True)
class Hold:
    """A named person wants the lane Held: what is on it is still judged and diverted."""

    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Releasing:
    """A named person asks that a lot which is held may go on."""

    by: str
    hold_id: str


@dataclass(frozen=True, slots=True)
class PersonActed:
    """A named person had the lane do something; what came of it stands in other records."""

    by: str  # as whoever spoke at the broker named himself
    what: str  # clear, hold, challenge, fire, release
    why: str  # of what, or for what
    heard_ns: int


@dataclass(frozen=True, slots=True)
class ChallengeStart:
    """A named person sends known items down the belt to see whether the lane still does what it should."""

    test: str  # single, consecutive, memory, fail_safe
    by: str
    items: tuple[str, ...]  # the warehouse's ids of the test pieces, in order; none for fail_safe


@dataclass(frozen=True, slots=True)
class ChallengeResult:
    """What became of a challenge test, or that none was made in time."""

    test: str
    by: str
    outcome: str  # passed, failed, overdue
    because: str
    ended_ns: int


@dataclass(frozen=True, slots=True)
class FireStart:
    """A named person wants the gate fired on the empty belt, to see how long it takes."""

    test: str  # its name, made up by the console
    by: str
    times: int


@dataclass(frozen=True, slots=True)
class FireShot:
    """One shot of a fire test; None: that was not seen. All counts were latched by the PLC, but for the window's."""

    test: str
    command_id: str
    sent_ns: int
    open_counts: int
    close_counts: int
    told_mm_per_s: float  # the belt's speed, as the PLC told it when the order was sent
    ran_mm_per_s: float  # by counts and time until the shot was over
    status: str  # the PLC's first answer; empty: none
    trips_ms: tuple[
        float, ...
    ]  # each time that the order was said: until it was taken, where the PLC tells; or answered
    driven_counts: int | None = None  # the PLC set the gate off to the divert side
    over_counts: int | None = None  # it stood there
    released_counts: int | None = None  # the PLC set it off to the pass side
    back_counts: int | None = None  # it stood there


@dataclass(frozen=True, slots=True)
class FireResult:
    """What became of a fire test."""

    test: str
    by: str
    outcome: str  # fired, refused, aborted
    because: str
    ended_ns: int


@dataclass(frozen=True, slots=True)
class BeltReading:
    """The belt at one instant, and what its eyes and the warehouse said since the reading before."""

    read_ns: int
    counts: float  # encoder counts at read_ns, reckoned on from the PLC's last word
    speed_mm_per_s: float
    induct_edges: tuple[PhotoeyeEdge, ...] = ()
    confirm_edges: tuple[PhotoeyeEdge, ...] = ()
    exit_edges: tuple[PhotoeyeEdge, ...] = ()
    announced: tuple[Expected, ...] = ()
    guards: frozenset[str] = frozenset()  # guards in alarm: bin_full, bin_open, air_low, door, e_stop, jam
    clearings: tuple[Clearing, ...] = ()
    holds: tuple[Hold, ...] = ()
    challenges: tuple[ChallengeStart, ...] = ()
    fire_tests: tuple[FireStart, ...] = ()
    releases: tuple[Releasing, ...] = ()
    stops_asked: tuple[str, ...] = ()  # by the sentinel: why
    resync_edges: tuple[PhotoeyeEdge, ...] = ()  # of an eye between induct and gate, where there is one
    drive_edges: tuple[PhotoeyeEdge, ...] = ()  # dark: the PLC drives the gate to the divert side; light: back
    gate_edges: tuple[PhotoeyeEdge, ...] = ()  # dark: the gate stands on the divert side; light: on the pass side
    missed_edges: int = 0  # of the induct eye: their numbers were skipped, so items came that nobody saw
    boot: int = 0  # the PLC's own number of this life of it; its counts and edge numbers hold for one life
    stale: bool = False  # the PLC has been silent for longer than the site allows
    today: date = date.min  # the site's calendar day; date.min: unknown, nothing counts as expired

    @property
    def announcements(self) -> tuple[Announcement, ...]:
        """What was announced, as it is written down."""
        return tuple(Announcement(one, self.boot) for one in self.announced)


@dataclass(frozen=True, slots=True)
class Frame:
    """One exposure of one camera."""

    camera: str
    frame_id: str
    exposed_ns: int
    belt_counts: float  # latched at exposure
    image: Image
    fault: str = ""  # what is wrong with what it shows: no evidence of it is valid
    shown: Span | None = None  # the part that was sent, where the rest was filled up; None: all of it is as exposed


@dataclass(frozen=True, slots=True)
class Item:
    """One thing on the belt, born at the induct photoeye."""

    item_id: str
    born_ns: int
    leading_edge_counts: int  # when its leading edge was at the induct eye; corrected where it slipped on the belt
    length_mm: float | None = None  # None until its trailing edge has passed the induct eye
    expected: Expected | None = None  # None until the warehouse has announced it
    purge: str = ""  # why it is diverted whatever it looks like; empty: it is judged
    edge_seq: int = -1  # the PLC's number of the edge it was born at
    slip_counts: int = 0  # by how much the correction moved leading_edge_counts
    boot: int = 0  # the life of the PLC in which it was born

    @property
    def put_off(self) -> str:
        """Why it is diverted whatever it looks like, as its verdict says it; empty: it is judged."""
        return f"purged: {self.purge}" if self.purge and not self.is_held else self.purge

    @property
    def is_held(self) -> bool:
        """Whether it is diverted for its lot."""
        return self.purge.startswith(HELD)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A frame shows an item; its evidence is wanted by the deadline."""

    frame: Frame
    item: Item
    deadline_ns: int


@dataclass(frozen=True, slots=True)
class Look:
    """What a network saw of an item: enough to learn from it later."""

    gtin: str
    image: Image  # BGR, height × width × 3
    mask: Image  # height × width: 255 where the item is

    def with_mask(self) -> Image:
        """Both in one picture, height × width × 4, as it is kept."""
        return np.dstack((self.image, self.mask))


Outline = tuple[tuple[int, int], ...]
"""Corners of an item in a picture (x, y, px), one after the other around it; empty: nobody told."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of an item, on its way to where evidence is kept; in memory alone."""

    item_id: str
    what: str  # crop, heat_map, annotated
    camera: str
    check: str  # empty: a crop, which all checks of its frame share
    frame_id: str
    exposed_ns: int
    image: Image  # of its own memory: no camera waits for it
    outline: Outline = ()  # of the item in a crop


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one check found in one frame of one item; invalid until the check vouches for it."""

    item_id: str
    frame_id: str
    camera: str
    check: str  # anomaly, defect, expiry, lot, serial, …
    score: float | None = None  # a check that measures: larger is worse
    p_value: float | None = None  # share of sound items that look at least as unusual
    reading: str | None = None  # a check that reads: dates as YYYY-MM-DD
    kind: str = ""  # what the words beside a reading call it: use_by, best_before, …; of damage: its likeliest kind
    source: str = ""  # of a reading: print or code
    rivals: tuple[tuple[str, float], ...] = ()  # every reading that the print allows with its probability
    probability: float | None = None  # the check's own belief in its score or reading, 0 to 1
    where: tuple[Point, ...] = ()  # polygon in the frame's pixels
    because: str = ""  # for a person
    picture: Image | None = None  # a small annotated picture, at most 320 px
    look: Look | None = None
    alike: int = 0  # of the last unusual items of its product, those that are unusual in the same way
    learnt: str = ""  # what it was held against: the files' names (`sealed.named`) of references, head, portraits, …
    exposed_ns: int = 0
    started_ns: int = 0  # of the check; 0: it was never begun
    finished_ns: int = 0
    valid: bool = False

    @property
    def unusual(self) -> bool:
        """Whether an anomaly's score lies beyond the largest normal."""
        return self.score is not None and self.score >= 1


@dataclass(frozen=True, slots=True)
class Compared:
    """A reading beside the order: what lot isolation counts."""

    check: str
    agreement: Agreement
    printed: str | None = None  # as Evidence.reading; None: nothing is vouched for
    expected: str | None = None  # None: the order names none
    encoded: str | None = None  # what a code on the item says, where that contradicts the print
    probability: float | None = None  # of what is printed


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judge's one word on an item."""

    item_id: str
    order_line: str | None
    leading_edge_counts: int
    disposition: Disposition
    reasons: tuple[str, ...]
    skipped: tuple[str, ...]  # required checks without valid evidence
    evidence: tuple[Evidence, ...]
    recipe: str
    born_ns: int
    exposed_ns: int | None  # the last exposure its evidence rests on
    deadline_ns: int
    decided_ns: int
    gtin: str | None = None  # as ordered
    lot: str | None = None  # as ordered
    compared: tuple[Compared, ...] = ()  # one for each rule that compares, of what had come


@dataclass(frozen=True, slots=True)
class DivertCommand:
    """The gate is to stand open for this item between two encoder counts."""

    command_id: str
    item_id: str
    open_counts: int
    close_counts: int
    expires_ns: int  # after this the window has closed: drop, never send
    reason: str


@dataclass(frozen=True, slots=True)
class DivertAck:
    """The PLC's answer to a command: accepted, late, unknown or duplicate."""

    command_id: str
    status: str
    heard_ns: int = 0
    counts: int | None = None  # where the belt was when the PLC took the command; None: it does not tell


@dataclass(frozen=True, slots=True)
class DivertOutcome:
    """What the confirm and exit eyes say became of a divert."""

    command_id: str | None
    item_id: str | None
    result: Result
    seen_counts: int | None
    because: str
    eye: str = ""  # that saw the item: confirm or exit; empty: none did


@dataclass(frozen=True, slots=True)
class ItemEnd:
    """An item leaves the books."""

    item_id: str
    end: End
    seen_counts: int | None
    ended_ns: int
    eye: str = ""  # that saw it leave: confirm or exit; empty: none did
    edge_seq: int = -1  # that eye's number of the edge


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that a person should know now."""

    kind: str  # missed, unexpected, slip, stale, guard, reject_run, gap, clearing, held, calibration, lot_hold, …
    because: str
    item_id: str | None
    raised_ns: int


@dataclass(frozen=True, slots=True)
class LineStop:
    """A request to the PLC: better no belt than this one."""

    because: str
    raised_ns: int


@dataclass(frozen=True, slots=True)
class ReplacementRequest:
    """Another one, please: this item is off the belt."""

    request_id: str  # the same on every retry
    item_id: str
    order_line: str | None
    gtin: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LotGroup:
    """Items of one product that belong together: by their lot; where that is not known, by something weaker."""

    kind: str  # lot, pallet, tote, seller (of one day), day
    gtin: str
    key: str  # what of its name counts
    told: str = field(default="", compare=False)  # its name as it was first told

    def __str__(self) -> str:
        return f"{self.kind} {self.told or self.key} of {self.gtin}"


@dataclass(frozen=True, slots=True)
class LotHold:
    """Stop the rest of these, please: why, and by what numbers."""

    hold_id: str  # the same on every retry
    group: LotGroup
    because: str
    items: int  # decided; those that nobody could judge are not among them
    rejected: int
    usual_share: float
    p_value: float  # no good lot ever looks so bad in more than this share of cases
    order_lines: tuple[str, ...]  # of the last items that are past the gate already
    unlisted: int  # more of them, whose order lines stand in the ledger
    evidence: tuple[str, ...]  # item/check/camera/frame of what was rejected
    raised_ns: int


@dataclass(frozen=True, slots=True)
class LotRelease:
    """A named person lets the rest of a lot go on; it is counted anew."""

    hold_id: str
    group: LotGroup
    by: str
    released_ns: int


@dataclass(frozen=True, slots=True)
class Conservation:
    """The books of a lane: inducted = sum of ends + on the belt, always."""

    inducted: int
    ends: tuple[tuple[End, int], ...]
    on_belt: int
    violations: int


@dataclass(frozen=True, slots=True)
class CalibrationsInForce:
    """What the lane goes by from now on."""

    versions: tuple[tuple[str, int], ...]  # by name
    numbers: tuple[tuple[str, float], ...]  # in place of those settings
    known: tuple[
        tuple[str, int], ...
    ]  # the versions that were ever believed, and not cleared since: these must not vanish
    applied_ns: int


@dataclass(frozen=True, slots=True)
class ScaleLearnt:
    """How far it is from the induct eye to the exit eye, by the first items after a calibration of the belt."""

    of: str  # the calibrations of the belt that were in force
    counts: float  # the mean of the items
    spread: float  # of one item, standard deviation, as a share
    farthest: float  # that one item counts as off, as a share
    learnt_ns: int
