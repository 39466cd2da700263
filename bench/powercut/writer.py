"""One life of a lane that writes as the daemon does: its own loop on a virtual belt, its own desks, real SQLite.

`python -m bench.powercut.writer FOLDER --life N [--items N] [--planted FAULT]`. What has been acknowledged goes, line
by line, into FOLDER/told: it stands among the calls that changed files, in their order.
"""

from __future__ import annotations

import argparse
import json
import os
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from bench.line import geometry_of, loop_of
from bench.powercut.gallery import STORES, Gallery
from edge.core.bodies import body
from edge.core.messages import ReplacementRequest
from edge.core.ports import Ledger, Record
from edge.core.topics import Topic
from edge.core.wire import replacement_fields
from edge.loop import Loop
from edge.orders.mqtt import RequestsOverMqtt, replies
from edge.orders.sender import Sender
from edge.records.audit_key import own
from edge.records.journal import Journal
from edge.records.ledger_file import opened
from edge.records.life import Life
from edge.records.outbox import LedgerOutbox
from edge.records.seals import add_seal
from edge.records.sinks import JournalSink
from edge.records.writer import Sink
from edge.signing import public
from edge.simulator.scenario import shipped
from edge.simulator.virtual_box import Ports
from edge.simulator.virtual_lane import VirtualLane

STATE = Path("lanes") / "one"
TOLD = "told"
BATCHES = (1, 1, 2, 5, 20, 80)  # records in one transaction: a quiet belt, and a disk that fell behind
SEALED = 0.05  # of the transactions: a seal after them
LANE = "one"
GIVE_UP_AFTER = 50
NEVER = 10**9  # seconds, and entries: seals are made here where they are wanted
BAD_SHARE = 0.8  # of the items: a lane with much to ask for
BY, SEEN_TO = "Ada", 0.15  # a person, and the share of requests that she sees to
LOSES, REFUSES = 0.2, 0.3  # the warehouse: shares of requests
UNSYNCED, ASKED_FIRST, HALVED = "synchronous=OFF", "asked before it is written", "entry and request apart"
Other = Callable[[Sequence[Record]], None]
PLANTED = (UNSYNCED, ASKED_FIRST, HALVED, *STORES)


class Told:
    """What somebody outside has been promised."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    def __call__(self, what: str, *words: object) -> None:
        """One line."""
        self._file.write(json.dumps([what, *words]).encode() + b"\n")


class Warehouse:
    """Hears requests, loses some, and answers the others later; some of them twice."""

    def __init__(self, told: Told, chance: random.Random) -> None:
        self._told, self._chance = told, chance
        self._answers: list[tuple[str, str]] = []
        self._given: list[tuple[str, str]] = []

    def publish(self, _topic: Topic, fields: Mapping[str, Any]) -> bool:
        """As `Publisher.publish`: from now on somebody has heard of it."""
        request = fields["request"]
        self._told("asked", request)
        if self._chance.random() > LOSES:
            answer = "refused" if self._chance.random() < REFUSES else "accepted"
            self._answers += [(request, answer)] * self._chance.randint(1, 2)
        return True

    def acks(self) -> list[dict[str, str]]:
        """Some of its answers; those that it gave before have been taken by now."""
        for request, answer in self._given:
            self._told("answered", request, answer)
        taken = self._chance.randint(0, len(self._answers))
        self._given, self._answers = self._answers[:taken], self._answers[taken:]
        return [{"request": request, "status": answer} for request, answer in self._given]


class HalvedSink:
    """A planted fault: entries in one transaction, what is owed with them in the next."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def write(self, records: Sequence[Record]) -> None:
        """Twice on disk, and a moment in between."""
        asked = [one for one in records if isinstance(one, ReplacementRequest)]
        self._journal.append([(type(one).__name__, getattr(one, "item_id", None), body(one)) for one in records], [])
        self._journal.append([], [(one.request_id, replacement_fields(one)) for one in asked])


class Person:
    """Ada, who sees to some requests herself, as with `tunnel-edge orders`."""

    def __init__(self, outbox: LedgerOutbox, told: Told, chance: random.Random) -> None:
        self._outbox, self._told, self._chance = outbox, told, chance

    def see(self, records: Iterable[Record]) -> None:
        """Close some of what is owed now; whatever the warehouse says later, that stands."""
        for one in records:
            if isinstance(one, ReplacementRequest) and self._chance.random() < SEEN_TO:
                self._outbox.closed(one.request_id, BY, "sent by hand")
                self._told("kept", ("RequestClosed", one.item_id))
                self._told("answered", one.request_id, f"closed by {BY}")


