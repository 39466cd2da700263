"""The loop's ports as a recording gives them: no device, no broker, no clock; the gate's commands go nowhere."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from edge.core.belt import Geometry
from edge.core.in_force import UNCALIBRATED, Standing
from edge.core.messages import BeltReading, Evidence, Frame, Item, Sighting
from edge.core.ports import Inspector, Ports, Record
from edge.core.topics import Topic
from edge.recording.lines import Line, ToldFrame
from edge.recording.tape import Said

NOTHING = np.zeros((1, 1), np.uint8)


class Replayed:
    """Gives each turn what came in it."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self.now_ns = 0
        self.frames: dict[tuple[str, str], ToldFrame] = {}  # of this turn, by camera and id
        self._lines = lines
        self._today = date.min
        self._faults: Mapping[str, str] = {}
        self._doubts: Mapping[str, str] = {}
        self._calibrations = UNCALIBRATED
        self._unwritten_s = 0
        self._found: tuple[Evidence, ...] = ()
        self._wire = DryWire()

    def instants_ns(self) -> Iterator[int]:
        """Every turn's time; what came in it is there when it is given out."""
        for line in self._lines:
            for self.now_ns in line.instants_ns[:-1]:
                yield self.now_ns
            self.now_ns = line.instants_ns[-1]
            self._play(line)
            yield self.now_ns
            self.frames, self._found = {}, ()

    def ports(self, inspector: Inspector) -> Ports:
        """The ports; inspector: `ReplayedInspector`, or one that looks anew."""
        return Ports(self._wire, self, inspector, self, lambda: self.now_ns, self.today, self)

    def today(self) -> date:
        """The day of then."""
        return self._today

    def told(self) -> Standing:
        """What the shelf came to then."""
        return self._calibrations

    def unwritten_s(self) -> int:
        """How long the ledger had not been written then."""
        return self._unwritten_s

    def record(self, records: Iterable[Record]) -> None:
        """Forget them: a tape listens to what the ledger is given."""

    def go_by(self, _geometry: Geometry) -> None:
        """Frames come as they came."""

    def found(self) -> tuple[Evidence, ...]:
        """The evidence that arrived in this turn."""
        return self._found

    def doubts(self) -> Mapping[str, str]:
        """What the inspector said of cameras in this turn."""
        return self._doubts

    def grab(self, _reading: BeltReading, _items: Mapping[str, Item]) -> Sequence[Frame]:
        """The frames that came in this turn, without their pictures."""
        return [_frame(one) for one in self.frames.values()]

    def faults(self) -> Mapping[str, str]:
        """What was wrong with cameras in this turn."""
        return self._faults

    def _play(self, line: Line) -> None:
        self._wire.hear(line.said)
        self.frames = {(one.camera, one.frame_id): one for one in line.frames}
        self._found = line.evidence
        self._faults = self._faults if line.faults is None else line.faults
        self._doubts = self._doubts if line.doubts is None else line.doubts
        self._today = line.today or self._today
        self._calibrations = line.calibrations or self._calibrations
        self._unwritten_s = self._unwritten_s if line.unwritten_s is None else line.unwritten_s


class DryWire:
    """What was said is heard again, what is published goes nowhere."""

    def __init__(self) -> None:
        self.refused: Counter[tuple[str, str]] = Counter()
        self._inboxes: defaultdict[str, Said] = defaultdict(list)

    def hear(self, said: Mapping[str, Said]) -> None:
        """What was said, by topic."""
        for name, messages in said.items():
            self._inboxes[name] += messages

    def take(self, topic: Topic) -> Said:
        """As `Wire.take`."""
        return self._inboxes.pop(topic.name, [])

    def publish(self, topic: Topic, fields: Mapping[str, Any], expiry_s: float | None = None) -> bool:
        """Nobody hears it."""
        return True

    def announce(self, state: str, why: str, versions: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """Nobody hears it."""


class ReplayedInspector:
    """Finds what was found then, when it was found."""

    def __init__(self, replayed: Replayed) -> None:
        self.collect, self.faults = replayed.found, replayed.doubts

    def submit(self, sightings: Iterable[Sighting]) -> None:
        """Nobody looks."""

    def forget(self, item_ids: Iterable[str]) -> None:
        """Nobody looks."""


def _frame(told: ToldFrame) -> Frame:
    return Frame(image=NOTHING, **told.model_dump(exclude={"sha256"}))
