"""Listens in at the loop's ports: what came in a turn, and what was decided in it. Nothing here waits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from edge.core.bodies import unillustrated
from edge.core.in_force import UNCALIBRATED, Standing
from edge.core.messages import BeltReading, Conservation, Evidence, Frame, Item, Sighting
from edge.core.ports import Calibrations, Camera, Inspector, Ledger, Ports, Record, Wire
from edge.core.topics import HEARTBEAT, Topic

SILENT_TURNS = 1000  # without anything to tell: their times are handed over all the same

NS_PER_MS = 1_000_000
SILENT_MS = 400  # two heartbeats

Said = list[tuple[int, dict[str, Any]]]
"""When it was received (monotonic ns), and the checked fields."""


@dataclass(frozen=True, slots=True)
class Announced:
    """The lane's state, as it was told."""

    state: str
    why: str


@dataclass(frozen=True, slots=True)
class Silenced:
    """There was no heartbeat for a while, so that the gate went to its safe side; it beats again."""

    lasted_ms: float


@dataclass(slots=True)
class Turn:
    """One turn in which something came in or was decided, and the times of the silent ones before it."""

    instants_ns: list[int] = field(default_factory=list)  # monotonic; the last is its own
    said: dict[str, Said] = field(default_factory=dict)  # by topic
    frames: list[Frame] = field(default_factory=list)
    shown: set[tuple[str, str]] = field(default_factory=set)  # camera and id of the frames that show an item
    faults: Mapping[str, str] | None = None  # what cameras say of themselves; None: as before
    doubts: Mapping[str, str] | None = None  # what the inspector says of cameras; None: as before
    evidence: list[Evidence] = field(default_factory=list)
    today: date | None = None  # None: as before
    calibrations: Standing | None = None  # what the shelf comes to; None: as before
    unwritten_s: int | None = None  # as `Ledger.unwritten_s`; None: as before
    records: list[Record | Announced | Silenced] = field(default_factory=list)

    @property
    def tells(self) -> bool:
        """Whether anything happened in it."""
        came = self.said or self.frames or self.evidence or self.records
        changed = (self.faults, self.doubts, self.today, self.calibrations, self.unwritten_s)
        return bool(came) or any(one is not None for one in changed)


class Tape:
    """Gathers turn by turn what passes the ports, and hands it over."""

    def __init__(self) -> None:
        self.turn = Turn()

    def ports(self, ports: Ports) -> Ports:
        """The same ports, listened to."""
        return replace(
            ports,
            wire=_Wire(ports.wire, self),
            camera=_Camera(ports.camera, self),
            inspector=_Inspector(ports.inspector, self),
            ledger=_Ledger(ports.ledger, self),
            today=_Calendar(ports.today, self),
            calibrations=_Calibrations(ports.calibrations, self),
        )

    def turning(self, turn: Callable[[int], None], give: Callable[[Turn], None]) -> Callable[[int], None]:
        """The loop's turn, listened to and given on; one that fails is given as far as it went."""

        def listened(now_ns: int) -> None:
            self.turn.instants_ns.append(now_ns)
            try:
                turn(now_ns)
            finally:
                if self.turn.tells or len(self.turn.instants_ns) >= SILENT_TURNS:
                    give(self.turn)
                    self.turn = Turn()

        return listened


class _Wire:
    """Notes what is taken, the state that is announced, and where the heartbeat stopped. Commands are records."""

    def __init__(self, wire: Wire, tape: Tape) -> None:
        self.refused = wire.refused
        self._wire, self._tape = wire, tape
        self._beat_ns: int | None = None

    def take(self, topic: Topic) -> Said:
        said = self._wire.take(topic)
        if said:
            self._tape.turn.said.setdefault(topic.name, []).extend(said)
        return said

    def publish(self, topic: Topic, fields: Mapping[str, Any], expiry_s: float | None = None) -> bool:
        if topic is HEARTBEAT:
            self._beat(self._tape.turn.instants_ns[-1])
        return self._wire.publish(topic, fields, expiry_s)

    def announce(self, state: str, why: str, versions: Mapping[str, Mapping[str, str]] | None = None) -> None:
        self._tape.turn.records.append(Announced(state, why))
        self._wire.announce(state, why, versions)

    def _beat(self, now_ns: int) -> None:
        before_ns, self._beat_ns = self._beat_ns, now_ns
        if before_ns is not None and now_ns - before_ns > SILENT_MS * NS_PER_MS:
            self._tape.turn.records.append(Silenced((now_ns - before_ns) / NS_PER_MS))


class _Camera:
    """Notes frames, and faults when they change."""

    def __init__(self, camera: Camera, tape: Tape) -> None:
        self.go_by = camera.go_by
        self._camera, self._tape = camera, tape
        self._faults: Mapping[str, str] = {}

    def grab(self, reading: BeltReading, items: Mapping[str, Item]) -> Sequence[Frame]:
        frames = self._camera.grab(reading, items)
        self._tape.turn.frames.extend(frames)
        return frames

    def faults(self) -> Mapping[str, str]:
        faults = self._camera.faults()
        if faults != self._faults:
            self._faults = self._tape.turn.faults = faults
        return faults


class _Inspector:
    """Notes which frames show an item, the evidence that has arrived, and doubts about cameras when they change."""

    def __init__(self, inspector: Inspector, tape: Tape) -> None:
        self.forget = inspector.forget
        self._inspector, self._tape = inspector, tape
        self._doubts: Mapping[str, str] = {}

    def submit(self, sightings: Iterable[Sighting]) -> None:
        seen = tuple(sightings)
        self._tape.turn.shown.update((one.frame.camera, one.frame.frame_id) for one in seen)
        self._inspector.submit(seen)

    def collect(self) -> Sequence[Evidence]:
        evidence = self._inspector.collect()
        self._tape.turn.evidence.extend(evidence)
        return evidence

    def faults(self) -> Mapping[str, str]:
        doubts = self._inspector.faults()
        if doubts != self._doubts:
            self._doubts = self._tape.turn.doubts = doubts
        return doubts


class _Ledger:
    """Notes what was decided; the books only when they changed. Evidence came in, and is noted where it does."""

    def __init__(self, ledger: Ledger, tape: Tape) -> None:
        self._ledger, self._tape = ledger, tape
        self._balance: Conservation | None = None
        self._waits_s = 0

    def unwritten_s(self) -> int:
        waits_s = self._ledger.unwritten_s()
        if waits_s != self._waits_s:
            self._waits_s = self._tape.turn.unwritten_s = waits_s
        return waits_s

    def record(self, records: Iterable[Record]) -> None:
        told = tuple(records)
        self._tape.turn.records.extend(unillustrated(one) for one in told if self._is_news(one))
        self._ledger.record(told)

    def _is_news(self, record: Record) -> bool:
        if not isinstance(record, Conservation):
            return not isinstance(record, Evidence)
        known, self._balance = self._balance, record
        return record != known


class _Calendar:
    """Notes the day when it changes."""

    def __init__(self, today: Callable[[], date], tape: Tape) -> None:
        self._today, self._tape = today, tape
        self._known: date | None = None

    def __call__(self) -> date:
        today = self._today()
        if today != self._known:
            self._known = self._tape.turn.today = today
        return today


class _Calibrations:
    """Notes what the shelf comes to when that changes."""

    def __init__(self, calibrations: Calibrations, tape: Tape) -> None:
        self._calibrations, self._tape = calibrations, tape
        self._known = UNCALIBRATED

    def told(self) -> Standing:
        told = self._calibrations.told()
        if told is not self._known:
            self._known = self._tape.turn.calibrations = told
        return told