class Seals:
    """The life's own entries, and what the box signs; whoever hears of a seal may hold it against the ledger later."""

    def __init__(self, state: Path, told: Told) -> None:
        self._state, self._told, self._key = state, told, own(state, None)
        self._life = Life(state, LANE, self._key, {"by": BY, "key": public(self._key)}, NEVER, NEVER)
        self._base = opened(state)
        self._life.start()
        self.add()

    def add(self) -> None:
        """One more."""
        if seal := add_seal(self._base, self._state, LANE, self._key, "entries") or self._life.sealed:
            self._told("sealed", seal.entry, seal.hash)

    def close(self) -> None:
        """End the life."""
        self._base.close()
        self._life.stop()


class Desks:
    """What the loop hands over, in batches, to the journal's sink; others, the real sender and seals in between."""

    def __init__(
        self, sink: Sink, others: Sequence[Other], sender: Sender, seals: Seals, told: Told, chance: random.Random
    ) -> None:
        self.beside: Ledger | None = None  # is handed everything, too
        self._sink, self._others, self._sender, self._seals = sink, others, sender, seals
        self._told, self._chance = told, chance
        self._waiting: list[Record] = []
        self._now_s = 0.0

    def record(self, records: Iterable[Record]) -> None:
        """Keep these, and now and then see to what is owed."""
        told = tuple(records)
        if self.beside:
            self.beside.record(told)
        self._waiting += told
        if len(self._waiting) >= self._chance.choice(BATCHES):
            self.flush()

    def unwritten_s(self) -> int:
        """All is written before the lane goes on."""
        return 0

    def flush(self) -> None:
        """Write what waits, let others do theirs with it, then let the sender see to what is owed."""
        batch, self._waiting = self._waiting, []
        self._sink.write(batch)
        self._told("kept", *((type(one).__name__, getattr(one, "item_id", None)) for one in batch))
        for see in self._others:
            see(batch)
        self._now_s += RequestsOverMqtt.patience_s * self._chance.random()
        self._sender.step(self._now_s)
        if self._chance.random() < SEALED:
            self._seals.add()


class HastyDesks(Desks):
    """A planted fault: the warehouse is asked before the request is written."""

    def flush(self) -> None:
        """Ask, then write."""
        for one in self._waiting:
            if isinstance(one, ReplacementRequest):
                self._told("asked", one.request_id)
        super().flush()


def live(folder: Path, life: int, items: int, planted: str) -> None:
    """A life of the daemon; every second one ends as by `kill -9`."""
    state, told, chance = folder / STATE, Told(folder / TOLD), random.Random(life)  # noqa: S311 - a drawn life
    journal, outbox = Journal(state), LedgerOutbox(state)
    seals = Seals(state, told)
    if planted == UNSYNCED:
        for base in (journal._base, outbox._base):
            base.execute("PRAGMA synchronous=OFF")
    gallery, warehouse = Gallery(state, planted, told, chance), Warehouse(told, chance)
    sender = Sender(outbox, RequestsOverMqtt(warehouse), partial(replies, warehouse.acks), GIVE_UP_AFTER)
    others = (gallery.show, Person(outbox, told, chance).see)
    sink = HalvedSink(journal) if planted == HALVED else JournalSink(journal)
    desks = (HastyDesks if planted == ASKED_FIRST else Desks)(sink, others, sender, seals, told, chance)
    _run(desks, life, items)
    if life % 2 == 0:
        os._exit(0)
    seals.close()
    gallery.close()
    outbox.close()
    journal.close()


def _run(desks: Desks, life: int, items: int) -> None:
    def assembled(ports: Ports) -> Loop:
        loop = loop_of(replace(ports, life=life))
        desks.beside, loop.ledger = loop.ledger, desks
        return loop

    nominal = shipped("nominal")
    scenario = replace(nominal, items=replace(nominal.items, bad_share=BAD_SHARE))
    VirtualLane(scenario, geometry_of(scenario), assembled, items, life).run()
    desks.flush()


def main() -> None:
    """One life."""
    parser = argparse.ArgumentParser(description="One life of a lane that writes as the daemon does.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--life", type=int, default=1)
    parser.add_argument("--items", type=int, default=40)
    parser.add_argument("--planted", choices=["", *PLANTED], default="")
    options = parser.parse_args()
    live(options.folder, options.life, options.items, options.planted)


if __name__ == "__main__":
    main()
