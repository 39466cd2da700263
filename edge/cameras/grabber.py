"""One camera on a thread of its own: opened, read, opened anew when it fails; only the newest frames are kept."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace

from edge.cameras.health import Health
from edge.cameras.source import KEPT, Shot, Source
from edge.cameras.usual import Usual
from edge.core.belt import NS_PER_S
from edge.core.errors import CameraFault

BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)  # until it is tried again
OPENING_NS = 10 * NS_PER_S  # finding a camera takes a while: until then its silence is none
STOP_S = 2.0  # for a read to return; a driver that blocks longer is left to itself

log = logging.getLogger(__name__)


class Grabber:
    """Safe to ask from another thread than its own; nothing here waits for the camera but `stop`, and that not long."""

    def __init__(self, name: str, source: Source, silent_after_s: float = 0.0, health: Health | None = None) -> None:
        """Take the source.

        silent_after_s: how long it may send nothing; 0: as long as it likes, for a camera that waits for triggers.
        health: watches what the frames show; None: nobody does.
        """
        self.name = name
        self.dropped = 0  # frames that nobody fetched in time
        self.opened = 0  # times
        self.counts = math.nan  # where the belt is, as whoever asks for the frames knows it
        self._source = source
        self._silent_after_s = silent_after_s
        self._health = health
        self._shots: deque[Shot] = deque(maxlen=KEPT)
        self._lost = 0
        self._fault = ""
        self._tries = 0  # in vain, since the last frame
        self._heard_ns = time.monotonic_ns() + OPENING_NS
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"camera {name}", daemon=True)

    def start(self) -> None:
        """Begin to grab."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; one that its driver blocks is left behind, and ends with the process."""
        self._ending.set()
        self._thread.join(STOP_S)
        if self._thread.is_alive():
            log.warning("camera '%s' (%s): its driver does not return", self.name, self._source.about)

    def space(self, counts: float) -> None:
        """Hold frames against the view so far apart."""
        if self._health:
            self._health.space(counts)

    def shots(self) -> Sequence[Shot]:
        """The exposures that have come since the last call, oldest first."""
        return [self._shots.popleft() for _ in range(len(self._shots))]

    @property
    def lost(self) -> int:
        """Frames that the camera sent and that did not arrive whole."""
        return self._lost + self._source.lost()

    @property
    def packets(self) -> Mapping[str, int]:
        """What became of the packets of this opening, where the link counts them."""
        return self._source.packets()

    @property
    def sharpness(self) -> float:
        """Of the last frames, as a share of what was learnt; not a number: nothing was."""
        return self._health.sharpness if self._health else math.nan

    @property
    def usual(self) -> Usual | None:
        """What stands still before it just now; None: nobody watches, or not long enough."""
        return self._health.usual if self._health else None

    @property
    def fault(self) -> str:
        """What is wrong just now, and what to do; empty: nothing."""
        silent_s = (time.monotonic_ns() - self._heard_ns) / NS_PER_S
        if self._fault or not self._silent_after_s or silent_s < self._silent_after_s:
            return self._fault
        return self._told(f"stopped sending {silent_s:.1f} s ago: check cable, power and trigger")

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._read_on()
            except CameraFault as error:
                self._fail(self._told(str(error)))
            except Exception as error:  # a driver's surprise must not end the thread
                log.exception("camera '%s'", self.name)
                self._fail(self._told(f"failed ({type(error).__name__}): see the log"))
            finally:
                self._lost += self._source.lost()
                self._source.close()
            self._ending.wait(BACKOFF_S[min(self._tries, len(BACKOFF_S) - 1)])
            self._tries += 1

    def _read_on(self) -> None:
        self._source.open()
        self._heard_ns = time.monotonic_ns()
        self.opened += 1
        if not self._silent_after_s:
            self._fault = ""  # it need not send anything to be well
        while not self._ending.is_set():
            if shot := self._source.read():
                self._keep(shot)

    def _keep(self, shot: Shot) -> None:
        if self._health and (fault := self._health.check(shot.image, shot.exposed_ns, self.counts)):
            shot = replace(shot, fault=fault)
        self._fault = self._told(f"shows what it should not: {shot.fault}") if shot.fault else ""
        self._tries, self._heard_ns = 0, time.monotonic_ns()
        self.dropped += len(self._shots) == KEPT
        self._shots.append(shot)

    def _fail(self, told: str) -> None:
        if told != self._fault:
            log.warning("%s", told)
        self._fault = told

    def _told(self, what: str) -> str:
        return f"camera '{self.name}' ({self._source.about}) {what}"
