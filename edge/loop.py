"""The loop of one lane: read, grab, track, inspect, judge, plan, send, settle, record."""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.books import Books
from edge.core.dispatcher import Dispatcher
from edge.core.judge import Judge
from edge.core.lots import Lots
from edge.core.ports import Belt, Camera, Diverter, Inspector, Ledger, Station
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
    turns: int = 0

    def turn(self, now_ns: int) -> None:
        """One turn, with or without a frame."""
        reading = self.belt.read(now_ns)
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
        self.diverter.send(commands)
        settled = self.dispatcher.settle(items, reading)
        faults = {**self.inspector.faults(), **self.camera.faults()}
        oversight = self.supervision.update(reading, tracked, verdicts, settled, items, faults)
        self.station.tell(oversight, self.turns, now_ns)
        ends = (*tracked.ghosts, *settled.ends)
        self.tracker.forget(ends)
        self.lots.forget(ends)
        balance = self.books.balance(tracked.born, ends, items)
        self.ledger.record((*tracked.changed, *evidence, *stopped, *verdicts, *commands, *acks))
        self.ledger.record((*settled.outcomes, *ends, *settled.requests))
        self.ledger.record((*oversight.alarms, *oversight.stops, *oversight.results, balance))
        self.turns += 1
