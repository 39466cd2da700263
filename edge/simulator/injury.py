"""What each fault does to a virtual lane."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge.simulator.agenda import Agenda
from edge.simulator.drive import Drive
from edge.simulator.events import Event, Eye
from edge.simulator.gate import Gate
from edge.simulator.network import KEEP_ALIVE_NS, Line, Trouble
from edge.simulator.plan import Geometry
from edge.simulator.plant import NS_PER_MS, NS_PER_S, Plant
from edge.simulator.scenario import Kind
from edge.simulator.virtual_box import VirtualBox
from edge.simulator.virtual_plc import VirtualPlc

RECONNECT_NS = NS_PER_S
CLEAR_OF_MM = 300.0  # from the last camera and from the gate: where items slip, are caught, and are taken
CUTS = {  # kind → whether the box is not heard, whether it hears nothing
    Kind.BROKER_DOWN: (True, True),
    Kind.PARTITION: (True, True),
    Kind.DEAF: (False, True),
    Kind.MUTE: (True, False),
}


@dataclass(slots=True)
class Injury:
    """Hurts the parts of one lane, and heals them."""

    agenda: Agenda
    lane: Geometry
    plant: Plant
    plc: VirtualPlc
    box: VirtualBox
    drive: Drive
    to_box: Line
    to_plc: Line
    tell: Callable[[list[Event]], None]  # what the plant did
    off: Callable[[int], None]  # an item has left the lane
    lasting: int = 0  # faults
    caught: int | None = None

    @property
    def gate(self) -> Gate:
        """What may stick."""
        return self.plant.gate

    @property
    def stands(self) -> bool:
        """Whether there is a cause for the belt to stand."""
        return self.drive.stands

    def watch_closely(self, closely: int) -> None:
        """One more fault lasts (1), or one fewer (-1)."""
        self.lasting += closely
        self.box.hurried = self.plc.hurried = self.lasting > 0
        self.plc.tell_soon()
        self.box.wake()

    def stand(self, cause: str) -> None:
        """The belt stops."""
        self.drive.stand(cause)

    def move(self, cause: str) -> None:
        """One cause less to stand."""
        self.drive.move(cause)

    def slip(self, by_mm: float) -> None:
        """One item before the gate stays behind."""
        if (index := self._before_gate()) is not None:
            self.plant.slip(index, by_mm)

    def catch(self, guard_after_ms: float) -> None:
        """One is caught; the PLC notices after a while."""
        self.caught = self._before_gate()
        if self.caught is not None:
            self.plant.hold(self.caught)
            self.agenda.after(guard_after_ms * NS_PER_MS, lambda: self.plc.guard(["jam"]))

    def free(self) -> None:
        """A person takes it off, and the guard falls."""
        if self.caught is not None:
            self._remove(self.caught)
            self.caught = None
        self.plc.guard([])

    def take(self) -> None:
        """A hand takes one off before the gate."""
        if (index := self._before_gate()) is not None:
            self._remove(index)

    def cover(self, eye: Eye) -> None:
        """Something is before an eye."""
        self.tell(self.plant.cover(eye))

    def uncover(self, eye: Eye) -> None:
        """It is gone."""
        self.tell(self.plant.uncover(eye))

    def hush(self, kind: Kind) -> None:
        """The PLC's belt messages stop, or the box's connection is cut; it notices at once, or by its keep-alive."""
        if kind is Kind.ENCODER_DROPOUT:
            self.plc.silent = True
            return
        self.to_plc.cut, self.to_box.cut = CUTS[kind]
        notice_ns = 0.0 if kind is Kind.BROKER_DOWN else KEEP_ALIVE_NS
        self.agenda.after(notice_ns, self._notice)

    def unhush(self, kind: Kind) -> None:
        """It is heard again; the box connects anew after a while."""
        if kind is Kind.ENCODER_DROPOUT:
            self.plc.silent = False
            return
        self.agenda.after(RECONNECT_NS, self._connect)

    def trouble(self, kind: Kind, trouble: Trouble) -> None:
        """Messages fare ill both ways."""
        for line in (self.to_box, self.to_plc):
            line.troubles[kind] = trouble

    def kill(self) -> None:
        """The daemon dies; the broker keeps what is of QoS 1 for its session."""
        self.box.kill()
        self.to_box.cut = True

    def revive(self) -> None:
        """It is started again."""
        self.box.start()
        self.to_box.mend()

    def restart_plc(self) -> None:
        """The PLC begins a new life."""
        self.plc.restart()

    def step_clock(self, by_s: float) -> None:
        """The PLC's clock jumps."""
        self.plc.clock_ahead_ns += round(by_s * NS_PER_S)

    def _notice(self) -> None:
        self.box.link.connected = not (self.to_plc.cut or self.to_box.cut)

    def _connect(self) -> None:
        self.to_plc.mend()
        if self.box.lives:
            self.to_box.mend()
        self.box.link.connected = True

    def _before_gate(self) -> int | None:
        first_mm = max(self.lane.camera_mm.values()) + CLEAR_OF_MM
        there = self.plant.between(first_mm, self.lane.gate_mm - CLEAR_OF_MM)
        return there[0] if there else None

    def _remove(self, index: int) -> None:
        self.tell(self.plant.take(index))
        self.off(index)
