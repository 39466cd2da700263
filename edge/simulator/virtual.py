"""The box's ports in memory, on a virtual clock: cameras, an inspector that knows the truth, a ledger."""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from edge.core.belt import Geometry
from edge.core.messages import (
    BeltReading,
    Evidence,
    Expected,
    Frame,
    Item,
    ItemEnd,
    Sighting,
    Verdict,
)
from edge.core.ports import Record
from edge.simulator.account import Account
from edge.simulator.agenda import Agenda
from edge.simulator.plant import NS_PER_MS
from edge.simulator.scenario import Oracle

CHECK = "truth"
JOURNAL_LAG_NS = 20 * NS_PER_MS  # what was recorded so lately is not on disk yet, and a kill loses it
JOURNAL_ENTRIES = 4_000  # more than a belt can hold
NOTHING = np.zeros((1, 1), np.uint8)

Entry = tuple[str, Mapping[str, Any]]


class VirtualCameras:
    """Frames that have arrived; nobody looks into them."""

    def __init__(self) -> None:
        self._frames: list[Frame] = []

    def show(self, frame: Frame) -> None:
        """A frame has arrived."""
        self._frames.append(frame)

    def grab(self, _reading: BeltReading, _items: Mapping[str, Item]) -> Sequence[Frame]:
        """The frames since the last call."""
        taken, self._frames = self._frames, []
        return taken

    def go_by(self, _geometry: Geometry) -> None:
        """Frames come as they came."""

    def faults(self) -> Mapping[str, str]:
        """None."""
        return {}


class VirtualInspector:
    """Says what an item truly is, after a while, and errs as often as the scenario wants.

    Its workers take the most urgent sighting first; one whose deadline has passed is left undone, as by a planner.
    """

    def __init__(self, agenda: Agenda, oracle: Oracle, chance: random.Random, ready: Callable[[], None]) -> None:
        self._agenda = agenda
        self._oracle = oracle
        self._chance = chance
        self._ready = ready  # called when evidence is there
        self._waiting: list[tuple[int, str, Sighting]] = []
        self._idle = oracle.workers
        self._found: list[Evidence] = []

    def submit(self, sightings: Iterable[Sighting]) -> None:
        """Queue them by deadline."""
        for sighting in sightings:
            heapq.heappush(self._waiting, (sighting.deadline_ns, sighting.frame.frame_id, sighting))
        self._begin()

    def collect(self) -> Sequence[Evidence]:
        """What has been found since the last call."""
        found, self._found = self._found, []
        return found

    def forget(self, item_ids: Iterable[str]) -> None:
        """What waits for items that are decided is left undone."""
        decided = set(item_ids)
        if decided:
            self._waiting = [one for one in self._waiting if one[2].item.item_id not in decided]
            heapq.heapify(self._waiting)

    def faults(self) -> Mapping[str, str]:
        """It sees what is there."""
        return {}

    def _begin(self) -> None:
        while self._idle and self._waiting:
            deadline_ns, _, sighting = heapq.heappop(self._waiting)
            if deadline_ns > self._agenda.now_ns:
                self._idle -= 1
                self._agenda.after(self._latency_ns(), partial(self._finish, sighting))

    def _latency_ns(self) -> float:
        return self._oracle.latency_ms * NS_PER_MS * math.exp(self._chance.gauss(0.0, self._oracle.spread))

    def _finish(self, sighting: Sighting) -> None:
        self._idle += 1
        self._found.append(self._evidence(sighting))
        self._begin()
        self._ready()

    def _evidence(self, sighting: Sighting) -> Evidence:
        frame = sighting.frame
        bad = frame.frame_id.endswith("bad")
        errs = self._chance.random() < (self._oracle.overlooks if bad else self._oracle.overkills)
        return Evidence(
            sighting.item.item_id,
            frame.frame_id,
            frame.camera,
            CHECK,
            score=2.0 if bad != errs else 0.0,
            because="an oracle's word",
            exposed_ns=frame.exposed_ns,
            finished_ns=self._agenda.now_ns,
            valid=self._chance.random() >= self._oracle.silent,
        )


@dataclass(slots=True)
class _Written:
    """A record, and when it was handed over."""

    at_ns: int
    record: Record


class VirtualLedger:
    """Passes records on to the account once they would be on disk, and keeps what a restart would find there."""

    def __init__(self, agenda: Agenda, account: Account) -> None:
        self.open: dict[str, Item] = {}  # items without a verdict
        self._decided: set[str] = set()  # with one, and still on the belt
        self._agenda = agenda
        self._account = account
        self._queue: deque[_Written] = deque()
        self._journal: deque[Record] = deque(maxlen=JOURNAL_ENTRIES)

    def record(self, records: Iterable[Record]) -> None:
        """Keep these."""
        now_ns = self._agenda.now_ns
        for record in records:
            self._note(record)
            self._queue.append(_Written(now_ns, record))
        self._write(now_ns - JOURNAL_LAG_NS)

    def unwritten_s(self) -> int:
        """Its disk is a good one."""
        return 0

    def flush(self) -> None:
        """Everything is on disk, as after a daemon's orderly end."""
        self._write(self._agenda.now_ns)

    def kill(self) -> None:
        """What is not on disk is lost."""
        self._write(self._agenda.now_ns - JOURNAL_LAG_NS)
        self._queue.clear()
        self.open.clear()
        self._decided.clear()

    def entries(self) -> Iterator[Entry]:
        """Kind and body of the journal's last entries, oldest first."""
        return ((type(record).__name__, _body(record)) for record in self._journal)

    def _note(self, record: Record) -> None:
        match record:
            case Item() if record.item_id not in self._decided:
                self.open[record.item_id] = record
            case Verdict():
                self.open.pop(record.item_id, None)
                self._decided.add(record.item_id)
            case ItemEnd():
                self.open.pop(record.item_id, None)
                self._decided.discard(record.item_id)

    def _write(self, until_ns: int) -> None:
        while self._queue and self._queue[0].at_ns <= until_ns:
            written = self._queue.popleft()
            record = written.record
            self._account.enter(record, written.at_ns)
            if isinstance(record, Item | Verdict | ItemEnd):
                self._journal.append(record)


def _body(record: Record) -> Mapping[str, Any]:
    """As the journal holds it."""
    if isinstance(record, Item):
        return {**asdict(record), "expected": _expected(record.expected)}
    if isinstance(record, Verdict):
        return {"item_id": record.item_id, "disposition": record.disposition.value}
    return asdict(record)


def _expected(expected: Expected | None) -> Mapping[str, Any] | None:
    if expected is None:
        return None
    return {**asdict(expected), "expiry": expected.expiry.isoformat() if expected.expiry else None}
