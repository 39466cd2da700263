"""A whole lane on a virtual clock: plant, PLC, broker, box and warehouse, driven by what happens and by nothing else."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from edge.core.belt import Geometry
from edge.core.messages import Frame
from edge.core.topics import CLEAR, INDUCT
from edge.simulator.account import Account, Thing
from edge.simulator.agenda import Agenda
from edge.simulator.faults import HARM_LATER, Dangers, Faults
from edge.simulator.feeder import Feeder
from edge.simulator.network import KEEP_ALIVE_NS, Line, Trouble
from edge.simulator.plant import (
    NS_PER_MS,
    NS_PER_S,
    AtGate,
    Event,
    Exposure,
    Eye,
    EyeEdge,
    Gone,
    Plant,
    Scanned,
    Unseen,
)
from edge.simulator.scenario import Kind, Scenario
from edge.simulator.virtual import NOTHING, VirtualInspector
from edge.simulator.virtual_box import Assemble, VirtualBox
from edge.simulator.virtual_plc import VirtualPlc

START_NS = NS_PER_S  # no clock begins at nought
START_COUNTS = 184_220
DRAINED_NS = 8 * NS_PER_S  # the belt runs on, so that what is unseen is missed
SETTLED_NS = 10 * NS_PER_S
STUCK_NS = 600 * NS_PER_S  # a lane that nothing has left for so long never goes on
RECONNECT_NS = NS_PER_S

CUTS = {  # kind → whether the box is not heard, whether it hears nothing
    Kind.BROKER_DOWN: (True, True),
    Kind.PARTITION: (True, True),
    Kind.DEAF: (False, True),
    Kind.MUTE: (True, False),
}
GTIN = "04000000000017"


class VirtualLane:
    """Runs `count` items down a scenario's lane against the box that `assemble` makes."""

    def __init__(self, scenario: Scenario, geometry: Geometry, assemble: Assemble, count: int, seed: int) -> None:
        """Begin; everything random comes from `seed`."""
        self.account = Account()
        self.counts: Counter[str] = Counter()
        self._scenario = scenario
        self._agenda = agenda = Agenda(START_NS)
        chances = (random.Random(f"{seed}-{part}") for part in range(7))  # noqa: S311 - a belt, no secret
        self._chance = next(chances)
        self._cruise_mm_per_s = self._chance.uniform(*scenario.belt.speed_mm_per_s)
        self._stops: set[str] = set()
        self._plant = Plant(scenario.lane, self._cruise_mm_per_s, START_COUNTS, START_NS)
        delays = scenario.network.message_ms
        self._to_box = Line(agenda, next(chances), delays, self._at_box)
        self._to_plc = Line(agenda, next(chances), delays, self._at_plc)
        self._plc = VirtualPlc(agenda, self._plant, scenario.lane, scenario.belt.speed_mm_per_s[1], self._to_box)
        self._plc.on_stop, self._plc.on_safe = self._stop_requested, self._safe
        self.dangers = Dangers(agenda)
        self._feeder = Feeder(scenario, self._plant, count, next(chances))
        oracle_chance = next(chances)
        self._box = VirtualBox(
            agenda,
            geometry,
            self.account,
            self._to_plc,
            lambda ready: VirtualInspector(agenda, scenario.oracle, oracle_chance, ready),
            assemble,
            lambda: (self._plant.counts, self._plant.speed_mm_per_s),
        )
        self.faults = Faults(scenario.fault, self, agenda, self.dangers, next(chances))
        self._troubles = 0
        self._caught: int | None = None
        self._last_edge: tuple[int, int] | None = None
        self._left_ns = START_NS
        self._tellers: dict[type, Callable[[Any], None]] = {
            Scanned: self._announce,
            EyeEdge: self._edge,
            Unseen: self._unseen,
            Exposure: self._expose,
            AtGate: self._divide,
            Gone: self._leave,
        }
        agenda.after(self._speed_lasts_ns(), self._change_speed)

    @property
    def gate(self) -> Any:
        """The plant's gate."""
        return self._plant.gate

    @property
    def now_s(self) -> float:
        """How long the lane has run, in its own time."""
        return (self._agenda.now_ns - START_NS) / NS_PER_S

    @property
    def turns(self) -> int:
        """How often the box's loop has turned."""
        return self._box.turns

    def run(self, progress: Callable[[int], None] = lambda _gone: None) -> None:
        """Until all items have left the lane and their ends are known; `progress` is told how many have left."""
        while not self._finished():
            self._feeder.feed()
            self._step()
            if self._agenda.now_ns - self._left_ns > STUCK_NS:
                self.account.violations["the lane is stuck"] += 1
                break
            progress(self.counts["left"])
        self._box.end()
        self.account.finish()

    def _finished(self) -> bool:
        drained = self._feeder.done and not self._plant.on_belt
        return drained and not self._stops and self._box.lives and self._agenda.now_ns - self._left_ns > DRAINED_NS

    def _step(self) -> None:
        """To the next thing that happens."""
        due_ns = math.ceil(min(self._plant.next_ns, self._agenda.next_ns))
        self._tell(self._plant.advance(due_ns))
        self._agenda.move_to(due_ns)

    def _tell(self, events: list[Event]) -> None:
        if events:
            self._agenda.now_ns = max(self._agenda.now_ns, self._plant.now_ns)
        for event in events:
            self._tellers[type(event)](event)

    def _announce(self, event: Scanned) -> None:
        name = f"w-{event.index}"
        fields = {"item": name, "gtin": GTIN, "order_line": name, "scan_counts": event.counts - self._plc.zero_counts}
        self._to_box.send(INDUCT, fields, None)

    def _edge(self, event: EyeEdge) -> None:
        known_as = self._plc.see(event)
        if event.eye == "induct" and event.edge.dark:
            self._last_edge = known_as
            if event.index >= 0:
                self._induct(event.index)

    def _unseen(self, event: Unseen) -> None:
        """Under something longer: it is what the box must have taken it for."""
        if event.eye == "induct":
            self._induct(event.index)

    def _induct(self, index: int) -> None:
        bad = index in self._feeder.bad
        self.account.inducted(Thing(index, bad, self._agenda.now_ns, self._last_edge))

    def _expose(self, event: Exposure) -> None:
        truth = "bad" if event.index in self._feeder.bad else "good"
        counts = float(event.counts - self._plc.zero_counts)
        frame = Frame(event.camera, f"{event.index}-{truth}", event.exposed_ns, counts, NOTHING)
        delay_ns = self._chance.uniform(*self._scenario.network.frame_ms) * NS_PER_MS
        self._agenda.after(delay_ns, lambda: self._box.see(frame))

    def _divide(self, event: AtGate) -> None:
        thing = self.account.things[event.index]
        thing.went, thing.unguarded = event.went, not self._plc.alive
        if event.went == "good" and self._plc.wants_open:
            for kind in HARM_LATER:
                self.dangers.begin(kind)

    def _leave(self, event: Gone) -> None:
        self._off(event.index)

    def _off(self, index: int) -> None:
        self.counts["left"] += 1
        self._left_ns = self._agenda.now_ns
        self._feeder.bad.discard(index)
        if thing := self.account.things.get(index):
            thing.gone_ns = self._agenda.now_ns
        if self.counts["left"] % 16 == 0:
            self.account.close(self._agenda.now_ns - SETTLED_NS)

    # ---- belt

    def _speed_lasts_ns(self) -> float:
        return self._chance.uniform(*self._scenario.belt.speed_lasts_s) * NS_PER_S

    def _change_speed(self) -> None:
        self._cruise_mm_per_s = self._chance.uniform(*self._scenario.belt.speed_mm_per_s)
        self._run()
        self._agenda.after(self._speed_lasts_ns(), self._change_speed)

    def _run(self) -> None:
        self._plant.run_at(0.0 if self._stops else self._cruise_mm_per_s)
        self._plc.tell_soon()
        self._plc.scan()

    def stand(self, cause: str) -> None:
        """The belt stops."""
        self._stops.add(cause)
        self._run()

    def move(self, cause: str) -> None:
        """This cause is gone."""
        self._stops.discard(cause)
        self._run()

    def _stop_requested(self, why: str) -> None:
        """The PLC heeds it; a person comes, looks, clears, and starts the belt."""
        self.counts["stops"] += 1
        self.dangers.end()
        if why in self._stops:
            return
        self.stand(why)
        self._agenda.after(self._chance.uniform(*self._scenario.belt.restart_s) * NS_PER_S, lambda: self._clear(why))

    def _clear(self, why: str) -> None:
        self._to_box.send(CLEAR, {"by": "operator", "what": "alarms"}, None)
        self.move(why)

    def _safe(self) -> None:
        self.dangers.end()

    # ---- messages

    def _at_box(self, topic: Any, fields: Any) -> None:
        self._box.hear(topic, fields)

    def _at_plc(self, topic: Any, fields: Any) -> None:
        self._plc.hear(topic, fields)

    # ---- faults

    def watch_closely(self, closely: int) -> None:
        """One more fault lasts, or one fewer."""
        self._troubles += closely
        self._box.hurried = self._plc.hurried = self._troubles > 0
        self._plc.tell_soon()
        self._box.wake()

    def slip(self, by_mm: float) -> None:
        """One item between the induct eye and the gate stays behind."""
        if (index := self._one_before_gate()) is not None:
            self._plant.slip(index, by_mm)

    def catch(self, guard_after_ms: float) -> None:
        """One is caught; the PLC notices after a while."""
        self._caught = self._one_before_gate()
        if self._caught is not None:
            self._plant.hold(self._caught)
            self._agenda.after(guard_after_ms * NS_PER_MS, lambda: self._plc.guard(["jam"]))

    def free(self) -> None:
        """A person takes it off, and the guard falls."""
        if self._caught is not None:
            self._remove(self._caught)
            self._caught = None
            self._plc.guard([])

    def take(self) -> None:
        """A hand takes one off between the induct eye and the gate."""
        if (index := self._one_before_gate()) is not None:
            self._remove(index)

    def cover(self, eye: Eye) -> None:
        """Something is before an eye."""
        self._tell(self._plant.cover(eye))

    def uncover(self, eye: Eye) -> None:
        """It is gone."""
        self._tell(self._plant.uncover(eye))

    def hush(self, kind: Kind) -> None:
        """The PLC's belt messages stop, or the box's connection is cut; it notices at once, or after its keep-alive."""
        if kind is Kind.ENCODER_DROPOUT:
            self._plc.silent = True
            return
        self._to_plc.cut, self._to_box.cut = CUTS[kind]
        notice_ns = 0.0 if kind is Kind.BROKER_DOWN else KEEP_ALIVE_NS
        self._agenda.after(notice_ns, self._notice)

    def unhush(self, kind: Kind) -> None:
        """It is heard again; the box connects anew after a while."""
        if kind is Kind.ENCODER_DROPOUT:
            self._plc.silent = False
            return
        self._agenda.after(RECONNECT_NS, self._connect)

    def _notice(self) -> None:
        self._box.link.connected = not (self._to_plc.cut or self._to_box.cut)

    def _connect(self) -> None:
        self._to_plc.mend()
        if self._box.lives:
            self._to_box.mend()
        self._box.link.connected = True

    def trouble(self, kind: Kind, trouble: Trouble) -> None:
        """Messages fare ill both ways."""
        for line in (self._to_box, self._to_plc):
            setattr(line, kind.value, trouble)

    def kill(self) -> None:
        """The daemon dies; the broker keeps what is of QoS 1 for its session."""
        self._box.kill()
        self._to_box.cut = True

    def revive(self) -> None:
        """It is started again."""
        self._box.start()
        self._to_box.mend()

    def restart_plc(self) -> None:
        """A new life of the PLC."""
        self._plc.restart()
        self._run()

    def step_clock(self, by_s: float) -> None:
        """The PLC's clock jumps."""
        self._plc.clock_ahead_ns += round(by_s * NS_PER_S)

    def _one_before_gate(self) -> int | None:
        """Not at an eye's or camera's very edge: somewhere between the second eye and the gate."""
        lane = self._scenario.lane
        there = self._plant.between(max(lane.camera_mm.values()) + 300, lane.gate_mm - 300)
        return there[0] if there else None

    def _remove(self, index: int) -> None:
        self._tell(self._plant.take(index))
        self._off(index)
