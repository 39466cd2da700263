"""The ledger's desks: each sink has a thread and a bounded queue of its own, so that none waits for another."""

from __future__ import annotations

import contextlib
import itertools
import logging
import queue
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Protocol

from edge.core.belt import NS_PER_S
from edge.core.bodies import unillustrated
from edge.core.messages import Conservation
from edge.core.ports import Record

BATCH = 256
POLL_S = 0.1
RETRIES_S = (0.1, 0.5, 2.0)

log = logging.getLogger(__name__)


class Sink(Protocol):
    """Where records end."""

    def write(self, records: Sequence[Record]) -> None:
        """Keep these; may be slow."""
        ...


class Writer:
    """One sink behind one bounded queue."""

    def __init__(self, name: str, sink: Sink, size: int) -> None:
        self.name = name
        self.dropped = 0
        self._sink = sink
        self._queue: queue.Queue[Record] = queue.Queue(size)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"writer {name}", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is left, then end."""
        self._ending.set()
        self._thread.join()

    def offer(self, record: Record) -> None:
        """Queue a record; a full queue drops it and counts."""
        try:
            self._queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1

    def waiting(self) -> int:
        """How many records wait."""
        return self._queue.qsize()

    def _run(self) -> None:
        while not (self._ending.is_set() and self._queue.empty()):
            batch = self._batch()
            if batch:
                self._write(batch)

    def _batch(self) -> list[Record]:
        """What waits, up to a batch; waits a little for the first."""
        batch: list[Record] = []
        with contextlib.suppress(queue.Empty):
            batch.append(self._queue.get(timeout=POLL_S))
            while len(batch) < BATCH:
                batch.append(self._queue.get_nowait())
        return batch

    def _write(self, batch: Sequence[Record]) -> None:
        try:
            self._sink.write(batch)
        except Exception:  # a sink that fails must not end the thread: what it could not keep is counted
            self.dropped += len(batch)
            log.exception("the %s could not keep %d records", self.name, len(batch))


class KeepingWriter(Writer):
    """A desk that must not lose: what its sink could not keep is offered to it again, until it can."""

    def __init__(self, name: str, sink: Sink, size: int) -> None:
        super().__init__(name, sink, size)
        self.handed = self.written = 0  # records queued, and those of them that the sink has kept
        self._began_ns: int | None = None  # to write what is not yet written

    def offer(self, record: Record) -> None:
        """Queue a record, and count it; as `Writer.offer`."""
        dropped = self.dropped
        super().offer(record)
        self.handed += self.dropped == dropped

    def unwritten_s(self) -> int:
        """How long its sink has had what it is to keep next, and failed, or said nothing."""
        began_ns = self._began_ns
        return 0 if began_ns is None else (time.monotonic_ns() - began_ns) // NS_PER_S

    def _write(self, batch: Sequence[Record]) -> None:
        self._began_ns = time.monotonic_ns()
        for wait_s in itertools.chain(RETRIES_S, itertools.repeat(RETRIES_S[-1])):
            try:
                self._sink.write(batch)
            except Exception:
                log.exception("the %s could not keep %d records; trying again in %g s", self.name, len(batch), wait_s)
                if self._ending.wait(wait_s):
                    break
            else:
                self.written += len(batch)
                self._began_ns = None
                return
        self.dropped += len(batch)


class Ledger:
    """Hands every record to every desk; never waits. Only the illustrated desks get the pictures."""

    def __init__(self, writers: Sequence[Writer], illustrated: Sequence[Writer] = ()) -> None:
        self.writers = (*writers, *illustrated)
        self._plain, self._illustrated = writers, illustrated
        self._keeping = [writer for writer in self.writers if isinstance(writer, KeepingWriter)]
        self._balance: Conservation | None = None

    def unwritten_s(self) -> int:
        """As `core.ports.Ledger.unwritten_s`."""
        return max((writer.unwritten_s() for writer in self._keeping), default=0)

    def handed(self) -> tuple[int, ...]:
        """How many records each desk that must not lose has been handed."""
        return tuple(desk.handed for desk in self._keeping)

    def written(self) -> tuple[int, ...]:
        """How many of them it has written."""
        return tuple(desk.written for desk in self._keeping)

    def record(self, records: Iterable[Record]) -> None:
        """Keep these; the books only when they changed."""
        for record in records:
            if record == self._balance and isinstance(record, Conservation):
                continue
            self._balance = record if isinstance(record, Conservation) else self._balance
            for writer in self._illustrated:
                writer.offer(record)
            plain = unillustrated(record)
            for writer in self._plain:
                writer.offer(plain)

    def start(self) -> None:
        """Begin to write."""
        for writer in self.writers:
            writer.start()

    def stop(self) -> None:
        """Write what is left, then end."""
        for writer in self.writers:
            writer.stop()
