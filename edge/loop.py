"""The loop of one lane: read, grab, track, inspect, judge, plan, send, settle, record."""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.acts import acts
from edge.core.books import Books
from edge.core.calibrated import Calibrated
from edge.core.dispatcher import Dispatcher
from edge.core.firing import FireTests
from edge.core.judge import Judge
from edge.core.laid import Laid
from edge.core.lots import Lots
from edge.core.ports import Belt, Calibrations, Camera, Diverter, Inspector, Ledger, Station
from edge.core.supervision import Supervision
from edge.core.tracker import Tracker


@dataclass(slots=True)
class Loop:
    """Owns every decision; whatever is slow sits behind a port that returns at once."""

    belt: Belt
    camera: Camera
    tracker: Tracker
    inspector: Inspector
    judge: Judge
    dispatcher: Dispatcher
    supervision: Supervision
    diverter: Diverter
    station: Station
    ledger: Ledger
    books: Books
    lots: Lots
    firing: FireTests
    calibrations: Calibrations
    calibrated: Calibrated
    turns: int = 0

    def turn(self, now_ns: int) -> None:
        """One turn, with or without a frame."""
        reading = self.belt.read(now_ns)
        word = self.calibrated.hear(self.calibrations.told(), reading.clearings)
        frames = self.camera.grab(reading, self.tracker.items)
        tracked = self.tracker.update(reading, frames, self.lots.held)
        self.inspector.submit(tracked.sightings)
        evidence = self.inspector.collect()
        items = self.tracker.items
        verdicts = self.judge.update(items, evidence, reading)
        stopped = self.lots.update(reading, verdicts, items)
        self.inspector.forget(verdict.item_id for verdict in verdicts)
        acks = self.diverter.acks()
        commands = self.dispatcher.plan(verdicts, items, reading, acks)
        fired = self.firing.update(reading, items, acks, self.supervision.testing)
        self.diverter.send((*commands, *fired.commands))
        settled = self.dispatcher.settle(items, reading)
        faults = {**self.inspector.faults(), **self.camera.faults()}
        oversight = self.supervision.update(
            reading, tracked, verdicts, settled, items, faults, word, self.ledger.unwritten_s()
        )
        self.station.tell(oversight, self.turns, now_ns)
        self.station.report(fired.results)
        ends = (*tracked.ghosts, *settled.ends)
        self.calibrated.see(ends, items, now_ns)
        self.tracker.forget(ends)
        self.lots.forget(ends)
        balance = self.books.balance(tracked.born, ends, items)
        self.ledger.record(
            (*acts(reading), *reading.announcements, *tracked.changed, *evidence, *stopped, *verdicts, *commands)
        )
        self.ledger.record((*fired.commands, *acks, *fired.shots, *fired.results, *settled.outcomes))
        self.ledger.record((*ends, *settled.requests, *oversight.alarms, *oversight.stops, *oversight.results, balance))
        self._change(oversight.state, now_ns)
        self.turns += 1

    def _change(self, state: str, now_ns: int) -> None:
        """What was calibrated anew comes into force, if it may now."""
        if laid := self.calibrated.change(state, self.tracker.items):
            self.go_by(laid)
        self.ledger.record(self.calibrated.news(now_ns))

    def go_by(self, laid: Laid) -> None:
        """Lay the lane out anew, between two turns: nothing in it can fail, and nothing decides meanwhile."""
        self.belt.go_by(laid.geometry)
        self.camera.go_by(laid.geometry)
        self.tracker.go_by(laid.geometry)
        self.dispatcher.go_by(laid.geometry)
        self.firing.go_by(laid.geometry)
        self.lots.go_by(laid.geometry)
        self.judge.go_by(laid.recipe, laid.geometry)
