"""The box as the suite plays it: beats, orders, and looks at what the PLC does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

from edge.broker import Address
from edge.conformance.connection import Connection, Heard
from edge.core.errors import LaneNotTestable
from edge.core.topics import ACK, BELT, COMMAND, CONFIRM, GUARD, HEARTBEAT, Topic
from edge.core.wire import encode

NS_PER_S = 1_000_000_000
BEAT_S = 0.2
POLL_S = 0.005
FIRST_WORD_S = 5.0
OTHERS_S = 0.7  # a box that is there beats within this time
SPEED_OVER = 25  # belt messages over which the speed is measured
PASSING_S = 10.0
SETTLE_S = 1.0
AHEAD_S, OPEN_S = 1.0, 0.3  # an order's window, when nothing else is asked for
STANDING_COUNTS_PER_S = 1.0

TOLD = (BELT, ACK, CONFIRM, GUARD)


@dataclass(frozen=True, slots=True)
class Lane:
    """What the integrator says of his lane."""

    safe_side: str = "divert"  # where the gate goes without a heartbeat
    gate_counts: int | None = None  # from the induct eye to the gate; None: no test items come
    confirm_counts: int | None = None  # to the confirm eye


@dataclass(frozen=True, slots=True)
class Window:
    """Between these counts the gate is to stand open."""

    open_counts: int
    close_counts: int


@dataclass(frozen=True, slots=True)
class Order:
    """An order that was given."""

    command: str
    window: Window
    since: int  # how many messages had been heard when it was given


class Box:
    """Beats while it waits: whatever a case waits for, the heart goes on unless it was stopped."""

    def __init__(self, address: Address, lane: Lane, ear: Connection, mouth: Connection, run: str) -> None:
        self.address = address
        self.lane = lane
        self.beating = True
        self._ear = ear
        self._mouth = mouth
        self._run = run  # names of orders differ from one run to the next: a good PLC remembers them
        self._numbers = count(1)
        self._seq = count(1)
        self._turn = count(1)
        self._beaten_s = 0.0

    @property
    def heard(self) -> Sequence[Heard]:
        """All that the PLC has said since the suite began."""
        return self._ear.heard

    def said(self, topic: Topic, since: int = 0) -> list[Heard]:
        """What is well-formed of one topic, from the `since`-th message on."""
        return [one for one in self._ear.heard[since:] if one.topic is topic and not one.fault]

    def last(self, topic: Topic) -> Heard:
        """The last well-formed message of a topic of which there is one."""
        return next(one for one in reversed(self._ear.heard) if one.topic is topic and not one.fault)

    @property
    def counts(self) -> int:
        """Where the belt was by the PLC's last word."""
        counts: int = self.last(BELT).fields["counts"]
        return counts

    @property
    def counts_per_s(self) -> float:
        """The belt's speed, by the PLC's own two rulers."""
        recent = self.said(BELT)[-SPEED_OVER:]
        ran_ns = recent[-1].fields["plc_ns"] - recent[0].fields["plc_ns"]
        ran_counts: int = recent[-1].fields["counts"] - recent[0].fields["counts"]
        return ran_counts / ran_ns * NS_PER_S if ran_ns > 0 else 0.0

    @property
    def moves(self) -> bool:
        """Whether the belt runs, so that it can reach a window."""
        return self.counts_per_s > STANDING_COUNTS_PER_S

    @property
    def shows_gate(self) -> bool:
        """Whether the PLC says where its gate is."""
        return "gate" in self.last(BELT).fields

    def window(self, ahead_s: float = AHEAD_S, open_s: float = OPEN_S) -> Window:
        """A window that the belt reaches in so many seconds; less than nought: that it has reached already."""
        first = self.counts + round(ahead_s * self.counts_per_s)
        return Window(first, first + round(open_s * self.counts_per_s))

    def planned(self, window: Window) -> Order:
        """An order under a name of its own, not given yet."""
        return Order(f"conformance-{self._run}-{next(self._numbers)}", window, len(self.heard))

    def order(self, window: Window, seq: int | None = None) -> Order:
        """Order the gate, as the daemon would."""
        order = self.planned(window)
        self.repeat(order, seq)
        return order

    def order_kept(self, window: Window) -> Order:
        """Order the gate, and have the broker keep the order: it must be told to forget it."""
        order = self.planned(window)
        self.send_kept(COMMAND, self.payload(order))
        return order

    def repeat(self, order: Order, seq: int | None = None, window: Window | None = None) -> None:
        """Say an order again; `window`: another one under the same name."""
        self.send(COMMAND, self.payload(order, seq, window), expiry_s=AHEAD_S + OPEN_S)

    def payload(self, order: Order, seq: int | None = None, window: Window | None = None) -> bytes:
        """An order as the protocol has it."""
        wanted = window or order.window
        fields = {"item": "conformance", "reason": "conformance test"}
        counts = {"open_counts": wanted.open_counts, "close_counts": wanted.close_counts}
        return encode(next(self._seq) if seq is None else seq, {"command": order.command, **fields, **counts})

    def send(self, topic: Topic, payload: bytes, expiry_s: float | None = None) -> None:
        """Send a payload, whatever it is, the way its topic is to be sent."""
        self._mouth.publish(topic.name, payload, topic.qos, retained=topic.retained, expiry_s=expiry_s)

    def send_kept(self, topic: Topic, payload: bytes) -> None:
        """Send it to be kept by the broker, as nothing to the gate may be; an empty payload has it forgotten."""
        self._mouth.publish(topic.name, payload, topic.qos, retained=True)

    def send_elsewhere(self, name: str, payload: bytes) -> None:
        """Send it to a topic that the protocol does not know."""
        self._mouth.publish(name, payload, 1, retained=False)

    def answers(self, order: Order) -> list[str]:
        """What the PLC has answered to an order since it was given."""
        return [one.fields["status"] for one in self.said(ACK, order.since) if one.fields["command"] == order.command]

    def until(self, happened: Callable[[], bool], limit_s: float) -> bool:
        """Wait, beating; False: the time was up."""
        end_s = time.monotonic() + limit_s
        while not happened():
            if time.monotonic() > end_s:
                return False
            self.beat_if_due()
            time.sleep(POLL_S)
        return True

    def settle(self) -> None:
        """Beat until the gate, as far as it can be seen, rests on the pass side."""
        self.until(lambda: self.last(BELT).fields.get("gate") != "divert", SETTLE_S)

    def rest(self, seconds: float) -> None:
        """Let time go by, beating."""
        self.until(lambda: False, seconds)

    def pass_by(self, window: Window) -> None:
        """Wait until the belt has left a window well behind; not for ever, should it stand."""
        behind = window.close_counts + round(OPEN_S * self.counts_per_s)
        self.until(lambda: self.counts > behind, PASSING_S)

    def beat_if_due(self) -> None:
        """Five times a second, while the heart is not stopped."""
        if self.beating and time.monotonic() - self._beaten_s >= BEAT_S:
            self.beat({"turn": next(self._turn)})

    def beat(self, fields: Mapping[str, Any], seq: int | None = None) -> None:
        """Beat once."""
        self._beaten_s = time.monotonic()
        payload = encode(next(self._seq) if seq is None else seq, fields)
        self.send(HEARTBEAT, payload, HEARTBEAT.expiry_s)

    def shout(self, payloads: Sequence[bytes]) -> None:
        """Say something on the heartbeat's topic, at about a heart's pace."""
        for payload in payloads:
            self.send(HEARTBEAT, payload, HEARTBEAT.expiry_s)
        time.sleep(BEAT_S / 4)

    @contextmanager
    def silent(self) -> Iterator[float]:
        """No heartbeat meanwhile; yields when the last one was sent (monotonic, s)."""
        self.beating = False
        try:
            yield self._beaten_s
        finally:
            self.beating = True

    @contextmanager
    def unplugged(self) -> Iterator[None]:
        """The box's own connection is closed meanwhile."""
        self._mouth.__exit__(None, None, None)
        try:
            yield
        finally:
            self._mouth.__enter__()


