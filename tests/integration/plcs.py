"""The reference PLC with a belt of its own on a thread, and what integrators get wrong about it."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace

from edge.broker import Address
from edge.core import topics
from edge.simulator import plc
from edge.simulator.gate import Switches
from edge.simulator.mqtt import Party, Received
from edge.simulator.plan import Geometry, Plan
from edge.simulator.plant import Gate, Placed, Plant
from edge.simulator.plc import Plc

SCAN_S = 0.002
NS_PER_MS = 1_000_000
LANE = Geometry(
    counts_per_mm=10,
    camera_mm={"top": 300},
    gate_mm=1000,
    confirm_mm=1100,
    exit_mm=1150,
    gate_ms=60,
    scanner_mm=150,
    gate_eyes=True,
)
SPEED_MM_PER_S = 1000.0
START_COUNTS = 5000
LENGTH_MM = 120.0


def plan_of(speed_mm_per_s=SPEED_MM_PER_S, safe_side="divert"):
    return Plan("site", "lane", LANE, (), speed_mm_per_s, items_per_minute=60, safe_side=safe_side)


def trickle(pitch_mm, count=300, first_mm=3000.0, from_counts=START_COUNTS):
    """Items one behind the other, the first of them so far away."""
    places_mm = [first_mm + n * pitch_mm for n in range(count)]
    return [Placed(n, from_counts + round(mm * LANE.counts_per_mm), LENGTH_MM) for n, mm in enumerate(places_mm)]


@dataclass(frozen=True)
class Running:
    """A PLC and what it drives; items may be laid on the belt while it runs."""

    controller: Plc
    plant: Plant


@contextmanager
def running(broker, kind=Plc, items=(), plan=None, gate=None, party=Party):
    """A PLC of some kind on a running belt. `gate`: one that it moves instead of the lane's own, which then sticks."""
    plan = plan or plan_of()
    stopped = threading.Event()
    failures = []
    with party("plc", Address(broker.host, broker.port, plan.site, plan.lane), plc.TOPICS) as line:
        start_ns = time.monotonic_ns()
        plant = Plant(LANE, plan.speed_mm_per_s, START_COUNTS, start_ns)
        plant.load(items)
        controller = kind(plan, line, gate or plant.gate, start_ns)
        thread = threading.Thread(target=_scan, args=(controller, plant, stopped, failures))
        thread.start()
        try:
            yield Running(controller, plant)
        finally:
            stopped.set()
            thread.join()
    assert failures == []


def stuck():
    """A gate that moves, but not the one that stands at the belt."""
    return Gate(LANE.gate_ms * NS_PER_MS)


def _scan(controller, plant, stopped, failures):
    try:
        while not stopped.wait(SCAN_S):
            now_ns = time.monotonic_ns()
            events = plant.advance(now_ns)
            controller.scan(now_ns, plant.counts, events)
    except Exception as error:
        failures.append(error)


class ObeysKept(Plc):
    """Does not look at the retain flag."""

    def _read(self, message, now_ns, counts):
        if message.topic is topics.COMMAND:
            self._answer(message, counts)
        else:
            super()._read(message, now_ns, counts)


class ActsTwice(Plc):
    """Says duplicate, and opens the gate again all the same."""

    def _answer(self, message, counts):
        super()._answer(message, counts)
        self.program._known.clear()


class ForgetsOrders(Plc):
    """Answers rightly, but takes the window of what it knows already."""

    def _answer(self, message, counts):
        fields = message.fields
        window = plc.Window(fields["command"], fields["item"], fields["open_counts"], fields["close_counts"])
        if window.command in self.program._known and counts < window.open_counts:
            self.program._pending.append(window)
        super()._answer(message, counts)


class NeverMindsSilence(Plc):
    """Takes a connection for a heartbeat."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.program.alive = lambda _now_ns: True


class FiresLate(Plc):
    """Carries out what has come too late."""

    def _answer(self, message, counts):
        fields = message.fields
        if fields["open_counts"] <= counts < fields["close_counts"]:
            window = plc.Window(fields["command"], fields["item"], counts, fields["close_counts"] + counts)
            self.program._pending.append(window)
        super()._answer(message, counts)


class OpensLate(Plc):
    """Sets off when the item is at the gate already."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.program._lead_counts = -2000


class LastOrderWins(Plc):
    """Has room for one order."""

    def _answer(self, message, counts):
        self.program._pending.clear()
        super()._answer(message, counts)


class SaysNothing(Plc):
    """Never answers."""

    def _answer(self, message, counts):
        self._party, party = _Dumb(), self._party
        super()._answer(message, counts)
        self._party = party


class _Dumb:
    def publish(self, *_):
        """Say nothing."""


