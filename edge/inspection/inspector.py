"""Inspection beside the loop: sightings wait in a bounded queue, the most urgent first; workers look."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from edge.core.messages import Evidence, Image, Sighting
from edge.inspection.crop import Check, Crop

Locate = Callable[[str, Image], Crop]
"""Camera and frame image to the item's crop."""

log = logging.getLogger(__name__)


class ThreadedInspector:
    """Workers share the sessions; ONNX Runtime and OpenCV release the interpreter's lock."""

    def __init__(self, locate: Locate, checks: Mapping[str, Sequence[Check]], workers: int, size: int) -> None:
        self.counts: Counter[str] = Counter()  # sightings: done, late, overflow, failed
        self._locate = locate
        self._checks = checks  # camera → its checks
        self._waiting: queue.PriorityQueue[tuple[float, int, Sighting | None]] = queue.PriorityQueue()
        self._size = size
        self._order = itertools.count()
        self._found: deque[Evidence] = deque()
        self._workers = [threading.Thread(target=self._work, name=f"inspect {n}", daemon=True) for n in range(workers)]

    def start(self) -> None:
        """Begin to look."""
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """End after what is being looked at now; what waits is dropped."""
        for _ in self._workers:
            self._waiting.put((float("-inf"), next(self._order), None))
        for worker in self._workers:
            worker.join()

    def submit(self, sightings: Iterable[Sighting]) -> None:
        """Queue these; a full queue drops the newcomer, whose item then stays undecided."""
        for sighting in sightings:
            if self._waiting.qsize() >= self._size:
                self.counts["overflow"] += 1
            else:
                self._waiting.put((sighting.deadline_ns, next(self._order), sighting))

    def collect(self) -> Sequence[Evidence]:
        """The evidence that has arrived since the last call."""
        return [self._found.popleft() for _ in range(len(self._found))]

    def _work(self) -> None:
        while (sighting := self._waiting.get()[2]) is not None:
            if time.monotonic_ns() >= sighting.deadline_ns:
                self.counts["late"] += 1
            else:
                self._look(sighting)

    def _look(self, sighting: Sighting) -> None:
        """Locate once, ask each check; what fails is counted and leaves its rule without evidence."""
        try:
            crop = self._locate(sighting.frame.camera, sighting.frame.image)
            for check in self._checks.get(sighting.frame.camera, ()):
                found = check.inspect(crop, sighting)
                self._found.extend(replace(one, finished_ns=time.monotonic_ns()) for one in found)
            self.counts["done"] += 1
        except Exception:  # one picture must not end a worker
            self.counts["failed"] += 1
            log.exception("frame %s of camera %s", sighting.frame.frame_id, sighting.frame.camera)
