"""The PLC of the lane: what it tells the box, which orders it takes, and where it puts the gate in each scan."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from edge.core.topics import ACK, BELT, COMMAND, CONFIRM, GUARD, HEARTBEAT, LINE_STOP, MAX_LIST
from edge.core.wire import edge_fields
from edge.simulator.events import Event, EyeEdge
from edge.simulator.gate import Gate, Switches
from edge.simulator.mqtt import Party, Received
from edge.simulator.plan import Geometry, Plan, Side
from edge.simulator.plant import NS_PER_MS, NS_PER_S

TOPICS = (COMMAND, HEARTBEAT, LINE_STOP)
SCAN_S = 0.002
BELT_PERIOD_NS = NS_PER_S // 50
REPEAT_NS = 3 * NS_PER_S  # `belt` is sent at QoS 0, and a box may be starting anew: each edge is said again for so long
REMEMBERED = 32  # edges that are said again when the box is back from a longer silence
LATE_SCAN_NS = NS_PER_S // 2
HEARTBEAT_NS = NS_PER_S  # silence for longer sends the gate to its safe side


@dataclass(frozen=True, slots=True)
class Window:
    """An order: the gate is to stand open between two counts."""

    command: str
    item: str
    open_counts: int
    close_counts: int


class Spoken:
    """The edges that `belt` says again.

    A box that was killed may have taken an edge from the broker and lost it before it was on disk. So when it is back,
    it is told the last ones once more.
    """

    def __init__(self) -> None:
        self._recent: deque[tuple[int, dict[str, Any]]] = deque(maxlen=MAX_LIST)
        self._last: deque[dict[str, Any]] = deque(maxlen=REMEMBERED)
        self._due_ns = 0  # when `belt` last said them

    def note(self, now_ns: int, fields: dict[str, Any]) -> None:
        """A new edge."""
        self._recent.append((now_ns, fields))
        self._last.append(fields)

    def again(self, now_ns: int) -> None:
        """Say the last ones as if they were new."""
        self._recent.clear()
        self._recent.extend((now_ns, fields) for fields in self._last)

    def since(self, then_ns: int) -> list[dict[str, Any]]:
        """Those that are newer than that."""
        return [fields for at_ns, fields in self._recent if at_ns > then_ns]

    def due(self, now_ns: int) -> list[dict[str, Any]]:
        """What `belt` says now."""
        while self._recent and self._is_told(self._recent[0][0], now_ns):
            self._recent.popleft()
        self._due_ns = now_ns
        return [fields for _, fields in self._recent]

    def _is_told(self, at_ns: int, now_ns: int) -> bool:
        """Whether an edge has been said for its full time; a scan that comes a little late must not cut that short."""
        return self._due_ns - at_ns >= REPEAT_NS or now_ns - at_ns > REPEAT_NS + LATE_SCAN_NS


class Program:
    """The gate's logic, without a clock or a network."""

    def __init__(self, lead_counts: int, safe_side: Side) -> None:
        self.accepted: list[Window] = []
        self._lead_counts = lead_counts  # what the belt runs while the gate opens
        self._safe_side = safe_side
        self._known: set[str] = set()
        self._pending: list[Window] = []
        self._beaten_ns: int | None = None

    def order(self, window: Window, counts: int) -> str:
        """Take an order or not; the answer for `divert/ack`.

        `late`: the gate, set off now, would not stand open at `open_counts`. `unknown`: a window without width.
        """
        if window.command in self._known:
            return "duplicate"
        if window.open_counts >= window.close_counts:
            return "unknown"
        if counts > window.open_counts - self._lead_counts:
            return "late"
        self._known.add(window.command)
        self._pending.append(window)
        self.accepted.append(window)
        return "accepted"

    def lead(self, counts: int) -> None:
        """Set the gate off so many counts before it has to be open, from now on."""
        self._lead_counts = counts

    def turning_counts(self, counts: float) -> float:
        """Where the belt will be when the gate next has to move for an order; infinite: for none."""
        turns = (turn for one in self._pending for turn in (one.open_counts - self._lead_counts, one.close_counts))
        return min((turn for turn in turns if turn > counts), default=math.inf)

    def beat(self, now_ns: int) -> None:
        """The box is alive."""
        self._beaten_ns = now_ns

    def alive(self, now_ns: int) -> bool:
        """Whether the box has been heard lately."""
        return self.silent_ns(now_ns) <= HEARTBEAT_NS

    def silent_ns(self, now_ns: int) -> float:
        """For how long the box has not been heard."""
        return math.inf if self._beaten_ns is None else now_ns - self._beaten_ns

    def wants_open(self, now_ns: int, counts: int) -> bool:
        """Where the gate has to be, or to be on its way to. Without a heartbeat: the safe side, from the start on."""
        self._pending = [window for window in self._pending if counts < window.close_counts]
        if not self.alive(now_ns):
            return self._safe_side == "divert"
        return any(counts >= window.open_counts - self._lead_counts for window in self._pending)


