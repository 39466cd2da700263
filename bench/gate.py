"""The gate's lead, measured by firing it on simulated lanes, beside the simulator's truth.

`python -m bench.gate [--lanes N] [--times N] [--json FILE]`. Each lane has a gate of its own (40 to 250 ms, its time
different from shot to shot, slower or faster on its way back), a belt of its own speed and a network of one of five
kinds. On it the daemon's own loop fires 50 shots, as `tunnel-edge fire` has it do. What they come to is held against
the truth, the notice that 99 of 100 orders need, which the simulator alone knows: where the belt really was when an
order reached the PLC, against where the box took it to be when it sent it (100 shots more, of which no answer is looked
at), and what the gate really took.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.line import geometry_of, loop_of
from edge.core.belt import Geometry as Laid
from edge.core.errors import CalibrationRefused
from edge.core.gate_lead import COVERS, GateLead, gate_lead
from edge.core.messages import BeltReading, DivertAck, DivertCommand, FireResult, FireShot
from edge.core.ports import Belt, Diverter, Ledger, Record
from edge.core.topics import COMMAND, FIRE, Topic
from edge.loop import Loop
from edge.simulator.gate import Gate
from edge.simulator.network import Fields
from edge.simulator.plan import Geometry
from edge.simulator.plant import NS_PER_MS
from edge.simulator.plc import lead_counts_at
from edge.simulator.scenario import Belt as Pace
from edge.simulator.scenario import Delays, Fault, Kind, Scenario
from edge.simulator.virtual_box import Ports
from edge.simulator.virtual_lane import VirtualLane

ASKED_MS = 3.0
TIMES, MORE_TIMES = 50, 100
SHOT_S = 2.5
LEAD_MS = 150.0  # before it was measured: the settings' own
ALWAYS = ((0.0, 0.0), (1e6, 1e6))
NETWORKS: dict[str, tuple[Delays, tuple[Fault, ...]]] = {
    "a switch": (Delays((0.5, 3.0)), ()),
    "a busy network": (Delays((2.0, 12.0)), ()),
    "messages twice, overtaking": (
        Delays((0.5, 3.0)),
        (Fault(Kind.DUPLICATES, *ALWAYS, likely=0.2), Fault(Kind.REORDERING, *ALWAYS, (1.0, 10.0), 0.05)),
    ),
    "one in 200 late": (Delays((0.5, 3.0)), (Fault(Kind.DELAYS, *ALWAYS, (5.0, 40.0), 0.005),)),
    "one in 1000 lost, sent again": (Delays((0.5, 3.0)), (Fault(Kind.DELAYS, *ALWAYS, (200.0, 210.0), 0.001),)),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One lane."""

    network: str
    travel_ms: float  # the mean of what the gate really took
    truth_ms: float
    found: GateLead | None
    refused: str = ""

    @property
    def error_ms(self) -> float:
        """How much longer the lead is than it has to be."""
        return self.found.lead_ms - self.truth_ms if self.found else np.nan


class Wandering(Gate):
    """A gate whose time differs from shot to shot, and from one way to the other."""

    def __init__(self, travel_ms: float, spread_ms: float, back: float, chance: random.Random) -> None:
        super().__init__(travel_ms * NS_PER_MS)
        self.took_ms: list[float] = []  # over, each time
        self._travel_ms, self._spread_ms, self._back, self._chance = travel_ms, spread_ms, back, chance

    def _turn(self, now_ns: int, direction: int) -> None:
        if direction != self._direction:
            travel_ms = self._chance.gauss(self._travel_ms, self._spread_ms)
            self.drag(now_ns, travel_ms / self._travel_ms * (1.0 if direction > 0 else self._back))
            self.took_ms += [travel_ms] * (direction > 0)
        super()._turn(now_ns, direction)


class Noted:
    """At the loop's belt, diverter and ledger: where the box took the belt to be when it sent an order; shots."""

    def __init__(self, belt: Belt, diverter: Diverter, ledger: Ledger) -> None:
        self.sent: defaultdict[str, deque[float]] = defaultdict(deque)  # command → reckoned counts of each time
        self.shots: list[FireShot] = []
        self.results: list[FireResult] = []
        self._belt, self._diverter, self._ledger = belt, diverter, ledger
        self._counts = 0.0

    @property
    def holds(self) -> bool:
        """As `Belt.holds`."""
        return self._belt.holds

    def read(self, now_ns: int) -> BeltReading:
        """As `Belt.read`."""
        reading = self._belt.read(now_ns)
        self._counts = reading.counts
        return reading

    def go_by(self, geometry: Laid) -> None:
        """As `Belt.go_by`."""
        self._belt.go_by(geometry)

    def send(self, commands: Iterable[DivertCommand]) -> None:
        """As `Diverter.send`."""
        for command in (told := tuple(commands)):
            self.sent[command.command_id].append(self._counts)
        self._diverter.send(told)

    def acks(self) -> Sequence[DivertAck]:
        """As `Diverter.acks`."""
        return self._diverter.acks()

    def unwritten_s(self) -> int:
        """As `Ledger.unwritten_s`."""
        return self._ledger.unwritten_s()

    def record(self, records: Iterable[Record]) -> None:
        """As `Ledger.record`."""
        for one in (told := tuple(records)):
            self.shots += [one] if isinstance(one, FireShot) else []
            self.results += [one] if isinstance(one, FireResult) else []
        self._ledger.record(told)


