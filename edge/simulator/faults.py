"""What goes wrong on a virtual lane: when each fault begins and ends, and how long the lane is in danger."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Protocol

from edge.simulator.agenda import Agenda
from edge.simulator.events import Eye
from edge.simulator.feeder import strikes_always
from edge.simulator.gate import Gate
from edge.simulator.network import Trouble
from edge.simulator.plant import NS_PER_MS, NS_PER_S
from edge.simulator.plc import HEARTBEAT_NS
from edge.simulator.scenario import Fault, Kind

SETTLED_NS = 3 * NS_PER_S  # for so long after a fault the lane is watched as closely as during it
FORGOTTEN_NS = 20 * NS_PER_S  # a danger that nobody met by then was none

DEMANDS_SAFETY = frozenset(
    {Kind.JAM, Kind.ENCODER_DROPOUT, Kind.GATE_STUCK, Kind.GATE_SLOW, Kind.BROKER_DOWN, Kind.PARTITION, Kind.DEAF}
    | {Kind.MUTE, Kind.DAEMON_KILLED, Kind.PLC_RESTARTED, Kind.BLOCKED_EYE}
)
"""Kinds in which the protocol wants the gate safe, a stop, or the item off; the others must simply be survived."""

HARM_LATER = frozenset({Kind.GATE_STUCK, Kind.GATE_SLOW})
"""A gate that fails endangers nobody until it fails an item: its danger begins there."""


class Dangers:
    """From the onset of each fault until the lane is safe."""

    def __init__(self, agenda: Agenda) -> None:
        self.met_ns: defaultdict[Kind, list[int]] = defaultdict(list)
        self.unmet: Counter[Kind] = Counter()  # nobody made the lane safe in time
        self.agenda = agenda
        self._since_ns: dict[Kind, int] = {}

    def begin(self, kind: Kind) -> None:
        """A danger begins, if there is none of its kind."""
        if kind in DEMANDS_SAFETY and kind not in self._since_ns:
            self._since_ns[kind] = began_ns = self.agenda.now_ns
            self.agenda.after(FORGOTTEN_NS, lambda: self._forget(kind, began_ns))

    def end(self, kinds: Iterable[Kind] = Kind) -> None:
        """The lane is safe from these."""
        for kind in kinds:
            if (began_ns := self._since_ns.pop(kind, None)) is not None:
                self.met_ns[kind].append(self.agenda.now_ns - began_ns)

    def over(self, kind: Kind) -> None:
        """The fault has ended; one that lasted for less than a heartbeat may be silent endangered nobody."""
        if self.agenda.now_ns - self._since_ns.get(kind, self.agenda.now_ns) < HEARTBEAT_NS:
            self._since_ns.pop(kind, None)

    def worst_ms(self) -> dict[str, float]:
        """The longest time to safety, by kind."""
        return {kind.value: max(times) / NS_PER_MS for kind, times in sorted(self.met_ns.items())}

    def _forget(self, kind: Kind, began_ns: int) -> None:
        if self._since_ns.get(kind) == began_ns:
            del self._since_ns[kind]
            self.unmet[kind] += 1


class Injured(Protocol):
    """The lane, as the faults see it."""

    @property
    def gate(self) -> Gate:
        """What may stick."""

    @property
    def stands(self) -> bool:
        """Whether the belt does: then nothing can go where it should not."""

    def watch_closely(self, closely: int) -> None:
        """One more fault lasts (1), or one fewer (-1)."""

    def stand(self, cause: str) -> None:
        """The belt stops."""

    def move(self, cause: str) -> None:
        """One cause less to stand."""

    def slip(self, by_mm: float) -> None:
        """One item stays behind."""

    def catch(self, guard_after_ms: float) -> None:
        """One item is caught."""

    def free(self) -> None:
        """It rides on, or a person takes it off."""

    def take(self) -> None:
        """A hand takes one off."""

    def cover(self, eye: Eye) -> None:
        """Something is before an eye."""

    def uncover(self, eye: Eye) -> None:
        """It is gone."""

    def hush(self, kind: Kind) -> None:
        """The PLC or the network falls silent in the kind's way."""

    def unhush(self, kind: Kind) -> None:
        """It is heard again."""

    def trouble(self, kind: Kind, trouble: Trouble) -> None:
        """Messages fare ill in the kind's way."""

    def kill(self) -> None:
        """The daemon dies."""

    def revive(self) -> None:
        """It is started again."""

    def restart_plc(self) -> None:
        """The PLC begins a new life."""

    def step_clock(self, by_s: float) -> None:
        """The clocks of the messages jump."""