class Plc:
    """The program on MQTT: one scan reads orders, moves the gate, and says what is due."""

    def __init__(self, plan: Plan, party: Party, gate: Gate, start_ns: int) -> None:
        self.program = Program(lead_counts_of(plan), plan.safe_side)
        self.stop_requests: list[str] = []  # why the box asked for a stop; the belt runs on, so that a run ends
        self._speed_mm_per_s = plan.speed_mm_per_s
        self._party = party
        self._gate = gate
        self._start_ns = start_ns
        self._side: Side = plan.safe_side
        self._switches = Switches() if plan.geometry.gate_eyes else None
        self._boot = start_ns // NS_PER_MS  # no two starts fall into the same millisecond
        self._said_ns = start_ns - BELT_PERIOD_NS
        self._said_guards = 0
        self._spoken = Spoken()

    def scan(self, now_ns: int, counts: int, events: Iterable[Event]) -> None:
        """One scan cycle: inputs, program, outputs. `events`: what the plant did since the last one."""
        self._read_eyes(now_ns, [event for event in events if isinstance(event, EyeEdge)])
        for message in self._party.received():
            self._read(message, now_ns, counts)
        self._move_gate(now_ns, counts)
        if self._switches:
            self._read_eyes(now_ns, [*self._switches.look(self._gate, self._side, now_ns, counts)])
        self._say_belt(now_ns, counts)
        self._say_guards()

    @property
    def refused(self) -> Mapping[str, int]:
        """How many messages were refused, by reason."""
        return self._party.refused

    def _read_eyes(self, now_ns: int, edges: list[EyeEdge]) -> None:
        """Every edge once on `confirm`, for certain, and on `belt` again and again."""
        told = [edge_fields(one.eye, one.edge) for one in edges]
        for fields in told:
            self._spoken.note(now_ns, fields)
        if told:
            self._party.publish(CONFIRM, {"edges": told, "boot": self._boot})

    def _read(self, message: Received, now_ns: int, counts: int) -> None:
        if message.retained:
            self._party.refused["retained"] += 1
        elif message.topic is COMMAND:
            self._answer(message, counts)
        elif message.topic is HEARTBEAT:
            self._hear(now_ns)
        elif message.topic is LINE_STOP:
            self.stop_requests.append(message.fields["why"])

    def _hear(self, now_ns: int) -> None:
        if not self.program.alive(now_ns):
            self._spoken.again(now_ns)
        self.program.beat(now_ns)

    def _answer(self, message: Received, counts: int) -> None:
        fields = message.fields
        window = Window(fields["command"], fields["item"], fields["open_counts"], fields["close_counts"])
        status = self.program.order(window, counts)
        self._party.publish(ACK, {"command": window.command, "status": status, "counts": counts})

    def _move_gate(self, now_ns: int, counts: int) -> None:
        self._side = "divert" if self.program.wants_open(now_ns, counts) else "pass"
        if self._side == "divert":
            self._gate.open(now_ns)
        else:
            self._gate.close(now_ns)

    def _say_belt(self, now_ns: int, counts: int) -> None:
        if now_ns - self._said_ns < BELT_PERIOD_NS:
            return
        # On the grid of periods, so that the rate is 50 Hz whatever the scan's own; late scans are not made up for.
        self._said_ns = max(self._said_ns + BELT_PERIOD_NS, now_ns - BELT_PERIOD_NS)
        self._party.publish(
            BELT,
            {
                "counts": counts,
                "plc_ns": now_ns - self._start_ns,  # since the PLC was switched on: no two clocks are the same
                "boot": self._boot,
                "speed_mm_per_s": self._speed_mm_per_s,
                "gate": self._side,
                "edges": self._spoken.due(now_ns),
            },
        )

    def _say_guards(self) -> None:
        """Once for each connection: a broker that was started anew has forgotten what it retained."""
        if self._said_guards != self._party.connections:
            self._said_guards = self._party.connections
            self._party.publish(GUARD, {"alarm": []})


def lead_counts_of(plan: Plan) -> int:
    """What the belt runs while the gate opens: v · t, rounded up, and one scan more."""
    return lead_counts_at(plan.geometry, plan.speed_mm_per_s)


def lead_counts_at(geometry: Geometry, speed_mm_per_s: float) -> int:
    """The same for any speed."""
    moving_s = geometry.gate_ms * NS_PER_MS / NS_PER_S
    return math.ceil((moving_s + SCAN_S) * speed_mm_per_s * geometry.counts_per_mm)
