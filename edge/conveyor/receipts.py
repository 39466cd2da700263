"""MQTT messages that are acknowledged only once what follows from them is on disk: until then the broker keeps them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Mark = tuple[int, ...]
"""How many records each desk that must not lose has been handed, or has written."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message that waits for its acknowledgement."""

    mid: int  # its number in its connection
    connection: int


class Receipts:
    """From a message's arrival, by way of the turn in which the loop takes it, to the writing of its records."""

    def __init__(self, ack: Callable[[int], object], kept: Iterable[str]) -> None:
        """ack: sends the acknowledgement of a message number; returns at once. kept: topics, in full."""
        self._ack = ack
        self._came: dict[str, deque[Receipt]] = {topic: deque() for topic in kept}  # not taken yet
        self._taken: list[Receipt] = []  # in this turn
        self._waiting: deque[tuple[Mark, Receipt]] = deque()  # for so many records to be written
        self._connection = 0
        self._lock = threading.Lock()  # what came by one connection must not be acknowledged on the next

    def came(self, topic: str, mid: int) -> None:
        """A message is in its inbox, or was refused; what nothing follows from is acknowledged at once."""
        receipt = Receipt(mid, self._connection)
        if topic in self._came:
            self._came[topic].append(receipt)
        else:
            self._send(receipt)

    def take(self, topic: str) -> None:
        """The loop is about to take what is in a topic's inbox."""
        came = self._came.get(topic, ())
        self._taken += [came.popleft() for _ in range(len(came))] if came else []

    def turned(self, handed: Mark, written: Mark) -> None:
        """A turn has ended, and its records have been handed over: acknowledge what is on disk."""
        self._waiting += [(handed, receipt) for receipt in self._taken]
        self._taken.clear()
        while self._waiting and all(map(int.__ge__, written, self._waiting[0][0])):
            self._send(self._waiting.popleft()[1])

    def disconnected(self) -> None:
        """The broker will say again what it has no acknowledgement of, maybe under other numbers."""
        with self._lock:
            self._connection += 1

    def _send(self, receipt: Receipt) -> None:
        with self._lock:
            if receipt.connection == self._connection:
                self._ack(receipt.mid)
