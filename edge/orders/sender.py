"""Sends what is owed to the warehouse, with the same id on every try, until it answers."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from edge.core.ports import Outbox, Publisher
from edge.core.wire import owed_on

POLL_S = 0.1
FIRST_RETRY_S = 2.0
LONGEST_RETRY_S = 60.0

log = logging.getLogger(__name__)

Acks = Callable[[], Iterable[Mapping[str, Any]]]


class Sender:
    """One thread between the outbox and the warehouse."""

    def __init__(self, outbox: Outbox, publisher: Publisher, acks: Acks) -> None:
        self._outbox, self._publisher, self._acks = outbox, publisher, acks
        self.failures = 0
        self._retries: dict[str, tuple[float, float]] = {}  # request → when next, and the wait after that, s
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="orders", daemon=True)

    def start(self) -> None:
        """Begin with what an earlier run left."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is unanswered stays in the outbox."""
        self._ending.set()
        self._thread.join()

    def step(self, now_s: float) -> None:
        """Take the answers, then send what is due."""
        for ack in self._acks():
            self._outbox.answered(ack["request"], ack["status"])
            self._retries.pop(ack["request"], None)
        for request, fields in self._outbox.unanswered():
            due_s, wait_s = self._retries.get(request, (now_s, FIRST_RETRY_S))
            if now_s >= due_s and self._publisher.publish(owed_on(fields), fields):
                self._outbox.tried(request)
                self._retries[request] = (now_s + _jittered(wait_s), min(2 * wait_s, LONGEST_RETRY_S))

    def _run(self) -> None:
        while not self._ending.wait(POLL_S):
            try:
                self.step(time.monotonic())
            except Exception:  # a locked file must not end what is owed
                self.failures += 1
                log.exception("orders could not be seen to; trying again")


def _jittered(wait_s: float) -> float:
    """Between half of it and all, so that many lanes do not speak at once."""
    return wait_s * random.uniform(0.5, 1)  # noqa: S311 - jitter, no secret