@contextmanager
def connected(address: Address, lane: Lane, run: str) -> Iterator[Box]:
    """A box on the lane, with a second connection that only listens.

    Raises:
        BrokerUnreachable: no broker answers.
        LaneNotTestable: another box is at work on the lane, or no PLC speaks there.
    """
    with ExitStack() as stack:
        others = stack.enter_context(Connection("conformance-watch", address, [HEARTBEAT]))
        ear = stack.enter_context(Connection("conformance-ear", address, TOLD))
        time.sleep(OTHERS_S)
        if others.heard:
            raise LaneNotTestable(f"another box beats on lane {address.lane}: stop `tunnel-edge run` there first.")
        box = Box(address, lane, ear, stack.enter_context(Connection("conformance", address)), run)
        if not box.until(lambda: len(box.said(BELT)) >= SPEED_OVER, FIRST_WORD_S):
            raise LaneNotTestable(_silence(address, ear))
        yield box


def _silence(address: Address, ear: Connection) -> str:
    path = BELT.under(address.site, address.lane)
    malformed = next((one.fault for one in ear.heard if one.topic is BELT and one.fault), "")
    why = f"what is said there is malformed: {malformed}" if malformed else "nothing, or too little, is said there"
    return f"{path}: {why}: connect the PLC to this broker, or name its --site and --lane."
