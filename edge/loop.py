"""The loop of one lane: read, grab, track, inspect, judge, plan, send, settle, record."""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.books import Books
from edge.core.dispatcher import Dispatcher
from edge.core.judge import Judge
from edge.core.ports import Belt, Camera, Diverter, Inspector, Ledger, Station
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
    diverter: Diverter
    station: Station
    ledger: Ledger
    books: Books
    turns: int = 0

    def turn(self, now_ns: int) -> None:
        """One turn, with or without a frame."""
        reading = self.belt.read(now_ns)
        frames = self.camera.grab()
        tracked = self.tracker.update(reading, frames)
        self.inspector.submit(tracked.sightings)
        evidence = self.inspector.collect()
        verdicts = self.judge.update(self.tracker.items, evidence, reading)
        commands = self.dispatcher.plan(verdicts, self.tracker.items, reading)
        self.diverter.send(commands)
        settled = self.dispatcher.settle(self.tracker.items, reading)
        self.tracker.forget(settled.ends)
        balance = self.books.balance(tracked.born, settled.ends, self.tracker.items)
        self.station.beat(self.turns, now_ns)
        self.ledger.record((*tracked.changed, *evidence, *verdicts, *commands, *self.diverter.acks()))
        self.ledger.record((*settled.outcomes, *settled.ends, *settled.requests, balance))
        self.turns += 1
