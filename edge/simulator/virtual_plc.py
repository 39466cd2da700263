"""The reference PLC on a virtual clock: the same program, turned only when something can have changed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable

from edge.core.messages import PhotoeyeEdge
from edge.core.topics import ACK, BELT, COMMAND, CONFIRM, GUARD, HEARTBEAT, LINE_STOP, Topic
from edge.core.wire import edge_fields
from edge.simulator.agenda import Agenda
from edge.simulator.events import EyeEdge
from edge.simulator.gate import Switches
from edge.simulator.network import Fields, Line
from edge.simulator.plan import Geometry, Side
from edge.simulator.plant import NS_PER_MS, NS_PER_S, Plant
from edge.simulator.plc import BELT_PERIOD_NS, HEARTBEAT_NS, REPEAT_NS, SCAN_S, Program, Spoken, Window, lead_counts_at

SCAN_NS = round(SCAN_S * NS_PER_S)
QUIET_PERIOD_NS = 200 * NS_PER_MS  # a belt that runs evenly: what is said of it between would be no news
NEWS_LASTS_NS = BELT_PERIOD_NS

SAFE_SIDE: Side = "divert"

Edge = tuple[int, int]
"""The PLC's life, and the number of an edge in it."""


class VirtualPlc:
    """Tells the box of belt and eyes, takes its orders, moves the gate."""

    def __init__(self, agenda: Agenda, plant: Plant, lane: Geometry, line: Line) -> None:
        self.silent = False  # an encoder that says nothing more: no `belt`
        self.hurried = False  # every period's message is sent, for something is amiss
        self.clock_ahead_ns = 0
        self.on_stop: Callable[[str], None] = lambda _why: None
        self.on_safe: Callable[[], None] = lambda: None  # the gate stands on its safe side, for the box is not heard
        self.life = 1
        self._agenda, self._plant, self._lane, self._line = agenda, plant, lane, line
        self._lead_counts = lead_counts_at(lane, plant.speed_mm_per_s)
        self._gate_ns = lane.gate_ms * NS_PER_MS
        self._began_ns = agenda.now_ns
        self._said_ns = -REPEAT_NS
        self._news_ns = agenda.now_ns
        self._watched = False
        self._due_ns: float = agenda.now_ns
        self._start()
        agenda.after(0, self._say_belt)

    @property
    def alive(self) -> bool:
        """Whether the PLC hears the box."""
        return self._program.alive(self._agenda.now_ns)

    @property
    def counts(self) -> int:
        """The encoder's counts in this life."""
        return self._plant.counts - self.zero_counts

    @property
    def wants_open(self) -> bool:
        """Where the gate is to be, or to be on its way to."""
        return self._program.wants_open(self._agenda.now_ns, self.counts)

    def expect_speed(self, speed_mm_per_s: float) -> None:
        """The belt is to run at this speed, now or once it starts: the gate needs its lead from a standstill too."""
        self._lead_counts = lead_counts_at(self._lane, speed_mm_per_s)
        self._program.lead(self._lead_counts)

    def restart(self) -> None:
        """A new life: orders are forgotten, counts and edge numbers begin anew."""
        self.life += 1
        self._start()
        self.scan()

    def see(self, event: EyeEdge) -> Edge:
        """Tell an edge; life and number under which it is known."""
        edge = PhotoeyeEdge(self._seq[event.eye], event.edge.counts - self.zero_counts, event.edge.dark)
        self._seq[event.eye] += 1
        fields = edge_fields(event.eye, edge)
        self._line.send(CONFIRM, {"edges": [fields], "boot": self.life}, None)
        self._spoken.note(self._agenda.now_ns, fields)
        if event.eye == "induct":
            self.tell_soon()
        return self.life, edge.seq

    def guard(self, alarms: Iterable[str]) -> None:
        """Say which guards are in alarm."""
        self._line.send(GUARD, {"alarm": list(alarms)}, None)

    def tell_soon(self) -> None:
        """There is news of the belt: back to the usual period for a while."""
        self._news_ns = self._agenda.now_ns
        due_ns = max(self._said_ns + BELT_PERIOD_NS, self._agenda.now_ns)
        if due_ns < self._due_ns:
            self._due_ns = due_ns
            self._agenda.at(due_ns, self._say_belt)

    def hear(self, topic: Topic, fields: Fields) -> None:
        """A message from the box."""
        if topic is COMMAND:
            self._order(fields)
        elif topic is HEARTBEAT:
            self._beat()
        elif topic is LINE_STOP:
            self.on_stop(fields["why"])

    def scan(self) -> None:
        """Move the gate as the program wants it, and look again where that will change."""
        now_ns, counts = self._agenda.now_ns, self.counts
        side: Side = "divert" if self.wants_open else "pass"
        if side == "divert":
            self._plant.gate.open(now_ns)
        else:
            self._plant.gate.close(now_ns)
        if self._switches:
            self._look_at_gate(self._switches, side)
        turning = self._program.turning_counts(counts) + self.zero_counts
        self._agenda.at(_on_grid(self._plant.ns_at(turning)), self.scan)

    def _look_at_gate(self, switches: Switches, side: Side) -> None:
        """Tell what has changed, and look again once the gate has come to the end of its way."""
        for event in switches.look(self._plant.gate, side, self._agenda.now_ns, self._plant.counts):
            self.see(event)
        arrives_ns = self._plant.gate.arrives_ns
        if arrives_ns > self._agenda.now_ns:
            self._agenda.at(_on_grid(arrives_ns), self.scan)

    def _start(self) -> None:
        self._program = Program(self._lead_counts, SAFE_SIDE)
        self.zero_counts = self._plant.counts if self.life > 1 else 0
        self._seq: Counter[str] = Counter()
        self._spoken = Spoken()
        self._switches = Switches() if self._lane.gate_eyes else None

    def _order(self, fields: Fields) -> None:
        window = Window(fields["command"], fields["item"], fields["open_counts"], fields["close_counts"])
        status = self._program.order(window, self.counts)
        fields = {"command": window.command, "status": status, "counts": self.counts}
        self._line.send(ACK, fields, ACK.expiry_s)
        self.scan()

    def _beat(self) -> None:
        was_alive = self.alive
        self._program.beat(self._agenda.now_ns)
        if not was_alive:
            self._spoken.again(self._agenda.now_ns)
            self.tell_soon()
            self.scan()
        if not self._watched:
            self._watched = True
            self._agenda.after(HEARTBEAT_NS + SCAN_NS, self._watch)

    def _watch(self) -> None:
        """Look whether the box is still heard; while it is, a second later again."""
        self._watched = False
        silent_ns = self._program.silent_ns(self._agenda.now_ns)
        if silent_ns <= HEARTBEAT_NS:
            self._watched = True
            self._agenda.after(HEARTBEAT_NS + SCAN_NS - silent_ns, self._watch)
            return
        self.scan()
        self._agenda.after(self._gate_ns, self._report_safe)

    def _report_safe(self) -> None:
        if not self.alive:
            self.on_safe()

    def _say_belt(self) -> None:
        """With the edges since the last message; with those before, again and again, only where messages get lost."""
        now_ns = self._agenda.now_ns
        if now_ns < self._due_ns:
            return  # another entry came before this one
        edges = self._spoken.due(now_ns) if self.hurried else self._spoken.since(self._said_ns)
        self._said_ns = now_ns
        lively = self.hurried or now_ns - self._news_ns < NEWS_LASTS_NS
        self._due_ns = now_ns + (BELT_PERIOD_NS if lively else QUIET_PERIOD_NS)
        self._agenda.at(self._due_ns, self._say_belt)
        if not self.silent:
            self._line.send(BELT, self._belt_fields(now_ns, edges), BELT.expiry_s)

    def _belt_fields(self, now_ns: int, edges: list[Fields]) -> Fields:
        return {
            "counts": self.counts,
            "plc_ns": now_ns - self._began_ns + self.clock_ahead_ns,
            "boot": self.life,
            "speed_mm_per_s": self._plant.speed_mm_per_s,
            "edges": edges,
        }


def _on_grid(due_ns: float) -> float:
    """The first scan at or after a time."""
    return due_ns if due_ns == math.inf else math.ceil(due_ns / SCAN_NS) * SCAN_NS
