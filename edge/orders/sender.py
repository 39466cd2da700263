"""Sends what is owed to the warehouse, with the same id on every try, until it answers or a request is given up."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from edge.core.answers import FINAL, Kept, Outcome, Owing, Reply
from edge.core.ports import Outbox, Requests
from edge.core.topics import MAX_BYTES
from edge.core.wire import encode
from edge.orders.pace import Draw, Pace, bounded

POLL_S = 0.1
PENDING_S = 10.0  # until one is asked after that the warehouse has in hand
ROUND = 64  # requests that are sent at a time, however many wait
NS_PER_S = 1_000_000_000
COUNTED = (*Outcome, *(one for one in Kept if one is not Kept.FIRST))

log = logging.getLogger(__name__)


class Sender:
    """One thread between the outbox and the warehouse."""

    def __init__(
        self,
        outbox: Outbox,
        requests: Requests,
        heard: Callable[[], Iterable[Reply]],
        give_up_after: int,
        draw: Draw = random.uniform,
    ) -> None:
        """heard: all that has come back since the last call, whichever way."""
        self._outbox, self._requests, self._heard, self._give_up_after = outbox, requests, heard, give_up_after
        self.failures = 0
        self.answers: Counter[str] = Counter({str(one): 0 for one in COUNTED})
        self._pace = Pace(draw, 2 * requests.patience_s)
        self._begun = False
        self._newest, self._newest_ns = 0, 0  # the last written request that was answered, and when
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="orders", daemon=True)

    def start(self) -> None:
        """Begin with what an earlier run left."""
        self._thread.start()

    def stop(self) -> None:
        """Send what came last, and end; what is unanswered stays in the outbox."""
        self._ending.set()
        self._thread.join()

    def step(self, now_s: float) -> None:
        """Take the answers, then send what is due."""
        if not self._begun:
            self._outbox.begin()
            self._begun = True
        for reply in self._heard():
            self._take(reply, now_s)
        waiting = self._outbox.due(_ns(now_s), self._pace.room(now_s, ROUND))
        tries = [tried for one in waiting if (tried := self._judged(one)) is not None]
        gone = self._offered(tries, now_s)
        if gone:
            self._outbox.sent(gone, {one.request: self._due_ns(one, now_s) for one in gone})
            self._pace.sent(now_s)

    def _take(self, reply: Reply, now_s: float) -> None:
        """Each answer once, whatever it says and however often it comes."""
        if reply.outcome is not Outcome.FAILED:
            self._pace.heard()
        if reply.outcome in FINAL:
            self._keep(reply, now_s)
            return
        self.answers[reply.outcome] += 1
        if reply.outcome is Outcome.INVALID:
            self._give_up(reply.request, f"the warehouse says {reply.status}: {reply.why or 'without a why'}")
        elif reply.outcome is Outcome.PENDING:
            self._outbox.pending(reply.request, _ns(now_s + bounded(reply.retry_after_s or PENDING_S)))
        else:
            self._fail(reply, now_s)

    def _fail(self, reply: Reply, now_s: float) -> None:
        """Its patience is not needed any longer; that of the warehouse may be."""
        log.warning("%s: no answer: %s %s; it is asked again", reply.request, reply.status, reply.why)
        self._pace.failed(now_s)
        asked_s = bounded(reply.retry_after_s) if reply.retry_after_s is not None else 0.0
        self._outbox.failed(reply.request, _ns(now_s + asked_s), _ns(self._requests.patience_s))
        if reply.busy and asked_s:
            self._pace.asked(now_s, asked_s)

    def _keep(self, reply: Reply, now_s: float) -> None:
        kept = self._outbox.answered(reply)
        if kept is Kept.FIRST and (place := self._outbox.place(reply.request)) >= self._newest:
            self._newest, self._newest_ns = place, _ns(now_s)
        self.answers[reply.outcome if kept is Kept.FIRST else kept] += 1
        if kept is Kept.FIRST and reply.outcome is not Outcome.ACCEPTED:
            log.warning("%s: the warehouse says %s: %s", reply.request, reply.status, reply.why or "without a why")
        if kept is Kept.CONTRADICTS:
            log.warning("%s: answered before; now %s is said: the first answer stands", reply.request, reply.status)

    def _judged(self, one: Owing) -> Owing | None:
        """With what is known of it now; None: it was given up.

        Passed over: since it was sent, one that was written later was answered. A slow queue passes nobody over.
        """
        passed_over = 0 < one.sent_ns < self._newest_ns and one.place < self._newest
        known = replace(one, ignored=one.ignored + passed_over)
        if because := _unsayable(one):
            self._give_up(one.request, because)
        elif known.ignored >= self._give_up_after:
            self._give_up(one.request, f"passed over {known.ignored} times, while later ones were answered")
        else:
            return known
        return None

    def _give_up(self, request: str, because: str) -> None:
        if self._outbox.given_up(request, because):
            log.error("%s is given up: %s; `tunnel-edge orders LANE.toml show %s`", request, because, request)

    def _offered(self, tries: Iterable[Owing], now_s: float) -> list[Owing]:
        """Those that were taken; the others are due again in the next round."""
        taken = (one for one in tries if self._requests.offer(one.request, one.fields))
        return [replace(one, sent_ns=_ns(now_s)) for one in taken]

    def _due_ns(self, one: Owing, now_s: float) -> int:
        return _ns(now_s + self._requests.patience_s + self._pace.retry_s(one.ignored))

    def _run(self) -> None:
        while not self._ending.wait(POLL_S):
            self._try()
        self._try()

    def _try(self) -> None:
        try:
            self.step(time.monotonic())
        except Exception:  # a locked file must not end what is owed
            self.failures += 1
            log.exception("orders could not be seen to; trying again")


def _unsayable(one: Owing) -> str:
    """Why a request cannot be said at all; empty: it can."""
    if not one.fields:
        return "what it asks for cannot be read any longer"
    try:
        size = len(encode(0, one.fields))
    except ValueError as error:
        return f"no JSON: {error}"
    return f"{size} bytes, at most {MAX_BYTES} are said" if size > MAX_BYTES else ""


def _ns(s: float) -> int:
    return round(s * NS_PER_S)