class Faults:
    """Begins and ends each fault of a scenario at its random times."""

    def __init__(
        self, faults: Iterable[Fault], lane: Injured, agenda: Agenda, dangers: Dangers, chance: random.Random
    ) -> None:
        self.counts: Counter[Kind] = Counter()
        self.active: Counter[Kind] = Counter()
        self._resting = False
        self.lane, self.agenda, self._dangers, self._chance = lane, agenda, dangers, chance
        for fault in faults:
            if not strikes_always(fault):
                self._plan(fault)

    def rest(self) -> None:
        """Let none begin any more; those that last come to their end."""
        self._resting = True

    def _plan(self, fault: Fault) -> None:
        self.agenda.after(self._chance.uniform(*fault.every_s) * NS_PER_S, lambda: self._begin(fault))

    def _begin(self, fault: Fault) -> None:
        if self._resting:
            return
        self.counts[fault.kind] += 1
        self.active[fault.kind] += 1
        self.lane.watch_closely(1)
        amount = self._chance.uniform(*fault.amount)
        _BEGIN[fault.kind](self, fault, amount)
        if fault.kind not in HARM_LATER and not self.lane.stands:
            self._dangers.begin(fault.kind)
        self.agenda.after(self._chance.uniform(*fault.lasts_s) * NS_PER_S, lambda: self._end(fault))

    def harm(self) -> None:
        """The gate has failed an item: if it is for a fault, the danger begins here."""
        for kind in HARM_LATER:
            if self.active[kind]:
                self._dangers.begin(kind)

    def _end(self, fault: Fault) -> None:
        self.active[fault.kind] -= 1
        self._dangers.over(fault.kind)
        if fault.kind in _END:
            _END[fault.kind](self, fault)
        self.agenda.after(SETTLED_NS, lambda: self.lane.watch_closely(-1))
        self._plan(fault)

    def flicker(self, fault: Fault, period_ms: float, ends_ns: float) -> None:
        """Short darknesses of an eye, each a tenth of its period long."""
        if self.agenda.now_ns < ends_ns:
            self.lane.cover(fault.eye)
            self.agenda.after(period_ms / 10 * NS_PER_MS, lambda: self.lane.uncover(fault.eye))
            self.agenda.after(period_ms * NS_PER_MS, lambda: self.flicker(fault, period_ms, ends_ns))

    def trouble(self, fault: Fault) -> None:
        """Messages fare as ill as the fault wants."""
        self.lane.trouble(fault.kind, Trouble(fault.likely, fault.amount))


def _begin_flicker(faults: Faults, fault: Fault, period_ms: float) -> None:
    ends_ns = faults.agenda.now_ns + fault.lasts_s[0] * NS_PER_S
    faults.flicker(fault, period_ms, ends_ns)


Begin = Callable[[Faults, Fault, float], None]
End = Callable[[Faults, Fault], None]

_BEGIN: dict[Kind, Begin] = {
    Kind.SLIP: lambda f, _, by_mm: f.lane.slip(by_mm),
    Kind.BELT_STOP: lambda f, _, __: f.lane.stand(Kind.BELT_STOP),
    Kind.JAM: lambda f, _, after_ms: f.lane.catch(after_ms),
    Kind.HAND_REMOVAL: lambda f, _, __: f.lane.take(),
    Kind.BLOCKED_EYE: lambda f, fault, _: f.lane.cover(fault.eye),
    Kind.NOISY_EYE: _begin_flicker,
    Kind.ENCODER_DROPOUT: lambda f, fault, _: f.lane.hush(fault.kind),
    Kind.GATE_STUCK: lambda f, _, __: f.lane.gate.stick(f.agenda.now_ns),
    Kind.GATE_SLOW: lambda f, _, factor: f.lane.gate.drag(f.agenda.now_ns, factor),
    Kind.BROKER_DOWN: lambda f, fault, _: f.lane.hush(fault.kind),
    Kind.PARTITION: lambda f, fault, _: f.lane.hush(fault.kind),
    Kind.DEAF: lambda f, fault, _: f.lane.hush(fault.kind),
    Kind.MUTE: lambda f, fault, _: f.lane.hush(fault.kind),
    Kind.DUPLICATES: lambda f, fault, _: f.trouble(fault),
    Kind.DELAYS: lambda f, fault, _: f.trouble(fault),
    Kind.REORDERING: lambda f, fault, _: f.trouble(fault),
    Kind.DAEMON_KILLED: lambda f, _, __: f.lane.kill(),
    Kind.PLC_RESTARTED: lambda f, _, __: f.lane.restart_plc(),
    Kind.CLOCK_STEP: lambda f, _, by_s: f.lane.step_clock(by_s),
}

_END: dict[Kind, End] = {
    Kind.BELT_STOP: lambda f, _: f.lane.move(Kind.BELT_STOP),
    Kind.JAM: lambda f, _: f.lane.free(),
    Kind.BLOCKED_EYE: lambda f, fault: f.lane.uncover(fault.eye),
    Kind.ENCODER_DROPOUT: lambda f, fault: f.lane.unhush(fault.kind),
    Kind.GATE_STUCK: lambda f, _: f.lane.gate.free(f.agenda.now_ns),
    Kind.GATE_SLOW: lambda f, _: f.lane.gate.free(f.agenda.now_ns),
    Kind.BROKER_DOWN: lambda f, fault: f.lane.unhush(fault.kind),
    Kind.PARTITION: lambda f, fault: f.lane.unhush(fault.kind),
    Kind.DEAF: lambda f, fault: f.lane.unhush(fault.kind),
    Kind.MUTE: lambda f, fault: f.lane.unhush(fault.kind),
    Kind.DUPLICATES: lambda f, fault: f.lane.trouble(fault.kind, Trouble()),
    Kind.DELAYS: lambda f, fault: f.lane.trouble(fault.kind, Trouble()),
    Kind.REORDERING: lambda f, fault: f.lane.trouble(fault.kind, Trouble()),
    Kind.DAEMON_KILLED: lambda f, _: f.lane.revive(),
}
