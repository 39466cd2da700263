"""What makes a virtual belt run: its speed, what it stands for, and the person who starts it again."""

from __future__ import annotations

import random
from collections import Counter

from edge.core.topics import CLEAR
from edge.simulator.agenda import Agenda
from edge.simulator.network import Line
from edge.simulator.plant import NS_PER_S, Plant
from edge.simulator.scenario import Belt
from edge.simulator.virtual_plc import VirtualPlc

STEP = 1.25  # a belt changes its speed by no more than this factor at a time


class Drive:
    """Changes the speed now and then, stands when asked to, and runs again when a person has cleared it."""

    def __init__(
        self, agenda: Agenda, plant: Plant, plc: VirtualPlc, to_box: Line, belt: Belt, chance: random.Random
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._agenda, self._plant, self._plc, self._to_box = agenda, plant, plc, to_box
        self._belt, self._chance = belt, chance
        self._cruise_mm_per_s = plant.speed_mm_per_s
        self._causes: set[str] = set()
        agenda.after(self._lasts_ns(), self._change_speed)

    @property
    def stands(self) -> bool:
        """Whether there is a cause for the belt to stand."""
        return bool(self._causes)

    def stand(self, cause: str) -> None:
        """The belt stops."""
        self._causes.add(cause)
        self._run()

    def move(self, cause: str) -> None:
        """One cause less to stand."""
        self._causes.discard(cause)
        self._run()

    def stop_for(self, why: str) -> None:
        """The box asks for a stop: the PLC heeds it; a person comes, looks, clears, and starts the belt."""
        self.counts["stops"] += 1
        if why not in self._causes:
            self.stand(why)
            looks_ns = self._chance.uniform(*self._belt.restart_s) * NS_PER_S
            self._agenda.after(looks_ns, lambda: self._clear(why))

    def _clear(self, why: str) -> None:
        self._to_box.send(CLEAR, {"by": "operator", "what": "alarms"}, None)
        self.move(why)

    def _change_speed(self) -> None:
        slowest, fastest = self._belt.speed_mm_per_s
        wanted_mm_per_s = self._cruise_mm_per_s * self._chance.uniform(1 / STEP, STEP)
        self._cruise_mm_per_s = min(max(wanted_mm_per_s, slowest), fastest)
        self._plc.expect_speed(self._cruise_mm_per_s)
        self._run()
        self._agenda.after(self._lasts_ns(), self._change_speed)

    def _run(self) -> None:
        self._plant.run_at(0.0 if self._causes else self._cruise_mm_per_s)
        self._plc.tell_soon()
        self._plc.scan()

    def _lasts_ns(self) -> float:
        return self._chance.uniform(*self._belt.speed_lasts_s) * NS_PER_S
