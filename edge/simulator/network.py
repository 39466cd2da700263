"""The lane's broker in memory, between the box and the rest: MQTT's promises, and how they are broken.

QoS 0 is lost where a line is cut. QoS 1 waits and comes later, and may come twice; what has expired by then does not
come at all. On one line messages keep their order (it is one TCP connection) unless a fault lets them overtake.
"""

from __future__ import annotations

import math
import random
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from edge.core.topics import Topic
from edge.simulator.agenda import Agenda
from edge.simulator.plant import NS_PER_MS, NS_PER_S
from edge.simulator.scenario import Kind, Span

INBOX = 1024  # messages kept per topic until the box's next turn, as by the daemon's own link
KEEP_ALIVE_NS = 7.5 * NS_PER_S  # MQTT: silence for one and a half keep-alives of 5 s ends a connection

Fields = dict[str, Any]
Deliver = Callable[[Topic, Fields], None]


@dataclass(slots=True)
class Trouble:
    """What befalls messages while a fault lasts."""

    likely: float = 0.0
    amount_ms: Span = (0.0, 0.0)

    def strikes(self, chance: random.Random) -> bool:
        """Whether it befalls this one."""
        return bool(self.likely) and chance.random() < self.likely

    def delay_ns(self, chance: random.Random) -> float:
        """By how much."""
        return chance.uniform(*self.amount_ms) * NS_PER_MS


@dataclass(frozen=True, slots=True)
class Message:
    """One message under way."""

    topic: Topic
    fields: Fields
    expires_ns: float


@dataclass(slots=True)
class Line:
    """One direction of the box's connection."""

    agenda: Agenda
    chance: random.Random
    delay_ms: Span
    deliver: Deliver
    cut: bool = False
    troubles: dict[Kind, Trouble] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    _kept: deque[Message] = field(default_factory=deque)
    _last_ns: float = 0.0

    def send(self, topic: Topic, fields: Fields, expiry_s: float | None) -> None:
        """Have a message delivered, some time, or not."""
        now_ns = self.agenda.now_ns
        message = Message(topic, fields, math.inf if expiry_s is None else now_ns + expiry_s * NS_PER_S)
        if self.cut:
            self._keep(message)
            return
        self._carry(message)
        if self._struck(Kind.DUPLICATES):
            self.counts["duplicated"] += 1
            self._carry(message)

    def mend(self) -> None:
        """The line is whole again: what was kept comes now, in its order."""
        self.cut = False
        while self._kept:
            self._carry(self._kept.popleft())

    def _keep(self, message: Message) -> None:
        self.counts["kept" if message.topic.qos else "lost"] += 1
        if message.topic.qos:
            self._kept.append(message)

    def _carry(self, message: Message) -> None:
        delay_ns = self.chance.uniform(*self.delay_ms) * NS_PER_MS
        if trouble := self._struck(Kind.DELAYS):
            self.counts["delayed"] += 1
            delay_ns += trouble.delay_ns(self.chance)
        due_ns = max(self.agenda.now_ns + delay_ns, self._last_ns)
        if trouble := self._struck(Kind.REORDERING):
            self.counts["reordered"] += 1
            due_ns += trouble.delay_ns(self.chance)
        else:
            self._last_ns = due_ns
        self.agenda.at(due_ns, lambda: self._arrive(message))

    def _struck(self, kind: Kind) -> Trouble | None:
        """The trouble of a kind, if it befalls this message."""
        trouble = self.troubles.get(kind)
        return trouble if trouble and trouble.strikes(self.chance) else None

    def _arrive(self, message: Message) -> None:
        """What was under way when the line was cut is sent again later, if it is of QoS 1."""
        if self.cut:
            self._keep(message)
        elif self.agenda.now_ns <= message.expires_ns:
            self.deliver(message.topic, message.fields)
        else:
            self.counts["expired"] += 1


class VirtualLink:
    """The box's end: what the daemon's own link offers its adapters, without a broker."""

    def __init__(self, agenda: Agenda, out: Line) -> None:
        self.refused: Counter[tuple[str, str]] = Counter()
        self.connected = True  # as far as the box knows
        self.state = ""
        self._agenda = agenda
        self._out = out
        self._inboxes: dict[str, deque[tuple[int, Fields]]] = {}

    def hear(self, topic: Topic, fields: Fields) -> None:
        """A message has come."""
        inbox = self._inboxes.setdefault(topic.name, deque(maxlen=INBOX))
        self.refused[topic.name, "inbox_full"] += len(inbox) == INBOX
        inbox.append((self._agenda.now_ns, fields))

    def take(self, topic: Topic) -> list[tuple[int, Fields]]:
        """What was said on a topic since the last call: (ns of receipt, fields), oldest first."""
        inbox = self._inboxes.get(topic.name)
        if not inbox:
            return []
        taken = list(inbox)
        inbox.clear()
        return taken

    def publish(self, topic: Topic, fields: Mapping[str, Any], expiry_s: float | None = None) -> bool:
        """Pass a message on; False: there is no connection, and it is dropped."""
        if self.connected:
            self._out.send(topic, dict(fields), expiry_s or topic.expiry_s)
        return self.connected

    def announce(self, state: str, why: str, versions: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """Keep what the station says of itself."""
        self.state = state if not why or versions is None else f"{state}: {why}"
