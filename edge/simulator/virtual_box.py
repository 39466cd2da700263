"""The box on a virtual clock: its loop is turned when there is something to turn for, dies, and comes back."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge.core.belt import Geometry
from edge.core.messages import BeltReading, Frame
from edge.core.topics import CLEAR, CONFIRM, GUARD, Topic
from edge.simulator.account import Account
from edge.simulator.agenda import Agenda
from edge.simulator.network import Fields, Line, VirtualLink
from edge.simulator.plant import NS_PER_MS
from edge.simulator.virtual import (
    Entry,
    VirtualCameras,
    VirtualInspector,
    VirtualLedger,
)

TURN_NS = NS_PER_MS  # the daemon's own
PULSE_NS = 200 * NS_PER_MS  # a turn at least so often: the heartbeat's period
HURRIED_PULSE_NS = 20 * NS_PER_MS
LATE_NS = 50 * NS_PER_MS  # what is overdue by more waits for something else than the time

_WAKING = (GUARD, CLEAR)

Look = Callable[[], tuple[float, float]]
"""Where the belt is: counts, mm/s."""


class Turning(Protocol):
    """The daemon's loop, as this room knows it."""

    def turn(self, now_ns: int) -> None:
        """One turn."""


@dataclass(frozen=True, slots=True)
class Ports:
    """What one life of the box is put together from."""

    life: int
    clock_ns: Callable[[], int]
    geometry: Geometry
    entries: tuple[Entry, ...]  # what the journal says
    link: VirtualLink
    cameras: VirtualCameras
    inspector: VirtualInspector
    ledger: VirtualLedger


Assemble = Callable[[Ports], Turning]


class VirtualBox:
    """One box, through all its lives."""

    def __init__(
        self,
        agenda: Agenda,
        geometry: Geometry,
        account: Account,
        out: Line,
        inspector: Callable[[Callable[[], None]], VirtualInspector],
        assemble: Assemble,
        look: Look,
    ) -> None:
        self.hurried = False
        self.turns = 0
        self._agenda, self._geometry, self._account, self._out = agenda, geometry, account, out
        self._new_inspector, self._assemble, self._look = inspector, assemble, look
        self._ledger = VirtualLedger(agenda, account)
        self._life = 0
        self._speed_mm_per_s = 0.0
        self._loop: Turning | None = None
        self._due_ns = math.inf
        self.link = VirtualLink(agenda, out)
        self.start()

    def start(self) -> None:
        """Begin a life, from what the journal says."""
        self._life += 1
        self.link = VirtualLink(self._agenda, self._out)
        self._cameras = VirtualCameras()
        ports = Ports(
            self._life,
            lambda: self._agenda.now_ns,
            self._geometry,
            tuple(self._ledger.entries()),
            self.link,
            self._cameras,
            self._new_inspector(self.wake),
            self._ledger,
        )
        self._loop = self._assemble(ports)
        self.wake()

    def kill(self) -> None:
        """End a life without a word."""
        self._ledger.kill()
        self._loop = None
        self._due_ns = math.inf

    def end(self) -> None:
        """End it in good order."""
        self._ledger.flush()

    @property
    def lives(self) -> bool:
        """Whether it lives at present."""
        return self._loop is not None

    def hear(self, topic: Topic, fields: Fields) -> None:
        """A message has come; one that no decision waits for waits for the next turn."""
        self.link.hear(topic, fields)
        if self.hurried or topic in _WAKING or self._is_news(topic, fields):
            self.wake()

    def _is_news(self, topic: Topic, fields: Fields) -> bool:
        """Whether an edge matters at once, or the belt has changed its speed: deadlines come nearer, or go away."""
        if topic is CONFIRM:
            return _matters(fields)
        known_mm_per_s = self._speed_mm_per_s
        self._speed_mm_per_s = fields.get("speed_mm_per_s", known_mm_per_s)
        return bool(self._speed_mm_per_s != known_mm_per_s)

    def see(self, frame: Frame) -> None:
        """A frame has come."""
        if self.lives:
            self._cameras.show(frame)
            self.wake()

    def wake(self) -> None:
        """Turn the loop at its next time."""
        self._wake_at(self._agenda.now_ns + 1)

    def _wake_at(self, wanted_ns: float) -> None:
        due_ns = math.ceil(wanted_ns / TURN_NS) * TURN_NS
        if self.lives and due_ns < self._due_ns:
            self._due_ns = due_ns
            self._agenda.at(due_ns, self._turn)

    def _turn(self) -> None:
        now_ns = self._agenda.now_ns
        if now_ns < self._due_ns or self._loop is None:
            return
        self._loop.turn(now_ns)
        self.turns += 1
        self._due_ns = math.inf
        self._wake_at(min(max(self._next_deadline_ns(), now_ns + 1), now_ns + self._pulse_ns()))

    def _pulse_ns(self) -> int:
        return HURRIED_PULSE_NS if self.hurried else PULSE_NS

    def _next_deadline_ns(self) -> float:
        """When the first of the undecided must be decided, as the belt runs now."""
        counts, speed_mm_per_s = self._look()
        reading = BeltReading(self._agenda.now_ns, counts, speed_mm_per_s)
        deadlines_ns = (self._geometry.deadline_ns(item, reading) for item in self._ledger.open.values())
        return min((one for one in deadlines_ns if one > reading.read_ns - LATE_NS), default=math.inf)


def _matters(fields: Fields) -> bool:
    """Births, lengths, and leading edges at the last eyes: the loop acts on these at once."""
    return any(edge["dark"] or edge["eye"] == "induct" for edge in fields["edges"])
