"""Takes what the loop's ports bring and has a thread keep it; the loop never waits.

A recording has no gaps. Where the thread cannot keep up, the disk is full or the bytes allowed are used up, it ends
before the turn concerned, says why, and is good up to there; the lane runs on.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

import numpy as np

from edge.core.messages import Frame, ItemEnd
from edge.recording.keeper import Keeper
from edge.recording.tape import Turn

TURNS_WAITING = 4096  # in which something happened: half a minute of a busy lane
PICTURES_WAITING = 16  # more would hold back memory that a camera has lent us
POLL_S = 0.1
NICE = 10  # less urgent than the inspection
NS_PER_S = 1_000_000_000
ORDERLY, FAILED = "the daemon was told to stop", "the daemon failed"
OVERTAKEN = "the disk or the processor did not keep up"
NOTHING = np.zeros((1, 1), np.uint8)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a recording ends by itself."""

    most_bytes: int
    seconds: float | None = None
    items: int | None = None  # that left the lane


class Recorder:
    """One recording."""

    def __init__(self, keeper: Keeper, bounds: Bounds) -> None:
        self.because = ""  # it takes no more; empty: it still does
        self._keeper, self._bounds = keeper, bounds
        self._queue: queue.Queue[Turn] = queue.Queue(TURNS_WAITING)
        self._items = self._pictures = 0  # taken
        self._first_ns: int | None = None
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Keep what is offered meanwhile."""
        self._thread.start()
        try:
            yield
        except BaseException:
            self.end(FAILED)
            raise
        finally:
            self.end(ORDERLY)
            self._thread.join()

    def offer(self, turn: Turn) -> None:
        """Take a turn; returns at once."""
        if self.because:
            return
        turn.frames = [_bare(frame, turn) for frame in turn.frames]
        pictures = len(turn.shown)
        waiting = self._pictures - self._keeper.pictures
        if self._queue.full() or (waiting and waiting + pictures > PICTURES_WAITING):
            self.end(OVERTAKEN)
            return
        self._pictures += pictures
        self._queue.put_nowait(turn)  # nobody else fills it
        self._see_to_bounds(turn)

    def end(self, because: str) -> None:
        """Take no more; the first reason counts."""
        self.because = self.because or because

    def _see_to_bounds(self, turn: Turn) -> None:
        self._items += sum(isinstance(one, ItemEnd) for one in turn.records)
        self._first_ns = self._first_ns or turn.instants_ns[0]
        spent_s = (turn.instants_ns[-1] - self._first_ns) / NS_PER_S
        if self._bounds.items is not None and self._items >= self._bounds.items:
            self.end(f"{self._items} items, as asked")
        elif self._bounds.seconds is not None and spent_s >= self._bounds.seconds:
            self.end(f"{self._bounds.seconds:g} s, as asked")

    def _run(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)  # on Linux, of this thread alone
        try:
            while not (self.because and self._queue.empty()):
                self._keep_next()
            self._keeper.close(self.because)
            log.warning("the recording has ended: %s", self.because)
        except Exception as error:  # the lane must run on; what is good so far stays
            self.because = f"it could not be kept ({getattr(error, 'strerror', None) or type(error).__name__})"
            log.exception("the recording has ended: %s", self.because)
            self._keeper.give_up(self.because)

    def _keep_next(self) -> None:
        with suppress(queue.Empty):
            self._keeper.keep(self._queue.get(timeout=POLL_S))
            if self._keeper.bytes >= self._bounds.most_bytes:
                self.end(f"{self._bounds.most_bytes / 1e6:.0f} MB are full")


def _bare(frame: Frame, turn: Turn) -> Frame:
    """Without its picture, unless that shows an item."""
    return frame if (frame.camera, frame.frame_id) in turn.shown else replace(frame, image=NOTHING)
