"""A whole lane on a virtual clock: plant, PLC, broker, box and warehouse, driven only by what happens."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

from edge.core.belt import Geometry
from edge.core.messages import Frame
from edge.core.topics import COMMAND, INDUCT, Topic
from edge.simulator.account import Account, Thing
from edge.simulator.agenda import Agenda
from edge.simulator.drive import Drive
from edge.simulator.events import AtGate, Event, Exposure, EyeEdge, Gone, Scanned, Unseen
from edge.simulator.faults import Dangers, Faults
from edge.simulator.feeder import Feeder
from edge.simulator.injury import Injury
from edge.simulator.network import Fields, Line
from edge.simulator.plant import NS_PER_MS, NS_PER_S, Plant
from edge.simulator.scenario import Scenario
from edge.simulator.virtual import NOTHING, VirtualInspector
from edge.simulator.virtual_box import Assemble, VirtualBox
from edge.simulator.virtual_plc import VirtualPlc

START_NS = NS_PER_S  # no clock begins at nought
START_COUNTS = 184_220
DRAINED_NS = 8 * NS_PER_S  # the belt runs on, so that what is unseen is missed
SETTLED_NS = 30 * NS_PER_S  # longer than any silence lasts: by then the box must know of every item that is gone
STUCK_NS = 600 * NS_PER_S  # a lane that nothing has left for so long never goes on
REPORTED_EVERY = 32  # items

GTIN = "04000000000017"

Progress = Callable[[int], None]
"""Called now and then with the number of items that have left."""


class VirtualLane:
    """Runs `count` items down a scenario's lane against the box that `assemble` makes."""

    def __init__(self, scenario: Scenario, geometry: Geometry, assemble: Assemble, count: int, seed: int) -> None:
        """Begin; everything random comes from `seed`."""
        self.account = Account()
        self.left = 0  # items that are off the lane
        self._scenario = scenario
        self._agenda = agenda = Agenda(START_NS)
        self.dangers = Dangers(agenda)
        chances = (random.Random(f"{seed}-{part}") for part in range(7))  # noqa: S311 - a belt, no secret
        self._chance, self._oracle_chance = next(chances), next(chances)
        self._plant = Plant(scenario.lane, self._chance.uniform(*scenario.belt.speed_mm_per_s), START_COUNTS, START_NS)
        to_box = Line(agenda, next(chances), scenario.network.message_ms, self._at_box)
        to_plc = Line(agenda, next(chances), scenario.network.message_ms, self._at_plc)
        self._to_box = to_box
        self._plc = VirtualPlc(agenda, self._plant, scenario.lane, to_box)
        self._plc.on_stop, self._plc.on_safe = self._stop_requested, self.dangers.end
        self._drive = Drive(agenda, self._plant, self._plc, to_box, scenario.belt, next(chances))
        self._feeder = Feeder(scenario, self._plant, count, next(chances))
        self._box = VirtualBox(agenda, geometry, self.account, to_plc, self._inspector, assemble, self._look)
        self._injury = self._hurtable(to_plc)
        self.faults = Faults(scenario.fault, self._injury, agenda, self.dangers, next(chances))
        self._last_edge: tuple[int, int] | None = None
        self._left_ns = START_NS
        self._progress: Progress = lambda _left: None
        self._tellers = self._telling()

    @property
    def stops(self) -> int:
        """How often the box asked for a stop."""
        return self._drive.counts["stops"]

    @property
    def now_s(self) -> float:
        """How long the lane has run, in its own time."""
        return (self._agenda.now_ns - START_NS) / NS_PER_S

    @property
    def turns(self) -> int:
        """How often the box's loop has turned."""
        return self._box.turns

    def run(self, progress: Progress = lambda _left: None) -> None:
        """Until all items have left the lane and their ends are known; `progress` is told how many have left."""
        self._progress = progress
        self._feeder.feed()
        while not self._finished():
            self._step()
            if self._agenda.now_ns - self._left_ns > STUCK_NS:
                self.account.violations["the lane is stuck"] += 1
                break
        self._box.end()
        self.account.finish()

    def attend(self) -> None:
        """Turn and tell as often as in real time from now on: for what depends on the finest times of a lane."""
        self._box.hurried = self._plc.hurried = True

    def ask(self, topic: Topic, fields: Fields) -> None:
        """A person at the console says something."""
        self._to_box.send(topic, fields, topic.expiry_s)

    def pass_time(self, seconds: float) -> None:
        """Let the lane run on for so long, whatever comes."""
        end_ns = self._agenda.now_ns + seconds * NS_PER_S
        while self._agenda.now_ns < end_ns:
            self._step()

    def _finished(self) -> bool:
        if not self._feeder.done:
            return False
        self.faults.rest()
        quiet = not (self._plant.on_belt or self._drive.stands or self._injury.lasting)
        return quiet and self._agenda.now_ns - self._left_ns > DRAINED_NS

    def _step(self) -> None:
        """To the next thing that happens."""
        due_ns = math.ceil(min(self._plant.next_ns, self._agenda.next_ns))
        events = self._plant.advance(due_ns)
        self._agenda.now_ns = due_ns
        self._tell(events)
        self._agenda.move_to(due_ns)

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            self._tellers[type(event)](event)

    def _announce(self, event: Scanned) -> None:
        self._feeder.feed()
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
            self.faults.harm()

    def _leave(self, event: Gone) -> None:
        self._off(event.index)

    def _off(self, index: int) -> None:
        self.left += 1
        self._left_ns = self._agenda.now_ns
        self._feeder.bad.discard(index)
        if thing := self.account.things.get(index):
            thing.gone_ns = self._agenda.now_ns
        if self.left % REPORTED_EVERY == 0:
            self._progress(self.left)
            self.account.close(self._agenda.now_ns - SETTLED_NS)

    def _hurtable(self, to_plc: Line) -> Injury:
        return Injury(
            self._agenda,
            self._scenario.lane,
            self._plant,
            self._plc,
            self._box,
            self._drive,
            self._to_box,
            to_plc,
            self._tell,
            self._off,
        )

    def _telling(self) -> dict[type, Callable[[Any], None]]:
        """Who is told of what the plant does."""
        return {
            Scanned: self._announce,
            EyeEdge: self._edge,
            Unseen: self._unseen,
            Exposure: self._expose,
            AtGate: self._divide,
            Gone: self._leave,
        }

    def _inspector(self, ready: Callable[[], None]) -> VirtualInspector:
        return VirtualInspector(self._agenda, self._scenario.oracle, self._oracle_chance, ready)

    def _look(self) -> tuple[float, float]:
        return self._plc.counts, self._plant.speed_mm_per_s

    def _stop_requested(self, why: str) -> None:
        self.dangers.end()
        self._drive.stop_for(why)

    def _at_box(self, topic: Topic, fields: Fields) -> None:
        self._box.hear(topic, fields)

    def _at_plc(self, topic: Topic, fields: Fields) -> None:
        if topic is COMMAND:
            self.account.commanded(fields["item"], self._agenda.now_ns)
        self._plc.hear(topic, fields)