class GateLane(VirtualLane):
    """An empty lane, and what the simulator alone knows of it."""

    def __init__(self, scenario: Scenario, gate: Gate, seed: int) -> None:
        self.noted: list[Noted] = []
        self.network_ms: list[
            float
        ] = []  # of each order: by how much the belt was further on than the box took it to be
        super().__init__(scenario, replace(geometry_of(scenario), lead_ms=LEAD_MS), self._assembled, 0, seed)
        self._plant.gate = gate
        self.attend()

    def fire(self, times: int) -> list[FireShot]:
        """As the console asks for it; the shots."""
        noted = self.noted[-1]
        noted.shots.clear()
        self.ask(FIRE, {"test": f"t{len(noted.results)}", "by": "bench", "times": times})
        self.pass_time(1.0 + times * SHOT_S)
        return list(noted.shots)

    def _assembled(self, ports: Ports) -> Loop:
        loop = loop_of(ports)
        noted = Noted(loop.belt, loop.diverter, loop.ledger)
        loop.belt = loop.diverter = loop.ledger = noted
        self.noted.append(noted)
        return loop

    def _at_plc(self, topic: Topic, fields: Fields) -> None:
        if topic is COMMAND and (sent := self.noted[-1].sent[fields["command"]]):
            ran_mm = (self._plc.counts - sent.popleft()) / self._scenario.lane.counts_per_mm
            self.network_ms.append(ran_mm / self._plant.speed_mm_per_s * 1000)
        super()._at_plc(topic, fields)


def measured(seed: int, times: int = TIMES, more_times: int = MORE_TIMES) -> Measured:
    """One lane, fired at so many times, and its truth, from so many shots more."""
    chance = random.Random(seed)  # noqa: S311 - a bench
    network = list(NETWORKS)[seed % len(NETWORKS)]
    travel_ms, spread_ms, back = chance.uniform(40, 250), chance.uniform(0.2, 2.0), chance.uniform(0.7, 1.5)
    scenario = _scenario(network, travel_ms + 4 * spread_ms, chance.uniform(250, 600))
    gate = Wandering(travel_ms, spread_ms, back, chance)
    lane = GateLane(scenario, gate, seed)
    lane.pass_time(5.0)
    shots = lane.fire(times)
    lane.network_ms.clear()  # the truth is not that of the shots that were measured
    lane.fire(more_times)
    truth_ms = _truth_ms(lane, gate, scenario, chance)
    try:
        found = gate_lead(shots, scenario.lane.counts_per_mm, 30.0)
    except CalibrationRefused as refusal:
        return Measured(network, travel_ms, truth_ms, None, str(refusal))
    return Measured(network, travel_ms, truth_ms, found)


def _truth_ms(lane: GateLane, gate: Wandering, scenario: Scenario, chance: random.Random) -> float:
    """The notice that COVERS of all orders need: the network's part, and the PLC's lead or the gate's time."""
    speed_mm_per_s = scenario.belt.speed_mm_per_s[0]
    early_ms = lead_counts_at(scenario.lane, speed_mm_per_s) / scenario.lane.counts_per_mm / speed_mm_per_s * 1000
    needs_ms = [one + max(early_ms, chance.choice(gate.took_ms)) for one in lane.network_ms]
    return float(np.quantile(needs_ms, COVERS))


def _scenario(network: str, gate_ms: float, speed_mm_per_s: float) -> Scenario:
    delays, faults = NETWORKS[network]
    places = Geometry(10.0, {"top": 400.0}, 1500.0, 1700.0, 1750.0, gate_ms, gate_eyes=True)
    pace = Pace((speed_mm_per_s, speed_mm_per_s), (1e6, 1e6))
    return Scenario("gate", "the gate is fired", places, belt=pace, network=delays, fault=faults)


def main() -> int:
    """Print a table, network by network."""
    options = _options()
    with ProcessPoolExecutor(options.jobs) as pool:
        lanes = list(pool.map(partial(measured, times=options.times), range(options.lanes)))
    _show(lanes)
    if options.json:
        told = [{**asdict(one), "error_ms": one.error_ms} for one in lanes]
        options.json.write_text(json.dumps(told, indent=1) + "\n")
    return 0


def _show(lanes: Sequence[Measured]) -> None:
    columns = (
        "network",
        "lanes",
        "refused",
        "lead ms",
        "error median",
        "worst",
        "short at worst",
        f"within {ASKED_MS:g} ms",
    )
    table = Table(*columns, title=f"the gate's lead on {len(lanes)} simulated lanes, ms beside the truth")
    for network in (*NETWORKS, "all"):
        some = [one for one in lanes if network in (one.network, "all")]
        kept = [one for one in some if one.found]
        if kept:
            errors, leads = np.array([one.error_ms for one in kept]), [one.found.lead_ms for one in kept if one.found]
            size = np.abs(errors)
            row = (f"{min(leads):.0f}–{max(leads):.0f}", *(f"{one:.2f}" for one in (np.median(size), size.max())))
            short, within = f"{max(0.0, -errors.min()):.2f}", f"{np.mean(size <= ASKED_MS):.0%}"
            table.add_row(network, str(len(some)), str(len(some) - len(kept)), *row, short, within)
    Console(width=120).print(table)
    for one in lanes:
        if one.refused:
            Console(width=120).print(f"refused ({one.network}): {one.refused}", highlight=False)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The gate's lead on simulated lanes, beside the truth.")
    parser.add_argument("--lanes", type=int, default=35)
    parser.add_argument("--times", type=int, default=TIMES, help="shots (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