class HidesGate(Plc):
    """A PLC without the optional field."""

    def __init__(self, plan, party, gate, start_ns):
        super().__init__(plan, _Without(party, "gate"), gate, start_ns)


class _Without:
    def __init__(self, party, name):
        self._party, self._name = party, name

    def __getattr__(self, name):
        return getattr(self._party, name)

    def publish(self, topic, fields):
        self._party.publish(topic, {name: value for name, value in fields.items() if name != self._name})


class HidesSwitches(Plc):
    """A PLC without the optional eyes of the gate."""

    def __init__(self, plan, party, gate, start_ns):
        super().__init__(plan, party, gate, start_ns)
        self._switches = None


class TakesValveForSwitch(Plc):
    """Tells that the gate is there when it is driven there."""

    def __init__(self, plan, party, gate, start_ns):
        super().__init__(plan, party, gate, start_ns)
        self._switches = _Valve()


class _Valve(Switches):
    def look(self, gate, side, now_ns, counts):
        for eye in self._stands:
            yield from self._turned(eye, side == "divert", counts)


class TellsOneEnd(Plc):
    """Has no switch on the pass side."""

    def __init__(self, plan, party, gate, start_ns):
        super().__init__(plan, party, gate, start_ns)
        self._switches = _OneEnd()


class _OneEnd(Switches):
    def look(self, gate, side, now_ns, counts):
        return [one for one in super().look(gate, side, now_ns, counts) if one.eye == "drive" or one.edge.dark]


class BeatsToAnything(Plc):
    """Sets its timer back for whatever comes on the heartbeat's topic."""

    def __init__(self, plan, party, gate, start_ns):
        super().__init__(plan, party, gate, start_ns)
        self._beaten = 0

    def scan(self, now_ns, counts, events):
        refused = sum(self.refused.values())
        super().scan(now_ns, counts, events)
        if sum(self.refused.values()) > refused:
            self.program.beat(now_ns)


class BelievesTheBoxsClock(Plc):
    """Reckons the heartbeat's age from the number that it carries."""

    def _read(self, message, now_ns, counts):
        super()._read(message, now_ns, counts)
        if message.topic is topics.HEARTBEAT:
            jumps = message.fields["turn"] > 10**6
            self.program.beat(now_ns - 2 * 10**9 if jumps else now_ns)


class SpeaksSeldom(Plc):
    """Says the belt ten times a second."""

    def _say_belt(self, now_ns, counts):
        if now_ns - self._said_ns >= 100 * NS_PER_MS:
            super()._say_belt(now_ns, counts)
            self._said_ns = now_ns


class WrongFlags(Plc):
    """Has one QoS for everything."""

    def __init__(self, plan, party, gate, start_ns):
        super().__init__(plan, _Changed(party, qos=1), gate, start_ns)


class KeepsNoGuards(Plc):
    """Retains nothing."""

    def __init__(self, plan, party, gate, start_ns):
        super().__init__(plan, _Changed(party, retained=False), gate, start_ns)


class _Changed:
    def __init__(self, party, **changes):
        self._party, self._changes = party, changes

    def __getattr__(self, name):
        return getattr(self._party, name)

    def publish(self, topic, fields):
        self._party.publish(replace(topic, **self._changes), fields)


class CountsBackwards(Plc):
    """Has wired its encoder's tracks the wrong way round."""

    def _say_belt(self, now_ns, counts):
        super()._say_belt(now_ns, -counts)


class SaysEdgesOnce(Plc):
    """Trusts in QoS 0."""

    def __init__(self, plan, party, gate, start_ns):
        super().__init__(plan, _Once(party), gate, start_ns)


class _Once:
    def __init__(self, party):
        self._party, self._told = party, set()

    def __getattr__(self, name):
        return getattr(self._party, name)

    def publish(self, topic, fields):
        if topic is topics.BELT:
            fresh = [edge for edge in fields["edges"] if (edge["eye"], edge["seq"]) not in self._told]
            self._told |= {(edge["eye"], edge["seq"]) for edge in fresh}
            fields = {**fields, "edges": fresh}
        self._party.publish(topic, fields)


class ReadsAnything(Party):
    """A PLC's client that checks nothing but that it can use what it reads."""

    def _check(self, message):
        topic = self._topics[message.topic]
        try:
            fields = {"command": "c", "item": "i", "reason": "r", **json.loads(bytes(message.payload))}
            fields |= {name: int(fields[name]) for name in ("open_counts", "close_counts") if name in fields}
        except (ValueError, TypeError, RecursionError):
            return None
        needed = topic.required.keys() <= fields.keys() and isinstance(fields["command"], str)
        return Received(topic, fields, message.retain) if needed else None


@contextmanager
def every(period_s, act):
    """Do something again and again, on a thread."""
    stopped = threading.Event()

    def run():
        while not stopped.wait(period_s):
            act()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
